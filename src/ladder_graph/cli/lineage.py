"""The JSON of environments. As in `ladder_graph.cli.documents`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from ladder_graph.cli.aftermath import moment

if TYPE_CHECKING:
    from ladder_graph.fingerprint import Change
    from ladder_graph.ladder.carrying import Cost, Keep
    from ladder_graph.ladder.pins import Difference, Sighting, Span
    from ladder_graph.trust.standing import Standing


class SeenDocument(TypedDict):
    """When something was seen."""

    first: str
    last: str


class ChangeDocument(TypedDict):
    """One component that is another one."""

    component: str
    klass: str
    """A (another model or tool), B (other conditions) or C (from far; it lowers nothing)."""
    text: str


class StandsDocument(TypedDict):
    """Where a tool stands by what the environment is."""

    rung: str
    reasons: list[dict[str, str]]


class SightingDocument(TypedDict):
    """An environment: `ladder fingerprint --json`."""

    key: str
    components: dict[str, Any]
    """As in `ladder.lock`."""
    seen: SeenDocument | None
    """When calls came from it; null where none did so far."""
    granted: bool
    """The policy's rungs are granted to it."""
    beside: dict[str, dict[str, SeenDocument]]
    """What its answers bore that makes no other environment: name to values."""
    changes: list[ChangeDocument]
    """From the one that the rungs are granted to."""
    stands: dict[str, StandsDocument]
    """Tool to the highest rung that this environment leaves it."""


class FallenDocument(TypedDict):
    """Where a tool stands in the later environment under a grant for the earlier one."""

    tool: str
    granted: str
    stands: StandsDocument
    changes: list[ChangeDocument]


class DifferenceDocument(TypedDict):
    """What changed between two environments: `ladder fingerprint diff --json`."""

    before: SightingDocument
    after: SightingDocument
    tools: list[FallenDocument]
    prompt: list[str]
    """The lines of the system prompts' diff; empty where they are the same, or one wasn't kept."""
    hidden: list[dict[str, str]]
    """What changed in the later prompt where dates, times and ids are masked: `at` and `text`."""


class CarriedDocument(TypedDict):
    """A standing that was carried over: `ladder fingerprint carry --json`."""

    tool: str
    scope: str
    stood: str
    """Where it stood as what it was."""
    stands: str
    """Where it stands from its next call on."""


def carried(of: Cost, keep: Keep) -> CarriedDocument:
    """A standing that was carried over as JSON."""
    return {
        "tool": of.after.tool, "scope": of.after.scope, "stood": of.stood.rung.word, "stands": of.kept(keep).word,
    }  # fmt: skip


def sighting(of: Sighting) -> SightingDocument:
    """An environment as JSON."""
    return {
        "key": of.key, "components": of.environment.to_json(), "seen": None if of.seen is None else _seen(of.seen),
        "granted": of.granted,
        "beside": {name: {value: _seen(when) for value, when in found.items()} for name, found in of.beside.items()},
        "changes": [_change(one) for one in of.changes],
        "stands": {tool: _stands(one) for tool, one in of.stands.items()},
    }  # fmt: skip


def difference(of: Difference) -> DifferenceDocument:
    """A difference as JSON."""
    return {
        "before": sighting(of.before), "after": sighting(of.after),
        "tools": [
            {
                "tool": one.tool, "granted": one.granted.word, "stands": _stands(one.standing),
                "changes": [_change(change) for change in one.changes],
            }
            for one in of.tools
        ],
        "prompt": list(of.prompt), "hidden": [{"at": moment(at), "text": text} for at, text in of.hidden],
    }  # fmt: skip


def _seen(of: Span) -> SeenDocument:
    return {"first": moment(of.first), "last": moment(of.last)}


def _change(of: Change) -> ChangeDocument:
    return {"component": of.component, "klass": of.klass, "text": of.text}


def _stands(of: Standing) -> StandsDocument:
    return {"rung": of.rung.word, "reasons": [{"code": one.code, "text": one.text} for one in of.reasons]}
