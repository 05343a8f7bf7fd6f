"""`ladder doctor`: what is claimed, what is really in place, and what to do about the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ladder_graph.cli.options import App, Json, Mcp
from ladder_graph.cli.place import find_project, place_of

if TYPE_CHECKING:
    from ladder_graph.cli.documents import FindingDocument
    from ladder_graph.cli.findings import Finding
    from ladder_graph.cli.screen import Cell, Screen


def doctor(ctx: typer.Context, *, app: App = None, mcp: Mcp = None, json: Json = False) -> None:
    """Check what is really in place behind each rung.

    What a graph brought is known once it has run. With --app or --mcp the policy is held against the tools themselves.
    Exit code 1 where something keeps a tool from the rung that the policy gives it, or can't be as the policy says.
    """
    from ladder_graph.cli import screen
    from ladder_graph.cli.examining import Hand, examine, stopped
    from ladder_graph.cli.graphs import known_at

    find_project()
    hand = Hand(known_at(app, mcp or ()), whole=app is not None)
    findings = list(examine(place_of(ctx), hand))
    if json:
        screen.document([_document(finding) for finding in findings])
    else:
        out = screen.Screen()
        out.gap()
        out.columns([_row(out, finding) for finding in findings])
        wrong = sum(finding.verdict == "wrong" for finding in findings)
        out.gap()
        out.line(f"{wrong} of {len(findings)} not in order." if wrong else "All in order.")
        out.gap()
    if stopped(findings):
        raise typer.Exit(1)


def _row(out: Screen, finding: Finding) -> list[Cell]:
    from ladder_graph.cli.screen import QUIET, beside, stacked, styled
    from ladder_graph.wording import inert

    sign, style = {
        "good": (out.glyphs.good, "green"), "note": (out.glyphs.odd, "yellow"), "wrong": (out.glyphs.bad, "red"),
    }[finding.verdict]  # fmt: skip
    said: list[Cell] = [finding.text]
    for point in finding.points:
        said += [styled(point.text, "yellow" if finding.verdict == "wrong" else "")] if point.text else []
        said += [beside(styled(f"  {out.glyphs.so}", QUIET), styled(point.advice, QUIET))] if point.advice else []
    return [styled(f"{sign} ", style).append(inert(finding.about), "bold default"), stacked(*said)]


def _document(finding: Finding) -> FindingDocument:
    points = [(point.text, point.advice) for point in finding.points]
    return {
        "about": finding.about, "verdict": finding.verdict, "text": finding.text,
        "points": [{"text": text, "advice": advice} for text, advice in points],
    }  # fmt: skip
