"""Making checkpoints and handing them out: each is one function on a cursor.

Whoever comes first makes the next one; another process finds its number taken, looks again, and finds nothing due.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring as quoted

from sqlalchemy import ColumnElement, bindparam, func, or_, select, update

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.proof.checkpoints_alone import DASH, GENESIS, Key, checkpoint_hash, key_hash, spell_key
from ladder_graph.ledger.tables import checkpoint_rows, rows
from ladder_graph.ledger.tables.rows import US

Sign = Callable[[bytes], bytes]
"""Makes the 64 bytes of an Ed25519 signature."""

LONGEST = 3600 * US
"""Microseconds between two tries of an export at most."""

_head, _anchored = table_of(rows.HeadRow), table_of(checkpoint_rows.AnchoredRow)
_checkpoint, _export = table_of(checkpoint_rows.CheckpointRow), table_of(checkpoint_rows.ExportRow)

_LAST = Sql.of(
    select(_checkpoint.c.number, _checkpoint.c.at_us, _checkpoint.c.total, _checkpoint.c.hash)
    .order_by(_checkpoint.c.number.desc())
    .limit(1)
)
_TOTAL = Sql.of(select(func.sum(_head.c.n).label("total")))
_ENDS = Sql.of(
    select(_head.c.stream, _head.c.n, _head.c.hash, _anchored.c.n.label("seen"))
    .select_from(_head.outerjoin(_anchored, _anchored.c.stream == _head.c.stream))
    .order_by(_head.c.stream)
)
_INSERT = insert_into(checkpoint_rows.CheckpointRow)
_SEE = insert_into(checkpoint_rows.AnchoredRow, " ON CONFLICT (stream) DO UPDATE SET n = excluded.n")
_AFTER = Sql.of(
    select(_checkpoint.c.number, _checkpoint.c.note)
    .where(_checkpoint.c.number > bindparam("number"))
    .order_by(_checkpoint.c.number)
    .limit(100)
)
_ADD_TARGET = insert_into(checkpoint_rows.ExportRow, " ON CONFLICT (target) DO NOTHING")
_named: ColumnElement[bool] = _export.c.target == bindparam("b_target")
_TAKE = Sql.of(
    update(_export)
    .where(_named, or_(_export.c.due_us <= bindparam("b_now"), _export.c.due_us > bindparam("b_far")))
    .values(due_us=bindparam("due"))
)
_TAKEN = Sql.of(
    update(_export).where(_named, _export.c.number < bindparam("b_number"))
    .values(number=bindparam("number"), tries=0, trouble=bindparam("trouble"), due_us=bindparam("due"))
)  # fmt: skip
_FREE = Sql.of(update(_export).where(_named).values(due_us=bindparam("due")))
_FAILED = Sql.of(
    update(_export).where(_named)
    .values(tries=bindparam("tries"), trouble=bindparam("trouble"), due_us=bindparam("due"))
)  # fmt: skip
_TARGETS = Sql.of(select(_export).order_by(_export.c.target))
_NEXT = Sql.of(
    select(_checkpoint.c.at_us)
    .where(_checkpoint.c.number > bindparam("number"))
    .order_by(_checkpoint.c.number)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Last:
    """The newest checkpoint, and how far the ledger has gone since."""

    number: int
    """0 before the first."""
    at_us: int
    hash: str
    unseen: int
    """Entries that were written since."""


@dataclass(frozen=True, slots=True)
class Exported:
    """How far one target has got."""

    target: str
    number: int
    """The last checkpoint that it has taken."""
    waiting: int
    """How many it hasn't."""
    tries: int
    """How often the next one has failed."""
    trouble: str
    """Why; empty where it didn't fail."""
    since_us: int | None
    """When the first one that it hasn't taken was made; None where it has them all."""


def last(cursor: Cursor) -> Last:
    """The newest checkpoint."""
    row = cursor.execute(_LAST, {}).fetchone()
    total = cursor.execute(_TOTAL, {}).fetchone()["total"] or 0
    if row is None:
        return Last(0, 0, GENESIS, int(total))
    return Last(row["number"], row["at_us"], row["hash"], int(total) - row["total"])


def make(
    cursor: Cursor, origin: str, key: Key, sign: Sign, now_us: int, notices: Sequence[tuple[str, Key]] = (),
    *, behind: tuple[int, str] | None = None,
) -> int | None:  # fmt: skip
    """Make the next checkpoint.

    Args:
        cursor: In a durable transaction: what it has seen must be on disk with it.
        origin: What the ledger is called.
        key: Whose signature it is.
        sign: Makes it.
        now_us: The moment, in microseconds.
        notices: What it says of keys.
        behind: Number and hash of the newest checkpoint there is, where the ledger was put back to an older one.

    Returns:
        Its number; None where nothing was written since the one before, and there is nothing to say.
    """
    before = last(cursor)
    ends = cursor.execute(_ENDS, {}).fetchall()
    moved = [row for row in ends if row["n"] != row["seen"] or behind]
    if not moved and not notices:
        return None
    newest, prev = behind or (before.number, before.hash)
    number, total = newest + 1, sum(row["n"] for row in ends)
    lines = [f"number {number}", f"at {now_us}", f"prev {prev}", *[f"restored {before.number}"] * bool(behind)]
    lines += [f"head {row['n']} {row['hash']} {quoted(row['stream'])}" for row in moved]
    lines += [f"{word} {spell_key(one)}" for word, one in notices]
    digest = checkpoint_hash("\n".join([origin, str(total), "", *lines, ""]))
    root = base64.b64encode(bytes.fromhex(digest)).decode()
    text = "\n".join([origin, str(total), root, *lines, ""])
    mark = base64.b64encode(key_hash(key) + sign(text.encode())).decode()
    note = f"{text}\n{DASH}{key[0]} {mark}\n"
    cursor.execute(_INSERT, {"number": number, "at_us": now_us, "total": total, "hash": digest, "note": note})
    for row in moved:
        cursor.execute(_SEE, {"stream": row["stream"], "n": row["n"]})
    return number


def after(cursor: Cursor, number: int) -> list[tuple[int, str]]:
    """The next hundred checkpoints after one, each with its whole text."""
    return [(row["number"], row["note"]) for row in cursor.execute(_AFTER, {"number": number}).fetchall()]


def targets(cursor: Cursor) -> list[Exported]:
    """How far each target has got, those that the policy has dropped too."""
    newest = last(cursor).number
    found = cursor.execute(_TARGETS, {}).fetchall()
    return [
        _exported(cursor, newest, *(row[name] for name in ("target", "number", "tries", "trouble"))) for row in found
    ]


def reached(cursor: Cursor, titles: Iterable[str]) -> tuple[Exported, ...]:
    """How far each of these targets has got, those too that nothing was exported to yet."""
    got, newest = {one.target: one for one in targets(cursor)}, last(cursor).number
    return tuple(got.get(title) or _exported(cursor, newest, title, 0, 0, "") for title in titles)


def _exported(cursor: Cursor, newest: int, target: str, number: int, tries: int, trouble: str) -> Exported:
    row = cursor.execute(_NEXT, {"number": number}).fetchone() if number < newest else None
    return Exported(target, number, newest - number, tries, trouble, None if row is None else row["at_us"])


def take(cursor: Cursor, target: str, now_us: int, lease_us: int, *, hurry: bool = False) -> int | None:
    """Become whoever exports to a target for a while.

    Args:
        cursor: In a transaction.
        target: The target.
        now_us: The moment, in microseconds.
        lease_us: Until when no other process tries.
        hurry: Don't wait for the next try.

    Returns:
        The last checkpoint that it has taken; None where somebody else is at it, or it isn't time yet.
    """
    cursor.execute(_ADD_TARGET, {"target": target, "number": 0, "due_us": 0, "tries": 0, "trouble": ""})
    # What is due further ahead than anybody ever waits was written by a clock that was set back since.
    far = 0 if hurry else now_us + 2 * LONGEST
    cursor.execute(_TAKE, {"b_target": target, "b_now": now_us, "b_far": far, "due": lease_us})
    if cursor.rowcount != 1:
        return None
    return next(one.number for one in targets(cursor) if one.target == target)


def taken(cursor: Cursor, target: str, number: int, lease_us: int) -> None:
    """A target has taken a checkpoint, and whoever exports goes on."""
    cursor.execute(_TAKEN, {"b_target": target, "b_number": number, "number": number, "trouble": "", "due": lease_us})


def done(cursor: Cursor, target: str, now_us: int) -> None:
    """Whoever exported has come to the end."""
    cursor.execute(_FREE, {"b_target": target, "due": now_us})


def failed(cursor: Cursor, target: str, now_us: int, trouble: str) -> None:
    """A target hasn't taken the next checkpoint; it is tried again after a while, each time a longer one."""
    tries = next((one.tries for one in targets(cursor) if one.target == target), 0) + 1
    wait = min(LONGEST, US * 2 ** min(tries, 20))
    cursor.execute(_FAILED, {"b_target": target, "tries": tries, "trouble": trouble[:500], "due": now_us + wait})
