"""Bounds on the type of an argument: what they let through, and every odd value that they don't."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ladder_graph.calls import Call
from ladder_graph.policy.bounds import Count, Equals, Length, Matches, OneOf, Range, weigh
from ladder_graph.policy.bounds.patterns import longest
from ladder_graph.policy.scene import Scene

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def call(**arguments):
    """A call of one tool."""
    return Call("ops", "t1", "c1", "tool", arguments)


@pytest.mark.parametrize("value", ["staging", 1, False, 2.5])
def test_one_of_lets_its_values_through(value):
    """A value of the list is inside."""
    assert OneOf(argument="x", values=["staging", 1, False, 2.5]).check(call(x=value)) is None


@pytest.mark.parametrize(
    "odd",
    [
        "Staging",
        "staging ",
        "staging\n",
        "",
        "st\N{CYRILLIC SMALL LETTER A}ging",
        "\N{FULLWIDTH LATIN SMALL LETTER S}taging",
        True,
        0,
        1.0,
        "1",
        None,
        ["staging"],
        {"staging": 1},
        b"staging",
        2**70,
    ],
)
def test_one_of_lets_nothing_else_through(odd):
    """Look-alikes, other types of the same value, and values in a list are outside."""
    assert OneOf(argument="x", values=["staging", 1, False, 2.5]).check(call(x=odd)) is not None


def test_a_breach_names_argument_value_and_bound():
    """A person reads from it why they are asked."""
    breach = OneOf(argument="env", values=["staging", 1]).check(call(env="production"))
    assert (breach.bound, breach.text) == ("one_of", "env is 'production', and the bound allows 'staging', 1")
    missing = OneOf(argument="env", values=["staging"]).check(call())
    assert missing.text == "env is missing, and the bound allows 'staging'"


def test_a_breach_cuts_long_values_and_shows_hidden_characters():
    """A long value or a line break can't push the reason out of sight."""
    text = OneOf(argument="x", values=["a"]).check(call(x="b\n\N{RIGHT-TO-LEFT OVERRIDE}" + "c" * 10_000)).text
    assert text.startswith(r"x is 'b\n\u202eccc")
    assert "… (10003 characters)" in text
    assert len(text) < 200


def test_a_dot_leads_into_nested_arguments():
    """Only the nested value counts, not a key that is spelled with a dot, nor an entry of a list."""
    bound = OneOf(argument="message.to", values=["ana"])
    assert bound.check(call(message={"to": "ana"})) is None
    for odd in (
        {"message.to": "ana"},
        {"message": [{"to": "ana"}]},
        {"message": "to"},
        {"message": {}},
        {"message": None},
    ):
        assert "is missing" in bound.check(call(**odd)).text


@pytest.mark.parametrize("value", ["INV-000001", "INV-999999"])
def test_matches_lets_the_whole_value_through(value):
    """The pattern is held against the whole value."""
    assert Matches(argument="x", pattern=r"INV-\d{6}").check(call(x=value)) is None


@pytest.mark.parametrize(
    "odd",
    [
        "INV-00001",
        "XINV-000001",
        "INV-0000011",
        "INV-000001\n",
        "\nINV-000001",
        "INV-000001\0",
        "inv-000001",
        "INV-00000" + "\N{ARABIC-INDIC DIGIT THREE}",
        "INV-00000" + "\N{FULLWIDTH DIGIT ONE}",
        "INV-000001\N{ZERO WIDTH SPACE}",
        "",
        None,
        1,
        True,
        ["INV-000001"],
        b"INV-000001",
    ],
)
def test_matches_lets_nothing_else_through(odd):
    """Parts, more lines, digits of other scripts, invisible characters and other types are outside."""
    assert Matches(argument="x", pattern=r"INV-\d{6}").check(call(x=odd)) is not None


@pytest.mark.parametrize(
    "pattern", ["abc$", "^abc$", "abc", "(?m)^abc$", r"abc\Z", "[^@]+", r"[\S\s]+", "(?s).+", r"abc\s*"]
)
def test_a_line_break_is_inside_only_where_it_is_written(pattern):
    """A class or a dot that would take a line break doesn't: headers and commands are injected that way."""
    bound = Matches(argument="x", pattern=pattern)
    assert bound.check(call(x="abc")) is None
    for odd in ("abc\n", "abc\r\n", "abc\nBcc: eve@evil.example", "abc\0", "abc\x1b[2J", "abc\N{LINE SEPARATOR}"):
        assert bound.check(call(x=odd)) is not None


def test_a_pattern_may_write_line_breaks():
    r"""Where the pattern says `\n` or `\t`, that character is inside, and no other control character."""
    bound = Matches(argument="x", pattern=r"(?:[a-z]+\n)+")
    assert bound.check(call(x="ab\ncd\n")) is None
    assert Matches(argument="x", pattern=r"[^x]+\n").check(call(x="a\r\n")) is not None
    assert Matches(argument="x", pattern=r"a\tb").check(call(x="a\tb")) is None


def test_a_text_too_long_to_match_quickly_is_outside():
    """The gate's time isn't the model's to spend."""
    bound = Matches(argument="x", pattern=".*a.*b.*")
    most = longest(bound.pattern)
    assert bound.check(call(x="ab" + "c" * (most - 2))) is None
    assert f"at most {most} characters" in bound.check(call(x="ab" + "c" * (most - 1))).text
    assert bound.check(call(x="a" * 10_000_000)) is not None


@pytest.mark.parametrize("value", [0, 1, 10, 0.0, -0.0, 9.99, 10.0])
def test_range_lets_both_ends_through(value):
    """The limits themselves are inside."""
    assert Range(argument="x", least=0, most=10).check(call(x=value)) is None


@pytest.mark.parametrize(
    "odd", [-1, 11, -1e-9, 10.000001, 10**30, -(10**30), True, False, "5", None, [5], {"5": 5}, Decimal(5)]
)
def test_range_lets_nothing_else_through(odd):
    """Numbers beyond, truth values, text that looks like a number, and lists are outside."""
    assert Range(argument="x", least=0, most=10).check(call(x=odd)) is not None


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("limits", [{"least": 0}, {"most": 10}, {"least": 0, "most": 10}])
def test_range_lets_no_endless_number_through(odd, limits):
    """No call can carry one; the bound would not take it either."""
    one = call(x=1)
    one.arguments["x"] = odd
    assert Range(argument="x", **limits).check(one) is not None


def test_range_is_exact_where_floats_are_not():
    """Large integers are compared as integers."""
    bound = Range(argument="x", most=2**53)
    assert bound.check(call(x=2**53)) is None
    assert bound.check(call(x=2**53 + 1)) is not None
    assert Range(argument="x", least=1).check(call(x=10**300)) is None


def test_range_says_its_limits():
    """An open end is called any."""
    assert Range(argument="n", most=5).check(call(n=9)).text == "n is 9, and the bound wants a number from any to 5"


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        ("abc", True),
        ("", True),
        ([1, 2, 3], True),
        ([], True),
        ("abcd", False),
        ([1, 2, 3, 4], False),
        (3, False),
        (None, False),
        (True, False),
        ({"a": 1}, False),
        (b"abc", False),
        ((1, 2), False),
    ],
)
def test_length_counts_characters_and_entries(value, inside):
    """Only text and lists have a length here."""
    assert (Length(argument="x", most=3).check(call(x=value)) is None) is inside


@pytest.mark.parametrize(
    "bound",
    [
        OneOf(argument="x", values=["a"]),
        Matches(argument="x", pattern=".*"),
        Range(argument="x", least=0),
        Length(argument="x", most=9),
    ],
)
def test_a_missing_argument_asks(bound):
    """The tool's own default may be anything, so a missing argument is outside."""
    assert weigh([bound], call(y="a"), Scene(NOW)) == ([bound.check(call())], [])


@pytest.mark.parametrize("to", ["a", 1, True, False, 2.5, ""])
def test_equals_compares_with_the_type(to):
    """True is not 1, and 1 is not 1.0; the value itself is inside."""
    assert Equals(argument="x", to=to).check(call(x=to)) is None
    for odd in ("a", "A", 1, True, False, 0, 1.0, 2.5, "", None, [to], {"x": to}):
        if type(odd) is not type(to) or odd != to:
            assert Equals(argument="x", to=to).check(call(x=odd)) is not None


def test_equals_says_what_it_wants():
    """The words name the argument, what was found and what is wanted; a missing one asks."""
    bound = Equals(argument="order.dry", to=True)
    assert bound.check(call(order={"dry": False})).text == "order.dry is false, and the bound wants true"
    assert bound.check(call()).text == "order.dry is missing, and the bound wants true"
    assert bound.check(call()).bound == "equals"


@pytest.mark.parametrize(
    ("value", "inside"),
    [([], False), ([1], True), ([1, 2], True), ([1, 2, 3], False), ({"a": 1}, True), ("ab", False), (2, False)],
)
def test_count_counts_entries(value, inside):
    """Lists and tables with one or two entries, and nothing else: text may list anything."""
    assert (Count(argument="x", least=1, most=2).check(call(x=value)) is None) is inside


def test_count_says_what_it_allows():
    """The words name both limits, and a missing argument asks."""
    breach = Count(argument="to", most=2).check(call(to=["a", "b", "c"]))
    assert (breach.bound, breach.text) == (
        "count",
        "to is ['a', 'b', 'c'], and the bound allows a list of 0 to 2 entries",
    )
    assert Count(argument="to", most=2).check(call()).text.startswith("to is missing, and")
