"""Who counts as a watcher: a process that lives and says so. Without one, no tool stands on rung 4."""

from __future__ import annotations

import datetime as dt
import threading
import time
from dataclasses import replace
from functools import partial

import pytest

from ladder_graph.calls import Call
from ladder_graph.ledger import Store
from ladder_graph.ledger.actions.clocks import Moment
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.watching import rehearsals, watchers
from ladder_graph.ledger.watching.outboxes import Posted
from ladder_graph.ledger.watching.rehearsals import Rehearsed
from ladder_graph.ledger.watching.watches import PULSE, Window
from ladder_graph.scale import Rung
from ladder_graph.tools import Declaration
from ladder_graph.turns import awaiting
from ladder_graph.undo.outboxes import Released
from ladder_graph.watcher.rounds import LEASE
from ladder_graph.watcher.sweeps import Sweeps
from tests.unit.watcher.conftest import HEALTH, MODEL, told

CALL = Call("ops", "t1", "call_1", "put", {"place": "top", "thing": "a cup"})


def before(arguments):
    """The before-image."""
    return dict(arguments)


def put_back(kept):
    """The undo, which another process could run."""


def another(kept):
    """A part of another undo."""
    return "something else"


PORTABLE = Declaration(prepare=before, undo=put_back)


def routed(ladder):
    """The rung that a call would go to, and why."""
    route = ladder.route(CALL, MODEL)[0]
    return route.rung, [reason.code for reason in route.reasons]


def seated(place, **fields):
    """A ladder whose tool has everything that rung 4 needs but, perhaps, a watcher."""
    ladder = place.ladder(rung="rollback", declared=PORTABLE, **fields)
    rehearse(ladder)
    return ladder


def rehearse(ladder, *, passed=True):
    """Write down that the undo that is declared was rehearsed with the tool that is mounted."""
    found = Rehearsed(micros(ladder.clock()), passed, "" if passed else "it puts nothing back")
    editions = ladder.editions("ops", "put")
    ladder.store.write(lambda cursor: rehearsals.rehearsed(cursor, "put", *editions, found))


def beat(place, store, seconds=0.0):
    """Say that the process of this store watches, by a clock that is ahead by so much."""
    now = micros(place.clock() + dt.timedelta(seconds=seconds))
    store.write(lambda cursor: watchers.beat(cursor, store.owner, "elsewhere", now))


@pytest.mark.parametrize("passed", [None, False, True])
def test_an_undo_counts_once_its_rehearsal_has_passed(place, passed):
    """By default; an undo that was never tried, or failed, leaves its tool a rung lower, at the gate and to people."""
    ladder = place.ladder(watcher="thread", rung="rollback", declared=PORTABLE)
    if passed is not None:
        rehearse(ladder, passed=passed)
    expected = (Rung.ROLLBACK, []) if passed else (Rung.BOUNDED, ["not_rehearsed"])
    assert routed(ladder) == expected
    (cell,) = ladder.status()
    assert (cell.route.rung, [reason.code for reason in cell.route.reasons]) == expected


@pytest.mark.parametrize("part", ["undo", "prepare", "fingerprint", "resource", "kind"])
def test_another_undo_was_never_rehearsed(place, part):
    """A rehearsal is for this undo with this tool: any other part of it, and it counts no more; nor is it forgotten."""
    seated(place, watcher="thread").close()
    other = "compensable" if part == "kind" else another
    ladder = place.ladder(watcher="thread", rung="rollback", declared=replace(PORTABLE, **{part: other}))
    assert routed(ladder) == (Rung.BOUNDED, ["not_rehearsed"])
    ladder.close()
    # Whoever looks without the tools knows which undo was mounted last.
    looking = place.ladder(watcher="thread", rung="rollback", mounted=False)
    assert "not_rehearsed" in [reason.code for reason in looking.status()[0].route.reasons]
    back = place.ladder(watcher="thread", rung="rollback", declared=PORTABLE)
    assert routed(back) == (Rung.ROLLBACK, [])


def test_an_approval_is_for_the_undo_by_its_name(place):
    """An edit of the undo's code asks for another rehearsal, and a yes that was given holds all the same."""
    before, after = place.ladder(declared=PORTABLE), place.ladder(declared=replace(PORTABLE, prepare=another))
    undos = [one.seat_of("ops", "put").declaration.undo_edition for one in (before, after)]
    assert undos[0] != undos[1]
    assert before.terms(CALL, before.policy) == after.terms(CALL, after.policy)


def test_nobody_watches(place):
    """It stands a rung lower, and says what is missing."""
    assert routed(seated(place)) == (Rung.CONFIRM, ["no_watcher"])


def test_a_watcher_in_another_process_counts_while_it_lives_and_speaks(place):
    """Its lock shows that it lives, its beat that it works; one without the other is not enough."""
    ladder, other = seated(place), Store(str(place.file))
    beat(place, other)
    assert routed(ladder) == (Rung.ROLLBACK, [])
    assert [name for name, _ in ladder.watchers()] == ["elsewhere"]
    place.clock.advance(dt.timedelta(microseconds=watchers.SILENT))
    assert routed(ladder) == (Rung.CONFIRM, ["no_watcher"]), "it is silent"
    beat(place, other)
    assert routed(ladder) == (Rung.ROLLBACK, [])
    other.owner.abandon()
    assert routed(ladder) == (Rung.CONFIRM, ["no_watcher"]), "it is dead"
    other.close()


def test_a_beat_from_the_future_does_not_count(place):
    """The clock was set back since, and nobody knows whether that process still works."""
    ladder, other = seated(place), Store(str(place.file))
    beat(place, other, 3600)
    assert routed(ladder) == (Rung.CONFIRM, ["no_watcher"])
    beat(place, other, 1)
    assert routed(ladder) == (Rung.ROLLBACK, [])
    other.close()


def test_a_thread_of_this_process_watches(place):
    """From the moment when the tool is mounted until the ladder is closed."""
    others = set(threading.enumerate())  # Another test may have left a watching one to be collected.
    ladder = seated(place, watcher="thread")
    assert ladder.watcher.running
    assert routed(ladder) == (Rung.ROLLBACK, [])
    assert "ladder-watch" in {thread.name for thread in set(threading.enumerate()) - others}
    ladder.close()
    assert not ladder.watcher.running
    left = {thread.name for thread in set(threading.enumerate()) - others}
    assert not any(name.startswith(("ladder-watch", "ladder-undo")) for name in left)
    store = Store(str(place.file))
    assert store.read(lambda cursor: cursor.execute("SELECT * FROM watcher").fetchall()) == []
    store.close()


def test_the_policy_says_that_a_process_watches(place):
    """Then none of our own is started, whatever is mounted or was left behind."""
    ladder = seated(place, watcher="process")
    assert not ladder.watcher.running
    place.act(place.ladder())
    assert not seated(place, watcher="process").watcher.running


def test_no_watch_needs_no_thread(place):
    """A tool without a window, and a ledger without open windows."""
    assert not place.ladder(watcher="thread", window=0, check={"count": 1}).watcher.running


def test_what_an_earlier_process_left_is_seen_through(place):
    """Even where no tool of this one is watched."""
    first = place.ladder()
    key = place.act(first)
    first.close()
    HEALTH["verdict"], looked = False, threading.Event()
    place.shelf.put_back = lambda kept, old=place.shelf.put_back: (old(kept), looked.set())
    ladder = place.ladder(watcher="thread", window=0, check={"count": 1})
    assert ladder.watcher.running
    assert looked.wait(60)
    ladder.close()
    assert told(place.ladder(), key)[:2] == ("undone", "undone")


def test_a_watcher_can_be_started_again(place):
    """After it was stopped, it watches as before."""
    ladder = place.ladder()
    HEALTH["verdict"], back = False, place.shelf.put_back
    for thing in ("a cup", "a plate"):
        key, looked = place.act(ladder, thing), threading.Event()
        place.shelf.put_back = lambda kept, looked=looked: (back(kept), looked.set())
        ladder.declare("put", place.shelf.declaration())
        ladder.watcher.start()
        assert looked.wait(60)
        ladder.watcher.stop()
        assert told(ladder, key)[:2] == ("undone", "undone")
        place.clock.advance(dt.timedelta(seconds=1))


def test_a_watcher_whose_hands_are_full_is_silent(place):
    """Nothing more would be done by it, so nobody should rely on it."""
    ladder, gate = place.ladder(), threading.Event()
    watcher = ladder.watcher
    watcher.tick()
    for n in range(20):
        watcher._looking.begin([str(n)], 0, gate.wait)
    place.clock.advance(dt.timedelta(microseconds=watchers.SILENT))
    watcher.tick()
    assert ladder.watchers() == []
    gate.set()
    watcher._looking.wait()
    watcher.tick()
    assert len(ladder.watchers()) == 1


class Gate:
    """What hangs in it goes on once the test is over."""

    def __init__(self):
        self.open, self.begun = threading.Event(), []

    def hang(self, *given):
        """As a server does that never answers."""
        self.begun.append(given)
        assert self.open.wait(60)


@pytest.fixture
def gate(place):
    """A gate that opens before the ladders are closed."""
    made = Gate()
    yield made
    made.open.set()


def still_watches(place, ladder):
    """Whether an action is undone while whatever hangs does so, and the watcher counts as one."""
    HEALTH["verdict"] = True
    key = place.act(ladder, "a saucer", "below")
    HEALTH["verdict"] = False
    for _ in range(30):
        place.clock.advance(dt.timedelta(seconds=10))
        ladder.watcher.tick()
    deadline = time.monotonic() + 20
    while told(ladder, key)[1] != "undone" and time.monotonic() < deadline:
        ladder.watcher.tick()
        time.sleep(0.01)
    return told(ladder, key)[1] == "undone" and len(ladder.watchers()) == 1


def test_an_outbox_that_hangs_stops_nothing(place, gate, monkeypatch):
    """Neither the beat, nor an undo, nor another outbox; and it is begun once."""
    boxes = {Posted("ops", "put", name) for name in ("hangs", "works")}
    monkeypatch.setattr("ladder_graph.watcher.posting.posted", lambda cursor, since: boxes)
    sent = []

    def release_due(directory):
        sent.append(directory)
        if directory == "hangs":
            gate.hang()
        return Released()

    monkeypatch.setattr("ladder_graph.undo.outboxes.release_due", release_due)
    assert still_watches(place, place.ladder())
    assert sent.count("hangs") == 1
    assert sent.count("works") > 1


def test_probes_that_hang_stop_nothing(place, gate, monkeypatch):
    """However many: a server that is down is asked about every call that died with its process.

    The calls that come after them on the same shelf wait for what became of them, but once for all.
    """
    monkeypatch.setattr(awaiting, "PATIENCE", 1.0)

    class Died(BaseException):
        """Stands for the end of a process."""

    def die(call, *, again=False):
        raise Died

    ladder, execute = place.ladder(), place.shelf.execute
    ladder.declare("put", replace(place.shelf.declaration(), probe=gate.hang))
    place.shelf.execute = die
    for n in range(30):
        with pytest.raises(Died):
            place.act(ladder, f"cup {n}")
    left = [action.key for action in ladder.actions()]
    assert len({ladder.watcher.see_to(key) for key in left}) == 1, "else each would be waited for anew"
    place.shelf.execute = execute
    assert still_watches(place, ladder)
    assert gate.begun


def test_whatever_was_taken_is_begun(place, monkeypatch):
    """However much it is: nobody else takes it before its lease is over."""
    watcher, begun = place.ladder().watcher, []
    monkeypatch.setattr(watcher, "_armed", begun.append)
    at = Moment.at(place.clock())
    taken = [Window(f"a{n}", "ops", "put", "armed", "{}", "", at, at.wall_us, None, None, 0, "") for n in range(100)]
    watcher._begin(taken, at.wall_us, at.wall_us + LEASE)
    watcher._asking.wait()
    assert len(begun) == 100


@pytest.mark.parametrize("wrong", [None, OSError("no report can be made")])
def test_a_receiver_that_hangs_keeps_no_report_waiting(place, gate, wrong):
    """What is due about reports is done as ever, and what fails about it keeps nobody from being told."""
    ladder, looked = place.ladder(), []

    def reports():
        looked.append(1)
        if wrong is not None:
            raise wrong

    report = partial(ladder.watcher._report, reports, lambda stopping: gate.hang())
    ladder.watcher._reports = Sweeps(report, 1, 10 * PULSE)
    assert still_watches(place, ladder)
    for _ in range(2):
        ladder.watcher._looking.wait()
        looked.clear()
        place.clock.advance(dt.timedelta(seconds=10))
        ladder.watcher.tick()
    ladder.watcher._looking.wait()
    assert (len(looked), len(gate.begun)) == (1, 1)


@pytest.mark.parametrize("name", ["_sweeps", "_reports", "_orphans", "checkpoints"])
def test_what_is_done_from_time_to_time_and_hangs_is_begun_once(place, gate, name):
    """It stops nothing else."""
    ladder = place.ladder()
    setattr(ladder.watcher, name, Sweeps(gate.hang, 1, 10 * PULSE))
    assert still_watches(place, ladder)
    assert len(gate.begun) == 1
