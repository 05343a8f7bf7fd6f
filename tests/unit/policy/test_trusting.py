"""How scopes tell calls apart, and what a policy says of trust."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ladder_graph.policy.trusting import OTHER, Scope, Stake, Trust
from ladder_graph.scale import Rung

STAGES = Scope(argument="to.stage", values=["staging", "test", True, 3], risks={"staging": "low", "test": "low"})


@pytest.mark.parametrize(
    ("value", "scope"),
    [
        ("staging", "staging"),
        (True, "true"),
        (3, "3"),
        (1, OTHER),
        (3.0, OTHER),
        ("3", OTHER),
        (None, OTHER),
        ([], OTHER),
    ],
)
def test_a_value_is_compared_with_its_type(value, scope):
    """Each declared value is a scope, and any other one is the scope that nobody declared."""
    assert STAGES.of({"to": {"stage": value}}) == scope


@pytest.mark.parametrize("arguments", [{}, {"to": None}, {"to": "staging"}, {"to": {}}])
def test_an_argument_that_is_not_there_is_in_no_declared_scope(arguments):
    """A missing value never falls into a scope that could have earned anything."""
    assert STAGES.of(arguments) == OTHER


@pytest.mark.parametrize(
    ("value", "scope"),
    [
        (-1, "<=100"),
        (100, "<=100"),
        (100.5, "<=1000"),
        (10**400, ">1000"),
        (True, OTHER),
        (float("nan"), OTHER),
        ("5", OTHER),
    ],
)
def test_edges_part_numbers(value, scope):
    """An edge belongs to the scope below it; what is no number is in none."""
    assert Scope(argument="amount", edges=[100, 1000]).of({"amount": value}) == scope


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "either values"),
        ({"values": ["a"], "edges": [1]}, "either values"),
        ({"edges": [2, 1]}, "must rise"),
        ({"edges": [1, 1]}, "must rise"),
        ({"values": [1, "1"]}, "written alike"),
        ({"values": ["*"]}, "stands for something else"),
        ({"values": ["?"]}, "stands for something else"),
        ({"values": [""]}, "stands for something else"),
        ({"values": list("abcdefghi")}, "makes 9 scopes"),
        ({"values": ["a"], "risks": {"b": "low"}}, "no scope 'b'"),
        ({"values": ["a"], "pooling": "floor"}, "needs risks"),
    ],
)
def test_scopes_that_could_not_be_told_apart_are_refused(fields, told):
    """Neither an overlap, nor a name that means something else, nor too many of them."""
    with pytest.raises(ValidationError, match=told):
        Scope(argument="x", **fields)


def test_only_scopes_of_one_risk_class_are_alike():
    """A scope without a class is like no other."""
    assert STAGES.alike("staging") == ("test",)
    assert STAGES.alike("3") == STAGES.alike(OTHER) == ()


@pytest.mark.parametrize(
    "fields",
    [{"minutes": {"Confirm": 1}}, {"minutes": {"2": 1}}, {"alpha": {"suggest": 0.1}}, {"alpha": {"draft": 0}},
     {"alpha": {"draft": 0.6}}, {"alpha": {"draft": 1e-13}}, {"minutes": {"confirm": -1}}],
)  # fmt: skip
def test_a_key_that_would_do_nothing_is_refused(fields):
    """A rung is named by its word, nobody is promoted to the lowest, and a chance is one that can be worked with."""
    with pytest.raises(ValidationError):
        Trust(**fields)


def test_what_is_not_said_is_told_from_what_is():
    """An assumed figure says that it is one."""
    said = Trust(minutes={"confirm": 3}, alpha={"report": 0.02})
    assert said.minutes_on(Rung.CONFIRM) == (3, True)
    assert said.minutes_on(Rung.BOUNDED) == (0.4, False)
    assert [said.alpha_to(rung) for rung in list(Rung)[1:]] == [0.20, 0.20, 0.10, 0.05, 0.02]


def test_nothing_is_at_stake_until_somebody_says_so():
    """No class of mistakes is expected by default, so that any is a surprise."""
    assert (Stake().mistakes, Stake().cosmetic, Stake().single_pattern) == ((), (), False)
