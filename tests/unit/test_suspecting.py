"""Silent changes, through the real ladder: a mix that shifts, prompts that are answered otherwise, and both."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import replace

import pytest
from langchain_core.messages import AIMessage

from ladder_graph.calls import Call
from ladder_graph.facts import Outcome, Route
from ladder_graph.ledger import Journal
from ladder_graph.ledger.actions.questions import Terms
from ladder_graph.ledger.gate import acts
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import Claim, Record
from ladder_graph.trust.suspicion import LEARNT, sampled
from tests.unit.world import World

PROMPTS = {f"p{n}": f"Order o{n} is late." for n in range(30)}


class Model:
    """Answers each prompt with a refund of so much."""

    def __init__(self, amount=5, other=0):
        self.amount, self.other, self.asked = amount, other, 0

    def invoke(self, prompt):
        """The first few prompts are answered otherwise."""
        self.asked += 1
        amount = 500 if self.asked <= self.other else self.amount
        return AIMessage("", tool_calls=[{"name": "refund", "args": {"amount": amount}, "id": str(self.asked)}])


@pytest.fixture
def world():
    """A world whose tool runs by itself."""
    with contextlib.closing(World(start="bounded")) as world:
        world.call()
        yield world


def calls(world, **counts):
    """Calls of tools that ran, written down in one go, within a day."""
    ladder = world.ladder
    journal = Journal(ladder.store.owner, ladder.policy.revision, ladder.clock())

    def work(cursor):
        for tool, count in counts.items():
            for n in range(count):
                world.n += 1
                call = Call("ops", f"m{world.n}", f"m{world.n}", tool, {"n": n}, world.env.key(tool))
                claimed = journal.claim(cursor, Claim(call, Route(Rung.BOUNDED)), Terms(ladder.policy.rule(tool)), None)
                journal.record(cursor, Record(call, claimed.fence, State.DONE, Outcome("done")), None)

    ladder.store.write(work)
    world.clock.advance(dt.timedelta(days=1))


def asks(world, count=60):
    """How many of so many calls ask."""
    before = len(world.desk.ran)
    for _ in range(count):
        world.call()
    return count - (len(world.desk.ran) - before)


def held(world, tool="refund"):
    """What the tool holds in all its cells."""
    return next(
        held for cell, held in world.ladder.reading.standings("ops").items() if (cell.tool, cell.env) == (tool, "*")
    )


def test_a_mix_that_stays_suspects_nobody(world):
    """Six hundred calls in the same shares."""
    calls(world, refund=400, look=100)
    calls(world, refund=80, look=20)
    assert world.ladder.sweep() == []
    assert world.ladder.reading.standings("ops") == {}


def test_a_mix_that_shifts_lets_one_of_five_calls_ask_for_a_week(world):
    """The same ones in every process; afterwards none does."""
    calls(world, refund=400, look=100)
    calls(world, refund=20, look=80)
    world.ladder.sweep()
    asked = asks(world)
    assert 4 <= asked <= 24
    assert asked == sum(sampled(question.call.key) for question in world.ladder.pending())
    assert "one of five calls asks" in world.ladder.pending()[0].reasons
    world.clock.advance(dt.timedelta(days=8))
    assert asks(world, 40) == 0
    assert world.ladder.recompute() == []


def answers(world):
    """People let all run that waits."""
    for question in world.ladder.pending():
        world.ladder.approve(question.id, by="ana")


def weeks(world, count, *, looked):
    """So many weeks of the same mix, of which people look at some or at none; for how many days the last is sampled."""
    for _ in range(count):
        calls(world, refund=40, look=400)
        world.clock.advance(dt.timedelta(days=7))
        world.ladder.sweep()
        world.clock.advance(1)
        asks(world)
        if looked:
            answers(world)
    return round((held(world).sampled_us / 1e6 - world.clock().timestamp()) / 86400)


def test_a_mix_that_shifted_for_good_is_usual_once_people_have_looked(world):
    """A week later nothing asks any more. Where nobody looks, or a mistake comes out, it goes on."""
    calls(world, refund=400, look=100)
    assert weeks(world, 1, looked=False) == 7
    assert weeks(world, 2, looked=False) == 7
    assert weeks(world, 1, looked=True) == 7
    wrong = world.call()
    assert weeks(world, 1, looked=True) <= 0
    world.clock.advance(dt.timedelta(days=1))
    assert asks(world, 40) == 0
    assert world.ladder.recompute() == []
    world.ladder.incident(wrong.key, "S1", by="ana", kind="wrong_order")
    world.ladder.sweep()
    assert held(world).sampled_us > 1e6 * world.clock().timestamp(), "what is found later counts"


@pytest.mark.parametrize(("every", "goes_on"), [(1, True), (3, True), (0, False)])
def test_a_week_in_which_people_said_no_went_badly(world, every, goes_on):
    """To some or to all that asked, though what they put it down for comes after the week."""
    calls(world, refund=400, look=100)
    weeks(world, 1, looked=False)
    for n, question in enumerate(world.ladder.pending(), 1):
        if every and n % every == 0:
            world.ladder.decline(question.id, by="ana", reason="the other order")
        else:
            world.ladder.approve(question.id, by="ana")
    assert (weeks(world, 1, looked=False) == 7) == goes_on


def test_prompts_that_are_answered_otherwise_are_noticed(world):
    """After ten replays that teach what is usual."""
    for _ in range(LEARNT):
        assert not world.ladder.replay(Model(), PROMPTS, by="ana")
    assert not world.ladder.replay(Model(other=1), PROMPTS, by="ana")
    assert world.ladder.replay(Model(other=15), PROMPTS, by="ana")
    world.ladder.sweep()
    assert held(world).sampled_us > 0


def test_what_may_have_changed_forgets_no_replays(world):
    """Only a change that is known begins anew."""
    for _ in range(LEARNT):
        world.ladder.replay(Model(), PROMPTS, by="ana")
    world.call(env=replace(world.env, parameters=None))
    assert world.ladder.replay(Model(other=15), PROMPTS, by="ana")
    world.call(env=replace(world.env, prompt="p2"))
    assert not world.ladder.replay(Model(other=15), PROMPTS, by="ana")


def changes(world, amount, **counts):
    """It calls other tools, and answers fixed prompts otherwise."""
    calls(world, **counts)
    world.ladder.replay(Model(amount=amount), PROMPTS, by="ana")


def learns(world, amount=5, **counts):
    """So many calls and replays as teach what is usual."""
    calls(world, **counts)
    for _ in range(LEARNT):
        world.ladder.replay(Model(amount=amount), PROMPTS, by="ana")


def test_both_together_put_all_tools_down(world):
    """As if the model had changed its name."""
    learns(world, refund=400, look=100)
    changes(world, 500, refund=20, look=80)
    done = {cell.tool: down for cell, down in world.ladder.sweep()}
    assert {tool: (down.code, down.rung) for tool, down in done.items()} == {
        "refund": ("D3", Rung.CONFIRM), "look": ("D3", Rung.CONFIRM),
    }  # fmt: skip
    assert asks(world, 5) == 5
    assert world.ladder.sweep() == [], "twice changes nothing"
    assert world.ladder.recompute() == []


def test_what_has_changed_may_change_again(world):
    """By then it is what it had become: that is learnt anew, and is no change; the next one is."""
    learns(world, refund=400, look=100)
    changes(world, 500, refund=20, look=80)
    assert len(world.ladder.sweep()) == 2
    world.clock.advance(1)
    learns(world, 500, refund=100, look=400)
    changes(world, 500, refund=20, look=80)
    assert world.ladder.sweep() == []
    assert held(world).sampled_us == 0
    changes(world, 7, refund=80, look=20)
    assert {cell.tool: down.code for cell, down in world.ladder.sweep()} == {"refund": "D3", "look": "D3"}
    assert len(held(world).demotions) == 2
    assert world.ladder.sweep() == []
    assert world.ladder.recompute() == []


def test_all_tools_go_down_or_none(world, monkeypatch):
    """A crash between two of them leaves nothing behind, so that the next sweep does it all."""
    learns(world, refund=400, look=100)
    changes(world, 500, refund=20, look=80)
    demote, begun = acts.demote, []

    def crashes(journal, cursor, cell, down):
        begun.append(cell)
        if len(begun) == 2:
            raise RuntimeError("the machine is off")
        return demote(journal, cursor, cell, down)

    with monkeypatch.context() as patch:
        patch.setattr(acts, "demote", crashes)
        with pytest.raises(RuntimeError):
            world.ladder.sweep()
    assert len(world.ladder.sweep()) == 2


def test_what_another_process_put_down_meanwhile_isnt_put_down_again(world):
    """A second time would make the wait longer."""
    learns(world, refund=400, look=100)
    changes(world, 500, refund=20, look=80)
    stale = world.ladder.findings()
    assert len(world.ladder.sweep()) == 2
    assert world.ladder._swept(stale) == []
    assert len(held(world).demotions) == 1
