"""Rungs 0 and 1: nothing runs; a suggestion or a draft is left for a person."""

from __future__ import annotations

from ladder_graph.rungs.draft import draft, take_up
from ladder_graph.rungs.suggest import suggest
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import NotClaimed
from tests.unit.walking import ANA, CALL, CLAIMED, DONE, names, plan, route, walk


def test_a_suggestion_is_only_written_down():
    """Rung 0 writes the suggestion down, with the reason, and tells the model that it didn't run."""
    steps, reply = walk(suggest(CALL, route(Rung.SUGGEST, "nobody named it"), plan()), None)
    assert names(steps) == "Settle"
    assert steps[0].state is reply.state is State.SUGGESTED
    assert steps[0].text == reply.text
    assert "SUGGESTED, NOT RUN" in reply.text
    assert "nobody named it" in reply.text
    assert not reply.error


def test_a_draft_is_made_and_left():
    """Rung 1 makes the artifact, leaves it in the workspace, and runs nothing."""
    steps, reply = walk(draft(CALL, route(Rung.DRAFT), plan()), ("To: ana", ".eml"), None)
    assert names(steps) == "Compose Settle"
    assert (steps[1].state, steps[1].draft) == (State.DRAFTED, ("To: ana", ".eml"))
    assert reply.state is State.DRAFTED


def test_an_accepted_draft_is_the_persons_act():
    """What a person accepted runs once, in their name, and takes nothing from the agent's quotas."""
    steps, reply = walk(take_up(CALL, route(Rung.DRAFT), plan(), ANA), CLAIMED, DONE, True)
    assert names(steps) == "Claim Execute Record"
    assert (steps[0].actor, steps[0].charges, reply.state) == (ANA, (), State.DONE)


def test_an_accepted_draft_runs_once():
    """Who comes second runs nothing."""
    steps, reply = walk(take_up(CALL, route(Rung.DRAFT), plan(), ANA), NotClaimed("state", "it ran."))
    assert names(steps) == "Claim"
    assert reply.state is State.REFUSED
