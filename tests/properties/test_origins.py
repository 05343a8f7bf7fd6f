"""Properties of where arguments come from: only what was said whole has an origin, and more sources block nothing."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from ladder_graph.policy.bounds import Origin
from ladder_graph.policy.bounds.words import found_in
from ladder_graph.policy.scene import Output, Said, Scene
from tests.properties.test_bounds import NOW, VALUES, call

KINDS = ["email", "url", "iban", "phone", "number", "date", "word", "text"]
ODD = st.sampled_from(
    "\u200b\u202e\u00ad\u00a0\u2212\u2044\u0661\uff11\u0455\u0301'(){}[]<>|`\"#%&@./\\:?!*^,;-+_ \n5ab"
)
SAID = st.sampled_from(
    [
        "ana@shop.example", "https://shop.example/a?b=1", "CH93 0076 2011 6238 5295 7", "+41 79 123 45 67", "1500",
        "-3.25", "2026-05-03", "May 3, 2026", "INV-17", "Team lunch",
    ]
)  # fmt: skip
MESSAGES = st.lists(SAID | ODD, max_size=6).map("".join)


def origin(kind, text, value, **fields):
    """What the bound says where the user said that text."""
    scene = Scene(NOW, listen=lambda: Said((text,)))
    return Origin(argument="x", type=kind, **fields).check(call(value), scene)


@given(st.sampled_from(KINDS), MESSAGES, VALUES | MESSAGES | SAID)
def test_only_what_was_said_has_an_origin(kind, text, value):
    """What passes stands in the message, sign by sign but for its spelling, and no longer piece of it does."""
    if origin(kind, text, value) is None:
        entries = value if isinstance(value, list) else [value]
        assert entries
        for entry in entries:
            assert isinstance(entry, int | float | Decimal if kind == "number" else str)
            assert not isinstance(entry, bool)
            said = re.sub(r"[\s,'\u2019()/.-]", "", unicodedata.normalize("NFC", text)).casefold()
            if kind in {"email", "iban", "phone", "word", "text"}:
                assert re.sub(r"[\s,'\u2019()/.-]", "", unicodedata.normalize("NFC", entry)).casefold() in said
            if kind in {"email", "url", "phone", "date"}:
                assert entry.isascii()


@given(st.sampled_from(KINDS[:-1]), SAID, st.sampled_from("ab5_\u0661\u0455\u200b\u2212-/"), st.booleans())
def test_what_a_sign_is_put_to_is_another_value(kind, said, sign, before):
    """No value is found in a text that has one letter, digit, dash or invisible sign more right beside it."""
    # What a number is put to must be the number: in a URL with one in it, the sign may stand far away.
    assume(kind != "number" or (said[:1].isdigit() and said[-1:].isdigit()))
    alone = set(found_in(said, kind))
    assert not alone & set(found_in(f"{sign}{said}" if before else f"{said}{sign}", kind)) or " " in said


@given(st.sampled_from(KINDS), MESSAGES, MESSAGES, st.lists(MESSAGES, max_size=2), VALUES | SAID)
def test_another_source_blocks_none(kind, text, more, answers, value):
    """More messages and another tool allow at least what fewer allow."""
    outputs = tuple(Output("book", answer) for answer in answers)
    tight = Origin(argument="x", type=kind).check(call(value), Scene(NOW, listen=lambda: Said((text,))))
    loose = Origin(argument="x", type=kind, tools=["book"]).check(
        call(value), Scene(NOW, listen=lambda: Said((text, more), outputs))
    )
    assert tight is not None or loose is None
