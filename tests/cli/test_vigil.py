"""pending --watch: live on a terminal, one line for each change on a pipe, and nothing read while nothing happens."""

from __future__ import annotations

import signal

import pytest

from ladder_graph.cli.vigil import MOST, Vigil
from tests.cli.terminal import Terminal
from tests.programs import Program


@pytest.fixture
def desk(shop):
    """A shop in which a ticket waits."""
    shop.run(("close_ticket", {"number": 7}))
    return shop


def test_a_pipe_gets_one_line_for_each_change(desk):
    """What waits, what comes, what is handed on and what goes, each in one line, and a clean end."""
    watching = Program(["-m", "ladder_graph.cli", "pending", "--watch"], desk.folder)
    first = watching.stdout.readline()
    assert "asked    " in first
    assert "shop close_ticket  number=7" in first
    desk.run(("refund", {"order": "4711", "cents": 900}))
    assert 'shop refund  cents=900, order="4711"' in watching.stdout.readline()
    with desk.ladder() as ladder:
        (asked,) = [one for one in ladder.pending() if one.call.tool == "refund"]
        ladder.pass_on(asked.id, to="bo", by="ana")
        changed = watching.stdout.readline()
        assert "changed  " in changed
        assert "passed to bo" in changed
        ladder.decline(asked.id, by="bo", reason="no")
    assert "gone     " in watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    rest = watching.said()
    assert watching.returncode == 0, rest
    assert "Traceback" not in rest


def test_a_terminal_gets_a_table(desk, monkeypatch):
    """What waits stands in a table with the time left; what comes is marked, and Ctrl-C ends it cleanly."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    watching = Terminal("pending", "--watch", "--bell")
    watching.until("close_ticket")
    assert "number=7" in watching.text
    assert "\x07" not in watching.text
    desk.run(("refund", {"order": "4711", "cents": 900}))
    watching.until("refund")
    watching.until("new")
    assert "\x07" in watching.text
    watching.interrupt()
    assert watching.end() == 0
    assert "Traceback" not in watching.text


def test_nothing_is_read_while_nothing_happens(desk, monkeypatch):
    """As long as no chain grows, only the ends of the chains are looked at."""
    with desk.ladder() as ladder:
        vigil = Vigil(ladder)
        assert [kind for kind, _ in vigil.look()] == ["asked"]
        monkeypatch.setattr(ladder, "waiting", lambda **_: pytest.fail("it was read"))
        assert vigil.look() == []


def test_it_holds_no_more_than_it_shows(shop):
    """Of very much, those that expire soonest are shown, with how many there are."""
    shop.run(*(("close_ticket", {"number": at}) for at in range(MOST + 3)))
    with shop.ladder() as ladder:
        vigil = Vigil(ladder)
        vigil.look()
        assert len(vigil.shown) == MOST
        assert vigil.more == f"{MOST + 3} wait"
        assert not vigil.fresh
