"""Watching: a process that sees actions through, and what people do about an action while it is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.options import ActionId, Json
from ladder_graph.cli.place import find_project, place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    import datetime as dt

    from ladder_graph.cli.screen import Cell
    from ladder_graph.ladder.windows import Watched
    from ladder_graph.ledger import Entry

Reason = Annotated[str, typer.Option(help="Why.", show_default=False)]


def watch(
    ctx: typer.Context,
    *,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and end.")] = False,
    poll: Annotated[float, typer.Option(min=0.01, help="Seconds between two looks at what is due.")] = 0.1,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Take alerts by POST /signals, incidents by POST /incidents; without a host on this machine alone.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """See actions through after they ran: measure, keep, undo.

    It goes on until it is stopped (SIGTERM or Ctrl+C). Any number of processes may watch one ledger, on any machine
    that reaches it; whoever dies is replaced by the others.
    """
    from ladder_graph.cli import serving

    find_project()
    place = place_of(ctx)
    policy = place.read_policy()
    listening = None if listen is None else serving.bound(listen, policy)
    with place.following() as ladder, serving.spoken():
        ladder.watcher.poll = poll
        if once:
            ladder.watcher.settle()
            ladder.sweep_checkpoints()
        else:
            serving.until_stopped(ladder, listening)


def watched(ctx: typer.Context, *, json: Json = False) -> None:
    """List the actions that are watched, are to be undone, or wait for a person."""
    from ladder_graph.cli import aftermath, screen

    with place_of(ctx).looking() as ladder:
        found, now, alive = ladder.watched(), ladder.clock(), ladder.watchers()
    if json:
        screen.document([aftermath.watched(one, now) for one in found])
        return
    out = screen.Screen()
    out.gap()
    if not found:
        out.note("Nothing is watched.")
    else:
        out.columns([_row(one, now) for one in found], _HEAD, between=2)
        out.gap()
        out.note("ladder keep ACTION, ladder undo ACTION, ladder extend ACTION --for 10m; ladder show ACTION")
        if not alive:
            out.note("No watcher lives, so nothing is measured; run `ladder watch`")
    out.gap()


def keep(ctx: typer.Context, action: ActionId, *, reason: Reason = "") -> None:
    """Keep a watched action: it is good, whatever its checks would have said later."""
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.ladder.desk import signed_in

    find_project()
    person = signed_in()
    with place_of(ctx).acting() as ladder:
        found = ladder.action(action)
        left = ladder.keep(found.key, by=person, reason=reason)
        state = str(ladder.action(found.key).state)
    out = Screen()
    if left is None and state != "undone":
        out.line(styled(f"{out.glyphs.good} kept", "green").append(f" by {person.name}", "default"))
        return
    # What had gone wrong before somebody kept it counts.
    out.line(styled(f"{out.glyphs.bad} not kept", "red").append(f": it is {left.phase if left else state}", "default"))
    if left is not None and left.why:
        out.line(left.why)
    raise typer.Exit(1)


def undo(ctx: typer.Context, action: ActionId, *, reason: Reason = "") -> None:
    """Undo an action now, from what was stored before it.

    Exit code 1 where it isn't undone: somebody has changed the same thing since, the undo failed, or it came too late.
    """
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.ladder.desk import signed_in

    find_project()
    person = signed_in()
    with place_of(ctx).acting() as ladder:
        found = ladder.action(action)
        first = ladder.undone_first(found.key)
        ladder.undo(found.key, by=person, reason=reason)
        after = ladder.action(found.key)
        if after.state == "done":  # What lies on it was tried, and nothing else.
            after = ladder.action(first)
        entries = ladder.log(limit=1000, action=after.key)
    word, good = _came(entries)
    if after.key != found.key:
        word = f"{word}: action {after.key[:8]} lies on it, and goes first"
    out = Screen()
    sign = styled(f"{out.glyphs.good if good else out.glyphs.bad} {word}", "green" if good else "red")
    out.line(sign.append(f" by {person.name}" if good else "", "default"))
    if after.text:
        out.line(after.text)
    if not good:
        raise typer.Exit(1)


def extend(
    ctx: typer.Context,
    action: ActionId,
    *,
    by: Annotated[str, typer.Option("--for", metavar="TIME", help='How long from now on, as "10m".')],
    reason: Reason = "",
) -> None:
    """Watch an action longer."""
    from ladder_graph.cli.screen import Screen, clock
    from ladder_graph.ladder.desk import signed_in
    from ladder_graph.policy.units import seconds

    try:
        length = seconds(by)
    except ValueError as wrong:
        raise LadderError(f"--for {by!r}: {wrong}") from None
    find_project()
    with place_of(ctx).acting() as ladder:
        left = ladder.extend(action, seconds=length, by=signed_in(), reason=reason)
    out = Screen()
    if left is None or left.phase != "open":
        out.line("its watch has ended meanwhile" if left is None else f"it is {left.phase}: {left.why}")
        raise typer.Exit(1)
    out.line(f"{left.tool} is watched until {clock(left.until)}")


_HEAD = ("action", "tool", "agent", "phase", "ends in", "good/bad/none", "why")


def _row(one: Watched, now: dt.datetime) -> list[Cell]:
    from ladder_graph.cli.screen import shortened, styled

    counts = "/".join(str(sum(taken.verdict == word for taken in one.measured)) for word in VERDICTS)
    style = {"held": "bold red", "undo": "yellow"}.get(one.phase, "")
    return [
        styled(one.action[:8], "bold"), one.tool, one.agent, styled(one.phase, style), ends_in(one, now), counts,
        shortened(one.why, 120),
    ]  # fmt: skip


VERDICTS = ("good", "bad", "inconclusive")
"""What a measurement may come to."""


def ends_in(one: Watched, now: dt.datetime) -> str:
    """When a window ends, in words."""
    from ladder_graph.cli.screen import span

    if one.phase == "held":
        return "a person decides"
    left = (one.until - now).total_seconds()
    return span(left) if left > 0 else "now"


def _came(entries: list[Entry]) -> tuple[str, bool]:
    """What came of the last undo on record, in words, and whether that is good."""
    from ladder_graph.states import State
    from ladder_graph.steps import LATE, UndoOutcome
    from ladder_graph.undo import word_of

    # A demotion comes after it.
    last = next(entry for entry in reversed(entries) if entry.kind != "demoted")
    text = str(last.body.get("text", ""))
    match last.kind:
        case "undone":
            came = word_of(UndoOutcome(State.UNDONE, text))
            return ("nothing to undo" if came == "no-op" else "undone"), True
        case "undo_conflict":
            return "conflict", False
        case "undo_failed":
            return ("too late" if text.startswith(LATE) else "failed"), False
        case _:
            return "not undone yet: somebody is at it, or a later action on the same thing goes first", False
