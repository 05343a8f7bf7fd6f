"""A small world for trust: an agent with one tool, and days that pass, through the real ladder and its ledger."""

from __future__ import annotations

import contextlib

from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.components import schema_component, toolset_component
from ladder_graph.facts import Outcome
from ladder_graph.fingerprint import Environment
from ladder_graph.policy.reading import policy_of
from ladder_graph.testing import FrozenClock
from ladder_graph.tools import NOTHING
from ladder_graph.turns.hosting import Alone

TOOLS = {"refund": schema_component("Refund an order.", {"order": "string"})}
BOSS = "rita"


def model(name="gpt-5-2025-08-07", prompt="p1"):
    """What proposes calls."""
    return Environment("openai", "gpt-5", name, prompt, "{}", toolset_component(TOOLS), TOOLS)


class Asleep(BaseException):
    """The graph waits for an answer."""


class Desk(Alone):
    """Runs the tool, and goes to sleep where a person must answer."""

    def __init__(self):
        self.ran = []

    def ring(self, question, complaint):
        """Nobody answers at once."""
        raise Asleep

    def execute(self, call, *, again=False):
        """It ran."""
        self.ran.append(call.arguments)
        return Outcome("done", text="refunded")


class World:
    """One agent that refunds orders, a reviewer, and somebody who signs."""

    def __init__(self, ledger=":memory:", start="confirm", lock=None, **rule):
        bounds = [{"kind": "range", "argument": "amount", "most": 100}, {"kind": "volume", "limit": 50}]
        tool = {
            "rung": start, "mistake": "$4", "bounds": bounds,
            "trust": {"mistakes": ["wrong_order"], "single_pattern": True}, **rule,
        }  # fmt: skip
        data = {
            "agent": "ops", "ledger": str(ledger), "tools": {"refund": tool}, "people": {BOSS: {"roles": ["promoter"]}},
            "trust": {"wage": "$60", "minutes": {"confirm": 2, "bounded": 0.4}},
        }  # fmt: skip
        self.clock, self.desk, self.env, self.n = FrozenClock(), Desk(), model(), 0
        self.stage, self.agent = "", "ops"
        self.ladder = Ladder(policy=policy_of(data, "the world"), clock=self.clock, lock=lock)
        self.ladder.seat("refund", NOTHING, agent="ops", can_ask=True)

    def inside(self, name):
        """From now on the calls are those of an agent inside this one."""
        self.agent = f"ops/{name}"
        self.ladder.seat("refund", NOTHING, agent=self.agent, can_ask=True)

    def close(self):
        """Let go of everything."""
        self.ladder.close()

    def call(self, amount=5, env=None):
        """Propose one call, in a thread of its own; the question is left open where it asks."""
        self.n += 1
        env = env or self.env
        arguments = {"amount": amount, "order": f"o{self.n}", **({"stage": self.stage} if self.stage else {})}
        call = Call(self.agent, f"t{self.n}", f"c{self.n}", "refund", arguments, env.key("refund"))
        with contextlib.suppress(Asleep):
            self.ladder.run(call, env, self.desk)
        return call

    def approved(self, env=None):
        """One call that a person lets run."""
        call = self.call(env=env)
        self.ladder.approve(self.ladder.pending()[-1].id, by="ana")
        self.ladder.run(call, env or self.env, self.desk)
        return call

    def day(self, runs=20):
        """A day on which so many calls are asked about, and approved."""
        for _ in range(runs):
            last = self.approved()
        self.clock.advance(86400)
        return last
