"""Words for people: nothing in them hides or acts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.wording import inert, show

HIDDEN = [
    "\u00ad", "\u034f", "\u115f", "\u1160", "\u180e", "\u200b", "\u200d", "\u2028", "\u202e", "\u2066", "\u2800",
    "\u3164", "\ufe0f", "\ufeff", "\uffa0", "\U000e0041", "\U000e0100", "\x00", "\x1b", "\x7f", "\x9b", "\xa0",
    "\ud800",
]  # fmt: skip
"""Joiners, fillers, variation selectors, tags, bidi controls, odd spaces, controls, a lone surrogate."""


@given(st.text())
def test_an_inert_text_holds_nothing_that_acts(text):
    """No control, format, surrogate, private or unassigned character is left, and no line or paragraph separator."""
    assert not [c for c in inert(text) if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}]


@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_text_stays_as_it_is(text):
    """Printable ASCII is not touched."""
    assert inert(text) == text


@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_nobody_sees_is_escaped(hidden):
    """What no font draws, or what acts, is written out."""
    assert inert(f"a{hidden}b") == f"a\\u{{{ord(hidden):X}}}b"


def test_letters_of_all_scripts_stay():
    """What people write with is left as it is, accents of their own included."""
    for text in ("Zürich", "日本語", "русский", "हिन्दी", "e\u0301"):
        assert inert(text) == text


def test_line_breaks_stay_only_where_they_may():
    """A block of text may keep its lines; a line may not become two."""
    assert inert("a\nb", keep="\n") == "a\nb"
    assert inert("a\nb") == "a\\u{A}b"


def test_a_shown_value_is_json():
    """Text stands in quotes with its own escapes, so that it can be told from a number."""
    assert show({"a": "1", "b": [1, "\n\u202e"]}) == '{"a": "1", "b": [1, "\\n\\u{202E}"]}'
