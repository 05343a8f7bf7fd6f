"""One report: what stands out and a random sample, one verdict each. It is read when every verdict was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ladder_graph.answers import same
from ladder_graph.console.answers import Answer, Moved, Refusal, Shown
from ladder_graph.console.attention import attention, looked_before, view_of
from ladder_graph.console.entries import Entry
from ladder_graph.console.visitor import Visitor
from ladder_graph.errors import AnswerRefused
from ladder_graph.ledger import Digest
from ladder_graph.ledger.reports.reported import Item
from ladder_graph.policy.console import Access
from ladder_graph.wording import sentence

VERDICTS = (("fine", "Fine"), ("look", "Look into it"), ("undo", "Undo it"))
"""What may be said of an action, and how the page says it."""

LOUD = frozenset({"undo_failed", "undo_conflict", "held", "incident", "overrun", "unknown", "failed", "undone"})
"""Flags that say that something went wrong."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What somebody has filled in, and what is wrong with it."""

    verdicts: Mapping[str, str] = field(default_factory=dict)
    """Action to `fine`, `look` or `undo`."""
    note: str = ""
    wrong: Mapping[str, str] = field(default_factory=dict)
    """Action to what is wrong; `form` for all of it."""


def show(visitor: Visitor) -> Answer:
    """The report, with the verdicts that were given so far."""
    return _page(visitor, _found(visitor), Filled())


def take(visitor: Visitor) -> Answer:
    """Take verdicts. Every one that is missing is asked for, unless the others are to be kept for now."""
    digest = _found(visitor, Access.REVIEWER)
    filled = _filled(visitor, digest)
    match visitor.form.get("decision"):
        case "read":
            open_ = [one for one in _theirs(visitor, digest) if one.action.key not in filled.verdicts]
            if open_:
                wrong = {one.action.key: "Say what you think of it." for one in open_}
                return _page(visitor, digest, Filled(filled.verdicts, filled.note, wrong), 422)
        case "keep":
            if not filled.verdicts:
                return _page(
                    visitor, digest, Filled({}, filled.note, {"form": "There is no verdict to keep yet."}), 422
                )
        case "look":
            text = "Nothing was decided: press one of the two buttons for that."
            return _page(visitor, digest, Filled(filled.verdicts, filled.note, {"form": text}), 422)
        case _:
            raise Refusal(400, "There is no such decision", "Nothing was done. Go back to the report.")
    seen = attention(visitor, digest.id)
    try:
        visitor.ladder.read(
            digest.id, filled.verdicts, by=visitor.person, looked=seen.looked, note=filled.note,
            shown=visitor.form.get("seen"),
        )  # fmt: skip
    except AnswerRefused as refused:
        wrong = {"form": f"{sentence(str(refused))} Nothing was taken."}
        return _page(visitor, _found(visitor), Filled(filled.verdicts, filled.note, wrong), 409)
    return Moved(f"/reports/{digest.id}")


def _filled(visitor: Visitor, digest: Digest) -> Filled:
    """The verdicts that a form brings, on what waits for one and this person may see."""
    words = {word for word, _ in VERDICTS}
    open_ = {one.action.key for one in _theirs(visitor, digest)}
    given = {key: verdict for key, verdict in visitor.form.starting("verdict-") if key in open_ and verdict in words}
    return Filled(given, visitor.form.get("note").strip())


def _theirs(visitor: Visitor, digest: Digest) -> list[Item]:
    """What waits for a verdict and isn't withheld from this person."""
    return [one for one in digest.items if one.verdict is None and not visitor.withheld(one.action.tool)]


def _found(visitor: Visitor, access: Access = Access.VIEWER) -> Digest:
    """The report that the address names, for somebody who may look at its agent's."""
    digest = visitor.ladder.digest(visitor.params["digest"])
    visitor.need(access, digest.agent)
    return digest


def _page(visitor: Visitor, digest: Digest, filled: Filled, status: int = 200) -> Answer:
    items = [(one, visitor.withheld(one.action.tool)) for one in digest.items]
    reads = _may_read(visitor, digest)
    may = digest.state == "unread" and reads and visitor.may(Access.REVIEWER, digest.agent)
    shown = [len(flag.text) for one in digest.items for flag in one.flags]
    view = view_of(
        visitor, digest.id, digest.hash, sum(shown) + sum(len(str(one.action.arguments)) for one, _ in items)
    )
    context = {
        "digest": digest, "items": items, "filled": filled, "wrong": filled.wrong, "may": may, "reads": reads,
        "now": visitor.ladder.clock(), "verdicts": VERDICTS, "to": f"/reports/{digest.id}", "loud": LOUD,
        "words": dict(VERDICTS), "flagged": sum(not one.picked for one in digest.items),
        "view": view.sealed(visitor), "before": looked_before(visitor),
        "withheld": sum(bool(labels) for _, labels in items),
    }  # fmt: skip
    return Shown("report.html", context, status)


def _may_read(visitor: Visitor, digest: Digest) -> bool:
    """Whether the policy names them among those who read it."""
    able = visitor.policy.able((*digest.readers, *digest.escalate_to))
    return any(same(name) == same(visitor.person.name) for name in able)


ENTRIES = (Entry("/reports/{digest}", show=show, take=take),)
