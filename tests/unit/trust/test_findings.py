"""What a chain comes to under a policy: what was carried out, who only stamps, and what the numbers say against it."""

from __future__ import annotations

import pytest

from ladder_graph.policy.reading import policy_of
from ladder_graph.scale import Rung
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.deeds import LOOK, Deed, Incident, Severity
from ladder_graph.trust.evidence import DAY
from ladder_graph.trust.findings import Findings
from ladder_graph.trust.fold import Digested, Drill, Fold
from ladder_graph.trust.gates import FRESH, REPORTS
from ladder_graph.trust.looks import Look
from ladder_graph.trust.reviewers import Probes

CELL = CellKey("ops", "send", "", "e1")
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


def findings(*deeds, now=NOW, rung="bounded", tool=(), trust=(), versions=None, **fold):
    """What these deeds, and whatever else is in the chain, come to."""
    rule = {"rung": rung, "mistake": "$4", "bounds": [{"kind": "volume", "limit": 50}], **dict(tool)}
    policy = policy_of({"agent": "ops", "tools": {"send": rule}, "trust": dict(trust)}, "here")
    made = Fold("ops", {f"a{n}": one for n, one in enumerate(deeds)}, **fold)
    return Findings(made, policy, now, versions=versions)


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
    found = findings(*map(wrong, range(20))).demotion(CELL)
    assert (found.rung, found.code) == (Rung.CONFIRM, "D4")
    assert found.reason.startswith("it errs far more often than the ")


@pytest.mark.parametrize(("mistakes", "spent"), [(1, False), (2, False), (3, True)])
def test_a_loss_budget_is_for_a_day_and_is_spent_when_it_is_passed(mistakes, spent):
    """What was lost before the day began isn't of it."""
    old = [wrong(n, at=NOW - DAY) for n in range(10, 11)]
    said = findings(*map(wrong, range(mistakes)), *old, trust={"loss_budget": "$8"})
    found = said._spent(CELL, said.units(CELL))
    assert found == ("it lost $12.00 in a day, of $8.00" if spent else None)
