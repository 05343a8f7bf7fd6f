"""One process of an agent whose thread other processes go on with: `worker.py FOLDER STEP`.

The model answers by the length of the conversation, so that it needs no memory of its own.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from ladder_graph import Ladder

POLICY = """
agent = "ops"
ledger = "ladder.db"

[tools.read]
rung = "bounded"
bounds = [{ kind = "volume", limit = 9 }]

[tools.send]
rung = "confirm"
"""

YES = {"type": "approve", "by": "ana"}


def graph_of(folder: Path, ladder: Ladder, saver: Any) -> Any:
    """An agent that reads and sends in one turn; what it does is written to a file."""
    from langchain.agents import create_agent
    from langchain_core.tools import tool

    from ladder_graph.testing import ScriptedModel, says, tool_call

    def note(what: str) -> str:
        with (folder / "effects").open("a") as file:
            file.write(f"{what}\n")
        return what

    @tool
    def read(x: str) -> str:
        """Read."""
        return note(f"read {x}")

    @tool
    def send(to: str) -> str:
        """Send."""
        return note(f"send {to}")

    turn = says(tool_call("read", {"x": "1"}), tool_call("send", {"to": "ben"}))
    model = ScriptedModel(answers=[lambda messages: turn if len(messages) == 1 else "Done."] * 2)
    return ladder.wrap(create_agent(model, [read, send], checkpointer=saver))


def step(folder: Path, name: str) -> dict[str, Any]:
    """One step of the thread; in async steps everything is async."""
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    from langgraph.types import Command

    given: dict[str, Any] = {
        "ask": {"messages": [("user", "Go.")]}, "answer": Command(resume=YES), "resume": None,
    }  # fmt: skip
    config, value = {"configurable": {"thread_id": "1"}}, given[name.removeprefix("a_")]
    ladder, saver = Ladder(policy=folder / "ladder.toml"), str(folder / "threads.db")

    async def later() -> Any:
        async with AsyncSqliteSaver.from_conn_string(saver) as asaver:
            graph = graph_of(folder, ladder, asaver)
            return await graph.ainvoke(value, config), (await graph.aget_state(config)).next

    if name.startswith("a_"):
        out, following = asyncio.run(later())
    else:
        with SqliteSaver.from_conn_string(saver) as given_saver:
            graph = graph_of(folder, ladder, given_saver)
            out, following = graph.invoke(value, config), graph.get_state(config).next
    told = [str(m.text) for m in out["messages"] if m.type == "tool"]
    return {"next": following, "told": told, "ok": ladder.verify().ok}


def approve(folder: Path) -> dict[str, Any]:
    """Somebody else's process, which knows no graph."""
    ladder = Ladder(policy=folder / "ladder.toml")
    (question,) = ladder.pending()
    ladder.approve(question.id, by="ana")
    return {"asked": question.call.arguments}


if __name__ == "__main__":
    place, what = Path(sys.argv[1]), sys.argv[2]
    print(json.dumps(approve(place) if what == "approve" else step(place, what)))
