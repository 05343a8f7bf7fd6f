"""A real MCP server with three tools: over standard input and output, or over HTTP on a port of its own."""

from __future__ import annotations

import socket
import sys

import uvicorn
from mcp.server.fastmcp import FastMCP
from mcp.types import ToolAnnotations

server = FastMCP("tickets", log_level="ERROR")


@server.tool(annotations=ToolAnnotations(readOnlyHint=True, openWorldHint=False))
def read_ticket(number: int) -> str:
    """Read a ticket."""
    return f"{number} is open"


@server.tool(annotations=ToolAnnotations(readOnlyHint=False, destructiveHint=True))
def delete_ticket(number: int) -> str:
    """Delete a ticket."""
    return f"{number} is gone"


@server.tool()
def answer_ticket(number: int, email: str) -> str:
    """Answer a ticket by mail."""
    return f"{number} was answered to {email}"


if __name__ == "__main__":
    if sys.argv[1:] == ["http"]:
        listening = socket.create_server(("127.0.0.1", 0))
        # The port is said once connections wait in it, so nobody has to try again.
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        uvicorn.Server(uvicorn.Config(server.streamable_http_app(), log_level="error")).run([listening])
    else:
        server.run()
