"""The MCP server of the example, over standard input and output."""

from __future__ import annotations

from mcp.server.fastmcp import FastMCP
from mcp.types import ToolAnnotations

server = FastMCP("desk", log_level="ERROR")


@server.tool(annotations=ToolAnnotations(readOnlyHint=True, openWorldHint=False))
def look_up(order: str) -> str:
    """Look up an order."""
    return f"order {order} was shipped"


@server.tool()
def send_email(to: str, text: str) -> str:
    """Send an e-mail."""
    return f"sent to {to}: {text}"


if __name__ == "__main__":
    server.run()
