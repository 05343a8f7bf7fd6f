"""`create_deep_agent` under a ladder: the tools of its sub-agents are gated under their names."""

from __future__ import annotations

import asyncio
from contextlib import closing

from deepagents import create_deep_agent
from langgraph.checkpoint.memory import InMemorySaver

from examples.integrations.story import RUNGS, clerk, look_up, send_email, told
from ladder_graph import Ladder
from ladder_graph.testing import ScriptedModel, calls


def main() -> None:
    """Hand the work to a sub-agent; `task` itself needs no entry."""
    boss = ScriptedModel(answers=[calls("task", {"description": "Tell her.", "subagent_type": "clerk"}), "Done."])
    agent = create_deep_agent(
        boss,
        subagents=[
            {
                "name": "clerk",
                "description": "Writes to customers.",
                "system_prompt": "You write to customers.",
                "model": clerk(),
                "tools": [look_up, send_email],
            }
        ],
        checkpointer=InMemorySaver(),
    )
    with closing(Ladder(agent="ops", rungs=RUNGS, ledger=":memory:")) as ladder:
        asyncio.run(told(ladder, ladder.wrap(agent)))


if __name__ == "__main__":
    main()
