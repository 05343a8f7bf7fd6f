"""Ledger and flow against a plain model: random calls, outcomes, faults at any statement, crashes and restarts."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ladder_graph import driving
from ladder_graph.calls import Call
from ladder_graph.errors import LedgerError
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.ladder import Ladder
from ladder_graph.ledger import store as engine
from ladder_graph.policy import Policy
from ladder_graph.states import State
from ladder_graph.steps import Outcome
from ladder_graph.testing import FrozenClock
from ladder_graph.tools import Declaration

LIMIT = 3
KINDS = ("probed", "idempotent", "plain", "asked", "undoable", "read")
TOOLS = dict.fromkeys(KINDS, "s")
MODEL = Environment("openai", "gpt-5", "gpt-5", "none", "{}", toolset_component(TOOLS), TOOLS)
VOLUME = {"kind": "volume", "limit": LIMIT}
RULES = {
    "probed": {"rung": "bounded", "bounds": [VOLUME]},
    "idempotent": {"rung": "bounded", "bounds": [VOLUME]},
    "plain": {"rung": "bounded", "bounds": [VOLUME]},
    "asked": {"rung": "confirm", "confirm": {"expires": 3600.0}},
    "undoable": {
        "rung": "rollback",
        "bounds": [VOLUME],
        "checks": [{"kind": "python", "function": "tests.properties.test_ledger:healthy"}],
    },
    "read": {"rung": "bounded", "bounds": [VOLUME], "read_only": True},
}
HELD = {State.STARTED, State.PAUSED, State.UNKNOWN, State.UNDOING}
USED = {State.DONE, State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED}

CALLS = st.builds(
    lambda kind, thread, number: Call("ops", thread, f"call_{number}", kind, {"n": number % 2}),
    st.sampled_from(KINDS), st.sampled_from(["t1", "t2"]), st.integers(0, 5),
)  # fmt: skip
FAULTS = st.none() | st.tuples(st.sampled_from(["statement", "step"]), st.integers(0, 45))
health = [True]


def healthy(_):
    """The health check."""
    return health[0]


class Asked(Exception):
    """The host would interrupt here."""


class Killed(BaseException):
    """The process is gone, at this very statement."""


class World:
    """The effects that took place, by key; nothing that crashes forgets them."""

    def __init__(self):
        self.happened = Counter()
        self.undone = set()

    def effect(self, call):
        """One effect. The resource behind an idempotent tool knows its keys."""
        if call.tool != "idempotent" or not self.happened[call.key]:
            self.happened[call.key] += 1

    def declarations(self):
        """What each tool declares."""
        return {
            "probed": Declaration(probe=lambda _, key: "happened" if self.happened[key] else "absent"),
            "idempotent": Declaration(idempotent=True),
            "undoable": Declaration(prepare=lambda _: {}, undo=lambda _: None),
        }


class Host:
    """Runs a tool on the world with a given outcome."""

    def __init__(self, world, kind):
        self.world, self.kind = world, kind

    def execute(self, call, *, again=False):
        """The effect, unless the tool says that there was none."""
        if self.kind in {"done", "unknown after"}:
            self.world.effect(call)
        return Outcome(self.kind.split()[0], "reply", "Oh.") if self.kind != "done" else Outcome("done", "reply")

    def encode(self, reply):
        """The reply as bytes."""
        return reply.encode()

    def ring(self, question, complaint):
        """Stop and wait."""
        raise Asked

    def person(self, answer):
        """Nobody is known."""


@contextmanager
def killed_at(fault):
    """Die at the n-th statement, or right after the n-th step."""
    counted, cursor, perform = [0], engine._cursor, driving._perform

    def count():
        counted[0] += 1
        if counted[0] > fault[1]:
            raise Killed

    class Cursor:
        def __init__(self, connection):
            self._cursor = cursor(connection)

        def __getattr__(self, name):
            return getattr(self._cursor, name)

        def execute(self, *args):
            if args[0] != "ROLLBACK":
                count()
            return self._cursor.execute(*args)

    def performed(step, turn):
        done = perform(step, turn)
        count()
        return done

    if fault is not None and fault[0] == "statement":
        engine._cursor = Cursor
    elif fault is not None:
        driving._perform = performed
    try:
        yield
    finally:
        engine._cursor, driving._perform = cursor, perform


class LedgerMachine(RuleBasedStateMachine):
    """One agent, two threads, six tools, and a world that remembers."""

    @initialize()
    def begin(self):
        """A new ledger."""
        logging.disable(logging.WARNING)
        health[0] = True
        self.folder = Path(tempfile.mkdtemp(prefix="ladder-"))
        self.clock, self.world, self.ladder = FrozenClock(), World(), None
        self.restart()

    @rule()
    def restart(self):
        """The process ends without tidying up, and another one begins."""
        if self.ladder is not None:
            self.ladder.store.owner.abandon()
            self.ladder.store._engine.writer.close()
            self.ladder.store._engine.reader.close()
            self.ladder.store._engine.queue.close()
        policy = Policy.from_rungs("ops", RULES)
        self.ladder = Ladder(policy=policy, ledger=self.folder / "ladder.db", clock=self.clock)
        for tool, declaration in self.world.declarations().items():
            self.ladder.declare(tool, declaration)
        for kind in KINDS:
            self.ladder.seat(kind, Declaration(), agent="ops", can_ask=True)

    @rule(
        call=CALLS, outcome=st.sampled_from(["done", "done", "failed", "unknown before", "unknown after"]), fault=FAULTS
    )
    def run(self, call, outcome, fault):
        """Take a call through its life, or die on the way."""
        before = self.states().get(call.key)
        try:
            with killed_at(fault):
                reply = self.ladder.run(call, MODEL, Host(self.world, outcome))
        except Killed:
            self.restart()
        except Asked:
            assert self.states()[call.key] is State.ASKED
        else:
            state = self.states()[call.key]
            assert reply.state in {state, State.REFUSED}
            assert state not in {State.STARTED, State.UNDOING}
            if before in USED | {State.FAILED, State.UNKNOWN} and call.tool != "read":
                assert state is before

    @rule(verdict=st.booleans())
    def answer(self, verdict):
        """A person answers the oldest open question, if it is still in time."""
        for question in self.ladder.pending()[:1]:
            try:
                if verdict:
                    self.ladder.approve(question.id, by="ana")
                else:
                    self.ladder.decline(question.id, by="ana", reason="no")
            except LedgerError:
                raise
            except Exception as late:  # noqa: BLE001  # the clock may have moved on
                assert "expired" in str(late)  # noqa: PT017  # either is right: the clock decides

    @precondition(lambda self: any(state is State.UNKNOWN for state in self.states().values()))
    @rule()
    def find_out(self):
        """A person looks what became of an action in doubt."""
        action = self.ladder.actions(state=State.UNKNOWN)[0]
        self.ladder.resolve(action.key, happened=bool(self.world.happened[action.key]), by="ana")

    @rule(hours=st.integers(1, 30))
    def wait(self, hours):
        """Time passes: questions expire, days end."""
        self.clock.advance(hours * 3600)

    @rule(now=st.booleans())
    def turn(self, now):
        """The health of the world changes."""
        health[0] = now

    def states(self):
        """Each action's state."""
        return {action.key: action.state for action in self.ladder.actions()}

    @invariant()
    def no_effect_twice(self):
        """Never more than one effect for one call, and none that the ledger doesn't know of."""
        if self.ladder is None:
            return
        reads = {action.key for action in self.ladder.actions() if action.tool == "read"}
        assert all(count <= 1 for key, count in self.world.happened.items() if key not in reads)
        assert set(self.world.happened) <= set(self.states())

    @invariant()
    def doubt_is_not_denied(self):
        """What took effect is never said to have failed, unless a person or the tool itself said so."""
        if self.ladder is None:
            return
        for action in self.ladder.actions():
            if self.world.happened[action.key] and action.tool in {"probed", "plain", "asked"}:
                assert action.state not in {State.FAILED, State.PAUSED, State.ASKED, State.DECLINED, State.EXPIRED}

    @invariant()
    def quotas_add_up(self):
        """The counters are what the holds and the states say, and no window holds more than its limit."""
        if self.ladder is None:
            return

        def look(cursor):
            counters = cursor.execute("SELECT quota, window, used, reserved, lim FROM quota").fetchall()
            holds = cursor.execute("SELECT quota, window, sum(amount) FROM hold GROUP BY 1, 2").fetchall()
            owners = cursor.execute("SELECT DISTINCT state FROM action JOIN hold ON action = key").fetchall()
            return counters, {(row[0], row[1]): row[2] for row in holds}, {State(row[0]) for row in owners}

        counters, holds, owners = self.ladder.store.read(look)
        for quota, window, used, reserved, limit in counters:
            assert used + reserved <= limit == LIMIT
            assert reserved == holds.pop((quota, window), 0)
        assert not holds
        assert owners <= HELD

    @invariant()
    def the_chain_is_whole(self):
        """Every entry follows the one before it."""
        if self.ladder is not None:
            assert self.ladder.verify().problems == ()

    def teardown(self):
        """Nothing is left over."""
        if getattr(self, "ladder", None) is not None:
            self.ladder.close()
            shutil.rmtree(self.folder)
        logging.disable(logging.NOTSET)


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=30, stateful_step_count=25)
