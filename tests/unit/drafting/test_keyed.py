"""Settings as lines of `key = value`, and back."""

from __future__ import annotations

import datetime as dt

import pytest

from ladder_graph.drafting import keyed
from ladder_graph.errors import DraftRefused

VALUES = {
    "a": 1, "b": {"c": "x = y", "d.e": [1, {"f": None}], "": {}}, "ü": {"x=y": True, 'q"': "\n\u2028"},
    "when": dt.date(2026, 1, 2), "big": 2**60,
}  # fmt: skip


def test_it_goes_there_and_back():
    """Whatever the names and values are; each is one line."""
    lines = keyed.flat(VALUES)
    assert keyed.nested(lines) == VALUES
    assert len(lines.splitlines()) == len(lines.split("\n")) - 1 == 8


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("a = \n", "line 1 is no"), ("a\n", "line 1 is no"), ("a = 1\na = 2\n", "line 2 says again"),
        ("a = 1\na.b = 2\n", "line 2 says again"), ("a.b = 1\na = 2\n", "line 2 says again"),
        ("a = {}\na.b = 1\n", "line 2 says again"), ("a b = 1\n", "is no key"), ('"a = 1\n', "line 1 is no"),
    ],
)  # fmt: skip
def test_lines_that_are_none_are_refused(lines, why):
    """With their number."""
    with pytest.raises(DraftRefused, match=why):
        keyed.nested(lines)


def test_what_nests_too_deep_is_refused():
    """Or holds keys that are no texts."""
    deep = {}
    for _ in range(40):
        deep = {"a": deep}
    for values in (deep, {1: 2}, {"a": {None: 2}}):
        with pytest.raises(DraftRefused):
            keyed.flat(values)


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ({"a": 1}, {"a": {"b": 2, "c": 3}}, ["a"]),
        ({"a": {"b": 2, "c": 3}}, {"a": 1}, ["a"]),
        ({"a": {}}, {"a": {"b": 1}}, ["a"]),
        ({"a": {"b": 1, "c": 2}, "a-b": 1}, {"a": {"b": 2, "c": 3}, "a-b": 2}, ["a.b", "a.c", "a-b"]),
    ],
)
def test_what_can_only_change_together_is_one_change(before, after, names):
    """A value in the place of a mapping, and the other way."""
    groups = keyed.grouped(keyed.flat(before), keyed.flat(after), headers=False)
    assert [one.name for one in groups if one.gone != one.new] == names
