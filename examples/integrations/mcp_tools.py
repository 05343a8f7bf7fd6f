"""Tools of an MCP server under a ladder, by langchain-mcp-adapters; the server is a process of its own."""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing
from pathlib import Path

from langchain.agents import create_agent
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from langgraph.checkpoint.memory import InMemorySaver

from examples.integrations.story import RUNGS, clerk, told
from ladder_graph import Ladder

SERVER = str(Path(__file__).with_name("mcp_server.py"))


async def run(ladder: Ladder) -> None:
    """Take the server's tools, and gate them like any other."""
    client = MultiServerMCPClient({"desk": {"transport": "stdio", "command": sys.executable, "args": [SERVER]}})
    async with client.session("desk") as session:
        tools = await load_mcp_tools(session)
        agent = create_agent(clerk(), tools, checkpointer=InMemorySaver())
        await told(ladder, ladder.wrap(agent))


def main() -> None:
    """Run it."""
    with closing(Ladder(agent="ops", rungs=RUNGS, ledger=":memory:")) as ladder:
        asyncio.run(run(ladder))


if __name__ == "__main__":
    main()
