"""Whatever two texts are: all changes give the one, none the other, and any choice between applies cleanly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.drafting import Piece, applied, changes_of, keyed, unified
from ladder_graph.drafting.mapping import merge_patch, merged

TEXTS = st.none() | st.text(st.sampled_from("ab\n\r\u2028é"), max_size=40) | st.text(max_size=40)
NAMES = st.text(max_size=4) | st.sampled_from(["a", "b", "a.b", "a = b"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
VALUES = st.dictionaries(NAMES, st.recursive(LEAVES, lambda one: st.dictionaries(NAMES, one, max_size=3)), max_size=4)
PIECES = st.builds(Piece, st.sampled_from(["f", "a/b"]), TEXTS, TEXTS, st.sampled_from(["prose", "code"]))


@given(st.lists(PIECES, max_size=3), st.data())
def test_any_choice_of_changes_applies(pieces, data):
    """Taking all is the artifact, taking none the base; and a choice, cut again, lacks exactly what was left out."""
    changes = changes_of(pieces)
    numbers = {one.number for one in changes}
    assert [one.text for one in applied(pieces, numbers)] == [one.text for one in pieces]
    assert [one.text for one in applied(pieces, ())] == [one.base for one in pieces]
    taken = data.draw(st.sets(st.sampled_from(sorted(numbers)))) if numbers else set()
    chosen = applied(pieces, taken)
    rest = [Piece(one.name, made.text, one.text, one.style) for one, made in zip(pieces, chosen, strict=True)]
    assert [one.text for one in applied(rest, {one.number for one in changes_of(rest)})] == [one.text for one in pieces]
    if not taken:
        assert [one.text for one in chosen] == [one.base for one in pieces]


@given(VALUES, VALUES, st.data())
def test_any_choice_of_keys_is_a_mapping(before, after, data):
    """Lines stand for one mapping and back, whatever was taken."""
    piece = Piece("k", keyed.flat(before), keyed.flat(after), "keys")
    assert keyed.nested(piece.base) == before
    numbers = [one.number for one in changes_of([piece])]
    taken = data.draw(st.sets(st.sampled_from(numbers))) if numbers else set()
    assert applied([piece], numbers)[0].text == piece.text
    chosen = keyed.nested(applied([piece], taken)[0].text)
    assert keyed.nested(keyed.flat(chosen)) == chosen


@given(VALUES, VALUES)
def test_a_merge_patch_leads_from_one_mapping_to_the_other(before, after):
    """Where no value is null, which a merge patch has no word for (RFC 7396)."""

    def plain(value):
        return {name: plain(one) if isinstance(one, dict) else one for name, one in value.items() if one is not None}

    assert merged(plain(before), merge_patch(plain(before), plain(after))) == plain(after)


@given(st.lists(st.builds(Piece, st.just("f"), TEXTS, TEXTS), min_size=1, max_size=1))
def test_a_diff_reads_back_as_what_it_was_made_from(pieces):
    """Line ends, empty texts and odd characters included."""
    (piece,) = pieces
    text = unified.diff(pieces)
    if piece.base == piece.text:
        assert text == ""
        return
    (read,) = unified.parsed(text)
    assert unified.patched(read, piece.base) == piece.text
