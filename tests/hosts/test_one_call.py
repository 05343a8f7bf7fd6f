"""A call that comes to its rung runs there, and no thread is started for it; off an event loop in one visit."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import ContextVar

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.tools import BaseTool, StructuredTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import ToolNode
from langgraph.runtime import Runtime

from ladder_graph import Ladder
from ladder_graph.hosts.one_call import leaves_the_loop, runs_here
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from tests.hosts.graphs import GO, READ

SEEN: ContextVar[str] = ContextVar("seen", default="nothing")


@tool
def whereabouts() -> str:
    """Tell the thread it runs in."""
    return str(threading.get_ident())


@pytest.fixture
def answers():
    """What a wrapped agent's tool answers; it is asked as often as there are turns."""
    opened = []

    def run(made, *names):
        script = [*(calls(name, {}) for name in names or (made.name,)), "Done."]
        opened.append(ladder := Ladder(agent="shop", rungs={made.name: READ}, ledger=":memory:"))
        graph = ladder.wrap(create_agent(ScriptedModel(answers=script), [made], checkpointer=InMemorySaver()))
        messages = graph.invoke(GO, {"configurable": {"thread_id": "1"}})["messages"]
        return [message.text for message in messages if message.type == "tool"]

    yield run
    for ladder in opened:
        ladder.close()


def test_a_call_runs_in_the_thread_of_its_rung(answers):
    """Which is the caller's, where nothing else runs beside it."""
    assert answers(whereabouts) == [str(threading.get_ident())]


def test_calls_that_came_together_still_run_side_by_side():
    """Each of them is a task of its own, and LangGraph gives it a thread."""
    met = threading.Barrier(2, timeout=20)

    @tool
    def meet(n: int) -> str:
        """Wait for the other one."""
        met.wait()
        return f"met {n}"

    script = [says(*(tool_call("meet", {"n": n}) for n in (1, 2))), "Done."]
    with closing(Ladder(agent="shop", rungs={"meet": READ}, ledger=":memory:")) as ladder:
        graph = ladder.wrap(create_agent(ScriptedModel(answers=script), [meet], checkpointer=InMemorySaver()))
        messages = graph.invoke(GO, {"configurable": {"thread_id": "1"}})["messages"]
    assert [message.text for message in messages if message.type == "tool"] == ["met 1", "met 2"]


def test_what_a_tool_sets_in_its_context_stays_with_that_call(answers):
    """As it does in a thread of a pool."""

    @tool
    def remember() -> str:
        """Tell what was remembered, and remember something else."""
        found = SEEN.get()
        SEEN.set("what the first call set")
        return found

    assert answers(remember, "remember", "remember") == ["nothing", "nothing"]
    assert SEEN.get() == "nothing"


def test_what_middleware_sets_in_its_context_stays_with_that_call():
    """It wraps the call in the same thread."""

    def wrap(request, run):
        SEEN.set("what middleware set")
        return run(request)

    node = ToolNode([whereabouts], wrap_tool_call=wrap)
    call = {"name": "whereabouts", "args": {}, "id": "call_1", "type": "tool_call"}
    found = runs_here(node._func)([call], {}, Runtime())["messages"]
    assert [message.content for message in found] == [str(threading.get_ident())]
    assert SEEN.get() == "nothing"


def test_under_an_event_loop_it_has_a_thread_without_one(answers):
    """As in a notebook, where a tool that runs a loop of its own would fail in the same thread."""

    @tool
    def own_loop() -> str:
        """Run an event loop."""

        async def inside() -> str:
            return str(threading.get_ident())

        return asyncio.run(inside())

    async def notebook():
        return answers(own_loop)

    (ran,) = asyncio.run(notebook())
    assert ran.isdigit()
    assert ran != str(threading.get_ident())


def test_what_a_tool_raises_comes_to_whoever_handles_it():
    """Nothing of it is lost on the shorter way."""

    @tool
    def fail() -> str:
        """Fail."""
        raise ValueError("no stock")

    node = ToolNode([fail], handle_tool_errors=False)
    runtime, call = Runtime(), {"name": "fail", "args": {}, "id": "call_1", "type": "tool_call"}
    with pytest.raises(ValueError, match="no stock"):
        runs_here(node._func)([call], {}, runtime)


def test_several_calls_at_once_have_a_pool():
    """A ToolNode that is handed more than one call runs them as ever."""
    node = ToolNode([whereabouts])
    several = [{"name": "whereabouts", "args": {}, "id": f"call_{n}", "type": "tool_call"} for n in range(2)]
    found = runs_here(node._func)(several, {}, Runtime())["messages"]
    assert [message.tool_call_id for message in found] == ["call_0", "call_1"]
    assert str(threading.get_ident()) not in {message.content for message in found}


def test_somebodys_own_entry_point_is_left_alone():
    """Whether it starts threads is its author's affair."""

    class Own(ToolNode):
        def _func(self, input, config, runtime):  # noqa: A002  # LangGraph's name
            return super()._func(input, config, runtime)

    node = Own([whereabouts])
    assert runs_here(node._func) == node._func
    assert runs_here(print) is print


@pytest.fixture
def visits(monkeypatch):
    """The visits to other threads that are made for something, by the names of the pools."""
    made = []
    submit = ThreadPoolExecutor.submit

    def counted(self, *args, **kwargs):
        made.append(self._thread_name_prefix)
        return submit(self, *args, **kwargs)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", counted)
    return made


def sync_act(n: int) -> str:
    """Act."""
    return f"acted {n}"


async def async_act(n: int) -> str:
    """Act."""
    return f"acted {n}"


@pytest.mark.parametrize(("made", "more"), [(sync_act, 0), (async_act, 2)])
@pytest.mark.parametrize("rung", [READ, {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 99}]}])
def test_an_async_turn_s_visits_to_other_threads(made, more, rung, visits, tmp_path):
    """A sync tool's makes as many as without the ladder; an async one's makes two more, to claim and to record."""
    turns = 6

    def visited(under):
        agent = under(create_agent(ScriptedModel(answers=script), [made], checkpointer=InMemorySaver()))

        async def run():
            steps = agent.astream(GO, {"configurable": {"thread_id": "1"}}, stream_mode="values")
            return [len(visits) async for _ in steps]

        counts = asyncio.run(run())
        return counts[-1] - counts[4]  # By the second turn all is known that a first one has to look up.

    script = [*(calls(made.__name__, {"n": n}) for n in range(turns)), "Done."]
    plain = visited(lambda agent: agent)
    with closing(Ladder(agent="shop", rungs={made.__name__: rung}, ledger=tmp_path / "ladder.db")) as ladder:
        assert visited(ladder.wrap) - plain == more * (turns - 2)


def test_a_tool_that_runs_partly_on_the_loop_stays_there():
    """A class of tools that isn't async leaves the loop with its last step alone, and its callbacks don't."""

    class Own(BaseTool):
        name: str = "own"
        description: str = "Own."

        def _run(self) -> str:
            return "ran"

    class Listener(AsyncCallbackHandler):
        async def on_tool_start(self, *args, **kwargs):
            loops.append(asyncio.get_running_loop())

    async def run():
        await graph.ainvoke(GO, {"configurable": {"thread_id": "1"}, "callbacks": [Listener()]})
        return asyncio.get_running_loop()

    loops = []
    script = [calls("own", {}), "Done."]
    with closing(Ladder(agent="shop", rungs={"own": READ}, ledger=":memory:")) as ladder:
        graph = ladder.wrap(create_agent(ScriptedModel(answers=script), [Own()], checkpointer=InMemorySaver()))
        assert [asyncio.run(run())] == loops


def test_middleware_around_an_async_graphs_tool_stays_on_the_loop():
    """The ToolNode runs it there, whatever the tool is."""
    seen = []

    class Around(AgentMiddleware):
        def wrap_tool_call(self, request, handler):
            raise AssertionError("an async graph has no use for it")

        async def awrap_tool_call(self, request, handler):
            seen.append(asyncio.get_running_loop())
            return await handler(request)

    async def run():
        await graph.ainvoke(GO, {"configurable": {"thread_id": "1"}})
        return asyncio.get_running_loop()

    script = [calls("whereabouts", {}), "Done."]
    with closing(Ladder(agent="shop", rungs={"whereabouts": READ}, ledger=":memory:")) as ladder:
        agent = create_agent(
            ScriptedModel(answers=script), [whereabouts], middleware=[Around()], checkpointer=InMemorySaver()
        )
        graph = ladder.wrap(agent)
        assert [asyncio.run(run())] == seen


def test_somebodys_own_way_of_running_is_left_on_the_loop():
    """A ToolNode or a tool with an async entry point of its own is run by it."""

    class OwnNode(ToolNode):
        async def _afunc(self, input, config, runtime):  # noqa: A002  # LangGraph's name
            return await super()._afunc(input, config, runtime)

    class Signed(ToolNode):
        async def ainvoke(self, *args, **kwargs):
            return await super().ainvoke(*args, **kwargs)

    class OwnTool(StructuredTool):
        async def ainvoke(self, *args, **kwargs):
            return await super().ainvoke(*args, **kwargs)

    own = OwnTool.from_function(sync_act, name="own")
    made = StructuredTool.from_function(sync_act)
    assert leaves_the_loop(ToolNode([made]), made)
    assert not leaves_the_loop(OwnNode([made]), made)
    assert not leaves_the_loop(Signed([made]), made)
    assert not leaves_the_loop(ToolNode([own]), own)
    assert not leaves_the_loop(ToolNode([made], wrap_tool_call=lambda request, run: run(request)), made)
    assert not leaves_the_loop(ToolNode([made]), None)
