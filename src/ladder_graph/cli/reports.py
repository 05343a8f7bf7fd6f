"""The stream of what was done unasked at rung 5, or couldn't be undone on any, and what waits by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.options import MOST, All, Json
from ladder_graph.cli.place import place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    import datetime as dt

    from ladder_graph.cli.screen import Screen
    from ladder_graph.ledger import Report

Limit = Annotated[int, typer.Option(min=1, max=MOST, help="How many, the latest ones.")]


def reports(ctx: typer.Context, *, limit: Limit = 50, every: All = False, json: Json = False) -> None:
    """List what ran unasked and nobody has read yet, as it comes."""
    from ladder_graph.cli import digested, screen

    with place_of(ctx).looking() as ladder:
        found, now = ladder.reports(unread=not every, limit=limit), ladder.clock()
        held = {one.action: one.why for one in ladder.watched() if one.phase == "held"}
    if json:
        screen.document([digested.report(report, now) for report in found])
        return
    out = screen.Screen()
    for report in found:
        _card(out, report, now, held.get(report.action.key, ""))
    out.gap()
    if any(report.action.key in held for report in found):
        out.note("What is held waits for ladder keep ACTION, or ladder undo ACTION; ladder show ACTION says all.")
    if any(report.about == "mess" for report in found):
        out.note("ladder ack ACTION says that you have seen to what was left in a mess.")
    out.note("ladder report lists the reports that these are in, and reads them." if found else "Every report is read.")
    out.gap()


def ack(
    ctx: typer.Context,
    actions: Annotated[list[str], typer.Argument(metavar="ACTION...", help="Actions, by their keys.")],
) -> None:
    """Say that you have seen to actions that were left in a mess, or are held.

    What ran on rung 5 is read with `ladder report`.
    """
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.ladder.desk import signed_in

    if not actions:
        raise LadderError("say which: ladder ack ACTION...")
    person, out = signed_in(), Screen()
    with place_of(ctx).acting() as ladder:
        now = ladder.clock()
        for key in dict.fromkeys(ladder.action(one).key for one in actions):
            waits = next((one for one in ladder.reports() if one.action.key == key and one.about == "mess"), None)
            ladder.acknowledge(key, by=person)
            if waits is not None:
                _card(out, waits, now)
    out.gap()
    out.line(styled(f"{out.glyphs.good} seen to", "green").append(f" by {person.name}", "default"))
    out.gap()


def _card(out: Screen, report: Report, now: dt.datetime, held: str = "") -> None:
    from ladder_graph.cli.screen import clock, shortened, span, styled
    from ladder_graph.wording import show

    action = report.action
    out.heading(f"{action.agent} ran {action.tool}", action.short)
    out.fields([(name, shortened(show(value))) for name, value in action.arguments.items()])
    if action.arguments:
        out.gap()
    left = (report.due - now).total_seconds()
    due = styled(f"by {report.reader}, within {span(left)}", "")
    if report.read is not None:
        due = styled(f"by {report.by}, {clock(report.read)}", "")
    elif left < 0:
        due = styled(f"by {report.reader}, overdue since {span(-left)}", "bold red")
    facts = [
        ("filed", clock(report.filed)), ("report", report.digest[:12]), ("state", str(action.state)), ("held", held),
        ("told", action.text),
    ]  # fmt: skip
    out.fields([(name, value) for name, value in facts if value])
    out.fields([("to be read" if report.read is None else "read", due)])
