"""langgraph-swarm under a ladder: an agent works, and hands over to the next."""

from __future__ import annotations

import asyncio
from contextlib import closing

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_swarm import create_handoff_tool, create_swarm

from examples.integrations.story import RUNGS, clerk, look_up, send_email, told
from ladder_graph import Ladder
from ladder_graph.testing import calls


def main() -> None:
    """Let one clerk hand over to another."""
    tools = [look_up, send_email]
    over = calls("transfer_to_second", {})
    first = create_agent(clerk(last=over), [*tools, create_handoff_tool(agent_name="second")], name="first")
    second = create_agent(clerk(), tools, name="second")
    with closing(Ladder(agent="ops", rungs=RUNGS, ledger=":memory:")) as ladder:
        swarm = create_swarm([first, second], default_active_agent="first")
        asyncio.run(told(ladder, ladder.wrap(swarm, checkpointer=InMemorySaver())))


if __name__ == "__main__":
    main()
