"""A `StateGraph` with a `ToolNode` under a ladder: wrap the builder, and it comes back compiled."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from examples.integrations.story import RUNGS, clerk, look_up, send_email, told
from ladder_graph import Ladder


def main() -> None:
    """Build the graph of the LangGraph tutorials, and wrap it."""
    tools = [look_up, send_email]
    model = clerk().bind_tools(tools)

    async def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("agent", ask)
    builder.add_node("tools", ToolNode(tools))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    with closing(Ladder(agent="ops", rungs=RUNGS, ledger=":memory:")) as ladder:
        asyncio.run(told(ladder, ladder.wrap(builder, checkpointer=InMemorySaver())))


if __name__ == "__main__":
    main()
