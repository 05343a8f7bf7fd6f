"""What scopes say of the calls in them: their names, why they were undone or closed, and the entries that say the same.

A scope is undone by what went wrong in a call, in the words of that call. So its words go with the first of its calls
that is erased, and beside that like a call of its own: by age, or by whom they name, once it is over.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, literal_column, select, update

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.evidence.remnants import KIND, remnant, says_more
from ladder_graph.ledger.tables import rows, saga_rows
from ladder_graph.ledger.upkeep.portions import SCOPE, Said
from ladder_graph.ledger.upkeep.spellings import Wanted
from ladder_graph.unwinding import Phase

_saga, _member = table_of(saga_rows.SagaRow), table_of(saga_rows.MemberRow)
_root = _saga.alias("around")
_action, _entry, _payload = (table_of(model) for model in (rows.ActionRow, rows.EntryRow, rows.PayloadRow))
_NOTHING: ColumnElement[str] = literal_column("''")
_IS_OVER = and_(*(
    phase.in_([literal_column(f"'{one}'") for one in (Phase.CLOSED, Phase.UNDONE)])
    for phase in (_saga.c.phase, _root.c.phase)
))  # fmt: skip
"""One that ended well inside another one is undone with that."""
_SCOPES = Sql.of(
    select(_saga.c.id, _saga.c.root, _saga.c.name, _saga.c.why, _IS_OVER.label("is_over"))
    .join(_root, _root.c.id == _saga.c.root)
    .where(_saga.c.agent == bindparam("agent"))
)
_SAID = Sql.of(
    select(_entry.c.n, _entry.c.at_us, _entry.c.action, _entry.c.payload, _payload.c.body)
    .join(_payload, _payload.c.hash == _entry.c.payload)
    .where(_entry.c.stream == bindparam("stream"), _entry.c.kind == literal_column(f"'{SCOPE}'"), rows.RARE)
    .order_by(_entry.c.n)
)
_MEMBERS = Sql.of(select(_member.c.action, _member.c.root))
_STANDS = Sql.of(
    select(
        _IS_OVER.label("is_over"),
        exists()
        .where(_member.c.root == _saga.c.root, _action.c.key == _member.c.action)
        .where(_action.c.why == literal_column(f"'{KIND}'"))
        .label("erased"),
    )
    .join(_root, _root.c.id == _saga.c.root)
    .where(_saga.c.id == bindparam("id"))
)
_EMPTIED = Sql.of(update(_saga).where(_saga.c.id == bindparam("b_id")).values(name=_NOTHING, why=_NOTHING))


def find(
    connection: Any, streams: Iterable[str], wanted: Wanted, chosen: frozenset[str]
) -> tuple[list[Said], list[str]]:
    """The entries about scopes that are to be erased, and the scopes that aren't over, by their ids.

    Args:
        connection: As `Store.scan` gives it.
        streams: In whose chains.
        wanted: What is to be erased.
        chosen: The actions that are erased with it.
    """
    roots = {root for action, root in connection.execute(_MEMBERS, {}) if action in chosen}
    entries: list[Said] = []
    waiting: list[str] = []
    for stream in streams:
        said = _said(connection, stream)
        for scope, root, name, why, is_over in connection.execute(_SCOPES, {"agent": stream}).fetchall():
            about = said.get(scope, [])
            old = bool(about) and wanted.old(about[-1][0].at_us)
            names = old and (wanted.named(name, why) or any(wanted.said(body) for _, body in about))
            if is_over and (names or root in roots):
                entries += [one for one, body in about if says_more(one.kind, body)]
            elif names:
                waiting.append(scope)
    return entries, waiting


def _said(connection: Any, stream: str) -> dict[str, list[tuple[Said, dict[str, Any]]]]:
    found = defaultdict(list)
    for n, at_us, action, payload, text in connection.execute(_SAID, {"stream": stream}):
        body = json.loads(text)
        one = Said(stream, n, SCOPE, action, payload, at_us, remnant(body))
        found[str(body.get(SCOPE))].append((one, body))
    return found


def stands(cursor: Cursor, scope: object) -> tuple[bool, bool]:
    """Whether a scope is over, and whether one of its calls is erased.

    Args:
        cursor: For reading.
        scope: Its id.
    """
    row = cursor.execute(_STANDS, {"id": scope}).fetchone()
    return (False, False) if row is None else (bool(row["is_over"]), bool(row["erased"]))


def empty(cursor: Cursor, entries: Iterable[Said]) -> None:
    """Empty the rows of the scopes that these entries are about."""
    for scope in {str(one.kept.get(SCOPE)) for one in entries if one.kind == SCOPE}:
        cursor.execute(_EMPTIED, {"b_id": scope})
