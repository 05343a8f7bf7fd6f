"""Calls with an undo in whose place something in between answered: nothing ran, so nothing is measured or put back."""

from __future__ import annotations

import pytest
from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langgraph.types import Command, interrupt

from ladder_graph.testing import calls
from ladder_graph.tools import reversible
from tests.hosts.graphs import GO, ladder_of, on, told
from tests.hosts.mounts import INNER, Between

CACHED = "from a cache"
SICK: set[str] = set()
"""The values whose health check is bad."""
CHECK = {"kind": "python", "function": "tests.hosts.test_untouched:well"}
RULE = {"rung": "rollback", "bounds": [{"kind": "volume", "limit": 9}], "checks": [CHECK], "watch": {"window": 60}}


def well(arguments):
    """Whether a call is."""
    return not SICK & set(arguments["values"])


@pytest.fixture(autouse=True)
def _well():
    SICK.clear()


class Shop:
    """Orders, and what was cancelled."""

    def __init__(self):
        self.did = []

    def tool(self):
        """Orders something; the first thing goes first."""

        @tool
        @reversible(
            prepare=lambda arguments: arguments["values"],
            undo=lambda kept: self.did.append(("cancel", *kept)),
            resource=lambda _: "the shop",
            canary=lambda given: (
                ({"values": given["values"][:1]}, {"values": given["values"][1:]}) if given["values"][1:] else None
            ),
        )
        def order(values: list[str]) -> str:
            """Order something."""
            self.did.append(("order", *values))
            return "ordered"

        return order


def cached(*values):
    """Answers by itself for some values."""

    def before(request):
        known = set(request.tool_call["args"]["values"]) <= set(values)
        return ToolMessage(CACHED, tool_call_id=request.tool_call["id"], name="order") if known else request

    return Between(before=before)


def ordered(mount, ladder, shop, between, *orders):
    """Let the agent order one after the other."""
    script = [calls("order", {"values": [*values]}) for values in orders]
    return mount(ladder, [*script, "Done."], [shop.tool()], between).invoke(GO, on())


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_it_is_neither_measured_nor_watched_nor_undone(mount):
    """Its check would speak of something else, and its undo would take that back."""
    ladder, shop = ladder_of({"order": RULE}), Shop()
    SICK.add("a")
    assert told(ordered(mount, ladder, shop, cached("a"), "a")) == [("order", CACHED)]
    ladder.watcher.settle()
    [action] = ladder.actions()
    assert (action.state, shop.did) == ("done", [])
    assert ladder.life(action.key).counted.as_ == "nothing"
    assert ladder.undo(action.key, by="ana") == "undone"
    assert shop.did == []
    assert ladder.verify().problems == ()


class Reviewing(AgentMiddleware):
    """Runs the tool, and asks a person about what came of it; then it answers with that, and runs nothing."""

    def __init__(self):
        super().__init__()
        self.kept = {}

    def wrap_tool_call(self, request, handler):
        """As above."""
        key = request.tool_call["id"]
        if key not in self.kept:
            self.kept[key] = handler(request)
        interrupt("may the model read it?")
        return self.kept[key]


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_what_ran_before_its_output_was_reviewed_has_run(mount):
    """That nothing ran when the thread went on says nothing of the turn before."""
    ladder, shop = ladder_of({"order": RULE}), Shop()
    graph = mount(ladder, [calls("order", {"values": ["a"]}), "Done."], [shop.tool()], Reviewing())
    graph.invoke(GO, on())
    assert told(graph.invoke(Command(resume="yes"), on())) == [("order", "ordered")]
    [action] = ladder.actions()
    assert action.state == "done"
    assert ladder.life(action.key).counted.as_ != "nothing"
    assert ladder.undo(action.key, by="ana") == "undone"
    assert shop.did == [("order", "a"), ("cancel", "a")]


def test_a_rest_that_is_undone_takes_back_nothing_of_a_part_that_never_ran():
    """Only what ran is undone."""
    ladder, shop = ladder_of({"order": RULE}), Shop()
    SICK.add("b")
    ordered(INNER["wrap"], ladder, shop, cached("a"), "ab")
    assert shop.did == [("order", "b"), ("cancel", "b")]
    assert ladder.verify().problems == ()


@pytest.mark.parametrize(("known", "counts"), [("ab", "nothing"), ("a", "run")])
def test_a_call_of_which_neither_the_part_nor_the_rest_ran_is_no_run(known, counts):
    """Where one of them ran, it is one."""
    ladder, shop = ladder_of({"order": RULE}), Shop()
    ordered(INNER["wrap"], ladder, shop, cached(*known), "ab")
    assert shop.did == [("order", one) for one in "ab" if one not in known]
    whole = next(action for action in ladder.actions() if action.arguments["values"] == ["a", "b"])
    assert whole.state == "done"
    assert (ladder.life(whole.key).counted.as_ == "nothing") is (counts == "nothing")


@pytest.mark.parametrize("rung", ["rollback", "bounded"])
def test_a_scope_that_is_undone_has_nothing_of_it_to_undo(rung):
    """Nor does it stand in the way of what was done before it."""
    ladder, shop = ladder_of({"order": {**RULE, "rung": rung}}), Shop()
    SICK.add("c")
    with ladder.saga("orders"):
        ordered(INNER["wrap"], ladder, shop, cached("b"), "a", "b", "c")
    ladder.watcher.settle()
    assert shop.did == [("order", "a"), ("order", "c"), ("cancel", "c"), ("cancel", "a")]
    [saga] = ladder.sagas(every=True)
    assert saga.phase == "undone"
    assert ladder.verify().problems == ()
