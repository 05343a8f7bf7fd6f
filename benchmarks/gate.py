"""What the gate costs inside a graph: the same agent under the ladder, beside it, and under LangChain's own middleware.

Each variant runs the same script on the same kind of checkpointer: `TURNS` tool calls, one a turn. What a call costs
more is said against a middleware whose `wrap_tool_call` does nothing. The ask-and-answer variants stop at each call,
are answered, and go on.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from benchmarks.calls import RULES, TURNS, agent_of
from benchmarks.figures import Figure, interleaved, least_cpu, ratio
from ladder_graph import Ladder

ROUNDS = 15
"""Runs of each variant that are kept."""

Run = Callable[[], object]


class Nothing(AgentMiddleware[Any, Any, Any]):
    """Wraps each tool call and does nothing about it; on resume it does nothing again."""

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """Let it through."""
        return handler(request)

    async def awrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """As `wrap_tool_call`."""
        return await handler(request)


def _config(threads: Iterator[int]) -> Any:
    return {"configurable": {"thread_id": str(next(threads))}}


def _run(agent: Any, threads: Iterator[int], resume: Any = None) -> None:
    config = _config(threads)
    state = agent.invoke({"messages": "go"}, config)
    while "__interrupt__" in state:
        state = agent.invoke(Command(resume=resume), config)
    _whole(state)


def _whole(state: Any) -> None:
    if len(state["messages"]) != 2 * TURNS + 2:
        raise RuntimeError(f"a run that should have made {TURNS} calls came to {len(state['messages'])} messages")


@contextmanager
def variants(where: str) -> Iterator[dict[str, Run]]:
    """Every variant that runs as a whole, on one kind of checkpointer and ledger.

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
            ladder = stack.enter_context(closing(Ladder(agent="bench", rungs={"act": RULES[name]}, ledger=ledger)))
            return ladder.wrap(agent_of(saver(name)))

        plain, quiet = agent_of(saver("plain")), agent_of(saver("quiet"), (HumanInTheLoopMiddleware({}),))
        asking = agent_of(saver("hitl"), (HumanInTheLoopMiddleware({"act": True}),))
        read, write, asked = (wrapped(name) for name in RULES)
        yes, named_yes = {"decisions": [{"type": "approve"}]}, {"type": "approve", "by": "bench"}
        yield {
            "plain": lambda: _run(plain, threads),
            "hitl_unasked": lambda: _run(quiet, threads),
            "read": lambda: _run(read, threads),
            "write": lambda: _run(write, threads),
            "hitl_asked": lambda: _run(asking, threads, yes),
            "asked": lambda: _run(asked, threads, named_yes),
        }


@contextmanager
def mounts() -> Iterator[dict[str, Any]]:
    """The same agent with nothing around its tool, and under the ladder by each mount, with ledgers on the disk."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))

        def ladder(name: str, rule: str) -> Ladder:
            made = Ladder(agent="bench", rungs={"act": RULES[rule]}, ledger=directory / f"{name}.{rule}.db")
            return stack.enter_context(closing(made))

        agents = {"nothing": agent_of(InMemorySaver(), (Nothing(),))}
        for rule in ("read", "write"):
            agents[f"wrap.{rule}"] = ladder("wrap", rule).wrap(agent_of(InMemorySaver()))
            middleware = ladder("middleware", rule).middleware()
            agents[f"middleware.{rule}"] = agent_of(InMemorySaver(), tuple(middleware))
        yield agents


def _added() -> list[Figure]:
    """CPU time that a call costs above a no-op `wrap_tool_call`, by each mount, sync and async."""
    figures, threads = [], itertools.count()
    with mounts() as agents, asyncio.Runner() as loop:

        def sync(agent: Any) -> Run:
            return lambda: _run(agent, threads)

        def on_the_loop(agent: Any) -> Run:
            return lambda: _whole(loop.run(agent.ainvoke({"messages": "go"}, _config(threads))))

        for way, running, goal in (("sync", sync, 250), ("async", on_the_loop, 350)):
            costs = interleaved({name: running(agent) for name, agent in agents.items()}, ROUNDS)
            floor = least_cpu(costs.pop("nothing"), TURNS)
            for name, mine in costs.items():
                note = f"above {floor:.0f} us of a turn with a no-op wrap_tool_call"
                added = least_cpu(mine, TURNS) - floor
                figures.append(Figure(f"gate.{name}.{way}.cpu_added", added, "us_cpu_added", goal, note=note))
    return figures


def supersteps(agent: Any, thread: str) -> int:
    """How many supersteps one run takes."""
    config = {"configurable": {"thread_id": thread}}
    agent.invoke({"messages": "go"}, config)
    return int(agent.get_state(config).metadata["step"])


def added_supersteps() -> int:
    """How many supersteps the gate adds to a run of a `create_agent` agent."""
    with closing(Ladder(agent="bench", rungs={"act": RULES["read"]}, ledger=":memory:")) as ladder:
        plain, wrapped = agent_of(InMemorySaver()), ladder.wrap(agent_of(InMemorySaver()))
        return supersteps(wrapped, "1") - supersteps(plain, "1")


def measure() -> list[Figure]:
    """Every figure of the gate."""
    figures = [Figure("gate.supersteps_added", added_supersteps(), "count", 0), *_added()]
    for where, goal in (("memory", 1.6), ("sqlite", 1.3)):
        with variants(where) as runs:
            costs = interleaved(runs, ROUNDS)
        plain, hitl = costs["plain"], costs["hitl_asked"]
        for name in ("read", "write", "hitl_unasked"):
            figures += [
                Figure(f"gate.{where}.{name}.wall_to_plain", ratio(costs[name], plain, "wall"), "ratio", goal),
                Figure(f"gate.{where}.{name}.cpu_to_plain", ratio(costs[name], plain, "cpu"), "ratio", goal),
            ]
        figures += [
            Figure(f"gate.{where}.asked.wall_to_hitl", ratio(costs["asked"], hitl, "wall"), "ratio", 1.0),
            Figure(f"gate.{where}.asked.cpu_to_hitl", ratio(costs["asked"], hitl, "cpu"), "ratio", 1.0),
        ]
    return figures
