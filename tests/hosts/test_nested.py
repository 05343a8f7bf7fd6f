"""Finding agents inside tools: none is missed because of the order in which it is looked for."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent

from ladder_graph.hosts.nested import DEEPEST, _graphs, holds_tools
from ladder_graph.testing import ScriptedModel
from tests.hosts.graphs import World

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
