"""A draft as a page shows it: each change with what changed inside its lines, and what somebody said of it so far."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ladder_graph.console.answers import Refusal
from ladder_graph.console.attention import looked_before, view_of
from ladder_graph.console.visitor import Visitor
from ladder_graph.drafting import Change, Line
from ladder_graph.ladder.drafts import DraftView

WORDS = {
    "waiting": "waiting", "accepted": "accepted", "part": "accepted in part", "edited": "edited and accepted",
    "rejected": "rejected", "superseded": "superseded by a later draft",
}  # fmt: skip
"""What became of a draft, in words."""

MOST = 200_000
"""Characters of all changes that a page shows; the draft's file has all of them."""

_SIGNS = {"same": ("kept", " "), "gone": ("del", "−"), "new": ("add", "+")}  # noqa: RUF001  # a minus, as wide as a plus


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line of a change."""

    kind: str
    """The class that it is shown in: kept, del or add."""
    sign: str
    pieces: tuple[tuple[str, bool], ...]
    """Its text in pieces, each with whether it changed within the line."""
    ended: bool


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One change, with its number and where it is."""

    number: int
    heading: str
    lines: tuple[ShownLine, ...]
    cut: bool
    """It is longer than what is shown of it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody has filled in, and what is wrong with it."""

    verdicts: Mapping[int, str] = field(default_factory=dict)
    """`take` or `leave`, by the change's number."""
    note: str = ""
    outside: bool = False
    """A no would not be the agent's fault."""
    wrong: Mapping[str, str] = field(default_factory=dict)
    """Field to what is wrong with it; `form` for all of it."""

    @classmethod
    def of(cls, visitor: Visitor, **wrong: str) -> Said:
        """What the form that was sent says."""
        given = {
            _number(number): verdict
            for number, verdict in visitor.form.starting("change-")
            if number.isascii() and number.isdecimal() and verdict in {"take", "leave"}
        }
        return cls(given, visitor.form.get("note"), visitor.form.get("fault") == "policy", wrong)


_DIGITS = 9


def _number(text: str) -> int:
    """Which change is meant.

    Raises:
        Refusal: The number is longer than that of any change.
    """
    if len(text) > _DIGITS:
        raise Refusal(400, "There is no such change", "Nothing was done. Go back to the draft.")
    return int(text)


def shown(changes: tuple[Change, ...]) -> list[ShownChange]:
    """The changes of a draft, as far as a page holds them."""
    left, found = MOST, []
    for change in changes:
        lines: list[ShownLine] = []
        for line in change.lines:
            left -= len(line.text) + 1
            if left < 0:
                break
            lines.append(_line(line))
        found.append(ShownChange(change.number, change.heading, tuple(lines), len(lines) < len(change.lines)))
    return found


def _line(line: Line) -> ShownLine:
    kind, sign = _SIGNS[line.sign]
    return ShownLine(kind, sign, tuple(_pieces(line)), line.ended or line.sign == "same")


def _pieces(line: Line) -> Iterator[tuple[str, bool]]:
    at = 0
    for begin, end in line.marks:
        if begin > at:
            yield line.text[at:begin], False
        yield line.text[begin:end], True
        at = end
    if at < len(line.text) or not line.text:
        yield line.text[at:], False


def evidence(visitor: Visitor, view: DraftView) -> dict[str, str]:
    """What goes along with a decision: what was shown, and how long it lay open."""
    characters = sum(len(line.text) for change in view.changes for line in change.lines)
    facts = json.dumps([view.digest, view.title, view.will, list(view.notes)], ensure_ascii=False)
    digest = hashlib.sha256(facts.encode("utf-8", "backslashreplace")).hexdigest()
    found = view_of(visitor, view.draft.action.key, digest, characters)
    return {"view": found.sealed(visitor), "before": looked_before(visitor)}
