"""A process that goes on with threads whose questions were answered, until it is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ladder_graph.cli.options import Json
from ladder_graph.cli.place import find_project, place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from ladder_graph.cli.screen import Cell
    from ladder_graph.ladder.continuing import Resumption
    from ladder_graph.resuming import Worker


def resume_worker(
    ctx: typer.Context,
    graph: Annotated[
        str | None,
        typer.Argument(
            metavar="MODULE:GRAPH",
            help="The graph under the ladder, with a checkpointer on disk or a server; or a function that makes it.",
            show_default=False,
        ),
    ] = None,
    *,
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="A LangGraph server that keeps the threads.", show_default=False)
    ] = None,
    assistant: Annotated[str, typer.Option(help="The server's assistant, or its graph.")] = "agent",
    key_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The variable that holds the server's API key.", show_default=False),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and end.")] = False,
    poll: Annotated[float, typer.Option(min=0.01, help="Seconds between two looks at what is due.")] = 0.25,
) -> None:
    """Go on with threads whose questions were answered.

    It goes on until it is stopped (SIGTERM or Ctrl+C). Any number of processes may do it; whoever dies is replaced.
    """
    from ladder_graph.cli import serving, threads

    find_project()
    if (graph is None) == (server is None):
        raise LadderError("name either the graph, as MODULE:GRAPH, or --server URL")
    with serving.spoken():
        if graph is not None:
            with threads.here(graph, poll) as worker:
                _work(worker, once=once)
            return
        place = place_of(ctx)
        with place.following() as ladder, threads.there(ladder, str(server), assistant, key_env, poll) as worker:
            _work(worker, once=once)


def _work(worker: Worker, *, once: bool) -> None:
    from ladder_graph.cli import threads

    if once:
        worker.settle()
    else:
        threads.until_stopped(worker)


def resumptions(ctx: typer.Context, *, json: Json = False) -> None:
    """List the answers that threads haven't gone on with yet."""
    from ladder_graph.cli import aftermath, screen

    with place_of(ctx).looking() as ladder:
        found, workers = ladder.resumptions(), ladder.resumers()
    if json:
        screen.document([aftermath.resumption(one) for one in found])
        return
    out = screen.Screen()
    out.gap()
    if not found:
        out.note("No answer waits for its thread.")
    else:
        out.columns([_row(one) for one in found], _HEAD, between=2)
    out.gap()
    out.note(_who(workers))
    out.gap()


_HEAD = ("question", "tool", "thread", "answer", "what happens next")


def _row(one: Resumption) -> list[Cell]:
    from ladder_graph.cli.screen import shortened, styled

    style = {"lost": "bold red"}.get(one.state, "")
    return [
        styled(one.question[:8], "bold"), one.tool, shortened(one.thread, 40), one.why,
        styled(shortened(one.words, 200), style),
    ]  # fmt: skip


def _who(workers: list[tuple[str, str]]) -> str:
    if not workers:
        return "No worker lives. `ladder resume-worker MODULE:GRAPH` goes on with threads by itself"
    return f"Threads are gone on with by {', '.join(f'{name} ({how})' for name, how in workers)}"
