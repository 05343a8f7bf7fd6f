"""Trying an undo out before it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ladder_graph.cli.options import Json, Yes
from ladder_graph.cli.place import find_project, place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from ladder_graph.cli.aftermath import RehearsalDocument
    from ladder_graph.undo import Rehearsal

WARNING = (
    "really calls the tool, several times, past every rung, and undoes it each time. Use a place where nobody minds."
)


def rehearse(
    ctx: typer.Context,
    tool: Annotated[str, typer.Argument(metavar="MODULE:TOOL", help="The tool, or its function, by import path.")],
    *,
    args: Annotated[str, typer.Option("--args", metavar="JSON", help="The arguments; the call must change something.")],
    foreign: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:FUNCTION", help="Changes the same thing, as somebody else would.", show_default=False
        ),
    ] = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Try a tool's undo out, on the real thing.

    This really calls the tool, several times, past every rung, and undoes it each time. Use a place where nobody minds.
    The result is kept for this version of the tool. Exit code 1 where something doesn't hold.
    """
    from ladder_graph.cli import asking, screen
    from ladder_graph.cli.graphs import load
    from ladder_graph.ladder.desk import signed_in

    find_project()
    place, person, arguments = place_of(ctx), signed_in(), _arguments(args)
    found = load(tool, "tool", "shop.tools:write_page")
    other = None if foreign is None else load(foreign, "function", "shop.tools:somebody")
    if not callable(found) and not hasattr(found, "invoke"):
        raise LadderError(f"{tool} is no tool, but {type(found).__name__!r}")
    if other is not None and not callable(other):
        raise LadderError(f"{foreign} is no function, but {type(other).__name__!r}")
    policy = place.read_policy()
    file = place.shared_ledger(policy)
    screen.Screen(stderr=True).note(f"ladder rehearse {WARNING}")
    asking.confirm(f"Call {tool} for real, in your name ({person.name})?", yes=yes)
    with place.opened(policy, file) as ladder:
        tried, version = ladder.rehearse(found, arguments, by=person, foreign=other)
    if json:
        screen.document(_document(tried, version))
    else:
        _show(tried, version)
    if not tried.passed:
        raise typer.Exit(1)


def _arguments(text: str) -> dict[str, Any]:
    from json import loads

    try:
        given = loads(text)
    except ValueError as wrong:
        raise LadderError(f"--args is no JSON: {wrong}") from None
    if not isinstance(given, dict):
        raise LadderError('--args is no JSON object; write --args \'{"name": "value"}\'')
    return given


def _show(tried: Rehearsal, version: str) -> None:
    from ladder_graph.cli.screen import Screen, stacked, styled

    out = Screen()
    out.heading(tried.tool, f"version {version[:12]}")
    rows = []
    for step in tried.steps:
        sign = styled(out.glyphs.good if step.ok else out.glyphs.bad, "green" if step.ok else "red")
        rows.append([sign, stacked(step.name, styled(step.text, "red")) if step.text else step.name])
    rows += [[styled(out.glyphs.odd, "yellow"), f"not tried: {left}"] for left in tried.untried]
    out.columns(rows, between=1)
    out.gap()
    word, style = ("passed", "green") if tried.passed else ("failed", "red")
    out.line(styled(word, style).append(", and written down for this version of the tool and this undo", "default"))
    out.gap()


def _document(tried: Rehearsal, version: str) -> RehearsalDocument:
    return {
        "tool": tried.tool, "version": version, "passed": tried.passed,
        "steps": [{"name": step.name, "ok": step.ok, "text": step.text} for step in tried.steps],
        "untried": list(tried.untried),
    }  # fmt: skip
