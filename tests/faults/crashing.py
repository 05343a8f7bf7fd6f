"""Processes that die: real ones, killed by SIGKILL at a named point of a call's life.

They are forked from a server that has imported everything, so that each costs milliseconds.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path

from ladder_graph import driving
from ladder_graph.calls import Call
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.ladder import Ladder
from ladder_graph.policy import Policy
from ladder_graph.steps import Arrival, Asking, Claim, Heard, Outcome, Person, Record, TakeOver, Undo
from ladder_graph.tools import Declaration

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.crashing"])

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
STEPS = {"heard": Heard, "claim": Claim, "takeover": TakeOver, "record": Record, "undo": Undo}
POINTS = (
    "before claim", "in claim", "after claim", "before effect", "after effect", "before record", "in record",
    "after record",
)  # fmt: skip
"""Where a process can be killed on its first way through."""
ANSWERED = ("before heard", "in heard", "after heard")
"""Where it can be killed while an answer comes in."""
LATER = (*POINTS, "before takeover", "in takeover", "after takeover", "before undo", "after undo")
"""Where it can be killed while it finds out what became of a call."""


def healthy(arguments):
    """The health check: all is well."""
    return True


class World:
    """What the tool changes: one line in a file for each effect. Appending is atomic, and outlives the process."""

    def __init__(self, folder, kind):
        self.file, self.kind = Path(folder) / "effects", kind

    def effects(self):
        """How many effects there are now."""
        return len(self.file.read_text().splitlines()) if self.file.exists() else 0

    def send(self, key):
        """The effect. A resource behind an idempotent tool knows the keys that it has seen."""
        if self.kind == "idempotent" and self.file.exists() and key in self.file.read_text():
            return
        with self.file.open("a") as file:
            file.write(f"{key}\n")

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


class Host:
    """Runs the tool on the world, and dies where it is told to."""

    def __init__(self, world, die_at):
        self.world, self.die_at = world, die_at

    def execute(self, call, *, again=False):
        """The effect, between two points."""
        die(self.die_at, "before effect")
        self.world.send(call.key)
        die(self.die_at, "after effect")
        return Outcome("done", "sent")

    async def aexecute(self, call, *, again=False):
        """The same."""
        return self.execute(call)

    def encode(self, reply):
        """The reply as bytes."""
        return reply.encode()

    def ring(self, question, complaint):
        """Nobody is there."""
        raise InterruptedError

    def person(self, answer):
        """Nobody is known."""

    def arrival(self):
        """Nothing is known of how an answer came."""
        return Arrival()

    def asking(self):
        """Nobody is asked."""
        return Asking()

    def fitted(self, call, arguments):
        """Whatever is put in fits."""
        return replace(call, arguments=dict(arguments))


class AnsweredHost(Host):
    """As `Host`, with somebody there who answers."""

    def __init__(self, world, die_at, answer):
        super().__init__(world, die_at)
        self.answer = answer

    def ring(self, question, complaint):
        """The answer, as LangGraph hands it out again when the task starts over."""
        assert not complaint, complaint
        return self.answer

    def person(self, answer):
        """Whoever the answer names, and it is known that it is them."""
        return Person(answer.by, "code")


def die(die_at, point):
    """Die of SIGKILL here, if this is the point."""
    if die_at == point:
        os.kill(os.getpid(), signal.SIGKILL)


def ladder_for(folder, world, rung=None):
    """A ladder with one tool that sends."""
    logging.disable(logging.WARNING)
    undoable = world.kind == "undoable"
    granted = rung or ("rollback" if undoable else "bounded")
    rule = {"rung": granted, "bounds": BOUNDS, "checks": CHECKS if undoable else []}
    ladder = Ladder(policy=Policy.from_rungs("ops", {"send_email": rule}), ledger=Path(folder) / "ladder.db")
    ladder.declare("send_email", world.declaration())
    ladder.seats["send_email"].can_ask = True
    return ladder


def run(folder, kind, die_at="", call=CALL):
    """Take the call through its life, or die at the point on the way."""
    world = World(folder, kind)
    ladder = ladder_for(folder, world)
    _lay_traps(ladder, die_at)
    try:
        return ladder.run(call, MODEL, Host(world, die_at))
    finally:
        ladder.close()


def run_answered(folder, kind, answer, die_at="", call=CALL):
    """As `run`, for a call that is asked about and gets this answer."""
    world = World(folder, kind)
    ladder = ladder_for(folder, world, "confirm")
    _lay_traps(ladder, die_at)
    try:
        return ladder.run(call, MODEL, AnsweredHost(world, die_at, answer))
    finally:
        ladder.close()


def _lay_traps(ladder, die_at):
    """Die before, in or after the transaction of a step."""
    perform = driving._perform
    when, _, name = die_at.partition(" ")

    def trapped(step, turn):
        if not isinstance(step, STEPS.get(name, ())):
            return perform(step, turn)
        die(die_at, f"before {name}")
        if when == "in":
            # It is called as SQLite begins with a statement: the last one of a transaction, before it holds.
            ladder.store._engine.writer.set_trace_callback(lambda sql: sql == "COMMIT" and die(die_at, f"in {name}"))
        done = perform(step, turn)
        die(die_at, f"after {name}")
        return done

    driving._perform = trapped if die_at else perform


def killed(target, *args):
    """Run it in a process of its own, and say whether it died of SIGKILL rather than end."""
    process = CONTEXT.Process(target=target, args=args)
    process.start()
    process.join(30)
    assert process.exitcode in {0, -signal.SIGKILL}, process.exitcode
    return process.exitcode != 0
