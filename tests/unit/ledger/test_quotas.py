"""Rows of quotas: those that can never count again go away, and no count goes with them."""

from __future__ import annotations

import pytest

from ladder_graph.ledger.actions import quotas
from ladder_graph.policy.bounds import Charge
from tests.unit.ledger.desk import call


def counted(window, amount=1, limit=3):
    """What a call takes from a window of the calendar of one second."""
    return Charge("ops/send_email/calls", "it", amount, limit, "calls", window * 1_000_000)


def sliding(bucket, amount=1, limit=3):
    """What a call takes from a sliding window of eight buckets of one second."""
    return Charge("ops/send_email/rate", "any 8s", amount, limit, "calls", bucket * 1_000_000, 8_000_000)


def hold_in(desk, action, *charges):
    """Hold, in a transaction of its own, without the entry of a claim."""
    assert desk.store.write(lambda cursor: quotas.hold(cursor, action, charges)) is None


@pytest.mark.parametrize(("charged", "stay"), [(counted, 1), (sliding, 9)])
def test_windows_that_never_count_again_go_away(desk, charged, stay):
    """Of ten thousand windows those that count stay, and a month's worth behind them; what is left is the same."""
    windows = 300 if "://" in desk.store.source else 10_000  # A server takes its time for each.

    def draw(cursor):
        for n in range(windows):
            assert quotas.hold(cursor, str(n), [charged(n, limit=10)]) is None
            quotas.settle(cursor, str(n), used=n % 3 > 0)

    desk.store.write(draw)
    assert desk.rows('SELECT count(*), max("window") / 1000000 FROM quota') == [(stay + quotas.KEPT, windows - 1)]
    assert desk.rows("SELECT count(*) FROM hold") == [(0,)]
    counts = sum(n % 3 > 0 for n in range(windows - stay, windows))
    assert desk.look(call(), charged(windows - 1, limit=10)).left[0][1] == 10 - counts


@pytest.mark.parametrize(("charged", "stay"), [(counted, 1), (sliding, 9)])
def test_a_month_of_windows_stays_behind_those_that_count(desk, charged, stay):
    """Each one more that opens sends the oldest away."""
    gone = 2

    def draw(cursor):
        for n in range(stay + quotas.KEPT + gone):
            assert quotas.hold(cursor, str(n), [charged(n, limit=10)]) is None
            quotas.settle(cursor, str(n), used=True)

    desk.store.write(draw)
    assert desk.rows('SELECT count(*), min("window") / 1000000 FROM quota') == [(stay + quotas.KEPT, gone)]


def test_what_has_piled_up_goes_away_in_small_parts(desk):
    """A counter with many old windows loses a few with each window that opens, and none with any other claim."""

    def pile_up(cursor):
        for n in range(100):
            cursor.execute(f"INSERT INTO quota VALUES ('ops/send_email/calls', {n}, 1, 0, 3)")  # noqa: S608  # a number

    desk.store.write(pile_up)
    sizes = []
    for number, window in enumerate((500, 500, 501, *range(502, 540))):
        hold_in(desk, str(number), counted(window))
        sizes += desk.rows("SELECT count(*) FROM quota")[0]
    assert sizes[:3] == [101 - quotas.DROPPED, 101 - quotas.DROPPED, 102 - 2 * quotas.DROPPED]
    assert sizes[-1] == 40  # All of them held, and nothing of what had piled up.


def test_a_window_in_doubt_stays_until_it_is_settled(desk):
    """What an action still holds is settled where it was held, however long ago; then that window may go, too."""
    hold_in(desk, "doubt", counted(0))
    for n in range(1, 50):
        hold_in(desk, str(n), counted(n))
        desk.store.write(lambda cursor, n=n: quotas.settle(cursor, str(n), used=True))
    assert desk.rows('SELECT "window", reserved FROM quota ORDER BY 1 LIMIT 2') == [(0, 1), (18_000_000, 0)]
    desk.store.write(lambda cursor: quotas.settle(cursor, "doubt", used=True))
    assert desk.rows('SELECT used, reserved FROM quota WHERE "window" = 0') == [(1, 0)]
    hold_in(desk, "next", counted(50))
    assert desk.rows('SELECT min("window") FROM quota') == [(19_000_000,)]


def test_no_count_is_lost_to_a_clock_that_is_set_back(desk):
    """The window that a counter has reached stays, and so does what counts with it, whatever the clock says."""
    for n in range(100, 180):
        hold_in(desk, str(n), sliding(n, limit=80))
        desk.store.write(lambda cursor, n=n: quotas.settle(cursor, str(n), used=True))
    rest = 3
    assert desk.look(call(), sliding(179, limit=12)).left[0][1] == rest
    for n in (0, 50, 120, 178):
        hold_in(desk, f"back {n}", sliding(n, limit=80))
        assert desk.look(call(), sliding(n, limit=12)).left[0][1] == (rest := rest - 1)
    assert desk.rows('SELECT max("window") / 1000000 FROM quota') == [(179,)]
