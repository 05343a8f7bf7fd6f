"""Options that several commands take, in the same words everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

MOST = 1_000_000
"""How many of anything are listed at most."""


def words(text: str) -> str:
    """What an agent shall read, without the blanks around it.

    Args:
        text: As it was given.

    Raises:
        typer.BadParameter: It is blank.
    """
    if not (said := text.strip()):
        raise typer.BadParameter("it is blank; the agent reads it, and acts by it")
    return said


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask; for scripts.")]
All = Annotated[bool, typer.Option("--all", help="Those that are dealt with, too.")]
App = Annotated[
    str | None,
    typer.Option(
        metavar="MODULE:NAME", help="The graph, the ladder around it, or a list of tools.", show_default=False
    ),
]
Mcp = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COMMAND|URL",
        help='An MCP server whose tools to look at, as "python server.py" or a URL. Repeatable.',
        show_default=False,
    ),
]
ActionId = Annotated[str, typer.Argument(metavar="ACTION", help="The action's key, or the beginning of it.")]
