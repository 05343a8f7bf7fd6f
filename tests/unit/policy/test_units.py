"""Durations and money: read from what people write, and spelled so that they read back the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.policy.units import (
    MOST_MICRO,
    MOST_SECONDS,
    micro_dollars,
    seconds,
    spell_dollars,
    spell_seconds,
)

ARABIC_THREE = "\N{ARABIC-INDIC DIGIT THREE}"


@pytest.mark.parametrize(
    ("written", "length"),
    [
        ("90s", 90.0), ("15m", 900.0), ("24h", 86400.0), ("7d", 604800.0), ("2w", 1209600.0), ("100ms", 0.1),
        ("1.5h", 5400.0), (" 1s ", 1.0), ("0s", 0.0), (5, 5.0), (0.2, 0.2), (0, 0.0),
    ],
)  # fmt: skip
def test_a_duration_is_read(written, length):
    """Numbers of seconds, and numbers with a unit, are durations."""
    assert seconds(written) == pytest.approx(length)
    assert isinstance(seconds(written), float)


@pytest.mark.parametrize(
    "odd",
    [
        "", "s", "24", "24 h", "1e3s", "-1s", "+1s", "1h30m", "1y", "1H", ".5s", "1.s", "1s\n2s", "1_0s",
        f"{ARABIC_THREE}h",
        "inf", "infs", "nan", "9" * 400 + "s", "1000000w", True, False, None, -1, -0.1, float("nan"), float("inf"),
        10**400, [1], {"s": 1}, b"1s",
    ],
)  # fmt: skip
def test_nothing_else_is_a_duration(odd):
    """Negative, endless, unitless and odd spellings are refused with a spelling that works."""
    with pytest.raises(ValueError, match='is no duration; write "90s"'):
        seconds(odd)


@pytest.mark.parametrize(
    ("length", "written"),
    [
        (604800.0, "1w"),
        (86400.0, "1d"),
        (5400.0, "90m"),
        (90.0, "90s"),
        (0.2, "0.2s"),
        (0.0, "0s"),
        (86400.5, "86400.5s"),
    ],
)
def test_a_duration_is_spelled_short(length, written):
    """The largest unit that divides it is used."""
    assert spell_seconds(length) == written


@given(st.floats(0, MOST_SECONDS) | st.integers(0, int(MOST_SECONDS)).map(float))
def test_a_duration_reads_back_exactly(length):
    """A spelled duration is read as the very same number, however odd."""
    assert seconds(spell_seconds(length)) == length


@pytest.mark.parametrize(
    ("written", "micro"),
    [
        ("$0.02", 20_000), ("0.02 USD", 20_000), ("0.02USD", 20_000), ("$5", 5_000_000), ("$5 USD", 5_000_000),
        (" $1 ", 1_000_000),
        ("$0.000001", 1), ("$0", 0), ("$9007199254.740991", MOST_MICRO),
    ],
)  # fmt: skip
def test_an_amount_is_read(written, micro):
    """Dollars with a mark are whole micro-dollars."""
    assert micro_dollars(written) == micro


@pytest.mark.parametrize(
    "odd",
    [
        "", "$", "5", "USD", "$-1", "-$1", "$+1", "$$1", "$1$", "1$", "$1,000", "$1_000", "$1e3", "$.5", "$1.",
        "$0.0000001",
        "$nan", "$Infinity", "$sNaN", "$1e999999999", f"${ARABIC_THREE}", "$1 EUR",
        "\N{FULLWIDTH DOLLAR SIGN}1", "$9007199254.740992",
        "$" + "9" * 5000, 5, 0.02, True, None, ["$1"], b"$1",
    ],
)  # fmt: skip
def test_nothing_else_is_an_amount(odd):
    """A bare number could be dollars, cents or micro-dollars; it is refused, as is everything odd."""
    with pytest.raises(ValueError, match=r'is no amount; write "\$0\.02"'):
        micro_dollars(odd)


@given(st.integers(0, MOST_MICRO))
def test_an_amount_reads_back_exactly(micro):
    """A spelled amount is read as the very same number of micro-dollars, and shows at least the cents."""
    text = spell_dollars(micro)
    assert micro_dollars(text) == micro
    assert len(text.partition(".")[2]) >= 2
