"""What sends a tool down, how far, and for how long."""

from __future__ import annotations

import pytest

from ladder_graph.calls import Call
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.trust.deeds import Severity
from ladder_graph.trust.demotion import (
    Demotion,
    after_alarm,
    after_incident,
    after_overrun,
    after_silence,
    after_stamping,
    after_undo,
    repeated,
)

CALL = Call("ops", "t1", "call_1", "send_email", {"to": "ana@example.com"})


@pytest.mark.parametrize("state", State)
def test_only_an_undo_that_left_a_mess_demotes(state):
    """A conflict and a failure do; being undone, or anything else, does not."""
    down = after_undo(CALL, state)
    assert (down is not None) == (state in {State.UNDO_CONFLICT, State.UNDO_FAILED})
    assert down is None or (down.rung is Rung.CONFIRM and state in down.reason)


def test_an_overrun_names_both_sums():
    """The reason says what it cost and what was held."""
    down = after_overrun(CALL, 30_000, 20_000)
    assert (down.rung, down.reason) == (
        Rung.CONFIRM, f"action {CALL.short} cost $0.03, and $0.02 was held for it",
    )  # fmt: skip


SURE, SURPRISE = True, False


@pytest.mark.parametrize(
    ("severity", "anticipated", "rungs"),
    [
        (Severity.COSMETIC, SURE, "012345"),
        (Severity.MINOR, SURE, "012345"),
        (Severity.REAL, SURE, "012234"),
        (Severity.SEVERE, SURE, "012222"),
        (Severity.BREACH, SURE, "011111"),
        (Severity.COSMETIC, SURPRISE, "012345"),
        (Severity.MINOR, SURPRISE, "011122"),
        (Severity.REAL, SURPRISE, "011122"),
        (Severity.SEVERE, SURPRISE, "011111"),
        (Severity.BREACH, SURPRISE, "011111"),
    ],
)
def test_a_report_demotes_by_how_bad_it_was_and_whether_it_was_expected(severity, anticipated, rungs):
    """D0, D1 and D2, from each rung: one lower, confirm, two lower but not below draft. None ever raises."""
    found = [after_incident(rung, severity, "it hurt", anticipated=anticipated) for rung in Rung]
    left = [rung if down is None else down.rung for rung, down in zip(Rung, found, strict=True)]
    assert left == [Rung(int(rung)) for rung in rungs]


@pytest.mark.parametrize(
    ("severity", "anticipated", "told"),
    [
        (Severity.MINOR, SURE, None),
        (Severity.REAL, SURE, ("D1", "keep", 14, False)),
        (Severity.SEVERE, SURE, ("D1", "keep", 28, False)),
        (Severity.BREACH, SURE, ("D2", "wipe", 28, True)),
        (Severity.MINOR, SURPRISE, ("D2", "wipe", 28, True)),
        (Severity.COSMETIC, SURPRISE, None),
    ],
)
def test_each_rule_says_what_becomes_of_the_evidence(severity, anticipated, told):
    """What was expected is in the evidence already; what nobody anticipated wipes it, in all scopes of the tool."""
    down = after_incident(Rung.REPORT, severity, "it hurt", anticipated=anticipated)
    assert (None if down is None else (down.code, down.evidence, down.cooldown, down.wide)) == told


def test_an_alarm_wipes_and_rubber_stamps_only_weigh_less():
    """D4 and D5 are one rung, and neither goes below confirm."""
    alarm, stamps = after_alarm(Rung.REPORT, "too often"), after_stamping(Rung.REPORT, "nobody looked")
    assert (alarm.rung, alarm.code, alarm.evidence, alarm.cooldown) == (Rung.ROLLBACK, "D4", "wipe", 14)
    assert (stamps.rung, stamps.code, stamps.evidence, stamps.cooldown) == (Rung.ROLLBACK, "D5", "keep", 0)
    assert after_alarm(Rung.CONFIRM, "").rung is after_stamping(Rung.CONFIRM, "").rung is Rung.CONFIRM


@pytest.mark.parametrize(
    ("days", "lowered", "rung"),
    [(29.9, False, 5), (30, False, 4), (89, False, 4), (90, False, 2), (31, True, 5), (89, True, 5), (90, True, 2)],
)
def test_a_silent_cell_goes_down_once_and_after_ninety_days_to_confirm(days, lowered, rung):
    """Not one rung more with each look."""
    down = after_silence(Rung.REPORT, days, lowered=lowered)
    assert (Rung.REPORT if down is None else down.rung) == rung
    assert down is None or (down.code, down.evidence, down.cooldown) == ("D6", "half", 7)
    assert after_silence(Rung.CONFIRM, days, lowered=lowered) is None
    assert after_silence(Rung.REPORT, float("nan")) is None


def test_each_demotion_within_ninety_days_doubles_the_wait():
    """14, 28, 56, 112, and no longer."""
    once = Demotion(Rung.CONFIRM, "again", cooldown=14)
    assert [repeated(once, earlier).cooldown for earlier in range(6)] == [14, 28, 56, 112, 112, 112]
    assert repeated(Demotion(Rung.CONFIRM, "by hand"), 5).cooldown == 0


@pytest.mark.parametrize(("rung", "left"), [(5, 2), (4, 2), (3, 1), (2, 1), (1, 1), (0, 0)])
def test_what_nobody_anticipated_is_two_lower_than_where_it_happened(rung, left):
    """An undo that left a mess, and a cost above what was held."""
    undo, over = after_undo(CALL, State.UNDO_FAILED, Rung(rung)), after_overrun(CALL, 2, 1, Rung(rung))
    assert (undo.rung, over.rung) == (Rung(left), Rung(left))
    assert (undo.code, over.code) == ("D2", "D2")
