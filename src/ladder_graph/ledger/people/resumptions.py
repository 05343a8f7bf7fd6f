"""Threads that have an answer and don't know it yet, and the processes that go on with them.

A row is written with the answer, so that no crash loses it, and ends once the thread has really gone on. Who has it in
hand is known by the lock of a process, not by a time-out: a slow run keeps its thread, and a dead one lets go at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from sqlalchemy import Integer, and_, bindparam, delete, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.calls import Call
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.database.liveness import Owner
from ladder_graph.ledger.people.outgoing import AT_ONCE
from ladder_graph.ledger.tables.resumption_rows import ResumerRow, ResumptionRow
from ladder_graph.ledger.tables.rows import US, QuestionRow

T = TypeVar("T")
State = Literal["waiting", "taken", "heard", "over", "lost"]
Why = Literal["approve", "decline", "edit", "respond", "revoke", "expire"]

HEARD = 10 * US
"""Microseconds after which somebody looks whether a thread that has heard an answer has got beyond it."""
SILENT = 15 * US
"""Microseconds after the last beat from which on a worker that still lives doesn't count."""
LONGEST = 600 * US
"""Microseconds between two looks at a thread at most; what is due later than that was written by a clock ahead."""
PORTION = 50
"""Rows that are read at one go."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thread that is to go on, as its row has it."""

    question: str
    action: str
    agent: str
    thread: str
    call_id: str
    tool: str
    why: Why
    at_us: int
    state: State
    due_us: int | None
    owner: str
    tries: int
    problem: str
    how: str


_row, _resumer = table_of(ResumptionRow), table_of(ResumerRow)
_put = insert(_row).values({column.name: bindparam(column.name) for column in _row.columns})
_PUT = Sql.of(
    _put.on_conflict_do_update(
        index_elements=["question"], set_={name: _put.excluded[name] for name in ("why", "at_us", "state", "due_us")}
    )
)
_UNHEARD = Sql.of(
    select(_row.c.question).where(
        and_(
            _row.c.action == bindparam("action"), _row.c.due_us.is_not(None),
            _row.c.state.in_([literal_column("'waiting'"), literal_column("'taken'")]),
        )
    )
)  # fmt: skip
_LISTENS = Sql.of(
    update(_row)
    .where(and_(_row.c.action == bindparam("b_action"), _row.c.due_us.is_not(None)))
    .values(state=literal_column("'heard'"), owner=bindparam("owner"), due_us=bindparam("due_us"))
)
_inner = func.substr(_row.c.agent, 1, bindparam("length", type_=Integer)) == bindparam("inner")
_whose = or_(_row.c.agent == bindparam("agent"), _inner)
_is_due = or_(_row.c.due_us <= bindparam("now"), _row.c.due_us > bindparam("far"))
_ANY_DUE = Sql.of(select(_row.c.question).where(_is_due).limit(1))
_DUE = Sql.of(select(_row).where(and_(_is_due, _whose)).order_by(_row.c.due_us, _row.c.at_us).limit(PORTION))
_OF_THREAD = Sql.of(
    select(_row)
    .where(and_(_row.c.thread == bindparam("thread"), _row.c.due_us.is_not(None), _whose))
    .order_by(_row.c.at_us)
)
_LISTED = Sql.of(
    select(_row).where(and_(_row.c.due_us.is_not(None), _whose)).order_by(_row.c.at_us).limit(bindparam("limit"))
)
_LOST = Sql.of(
    select(_row)
    .where(and_(_row.c.due_us.is_(None), _row.c.state == literal_column("'lost'"), _whose))
    .order_by(_row.c.at_us.desc())
    .limit(bindparam("limit"))
)
_OWNERS = Sql.of(select(_row.c.owner).where(_row.c.due_us.is_not(None)).distinct())
_ONE = Sql.of(select(_row).where(_row.c.question == bindparam("question")))
_TAKE = Sql.of(
    update(_row)
    .where(and_(_row.c.question == bindparam("b_question"), _row.c.due_us.is_not(None)))
    .values(state=literal_column("'taken'"), owner=bindparam("owner"), due_us=bindparam("due_us"), how=bindparam("how"))
)
_as_seen = and_(
    *(_row.c[name] == bindparam(f"b_{name}") for name in ("question", "state", "owner")), _row.c.due_us.is_not(None)
)
_MOVE = Sql.of(
    update(_row)
    .where(_as_seen)
    .values({name: bindparam(name) for name in ("state", "due_us", "owner", "tries", "problem", "how")})
)
_KEEP = Sql.of(
    update(_row)
    .where(and_(_row.c.due_us.is_not(None), _row.c.owner == bindparam("b_owner")))
    .values(owner=bindparam("owner"))
)
_HURRY = Sql.of(
    update(_row)
    .where(and_(_row.c.due_us.is_not(None), _row.c.owner == bindparam("b_owner")))
    .values(due_us=bindparam("due_us"))
)
_put_beat = insert(_resumer).values({column.name: bindparam(column.name) for column in _resumer.columns})
_BEAT = Sql.of(
    _put_beat.on_conflict_do_update(
        index_elements=["owner", "agent"],
        set_={name: _put_beat.excluded[name] for name in ("beat_us", "how", "name")},
    )
)
_BEATS = Sql.of(select(_resumer).order_by(_resumer.c.beat_us.desc()))
_LEAVE = Sql.of(delete(_resumer).where(_resumer.c.owner == bindparam("owner")))


_question = table_of(QuestionRow)
_asked_by = func.substr(_question.c.agent, 1, bindparam("length", type_=Integer)) == bindparam("inner")
_LATE = Sql.of(
    select(_question.c.id)
    .where(_question.c.state.in_([literal_column("'open'"), literal_column("'approved'")]))
    .where(and_(_question.c.expires_us <= bindparam("now"), or_(_question.c.agent == bindparam("agent"), _asked_by)))
    .limit(PORTION)
)


def put(cursor: Cursor, question: str, call: Call, why: Why, now_us: int, *, hearer: Owner | None = None) -> None:
    """Write down that a thread has an answer to go on with; in the transaction of the answer itself.

    Args:
        cursor: In that transaction.
        question: The question's id.
        call: The call it is about.
        why: What was said.
        now_us: When.
        hearer: This process, where the answer came in band, so that the thread goes on right here.
    """
    cursor.execute(_PUT, {
        "question": question, "action": call.key, "agent": call.agent, "thread": call.thread, "call_id": call.id,
        "tool": call.tool, "why": why, "at_us": now_us, "state": "waiting" if hearer is None else "heard",
        "due_us": AT_ONCE if hearer is None else now_us + HEARD, "owner": "" if hearer is None else hearer.hold(),
        "tries": 0, "problem": "", "how": "",
    })  # fmt: skip


def unheard(cursor: Cursor, action: str) -> bool:
    """Whether there is an answer of which no life of the call has taken notice yet."""
    return cursor.execute(_UNHEARD, {"action": action}).fetchone() is not None


def heard(cursor: Cursor, action: str, owner: Owner, now_us: int) -> None:
    """The life of a call has taken notice of the answer, in this process."""
    cursor.execute(_LISTENS, {"b_action": action, "owner": owner.hold(), "due_us": now_us + HEARD})


def any_due(cursor: Cursor, now_us: int) -> bool:
    """Whether somebody must look now, at threads of whichever agent."""
    return cursor.execute(_ANY_DUE, _at(now_us)).fetchone() is not None


def due(cursor: Cursor, agent: str, now_us: int) -> list[Waiting]:
    """What is due of an agent and of those inside it, the longest due in front."""
    return _read(cursor.execute(_DUE, {**_at(now_us), **_of(agent)}).fetchall())


def late(cursor: Cursor, agent: str, now_us: int) -> list[str]:
    """Questions of an agent, by their ids, that are past their time and that nobody has closed; not all at once."""
    return [row[0] for row in cursor.execute(_LATE, {"now": now_us, **_of(agent)}).fetchall()]


def of_thread(cursor: Cursor, agent: str, thread: str) -> list[Waiting]:
    """All that isn't over of one thread, oldest first."""
    return _read(cursor.execute(_OF_THREAD, {"thread": thread, **_of(agent)}).fetchall())


def listed(cursor: Cursor, agent: str, limit: int) -> list[Waiting]:
    """What isn't over, oldest first, and behind it what was given up, newest first."""
    found = _read(cursor.execute(_LISTED, {"limit": limit, **_of(agent)}).fetchall())
    left = limit - len(found)
    return found + (_read(cursor.execute(_LOST, {"limit": left, **_of(agent)}).fetchall()) if left > 0 else [])


def one(cursor: Cursor, question: str) -> Waiting | None:
    """What became of the answer to one question; None where it has none yet."""
    found = _read(cursor.execute(_ONE, {"question": question}).fetchall())
    return found[0] if found else None


def owners(cursor: Cursor) -> frozenset[str]:
    """The processes that have something in hand which isn't over, by their locks; the dead among them."""
    return frozenset(row[0] for row in cursor.execute(_OWNERS, {}).fetchall())


def take(cursor: Cursor, owner: Owner, agent: str, thread: str, how: str, now_us: int) -> list[Waiting]:
    """Take a thread in hand, with all its answers; none of them where somebody who lives has it.

    Of two who try it at once, one changes a row that the other has read, and is tried again by its database.
    """
    found = of_thread(cursor, agent, thread)
    if any(row.owner and in_hand(owner, row) for row in found):
        return []
    for row in found:
        cursor.execute(_TAKE, {
            "b_question": row.question, "owner": owner.hold(), "due_us": now_us + HEARD, "how": how,
        })  # fmt: skip
    return found


def in_hand(owner: Owner, row: Waiting) -> bool:
    """Whether a process that lives has the thread of a row in hand; this one knows its own threads itself."""
    return row.owner not in {"", owner.id} and owner.lives(row.owner)


def keep(cursor: Cursor, before: str, owner: Owner) -> None:
    """Keep the threads in hand that a process has under an earlier lock, which it lost with its session."""
    cursor.execute(_KEEP, {"b_owner": before, "owner": owner.hold()})


def move(cursor: Cursor, row: Waiting, **new: Any) -> None:
    """Change a row that isn't over, if nobody has taken it further since it was read; what isn't named stays."""
    kept = {name: getattr(row, name) for name in ("state", "due_us", "owner", "tries", "problem", "how")}
    seen = {"b_question": row.question, "b_state": row.state, "b_owner": row.owner}
    cursor.execute(_MOVE, {**seen, **kept, **new})


def beat(cursor: Cursor, owner: Owner, agent: str, name: str, how: str, now_us: int) -> None:
    """Say that this process goes on with an agent's threads."""
    cursor.execute(_BEAT, {"owner": owner.hold(), "agent": agent, "name": name, "how": how, "beat_us": now_us})


def leave(cursor: Cursor, owner: Owner) -> None:
    """This process goes on with no threads any more."""
    cursor.execute(_LEAVE, {"owner": owner.id})


def workers(cursor: Cursor, owner: Owner, agent: str, now_us: int) -> list[tuple[str, str]]:
    """The processes that go on with an agent's threads: name, and how; the dead and the silent left out."""
    found = cursor.execute(_BEATS, {}).fetchall()
    return [
        (row["name"], row["how"])
        for row in found
        if agent in {row["agent"]} | _outer(agent, row["agent"])
        and abs(now_us - row["beat_us"]) < SILENT
        and (row["owner"] == owner.id or owner.lives(row["owner"]))
    ]


def bury(cursor: Cursor, owner: Owner) -> None:
    """Take the names of dead workers away; the threads that they had in hand are due at once."""
    for row in cursor.execute(_BEATS, {}).fetchall():
        if row["owner"] != owner.id and not owner.lives(row["owner"]):
            cursor.execute(_LEAVE, {"owner": row["owner"]})
            cursor.execute(_HURRY, {"b_owner": row["owner"], "due_us": AT_ONCE})


def _outer(agent: str, serves: str) -> set[str]:
    return {agent} if agent.startswith(f"{serves}/") else set()


def _at(now_us: int) -> dict[str, int]:
    return {"now": now_us, "far": now_us + LONGEST}


def _of(agent: str) -> dict[str, Any]:
    return {"agent": agent, "inner": f"{agent}/", "length": len(agent) + 1}


def _read(rows: Iterable[Mapping[str, Any]]) -> list[Waiting]:
    return [Waiting(**{name: row[name] for name in Waiting.__slots__}) for row in rows]
