"""The SQL of drafts and notices, made once from their tables. As `statements`."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, false, func, literal_column, select, update

# Both databases speak `ON CONFLICT` alike, so what is built with PostgreSQL's insert compiles for SQLite too.
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.tables import draft_rows, rows

_sql = Sql.of
_action = table_of(rows.ActionRow)
_payload = table_of(rows.PayloadRow)
_draft = table_of(draft_rows.DraftRow)
_head = table_of(rows.HeadRow)
_notice = table_of(draft_rows.NoticeRow)
_waiting = _draft.c.state == literal_column("'waiting'")

INSERT_DRAFT = insert_into(draft_rows.DraftRow)
DRAFT = _sql(select(_draft).where(_draft.c.action == bindparam("action")))
BODY = _sql(select(_payload.c.body).where(_payload.c.hash == bindparam("payload")))
RIVALS = _sql(
    select(_draft.c.action)
    .where(_draft.c.target == bindparam("target"), _waiting, _draft.c.action != bindparam("action"))
    .order_by(_draft.c.made_us)
)
"""Drafts that wait about the same target."""
SUPERSEDE = _sql(
    update(_draft)
    .where(_draft.c.action == bindparam("b_action"), _waiting)
    .values(
        state=literal_column("'superseded'"),
        superseded_by=bindparam("superseded_by"),
        decided_us=bindparam("decided_us"),
    )
)
REDRAW = _sql(
    update(_draft)
    .where(_draft.c.action == bindparam("b_action"))
    .values(
        {
            name: bindparam(name)
            for name in ("kind", "path", "sha256", "digest", "payload", "labels", "made_us", "state", "by", "auth")
        }
    )
)
DECIDE = _sql(
    update(_draft)
    .where(_draft.c.action == bindparam("b_action"), _draft.c.digest == bindparam("b_digest"), _waiting)
    .values(
        {
            name: bindparam(name)
            for name in ("state", "by", "auth", "reason", "decided_us", "looked_us", "left_out", "runs")
        }
    )
)
"""A decision about exactly the draft that was shown."""
ACCEPTED = _sql(
    select(_action.c.key, _draft.c.action, _draft.c.by, _draft.c.auth)
    .join(_draft, _draft.c.runs == _action.c.key)
    .where(_action.c.agent == bindparam("agent"))
    .where(_action.c.state.in_([literal_column(f"'{state}'") for state in ("approved", "started", "paused")]))
    .where(_draft.c.state.in_([literal_column(f"'{state}'") for state in ("accepted", "part", "edited")]))
    .order_by(_action.c.updated_us)
)
"""Accepted drafts that wait to be run, that run, or that a process began which is gone."""
UNRUN = _sql(
    select(_action.c.key, _draft.c.action)
    .join(_draft, _draft.c.runs == _action.c.key)
    .where(_action.c.state == literal_column("'approved'"))
    .order_by(_action.c.updated_us)
)
"""Drafts of all agents that were accepted, and whose calls nobody has begun."""
DRAFT_THAT_RUNS = _sql(select(_draft).where(_draft.c.runs == bindparam("key")))
_put_notice = insert(_notice).values({column.name: bindparam(column.name) for column in _notice.columns})
PUT_NOTICE = _sql(
    _put_notice.on_conflict_do_update(index_elements=["action"], set_={"closed": _put_notice.excluded.closed})
)
"""There is something to tell; what was told before stays known."""
_waits = and_(
    _notice.c.thread == bindparam("thread"), _notice.c.closed.is_(false()), _notice.c.agent == bindparam("agent")
)
_any = select(literal_column("1")).where(_waits).limit(1).scalar_subquery()
ANY_NOTICE = _sql(
    select(
        _any.label("any"), select(_head.c.n).where(_head.c.stream == bindparam("agent")).scalar_subquery().label("end")
    )
)
"""Whether an agent may have to hear of anything in a thread, mostly nothing; and how long its chain is."""
_runs = _action.alias("runs")
NOTICES = _sql(
    select(
        _notice.c.action, _notice.c.said, _notice.c.note, _notice.c.checkpoint, _action.c.tool, _action.c.state,
        _action.c.verdict, _action.c.actor, _draft.c.state.label("draft"), _draft.c.by, _draft.c.reason,
        _draft.c.left_out, _draft.c.superseded_by, _draft.c.runs,
        _runs.c.state.label("ran"), _runs.c.text.label("ran_text"), _runs.c.reply.label("ran_reply"),
    )
    .join(_action, _action.c.key == _notice.c.action)
    .join(_draft, _draft.c.action == _notice.c.action, isouter=True)
    .join(_runs, _runs.c.key == func.coalesce(_draft.c.runs, literal_column("''")), isouter=True)
    .where(_waits)
    .order_by(_action.c.updated_us)
)  # fmt: skip
"""What that is."""
TOLD = _sql(
    update(_notice)
    .where(_notice.c.action == bindparam("b_action"))
    .where(*(_notice.c[name] == bindparam(f"b_{name}") for name in ("said", "note", "checkpoint")))
    .values({name: bindparam(name) for name in ("said", "note", "checkpoint", "told_us", "closed")})
)
HEARD = _sql(
    update(_notice)
    .where(_notice.c.action == bindparam("b_action"), _notice.c.note == bindparam("b_note"))
    .values(note=bindparam("note"), closed=bindparam("closed"))
)
VERDICT = _sql(
    select(_payload.c.body)
    .join(_entry := table_of(rows.EntryRow), _entry.c.payload == _payload.c.hash)
    .where(_entry.c.action == bindparam("action"), _entry.c.kind == bindparam("kind"))
    .order_by(_entry.c.n.desc())
    .limit(1)
)
"""What was last said of an action in entries of one kind."""
