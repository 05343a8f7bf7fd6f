"""The states of a call: the table is whole, and what it must never allow isn't in it."""

from __future__ import annotations

import re

import pytest

from ladder_graph.states import STEPS, State, may_follow, mermaid

BEFORE_IT_RAN = {State.PROPOSED, State.SUGGESTED, State.DRAFTED, State.ASKED, State.APPROVED}
PUT_AWAY = {State.REFUSED, State.DECLINED, State.EDITED, State.RESPONDED, State.SUPERSEDED, State.EXPIRED}
ENDS = {*PUT_AWAY, State.FAILED, State.UNDONE}


def reachable(start):
    """Every state that can follow, in any number of steps."""
    seen, todo = set(), [start]
    while todo:
        for after in STEPS[todo.pop()] - seen:
            seen.add(after)
            todo.append(after)
    return seen


def test_every_state_is_in_the_table():
    """The table says of each state what may follow it."""
    assert set(STEPS) == set(State)


def test_every_state_can_be_reached():
    """No state is there for nothing: a proposed call may come to each."""
    assert reachable(State.PROPOSED) == set(State) - {State.PROPOSED}


def test_nothing_comes_back_to_proposed():
    """What the ledger knows is never new again."""
    assert all(State.PROPOSED not in following for following in STEPS.values())


@pytest.mark.parametrize("state", sorted(ENDS))
def test_an_end_is_an_end(state):
    """A call that was put away, failed or was undone stays so; a new wish is a new call."""
    assert STEPS[state] == frozenset()


@pytest.mark.parametrize("state", sorted(set(State) - ENDS))
def test_nothing_hangs(state):
    """From every other state the call can come to an end."""
    assert reachable(state) & ENDS


@pytest.mark.parametrize("state", sorted({State.SUGGESTED, State.DRAFTED, State.ASKED}))
def test_what_waits_for_a_person_does_not_start_by_itself(state):
    """From a suggestion, a draft and a question the only way to the effect leads over an approval."""
    assert State.STARTED not in STEPS[state]
    assert State.APPROVED in STEPS[state]


def test_a_call_in_doubt_does_not_run_again():
    """Nobody knows whether the effect took place, so nothing leads from there to a second one but a known outcome."""
    assert not STEPS[State.UNKNOWN] & {State.STARTED, State.APPROVED, State.PAUSED}


def test_an_effect_is_not_forgotten():
    """Once started, a call never goes back to a state that says nothing ran."""
    assert not reachable(State.STARTED) & (BEFORE_IT_RAN | PUT_AWAY)


@pytest.mark.parametrize("state", sorted({State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED}))
def test_an_undone_effect_does_not_happen_again(state):
    """No undo, however it ended, leads back to a start."""
    assert State.STARTED not in reachable(state) | {state}


def test_only_an_undo_ends_in_undone():
    """`undone` and its failures come after `undoing`, or after a person looked at a failed one."""
    sources = {before for before in State if STEPS[before] & {State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED}}
    assert sources == {State.UNDOING, State.UNDO_CONFLICT, State.UNDO_FAILED}


def test_may_follow_reads_the_table():
    """One step is answered from the table."""
    assert may_follow(State.ASKED, State.APPROVED)
    assert not may_follow(State.ASKED, State.STARTED)


def test_the_diagram_is_the_table():
    """The diagram has an arrow for each step, one for the beginning, one for each end, and no other."""
    arrows = re.findall(r"^    (\S+) --> (\S+)$", mermaid(), re.MULTILINE)
    steps = {(str(before), str(after)) for before, following in STEPS.items() for after in following}
    ends = {(str(state), "[*]") for state, following in STEPS.items() if not following}
    assert len(arrows) == len(set(arrows))
    assert set(arrows) == steps | ends | {("[*]", "proposed")}


def test_the_diagram_does_not_change_by_itself():
    """Two drawings are the same, so that a stale one in the docs can be found."""
    assert mermaid() == mermaid()
    assert mermaid().startswith("stateDiagram-v2\n    [*] --> proposed\n    proposed --> refused\n")
