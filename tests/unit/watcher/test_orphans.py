"""What was left behind and no window watches: found out where that can be, and else a person is told, once."""

from __future__ import annotations

import datetime as dt

import pytest

from ladder_graph.ladder import Ladder
from ladder_graph.ledger.watching import unwatched
from ladder_graph.policy import Policy
from ladder_graph.policy.reporting import Reports
from ladder_graph.states import State
from ladder_graph.testing import FrozenClock
from ladder_graph.tools import Declaration
from tests.unit.ledger.desk import CALL, NOW, Desk, call, charge


def probed(found):
    """A tool that can be asked what became of a call."""
    return Declaration(probe=lambda arguments, key: found)


class Left:
    """A ledger with what a dead process began, and processes that watch."""

    def __init__(self, file):
        self.file, self.clock, self.open = file, FrozenClock(NOW), []
        self.dead = Desk(file)

    def ladder(self, declared=None, **rule):
        """A process that watches; it knows the tool where something is declared of it."""
        rules = {"send_email": {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 9}], **rule}}
        policy = Policy.from_rungs("ops", rules).model_copy(update={"reports": Reports(reader="ana", sla="4h")})
        ladder = Ladder(policy=policy, ledger=self.file, clock=self.clock)
        self.open.append(ladder)
        if declared is not None:
            ladder.seat("send_email", declared, agent="ops", can_ask=True)
        return ladder

    def later(self, ladder, seconds=90):
        """Time passes, in which it looks again and again."""
        for _ in range(0, seconds, 10):
            self.clock.advance(dt.timedelta(seconds=10))
            ladder.watcher.settle()


@pytest.fixture
def left(tmp_path):
    """One call was begun, and its process died."""
    made = Left(tmp_path / "ladder.db")
    made.dead.claim(CALL, charge())
    made.dead.die()
    yield made
    for one in (*made.open, made.dead):
        one.close()


def kinds(ladder):
    """What happened since the start."""
    return [entry.kind for entry in ladder.log()][1:]


@pytest.mark.parametrize(
    ("declared", "rule", "state"),
    [
        (probed("happened"), {}, State.DONE),
        (probed("absent"), {}, State.PAUSED),
        (Declaration(idempotent=True), {}, State.PAUSED),
        (None, {"read_only": True}, State.PAUSED),
    ],
    ids=["happened", "absent", "idempotent", "read only"],
)
def test_what_can_be_found_out_is(left, declared, rule, state):
    """By the probe, or since a second run does no harm; nobody is told, and nothing runs again by itself."""
    ladder = left.ladder(declared, **rule)
    left.later(ladder, 60)
    assert ladder.action(CALL.key).state is State.STARTED, "its own thread has a minute"
    left.later(ladder, 20)
    assert (ladder.action(CALL.key).state, ladder.in_doubt(), ladder.reports()) == (state, [], [])
    assert kinds(ladder) == ["started", str(state)]
    assert ladder.verify().ok


def test_what_its_probe_cannot_tell_is_a_persons(left):
    """It is unknown, holds its quota, and one report says so."""
    ladder = left.ladder(probed("cannot tell"))
    left.later(ladder, 300)
    assert ladder.action(CALL.key).state is State.UNKNOWN
    assert kinds(ladder)[:3] == ["started", "unknown", "left_behind"]
    assert [one.action.key for one in ladder.reports()] == [CALL.key]
    assert left.dead.quota() == (0, 1)


def test_where_nobody_knows_its_tool_a_person_is_told_once(left, caplog):
    """It stays as it is, so that its own thread can find out; whoever watches, and however long, says it once."""
    watching, other = left.ladder(), left.ladder(Declaration())
    left.later(watching)
    assert caplog.text.count("left behind: send_email") == 1
    (report,) = watching.reports()
    assert (report.action.key, report.about, report.reader) == (CALL.key, "mess", "ana")
    left.later(watching, 310)  # A report waits a little for what may still end.
    (item,) = watching.digest(report.digest).items
    assert item.flags[0].code == "left_behind"
    watching.acknowledge(CALL.key, by="ana")
    for ladder in (watching, other):
        left.later(ladder, 200)
    assert (kinds(watching).count("left_behind"), watching.reports()) == (1, [])
    assert [one.key for one in watching.in_doubt()] == [CALL.key]
    assert watching.life(CALL.key).steps[-1].kind != "started"
    knows = left.ladder(probed("happened"))
    left.later(knows)
    assert knows.action(CALL.key).state is State.DONE


@pytest.mark.parametrize(("found", "state"), [("happened", State.DONE), ("absent", State.STARTED)])
def test_who_may_have_lost_a_session_has_more_time(left, found, state):
    """Its process may live and be at it, so that an effect which isn't there yet is no proof that none will be."""
    ladder = left.ladder(probed(found))
    ladder.store.owner.grace_us = 5_000_000
    left.later(ladder, 600)
    assert kinds(ladder) == []
    left.later(ladder, 60)
    assert ladder.action(CALL.key).state is state
    assert kinds(ladder).count("left_behind") == (state is State.STARTED)


def test_what_runs_is_left_alone(left):
    """Whose process lives is at it, however long that takes."""
    busy = Desk(left.file)
    busy.claim(call(3))
    ladder = left.ladder(probed("happened"))
    left.later(ladder, 600)
    assert [ladder.action(one.key).state for one in (CALL, call(3))] == [State.DONE, State.STARTED]
    busy.close()


def test_all_of_many_are_seen(left, monkeypatch):
    """Also where more were left than are read at one go."""
    monkeypatch.setattr(unwatched, "PORTION", 2)
    many = Desk(left.file)
    for number in range(4, 9):
        many.claim(call(number))
    many.die()
    ladder = left.ladder(probed("happened"))
    left.later(ladder, 80)
    assert ladder.in_doubt() == []
    many.close()
