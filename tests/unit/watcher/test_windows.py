"""What people do about watched actions: keep them, undo them, watch them longer."""

from __future__ import annotations

import pytest

from ladder_graph.errors import AnswerRefused, UnknownQuestion
from ladder_graph.states import State
from ladder_graph.telemetry import catalog
from ladder_graph.telemetry.levels import Levels
from tests.unit.watcher.conftest import CONFLICT, HEALTH, changed, told


@pytest.fixture
def watched(place):
    """A ladder with one action that is watched, and its key."""
    ladder = place.ladder()
    key = place.act(ladder)
    place.later(ladder)
    return ladder, key


def said(ladder):
    """Who said what about the action."""
    return [(entry.body["by"], entry.body["kind"]) for entry in ladder.log() if entry.kind == "told"]


def test_what_is_watched_is_seen(place, watched):
    """With its end and what was measured."""
    ladder, key = watched
    (one,) = ladder.watched()
    assert (one.action, one.phase, [found.verdict for found in one.measured]) == (key, "open", ["good"])
    assert (one.until - one.began).total_seconds() == 600


def test_a_person_keeps_it(place, watched):
    """Its window is over, whatever its checks would have said."""
    ladder, key = watched
    assert ladder.keep(key[:8], by="ana", reason="it is what I wanted") is None
    HEALTH["verdict"] = False
    place.later(ladder, 700)
    assert told(ladder, key)[:2] == ("done", "kept")
    assert (said(ladder), place.shelf.undone) == ([("ana", "keep")], [])


def test_a_person_undoes_it(place, watched):
    """At once, and whoever watches has nothing left to do."""
    ladder, key = watched
    assert ladder.undo(key, by="ana", reason="it was a mistake") is State.UNDONE
    assert told(ladder, key)[:2] == ("undone", "undone")
    assert (said(ladder), place.shelf.undone) == ([("ana", "undo")], ["a cup"])
    assert (
        "ana said so: it was a mistake" in next(entry for entry in ladder.log() if entry.kind == "undoing").body["text"]
    )


def test_a_person_undoes_what_was_kept(place, watched):
    """The window is over, and what was stored before the action is still there."""
    ladder, key = watched
    ladder.keep(key, by="ana")
    assert ladder.undo(key, by="bo") is State.UNDONE
    assert place.shelf.undone == ["a cup"]


def test_a_person_watches_it_longer(place, watched):
    """Its end moves on; an earlier one changes nothing."""
    ladder, key = watched
    before = ladder.watched()[0].until
    after = ladder.extend(key, seconds=900, by="ana")
    assert (after.until - before).total_seconds() == 300
    assert ladder.extend(key, seconds=10, by="ana").until == after.until
    for _ in range(14):
        place.later(ladder, 60)
    assert told(ladder, key)[1] == "open"
    place.later(ladder, 60)
    assert told(ladder, key)[1] == "kept"


def test_a_keep_comes_too_late_for_what_was_bad(place, watched):
    """The bad measurement came first, and the undo with it."""
    ladder, key = watched
    HEALTH["verdict"] = False
    place.later(ladder, 60)
    with pytest.raises(AnswerRefused, match="isn't watched: it is undone"):
        ladder.keep(key, by="ana")


def test_what_waits_for_a_person_is_kept_and_not_undone_again(place, watched):
    """An undo that met a conflict left it to people; whoever keeps it ends that."""
    ladder, key = watched
    HEALTH["verdict"], place.shelf.trouble = False, CONFLICT
    place.later(ladder, 60)
    place.shelf.trouble = None
    with pytest.raises(AnswerRefused, match="waits for a person"):
        ladder.extend(key, seconds=60, by="ana")
    assert ladder.keep(key, by="ana") is None
    place.later(ladder, 700)
    assert told(ladder, key)[:2] == ("undo_conflict", "kept")
    assert (ladder.watched(), place.shelf.undone) == ([], [])


def unsettled(ladder):
    """The states that something must come of, as the figures tell them."""
    return {level.labels[2] for level in Levels(ladder).now() if level.metric is catalog.UNSETTLED}


def test_what_a_failed_undo_left_is_kept_between_two_tries(place, watched):
    """It isn't tried any more, stays the mess that it was on record, and waits for nobody."""
    ladder, key = watched
    HEALTH["verdict"], place.shelf.trouble = False, RuntimeError("the shelf is stuck")
    place.later(ladder, 60)
    place.shelf.trouble = None
    assert told(ladder, key)[:2] == ("undo_failed", "undo")
    assert ([one.key for one in ladder.in_doubt()], unsettled(ladder)) == ([key], {"undo_failed"})
    assert ladder.keep(key, by="ana", reason="I glued it") is None
    place.later(ladder, 700)
    assert told(ladder, key)[:2] == ("undo_failed", "kept")
    assert (ladder.watched(), place.shelf.undone, ladder.in_doubt(), unsettled(ladder)) == ([], [], [], set())
    assert [one.body["reason"] for one in ladder.log() if one.kind == "told"] == ["I glued it"]
    assert [one.body["text"] for one in ladder.log() if one.kind == "watched"][-1] == (
        "ana kept it after its undo didn't work"
    )
    assert ladder.undo(key, by="bo") is State.UNDONE


def test_what_is_about_to_be_undone_is_not_kept(place, watched):
    """While nobody has tried it, the undo that was wanted comes first, and it is said so."""
    ladder, key = watched
    changed(ladder, "UPDATE watch SET phase = 'undo'")
    with pytest.raises(AnswerRefused, match="is to be undone, and can be kept once that was tried"):
        ladder.keep(key, by="ana")
    assert said(ladder) == []


def test_what_nobody_could_measure_is_held_until_a_person_decides(place):
    """With `inconclusive = "hold"`, and then it is undone by hand."""
    ladder = place.ladder(inconclusive="hold", check={"inconclusive_limit": 0})
    key = place.act(ladder)
    HEALTH["verdict"] = "perhaps"
    place.later(ladder)
    assert told(ladder, key)[:2] == ("done", "held")
    assert ladder.undo(key, by="ana") is State.UNDONE


@pytest.mark.parametrize("act", ["keep", "undo", "extend"])
def test_who_asks_about_nothing_is_refused(place, watched, act):
    """There is no such action; or it was no action that could be undone."""
    ladder, key = watched
    more = {"seconds": 1} if act == "extend" else {}
    with pytest.raises(UnknownQuestion):
        getattr(ladder, act)("ffffffff", by="ana", **more)
    changed(ladder, "DELETE FROM watch")
    with pytest.raises(AnswerRefused):
        getattr(ladder, act)(key, by="ana", **more)


def test_an_undo_of_what_is_undone_is_refused(place, watched):
    """Twice is once too often."""
    ladder, key = watched
    ladder.undo(key, by="ana")
    with pytest.raises(AnswerRefused, match="can't be undone now: it is undone"):
        ladder.undo(key, by="ana")
    assert place.shelf.undone == ["a cup"]


@pytest.mark.parametrize(("state", "phase"), [("started", "armed"), ("undoing", "undo")])
def test_what_a_dead_process_left_is_undone_by_a_person(place, watched, state, phase):
    """In the effect or in its undo: it is listed, whoever tries something else reads that, and no watcher must live."""
    ladder, key = watched
    changed(ladder, "UPDATE action SET state = ?, owner = 'gone'", state)
    changed(ladder, "UPDATE watch SET phase = ?", phase)
    assert [one.key for one in ladder.in_doubt()] == [key]
    assert f"ladder undo {key[:12]}" in [one.command for one in ladder.life(key).next]
    with pytest.raises(AnswerRefused, match=r"left by a process that is gone \(ladder undo"):
        ladder.keep(key, by="ana")
    if state == "undoing":
        with pytest.raises(AnswerRefused, match=r"the process that undid it is gone \(ladder undo"):
            ladder.resolve(key, happened=False, by="ana")
    assert ladder.undo(key, by="ana") is State.UNDONE
    assert (place.shelf.undone, ladder.in_doubt(), told(ladder, key)[1]) == (["a cup"], [], "undone")


@pytest.mark.parametrize("state", ["started", "undoing"])
def test_what_a_live_process_is_at_is_not_undone_beside_it(place, watched, state):
    """Nor is that offered."""
    ladder, key = watched
    changed(ladder, "UPDATE action SET state = ?", state)
    changed(ladder, "UPDATE watch SET phase = 'armed'")
    ladder.store.owner.begin(key, 1)
    assert (ladder.in_doubt(), ladder.life(key).next) == ([], ())
    with pytest.raises(AnswerRefused, match=f"can't be undone now: it is {state}, and its process lives"):
        ladder.undo(key, by="ana")
    assert place.shelf.undone == []
