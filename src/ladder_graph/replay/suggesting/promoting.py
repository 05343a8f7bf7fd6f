"""Whether the runs inside bounds would be enough for a promotion to bounded, by the same statistic as in `trust`."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from ladder_graph.policy import Rule
from ladder_graph.policy.trusting import Trust
from ladder_graph.replay.suggesting.figures import outcome
from ladder_graph.replay.suggesting.trials import Sheet
from ladder_graph.scale import Rung
from ladder_graph.trust.cost import price
from ladder_graph.trust.evalue import needed
from ladder_graph.trust.promotion import most_a_day


@dataclass(frozen=True, slots=True)
class Evidence:
    """How far the runs inside bounds go towards a promotion from confirm to bounded."""

    n_eff: float
    """Effective runs. Where their times are known, no day gives more than a twentieth of what is needed."""
    loss: float
    """Those of them that went wrong."""
    limit: float | None
    """p*: the share of runs that may go wrong; None where nobody says what a wrong call costs."""
    needed: float | None
    """Effective runs that it takes at this loss; infinite where there is nothing to gain."""
    span: int | None
    """Days from the first run to the last; None where the times aren't known."""
    active: int | None
    """Days on which there was a run."""
    missing: tuple[str, ...]
    """What is missing, in words."""

    @property
    def enough(self) -> bool:
        """Whether nothing is missing. What counts for a promotion stands in the ledger all the same."""
        return not self.missing


def evidence(sheet: Sheet, bits: int, rule: Rule, trust: Trust) -> Evidence:
    """Weigh the runs inside bounds.

    Args:
        sheet: What was seen in the half of the tasks that the bounds weren't chosen on.
        bits: The bounds, all of which must hold.
        rule: The tool's rule.
        trust: What it takes to go up.
    """
    days: Counter[int | None] = Counter()
    failed: Counter[int | None] = Counter()
    for (day, pattern), count in sheet.runs.items():
        judged, went_wrong = outcome(pattern, bits)
        days[day] += count * judged
        failed[day] += count * went_wrong
    days = +days
    alpha = trust.alpha_to(Rung.BOUNDED)
    cost = price(Rung.CONFIRM, rule, trust)
    limit = cost.limit if rule.mistake is not None or rule.read_only else None
    timed = bool(days) and None not in days
    most = most_a_day(cost, alpha) if timed and limit else math.inf
    thin = {day: min(1.0, most / runs) for day, runs in days.items()}
    n_eff = sum(runs * thin[day] for day, runs in days.items())
    loss = sum(count * thin[day] for day, count in failed.items() if count)
    wanted = None if limit is None else needed(loss, alpha) / limit if limit else math.inf
    known = [day for day in days if day is not None]
    span = max(known) - min(known) + 1 if timed else None
    made = Evidence(n_eff, loss, limit, wanted, span, len(days) if timed else None, ())
    return Evidence(made.n_eff, loss, limit, wanted, span, made.active, tuple(_missing(made, rule, trust)))


def _missing(found: Evidence, rule: Rule, trust: Trust) -> list[str]:
    missing = []
    if rule.ceiling < Rung.BOUNDED:
        missing.append(f"the policy allows {rule.ceiling} at most")
    if found.needed is None:
        missing.append("nobody says what a wrong call costs: the rule needs `mistake`")
    elif found.needed == math.inf:
        missing.append("asking less would save nothing")
    elif found.n_eff < found.needed:
        missing.append(f"{_plain(found.n_eff)} runs of the {math.ceil(found.needed):,} that it takes")
    if found.span is None or found.active is None:
        missing.append("no times: days can't be counted")
        return missing
    if found.span < trust.least_days:
        missing.append(f"{_days(found.span)}, of {trust.least_days}")
    if found.active < trust.active_days:
        missing.append(f"runs on {_days(found.active)}, of {trust.active_days}")
    return missing


def _days(count: int) -> str:
    return f"{count:,} day{'' if count == 1 else 's'}"


def _plain(runs: float) -> str:
    return f"{runs:,.1f}".removesuffix(".0")
