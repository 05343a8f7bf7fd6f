"""Suggestions of rung 0: what somebody made of them."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from ladder_graph.cli import documents
from ladder_graph.cli.options import ActionId, All, Json
from ladder_graph.cli.place import place_of

commands = typer.Typer(
    help="List, adopt and dismiss suggestions.", epilog=documents.keys(documents.ActionDocument), rich_markup_mode=None
)

Why = Annotated[str, typer.Option(help="Why, for the record.")]


@commands.callback(invoke_without_command=True)
def suggestions(ctx: typer.Context, *, every: All = False, json: Json = False) -> None:
    """List the suggestions that nobody has judged yet, oldest first; or adopt and dismiss one."""
    if ctx.invoked_subcommand is not None:
        return
    from ladder_graph.cli import screen
    from ladder_graph.wording import show

    with place_of(ctx).looking() as ladder:
        found = [action for action in ladder.suggestions() if every or not action.verdict]
    if json:
        screen.document([documents.action(action) for action in found])
        return
    out = screen.Screen()
    for action in found:
        out.heading(f"{action.agent} suggests {action.tool}", action.short)
        out.fields([(name, screen.shortened(show(value))) for name, value in action.arguments.items()])
        if action.arguments:
            out.gap()
        facts = [
            ("because", action.why),
            ("at", screen.clock(action.at)),
            ("verdict", action.verdict),
            ("by", action.actor),
        ]
        out.fields([(name, value) for name, value in facts if value])
    out.gap()
    out.note("ladder suggestions adopt or dismiss ACTION" if found else "No suggestion waits.")
    out.gap()


@commands.command()
def adopt(ctx: typer.Context, action: ActionId, *, reason: Why = "") -> None:
    """Say that you acted on a suggestion. Nothing runs."""
    _judge(ctx, action, "adopted", reason)


@commands.command()
def dismiss(ctx: typer.Context, action: ActionId, *, reason: Why = "") -> None:
    """Say that nobody wants a suggestion."""
    _judge(ctx, action, "dismissed", reason)


def _judge(ctx: typer.Context, action: str, verdict: Literal["adopted", "dismissed"], reason: str) -> None:
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.ladder.desk import signed_in

    person = signed_in()
    with place_of(ctx).acting() as ladder:
        judge = ladder.adopt if verdict == "adopted" else ladder.dismiss
        judge(action, by=person, reason=reason)
    out = Screen()
    out.line(styled(f"{out.glyphs.good} {verdict}", "green").append(f" by {person.name}", "default"))
