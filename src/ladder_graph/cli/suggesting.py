"""`ladder policy suggest`: bounds that recorded runs suggest, and what they would have let through. Nothing changes."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import typer

from ladder_graph.cli.options import Json
from ladder_graph.cli.place import find_project, place_of
from ladder_graph.cli.recorded import At, Form, Traces, moment_of, once, watching, without_runs
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from ladder_graph.cli.screen import Cell, Screen
    from ladder_graph.policy import Policy
    from ladder_graph.replay import Coverage, Run
    from ladder_graph.replay.suggesting import Suggestion, Tried

SHOWN = 6
"""Bounds of one tool that are shown without `--all`, beside those that belong together."""

LITTLE = 0.5
"""Where as many of all runs may go wrong as that, for all that is known, the runs say little."""


class TriedDocument(TypedDict):
    """One bound, or several together."""

    bounds: list[dict[str, Any]]
    """As they stand in a policy."""
    learned: dict[str, Any]
    """Counts on the half of the tasks that they were found and chosen on."""
    checked: dict[str, Any]
    """Counts on the other half: fine, fine_inside, wrong, wrong_inside, unknown, unknown_inside calls; runs, failed,
    tasks, and at_most."""


class SuggestionDocument(TypedDict):
    """What recorded runs suggest for one tool."""

    suite: str
    tool: str
    entry: str | None
    """The entry of the policy that the tool has."""
    clean: bool
    """The bounds that belong together let nothing wrong through."""
    alpha: float
    """The chance that an upper bound is ever wrong."""
    each: list[TriedDocument]
    together: TriedDocument
    evidence: dict[str, Any]
    """How far the runs inside go towards a promotion: n_eff, loss, limit, needed, span, active, missing, enough."""
    left_out: int
    """Runs that weren't counted."""


def suggest(
    ctx: typer.Context,
    traces: Traces,
    *,
    policy: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|FOLDER", help="The policy, or a folder with SUITE.toml for each suite.", show_default=False
        ),
    ] = None,
    at: At = None,
    form: Form = "",
    toml: Annotated[bool, typer.Option("--toml", help="Print only what could be pasted into a policy.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Show each bound that was tried.")] = False,
    json: Json = False,
) -> None:
    """Find bounds in recorded runs, and tell what each lets through.

    Calls count as right that somebody approved, or looked at and found nothing; as wrong, those labelled critical,
    declined or edited. Bounds are found on half of the tasks, and counted on the other. Nothing is changed: what could
    be pasted is printed in comments. The traces are read twice. Exit code 1 where something of them can't be used.
    """
    from ladder_graph.cli import screen
    from ladder_graph.replay import Coverage, read
    from ladder_graph.replay.suggesting import suggestions
    from ladder_graph.replay.suggesting.snippet import snippet

    find_project()
    if "-" in traces:
        raise LadderError("- is read once, and this needs to be read twice; save it to a file first")
    policies, moment, seen = _policies(ctx, policy), moment_of(at), Coverage()
    with watching() as (trouble, progress):
        readings = iter((trouble, _silent))

        def runs() -> Iterator[Run]:
            told = next(readings)
            for path in once(traces):
                yield from read(path, told, form=form, progress=progress)

        found = suggestions(runs, policies, trouble=trouble, at=moment, seen=seen)
    trouble.sum_up()
    if not seen.runs:
        raise without_runs(traces)
    if toml:
        sys.stdout.write(snippet(found))
    elif json:
        screen.document([_document(one) for one in found])
    else:
        _tell(screen.Screen(), found, seen, moment, every=every)
        sys.stdout.write(snippet(found))
    if trouble.count:
        raise typer.Exit(1)


def _silent(_: str) -> None:
    """What the second reading can't use was told by the first."""


def _policies(ctx: typer.Context, path: str | None) -> Mapping[str, Policy]:
    from ladder_graph.replay.board import ANY
    from ladder_graph.replay.candidates import candidates

    return {ANY: place_of(ctx).read_policy()} if path is None else candidates([path])[0].suites


# --- for people ----------------------------------------------------------------------------------------------------


def _tell(out: Screen, found: list[Suggestion], seen: Coverage, at: dt.datetime | None, *, every: bool) -> None:
    from ladder_graph.replay.report.text import coverage

    sys.stdout.write(f"{coverage(seen, at, out.width)}\n")
    for one in found:
        _show(out, one, every=every)
    out.gap()
    if not found:
        out.line(
            "Nothing can be suggested: no tool has three right calls in the half of the tasks that bounds come from. "
            "A call is right where somebody approved it, or where it is labelled and not as critical."
        )
        out.gap()
        return
    sure = f"{1 - found[0].alpha:.0%}"
    for line in (
        "right, wrong, unknown: calls inside the bound, of all; wrong ones it would have let through",
        f"runs wrong: of the runs with a known call inside, and how many it may be at most ({sure} sure, at any time)",
        f"{out.glyphs.so} those that belong together; chosen, as all bounds were found, on the other half of the tasks",
    ):
        out.note(line)
    out.gap()


def _show(out: Screen, one: Suggestion, *, every: bool) -> None:
    standing = f"{one.rule.rung} by {one.entry!r}" if one.entry is not None else "in no policy"
    out.heading(one.tool, ", ".join(part for part in (one.suite, standing) if part))
    rest = [tried for tried in _sorted(one.each) if tried.bounds[0] not in one.together.bounds]
    shown = rest if every else rest[:SHOWN]
    picked = [tried for bound in one.together.bounds for tried in one.each if tried.bounds == (bound,)]
    rows = [_row(out, tried) for tried in (*picked, *shown)]
    if len(one.together.bounds) > 1:
        rows.append(_row(out, one.together))
    out.columns(rows, ("right", "wrong", "unknown", "runs wrong", ""), between=2)
    if len(rest) > len(shown):
        out.note(f"and {len(rest) - len(shown)} more; --all shows them")
    out.gap()
    facts = [("suggested", _verdict(one)), ("evidence", "; ".join(one.evidence.missing) or "enough")]
    if one.left_out:
        facts.append(("left out", f"{one.left_out:,} runs, since there were too many different ones"))
    out.fields(facts)


def _sorted(each: Iterable[Tried]) -> list[Tried]:
    return sorted(each, key=lambda one: (one.checked.wrong_inside, -one.checked.fine_inside))


def _row(out: Screen, tried: Tried) -> list[Cell]:
    from ladder_graph.replay.suggesting.snippet import inline

    found = tried.checked
    words = f"{out.glyphs.so} these {len(tried.bounds)} together" if len(tried.bounds) > 1 else inline(tried.bounds[0])
    return [
        f"{found.fine_inside:,}/{found.fine:,}",
        f"{found.wrong_inside:,}/{found.wrong:,}",
        f"{found.unknown_inside:,}/{found.unknown:,}",
        f"{found.failed:,}/{found.runs:,}, at most {found.at_most:.0%}",
        words,
    ]


def _verdict(one: Suggestion) -> str:
    from ladder_graph.replay.suggesting.snippet import suggestible

    if suggestible(one):
        doubts = ["no wrong call was ever seen that it could keep out"] if one.untested else []
        doubts += ["so few runs say little"] if one.together.checked.at_most >= LITTLE else []
        return "; ".join(["yes, below", *doubts])
    if one.clean:
        return f"no: the policy allows {one.rule.ceiling} at most"
    if one.together.learned.wrong_inside or one.together.checked.wrong_inside:
        return "no: no bound that was found keeps out what is wrong"
    return "no: none of its right calls in the other half of the tasks is inside"


# --- for programs --------------------------------------------------------------------------------------------------


def _document(one: Suggestion) -> SuggestionDocument:
    evidence = asdict(one.evidence)
    evidence["needed"] = None if one.evidence.needed == math.inf else one.evidence.needed
    return {
        "suite": one.suite,
        "tool": one.tool,
        "entry": one.entry,
        "clean": one.clean,
        "alpha": one.alpha,
        "each": [_tried(tried) for tried in one.each],
        "together": _tried(one.together),
        "evidence": {**evidence, "enough": one.evidence.enough},
        "left_out": one.left_out,
    }


def _tried(tried: Tried) -> TriedDocument:
    from ladder_graph.replay.suggesting.bounds import spelt_out

    bounds = [spelt_out(bound) for bound in tried.bounds]
    return {"bounds": bounds, "learned": asdict(tried.learned), "checked": asdict(tried.checked)}
