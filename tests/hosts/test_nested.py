"""Finding agents inside tools: none is missed because of the order in which it is looked for."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph.errors import MountError
from ladder_graph.hosts.nested import DEEPEST, _graphs, holds_tools
from ladder_graph.testing import ScriptedModel
from tests.hosts.graphs import World, ladder_of

GRAPH = create_agent(ScriptedModel(answers=[]), [World().tool("a")])


def buried(thing, depth):
    """The thing, so many lists deep."""
    return thing if depth == 0 else [buried(thing, depth - 1)]


@pytest.mark.parametrize("way_round", range(1, DEEPEST + 3))
@pytest.mark.parametrize("depth", range(3, DEEPEST + 1))
def test_a_way_round_hides_nothing(depth, way_round):
    """What is met first on a long way, and is cut off there, is still found on the short one."""
    holder = [GRAPH]
    assert list(_graphs([buried(holder, way_round), holder], depth)) == [GRAPH]


def test_each_graph_once_and_none_too_deep():
    """A graph that is held twice is one; what lies deeper than is looked isn't found."""
    assert list(_graphs([GRAPH, {"a": GRAPH}], DEEPEST)) == [GRAPH]
    assert holds_tools(buried(GRAPH, DEEPEST))
    assert not holds_tools(buried(GRAPH, DEEPEST + 1))


def test_an_agent_that_is_left_out_is_noticed():
    """A function that is rebuilt where half of it is out of reach, and used where all of it is in reach, is refused."""
    agent, other = (create_agent(ScriptedModel(answers=[]), [World().tool(name)]) for name in "bc")
    far = [[other]]

    def near(x):
        return agent if x else far

    a_long_way = buried(near, 3)
    the_short_way = near

    def run(x: str) -> str:
        return str((a_long_way, the_short_way))

    outer = StructuredTool.from_function(run, name="outer", description="Runs them.")
    graph = create_agent(ScriptedModel(answers=[]), [outer], checkpointer=InMemorySaver())
    with pytest.raises(MountError, match="the tool outer runs an agent that could not be gated where it is kept"):
        ladder_of({"outer": "confirm"}).wrap(graph)
