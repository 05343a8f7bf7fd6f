"""What people and rules write into the ledger, beside the gate: verdicts, demotions, pins.

Each is one function on a cursor, in one transaction with its entry.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from ladder_graph.calls import Call
from ladder_graph.errors import AnswerRefused, UnknownQuestion
from ladder_graph.facts import Known, Person, Question
from ladder_graph.fingerprint import Environment, diff
from ladder_graph.ledger.actions import quotas
from ladder_graph.ledger.actions.lifecycle import pinned_in
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.gate import returns, standings
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.people import notices
from ladder_graph.routing import Footing
from ladder_graph.states import State
from ladder_graph.trust.cells import EVERY, CellKey
from ladder_graph.trust.demotion import Demotion, after_overrun, repeated
from ladder_graph.trust.held import Event, earlier
from ladder_graph.trust.standing import gaps

WHOLE = 64
"""Characters of an action's whole key."""


def find_question(journal: Journal, cursor: Cursor, prefix: str) -> Question:
    """The question whose id begins like this.

    Raises:
        UnknownQuestion: There is none, or more than one.
    """
    found = cursor.execute(sql.FIND_QUESTIONS, {"prefix": _plain("question", prefix)}).fetchall()
    if len(found) == 1:
        known = journal.known(cursor, found[0][1])
        question = journal.question(cursor, known.call) if known else None
        if question is not None and question.id == found[0][0]:
            return question
        raise AnswerRefused(
            f"question {prefix} was answered and used, or asked anew; `ladder pending` lists the open ones"
        )
    raise UnknownQuestion(_which("question", prefix, len(found), "ladder pending"))


def find_action(journal: Journal, cursor: Cursor, prefix: str) -> Known:
    """The action whose key begins like this.

    Raises:
        UnknownQuestion: There is none, or more than one.
    """
    plain = _plain("action", prefix)
    # A whole key is looked up; for the beginning of one, all keys are gone through.
    if len(prefix) == WHOLE and (known := journal.known(cursor, prefix)) is not None:
        return known
    found = cursor.execute(sql.FIND_ACTIONS, {"prefix": plain}).fetchall()
    known = journal.known(cursor, found[0][0]) if len(found) == 1 else None
    if known is None:
        raise UnknownQuestion(_which("action", prefix, len(found), "ladder log"))
    return known


def _plain(noun: str, prefix: object) -> str:
    """Ids are hexadecimal; anything else would be a pattern and not a prefix."""
    if not isinstance(prefix, str):
        given = type(prefix).__name__
        raise UnknownQuestion(
            f"{noun}s are named by their ids; what was given is of the type {given}: write its .id, or an action's .key"
        )
    return prefix if prefix.isalnum() else "-"


def _which(noun: str, prefix: str, count: int, command: str) -> str:
    if count:
        return f"{count} {noun}s begin with {prefix!r}; write more of the id"
    return f"there is no {noun} {prefix!r}; `{command}` lists them"


def judge_suggestion(
    journal: Journal, cursor: Cursor, action: str, verdict: Literal["adopted", "dismissed"], by: Person,
    reason: str,
) -> Known:  # fmt: skip
    """Say what became of a suggestion: somebody acted on it, or didn't want it.

    Raises:
        AnswerRefused: It is no suggestion, or was judged before.
    """
    known = find_action(journal, cursor, action)
    cursor.execute(sql.JUDGE_SUGGESTION, {"b_key": known.call.key, "verdict": verdict, "by": by.name})
    if cursor.rowcount != 1:
        raise AnswerRefused(
            f"action {known.call.short} is no suggestion that waits for a verdict (it is {known.state})"
        )
    journal.append(cursor, known.call.agent, verdict, known.call.key, _signed(by, reason))
    notices.put(cursor, known.call)
    return known


def resolve(journal: Journal, cursor: Cursor, action: str, by: Person, *, happened: bool, reason: str) -> Known:
    """A person found out what became of an action in doubt.

    Raises:
        AnswerRefused: It isn't in doubt.
    """
    known = find_action(journal, cursor, action)
    orphaned = known.state is State.STARTED and not known.owner_alive
    if known.state is not State.UNKNOWN and not orphaned:
        left = known.state is State.UNDOING and not known.owner_alive
        how = (
            f", and the process that undid it is gone (ladder undo {known.call.short} goes on with it)" if left else ""
        )
        raise AnswerRefused(f"action {known.call.short} isn't in doubt: it is {known.state}{how}")
    state = State.DONE if happened else State.FAILED
    found = "it did take effect" if happened else "it did not take effect, and may be proposed anew"
    text = f"{by.name} found out about {known.call.tool}: {found}."
    journal.move(cursor, known.call, state, body=_signed(by, reason), text=text)
    quotas.settle(cursor, known.call.key, used=happened)
    return known


def demote(
    journal: Journal, cursor: Cursor, cell: CellKey, down: Demotion, action: str = "", by: Person | None = None,
    **more: Any,
) -> Demotion | None:  # fmt: skip
    """Put a tool on a lower rung from its next call on; never raises it.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        cell: What went wrong; the demotion itself says whether it is for the whole tool.
        down: To where, why, and what becomes of the evidence.
        action: The action that led to it.
        by: Who did it, where it was a person.
        more: What else the entry says.

    Returns:
        The demotion as it was written down, with the days to wait that hold; None where nothing changed.
    """
    whole = cell._replace(scope=EVERY, env=EVERY) if down.wide else cell
    down = repeated(down, earlier(standings.of_tool(cursor, cell.agent, cell.tool), whole, journal.us))
    event = Event(journal.us, "demoted", whole, down.rung, down.reason, down.code, down.evidence, down.cooldown)
    return down if standings.take(journal, cursor, event, action, by, **more) else None


def overran(journal: Journal, cursor: Cursor, call: Call, cost: int, held: int) -> None:
    """Write down that a call cost more than was held for it, and let its tool ask from now on.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        call: The call.
        cost: What it cost, in micro-dollars.
        held: What was held for it.
    """
    down = after_overrun(call, cost, held)
    journal.append(cursor, call.agent, "overrun", call.key, {"cost": cost, "held": held, "text": down.reason})
    demote(journal, cursor, cell_of(call), down, call.key)


def cell_of(call: Call) -> CellKey:
    """The tool of a call, in all its scopes and environments."""
    return CellKey(call.agent, call.tool, EVERY, EVERY)


def environment_key(environment: Environment) -> str:
    """The digest of all components of an environment."""
    return hashlib.sha256(environment.text.encode()).hexdigest()


def observe(
    journal: Journal, cursor: Cursor, agent: str, environment: Environment, locked: Environment | None,
    start: returns.Start,
) -> str:  # fmt: skip
    """Write an environment down when it is first seen; the first one of an agent is pinned.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        agent: Whose.
        environment: What proposed a call just now.
        locked: The environment in `ladder.lock`, which wins over the first one seen.
        start: Each tool's start rung.

    Returns:
        What is new in words; empty when nothing is.
    """
    pinned = locked or pinned_of(cursor, agent)
    key = environment_key(environment)
    seen = cursor.execute(sql.SEEN_ENVIRONMENT, {"agent": agent, "key": key}).fetchone()
    returns.leave(journal, cursor, agent)
    if seen is not None and pinned is not None:
        lowered = returns.came_back(journal, cursor, agent, environment, seen["last_us"], start)
        cursor.execute(sql.RETURN_TO_ENVIRONMENT, {"b_agent": agent, "b_key": key, "last_us": journal.us})
        return f"{agent} is again what it was long ago, so {', '.join(lowered)} stand lower" if lowered else ""
    if seen is None:
        _insert_environment(journal, cursor, agent, environment, pinned=pinned is None)
    if pinned is None:
        news = f"first environment of {agent}, pinned: {environment}"
        journal.append(cursor, agent, "pinned", "", {"environment": key, "text": news, **_components(environment)})
        return news
    changes = [change.text for change in diff(pinned, environment)]
    news = f"{agent} changed: {'; '.join(changes)}"
    if environment == pinned:  # By a lock that another ledger's agent was pinned in.
        news = f"{agent} is what its rungs are granted to: {environment}"
    elif not changes:
        unknown = "; ".join(gaps(environment)) or "not all of it can be compared with what it was"
        news = f"{agent} may have changed: {unknown}"
    journal.append(cursor, agent, "environment", "", {
        "environment": key, "text": news, **_components(environment), **({} if changes else {"changed": False}),
    })  # fmt: skip
    return "" if environment == pinned else news


def pin(journal: Journal, cursor: Cursor, agent: str, environment: Environment, by: Person) -> None:
    """Grant the policy's start rungs for an environment, in a person's name."""
    key = environment_key(environment)
    if cursor.execute(sql.SEEN_ENVIRONMENT, {"agent": agent, "key": key}).fetchone() is None:
        _insert_environment(journal, cursor, agent, environment, pinned=True)
    cursor.execute(sql.UNPIN, {"b_agent": agent})
    cursor.execute(sql.PIN, {"b_agent": agent, "b_key": key})
    journal.append(cursor, agent, "pinned", "", {"environment": key, **_signed(by, ""), **_components(environment)})


def _insert_environment(
    journal: Journal, cursor: Cursor, agent: str, environment: Environment, *, pinned: bool
) -> None:
    cursor.execute(sql.INSERT_ENVIRONMENT, {
        "agent": agent, "key": environment_key(environment), "components": environment.text,
        "first_us": journal.us, "last_us": journal.us, "pinned": pinned, "beside": "{}",
    })  # fmt: skip


def found(
    journal: Journal, cursor: Cursor, agent: str, tool: str, footing: Footing, *, version: str, undo: str
) -> None:  # fmt: skip
    """Write down what a mount found around a tool, and which version of it and of its undo."""
    cursor.execute(sql.PUT_FOOTING, {
        "agent": agent, "tool": tool, "can_ask": footing.can_ask, "reversible": footing.reversible,
        "outward": json.dumps(footing.outward), "unportable": footing.unportable, "ttl": footing.ttl,
        "canary": footing.canary, "version": version, "undo": undo, "at_us": journal.us,
    })  # fmt: skip


def _components(environment: Environment) -> dict[str, object]:
    return {"components": environment.to_json()}


def pinned_of(cursor: Cursor, agent: str) -> Environment | None:
    """The environment that the policy's start rungs were granted for, or None before the first call."""
    row = cursor.execute(sql.PINNED, {"agent": agent}).fetchone()
    return pinned_in(row and row[1])


def _signed(by: Person, reason: str) -> dict[str, object]:
    return {"by": by.name, "auth": by.auth, "reason": reason}
