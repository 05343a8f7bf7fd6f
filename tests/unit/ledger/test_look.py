"""What the gate looks up of a call: demotions, twins in doubt, late reports, and only in its own thread."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ladder_graph.facts import Seen
from ladder_graph.fingerprint import Environment
from ladder_graph.ledger.gate import acts
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import Claimed
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.demotion import Demotion
from tests.unit.ledger.desk import ANA, CALL, call, charge

MODEL = Environment("scripted", "m-1", "m-1-2026-01-01")
AGAIN = replace(CALL, id="call_7")


def demote(desk, to, agent="ops", tool="send_email"):
    """Put a tool on a lower rung."""
    desk.write(
        lambda journal, cursor: acts.demote(
            journal, cursor, CellKey(agent, tool, "*", "*"), Demotion(to, f"down to {to.word}")
        )
    )


def test_of_a_new_call_nothing_is_known(desk):
    """An empty ledger knows nothing, and the whole window is left."""
    assert desk.look(CALL, charge()) == Seen(left=((charge(), 3),))


def test_each_quota_is_looked_at(desk):
    """What is left is told for each charge, in their order."""
    desk.claim(CALL, charge(2))
    asked = (charge(1, 9, "other"), charge(), charge(1, 7, "third"))
    assert desk.look(AGAIN, *asked).left == tuple(zip(asked, (9, 1, 7), strict=True))


def test_a_claim_holds_where_all_is_as_it_was_seen(desk, other):
    """What others take from a quota meanwhile is no change; the claim holds its own part of it."""
    known = desk.look(CALL, charge())
    other.claim(call(7), charge())
    assert isinstance(desk.claim(CALL, charge(), seen=known), Claimed)


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda desk: demote(desk, Rung.CONFIRM),
        lambda desk: (desk.claim(AGAIN), desk.die()),
        lambda desk: desk.claim(),
        lambda desk: desk.write(lambda journal, cursor: acts.pin(journal, cursor, "ops", MODEL, ANA)),
    ],
    ids=["demoted", "a twin", "itself", "pinned"],
)
def test_a_claim_does_not_hold_where_something_has_changed(desk, other, meanwhile):
    """A demotion, the same call by somebody else, another pin: the route must be found anew, and nothing starts."""
    known = desk.look()
    meanwhile(other)
    before = desk.state(), desk.state(AGAIN)
    assert desk.claim(seen=known).code == "stale"
    assert (desk.state(), desk.state(AGAIN)) == before


def test_a_demotion_is_for_one_agent_and_one_tool(desk):
    """Others are not touched by it."""
    demote(desk, Rung.DRAFT)
    assert (desk.look().standing, desk.look().standing_reason) == (Rung.DRAFT, "down to draft")
    assert desk.look(call(tool="drop_table")).standing is None
    assert desk.look(call(agent="dev")).standing is None


def test_a_demotion_never_raises(desk):
    """The lowest one stands, and one that changes nothing is no entry."""
    for to in (Rung.CONFIRM, Rung.DRAFT, Rung.CONFIRM, Rung.DRAFT):
        demote(desk, to)
    assert desk.look().standing is Rung.DRAFT
    assert desk.kinds() == "demoted demoted"


@pytest.mark.parametrize("state", ["started", "undoing", "unknown"])
def test_a_twin_in_doubt_is_seen(desk, other, state):
    """The same tool and arguments under another id, started by a process that is gone, or in doubt."""
    desk.claim()
    if state != "started":
        desk.record(state)
    desk.die()
    seen = other.look(AGAIN)
    assert (seen.known, seen.twin.call, seen.twin.state) == (None, CALL, State(state))


@pytest.mark.parametrize("of", [replace(AGAIN, thread="t2"), call(7), CALL])
def test_other_calls_are_no_twins(desk, other, of):
    """Another thread, other arguments, and the call itself."""
    desk.claim()
    desk.record("unknown")
    assert other.look(of).twin is None


def test_a_live_twin_is_none(desk, other):
    """Two equal calls at the same time are two calls; nothing is in doubt."""
    desk.claim()
    assert other.look(AGAIN).twin is None
    assert desk.look(AGAIN).twin is None


@pytest.mark.parametrize("state", ["done", "failed"])
def test_what_has_ended_is_no_twin(desk, state):
    """The same call may be made again once the first one's outcome is known."""
    desk.claim()
    desk.record(state)
    assert desk.look(AGAIN).twin is None


def test_a_twin_is_seen_behind_many_equal_calls(desk):
    """However often the same was called since, what is in doubt stays in sight, and each call is found by its key."""
    desk.claim()
    desk.record("unknown")
    for number in range(30):
        desk.claim(replace(CALL, id=f"again_{number}"))
        desk.record("done", replace(CALL, id=f"again_{number}"))
    assert desk.look(AGAIN).twin.call == CALL
    assert desk.state() is State.UNKNOWN


def test_a_late_report_is_of_the_cells_that_acted_in_it(desk):
    """Another agent, another tool and another environment answer for their own."""
    desk.claim(call(0), reader=("bo", 60_000_000))
    assert desk.look().overdue == 0
    desk.later(seconds=60)
    assert desk.look().overdue == 1
    for other in ({"agent": "dev"}, {"tool": "read_mail"}, {"env": "e2"}):
        assert desk.look(call(**other)).overdue == 0


def test_however_many_are_late_it_is_one_look(desk):
    """The gate only asks whether there is one."""
    for number in range(105):
        desk.claim(call(number), reader=("bo", 1))
    desk.later(seconds=1)
    assert desk.look().overdue == 1


def test_erased_arguments_leave_the_call_its_name(desk):
    """After an erasure the call keeps key and digest, and can still be found."""
    desk.claim()
    desk.record("unknown")
    desk.write(lambda _, cursor: cursor.execute("DELETE FROM payload"))
    known = desk.look().known
    assert (known.call.arguments, known.call.key, known.call.digest) == ({}, CALL.key, CALL.digest)
    found = desk.read(lambda journal, cursor: acts.find_action(journal, cursor, CALL.short))
    assert found.call.key == CALL.key
