"""Answering several questions of one tool at once; each of them can be left out, and none is taken by itself."""

from __future__ import annotations

import secrets
from urllib.parse import quote, unquote

from ladder_graph.console.answers import Answer, Refusal, Shown
from ladder_graph.console.attention import attention, view_of
from ladder_graph.console.batches import BRIEF, MOST, Came, fits_a_batch, member, shown_of
from ladder_graph.console.entries import Entry
from ladder_graph.console.fields import id_of
from ladder_graph.console.passages import short
from ladder_graph.console.sheets import found
from ladder_graph.console.staleness import own
from ladder_graph.console.titles import headline, headlines
from ladder_graph.console.visitor import Visitor
from ladder_graph.errors import LadderError
from ladder_graph.facts import Question
from ladder_graph.ledger.lists.cases import Case
from ladder_graph.policy.console import Access
from ladder_graph.wording import given

_VERDICT = {"run": "approve", "decline": "decline"}
"""Button to what it says."""


def show(visitor: Visitor) -> Answer:
    """All questions of one tool that may be answered together."""
    return _page(visitor, visitor.query.get("tool", ""))


def _page(visitor: Visitor, tool: str, wrong: str = "", note: str = "", chosen: frozenset[str] = frozenset()) -> Answer:
    ladder = visitor.ladder
    sees = visitor.sees(Access.REVIEWER)
    waiting = ladder.waiting(tool=tool, mine=visitor.person, size=4 * MOST, sees=sees).items if tool else ()
    asked = [one for one in waiting if fits_a_batch(visitor, one)][:MOST]
    members = [member(line, one) for line, one in zip(headlines(visitor, asked), asked, strict=True)]
    shown, characters = shown_of(members)
    return Shown("batch.html", {
        "tool": tool, "carried": quote(tool, safe=""), "members": members,
        "now": ladder.clock(), "wrong": wrong, "note": note, "chosen": chosen,
        "view": view_of(visitor, _about(tool), shown, characters).sealed(visitor),
        "at_once": characters,
    }, 422 if wrong else 200)  # fmt: skip


def _about(tool: str) -> str:
    return f"batch {id_of(tool)}"


def take(visitor: Visitor) -> Answer:
    """Take one answer for each that was chosen, and say what came of each."""
    form = visitor.form
    tool, note, pressed = unquote(form.get("tool")), form.get("note").strip(), form.get("decision")
    chosen = list(dict.fromkeys(form.all("take")))
    if pressed not in _VERDICT or len(chosen) > MOST:
        raise Refusal(400, "There is no such decision", "Nothing was done. Go back to the questions.")
    if not chosen or (pressed == "decline" and not note):
        wrong = "Say why not: the agent reads it, and acts by it." if chosen else "Take at least one of them."
        return _page(visitor, tool, wrong, note, frozenset(chosen))
    batch = secrets.token_hex(8)
    came = [_one(visitor, tool, one, pressed, note, batch) for one in chosen]
    return Shown("batched.html", {"tool": tool, "came": came, "pressed": pressed})


def _one(visitor: Visitor, tool: str, question: str, pressed: str, note: str, batch: str) -> Came:
    """Answer one of them, if it still is what was shown and may be answered so."""
    try:
        case = found(visitor, question, Access.REVIEWER)
    except Refusal as refusal:
        return Came("", "A question", f"Not taken: {refusal.text}", taken=False)
    asked = case.question
    line = headline(visitor, asked)
    arguments = "" if line.withheld else short(given(asked.call.arguments), BRIEF)
    try:
        text, taken = _answered(visitor, tool, case, pressed, note, batch), True
    except (Refusal, LadderError) as refused:
        text, taken = f"Not taken: {refused.text if isinstance(refused, Refusal) else refused}", False
    return Came(asked.id, line.title, text, taken, line.thread, arguments)


def _answered(visitor: Visitor, tool: str, case: Case, pressed: str, note: str, batch: str) -> str:
    """What came of an answer that was taken, in words.

    Raises:
        Refusal: It may not be in this batch.
        LadderError: The answer was refused.
    """
    asked = case.question
    if own(visitor, case, _VERDICT[pressed]):
        return "You have answered so already."  # A second click, or a reload.
    _fit(visitor, tool, asked)
    taken = _say(visitor, asked, pressed, note, batch, visitor.form.get(f"seen.{asked.id}"))
    if taken.probe:
        return f"This was a probe, which never runs: {taken.probe}."
    return "It may run, once." if pressed == "run" else "Declined."


def _fit(visitor: Visitor, tool: str, asked: Question) -> None:
    """Go on only with what may be in this batch.

    Raises:
        Refusal: It may not.
    """
    if asked.decision is not None:
        raise Refusal(409, "", f"{asked.decision.by.name} has answered it already.")
    if visitor.ladder.clock() >= asked.expires_at:
        raise Refusal(409, "", "its time is up.")
    if asked.call.tool != tool or not fits_a_batch(visitor, asked):
        raise Refusal(409, "", "it must be answered by itself.")


def _say(visitor: Visitor, asked: Question, pressed: str, note: str, batch: str, seen: str) -> Question:
    how = attention(visitor, _about(asked.call.tool)).given
    say = visitor.ladder.approve if pressed == "run" else visitor.ladder.decline
    return say(asked.id, by=visitor.person, digest=seen, reason=note, batch=batch, **how)


ENTRIES = (Entry("/confirm/batch", show=show, take=take),)
