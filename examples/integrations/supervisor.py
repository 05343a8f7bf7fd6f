"""langgraph-supervisor under a ladder: each agent acts under its own name, and handing over needs no entry."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_supervisor import create_supervisor

from examples.integrations.story import RUNGS, clerk, look_up, send_email, told
from ladder_graph import Ladder
from ladder_graph.testing import ScriptedModel, calls


def main() -> None:
    """Let a supervisor set two clerks to work, one after the other."""
    clerks: list[Any] = [create_agent(clerk(), [look_up, send_email], name=name) for name in ("first", "second")]
    boss = ScriptedModel(answers=[calls("transfer_to_first", {}), calls("transfer_to_second", {}), "Both are done."])
    with closing(Ladder(agent="ops", rungs=RUNGS, ledger=":memory:")) as ladder:
        graph = ladder.wrap(create_supervisor(clerks, model=boss), checkpointer=InMemorySaver())
        asyncio.run(told(ladder, graph))


if __name__ == "__main__":
    main()
