"""A row as a line: read back it is the same row, and two rows never make the same line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Column, Date, Float, LargeBinary, MetaData, Table, Text

from ladder_graph.errors import LedgerError
from ladder_graph.ledger.moves.lines import Form, Tally

COLUMNS = (Text(), BigInteger(), Boolean(), Float(), LargeBinary())
FORM = Form(Table("all", MetaData(), *(Column(f"c{n}", kind) for n, kind in enumerate(COLUMNS))))
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from("\\\t\n\r\b\f\vN"))
ROWS = st.tuples(
    st.none() | TEXT, st.none() | st.integers(-(2**63), 2**63 - 1), st.none() | st.booleans(),
    st.none() | st.floats(allow_nan=False), st.none() | st.binary(),
)  # fmt: skip


@given(ROWS)
def test_a_line_is_read_back_as_its_row(row):
    """Whatever a row holds; and it is one line."""
    line = FORM.written(row)
    assert tuple(FORM.read(line)) == row
    assert line.count(b"\n") == 1


@given(st.lists(ROWS, max_size=4), st.lists(ROWS, max_size=4), st.randoms())
def test_tallies_are_the_same_for_the_same_rows_in_any_order(some, others, dice):
    """And for no others."""
    lines = [FORM.written(row) for row in some]
    mixed = dice.sample(lines, len(lines))
    assert Tally.of(lines) == Tally.of(mixed)
    theirs = [FORM.written(row) for row in others]
    assert (Tally.of(lines) == Tally.of(theirs)) == (sorted(lines) == sorted(theirs))


def test_what_does_not_fit_is_said():
    """With the table, and what the row begins with."""
    with pytest.raises(LedgerError, match=r"a row of the table all can't be written: .*no whole number"):
        FORM.written([None, "1", None, None, None])


def test_a_nul_character_is_written_as_an_escape():
    """PostgreSQL keeps none, and a text must not end there."""
    assert FORM.read(FORM.written(["a\0b", None, None, None, None]))[0] == "a\\x00b"


def test_a_type_that_nobody_thought_of():
    """A table with a column that can't be moved fails as soon as the module is loaded, and so every test does."""
    with pytest.raises(LedgerError, match="of type DATE can't be moved"):
        Form(Table("later", MetaData(), Column("day", Date())))
