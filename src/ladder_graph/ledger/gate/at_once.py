"""The claim and the record of an everyday call, each in one statement for a server that is a round trip away.

Such a statement does all that the transaction in `ladder_graph.ledger.gate.journal` would, or nothing: where anything
isn't as it is with most calls, no row changes, and that transaction runs and says why. The hash of the entry is made by
the server, which alone knows the end of the chain; `verify` makes it again in Python.
"""
# ruff: noqa: S608  # the statements are made of the tables' own names, and every value is bound

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from json.encoder import encode_basestring as quoted
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import psycopg as postgres

from ladder_graph.calls import Call
from ladder_graph.ledger.actions import quotas
from ladder_graph.ledger.actions.clocks import Moment
from ladder_graph.ledger.actions.lifecycle import Actions, printable
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor, Hoped, hopeful
from ladder_graph.ledger.database.dialects import table_of
from ladder_graph.ledger.tables import rows
from ladder_graph.policy.bounds import Charge
from ladder_graph.states import State
from ladder_graph.steps import Claim, Claimed, Record

MOST = 4
"""Quotas that one statement draws on at most."""

_DIALECT: Any = postgres.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's


def claim(journal: Actions, cursor: Cursor, step: Claim) -> Hoped[Claimed] | None:
    """Hope to start a new action that nobody was asked about, and that needs no undo, as `Journal.claim` would.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        step: The claim. A report on it isn't filed here.

    Returns:
        None where it isn't such a claim.
    """
    server, call, owner = hopeful(cursor), step.call, journal.owner
    if server is None or not server.hoping or not _everyday(step) or owner.runs(call.key, 1):
        return None
    payload, salt, text = journal.salted(journal.proposed(call, step.route))
    row = {**journal.row(call, State.STARTED, step.route, 1), "payload": payload}
    hoped = Hoped(
        Claimed(1), {"action": call.key, "payload": payload}, _writing(journal, call), lambda: owner.end(call.key, 1)
    )
    # Before it can be seen, so that nobody here takes it for one that was left behind.
    owner.begin(call.key, 1)
    server.hope(_claiming(len(step.charges), seen=step.seen is not None), {
        **row, **_entry(call.agent, journal.us, State.STARTED, call.key, payload), "salt": salt, "body": text,
        **_charged(step.charges), **({} if step.seen is None else _looked(journal, step)),
    }, hoped)  # fmt: skip
    return hoped


def record(journal: Actions, cursor: Cursor, step: Record, reply: bytes | None) -> Hoped[bool] | None:
    """Hope to write down that an action took effect, as `Journal.record` would where there is no undo of it.

    Returns:
        None where something else came of it.
    """
    cost = step.outcome.cost if step.outcome is not None else None
    server = hopeful(cursor)
    if server is None or not server.hoping or step.state is not State.DONE or cost is not None:
        return None
    call, said = step.call, printable(step.text)
    text = (step.outcome.text if step.outcome is not None else "") or said
    payload, salt, body = journal.salted({"text": text} if text else {})
    hoped = Hoped(value=True, proof={"action": call.key, "payload": payload}, wrote=_writing(journal, call))
    server.hope(_RECORD, {
        **_entry(call.agent, journal.us, State.DONE, call.key, payload), "key": call.key, "agent": call.agent,
        "at_us": journal.us, "fence": step.fence, "text": said, "reply": reply, "payload": payload, "salt": salt,
        "body": body,
    }, hoped)  # fmt: skip
    return hoped


def _writing(journal: Actions, call: Call) -> Callable[[int], None]:
    """What learns the number of the entry that a server makes."""
    return lambda n: journal.written.append((call.agent, n))


def mark(found: Any) -> str:
    """What a call's route was found by, in one word; empty where there is more to it than what every call has."""
    if found["overdue"] or found["like"] is not None:
        return ""
    return hashlib.sha256(f"{found['held'] or ''}\x1f{found['pinned'] or ''}".encode()).hexdigest()


def _everyday(step: Claim) -> bool:
    """Whether a claim is one of most: unasked, whole, without an undo or a report, on counters of fixed windows."""
    more = (step.question, step.artifact, step.actor, step.split, step.whole)
    return (
        all(one is None for one in more)
        and not step.report
        and len(step.charges) <= MOST
        and not any(charge.interval or charge.reach for charge in step.charges)
        and (step.seen is None or step.seen.mark != "")
    )


def _entry(stream: str, at_us: int, kind: str, action: str, payload: str) -> dict[str, str]:
    """The text that is hashed for an entry, but for the hash and the number of the one before it."""
    return {
        "middle": f'",{quoted(stream)},',
        "ending": f",{at_us!r},{quoted(kind)},{quoted(action)},{quoted(payload)}]",
    }


def _charged(charges: tuple[Charge, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for at, charge in enumerate(charges):
        found |= {f"{name}_{at}": value for name, value in quotas.placed(charge).items() if name != "reach"}
        found |= {f"amount_{at}": charge.amount, f"lim_{at}": charge.limit}
    return found


def _looked(journal: Actions, step: Claim) -> dict[str, Any]:
    here = Moment.at(journal.now)
    return {
        "boot": here.boot, "boot_now": here.boot_us, "now": journal.us, "mark": step.seen.mark if step.seen else "",
        "environment": step.call.env or "",
    }  # fmt: skip


# --- the statements ----------------------------------------------------------------------------------------------


def _bound(table: Table, **other: str) -> str:
    """The parameters of a whole row, or what stands in their place, in the order of its columns."""
    typed = {column.name: column.type.compile(dialect=_DIALECT) for column in table.columns}
    return ", ".join(other.get(name, f"%({name})s::{kind}") for name, kind in typed.items())


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _insert(model: Any, source: str, **other: str) -> str:
    table = table_of(model)
    return f"INSERT INTO {table.name} ({_columns(table)}) SELECT {_bound(table, **other)} FROM {source}"


_HASHED = '\'["lg1","\' || {0}.hash || %(middle)s::text || ({0}.n + 1)::text || %(ending)s::text'
_NEXT = "{0}.n + 1 AS n, {0}.hash AS prev, encode(sha256(convert_to(" + _HASHED + ", 'UTF8')), 'hex') AS hash"
"""The entry that follows the end of a chain."""


def _chained(kind: State) -> str:
    """Write an entry, its payload and the new end of its chain, where `entered` has a row."""
    entry = _insert(
        rows.EntryRow, "entered", stream="%(agent)s::varchar", n="entered.n", prev="entered.prev", hash="entered.hash",
        kind=f"'{kind}'", action="%(key)s::varchar",
    )  # fmt: skip
    return (
        f"said AS ({_insert(rows.PayloadRow, 'entered', hash='%(payload)s::varchar')}), chained AS ({entry}), "
        "headed AS (UPDATE head SET n = entered.n, hash = entered.hash FROM entered WHERE head.stream = %(agent)s)"
    )


_FITS = (
    'quota.quota = wanted.quota AND quota."window" = wanted."window" '
    "AND quota.used + quota.reserved + wanted.amount <= wanted.lim AND NOT EXISTS (SELECT FROM quota AS later "
    'WHERE later.quota = wanted.quota AND later."window" > wanted."window")'
)
"""What is wanted of a counter is left in the window that it is in."""


def _drawing(charges: int) -> str:
    """Draw on all counters that are wanted, or on none.

    Others of the same lane wait, so that what fits still does when it is drawn. Should another lane have come in
    between, the division ends the transaction, and it is done again.
    """
    wanted = ", ".join(
        f"(%(quota_{at})s::varchar, %(window_{at})s::bigint, %(amount_{at})s::bigint, %(lim_{at})s::bigint)"
        for at in range(charges)
    )
    return (
        f'wanted (quota, "window", amount, lim) AS (VALUES {wanted}), '
        "drawn AS (UPDATE quota SET reserved = quota.reserved + wanted.amount, lim = wanted.lim FROM wanted "
        f"WHERE {_FITS} AND EXISTS (SELECT FROM free) "
        + (f"AND (SELECT count(*) FROM quota JOIN wanted ON {_FITS}) = {charges} " if charges > 1 else "")
        + "RETURNING 1), "
    )


@functools.cache
def _claiming(charges: int, *, seen: bool) -> str:
    """The claim that draws on so many counters, and looks again at what the route was found by."""
    look = sql.LOOK_AGAIN.postgres.replace("%(env)s", "%(environment)s")
    again = (
        f" AND EXISTS (SELECT FROM ({look}) AS seen WHERE seen.overdue IS NULL AND seen.like IS NULL "
        "AND %(mark)s::text = encode(sha256(convert_to("
        "coalesce(seen.held, '') || chr(31) || coalesce(seen.pinned, ''), 'UTF8')), 'hex'))"
    )
    whole = f"1 / CASE (SELECT count(*) FROM drawn) WHEN {charges} THEN 1 WHEN 0 THEN -1 ELSE 0 END = 1"
    hold = _insert(rows.HoldRow, "entered, wanted", action="%(key)s::varchar", **{
        name: f'wanted."{name}"' for name in ("quota", "window", "amount")
    })  # fmt: skip
    return (
        "WITH free AS MATERIALIZED (SELECT head.n, head.hash FROM head WHERE head.stream = %(agent)s::varchar "
        f"AND NOT EXISTS (SELECT FROM action WHERE action.key = %(key)s::varchar){again if seen else ''}), "
        + (_drawing(charges) if charges else "")
        + f"entered AS MATERIALIZED (SELECT {_NEXT.format('free')} FROM free{f' WHERE {whole}' if charges else ''}), "
        + _chained(State.STARTED)
        + (f", held AS ({hold})" if charges else "")
        + f" {_insert(rows.ActionRow, 'entered')} RETURNING (SELECT entered.n FROM entered)"
    )


_RECORD = (
    "WITH ending AS MATERIALIZED (SELECT head.n, head.hash FROM head WHERE head.stream = %(agent)s::varchar), "
    f"moved AS (UPDATE action SET state = '{State.DONE}', updated_us = %(at_us)s::bigint, text = %(text)s::varchar, "
    "reply = coalesce(%(reply)s::bytea, reply) WHERE action.key = %(key)s::varchar AND action.fence = %(fence)s::int "
    f"AND action.state = '{State.STARTED}' AND action.artifact IS NULL AND EXISTS (SELECT FROM ending) RETURNING 1), "
    f"entered AS MATERIALIZED (SELECT {_NEXT.format('ending')} FROM ending, moved), {_chained(State.DONE)}, "
    "settled AS (UPDATE quota SET used = quota.used + hold.amount, reserved = quota.reserved - hold.amount "
    'FROM hold, moved WHERE hold.action = %(key)s AND hold.quota = quota.quota AND hold."window" = quota."window"), '
    "dropped AS (DELETE FROM hold USING moved WHERE hold.action = %(key)s) SELECT n FROM entered"
)
