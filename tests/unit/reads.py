"""A world whose one tool stands on rung 5, and somebody who reads its reports or doesn't."""

from __future__ import annotations

import contextlib
import datetime as dt

from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.components import schema_component, toolset_component
from ladder_graph.facts import Outcome
from ladder_graph.fingerprint import Environment
from ladder_graph.ledger.actions import clocks
from ladder_graph.policy.reading import policy_of
from ladder_graph.testing import FrozenClock
from ladder_graph.tools import NOTHING
from ladder_graph.turns.hosting import Alone

TOOLS = {name: schema_component(f"{name}.", {"item": "string"}) for name in ("read_stock", "read_price", "wipe")}
HOUR = 3600


class Hands(Alone):
    """Runs every tool; an item called `bad` fails, and one called `odd` leaves everybody in doubt."""

    def execute(self, call, *, again=False):
        """What came of it."""
        item = call.arguments.get("item")
        return Outcome({"bad": "failed", "odd": "unknown"}.get(item, "done"), text=str(item))


class Machine:
    """The clock of the machine, which nobody sets; it goes on where the test says so."""

    def __init__(self, clock, monkeypatch):
        self.wall, self.us = clock, 1_000_000_000
        monkeypatch.setattr(clocks, "boot_id", lambda: "boot-1")
        monkeypatch.setattr(clocks.time, "clock_gettime_ns", lambda _: self.us * 1000)

    def passes(self, seconds):
        """Time passes on both clocks."""
        self.wall.advance(seconds)
        self.us += int(seconds * 1_000_000)


class Reads:
    """One agent with three tools on rung 5; ana and bo read, jo is told when they are late."""

    def __init__(self, ledger=":memory:", clock=None, **reports):
        stream = {"reader": ["ana", "bo"], "sla": "4h", "digest": "day", "escalate_to": "jo", **reports}
        rule = {"rung": "report", "read_only": True}
        self.data = {
            "agent": "ops", "ledger": str(ledger), "tools": dict.fromkeys(TOOLS, rule), "reports": stream,
            "watcher": "process", "people": {"rita": {"roles": ["promoter"]}},
        }  # fmt: skip
        self.clock, self.hands, self.n = clock or FrozenClock(), Hands(), 0
        self.env = Environment("openai", "gpt-5", "gpt-5-x", "p1", "{}", toolset_component(TOOLS), TOOLS)
        self.ladder = self.opened()

    def opened(self):
        """Another process, or what stands for one, at the same ledger."""
        ladder = Ladder(policy=policy_of(self.data, "the world"), clock=self.clock)
        for tool in TOOLS:
            ladder.seat(tool, NOTHING, agent="ops", can_ask=True)
        return ladder

    def close(self):
        """Let go of everything."""
        self.ladder.close()

    def call(self, tool="read_stock", item="tea", ladder=None, agent="ops", **more):
        """One call; its key."""
        self.n += 1
        call = Call(agent, f"t{self.n}", f"c{self.n}", tool, {"item": item, **more}, self.env.key(tool))
        (ladder or self.ladder).run(call, self.env, self.hands)
        return call.key

    def rung(self, key):
        """The rung that an action was given, by the ledger."""
        return self.ladder.action(key).rung.word

    def made(self):
        """The last report, once its day is over."""
        self.clock.advance(dt.timedelta(days=1).total_seconds() / 2)
        return self.ladder.digest(self.ladder.digests("unread")[0].id)

    def read(self, digest, by="ana", verdict="fine", **more):
        """Give one verdict on all that a report shows."""
        return self.ladder.read(digest.id, {one.action.key: verdict for one in digest.items}, by=by, **more)

    def fell(self):
        """What went down, with the reasons."""
        return [
            (event.cell.tool, event.rung.word, event.code) for tool in TOOLS for event, _ in self.ladder.history(tool)
        ]  # fmt: skip


@contextlib.contextmanager
def reads(*args, **options):
    """A world that is closed again."""
    with contextlib.closing(Reads(*args, **options)) as world:
        yield world
