"""Parts of many groups, mixed: put together, in memory that doesn't grow."""

from __future__ import annotations

import tracemalloc

from ladder_graph.replay.conversations.gathering import Gathering, weight_of


def gathered(parts, room, told=None):
    """The groups that parts make, each a name with something."""
    gathering = Gathering([].append if told is None else told.append, room)
    found = [group for name, part in parts for group in gathering.add(name, part, weight_of(part))]
    return found + list(gathering.rest())


def test_groups_come_out_whole_where_there_is_room():
    """In the order in which they were last touched."""
    assert gathered([("a", 1), ("b", 2), ("a", 3)], 10_000) == [("b", [2]), ("a", [1, 3])]


def test_nothing_is_lost_where_there_is_no_room():
    """Also of a group that is larger than all the room there is."""
    told = []
    found = gathered([("a", nth) for nth in range(10)], 150, told)
    assert [part for _, parts in found for part in parts] == list(range(10))
    assert len(told) == len(found) - 1


def test_memory_follows_the_room_and_not_the_parts():
    """A file of any number of groups takes no more than a few of them."""

    def peak(groups):
        tracemalloc.start()
        gathering = Gathering(lambda _: None, 200_000)
        for nth in range(groups):
            for _ in gathering.add(f"t{nth}", "x" * 1000, 1064):
                pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    # The names of those that are gone are remembered, up to a number.
    assert peak(8000) < peak(1000) + 7000 * 250


def test_a_group_joins_the_one_that_it_turns_out_to_belong_to():
    """What was put to it before comes with it, in its order, and a group that isn't there brings nothing."""
    gathering = Gathering([].append)
    for name, part in (("thread", 1), ("trace", 2), ("trace", 3)):
        list(gathering.add(name, part, 100))
    gathering.join("trace", "thread")
    gathering.join("none", "thread")
    gathering.join("thread", "thread")
    assert list(gathering.rest()) == [("thread", [1, 2, 3])]
