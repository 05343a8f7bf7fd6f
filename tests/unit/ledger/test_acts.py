"""What people write: verdicts on suggestions, read reports, ended doubts; each once, and signed."""

from __future__ import annotations

import pytest

from ladder_graph.errors import AnswerRefused, UnknownQuestion
from ladder_graph.ledger.gate import acts
from ladder_graph.states import State
from tests.unit.ledger.desk import ANA, CALL, call, charge


@pytest.fixture
def act(desk):
    """An act of Ana's."""

    def do(name, *args, **fields):
        return desk.write(lambda journal, cursor: getattr(acts, name)(journal, cursor, *args, **fields))

    return do


@pytest.mark.parametrize("verdict", ["adopted", "dismissed"])
def test_a_suggestion_is_judged_once(desk, act, verdict):
    """The verdict is signed and stays; a second one is refused."""
    desk.settle("suggested")
    act("judge_suggestion", CALL.short, verdict, ANA, "as you say")
    assert desk.rows("SELECT verdict, actor FROM action") == [(verdict, "ana")]
    assert desk.kinds() == f"suggested {verdict}"
    with pytest.raises(AnswerRefused, match="no suggestion that waits"):
        act("judge_suggestion", CALL.short, "adopted", ANA, "")


@pytest.mark.parametrize(("happened", "state", "quota"), [(True, State.DONE, (1, 0)), (False, State.FAILED, (0, 0))])
@pytest.mark.parametrize("found", ["unknown", "orphaned"])
def test_a_doubt_is_ended_by_a_person(desk, other, act, happened, state, quota, found):
    """What a person found out settles what was held, whether doubt was recorded or its owner simply died."""
    other.claim(CALL, charge())
    if found == "unknown":
        other.record("unknown")
    else:
        other.die()
    act("resolve", CALL.short, ANA, happened=happened, reason="I looked")
    assert (desk.state(), desk.quota()) == (state, quota)
    assert "ana found out about send_email" in desk.look().known.text
    assert desk.verify() == ()
    with pytest.raises(AnswerRefused, match="isn't in doubt"):
        act("resolve", CALL.short, ANA, happened=not happened, reason="")


def test_what_runs_is_not_in_doubt(desk, act):
    """Nobody ends what a live task is doing."""
    desk.claim()
    with pytest.raises(AnswerRefused, match="isn't in doubt: it is started"):
        act("resolve", CALL.short, ANA, happened=True, reason="")


@pytest.mark.parametrize("prefix", ["", "zz", "%", "_", "0' OR 1=1 --", CALL.key + "0"])
def test_no_such_action(desk, act, prefix):
    """What is no beginning of a key finds nothing, least of all everything."""
    desk.claim()
    with pytest.raises(UnknownQuestion, match="there is no action"):
        act("find_action", prefix)


def test_too_short_a_prefix_is_said(desk, act):
    """A prefix that several keys begin with is refused with their number."""
    many = [call(number) for number in range(40)]
    for one in many:
        desk.claim(one)
    shared = next(p for p in "0123456789abcdef" if sum(one.key.startswith(p) for one in many) > 1)
    with pytest.raises(UnknownQuestion, match=f"actions begin with '{shared}'; write more of the id"):
        act("find_action", shared)


def test_what_was_answered_and_used_is_said(desk, act):
    """A question whose approval ran can't be answered again, and isn't unknown either."""
    asked = desk.answer(desk.pose())
    desk.claim(question=asked)
    with pytest.raises(AnswerRefused, match="answered and used"):
        act("find_question", asked.id)
    with pytest.raises(UnknownQuestion, match="there is no question"):
        act("find_question", "f00")
