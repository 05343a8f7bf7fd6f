"""A small world of values, tools that change it in every way that a scope must cope with, and a ladder around them."""

from __future__ import annotations

from dataclasses import dataclass, field

from ladder_graph.calls import Call
from ladder_graph.errors import UndoConflict
from ladder_graph.facts import Outcome
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.ladder import Ladder
from ladder_graph.policy import Policy
from ladder_graph.testing import FrozenClock
from ladder_graph.tools import Declaration
from ladder_graph.turns.hosting import Alone

_TOOLS = {"put": "s1", "pay": "s2", "read": "s3", "slow": "s4"}
MODEL = Environment("openai", "gpt-5", "gpt-5", "none", "{}", toolset_component(_TOOLS), _TOOLS)
BOUNDS = [{"kind": "volume", "limit": 10**6}]
HEALTH = {"verdict": True}
"""What the health check says."""


def healthy(arguments):
    """The health check, for this process."""
    return HEALTH["verdict"]


class Asked(Exception):
    """A person was asked; it stands for the interrupt of a graph."""


@dataclass
class World(Alone):
    """What the tools change, in this process's memory; and the host that runs them."""

    values: dict = field(default_factory=dict)
    undone: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    during: object = None
    """What happens while a tool runs."""
    conflicts: set = field(default_factory=set)
    """The places whose undo finds somebody else's change."""
    broken: set = field(default_factory=set)
    """The places whose undo fails."""

    def ring(self, question, complaint):
        """Nobody answers here; the question is noted."""
        self.asked.append(question)
        raise Asked(question.reasons)

    def execute(self, call, *, again=False):
        """`put` sets a value, `pay` appends to one; either may fail on the way."""
        given = call.arguments
        if given.get("fails") == "definitely":
            return Outcome("failed", text="DefiniteFailure: no.")
        if call.tool != "read":
            self.values[given["place"]] = given["value"]
        if self.during is not None:
            self.during(call)
        if given.get("fails") == "perhaps":
            return Outcome("unknown", text="TimeoutError: no answer.")
        return Outcome("done", f"{call.tool} {given['place']}")

    def before(self, arguments):
        """The before-image."""
        return {"place": arguments["place"], "value": self.values.get(arguments["place"])}

    def put_back(self, kept):
        """Put it back."""
        place = kept["place"]
        if place in self.conflicts:
            raise UndoConflict("somebody else was there")
        if place in self.broken:
            raise OSError("no way back")
        if self.values.get(place) != kept["value"]:
            self.undone.append(place)
        if kept["value"] is None:
            self.values.pop(place, None)
        else:
            self.values[place] = kept["value"]

    @property
    def declaration(self):
        """Bound to this world, so that the undo runs in this process."""
        return Declaration(
            prepare=self.before, undo=self.put_back, fingerprint=lambda kept: repr(self.values.get(kept["place"]))
        )


class Scoped:
    """One ledger, one world, one clock."""

    def __init__(self, file=":memory:", **watch):
        self.world, self.clock, self.calls = World(), FrozenClock(), 0
        check = {"kind": "python", "function": "tests.unit.scoped:healthy", "count": 0, "every": 60}
        rules = {
            "put": {"rung": "bounded", "bounds": BOUNDS},
            "pay": {"rung": "bounded", "bounds": BOUNDS},
            "slow": {"rung": "bounded", "bounds": BOUNDS, "checks": [check], "watch": {"window": 600.0} | watch},
            "read": {"rung": "report", "read_only": True},
        }  # fmt: skip
        policy = Policy.from_rungs("ops", rules).model_copy(update={"watcher": "process"})
        self.ladder = Ladder(policy=policy, ledger=file, clock=self.clock)
        for tool in ("put", "slow"):
            self.ladder.seat(tool, self.world.declaration, agent="ops", can_ask=True)
        for tool in ("pay", "read"):
            self.ladder.seat(tool, Declaration(), agent="ops", can_ask=True)

    def call(self, tool, place, value="new", **more):
        """A call that nobody made before."""
        self.calls += 1
        return Call("ops", "t1", f"call_{self.calls}", tool, {"place": place, "value": value, **more})

    def act(self, tool, place, value="new", **more):
        """Make a call; what comes of it."""
        return self.run(self.call(tool, place, value, **more))

    def run(self, call):
        """Take a call through its life."""
        return self.ladder.run(call, MODEL, self.world)

    def put(self, *places):
        """One `put` for each place."""
        for place in places:
            reply = self.act("put", place)
            assert reply.state == "done", reply.text

    def paid(self, place="till", **more):
        """A `pay` that somebody is asked about, and says yes to; what comes of it."""
        call = self.call("pay", place, **more)
        try:
            return self.run(call)
        except Asked:
            self.ladder.approve(self.world.asked[-1].id, by="ana")
            return self.run(call)

    def outcomes(self, saga):
        """What came of each member, in the order of the effects."""
        return [(member.tool, member.came) for member in saga.members]
