"""A policy alone on the calls of a run: in order, with counters, and nothing that wasn't recorded."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ladder_graph.policy import Policy
from ladder_graph.replay import Decider, Run, TracedCall

NOON = dt.datetime(2024, 5, 15, 12, tzinfo=dt.UTC)


def judged(tools, *calls, at=NOON, **run):
    """What a policy makes of a run's calls; a call is a tool with its arguments, or a traced one."""
    traced = tuple(
        one if isinstance(one, TracedCall) else TracedCall(one[0], one[1], turn=place)
        for place, one in enumerate(calls)
    )
    whole = {"said": ("Do it.",), "apart": True} | run
    return list(Decider(Policy.from_rungs("ops", tools), at).judged(Run("r1", traced, **whole)))


def decided(tools, *calls, **circumstances):
    """The rungs that a run's calls would get, with the codes of the reasons."""
    found = judged(tools, *calls, **circumstances)
    return [(one.route.rung.word, *(reason.code for reason in one.route.reasons)) for one in found]


def verdicts(tools, *calls, **circumstances):
    """The verdict of each call, with what is missing for it."""
    return [(one.verdict, *one.missing) for one in judged(tools, *calls, **circumstances)]


def bounded(*bounds):
    """A rule that lets a tool run unasked inside these bounds."""
    return {"rung": "bounded", "bounds": list(bounds)}


def test_each_call_gets_its_rung_in_order():
    """Rungs come as the policy puts them, and a tool that it doesn't name only suggests."""
    tools = {"read": {"rung": "bounded", "read_only": True}, "send": "confirm", "write_*": "draft"}
    calls = [("send", {}), ("read", {}), ("write_mail", {}), ("drop", {})]
    assert decided(tools, *calls) == [("confirm",), ("bounded",), ("draft",), ("suggest",)]
    assert [verdict for verdict, *_ in verdicts(tools, *calls)] == ["asked", "free", "held", "held"]


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


def test_a_mistake_that_costs_more_than_it_may_asks():
    """What the rule says of a mistake's price bounds a call, as it does at the gate."""
    tools = {"pay": {"mistake": "$5", **bounded({"kind": "cost", "argument": "usd", "limit": "$10"})}}
    assert decided(tools, ("pay", {"usd": 6}), ("pay", {"usd": 5})) == [("confirm", "outside_mistake"), ("bounded",)]


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


@pytest.mark.parametrize(("apart", "second"), [(True, "free"), (False, "asked")])
def test_quotas_go_on_from_run_to_run_but_for_runs_apart(apart, second):
    """What one run of an agent took is missing in its next; a benchmark's runs are worlds of their own."""
    decider = Decider(Policy.from_rungs("ops", {"send": bounded({"kind": "volume", "limit": 1})}), NOON)
    run = Run("r1", (TracedCall("send", {}),), apart=apart)
    assert [one.verdict for _ in range(2) for one in decider.judged(run)] == ["free", second]


def test_windows_are_those_of_the_recorded_times():
    """A call of the next day finds the next day's quota; a sliding window and a rate go by the time between calls."""
    calls = [TracedCall("send", {}, at=NOON + dt.timedelta(hours=hours)) for hours in (0, 1, 24, 25)]
    for bound, found in (
        ({"kind": "volume", "limit": 1}, ["free", "asked", "free", "asked"]),
        ({"kind": "volume", "limit": 2, "within": "20h"}, ["free", "free", "free", "free"]),
        ({"kind": "volume", "limit": 1, "within": "12h"}, ["free", "asked", "free", "asked"]),
        ({"kind": "rate", "limit": 1, "within": "2h"}, ["free", "asked", "free", "asked"]),
    ):
        assert [one.verdict for one in judged({"send": bounded(bound)}, *calls, at=None)] == found


def test_the_moment_counts():
    """Bounds on time are held against the recorded moment, and where there is none against the one that was given."""
    tools = {"send": bounded({"kind": "time", "start": "09:00", "end": "17:00"})}
    late = NOON.replace(hour=20)
    assert decided(tools, ("send", {})) == [("bounded",)]
    assert decided(tools, ("send", {}), at=late) == [("confirm", "outside_time")]
    assert decided(tools, TracedCall("send", {}, at=NOON), at=late) == [("bounded",)]


ORIGIN = bounded({"kind": "origin", "argument": "to", "type": "email", "tools": ["contacts"]})


def test_what_the_user_said_counts_from_where_it_was_said():
    """An address in the user's words is theirs; one that comes up only later is not yet."""
    said = ("Write to ana@shop.example.", "And to bo@shop.example.")
    calls = [TracedCall("send", {"to": "bo@shop.example"}, turn=turn, heard=turn + 1) for turn in (0, 1)]
    assert decided({"send": ORIGIN}, *calls, said=said) == [("confirm", "outside_origin"), ("bounded",)]


def test_what_a_tool_answered_counts_once_it_was_heard():
    """The output of a trusted tool is a source for later turns, and not for a call of the same message."""
    contacts = TracedCall("contacts", {}, turn=0, output="ana@shop.example")
    tools = {"contacts": {"rung": "bounded", "read_only": True}, "send": ORIGIN}
    for turn, found in ((0, ("confirm", "outside_origin")), (1, ("bounded",))):
        send = TracedCall("send", {"to": "ana@shop.example"}, turn=turn)
        assert decided(tools, contacts, send)[1] == found


def test_without_arguments_only_what_needs_none_is_decided():
    """A rung below the bounds, a tool without bounds, and a bound that only counts don't look at arguments."""
    tools = {
        "drop": "confirm",
        "read": {"rung": "bounded", "read_only": True},
        "ping": bounded({"kind": "volume", "limit": 9}),
        "send": bounded({"kind": "equals", "argument": "to", "to": "ana"}),
        "sent": bounded({"kind": "volume", "limit": 9, "each_value_of": "to"}),
        "pay": bounded({"kind": "cost", "argument": "usd", "limit": "$10"}),
    }
    found = verdicts(tools, *((tool, None) for tool in tools))
    assert found == [("asked",), ("free",), ("free",), *[("undecidable", "its arguments")] * 3]


def test_a_bound_that_is_missed_for_sure_settles_a_call():
    """Where one bound is missed, it doesn't matter what another one would need to know."""
    equals = {"kind": "equals", "argument": "to", "to": "ana"}
    hours = {"kind": "time", "start": "09:00", "end": "17:00"}
    tools = {"send": bounded(equals, hours)}
    found = verdicts(tools, ("send", {"to": "eve"}), ("send", {"to": "ana"}), at=None)
    assert found == [("asked",), ("undecidable", "when the calls came")]


def test_without_times_a_counter_is_decided_as_far_as_it_can_be():
    """What fits even if all calls came together is free; beyond that nobody knows."""
    send = ("send", {})
    found = verdicts({"send": bounded({"kind": "volume", "limit": 2})}, send, send, send, at=None)
    assert found == [("free",), ("free",), ("undecidable", "when the calls came")]


def test_a_call_that_may_have_run_makes_the_counter_doubtful():
    """What an undecidable call would have taken is missing for sure from nobody, and perhaps from the next."""
    both = bounded({"kind": "volume", "limit": 1}, {"kind": "equals", "argument": "to", "to": "ana"})
    found = verdicts({"send": both}, ("send", None), ("send", {"to": "ana"}), ("send", {"to": "ana"}))
    assert found == [
        ("undecidable", "its arguments"),
        ("undecidable", "what earlier calls took from 2024-05-15"),
        ("undecidable", "what earlier calls took from 2024-05-15"),
    ]


@pytest.mark.parametrize(
    ("bound", "known", "missing"),
    [
        ({"kind": "tenant", "argument": "org"}, {"facts": {"tenant": "acme"}}, "the tenant of the run"),
        ({"kind": "volume", "limit": 1, "by": "user"}, {"requester": "ana"}, "whose run it was"),
        ({"kind": "origin", "argument": "org", "type": "word"}, {"said": ("acme",)}, "the user's own words"),
    ],
)
def test_what_was_not_recorded_of_the_run_is_named(bound, known, missing):
    """A bound that needs it is decided where it is there, and undecidable where it isn't."""
    export = ("export", {"org": "acme"})
    assert verdicts({"export": bounded(bound)}, export, **{"said": None} | known) == [("free",)]
    assert verdicts({"export": bounded(bound)}, export, said=None) == [("undecidable", missing)]


def test_the_environment_of_this_process_is_not_that_of_the_recorded_one(monkeypatch):
    """A bound on an environment variable says nothing about a run that another process made."""
    monkeypatch.setenv("DEPLOY", "staging")
    tools = {"deploy": bounded({"kind": "environment", "variable": "DEPLOY", "names": ["staging"]})}
    assert verdicts(tools, ("deploy", {})) == [("undecidable", "the environment variable DEPLOY")]


def test_an_answer_that_is_not_recorded_is_a_doubt_only_where_it_matters():
    """An address in the user's words is inside whatever the contacts hold; another one may have come from them."""
    contacts = TracedCall("contacts", {}, turn=0, output=None)
    sends = [TracedCall("send", {"to": to}, turn=1) for to in ("ana@shop.example", "bo@shop.example")]
    tools = {"contacts": {"rung": "bounded", "read_only": True}, "send": ORIGIN}
    found = verdicts(tools, contacts, *sends, said=("Write to ana@shop.example.",))
    assert found[1:] == [("free",), ("undecidable", "what contacts answered")]


def test_arguments_that_no_call_can_have_are_undecidable():
    """They would never have come to a gate, so nobody knows what it would have said."""
    ((verdict, missing),) = verdicts({"send": bounded({"kind": "volume", "limit": 1})}, ("send", {"n": float("inf")}))
    assert verdict == "undecidable"
    assert missing.startswith("arguments that a call can have: arguments.n is inf")


def test_an_answer_to_arguments_that_cant_be_read_proves_no_origin():
    """It may only repeat what the model wrote into them; so it can't be told, and isn't allowed."""
    answer = "ana@x.org"
    for arguments, expected in (({}, "free"), ({"q": answer}, "asked"), (None, "undecidable")):
        called = TracedCall("contacts", arguments, turn=0, output=answer, fate="done")
        send = TracedCall("send", {"to": answer}, turn=1)
        assert verdicts({"send": ORIGIN}, called, send)[1][0] == expected


@pytest.mark.parametrize("order", [(None, NOON), (NOON, None)])
def test_a_call_without_a_time_may_share_every_window(order):
    """Beside calls with one, too: nobody knows that it came on another day."""
    calls = [TracedCall("send", {}, at=at) for at in order]
    for bound in ({"kind": "volume", "limit": 1}, {"kind": "volume", "limit": 1, "within": "1h"},
                  {"kind": "rate", "limit": 1, "within": "1h"}):  # fmt: skip
        found = [one.verdict for one in judged({"send": bounded(bound)}, *calls, at=None)]
        assert found == ["free", "undecidable"]


def test_runs_that_are_read_out_of_order_share_a_sliding_window():
    """A call that came before one that was read already: live, one of the two would have asked."""
    calls = [TracedCall("send", {}, at=NOON + dt.timedelta(hours=hours)) for hours in (6, 0)]
    found = [one.verdict for one in judged({"send": bounded({"kind": "volume", "limit": 1, "within": "12h"})}, *calls)]
    assert found == ["free", "undecidable"]


def test_a_call_without_a_tools_name_could_be_any_tools():
    """So it is decided only where one entry is for all of them."""
    read = {"rung": "bounded", "read_only": True}
    assert verdicts({"*": read, "send": "confirm"}, ("", {})) == [("undecidable", "its tool's name")]
    assert verdicts({"*": read}, ("", {})) == [("free",)]
    assert verdicts({"send": "confirm"}, ("", {})) == [("undecidable", "its tool's name")]


def test_a_call_whose_recipient_is_not_known_may_have_been_to_anybody():
    """It may have drawn on each recipient's counter, once; and one whose price isn't known may have cost anything."""
    each = bounded({"kind": "volume", "limit": 2, "each_value_of": "to"})
    found = verdicts({"send": each}, ("send", None), ("send", {"to": "ana"}), ("send", {"to": "ana"}))
    assert [verdict for verdict, *_ in found] == ["undecidable", "free", "undecidable"]
    pay = bounded({"kind": "cost", "argument": "usd", "limit": "$10"})
    found = verdicts({"pay": pay}, ("pay", {"usd": 1}), ("pay", None), ("pay", {"usd": 1}))
    assert [verdict for verdict, *_ in found] == ["free", "undecidable", "undecidable"]


def test_what_was_drawn_unseen_counts_no_longer_than_its_window():
    """A call of the next day finds the next day's quota, whoever the one without arguments was to."""
    each = {"send": bounded({"kind": "volume", "limit": 1, "each_value_of": "to"})}
    calls = [
        TracedCall("send", None if hours == 0 else {"to": "ana"}, at=NOON + dt.timedelta(hours=hours))
        for hours in (0, 1, 24)
    ]
    assert [one.verdict for one in judged(each, *calls)] == ["undecidable", "undecidable", "free"]


BOUNDS = st.sampled_from([
    {"kind": "volume", "limit": 1}, {"kind": "volume", "limit": 2, "within": "3h"},
    {"kind": "volume", "limit": 1, "each_value_of": "to"}, {"kind": "volume", "limit": 2, "by": "user"},
    {"kind": "volume", "limit": 2, "by": "agent"},
    {"kind": "volume", "limit": 2, "by": "thread", "each_value_of": "to"},
    {"kind": "rate", "limit": 2, "within": "2h", "burst": 2}, {"kind": "rate", "limit": 1, "within": "3h"},
    {"kind": "cost", "argument": "usd", "limit": "$4"},
    {"kind": "cost", "argument": "usd", "limit": "$3", "within": "3h"},
    {"kind": "time", "start": "09:00", "end": "15:00"}, {"kind": "equals", "argument": "to", "to": "ana"},
    {"kind": "origin", "argument": "to", "type": "word", "tools": ["look"]},
    {"kind": "origin", "argument": "to", "type": "word", "user": False, "tools": ["look"]},
    {"kind": "tenant", "argument": "to"},
])  # fmt: skip
CALLS = st.builds(
    TracedCall,
    st.sampled_from(["send", "pay", "look"]),
    st.fixed_dictionaries({"to": st.sampled_from(["ana", "bo"]), "usd": st.integers(1, 3)}),
    at=st.integers(0, 9).map(lambda hours: NOON + dt.timedelta(hours=hours)),
    output=st.sampled_from(["cy", "dee"]),
    fate=st.sampled_from(["done", "failed"]),
)
LACKS = {"arguments": None, "at": None, "output": None}
"""What a record may lack of a call."""


@settings(max_examples=100)
@given(data=st.data())
def test_less_on_record_never_makes_a_call_free(data):
    """Whatever is taken out of a record: what is free then is free with all of it on record."""
    rules = {tool: bounded(*data.draw(st.lists(BOUNDS, min_size=1, max_size=3, unique_by=repr)))
             for tool in ("send", "pay")}  # fmt: skip
    policy = Policy.from_rungs("ops", {**rules, "look": {"rung": "bounded", "read_only": True}})
    whole, less = [], []
    for name in ("r1", "r2"):
        calls = sorted(data.draw(st.lists(CALLS, min_size=1, max_size=6)), key=lambda call: call.at)
        calls = [replace(call, turn=turn) for turn, call in enumerate(calls)]
        run = Run(name, tuple(calls), said=("Write to ana.",), requester="ana", facts={"tenant": "ana"})
        calls = [replace(call, **{lack: LACKS[lack] for lack in data.draw(st.sets(st.sampled_from([*LACKS])))})
                 for call in calls]  # fmt: skip
        lost = data.draw(st.sets(st.sampled_from(["said", "requester"])))
        facts = data.draw(st.sampled_from([{}, {"tenant": "ana"}]))
        whole.append(run)
        less.append(replace(run, calls=tuple(calls), facts=facts, **dict.fromkeys(lost)))
    known, lacking = Decider(policy), Decider(policy)
    for run, other in zip(whole, less, strict=True):
        before = [one.verdict for one in known.judged(run)]
        after = [one.verdict for one in lacking.judged(other)]
        assert [was for was, now in zip(before, after, strict=True) if now == "free" and was != "free"] == []
