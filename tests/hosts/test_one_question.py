"""One question at a time: parallel calls that must be asked wait for each other, and the others don't wait."""

from __future__ import annotations

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from ladder_graph import MountError
from ladder_graph.testing import FrozenClock, says, tool_call
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, on, questions, raw_graph, texts, told

ASKS = {"a": "confirm", "b": READ}


def created(ladder, tools, answers):
    """An agent of `create_agent`, whose calls are sent one by one."""
    return ladder.wrap(agent_of(answers, tools))


def raw(ladder, tools, answers):
    """A raw graph with a plain edge back, whose calls come in one task."""
    return ladder.wrap(raw_graph(answers, tools), checkpointer=InMemorySaver())


def stage(shape, calls, rules=None, ask="one"):
    """A graph whose model makes these calls at once."""
    world, clock = World(), FrozenClock()
    ladder = ladder_of(rules or ASKS, ask=ask, clock=clock)
    turn = says(*[tool_call(name, {"x": x}) for name, x in calls])
    return world, clock, ladder, shape(ladder, [world.tool("a"), world.tool("b")], [turn, "Done."])


def scalar(clock, verdict="approve", **more):
    """What agent-chat-ui sends, from a person who takes a second."""
    clock.advance(1)
    return Command(resume={"decisions": [{"type": verdict, "by": "ana", **more}]})


@pytest.mark.parametrize("shape", [created, raw])
@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_scalar_answers_to_three_parallel_calls(way, shape):
    """Each answer is for the one question that is open, in the order of the calls; the model goes on once."""
    world, clock, ladder, graph = stage(shape, [("a", "0"), ("b", "r"), ("a", "1"), ("a", "2")])
    out = way.invoke(graph, GO, on())
    # What needs no answer has run already.
    assert world.ran == [("b", "r")]
    shown = []
    for verdict in ("approve", "reject", "approve"):
        (interrupt,) = out["__interrupt__"]
        shown.append(interrupt.value["action_requests"][0]["args"]["x"])
        assert len(ladder.pending()) == 1
        out = way.invoke(graph, scalar(clock, verdict, message="no"), on())
    assert shown == ["0", "1", "2"]
    assert "__interrupt__" not in out
    assert sorted(world.ran) == [("a", "0"), ("a", "2"), ("b", "r")]
    found = {text for _, text in told(out)}
    assert {"a 0", "a 2", "b r"} <= found
    assert sum(text.startswith("DECLINED by ana: no") for text in found) == 1
    assert texts(out) == ["", "Done."]
    assert ladder.verify().ok


@pytest.mark.parametrize("shape", [created, raw])
@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_calls_that_turn_out_to_ask_wait_too(way, shape):
    """Of four calls, two fill the daily bound; the other two become questions, and are asked one after the other."""
    rules = {"a": {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 2}]}, "b": READ}
    world, clock, ladder, graph = stage(shape, [("a", str(n)) for n in range(4)], rules)
    out = way.invoke(graph, GO, on())
    assert len(world.ran) == 2
    for ran in (3, 4):
        assert len(questions(out)) == 1
        out = way.invoke(graph, scalar(clock), on())
        assert len(world.ran) == ran
    assert sorted(text for _, text in told(out)) == ["a 0", "a 1", "a 2", "a 3"]
    assert texts(out) == ["", "Done."]
    assert ladder.verify().ok


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_an_undo_that_cannot_be_made_waits_too(way):
    """A call that asks because its undo failed goes back to the gate once, and is asked when it is its turn."""
    from ladder_graph import Declaration

    def broken(arguments):
        raise OSError("no access")

    checks = [{"kind": "python", "function": "tests.hosts.test_one_question:healthy"}]
    bounds = [{"kind": "volume", "limit": 9}]
    world, clock = World(), FrozenClock()
    ladder = ladder_of({"a": {"rung": "rollback", "bounds": bounds, "checks": checks}}, ask="one", clock=clock)
    ladder.declare("a", Declaration(prepare=broken, undo=print))
    turn = says(*[tool_call("a", {"x": str(n)}) for n in range(2)])
    graph = ladder.wrap(agent_of([turn, "Done."], [world.tool("a")]))
    out = way.invoke(graph, GO, on())
    for _ in range(2):
        assert len(questions(out)) == 1
        out = way.invoke(graph, scalar(clock), on())
    assert sorted(world.ran) == [("a", "0"), ("a", "1")]
    assert texts(out) == ["", "Done."]


def healthy(arguments):
    """The health check: all is well."""
    return True


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_second_click_is_none_of_the_next_ones(way):
    """The same scalar answer twice at once answers one of the parallel calls."""
    world, clock, _, graph = stage(created, [("a", "0"), ("a", "1")])
    way.invoke(graph, GO, on())
    click = scalar(clock)
    for _ in range(2):
        out = way.invoke(graph, click, on())
    assert world.ran == [("a", "0")]
    assert "second click" in questions(out)[0]["complaint"]


def test_all_at_once_is_the_default():
    """Without the setting all questions of a turn are open at once, each under its own interrupt id."""
    _, _, ladder, graph = stage(created, [("a", "0"), ("a", "1")], ask="all")
    assert len(graph.invoke(GO, on())["__interrupt__"]) == 2
    assert len(ladder.pending()) == 2


def test_what_can_not_wait_is_refused():
    """Middleware and guarded tools see one call at a time, and say what to use instead."""
    ladder, world = ladder_of(ASKS, ask="one"), World()
    with pytest.raises(MountError, match=r"use ladder\.wrap"):
        ladder.middleware()
    with pytest.raises(MountError, match=r"use ladder\.wrap"):
        ladder.guard(world.tool("a"))
