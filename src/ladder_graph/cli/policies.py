"""`ladder policy`: what a policy decides, held against a table of cases or against another policy."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ladder_graph.cli.documents import DecisionDocument, keys
from ladder_graph.cli.options import MOST, Json
from ladder_graph.cli.place import Place, find_project, place_of
from ladder_graph.cli.suggesting import SuggestionDocument, suggest
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from ladder_graph.cli.screen import Cell, Screen
    from ladder_graph.explaining import Explanation
    from ladder_graph.policy.scene import Scene

commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Test a policy, compare two, or find bounds.")

commands.command("suggest", epilog=keys(SuggestionDocument))(suggest)

File = Annotated[Path, typer.Argument(metavar="CASES", help="A TOML file of calls with the rungs they should get.")]


@dataclass(frozen=True, slots=True)
class Change:
    """A call on which the decision isn't the one before."""

    before: str
    after: Explanation
    name: str | None = None
    missing: tuple[str, ...] = ()
    """Codes of reasons that the case wants and that aren't there."""


@commands.command("test", epilog=keys(DecisionDocument))
def check(ctx: typer.Context, cases: File, *, json: Json = False) -> None:
    """Hold a table of calls against the policy.

    Everything that its rungs need counts as in place, and no quota as used; predicates are called. Exit code 1 where a
    case fails.
    """
    from ladder_graph.explaining import decided
    from ladder_graph.policy.cases import load_cases

    find_project()
    policy, now, failed = place_of(ctx).read_policy(), _now(), []
    wanted = load_cases(cases)
    for case in wanted:
        told = decided(policy, case.tool, case.arguments, case.scene(now))
        codes = {reason.code for reason in told.route.reasons}
        missing = tuple(code for code in case.because if code not in codes)
        if told.route.rung is not case.rung or missing:
            failed.append(Change(case.rung.word, told, case.name, missing))
    _report(failed, f"all of {len(wanted)} decided as they should be", "failed", len(wanted), json=json)


@commands.command(epilog=keys(DecisionDocument))
def diff(
    ctx: typer.Context,
    first: Annotated[Path, typer.Argument(metavar="A", help="A policy file; its ledger has the calls.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="The policy file to compare it with.")],
    *,
    cases: Annotated[Path | None, typer.Option(metavar="CASES", help="Compare these, not the ledger's calls.")] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=MOST, help="How many calls of the ledger at most, the latest ones.")
    ] = 1000,
    json: Json = False,
) -> None:
    """Tell which calls another policy decides otherwise.

    Both decide on the same calls as `ladder policy test` does. Exit code 1 where one is decided otherwise.
    """
    from ladder_graph.explaining import decided
    from ladder_graph.policy.cases import load_cases
    from ladder_graph.policy.scene import Scene

    find_project()
    old, new = Place(first, place_of(ctx).ledger), Place(second)
    before, after, now = old.read_policy(), new.read_policy(), _now()
    calls: list[tuple[str, dict[str, Any], Scene, str | None]]
    if cases is None:
        with old.looking() as ladder:
            recorded = {(one.tool, repr(one.arguments)): one for one in ladder.actions(limit=limit)}
        calls = [(one.tool, one.arguments, Scene(now), None) for one in recorded.values()]
    else:
        calls = [(case.tool, case.arguments, case.scene(now), case.name) for case in load_cases(cases)]
    if not calls:
        raise LadderError(f"{first}: no call was ever recorded under it, so nothing can be compared; give --cases")
    changed = []
    for tool, arguments, scene, name in calls:
        one, other = (decided(policy, tool, arguments, scene) for policy in (before, after))
        if one.route.rung is not other.route.rung:
            changed.append(Change(one.route.rung.word, other, name))
    _report(changed, f"none of {len(calls)} decided otherwise", "changed", len(calls), json=json)


def _report(changes: list[Change], fine: str, word: str, of: int, *, json: bool) -> None:
    from ladder_graph.cli import documents, screen

    if json:
        screen.document(
            [documents.decision(one.after, before=one.before, name=one.name, missing=one.missing) for one in changes]
        )
    else:
        out = screen.Screen()
        for change in changes:
            _show(out, change)
        sign = screen.styled(f"{out.glyphs.bad} " if changes else f"{out.glyphs.good} ", "red" if changes else "green")
        out.gap()
        out.line(sign.append(f"{len(changes)} of {of} {word}" if changes else fine))
        out.gap()
    if changes:
        raise typer.Exit(1)


def _show(out: Screen, change: Change) -> None:
    """As a diff does: what was wanted or was before, and what it is."""
    from ladder_graph.cli.screen import stacked, styled
    from ladder_graph.wording import given

    told = change.after
    out.heading(change.name or told.call.tool, f"{told.call.tool}({given(told.call.arguments)})")
    rows: list[list[Cell]] = [[styled("-", "red"), styled(change.before, "red"), ", ".join(change.missing)]]
    reasons = stacked(*(reason.text for reason in told.route.reasons))
    rows.append([styled("+", "green"), styled(told.route.rung.word, "green"), reasons])
    out.columns(rows, between=2)


def _now() -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC)
