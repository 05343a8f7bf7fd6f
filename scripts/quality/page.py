"""Writes `docs/quality.md` from the figures that are kept in `docs/quality.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.trust_sim.page import wilson
from scripts.quality.figures import Figures

DOCS = Path(__file__).parents[2] / "docs"
FIGURES, PAGE = DOCS / "quality.json", DOCS / "quality.md"

TEXT = """\
# How well the tests hold

`make quality` runs the tests of `make test` under coverage.py, changes the logic in one place after the other and looks
whether a test notices, and counts the tests. It writes `build/quality.json`; this page is made by `make docs` from the
copy in `docs/quality.json`. {made}

## Mutation

A mutant is a file with one thing changed: a comparison, an `and`, a `not`, a sum, a number, a text, a condition, a
result that becomes `None`, a call or a `raise` left out; in SQL, a comparison, a conjunction, an order, a null or an
aggregate. Annotations, docstrings, f-strings and the texts of errors are left alone. Against each mutant run the tests
that run the changed line, one case of each first, until one fails. A test that fails shows something only if it passes
in the same place without the mutant. The mutants are drawn at random with a fixed seed; the interval is Wilson's, at
95 %.

{mutation}

*Hung* is a mutant under which the tests don't end; it counts as noticed. *Not run* is one on a line that no test runs;
it counts as unnoticed. So does one that is noticed only by tests that take longer than {patience:g} seconds together:
the score is a lower bound. *Equivalent* are survivors that somebody looked at and that change nothing that can be seen;
they are in no score, and stand with their reasons in `scripts/quality/equivalents.json`.

## Coverage

Counted is what runs in the test processes and in all Python processes that they start. The slow tests, those of the
pages in a browser, of servers, and the long forms aren't in it, and a process that a test kills takes its figures with
it, so these are a lower bound, too.

{coverage}

## Tests

A test function counts once and each of its cases once. A property is one case, however many examples Hypothesis draws
for it. All are counted here: those of `make test` and of `make slow`, of `make browser` and `make servers`, and the
long forms of `make faults`.

{tests}
{unnoticed}"""


def page(figures: Figures) -> str:
    """The page."""
    return TEXT.format(
        made=f"These were measured {figures['made']}.",
        mutation=mutation(figures),
        patience=figures["patience"],
        coverage=coverage(figures),
        tests=tests(figures),
        unnoticed=_unnoticed(figures["alive"]),
    )


def mutation(figures: Figures) -> str:
    """The table of mutants."""
    head = ("part", "mutants", "drawn", "killed", "hung", "survived", "not run", "equivalent", "score")
    rows = [[*(str(one[name]) for name in head[:-1]), _score(one)] for one in figures["mutation"]]
    return table(head, rows)


def _score(one: Figures) -> str:
    noticed, judged = one["killed"] + one["hung"], one["drawn"] - one["equivalent"]
    if not judged:
        return "-"
    low, high = wilson(noticed, judged)
    return f"{noticed / judged:.0%} ({low:.0%} to {high:.0%})"


def coverage(figures: Figures) -> str:
    """The table of what is run."""
    rows = [[one["package"], _share(one["lines"]), _share(one["branches"])] for one in figures["coverage"]]
    return table(("package", "lines", "branches"), rows)


def _share(of: Sequence[int]) -> str:
    return f"{of[0] / of[1]:.1%} of {of[1]:,}" if of[1] else "-"


def tests(figures: Figures) -> str:
    """The table of tests, with their sum."""
    names = ("functions", "cases", "properties")
    total = {"kind": "all", **{name: sum(one[name] for one in figures["tests"]) for name in names}}
    rows = [[one["kind"], *(f"{one[name]:,}" for name in names)] for one in (*figures["tests"], total)]
    return table(("kind", "functions", "cases", "of them properties"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; the first column is text, the others are numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def _unnoticed(names: Sequence[str]) -> str:
    if not names:
        return ""
    listed = "\n".join(f"- `{name.replace('`', chr(39))}`" for name in names)
    return f"\n## Mutants of this sample that nobody noticed\n\n{listed}\n"


def main() -> None:
    """Write it, where figures are kept."""
    if FIGURES.exists():
        PAGE.write_text(page(json.loads(FIGURES.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
