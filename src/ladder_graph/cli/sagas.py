"""Scopes that are undone as a whole: look, undo, close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from ladder_graph.cli import documents
from ladder_graph.cli.aftermath import moment
from ladder_graph.cli.options import All, Json, Yes
from ladder_graph.cli.place import find_project, place_of

if TYPE_CHECKING:
    from ladder_graph.cli.screen import Cell, Screen
    from ladder_graph.ladder.sagas import SagaView
    from ladder_graph.unwinding import Member

SagaId = Annotated[str, typer.Argument(metavar="SAGA", help="The scope's id, or the beginning of it.")]
Reason = Annotated[str, typer.Option(help="Why.", show_default=False)]


class MemberDocument(TypedDict):
    """A call of a scope."""

    action: str
    tool: str
    n: int
    """Its place in the order of the effects: that of its end where it can be undone, else that of its start."""
    state: str
    undoable: bool
    """Whether it could be undone now."""
    came: str
    """undone, no-op, conflict, failed or skipped; empty where nobody came to it yet."""
    text: str
    """The outcome in words, where a word isn't enough."""


class SagaDocument(TypedDict):
    """A scope that is undone as a whole: `ladder saga --json`."""

    saga: str
    name: str
    agent: str
    phase: str
    """open, left, closed, undo, undone or held."""
    parent: str
    """The scope around it; empty where there is none."""
    began: str
    lives: bool
    """Whether the process whose block it is still lives."""
    waits: bool
    """Whether a person must see to it."""
    watched: bool
    """Whether a window of it, or of its neighbours in the same outermost scope, is open."""
    why: str
    by: str
    members: list[MemberDocument]


commands = typer.Typer(
    help="List, show, undo and close scopes of calls.", epilog=documents.keys(SagaDocument), rich_markup_mode=None
)


@commands.callback(invoke_without_command=True)
def saga(ctx: typer.Context, *, every: All = False, json: Json = False) -> None:
    """List the scopes of which something may still be undone, or must be seen to; or show, undo and close one."""
    if ctx.invoked_subcommand is not None:
        return
    from ladder_graph.cli import screen

    with place_of(ctx).looking() as ladder:
        found = ladder.sagas(every=every)
    if json:
        screen.document([document(one) for one in found])
        return
    out = screen.Screen()
    out.gap()
    if not found:
        out.note("No scope waits, and none is watched.")
    else:
        out.columns([row(one) for one in found], ("scope", "name", "agent", "phase", "calls", "why"), between=2)
        out.gap()
        out.note("ladder saga show, undo or close SAGA")
    out.gap()


@commands.command()
def show(ctx: typer.Context, saga: SagaId, *, json: Json = False) -> None:
    """Show a scope with its calls, and what came of undoing them."""
    from ladder_graph.cli import screen

    with place_of(ctx).acting() as ladder:
        found = ladder.saga_view(saga)
    if json:
        screen.document(document(found))
        return
    _card(screen.Screen(), found)


@commands.command()
def undo(ctx: typer.Context, saga: SagaId, *, reason: Reason = "", yes: Yes = False) -> None:
    """Undo a scope as a whole, the latest call first. It shows the calls and asks.

    Exit code 1 where something of it still stands.
    """
    from ladder_graph.cli import asking
    from ladder_graph.cli.screen import Screen
    from ladder_graph.ladder.desk import signed_in
    from ladder_graph.unwinding import Phase

    find_project()
    person, out = signed_in(), Screen()
    with place_of(ctx).acting() as ladder:
        found = ladder.saga_view(saga)
        _card(out, found)
        asking.confirm(f"Undo all of it, in your name ({person.name})?", yes=yes)
        after = ladder.undo_saga(found.id, by=person, reason=reason)
    _said(out, after)
    if after.phase is not Phase.UNDONE:
        raise typer.Exit(1)


@commands.command()
def close(ctx: typer.Context, saga: SagaId, *, reason: Reason = "") -> None:
    """Say that a scope left behind, or half undone, is as it should be."""
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.ladder.desk import signed_in

    person, out = signed_in(), Screen()
    with place_of(ctx).acting() as ladder:
        ladder.close_saga(saga, by=person, reason=reason)
    out.line(styled(f"{out.glyphs.good} closed", "green").append(f" by {person.name}", "default"))


def document(of: SagaView) -> SagaDocument:
    """A scope as JSON."""
    return {
        "saga": of.id, "name": of.name, "agent": of.agent, "phase": of.phase, "parent": of.parent,
        "began": moment(of.began), "lives": of.lives, "waits": of.waits, "watched": of.watched, "why": of.why,
        "by": of.by,
        "members": [
            {"action": one.action, "tool": one.tool, "n": one.n, "state": one.state, "undoable": one.undoable,
             "came": one.came, "text": one.text}
            for one in of.members
        ],
    }  # fmt: skip


def row(one: SagaView) -> list[Cell]:
    """A scope in one line."""
    from ladder_graph.cli.screen import shortened, styled

    style = "bold red" if one.waits else {"undo": "yellow"}.get(one.phase, "")
    return [
        styled(one.id[:8], "bold"), one.name, one.agent, styled(phase(one), style), str(len(one.members)),
        shortened(one.why, 120),
    ]  # fmt: skip


def phase(one: SagaView) -> str:
    """Where a scope is, in words."""
    if one.left_behind:
        return "left open" if one.lives else "left open, its process is gone"
    return f"{one.phase}, watched" if one.watched and one.phase == "closed" else str(one.phase)


def calls(out: Screen, members: tuple[Member, ...]) -> None:
    """Calls with what came of each, the latest in front, as an undo comes to them."""
    from ladder_graph.cli.screen import styled

    styles = {"undone": "green", "no-op": "green", "": ""}
    out.columns([
        [styled(one.action[:8], "bold"), one.tool, str(one.state),
         styled(one.came or _prospect(one), styles.get(one.came, "bold red")), one.text]
        for one in sorted(members, key=lambda one: one.n, reverse=True)
    ], between=2)  # fmt: skip


def _prospect(one: Member) -> str:
    """What an undo would come to."""
    if not one.stands:
        return "undone" if one.state == "undone" else "no effect"
    return "can be undone" if one.undoable else "can't be undone"


def _card(out: Screen, one: SagaView) -> None:
    from ladder_graph.cli.screen import clock

    out.heading(one.name or "A scope", one.id)
    facts = [("agent", one.agent), ("began", clock(one.began)), ("phase", phase(one)), ("inside", one.parent[:8]),
             ("why", one.why)]  # fmt: skip
    out.fields([(name, value) for name, value in facts if value])
    out.gap()
    calls(out, one.members)
    out.gap()


def _said(out: Screen, after: SagaView) -> None:
    from ladder_graph.cli.screen import styled
    from ladder_graph.unwinding import Phase

    good = after.phase is Phase.UNDONE
    calls(out, after.members)
    word = "undone" if good else "not undone yet" if after.phase is Phase.UNDO else "undone in part"
    out.line(styled(f"{out.glyphs.good if good else out.glyphs.bad} {word}", "green" if good else "red"))
