"""Agents and ToolNodes that a tool's or a node's code reaches by name: gated where they stand, or refused by name."""

# ruff: noqa: PLW0108  # a lambda here stands for a function that looks up a name in each call

from __future__ import annotations

import dataclasses
import functools
import sys
import types
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.prebuilt import ToolNode
from pydantic import PrivateAttr

from ladder_graph.errors import MountError
from ladder_graph.testing import ScriptedModel, calls
from tests.hosts.graphs import GO, READ, World, agent_of, ladder_of, on, raw_graph

CLERK = create_agent(ScriptedModel(answers=[]), [World().tool("send")], name="clerk")
NODE = ToolNode([World().tool("send")])


class Service:
    """Somebody's own class around an agent."""

    def __init__(self, agent: Any = CLERK) -> None:
        self.agent, self.other = agent, "something else"

    def ask(self, text):
        """Through its agent."""
        return said(self.agent, text)

    def answer(self, text):
        """By itself."""
        return text + self.other

    @property
    def clerk(self):
        """Never read while mounting."""
        raise AssertionError

    @property
    def kept(self):
        """Its agent."""
        return self.agent

    @property
    def itself(self):
        """What has an agent."""
        return self

    def prepared(self):
        """The same."""
        return self

    def through(self, holder, text):
        """Through the agent of something else."""
        return holder.agent.invoke(text)


class Child(Service):
    """Does what its parent does."""

    def ask(self, text):
        """As that does."""
        return super().ask(text)


class Slots:
    """No dict."""

    __slots__ = ("agent", "empty")

    def __init__(self) -> None:
        self.agent = CLERK


@dataclasses.dataclass
class Box:
    """A dataclass."""

    agent: Any
    service: Any = None


class Registry:
    """A class that is used as it is."""

    agent = CLERK

    @classmethod
    def ask(cls, text):
        """Through its agent."""
        return said(cls.agent, text)


module: Any = types.ModuleType("tests.hosts.clerkmod")
module.agent, module.service, module.label = CLERK, Service(), "clerk"
sys.modules[module.__name__] = module  # As it is for code that imports it when it runs.
service, slots, box = Service(), Slots(), Box(CLERK, Box(None, Service()))
registry = {"clerk": CLERK, "nested": [Service()]}
frozen = types.MappingProxyType(registry)
parts = Box(None, {"a": [Service()]})


def said(agent, text):
    """What it says."""
    return agent.invoke({"messages": [("user", text)]})["messages"][-1].text


def through(holder, text):
    """Through the agent of something else."""
    return holder.agent.invoke({"messages": [("user", text)]})


def elsewhere(name, **space):
    """A function of another module."""
    made = types.ModuleType(name)
    vars(made).update(space, __name__=name, __file__=f"/x/site-packages/{name}.py")
    exec("def helper(text):\n    return agent.invoke(text)\n", vars(made))  # noqa: S102  # there is no other way to have one
    return made.helper


@functools.lru_cache
def cached():
    """The agent."""
    return CLERK


def by_a_nested_function(x: str) -> Any:
    """Names it in a function inside."""

    def go():
        return said(CLERK, x)

    return go()


def by_an_import(x: str) -> Any:
    """Imports it when it runs."""
    from tests.hosts.clerkmod import agent

    return said(agent, x)


def closed(holder):
    """A function that closes over something."""
    return lambda x: holder.agent.invoke(x)


begun = functools.partial(through, service)


def by_a_variable(x: str) -> Any:
    """Names it in two steps."""
    held = service
    return held.agent.invoke(x)


def by_a_loop(x: str) -> Any:
    """Finds it in a container's entries."""
    return [one.agent.invoke(x) for one in parts.service.get("a", ())]


NAMED = {
    "a variable": by_a_variable,
    "an entry's entry": by_a_loop,
    "a method's result": lambda x: service.prepared().agent.invoke(x),
    "a property's attribute": lambda x: service.itself.agent.invoke(x),
    "an object that is handed to a method": lambda x: box.service.service.through(service, x),
    "a parent's method": Child().ask,
    "a partial's argument": lambda x: begun(x),
    "a class that is handed on": lambda x: [one.ask(x) for one in map(Made, (x,))],
    "a module's attribute": lambda x: said(module.agent, x),
    "an attribute's attribute": lambda x: said(module.service.agent, x),
    "a method": lambda x: service.ask(x),
    "a property": lambda x: said(service.kept, x),
    "slots": lambda x: said(slots.agent, x),
    "a dataclass": lambda x: said(box.agent, x),
    "three dots": lambda x: said(box.service.service.agent, x),
    "a dict": lambda x: said(registry["clerk"], x),
    "a read-only dict": lambda x: said(frozen["clerk"], x),
    "an object in a list in a dict": lambda x: registry["nested"][0].ask(x),
    "a class": lambda x: said(Registry.agent, x),
    "a class method that makes one": lambda x: Made.made().ask(x),
    "a class method": lambda x: Registry.ask(x),
    "a new object": lambda x: Made().ask(x),
    "a function beside it": lambda x: by_a_nested_function(x),
    "an object that is handed on": lambda x: through(service, x),
    "a cached getter": lambda x: said(cached(), x),
    "a literal name": lambda x: said(getattr(service, "agent"), x),  # noqa: B009  # as above
    "a comprehension": lambda x: [said(CLERK, one) for one in (x,)],
    "a nested function": by_a_nested_function,
    "an import": by_an_import,
    "a closure's object": closed(service),
    "a closure's module": closed(module),
    "a method of an object": service.ask,
}


class Made:
    """Takes its agent when it is made."""

    def __init__(self) -> None:
        self.agent = CLERK

    @classmethod
    def made(cls):
        """One of these."""
        return cls()

    @staticmethod
    def checked(text):
        """Makes none."""
        return text

    def ask(self, text):
        """Through it."""
        return said(self.agent, text)


def tool_of(function):
    """A tool that runs a function."""
    return StructuredTool.from_function(
        function,
        name="ask",
        description="Asks.",
        args_schema={"type": "object", "properties": {"x": {"type": "string"}}},
    )


def mounts(tool):
    """Each mount on an agent with a tool."""
    ladder = ladder_of({"ask": READ, "send": "confirm"})
    answers = [calls("ask", {"x": "1"}), "Done."]
    yield lambda: ladder.wrap(agent_of(answers, [tool]))
    yield lambda: ladder.guard(tool)
    yield lambda: agent_of(answers, [tool], middleware=ladder.middleware()).invoke(GO, on())


@pytest.mark.parametrize("way", NAMED)
def test_an_agent_that_code_names_is_refused(way):
    """Whichever way a tool's code names an agent, each mount refuses the tool by name."""
    for mount in mounts(tool_of(NAMED[way])):
        with pytest.raises(MountError, match=r"the tool ask (runs|keeps) an agent"):
            mount()


@pytest.mark.parametrize("way", NAMED)
def test_an_agent_that_a_node_names_is_refused(way):
    """So is a node."""
    builder = raw_graph([], [World().tool("a")])
    function = NAMED[way]
    builder.add_node("clerk", function)
    builder.add_edge(START, "clerk")
    with pytest.raises(MountError, match=r"the node clerk (runs|keeps) an agent"):
        ladder_of({"send": "confirm"}).wrap(builder, checkpointer=InMemorySaver())


class Tool(BaseTool):
    """A tool that is a class."""

    name: str = "ask"
    description: str = "Asks."


class Naming(Tool):
    """Its code names an agent."""

    def _run(self, x: str) -> str:
        return said(CLERK, x)


class Private(Tool):
    """It keeps an agent to itself."""

    _agent: Any = PrivateAttr(default=CLERK)

    def _run(self, x: str) -> str:
        return said(self._agent, x)


class Async(Tool):
    """Its async code names an object that has one."""

    def _run(self, x: str) -> str:
        return x

    async def _arun(self, x: str) -> Any:
        return service.ask(x)


@pytest.mark.parametrize("kind", [Naming, Private, Async])
def test_a_class_of_tools_is_looked_into(kind):
    """What the code of a class of tools names, and its private attributes, count as a function's closure does."""
    for mount in mounts(kind()):
        with pytest.raises(MountError, match=r"the tool ask .*runs an agent"):
            mount()


def test_the_way_out_works():
    """The refusal names the agent, and what it says to do is enough."""
    with pytest.raises(MountError, match=r"runs an agent, clerk, that .* put it under the ladder first"):
        next(mounts(tool_of(NAMED["a module's attribute"])))()
    ladder, world = ladder_of({"ask": READ, "send": "confirm"}), World()
    clerk = create_agent(ScriptedModel(answers=[calls("send", {"x": "1"}), "Done."]), [world.tool("send")])
    held = types.SimpleNamespace(agent=ladder.wrap(clerk, checkpointer="host"))
    ask = tool_of(lambda x: said(held.agent, x))
    assert "__interrupt__" in ladder.wrap(agent_of([calls("ask", {"x": "1"}), "Done."], [ask])).invoke(GO, on())
    assert not world.ran


def test_an_installed_program_is_ones_own():
    """What is installed counts for code of the same package, and what somebody's decorator holds counts anyway."""
    inner = elsewhere("shop.parts", agent=CLERK)
    outer = elsewhere("shop", agent=types.SimpleNamespace(invoke=inner))
    for function in (lambda x: decorated(x), outer):
        with pytest.raises(MountError, match="the tool ask runs an agent"):
            ladder_of({"ask": READ}).wrap(agent_of([], [tool_of(function)]))


def somebodys(function):
    """A decorator of a package that is installed."""
    space = {"__name__": "retries", "__file__": "/x/site-packages/retries.py"}
    exec("def around(f):\n    def call(*given):\n        return f(*given)\n    return call\n", space)  # noqa: S102  # as above
    return space["around"](function)


decorated = somebodys(NAMED["a comprehension"])

BY_HAND = {
    "a nested function": lambda state: (lambda: NODE.invoke(state))(),  # noqa: PLC3002  # it is this shape that is tried
    "a comprehension": lambda state: [NODE.invoke(one) for one in (state,)],
    "an attribute": lambda state: hands.agent.invoke(state),
    "a dict": lambda state: nodes["a"].invoke(state),
    "a function beside it": lambda state: by_hand(state),
    "an alias": functools.partial(lambda run, state: run(state), NODE.invoke),
    "a closure": closed(Box(NODE)),
}
hands, nodes = Box(NODE), {"a": NODE}


def by_hand(state):
    """Runs it."""
    return NODE.invoke(state)


@pytest.mark.parametrize("way", BY_HAND)
def test_a_tool_node_that_code_names_is_refused(way):
    """A node that runs a ToolNode by itself is refused, whichever way it names it."""
    builder = raw_graph([], [World().tool("a")])
    builder.add_node("by", BY_HAND[way])
    builder.add_edge(START, "by")
    with pytest.raises(MountError, match="the node by runs a ToolNode by itself"):
        ladder_of({}).wrap(builder, checkpointer=InMemorySaver())


def test_a_tool_node_that_is_only_looked_at():
    """A node that reads a ToolNode's list of tools runs none of them."""
    builder = raw_graph([], [World().tool("a")])
    builder.add_node("by", lambda state: {"messages": [AIMessage(", ".join(hands.agent.tools_by_name))]})
    builder.add_edge(START, "by")
    assert ladder_of({}).wrap(builder, checkpointer=InMemorySaver())


def test_an_agent_that_runs_itself():
    """An agent that its own tool runs is refused, with another way out: there is nothing to wrap first."""
    ask = tool_of(lambda x: said(itself, x))
    itself = agent_of([], [ask])
    space = types.SimpleNamespace()
    by_name = tool_of(lambda x: said(space.agent, x))
    space.agent = agent_of([], [by_name])
    ladder = ladder_of({"ask": READ})
    for mount in (ladder.wrap, ladder.shadow):
        for agent in (itself, space.agent):
            with pytest.raises(
                MountError, match="let it run what this mount returns, under a name that is bound after"
            ):
                mount(agent)


def test_an_agent_that_runs_what_the_mount_returned():
    """A name that is bound after the mount is the wrapped agent's."""
    bound, world = types.SimpleNamespace(), World()
    ask = tool_of(lambda x: said(bound.agent, x))
    ladder = ladder_of({"ask": READ, "a": READ})
    answers = [calls("ask", {"x": "1"}, id="1"), calls("a", {"x": "1"}, id="2"), "Inner.", "Outer."]
    bound.agent = ladder.wrap(agent_of(answers, [ask, world.tool("a")]))
    assert bound.agent.invoke(GO, on())["messages"][-1].text == "Outer."
    assert world.ran == [("a", "1")]
