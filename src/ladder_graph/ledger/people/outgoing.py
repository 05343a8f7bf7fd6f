"""What people are to be told: written in one transaction with what it tells, and sent by whoever takes the lease.

So a crash neither loses a notice nor sends one that isn't so. One may be sent twice where a process dies between the
sending and the writing down; it bears the same id then. It is about a digest, a question, or whatever else waits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, case, literal_column, or_, select, update

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.tables import report_rows
from ladder_graph.ledger.tables.rows import US
from ladder_graph.policy.ways import Notify

_message = table_of(report_rows.MessageRow)
_waiting = _message.c.state == literal_column("'waiting'")

LONGEST_PAUSE = 3600 * US
"""Microseconds that no receiver is left alone longer than, whatever it says and however often it failed."""

# A reminder may be meant for a later day, and what failed can't: whose clock was ahead wrote that. A lease is left.
_far_ahead = and_(_message.c.due_us > bindparam("far"), _message.c.error != literal_column("''"))
_due = or_(_message.c.due_us <= bindparam("now"), _far_ahead)
_busy = _message.alias("busy")
# Also where nobody need be told of it any more: the receiver is as busy.
_unsent: list[Any] = [literal_column(f"'{state}'") for state in ("waiting", "void")]
# Only what a busy receiver was tried with has an error and no try, and is due later.
_left_alone = select(_busy.c.target).where(
    and_(_busy.c.state.in_(_unsent), _busy.c.tries == literal_column("0")),
    and_(_busy.c.due_us > bindparam("now"), _busy.c.due_us <= bindparam("far")),
    _busy.c.error != literal_column("''"),
)
_ready = and_(_waiting, _due, _message.c.target.not_in(_left_alone))
# What waited for nothing stands where it was written down, and what was tried where it is to be tried again.
_turn = case((_message.c.due_us > _message.c.queued_us, _message.c.due_us), else_=_message.c.queued_us)

INSERT = insert_into(report_rows.MessageRow, " ON CONFLICT DO NOTHING")
DUE = Sql.of(select(_message.c.id).where(_ready).limit(1))
READY = Sql.of(select(_message).where(_ready).order_by(_turn, _message.c.queued_us, _message.c.id).limit(50))
LEASE = Sql.of(
    update(_message)
    .where(and_(_message.c.id == bindparam("b_id"), _waiting), _message.c.tries == bindparam("b_tries"))
    # Somebody may have renewed its lease since it was read.
    .where(_due)
    .values(tries=_message.c.tries + 1, due_us=bindparam("due_us"))
)
RENEW = Sql.of(
    update(_message)
    .where(and_(_message.c.id == bindparam("b_id"), _waiting), _message.c.tries == bindparam("b_tries"))
    .values(due_us=bindparam("due_us"))
)
PUT_BACK = Sql.of(
    update(_message)
    .where(and_(_message.c.id == bindparam("b_id"), _waiting), _message.c.tries == bindparam("b_tries"))
    .values(tries=_message.c.tries - 1, due_us=bindparam("due_us"))
)
SENT = Sql.of(
    update(_message)
    .where(and_(_message.c.id == bindparam("b_id"), _waiting))
    .values(state=literal_column("'sent'"), sent_us=bindparam("sent_us"), error=literal_column("''"))
)
BUSY = Sql.of(
    update(_message)
    .where(_message.c.id == bindparam("b_id"), _message.c.state.in_(_unsent), _message.c.tries == bindparam("b_tries"))
    .values(tries=0, due_us=bindparam("due_us"), error=bindparam("error"))
)
FAILED = Sql.of(
    update(_message)
    .where(and_(_message.c.id == bindparam("b_id"), _waiting), _message.c.tries == bindparam("b_tries"))
    .values(due_us=bindparam("due_us"), error=bindparam("error"))
)
SILENCE = Sql.of(
    update(_message)
    .where(_waiting, _due, _message.c.target == bindparam("b_target"))
    .values(due_us=bindparam("due_us"), error=bindparam("error"))
)
VOID = Sql.of(
    update(_message).where(_waiting, _message.c.id == bindparam("b_id")).values(state=literal_column("'void'"))
)
VOID_SUBJECT = Sql.of(
    update(_message)
    .where(_waiting, _message.c.subject == bindparam("b_subject"), _message.c.kind != literal_column("'demoted'"))
    .values(state=literal_column("'void'"))
)
STUCK = Sql.of(
    select(_message.c.error)
    .where(_message.c.channel == bindparam("channel"), _waiting, _message.c.queued_us < bindparam("before"))
    .order_by(_message.c.queued_us)
    .limit(1)
)
WAITING = Sql.of(
    select(_message)
    .where(_waiting, _message.c.queued_us <= bindparam("now"))
    .order_by(_message.c.queued_us)
    .limit(1000)
)

AT_ONCE = 0
"""When it is due what waits for nothing: by the clock of whoever sends, and not of whoever wrote it down."""
LEASED = 120 * US
"""Microseconds after which a notice that somebody tries to send is tried by others."""
FRESH = 10 * US
"""Microseconds after which a lease is renewed before its notice is sent, so that most of it is left."""
FIRST_PAUSE = 30 * US
"""Microseconds after a first failure until it is tried again; each further one doubles them."""
MUTE = 3600 * US
"""Microseconds after which a channel that takes nothing counts as dead."""
NOBODY = "nobody has sent it; run `ladder watch` or `ladder sweep`"
"""Why nothing goes out where nothing was tried."""
_ERROR = 300
"""Characters of an error that are kept."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be told."""

    id: str
    kind: str
    agent: str
    subject: str
    channel: str
    target: dict[str, Any]
    """By what, as the policy wrote it."""
    body: dict[str, Any]
    """The message."""
    queued_us: int
    tries: int
    error: str
    """What kept the last try from it."""


def queue(
    cursor: Cursor, now_us: int, *, kind: str, agent: str, subject: str, channel: str, targets: Sequence[Notify],
    body: Mapping[str, Any], again: str = "", later: bool = False,
) -> int:  # fmt: skip
    """Write a notice down for each way of telling; what was written before isn't written again.

    Args:
        cursor: In the transaction of what is told.
        now_us: The moment from which on it is to be told, in microseconds since the epoch.
        kind: What is told.
        agent: Whose.
        subject: The id of what it is about.
        channel: The stream of it.
        targets: The ways of telling.
        body: The message. It must hold no argument of a call and no secret.
        again: Tells apart what is told of the same subject more than once.
        later: Whether that moment is still to come; otherwise it goes out at once, whatever the sender's clock says.

    Returns:
        How many are new.
    """
    new = 0
    for target in targets:
        said = _spelt(plain(target))
        key = hashlib.sha256("\0".join((kind, subject, said, *filter(None, (again,)))).encode()).hexdigest()[:32]
        cursor.execute(INSERT, {
            "id": key, "kind": kind, "agent": agent, "subject": subject, "channel": channel, "target": said,
            "body": json.dumps(body, sort_keys=True, ensure_ascii=False), "state": "waiting", "queued_us": now_us,
            "due_us": now_us if later else AT_ONCE, "tries": 0, "sent_us": None, "error": "",
        })  # fmt: skip
        new += cursor.rowcount == 1
    return new


def plain(target: Notify) -> dict[str, Any]:
    """A way of telling as it is kept: what is told by it apart, and its secrets by name alone."""
    return target.model_dump(mode="json", exclude={"on"})


def _spelt(target: Mapping[str, Any]) -> str:
    return json.dumps(target, sort_keys=True)


def any_due(cursor: Cursor, now_us: int) -> bool:
    """Whether a notice is to be tried now."""
    return cursor.execute(DUE, _at(now_us)).fetchone() is not None


def take(cursor: Cursor, now_us: int) -> list[Message]:
    """Take notices that are due, the oldest in front; nobody else tries them before the lease ends.

    Nothing is taken for a receiver that is left alone (`silence`).
    """
    taken = []
    for row in cursor.execute(READY, _at(now_us)).fetchall():
        cursor.execute(LEASE, {
            "b_id": row["id"], "b_tries": row["tries"], **_at(now_us), "due_us": now_us + LEASED,
        })  # fmt: skip
        if cursor.rowcount == 1:
            taken.append(_message_of(row, row["tries"] + 1))
    return taken


def renew(cursor: Cursor, notice: Message, now_us: int) -> bool:
    """Lease a notice anew that was taken a while ago; False where somebody else has it since, or nobody needs it."""
    cursor.execute(RENEW, {"b_id": notice.id, "b_tries": notice.tries, "due_us": now_us + LEASED})
    return cursor.rowcount == 1


def put_back(cursor: Cursor, messages: Sequence[Message]) -> None:
    """Leave notices to others that were taken and not tried; they are due at once, by any clock."""
    for one in messages:
        cursor.execute(PUT_BACK, {"b_id": one.id, "b_tries": one.tries, "due_us": AT_ONCE})


def sent(cursor: Cursor, notice: Message, now_us: int) -> None:
    """It was taken by whoever receives it."""
    cursor.execute(SENT, {"b_id": notice.id, "sent_us": now_us})


def failed(cursor: Cursor, notice: Message, error: str, now_us: int) -> None:
    """It wasn't, and is tried again, each time later."""
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(notice.tries - 1, 10))
    cursor.execute(FAILED, {
        "b_id": notice.id, "b_tries": notice.tries, "due_us": now_us + pause, "error": error[:_ERROR],
    })  # fmt: skip


def silence(
    cursor: Cursor, notice: Message, others: Sequence[Message], error: str, now_us: int, until_us: int
) -> None:  # fmt: skip
    """Its receiver takes nothing for a while: what is due for the same one, or is queued meanwhile, waits until then.

    No try is counted, and none before it, since a receiver that is busy says nothing against a message. What others
    have in hand, or is due later anyway, stays as it is.

    Args:
        cursor: Of the ledger.
        notice: What was tried.
        others: What was taken for the same receiver and not tried.
        error: What the receiver said.
        now_us: The moment.
        until_us: When it takes more.
    """
    put_back(cursor, others)
    cursor.execute(SILENCE, {
        "b_target": _spelt(notice.target), **_at(now_us), "due_us": AT_ONCE, "error": error[:_ERROR],
    })  # fmt: skip
    # By this row the others wait, and it comes behind them: one that is never taken would keep them for ever.
    cursor.execute(BUSY, {
        "b_id": notice.id, "b_tries": notice.tries, "due_us": until_us, "error": error[:_ERROR],
    })  # fmt: skip


def drop(cursor: Cursor, notice: Message) -> None:
    """Nobody needs it any more."""
    cursor.execute(VOID, {"b_id": notice.id})


def settled(cursor: Cursor, subject: str) -> None:
    """What it is about was seen to, so nobody need be told that it waits."""
    cursor.execute(VOID_SUBJECT, {"b_subject": subject})


def mute(cursor: Cursor, channel: str, now_us: int) -> str | None:
    """Why nothing has gone out on a channel for too long; None where it goes out, or nothing was to.

    Args:
        cursor: Of the ledger.
        channel: As `queue` took it.
        now_us: The moment.
    """
    row = cursor.execute(STUCK, {"channel": channel, "before": now_us - MUTE}).fetchone()
    return None if row is None else str(row["error"] or NOBODY)


def waiting(cursor: Cursor, now_us: int) -> list[Message]:
    """The notices that were to be sent by now and aren't, the oldest in front; a thousand at most."""
    return [_message_of(row, row["tries"]) for row in cursor.execute(WAITING, {"now": now_us}).fetchall()]


def _at(now_us: int) -> dict[str, int]:
    return {"now": now_us, "far": now_us + LONGEST_PAUSE}


def _message_of(row: Any, tries: int) -> Message:
    return Message(
        row["id"], row["kind"], row["agent"], row["subject"], row["channel"], json.loads(row["target"]),
        json.loads(row["body"]), row["queued_us"], tries, row["error"],
    )  # fmt: skip
