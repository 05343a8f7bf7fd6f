"""A draft cut into changes: numbered, headed, marked inside the line, and taken or left one by one."""

from __future__ import annotations

import pytest

from ladder_graph.drafting import Line, Piece, applied, changes_of

BASE = "Hello Dana,\nthank you for contacting us.\n\nWe will reply soon.\nThe team\n"
TEXT = "Hello Dana,\nthank you for writing.\n\nYou get 10% off.\nThe team\n"


def test_a_change_has_its_place_its_lines_and_what_changed_inside():
    """Around it up to three lines that stay; inside a line, the words that are others."""
    first, second = changes_of([Piece("body", BASE, TEXT)])
    assert (first.number, first.piece, first.heading, second.heading) == (1, "body", "Opening", "Closing")
    assert first.lines == (
        Line("same", "Hello Dana,"),
        Line("gone", "thank you for contacting us.", ((14, 27),)),
        Line("new", "thank you for writing.", ((14, 21),)),
        Line("same", ""),
    )
    assert (first.gone, first.new) == ("thank you for contacting us.\n", "thank you for writing.\n")


@pytest.mark.parametrize(
    ("piece", "headings"),
    [
        (Piece("b", "# One\na\n## Two\nb\n", "# One\nx\n## Two\ny\n"), ["One", "Two"]),
        (Piece("b", "a\n", "b\n"), ["Text"]),
        (Piece("b", "a\n\nb\n\nc\n", "x\n\ny\n\nz\n"), ["Opening", "Paragraph 2", "Closing"]),
        (Piece("b", "a\n", ""), ["b"]),
        (Piece("m.py", "def f():\n    return 1\n", "def f():\n    return 2\n", "code"), ["m.py: def f():"]),
        (Piece("m.py", None, "x\n", "code"), ["m.py (new)"]),
        (Piece("m.py", "x\n", None, "code"), ["m.py (removed)"]),
        (Piece("k", "a = 1\nb.c = 2\n", "a = 1\nb.c = 3\nd = 4\n", "keys"), ["b.c", "d"]),
        (Piece("h", "To: a\n", "To: b\nCc: c\n", "headers"), ["To", "Cc"]),
        (Piece("b", "a\n", "a\n"), []),
    ],
)  # fmt: skip
def test_a_change_is_named_by_where_it_is(piece, headings):
    """A section, a paragraph, the line of code above, a key, a header."""
    assert [one.heading for one in changes_of([piece])] == headings


def test_numbers_go_on_from_piece_to_piece():
    """And what is taken in one leaves the others as they were."""
    pieces = [Piece("a", "1\n", "2\n"), Piece("b", None, "new\n"), Piece("c", "old\n", None), Piece("d", "x", "x")]
    assert [(one.number, one.piece) for one in changes_of(pieces)] == [(1, "a"), (2, "b"), (3, "c")]
    assert [one.text for one in applied(pieces, {2})] == ["1\n", "new\n", "old\n", "x"]
    assert [one.text for one in applied(pieces, {1, 3})] == ["2\n", None, None, "x"]


def test_the_end_of_a_file_is_shown():
    """That a line end comes or goes is a change like any other."""
    (change,) = changes_of([Piece("a", "x", "x\n", "code")])
    assert [(one.sign, one.ended) for one in change.lines] == [("gone", False), ("new", True)]


def test_only_a_line_feed_ends_a_line():
    """What other readers take for a line's end stands where it stands, to be shown."""
    (change,) = changes_of([Piece("a", "a\rb\u2028c\x0c\n", "a\rb\u2028d\x0c\n", "code")])
    assert [one.text for one in change.lines] == ["a\rb\u2028c\x0c", "a\rb\u2028d\x0c"]


def test_lines_with_nothing_in_common_have_no_marks():
    """Everything would be marked."""
    (change,) = changes_of([Piece("a", "one two three four five\n", "zzz yyy\n")])
    assert all(line.marks == () for line in change.lines)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a" * 1_000_000, "a" * 999_999 + "b"),
        ("".join(f"{n % 50}\n" for n in range(100_000)), "".join(f"{n % 51}\n" for n in range(100_000))),
        ("".join(f"line {n}\n" for n in range(60_000)), "".join(f"line {n}\n" for n in range(60_000) if n % 7)),
        ("x " * 400_000, "y " * 400_000),
    ],
)
def test_large_texts_are_cut_too(before, after):
    """A megabyte in one line, lines that all repeat, thousands of changes: each applies whole and not at all."""
    piece = Piece("a", before, after, "code")
    numbers = {one.number for one in changes_of([piece])}
    assert applied([piece], numbers)[0].text == after
    assert applied([piece], ())[0].text == before


def test_what_is_marked_is_inside_the_line():
    """However odd the characters are."""
    piece = Piece("a", "a\u202eb \x1b[2J \u0301 x\n", "a\u202ec \x1b[3J \u0301 y\n")
    for change in changes_of([piece]):
        for line in change.lines:
            assert all(0 <= begin < end <= len(line.text) for begin, end in line.marks)
