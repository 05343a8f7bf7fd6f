"""`wrap` on `create_agent`: everything an agent can do, it can do under the ladder."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from langchain.agents import AgentState
from langchain.agents.middleware import AgentMiddleware, ToolRetryMiddleware, hook_config
from langchain.agents.structured_output import ToolStrategy
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolCallId, StructuredTool
from langgraph.cache.memory import InMemoryCache
from langgraph.prebuilt import InjectedState, InjectedStore, ToolRuntime
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command
from pydantic import BaseModel

from ladder_graph.errors import DefiniteFailure
from ladder_graph.testing import calls, says, tool_call
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, on, plain, questions, texts, told


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_six_rungs(way):
    """Each of the six does its own with a call of the same agent, side by side in one turn."""
    world = World()
    names = ["suggest", "draft", "confirm", "bounded", "read"]
    tools = [world.tool(f"do_{name}") for name in names]
    turn = says(*(tool_call(tool.name, {"x": "1"}) for tool in tools))
    rungs = {f"do_{name}": name for name in names[:3]}
    ladder = ladder_of(
        rungs | {"do_bounded": {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 3}]}, "do_read": READ}
    )
    graph = ladder.wrap(agent_of([turn, "Done."], tools))
    out = way.invoke(graph, GO, on())
    assert way.next(graph, on()) == ("confirm",)
    assert sorted(world.ran) == [("do_bounded", "1"), ("do_read", "1")]
    out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on())
    said = [text.split(":")[0] for _, text in told(out)]
    assert said == ["SUGGESTED, NOT RUN", "DRAFTED, NOT RUN", "do_confirm 1", "do_bounded 1", "do_read 1"]
    assert sorted(world.ran) == [("do_bounded", "1"), ("do_confirm", "1"), ("do_read", "1")]
    assert texts(out)[-1] == "Done."
    assert ladder.verify().ok


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_no_superstep_more(way):
    """The gate is in the edge: a wrapped agent takes as many supersteps as the plain one."""

    def steps(wrapped):
        world = World()
        agent = agent_of([says(*[tool_call("a", {"x": str(n)}) for n in range(3)]), calls("a", {"x": "z"}), "Done."],
                         [world.tool("a")])  # fmt: skip
        graph = ladder_of({"a": READ}).wrap(agent) if wrapped else agent
        parts = way.stream(graph, GO, on(), stream_mode="debug")
        return max(part["step"] for part in parts)

    assert steps(wrapped=True) == steps(wrapped=False)


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_eight_parallel_calls_answer_in_order(way):
    """However long each takes, the answers stand in the order in which the model made the calls."""
    world = World()
    tool = world.tool("a", acts=lambda x: f"a {x}")
    turn = says(*[tool_call("a", {"x": str(n)}) for n in range(8)])
    out = way.invoke(ladder_of({"a": READ}).wrap(agent_of([turn, "Done."], [tool])), GO, on())
    assert [text for _, text in told(out)] == [f"a {n}" for n in range(8)]
    assert len(world.ran) == 8


def test_the_drawing_shows_the_six_rungs():
    """Mermaid draws each rung as a node of its own, entered from the model and left for it."""
    graph = ladder_of({"a": READ}).wrap(agent_of([], [World().tool("a")]))
    drawing = graph.get_graph().draw_mermaid()
    for word in ("suggest", "draft", "confirm", "bounded", "rollback", "report"):
        assert f"\t{word}({word})\n" in drawing
        assert f"model -.-> {word};" in drawing
        assert f"{word} -.-> model;" in drawing


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_injected_state_store_and_runtime(way):
    """A tool sees the state, the store, the context and its own call as it does without the ladder."""
    seen = []

    def look(
        x: str, state: Annotated[dict, InjectedState], name: Annotated[str, InjectedState("name")],
        store: Annotated[Any, InjectedStore()], runtime: ToolRuntime[dict, dict],
        call_id: Annotated[str, InjectedToolCallId],
    ) -> str:  # fmt: skip
        """Look around."""
        seen.append(
            (sorted(state), name, store, runtime.context, runtime.tool_call_id == call_id, len(state["messages"]))
        )
        runtime.stream_writer({"looked": x})
        return runtime.config["configurable"]["thread_id"]

    class State(AgentState):
        name: str

    store = InMemoryStore()
    tool = StructuredTool.from_function(look)

    def run(wrapped):
        agent = agent_of(
            [calls("look", {"x": "1"}), "Done."], [tool], state_schema=State, context_schema=dict, store=store
        )
        graph = ladder_of({"look": READ}).wrap(agent) if wrapped else agent
        return way.invoke(graph, {**GO, "name": "Ada"}, on("t"), context={"user": "u"})

    assert plain(run(wrapped=True)["messages"]) == plain(run(wrapped=False)["messages"])
    assert seen[0] == seen[1]
    assert seen[0][1:] == ("Ada", store, {"user": "u"}, True, 2)


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_tools_that_return_commands(way):
    """A tool's Command updates the state, at each rung that runs it."""

    def remember(x: str, call_id: Annotated[str, InjectedToolCallId]) -> Command:
        """Remember it."""
        return Command(update={"name": x, "messages": [ToolMessage("kept", tool_call_id=call_id)]})

    class State(AgentState):
        name: str

    tool = StructuredTool.from_function(remember)
    for rule in (READ, "confirm"):
        agent = agent_of([calls("remember", {"x": "Ada"}), "Done."], [tool], state_schema=State)
        graph = ladder_of({"remember": rule}).wrap(agent)
        out = way.invoke(graph, GO, on())
        if rule == "confirm":
            out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on())
        assert out["name"] == "Ada"
        assert texts(out)[-1] == "Done."


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_return_direct(way):
    """A tool whose answer ends the run ends it under the ladder too; and one beside it that doesn't, doesn't."""
    world = World()
    tools = [world.tool("last", return_direct=True), world.tool("a")]
    ladder = ladder_of({"last": READ, "a": READ})
    out = way.invoke(ladder.wrap(agent_of([calls("last", {"x": "1"})], tools)), GO, on())
    assert told(out) == [("last", "last 1")]
    turn = says(tool_call("last", {"x": "1"}), tool_call("a", {"x": "2"}))
    out = way.invoke(ladder.wrap(agent_of([turn, "Done."], tools)), GO, on("2"))
    assert texts(out)[-1] == "Done."


class Rewriting(AgentMiddleware):
    """Changes the argument on the way to the tool, and notes what came back."""

    def __init__(self, to):
        super().__init__()
        self.to, self.seen = to, []

    def wrap_tool_call(self, request, handler):
        """Change it."""
        result = handler(request.override(tool_call={**request.tool_call, "args": {"x": self.to}}))
        self.seen.append(result.text)
        return result

    async def awrap_tool_call(self, request, handler):
        """Change it."""
        result = await handler(request.override(tool_call={**request.tool_call, "args": {"x": self.to}}))
        self.seen.append(result.text)
        return result


class Dynamic(AgentMiddleware):
    """Brings a tool that the agent was not made with."""

    def __init__(self, tool):
        super().__init__()
        self.tool = tool

    def wrap_model_call(self, request, handler):
        """Show it to the model."""
        return handler(request.override(tools=[*request.tools, self.tool]))

    async def awrap_model_call(self, request, handler):
        """Show it to the model."""
        return await handler(request.override(tools=[*request.tools, self.tool]))

    def wrap_tool_call(self, request, handler):
        """Run it."""
        return handler(request.override(tool=self.tool) if request.tool is None else request)

    async def awrap_tool_call(self, request, handler):
        """Run it."""
        return await handler(request.override(tool=self.tool) if request.tool is None else request)


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_retry_inside_asks_once(way):
    """A retrying middleware tries again below the gate: one question, one action, as many attempts as it takes.

    The tool says of its failures that nothing happened; else a second attempt could be a second effect.
    """
    failures = [DefiniteFailure("no"), DefiniteFailure("no")]

    def flaky(x):
        if failures:
            raise failures.pop()
        return f"at last {x}"

    world = World()
    retry = ToolRetryMiddleware(max_retries=3, initial_delay=0.0, jitter=False)
    ladder = ladder_of({"a": "confirm"})
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a", acts=flaky)], middleware=[retry]))
    way.invoke(graph, GO, on())
    out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on())
    assert told(out) == [("a", "at last 1")]
    assert len(world.ran) == 3
    assert [entry.kind for entry in ladder.log()].count("question") == 1


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_dynamic_tool_stands_on_its_rung(way):
    """A tool that middleware brings at run time is gated by its name; one that no policy names only suggests."""
    world = World()
    dynamic = Dynamic(world.tool("new"))

    def run(rungs, thread):
        ladder = ladder_of(rungs)
        graph = ladder.wrap(agent_of([calls("new", {"x": "1"}), "Done."], [world.tool("a")], middleware=[dynamic]))
        return graph, way.invoke(graph, GO, on(thread))

    graph, out = run({"new": "confirm"}, "1")
    assert world.ran == []
    out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on("1"))
    assert told(out) == [("new", "new 1")]
    _, out = run({}, "2")
    assert told(out)[0][1].startswith("SUGGESTED, NOT RUN")
    assert len(world.ran) == 1


class Jumping(AgentMiddleware):
    """Sends everything that the model said to the tools at once."""

    @hook_config(can_jump_to=["tools"])
    def after_model(self, state, runtime):
        """Jump."""
        return {"jump_to": "tools"} if state["messages"][-1].tool_calls else None


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_jump_to_the_tools_is_taken_apart(way):
    """Where middleware jumps to the tools with several calls, each is still asked about and answered by itself."""
    world = World()
    turn = says(tool_call("a", {"x": "1"}), tool_call("a", {"x": "2"}))
    ladder = ladder_of({"a": "confirm"})
    graph = ladder.wrap(agent_of([turn, "Done."], [world.tool("a")], middleware=[Jumping()]))
    out = way.invoke(graph, GO, on())
    assert way.next(graph, on()) == ("confirm", "confirm")
    ids = {asked.value["action_requests"][0]["args"]["x"]: asked.id for asked in out["__interrupt__"]}
    resume = {ids["1"]: {"type": "decline", "by": "ana", "reason": "no"}, ids["2"]: {"type": "approve", "by": "ana"}}
    out = way.invoke(graph, Command(resume=resume), on())
    assert world.ran == [("a", "2")]
    assert told(out)[0][1].startswith("DECLINED by ana: no")
    assert told(out)[1] == ("a", "a 2")
    assert texts(out)[-1] == "Done."


class Weather(BaseModel):
    """What comes out."""

    sky: str


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("strategy", [ToolStrategy(Weather), None])
def test_structured_output(way, strategy):
    """A structured answer comes out as without the ladder; it is no tool call of the agent's."""
    world = World()
    final = calls("Weather", {"sky": "blue"}) if strategy else "Done."
    turn = says(tool_call("a", {"x": "1"}))

    def run(wrapped):
        agent = agent_of([turn, final], [world.tool("a")], response_format=strategy)
        return way.invoke(ladder_of({"a": READ}).wrap(agent) if wrapped else agent, GO, on())

    out = run(wrapped=True)
    assert out.get("structured_response") == (Weather(sky="blue") if strategy else None)
    assert plain(out["messages"]) == plain(run(wrapped=False)["messages"])


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_static_breakpoints(way):
    """A breakpoint before or after the tools stops once before or after the rung, and then goes on."""
    world = World()
    for when, ran in (("interrupt_before", 0), ("interrupt_after", 1)):
        world.ran.clear()
        graph = ladder_of({"a": READ}).wrap(
            agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")], **{when: ["tools"]})
        )
        way.invoke(graph, GO, on(when))
        assert len(world.ran) == ran
        assert way.next(graph, on(when)) == (("report",) if ran == 0 else ("model",))
        out = way.invoke(graph, None, on(when))
        assert texts(out)[-1] == "Done."
        assert len(world.ran) == 1


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_breakpoints_of_one_run(way):
    """A breakpoint that a run names for the tools means the rungs, too."""
    for when, ran in (("interrupt_before", 0), ("interrupt_after", 1)):
        world = World()
        graph = ladder_of({"a": READ}).wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")]))
        way.invoke(graph, GO, on(when), **{when: ["tools"]})
        assert len(world.ran) == ran
        assert way.next(graph, on(when)) == (("report",) if ran == 0 else ("model",))
        assert texts(way.invoke(graph, None, on(when)))[-1] == "Done."


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_settings_are_kept(way):
    """Name, store, cache, transformers, recursion limit and whatever with_config bound come along."""
    store, cache = InMemoryStore(), InMemoryCache()
    agent = agent_of([calls("a", {"x": "1"}), "Done."], [World().tool("a")], store=store, cache=cache, name="worker")
    agent = agent.with_config(tags=["mine"], metadata={"team": "x"})
    graph = ladder_of({"a": READ}).wrap(agent)
    assert (graph.name, graph.store, graph.cache) == ("worker", store, cache)
    assert graph.checkpointer is agent.checkpointer
    assert graph.config["tags"] == ["mine"]
    assert graph.config["metadata"] == agent.config["metadata"]
    assert graph.config["recursion_limit"] == agent.config["recursion_limit"]
    assert list(graph.stream_transformers) == list(agent.stream_transformers)
    heard = []

    class Listener(BaseCallbackHandler):
        run_inline = True

        def on_chat_model_start(self, *args, **kwargs):
            heard.append(1)

    bound = graph.with_config(callbacks=[Listener()], tags=["more"])
    out = way.invoke(bound, GO, {**on(), "callbacks": [Listener()]})
    assert told(out) == [("a", "a 1")]  # at rung 5, so the model behind the call was seen
    assert len(heard) == 4


def test_the_given_graph_is_left_as_it_is():
    """Wrapping makes a new graph; the old one still runs its tools as before."""
    world = World()
    agent = agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")])
    nodes, branches = set(agent.builder.nodes), {k: set(v) for k, v in agent.builder.branches.items()}
    ladder_of({}).wrap(agent)
    assert set(agent.builder.nodes) == nodes
    assert {k: set(v) for k, v in agent.builder.branches.items() if v} == branches
    assert told(agent.invoke(GO, on())) == [("a", "a 1")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_editing_the_state_goes_on_as_before(way):
    """An update in the name of the tools leads back to the model, as it does without the ladder."""
    world = World()
    graph = ladder_of({"a": "confirm"}).wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")]))
    out = way.invoke(graph, GO, on())
    call_id = out["messages"][-1].tool_calls[0]["id"]
    graph.update_state(on(), {"messages": [ToolMessage("by hand", tool_call_id=call_id, name="a")]}, as_node="tools")
    assert way.next(graph, on()) == ("model",)
    assert texts(way.invoke(graph, None, on()))[-1] == "Done."
    assert world.ran == []


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_new_arguments_need_a_new_answer(way):
    """Arguments that were changed in the state while a question waited are asked about anew, whatever was answered."""
    world = World()
    ladder = ladder_of({"a": "confirm"})
    graph = ladder.wrap(agent_of([calls("a", {"x": "3"}), "Done."], [world.tool("a")]))
    out = way.invoke(graph, GO, on())
    message = out["messages"][-1]
    call = {**message.tool_calls[0], "args": {"x": "999999"}}
    graph.update_state(on(), {"messages": [message.model_copy(update={"tool_calls": [call]})]}, as_node="model")
    out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on())
    assert world.ran == []
    (question,) = questions(out)
    assert question["digest"] != ladder.pending()[0].digest
    assert ladder.pending()[1].call.arguments == {"x": "999999"}
    way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on())
    assert world.ran == [("a", "999999")]
