"""Since when an agent is held against itself: what it became by a change, and by a week that was sampled."""

from __future__ import annotations

import pytest

from ladder_graph.scale import Rung
from ladder_graph.trust.cells import EVERY
from ladder_graph.trust.deeds import LOOK, Incident, Severity
from ladder_graph.trust.evidence import DAY
from ladder_graph.trust.fold import Replay
from ladder_graph.trust.held import Event
from ladder_graph.trust.looks import Look
from ladder_graph.trust.suspicion import DAYS, LEARNT, LOOKED, another, begun, mixed, settled, signs
from tests.unit.trust.test_findings import CELL, ENV, NOW, deed, findings

WIDE = CELL._replace(scope=EVERY, env=EVERY)
START = NOW - 10 * DAY
"""When a week began that is over by now."""


def sampled(at=START, sign="mix"):
    """A week in which one of five calls asked."""
    return Event(at, "sampled", WIDE, Rung.REPORT, "", sign, "keep", DAYS)


def down(at, code="D3"):
    """All of a tool was put down."""
    return Event(at, "demoted", WIDE, Rung.CONFIRM, "", code, "wipe")


def looks(count=LOOKED, at=START + DAY, **fields):
    """So many calls that somebody let run."""
    return [deed(at=at + n, **fields) for n in range(count)]


def since(*deeds, events=None, sign="mix", now=NOW, env=ENV):
    """From when on its mix, or its answers, are what is usual."""
    return settled(findings(*deeds, now=now, events=[sampled()] if events is None else events), env, sign)


def test_a_change_begins_anew():
    """The last one; whatever else a tool was put down for doesn't."""
    assert begun(findings().fold) == 0
    assert begun(findings(events=[down(5), down(7), down(9, "D2"), sampled()]).fold) == 7


@pytest.mark.parametrize(
    ("events", "start"),
    [
        ([], 0),
        ([sampled()], START),
        ([sampled(), sampled()], START),
        ([sampled(NOW - 40 * DAY), sampled()], START),
        ([sampled(), sampled(NOW - DAYS * DAY + 1)], START),
        ([sampled(sign="answers")], 0),
        ([sampled(sign="suspected")], 0),
        ([sampled(), down(START - 1)], START),
        ([sampled(), down(START + 20 * DAY)], START + 20 * DAY),
    ],
    ids=[
        "never sampled", "sampled", "two tools", "twice", "not over yet", "for the other sign",
        "by an earlier release", "after a change", "before a change",
    ],
)  # fmt: skip
def test_a_week_that_went_well_begins_anew_for_its_sign(events, start):
    """The last one that is over, since it became what it is."""
    assert since(*looks(), events=events) == start


@pytest.mark.parametrize(
    ("deeds", "well"),
    [
        (looks(), True),
        (looks(at=NOW - 2 * DAY), True),
        (looks(LOOKED - 1), False),
        (looks(at=START - DAY), False),
        (looks(judged={}), False),
        (looks(judged={"approved": Look(START, "ana", 0.1, 5000)}), False),
        (looks(by_person=True), False),
        (looks(cell=CELL._replace(env="e0")), False),
    ],
    ids=["looked at", "late", "too few", "before", "by nobody", "at a glance", "a person's", "another's"],
)
def test_a_week_goes_well_where_people_looked(deeds, well):
    """A week in which nobody did says nothing."""
    assert since(*deeds) == (START if well else 0)
    assert since(*deeds, env=None) == 0


@pytest.mark.parametrize(
    ("at", "fields", "well"),
    [
        (START + DAY, {"wrong": Incident(NOW, Severity.MINOR)}, False),
        (START + DAY, {"wrong": Incident(NOW, Severity.COSMETIC)}, True),
        (START + DAY, {LOOK: Incident(NOW, Severity.COSMETIC)}, True),
        (START + DAY, {"wrong": Incident(NOW, Severity.REAL, reversed=True)}, True),
        (START + DAY, {"wrong": Incident(NOW, Severity.REAL, closed=True)}, False),
        (START, {"wrong": Incident(NOW, Severity.REAL)}, True),
        (START + DAYS * DAY, {"wrong": Incident(NOW, Severity.REAL)}, False),
        (START + DAYS * DAY + 1, {"wrong": Incident(NOW, Severity.REAL)}, True),
    ],
)
def test_a_mistake_in_its_calls_takes_it_back_whenever_it_comes_out(at, fields, well):
    """By when the call was made, and not by when it is reported."""
    assert since(*looks(), deed("", at=at, incidents=fields)) == (START if well else 0)


@pytest.mark.parametrize(
    ("fields", "well"),
    [
        ({"judged": {"declined": Look(NOW, "ana")}, "ends": {}, "blamed": True}, False),
        ({"judged": {"declined": Look(NOW, "ana")}, "ends": {}, "blameless": True}, True),
        ({"judged": {"dismissed": Look(NOW, "ana")}, "ends": {}, "blamed": True, "rung": Rung.SUGGEST}, False),
        ({"judged": {"edited": Look(NOW, "ana")}, "arguments": {"amount": 1}, "edited": {"amount": 2}}, False),
        ({"judged": {"edited": Look(NOW, "ana")}, "arguments": {"note": "a"}, "edited": {"note": "b"}}, True),
        ({"ends": {"done": NOW - 2, "undone": NOW}}, False),
        ({"ends": {"done": NOW - 2, "undo_conflict": NOW}}, False),
        ({"ends": {"done": NOW - 2, "undone": NOW}, "by_person": True}, True),
        ({"ends": {"failed": NOW}}, True),
        ({"ends": {"done": NOW - 2, "undone": NOW}, "at": START}, True),
    ],
    ids=[
        "a no", "a no that says nothing", "a suggestion", "an edit", "a cosmetic edit", "undone", "undone by half",
        "a person's", "failed", "before",
    ],
)  # fmt: skip
def test_whatever_is_a_loss_is_a_mistake_whenever_it_was_told(fields, well):
    """What people said no to when they were asked speaks against it as much as what they reported later."""
    one, cosmetic = deed("", **{"at": START + DAY, **fields}), {"trust": {"cosmetic": ["note"]}}
    found = findings(*looks(), one, tool=cosmetic, events=[sampled()])
    assert settled(found, ENV, "mix") == (START if well else 0)


@pytest.mark.parametrize(
    ("code", "well"), [("D1", False), ("D2", False), ("D4", False), ("D6", True), ("manual", True)]
)
def test_a_week_in_which_it_was_put_down_for_mistakes_went_badly(code, well):
    """Whatever they were; a silence, or a person's word, is none."""
    assert since(*looks(), events=[sampled(), down(START + DAY, code)]) == (START if well else 0)


def test_of_several_weeks_the_last_that_went_well_counts():
    """One that didn't changes nothing."""
    wrong = deed("", at=START + DAY, incidents={"wrong": Incident(NOW, Severity.REAL)})
    before = START - 30 * DAY
    assert since(*looks(), wrong, events=[sampled(before), sampled()]) == before


# --- what is seen ----------------------------------------------------------------------------------------------


def calls(first, second, at):
    """So many calls of either tool on one day, one between the others."""
    other, total = CELL._replace(tool="look", env=ENV.key("look")), first + second
    return [
        deed("", Rung.BOUNDED, at=at + n, cell=CELL if n * first % total < first else other) for n in range(total)
    ]  # fmt: skip


def answers(count, said, at):
    """So many replays of thirty prompts."""
    return [Replay(at + n, {f"p{one}": said for one in range(30)}) for n in range(count)]


SHIFTED = [*calls(400, 100, START - 90 * DAY), *calls(20, 180, START - DAY), *looks(), *calls(100, 900, START + DAY)]
"""It calls another tool since a day before its week, and since then the same in the same shares."""


def test_what_was_looked_at_is_usual_and_the_next_step_is_none():
    """So a drift is sampled again at each step."""
    week = {"events": [sampled()]}
    assert signs(findings(*SHIFTED), ENV) == ["mix"]
    assert signs(findings(*SHIFTED, **week), ENV) == []
    assert signs(findings(*SHIFTED, *calls(180, 20, NOW - DAY), **week), ENV) == ["mix"]


def test_both_signs_count_from_the_beginning():
    """Neither is forgotten because it was looked at before the other came."""
    replays = [*answers(LEARNT, "a", START - 90 * DAY), *answers(3, "b", NOW - DAY)]
    found = findings(*SHIFTED, events=[sampled()], replays=replays)
    assert (signs(found, ENV), another(found, ENV)) == (["answers"], True)
    assert not another(findings(*SHIFTED, events=[sampled()]), ENV)
    assert not another(findings(replays=replays), ENV)
    assert not another(findings(*SHIFTED, events=[down(NOW - 1)], replays=replays), ENV)


def test_only_calls_of_what_it_is_now_are_its_mix():
    """And none where nobody knows what that is."""
    assert mixed(findings(*SHIFTED), ENV)
    assert not mixed(findings(*SHIFTED), None)
    assert not mixed(findings(*(deed(cell=CELL._replace(env="e0")) for _ in range(700))), ENV)
