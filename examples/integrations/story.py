"""What the examples share: two tools, a person who answers, and a look at the ledger afterwards."""

from __future__ import annotations

from typing import Any

from langchain_core.tools import tool
from langgraph.types import Command

from ladder_graph import Ladder
from ladder_graph.testing import ScriptedModel, calls

RUNGS = {"look_up": "bounded", "send_email": "confirm"}
"""`look_up` runs unasked, a hundred times a day; a person is asked about each e-mail."""


@tool
def look_up(order: str) -> str:
    """Look up an order."""
    return f"order {order} was shipped"


@tool
def send_email(to: str, text: str) -> str:
    """Send an e-mail."""
    return f"sent to {to}: {text}"


def clerk(*, last: Any = "The customer knows.") -> ScriptedModel:
    """A model that looks up an order, writes to the customer, and says or does one thing more.

    Put a model of your own in its place, such as `"openai:gpt-5"`.

    Args:
        last: What it says at the end, or a turn that hands over.
    """
    mail = {"to": "ana@shop.example", "text": "Order 7 was shipped."}
    return ScriptedModel(answers=[calls("look_up", {"order": "7"}), calls("send_email", mail), last])


async def told(ladder: Ladder, graph: Any) -> None:
    """Run the graph, answer whatever it asks with yes, and print what happened.

    Args:
        ladder: The ladder that the graph is under.
        graph: The graph.
    """
    config: dict[str, Any] = {"configurable": {"thread_id": "1"}}
    out = await graph.ainvoke({"messages": [("user", "Tell the customer of order 7.")]}, config)
    while asked := out.get("__interrupt__", []):
        for question in ladder.pending():
            print(f"{question.call.agent} asks for {question.call.tool} {question.call.arguments}; ana says yes")
        out = await graph.ainvoke(Command(resume={one.id: {"type": "approve", "by": "ana"} for one in asked}), config)
    print(f"the agent: {out['messages'][-1].text}")
    for action in ladder.actions():
        print(f"ledger: {action.agent:<16} {action.tool:<18} rung {action.rung.word:<8} {action.state}")
    print("each entry is as it was written" if ladder.verify().ok else "the ledger was changed")
