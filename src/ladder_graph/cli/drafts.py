"""The drafts workspace: look, accept, reject."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ladder_graph.cli import documents
from ladder_graph.cli.options import ActionId, All, App, Json, Yes
from ladder_graph.cli.place import place_of
from ladder_graph.errors import AnswerRefused, UnknownQuestion

if TYPE_CHECKING:
    from ladder_graph.cli.screen import Screen
    from ladder_graph.facts import Reply
    from ladder_graph.ladder import Ladder
    from ladder_graph.ledger import Draft

commands = typer.Typer(
    help="List, show, accept and reject drafts.", epilog=documents.keys(documents.DraftDocument), rich_markup_mode=None
)


@commands.callback(invoke_without_command=True)
def drafts(ctx: typer.Context, *, every: All = False, json: Json = False) -> None:
    """List the drafts that wait for somebody, oldest first; or show, accept and reject one."""
    if ctx.invoked_subcommand is not None:
        return
    from ladder_graph.cli import screen

    with place_of(ctx).looking() as ladder:
        found = [draft for draft in ladder.drafts() if every or _open(draft)]
    if json:
        screen.document([documents.draft(draft) for draft in found])
        return
    out = screen.Screen()
    for draft in found:
        _card(out, draft, whole=False)
    out.gap()
    out.note("ladder drafts show, accept or reject ACTION" if found else "No draft waits.")
    out.gap()


@commands.command()
def show(ctx: typer.Context, action: ActionId) -> None:
    """Print a draft as it lies in the workspace."""
    from ladder_graph.cli.screen import Screen

    with place_of(ctx).acting() as ladder:
        draft = _find(ladder, action)
    out = Screen()
    _card(out, draft, whole=True)
    out.gap()
    try:
        data = Path(draft.path).read_bytes()
    except OSError as wrong:
        out.note(f"Its file can't be read: {wrong.strerror}. The recorded call is what accepting would run.")
        return
    out.block(data.decode("utf-8", "backslashreplace"))
    out.gap()
    if hashlib.sha256(data).hexdigest() != draft.sha256:
        out.note(
            "The file was changed since it was written. Accepting runs the recorded call, not what the file says now."
        )


@commands.command()
def accept(ctx: typer.Context, action: ActionId, *, app: App = None, yes: Yes = False) -> None:
    """Accept a draft: its call runs once, as your act. Here with --app, else in the agent's process."""
    from ladder_graph.cli import asking, graphs
    from ladder_graph.cli.screen import Screen
    from ladder_graph.desk import signed_in

    person = signed_in()
    with place_of(ctx).acting() as ladder:
        draft = _find(ladder, action)
        tool = draft.action.tool
        if app is not None:
            from ladder_graph.inventory.finding import seats_in

            ladder.seats.update(seats_in(graphs.load(app)))
            if tool not in ladder.seats or ladder.seats[tool].host is None:
                raise UnknownQuestion(f"{app} has no tool {tool} that can run outside its graph; nothing was accepted")
        out = Screen()
        _card(out, draft, whole=True)
        out.gap()
        if draft.state != "waiting":
            raise AnswerRefused(f"{draft.by} has {draft.state} this draft already")
        asking.confirm(f"Accept it, as your act ({person.name})?", yes=yes)
        reply = ladder.accept(draft.action.key, by=person)
    _said(out, reply, person.name)


@commands.command()
def reject(
    ctx: typer.Context, action: ActionId, *, reason: Annotated[str, typer.Option(help="Why nobody wants it.")]
) -> None:
    """Reject a draft."""
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.desk import signed_in

    person = signed_in()
    with place_of(ctx).acting() as ladder:
        ladder.reject(action, by=person, reason=reason)
    out = Screen()
    out.line(styled(f"{out.glyphs.bad} rejected", "red").append(f" by {person.name}", "default"))


def _open(draft: Draft) -> bool:
    """Whether it waits for a person, or was accepted and hasn't run."""
    return draft.state == "waiting" or draft.action.state == "approved"


def _find(ladder: Ladder, prefix: str) -> Draft:
    key = ladder.action(prefix).key
    for draft in ladder.drafts():
        if draft.action.key == key:
            return draft
    raise AnswerRefused(f"action {key[:12]} is no draft; `ladder show {key[:12]}` tells what it is")


def _card(out: Screen, draft: Draft, *, whole: bool) -> None:
    from ladder_graph.cli.screen import clock, shortened
    from ladder_graph.wording import show as spell

    action = draft.action
    out.heading(f"{action.agent} drafted {action.tool}", action.short)
    values = [(name, spell(value)) for name, value in action.arguments.items()]
    out.fields([(name, value if whole else shortened(value)) for name, value in values])
    if values:
        out.gap()
    waits = "accepted, not run yet" if action.state == "approved" else draft.state
    facts = [
        ("file", draft.path),
        ("made", clock(action.at)),
        ("state", waits),
        ("by", draft.by),
        ("reason", draft.reason),
    ]
    out.fields([(name, value) for name, value in facts if value])


def _said(out: Screen, reply: Reply | None, name: str) -> None:
    from ladder_graph.cli.screen import styled
    from ladder_graph.states import State

    out.line(styled(f"{out.glyphs.good} accepted", "green").append(f" by {name}", "default"))
    if reply is None:
        out.note("It runs in the agent's process, at its next ladder.run_accepted().")
    else:
        good = reply.state is State.DONE
        ran: Any = styled(
            f"{out.glyphs.good if good else out.glyphs.bad} {reply.state}", "green" if good else "bold red"
        )
        out.line(ran.append(f" {reply.text or _answer(reply)}"))
    out.gap()


def _answer(reply: Reply) -> str:
    """What the tool answered, where it can be told."""
    from ladder_graph.cli.screen import shortened
    from ladder_graph.wording import inert

    text = getattr(reply.outcome.reply, "text", "") if reply.outcome else ""
    return shortened(inert(str(text)), 500)
