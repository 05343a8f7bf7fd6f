"""Agents near a tool's code, which doesn't name them: no reason to refuse it, and nothing of what is there is run."""

# ruff: noqa: PLW0108  # a lambda here stands for a function that looks up a name in each call

from __future__ import annotations

import collections.abc
import types
from typing import Any

import pytest
from pydantic import BaseModel, PrivateAttr

from ladder_graph.hosts.contents import MOST
from tests.hosts.graphs import READ, agent_of, ladder_of
from tests.hosts.test_hidden_agents import CLERK, Made, Service, elsewhere, module, service, slots, tool_of


class Proxy:
    """What stands for something that isn't there yet, as a web framework's request."""

    @property
    def __class__(self):
        raise RuntimeError("outside of a request")

    @property
    def __dict__(self):
        raise RuntimeError("outside of a request")

    def __getattr__(self, name):
        raise RuntimeError("outside of a request")


web = types.SimpleNamespace(
    request=Proxy(), lazy=type("Lazy", (), {"request": Proxy()})()
)  # Not by itself: whoever collects tests looks at each global.
settings, record = types.SimpleNamespace(agent=CLERK, settings={"a": "x"}), types.SimpleNamespace(agent="somebody")
many = {str(number): number for number in range(10 * MOST)}

helper = elsewhere("shop", agent=CLERK)
foreign = elsewhere("langgraph.somewhere", agent=CLERK)


class Meta(type):
    """A class's own class."""

    def __getattribute__(cls, name):
        raise RuntimeError(name)


class Own(collections.abc.Mapping):
    """Somebody's own mapping."""

    def __getitem__(self, key):
        raise RuntimeError

    def __iter__(self):
        raise RuntimeError

    def __len__(self):
        raise RuntimeError


class Kept(BaseModel):
    """A model with something of its own."""

    shown: str = ""
    _agent: Any = PrivateAttr(default=None)


metals = types.SimpleNamespace()
metals.kind = Meta("Metal", (), {})
metals.one = metals.kind()
mapping, half = types.MappingProxyType(Own()), Kept.__new__(Kept)


def catches(x: str) -> str:
    """Names a class and makes none of it."""
    try:
        return str(type(x) is Made)
    except Made:  # type: ignore[misc]  # it is never caught
        return x


def writes(x: str) -> Any:
    """Puts something there, and reads it elsewhere."""
    settings.seen = x
    return x.agent


NEAR = {
    "two objects' attributes": lambda x: settings.settings["a"] + record.agent,
    "a check": lambda x: str(isinstance(x, Made) or issubclass(str, (Made, Service))),
    "a class that is caught": catches,
    "a class's function": lambda x: Made.checked(x),
    "a class's attribute": lambda x: Made.__doc__ + x,
    "what is written": writes,
    "a class's class": lambda x: metals.one.agent or metals.kind.agent.invoke(x),
    "somebody's own mapping": lambda x: mapping[x].agent,
    "a model that was never filled": lambda x: half.shown + half._agent,
    "another attribute of its module": lambda x: x + module.label,
    "another attribute of its object": lambda x: service.answer(x),
    "an attribute of that name elsewhere": lambda x: x.CLERK,
    "a proxy": lambda x: web.request.agent.invoke(x),
    "a proxy in a class": lambda x: web.lazy.request.agent.invoke(x),
    "a property that is never run": lambda x: service.clerk.answer(x),
    "many entries": lambda x: many[x].agent,
    "an empty slot": lambda x: slots.empty,
    "a framework's function": lambda x: foreign(x),
    "somebody else's function": lambda x: helper(x),
}


@pytest.mark.parametrize("way", NEAR)
def test_an_agent_nearby_is_no_reason(way):
    """What a tool's code doesn't name is nobody's business, and no code of an object is run to look at it."""
    graph = agent_of([], [tool_of(NEAR[way])])
    assert ladder_of({"ask": READ}).wrap(graph)
