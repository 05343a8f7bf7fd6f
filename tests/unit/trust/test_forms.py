"""What arguments look like."""

from __future__ import annotations

import pytest

from ladder_graph.trust.forms import reworded, same, signature


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ({"a": 1, "b": "x"}, {"b": "x", "a": 7}, True),
        ({"a": 1}, {"a": 10}, False),
        ({"a": 1}, {"a": -1}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": "staging"}, {"a": "production"}, False),
        ({"a": "Dear Ana, thank you"}, {"a": "Dear Bo, thanks again"}, True),
        ({"a": "x y"}, {"a": "a much longer text than the one before"}, False),
        ({"a": [1, 2]}, {"a": [3, 4]}, True),
        ({"a": [1]}, {"a": [1] * 50}, False),
        ({"a": None}, {"a": True}, False),
        ({"a": {"b": 1}}, {"a": {"b": 5}}, True),
        ({"a": 10**400}, {"a": float("inf")}, True),
    ],
)
def test_calls_of_one_form_differ_only_in_detail(one, other, alike):
    """Names, types and rough sizes make the form."""
    assert (signature(one) == signature(other)) == alike


def nested(depth, value):
    """A value below so many names."""
    return value if depth == 0 else {"a": nested(depth - 1, value)}


@pytest.mark.parametrize("odd", [None, 5, {1: 2, "a": 3}, {"a": object()}, {"a": float("nan")}, {"a": "\ud800"}, []])
def test_anything_has_a_form(odd):
    """Nothing raises, however odd."""
    assert isinstance(signature(odd), int)


def test_what_lies_too_deep_is_of_one_form_and_never_only_reworded():
    """No depth of nesting can be used to hang, or to hide an edit."""
    deep, other = nested(900, 1), nested(900, 12345)
    assert signature(deep) == signature(other)
    assert reworded(deep, deep, [])
    assert reworded(deep, other, ["a"])
    assert not reworded(deep, other, [".".join("a" * 900)])


@pytest.mark.parametrize(
    ("after", "cosmetic", "only"),
    [
        ({"to": 1, "m": {"s": "x", "t": "y"}}, [], True),
        ({"to": 1, "m": {"s": "z", "t": "y"}}, ["m.s"], True),
        ({"to": 1, "m": {"s": "z", "t": "z"}}, ["m.s"], False),
        ({"to": 1, "m": {"s": "z", "t": "z"}}, ["m"], True),
        ({"to": 1, "m": "gone"}, ["m.s"], False),
        ({"to": 1, "m": {"s": "x", "t": "y", "new": 1}}, ["m.s"], False),
        ({"to": True, "m": {"s": "x", "t": "y"}}, [], False),
        ({"to": 1.0, "m": {"s": "x", "t": "y"}}, [], False),
        ({"to": 1, "m": {"s": "x", "t": "y"}, "m.s": 5}, ["m.s"], False),
        ({"to": None, "m": {"s": "x", "t": "y"}}, [], False),
    ],
)
def test_an_edit_is_only_cosmetic_where_each_change_is(after, cosmetic, only):
    """What isn't named as free text is material, with its type, and wherever it lies."""
    assert reworded({"to": 1, "m": {"s": "x", "t": "y"}}, after, cosmetic) == only


def test_what_cannot_be_compared_is_not_the_same():
    """Two things that are no JSON are the same only where they are one."""
    odd = {1, 2}
    assert same(odd, odd)
    assert not same(odd, {1, 2})
