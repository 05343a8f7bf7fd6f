"""A real MCP server that acts on a folder: `mcp_server.py FOLDER [http] [changed]`.

Over standard input and output, or over HTTP on a port of its own. `changed` is the same server after an update.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from mcp.server.fastmcp import FastMCP
from mcp.types import ToolAnnotations

FOLDER, CHANGED = Path(*sys.argv[1:2]), "changed" in sys.argv
server = FastMCP("desk", log_level="ERROR")


def note(what: str) -> str:
    """Write down an effect."""
    with (FOLDER / "effects").open("a", encoding="utf-8") as file:
        file.write(f"{what}\n")
    return what


@server.tool(annotations=ToolAnnotations(readOnlyHint=True, openWorldHint=False))
def look(number: int) -> str:
    """Look at a ticket."""
    return note(f"look {number}")


@server.tool(description="Close a ticket, and all like it." if CHANGED else "Close a ticket.")
def close(number: int) -> str:
    """Described above."""
    return note(f"close {number}")


@server.tool(annotations=ToolAnnotations(destructiveHint=True))
def crash(number: int) -> str:
    """Act, and be gone before the answer is."""
    note(f"crash {number}")
    os._exit(3)


@server.tool()
def fail(number: int) -> str:
    """Act, and say that it went wrong."""
    note(f"fail {number}")
    raise RuntimeError("no such ticket")


if CHANGED:

    @server.tool()
    def merge(number: int) -> str:
        """Merge a ticket into another."""
        return note(f"merge {number}")


if __name__ == "__main__":
    if "http" in sys.argv:
        import uvicorn

        listening = socket.create_server(("127.0.0.1", 0))
        # The port is said once connections wait in it, so nobody has to try again.
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        uvicorn.Server(uvicorn.Config(server.streamable_http_app(), log_level="error")).run([listening])
    else:
        server.run()
