"""Outboxes: when a watcher looks for what is due in them."""

from __future__ import annotations

import contextlib

from ladder_graph.ledger import Store
from ladder_graph.watcher.posting import EVERY, Post


def test_it_is_time_every_ten_seconds_and_where_the_clock_was_set_back():
    """Whoever looked by the wrong time doesn't wait until that comes again."""
    with contextlib.closing(Store(":memory:")) as store:
        post = Post(store)
        moments = (10 * EVERY, 10 * EVERY + 1, 11 * EVERY, 2 * EVERY, 2 * EVERY + 1, 3 * EVERY)
        assert [post.turn(now) for now in moments] == [True, False, True, True, False, True]
        post.hurry()
        assert post.turn(3 * EVERY + 1)
