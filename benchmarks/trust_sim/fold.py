"""Single worlds through the whole of the product: entries as in the ledger, folded, weighed and certified daily."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from operator import attrgetter

from benchmarks.trust_sim.product import TOOL, Setting, rule, trust
from benchmarks.trust_sim.worlds import NOON, Trace
from ladder_graph.scale import Rung
from ladder_graph.trust.case import Attested, Case
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.deeds import Deed, Happening, Severity, add
from ladder_graph.trust.delay import known_by
from ladder_graph.trust.evidence import DAY, Unit, units, weigh
from ladder_graph.trust.promotion import certify

CELL = CellKey("sim", TOOL, "", "environment")
EPOCH = 20_000
"""The day on which worlds begin, since 1970."""


def day_of_promotion(trace: Trace, row: int, setting: Setting) -> int:
    """The first day on which the product grants the next rung, from 1; 0 where it never does."""
    entries = sorted(_entries(trace, row), key=attrgetter("at_us"), reverse=True)
    deeds: defaultdict[str, Deed] = defaultdict(Deed)
    found: dict[str, Unit] = {}
    for day in range(1, trace.shape[1] + 1):
        now = (EPOCH + day) * DAY
        while entries and entries[-1].at_us <= now:
            entry = entries.pop()
            add(deeds[entry.action], entry)
            # Each call is a run of its own, so only that run can have changed.
            found.update((entry.action, one) for one in units([deeds[entry.action]], lambda _: setting.sensitivity))
        if _granted(found.values(), now, setting):
            return day
    return 0


def _granted(found: Iterable[Unit], now_us: int, setting: Setting) -> bool:
    weighed = weigh(
        found,
        now_us,
        lambda age, seen: known_by(age, seen, setting.delays, setting.ever),
        most_a_day=setting.most,
        single_pattern=True,
    )
    case = Case(
        CELL, Rung.CONFIRM, rule(setting.mistake), trust(setting.alpha, setting.minutes), setting.price, weighed,
        now_us,
        attested=Attested(bounds_us=now_us, audit_us=now_us),
    )  # fmt: skip
    return certify(case).granted


def _entries(trace: Trace, row: int) -> Iterator[Happening]:
    """What the ledger would hold of one world, the call of each run in a thread of its own."""
    mine = trace.row == row
    wrong: defaultdict[int, list[float]] = defaultdict(list)
    for day, delay in zip(trace.day[mine], trace.delay[mine], strict=True):
        wrong[int(day)].append(float(delay))
    for day, runs in enumerate(trace.done[row].tolist()):
        delays = [*wrong[day], *[None] * (runs - len(wrong[day]))]
        for number, delay in enumerate(delays):
            yield from _run(f"{day}.{number}", int((EPOCH + day + NOON) * DAY), delay)


def _run(name: str, at_us: int, delay: float | None) -> Iterator[Happening]:
    def told(kind: str, **body: object) -> Happening:
        return Happening(CELL.agent, at_us, kind, name, body)

    yield told(
        "asked", digest=name, tool=TOOL, arguments={"order": name}, env=CELL.env, thread=name, rung=int(Rung.CONFIRM)
    )
    if delay == 0:
        yield told("declined", by="ana")
        return
    yield told("approved", by="ana", looked=60)
    yield told("done")
    if delay is not None:
        said = {"class": "wrong", "severity": int(Severity.REAL), "anticipated": True, "closed": True}
        yield told("incident", **said)._replace(at_us=at_us + int(delay * DAY))
