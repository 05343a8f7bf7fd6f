"""Entries of the ledger in words, with what somebody may not see left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ladder_graph.console.visitor import Visitor
from ladder_graph.scale import Rung
from ladder_graph.trust.deeds import Severity
from ladder_graph.wording import inert, show

if TYPE_CHECKING:
    from ladder_graph.ledger import Entry

LOUD = {
    "done": "ok", "approved": "ok", "acknowledged": "ok", "adopted": "ok", "promoted": "ok", "carried": "ok",
    "undone": "warn", "asked": "warn", "demoted": "stop", "environment": "warn", "policy": "warn", "undoing": "warn",
    "rolled_back": "warn", "forked": "warn", "sampled": "warn", "unknown": "stop", "undo_conflict": "stop",
    "undo_failed": "stop", "incident": "stop", "failed": "stop", "refused": "stop", "unanswerable": "stop",
    "declined": "stop", "expired": "stop", "rejected": "stop",
}  # fmt: skip
"""The kind of an entry to how its flag looks; quiet where nothing is said."""

_OPEN = frozenset({
    "pinned", "environment", "policy", "link_made", "signed_in", "signed_in_again", "signed_out", "promoted", "demoted",
    "sampled", "carried", "earns_again", "attested", "replayed", "provider_tools", "rehearsed", "probe",
})  # fmt: skip
"""Kinds about no single action that quote nothing of what a tool touches, except for the reason of a demotion, which is
about its tool."""

GIST = 240
"""Characters of an entry in a list."""
BODY = 20_000
"""Characters of an entry's JSON on a page; the export has all of it."""


@dataclass(frozen=True, slots=True)
class Told:
    """One entry."""

    entry: Entry
    loud: str
    withheld: tuple[str, ...]
    """The labels that it would take to see what it says."""
    gist: str
    """What it says, in a line; empty where that is withheld."""
    body: str
    """All that it says, as JSON."""
    cut: bool
    """The JSON is longer than what is shown."""


def told(visitor: Visitor, entry: Entry) -> Told:
    """An entry, as far as somebody may see it."""
    labels = withheld(visitor, entry)
    loud = LOUD.get(entry.kind, "quiet")
    if labels:
        return Told(entry, loud, labels, "", "", cut=False)
    text = show(entry.body) if entry.body else ""
    return Told(entry, loud, (), gist(entry), text[:BODY], cut=len(text) > BODY)


def withheld(visitor: Visitor, entry: Entry) -> tuple[str, ...]:
    """The labels that somebody would have to hold to see what an entry says, and doesn't.

    What is about no single tool, and of a kind that may quote any, takes all labels that the policy knows.
    """
    if entry.tool:
        return tuple(visitor.withheld(entry.tool))
    if entry.kind in _OPEN:
        return ()
    policy = visitor.policy
    return tuple(sorted({
        label for rule in policy.tools.values() for label in policy.withheld(rule, visitor.person.name)
    }))  # fmt: skip


def gist(entry: Entry) -> str:
    """What an entry says, in one line."""
    body = entry.body
    if not body:
        return "erased"
    parts = []
    if isinstance(body.get("arguments"), dict):
        parts.append(
            ", ".join(f"{inert(name)} = {_some(value)}" for name, value in list(body["arguments"].items())[:8])
        )
    if entry.kind in {"demoted", "promoted", "carried"}:
        parts.append(f"to {_rung(body.get('rung'))}")
    if entry.kind == "incident":
        parts.append(_severity(body.get("severity")))
    if body.get("by"):
        parts.append(f"by {body['by']}")
    parts += [str(body[key]) for key in ("text", "reason", "complaint") if body.get(key)]
    line = ": ".join(part for part in parts if part)
    return line if len(line) <= GIST else f"{line[:GIST]}…"


def _some(value: Any) -> str:
    text = show(value)
    return text if len(text) <= GIST else f"{text[:GIST]}…"


def _rung(value: Any) -> str:
    return str(Rung(value)) if type(value) is int and value in set(Rung) else "a rung that can't be read"


def _severity(value: Any) -> str:
    known = type(value) is int and value in set(Severity)
    return f"S{value} ({Severity(value).name.lower()})" if known else "of a severity that can't be read"
