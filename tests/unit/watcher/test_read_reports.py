"""Verdicts that do something: an action that is to be undone, one that somebody must look into, and a mess."""

from __future__ import annotations

import pytest

from ladder_graph.errors import AnswerRefused
from ladder_graph.policy import Reports
from ladder_graph.scale import Rung
from tests.unit.watcher.conftest import told


@pytest.fixture
def ladder(place):
    """A ladder whose tool acts on rung 5, each action in a report of its own."""
    made = place.ladder(rung="report", check={"count": 1}, window=0)
    made.policy = made.policy.model_copy(
        update={"rehearsals": "advised", "reports": Reports(reader="ana", sla="4h", digest="action")}
    )
    made.watcher.settle()
    return made


def reported(ladder, key):
    """The report on an action."""
    return ladder.digest(ladder.report_on(key).digest)


def test_undo_really_undoes(place, ladder):
    """What the action changed is as it was before."""
    key = place.act(ladder, "a cup")
    assert ladder.action(key).rung is Rung.REPORT
    after = ladder.read(reported(ladder, key).id, {key: "undo"}, by="ana", note="not there")
    assert (after.state, after.items[0].verdict, after.items[0].came) == ("read", "undo", "")
    assert told(ladder, key)[0] == "undone"
    assert place.shelf.things["top"] is None


def test_where_it_can_not_be_undone_the_item_says_why(place, ladder):
    """The verdict stands all the same."""
    key = place.act(ladder)
    report = reported(ladder, key)
    ladder.undo(key, by="bo")
    after = ladder.read(report.id, {key: "undo"}, by="ana")
    assert "can't be undone now: it is undone" in after.items[0].came


def test_look_blames_nobody_and_is_open_until_it_is_closed(place, ladder):
    """An incident of no severity, which puts nothing down and counts for no loss."""
    key = place.act(ladder)
    ladder.read(reported(ladder, key).id, {key: "look"}, by="ana", looked=12)
    (deed,) = ladder.findings().fold.deeds.values()
    assert (deed.incidents["look"].loss, deed.incidents["look"].closed, deed.loss(frozenset())) == (0.0, False, 0.0)
    assert (deed.read.by, deed.read.seconds) == ("ana", 12.0)
    assert ladder.history("put") == []
    place.clock.advance(1)
    ladder.incident(key, "S0", by="ana", kind="look", closed=True)
    (deed,) = ladder.findings().fold.deeds.values()
    assert deed.incidents["look"].closed


def test_a_verdict_is_given_once_and_for_what_was_shown(place, ladder):
    """Another one later, another hash, an unknown action, a name that nobody checked: all are refused."""
    key = place.act(ladder)
    report = reported(ladder, key)
    for verdicts, more, said in (
        ({key: "ok"}, {}, "no verdict"),
        ({"0000": "fine"}, {}, "none of the actions"),
        ({key: "fine"}, {"shown": "0" * 64}, "not what you were shown"),
        ({key: "fine"}, {"by": "eve"}, "the policy names ana"),
    ):
        with pytest.raises(Exception, match=said):
            ladder.read(report.id, verdicts, **{"by": "ana", **more})
    assert reported(ladder, key).given == 0
    ladder.read(report.id, {key: "fine"}, by="ana", shown=report.hash)
    with pytest.raises(AnswerRefused, match="was read before"):
        ladder.read(report.id, {key: "undo"}, by="ana")
    assert told(ladder, key)[0] == "done"


def test_a_mess_on_rung_5_is_a_report_of_its_own(place, ladder):
    """It waits to be seen to, beside the report that the action is in."""
    key = place.act(ladder)
    place.shelf.trouble = RuntimeError("the shelf is stuck")
    ladder.undo(key, by="bo")
    assert [report.about for report in ladder.reports()] == ["period", "mess"]
    ladder.acknowledge(key, by="ana")
    assert [report.about for report in ladder.reports()] == ["period"]
