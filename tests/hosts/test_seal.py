"""The seal: what runs is what was allowed, once; and what became of it is known, whatever stands in between."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain.agents.middleware import ToolRetryMiddleware
from langchain_core.callbacks import CallbackManagerForToolRun
from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolCallId, StructuredTool, Tool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode, ToolRuntime, tools_condition
from langgraph.types import Command
from pydantic import BaseModel

from ladder_graph.calls import Call
from ladder_graph.errors import DefiniteFailure, MountError, NotPermitted
from ladder_graph.hosts.middleware import LadderMiddleware
from ladder_graph.hosts.permit import BY_ITSELF, Permit
from ladder_graph.hosts.sealing import seal_of, sealed
from ladder_graph.hosts.toolhost import tool_call_of
from ladder_graph.states import State
from ladder_graph.testing import calls
from ladder_graph.tools import probed_by
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, model_node, on, raw_graph, told
from tests.hosts.mounts import INNER, YES, Between, answering, putting, rewriting

BOUNDED = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 9}]}
GIVE = calls("a", {"x": "1"})


def outcome(ladder):
    """The state of the only action."""
    (action,) = ladder.actions()
    return action.state


def raising(wrong):
    """What a tool does that fails."""

    def fail(x):
        raise wrong

    return fail


# --- what runs is what was allowed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_rewritten_arguments_are_refused(mount, way):
    """Middleware that changes an argument after the approval gets nothing run, and the model reads why."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    graph = mount(ladder, [GIVE, "Done."], [world.tool("a")], rewriting(x="999"))
    way.invoke(graph, GO, on())
    out = way.invoke(graph, Command(resume=YES), on())
    assert world.ran == []
    assert "a was about to run with other arguments than those that were allowed: x." in told(out)[0][1]
    assert outcome(ladder) is State.FAILED
    assert ladder.verify().ok


@pytest.mark.parametrize("more", [{"y": 1}, {"x": 1.5}, {"x": object()}])
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_added_and_odd_arguments_are_refused(mount, more):
    """An argument more, one of another type, or one that can't be compared is another call."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    out = mount(ladder, [GIVE, "Done."], [world.tool("a")], rewriting(**more)).invoke(GO, on())
    assert world.ran == []
    assert outcome(ladder) is State.FAILED
    assert told(out)[0][1].startswith("a failed and changed nothing: a was about to run with")


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_what_rewrites_before_the_gate_is_looked_at(way):
    """Middleware outside of the gate may rewrite: the person is shown what would run, and that runs."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    graph = agent_of([GIVE, "Done."], [world.tool("a")], middleware=[rewriting(x="2"), *ladder.middleware()])
    out = way.invoke(graph, GO, on())
    assert out["__interrupt__"][0].value["action_requests"][0]["args"] == {"x": "2"}
    way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("a", "2")]


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_another_tool_in_its_place_is_refused(mount):
    """Middleware that runs another tool than the approved one gets nothing run."""
    world, ladder = World(), ladder_of({"a": BOUNDED, "b": BOUNDED})
    swap = Between(lambda request: request.override(tool=world.tool("b")))
    out = mount(ladder, [GIVE, "Done."], [world.tool("a")], swap).invoke(GO, on())
    assert world.ran == []
    assert "a was allowed, and b was about to run in its place" in told(out)[0][1]


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_an_equal_tool_in_its_place_is_sealed_too(mount, way):
    """Middleware may bring the tool itself, such as with another connection; what it runs is held against the permit."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    swap = Between(lambda request: request.override(tool=world.tool("a", acts=lambda x: f"other {x}")))
    assert told(way.invoke(mount(ladder, [GIVE, "Done."], [world.tool("a")], swap), GO, on())) == [("a", "other 1")]
    assert world.ran == [("a", "1")]


@given(
    allowed=st.dictionaries(st.sampled_from("ab"), st.integers(0, 2) | st.booleans() | st.text(max_size=1)),
    running=st.dictionaries(st.sampled_from("ab"), st.integers(0, 2) | st.booleans() | st.text(max_size=1)),
)
def test_nothing_but_the_same_arguments_runs(allowed, running):
    """For any two sets of arguments, the one runs under a permit for the other only if they are the same JSON."""
    ran = []
    anything = StructuredTool.from_function(
        lambda **given: ran.append(given), name="f", description="f", args_schema={"type": "object", "properties": {}}
    )
    same = repr(sorted(allowed.items())) == repr(sorted(running.items()))
    with Permit(Call("a", "t", "1", "f", allowed)).held():
        try:
            sealed(anything).invoke({"name": "f", "args": running, "id": "1", "type": "tool_call"})
        except NotPermitted:
            assert not same
    assert bool(ran) is same


# --- once ------------------------------------------------------------------------------------------------------------


def retry():
    """LangChain's own, without its pauses."""
    return ToolRetryMiddleware(max_retries=2, initial_delay=0.0, jitter=False)


def fails_first(world, wrong, times=1):
    """A tool that has its effect and then fails, the first times it is called."""
    left = [wrong] * times

    def act(x):
        if left:
            raise left.pop()
        return f"a {x}"

    return world.tool("a", acts=act)


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_a_retry_inside_is_refused(mount, way):
    """A second run under one approval could be a second effect: the action is in doubt after the first."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    out = way.invoke(mount(ladder, [GIVE, "Done."], [fails_first(world, OSError("gone"))], retry()), GO, on())
    assert world.ran == [("a", "1")]
    assert told(out)[0][1].startswith("a was started and failed: OSError: gone. Nobody knows whether it took effect.")
    assert outcome(ladder) is State.UNKNOWN


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
@pytest.mark.parametrize("why", ["idempotent", "only reads", "nothing happened"])
def test_a_retry_inside_that_does_no_harm(mount, way, why):
    """A tool that is idempotent, that only reads, or that says that nothing happened may be tried again."""
    world, ladder = World(), ladder_of({"a": READ if why == "only reads" else BOUNDED})
    acting = fails_first(world, DefiniteFailure("no") if why == "nothing happened" else OSError("gone"))
    if why == "idempotent":
        probed_by(idempotent=True)(acting.func)
    out = way.invoke(mount(ladder, [GIVE, "Done."], [acting], retry()), GO, on())
    assert world.ran == [("a", "1"), ("a", "1")]
    assert told(out) == [("a", "a 1")]
    assert outcome(ladder) is State.DONE


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_two_at_once_under_one_permit(mount):
    """Middleware that starts the tool twice in parallel gets one run."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    started, go_on = threading.Event(), threading.Event()

    def slow(x):
        started.set()
        go_on.wait(5)
        return f"a {x}"

    class Hedging(Between):
        def wrap_tool_call(self, request, handler):
            results = []
            space = contextvars.copy_context()
            first = threading.Thread(target=lambda: space.run(lambda: results.append(handler(request))))
            first.start()
            started.wait(5)
            with pytest.raises(NotPermitted, match="it still runs"):
                handler(request)
            go_on.set()
            first.join()
            return results[0]

    out = mount(ladder, [GIVE, "Done."], [world.tool("a", acts=slow)], Hedging()).invoke(GO, on())
    assert world.ran == [("a", "1")]
    assert told(out) == [("a", "a 1")]


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_a_permit_is_void_when_the_call_is_over(mount):
    """What middleware left behind in another thread can't run the tool later."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    refused: list[BaseException] = []
    late: list[Any] = []

    class Leaving(Between):
        def wrap_tool_call(self, request, handler):
            late.append((contextvars.copy_context(), handler, request))
            return answering("later").before(request)

    mount(ladder, [GIVE, "Done."], [world.tool("a")], Leaving()).invoke(GO, on())
    ((space, handler, request),) = late
    with pytest.raises(NotPermitted, match="used up"):
        space.run(handler, request)
    assert world.ran == refused == []


# --- what became of it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_an_answer_in_the_tools_place_is_noted(mount, way):
    """Middleware that answers by itself, such as from a cache, is done; the ledger says that the tool was not run."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    out = way.invoke(mount(ladder, [GIVE, "Done."], [world.tool("a")], answering("from the cache")), GO, on())
    assert told(out) == [("a", "from the cache")]
    assert world.ran == []
    assert outcome(ladder) is State.DONE
    assert BY_ITSELF in str([entry.body for entry in ladder.log() if entry.kind == "done"])


def _broken(request):
    raise RuntimeError("broken")


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
@pytest.mark.parametrize("between", [answering("no", status="error"), Between(_broken)], ids=["answers", "raises"])
def test_a_failure_before_the_tool_ran(mount, way, between):
    """Where the tool's own code was never entered, it is certain that nothing happened."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    way.invoke(mount(ladder, [GIVE, "Done."], [world.tool("a")], between), GO, on())
    assert world.ran == []
    assert outcome(ladder) is State.FAILED


def test_without_the_seal_nothing_is_taken_for_certain():
    """The gate alone doesn't know what other middleware runs in the tool's place; its failure stays in doubt."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    gate = LadderMiddleware(ladder)
    agent_of([GIVE, "Done."], [world.tool("a")], middleware=[gate, answering("no", status="error")]).invoke(GO, on())
    assert outcome(ladder) is State.UNKNOWN
    ladder = ladder_of({"a": BOUNDED})
    out = agent_of([GIVE, "Done."], [world.tool("a")], middleware=[LadderMiddleware(ladder), rewriting(x="9")]).invoke(
        GO, on()
    )
    assert world.ran == []
    assert "other arguments" in told(out)[0][1]


def test_arguments_that_cannot_be_injected():
    """A tool whose injected state isn't there fails before it runs, and the action is known to have had no effect."""
    ran = []

    @tool
    def a(x: str, name: Annotated[str, InjectedState("name")]) -> str:
        """Do a."""
        ran.append(x)
        return name

    ladder = ladder_of({"a": BOUNDED})
    out = ladder.wrap(agent_of([GIVE, "Done."], [a])).invoke(GO, on())
    assert told(out)[0][1].startswith("a failed and changed nothing: KeyError: 'name'.")
    assert (ran, outcome(ladder)) == ([], State.FAILED)


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize(
    ("wrong", "state"), [(DefiniteFailure("no such host"), State.FAILED), (OSError("gone"), State.UNKNOWN)]
)
def test_a_failure_that_the_tool_node_swallowed(way, wrong, state):
    """An error that the ToolNode turned into a message is still known for what it was."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    graph = raw_graph([GIVE, "Done."], [world.tool("a", acts=raising(wrong))], handle_tool_errors=True)
    out = way.invoke(ladder.wrap(graph, checkpointer=InMemorySaver()), GO, on())
    assert outcome(ladder) is state
    assert (str(wrong) in told(out)[0][1]) is True


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_a_failure_that_middleware_made_good(mount):
    """A failed tool that middleware covers up stays in doubt; one that did nothing has failed, and its stand-in stands."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    out = mount(ladder, [GIVE, "Done."], [world.tool("a", acts=raising(OSError("gone")))], putting("fine")).invoke(GO, on())
    assert told(out)[0][1].startswith("a was started and failed: OSError: gone.")
    assert outcome(ladder) is State.UNKNOWN
    ladder = ladder_of({"a": BOUNDED})
    failing = world.tool("a", acts=raising(DefiniteFailure("no")))
    out = mount(ladder, [GIVE, "Done."], [failing], putting("fine")).invoke(GO, on())
    assert [text for _, text in told(out)] == ["fine"]
    assert outcome(ladder) is State.FAILED


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_a_failure_after_the_tool_answered(mount):
    """The tool answered and middleware fell over its answer: it may well have taken effect."""
    world, ladder = World(), ladder_of({"a": BOUNDED})

    def fall(result):
        raise RuntimeError("broken")

    mount(ladder, [GIVE, "Done."], [world.tool("a")], Between(after=fall)).invoke(GO, on())
    assert world.ran == [("a", "1")]
    assert outcome(ladder) is State.UNKNOWN


def test_an_async_only_tool_in_a_sync_run():
    """A tool that only runs async says so before anything happens, and that is known."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    only_async = StructuredTool.from_function(coroutine=world.tool("a").coroutine, name="a", description="a")
    out = ladder.wrap(agent_of([GIVE, "Done."], [only_async])).invoke(GO, on())
    assert (world.ran, outcome(ladder)) == ([], State.FAILED)
    assert "does not support sync" in told(out)[0][1]


# --- sealed copies ---------------------------------------------------------------------------------------------------


def under_permit(copy, arguments, *, call_id="1", asynchronous=False):
    """Run a sealed tool as a rung would."""
    call = Call("a", "t", call_id, copy.name, arguments)
    with Permit(call).held():
        return asyncio.run(copy.ainvoke(tool_call_of(call))) if asynchronous else copy.invoke(tool_call_of(call))


class Args(BaseModel):
    """One number, and one with a default."""

    x: int
    y: int = 2


class Classy(BaseTool):
    """A tool as a class, which wants its config and its callbacks."""

    name: str = "classy"
    description: str = "Does it."
    args_schema: type[BaseModel] = Args
    response_format: str = "content_and_artifact"

    def _run(self, x: int, y: int, config: RunnableConfig, run_manager: CallbackManagerForToolRun | None = None) -> Any:
        return f"{x + y} {config['tags']} {run_manager is not None}", [x, y]


class AsyncClassy(Classy):
    """The same with an async way of its own."""

    async def _arun(self, x: int, y: int, config: RunnableConfig, run_manager: Any = None) -> Any:
        return self._run(x, y, config, run_manager)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("kind", [Classy, AsyncClassy])
def test_a_tool_that_is_a_class(kind, asynchronous):
    """A sealed copy gets its defaults, its config and its callbacks, and keeps its artifact, in sync and async."""
    call = Call("a", "t", "1", "classy", {"x": 1})
    copy = sealed(kind())
    with Permit(call).held():
        config = {"tags": ["t"]}
        run = asyncio.run(copy.ainvoke(tool_call_of(call), config)) if asynchronous else copy.invoke(tool_call_of(call), config)
    assert (run.content, run.artifact) == ("3 ['t'] True", [1, 2])
    assert isinstance(copy, kind)
    assert type(copy).__name__ == kind.__name__


@pytest.mark.parametrize("asynchronous", [False, True])
def test_injected_arguments_are_no_part_of_what_was_allowed(asynchronous):
    """State, runtime and call id are filled in below the gate; what a model forged in their place is dropped."""
    seen = []

    @tool
    def a(x: str, state: Annotated[dict, InjectedState], call_id: Annotated[str, InjectedToolCallId], runtime: ToolRuntime) -> str:
        """Do a."""
        seen.append((x, len(state["messages"]), call_id, runtime.tool_call_id))
        return x

    ladder = ladder_of({"a": BOUNDED})
    forged = calls("a", {"x": "1", "state": {"messages": []}, "runtime": 3}, id="c")
    graph = ladder.wrap(agent_of([forged, "Done."], [a]))
    out = asyncio.run(graph.ainvoke(GO, on())) if asynchronous else graph.invoke(GO, on())
    assert told(out) == [("a", "1")]
    assert seen == [("1", 2, "c", "c")]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_tools_of_other_kinds(asynchronous):
    """Old single-input tools, tools with a plain JSON Schema and tools without arguments can be sealed."""
    old = sealed(Tool("old", lambda text: text.upper(), "Old."))
    assert under_permit(old, {"__arg1": "x"}, asynchronous=asynchronous).text == "X"
    schema = {"type": "object", "properties": {"x": {"type": "string"}}}
    remote = sealed(StructuredTool.from_function(lambda x: x, name="remote", description="Remote.", args_schema=schema))
    assert under_permit(remote, {"x": "1"}, asynchronous=asynchronous).text == "1"
    assert under_permit(sealed(tool(_nothing)), {}, asynchronous=asynchronous).text == "nothing"


def _nothing() -> str:
    """Do nothing."""
    return "nothing"


def test_the_original_is_left_alone():
    """Sealing makes a copy: the tool itself still runs wherever it did."""
    world = World()
    original = world.tool("a", return_direct=True)
    copy = sealed(original)
    assert copy.return_direct
    assert original.invoke({"x": "1"}) == "a 1"
    assert seal_of(original) is None
    assert seal_of(copy).tool is original
    assert sealed(copy) is copy


def test_past_the_gate():
    """A sealed tool that nobody allowed raises, by whichever way it is called."""
    world = World()
    copy = sealed(world.tool("a"))
    for call in (
        lambda: copy.invoke({"x": "1"}),
        lambda: copy.run({"x": "1"}),
        lambda: copy._run(x="1", config={}),
        lambda: asyncio.run(copy.ainvoke({"x": "1"})),
        lambda: asyncio.run(copy._arun(x="1", config={})),
    ):
        with pytest.raises(NotPermitted):
            call()
    assert world.ran == []


def test_a_permit_is_for_arguments_and_not_for_a_text():
    """A bare text in the place of arguments isn't what was allowed."""
    with Permit(Call("a", "t", "1", "old", {"__arg1": "x"})).held(), pytest.raises(NotPermitted, match="bare text"):
        sealed(Tool("old", str.upper, "Old.")).run("x")


def test_a_tool_with_a_way_in_of_its_own():
    """A class that overrides `invoke` can't be checked from outside, and is refused by name."""

    class Odd(Classy):
        """Runs past LangChain."""

        def invoke(self, *args, **kwargs):
            return "odd"

    with pytest.raises(MountError, match=r"classy \(Odd\) has a way in of its own \(invoke\)"):
        sealed(Odd())


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_a_tool_that_calls_another_by_hand(mount):
    """The tools that a tool finds in its runtime are sealed: what it calls past the gate doesn't run."""
    world, ladder = World(), ladder_of({"a": BOUNDED, "b": "suggest"})
    raised = []

    @tool
    def a(x: str, runtime: ToolRuntime) -> str:
        """Do a, by way of b."""
        (other,) = [found for found in runtime.tools if found.name == "b"]
        try:
            return str(other.invoke({"x": x}))
        except NotPermitted as wrong:
            raised.append(wrong)
            return "could not"

    out = mount(ladder, [GIVE, "Done."], [a, world.tool("b")]).invoke(GO, on())
    assert told(out) == [("a", "could not")]
    assert world.ran == []
    assert "past its gate" in str(raised[0])


def test_a_tool_node_with_a_config_around_it():
    """A ToolNode that stands in a config of its author's is sealed inside it."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    tools = [world.tool("a")]
    builder = StateGraph(MessagesState)
    builder.add_node("agent", model_node([GIVE, "Done."], tools))
    builder.add_node("tools", ToolNode(tools).with_config(tags=["mine"]))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    graph = ladder.wrap(builder, checkpointer=InMemorySaver())
    assert told(graph.invoke(GO, on())) == [("a", "a 1")]
    assert graph.builder.nodes["bounded"].runnable.mount.node.config["tags"] == ["mine"]
    assert outcome(ladder) is State.DONE


def test_an_accepted_draft_runs_under_a_permit():
    """A draft that a person accepts runs its tool outside of the graph, under the seal like any other."""
    world, ladder = World(), ladder_of({"a": "draft"})
    ladder.wrap(agent_of([GIVE, "Done."], [world.tool("a", acts=raising(DefiniteFailure("no")))])).invoke(GO, on())
    reply = ladder.accept(ladder.actions()[0].key, by="ana")
    assert reply.state is State.FAILED
    assert world.ran == [("a", "1")]


def test_two_messages_for_one_call():
    """A tool message that the tool makes itself comes through."""
    ladder = ladder_of({"a": BOUNDED})

    @tool
    def a(x: str, call_id: Annotated[str, InjectedToolCallId]) -> ToolMessage:
        """Do a."""
        return ToolMessage(f"made {x}", name="a", tool_call_id=call_id)

    assert told(ladder.wrap(agent_of([GIVE, "Done."], [a])).invoke(GO, on())) == [("a", "made 1")]
