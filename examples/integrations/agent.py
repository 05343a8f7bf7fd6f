"""`create_agent` under a ladder: wrapped, and the same with the ladder as middleware."""

from __future__ import annotations

import asyncio
from contextlib import closing

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver

from examples.integrations.story import RUNGS, clerk, look_up, send_email, told
from ladder_graph import Ladder


def main() -> None:
    """Run both."""
    tools = [look_up, send_email]
    with closing(Ladder(agent="ops", rungs=RUNGS, ledger=":memory:")) as ladder:
        asyncio.run(told(ladder, ladder.wrap(create_agent(clerk(), tools, checkpointer=InMemorySaver()))))
    with closing(Ladder(agent="ops", rungs=RUNGS, ledger=":memory:")) as ladder:
        agent = create_agent(clerk(), tools, middleware=ladder.middleware(), checkpointer=InMemorySaver())
        asyncio.run(told(ladder, agent))


if __name__ == "__main__":
    main()
