"""What the gate costs inside a graph: the same agent under the ladder, beside it, and under LangChain's own middleware.

Each variant runs the same script on the same kind of checkpointer: `TURNS` tool calls, one a turn. What a call costs
more is said against a middleware whose `wrap_tool_call` does nothing. The ask-and-answer variants stop at each call,
are answered, and go on; LangChain's does so batched, with one question a turn, and by call. `limited` is the nearest
that LangChain has to a limit: `ToolCallLimitMiddleware`, which counts in the graph's state.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware, ToolCallLimitMiddleware
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from benchmarks.calls import RULES, TURNS, agent_of
from benchmarks.figures import Cost, Figure, interleaved, least_cpu, ratio
from ladder_graph import Ladder, answer_to

ROUNDS = 31
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


_threads = itertools.count()
"""Names of threads: no two runs have one in common, whatever they share."""


def _config() -> Any:
    return {"configurable": {"thread_id": str(next(_threads))}}


def _run(agent: Any, answer: Callable[[Any], Any] | None = None) -> None:
    config = _config()
    state = agent.invoke({"messages": "go"}, config)
    while answer is not None and "__interrupt__" in state:
        state = agent.invoke(Command(resume=answer(state["__interrupt__"][0])), config)
    _whole(state)


def _whole(state: Any) -> None:
    if len(state["messages"]) != 2 * TURNS + 2:
        raise RuntimeError(f"a run that should have made {TURNS} calls came to {len(state['messages'])} messages")


@contextmanager
def _servers(where: str) -> Iterator[Callable[[str], tuple[Any, str | Path]]]:
    """Makes a checkpointer and names a ledger, of one kind, for a variant.

    Args:
        where: `memory`, `sqlite` or `postgres`.

    Yields:
        From a variant's name to a checkpointer and the place of a ledger.
    """
    with ExitStack() as stack:
        if where == "postgres":
            from langgraph.checkpoint.postgres import PostgresSaver

            from tests.postgres import drop, new_ledger, server

            def on_a_server(name: str) -> tuple[Any, str | Path]:
                del name
                url = new_ledger()
                stack.callback(drop, url)
                saver = stack.enter_context(PostgresSaver.from_conn_string(server().get_uri()))
                saver.setup()  # All of them share it.
                return saver, url

            yield on_a_server
            return
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))

        def here(name: str) -> tuple[Any, str | Path]:
            if where == "memory":
                return InMemorySaver(), ":memory:"
            file = str(directory / f"{name}.checkpoints")
            return stack.enter_context(SqliteSaver.from_conn_string(file)), directory / f"{name}.db"

        yield here


@contextmanager
def variants(where: str) -> Iterator[dict[str, Run]]:
    """Every variant that runs as a whole, on one kind of checkpointer and ledger.

    Args:
        where: `memory`, `sqlite` or `postgres`.
    """
    with _servers(where) as place, ExitStack() as stack:

        def under(name: str, *middleware: Any) -> Any:
            return agent_of(place(name)[0], middleware)

        def wrapped(name: str) -> Any:
            saver, ledger = place(name)
            ladder = stack.enter_context(closing(Ladder(agent="bench", rungs={"act": RULES[name]}, ledger=ledger)))
            return ladder.wrap(agent_of(saver))

        limit = ToolCallLimitMiddleware[Any, Any](tool_name="act", thread_limit=10**9)
        unasked = {
            "plain": under("plain"),
            "hitl_unasked": under("quiet", HumanInTheLoopMiddleware({})),
            "limited": under("limited", limit),
            "read": wrapped("read"),
            "write": wrapped("write"),
        }
        batched = under("hitl", HumanInTheLoopMiddleware({"act": True}))
        per_call = under("per_call", HumanInTheLoopMiddleware({"act": True}, interrupt_mode="per_call"))
        ours = wrapped("asked")
        yield {
            **{name: partial(_run, agent) for name, agent in unasked.items()},
            "hitl_asked": lambda: _run(batched, lambda _: {"decisions": [{"type": "approve"}]}),
            "per_call_asked": lambda: _run(per_call, lambda asked: {asked.id: {"type": "approve"}}),
            "asked": lambda: _run(ours, lambda asked: answer_to(asked, "approve", by="bench")),
        }


@contextmanager
def on_a_loop(where: str) -> Iterator[dict[str, Run]]:
    """The variants that ask nobody, run by `ainvoke` on the async checkpointer of that kind.

    Args:
        where: `memory`, `sqlite` or `postgres`.
    """
    with _servers(where) as place, ExitStack() as stack, asyncio.Runner() as loop:
        savers = AsyncExitStack()

        def saver(name: str) -> Any:
            if where == "memory":
                return InMemorySaver()
            if where == "sqlite":
                from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

                file = Path(place(name)[1]).with_suffix(".async")
                return loop.run(savers.enter_async_context(AsyncSqliteSaver.from_conn_string(str(file))))
            from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

            from tests.postgres import server

            made = loop.run(savers.enter_async_context(AsyncPostgresSaver.from_conn_string(server().get_uri())))
            loop.run(made.setup())
            return made

        def wrapped(name: str) -> Any:
            made = Ladder(agent="bench", rungs={"act": RULES[name]}, ledger=place(name)[1])
            return stack.enter_context(closing(made)).wrap(agent_of(saver(name)))

        def run(agent: Any) -> None:
            _whole(loop.run(agent.ainvoke({"messages": "go"}, _config())))

        agents = {
            "plain": agent_of(saver("plain")),
            "hitl_unasked": agent_of(saver("quiet"), (HumanInTheLoopMiddleware({}),)),
            "read": wrapped("read"),
            "write": wrapped("write"),
        }
        try:
            yield {name: partial(run, agent) for name, agent in agents.items()}
        finally:
            loop.run(savers.aclose())


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
    figures = []
    with mounts() as agents, asyncio.Runner() as loop:

        def sync(agent: Any) -> Run:
            return lambda: _run(agent)

        def on_the_loop(agent: Any) -> Run:
            return lambda: _whole(loop.run(agent.ainvoke({"messages": "go"}, _config())))

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


def _loops(where: str, goal: float) -> Iterator[Figure]:
    """Whole runs on one kind of checkpointer, over those that they are held against."""
    with variants(where) as runs:
        costs = interleaved(runs, ROUNDS)
    yield from _to_plain(f"gate.{where}", costs, goal)
    for other, to, mine in (("hitl_asked", "hitl", None), ("per_call_asked", "per_call", 1.0)):
        for kind in ("wall", "cpu"):
            figure = ratio(costs["asked"], costs[other], kind)
            yield Figure(f"gate.{where}.asked.{kind}_to_{to}", figure, "ratio", mine)


def _to_plain(prefix: str, costs: Mapping[str, list[Cost]], goal: float) -> Iterator[Figure]:
    for name in ("read", "write", "hitl_unasked", "limited"):
        if name not in costs:
            continue
        mine = goal if name in {"read", "write"} else None
        for kind in ("wall", "cpu"):
            yield Figure(f"{prefix}.{name}.{kind}_to_plain", ratio(costs[name], costs["plain"], kind), "ratio", mine)


def measure() -> list[Figure]:
    """Every figure of the gate."""
    figures = [Figure("gate.supersteps_added", added_supersteps(), "count", 0), *_added()]
    for where in ("memory", "sqlite", "postgres"):
        try:
            figures += _loops(where, 1.3)
            with on_a_loop(where) as runs:
                figures += _to_plain(f"gate.async.{where}", interleaved(runs, ROUNDS), 1.3)
        except ImportError as missing:
            note = f"no server: {missing}"
            figures += [
                Figure(f"gate.{where}.{name}.wall_to_plain", None, "ratio", 1.3, note=note)
                for name in ("read", "write")
            ]
    return figures
