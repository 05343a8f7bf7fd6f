"""What a cell holds beyond its start rung: what promotions gave it and demotions took, one event after the other.

The gate keeps the result of these steps in one row a cell; the same steps over the ledger's entries must give the same
row, which is how a standing is recomputed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ladder_graph.scale import Rung
from ladder_graph.trust.cells import EVERY, CellKey
from ladder_graph.trust.demotion import RECENT, Effect
from ladder_graph.trust.evidence import DAY


@dataclass(frozen=True, slots=True)
class Event:
    """A step up or down."""

    at_us: int
    kind: Literal["promoted", "demoted"]
    cell: CellKey
    """Whose; a demotion may be for all scopes and environments of a tool."""
    rung: Rung
    reason: str
    code: str = "manual"
    evidence: Effect = "keep"
    cooldown: int = 0
    """Days before it may go up again."""

    @property
    def body(self) -> dict[str, Any]:
        """What the ledger's entry says."""
        return {
            "tool": self.cell.tool, "scope": self.cell.scope, "env": self.cell.env, "rung": int(self.rung),
            "reason": self.reason, "code": self.code, "evidence": self.evidence, "cooldown": self.cooldown,
        }  # fmt: skip

    @classmethod
    def of(cls, agent: str, at_us: int, kind: Literal["promoted", "demoted"], body: Mapping[str, Any]) -> Event:
        """Read what `body` wrote."""
        cell = CellKey(agent, body["tool"], body.get("scope", EVERY), body.get("env", EVERY))
        return cls(
            at_us, kind, cell, Rung(body["rung"]), body.get("reason", ""), body.get("code", "manual"),
            body.get("evidence", "keep"), body.get("cooldown", 0),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """What a cell holds at a moment."""

    earned: Rung | None = None
    """The rung that it was promoted to; None where its start rung stands."""
    cap: Rung | None = None
    """The rung that it may not stand above; None where it was never demoted."""
    reason: str = ""
    """Why it may not."""
    code: str = ""
    since_us: int = 0
    """When it came to where it is; 0 for its start rung."""
    cooldown_us: int = 0
    """When it may go up again."""
    wiped_us: int = 0
    """What happened up to this moment doesn't count."""
    stale_us: int = 0
    """What happened up to this moment counts half."""
    demotions: tuple[int, ...] = ()
    """When it was demoted, the latest last; those within 90 days of the latest."""

    def after(self, event: Event) -> Held:
        """What is held after a step."""
        if event.kind == "promoted":
            cap = None if self.cap is None else event.rung
            return replace(self, earned=event.rung, cap=cap, reason="", code="", since_us=event.at_us)
        lower = self.cap is None or event.rung < self.cap
        earned = None if self.earned is None else min(self.earned, event.rung)
        since = [at for at in (*self.demotions, event.at_us) if at > event.at_us - RECENT * DAY]
        return Held(
            earned=earned,
            cap=event.rung if self.cap is None else min(self.cap, event.rung),
            reason=event.reason if lower else self.reason,
            code=event.code if lower else self.code,
            since_us=max(self.since_us, event.at_us),
            cooldown_us=max(self.cooldown_us, event.at_us + event.cooldown * DAY),
            wiped_us=max(self.wiped_us, event.at_us if event.evidence == "wipe" else 0),
            stale_us=max(self.stale_us, event.at_us if event.evidence == "half" else 0),
            demotions=tuple(sorted(since)),
        )

    def rung(self, start: Rung) -> Rung:
        """Where the cell stands, by what it holds.

        Args:
            start: Where it would stand without it.
        """
        rung = start if self.earned is None else max(start, self.earned)
        return rung if self.cap is None else min(rung, self.cap)

    def recent(self, now_us: int) -> int:
        """Demotions in the 90 days before a moment."""
        return sum(now_us - RECENT * DAY < at for at in self.demotions)


NOTHING = Held()
"""A cell that was neither promoted nor demoted."""


def rows(events: Iterable[Event]) -> dict[CellKey, Held]:
    """What each cell holds after events, in the order of the chain: the rows that the gate looks up.

    A step for all scopes or environments of a tool is taken by each cell that has a row, and has a row of its own, from
    which a cell begins that gets one later.
    """
    found: dict[CellKey, Held] = {}
    for event in events:
        took = step(found, event)
        found.update(took)
    return found


def step(found: Mapping[CellKey, Held], event: Event) -> dict[CellKey, Held]:
    """The rows that change by one event.

    Args:
        found: All rows of the event's tool.
        event: The step.
    """
    touched = {cell for cell in found if cell.within(event.cell)} | {event.cell}
    return {cell: found.get(cell, nearest(found, cell)).after(event) for cell in touched}


def nearest(found: Mapping[CellKey, Held], cell: CellKey) -> Held:
    """What a cell holds: its own row, or the one of all scopes or environments that is closest to it."""
    wider = (
        cell, cell._replace(scope=EVERY), cell._replace(env=EVERY), cell._replace(scope=EVERY, env=EVERY),
    )  # fmt: skip
    return next((found[one] for one in wider if one in found), NOTHING)
