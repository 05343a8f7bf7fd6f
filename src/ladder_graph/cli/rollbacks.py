"""`ladder rollback`: what a thread did from an action on is undone, and its conversation goes on from before that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ladder_graph.cli import sagas
from ladder_graph.cli.options import Yes
from ladder_graph.cli.place import find_project, place_of

if TYPE_CHECKING:
    from ladder_graph.cli.screen import Screen
    from ladder_graph.ladder import Ladder
    from ladder_graph.ladder.rollbacks import Rollback, RollbackPlan


def rollback(
    ctx: typer.Context,
    thread: Annotated[str, typer.Argument(metavar="THREAD", help="The LangGraph thread.")],
    *,
    to: Annotated[
        str, typer.Option(metavar="ACTION", help="From which action on, that one included; its key or the beginning.")
    ],
    app: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:NAME",
            help="The compiled graph with its checkpointer, to fork the conversation too.",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; the agent reads it.", show_default=False)] = "",
    yes: Yes = False,
) -> None:
    """Undo what a thread did from an action on, and take its conversation back to before that.

    It shows the plan and asks. Exit code 1 where something still stands.
    """
    from ladder_graph.cli import asking
    from ladder_graph.cli.screen import Screen
    from ladder_graph.ladder.desk import signed_in

    find_project()
    person, out = signed_in(), Screen()
    with place_of(ctx).acting() as ladder:
        graph = None if app is None else _graph(ladder, app)
        plan = ladder.rollback_plan(thread, to=to, graph=graph)
        _plan(out, plan, forks=graph is not None)
        asking.confirm(f"Roll it back, in your name ({person.name})?", yes=yes)
        done = ladder.rollback(thread, to=plan.to, by=person, reason=reason, graph=graph)
    _said(out, done, person.name, forks=graph is not None)
    if not done.whole:
        raise typer.Exit(1)


def _graph(ladder: Ladder, app: str) -> Any:
    """The graph, whose tools may know undos that no other process could run."""
    from ladder_graph.cli import graphs
    from ladder_graph.errors import LadderError
    from ladder_graph.inventory.finding import seats_in

    graph = graphs.load(app)
    if not hasattr(graph, "update_state"):
        raise LadderError(f"{app} is no compiled graph; name the one that runs the thread, with its checkpointer")
    ladder.seats.update({name: seat for name, seat in seats_in(graph).items() if name not in ladder.seats})
    return graph


def _plan(out: Screen, plan: RollbackPlan, *, forks: bool) -> None:
    out.heading(f"Thread {plan.thread}, back to before {plan.tool}", plan.to[:12])
    for title, members in (
        ("To be undone, in this order", plan.undo), ("Nothing to undo", plan.nothing),
        ("CAN'T BE UNDONE, and stays", plan.stays), ("Running in this moment", plan.running),
    ):  # fmt: skip
        if members:
            out.note(title)
            sagas.calls(out, members)
    if plan.questions:
        out.line(f"{plan.questions} open question{'s' * (plan.questions > 1)} will be closed.")
    if plan.forked:
        out.line("The conversation was taken back before, and nothing was done since; it stays as it is.")
    elif not forks:
        out.line("The conversation stays as it is; --app MODULE:NAME takes it back, too.")
    out.gap()


def _said(out: Screen, done: Rollback, name: str, *, forks: bool) -> None:
    from ladder_graph.cli.screen import styled

    sagas.calls(out, done.members)
    good = done.whole
    sign = styled(f"{out.glyphs.good if good else out.glyphs.bad} ", "green" if good else "red")
    out.line(sign.append(f"{'rolled back' if good else 'rolled back in part'} by {name}", "default"))
    if done.forked:
        out.line(f"The conversation goes on from checkpoint {done.forked}; resume the thread without an input.")
    elif not forks and not done.again:
        out.line("The conversation was not forked: the agent doesn't know of it.")
