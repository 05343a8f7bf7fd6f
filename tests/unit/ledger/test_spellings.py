"""Whom a text names, however the name is spelt in it, and however it is packed."""

from __future__ import annotations

import json
import unicodedata

import pytest

from ladder_graph.ledger.upkeep.spellings import NESTED, Wanted, plain, readings


def test_a_name_is_found_however_it_is_spelt():
    """Case, width and spaces make no difference, and a field's name or a list hides nothing."""
    wanted = Wanted(None, ("ana-maria vogt",))
    for value in (
        "ANA-MARIA  VOGT",
        {"a": [{"Ana-Maria Vogt": 1}]},
        "\N{FULLWIDTH LATIN CAPITAL LETTER A}na-Maria Vogt",
    ):
        assert wanted.named(value)
    assert wanted.named(b'"Ana-Maria \\u0056ogt"')
    assert not wanted.named("Ana-Maria", {"x": None}, True, 3)


@pytest.mark.parametrize("name", ["Jürgen Müller", "Ju\u0308rgen Mu\u0308ller", "JÜRGEN  MÜLLER"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_nothing_that_json_does_to_a_text_hides_a_name(name, form):
    """Escapes don't, nor JSON inside JSON, nor that it was cut; and neither does how an accent is written."""
    wanted = Wanted(None, (plain(name),))
    text = unicodedata.normalize(form, "Jürgen Müller")
    packed = json.dumps({"customer": text, "street": "Weg 3"})
    assert "ü" not in packed
    assert wanted.named(text)
    for one in (packed, json.dumps(packed), json.dumps([json.dumps({"reply": packed})]), f"it said: {packed[:60]} …"):
        assert wanted.named(one)
        assert wanted.named({"reply": one})
        assert wanted.named(json.dumps({"content": one}).encode())
    assert wanted.named(json.dumps("Jürgen\nMüller"))
    assert not wanted.named(packed.replace("rgen", "rg"))


def test_a_name_beyond_the_first_plane_is_found():
    """JSON spells one character of it as two halves."""
    name = "Ana \N{CJK UNIFIED IDEOGRAPH-20000}"
    wanted = Wanted(None, (plain(name),))
    assert "\\ud840\\udc00" in json.dumps(name)
    assert wanted.named(json.dumps(name))
    assert wanted.named(json.dumps(json.dumps(name)))


@pytest.mark.parametrize("text", ["\\", "C:\\users\\new", "\\u12", "\\ud800", "\\udc00\\ud800", "\\u005c" * 9_000])
def test_what_is_no_escape_is_read_as_it_stands(text):
    """A lone backslash, half a pair and what is cut in the middle of an escape hide nothing that stands beside them."""
    assert next(readings(text)) == text
    assert Wanted(None, ("ana",)).named(f"{text} Ana")


def test_nobody_makes_a_text_cost_more_than_a_few_passes():
    """One that unpacks into one that unpacks, and so on, is given up; a text without a backslash is read once."""
    assert len(list(readings("\\u005c" + "u005c" * 1_000))) == NESTED + 1
    assert list(readings("Jürgen")) == ["Jürgen"]
