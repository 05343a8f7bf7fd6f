"""`ladder replay`: what policies would have made of recorded runs. Nothing runs, and nothing is changed."""

from __future__ import annotations

import json as writing
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.options import Json
from ladder_graph.cli.place import find_project, place_of
from ladder_graph.cli.recorded import At, Form, Traces, moment_of, once, watching, without_runs
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ladder_graph.replay import Judged, Run
    from ladder_graph.replay.comparing import Comparison
    from ladder_graph.replay.holding import Seen
    from ladder_graph.replay.report import Findings


def replay(
    ctx: typer.Context,
    traces: Traces,
    *,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|FOLDER",
            help="A policy, or a folder with SUITE.toml for each suite. Repeatable; the first is compared with.",
            show_default=False,
        ),
    ] = None,
    references: Annotated[
        bool, typer.Option("--references", help="Add policies to compare with, from nothing gated to everything asked.")
    ] = False,
    at: At = None,
    form: Form = "",
    examples: Annotated[int, typer.Option(min=0, help="Calls to show of each difference between two policies.")] = 1,
    minutes: Annotated[float, typer.Option(help="What an answer is taken to cost people.")] = 0.5,
    catches: Annotated[
        float, typer.Option(help="The share of what must not run that whoever is asked is taken to decline.")
    ] = 0.8,
    calls: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write each call with its decisions there, in JSON.", show_default=False),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            metavar="LEDGER",
            help="Hold the calls against this ledger, by the first policy: a file or a URL.",
            show_default=False,
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there as one page, too.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Tell what policies would have asked and let run, on recorded runs of agents.

    Nothing runs, and nothing is changed. Exit code 1 where something of the traces can't be used, which is told on
    standard error while the rest counts, or where a comparison finds a call that ran past the gate.
    """
    from ladder_graph.replay.candidates import candidates
    from ladder_graph.replay.holding import held
    from ladder_graph.replay.pareto import Reviewer
    from ladder_graph.replay.report.findings import findings

    find_project()
    if html is not None:
        from ladder_graph.replay.report.page import templates

        templates()  # what is missing for the page is said before hours of reading
        if not html.parent.is_dir():
            raise LadderError(f"--html {html}: there is no folder {html.parent}")
    reviewer, moment = Reviewer(minutes, catches), moment_of(at)
    found = candidates(policy or [_own(ctx)], references=references)
    with _compared(compare) as comparison, watching() as (trouble, progress), _written(calls) as written:

        def seen(run: Run, judged: Mapping[str, Sequence[Judged]]) -> None:
            if written is not None:
                written(run, judged)
            if comparison is not None:
                comparison.add(run, judged[found[0].name])

        board, parts = held(
            once(traces), found, trouble=trouble, at=moment, form=form, examples=examples, progress=progress, seen=seen
        )
        if comparison is not None:
            comparison.finish()
    trouble.sum_up()
    told = findings(board, parts, found, reviewer=reviewer)
    if not told.coverage.runs:
        raise without_runs(traces)
    if not told.totals[0].tally.runs:
        raise LadderError(f"none of the {told.coverage.runs:,} runs is of a suite that each policy has a file for")
    _tell(told, html, comparison, json=json)
    if trouble.count or (comparison is not None and comparison.counts["past"]):
        raise typer.Exit(1)


@contextmanager
def _compared(ledger: str | None) -> Iterator[Comparison | None]:
    """A comparison with a ledger, which is open as long as it is made."""
    if ledger is None:
        yield None
        return
    from ladder_graph.replay.comparing import Comparison

    with Comparison.of(ledger) as comparison:
        yield comparison


def _own(ctx: typer.Context) -> str:
    """The policy that one stands beside, where none is named."""
    place = place_of(ctx)
    place.read_policy()
    return str(place.policy)


def _tell(found: Findings, html: Path | None, comparison: Comparison | None, *, json: bool) -> None:
    from ladder_graph.cli import replayed, screen
    from ladder_graph.replay.report import text

    compared = "" if comparison is None else _words(comparison)
    if html is not None:
        from ladder_graph.replay.report.page import page

        html.write_text(page(found, compared), encoding="utf-8")
    if json:
        screen.document(replayed.replay(found, comparison))
        return
    sys.stdout.write(f"{text(found, screen.Screen().width)}\n")
    if compared:
        sys.stdout.write(f"\n{compared}\n")


def _words(comparison: Comparison) -> str:
    from ladder_graph.replay.report import comparison as report

    return report.text(comparison)


@contextmanager
def _written(path: Path | None) -> Iterator[Seen | None]:
    """Writes each call of each run to a file, as it is judged."""
    if path is None:
        yield None
        return
    from ladder_graph.cli import replayed

    with path.open("w", encoding="ascii") as file:

        def seen(run: Run, judged: Mapping[str, Sequence[Judged]]) -> None:
            file.writelines(f"{writing.dumps(one)}\n" for one in replayed.calls(run, judged))

        yield seen
