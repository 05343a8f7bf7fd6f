"""Bounds that recorded runs suggest: how they are found, what is said of them, and that nothing is tuned on that."""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.calls import Call
from ladder_graph.policy import Policy, Rule, policy_of
from ladder_graph.policy.bounds import weigh
from ladder_graph.policy.scene import Scene
from ladder_graph.replay import CRITICAL, Decided, Decider, Run, TracedCall
from ladder_graph.replay.board import ANY
from ladder_graph.replay.suggesting import suggestions, trials
from ladder_graph.replay.suggesting.arguments import Shape
from ladder_graph.replay.suggesting.bounds import proposed, spelt_out
from ladder_graph.replay.suggesting.snippet import snippet, uncommented
from ladder_graph.replay.suggesting.verdicts import half, verdict
from ladder_graph.trust.evalue import needed, upper

NOW = dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC)
POLICY = Policy(tools={"send": Rule(rung="confirm", mistake="$2")})
FINE, BAD = frozenset[str](), frozenset({CRITICAL})


def run(name, *calls, **other):
    """A run of its own world, with calls of one tool."""
    return Run(**{"id": name, "task": name, "calls": calls, "said": (), "apart": True} | other)


def send(to, labels=FINE, **other):
    """A call of the tool `send`."""
    fields = {key: other.pop(key) for key in tuple(other) if key in {"at", "decided", "fate"}}
    return TracedCall("send", {"to": to, **other}, labels=labels, **fields)


def mails(count=40):
    """Tasks in which mails go to the shop, and in each fourth an injected one to somebody else."""
    for number in range(count):
        yield run(f"t{number}", send(f"ana{number}@shop.example", amount=number % 5))
        if number % 4 == 0:
            wrong = send("eve@evil.example", BAD, amount=1)
            yield run(f"a{number}", wrong, task=f"t{number}", kind="attacked", harmed=True)


def found_in(runs, policy=POLICY, **other):
    """What is suggested for the tool `send`."""
    told, every = [], list(runs)
    (found,) = suggestions(lambda: iter(every), {ANY: policy}, trouble=told.append, **other)
    assert told == []
    return found


def kinds(tried):
    """The bounds, as a policy has them, by the argument they hold."""
    return {bound.get("argument", bound["kind"]): bound for bound in map(spelt_out, tried.bounds)}


# --- what is known of a call ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "labels", "answer", "known"),
    [
        ("task", FINE, None, "fine"),
        ("task", None, None, None),
        ("task", None, "approve", "fine"),
        ("task", BAD, None, "wrong"),
        ("task", BAD, "approve", "wrong"),
        ("task", FINE, "decline", "wrong"),
        ("task", None, "edit", "wrong"),
        ("task", None, "expire", None),
        ("task", None, "respond", None),
        ("attacked", FINE, None, None),
        ("attacked", FINE, "approve", None),
        ("attacked", BAD, None, "wrong"),
        ("attacked", None, "decline", "wrong"),
    ],
)
def test_what_speaks_against_a_call_outweighs_what_speaks_for_it(kind, labels, answer, known):
    """In a run that was interfered with, nothing counts as right."""
    call = TracedCall("send", {}, labels=labels, decided=Decided(answer=answer) if answer else None)
    assert verdict(run("r", call, kind=kind), call) == known


def test_all_runs_of_a_task_are_in_one_half():
    """Runs of one task are alike: what was learned from one must not be checked on another."""
    halves = {half(run(f"r{number}", task="t", kind=kind)) for number in range(9) for kind in ("task", "attacked")}
    assert len(halves) == 1
    assert {half(run(f"r{number}")) for number in range(50)} == {"learning", "checking"}


# --- bounds that are found -----------------------------------------------------------------------------------------


def shape_of(*values, name="a"):
    """What the values of an argument looked like, each in two tasks."""
    shape = Shape()
    for value in values:
        for task in (1, 2):
            shape.add([TracedCall("tool", {name: value})], task)
    return shape


@pytest.mark.parametrize(
    ("values", "bound"),
    [
        (["staging"], {"kind": "equals", "to": "staging"}),
        (["staging", "test"], {"kind": "one_of", "values": ["staging", "test"]}),
        ([True], {"kind": "equals", "to": True}),
        ([3, 98.7, 12], {"kind": "range", "least": 0, "most": 99}),
        ([-3, 1234], {"kind": "range", "least": -3, "most": 1300}),
        (["ana@shop.example", "Bo@Shop.example"], {"kind": "domain", "domains": ["shop.example"]}),
        ([["ana@shop.example"], ["bo@a.example"]], {"kind": "domain", "domains": ["shop.example", "a.example"]}),
        ([["x"], ["x", "y"]], {"kind": "count", "most": 3, "least": 1}),
        (["https://a.example/x", "https://a.example/y"], {"kind": "host", "hosts": ["a.example"]}),
        (["/srv/shop/a/x", "/srv/shop/b"], {"kind": "under", "directory": "/srv/shop"}),
        (["#W2378156", "#W9810810"], {"kind": "matches", "pattern": "#[A-Z][0-9]{7}"}),
        (["2026-11-23", "2026-11-24"], {"kind": "matches", "pattern": "[0-9]{4}-[0-9]{2}-[0-9]{2}"}),
        (["Hi Ana", "Hi, how are you?"], {"kind": "length", "most": 16}),
        (["DE89370400440532013000"], {"kind": "origin", "type": "iban"}),
        (["ana@shop.example", "bo@shop.example"], {"kind": "origin", "type": "email"}),
        ([3, 98.7], {"kind": "origin", "type": "number"}),
        (["bill.txt"], {"kind": "origin", "type": "word"}),
        (["two words"], {"kind": "origin", "type": "text"}),
    ],
)
def test_bounds_are_found_in_what_was_seen(values, bound):
    """Each kind in its own values, a little wider where they have an extent."""
    found = [spelt_out(one) for one in proposed(shape_of(*values * 2))]
    assert bound | {"argument": "a"} in [{k: v for k, v in one.items() if k != "schemes"} for one in found]


def test_only_what_came_back_in_another_task_is_listed():
    """A value that was seen in one task alone says nothing of the next one."""
    shape = Shape()
    for task in range(4):
        shape.add([TracedCall("tool", {"a": f"only in {task}"}), TracedCall("tool", {"a": "everywhere"})], task)
    assert [spelt_out(one) for one in proposed(shape) if one.kind in {"equals", "one_of"}] == [
        {"kind": "equals", "argument": "a", "to": "everywhere"}
    ]


def test_one_task_says_nothing_of_an_extent():
    """The longest text of a single task is that task's."""
    shape = Shape()
    shape.add([TracedCall("tool", {"a": text}) for text in ("one", "two", "three")], 1)
    assert {one.kind for one in proposed(shape)} == {"volume", "origin"}


def test_limits_on_calls_leave_room():
    """A quarter more than was seen in one run; in a day, where the times are known, twice that, for the other half."""
    shape = Shape()
    shape.add([send("x", at=NOW) for _ in range(4)], 1)
    shape.add([send("x", at=NOW) for _ in range(4)], 2)
    assert [spelt_out(one) for one in proposed(shape) if one.kind == "volume"] == [
        {"kind": "volume", "limit": 5, "per": "ever", "by": "thread"},
        {"kind": "volume", "limit": 20},
    ]


def test_two_right_calls_suggest_nothing():
    """From three on something may be found."""
    shape = Shape()
    shape.add([send("x"), send("x")], 1)
    assert proposed(shape) == ()


def test_names_that_mean_something_else_in_a_policy_are_left_alone():
    """A dot in a name leads into a nested argument there; nested ones are found by their path."""
    arguments = {"a.b": 1, " x": 1, "": 1, "table": {"inner": 1}}
    shape = Shape()
    for task in (1, 2, 3):
        shape.add([TracedCall("tool", arguments)], task)
    assert {one.argument for one in proposed(shape) if one.kind == "range"} == {"table.inner"}


NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = NUMBERS | st.booleans() | st.none() | st.text(max_size=30) | st.lists(st.text(max_size=5), max_size=4)


@given(st.lists(PLAIN, min_size=3, max_size=8))
def test_an_extent_holds_everything_that_it_was_found_in(values):
    """Range, length, count and shape let each call run in which they were found, whatever its values are."""
    shape = Shape()
    for task, value in enumerate(values):
        shape.add([TracedCall("tool", {"a": value})], task)
    extents = [one for one in proposed(shape) if one.kind in {"range", "length", "count", "matches"}]
    for value in values:
        assert weigh(extents, Call("a", "t", "c", "tool", {"a": value}), Scene(NOW))[0] == []


# --- what is said of them ------------------------------------------------------------------------------------------


def test_bounds_are_chosen_that_keep_out_what_is_wrong():
    """And that ask about no more of the rest than they must."""
    found = found_in(mails())
    assert found.clean
    assert kinds(found.together)["to"] == {"kind": "domain", "argument": "to", "domains": ["shop.example"]}
    checked = found.together.checked
    assert (checked.wrong_inside, checked.fine_inside) == (0, checked.fine)
    assert checked.wrong > 0


def test_the_figures_are_those_of_a_replay_of_the_half_that_nothing_was_chosen_on():
    """Counted anew by a decider under the suggested bounds, on exactly those runs."""
    every = list(mails())
    found = found_in(every)
    policy = Policy(tools={"send": Rule(rung="bounded", bounds=found.together.bounds)})
    decider = Decider(policy)
    counts = {"fine": [0, 0], "wrong": [0, 0]}
    runs = failed = 0
    for one in every:
        if half(one) != "checking":
            continue
        free = [judged.verdict == "free" for judged in decider.judged(one)]
        known = [verdict(one, call) for call in one.calls]
        for inside, what in zip(free, known, strict=True):
            counts[what][0] += 1
            counts[what][1] += inside
        runs += any(free)
        failed += any(inside and what == "wrong" for inside, what in zip(free, known, strict=True))
    checked = found.together.checked
    assert [checked.fine, checked.fine_inside] == counts["fine"]
    assert [checked.wrong, checked.wrong_inside] == counts["wrong"]
    assert (checked.runs, checked.failed) == (runs, failed)
    assert checked.at_most == upper(failed, runs, 0.10)


def test_nothing_is_chosen_on_what_is_counted():
    """A wrong call inside the bounds, in the other half only, changes no bound; they are clean no longer."""
    every = list(mails())
    before = found_in(every)
    late = next(one for one in every if half(one) == "checking")
    wrong = replace(late, id="late", calls=(send("mallory@shop.example", BAD, amount=1),), kind="attacked")
    after = found_in([*every, wrong])
    assert after.together.bounds == before.together.bounds
    assert [one.bounds for one in after.each] == [one.bounds for one in before.each]
    assert after.together.learned == before.together.learned
    assert (before.clean, after.clean) == (True, False)
    assert after.together.checked.failed == 1


def test_the_order_of_runs_changes_nothing_that_is_counted():
    """Which half a task is in doesn't depend on what came before."""
    every = list(mails())
    assert found_in(sorted(every, key=lambda one: one.id[::-1])).together.checked == found_in(every).together.checked


def test_calls_that_nobody_judged_are_counted_apart():
    """They are neither right nor wrong, and no evidence."""
    every = list(mails())
    more = [run(f"u{number}", send("ana0@shop.example", None, amount=1)) for number in range(20)]
    before, after = found_in(every).together.checked, found_in([*every, *more]).together.checked
    assert after.unknown_inside == sum(half(one) == "checking" for one in more)
    assert (after.runs, after.fine, after.at_most) == (before.runs, before.fine, before.at_most)


def test_five_calls_of_one_run_are_one_piece_of_evidence():
    """They go right or wrong together."""
    many = [replace(one, calls=one.calls * 5) for one in mails()]
    assert found_in(many).together.checked.runs == found_in(mails()).together.checked.runs


def test_controls_are_left_out():
    """Where the user asks openly for what an attacker would want, it isn't known what is right."""
    every = list(mails())
    controls = [run(f"c{number}", send("eve@evil.example"), kind="control") for number in range(20)]
    assert found_in([*every, *controls]) == found_in(every)


def test_different_runs_beyond_a_limit_are_left_out_and_told(monkeypatch):
    """What is kept is bounded, and says so."""
    monkeypatch.setattr(trials, "MOST_PATTERNS", 1)
    found = found_in(mails())
    assert found.left_out > 0
    assert found.together.checked.fine + found.together.checked.wrong < 50


def test_where_no_bound_keeps_out_what_is_wrong_none_is_suggested():
    """Right and wrong calls that look alike can't be told apart by bounds."""
    every = [run(f"t{number}", send("ana@shop.example", BAD if number % 4 == 0 else FINE)) for number in range(40)]
    found = found_in(every)
    assert not found.clean
    assert snippet([found]) == ""


def test_a_suite_without_a_policy_and_a_name_for_many_tools_are_told():
    """Each once; the others go on."""
    told = []
    runs = [
        run(f"t{number}", *(TracedCall(tool, {}, labels=FINE) for tool in ("a*", "b", "c\n"))) for number in range(20)
    ]
    runs += [replace(one, suite="other", id=f"o{one.id}") for one in runs]
    found = suggestions(lambda: iter(runs), {"": POLICY}, trouble=told.append)
    assert [one.tool for one in found] == ["b"]
    assert sorted(text.partition(",")[0] for text in told) == [
        "no policy is for the suite 'other'",
        "the tool 'a*' can't have an entry of its own",
        "the tool 'c\\n' can't stand in a policy by this name",
    ]


# --- evidence ------------------------------------------------------------------------------------------------------


def timed(count, *, days, policy=POLICY):
    """The evidence of so many right runs, spread over days."""
    every = [
        run(f"t{number}", send("ana@shop.example", at=NOW + dt.timedelta(days=number % days)))
        for number in range(count)
    ]
    return found_in(every, policy).evidence


def test_evidence_is_weighed_as_for_a_promotion():
    """What it takes without a mistake is m*/p*, with p* from what people's time and a mistake cost."""
    found = timed(60, days=40)
    # Two minutes of asking against 0.4 of bounded, at $60 an hour, and $2 for a mistake.
    assert found.limit == pytest.approx(min(0.5, 1.6 / 2))
    assert found.needed == pytest.approx(needed(0, 0.10) / found.limit)
    assert found.loss == 0


def test_enough_runs_on_enough_days_are_enough():
    """Nothing is missing then."""
    found = timed(200, days=60)
    assert (found.missing, found.enough) == ((), True)


def test_no_day_gives_more_than_a_twentieth():
    """A hundred runs of one day are less than one."""
    found = timed(200, days=1)
    assert found.n_eff == pytest.approx(needed(0, 0.10) / found.limit / 20)
    assert len(found.missing) == 3


def test_without_times_days_cannot_be_counted():
    """And it is never enough."""
    found = found_in(mails()).evidence
    assert (found.span, found.active, found.enough) == (None, None, False)
    assert found.missing == ("no times: days can't be counted",)


def test_without_a_price_of_a_mistake_nothing_is_enough():
    """Nobody knows then how rare it has to be."""
    found = timed(200, days=60, policy=Policy(tools={"send": Rule(rung="confirm")}))
    assert (found.limit, found.needed) == (None, None)
    assert found.missing == ("nobody says what a wrong call costs: the rule needs `mistake`",)


def test_what_the_policy_forbids_is_missing():
    """A ceiling is somebody's decision, and no figure is against it."""
    policy = Policy(tools={"send": Rule(rung="confirm", ceiling="confirm", mistake="$2")})
    found = found_in(mails(), policy)
    assert "the policy allows confirm (2) at most" in found.evidence.missing
    assert snippet([found]) == ""


def test_where_nothing_is_saved_no_number_of_runs_is_enough():
    """An infinite number is said in words."""
    policy = Policy(tools={"send": Rule(mistake="$2")}, trust={"minutes": {"confirm": 0, "bounded": 1}})
    found = found_in(mails(), policy).evidence
    assert found.needed == math.inf
    assert "asking less would save nothing" in found.missing


# --- what may be pasted --------------------------------------------------------------------------------------------


def test_the_snippet_is_all_comments_and_loads_without_them():
    """Appended as it is, it changes nothing; uncommented it is a policy with exactly the bounds that were counted."""
    found = found_in(mails())
    text = snippet([found])
    assert tomllib.loads(text) == {}
    policy = policy_of(tomllib.loads(uncommented(text)), "the snippet")
    assert policy.rule("send").bounds == found.together.bounds
    assert policy.rule("send").rung.word == "bounded"
    assert all(len(line) <= 120 for line in text.splitlines() if line.startswith("##"))


def test_hostile_names_and_values_stay_values():
    """What a model wrote doesn't get out of its quotes, and opens no table."""
    hostile = '"] }\n[tools."*"]\nrung = "report"'
    tool = 'send "] x'
    every = [
        run(f"t{number}", TracedCall(tool, {"a": 'x" } ] # [tools.y]', "b": hostile, 'k"ey': 'v\\"'}, labels=FINE))
        for number in range(30)
    ]
    (found,) = suggestions(lambda: iter(every), {ANY: POLICY}, trouble=pytest.fail)
    assert found.clean
    policy = policy_of(tomllib.loads(uncommented(snippet([found]))), "the snippet")
    assert set(policy.tools) == {tool}
    assert policy.rule(tool).bounds == found.together.bounds


def test_suites_stay_apart():
    """A tool of the same name in another suite is another tool."""
    every = list(mails())
    both = [*(replace(one, suite="a") for one in every), *(replace(one, suite="b") for one in every)]
    found = suggestions(lambda: iter(both), {ANY: POLICY}, trouble=pytest.fail)
    assert [one.suite for one in found] == ["a", "b"]
    assert snippet(found).count("# [tools.send]") == 2
