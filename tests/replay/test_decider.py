"""A policy alone on the calls of a run: in order, with counters, and nothing else remembered."""

from __future__ import annotations

import datetime as dt

import pytest

from ladder_graph import ArgumentsError
from ladder_graph.policy import Policy
from ladder_graph.replay import Decider, Run, TracedCall

NOON = dt.datetime(2024, 5, 15, 12, tzinfo=dt.UTC)


def decided(tools, *calls, now=NOON, request="Do it."):
    """The rungs that a run's calls would get, and the codes of the reasons; calls are a tool and its arguments."""
    run = Run("r1", "mail", "t1", "task", request, tuple(TracedCall(tool, arguments) for tool, arguments in calls))
    routes = list(Decider(Policy.from_rungs("ops", tools), now).routes(run))
    return [(route.rung.word, *(reason.code for reason in route.reasons)) for route in routes]


def bounded(*bounds):
    """A rule that lets a tool run unasked inside these bounds."""
    return {"rung": "bounded", "bounds": list(bounds)}


def test_each_call_gets_its_rung_in_order():
    """Rungs come as the policy puts them, and a tool that it doesn't name only suggests."""
    tools = {"read": {"rung": "bounded", "read_only": True}, "send": "confirm", "write_*": "draft"}
    found = decided(tools, ("send", {}), ("read", {}), ("write_mail", {}), ("drop", {}))
    assert found == [("confirm",), ("bounded",), ("draft",), ("suggest",)]


def test_a_volume_counts_across_the_calls_of_a_run():
    """The calls that fit run, the next one asks."""
    send = ("send", {"to": "ana"})
    assert decided({"send": bounded({"kind": "volume", "limit": 2})}, send, send, send) == [
        ("bounded",), ("bounded",), ("confirm", "outside_volume"),
    ]  # fmt: skip


def test_money_is_counted_in_the_order_of_the_calls():
    """A call that doesn't fit asks, and a smaller one after it still fits."""
    tools = {"pay": bounded({"kind": "cost", "argument": "usd", "limit": "$10"})}
    assert decided(tools, ("pay", {"usd": 6}), ("pay", {"usd": 5}), ("pay", {"usd": 4}), ("pay", {"usd": 0.01})) == [
        ("bounded",), ("confirm", "outside_cost"), ("bounded",), ("confirm", "outside_cost"),
    ]  # fmt: skip


def test_what_asks_draws_on_no_quota():
    """A call that another bound turns into a question leaves the counter as it is."""
    tools = {"send": bounded({"kind": "volume", "limit": 1}, {"kind": "equals", "argument": "to", "to": "ana"})}
    assert decided(tools, ("send", {"to": "eve"}), ("send", {"to": "ana"}), ("send", {"to": "ana"})) == [
        ("confirm", "outside_equals"), ("bounded",), ("confirm", "outside_volume"),
    ]  # fmt: skip


def test_counters_are_kept_apart():
    """Each tool, and each value where a bound says so, has a counter of its own."""
    once = {"kind": "volume", "limit": 1}
    tools = {"send_*": bounded(once), "invite": bounded(once | {"each_value_of": "to"})}
    calls = [("send_a", {}), ("send_b", {}), *(("invite", {"to": who}) for who in ("ana", "bo", "ana"))]
    assert [rung for rung, *_ in decided(tools, *calls)] == ["bounded", "bounded", "bounded", "bounded", "confirm"]


def test_tools_may_share_a_counter():
    """Where a bound counts for the whole agent, one tool's calls are missing from another's."""
    shared = bounded({"kind": "volume", "limit": 1, "by": "agent"})
    assert [rung for rung, *_ in decided({"a": shared, "b": shared}, ("a", {}), ("b", {}))] == ["bounded", "confirm"]


def test_each_run_begins_with_empty_quotas():
    """What one run took is there again for the next."""
    decider = Decider(Policy.from_rungs("ops", {"send": bounded({"kind": "volume", "limit": 1})}), NOON)
    run = Run("r1", "mail", "t1", "task", "Do it.", (TracedCall("send", {}),))
    assert [[route.rung.word for route in decider.routes(run)] for _ in range(2)] == [["bounded"], ["bounded"]]


def test_the_moment_counts():
    """Bounds on time are held against the moment that was given."""
    tools = {"send": bounded({"kind": "time", "start": "09:00", "end": "17:00"})}
    assert decided(tools, ("send", {})) == [("bounded",)]
    assert decided(tools, ("send", {}), now=NOON.replace(hour=20)) == [("confirm", "outside_time")]


def test_the_request_is_what_the_user_said():
    """What stands in the run's request comes from the user; all else asks, since nothing more is known of it."""
    tools = {"send": bounded({"kind": "origin", "argument": "to", "type": "email", "tools": ["contacts"]})}
    calls = [("contacts", {}), ("send", {"to": "ana@shop.example"}), ("send", {"to": "bo@shop.example"})]
    found = decided(tools, *calls, request="Write to ana@shop.example, and to Bo.")
    assert found[1:] == [("bounded",), ("confirm", "outside_origin")]


def test_arguments_that_no_call_can_have_are_an_error():
    """The caller learns which they are, and decides what becomes of the run."""
    with pytest.raises(ArgumentsError):
        decided({"send": "confirm"}, ("send", {"n": float("inf")}))
