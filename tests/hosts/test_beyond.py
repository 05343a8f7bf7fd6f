"""Calls outside their bounds that people let run: counted apart, and never against the quota."""

from __future__ import annotations

import datetime as dt

import pytest

from ladder_graph.testing import calls
from tests.hosts.graphs import GO, WAYS, World, agent_of, ladder_of, on

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
ONE = {"kind": "volume", "limit": 1}
ONLY_A = {"kind": "one_of", "argument": "x", "values": ["a", "b", "c"]}


def day(way, rules, *arguments, decide="approve", clock=None):
    """A day on which a tool is called with each of these, and somebody answers each question."""
    world, clock = World(), clock or [NOW]
    ladder = ladder_of({"a": rules}, clock=lambda: clock[0])
    for number, argument in enumerate(arguments):
        graph = ladder.wrap(agent_of([calls("a", {"x": argument}), "Done."], [world.tool("a")]))
        way.invoke(graph, GO, on(str(number)))
        for question in ladder.pending():
            if decide == "approve":
                ladder.approve(question.id, by="ana")
            else:
                ladder.decline(question.id, by="ana", reason="no")
            way.invoke(graph, None, on(str(number)))
    return ladder


def beyond(ladder):
    """How many `status` counts."""
    (cell,) = ladder.status()
    return cell.beyond


def used(ladder):
    """What is taken from the quota."""
    rows = ladder.store.read(lambda cursor: cursor.execute("SELECT used + reserved FROM quota").fetchall())
    return sum(row[0] for row in rows)


@pytest.mark.parametrize("way", WAYS)
def test_an_approved_call_over_the_quota_is_counted_apart(way):
    """The quota stays at what ran unasked, and the entry says by whom the rest was approved."""
    ladder = day(way, {"rung": "bounded", "bounds": [ONE]}, "a", "b", "c")
    assert (used(ladder), beyond(ladder)) == (1, 2)
    started = [entry.body for entry in ladder.log() if entry.kind == "started" and "beyond" in entry.body]
    assert [(body["beyond"], body["approved_by"]) for body in started] == [(["outside_volume"], ["ana"])] * 2
    assert started[0]["text"] == "beyond its bounds (volume), approved by ana"
    assert ladder.verify().ok


@pytest.mark.parametrize("way", WAYS)
def test_every_bound_that_it_is_outside_of_is_named(way):
    """The full quota, which was seen when it was asked about, and the others."""
    ladder = day(way, {"rung": "bounded", "bounds": [ONE, ONLY_A]}, "a", "z")
    (body,) = [entry.body for entry in ladder.log() if "beyond" in entry.body]
    assert sorted(body["beyond"]) == ["outside_one_of", "outside_volume"]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_inside_or_did_not_run_is_not_counted(way):
    """A tool that always asks, a call that was declined, and one that runs by itself."""
    assert beyond(day(way, {"rung": "confirm", "bounds": [ONE]}, "a", "b")) == 0
    assert beyond(day(way, {"rung": "bounded", "bounds": [ONE]}, "a", "b", decide="decline")) == 0
    assert beyond(day(way, {"rung": "bounded", "bounds": [ONE]}, "a")) == 0


@pytest.mark.parametrize(("put_in", "counted"), [("y", 1), ("b", 0)])
@pytest.mark.parametrize("way", WAYS)
def test_arguments_that_a_person_put_in_count_by_themselves(way, put_in, counted):
    """Outside their bounds they are beyond them, whoever put them in; inside, the model's own don't matter."""
    ladder = ladder_of({"a": {"rung": "bounded", "bounds": [ONLY_A]}})
    graph = ladder.wrap(agent_of([calls("a", {"x": "z"}), "Done."], [World().tool("a")]))
    way.invoke(graph, GO, on())
    ladder.edit(ladder.pending()[0].id, {"x": put_in}, by="ana")
    way.invoke(graph, None, on())
    assert beyond(ladder) == counted


def test_the_next_day_begins_at_nothing():
    """Status counts since midnight, UTC."""
    clock = [NOW]
    ladder = day(WAYS[0], {"rung": "bounded", "bounds": [ONE]}, "a", "b", clock=clock)
    assert beyond(ladder) == 1
    clock[0] = dt.datetime(2026, 11, 23, 1, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert beyond(ladder) == 1
    clock[0] = dt.datetime(2026, 11, 23, 0, tzinfo=dt.UTC)
    assert beyond(ladder) == 0
