"""What is simulated, with which seeds, and how often: each experiment gives figures for one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.trust_sim import money, scopes, years
from benchmarks.trust_sim.fold import day_of_promotion
from benchmarks.trust_sim.product import Setting, promotes, promotes_by_probes
from benchmarks.trust_sim.rivals import RIVALS
from benchmarks.trust_sim.worlds import Integers, Trace, World, draw
from ladder_graph.trust.deeds import Severity
from ladder_graph.trust.delay import EVER
from ladder_graph.trust.reviewers import ASSUMED

LIMIT = 0.01
OURS, BARE = "ladder-graph", "the e-value alone, no cap on a day"
CHANCES = (0.03, 0.02, LIMIT, 0.007, 0.005, 0.003, 0.001)
"""How often an agent is wrong: above the limit, at it, and below."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One cell of a table: how many of so many worlds were promoted, or what they cost on average."""

    table: str
    row: str
    column: str
    runs: int
    promoted: int = 0
    median: float | None = None
    """The median day of those that were; None where there are none."""
    mean: float | None = None
    """Dollars for a thousand actions."""
    error: float | None = None
    """The standard error of that."""
    bad: float | None = None
    """The share of days on which nobody is asked though asking is cheaper."""

    @property
    def as_json(self) -> dict[str, object]:
        """Without what it doesn't have."""
        return {name: value for name, value in asdict(self).items() if value is not None}


Runs = Callable[[int], int]
"""How often something is drawn, of how often usually."""


def everything(scale: float = 1.0) -> Iterator[Figure]:
    """All experiments.

    Args:
        scale: How many of the usual runs; a fraction for a quick look.
    """

    def runs(usual: int) -> int:
        return max(1, round(usual * scale))

    yield from peeking(runs)
    yield from volumes(runs)
    yield from alphas(runs)
    yield from people(runs)
    yield from clusters(runs)
    yield from dollars(runs)
    yield from changes(runs)
    yield from sharing(runs)
    yield from agreement(runs)


def _figure(table: str, row: str, column: str, days: list[Integers]) -> Figure:
    every = np.concatenate(days)
    promoted = every[every > 0]
    median = float(np.median(promoted)) if promoted.size else None
    return Figure(table, row, column, every.size, promoted.size, median)


def peeking(runs: Runs) -> Iterator[Figure]:
    """Who is promoted within a year of daily looks, by how often the agent is wrong."""
    for seed, chance in enumerate(CHANCES):
        world = World(chance)
        days: dict[str, list[Integers]] = {}
        for trace in draw(world, runs(10_000 if chance == LIMIT else 2_000), 100 + seed):
            found = {name: rule(trace) for name, rule in RIVALS.items()}
            found |= {BARE: promotes(trace, Setting(day_cap=False)), OURS: promotes(trace, Setting())}
            for name, each in found.items():
                days.setdefault(name, []).append(each)
        yield from (_figure("peeking", name, f"{chance:g}", each) for name, each in days.items())


def volumes(runs: Runs) -> Iterator[Figure]:
    """The same rule at other volumes."""
    for seed, rate in enumerate((5, 100)):
        for chance in (LIMIT, 0.003, 0.001):
            drawn = draw(World(chance, rate=rate), runs(2_000), 200 + seed)
            yield _figure("volumes", f"{rate} a day", f"{chance:g}", [promotes(trace, Setting()) for trace in drawn])


def alphas(runs: Runs) -> Iterator[Figure]:
    """The chance of a wrong promotion that is put up with, and what it costs in days."""
    for alpha in (0.20, 0.05, 0.01):
        for chance in (LIMIT, 0.003):
            drawn = draw(World(chance), runs(4_000 if chance == LIMIT else 2_000), 300)
            days = [promotes(trace, Setting(alpha=alpha)) for trace in drawn]
            yield _figure("alphas", f"alpha {alpha:g}", f"{chance:g}", days)


PEOPLE = {
    "who looks": World(LIMIT),
    "who doesn't": World(LIMIT, sensitivity=0.2, ever=0.5, median=14.0),
}
"""Reviewers: one who catches 80 %, and one who catches 20 % where only half of the rest is reported, and late."""


def people(runs: Runs) -> Iterator[Figure]:
    """Reviewers who look and who don't, with reports that come late, where the rule is told the truth and where not."""
    for seed, (reviewer, usual) in enumerate(PEOPLE.items()):
        for chance in (LIMIT, 0.003):
            world = World(chance, sensitivity=usual.sensitivity, ever=usual.ever, median=usual.median)
            days: dict[str, list[Integers]] = {}
            probing = np.random.default_rng(450 + seed)
            for trace in draw(world, runs(4_000 if chance == LIMIT else 2_000), 400 + seed):
                for name, each in _told(trace, probing).items():
                    days.setdefault(name, []).append(each)
            yield from (_figure("people", name, f"{reviewer}, {chance:g}", each) for name, each in days.items())


def _told(trace: Trace, probing: np.random.Generator) -> dict[str, Integers]:
    names = ("99 % of 50 or more right", "Beta(1,1), 95 %")
    return {name: RIVALS[name](trace) for name in names} | {
        f"{OURS}, told the truth": promotes(trace, Setting.true_of(trace.world)),
        f"{OURS}, told that the reviewer looks": promotes(trace, Setting()),
        f"{OURS}, told nothing": promotes(trace, Setting(ASSUMED, EVER, None)),
        f"{OURS}, with a probe a day": promotes_by_probes(trace, probing),
    }


def clusters(runs: Runs) -> Iterator[Figure]:
    """Mistakes that come together, at the limit: calls of one run, and bad days."""
    for calls in (5, 20):
        drawn = list(draw(World(LIMIT, rate=20 / calls, calls=calls), runs(2_000), 500 + calls))
        row = f"runs of {calls} calls, 20 calls a day"
        yield _figure("clusters", row, "plain", [promotes(trace.by_call, Setting(day_cap=False)) for trace in drawn])
        yield _figure("clusters", row, "product", [promotes(trace, Setting()) for trace in drawn])
    for correlated in (0.01, 0.05, 0.2):
        days: dict[str, list[Integers]] = {"plain": [], "product": []}
        for trace in draw(World(LIMIT, rate=100, clustered=correlated), runs(2_000), 550):
            days["plain"].append(promotes(trace, Setting(day_cap=False)))
            days["product"].append(promotes(trace, Setting()))
        row = f"days correlated by {correlated:g}, 100 a day"
        yield from (_figure("clusters", row, column, each) for column, each in days.items())


def dollars(runs: Runs) -> Iterator[Figure]:
    """What each rule costs in a year of an agent that stays as it is."""
    for seed, chance in enumerate((0.03, LIMIT, 0.003, 0.001, 0.0001)):
        for name, spent in _costs(years.year(World(chance), runs(1_000), 600 + seed)).items():
            yield _spent("dollars", name, f"{chance:g}", spent)


CHANGES = {
    "no change": years.Change(1e9, 1.0),
    "a change each 60 days": years.Change(60, 0.8),
    "the same, all silent": years.Change(60, 0.0),
}
"""How agents change of which nobody knows how often they are wrong."""


def changes(runs: Runs) -> Iterator[Figure]:
    """What each rule costs in a year of agents that change, and how long it trusts one that it shouldn't."""
    for column, change in CHANGES.items():
        happened = years.changing(World(0), change, runs(1_000), 650)
        forgets = _product(happened, Severity.MINOR, cells=False)
        for name, spent in {**_costs(happened), f"{OURS}, D0, blind to changes": forgets}.items():
            yield _spent("changes", name, column, spent)


def _costs(happened: years.Year) -> dict[str, years.Cost]:
    rows = happened.done.shape[0]
    always, never = years.cost(happened, money.same), years.cost(happened, money.same, asking=False)
    return {
        "always ask": always,
        "never ask": never,
        "whichever is cheaper, by an oracle": years.cost(
            happened, money.Oracle(happened), asking=happened.worth_asking(0)
        ),
        "99 % of the last 30 days": years.cost(happened, money.Rolling()),
        "50 right in a row": years.cost(happened, money.Streak(np.zeros(rows))),
        "score, +.01 and -.1, at .9": years.cost(happened, money.Walk(np.full(rows, 0.5))),
        f"{OURS}, mistakes are handled (D0)": _product(happened, Severity.MINOR),
        f"{OURS}, each mistake demotes (D1)": _product(happened, Severity.REAL),
    }


def _product(happened: years.Year, severity: Severity, *, cells: bool = True) -> years.Cost:
    rows, days = happened.done.shape
    return years.cost(happened, money.Product(rows, days, Setting(), severity, cells=cells))


def _spent(name: str, row: str, column: str, spent: years.Cost) -> Figure:
    error = float(spent.dollars.std() / np.sqrt(spent.dollars.size))
    mean, bad = float(spent.dollars.mean()), float(spent.bad.mean())
    return Figure(name, row, column, spent.dollars.size, mean=mean, error=error, bad=bad)


SHARING = {
    "pooled": "all scopes as one",
    "alone": "each by itself",
    "sibling": "bets by the others",
    "floor": "shared, with some of its own",
}
"""Ways to share evidence between scopes."""


def sharing(runs: Runs) -> Iterator[Figure]:
    """Eight scopes, the smallest 30 times as bad as the others, or just at the limit, or as good as they are."""
    for seed, (column, worse) in enumerate({"30 times worse": 30, "at the limit": 10, "all alike": 1}.items()):
        bad = scopes.SCOPES - 1
        drawn = list(scopes.scopes(bad, worse, runs(1_000), 700 + 10 * seed))
        for name, row in SHARING.items():
            days = np.concatenate([getattr(each, name) for each in drawn])
            yield _figure("sharing", row, f"{column}: smallest", [days[:, bad]])
            yield _figure("sharing", row, f"{column}: others", [np.delete(days, bad, axis=1).ravel()])


FOLDED = {
    "60 a day, wrong by .001": World(0.001, rate=60, days=60),
    "20 a day, wrong by .003": World(0.003, days=120),
    "a reviewer who doesn't look": World(0.003, sensitivity=0.2, ever=0.5, median=14.0, days=140),
    "bad days, at the limit": World(LIMIT, rate=30, clustered=0.05, days=60),
}


def agreement(runs: Runs) -> Iterator[Figure]:
    """Single worlds through the whole of the product: how many have the same day as in the tables."""
    for seed, (row, world) in enumerate([*FOLDED.items()][: runs(len(FOLDED))]):
        count, setting = runs(12), Setting.true_of(world)
        (trace,) = draw(world, count, 800 + seed)
        quick = promotes(trace, setting)
        same = sum(day_of_promotion(trace, n, setting) == quick[n] for n in range(count))
        yield Figure("agreement", row, "same day", count, int(same))
