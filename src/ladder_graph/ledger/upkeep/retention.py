"""What was kept for long enough, found a little at a time: memory and transactions stay small however large the ledger.

What is erased of an action, and what stays, is as in `ledger/upkeep/erasing.py`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, exists, literal_column, or_, select

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.evidence.remnants import KIND, remnant, says_more
from ladder_graph.ledger.tables import report_rows, rows, saga_rows, watch_rows
from ladder_graph.ledger.upkeep import scopes
from ladder_graph.ledger.upkeep.erasing import KEPT, LEFT, LOOSE, OVER
from ladder_graph.ledger.upkeep.portions import SCOPE, Portion, Said
from ladder_graph.unwinding import Phase

BATCH = 100
"""Actions, or loose entries, that are looked at in one go, and erased in one transaction."""

_action, _entry, _payload = (table_of(model) for model in (rows.ActionRow, rows.EntryRow, rows.PayloadRow))
_watch, _member, _saga = (table_of(model) for model in (watch_rows.WatchRow, saga_rows.MemberRow, saga_rows.SagaRow))
_report, _digest = table_of(report_rows.ReportRow), table_of(report_rows.DigestRow)


def _words(*words: str) -> list[Any]:
    return [literal_column(f"'{word}'") for word in sorted(words)]


_WAITED_FOR = or_(
    exists().where(_watch.c.action == _action.c.key, _watch.c.phase.in_(watch_rows.OPEN)),
    _action.c.state.in_(_words(*LEFT)) & ~KEPT,
    exists().where(
        _report.c.action == _action.c.key, _digest.c.id == _report.c.digest, _digest.c.state != literal_column("'read'")
    ),
    exists().where(
        _member.c.action == _action.c.key,
        or_(_saga.c.id == _member.c.saga, _saga.c.id == _member.c.root),
        _saga.c.phase.not_in(_words(Phase.CLOSED, Phase.UNDONE)),
    ),
)
_OLD = Sql.of(
    select(
        _action.c.key, _action.c.tool, _action.c.state, _action.c.updated_us, _action.c.why, _WAITED_FOR.label("busy")
    )
    .where(
        _action.c.agent == bindparam("agent"),
        _action.c.state == bindparam("state"),
        _action.c.updated_us < bindparam("before"),
        or_(
            _action.c.updated_us > bindparam("since"),
            (_action.c.updated_us == bindparam("since")) & (_action.c.key > bindparam("key")),
        ),
    )
    .order_by(_action.c.updated_us, _action.c.key)
    .limit(BATCH)
)
_SAID = Sql.of(
    select(
        _entry.c.stream, _entry.c.n, _entry.c.at_us, _entry.c.kind, _entry.c.action, _entry.c.payload, _payload.c.body
    )
    .join(_payload, _payload.c.hash == _entry.c.payload)
    .where(_entry.c.action == bindparam("action"))
    .order_by(_entry.c.n)
)


def _page(*kinds: str) -> Sql:
    """The next entries of these kinds that still say something."""
    return Sql.of(
        select(
            _entry.c.stream, _entry.c.n, _entry.c.at_us, _entry.c.kind, _entry.c.action, _entry.c.payload,
            _payload.c.body,
        )
        .join(_payload, _payload.c.hash == _entry.c.payload)
        .where(
            _entry.c.stream == bindparam("stream"),
            _entry.c.at_us < bindparam("before"),
            _entry.c.n > bindparam("n"),
            _entry.c.kind.in_(_words(*kinds)),
            rows.RARE,
        )
        .order_by(_entry.c.n)
        .limit(BATCH)
    )  # fmt: skip


_LOOSE, _OF_SCOPES = _page(*LOOSE), _page(SCOPE)

STATES = tuple(sorted(OVER))
"""The states of an action that is over, each looked through by an index."""


class Place(NamedTuple):
    """How far a search has come."""

    since_us: int = -1
    key: str = ""
    n: int = 0


class Old(NamedTuple):
    """An action that is over."""

    key: str
    tool: str
    updated_us: int
    busy: bool
    """Somebody still waits for it: a watch, a report, a scope."""
    erased: bool


def old_actions(cursor: Cursor, agent: str, state: str, before_us: int, place: Place) -> list[Old]:
    """The next actions of a state that last changed before a moment, oldest first.

    Args:
        cursor: For reading.
        agent: Whose.
        state: One of `STATES`.
        before_us: The moment, in microseconds.
        place: Behind which.
    """
    given = {"agent": agent, "state": state, "before": before_us, "since": place.since_us, "key": place.key}
    return [
        Old(row["key"], row["tool"], row["updated_us"], bool(row["busy"]), row["why"] == KIND)
        for row in cursor.execute(_OLD, given).fetchall()
    ]


def portion_of(cursor: Cursor, agent: str, actions: Sequence[str]) -> Portion:
    """Everything that is erased of these actions. Of one that no entry says more of, that is what its row holds.

    Args:
        cursor: For reading.
        agent: In whose chain.
        actions: Their keys.
    """
    said = [one for key in actions for one in _said(cursor.execute(_SAID, {"action": key}).fetchall(), agent)]
    return Portion(agent, tuple(said), tuple(actions))


def loose(cursor: Cursor, stream: str, before_us: int, place: Place) -> tuple[list[Said], Place | None]:
    """The next entries about no action that hold arguments, such as refused calls and shadows.

    Returns:
        Those of which something would be erased; and how far that is, or None at the end.
    """
    found = cursor.execute(_LOOSE, {"stream": stream, "before": before_us, "n": place.n}).fetchall()
    said = _said([row for row in found if not _has_action(cursor, row)], stream)
    return said, Place(n=found[-1]["n"]) if found else None


def of_scopes(
    cursor: Cursor, stream: str, before_us: int, place: Place
) -> tuple[list[tuple[Said, bool]], Place | None]:
    """The next entries about scopes that are over.

    Returns:
        Those of which something would be erased, with whether a call of the scope is erased; and how far that is, or
        None at the end.
    """
    found = cursor.execute(_OF_SCOPES, {"stream": stream, "before": before_us, "n": place.n}).fetchall()
    said = [(one, *scopes.stands(cursor, one.kept.get(SCOPE))) for one in _said(found, stream)]
    return [(one, erased) for one, over, erased in said if over], Place(n=found[-1]["n"]) if found else None


_KNOWN = Sql.of(select(_action.c.key).where(_action.c.key == bindparam("key")))


def _has_action(cursor: Cursor, row: Any) -> bool:
    return bool(row["action"]) and cursor.execute(_KNOWN, {"key": row["action"]}).fetchone() is not None


def _said(found: Sequence[Any], stream: str) -> list[Said]:
    said = []
    for row in found:
        body = json.loads(row["body"])
        if row["stream"] == stream and says_more(row["kind"], body):
            said.append(Said(stream, row["n"], row["kind"], row["action"], row["payload"], row["at_us"], remnant(body)))
    return said
