"""What bounds and quotas say of a call that goes by a part first, step by step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ladder_graph.flow import routed
from ladder_graph.policy import Rule
from ladder_graph.routing import Footing
from ladder_graph.scale import Rung
from ladder_graph.splitting import Divide, Split, child
from ladder_graph.states import State
from ladder_graph.steps import Look
from tests.unit.walking import CALL, CHECKS, gate, rule, seen

THERE = Footing(True, True, "ana", canary=True)
BOTH = Split(child(CALL, "part", {"to": "bo@example.com"}), child(CALL, "rest", {"to": "cy@example.com"}))


def route_of(found, looked, rung="rollback", footing=THERE, **fields):
    """The route and the plan of a call that is split so; the steps on the way are `Divide` and `Look`."""
    life = routed(CALL, gate(rung, footing=footing, **fields))
    assert next(life) == Divide(CALL)
    assert isinstance(life.send(found), Look)
    with pytest.raises(StopIteration) as end:
        life.send(looked)
    return end.value.value[:2]


def test_a_call_that_is_inside_with_both_goes_where_it_stands():
    """The plan holds what runs in its place, and one charge for the whole."""
    route, plan = route_of(BOTH, replace(seen("asked"), known=None), bounds=[{"kind": "volume", "limit": 3}])
    assert (route.rung, plan.split, len(plan.charges)) == (Rung.ROLLBACK, BOTH, 1)


@pytest.mark.parametrize("role", ["part", "rest"])
def test_one_that_is_outside_with_one_of_them_asks(role):
    """Splitting is no way past a bound."""
    strange = replace(BOTH, **{role: child(CALL, role, {"to": "eve@elsewhere.test"})})
    route, _ = route_of(strange, replace(seen("asked"), known=None))
    assert route.rung is Rung.CONFIRM
    assert route.reasons[0].text.startswith(f"of its {role} alone: ")


def test_what_was_claimed_is_not_split_anew():
    """A call goes on as it was claimed, whole or split, whatever its tool's author says by now."""
    assert route_of(BOTH, seen(State.STARTED))[1].split is None
    other = replace(BOTH, rest=child(CALL, "rest", {"to": "di@example.com"}))
    assert route_of(BOTH, seen(State.PAUSED, parted=True, split=other))[1].split == other


def test_one_that_cannot_be_split_asks_and_stays_lower_where_it_is():
    """It fails closed, and never raises a rung."""
    route, plan = route_of("KeyError: 'x'", replace(seen("asked"), known=None))
    assert (route.rung, route.reasons[0].code, plan.split) == (Rung.CONFIRM, "canary_not_ready", None)
    route, _ = route_of("KeyError: 'x'", replace(seen("asked"), known=None), rung="draft", checks=CHECKS)
    assert route.rung is Rung.DRAFT


def test_nobody_splits_where_no_undo_acts():
    """Without a check that would call for an undo, or without an undo, the call runs whole."""
    for footing, checks in ((THERE, []), (replace(THERE, reversible=False), CHECKS)):
        life = routed(CALL, gate("bounded", footing=footing, checks=checks))
        assert isinstance(next(life), Look)


PROBLEMS = {
    "watch.canary: who watches a part watches the whole as well": ({"canary": "5s"}, {}),
    "a part that goes first is watched for 5s": ({"canary": "5s", "window": "10m"}, {"delay": "5s"}),
}


@pytest.mark.parametrize("said", PROBLEMS)
def test_a_watch_that_could_never_vouch_for_a_part_is_not_loaded(said):
    """A part that nobody measures in time would undo every call."""
    watch, more = PROBLEMS[said]
    with pytest.raises(ValueError, match=said):
        Rule.model_validate({"rung": "bounded", "checks": [{**CHECKS[0], **more}], "watch": watch}, strict=False)


def test_a_part_is_measured_before_the_reply_or_in_its_watch():
    """A check that is a dry run, or is only taken later, says nothing about it."""
    assert rule("rollback").measures_a_part
    later, window = [{**CHECKS[0], "count": 0}], {"window": "10m"}
    assert not rule("rollback", checks=later, watch=window).measures_a_part
    assert rule("rollback", checks=later, watch={**window, "canary": "5s"}).measures_a_part
