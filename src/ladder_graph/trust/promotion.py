"""Whether a cell may go up one rung: a certificate with every number, every gate, and what is still missing.

The machine recommends, and a named person signs. A promotion widens a bound; it never lifts the gate.

The statistic is an e-value (`evalue`): at a cell that errs more often than p*, the chance that it ever reaches 1/alpha
is at most alpha, however often anybody looks. What is counted stands in `evidence`, and p* in `cost`.
"""

from __future__ import annotations

import math
from dataclasses import replace

from ladder_graph.scale import Rung
from ladder_graph.trust.case import Case, Certificate
from ladder_graph.trust.cost import Price
from ladder_graph.trust.evalue import FARTHEST, bet, evalue, needed, upper, warm
from ladder_graph.trust.evidence import SHARE_OF_A_DAY
from ladder_graph.trust.gates import gates


def most_a_day(price: Price, alpha: float) -> float:
    """Effective runs that one day may give: a twentieth of what is needed without a mistake."""
    return SHARE_OF_A_DAY * needed(0, alpha) / price.limit if price.limit else math.inf


def certify(case: Case) -> Certificate:
    """Weigh a case: every number and every condition.

    Args:
        case: The case.

    Raises:
        ValueError: It stands on the highest rung.
    """
    if case.rung is Rung.REPORT:
        raise ValueError("there is no rung above report")
    alpha, limit, found = case.trust.alpha_to(case.to), case.price.limit, case.evidence
    rho = _rho(case, limit)
    e = (warm(found.k, limit * found.n_eff, rho) if rho < 1 else evalue(found.k, limit * found.n_eff)) if limit else 0.0
    wanted = needed(found.k, alpha, rho) / limit if limit else math.inf
    bound = upper(found.k, found.n_eff, alpha, rho)
    mode = _mode(case)
    made = Certificate(
        case.cell, case.rung, case.to, case.now_us, mode, found, case.price, alpha, limit, e, wanted, bound
    )  # fmt: skip
    return replace(made, gates=tuple(gates(case, made)))


def _rho(case: Case, limit: float) -> float:
    """The bet that an earlier record suggests; 1 where there is none, or it is no better than none."""
    before = case.earlier
    if before is None or not (limit and before.n_eff):
        return 1.0
    rho = bet(before.k, limit * before.n_eff)
    return rho if rho <= FARTHEST else 1.0


def _mode(case: Case) -> str:
    if case.to <= Rung.BOUNDED and case.trust.mode == "expected_loss" and case.rule.mistake is not None:
        return "expected_loss"
    return "pooled" if case.pooled is not None and case.to <= Rung.BOUNDED else "certificate"
