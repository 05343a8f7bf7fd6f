"""Properties of bounds: no odd value gets through, and loosening a bound never blocks what it allowed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.calls import Call
from ladder_graph.policy.bounds import (
    Bound,
    Charge,
    Cost,
    Count,
    Domain,
    Environment,
    Equals,
    Host,
    Length,
    Matches,
    OneOf,
    Origin,
    Predicate,
    Range,
    Rate,
    Table,
    Tenant,
    Under,
)
from ladder_graph.policy.scene import Said, Scene
from tests.properties.drawing import NOW, SCALARS, VALUES, call, mostly, never_blocks

ALIKE = st.sampled_from(["a", "A", "a ", "1", "", "true", 1, 1.0, True, 0, 0.0, False, None])


@given(st.lists(SCALARS | ALIKE.filter(lambda value: value is not None), min_size=1, max_size=4), VALUES | ALIKE)
def test_only_a_listed_value_of_the_same_type_is_one_of(values, value):
    """What passes is equal to an entry, and of its type."""
    if OneOf(argument="x", values=values).check(call(value)) is None:
        assert any(type(value) is type(entry) and value == entry for entry in values)


@given(
    VALUES
    | st.tuples(
        mostly("a", "abc", odd=["A", "", "\N{CYRILLIC SMALL LETTER A}", " a", "\na"]),
        mostly("-", odd=["--", "", "\N{NON-BREAKING HYPHEN}"]),
        mostly("1", "20", odd=["", "\N{ARABIC-INDIC DIGIT ONE}", "\N{SUPERSCRIPT TWO}", "1\n", "1\r\n", "1\0", "1 "]),
    ).map("".join)
)
def test_only_visible_ascii_digits_match_digits(value):
    """What passes has the shape that is written, and nothing beside it."""
    if Matches(argument="x", pattern=r"[a-z]+-\d+").check(call(value)) is None:
        name, _, digits = value.partition("-")
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz")
        assert set(digits) <= set("0123456789")
        assert name
        assert digits


@given(VALUES | st.text("ab \n\t\r\0é\N{ZERO WIDTH SPACE}", max_size=4))
def test_only_visible_text_matches_anything(value):
    """Even the widest pattern takes no control characters and nothing but text."""
    if Matches(argument="x", pattern=r"[\s\S]*").check(call(value)) is None:
        assert isinstance(value, str)
        assert value.isprintable()


@given(st.integers(-100, 100), st.integers(0, 100), VALUES | st.integers(-120, 220) | st.floats(-120, 220))
def test_only_a_number_between_the_limits_is_in_range(least, width, value):
    """What passes is a finite number, and between the limits."""
    if Range(argument="x", least=least, most=least + width).check(call(value)) is None:
        assert type(value) in {int, float}
        assert least <= value <= least + width


@given(st.integers(0, 5), VALUES)
def test_only_short_text_and_lists_have_the_length(most, value):
    """What passes is a text or a list, and short."""
    if Length(argument="x", most=most).check(call(value)) is None:
        assert isinstance(value, str | list)
        assert len(value) <= most


@given(SCALARS | ALIKE.filter(lambda value: value is not None), VALUES | ALIKE)
def test_only_the_value_itself_is_equal(wanted, value):
    """What passes has the value and its type; the value itself passes."""
    assert Equals(argument="x", to=wanted).check(call(wanted)) is None
    if Equals(argument="x", to=wanted).check(call(value)) is None:
        assert type(value) is type(wanted)
        assert value == wanted


@given(st.integers(0, 3), st.integers(0, 3), VALUES)
def test_only_lists_and_tables_hold_a_count(least, more, value):
    """What passes is a list or a table with a number of entries between the limits."""
    if Count(argument="x", least=least, most=least + more).check(call(value)) is None:
        assert isinstance(value, list | dict)
        assert least <= len(value) <= least + more


def echo(arguments):
    """Say what the argument is."""
    return arguments["x"]


@given(VALUES)
def test_only_true_itself_is_inside_a_predicate(value):
    """Nothing that is merely taken for true is enough."""
    assert (Predicate(function=f"{__name__}:echo").check(call(value)) is None) is (value is True)


@given(VALUES)
def test_a_missing_argument_is_never_inside(value):
    """Whatever other arguments there are."""
    other = Call("ops", "t1", "c1", "tool", {"y": value})
    bounds = (
        OneOf(argument="x", values=["a"]),
        Matches(argument="x", pattern=".*"),
        Range(argument="x", least=0),
        Length(argument="x", most=9),
        Equals(argument="x", to="a"),
        Count(argument="x", most=9),
        Under(argument="x", directory="/"),
        Host(argument="x", hosts=["a.example"]),
        Domain(argument="x", domains=["a.example"]),
        Environment(argument="x", names=["a"]),
        Table(argument="x", tables=["a"]),
        Table(sql="x", tables=["a"]),
    )
    assert Tenant(argument="x").check(other, Scene(NOW, facts={"tenant": value})) is not None
    said = Scene(NOW, listen=lambda: Said((str(value), "a", "1")))
    assert all(Origin(argument="x", type=kind).check(other, said) is not None for kind in ("word", "text", "number"))
    assert not isinstance(Rate(limit=3, within="1m", each_value_of="x").charges(other, Scene(NOW)), tuple)
    assert all(bound.check(other) is not None for bound in bounds)
    assert not isinstance(Cost(limit="$5", argument="x").charge(other, NOW), Charge)


NEAR_VALUES = VALUES | st.integers(-5, 5) | st.text("ab", max_size=5) | st.lists(st.integers(), max_size=5)


@given(st.lists(SCALARS, min_size=1, max_size=3), st.lists(SCALARS, max_size=3), NEAR_VALUES)
def test_another_value_blocks_none(values, more, value):
    """A longer list allows at least what the shorter one allows."""
    never_blocks(OneOf(argument="x", values=values), OneOf(argument="x", values=[*values, *more]), value)
    assert OneOf(argument="x", values=[*more, *values]).check(call(values[0])) is None


@given(st.integers(-5, 5), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), NEAR_VALUES)
def test_a_wider_range_blocks_none(least, width, lower, higher, value):
    """Lower and higher limits, and no limit at all on one side."""
    tight = Range(argument="x", least=least, most=least + width)
    never_blocks(tight, Range(argument="x", least=least - lower, most=least + width + higher), value)
    never_blocks(tight, Range(argument="x", least=least), value)
    never_blocks(tight, Range(argument="x", most=least + width), value)


@given(st.integers(0, 5), st.integers(0, 5), NEAR_VALUES)
def test_a_greater_length_blocks_none(most, more, value):
    """A longer text may be."""
    never_blocks(Length(argument="x", most=most), Length(argument="x", most=most + more), value)


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), NEAR_VALUES)
def test_another_count_blocks_none(least, more, wider, value):
    """Fewer and more entries may be."""
    never_blocks(
        Count(argument="x", least=least, most=least + more),
        Count(argument="x", least=max(0, least - wider), most=least + more + wider),
        value,
    )


@given(
    st.sampled_from(["a", "a+", "[ab]+", "a|b", "ab?"]),
    st.sampled_from(["b", "[ab]*", "a{2}"]),
    st.text("ab\n", max_size=6),
)
def test_an_alternative_in_a_pattern_blocks_none(pattern, other, value):
    """`one|other` allows at least what `one` allows."""
    never_blocks(Matches(argument="x", pattern=pattern), Matches(argument="x", pattern=f"(?:{pattern})|{other}"), value)


def test_every_kind_of_bound_has_its_properties():
    """A kind that is added to policies is named here, and so among the properties above."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("test_*.py")))
    for kind in get_args(get_args(Bound)[0]):
        assert re.search(rf"\b{kind.__name__}\(", text), kind
