"""The world around a ledger that is tried at random: its effects, its tools, and processes that die in it."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

from ladder_graph.facts import Arrival, Asking, Outcome
from ladder_graph.ledger import Store
from ladder_graph.steps import Claim
from ladder_graph.tools import Declaration
from ladder_graph.turns import driving
from ladder_graph.turns.hosting import Alone


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


class Host(Alone):
    """Runs a tool on the world with a given outcome.

    Args:
        world: What the tool changes.
        kind: The outcome.
        allowed: Called with what is about to run.
        meanwhile: Done in the middle of the effect.
    """

    def __init__(self, world, kind, allowed, meanwhile):
        self.world, self.kind, self.allowed, self.meanwhile = world, kind, allowed, meanwhile

    def execute(self, call, *, again=False):
        """The effect, unless the tool says that there was none."""
        self.allowed(call)
        self.meanwhile()
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

    def arrival(self):
        """Nothing is known of how an answer came."""
        return Arrival()

    def asking(self):
        """Nobody asks in band."""
        return Asking()

    def fitted(self, call, arguments):
        """Whatever is put in fits."""
        return replace(call, arguments=dict(arguments))


@contextmanager
def killed_at(fault):
    """Die at the n-th statement, or right after the n-th step."""
    left = [fault[1] if fault else 0]

    def count():
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    class Cursor:
        def __init__(self, cursor):
            self._cursor = cursor

        def __getattr__(self, name):
            return getattr(self._cursor, name)

        def execute(self, *args):
            count()
            return self._cursor.execute(*args)

    def counted(self, work, *, durable=True):
        def counting(cursor):
            done = work(Cursor(cursor))
            count()  # The COMMIT comes now.
            return done

        return write(self, counting, durable=durable)

    def performed(step, turn):
        done = perform(step, turn)
        count()
        return done

    write, perform = Store.write, driving._perform
    Store.write = counted if fault and fault[0] == "statement" else write
    driving._perform = performed if fault and fault[0] == "step" else perform
    try:
        yield
    finally:
        Store.write, driving._perform = write, perform


@contextmanager
def overtaken_by(rival):
    """Somebody else takes the same call through its life, between looking and claiming."""

    def performed(step, turn):
        if isinstance(step, Claim):
            driving._perform = perform
            rival()
        return perform(step, turn)

    perform, driving._perform = driving._perform, performed
    try:
        yield
    finally:
        driving._perform = perform
