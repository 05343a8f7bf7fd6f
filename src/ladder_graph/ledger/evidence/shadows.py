"""What a shadow took down: what the gate would have decided about calls that ran without it, and what became of them.

It stands in chains of its own, one for each agent, so that no rule of trust ever reads it: nothing here is an action,
and none of it is evidence. What would have run unasked draws on counters of its own, and never on the agent's.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from sqlalchemy import bindparam, select

from ladder_graph.calls import Call, normalise
from ladder_graph.facts import Route
from ladder_graph.fingerprint import Environment
from ladder_graph.ledger.actions import quotas
from ladder_graph.ledger.actions.lifecycle import placed
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.evidence.happenings import happenings
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.tables import rows
from ladder_graph.policy.bounds import Charge
from ladder_graph.routing import decide
from ladder_graph.scale import Rung

APART = "shadow:"
"""What the name of a shadow's chain, and the keys of its counters, begin with. No counter of an agent does, since a
colon in a name is quoted there."""

DECIDED, ENDED, GRANTED, LOST = "shadow", "shadowed", "shadow_environment", "shadow_lost"
"""The kinds of its entries: what would have been decided about a call; what became of it; what the start rungs are
taken to be granted to; and how many calls were not taken down."""

Verdict = Literal["free", "asked", "held", "refused"]
"""Would have run without anybody being asked; would have asked; would only have been suggested or drafted; would not
even have been considered, as a tool that isn't there."""
VERDICTS: tuple[Verdict, ...] = ("free", "asked", "held", "refused")

Ending = Literal["done", "failed", "paused"]
"""The tool answered; it raised, or answered with an error; it asked somebody itself, and starts over when the thread is
resumed."""

_entry, _payload = table_of(rows.EntryRow), table_of(rows.PayloadRow)
_FIRST_GRANTED = Sql.of(
    select(_payload.c.body)
    .join(_entry, _payload.c.hash == _entry.c.payload)
    .where(_entry.c.stream == bindparam("stream"), _entry.c.kind == bindparam("kind"), rows.RARE)
    .order_by(_entry.c.at_us, _entry.c.n)
    .limit(1)
)


def chain_of(agent: str) -> str:
    """The chain of an agent's shadow.

    Example:
        >>> chain_of("ops/research")
        'shadow:ops/research'
    """
    return f"{APART}{agent}"


def agent_of(chain: str) -> str | None:
    """Whose shadow a chain belongs to; None where it is an agent's own chain.

    Example:
        >>> agent_of("shadow:ops"), agent_of("ops")
        ('ops', None)
    """
    return chain.removeprefix(APART) if chain.startswith(APART) else None


# --- what is written -------------------------------------------------------------------------------------------------


def decided(
    journal: Journal, cursor: Cursor, call: Call, route: Route, charges: Iterable[Charge], beside: Mapping[str, Any]
) -> None:
    """Take down where a call would have gone.

    Args:
        journal: The moment at which it began, and the policy.
        cursor: In a transaction.
        call: The call.
        route: Where it would have gone, its quotas apart.
        charges: What it would have taken from them.
        beside: What else is said of it.
    """
    own = [replace(charge, quota=f"{APART}{charge.quota}") for charge in charges]
    found, action = decide(route, (), [(one, quotas.left(cursor, one)) for one in own]), f"{APART}{call.key}"
    # A call that is begun again in another process holds what it takes already.
    if found.rung >= Rung.BOUNDED and not cursor.execute(sql.HELD, {"action": action}).fetchall():
        quotas.hold(cursor, action, own)
    journal.append(cursor, chain_of(call.agent), DECIDED, call.key, {
        "tool": call.tool, "arguments": normalise(call.arguments), "thread": call.thread, "call": call.id,
        "env": call.env, **placed(found), "verdict": verdict_of(found), **beside,
    })  # fmt: skip


def verdict_of(route: Route) -> Verdict:
    """What a route comes to for whoever waits for the call."""
    if route.rung >= Rung.BOUNDED:
        return "free"
    return "asked" if route.rung is Rung.CONFIRM else "held"


def refused(journal: Journal, cursor: Cursor, agent: str, text: str, body: Mapping[str, Any]) -> None:
    """Take down a call that the gate would not have considered.

    Args:
        journal: The moment at which it began, and the policy.
        cursor: In a transaction.
        agent: Whose call it was.
        text: Why, in words.
        body: What is known of it.
    """
    said = {"rung": int(Rung.SUGGEST), "reasons": [["refused", text]], "verdict": "refused", "text": text}
    journal.append(cursor, chain_of(agent), DECIDED, "", {**body, **said})


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a call."""

    outcome: Ending
    took_us: int
    """How long it took, in microseconds."""
    result: str = ""
    """The first digits of the SHA-256 of what the tool answered; empty where there was no answer."""
    harmless: bool = False
    """The tool said that nothing happened, so that what it would have held of quotas goes back."""


def ended(journal: Journal, cursor: Cursor, agent: str, action: str, end: Ended) -> None:
    """Take down what became of a call.

    Args:
        journal: The moment at which it ended, and the policy.
        cursor: In a transaction.
        agent: Whose call it was.
        action: Its key.
        end: What became of it.
    """
    if end.outcome != "paused":
        quotas.settle(cursor, f"{APART}{action}", used=not end.harmless)
    result = {"result": end.result} if end.result else {}
    body = {"outcome": end.outcome, "took_us": end.took_us, **result}
    journal.append(cursor, chain_of(agent), ENDED, action, body)


def hashed(answer: str) -> str:
    """What stands for an answer: the first digits of its SHA-256.

    Args:
        answer: Its text.
    """
    return hashlib.sha256(answer.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def lost(journal: Journal, cursor: Cursor, agent: str, calls: int) -> None:
    """Take down how many calls and endings were not.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        agent: Whose they mostly were.
        calls: How many.
    """
    text = "they came faster than the ledger took them, or could not be written"
    journal.append(cursor, chain_of(agent), LOST, "", {"calls": calls, "text": text})


def granted(cursor: Cursor, agent: str) -> Environment | None:
    """What a shadow takes the start rungs to be granted to; None where it has seen nothing yet, or that is erased."""
    row = cursor.execute(_FIRST_GRANTED, {"stream": chain_of(agent), "kind": GRANTED}).fetchone()
    return None if row is None else Environment.from_json(json.loads(row[0])["components"], "the ledger")


def grant(journal: Journal, cursor: Cursor, agent: str, environment: Environment) -> None:
    """Take down the first environment that a shadow saw, which is the one that a gate would have pinned."""
    journal.append(cursor, chain_of(agent), GRANTED, "", {"components": environment.to_json()})


# --- what is read ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class ShadowTally:
    """What a shadow took down about one tool of one agent."""

    agent: str
    tool: str
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    """How many calls would have come to what."""
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Verdict and reason code to how many calls, for those that would not have run unasked."""
    failed: int = 0
    """Calls that raised, or answered with an error."""
    unended: int = 0
    """Calls of which it isn't known what became of them."""

    @property
    def calls(self) -> int:
        """All of them."""
        return self.verdicts.total()


@dataclass(frozen=True, slots=True)
class Shadowed:
    """What shadows took down."""

    tools: tuple[ShadowTally, ...]
    """By agent and tool."""
    lost: int
    """Calls and endings that were not taken down."""

    def came_to(self, verdict: Verdict) -> int:
        """How many calls would have come to a verdict.

        Args:
            verdict: Such as `asked`.
        """
        return sum(one.verdicts[verdict] for one in self.tools)


def tallied(connection: Any, chains: Sequence[str]) -> Shadowed:
    """What shadows took down. Each chain is read whole.

    Args:
        connection: As `Store.scan` gives it.
        chains: Those of the shadows.
    """
    found: dict[tuple[str, str], ShadowTally] = {}
    gone = 0
    for chain in chains:
        agent, begun = chain.removeprefix(APART), dict[str, ShadowTally]()
        for entry in happenings(connection, chain):
            if entry.kind == DECIDED and entry.body:
                tool = str(entry.body.get("tool"))
                tally = found.setdefault((agent, tool), ShadowTally(agent, tool))
                _count(tally, entry.body)
                if entry.action:
                    begun[entry.action] = tally
            elif entry.kind == ENDED and entry.body.get("outcome") != "paused":
                _end(begun.pop(entry.action, None), entry.body)
            elif entry.kind == LOST:
                gone += int(entry.body.get("calls", 0))
        for tally in begun.values():
            tally.unended += 1
    return Shadowed(tuple(found[which] for which in sorted(found)), gone)


def _count(tally: ShadowTally, body: Mapping[str, Any]) -> None:
    verdict = cast("Verdict", body.get("verdict"))
    tally.verdicts[verdict] += 1
    if verdict != "free":
        codes = {str(reason[0]) for reason in body.get("reasons") or ()}
        tally.reasons.update((verdict, code) for code in codes or {"policy"})


def _end(tally: ShadowTally | None, body: Mapping[str, Any]) -> None:
    if tally is not None and body.get("outcome") == "failed":
        tally.failed += 1
