"""Tools that code in a wrapped graph calls by hand, past every tool node: refused as they begin."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import StructuredTool, Tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel, Field

from ladder_graph import reversible
from ladder_graph.errors import NotPermitted
from ladder_graph.testing import ScriptedModel, calls
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, on, raw_graph
from tests.hosts.mounts import BOUNDED, MOUNTS

RUNGS: dict[str, Any] = {"send": "confirm", "look": READ, "outer": "report"}


def sick(arguments):
    """A check that is never good."""
    return "sick"


@pytest.fixture(params=WAYS, ids=repr)
def way(request):
    """Both ways of running a graph."""
    return request.param


@pytest.fixture
def world():
    """What the tools do."""
    return World()


class Book:
    """Where code looks its tools up; no name in the code leads to them."""

    def __init__(self, world):
        self.tools = {}
        for name in ("send", "look", "odd"):
            self.tools[name] = world.tool(name)

    def __getattr__(self, name):
        return self.__dict__["tools"][name]


def beside(node, tools, answers=("Done.",)):
    """A graph with tools and a node of its author's before them."""
    builder = raw_graph(list(answers), tools)
    builder.add_node("own", node)
    builder.edges.discard((START, "agent"))
    builder.add_edge(START, "own")
    builder.add_edge("own", "agent")
    return builder.compile(checkpointer=InMemorySaver())


def by_hand(name, given):
    """A node that calls a tool by hand, and the same on an event loop."""

    def node(state, config):
        return {"messages": [AIMessage(str(config["configurable"]["book"].tools[name].invoke(given)))]}

    return node


def run(way, world, node, answers=("Done.",), rungs=RUNGS, offered=("send", "look")):
    """The result of a run in which a node of the author's comes first, with whatever tools it finds in the config."""
    book = Book(world)
    ladder = ladder_of(rungs)
    graph = ladder.wrap(beside(node, [book.tools[name] for name in offered], answers))
    return way.invoke(graph, GO, on(book=book))


def test_a_tool_of_the_ladders_that_a_node_calls_does_not_run(way, world):
    """Whatever led to it."""
    with pytest.raises(NotPermitted, match=r"send was called by hand, in the node own of ops and past .* nothing ran"):
        run(way, world, by_hand("send", {"x": "1"}))
    assert world.ran == []


def test_on_an_event_loop_too(world):
    """By its async way in."""

    async def node(state, config):
        await config["configurable"]["book"].tools["send"].ainvoke({"x": "1"})

    with pytest.raises(NotPermitted, match="by hand"):
        run(WAYS[1], world, node)
    assert world.ran == []


def test_nor_one_that_the_policy_names_and_no_tool_node_offers(way, world):
    """The policy says what needs a rung."""
    with pytest.raises(NotPermitted, match="send was called by hand"):
        run(way, world, by_hand("send", {"x": "1"}), offered=("look",))
    assert world.ran == []


def test_nor_one_that_a_tool_node_offers_and_the_policy_does_not_name(way, world):
    """Such a tool only suggests."""
    with pytest.raises(NotPermitted, match="odd was called by hand"):
        run(way, world, by_hand("odd", {"x": "1"}), offered=("send", "odd"))
    assert world.ran == []


def test_what_only_reads_and_need_not_ask_may_be_called(way, world):
    """Nothing would have held it up."""
    assert run(way, world, by_hand("look", {"x": "1"}))["messages"][1].text == "look 1"
    assert world.ran == [("look", "1")]


def test_what_only_reads_and_must_ask_may_not(way, world):
    """Somebody wants to be asked before it is read."""
    with pytest.raises(NotPermitted, match="look was called by hand"):
        run(way, world, by_hand("look", {"x": "1"}), rungs={**RUNGS, "look": {"rung": "confirm", "read_only": True}})


@pytest.mark.parametrize("why", ["bounds", "demoted"])
def test_what_only_reads_and_may_have_to_ask_may_not(way, world, why):
    """No bound of it would be looked at, and it was put down for a reason."""
    rule = {**READ, "bounds": [{"kind": "volume", "limit": 9}]} if why == "bounds" else READ
    book, ladder = Book(world), ladder_of({**RUNGS, "look": rule})
    graph = ladder.wrap(beside(by_hand("look", {"x": "1"}), [book.tools["send"], book.tools["look"]]))
    if why == "demoted":
        ladder.demote("look", to="confirm", by="ana", reason="it was wrong")
    with pytest.raises(NotPermitted, match="look was called by hand"):
        way.invoke(graph, GO, on(book=book))
    assert world.ran == []


def test_a_floor_under_everything_names_no_tool(way, world):
    """It is for what agents call."""
    run(way, world, by_hand("odd", {"x": "1"}), rungs={**RUNGS, "*": "suggest"})
    assert world.ran == [("odd", "1")]


def test_what_the_ladder_does_not_know_is_the_programs_own(way, world):
    """Code calls it, and no agent."""
    run(way, world, by_hand("odd", {"x": "1"}))
    assert world.ran == [("odd", "1")]


def test_unless_a_model_called_for_it(way, world):
    """A call with an id is a model's."""
    call = {"type": "tool_call", "id": "1", "name": "odd", "args": {"x": "1"}}
    with pytest.raises(NotPermitted, match="odd was called by hand"):
        run(way, world, by_hand("odd", call))
    assert world.ran == []


def test_its_function_may_be_called(way, world):
    """So says the refusal."""

    def node(state, config):
        config["configurable"]["book"].tools["send"].func(x="1")

    run(way, world, node)
    assert world.ran == [("send", "1")]


def test_an_agent_that_is_built_in_the_call(way, world):
    """No mount can have seen it."""

    def node(state, config):
        tools = [config["configurable"]["book"].tools["send"]]
        agent = create_agent(ScriptedModel(answers=[calls("send", {"x": "1"}), "Done."]), tools)
        return {"messages": agent.invoke(GO)["messages"][-1:]}

    with pytest.raises(NotPermitted, match=r"send was called by hand.* Wrap the agent that called it"):
        run(way, world, node)
    assert world.ran == []


# --- inside a tool, under any mount -----------------------------------------------------------------------------------


def calling(book):
    """A tool whose code calls another one by hand."""

    def outer(x: str) -> str:
        """Do more."""
        return book.tools["send"].invoke({"x": x})

    return StructuredTool.from_function(outer)


def calling_alone(book):
    """The same, without the run's callbacks."""

    def outer(x: str) -> str:
        """Do more."""
        return book.tools["send"].invoke({"x": x}, {"callbacks": []})

    return StructuredTool.from_function(outer)


def asking(book):
    """A tool whose code builds an agent and runs it."""

    def outer(x: str) -> str:
        """Do more."""
        agent = create_agent(ScriptedModel(answers=[calls("send", {"x": x}), "Done."]), [book.tools["send"]])
        return agent.invoke(GO)["messages"][-1].text

    return StructuredTool.from_function(outer)


@pytest.mark.parametrize("outer", [calling, calling_alone, asking])
@pytest.mark.parametrize("mount", MOUNTS)
def test_a_tool_that_another_tool_runs(way, world, mount, outer):
    """The permit is for the outer one alone."""
    book = Book(world)
    ladder = ladder_of({**RUNGS, "outer": BOUNDED})
    graph = MOUNTS[mount](ladder, [calls("outer", {"x": "1"}), "Done."], [outer(book), book.tools["look"]])
    result = way.invoke(graph, GO, on())
    assert "__interrupt__" not in result
    assert "send was called by hand" in result["messages"][-2].text
    assert world.ran == []


@pytest.mark.parametrize("given", ["the same", "others", "twice"])
@pytest.mark.parametrize("mount", MOUNTS)
def test_a_tool_around_another_one_of_its_name(way, world, mount, given):
    """It runs that one once, on what was allowed."""
    book = Book(world)

    def send(x: str) -> str:
        """Write it down, and send it."""
        said = book.tools["send"].invoke({"x": "2" if given == "others" else x})
        return book.tools["send"].invoke({"x": x}) if given == "twice" else said

    ladder = ladder_of({"send": BOUNDED})
    way.invoke(
        MOUNTS[mount](ladder, [calls("send", {"x": "1"}), "Done."], [StructuredTool.from_function(send)]), GO, on()
    )
    assert world.ran == ([] if given == "others" else [("send", "1")])
    assert [action.state for action in ladder.actions()] == ["done" if given == "the same" else "unknown"]


class Kind(enum.Enum):
    """An argument that JSON has no form for."""

    GIFT = "gift"


class Item(BaseModel):
    """As above; its number is filled in."""

    sku: str
    n: int = 1


def nothing():
    """Send."""


def plain(x: str):
    """Send."""


def default(x: str, cc: str = ""):
    """Send."""


def listed(x: str, cc: list[str] = ["ana"]):  # noqa: B006  # pydantic copies it
    """Send."""


def dated(when: dt.date):
    """Send."""


def chosen(kind: Kind):
    """Send."""


def nested(item: Item):
    """Send."""


def lists(items: list[Item]):
    """Send."""


def many(tags: set[str]):
    """Send."""


def number(n: float):
    """Send."""


def loose(n: Any):
    """Send."""


FORMS = [
    (nothing, {}), (plain, {"x": "1", "unknown": 2}), (default, {"x": "1"}), (listed, {"x": "1"}),
    (dated, {"when": "2026-12-24"}), (chosen, {"kind": "gift"}), (nested, {"item": {"sku": "b"}}),
    (lists, {"items": [{"sku": "b"}]}), (many, {"tags": ["a", "b"]}), (number, {"n": 3}),
]  # fmt: skip


def around(mount, form, given, hand):
    """What ran, and the state of the call, of a tool that hands on to another one of its name and form."""
    ran = []

    def inner(**said):
        ran.append(said)

    schema = StructuredTool.from_function(form).args_schema
    inside = StructuredTool.from_function(inner, name="send", description="Send.", args_schema=schema)

    def send(**said):
        return hand(inside, said)

    outer = StructuredTool.from_function(send, description="Send.", args_schema=schema)
    ladder = ladder_of({"send": BOUNDED})
    WAYS[0].invoke(MOUNTS[mount](ladder, [calls("send", given), "Done."], [outer]), GO, on())
    return ran, [str(action.state) for action in ladder.actions()]


@pytest.mark.parametrize(("form", "given"), FORMS, ids=lambda it: getattr(it, "__name__", ""))
@pytest.mark.parametrize("mount", MOUNTS)
def test_a_tool_around_another_one_hands_on_what_its_schema_made_of_the_call(mount, form, given):
    """Defaults, and what is no JSON any more; as the model wrote it, too."""
    ran, states = around(mount, form, given, lambda inside, said: inside.invoke(said))
    assert len(ran) == 1
    assert states == ["done"]
    assert around(mount, form, given, lambda inside, said: inside.invoke(dict(given))) == (ran, states)


class Held:
    """A default that nobody may copy: it says how often somebody did."""

    copies = 0

    def __deepcopy__(self, memo):
        """Count."""
        Held.copies += 1
        return self

    __copy__ = __reduce_ex__ = None


HELD = Held()


def holding(x: str, by: Any = HELD):
    """Send."""


class Renamed(BaseModel):
    """An argument that the model knows by another name than the tool's code."""

    disk: str = Field(alias="Disk")


@pytest.mark.filterwarnings("ignore:Default value")  # The model isn't told of it, which is what is wanted.
def test_what_a_tool_holds_as_a_default_is_not_copied():
    """It may be a model of gigabytes, or open a connection; it may be handed on all the same."""
    ran, states = around("wrap", holding, {"x": "1"}, lambda inside, said: inside.invoke(said))
    assert (states, Held.copies) == (["done"], 0)
    assert ran[0]["by"] is HELD


@pytest.mark.parametrize("said", [{}, {"disk": "every"}, {"Disk": "every"}])
def test_a_tool_whose_schema_renames_an_argument_hands_on_no_other(said):
    """Its code is given none of the names that the model gave, which are not nothing for that."""
    ran = []
    inside = StructuredTool.from_function(lambda **given: ran.append(given), name="send", description="Send.")
    outer = StructuredTool.from_function(
        lambda **given: inside.invoke(said), name="send", description="Send.", args_schema=Renamed
    )
    ladder = ladder_of({"send": BOUNDED})
    WAYS[0].invoke(ladder.wrap(agent_of([calls("send", {"Disk": "sda"}), "Done."], [outer])), GO, on())
    assert ran == []


@pytest.mark.parametrize(
    ("form", "given", "change"),
    [
        (default, {"x": "1"}, lambda said: said.update(cc="eve")),
        (default, {"x": "1", "cc": "ana"}, lambda said: said.pop("cc")),
        (listed, {"x": "1"}, lambda said: said["cc"].append("eve")),
        (dated, {"when": "2026-12-24"}, lambda said: said.update(when=dt.date(2026, 12, 25))),
        (nested, {"item": {"sku": "b"}}, lambda said: setattr(said["item"], "n", 99)),
        (lists, {"items": [{"sku": "b"}]}, lambda said: setattr(said["items"][0], "n", 99)),
        (many, {"tags": ["a", "b"]}, lambda said: said["tags"].add("c")),
        (loose, {"n": {"deep": [1]}}, lambda said: said["n"]["deep"].append(2)),
        (loose, {"n": 1}, lambda said: said.update(n=True)),
        (nothing, {}, lambda said: said.update(x="1")),
    ],
)
def test_and_nothing_else(form, given, change):
    """Whether another argument is put in, one is left out, or one is changed in place."""

    def hand(inside, said):
        change(said)
        return inside.invoke(said)

    assert around("wrap", form, given, hand) == ([], ["unknown"])


@pytest.mark.parametrize(
    ("form", "given", "text", "runs"),
    [
        (plain, {"x": "1"}, "1", True), (plain, {"x": "1"}, "2", False), (default, {"x": "1"}, "1", True),
        (default, {"x": "1", "cc": "ana"}, "1", False), (nothing, {}, "", True), (nothing, {}, "1", False),
    ],
)  # fmt: skip
def test_a_bare_text_is_for_the_one_argument(form, given, text, runs):
    """Where the model gave more than that, they would be left out."""
    ran = []

    def inner(*said):
        ran.append(said)

    def hand(inside, said):
        inside.func = inner
        return inside.invoke(text)

    _, states = around("wrap", form, given, hand)
    assert len(ran) == runs
    assert states == ["done" if runs else "unknown"]


@pytest.mark.parametrize("said", ["1", "2"])
def test_a_tool_with_one_unnamed_argument(said):
    """It comes by its place."""
    ran = []
    inside = Tool("send", ran.append, "Send.")
    outer = Tool("send", lambda _: inside.invoke(said), "Send.")
    graph = MOUNTS["wrap"](ladder_of({"send": BOUNDED}), [calls("send", {"__arg1": "1"}), "Done."], [outer])
    WAYS[0].invoke(graph, GO, on())
    assert ran == (["1"] if said == "1" else [])


@pytest.mark.parametrize("whose", ["ops", "ops/inner"])
def test_what_the_agent_inside_must_ask_for(way, world, whose):
    """It is put down for that one, whose tool's own code calls it, and not for the one around it."""
    book = Book(world)

    def outer(x: str) -> str:
        """Do more."""
        return book.tools["look"].invoke({"x": x})

    tools = [StructuredTool.from_function(outer), book.tools["look"]]
    builder = StateGraph(MessagesState)
    builder.add_node("inner", create_agent(ScriptedModel(answers=[calls("outer", {"x": "1"}), "Done."]), tools))
    builder.add_edge(START, "inner")
    ladder = ladder_of({"outer": BOUNDED, "look": READ})
    graph = ladder.wrap(builder.compile(checkpointer=InMemorySaver()))
    ladder.demote("look", to="confirm", by="ana", reason="it was wrong", agent=whose)
    said = way.invoke(graph, GO, on())["messages"][-2].text
    assert world.ran == ([("look", "1")] if whose == "ops" else [])
    assert ("look was called by hand, in the node bounded of ops/inner" in said) == (whose == "ops/inner")


@pytest.mark.parametrize("mount", MOUNTS)
def test_a_guarded_tool_in_an_agent_that_a_tool_builds(way, world, mount):
    """It brings its own gate with it."""
    ladder = ladder_of({**RUNGS, "outer": BOUNDED, "send": BOUNDED})
    guarded = ladder.guard(world.tool("send"))

    def outer(x: str) -> str:
        """Do more."""
        agent = create_agent(ScriptedModel(answers=[calls("send", {"x": x}), "Done."]), [guarded])
        return agent.invoke(GO)["messages"][-1].text

    tools = [StructuredTool.from_function(outer)]
    way.invoke(MOUNTS[mount](ladder, [calls("outer", {"x": "1"}), "Done."], tools), GO, on())
    assert world.ran == [("send", "1")]


def test_an_undo_may_call_tools_by_hand(way, world):
    """The ladder itself calls for it."""
    book = Book(world)

    @reversible(prepare=lambda arguments: {"x": arguments["x"]}, undo=book.tools["send"].invoke)
    def change(x: str) -> str:
        """Change something."""
        world.ran.append(("change", x))
        raise RuntimeError("half of it")

    tools = [StructuredTool.from_function(change), book.tools["send"]]
    rule = {
        "rung": "rollback",
        "bounds": [{"kind": "volume", "limit": 9}],
        "checks": [{"kind": "python", "function": f"{__name__}:sick"}],
    }
    ladder = ladder_of({"change": rule, "send": "confirm"})
    graph = ladder.wrap(raw_graph([calls("change", {"x": "1"}), "Done."], tools).compile(InMemorySaver()))
    way.invoke(graph, GO, on())
    assert world.ran == [("change", "1"), ("send", "1")]


def test_a_shadow_refuses_nothing(way, world):
    """It only looks on."""
    book = Book(world)
    ladder = ladder_of(RUNGS)
    graph = ladder.shadow(beside(by_hand("send", {"x": "1"}), [book.tools["send"]]))
    way.invoke(graph, GO, on(book=book))
    assert world.ran == [("send", "1")]
