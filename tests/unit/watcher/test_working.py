"""What a watcher does about windows: keeps, undoes, tries again, and holds what it can't judge."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from ladder_graph.ledger import Journal
from ladder_graph.ledger.actions import clocks
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.watching import measurements, signals, watches
from ladder_graph.policy.model import Reports
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import Claimed
from ladder_graph.watch.kept import kept_alert
from ladder_graph.watch.signals import Signal
from ladder_graph.watcher.rounds import LEASE
from tests.undo import home
from tests.unit.watcher.conftest import CONFLICT, HEALTH, changed, told


def rung_of(ladder):
    """Where the tool stands."""
    return next(cell for cell in ladder.status() if cell.tool == "put").route.rung


def everything(place, ladder):
    """Let an hour pass in steps in which every retry comes due."""
    for _ in range(30):
        place.later(ladder, 120)


def test_a_healthy_action_is_kept_when_its_window_ends(place):
    """It was good at its last measurement, and nothing of it is measured afterwards."""
    ladder = place.ladder()
    key = place.act(ladder)
    for _ in range(10):
        place.later(ladder, 59.9)
        assert told(ladder, key)[1] == "open"
    place.later(ladder, 1)
    assert told(ladder, key)[:2] == ("done", "kept")
    asked = HEALTH["asked"]
    everything(place, ladder)
    assert (HEALTH["asked"], place.shelf.undone, ladder.watched()) == (asked, [], [])


def test_a_bad_measurement_undoes(place):
    """At the measurement that finds it, and once."""
    ladder = place.ladder()
    key = place.act(ladder)
    place.later(ladder)
    HEALTH["verdict"] = False
    place.later(ladder, 60)
    assert told(ladder, key)[:2] == ("undone", "undone")
    everything(place, ladder)
    assert (place.shelf.undone, place.shelf.things) == (["a cup"], {"top": None})
    kinds = [entry.kind for entry in ladder.log()]
    assert (kinds.count("watched"), kinds.count("undoing"), kinds.count("undone")) == (1, 1, 1)


@pytest.mark.parametrize(
    ("trouble", "state", "tries"),
    [(RuntimeError("the shelf is stuck"), "undo_failed", watches.TRIES), (CONFLICT, "undo_conflict", 1)],
    ids=["failed", "conflict"],
)
def test_an_undo_that_goes_wrong_is_seen_and_costs_the_rung(place, trouble, state, tries):
    """A failure is tried again with longer and longer pauses; a conflict isn't. Then it waits for a person."""
    ladder = place.ladder()
    key = place.act(ladder)
    place.shelf.trouble, HEALTH["verdict"] = trouble, False
    place.later(ladder)
    assert rung_of(ladder) == Rung.CONFIRM
    for _ in range(100):
        place.later(ladder, 1)
    began = [entry.at for entry in ladder.log() if entry.kind == "undoing"]
    assert told(ladder, key)[:2] == (state, "held")
    pauses = [round((b - a).total_seconds()) for a, b in itertools.pairwise(began)]
    assert (len(began), pauses) == (tries, [2, 4, 8, 16][: tries - 1])
    (seen,) = ladder.watched()
    assert (seen.phase, str(trouble) in seen.why) == ("held", True)
    assert [entry.kind for entry in ladder.log()].count("demoted") == 1


def test_a_mess_is_reported_to_whoever_reads_the_tools_reports(place):
    """A named person gets a report by when it must be read; after each further failure it is unread again."""
    ladder = place.ladder()
    ladder.policy = ladder.policy.model_copy(update={"reports": Reports(reader="ana", sla="4h")})
    key = place.act(ladder)
    place.later(ladder)
    assert ladder.reports() == []
    place.shelf.trouble, HEALTH["verdict"] = RuntimeError("the shelf is stuck"), False
    for seconds in (60, 2, 4):
        place.later(ladder, seconds)
        (report,) = ladder.reports()
        assert (report.action.key, report.reader, str(report.action.state)) == (key, "ana", "undo_failed")
        assert report.due - place.clock() == dt.timedelta(hours=4)
        assert not ladder.acknowledge(key, by="ana")
    place.shelf.trouble = None
    place.later(ladder, 8)
    assert ladder.reports() == []


def test_what_nobody_could_measure_is_reported_where_it_waits(place):
    """It isn't undone, so a named person must look."""
    ladder = place.ladder(inconclusive="hold")
    ladder.policy = ladder.policy.model_copy(update={"reports": Reports(reader="ana", sla="4h")})
    key, HEALTH["verdict"] = place.act(ladder), None
    for _ in range(5):
        place.later(ladder, 60)
    assert told(ladder, key)[:2] == ("done", "held")
    assert [report.action.key for report in ladder.reports()] == [key]


def test_an_undo_that_takes_too_long_is_seen_and_costs_the_rung(place):
    """Its process is stopped each time; then it waits for a person, who sees why, and the tool asks from then on."""
    ladder = place.ladder(declared=home.HANGING)
    key = place.act(ladder)
    HEALTH["verdict"], ladder.watcher.limit = False, 0.2
    place.later(ladder)
    for _ in range(50):
        place.later(ladder, 1)
    assert told(ladder, key)[:2] == ("undo_failed", "held")
    assert [entry.kind for entry in ladder.log()].count("undoing") == watches.TRIES
    (seen,) = ladder.after().watched
    assert seen.phase == "held"
    trouble = "the health check tests.unit.watcher.conftest:healthy was bad once"
    assert seen.why == f"{trouble}; its undo didn't work: it took longer than 0.2s and was stopped"
    assert rung_of(ladder) == Rung.CONFIRM
    assert "left a mess: undo_failed" in " ".join(reason.text for reason in ladder.status()[0].route.reasons)


def test_an_undo_that_comes_too_late_touches_nothing(place):
    """Its time is over by the clock, so that somebody must look; it is said once, and not tried again."""
    ladder = place.ladder(declared=place.shelf.declaration(ttl=30))
    key = place.act(ladder)
    HEALTH["verdict"] = False
    place.later(ladder, 31)
    state, _, why = told(ladder, key)
    assert (state, "too late" in why, place.shelf.undone) == ("undo_failed", True, [])
    for _ in range(40):
        place.later(ladder, 1)
    assert ([entry.kind for entry in ladder.log()].count("undoing"), told(ladder, key)[1]) == (1, "held")
    assert "its undo didn't work: too late: it could be undone for 30s" in told(ladder, key)[2]
    assert rung_of(ladder) == Rung.CONFIRM


def test_an_undo_that_works_at_last_ends_the_window(place):
    """What was in the way is gone at the second try."""
    ladder = place.ladder()
    key = place.act(ladder)
    place.shelf.trouble, HEALTH["verdict"] = RuntimeError("the shelf is stuck"), False
    place.later(ladder)
    place.shelf.trouble = None
    place.later(ladder, 2)
    assert told(ladder, key)[:2] == ("undone", "undone")


def test_the_last_on_one_thing_is_undone_first(place):
    """Each undo finds what it knows, and none a conflict."""
    ladder = place.ladder()
    keys = []
    for thing in ("a cup", "a plate", "a bowl"):
        keys.append(place.act(ladder, thing))
        place.clock.advance(dt.timedelta(seconds=1))
    changed(ladder, "UPDATE watch SET phase = 'undo', due_us = 1")
    for _ in range(10):
        place.later(ladder, 1)
    assert [told(ladder, key)[:2] for key in keys] == [("undone", "undone")] * 3
    assert place.shelf.undone == ["a bowl", "a plate", "a cup"]


# --- leases and races ------------------------------------------------------------------------------------------------


def test_a_window_in_somebodys_hands_is_left_to_them(place):
    """Until the lease ends; then it is due again."""
    ladder, other = place.ladder(), place.ladder()
    place.act(ladder)
    now = ladder.watcher._now()
    ladder.store.write(lambda cursor: watches.take(cursor, now, now + LEASE))
    place.later(other, 14)
    assert "asked" not in HEALTH
    place.later(other, 2)
    assert HEALTH["asked"] == 1


def test_what_a_dead_watcher_had_in_hand_is_due_at_once(place):
    """Its lock is gone, so that nobody waits for its lease."""
    ladder, other = place.ladder(), place.ladder()
    place.act(ladder)
    now = ladder.watcher._now()
    ladder.watcher._beat(now)
    ladder.store.write(lambda cursor: watches.take(cursor, now, now + LEASE))
    ladder.store.owner.abandon()
    place.later(other, 1)
    assert HEALTH["asked"] == 1


def test_an_old_sight_of_a_window_overwrites_nothing(place):
    """Whoever saw it before its undo was tried changes nothing of it any more."""
    ladder = place.ladder()
    key = place.act(ladder)
    changed(ladder, "UPDATE watch SET phase = 'undo', due_us = 1")
    old = ladder.store.read(lambda cursor: watches.window_of(cursor, key))
    ladder.store.write(lambda cursor: watches.failed(cursor, old, 10, "it failed"))
    ladder.store.write(lambda cursor: watches.again(cursor, old, 5))
    assert not ladder.store.write(lambda cursor: watches.change(cursor, old, phase="open"))
    now = ladder.store.read(lambda cursor: watches.window_of(cursor, key))
    assert (now.attempts, now.why.endswith("it failed"), now.due_us) == (1, True, 10 + 2 * watches.PULSE)


def test_an_undo_that_somebody_else_has_done_is_not_begun(place):
    """A job that was queued with an old sight of the window finds it over, and doesn't open it anew."""
    ladder = place.ladder()
    key = place.act(ladder)
    changed(ladder, "UPDATE watch SET phase = 'undo', due_us = 1")
    old = ladder.store.read(lambda cursor: watches.window_of(cursor, key))
    place.shelf.trouble = CONFLICT
    ladder.watcher.undo(old)
    place.shelf.trouble = None
    for _ in range(3):
        ladder.watcher.undo(old)
        place.later(ladder, 60)
    assert told(ladder, key)[:2] == ("undo_conflict", "held")
    assert place.shelf.undone == []


def test_two_who_measure_count_once(place):
    """Whoever comes second with the same measurement leaves it, and looks anew."""
    ladder = place.ladder(check={"failure_limit": 1})
    key = place.act(ladder)
    HEALTH["verdict"] = False
    window = ladder.store.read(lambda cursor: watches.window_of(cursor, key))
    seen, also = ladder.watcher._sighted([window]), ladder.watcher._sighted([window])
    for one in (*seen, *also):
        one.new.append(one.measure(0))
        ladder.store.write(lambda cursor, one=one: ladder.watcher._note(cursor, ladder.watcher.journal(), one))
    (found,) = ladder.store.read(lambda cursor: measurements.measurements(cursor, key))
    assert (found.verdict, told(ladder, key)[1]) == ("bad", "open")


def test_an_undo_that_can_not_be_written_down_is_taken_up_again(place, monkeypatch):
    """A process that lives and isn't at it any more doesn't keep others from it, nor itself."""
    ladder = place.ladder()
    key = place.act(ladder)
    changed(ladder, "UPDATE watch SET phase = 'undo', due_us = 1")
    with monkeypatch.context() as broken:
        broken.setattr(Journal, "record", lambda *_: 1 / 0)
        place.later(ladder, 1)
    assert told(ladder, key)[0] == "undoing"
    for _ in range(3):
        place.later(ladder, 30)
    assert told(ladder, key)[:2] == ("undone", "undone")
    assert place.shelf.undone == ["a cup"]


def test_an_action_that_waits_for_itself_is_not_looked_at(place):
    """A paused one, armed as it is, is due when it starts over."""
    ladder = place.ladder()
    key = place.act(ladder)
    changed(ladder, "UPDATE watch SET phase = 'armed'")
    window = ladder.store.read(lambda cursor: watches.window_of(cursor, key))
    journal = Journal(ladder.store.owner, "r1", place.clock())
    ladder.store.write(lambda cursor: journal._watched(cursor, window.action, State.PAUSED))
    assert ladder.store.read(watches.next_due) is None


# --- signals ---------------------------------------------------------------------------------------------------------


def test_an_alert_hurries_those_that_listen_and_no_others(place):
    """Ten thousand windows without an alert have nothing to do with it."""
    ladder = place.ladder()
    key = place.act(ladder)
    place.later(ladder)
    before, moment = ladder.store.read(watches.next_due), micros(place.clock())
    alert = Signal("f", moment, "firing", {"a": "b"}, moment)
    assert ladder.store.write(lambda cursor: signals.deliver(cursor, [kept_alert(alert)])) == 1
    assert ladder.store.read(watches.next_due) == before
    changed(ladder, 'UPDATE watch SET spec = replace(spec, \'"kind": "python"\', \'"kind": "alert"\')')
    again = Signal("g", moment, "firing", {"a": "b"}, moment)
    ladder.store.write(lambda cursor: signals.deliver(cursor, [kept_alert(again)]))
    assert ladder.store.read(watches.next_due) == moment
    assert told(ladder, key)[1] == "open"


# --- clocks ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def boot(monkeypatch):
    """A machine's own clock, which the test lets go on: a list with its microseconds."""
    ticks = [10**12]
    monkeypatch.setattr(clocks, "boot_id", lambda: "boot-1")
    monkeypatch.setattr(clocks.time, "clock_gettime_ns", lambda _: ticks[0] * 1000)
    return ticks


def test_a_clock_that_jumps_ahead_keeps_nothing_early(place, boot):
    """An hour by the wall, and a second by the clock that nobody sets."""
    ladder = place.ladder()
    key = place.act(ladder)
    boot[0] += 10**6
    place.later(ladder, 3600)
    assert told(ladder, key)[1] == "open"
    boot[0] += 600 * 10**6
    HEALTH["verdict"] = False
    place.later(ladder, 1)
    assert told(ladder, key)[:2] == ("undone", "undone")


def test_what_must_be_kept_is_undone_by_either_clock(place, boot):
    """Nobody kept it: by the wall an hour is over, or by the machine's own clock."""
    ladder = place.ladder(confirm="required")
    one = place.act(ladder)
    boot[0] += 10**6
    place.later(ladder, 3600)
    assert told(ladder, one)[:2] == ("undone", "undone")
    two = place.act(ladder, "a plate", "bottom")
    boot[0] += 3600 * 10**6
    place.later(ladder, 1)
    assert told(ladder, two)[:2] == ("undone", "undone")


@pytest.mark.parametrize("restarted", [False, True])
def test_a_clock_set_back_stops_no_watch(place, boot, restarted):
    """A bad action is noticed at its next measurement, in a watcher that was there or in one that comes later."""
    ladder = place.ladder()
    key = place.act(ladder)
    place.later(ladder)
    if restarted:
        ladder.close()
        ladder = place.ladder()
    HEALTH["verdict"] = False
    boot[0] += 61 * 10**6
    place.later(ladder, -3600)
    assert told(ladder, key)[:2] == ("undone", "undone")


# --- what somebody changed -------------------------------------------------------------------------------------------

SPOILT = {
    "another spec": "UPDATE watch SET spec = replace(spec, 'healthy', 'wealthy')",
    "no spec": "UPDATE watch SET spec = 'oh'",
    "no check": 'UPDATE watch SET spec = \'{"watch": {"window": 1.0}, "checks": []}\'',
    "other arguments": "UPDATE payload SET body = replace(body, 'a cup', 'a cap')",
}


@pytest.mark.parametrize("how", SPOILT)
def test_what_was_changed_is_held_and_stops_nobody_else(place, how):
    """Nothing is measured by it; a person decides, and the others are watched as ever."""
    ladder = place.ladder()
    key = place.act(ladder)
    changed(ladder, SPOILT[how])
    sound = place.act(ladder, "a plate", "bottom")
    place.later(ladder)
    assert told(ladder, key)[1] == "held"
    assert "changed" in told(ladder, key)[2]
    assert (told(ladder, sound)[1], HEALTH["asked"], place.shelf.undone) == ("open", 1, [])


ARTIFACTS = {
    "another": "UPDATE action SET artifact = replace(artifact, 'top', 'bottom')",
    "none": "UPDATE action SET artifact = NULL",
    "no JSON": "UPDATE action SET artifact = 'oh'",
    "another start": "UPDATE payload SET body = replace(body, 'undo', 'odnu')",
}


@pytest.mark.parametrize("how", ARTIFACTS)
def test_an_artifact_that_was_changed_is_not_run(place, how):
    """It is no undo of what happened; the tool has to ask from now on, and a person must look."""
    ladder = place.ladder()
    key = place.act(ladder)
    changed(ladder, "UPDATE watch SET phase = 'undo', due_us = 1")
    changed(ladder, ARTIFACTS[how])
    everything(place, ladder)
    state, phase, why = told(ladder, key)
    assert (state, phase) == ("undo_failed", "held")
    assert "not the one that was stored" in why
    assert place.shelf.undone == []
    assert rung_of(ladder) == Rung.CONFIRM


def test_an_undo_under_way_is_nobody_elses(place):
    """While its process lives, whatever anybody says."""
    ladder, other = place.ladder(), place.ladder()
    key = place.act(ladder)
    changed(ladder, "UPDATE watch SET phase = 'undo', due_us = 1")
    journal = ladder.watcher.journal()
    known = ladder.store.read(lambda cursor: journal.known(cursor, key))
    claimed = ladder.store.write(lambda cursor: journal.take_over(cursor, known.call, known.fence, undo="so"))
    assert claimed == Claimed(known.fence + 1)
    for _ in range(5):
        place.later(other, 60)
    assert (told(ladder, key)[:2], place.shelf.undone) == (("undoing", "undo"), [])
