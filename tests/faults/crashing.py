"""Processes that die: real ones, killed by SIGKILL at a named point of a call's life.

They are forked from a server that has imported everything, so that each costs milliseconds. Nothing here knows which
database the ledger is in: a transaction is what the store is given to do on a cursor.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path

from ladder_graph.calls import Call
from ladder_graph.facts import Arrival, Asking, Outcome, Person, Reply
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.ladder import Ladder
from ladder_graph.ledger import Store
from ladder_graph.policy import Policy
from ladder_graph.steps import Claim, Heard, Pose, Probe, Record, TakeOver, Undo
from ladder_graph.tools import Declaration
from ladder_graph.turns import driving
from ladder_graph.turns.hosting import Alone
from ladder_graph.turns.turn import Turn
from tests.programs import CONTEXT

CALL = Call("ops", "t1", "call_1", "send_email", {"to": "ana@example.com"})
TOOLS = {"send_email": "s1"}
MODEL = Environment("openai", "gpt-5", "gpt-5", "none", "{}", toolset_component(TOOLS), TOOLS)
BOUNDS = [
    {"kind": "domain", "argument": "to", "domains": ["example.com"]},
    {"kind": "volume", "limit": 3},
]
CHECKS = [{"kind": "python", "function": "tests.faults.crashing:healthy"}]

KINDS = ("probe", "idempotent", "neither", "undoable")
"""What the tool declares about a call whose outcome nobody knows."""
WAYS = ("unasked", "at the ledger", "in band")
"""How the call comes to run: inside its bounds, or after an answer from another process or through the host."""
EDIT = {"type": "edit", "by": "ana", "edited_action": {"name": "send_email", "args": {"to": "bo@example.com"}}}
"""What is answered in band on the way `edited`, which isn't one of the matrix's."""
EDITED = replace(CALL, arguments={"to": "bo@example.com"})
STEPS = {
    "pose": Pose, "hear": Heard, "claim": Claim, "takeover": TakeOver, "probe": Probe, "record": Record, "undo": Undo,
}  # fmt: skip
"""The steps that a process can be killed around. `answer` is none of the flow's: it is another process's."""


def healthy(arguments):
    """The health check: all is well."""
    return True


# --- points ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """Where a process dies.

    Args:
        when: `before` or `after` a step or the effect, or `in` it: in the middle of the effect, before a statement of
            a transaction, or before its COMMIT.
        what: The step, `answer`, or `effect`.
        statement: Before which statement of the transaction, from 1; 0 for the COMMIT.
    """

    when: str
    what: str
    statement: int = 0

    def __str__(self) -> str:
        return f"{self.when} {self.what}{self.statement or ''}".replace(" ", "-")


def die(here, when, what, statement=0):
    """Die of SIGKILL here, if this is the point."""
    if here == Point(when, what, statement):
        os.kill(os.getpid(), signal.SIGKILL)


class Mortal:
    """A cursor that dies before one of its statements."""

    def __init__(self, cursor, here, what):
        self._cursor, self._here, self._what, self.count = cursor, here, what, 0

    def __getattr__(self, name):
        return getattr(self._cursor, name)

    def execute(self, *args):
        """Run one statement, unless it is the one to die at."""
        self.count += 1
        die(self._here, "in", self._what, self.count)
        return self._cursor.execute(*args)

    def hope(self, *args):
        """Send the one statement of a transaction that does without the others, unless it is the one to die at."""
        self.count += 1
        die(self._here, "in", self._what, self.count)
        return self._cursor.hope(*args)


def mortal(work, here, what, counted=None):
    """Work of a transaction that dies where it is told to, and says how many statements the first of its name has.

    What is hoped for in vain is one try, and the way that says why another one, whose statements count anew.
    """
    first = counted is not None and what not in counted

    def run(cursor):
        dying = Mortal(cursor, here, what)
        done = work(dying)
        if first:
            counted[what] = max(dying.count, counted.get(what, 0))
        # The last statement of a transaction, before it holds, is the COMMIT that comes now.
        die(here, "in", what)
        return done

    return run


def lay_traps(here, counted=None):
    """Die before, in or after a step of the flow, sync or async. It is for this process's whole life."""
    name = here.what if here is not None else ""
    steps = STEPS.get(name, tuple(STEPS.values()) if counted is not None else ())
    transaction, perform, aperform = Turn.transaction, driving._perform, driving._aperform

    def dying_transaction(self, step):
        found = transaction(self, step)
        if found is None or not isinstance(step, steps):
            return found
        what = name or next(known for known, kind in STEPS.items() if isinstance(step, kind))
        return mortal(found[0], here, what, counted), found[1]

    def dying_perform(step, turn):
        if not isinstance(step, steps):
            return perform(step, turn)
        die(here, "before", name)
        done = perform(step, turn)
        die(here, "after", name)
        return done

    async def dying_aperform(step, turn, **how):
        if not isinstance(step, steps):
            return await aperform(step, turn, **how)
        die(here, "before", name)
        done = await aperform(step, turn, **how)
        die(here, "after", name)
        return done

    Turn.transaction, driving._perform, driving._aperform = dying_transaction, dying_perform, dying_aperform


# --- the world ---------------------------------------------------------------------------------------------------


class World:
    """What the tool changes: one line in a file for each effect. Appending is atomic, and outlives the process."""

    def __init__(self, folder, kind):
        self.file, self.kind = Path(folder) / "effects", kind

    def effects(self):
        """How many effects there are now, half ones included."""
        return len(self.file.read_text().splitlines()) if self.file.exists() else 0

    def send(self, key, here=None):
        """The effect, in two halves. A resource behind an idempotent tool knows the keys that it has seen."""
        if self.kind == "idempotent" and self.file.exists() and key in self.file.read_text():
            return
        file = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, key.encode())
        die(here, "in", "effect")
        os.write(file, b"\n")
        os.close(file)

    def take_back(self, _):
        """The undo."""
        self.file.unlink(missing_ok=True)

    def declaration(self):
        """What the tool declares."""
        match self.kind:
            case "probe":
                return Declaration(probe=lambda _, __: "happened" if self.effects() else "absent")
            case "idempotent":
                return Declaration(idempotent=True)
            case "undoable":
                return Declaration(prepare=lambda _: {}, undo=self.take_back, fingerprint=lambda _: str(self.effects()))
            case _:
                return Declaration()


class Asked(Exception):
    """The host would interrupt here."""


class Host(Alone):
    """Runs the tool on the world, and dies where it is told to."""

    def __init__(self, world, here=None, way="unasked"):
        self.world, self.here, self.way = world, here, way

    def execute(self, call, *, again=False):
        """The effect, between two points."""
        die(self.here, "before", "effect")
        self.world.send(call.key, self.here)
        die(self.here, "after", "effect")
        return Outcome("done", "sent")

    async def aexecute(self, call, *, again=False):
        """The same."""
        return self.execute(call)

    def encode(self, reply):
        """The reply as bytes."""
        return reply.encode()

    def ring(self, question, complaint):
        """Somebody is there, or nobody is."""
        if self.way == "in band":
            return {"type": "approve", "by": "ana"}
        if self.way == "edited":
            return EDIT
        raise Asked

    def person(self, answer):
        """Whoever answers in band is Ana."""
        return Person("ana", "code")

    def arrival(self):
        """Nothing is known of how an answer came."""
        return Arrival()

    def asking(self):
        """Nobody is asked."""
        return Asking()

    def fitted(self, call, arguments):
        """Whatever is put in fits."""
        return replace(call, arguments=dict(arguments))


# --- a place, and what happens there -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """One ledger, one world and one tool, for any number of processes one after the other.

    Args:
        folder: Where the world is.
        ledger: The ledger's file or URL.
        kind: What the tool declares.
        way: How its call comes to run.
        driver: `sync` or `async`.
    """

    folder: Path
    ledger: str
    kind: str = "neither"
    way: str = "unasked"
    driver: str = "sync"

    @property
    def world(self):
        """What there is outside the ledger."""
        return World(self.folder, self.kind)

    def ladder(self):
        """A ladder with one tool that sends."""
        logging.disable(logging.WARNING)
        undoable = self.kind == "undoable"
        rule = {"checks": CHECKS if undoable else []}
        if self.way == "unasked":
            rule |= {"rung": "rollback" if undoable else "bounded", "bounds": BOUNDS}
        else:
            rule |= {"rung": "confirm"}
        ladder = Ladder(policy=Policy.from_rungs("ops", {"send_email": rule}), ledger=self.ledger)
        ladder.declare("send_email", self.world.declaration())
        ladder.seats["send_email"].can_ask = True
        return ladder

    def called(self, **fields):
        """The same place, with something else about it."""
        return replace(self, **fields)


def run(place, here=None, call=CALL, counted=None):
    """Take the call through its life, or die at the point on the way.

    Returns:
        The reply; None where it waits for an answer.
    """
    if here is not None or counted is not None:
        lay_traps(here, counted)
    ladder = place.ladder()
    host = Host(place.world, here, place.way)
    try:
        if place.driver == "async":
            return asyncio.run(ladder.arun(call, MODEL, host))
        return ladder.run(call, MODEL, host)
    except Asked:
        return None
    finally:
        ladder.close()


def answer(place, here=None, counted=None):
    """Say yes to the open question, if there is one, or die on the way."""
    ladder = place.ladder()
    try:
        for question in ladder.pending():
            write = Store.write

            def dying(self, work, *, durable=True, write=write):
                die(here, "before", "answer")
                done = write(self, mortal(work, here, "answer", counted), durable=durable)
                die(here, "after", "answer")
                return done

            if here is not None or counted is not None:
                Store.write = dying
            try:
                ladder.approve(question.id, by="ana")
            finally:
                Store.write = write
    finally:
        ladder.close()


def die_on_the_way(place, here):
    """Go the whole way in as many processes as it takes, each of which dies if it comes by the point.

    Returns:
        Whether one did.
    """
    acts = (run, answer, run) if place.way == "at the ledger" else (run,)
    return any(killed(act, place, here) for act in acts)


def go_on(place) -> Reply:
    """Recover in this process: run, and where it waits for an answer, give it and run again."""
    reply = run(place)
    if reply is None:
        answer(place)
        reply = run(place)
    assert reply is not None, "it was answered, and asks again"
    return reply


def killed(target, *args):
    """Run it in a process of its own, and say whether it died of SIGKILL rather than end."""
    process = CONTEXT.Process(target=target, args=args)
    process.start()
    process.join(60)
    assert process.exitcode in {0, -signal.SIGKILL}, process.exitcode
    return process.exitcode != 0
