"""The drafts workspace: look, accept all or a part, edit, reject."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ladder_graph.cli import documents
from ladder_graph.cli.options import ActionId, All, App, Json, Yes, words
from ladder_graph.cli.place import place_of
from ladder_graph.errors import AnswerRefused, DraftMoved, UnknownQuestion

if TYPE_CHECKING:
    from ladder_graph.facts import Person, Reply
    from ladder_graph.ladder import Ladder
    from ladder_graph.ladder.drafts import DraftView

commands = typer.Typer(
    help="List, show, accept, edit and reject drafts.", epilog=documents.keys(documents.DraftDocument),
    rich_markup_mode=None,
)  # fmt: skip

Numbers = Annotated[
    str | None, typer.Option(metavar="1,3", help="The changes that are taken.", show_default=False)
]  # fmt: skip
Left = Annotated[
    str | None, typer.Option(metavar="2", help="The changes that are left out.", show_default=False)
]  # fmt: skip
Digest = Annotated[
    str | None,
    typer.Option(
        help="The draft's digest as it was shown, or its beginning; another one is refused.", show_default=False
    ),
]
Why = Annotated[str, typer.Option(help="Why, for the agent and the record.", show_default=False)]


@commands.callback(invoke_without_command=True)
def drafts(ctx: typer.Context, *, every: All = False, json: Json = False) -> None:
    """List the drafts that wait for somebody, oldest first; or show, accept, edit and reject one."""
    if ctx.invoked_subcommand is not None:
        return
    from ladder_graph.cli import drawing, screen

    with place_of(ctx).looking() as ladder:
        found = [draft for draft in ladder.drafts() if every or draft.state == "waiting" or draft.ran == "approved"]
        now = ladder.clock()
    if json:
        screen.document([documents.draft(draft) for draft in found])
        return
    out = screen.Screen()
    for draft in found:
        drawing.card(out, draft, now)
    out.gap()
    out.note("ladder drafts show, accept, edit or reject ACTION" if found else "No draft waits.")
    out.gap()


@commands.command()
def show(ctx: typer.Context, action: ActionId, *, json: Json = False) -> None:
    """Show a draft: its base, each change, and what became of it."""
    from ladder_graph.cli import drawing, screen
    from ladder_graph.ladder.desk import signed_in

    with place_of(ctx).acting() as ladder:
        view = ladder.draft(action, by=signed_in())
        now = ladder.clock()
    if json:
        screen.document(drawing.document(view))
        return
    drawing.show(screen.Screen(), view, now)


@commands.command()
def accept(
    ctx: typer.Context, action: ActionId, *, take: Numbers = None, leave: Left = None, digest: Digest = None,
    reason: Why = "", app: App = None, yes: Yes = False,
) -> None:  # fmt: skip
    """Accept a draft, or those changes of it that you take.

    Its call runs once, as your act: here with --app, else in the agent's process. With --take and --leave each change
    must be named.
    """
    chosen = None if take is None and leave is None else (_numbers(take), _numbers(leave))
    _accepted(ctx, action, digest, app, yes=yes, question=_question(chosen), said={
        "reason": reason, **({} if chosen is None else {"take": chosen[0], "leave": chosen[1]}),
    })  # fmt: skip


@commands.command()
def edit(
    ctx: typer.Context, action: ActionId, *,
    piece: Annotated[str | None, typer.Option(help="Which text, where there are several.", show_default=False)] = None,
    digest: Digest = None, reason: Why = "", app: App = None, yes: Yes = False,
) -> None:  # fmt: skip
    """Edit a draft in your editor, and accept it so.

    The editor is $VISUAL or $EDITOR. Where nothing says how a text goes back into the call, its arguments are edited,
    as JSON.
    """
    from ladder_graph.cli import drawing
    from ladder_graph.ladder.desk import signed_in

    with place_of(ctx).acting() as ladder:
        view = _shown(ladder, action, digest, signed_in())
    said: dict[str, Any] = {"reason": reason}
    if view.editable and view.texts is not None:
        name = drawing.piece_of(view, piece)
        said["text"] = {name: drawing.typed(view.texts[name] or "", view.draft.path)}
    else:
        said["arguments"] = drawing.typed_arguments(view.arguments or {})
    _accepted(ctx, action, view.digest, app, yes=yes, question="Accept it as you edited it", said=said)


@commands.command()
def reject(
    ctx: typer.Context, action: ActionId, *,
    reason: Annotated[str, typer.Option(help="Why nobody wants it; the agent reads it.", callback=words)],
    digest: Digest = None,
    not_the_agent: Annotated[
        bool, typer.Option("--not-the-agent", help="The reason lies outside the agent, and doesn't count against it.")
    ] = False,
) -> None:  # fmt: skip
    """Reject a draft, with a reason."""
    from ladder_graph.cli.screen import Screen, styled
    from ladder_graph.ladder.desk import signed_in

    person = signed_in()
    with place_of(ctx).acting() as ladder:
        view = _shown(ladder, action, digest, person)
        fault: Any = "policy" if not_the_agent else "agent"
        ladder.reject(action, by=person, reason=reason, digest=view.digest, fault=fault)
    out = Screen()
    out.line(styled(f"{out.glyphs.bad} rejected", "red").append(f" by {person.name}", "default"))


def _accepted(
    ctx: typer.Context, action: str, digest: str | None, app: str | None, *, yes: bool, question: str,
    said: dict[str, Any],
) -> None:  # fmt: skip
    """Show a draft, ask, and accept it in the way that was said."""
    from ladder_graph.cli import asking, drawing
    from ladder_graph.cli.screen import Screen
    from ladder_graph.ladder.desk import signed_in

    person = signed_in()
    with place_of(ctx).acting() as ladder:
        view = _shown(ladder, action, digest, person)
        if app is not None:
            _take_seats(ladder, app, view.draft.action.tool)
        out = Screen()
        drawing.show(out, view, ladder.clock())
        if view.draft.state != "waiting":
            raise AnswerRefused(
                f"{view.draft.by or 'somebody'} has {drawing.WORDS[view.draft.state]} this draft already"
            )
        began = time.monotonic()
        asking.confirm(f"{question}, as your act ({person.name})?", yes=yes)
        looked = 0.0 if yes else time.monotonic() - began
        shown = sum(len(change.gone) + len(change.new) for change in view.changes)
        reply = ladder.accept(
            view.draft.action.key, by=person, digest=view.digest, looked=looked, characters=shown, **said
        )  # fmt: skip
    _said(out, reply, person.name)


def _question(chosen: tuple[list[int], list[int]] | None) -> str:
    if chosen is None or not chosen[1]:
        return "Accept it"
    taken, left = (", ".join(map(str, numbers)) or "nothing" for numbers in chosen)
    return f"Accept it with change {taken}, and leave out {left}"


def _numbers(said: str | None) -> list[int]:
    """Numbers of changes, with commas.

    Raises:
        AnswerRefused: They are none.
    """
    try:
        return [int(one) for one in (said or "").replace(" ", "").split(",") if one]
    except ValueError:
        raise AnswerRefused(f"{said!r} are no numbers of changes; write them as in --take 1,3 --leave 2") from None


def _shown(ladder: Ladder, action: str, digest: str | None, person: Person) -> DraftView:
    """The draft, if it is still the one that the person has seen before."""
    view = ladder.draft(action, by=person)
    if view.withheld:
        raise AnswerRefused(view.withheld)
    if digest is not None and not (len(digest) >= SHORTEST and view.digest.startswith(digest)):
        raise DraftMoved(
            f"draft {view.draft.action.short} has the digest {view.digest[:12]}, and not {digest}; look again"
        )
    return view


SHORTEST = 8
"""Characters of a digest that are enough to name it."""


def _take_seats(ladder: Ladder, app: str, tool: str) -> None:
    from ladder_graph.cli import graphs
    from ladder_graph.inventory.finding import seats_in

    ladder.seats.update(seats_in(graphs.load(app)))
    if tool not in ladder.seats or ladder.seats[tool].host is None:
        raise UnknownQuestion(f"{app} has no tool {tool} that can run outside its graph; nothing was accepted")


def _said(out: Any, reply: Reply | None, name: str) -> None:
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
