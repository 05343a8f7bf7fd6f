"""What the properties of bounds draw from, and what they say of any two bounds."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from ladder_graph.calls import Call

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = TEXT | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | st.none() | st.binary(max_size=4) | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)


def call(value):
    """A call with one argument."""
    return Call("ops", "t1", "c1", "tool", {"x": value})


def pieces(*parts):
    """Texts put together from pieces that matter to a parser, and now and then any other character."""
    other = st.characters(exclude_categories=["Cs"])
    piece = st.sampled_from([*parts, *parts, *parts, None]).flatmap(
        lambda part: other if part is None else st.just(part)
    )
    return st.lists(piece, max_size=6).map("".join)


def mostly(*good, odd):
    """One of the good parts in most examples, and an odd one in the others."""
    return st.sampled_from([*(good * (3 * len(odd) // len(good))), *odd])


def never_blocks(tight, loose, value):
    """What is inside the tighter bound is inside the looser one."""
    if tight.check(call(value)) is None:
        assert loose.check(call(value)) is None
