"""One process of an agent whose question another goes on with: `worker.py FOLDER ask|answer`. It prints its spans."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from ladder_graph import Ladder
from ladder_graph.testing import ScriptedModel, calls
from tests.telemetry.telling import Told


@tool
def send(to: str) -> str:
    """Send."""
    return f"sent to {to}"


def told_of(span):
    """What the test looks at."""
    return {
        "name": span.name, "state": span.attributes.get("ladder.state"), "pid": os.getpid(),
        "span": [span.context.trace_id, span.context.span_id],
        "links": [[link.context.trace_id, link.context.span_id] for link in span.links],
    }  # fmt: skip


if __name__ == "__main__":
    folder, what = Path(sys.argv[1]), sys.argv[2]
    told = Told()
    ladder = told.of(Ladder(agent="ops", rungs={"send": "confirm"}, ledger=folder / "ladder.db"))
    model = ScriptedModel(
        answers=[lambda messages: calls("send", {"to": "ben"}) if len(messages) == 1 else "Done."] * 2
    )
    value = {"messages": [("user", "Go.")]} if what == "ask" else Command(resume={"type": "approve", "by": "ana"})
    with SqliteSaver.from_conn_string(str(folder / "threads.db")) as saver:
        graph = ladder.wrap(create_agent(model, [send], checkpointer=saver))
        graph.invoke(value, {"configurable": {"thread_id": "1"}})
    print(json.dumps([told_of(span) for span in told.spans]))
