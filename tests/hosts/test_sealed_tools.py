"""Sealed copies of tools: what the original does they do, whatever kind of tool it is, and nothing past the gate."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from typing import Annotated, Any

import pytest
from langchain_core.callbacks import CallbackManagerForToolRun
from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolCallId, StructuredTool, Tool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode, ToolRuntime, tools_condition
from pydantic import BaseModel

from ladder_graph.calls import Call
from ladder_graph.errors import DefiniteFailure, MountError, NotPermitted
from ladder_graph.hosts.permit import Permit
from ladder_graph.hosts.sealing import seal_of, sealed
from ladder_graph.hosts.toolhost import tool_call_of
from ladder_graph.hosts.toolset import shown_tools
from ladder_graph.states import State
from ladder_graph.testing import calls
from ladder_graph.tools import declaration_of
from tests.hosts.graphs import GO, World, agent_of, ladder_of, model_node, on, told
from tests.hosts.mounts import BOUNDED, INNER, MOUNTS

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
        run = (
            asyncio.run(copy.ainvoke(tool_call_of(call), config))
            if asynchronous
            else copy.invoke(tool_call_of(call), config)
        )
    assert (run.content, run.artifact) == ("3 ['t'] True", [1, 2])
    assert isinstance(copy, kind)
    assert type(copy).__name__ == kind.__name__


@pytest.mark.parametrize("asynchronous", [False, True])
def test_injected_arguments_are_no_part_of_what_was_allowed(asynchronous):
    """State, runtime and call id are filled in below the gate; what a model forged in their place is dropped."""
    seen = []

    @tool
    def a(
        x: str, state: Annotated[dict, InjectedState], call_id: Annotated[str, InjectedToolCallId], runtime: ToolRuntime
    ) -> str:
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


@pytest.mark.parametrize("mount", MOUNTS)
def test_what_a_class_of_tools_keeps_in_its_fields(mount):
    """It is set before or after the mount, by others or by its own code: the copy and the original are one in this."""

    class Counter(BaseTool):
        name: str = "a"
        description: str = "Count."
        price: str = "old"
        n: int = 0

        def _run(self, x: str) -> str:
            self.n += 1
            return f"{self.price} {self.n}"

    counter = Counter()
    graph = MOUNTS[mount](ladder_of({"a": BOUNDED}), [GIVE, "Done."] * 2, [counter])
    for n, price in enumerate(("new", "newer"), 1):
        counter.price = price
        assert told(graph.invoke(GO, on(price))) == [("a", f"{price} {n}")]
    assert counter.n == 2


def test_a_sealed_copy_looks_the_same():
    """To a model a sealed tool is the same tool, and a copy of a sealed tool is as sealed, under its own name."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    original = world.tool("a")
    for copy in (sealed(original), ladder.guard(original)):
        assert shown_tools({"tools": [copy]}) == shown_tools({"tools": [original]})
        assert declaration_of(copy) is declaration_of(original)
        for other in (copy.model_copy(update={"name": "b"}), deepcopy(copy)):
            assert seal_of(other) is seal_of(copy)
            with pytest.raises(NotPermitted, match=f"{other.name} (is guarded|was called past its gate)"):
                other.invoke({"x": "1"})
    assert world.ran == []


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
