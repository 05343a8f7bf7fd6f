"""The tools of an MCP server, as LangChain's adapters load them, with what the server says of each."""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING

from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool
    from langchain_mcp_adapters.sessions import Connection

PATIENCE = 30.0
"""Seconds until a server that doesn't say what tools it has is given up."""


def tools_of(server: str, *, patience: float = PATIENCE) -> list[BaseTool]:
    """Ask a server for its tools. None of them is called.

    Args:
        server: The command of a server that speaks over its standard input and output, or the URL of one over HTTP. A
            command gets the small environment that MCP clients give: `env NAME=value` in front adds to it.
        patience: Seconds.

    Raises:
        LadderError: The server can't be started or reached, doesn't speak MCP, or takes too long; or the extra `mcp` is
            missing.
    """
    try:
        from langchain_mcp_adapters.tools import load_mcp_tools
    except ImportError as wrong:
        raise LadderError(f"an MCP server can't be asked: {wrong}; install 'ladder-graph[mcp]'") from None
    connection = _connection(server)

    async def ask() -> list[BaseTool]:
        async with asyncio.timeout(patience):
            return await load_mcp_tools(None, connection=connection)

    try:
        return asyncio.run(ask())
    except TimeoutError:
        raise LadderError(f"{server} has not said within {patience:g} seconds what tools it has") from None
    except Exception as wrong:  # the transports' own, several at once; whatever it is, there are no tools
        first = _first(wrong)
        raise LadderError(f"{server} can't be asked for its tools: {type(first).__name__}: {first}") from wrong


def _connection(server: str) -> Connection:
    if server.startswith(("http://", "https://")):
        return {"transport": "streamable_http", "url": server}
    try:
        command = shlex.split(server)
    except ValueError as wrong:
        raise LadderError(f"{server!r} is no command: {wrong}") from None
    if not command:
        raise LadderError('name an MCP server by its command, as in --mcp "python server.py", or by its URL')
    return {"transport": "stdio", "command": command[0], "args": command[1:]}


def _first(wrong: BaseException) -> BaseException:
    while isinstance(wrong, BaseExceptionGroup):
        wrong = wrong.exceptions[0]
    return wrong
