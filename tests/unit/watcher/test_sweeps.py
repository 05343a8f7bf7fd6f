"""Sweeps: a watcher puts down what was silent, after a minute and every hour, and no mistake in it stops a watch."""

from __future__ import annotations

import contextlib
import datetime as dt

from ladder_graph.scale import Rung
from ladder_graph.watcher.sweeps import EVERY, FIRST, Sweeps
from tests.unit.world import World


def test_the_first_comes_after_a_minute_and_the_next_an_hour_later():
    """Also where the clock was set back, or nothing is to be done."""
    sweeps = Sweeps(list)
    moments = (1, FIRST, FIRST + 1, FIRST + EVERY, FIRST + EVERY + 1)
    assert [sweeps.turn(now) for now in moments] == [None, None, list, None, list]
    assert sweeps.turn(FIRST + 2) is None
    sweeps.turn(10 * EVERY)
    assert sweeps.turn(5 * EVERY) is list, "set back by more than an hour"
    assert Sweeps(None).turn(1) is None


def test_a_watcher_puts_down_what_was_silent():
    """Whoever watches does what `ladder sweep` does."""
    with contextlib.closing(World(start="bounded")) as world:
        world.call()
        world.ladder.watcher.settle()
        assert world.ladder.status()[0].route.rung is Rung.BOUNDED
        world.clock.advance(dt.timedelta(days=40).total_seconds())
        world.ladder.watcher.settle()
        assert world.ladder.status()[0].route.rung is Rung.CONFIRM
        assert [event.code for event, _ in world.ladder.history("refund")] == ["D6"]


def test_a_sweep_that_fails_stops_no_watch(caplog):
    """It is logged, and the next look comes as ever."""
    with contextlib.closing(World()) as world:

        def sweep():
            raise OSError("the disk is full")

        world.ladder.watcher._sweeps = Sweeps(sweep)
        world.ladder.watcher.settle()
        world.clock.advance(61)
        world.ladder.watcher.settle()
        assert world.ladder.watcher.tick() is False
    assert "the disk is full" in caplog.text
