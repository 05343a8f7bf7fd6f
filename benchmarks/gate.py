"""What the gate costs: the same agent without it, under it, and under LangChain's own HumanInTheLoopMiddleware.

Each variant runs the same script on the same kind of checkpointer: `CALLS` tool calls, one a turn. The ask-and-answer
variants stop at each call, are answered, and go on.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from benchmarks.figures import Figure, added_cpu, interleaved, ratio
from ladder_graph import Ladder
from ladder_graph.testing import ScriptedModel, calls

CALLS = 20
"""Tool calls in a run."""
ROUNDS = 15
"""Runs of each variant that are kept."""
PLENTY = [{"kind": "volume", "limit": 10**9}]
POLICIES: dict[str, Any] = {
    "read": {"rung": "report", "read_only": True},
    "write": {"rung": "bounded", "bounds": PLENTY},
    "asked": {"rung": "confirm"},
}
"""The rules that the one tool is run under, by variant."""

Run = Callable[[], object]


@tool
def act(n: int) -> str:
    """Do next to nothing."""
    return f"done {n}"


def _script(messages: list[BaseMessage]) -> AIMessage:
    """Call the tool `CALLS` times, then stop."""
    done = sum(message.type == "tool" for message in messages)
    return calls("act", {"n": done}) if done < CALLS else AIMessage("done")


def _agent(checkpointer: Any, middleware: tuple[Any, ...] = ()) -> Any:
    return create_agent(
        ScriptedModel(answers=[_script] * 10**5), [act], middleware=middleware, checkpointer=checkpointer
    )


def _run(agent: Any, threads: Iterator[int], resume: Any = None) -> None:
    config = {"configurable": {"thread_id": str(next(threads))}}
    state = agent.invoke({"messages": "go"}, config)
    while "__interrupt__" in state:
        state = agent.invoke(Command(resume=resume), config)
    if len(state["messages"]) != 2 * CALLS + 2:
        raise RuntimeError(f"a run that should have made {CALLS} calls came to {len(state['messages'])} messages")


@contextmanager
def variants(where: str) -> Iterator[dict[str, Run]]:
    """Every variant on one kind of checkpointer and ledger.

    Args:
        where: `memory` or `sqlite`.
    """
    threads = itertools.count()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))

        def saver(name: str) -> Any:
            if where == "memory":
                return InMemorySaver()
            return stack.enter_context(SqliteSaver.from_conn_string(str(directory / f"{name}.checkpoints")))

        def wrapped(name: str) -> Any:
            ledger = ":memory:" if where == "memory" else directory / f"{name}.db"
            ladder = Ladder(agent="bench", rungs={"act": POLICIES[name]}, ledger=ledger)
            stack.callback(ladder.close)
            return ladder.wrap(_agent(saver(name)))

        plain, quiet = _agent(saver("plain")), _agent(saver("quiet"), (HumanInTheLoopMiddleware({}),))
        asking = _agent(saver("hitl"), (HumanInTheLoopMiddleware({"act": True}),))
        read, write, asked = (wrapped(name) for name in POLICIES)
        yes, named_yes = {"decisions": [{"type": "approve"}]}, {"type": "approve", "by": "bench"}
        yield {
            "plain": lambda: _run(plain, threads),
            "hitl_unasked": lambda: _run(quiet, threads),
            "read": lambda: _run(read, threads),
            "write": lambda: _run(write, threads),
            "hitl_asked": lambda: _run(asking, threads, yes),
            "asked": lambda: _run(asked, threads, named_yes),
        }


def supersteps(agent: Any, thread: str) -> int:
    """How many supersteps one run takes."""
    config = {"configurable": {"thread_id": thread}}
    agent.invoke({"messages": "go"}, config)
    return int(agent.get_state(config).metadata["step"])


def added_supersteps() -> int:
    """How many supersteps the gate adds to a run of a `create_agent` agent."""
    ladder = Ladder(agent="bench", rungs={"act": POLICIES["read"]}, ledger=":memory:")
    plain, wrapped = _agent(InMemorySaver()), ladder.wrap(_agent(InMemorySaver()))
    added = supersteps(wrapped, "1") - supersteps(plain, "1")
    ladder.close()
    return added


def measure() -> list[Figure]:
    """Every figure of the gate."""
    figures = [Figure("gate.supersteps_added", added_supersteps(), "count", 0)]
    for where, goal in (("memory", 1.6), ("sqlite", 1.3)):
        with variants(where) as runs:
            costs = interleaved(runs, ROUNDS)
        plain, hitl = costs["plain"], costs["hitl_asked"]
        for name in ("read", "write", "hitl_unasked"):
            figures += [
                Figure(f"gate.{where}.{name}.wall_to_plain", ratio(costs[name], plain, "wall"), "ratio", goal),
                Figure(f"gate.{where}.{name}.cpu_to_plain", ratio(costs[name], plain, "cpu"), "ratio", goal),
                Figure(f"gate.{where}.{name}.cpu_added", added_cpu(costs[name], plain, CALLS), "us_cpu_added", 1000),
            ]
        figures += [
            Figure(f"gate.{where}.asked.wall_to_hitl", ratio(costs["asked"], hitl, "wall"), "ratio", 1.0),
            Figure(f"gate.{where}.asked.cpu_to_hitl", ratio(costs["asked"], hitl, "cpu"), "ratio", 1.0),
        ]
    return figures
