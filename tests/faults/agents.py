"""Agents whose process is killed: the call of `crashing`, proposed in a real graph on a SQLite checkpointer."""

from __future__ import annotations

import os
from contextlib import contextmanager

from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from ladder_graph.testing import ScriptedModel, calls
from tests.faults.crashing import CALL, Point, answer, die, killed, lay_traps

GO = {"messages": [("user", "Write to Ana.")]}
THREAD = {"configurable": {"thread_id": "t1"}}
YES = {"type": "approve", "by": "ana"}
NO = {"type": "decline", "by": "ana", "reason": "it ran before"}
BARE = "without the ladder"
"""A way for a call to come to run: nothing stands before it."""
DURABILITIES = ("sync", "async", "exit")

NEXT = [Point("before", "next node"), Point("after", "next node")]
"""The model's turn after the tool: what the task replied is a checkpoint by then, or isn't."""


@contextmanager
def agent(place, here=None):
    """The agent in this process; it dies at the point."""
    world = place.world

    def think(messages):
        if messages[-1].type != "tool":
            # Whoever plans anew gives the same call another id, as a real model does.
            return calls(CALL.tool, CALL.arguments, id=f"call_{os.getpid()}_{len(messages)}")
        die(here, "before", "next node")
        return AIMessage("Done.")

    @tool
    def send_email(to: str) -> str:
        """Write to somebody."""
        die(here, "before", "effect")
        world.send(to, here)
        die(here, "after", "effect")
        return "sent"

    ladder = place.ladder()
    try:
        with SqliteSaver.from_conn_string(str(place.folder / "threads.db")) as saver:
            plain = create_agent(ScriptedModel(answers=[think] * 9), [send_email], checkpointer=saver)
            yield plain if place.way == BARE else ladder.wrap(plain)
    finally:
        ladder.close()


def go(place, durability, here=None, *, said=None):
    """Begin the thread, or go on with it: with an answer in band where one is given, or with what the ledger says."""
    if here is not None:
        lay_traps(here)
    with agent(place, here) as graph:
        begun = graph.get_state(THREAD)
        messages = begun.values.get("messages", [])
        if messages and messages[-1].type == "ai" and not messages[-1].tool_calls:
            return begun.values  # It had come to its end.
        # A checkpoint that has lost what came next looks like an end, too; the user asks again then.
        value = Command(resume=said) if said and begun.interrupts else None if begun.next else GO
        out = graph.invoke(value, THREAD, durability=durability)
        die(here, "after", "next node")
        return out


def die_on_the_way(place, durability, here):
    """Take the agent to its end in as many processes as it takes, each of which dies if it comes by the point.

    Returns:
        Whether one did.
    """
    if killed(go, place, durability, here):
        return True
    if place.way == "at the ledger":
        assert not killed(answer, place)
    return place.way != "unasked" and killed(_goes_on, place, durability, here)


def _goes_on(place, durability, here):
    go(place, durability, here, said=YES if place.way == "in band" else None)


def recover(place, durability):
    """Somebody finds the thread as it lies there, and takes it to its end.

    Where the conversation has lost a call that is done, Ana is asked about the same call, and remembers it.

    Returns:
        What the model was told of each call, in order.
    """
    said = YES if place.way == "in band" else None
    for _ in range(6):
        out = go(place, durability, said=said)
        if "__interrupt__" not in out:
            return [message.text for message in out["messages"] if message.type == "tool"]
        (interrupt,) = out["__interrupt__"]
        forgotten = "the very same call ran before" in interrupt.value["description"]
        said = NO if forgotten else YES if place.way == "in band" else None
        if place.way == "at the ledger" and not forgotten:
            answer(place)
    raise AssertionError("the thread doesn't come to its end")
