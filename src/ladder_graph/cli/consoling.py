"""The console: serving it, and letting people in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from ladder_graph.cli.place import find_project, place_of
from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    import socket

    from ladder_graph.ladder import Ladder

HERE = "127.0.0.1:8642"
"""Where it listens unless another address is said."""

commands = typer.Typer(help="Serve the console, and let people in.", rich_markup_mode=None)


@commands.callback(invoke_without_command=True)
def console(
    ctx: typer.Context,
    *,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where it listens.")] = HERE,
    behind: Annotated[
        str | None,
        typer.Option("--root-path", help="Where a proxy has it, as /ladder; the path of the policy's url if unsaid."),
    ] = None,
) -> None:
    """Serve the pages on which people answer, decide about drafts, read reports, and see where an agent stands.

    It prints a link that signs you in, once. Others are let in with `ladder console link NAME`. It also sends what
    people are to be told.
    """
    if ctx.invoked_subcommand is not None:
        return
    _needed()
    from ladder_graph.cli.screen import Screen
    from ladder_graph.cli.serving import taken_at

    find_project()
    with place_of(ctx).following() as ladder, taken_at(listen) as taken:
        host, port, *_ = taken.getsockname()
        url = ladder.policy.console.url
        if not _loopback(host) and url is None:
            raise LadderError(
                f"at {host} others can reach it, and it answers only by the name that the policy gives: "
                '[console] url = "https://…"'
            )
        root = (urlsplit(url or "").path if behind is None else behind).strip("/")
        root = f"/{root}" if root else ""
        at = url or f"http://{f'[{host}]' if ':' in host else host}:{port}{root}"
        _print_link(ladder, at, None)
        if not _loopback(host) and at.startswith("http://"):
            Screen().note("Over http, whoever sits on the line reads the cookies; put something with TLS before it.")
        sys.stdout.flush()  # Nothing else is printed for long, and whoever reads a pipe waits for it.
        _serve(ladder, taken, root)


@commands.command()
def link(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Whom it signs in; you, where nobody is named.")] = None,
    *,
    at: Annotated[str, typer.Option(metavar="URL", help="Where the console is, if the policy doesn't say.")] = "",
) -> None:
    """Print a link that signs somebody in to the console, once.

    Whoever has it is that person: give it to nobody else.
    """
    _needed()
    if at and not _is_address(at):
        raise LadderError(f"--at {at} is no address of a console; write it as https://ladder.example.com")
    with place_of(ctx).following() as ladder:
        _print_link(ladder, at.rstrip("/") or ladder.policy.console.url or f"http://{HERE}", name)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _print_link(ladder: Ladder, at: str, name: str | None) -> None:
    from ladder_graph.cli.screen import Screen
    from ladder_graph.console import sign_in_link
    from ladder_graph.console.rendering import span
    from ladder_graph.ladder.desk import signed_in
    from ladder_graph.wording import inert

    me = signed_in()
    whom = name or me.name
    out = Screen()
    if name is None and ladder.policy.people and whom not in ladder.policy.people:
        out.note(f"The console is at {at}.")
        out.note(f"The policy doesn't name {whom}; `ladder console link NAME` lets in somebody whom it names.")
        return
    path = sign_in_link(ladder, whom, by=me)
    # Whole on one line, however narrow the screen is: it is copied, and a link with a break in it is none.
    sys.stdout.write(f"  {inert(at)}{path}\n")
    out.note(f"It signs in {whom}, once, in the next {span(ladder.policy.console.link)}.")


def _serve(ladder: Ladder, taken: socket.socket, behind: str) -> None:
    import uvicorn

    from ladder_graph.console import create_app

    ladder.keep_telling()
    config = uvicorn.Config(
        create_app(ladder), log_config=None, access_log=False, lifespan="off", root_path=behind, ws="none",
        # Whose header counts is the policy's to say, and nobody else's.
        proxy_headers=False, server_header=False,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[taken])


def _loopback(host: str) -> bool:
    import ipaddress

    return ipaddress.ip_address(host).is_loopback


def _needed() -> None:
    """Raises where what serves isn't there."""
    from importlib.util import find_spec

    missing = [name for name in ("starlette", "jinja2", "uvicorn", "itsdangerous") if find_spec(name) is None]
    if missing:
        raise LadderError(f"the console needs {', '.join(missing)}: pip install 'ladder-graph[console]'")
