"""What is too long for the page of its question, in parts that can be read one after the other."""

from __future__ import annotations

from ladder_graph.briefing import hashed
from ladder_graph.console.answers import Answer, Refusal, Shown
from ladder_graph.console.entries import Entry
from ladder_graph.console.fields import id_of
from ladder_graph.console.passages import part_of, short
from ladder_graph.console.sheets import case_for
from ladder_graph.console.visitor import Visitor
from ladder_graph.facts import Question
from ladder_graph.turns.deciding import uncleared
from ladder_graph.wording import show as written


def show(visitor: Visitor) -> Answer:
    """One part of a value, or of the whole JSON that was hashed."""
    asked = case_for(visitor).question
    if hidden := uncleared(visitor.policy, asked.call.tool, visitor.person):
        raise Refusal(403, "Withheld from you", f"{hidden}.")
    name, text = _wanted(asked, visitor.query.get("argument", ""))
    number = visitor.query.get("part", "1")
    part = part_of(text, int(number) if number.isascii() and number.isdigit() and len(number) < _DIGITS else 1)
    return Shown("passage.html", {
        "question": asked, "name": short(name), "argument": visitor.query.get("argument") or None, "part": part,
        "length": len(text),
    })  # fmt: skip


_DIGITS = 9


def _wanted(asked: Question, argument: str) -> tuple[str, str]:
    """What is read: a name for it, and its text."""
    if not argument:
        return "The JSON that was hashed", hashed(asked)
    for name, value in asked.call.arguments.items():
        if id_of(name) == argument:
            return name, value if isinstance(value, str) else written(value)
    raise Refusal(404, "There is no such argument", "Go back to the question.")


ENTRIES = (Entry("/confirm/{question}/passage", show=show),)
