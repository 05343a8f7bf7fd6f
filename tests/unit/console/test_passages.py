"""Long values on a page: each can be read whole, and none makes the page long."""

from __future__ import annotations

import hashlib

from ladder_graph.console.passages import FOLDED, PART, ROOM, Room, part_of, short


def test_a_short_value_stands_as_it_is():
    """As JSON, with nothing hidden, so that `"3"` is no 3."""
    assert [Room().value(one).head for one in ("3", 3, None, "a\u202e")] == ['"3"', "3", "null", '"a\\u{202E}"']


def test_a_long_one_is_folded_under_its_beginning():
    """With its length, and a hash of its canonical form that anybody can compute."""
    found = Room().value("x" * 1000)
    assert (found.length, found.whole, found.body) == (1002, True, f'"{"x" * 1000}"')
    assert found.head == found.body[:120]
    assert found.hash == hashlib.sha256(f'"{"x" * 1000}"'.encode()).hexdigest()[:16]


def test_a_text_of_several_lines_is_shown_line_by_line():
    """Beside its JSON."""
    found = Room().value("a\nb\u200b")
    assert (found.head, found.body, found.lines) == ('"a\\nb\\u{200B}"', "a\nb\\u{200B}", True)


def test_there_is_room_for_so_much_on_one_page():
    """What comes after that has its beginning, its length and its hash alone."""
    room = Room()
    found = [room.value("y" * 30_000) for _ in range(12)]
    assert sum(len(one.body) for one in found) == ROOM
    assert [one.whole for one in found] == [False] * 12
    assert len(found[0].body) == FOLDED
    assert (found[-1].body, len(found[-1].head), len(found[-1].hash)) == ("", 120, 16)


def test_every_part_of_a_text_can_be_read():
    """One after the other they are the text; a part that isn't there is the nearest one."""
    text = "".join(map(str, range(40_000)))
    parts = [part_of(text, n + 1) for n in range(part_of(text, 1).count)]
    assert "".join(one.text for one in parts) == text
    assert max(len(one.text) for one in parts) == PART
    assert [part_of(text, n).number for n in (-5, 0, 10**9)] == [1, 1, len(parts)]
    assert part_of("", 1).count == 1


def test_a_heading_is_cut_with_the_cut_said():
    """And a short one isn't."""
    assert (short("x" * 300, 3), short("x", 3)) == ("xxx… (300 characters)", "x")
