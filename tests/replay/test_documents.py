"""JSON taken apart: what is whole comes out, wherever it is cut, and what is broken costs itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.replay import documents
from ladder_graph.replay.documents import ITEM, Cutter, parsed, whole

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def cut(text, path, size=None):
    """The entries of a document, fed in pieces of a size."""
    cutter, data = Cutter(path), text.encode()
    step = size or len(data) or 1
    found = [one for at in range(0, len(data), step) for one in cutter.feed(data[at : at + step])]
    return found, cutter


@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 1, 4]), st.sampled_from([1, 2, 3, 7, 1000]))
def test_entries_of_an_array_come_out_as_they_went_in(entries, indent, size):
    """Wherever the pieces end that it is fed, also within an escape or a letter of several bytes."""
    found, cutter = cut(json.dumps(entries, indent=indent, ensure_ascii=False), (ITEM,), size)
    assert [parsed(one) for one in found] == entries
    assert (cutter.open, cutter.stray) == (False, False)


@given(st.lists(VALUES, max_size=3), VALUES, st.sampled_from([1, 5, 1000]))
def test_entries_inside_a_document_are_those_on_their_path(entries, other, size):
    """Whatever stands beside them, also under the same keys deeper down."""
    beside = {"a": other, "data": {"rows": [1], "x": {"data": [2]}}, "x": [{"data": [3]}], "rows": [4], 'e\\"': 5}
    whole_ = {**beside, "data": {"data": [6], "rows": entries, "also": other}}
    found, _ = cut(json.dumps(whole_), ("data", "rows", ITEM), size)
    assert [parsed(one) for one in found] == entries


def test_lists_in_lists_are_walked_through():
    """Each `item` of a path is an array whose entries all lead on."""
    text = '{"r": [{"s": [1, 2]}, {"t": [0], "s": []}, 7, {"s": [3]}]}{"r": [{"s": [4]}]}'
    assert cut(text, ("r", ITEM, "s", ITEM))[0] == [b"1", b"2", b"3", b"4"]


def test_a_broken_entry_costs_itself():
    """What isn't JSON within its brackets, or ends with one too many, leaves the others alone."""
    found, cutter = cut('[{"a": nope}, {"a": 1}}, {"a": 2}]', (ITEM,))
    assert found == [b'{"a": nope}', b'{"a": 1}}', b'{"a": 2}']
    assert (cutter.open, cutter.stray) == (False, False)


def test_a_document_that_breaks_off_is_open():
    """Within an entry, a string or before the end of the list."""
    assert [cut(text, (ITEM,))[1].open for text in ("[1", '["a', "[{", "[1,", "[1]")] == [True] * 4 + [False]


def test_what_stands_beside_the_list_is_noticed():
    """Nothing is passed over in silence."""
    assert cut('[1]{"a": 2}', (ITEM,))[1].stray is True
    assert cut("[1][2]", (ITEM,))[1].stray is False


def test_brackets_that_nest_deeply_take_no_room(monkeypatch):
    """A hostile file costs no more than its bytes, and those no more than the longest part."""
    monkeypatch.setattr(documents, "LONGEST", 1000)
    found, cutter = cut("[" * 1_000_000 + "]" * 1_000_000, (ITEM,), 4096)
    assert (found, cutter.open) == ([None], False)
    found, _ = cut('[{"a": "' + "x" * 5000 + '"}, {"a": 1}]', (ITEM,), 100)
    assert found == [None, b'{"a": 1}']


@given(st.lists(st.tuples(st.dictionaries(st.text(), VALUES, max_size=2), st.sampled_from([None, 1, 4])), max_size=5))
def test_objects_over_lines_come_out_as_they_went_in(objects):
    """Each on one line, or over several."""
    text = "\n".join(json.dumps(value, indent=indent) for value, indent in objects)
    lines = enumerate(text.split("\n"), 1) if text else ()
    assert [value for _, value in whole(lines)] == [value for value, _ in objects]


def test_a_broken_line_leaves_its_neighbours_alone():
    """Cut off, without its bracket, or a part of an object over several lines: what is whole comes out."""
    lines = [
        '{"a": 1}',
        '{"a": 2, "b',
        '{"a": 3}',
        '"a": 4}',
        '{"a": 5}',
        "{",
        ' "a": 6,',
        '{"a": 7}',
        "{",
        ' "a": 8',
        "}",
    ]
    found = [
        (number, None if isinstance(value, ValueError) else value["a"]) for number, value in whole(enumerate(lines, 1))
    ]
    assert found == [(1, 1), (2, None), (3, 3), (4, None), (5, 5), (6, None), (8, 7), (9, 8)]


def test_an_object_that_never_ends_is_given_up(monkeypatch):
    """It isn't collected to the end of a file that knows no end."""
    monkeypatch.setattr(documents, "LONGEST", 100)
    found = list(whole(enumerate(["{", *[" x"] * 200, '{"a": 1}'])))
    assert found[-1][1] == {"a": 1}
    assert all(isinstance(value, ValueError) for _, value in found[:-1])


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": Infinity}', '"\\ud800"', '{"a": 1', "[" * 10_000, ""])
def test_what_json_has_no_form_for_is_refused(text):
    """It would be replaced by something else, or by nothing."""
    with pytest.raises(ValueError, match=r"\w"):
        parsed(text)
