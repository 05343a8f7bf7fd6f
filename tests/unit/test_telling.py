"""What is taken down of a call comes back as it was, tells an editor's values apart, and gives no probe away."""

from __future__ import annotations

import json

import pytest

from ladder_graph.policy.sources import Source
from ladder_graph.retyping import Misfit, typed
from ladder_graph.telling import Change, Check, Reach, Telling, Undoing

TOLD = Telling(
    title="Refund 240 to Dana?", deed="Run it", words="Dana asked.", length=11, order=("amount", "to"),
    sources={"amount": Source("agent"), "to": Source("tool", "book", 2)}, defaults={"notify": True},
    fields={"amount": {"type": "integer"}},
    checks=(Check("warn", "240 is too much", "amount"), Check("ok", "fine", "to"), Check("ok", "in all")),
    changes=(Change("payment", "240 captured", None),), changes_by="tool", trouble=("x",),
    reach=Reach(money="240 out"), remedy="stop 240", undoing=Undoing("reversible", "a:b", 3.5),
)  # fmt: skip


def test_it_comes_back_as_it_was():
    """Through JSON, with every field."""
    assert Telling.read(json.loads(json.dumps(TOLD.to_json()))) == TOLD
    assert Telling.read({}) == Telling()


@pytest.mark.parametrize("body", [None, "x", {"sources": {"a": {"what": 1}}}, {"checks": [{"level": "x", "text": ""}]}])
def test_what_cannot_be_read_is_nothing(body):
    """Somebody else's entry, or one of a later release."""
    assert Telling.read(body) is None


def test_other_arguments_are_an_editors():
    """What was said of the first ones goes; what is untouched keeps where it came from."""
    after = TOLD.edited({"amount": 240, "to": "dana"}, {"amount": 100, "to": "dana"}, "mia")
    assert after.sources == {"amount": Source("person", "mia"), "to": Source("tool", "book", 2)}
    assert after.checks == (Check("ok", "fine", "to"),)
    assert (after.title, after.changes, after.reach, after.words) == ("", (), Reach(), "Dana asked.")


def test_a_probe_is_told_as_a_real_call():
    """Where a value was named in words, the other one stands; all else is as it was."""
    after = TOLD.told_of({"amount": 240, "to": "dana"}, {"amount": 2400, "to": "dana"})
    assert after.title == "Refund 2400 to Dana?"
    assert after.changes == (Change("payment", "2400 captured", None),)
    assert after.reach == Reach(money="2400 out")
    assert after.checks[0] == Check("warn", "2400 is too much", "amount")
    assert (after.sources, after.words) == (TOLD.sources, TOLD.words)


@pytest.mark.parametrize(
    ("text", "schema", "before", "value"),
    [
        ("5", {"type": "integer"}, 1, 5), ("5.5", {"type": "number"}, 1, 5.5), ("5", {"type": "number"}, 1.5, 5),
        ("5", {"type": "string"}, "x", "5"), ("true", {}, False, True), ("[1]", {}, [], [1]), ("true", {}, "x", "true"),
        ("null", {"anyOf": [{"type": "string"}, {"type": "null"}]}, "x", None),
        ("EUR", {"type": "string", "enum": ["EUR", "USD"]}, "USD", "EUR"),
        ('{"a": 1}', {"type": "object"}, {}, {"a": 1}),
        # Of two kinds, that of the value that stands there is the likelier one.
        ("5", {"anyOf": [{"type": "integer"}, {"type": "string"}]}, 1, 5),
        ("5", {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "x", "5"),
        ("[1]", {"anyOf": [{"type": "integer"}, {"type": "string"}]}, 1, "[1]"),
        # Nothing stands there, and the schema leaves it open.
        ("5", {}, None, 5), ("much", {"title": "Any"}, None, "much"),
        ('{"a": 1}', {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}, {}, {"a": 1}),
        ("1", {"enum": ["x", 1]}, "x", 1), ("x", {"const": "x", "type": "string"}, None, "x"),
    ],
)  # fmt: skip
def test_a_field_takes_what_its_schema_says(text, schema, before, value):
    """Text as it stands; else the JSON of the schema's type, or of the value that was there."""
    found = typed(text, schema, before)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "schema", "before"),
    [
        ("5.5", {"type": "integer"}, 1), ("much", {"type": "number"}, 1), ("true", {"type": "integer"}, 1),
        ("1", {}, True), ("GBP", {"type": "string", "enum": ["EUR"]}, "EUR"), ("NaN", {"type": "number"}, 1.0),
        ("[" * 100_000, {"type": "array"}, []), ("y", {"const": "x", "type": "string"}, None),
    ],
)  # fmt: skip
def test_a_field_refuses_anything_else(text, schema, before):
    """It says what it takes."""
    with pytest.raises(Misfit, match="it takes "):
        typed(text, schema, before)
