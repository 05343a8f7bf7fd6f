"""What stood behind calls, beside their environments: the texts of prompts, what answers bore, who gave which answer.

Each is one function on a cursor. Nothing here is asked for at a call: a prompt and a value are written down when they
are first seen, an answer when it is given.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import BigInteger, bindparam, delete, select, update

from ladder_graph.fingerprint import Environment
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.gate.acts import environment_key
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.tables import rows, standing_rows
from ladder_graph.ledger.tables.rows import US
from ladder_graph.prompts import Render, hidden

TOLD = 8
"""Changes of one mask that are written down. A mask whose value changed more often hides a clock, and no edit."""

MANY = 20
"""Values of one name that are kept beside an environment."""

KEPT = 30 * 24 * 3600 * US
"""Microseconds for which it is kept who gave an answer: for a thread that is resumed later, nobody knows."""

_action = table_of(rows.ActionRow)
_environment = table_of(standing_rows.EnvironmentRow)
_prompt = table_of(standing_rows.PromptRow)
_proposal = table_of(standing_rows.ProposalRow)
_payload = table_of(rows.PayloadRow)
_entry = table_of(rows.EntryRow)
_this = (_environment.c.agent == bindparam("b_agent"), _environment.c.key == bindparam("b_key"))
BESIDE = Sql.of(select(_environment.c.beside).where(*_this))
PUT_BESIDE = Sql.of(update(_environment).where(*_this).values(beside=bindparam("beside")))
_of = (_prompt.c.agent == bindparam("b_agent"), _prompt.c.prompt == bindparam("b_prompt"))
PROMPT = Sql.of(
    select(_prompt.c.text, _prompt.c.latest, _payload.c.body)
    .outerjoin(_payload, _payload.c.hash == _prompt.c.latest)
    .where(*_of)
)
FIRST = Sql.of(select(_payload.c.body).join(_prompt, _payload.c.hash == _prompt.c.text).where(*_of))
INSERT_PROMPT = insert_into(standing_rows.PromptRow)
PUT_PROMPT = Sql.of(update(_prompt).where(*_of).values(text=bindparam("text"), latest=bindparam("latest")))
TOLD_OF = Sql.of(
    select(_entry.c.at_us, _payload.c.body)
    .join(_payload, _payload.c.hash == _entry.c.payload)
    .where(_entry.c.stream == bindparam("agent"), _entry.c.kind == bindparam("kind"))
    .order_by(_entry.c.n)
)
LATEST_PROMPT = Sql.of(
    select(_environment.c.components)
    .where(_environment.c.agent == bindparam("agent"))
    .order_by(_environment.c.last_us.desc())
    .limit(1)
)
INSERT_PROPOSAL = insert_into(standing_rows.ProposalRow, " ON CONFLICT DO NOTHING")
PROPOSAL = Sql.of(select(_proposal.c.calls, _proposal.c.components).where(_proposal.c.message == bindparam("message")))
ROUTED = Sql.of(select(_action.c.env).where(_action.c.key == bindparam("key")))
FORGET_PROPOSALS = Sql.of(delete(_proposal).where(_proposal.c.at_us < bindparam("before", type_=BigInteger)))


@dataclass(frozen=True, slots=True)
class Prompt:
    """A system prompt as the ledger has it."""

    render: Render
    """As it was last written down."""
    changes: tuple[int, ...]
    """How often each mask's value changed, as far as that was counted."""

    def tells(self, seen: Render) -> bool:
        """Whether a later render has a change behind a mask that is to be written down.

        Args:
            seen: A render of the same prompt.
        """
        return any(self.changes[nth] < TOLD for nth, _, _ in hidden(self.render, seen))


def prompt(journal: Journal, cursor: Cursor, agent: str, component: str, seen: Render) -> Prompt:
    """Write a prompt down when it is first seen, and what its masks hide when that changes.

    Returns:
        It, as it is written down now.
    """
    where = {"b_agent": agent, "b_prompt": component}
    found = cursor.execute(PROMPT, where).fetchone()
    before = None if found is None else _read(found[2])
    if before is None:  # It is new, or was erased.
        fresh = Prompt(seen, (0,) * len(seen.values))
        text = journal.append(cursor, agent, "prompt", "", {
            "prompt": component, "text": f"a system prompt of {agent} as it was first sent", **_body(fresh),
        })  # fmt: skip
        row = {"text": text, "latest": text}
        cursor.execute(*((INSERT_PROMPT, {"agent": agent, "prompt": component, **row}) if found is None else
                         (PUT_PROMPT, {**where, **row})))  # fmt: skip
        return fresh
    changed = [(nth, old, new) for nth, old, new in hidden(before.render, seen) if before.changes[nth] < TOLD]
    if not changed:
        return before  # Another process has written it down.
    told = [{"around": seen.around(nth), "before": old, "after": new} for nth, old, new in changed]
    here = {nth for nth, _, _ in changed}
    after = Prompt(seen, tuple(count + (nth in here) for nth, count in enumerate(before.changes)))
    text = "; ".join(f"{one['around']}: {one['before']} became {one['after']}" for one in told)
    body = {"prompt": component, "text": f"in the system prompt, {text}", "changed": told, **_body(after)}
    cursor.execute(PUT_PROMPT, {**where, "text": found[0], "latest": journal.append(cursor, agent, "prompt", "", body)})
    return after


def _body(of: Prompt) -> dict[str, object]:
    render = of.render
    return {
        "literals": list(render.literals), "kinds": list(render.kinds), "values": list(render.values),
        "changes": list(of.changes),
    }  # fmt: skip


def _read(body: str | None) -> Prompt | None:
    if body is None:
        return None
    kept = json.loads(body)
    literals, kinds, values = (tuple(kept[name]) for name in ("literals", "kinds", "values"))
    return Prompt(Render(literals, kinds, values), tuple(kept["changes"]))


def beside(journal: Journal, cursor: Cursor, agent: str, environment: Environment, seen: Mapping[str, str]) -> None:
    """Write down what an answer bore that makes no other environment.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        agent: Whose.
        environment: What gave the answer.
        seen: Names and values, such as the fingerprint of the provider's machines.
    """
    where = {"b_agent": agent, "b_key": environment_key(environment)}
    row = cursor.execute(BESIDE, where).fetchone()
    if row is None:
        return
    known: dict[str, dict[str, list[int]]] = json.loads(row[0])
    for name, value in seen.items():
        values = known.setdefault(name, {})
        if value in values or len(values) < MANY:
            values[value] = [values.get(value, [journal.us])[0], journal.us]
    cursor.execute(PUT_BESIDE, {**where, "beside": json.dumps(known, sort_keys=True)})


def keep(journal: Journal, cursor: Cursor, message: str, calls: Collection[str], environment: Environment) -> None:
    """Keep what proposed the calls of a message, for a process that resumes its thread before they were routed.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        message: The message's id.
        calls: Digests of its calls.
        environment: What proposed them.
    """
    cursor.execute(FORGET_PROPOSALS, {"before": journal.us - KEPT})
    cursor.execute(INSERT_PROPOSAL, {
        "message": message, "calls": json.dumps(sorted(calls)), "components": environment.text, "at_us": journal.us,
    })  # fmt: skip


def kept(cursor: Cursor, message: str, call: str) -> Environment | None:
    """What proposed a call of a message, if that was kept and the call is as it was.

    Args:
        cursor: For reading.
        message: The message's id.
        call: The call's digest.
    """
    row = cursor.execute(PROPOSAL, {"message": message}).fetchone()
    if row is None or call not in json.loads(row[0]):
        return None
    return Environment.read(row[1], "the ledger")


def routed(cursor: Cursor, action: str) -> str | None:
    """The environment key under which a call was routed; None where it wasn't, or nobody knew what proposed it.

    Args:
        cursor: For reading.
        action: The call's key.
    """
    row = cursor.execute(ROUTED, {"key": action}).fetchone()
    return None if row is None else row[0]


def last_prompt(cursor: Cursor, agent: str) -> str | None:
    """The prompt component of the environment that an agent was last seen in."""
    row = cursor.execute(LATEST_PROMPT, {"agent": agent}).fetchone()
    return None if row is None else Environment.read(row[0], "the ledger").prompt


def first_text(cursor: Cursor, agent: str, component: str) -> str | None:
    """A prompt as it was first sent; None where it was never written down, or is erased."""
    found = cursor.execute(FIRST, {"b_agent": agent, "b_prompt": component}).fetchone()
    read = None if found is None else _read(found[0])
    return None if read is None else read.render.text


def told_of(cursor: Cursor, agent: str, component: str) -> list[tuple[int, str]]:
    """What was written down of a prompt's masks: when, in microseconds, and what, in words."""
    rows_of = cursor.execute(TOLD_OF, {"agent": agent, "kind": "prompt"}).fetchall()
    found = [(row[0], json.loads(row[1])) for row in rows_of]
    return [(at, body["text"]) for at, body in found if body["prompt"] == component and "changed" in body]
