"""Letting a call run with other arguments: the fields, then old and new side by side, then the yes to exactly that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ladder_graph.answers import retyped
from ladder_graph.calls import Call
from ladder_graph.console.answers import Answer, Moved, Refusal, Shown
from ladder_graph.console.attention import FIELD, attention, looked_before
from ladder_graph.console.entries import Entry
from ladder_graph.console.fields import Field, Put, State, escaped, field_of, fields_of, id_of, read_put
from ladder_graph.console.passages import Room
from ladder_graph.console.sheets import allowed, case_for, compared, found, sheet
from ladder_graph.console.staleness import stale_answer
from ladder_graph.console.visitor import Visitor
from ladder_graph.errors import AnswerRefused
from ladder_graph.facts import Question
from ladder_graph.ledger.lists.cases import Case
from ladder_graph.policy.console import Access
from ladder_graph.wording import inert


@dataclass(frozen=True, slots=True)
class Shape:
    """A field with what stands in it now, and what is wrong with that."""

    field: Field
    put: Put
    wrong: str = ""


def editing(visitor: Visitor, case: Case) -> Answer:
    """The fields, for somebody who has pressed `Edit` beside a question."""
    return _fields(visitor, case, {})


def take(visitor: Visitor) -> Answer:
    """Compare what was put in with what was asked, or let it run."""
    case = case_for(visitor, Access.REVIEWER)
    if (stale := stale_answer(visitor, case, "edit")) is not None:
        return stale
    match visitor.form.get("step"):
        case "back":
            return Moved(f"/confirm/{case.question.id}")
        case "change":
            return _fields(visitor, case, _carried(visitor))
        case "open":
            return _fields(visitor, case, _sent(visitor, case.question))
        case "look":
            return _look(visitor, case, _sent(visitor, case.question))
        case "run":
            return _run(visitor, case, _carried(visitor))
        case _:
            raise Refusal(400, "There is no such step", "Nothing was done. Go back to the question.")


# --- the fields --------------------------------------------------------------------------------------------------


def _fields(
    visitor: Visitor, case: Case, puts: Mapping[str, Put], wrong: Mapping[str, str] | None = None, general: str = ""
) -> Answer:
    asked, wrong = case.question, wrong or {}
    if "edit" not in allowed(visitor, asked):
        return sheet(visitor, case, status=403)
    opened = {*visitor.form.all("opened"), *puts, *filter(None, [_wanted(visitor)])}
    made, kept = fields_of(asked.call.arguments, _schema(visitor, asked.call), opened)
    shapes = [_shape(one, puts.get(one.name), wrong.get(one.name, "")) for one in made]
    return Shown("editing.html", {
        "question": asked, "shapes": shapes, "kept": kept[:_LISTED], "more": max(0, len(kept) - _LISTED),
        "opened": sorted(opened), "general": general, "known": bool(_schema(visitor, asked.call)),
        "now": visitor.ladder.clock(), **_context(visitor),
    }, 422 if wrong or general else 200)  # fmt: skip


_LISTED = 50
"""Names of arguments without a field that are listed."""


def _wanted(visitor: Visitor) -> str:
    """The field of an argument that was asked for by its name."""
    name = visitor.form.get("name")
    return id_of(name) if name else ""


def _shape(field: Field, put: Put | None, wrong: str) -> Shape:
    if put is None:
        return Shape(field, Put(field.state, field.text), wrong)
    if put.plain and inert(put.text, "\n\t") != put.text:
        # It would not come back from the page as it went there.
        put = replace(put, text=escaped(put.text), plain=False)
    return Shape(field, put, wrong)


def _context(visitor: Visitor) -> dict[str, Any]:
    """What the decision beside the question brought along, and goes on with."""
    form = visitor.form
    return {
        "note": form.get("note"), "typed": form.get("typed"), "view": form.get(FIELD), "before": looked_before(visitor),
    }  # fmt: skip


def _schema(visitor: Visitor, call: Call) -> Mapping[str, Any]:
    return visitor.ladder.seat_of(call.agent, call.tool).schema


# --- what was put in ---------------------------------------------------------------------------------------------


def _sent(visitor: Visitor, asked: Question) -> dict[str, Put]:
    """What the fields hold that were on the page, by argument."""
    form, found = visitor.form, dict[str, Put]()
    schema = _schema(visitor, asked.call)
    properties = schema.get("properties")
    names = [*asked.call.arguments, *(properties if isinstance(properties, Mapping) else ())]
    given, states, plain = (dict(form.starting(prefix)) for prefix in ("arg.", "is.", "as."))
    for name in dict.fromkeys(names):
        key = id_of(name)
        if key in given or key in states:
            found[name] = Put(_state(states.get(key, "value")), given.get(key, ""), plain.get(key) != "json")
    return found


def _state(text: str) -> State:
    return "null" if text == "null" else "out" if text == "out" else "value"


def _carried(visitor: Visitor) -> dict[str, Put]:
    """What the page with old and new brought along."""
    try:
        said = json.loads(visitor.form.get("puts") or "{}")
        found = {str(name): Put(_state(state), str(text), bool(plain)) for name, (state, text, plain) in said.items()}
        for name, put in found.items():
            f"{name}{put.text}".encode()  # JSON can spell half a surrogate pair, which no page could show again.
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise Refusal(400, "This form can't be read", "Nothing was done. Go back to the question.") from None
    return found


def _made(visitor: Visitor, asked: Question, puts: Mapping[str, Put]) -> tuple[dict[str, Any], dict[str, str]]:
    """All arguments of the new call, and what is wrong with single ones."""
    arguments, wrong, schema = dict(asked.call.arguments), dict[str, str](), _schema(visitor, asked.call)
    for name, put in puts.items():
        arguments[name], complaint = read_put(field_of(name, asked.call.arguments, schema), put)
        if complaint:
            wrong[name] = complaint
        if put.state == "out":
            del arguments[name]
    return arguments, wrong


def _after(visitor: Visitor, asked: Question, arguments: dict[str, Any]) -> Call | str:
    """The call that would run, typed by the tool; or why the arguments don't fit it."""
    fitted = visitor.ladder.fitting(asked.call)
    return fitted(asked.call, retyped(asked.call.arguments, arguments))


# --- old and new -------------------------------------------------------------------------------------------------


def _look(visitor: Visitor, case: Case, puts: dict[str, Put], wrong_typed: str = "", status: int = 200) -> Answer:
    asked = case.question
    arguments, wrong = _made(visitor, asked, puts)
    if wrong:
        return _fields(visitor, case, puts, wrong)
    after = _after(visitor, asked, arguments)
    if isinstance(after, str):
        return _fields(visitor, case, puts, general=f"These arguments don't fit the tool: {after}")
    if after.digest == asked.call.digest:
        return _fields(visitor, case, puts, general="Nothing is different from what was asked. Change it, or go back.")
    if "edit" not in allowed(visitor, asked):
        return sheet(visitor, case, status=403)
    carried = {name: [put.state, put.text, put.plain] for name, put in puts.items()}
    new = replace(asked, call=after)
    return Shown("comparison.html", {
        "question": asked, "after": after, "new": new, "puts": json.dumps(carried), "wrong": wrong_typed,
        "changes": compared(asked.call.arguments, after.arguments, Room()), "now": visitor.ladder.clock(),
        **_context(visitor),
    }, status)  # fmt: skip


def _run(visitor: Visitor, case: Case, puts: dict[str, Put]) -> Answer:
    asked, form = case.question, visitor.form
    arguments, wrong = _made(visitor, asked, puts)
    after = _after(visitor, asked, arguments)
    if wrong or isinstance(after, str) or after.digest != form.get("after"):
        return _look(visitor, case, puts, status=409)
    new, typed = replace(asked, call=after), form.get("typed")
    if new.to_type is not None and not new.is_typed(typed):
        return _look(visitor, case, puts, f"This isn't the {new.to_type} of the new call. Nothing ran.", 422)
    try:
        visitor.ladder.edit(
            asked.id, arguments, by=visitor.person, reason=form.get("note").strip(), typed=typed or None,
            digest=asked.digest, **attention(visitor, asked.id).given,
        )  # fmt: skip
    except AnswerRefused as refused:
        now = found(visitor, asked.id, Access.REVIEWER)
        stale = stale_answer(visitor, now, "edit")
        return stale or _fields(visitor, now, puts, general=str(refused))
    return Moved(f"/confirm/{asked.id}")


def show(visitor: Visitor) -> Answer:
    """Editing begins beside the question; whoever comes here by a link goes there."""
    return Moved(f"/confirm/{visitor.params['question']}")


ENTRIES = (Entry("/confirm/{question}/edit", show=show, take=take),)
