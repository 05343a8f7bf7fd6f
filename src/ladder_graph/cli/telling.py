"""One action's whole life on a terminal, and what can be done about it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from ladder_graph.cli.options import ActionId, Json
from ladder_graph.cli.place import place_of

if TYPE_CHECKING:
    import datetime as dt

    from ladder_graph.cli.screen import Screen
    from ladder_graph.ladder.lives import Asked, Life, Step
    from ladder_graph.ladder.sagas import SagaView
    from ladder_graph.ladder.windows import Watched


def show(
    ctx: typer.Context,
    action: ActionId,
    *,
    json: Json = False,
) -> None:
    """Show the life of one action, and what can be done about it now."""
    from ladder_graph.cli import aftermath, documents, incidents, screen

    with place_of(ctx).acting() as ladder:
        life, now = ladder.life(action), ladder.clock()
        scope = ladder.saga_of(life.action.key)
    told = incidents.told(life.entries)
    if json:
        screen.document({
            **documents.action(life.action), "entries": [documents.entry(entry) for entry in life.entries],
            "window": None if life.window is None else aftermath.watched(life.window, now), "incidents": told,
            "saga": life.saga or None, "parts": [documents.action(one) for one in life.parts], **life.document(),
        })  # fmt: skip
        return
    out = screen.Screen()
    _proposal(out, life, scope)
    for one in life.asked:
        _question(out, one)
    _steps(out, life)
    _afterwards(out, life, now)
    incidents.listed(out, told)
    if life.action.text:
        out.heading("The model was told")
        out.line(life.action.text, 4)
    _end(out, life)


def _proposal(out: Screen, life: Life, scope: SagaView | None) -> None:
    from ladder_graph.cli.looking import card

    card(out, life.action)
    parts = life.draft
    facts = [
        ("proposed by", life.proposed_by),
        ("scope", "" if scope is None
         else f"{scope.name or scope.id[:8]} ({scope.phase}); ladder saga show {scope.id[:8]}"),
        ("in place of", life.edited_from[:12]), ("in its place", life.successor[:12]),
        ("a part of", life.part_of[:12]),
        ("draft", "" if parts is None else f"{parts.path} ({parts.state}{f' by {parts.by}' if parts.by else ''})"),
        ("report", _report(life)),
    ]  # fmt: skip
    out.fields([(name, value) for name, value in facts if value])


def _report(life: Life) -> str:
    from ladder_graph.cli.screen import clock

    found = life.report
    if found is None:
        return ""
    read = f"read by {found.by} at {clock(found.read)}" if found.read is not None else f"due {clock(found.due)}"
    return f"to {found.reader}; {read}"


def _question(out: Screen, asked: Asked) -> None:
    """A question as it was told, where it adds anything to the action itself."""
    from ladder_graph.briefing import plain_reach
    from ladder_graph.cli.screen import shortened

    told = asked.briefing
    out.heading(f"Asked: {told.title}", f"question {asked.id} ({asked.state})")
    origins = [
        (one.name, "; ".join(part for part in (one.source, *(check.text for check in one.checks)) if part))
        for one in told.arguments[:60]
    ]  # fmt: skip
    out.fields([(name, text) for name, text in origins if text])
    changes = [
        (one.thing, f"{shortened(one.before or 'not known', 200)} -> {shortened(one.after or 'not known', 200)}")
        for one in told.changes[:40]
    ]  # fmt: skip
    reach = [(name, text) for name, text in plain_reach(told.reach).items() if not text.startswith("unknown")]
    typed = [("typed", told.question.to_type)] if told.question.to_type else []
    out.fields([*changes, *((name.lower(), text) for name, text in reach), *typed])
    if told.words:
        out.line("The agent's own words, which nobody has checked:")
        out.columns([["|", line.expandtabs(4)] for line in told.words.splitlines()], between=1)


def _steps(out: Screen, life: Life) -> None:
    out.heading("What happened")
    if life.cut:
        out.note("Only the latest of it; ladder log --action has the rest.")
    out.columns([_step(one) for one in life.steps], between=2)


def _step(one: Step) -> list[Any]:
    from ladder_graph.cli.looking import kind
    from ladder_graph.cli.screen import QUIET, clock, stacked, styled

    by = f", by {one.by}" if one.by else ""
    facts = [styled(f"{name}: {text}", QUIET) for name, text in one.facts]
    return [styled(clock(one.at), QUIET), kind(one.kind), stacked(f"{one.title}{by}", *facts)]


def _afterwards(out: Screen, life: Life, now: dt.datetime) -> None:
    from ladder_graph.cli.looking import gist_of

    if life.parts:
        out.heading("It went by a part first")
        rows = zip(("part", "rest"), life.parts, strict=False)
        out.columns([[role, one.short, str(one.state), gist_of(one)] for role, one in rows])
    if life.window is not None:
        _window(out, life.window, now)


def _window(out: Screen, window: Watched, now: dt.datetime) -> None:
    """The window of an action, with everything that was measured."""
    from ladder_graph.cli.aftermath import instant
    from ladder_graph.cli.screen import QUIET, clock, styled
    from ladder_graph.cli.watching import ends_in

    out.heading("Watched", window.phase)
    facts = [("until", clock(window.until)), ("ends in", ends_in(window, now)), ("found", window.why)]
    out.fields([(name, value) for name, value in facts if value])
    if window.measured:
        out.gap()
    rows: list[list[Any]] = []
    for one in window.measured:
        verdict = styled(one.verdict, {"good": "green", "bad": "red"}.get(one.verdict, ""))
        rows.append([styled(clock(instant(one.at_us)), QUIET), f"check {one.which}", verdict, one.text])
    out.columns(rows)


def _end(out: Screen, life: Life) -> None:
    """What it counted as, and what next."""
    out.heading("For trust it counts as", life.counted.as_)
    out.line(life.counted.why)
    out.heading("What next")
    for one in life.next:
        out.line(f"{one.text}: {one.command}" if one.command else one.text)
    if not life.next:
        out.line("There is nothing to be done about it.")
    out.gap()
