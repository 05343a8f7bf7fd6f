"""What waits in a ledger, of all agents.

Only what counts is read, by an index, however much is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, case, func, literal_column, or_, select

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.database.liveness import Owner
from ladder_graph.ledger.tables import report_rows, rows, saga_rows, watch_rows
from ladder_graph.ledger.watching.watchers import watchers

UNSETTLED = ("started", "undoing", "unknown", "undo_conflict", "undo_failed")
"""States of an action that something must still come of."""

_question, _action, _head, _entry = (
    table_of(model) for model in (rows.QuestionRow, rows.ActionRow, rows.HeadRow, rows.EntryRow)
)
_digest, _saga, _watch, _watcher = (
    table_of(model) for model in (report_rows.DigestRow, saga_rows.SagaRow, watch_rows.WatchRow, watch_rows.WatcherRow)
)


def _word(text: str) -> object:
    """A constant, written out, by which a partial index is found."""
    return literal_column(f"'{text}'")


_count = func.count()
_QUESTIONS = Sql.of(
    select(_question.c.agent, _question.c.tool, _count.label("n"), func.min(_question.c.asked_us).label("oldest"))
    .where(_question.c.state == _word("open"))
    .group_by(_question.c.agent, _question.c.tool)
)
_REPORTS = Sql.of(
    select(
        _digest.c.agent,
        _count.label("n"),
        func.sum(case((_digest.c.due_us <= bindparam("now"), 1), else_=0)).label("late"),
    )
    .select_from(_head.join(_digest, _digest.c.agent == _head.c.stream))
    .where(_digest.c.state.in_([_word("closed"), _word("unread")]))
    .group_by(_digest.c.agent)
)
_WATCHES = Sql.of(
    select(_watch.c.agent, _watch.c.tool, _watch.c.phase, _count.label("n"))
    .where(_watch.c.phase.in_(watch_rows.OPEN))
    .group_by(_watch.c.agent, _watch.c.tool, _watch.c.phase)
)
_DUE = Sql.of(
    select(_watch.c.agent, func.min(_watch.c.due_us).label("due"))
    .where(_watch.c.due_us <= bindparam("now"))
    .group_by(_watch.c.agent)
)
_UNSETTLED = Sql.of(
    select(_action.c.agent, _action.c.tool, _action.c.state, _count.label("n"))
    .select_from(
        _head.join(_action, _action.c.agent == _head.c.stream).outerjoin(_watch, _watch.c.action == _action.c.key)
    )
    .where(
        _action.c.state.in_([_word(state) for state in UNSETTLED]),
        or_(_watch.c.phase.is_(None), _watch.c.phase != _word("kept")),  # Somebody left what a failed undo left.
    )
    .group_by(_action.c.agent, _action.c.tool, _action.c.state)
)
_SCOPES = Sql.of(
    select(_saga.c.agent, _count.label("n"))
    .select_from(_head.join(_saga, _saga.c.agent == _head.c.stream))
    .where(_saga.c.phase == _word("held"))
    .group_by(_saga.c.agent)
)
_DEMOTIONS = Sql.of(
    select(_entry.c.stream, _count.label("n"))
    .select_from(_head.join(_entry, _entry.c.stream == _head.c.stream))
    .where(_entry.c.kind == _word("demoted"), rows.RARE)
    .group_by(_entry.c.stream)
)
_WATCHERS = Sql.of(select(_count.label("n")).select_from(_watcher))


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits, each line with its agent in front."""

    questions: list[tuple[str, str, int, int]]
    """Agent, tool, how many questions are open, and when the oldest was asked, in microseconds."""
    reports: list[tuple[str, int, int]]
    """Agent, how many reports are unread, and how many of them are late."""
    watches: list[tuple[str, str, str, int]]
    """Agent, tool, phase, how many."""
    due: list[tuple[str, int]]
    """Agent, and since when its longest due watch is due, in microseconds."""
    unsettled: list[tuple[str, str, str, int]]
    """Agent, tool, state, how many."""
    scopes: list[tuple[str, int]]
    """Agent, and of how many scopes something stays that was to be undone."""
    demotions: list[tuple[str, int]]
    """Agent, how many there ever were."""
    watchers: dict[str, int]
    """How many processes that watch are alive, and dead."""


def look(cursor: Cursor, owner: Owner, now_us: int) -> Backlog:
    """Read all of it.

    Args:
        cursor: For reading.
        owner: This process, which knows who lives.
        now_us: The moment, in microseconds.
    """

    def read(sql: str, *names: str, **given: int) -> list[Any]:
        return [tuple(row[name] for name in names) for row in cursor.execute(sql, given).fetchall()]

    alive = len(watchers(cursor, owner, now_us))
    known = cursor.execute(_WATCHERS, {}).fetchone()["n"]
    return Backlog(
        questions=read(_QUESTIONS, "agent", "tool", "n", "oldest"),
        reports=read(_REPORTS, "agent", "n", "late", now=now_us),
        watches=read(_WATCHES, "agent", "tool", "phase", "n"),
        due=read(_DUE, "agent", "due", now=now_us),
        unsettled=read(_UNSETTLED, "agent", "tool", "state", "n"),
        scopes=read(_SCOPES, "agent", "n"),
        demotions=read(_DEMOTIONS, "stream", "n"),
        watchers={"alive": alive, "dead": known - alive},
    )
