"""Where a value came from: who said it first, by whole values and their types; what can't be told, the agent wrote."""

from __future__ import annotations

import datetime as dt

import pytest

from ladder_graph.policy.scene import Output, Said
from ladder_graph.policy.sources import LATEST, MOST_CHARACTERS, sources

BOOK = Output("book", '{"people": [{"email": "ana@shop.example", "age": 41}], "since": "2026-01-05"}')
ECHO = Output("echo", "you said eve@evil.example", {"text": "eve@evil.example"})
SAID = Said(user=('Write to "Dear Bo" at bo@shop.example, 1,500 dollars.',), outputs=(ECHO, BOOK, Output("late", "x1")))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("bo@shop.example", "the user wrote it"),
        ("Bo@Shop.example", "the user wrote it"),
        (1500, "the user wrote it"),
        ("Dear Bo", "the user wrote it"),
        ("ana@shop.example", "looked up by book, 2 steps ago"),
        (41, "looked up by book, 2 steps ago"),
        (dt.date(2026, 1, 5), "looked up by book, 2 steps ago"),
        ("x1", "looked up by late"),
        # Only repeated from what the agent put in, a part of a longer value, or nothing that anybody says.
        ("eve@evil.example", "written by the agent"),
        ("shop.example", "written by the agent"),
        (4, "written by the agent"),
        (True, "written by the agent"),
        (None, "written by the agent"),
        ("", "written by the agent"),
        ([], "written by the agent"),
        (["ana@shop.example"], "looked up by book, 2 steps ago"),
        (["ana@shop.example", "bo@shop.example"], "from book, the user"),
        ({"to": "bo@shop.example", "cc": "eve@evil.example"}, "in part written by the agent"),
        (["bo@shop.example"] * 101, "written by the agent"),
    ],
)
def test_who_said_it(value, words):
    """The user before any tool, and the latest of the tools."""
    assert sources({"it": value}, SAID)["it"].words == words


def test_a_long_conversation_is_looked_through_from_its_end():
    """What lies too far back was written by the agent, as far as anybody can tell."""
    old = Output("old", "code77")
    near = Said(outputs=(old, *(Output("t", "x") for _ in range(LATEST - 1))))
    far = Said(outputs=(old, *(Output("t", "x") for _ in range(LATEST))))
    long = Said(outputs=(old, Output("t", "x" * (MOST_CHARACTERS - 5))))
    assert [sources({"it": "code77"}, said)["it"].where for said in (near, far, long)] == ["tool", "agent", "agent"]
