"""What a tool has lost in a day, held against its loss budget."""

from __future__ import annotations

import pytest

from ladder_graph.scale import Rung
from ladder_graph.trust.deeds import Deed, Incident, Severity
from ladder_graph.trust.evidence import DAY
from ladder_graph.trust.held import Held
from ladder_graph.trust.looks import Look
from tests.unit.trust.test_findings import CELL, NOW, deed, findings, wrong


def spent(*deeds, cell=CELL, **given):
    """What is said of its loss budget of eight dollars, each mistake being four."""
    return findings(*deeds, trust={"loss_budget": "$8"}, **given)._spent(cell)


def told(n, at, known, severity=Severity.REAL, **fields):
    """A run with a mistake that was reported later."""
    said = {"incidents": {"wrong": Incident(known, severity, first_us=known)}, "thread": f"t{n}", **fields}
    return deed("", Rung.BOUNDED, at=at, **said)


@pytest.mark.parametrize(("mistakes", "said"), [(1, False), (2, False), (3, True)])
def test_a_loss_budget_is_for_a_day_and_is_spent_when_it_is_passed(mistakes, said):
    """What was lost before the day began isn't of it."""
    found = spent(*map(wrong, range(mistakes)), wrong(10, at=NOW - DAY - 1))
    assert found == ("it lost $12.00 in a day, of $8.00" if said else None)


def test_each_call_is_a_loss_of_its_own():
    """Those of one thread, which are one run, and a call that was put back after it was reported, no more than once."""
    at = NOW - DAY // 2
    calls = [told(n, at, at + 1, thread="t") for n in range(2)]
    assert spent(*calls, told(2, at, at + 1, Severity.MINOR)) == "it lost $8.40 in a day, of $8.00"
    back = told(2, at, at + 1, ends={"done": at, "undo_failed": at + 2})
    assert spent(calls[0], back) is None
    assert spent(*calls, back) == "it lost $12.00 in a day, of $8.00"


@pytest.mark.parametrize("mistakes", range(1, 10))
def test_a_budget_that_is_just_met_isnt_passed(mistakes):
    """Though tenths of a mistake have no exact sum."""
    minor = [told(n, NOW - 2, NOW - 1, Severity.MINOR) for n in range(mistakes)]

    def said(cents):
        return findings(*minor, trust={"loss_budget": f"${cents / 100:.2f}"})._spent(CELL)

    assert said(40 * mistakes) is None
    assert said(40 * mistakes - 1) is not None


@pytest.mark.parametrize(
    ("fields", "lost"),
    [
        ({"ends": {"done": NOW - 2, "undone": NOW - 1}}, "$8.40"),
        ({"ends": {"done": NOW - 2, "undo_conflict": NOW - 1}}, "$12.00"),
        ({"ends": {"unknown": NOW - 2}, "incidents": {"wrong": Incident(NOW, Severity.REAL)}}, "$12.00"),
        ({"incidents": {"wrong": Incident(NOW, Severity.REAL, reversed=True)}}, None),
        ({"ends": {}, "judged": {"declined": Look(NOW - 1, "ana")}}, None),
        ({"ends": {}, "judged": {"edited": Look(NOW - 1, "ana")}}, None),
        ({"by_person": True, "incidents": {"wrong": Incident(NOW, Severity.REAL)}}, None),
        ({"cell": CELL._replace(scope="s2"), "incidents": {"wrong": Incident(NOW, Severity.REAL)}}, "$12.00"),
        ({"cell": CELL._replace(env="e0"), "incidents": {"wrong": Incident(NOW, Severity.REAL)}}, "$12.00"),
        ({"cell": CELL._replace(tool="other"), "incidents": {"wrong": Incident(NOW, Severity.REAL)}}, None),
    ],
)  # fmt: skip
def test_a_loss_is_what_came_of_a_call_that_ran_wherever_the_tool_did_it(fields, lost):
    """What a person said no to, or put other arguments in, cost nothing; what a person made of it isn't its own."""
    found = spent(*map(wrong, range(2)), deed("", Rung.BOUNDED, at=NOW - 2, thread="t", **fields))
    assert found == (lost and f"it lost {lost} in a day, of $8.00")


@pytest.mark.parametrize(
    ("known", "lost"), [([0, 0, 0], "$12.00"), ([0, 1, 2], "$12.00"), ([1, 1, 1], None)],
    ids=["at once", "bit by bit", "long known"],
)  # fmt: skip
def test_a_loss_counts_when_it_comes_out_whenever_it_was(known, lost):
    """Together with what was lost on the same day and had come out before; old ones of which all is known don't."""
    at = NOW - 40 * DAY
    made = [told(n, at + n, NOW - days * DAY) for n, days in enumerate(known)]
    assert spent(*made) == (lost and f"it lost {lost} in a day, of $8.00")
    assert spent(*(told(n, at - n * DAY, NOW - n * DAY) for n in range(3))) is None


def test_what_it_was_put_down_for_isnt_lost_again():
    """By when it came out, not by when it was done."""
    wiped = {CELL: Held(wiped_us=NOW - 10)}
    assert spent(*(told(n, NOW - 20, NOW - 10) for n in range(3)), standings=wiped) is None
    assert spent(*(told(n, NOW - 20, NOW - 9) for n in range(3)), standings=wiped) is not None


def test_a_budget_that_is_spent_puts_it_down():
    """Though it errs no more often than it may."""
    many = [deed("", Rung.BOUNDED, at=NOW - DAY // 2 - n, thread=f"g{n}") for n in range(9)]
    found = findings(*many, *map(wrong, range(2)), trust={"loss_budget": "$1", "minutes": {"confirm": 30}}).demotion(
        CELL
    )
    assert (found.rung, found.code, found.reason) == (Rung.CONFIRM, "D4", "it lost $8.00 in a day, of $1.00")


def test_what_a_tool_lost_is_summed_up_once_for_all_of_its_scopes(monkeypatch):
    """It may have thousands; what each deed came to is read once, whatever any of them was put down for."""
    read, faults = [], Deed.faults
    monkeypatch.setattr(Deed, "faults", property(lambda one: read.append(one) or faults.fget(one)))
    scopes = [CELL._replace(scope=f"s{n}") for n in range(20)]
    made = [told(n, NOW - 20, NOW - 10, cell=cell) for n, cell in enumerate(scopes)]
    wiped = {cell: Held(wiped_us=NOW - n) for n, cell in enumerate(scopes[:15])}
    found = findings(*made, trust={"loss_budget": "$8"}, standings=wiped)
    said = [found._spent(cell) for cell in scopes]
    assert said == [None] * 11 + ["it lost $80.00 in a day, of $8.00"] * 9
    assert len(read) == len(made)
    assert len(found._losses) == 16
