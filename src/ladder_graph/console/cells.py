"""A cell of the ladder as the pages show it: where it really stands, and how much of the next rung is earned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ladder_graph.console.addresses import segment
from ladder_graph.console.visitor import Visitor
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.policy.console import Access
from ladder_graph.scale import Rung
from ladder_graph.trust.evidence import DAY

if TYPE_CHECKING:
    from ladder_graph.ladder.assessing import Assessed, Assessment
    from ladder_graph.ladder.desk import Cell

NOTES = {
    "demoted": "lowered", "model_changed": "changed", "tool_changed": "changed", "prompt_changed": "changed",
    "parameters_changed": "changed", "toolset_changed": "changed", "middleware_changed": "changed",
    "graph_changed": "changed", "data_changed": "changed", "reports_overdue": "report unread", "no_undo": "no undo",
    "not_mounted": "not mounted", "not_rehearsed": "not rehearsed", "no_watcher": "no watcher",
    "no_bounds": "no bounds", "no_reader": "no reader", "no_check": "no check", "already_firing": "alert",
    "environment_unknown": "unknown", "model_unreported": "unknown", "dynamic_prompt": "prompt moves",
    "nowhere_to_wait": "can't wait",
}  # fmt: skip
"""The code of a reason to what is said of it in two words."""

_STOP = frozenset({"demoted", "reports_overdue", "already_firing"})
"""Reasons that somebody should see first."""


_LEAVES = {
    **dict.fromkeys(("prompt_changed", "parameters_changed", "toolset_changed", "middleware_changed", "graph_changed",
                     "data_changed", "model_unreported", "dynamic_prompt", "no_undo", "no_check", "not_rehearsed",
                     "undo_not_portable", "undo_too_short"), Rung.BOUNDED),
    **dict.fromkeys(("no_reader", "reports_overdue"), Rung.ROLLBACK),
}  # fmt: skip
"""The code of a reason to the rung that it leaves; what isn't here may be what holds a cell wherever it is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One condition for going up."""

    code: str
    name: str
    met: bool
    text: str
    when_us: int | None
    have: float | None = None
    want: float | None = None
    """What there must be; None where that is no number."""

    @property
    def counted(self) -> str:
        """Both numbers, in words."""
        return "" if self.have is None or self.want is None else f"{_number(self.have)} of {_number(self.want)}"


@dataclass(frozen=True, slots=True)
class Placed:
    """One cell."""

    cell: Cell
    known: Assessment | None
    """What is known of it; None where it has not acted as it is now."""
    ceiling: Rung
    at: dt.datetime | None = None
    """When that was worked out."""

    @property
    def path(self) -> str:
        """The address of its page, without its scope."""
        return path_of(self.cell.agent, self.cell.tool)

    @property
    def stands(self) -> Rung:
        """Where it really stands."""
        return self.cell.route.rung

    @property
    def part(self) -> float:
        """How much of the evidence for the next rung there is, from 0 to 1; 0 where it stands lower than it may."""
        made = None if self.known is None else self.known.certificate
        if made is None or made.rung != self.stands or not 0 < made.needed < float("inf"):
            return 0.0
        return 1.0 if made.granted else min(0.95, made.evidence.n_eff / made.needed)

    @property
    def note(self) -> tuple[str, str]:
        """What is to know of it at a glance: how loud, and the words."""
        reasons, made = self.cell.route.reasons, None if self.known is None else self.known.certificate
        if reasons:
            holding = (one for one in reasons if _LEAVES.get(one.code, Rung.SUGGEST) <= self.stands)
            first = next(holding, reasons[0])
            return "stop" if first.code in _STOP else "warn", NOTES.get(first.code, "held back")
        if self.stands is Rung.REPORT:
            return "quiet", "top"
        if self.stands >= self.ceiling:
            return "quiet", "ceiling"
        if made is None:
            return "quiet", "no call yet"
        if made.granted:
            return "ok", "may go up"
        if not 0 < made.needed < float("inf"):
            return "quiet", f"{made.evidence.runs} runs"
        return "quiet", f"{_number(made.evidence.n_eff)} of {_number(made.needed)}"


def path_of(agent: str, tool: str) -> str:
    """The address of the page of an agent's tool."""
    return f"/ladder/{segment(agent)}/{segment(tool)}"


def placed(visitor: Visitor, agent: str | None = None, tool: str | None = None) -> list[Placed]:
    """The cells that somebody may see, of all agents or of one, and of all its tools or of one."""
    ladder, policy = visitor.ladder, visitor.policy
    seen = [
        cell for cell in ladder.status()
        if agent in {None, cell.agent} and tool in {None, cell.tool} and visitor.may(Access.VIEWER, cell.agent)
    ]  # fmt: skip
    known = {
        one.known.cell[:3]: one for name in {cell.agent for cell in seen} for one in ladder.known(name)
        if one.known.current
    }  # fmt: skip
    return [_placed(cell, known.get((cell.agent, cell.tool, cell.scope)), policy.rule(cell.tool).ceiling)
            for cell in seen]  # fmt: skip


def _placed(cell: Cell, one: Assessed | None, ceiling: Rung) -> Placed:
    return Placed(cell, None, ceiling) if one is None else Placed(cell, one.known, ceiling, one.at)


NAMES = {
    "gain": "Saves people time", "certificate": "Runs that count", "expected_loss": "Expected loss",
    "days": "Days on this rung", "active_days": "Days on which it acted", "cooldown": "Wait after a fall",
    "judged_again": "Judged again", "pending": "Mistakes that may still come out", "incidents": "Open incidents",
    "reviewers": "Whoever approves looks", "variety": "Variety of calls", "environment": "What proposes its calls",
    "scope": "Scope", "ceiling": "Ceiling", "bounded_loss": "What a mistake costs",
    "mistakes_named": "Mistakes that are expected", "budget": "Loss budget", "bounds_tested": "Bounds tried out",
    "audit": "Ledger read back", "undo_drilled": "Undo rehearsed", "reports_read": "Reports read in time",
}  # fmt: skip
"""The code of a condition to its name."""


def conditions(visitor: Visitor, found: Placed) -> Iterator[Row]:
    """Every condition for the next rung, with its numbers where it has any."""
    known = found.known
    made = None if known is None else known.certificate
    if known is None or made is None:
        return
    trust, now = visitor.policy.trust, micros(visitor.ladder.clock())
    since = max(known.held.counted_us, made.evidence.first_us or now)
    numbers = {
        "days": (float((now - since) // DAY), float(trust.least_days)),
        "active_days": (float(made.evidence.active_days), float(trust.active_days)),
    }
    if made.mode == "certificate" and made.needed < float("inf"):
        numbers["certificate"] = (made.evidence.n_eff, made.needed)
    for gate in made.gates:
        have, want = numbers.get(gate.code, (None, None))
        yield Row(gate.code, NAMES.get(gate.code, gate.code), gate.met, gate.text, gate.when_us, have, want)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"  # noqa: PLR2004  # two digits do
