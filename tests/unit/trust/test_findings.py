"""What a chain comes to under a policy: what was carried out, who only stamps, and what the numbers say against it."""

from __future__ import annotations

import pytest

from ladder_graph.components import toolset_component
from ladder_graph.fingerprint import Environment
from ladder_graph.policy.reading import policy_of
from ladder_graph.scale import Rung
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.deeds import LOOK, Deed, Incident, Severity
from ladder_graph.trust.evidence import DAY
from ladder_graph.trust.findings import Findings
from ladder_graph.trust.fold import Digested, Drill, Fold
from ladder_graph.trust.gates import FRESH, REPORTS
from ladder_graph.trust.held import Held
from ladder_graph.trust.looks import Look
from ladder_graph.trust.reviewers import Probes

ENV = Environment("openai", "gpt-5", "gpt-5-2025-08-07", "none", "{}", toolset_component({"send": "a"}), {"send": "a"})
CELL = CellKey("ops", "send", "", ENV.key("send"))
NOW = 1000 * DAY
BLIND = {"bo": Probes(10, 9), "ana": Probes(10, 0)}
"""Bo approves nearly everything that is wrong; Ana finds all of it."""


def deed(by="ana", rung=Rung.CONFIRM, *, at=NOW - DAY, thread="t1", cell=CELL, **fields):
    """One that ran, approved by somebody."""
    made = Deed(cell, thread, at, rung, 1)
    made.ends = {"done": at + 1}
    made.judged = {"approved": Look(at, by)} if by else {}
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def findings(*deeds, now=NOW, rung="bounded", tool=(), trust=(), versions=None, standings=None, **fold):
    """What these deeds, and whatever else is in the chain, come to."""
    rule = {"rung": rung, "mistake": "$4", "bounds": [{"kind": "volume", "limit": 50}], **dict(tool)}
    policy = policy_of({"agent": "ops", "tools": {"send": rule}, "trust": dict(trust)}, "here")
    made = Fold("ops", {f"a{n}": one for n, one in enumerate(deeds)}, environments=[ENV], **fold)
    return Findings(made, policy, now, versions=versions, standings=standings)


def attested(*deeds, cell=CELL, **given):
    """What was carried out for the cell."""
    return findings(*deeds, **given)._attested(cell)


# --- what was carried out --------------------------------------------------------------------------------------


def drill(days=0, version="v1", *, passed=True, tool="send", us=0):
    """A rehearsal so many days ago."""
    return Drill(NOW - days * DAY + us, tool, version, passed)


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        (drill(), 1),
        (drill(FRESH), 1),
        (drill(FRESH, us=-1), 0),
        (drill(passed=False), 0),
        (drill(version="v0"), 0),
        (drill(tool="other"), 0),
    ],
)
def test_a_drill_is_of_this_version_and_of_this_month(one, counts):
    """An older one, one that failed, and one of another version or tool say nothing about the undo of today."""
    assert attested(drills=[one], versions={"send": "v1"}).drills == counts


def test_without_a_tool_at_hand_its_version_is_the_last_that_was_drilled():
    """An earlier one counts no more."""
    assert attested(drills=[drill(3, "v1"), drill(2, "v2"), drill(1, "v2")]).drills == 2
    assert attested().drills == 0


def test_bounds_hold_where_a_call_was_stopped():
    """By one that really was outside, or by a test of them, whichever is later; of any cell of the tool."""
    assert attested(deed()).bounds_us is None
    stopped = deed(at=NOW - 5 * DAY, beyond=True, cell=CELL._replace(env="e2"))
    assert attested(deed(), stopped).bounds_us == NOW - 5 * DAY
    tried = {("bounds", "send"): NOW - 3 * DAY, ("bounds", "other"): NOW, ("audit", ""): NOW - 1}
    found = attested(stopped, attested=tried)
    assert (found.bounds_us, found.audit_us) == (NOW - 3 * DAY, NOW - 1)


@pytest.mark.parametrize(
    ("klass", "severity", "fields", "open_"),
    [
        ("wrong", Severity.REAL, {}, 1),
        ("wrong", Severity.MINOR, {}, 0),
        ("wrong", Severity.REAL, {"closed": True}, 0),
        ("wrong", Severity.REAL, {"reversed": True}, 0),
        (LOOK, Severity.COSMETIC, {}, 1),
        (LOOK, Severity.COSMETIC, {"closed": True}, 0),
    ],
)
def test_an_incident_is_open_until_somebody_has_seen_to_it(klass, severity, fields, open_):
    """A mistake with a consequence, and that a reader wants somebody to look; what costs nothing isn't waited for."""
    assert attested(deed(incidents={klass: Incident(NOW, severity, **fields)})).open_incidents == open_


# --- who only stamps -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rung", "stamped"), [(Rung.DRAFT, ("bo",)), (Rung.CONFIRM, ("bo",)), (Rung.BOUNDED, ()), (Rung.REPORT, ())]
)
def test_whoever_lets_calls_run_unseen_is_named(rung, stamped):
    """Where their yes let it run: what runs unasked was nobody's to approve."""
    assert attested(deed("bo", rung), deed("ana", rung), probes=BLIND).stamped == stamped


def test_only_the_cell_that_was_approved_rests_on_it():
    """Another cell of the same tool doesn't."""
    assert attested(deed("bo"), cell=CELL._replace(env="e2"), probes=BLIND).stamped == ()


# --- reports ---------------------------------------------------------------------------------------------------


def filed(report, due, **fields):
    """What is in a report that must be read by then."""
    return deed("", Rung.REPORT, report=report, read_by_us=due, **fields)


@pytest.mark.parametrize(
    ("digest", "due", "told"),
    [
        (Digested(read_us=NOW - 2), NOW - 1, (1, 1, 0)),
        (Digested(read_us=NOW - 1), NOW - 1, (1, 1, 0)),
        (Digested(read_us=NOW), NOW - 1, (1, 0, 0)),
        (Digested(read_us=NOW - 2, lapsed=True), NOW - 1, (1, 0, 0)),
        (Digested(due_us=NOW - 5, read_us=NOW - 4), NOW - 1, (1, 0, 0)),
        (Digested(due_us=NOW + 5, read_us=NOW), NOW - 1, (1, 0, 0)),
        (Digested(read_us=NOW - 2), NOW + 1, (1, 1, 0)),
        (Digested(), NOW - 1, (1, 0, 1)),
        (Digested(), NOW, (0, 0, 0)),
        (Digested(lapsed=True), NOW + 1, (1, 0, 1)),
    ],
)
def test_a_report_is_read_in_time_or_not(digest, due, told):
    """By the earlier of both times, and not after it had lapsed; what isn't due yet says nothing."""
    found = attested(filed("r1", due), digests={"r1": digest})
    assert (found.reports, found.reports_read, found.unread) == told


def test_the_last_reports_count_and_each_that_nobody_read():
    """Twenty are looked at; one that lies unread is told however old it is."""
    made = [filed(f"r{n}", NOW - 50 + n) for n in range(REPORTS + 2)]
    read = {f"r{n}": Digested(read_us=NOW - 50 + n) for n in range(1, REPORTS + 2)}
    found = attested(*made, digests=read)
    assert (found.reports, found.reports_read, found.unread) == (REPORTS, REPORTS, 1)


# --- what the numbers say against a cell -----------------------------------------------------------------------


def wrong(n, severity=Severity.REAL, at=NOW - DAY // 2):
    """A run with a mistake that was reported at once."""
    return deed("", Rung.BOUNDED, at=at, thread=f"w{n}", incidents={"wrong": Incident(at, severity, first_us=at)})


@pytest.mark.parametrize(
    ("days", "down"), [(29, None), (30, (Rung.CONFIRM, "D6")), (89, (Rung.CONFIRM, "D6"))]
)  # fmt: skip
def test_silence_puts_it_down(days, down):
    """By its last run, and not by the first."""
    found = findings(deed(at=NOW - 300 * DAY), deed(at=NOW - days * DAY, thread="t2")).demotion(CELL)
    assert (None if found is None else (found.rung, found.code)) == down


def test_what_nobody_did_says_nothing_against_it():
    """Nor is there anything against what is asked about anyway."""
    assert findings().demotion(CELL) is None
    assert findings(*map(wrong, range(50)), rung="confirm").demotion(CELL) is None


def test_many_mistakes_put_it_down():
    """It is told how many it may make."""
    said = findings(*map(wrong, range(20)))
    found, limit = said.demotion(CELL), said.price(CELL, Rung.CONFIRM).limit
    assert (found.rung, found.code) == (Rung.CONFIRM, "D4")
    assert found.reason == f"it errs far more often than the {limit:.2%} of its runs that it may"


@pytest.mark.parametrize(
    ("mistakes", "clean", "days", "down"), [(4, 0, 0, False), (5, 0, 0, True), (5, 40, 60, False), (5, 40, 0, True)]
)
def test_as_many_mistakes_as_ring_the_alarm(mistakes, clean, days, down):
    """Five in a row that were known at once; runs in which one would be known by now weigh against them."""
    good = [deed("", Rung.BOUNDED, at=NOW - days * DAY - n, thread=f"g{n}") for n in range(1, clean + 1)]
    bad = [wrong(n, at=NOW - 61 * DAY) for n in range(mistakes)]
    recent = deed("", Rung.BOUNDED, at=NOW, thread="last")
    assert (findings(*bad, *good, recent).demotion(CELL) is not None) is down


@pytest.mark.parametrize(("earned", "probes", "down"), [(True, BLIND, True), (False, BLIND, False), (True, {}, False)])
def test_what_was_earned_on_stamps_is_taken_back(earned, probes, down):
    """Where it rests on people who don't look, and what was earned wouldn't be on what they are known to see."""
    held = {CELL: Held(earned=Rung.BOUNDED)} if earned else {}
    start = "confirm" if earned else "bounded"
    found = findings(deed("bo"), rung=start, standings=held, probes=probes).demotion(CELL)
    assert (None if found is None else (found.rung, found.code)) == ((Rung.CONFIRM, "D5") if down else None)
    if found is not None:
        assert found.reason == "what held it here were approvals of people who didn't look, as probes show"


def test_after_a_silence_that_was_told_it_goes_down_once():
    """The next time after ninety days, and only where nothing was judged since."""
    last = NOW - 40 * DAY
    for stale, down in ((last - 1, True), (last, True), (last + 1, False)):
        held = {CELL: Held(earned=Rung.BOUNDED, stale_us=stale)}
        found = findings(deed("", Rung.BOUNDED, at=last), rung="confirm", standings=held).demotion(CELL)
        assert (found is not None) is down


@pytest.mark.parametrize(
    ("deeds", "held", "down"),
    [
        ([deed("", Rung.BOUNDED, at=NOW - 40 * DAY)], Held(wiped_us=NOW - 39 * DAY), True),
        ([deed("", Rung.BOUNDED, at=NOW - 20 * DAY)], Held(wiped_us=NOW - 19 * DAY), False),
        ([deed("", Rung.BOUNDED, at=NOW - n * DAY, ends={"failed": 1}) for n in range(40)], Held(), True),
        ([deed("", Rung.BOUNDED, at=NOW - n * DAY, ends={"failed": 1}) for n in range(20)], Held(), False),
        ([deed("", Rung.BOUNDED, at=NOW - 40 * DAY)], Held(since_us=NOW - DAY), False),
        ([deed("", Rung.BOUNDED, at=NOW - 40 * DAY)], Held(since_us=NOW - DAY, code="manual"), True),
        ([], Held(since_us=NOW - 40 * DAY), True),
        ([], Held(), False),
    ],
    ids=[
        "wiped long ago",
        "wiped lately",
        "never judged",
        "not judged yet",
        "raised lately",
        "put down lately",
        "carried over and silent",
        "unused",
    ],
)
def test_silence_is_counted_from_the_last_judgement_whatever_became_of_it(deeds, held, down):
    """What was put down for its mistakes is no less silent; nor is what was never judged."""
    found = findings(*deeds, standings={CELL: held}).demotion(CELL)
    assert (None if found is None else found.code) == ("D6" if down else None)


def test_what_was_wiped_is_no_run():
    """What happened up to that very moment doesn't count."""
    runs = [deed(at=at, thread=str(at)) for at in (5, 6, 7)]
    assert [one.at_us for one in findings(*runs, standings={CELL: Held(wiped_us=6)}).units(CELL)] == [7]
    assert len(findings(*runs).units(CELL)) == 3


# --- what is known of it elsewhere -----------------------------------------------------------------------------


def test_evidence_is_of_the_cell_unless_it_is_given():
    """That of others is weighed by the same cell's policy."""
    found = findings(deed(), deed(thread="t2"), deed(cell=CELL._replace(env="e0")))
    assert found.weighed(CELL, 9).runs == 2
    assert found.weighed(CELL, 9, found.units(CELL._replace(env="e0"))).runs == 1


@pytest.mark.parametrize(
    ("others", "runs"),
    [
        ([], None),
        ([CELL._replace(env="e0")], 1),
        ([CELL._replace(scope="s2")], 1),
        ([CELL._replace(scope="s2"), CELL._replace(scope="s3"), CELL._replace(env="e0")], 2),
        ([CELL._replace(tool="other")], None),
    ],
)
def test_what_the_tool_has_shown_elsewhere(others, runs):
    """In its other scopes; only where there are none, in the environments before."""
    made = [deed(cell=cell, thread=str(n)) for n, cell in enumerate([CELL, CELL, *others])]
    found = findings(*made)._earlier(CELL, 9)
    assert (None if found is None else found.runs) == runs


@pytest.mark.parametrize(
    ("pooling", "scope", "runs"),
    [("floor", "staging", 3), ("floor", "test", 3), ("floor", "production", None), ("sibling", "staging", None)],
)
def test_scopes_of_one_risk_class_are_pooled_where_the_policy_says_so(pooling, scope, runs):
    """What all of them have shown, and nothing of a scope of another class, or of another environment."""
    scopes = {"argument": "stage", "values": ["staging", "test", "production"], "pooling": pooling}
    made = [
        deed(cell=CELL._replace(scope=one, env=env), thread=f"t{n}")
        for n, (one, env) in enumerate([
            ("staging", CELL.env), ("staging", CELL.env), ("test", CELL.env), ("production", CELL.env), ("test", "e0"),
        ])
    ]  # fmt: skip
    said = findings(*made, tool={"scope": {**scopes, "risks": {"staging": "low", "test": "low"}}})
    found = said._pooled(CELL._replace(scope=scope), said.policy.rule("send"), 9)
    assert (None if found is None else found.runs) == runs
    assert findings()._pooled(CELL, findings().policy.rule("send"), 9) is None


@pytest.mark.parametrize(("rung", "to"), [("confirm", Rung.BOUNDED), ("rollback", Rung.REPORT), ("report", None)])
def test_a_certificate_is_for_the_next_rung(rung, to):
    """At the chance of being wrong that is taken for it; on the highest one there is none."""
    checked = {"checks": [{"kind": "python", "function": "shop:healthy"}]} if rung != "confirm" else {}
    found = findings(deed(), rung=rung, tool=checked)
    made = found.certificate(CELL)
    assert (None if made is None else made.to) == to
    if made is not None:
        assert made.alpha == found.policy.trust.alpha_to(to)


# --- what was measured -----------------------------------------------------------------------------------------


def measured(*deeds, **given):
    """What the chain tells of people's time and of undos."""
    return findings(*deeds, **given)._measured("send")


@pytest.mark.parametrize(
    ("said", "told"),
    [("approved", 1), ("declined", 1), ("edited", 1), ("responded", 1), ("adopted", 0), ("expired", 0)],
)
def test_how_long_people_took(said, told):
    """In minutes: how long each looked, where that is known, and how long the question had waited."""
    at = NOW - DAY
    looked = deed("", judged={said: Look(at + 180_000_000, "ana", 90.0)})
    assert (measured(looked).minutes, measured(looked).waited) == ((1.5,) * told, (3.0,) * told)
    unknown = deed("", judged={said: Look(at + 60_000_000, "ana")})
    assert (measured(unknown).minutes, measured(unknown).waited) == ((), (1.0,) * told)


def test_what_asked_of_all_that_need_not():
    """Those outside a bound, of them and those that ran; a person's own calls are nobody's."""
    ran = [deed("", rung) for rung in (Rung.BOUNDED, Rung.REPORT, Rung.CONFIRM)]
    found = measured(*ran, deed(beyond=True), deed("", Rung.BOUNDED, by_person=True))
    assert (found.asked, found.calls) == (1, 3)


@pytest.mark.parametrize(
    ("end", "drills", "failed"), [("done", 0, 0), ("undone", 1, 0), ("undo_conflict", 1, 1), ("undo_failed", 1, 1)]
)
def test_undos_in_earnest_and_in_rehearsals(end, drills, failed):
    """Each that was tried, and those that didn't put everything back; of this tool only."""
    tried = [drill(), drill(), drill(passed=False), drill(tool="other", passed=False)]
    found = measured(deed(ends={"done": 1, end: 2}), drills=tried)
    assert (found.drills, found.drills_failed) == (drills + 3, failed + 1)
    mended = measured(deed(ends={"undo_failed": 1, "undone": 2}))
    assert (mended.drills, mended.drills_failed) == (1, 0)


def test_whoever_answers_is_told_of():
    """By name, with how many answers and which probes; a draft that was adopted is no answer."""
    looks = [deed("cy"), deed("ana"), deed("ana", judged={"declined": Look(NOW, "ana", 9.0)})]
    others = [deed("", judged={"adopted": Look(NOW, "di")}), deed("", judged={"approved": Look(NOW, "")})]
    found = findings(*looks, *others, probes=BLIND).reviewers()
    assert [(one.name, one.answered, one.timed, one.probes) for one in found] == [
        ("ana", 2, 1, BLIND["ana"]), ("bo", 0, 0, BLIND["bo"]), ("cy", 1, 0, Probes()),
    ]  # fmt: skip
