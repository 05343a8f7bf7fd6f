"""Writes `docs/trust-sim.md` from stored figures: the tables, each with its interval and what was expected."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmarks.trust_sim.expected import MEANS, MEDIANS, SHARES, Key, key
from benchmarks.trust_sim.experiments import CHANCES, FOLDED, OURS, PEOPLE, SHARING, Figure

Z = 1.96
"""Standard deviations of a 95 % interval."""


def wilson(promoted: int, runs: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927).

    Example:
        >>> tuple(round(end, 3) for end in wilson(0, 100))
        (0.0, 0.037)
    """
    share, squared = promoted / runs, Z * Z / runs
    middle = (share + squared / 2) / (1 + squared)
    half = Z / (1 + squared) * math.sqrt(share * (1 - share) / runs + squared / 4 / runs)
    return max(0.0, middle - half), min(1.0, middle + half)


class Figures:
    """All figures, by table, row and column."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        self.by_key = {key(one): one for one in figures}

    def rows(self, table: str) -> list[str]:
        """The rows of a table, in the order in which they were simulated."""
        return list(dict.fromkeys(row for name, row, _ in self.by_key if name == table))

    def columns(self, table: str) -> list[str]:
        """Its columns, in the same way."""
        return list(dict.fromkeys(column for name, _, column in self.by_key if name == table))

    def share(self, table: str, row: str, column: str) -> str:
        """The share that is promoted, with its interval."""
        one = self.by_key[table, row, column]
        low, high = wilson(one.promoted, one.runs)
        return f"{one.promoted / one.runs:.3f} ({low:.3f} to {high:.3f})"

    def bare(self, table: str, row: str, column: str) -> str:
        """The share that is promoted."""
        one = self.by_key[table, row, column]
        return f"{one.promoted / one.runs:.3f}"

    def day(self, table: str, row: str, column: str) -> str:
        """The median day; a dash where fewer than half are promoted."""
        one = self.by_key[table, row, column]
        return f"{one.median:g}" if one.median is not None and 2 * one.promoted >= one.runs else "-"

    def money(self, table: str, row: str, column: str) -> str:
        """Dollars, with twice the standard error."""
        one = self.by_key[table, row, column]
        return f"{one.mean:.0f} ± {Z * (one.error or 0):.0f}"


def _expected(found: Mapping[Key, float], table: str, row: str, column: str, digits: int = 3) -> str:
    value = found.get((table, row, column))
    return "" if value is None else f"{value:.{digits}f}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(figures: Iterable[Figure]) -> str:
    """The whole page as it should stand in `docs/trust-sim.md`."""
    found = Figures(figures)
    parts: dict[str, Callable[[Figures], str]] = {
        "limit": _limit, "chances": _chances, "volumes": _volumes, "alphas": _alphas, "people": _people,
        "clusters": _clusters, "dollars": _dollars, "changes": _changes, "sharing": _sharing, "agreement": _agreement,
    }  # fmt: skip
    return TEXT.format(**{name: part(found) for name, part in parts.items()})


def _limit(found: Figures) -> str:
    heads = ("rule", "wrongly promoted", "expected", "day at p = .003", "expected", "day at p = .001", "expected")
    return table(heads, (
        (
            _bold(row), _bold(found.share("peeking", row, "0.01"), row), _expected(SHARES, "peeking", row, "0.01"),
            found.day("peeking", row, "0.003"), _expected(MEDIANS, "peeking", row, "0.003", digits=0),
            found.day("peeking", row, "0.001"), _expected(MEDIANS, "peeking", row, "0.001", digits=0),
        )
        for row in found.rows("peeking")
    ))  # fmt: skip


def _bold(text: str, row: str | None = None) -> str:
    return f"**{text}**" if (row or text) == OURS else text


def _chances(found: Figures) -> str:
    columns = [f"{chance:g}" for chance in CHANCES]
    return table(("rule", *columns), (
        (_bold(row), *(found.bare("peeking", row, column) for column in columns)) for row in found.rows("peeking")
    ))  # fmt: skip


def _volumes(found: Figures) -> str:
    return _days(found, "volumes", "volume", ("0.003", "0.001"))


def _alphas(found: Figures) -> str:
    return _days(found, "alphas", "chance that is put up with", ("0.003",))


def _days(found: Figures, name: str, head: str, columns: tuple[str, ...]) -> str:
    heads = [head, "wrongly promoted", "expected"]
    for column in columns:
        heads += [f"day at p = {column.lstrip('0')}", "expected"]
    rows = []
    for row in found.rows(name):
        cells = [row, found.share(name, row, "0.01"), _expected(SHARES, name, row, "0.01")]
        for column in columns:
            cells += [found.day(name, row, column), _expected(MEDIANS, name, row, column, digits=0)]
        rows.append(cells)
    return table(heads, rows)


def _people(found: Figures) -> str:
    heads = ["rule"]
    for reviewer in PEOPLE:
        heads += [f"a reviewer {reviewer}: wrongly promoted", "expected", "day at p = .003"]
    rows = []
    for row in found.rows("people"):
        cells = [row]
        for reviewer in PEOPLE:
            at = f"{reviewer}, 0.01"
            cells += [found.share("people", row, at), _expected(SHARES, "people", row, at)]
            cells.append(found.day("people", row, f"{reviewer}, 0.003"))
        rows.append(cells)
    return table(heads, rows)


def _clusters(found: Figures) -> str:
    return table(("mistakes", "each call counts, no cap", "expected", OURS, "expected"), (
        (
            row, found.share("clusters", row, "plain"), _expected(SHARES, "clusters", row, "plain"),
            found.share("clusters", row, "product"), _expected(SHARES, "clusters", row, "product"),
        )
        for row in found.rows("clusters")
    ))  # fmt: skip


def _dollars(found: Figures) -> str:
    columns = found.columns("dollars")
    rows = ((row, *(_spent(found, "dollars", row, column) for column in columns)) for row in found.rows("dollars"))
    return table(("rule", *(f"p = {column}" for column in columns)), rows)


def _spent(found: Figures, name: str, row: str, column: str) -> str:
    expected = _expected(MEANS, name, row, column, digits=0)
    return found.money(name, row, column) + (f" [{expected}]" if expected else "")


def _changes(found: Figures) -> str:
    def cell(row: str, column: str) -> str:
        one = found.by_key.get(("changes", row, column))
        return f"{_spent(found, 'changes', row, column)}; {one.bad or 0:.2%}" if one else ""

    columns = found.columns("changes")
    return table(
        ("rule", *columns), ((row, *(cell(row, column) for column in columns)) for row in found.rows("changes"))
    )


def _sharing(found: Figures) -> str:
    heads = (
        "evidence", "bad scope promoted, 30 times worse", "expected", "bad scope promoted, at the limit",
        "good scopes promoted", "their median day", "the smallest scope's, where all are alike",
    )  # fmt: skip
    return table(heads, (
        (
            row, found.share("sharing", row, "30 times worse: smallest"),
            _expected(SHARES, "sharing", row, "30 times worse: smallest"),
            found.share("sharing", row, "at the limit: smallest"), found.bare("sharing", row, "30 times worse: others"),
            found.day("sharing", row, "30 times worse: others"), found.day("sharing", row, "all alike: smallest"),
        )
        for row in SHARING.values()
    ))  # fmt: skip


def _agreement(found: Figures) -> str:
    rows = ((row, found.by_key["agreement", row, "same day"]) for row in FOLDED)
    return table(("worlds", "on the same day"), ((row, f"{one.promoted} of {one.runs}") for row, one in rows))


TEXT = """\
# How trust is earned, simulated

This page is written by `make trust-sim`, from fixed seeds. What the product decides is asked of the product's own
functions: what an action counts, when the e-value is enough, what a day may give, how long it takes, what demotes. Only
the worlds are drawn, and added up, by NumPy. The last table holds that against whole runs through the fold of the
ledger's entries and through `certify`.

An agent makes 20 calls a day. Each is wrong with the chance p. The reviewer catches 80 % of what is wrong at once; of
the rest 90 % is reported, after four days in the median (lognormal, 89.5 % within 14 days), and 10 % never. Asking
costs $2 and a mistake $200, so the limit p\\* is 1 %. Each rule is looked at every day for a year. Intervals are those
of the simulation, at 95 %. *Expected* is what an earlier simulation by other code found, by which the rules were
chosen; it has no figure where the product is stricter than what was simulated then.

![False promotions of each rule at the limit, and what each rule costs](trust-sim.svg)

## An agent at the limit, looked at every day

What is promoted at p = p\\*, or above, is promoted wrongly. The product promises at most 5 %.

{limit}

The row before the last is the statistic without the cap that a single day has. The same for other p, as the share that
is promoted within a year:

{chances}

### More and fewer calls

{volumes}

### A larger and a smaller promise

{alphas}

## A reviewer who doesn't look

One reviewer catches 80 %, as above. The other catches 20 %; of the rest only half is reported, after 14 days in the
median. How much a rule knows of that decides. Where it is *told nothing* the product assumes that half is caught and
that 70 % of the rest is reported within 14 days.

{people}

Told the truth, the product keeps its promise. Told that somebody looks who doesn't, no statistic can keep one: so
sensitivity is measured, by calls that are known to be wrong among the questions. One a day shows that these approvals
are no evidence, and nothing is promoted on them. **Without probes an assumption stands in their place, and the promise
is only as good as it is.**

## Mistakes that come together

At the limit again. The unit of evidence is the run, and one day gives at most a twentieth of what is needed.

{clusters}

Where mistakes come as whole bad days (correlated by .2), counting can't keep the promise; demotion has to.

## What it costs

Dollars for 1000 actions, over a year that begins with asking; in brackets what was expected.

{dollars}

A rule that forgets after 30 days is nearly as cheap as an oracle here, where reports are prompt and losses are capped.
The certificate costs more, and what is bought with it stands above: it doesn't promote the agent at the limit. Where
each mistake demotes (D1), asking lasts long after it: the agent waits, each time twice as long.

## An agent that changes

Agents of which nobody knows how often they are wrong: between p = .0001 and p = .1, evenly in logarithms. Each changes
every 60 days on average; one change in four makes quite another agent of it, the others shift it by a third or so. Four
in five show in the fingerprint. Dollars for 1000 actions; then the share of days on which nobody is asked though the
agent is so often wrong that asking is cheaper (p above 1.25 %).

{changes}

In dollars a rule that forgets is cheaper still. What the certificate buys is that hardly a day is left to a bad agent.
Of that the fingerprint has the larger part where mistakes don't demote: compare the row that is blind to changes.

## Scopes

200 calls a day in eight scopes, 104 of them in the largest and 5 in the smallest; the good ones are wrong with
p = .001. The smallest one is 30 times as bad, or just at the limit.

{sharing}

*Bets by the others* is `pooling = "sibling"`, the default. *Shared, with some of its own* is `pooling = "floor"`: it is
quick, it stops a scope that is much worse, and it is no certificate for a scope that is just at the limit.

## The same, through the whole product

Worlds whose calls were written as entries, folded into deeds, weighed and certified each day, and promoted on the very
day that the tables have:

{agreement}
"""
