"""A desk at a ledger: the gate's transactions on a real database, each in a commit of its own."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import closing, contextmanager
from dataclasses import replace

from ladder_graph.calls import Call
from ladder_graph.facts import Asking, Decision, Outcome, Person, Reason, Route
from ladder_graph.ledger import Journal, Reading, Refused, Store
from ladder_graph.ledger.actions.questions import Terms
from ladder_graph.ledger.database.sessions import SessionOwner
from ladder_graph.ledger.people.filing import Filing
from ladder_graph.policy import Rule
from ladder_graph.policy.bounds import Charge
from ladder_graph.policy.reporting import Stream
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import Claim, Record, Settle

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
CALL = Call("ops", "t1", "call_1", "send_email", {"to": "ana@example.com"})
ROUTE = Route(Rung.BOUNDED, (Reason("why", "because"),))
RULE = Rule(rung="bounded")
READ = Rule(rung="bounded", read_only=True)
ANA = Person("ana", "code")
DAY = "2026-11-22"


def call(number=2, **fields):
    """Another call like the first one, under its own id and arguments."""
    return replace(CALL, id=f"call_{number}", **{"arguments": {"to": f"bo{number}@example.com"}, **fields})


def charge(amount=1, limit=3, quota="ops/send_email/calls", window=DAY):
    """What a call takes from a quota."""
    begun = int(dt.datetime.fromisoformat(f"{window}T00:00:00+00:00").timestamp()) * 1_000_000
    return Charge(quota, window, amount, limit, "calls", begun)


def filing_by(reader, sla_us, **fields):
    """Where reports go that somebody must read within so many microseconds, each by itself."""
    return Filing("", Stream(**{"reader": (reader,), "sla": sla_us / 1_000_000, "digest": "action", **fields}))


class Desk:
    """One process, or what stands for one, at one ledger."""

    def __init__(self, source, rule=RULE):
        self.store = Store(str(source))
        self.rule, self.tool, self.undo, self.asking = rule, "v1", "", Asking()
        self.now = NOW

    def close(self):
        """Let go of everything."""
        self.store.close()

    def die(self):
        """What kill -9 leaves: the owner's lock is gone, and nothing was tidied up."""
        owner = self.store.owner
        owner.abandon()
        if isinstance(owner, SessionOwner):
            # The server sees it at once, and yet a moment later than we could look.
            watcher = SessionOwner(owner._address)
            while watcher.lives(owner.id):
                time.sleep(0.005)
            watcher.release()

    def later(self, **delta):
        """Let time pass."""
        self.now += dt.timedelta(**delta)

    def write(self, work, *, durable=False):
        """One transaction of the journal."""
        journal = Journal(self.store.owner, "r1", self.now)
        try:
            return self.store.write(lambda cursor: work(journal, cursor), durable=durable)
        except Refused as refused:
            return refused.refusal

    def read(self, work):
        """One look of the journal."""
        journal = Journal(self.store.owner, "r1", self.now)
        return self.store.read(lambda cursor: work(journal, cursor))

    def look(self, of=CALL, *charges):
        """What the gate would know of a call."""
        return self.read(lambda journal, cursor: journal.look(cursor, of, charges))

    def state(self, of=CALL):
        """The state of a call."""
        known = self.look(of).known
        return known and known.state

    def settle(self, state, of=CALL, **fields):
        """A call that ends without running."""
        return self.write(lambda journal, cursor: journal.settle(cursor, Settle(of, State(state), ROUTE, **fields)))

    def pose(self, of=CALL):
        """Ask about a call."""
        return self.write(
            lambda journal, cursor: journal.pose(cursor, of, ROUTE, Terms(self.rule, self.tool, self.undo), self.asking)
        )

    def answer(self, question, verdict="approve", by=ANA, reason="", successor=None):
        """Answer a question."""
        decision = Decision(verdict, by, self.now, reason, successor)
        return self.write(lambda journal, cursor: journal.answer(cursor, question, decision))

    def claim(self, of=CALL, *charges, reader=None, **fields):
        """Take the right to run a call."""
        step = Claim(of, ROUTE, charges, report=reader is not None, **fields)
        filing = None if reader is None else filing_by(*reader)
        return self.write(
            lambda journal, cursor: journal.claim(cursor, step, Terms(self.rule, self.tool, self.undo), filing)
        )

    def take_over(self, fence, of=CALL):
        """Become the one who finds out."""
        return self.write(lambda journal, cursor: journal.take_over(cursor, of, fence))

    def record(self, state, of=CALL, fence=1, reply=None, text="", error=""):
        """Write down what came of a call."""
        step = Record(of, fence, State(state), Outcome("done", text=error) if error else None, text)
        return self.write(lambda journal, cursor: journal.record(cursor, step, reply))

    def rows(self, query, *values):
        """Look into the tables."""
        return [tuple(row) for row in self.store.read(lambda cursor: cursor.execute(query, values).fetchall())]

    def quota(self):
        """What is used and what is held, over all windows."""
        return self.rows("SELECT coalesce(sum(used), 0), coalesce(sum(reserved), 0) FROM quota")[0]

    def kinds(self, of=None):
        """The kinds of all entries in their order, or of those about one call."""
        rows = self.rows("SELECT kind, action FROM entry ORDER BY n")
        return " ".join(kind for kind, action in rows if of is None or action == of.key)

    def verify(self):
        """What is wrong with the chains."""
        return Reading(self.store).verify().problems


@contextmanager
def at(source, **options):
    """A desk that is closed again."""
    with closing(Desk(source, **options)) as opened:
        yield opened
