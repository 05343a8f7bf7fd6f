"""What the statistics of trust cost: one e-value, over the records that cells really have."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.figures import Figure, interleaved, least_cpu
from ladder_graph.trust.evalue import evalue

RECORDS = [(k / 4, m / 2) for k in range(41) for m in range(1, 61)]
"""Up to ten mistakes, in quarters, and up to thirty that were to be expected."""
ROUNDS = 15


def _evalues() -> Callable[[], object]:
    def work() -> None:
        for k, m in RECORDS:
            evalue(k, m)

    return work


def measure() -> list[Figure]:
    """The CPU time of one e-value."""
    costs = interleaved({"evalue": _evalues()}, ROUNDS)["evalue"]
    note = f"mean over {len(RECORDS)} records of up to 10 mistakes"
    return [Figure("trust.evalue.cpu", least_cpu(costs, len(RECORDS)), "us_cpu", 20, note=note)]
