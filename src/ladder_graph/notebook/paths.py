"""How a tool came to its next rung, day by day: what it had shown by then, against what is needed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from ladder_graph.errors import LadderError
from ladder_graph.ladder import Ladder
from ladder_graph.ledger.actions.questions import micros, moment
from ladder_graph.ledger.evidence.happenings import happenings
from ladder_graph.trust.case import Certificate
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.deeds import Happening
from ladder_graph.trust.evidence import DAY
from ladder_graph.trust.findings import Findings
from ladder_graph.trust.fold import Fold


@dataclass(frozen=True, slots=True)
class Look:
    """What was known at the end of one day."""

    at: dt.datetime
    e: float
    """The e-value: evidence that the tool errs less often than it may."""
    wanted: float
    """1/alpha, which it has to reach."""
    n_eff: float
    """The effective number of runs."""
    k: float
    """The loss that was seen, in whole mistakes."""
    upper: float
    """The bound that the mean loss stays below."""
    limit: float
    """p*, the mean loss below which the next rung is cheaper."""
    granted: bool
    """Every condition held, so that a person might have signed."""


def path(ladder: Ladder, tool: str, *, scope: str = "", agent: str | None = None) -> list[Look]:
    """How a tool came to its next rung, worked out anew from the ledger for the end of each day.

    It is the cell that the tool acted in last; the policy is that of today, and an environment that was pinned
    counts from the beginning.

    Args:
        ladder: Whose ledger.
        tool: The tool.
        scope: Its scope, where it has any.
        agent: Whose, where it isn't the policy's agent's.

    Raises:
        LadderError: The tool hasn't run yet.
    """
    whose, now = agent or ladder.refresh().agent, micros(ladder.clock())
    entries = ladder.store.scan(lambda connection: list(happenings(connection, whose)))
    fold = Fold(whose)
    looks, cell = list[Look](), _cell_of(ladder, whose, tool, scope)
    days = _days(entries, now)
    for entry in entries:
        while days and entry.at_us > days[0]:
            looks += _look(fold, ladder, cell, days.pop(0))
        fold.take(entry)
    return [*looks, *(one for day in days for one in _look(fold, ladder, cell, day))]


def _cell_of(ladder: Ladder, agent: str, tool: str, scope: str) -> CellKey:
    found = [one.cell for one in ladder.trust(tool, agent=agent) if one.cell.scope == scope]
    current = [one.cell for one in ladder.trust(tool, agent=agent) if one.cell.scope == scope and one.current]
    if not found:
        where = f" in scope {scope!r}" if scope else ""
        raise LadderError(
            f"{tool} of {agent} hasn't run{where} yet, so there is no path; ladder.status() lists its tools"
        )
    return (current or found)[-1]


def _days(entries: list[Happening], now: int) -> list[int]:
    """The end of each day from the first entry on, and the present moment."""
    first = entries[0].at_us // DAY if entries else now // DAY
    return [*(day * DAY for day in range(first + 1, now // DAY + 1)), now]


def _look(fold: Fold, ladder: Ladder, cell: CellKey, at_us: int) -> list[Look]:
    made = Findings(fold, ladder.policy, at_us).certificate(cell)
    return [] if made is None else [look(made)]


def look(made: Certificate) -> Look:
    """What one certificate says.

    Args:
        made: The certificate.
    """
    found = made.evidence
    return Look(moment(made.at_us), made.e, 1 / made.alpha, found.n_eff, found.k, made.upper, made.limit, made.granted)
