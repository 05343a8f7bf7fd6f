"""Arguments as fields of a form, and what comes back from them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ladder_graph.console.fields import Put, escaped, field_of, fields_of, id_of, read_put

SCHEMA = {
    "$defs": {"Colour": {"enum": ["red", "blue"], "type": "string"}},
    "properties": {
        "count": {"type": "integer", "minimum": 1, "maximum": 5},
        "share": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None},
        "colour": {"$ref": "#/$defs/Colour", "description": "Which one."},
        "maybe": {"anyOf": [{"$ref": "#/$defs/Colour"}, {"type": "null"}]},
        "on": {"type": "boolean"},
        "name": {"type": "string", "maxLength": 5},
        "many": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "deep": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["count", "colour"],
}


def field(name, /, **arguments):
    """The field of an argument under the schema."""
    return field_of(name, arguments, SCHEMA)


@pytest.mark.parametrize(
    ("name", "value", "kind", "states"),
    [
        ("count", 3, "number", ("value",)), ("share", 0.5, "number", ("value", "null", "out")),
        ("colour", "red", "choice", ("value",)), ("colour", "green", "line", ("value",)),
        ("maybe", "blue", "choice", ("value", "null", "out")), ("on", True, "choice", ("value", "out")),
        ("name", "x\ny", "text", ("value", "out")), ("name", "x" * 121, "text", ("value", "out")),
        ("many", 3, "number", ("value", "out")), ("many", "3", "line", ("value", "out")),
        ("deep", ["a"], "json", ("value", "out")), ("count", 2**60, "json", ("value",)),
        ("count", Decimal("1.5"), "json", ("value",)), ("name", "a\u202eb", "json", ("value", "out")),
        ("name", "a\rb", "json", ("value", "out")),
    ],
)  # fmt: skip
def test_a_field_is_of_the_kind_of_its_argument(name, value, kind, states):
    """By the schema and the value; what a form would change is edited as JSON."""
    found = field(name, **{name: value})
    assert (found.kind, found.states, found.state) == (kind, states, "value")


@pytest.mark.parametrize(
    ("name", "kind"), [("count", "number"), ("maybe", "choice"), ("on", "choice"), ("name", "line"), ("deep", "json")]
)
def test_what_the_call_leaves_out_has_the_kind_that_the_schema_gives(name, kind):
    """And says that it is left out."""
    found = field(name)
    assert (found.kind, found.state, found.text) == (kind, "out", "")


def test_without_a_schema_the_value_tells():
    """What isn't there has no field, and nothing that is there may be left out."""
    made, kept = fields_of({"a": 1, "b": "x", "c": None, "d": {"e": 1}}, {})
    assert [(one.name, one.kind, one.states) for one in made] == [
        ("a", "number", ("value",)), ("b", "line", ("value",)), ("c", "line", ("value", "null")),
        ("d", "json", ("value",)),
    ]  # fmt: skip
    assert kept == []


def test_what_is_long_or_comes_late_is_kept_unless_it_is_wanted():
    """A hundred fields at most."""
    arguments = {f"k{n:03d}": n for n in range(150)} | {"long": "x" * 30_000}
    made, kept = fields_of(arguments, {})
    assert (len(made), len(kept), kept[-1]) == (100, 51, "long")
    made, kept = fields_of(arguments, {}, [id_of("long")])
    assert (made[-1].name, "long" in kept) == ("long", False)


@pytest.mark.parametrize("value", [3, 0.5, "x\ny", "a\u202e\x00\r\n\u3164", ["a", {"b": None}], True, 2**60, b"x"])
def test_what_nobody_touches_is_the_very_value(value):
    """Whatever it is, and its text comes back from a form as it went there."""
    found = field_of("a", {"a": value}, {})
    assert read_put(found, Put("value", found.text)) == (value, "")
    assert found.text.isprintable() or "\n" in found.text


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("count", "4", 4), ("share", "0.25", 0.25), ("share", "1e3", 1000.0), ("colour", '"blue"', "blue"),
     ("on", "false", False), ("name", "5", "5"), ("deep", '["b"]', ["b"])],
)  # fmt: skip
def test_what_is_put_in_has_its_type(name, text, value):
    """A text stays one, whatever it looks like."""
    before = {"count": 3, "share": 0.5, "colour": "red", "on": True, "name": "x", "deep": ["a"]}
    assert read_put(field(name, **before), Put("value", text)) == (value, "")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [("count", "9", "at most 5"), ("count", "9" * 400, "at most 5"), ("count", "9" * 5000, "not a number"),
     ("count", "0", "at least 1"), ("count", "1.5", "whole number"),
     ("count", "Infinity", "not a number"), ("name", "abcdef", "characters at most 5"), ("deep", "[", "not JSON"),
     ("deep", "[" * 100_000, "not JSON"), ("colour", '"green"', "not one of them"), ("on", "1", "not one of them")],
)  # fmt: skip
def test_what_doesnt_fit_is_said(name, text, why):
    """In words that stand beside the field."""
    before = {"count": 3, "colour": "red", "on": True, "name": "x", "deep": ["a"]}
    assert why in read_put(field(name, **before), Put("value", text))[1]


def test_a_whole_number_beyond_every_float_is_taken_exactly():
    """Where its schema has no limit that it is beyond."""
    assert read_put(field("many", many=3), Put("value", "9" * 400)) == (int("9" * 400), "")


def test_null_and_json_are_read_as_such():
    """A text that would not survive a form is put in as JSON."""
    assert read_put(field("share", share=0.5), Put("null", "0.5")) == (None, "")
    assert read_put(field("share", share=0.5), Put("null", "")) == (None, "")
    assert "this would not be sent" in read_put(field("share", share=0.5), Put("null", "0.7"))[1]
    assert read_put(field("name", name="x"), Put("value", '"a\\u202eb"', plain=False)) == ("a\u202eb", "")
    assert escaped("a\u202e\U000e0100") == '"a\\u202e\\udb40\\udd00"'


def test_a_schema_that_leads_nowhere_says_nothing():
    """References in a circle, to elsewhere, and what is no schema at all."""
    odd = {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
           "properties": {"x": {"$ref": "#/$defs/a"}, "y": {"$ref": "http://else"}, "z": 3,
                          "u": {"anyOf": 3}}}  # fmt: skip
    for name in "xyzu":
        assert field_of(name, {name: "v"}, odd).kind == "line"
    assert field_of("x", {"x": "v"}, {"properties": 3, "required": "x"}).kind == "line"
