"""One question: the whole case, and the decision about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ladder_graph.console.answers import Answer, Moved, Refusal
from ladder_graph.console.attention import attention
from ladder_graph.console.entries import Entry
from ladder_graph.console.pages.editing import editing
from ladder_graph.console.sheets import Filled, case_for, found, sheet
from ladder_graph.console.staleness import stale_answer
from ladder_graph.console.visitor import Visitor
from ladder_graph.errors import AnswerRefused
from ladder_graph.ledger.lists.cases import Case
from ladder_graph.policy.console import Access
from ladder_graph.wording import sentence

_VERDICT = {"run": "approve", "decline": "decline", "respond": "respond", "edit": "edit"}
"""Button to what it says."""


def show(visitor: Visitor) -> Answer:
    """The case and the decision, or what was decided."""
    return sheet(visitor, case_for(visitor))


def take(visitor: Visitor) -> Answer:
    """Take a decision. Whatever can't be taken comes back with everything that was typed."""
    case = case_for(visitor, Access.REVIEWER)
    pressed = visitor.form.get("decision")
    work = _WAYS.get(pressed)
    if work is None:
        raise Refusal(400, "There is no such decision", "Nothing was done. Go back to the question.")
    if pressed != "revoke" and (stale := stale_answer(visitor, case, _VERDICT.get(pressed, ""))) is not None:
        return stale
    try:
        return work(visitor, case)
    except AnswerRefused as refused:
        # Somebody else may have been quicker by a moment.
        now = found(visitor, case.question.id, Access.REVIEWER)
        stale = stale_answer(visitor, now, _VERDICT.get(pressed, "")) if pressed != "revoke" else None
        return stale or sheet(visitor, now, Filled.of(visitor, form=sentence(str(refused))), status=409)


# --- what the buttons do -------------------------------------------------------------------------------------------


def _decline(visitor: Visitor, case: Case) -> Answer:
    reason = visitor.form.get("note").strip()
    if not reason:
        return _again(visitor, case, note="Say why not: the agent reads it, and acts by it.")
    fault = "policy" if visitor.form.get("fault") == "policy" else "agent"
    return _answer(visitor, case, visitor.ladder.decline, reason=reason, fault=fault)


def _run(visitor: Visitor, case: Case) -> Answer:
    typed, note = visitor.form.get("typed"), visitor.form.get("note").strip()
    if wrong := mistyped(case, typed):
        return _again(visitor, case, typed=wrong)
    return _answer(visitor, case, visitor.ladder.approve, typed=typed or None, reason=note)


def mistyped(case: Case, typed: str) -> str:
    """What is wrong with the fact that had to be typed; empty where it is right, or none is asked for."""
    asked = case.question
    if asked.to_type is None or (asked.typed_value and asked.is_typed(typed)):
        return ""
    if not asked.typed_value:
        return f"The call has no {asked.to_type} to type, so nobody can approve it."
    return f"This isn't the {asked.to_type} that stands above. Nothing ran." if typed else f"Type the {asked.to_type}."


def _respond(visitor: Visitor, case: Case) -> Answer:
    text = visitor.form.get("text").strip()
    if not text:
        return _again(visitor, case, text="Write what the agent shall read in the tool's place.")
    visitor.ladder.respond(
        case.question.id, text, by=visitor.person, digest=case.question.digest,
        **attention(visitor, case.question.id).given,
    )  # fmt: skip
    return Moved(f"/confirm/{case.question.id}")


def _pass(visitor: Visitor, case: Case) -> Answer:
    to = visitor.form.get("to").strip()
    if not to:
        return _again(visitor, case, to="Say to whom it goes.")
    note = visitor.form.get("note").strip()
    visitor.ladder.pass_on(case.question.id, to=to, by=visitor.person, note=note)
    return Moved(f"/confirm/{case.question.id}")


def _revoke(visitor: Visitor, case: Case) -> Answer:
    reason = visitor.form.get("note").strip()
    if not reason:
        return _again(visitor, case, note="Say why: it is kept, and the agent reads it.")
    visitor.ladder.revoke(case.question.id, by=visitor.person, reason=reason)
    return Moved(f"/confirm/{case.question.id}")


def _answer(visitor: Visitor, case: Case, say: Callable[..., Any], **said: Any) -> Answer:
    asked = case.question
    say(asked.id, by=visitor.person, digest=asked.digest, **said, **attention(visitor, asked.id).given)
    return Moved(f"/confirm/{asked.id}")


def _again(visitor: Visitor, case: Case, **wrong: str) -> Answer:
    return sheet(visitor, case, Filled.of(visitor, **wrong), status=422)


_WAYS: dict[str, Callable[[Visitor, Case], Answer]] = {
    "decline": _decline, "run": _run, "edit": editing, "pass": _pass, "respond": _respond, "revoke": _revoke,
}  # fmt: skip

ENTRIES = (Entry("/confirm/{question}", show=show, take=take),)
