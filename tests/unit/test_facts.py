"""What must be typed to approve a call: the fact that matters, as it is shown."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from ladder_graph.calls import Call
from ladder_graph.facts import Question

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def asked(value, typed="x"):
    """A question about a call with one argument."""
    call = Call("ops", "t", "c", "wipe", {"x": value})
    return Question("q", "d", call, NOON, NOON, "why", "low", typed=typed)


@pytest.mark.parametrize(
    ("value", "shown", "right", "wrong"),
    [
        ("web1", "web1", ["web1"], ['"web1"', "web1 ", "Web1", "", None]),
        ("true", "true", ["true"], ["True", " true"]),
        (True, "true", ["true"], ["True", "1", " true", "yes", "", None]),
        (None, "null", ["null"], ["None", "", "0"]),
        (240, "240", ["240"], ["240.0", "24", " 240", "True"]),
        (0.5, "0.5", ["0.5"], ["1", ".5"]),
        (
            ["web1", "wéb2"],
            '["web1", "wéb2"]',
            ['["web1","wéb2"]', '[ "web1", "w\\u00e9b2" ]'],
            ["['web1', 'wéb2']", "[]"],
        ),
        ({"a": 1, "b": [2]}, '{"a": 1, "b": [2]}', ['{"b":[2],"a":1}'], ['{"a": 1}', "{", "[" * 100_000]),
    ],
)
def test_a_value_is_typed_as_it_is_shown(value, shown, right, wrong):
    """A text letter for letter; whatever else as JSON, in which spaces between its parts make no difference."""
    question = asked(value)
    assert question.typed_value == shown
    assert question.typed_as_json is not isinstance(value, str)
    assert all(question.is_typed(one) for one in [shown, *right])
    assert not any(question.is_typed(one) for one in wrong)


def test_dots_lead_to_a_nested_value():
    """As those of a bound do; where they lead nowhere there is nothing that could be typed."""
    assert asked({"to": "ana"}, "x.to").typed_value == "ana"
    assert asked({"to": "ana"}, "x.to").is_typed("ana")
    question = replace(asked("a"), call=Call("ops", "t", "c", "send", {"x.to": "bo", "x": {"to": "ana"}}))
    assert replace(question, typed="x.to").typed_value == "bo", "a name with a dot in it goes first"
    for nowhere in ("x.cc", "x.to.name", "y"):
        assert (asked({"to": "ana"}, nowhere).typed_value, asked("a", nowhere).typed_as_json) == ("", False)


def test_high_impact_wants_the_tools_name():
    """Where the rule names no argument."""
    call = Call("ops", "t", "c", "wipe", {})
    question = Question("q", "d", call, NOON, NOON, "why", "high")
    assert (question.typed_value, question.is_typed("wipe"), question.is_typed("Wipe")) == ("wipe", True, False)
