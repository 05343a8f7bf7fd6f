"""The threads of a watcher."""

from __future__ import annotations

import logging

from ladder_graph.watcher.hands import Hands


def test_nothing_is_begun_where_the_program_ends(caplog):
    """Python takes no more work then. Nobody is to read a traceback of a thread that watches until the very end."""
    hands, done = Hands(1, "ladder-test"), []
    hands.begin(["a"], 0, lambda: done.append("a"))
    hands.wait()
    hands._pool.shutdown()  # As the interpreter does at its end.
    with caplog.at_level(logging.WARNING):
        hands.begin(["b"], 0, lambda: done.append("b"))
    assert (done, hands.busy("b"), hands.wait(), caplog.text) == (["a"], False, False, "")
    hands.stop()
