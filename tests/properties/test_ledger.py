"""Ledger and flow against a plain model: random calls, outcomes, faults at any statement, crashes and restarts."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ladder_graph.calls import Call
from ladder_graph.errors import AnswerRefused
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.ladder import Ladder
from ladder_graph.policy import Policy
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.testing import FrozenClock
from ladder_graph.tools import NOTHING
from ladder_graph.turns import awaiting
from tests.postgres import drop, new_ledger
from tests.properties.world import Asked, Host, Killed, World, killed_at, overtaken_by

LIMIT = 3
HOUR = 3600
KINDS = ("probed", "idempotent", "plain", "asked", "twice", "undoable", "read")
TOOLS = dict.fromkeys(KINDS, "s")
MODEL = Environment("openai", "gpt-5", "gpt-5", "none", "{}", toolset_component(TOOLS), TOOLS)
VOLUME = {"kind": "volume", "limit": LIMIT}
RULES = {
    "probed": {"rung": "bounded", "bounds": [VOLUME]},
    "idempotent": {"rung": "bounded", "bounds": [VOLUME]},
    "plain": {"rung": "bounded", "bounds": [VOLUME]},
    "asked": {"rung": "confirm", "confirm": {"expires": float(HOUR)}},
    "twice": {"rung": "confirm", "confirm": {"expires": float(HOUR), "quorum": 2}},
    "undoable": {
        "rung": "rollback",
        "bounds": [VOLUME],
        "checks": [{"kind": "python", "function": "tests.properties.test_ledger:healthy"}],
    },
    "read": {"rung": "bounded", "bounds": [VOLUME], "read_only": True},
}
VERDICTS = st.sampled_from(["approve", "approve", "approve", "edit", "edit", "respond", "decline"])
PEOPLE = st.sampled_from(["ana", "bo"])
HELD = {State.STARTED, State.PAUSED, State.UNKNOWN, State.UNDOING}
USED = {State.DONE, State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED}

CALLS = st.builds(
    lambda kind, number: Call("ops", "t1", f"call_{number}", kind, {"n": number % 2}),
    st.sampled_from(KINDS), st.integers(0, 7),
)  # fmt: skip
OUTCOMES = st.sampled_from(["done", "done", "failed", "unknown before", "unknown after"])
WHO = st.integers(0, 1)
FAULTS = st.none() | st.tuples(st.just("step"), st.integers(0, 9)) | st.tuples(st.just("statement"), st.integers(0, 40))
health = [True]


def healthy(_):
    """The health check."""
    return health[0]


class LedgerMachine(RuleBasedStateMachine):
    """One agent, one thread, six tools, two processes, and a world that remembers."""

    @initialize()
    def begin(self):
        """A new ledger, and two processes at it."""
        logging.disable(logging.WARNING)
        health[0] = True
        self.folder = Path(tempfile.mkdtemp(prefix="ladder-"))
        self.source = self.place()
        self.clock, self.world, self.last, self.impact = FrozenClock(), World(), None, "low"
        self.patience, awaiting.PATIENCE = awaiting.PATIENCE, 0.0
        self.processes = [self.process(), self.process()]

    def place(self):
        """Where the ledger is."""
        return self.folder / "ladder.db"

    @property
    def ladder(self):
        """The first process, which looks and answers."""
        return self.processes[0]

    def process(self):
        """A process that has mounted all tools, under the policy of now."""
        rules = {**RULES, "asked": {**RULES["asked"], "impact": self.impact}}
        # A watcher in this process would work beside the machine, which tells each step by itself.
        policy = Policy.from_rungs("ops", rules).model_copy(update={"watcher": "process"})
        ladder = Ladder(policy=policy, ledger=self.source, clock=self.clock)
        declared = self.world.declarations()
        for kind in KINDS:
            ladder.seat(kind, declared.get(kind, NOTHING), agent="ops", can_ask=True)
        return ladder

    @rule(who=WHO)
    def restart(self, who):
        """A process ends without tidying up, and another one begins, while the other one goes on."""
        self.processes[who].store.owner.abandon()
        self.processes[who].close()
        self.processes[who] = self.process()

    @rule(impact=st.sampled_from(["low", "high"]))
    def edit(self, impact):
        """Somebody edits the rule of the tool that asks, and both processes are started anew."""
        self.impact = impact
        for who in range(len(self.processes)):
            self.restart(who)

    @rule(call=CALLS, outcome=OUTCOMES, fault=FAULTS, who=WHO)
    def run(self, call, outcome, fault, who):
        """Take a call through its life, or die on the way."""
        self.last = call
        before = self.states().get(call.key)
        state = self.outcome_of(self.processes[who], call, outcome, fault)
        if state is None:
            self.restart(who)
        elif before in {State.DONE, State.FAILED, State.UNKNOWN, State.UNDONE} and call.tool != "read":
            assert self.states()[call.key] is before

    @precondition(lambda self: self.last is not None)
    @rule(outcome=OUTCOMES, fault=FAULTS, who=WHO)
    def run_the_last_one_again(self, outcome, fault, who):
        """A thread is resumed, as after a crash or an answer."""
        self.run(self.last, outcome, fault, who)

    @precondition(lambda self: self.last is not None)
    @rule(outcome=OUTCOMES, number=st.integers(8, 9), who=WHO)
    def run_the_last_one_under_another_id(self, outcome, number, who):
        """A graph plans anew, and proposes the same call with a new id."""
        self.run(replace(self.last, id=f"call_{number}"), outcome, None, who)

    @rule(call=CALLS, outcome=OUTCOMES, other=OUTCOMES)
    def race(self, call, outcome, other):
        """Two workers resume the same call at the same moment."""
        self.last = call
        with overtaken_by(lambda: self.outcome_of(self.processes[1], call, other)):
            self.outcome_of(self.processes[0], call, outcome)

    @rule(call=CALLS, outcome=OUTCOMES, other=OUTCOMES)
    def meanwhile(self, call, outcome, other):
        """While one process is in the middle of an effect, another wants the same: it is told that it runs there."""
        self.last = call
        came = []

        def want_it_too():
            if not came:
                came.append(None)
                came.append(self.outcome_of(self.processes[1], call, other))

        self.outcome_of(self.processes[0], call, outcome, meanwhile=want_it_too)
        assert call.tool == "read" or came in ([], [None, State.REFUSED])

    def outcome_of(self, ladder, call, outcome, fault=None, meanwhile=lambda: None):
        """The state that a run came to; None where the process was killed."""
        host = Host(self.world, outcome, self.spend, meanwhile)
        try:
            with killed_at(fault):
                reply = ladder.run(call, MODEL, host)
        except Killed:
            return None
        except Asked:
            assert self.came_to(call.key) is State.ASKED
            return State.ASKED
        # Of two that read at the same moment the ledger keeps what came first, and each gets its own answer.
        assert call.tool == "read" or reply.state in {self.came_to(call.key), State.REFUSED}
        return reply.state

    def spend(self, call):
        """What asks runs on a question of its own that was just used up, and on no other."""
        if call.tool in {"asked", "twice"}:
            assert self.rows("SELECT action FROM question WHERE state = 'used'").count((call.key,)) == 1
            assert not self.world.happened[call.key]

    def came_to(self, key):
        """The state of a call, or of the one that goes on in its place."""
        following = dict(self.rows("SELECT key, successor FROM action"))
        while following[key]:
            key = following[key]
        return self.states()[key]

    @rule(verdict=VERDICTS, by=PEOPLE, nth=st.integers(0, 2))
    def answer(self, verdict, by, nth):
        """A person answers an open question, if it is still in time and nothing else is in the way."""
        for question in self.ladder.pending()[nth : nth + 1]:
            with suppress(AnswerRefused) if self.clock() < question.expires_at else pytest.raises(AnswerRefused):
                self.say(verdict, question.id, by)

    def say(self, verdict, question, by):
        """Answer a question."""
        match verdict:
            case "approve":
                self.ladder.approve(question, by=by)
            case "edit":
                self.ladder.edit(question, {"n": 7}, by=by)
            case "respond":
                self.ladder.respond(question, "text", by=by)
            case _:
                self.ladder.decline(question, by=by, reason="no")

    @rule(by=PEOPLE)
    def take_back(self, by):
        """A person takes an approval back, if there is one to take back."""
        rows = self.rows("SELECT id FROM question WHERE state IN ('open', 'approved') ORDER BY id LIMIT 1")
        for (question,) in rows:
            with suppress(AnswerRefused):
                self.ladder.revoke(question, by=by, reason="wait")

    def rows(self, query):
        """Look into the tables."""
        return [tuple(row) for row in self.ladder.store.read(lambda cursor: cursor.execute(query).fetchall())]

    @precondition(lambda self: any(state is State.UNKNOWN for state in self.states().values()))
    @rule()
    def find_out(self):
        """A person looks what became of an action in doubt."""
        action = self.ladder.actions(state=State.UNKNOWN)[0]
        self.ladder.resolve(action.key, happened=bool(self.world.happened[action.key]), by="ana")

    @rule(hours=st.integers(1, 30))
    def wait(self, hours):
        """Time passes: questions expire, days end."""
        self.clock.advance(hours * HOUR)

    @rule(hours=st.integers(1, 30))
    def set_back(self, hours):
        """The clock was wrong, and is set back."""
        self.clock.advance(-hours * HOUR)

    @rule(now=st.booleans())
    def turn(self, now):
        """The health of the world changes."""
        health[0] = now

    def states(self):
        """Each action's state."""
        return {key: State(state) for key, state in self.rows("SELECT key, state FROM action")}

    @invariant()
    def no_effect_twice(self):
        """Never more than one effect for one call, and none that the ledger doesn't know of."""
        tools = dict(self.rows("SELECT key, tool FROM action"))
        assert set(self.world.happened) <= set(tools)
        assert all(count == 1 or tools[key] == "read" for key, count in self.world.happened.items())

    @invariant()
    def what_was_edited_never_ran(self):
        """An edited call has a successor and no effect, and its successor is the only one of the two that may have."""
        for key, state, successor in self.rows("SELECT key, state, successor FROM action"):
            assert (state == State.EDITED) == bool(successor)
            assert not (successor and self.world.happened[key])

    @invariant()
    def two_people_approved(self):
        """What needs two ran only after two different people's yes, neither of which was taken back."""
        voters = Counter(key for (key,) in self.rows(
            "SELECT question.action FROM vote JOIN question ON question.id = vote.question "
            "WHERE question.state = 'used' AND NOT vote.withdrawn"
        ))  # fmt: skip
        for (key,) in self.rows("SELECT key FROM action WHERE tool = 'twice'"):
            assert not self.world.happened[key] or voters[key] == 2

    @invariant()
    def doubt_is_not_denied(self):
        """What took effect is never said not to have, unless the tool itself said so."""
        for key, tool, state in self.rows("SELECT key, tool, state FROM action"):
            if self.world.happened[key] and tool in {"probed", "plain", "asked", "twice"}:
                assert state in {State.STARTED, State.DONE, State.UNKNOWN}

    @invariant()
    def quotas_add_up(self):
        """The counters are what the states of the actions that ran unasked say, and no window holds too much."""

        def look(cursor):
            counters = cursor.execute("SELECT quota, used, reserved FROM quota").fetchall()
            holds = cursor.execute("SELECT quota, sum(amount) FROM hold GROUP BY quota").fetchall()
            return [tuple(row) for row in counters], dict(tuple(row) for row in holds)

        counters, holds = self.ladder.store.read(look)
        assert all(used + reserved <= LIMIT for _, used, reserved in counters)
        unasked = [
            (tool, State(state))
            for tool, state, rung in self.rows("SELECT tool, state, rung FROM action")
            if rung >= Rung.BOUNDED and tool != "read"
        ]
        for kind in set(KINDS) - {"read", "asked", "twice"}:
            quota = f"ops/{kind}/calls/day/UTC"
            states = [state for tool, state in unasked if tool == kind]
            assert sum(used for name, used, _ in counters if name == quota) == sum(state in USED for state in states)
            held = sum(state in HELD for state in states)
            assert sum(reserved for name, _, reserved in counters if name == quota) == holds.get(quota, 0) == held

    @invariant()
    def the_chain_is_whole(self):
        """Every entry follows the one before it."""
        assert self.ladder.verify().problems == ()

    @invariant()
    def nothing_is_under_way(self):
        """Between two runs nothing is, as far as living processes go."""
        in_doubt = {action.key for action in self.ladder.in_doubt()}
        assert {key for key, state in self.states().items() if state is State.STARTED} <= in_doubt

    @invariant()
    def an_approval_is_used_once(self):
        """No more questions are used up than calls that ask have started."""
        look = "SELECT count(*) FROM question WHERE state = 'used'"
        used = self.ladder.store.read(lambda cursor: cursor.execute(look).fetchone()[0])
        started = {State.STARTED, State.DONE, State.FAILED, State.UNKNOWN}
        asked = self.rows("SELECT state FROM action WHERE tool IN ('asked', 'twice')")
        assert used <= sum(state in started for (state,) in asked)

    def teardown(self):
        """Nothing is left over."""
        awaiting.PATIENCE = self.patience
        for ladder in self.processes:
            ladder.close()
        shutil.rmtree(self.folder)
        logging.disable(logging.NOTSET)


class PostgresMachine(LedgerMachine):
    """The same on a PostgreSQL server."""

    def place(self):
        """Where the ledger is."""
        return new_ledger()

    def teardown(self):
        """Nothing is left over."""
        super().teardown()
        drop(self.source)


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=15, stateful_step_count=25)


@pytest.mark.faults
def test_the_machine_at_length():
    """Ten times as many runs, and longer ones."""
    run_state_machine_as_test(LedgerMachine, settings=settings(max_examples=300, stateful_step_count=50))


@pytest.mark.faults
def test_the_machine_on_postgres():
    """The same machine on the other database."""
    run_state_machine_as_test(PostgresMachine, settings=settings(max_examples=60, stateful_step_count=30))
