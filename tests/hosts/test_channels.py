"""The channels that lead to the rungs."""

from __future__ import annotations

import pytest
from langchain_core.tools import tool

from ladder_graph.hosts.channels import NeverWritten
from ladder_graph.scale import Rung
from tests.hosts.graphs import READ, agent_of, ladder_of


@pytest.fixture
def channel():
    """One that leads to a rung."""
    made = NeverWritten(object, guard=False)
    made.key = "branch:to:somewhere"
    return made


def test_an_empty_one_is_its_own_copy(channel):
    """An update with nothing, as LangGraph makes after each copy, changes nothing."""
    assert channel.copy() is channel
    assert not channel.update([])
    assert not channel.is_available()


def test_a_full_one_is_copied(channel):
    """Whoever writes to it after all finds what LangGraph has."""
    assert channel.update([7])
    copied = channel.copy()
    assert copied is not channel
    assert copied.update([8])
    assert (channel.get(), copied.get(), copied.key, copied.guard) == (7, 8, "branch:to:somewhere", False)


def test_each_run_has_its_own(channel):
    """What a run starts from is no run's."""
    first, second = (channel.from_checkpoint(channel.checkpoint()) for _ in range(2))
    assert first is not second
    assert type(first) is NeverWritten


def test_each_rung_of_a_graph_has_one():
    """However often an edge or a tool looks at the state, none of them is copied."""

    @tool
    def look() -> str:
        """Look."""
        return "seen"

    ladder = ladder_of({"look": READ})
    graph = ladder.wrap(agent_of(["Done."], [look]))
    ladder.close()
    spared = {name for name, channel in graph.channels.items() if type(channel) is NeverWritten}
    assert spared == {f"branch:to:{rung.name.lower()}" for rung in Rung}
