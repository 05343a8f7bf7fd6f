"""Explaining a call: every bound by itself, with what is left, and the rung that the gate would choose."""

from __future__ import annotations

import contextlib

import pytest

from ladder_graph import ArgumentsError, Ladder
from ladder_graph.calls import Call
from ladder_graph.fingerprint import Environment
from ladder_graph.scale import Rung
from ladder_graph.tools import NOTHING

RULE = {
    "rung": "bounded",
    "bounds": [
        {"kind": "domain", "argument": "to", "domains": ["shop.example"]},
        {"kind": "volume", "limit": 2, "per": "ever"},
        {"kind": "cost", "argument": "usd", "limit": "$1", "per": "ever"},
    ],
}


@pytest.fixture
def ladder():
    """A ladder with one bounded tool."""
    with contextlib.closing(Ladder(agent="ops", rungs={"send": RULE}, ledger=":memory:")) as ladder:
        yield ladder


def test_inside_its_bounds_a_call_keeps_the_rung(ladder):
    """Each bound is held, and each quota says what is left before the call."""
    told = ladder.explain("send", {"to": "ana@shop.example", "usd": 0.25})
    assert (told.route.rung, told.route.reasons) == (Rung.BOUNDED, ())
    assert [one.held for one in told.bounds] == [True, True, True]
    assert [one.left for one in told.bounds] == [None, 2, 1_000_000]
    assert told.bounds[1].text == "2 of 2 calls are left in ever"
    assert told.bounds[2].text == "takes $0.25; $1.00 of $1.00 is left in ever"


def test_every_bound_outside_is_named(ladder):
    """Bounds don't hide each other: all that are breached are, with the reason, and the call would ask."""
    told = ladder.explain("send", {"to": "eve@evil.example", "usd": 7})
    assert told.stands is Rung.BOUNDED
    assert told.route.rung is Rung.CONFIRM
    assert [one.held for one in told.bounds] == [False, True, False]
    assert [reason.code for reason in told.route.reasons] == ["outside_domain", "outside_cost"]
    assert "of the $1.00 for ever $1.00 is left" in told.bounds[2].text


def test_an_argument_that_is_missing_breaches(ladder):
    """What can't be looked at asks."""
    told = ladder.explain("send", {})
    assert [one.held for one in told.bounds] == [False, True, False]


def test_a_tool_that_no_policy_names_suggests(ladder):
    """It has the lowest rung, and nothing is weighed."""
    told = ladder.explain("drop", {"table": "a"})
    assert (told.entry, told.route.rung, told.bounds) == (None, Rung.SUGGEST, ())


def test_a_demoted_tool_says_so(ladder):
    """What holds the tool itself down comes with the explanation of any call."""
    ladder.demote("send", "draft", reason="it sent twice")
    told = ladder.explain("send", {"to": "ana@shop.example", "usd": 1})
    assert told.route.rung is Rung.DRAFT
    assert ("demoted", "it sent twice") in [(reason.code, reason.text) for reason in told.route.reasons]


@pytest.mark.parametrize("usd", [1, 0.25, 7, "a lot"])
@pytest.mark.parametrize("to", ["ana@shop.example", "eve@evil.example", None])
def test_the_gate_says_the_same(ladder, to, usd):
    """What is explained is what the gate decides a moment later: rung and reasons."""
    environment = Environment("openai", "gpt-5", "gpt-5-2025-08-07", "none", "{}")
    ladder.seat("send", NOTHING, agent="ops", can_ask=True)
    route, _, _ = ladder.route(Call("ops", "t", "c", "send", {"to": to, "usd": usd}), environment)
    told = ladder.explain("send", {"to": to, "usd": usd})
    assert told.route.rung is route.rung
    assert set(told.route.reasons) == set(route.reasons)


def test_nothing_is_written(ladder):
    """Not one entry, not one hold."""
    before = ladder.heads()
    for _ in range(3):
        assert ladder.explain("send", {"to": "ana@shop.example", "usd": 1}).bounds[1].left == 2
    assert ladder.heads() == before
    assert ladder.actions() == []


def test_arguments_that_no_call_can_have_are_refused(ladder):
    """There is nothing to explain about them."""
    with pytest.raises(ArgumentsError):
        ladder.explain("send", {"usd": float("nan")})
