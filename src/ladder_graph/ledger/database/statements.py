"""The hot path's SQL, made once from the tables' definitions and run on the driver's cursor.

An ORM session costs several times the disk flush it waits for; these statements cost a few microseconds.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    update,
)

# Both databases speak `ON CONFLICT` alike, so what is built with PostgreSQL's insert compiles for SQLite too.
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.tables import report_rows, rows, standing_rows

_sql = Sql.of
_action = table_of(rows.ActionRow)
_entry = table_of(rows.EntryRow)
_head = table_of(rows.HeadRow)
_hold = table_of(rows.HoldRow)
_payload = table_of(rows.PayloadRow)
_question = table_of(rows.QuestionRow)
_quota = table_of(rows.QuotaRow)
_awaited = table_of(report_rows.AwaitedRow)
_standing = table_of(standing_rows.StandingRow)
_vote = table_of(rows.VoteRow)

INSERT_ACTION = insert_into(rows.ActionRow)
INSERT_MENTION = insert_into(rows.MentionRow)
INSERT_HOLD = insert_into(rows.HoldRow)

HEAD = _sql(select(_head.c.n, _head.c.hash).where(_head.c.stream == bindparam("stream")))
_put_head = insert(_head).values(stream=bindparam("stream"), n=bindparam("n"), hash=bindparam("hash"))
_put_head = _put_head.on_conflict_do_update(
    index_elements=["stream"], set_={"n": _put_head.excluded.n, "hash": _put_head.excluded.hash}
)
_insert_payload = insert(_payload).values(hash=bindparam("payload"), salt=bindparam("salt"), body=bindparam("body"))
_insert_entry = insert(_entry).values({column.name: bindparam(column.name) for column in _entry.columns})
APPEND_EACH = (_sql(_insert_payload), _sql(_insert_entry), _sql(_put_head))
"""The payload of an entry, the entry, and the new end of its chain, all by the same parameters."""
APPEND = Sql.on_a_server(_insert_entry.add_cte(_insert_payload.cte("said"), _put_head.cte("headed")))
"""All three in one statement."""

HEADS = _sql(select(_head.c.stream, _head.c.n, _head.c.hash))
ENTRY_HASH = _sql(
    select(_entry.c.hash).where(and_(_entry.c.stream == bindparam("stream"), _entry.c.n == bindparam("n")))
)
SAYS = _sql(
    select(_entry.c.n).where(and_(_entry.c.action == bindparam("action"), _entry.c.payload == bindparam("payload")))
)
"""Whether an entry about an action has exactly this payload."""
LAST_ENTRY = _sql(
    select(*(_entry.c[name] for name in ("stream", "n", "at_us", "kind", "action", "payload", "prev", "hash")))
    .where(_entry.c.stream == bindparam("stream"))
    .order_by(_entry.c.n.desc())
    .limit(1)
)

ACTION = _sql(
    select(_action, _payload.c.body)
    .outerjoin(_payload, _payload.c.hash == _action.c.payload)
    .where(_action.c.key == bindparam("key"))
)
"""One action with the payload that holds its arguments."""

SAID = _sql(
    select(_entry.c.n)
    .join(_payload, _payload.c.hash == _entry.c.payload)
    .where(
        and_(
            _entry.c.action == literal_column("''"),
            _entry.c.stream == bindparam("stream"),
            _entry.c.kind == bindparam("kind"),
            _payload.c.body == bindparam("body"),
        )
    )
    .limit(1)
)
"""Whether an entry about no single action said exactly this before."""

_place = [_action.c[name] for name in ("key", "state", "owner", "fence", "outside")]
_equal = _action.alias("equal")
_like = (
    select(literal_column("1"))
    .where(_equal.c.thread == bindparam("thread"), _equal.c.digest == bindparam("digest"))
    .limit(1)
    .scalar_subquery()
    .label("like")
)
PLACE_AND_HEAD = _sql(
    select(*_place, _head.c.n, _head.c.hash, _like)
    .select_from(_head.outerjoin(_action, _action.c.key == bindparam("key")))
    .where(_head.c.stream == bindparam("stream"))
)
"""Where an action is in its life, whose it is, the end of the chain, and whether its thread has seen the same tool and
arguments; no row before the chain begins."""

PLACE = _sql(select(*_place).where(_action.c.key == bindparam("key")))

TWINS = _sql(
    select(_action.c.key, _action.c.state, _action.c.owner, _action.c.fence)
    .where(_action.c.thread == bindparam("thread"), _action.c.digest == bindparam("digest"))
    .where(_action.c.state.in_([literal_column(f"'{state}'") for state in ("started", "undoing", "unknown", "done")]))
    .where(_action.c.key != bindparam("key"))
    .order_by(_action.c.updated_us.desc())
)
"""Other actions of a thread with the same tool and arguments that may have taken effect, the latest first."""

KEPT = ("owner", "fence", "rung", "text", "reply", "artifact", "actor", "successor")
"""Columns that stay as they are where the step brings nothing new."""

_move_action = (
    update(_action)
    .where(and_(_action.c.key == bindparam("b_key"), _action.c.fence == bindparam("b_fence")))
    .where(_action.c.state == bindparam("b_state"))
    .values(
        state=bindparam("state"),
        updated_us=bindparam("updated_us"),
        **{name: func.coalesce(bindparam(name), _action.c[name]) for name in KEPT},
    )
)
MOVE_ACTION = _sql(
    _move_action.returning(
        select(_head.c.n).where(_head.c.stream == bindparam("stream")).scalar_subquery().label("n"),
        select(_head.c.hash).where(_head.c.stream == bindparam("stream")).scalar_subquery().label("hash"),
        # SQLite 3.40 says 1 for `IS NOT NULL` here, whatever is there.
        func.length(_action.c.artifact).label("undo"),
    )
)
"""One step of an action's life; no row changes unless state and fence are what the caller saw. It brings the end of the
chain with it, since an entry follows, and the length of the undo that was made; null without one."""
MOVE_ACTION_ON = Sql.of_one(_move_action)
"""The same, of an action that was read in this transaction, with the end of the chain before it."""

_environment = table_of(standing_rows.EnvironmentRow)
_pinned = and_(_environment.c.agent == bindparam("agent"), _environment.c.pinned.is_(true()))
_every: ColumnElement[str] = literal_column("'*'")
_held = (
    select(_standing.c.held)
    .where(_standing.c.agent == bindparam("agent"), _standing.c.tool == bindparam("tool"))
    .where(or_(_standing.c.scope == bindparam("scope"), _standing.c.scope == _every))
    .where(or_(_standing.c.env == bindparam("env"), _standing.c.env == _every))
    # The cell's own row, else the closest of those for all scopes or environments, as `trust.held.nearest`.
    .order_by(case((_standing.c.scope == _every, 1), else_=0), case((_standing.c.env == _every, 1), else_=0))
    .limit(1)
)
_at_stake: Select[tuple[int]] = (
    select(literal_column("1"))
    .where(_awaited.c.agent == bindparam("agent"), _awaited.c.tool == bindparam("tool"))
    .where(_awaited.c.scope == bindparam("scope"), _awaited.c.env == bindparam("env"))
    .limit(1)
)
_late = _at_stake.where(_awaited.c.due_us <= bindparam("now"))
_late_by_boot = _at_stake.where(_awaited.c.boot == bindparam("boot"), _awaited.c.due_boot_us <= bindparam("boot_now"))
_now_in = bindparam("window", type_=BigInteger)
_latest = select(func.max(_quota.c.window)).where(_quota.c.quota == bindparam("quota")).scalar_subquery()
# A clock that was set back finds the counter in the window it has reached: no window opens a second time.
_reached = case((_latest > _now_in, _latest), else_=_now_in)
_taken = (
    select(cast(func.sum(_quota.c.used + _quota.c.reserved), BigInteger))
    .where(_quota.c.quota == bindparam("quota"))
    .where(_quota.c.window >= _reached - bindparam("reach", type_=BigInteger))
)
_known = (
    _held.scalar_subquery().label("held"),
    func.coalesce(_late.scalar_subquery(), _late_by_boot.scalar_subquery()).label("overdue"),
    _like,
    select(_environment.c.components).where(_pinned).limit(1).scalar_subquery().label("pinned"),
)
LOOK = _sql(
    select(
        *_known,
        select(_head.c.n).where(_head.c.stream == bindparam("agent")).scalar_subquery().label("end"),
        _taken.scalar_subquery().label("taken"),
    )
)
"""What the gate must know of every call: what its cell holds, whether a report on it wasn't read in time by either
clock, whether this thread has seen the same tool and arguments before, how long the agent's chain is, the pinned
environment, and what is taken from one quota, since most calls draw on one at most."""

LOOK_AGAIN = _sql(select(*_known))
"""The same, quotas apart."""

TAKEN = _sql(_taken)
"""What is taken in the window that a counter is in, or in all buckets that a sliding one still reaches."""
_before = _quota.alias("before")
_earlier_taken = (
    select(cast(func.sum(_before.c.used + _before.c.reserved), BigInteger))
    .where(_before.c.quota == bindparam("quota"), _before.c.window < _now_in)
    .where(_before.c.window >= _now_in - bindparam("reach", type_=BigInteger))
    .scalar_subquery()
)
_later = exists().where(_before.c.quota == bindparam("quota"), _before.c.window > _now_in)


def _draw(earlier: ColumnElement[int]) -> Sql:
    wanted = bindparam("amount", type_=BigInteger)
    return _sql(
        update(_quota)
        .where(_quota.c.quota == bindparam("quota"), _quota.c.window == _now_in)
        .where(_quota.c.used + _quota.c.reserved + wanted <= bindparam("lim", type_=BigInteger) - earlier)
        .where(~_later)
        .values(reserved=_quota.c.reserved + wanted, lim=bindparam("lim"))
    )


DRAW = _draw(literal_column("0"))
"""Check and hold in the window that a counter is in already, as most claims do; no row changes where it isn't in it, or
where it is full. To return anything would cost SQLite more than all the rest."""
DRAW_SLIDING = _draw(func.coalesce(_earlier_taken, literal_column("0")))
"""The same for a bucket of a sliding window, with the earlier ones that count."""
EARLIER = _sql(
    select(
        func.coalesce(
            cast(func.sum(case((_quota.c.window < _now_in, _quota.c.used + _quota.c.reserved))), BigInteger),
            literal_column("0"),
        ).label("earlier"),
        func.coalesce(func.max(_quota.c.window), literal_column("0")).label("latest"),
    ).where(_quota.c.quota == bindparam("quota"), _quota.c.window >= bindparam("since"))
)
"""What is taken in the buckets before this one that still count, and the last bucket that was counted in."""
_put_quota = insert(_quota).values(
    quota=bindparam("quota"),
    window=_reached,
    used=literal_column("0"),
    reserved=bindparam("amount"),
    lim=bindparam("lim"),
)
RESERVE = _sql(
    _put_quota.on_conflict_do_update(
        index_elements=["quota", "window"],
        set_={"reserved": _quota.c.reserved + _put_quota.excluded.reserved, "lim": _put_quota.excluded.lim},
        where=_quota.c.used + _quota.c.reserved + _put_quota.excluded.reserved
        <= _put_quota.excluded.lim - bindparam("earlier", type_=BigInteger),
    ).returning(_quota.c.window, _quota.c.used + _quota.c.reserved)
)
"""Check and hold in one statement, and say in which window and what is taken there now; no row when it is full."""

SETTLE = _sql(
    update(_quota)
    .where(and_(_hold.c.action == bindparam("action"), _hold.c.quota == _quota.c.quota))
    .where(_hold.c.window == _quota.c.window)
    .values(used=_quota.c.used + _hold.c.amount * bindparam("used"), reserved=_quota.c.reserved - _hold.c.amount)
)
"""Turn everything that an action holds into what it used (`used` 1), or give it back (0)."""

HELD = _sql(select(_hold.c.quota, _hold.c.window, _hold.c.amount).where(_hold.c.action == bindparam("action")))
"""What an action holds."""
SETTLE_AT = _sql(
    update(_quota)
    .where(and_(_quota.c.quota == bindparam("b_quota"), _quota.c.window == bindparam("b_window")))
    .values(used=_quota.c.used + bindparam("cost"), reserved=_quota.c.reserved - bindparam("amount"))
)
"""Turn what is held of one counter into what it really came to."""

DROP_HOLDS = _sql(_hold.delete().where(_hold.c.action == bindparam("action")))

QUESTION_OF = _sql(
    select(_question, _action.c.why)
    .join(_action, _action.c.key == _question.c.action)
    .where(_question.c.action == bindparam("action"), _question.c.state != literal_column("'used'"))
    .order_by(_question.c.round.desc())
    .limit(1)
)
"""The latest question about an action that wasn't consumed."""

_asked = _question.alias("asked")
_round = select(func.coalesce(func.max(_asked.c.round), 0) + 1).where(_asked.c.action == bindparam("action"))
INSERT_QUESTION = _sql(
    insert(_question).values({
        column.name: _round.scalar_subquery() if column.name == "round" else bindparam(column.name)
        for column in _question.columns
    })
)  # fmt: skip
"""A new question, as the next one about its action."""

DECLINED_LIKE = _sql(
    select(_question.c.by, _question.c.auth, _question.c.reason, _question.c.answered_us)
    .join(_action, _action.c.key == _question.c.action)
    .where(_action.c.thread == bindparam("thread"), _action.c.digest == bindparam("digest"))
    .where(_action.c.state == literal_column("'declined'"), _question.c.state == literal_column("'declined'"))
    .limit(1)
)
LAST_ANSWER = _sql(
    select(_question.c.state, _question.c.by, _question.c.auth, _question.c.reason, _question.c.answered_us)
    .join(_action, _action.c.key == _question.c.action)
    .where(_action.c.thread == bindparam("thread"), _question.c.answered_us.is_not(None))
    .order_by(_question.c.answered_us.desc())
    .limit(1)
)
"""The last answer that was taken in a thread."""
LAST_REQUESTER = _sql(
    select(_question.c.requester, _question.c.requester_auth)
    .join(_action, _action.c.key == _question.c.action)
    .where(_action.c.thread == bindparam("thread"))
    .order_by(_question.c.asked_us.desc())
    .limit(1)
)
"""Whose run the last question of a thread came from; empty where nobody knew."""

_move_question = (
    update(_question)
    .where(_question.c.id == bindparam("b_id"), _question.c.state == bindparam("b_state"))
    .values(
        state=bindparam("state"),
        by=bindparam("by"),
        auth=bindparam("auth"),
        reason=bindparam("reason"),
        answered_us=bindparam("answered_us"),
    )
)
MOVE_QUESTION = _sql(_move_question)
"""Answer or consume a question; no row changes unless it is still in the state the caller saw."""
MOVE_QUESTION_ON = Sql.of_one(_move_question)
"""The same, of a question that was read in this transaction, after the end of the chain."""

PASS_QUESTION = _sql(
    update(_question)
    .where(and_(_question.c.id == bindparam("b_id"), _question.c.state == literal_column("'open'")))
    .values(passed_to=bindparam("passed_to"), passed_by=bindparam("passed_by"))
)
"""Hand an open question to somebody else; no row changes where it isn't open any more."""

INSERT_VOTE = insert_into(rows.VoteRow, " ON CONFLICT DO NOTHING")
"""One person's yes counts once, also after they took it back."""
VOTES = _sql(select(_vote).where(_vote.c.question == bindparam("question")).order_by(_vote.c.at_us, _vote.c.voter))
WITHDRAW_VOTE = _sql(
    update(_vote)
    .where(and_(_vote.c.question == bindparam("b_question"), _vote.c.voter == bindparam("b_voter")))
    .where(_vote.c.withdrawn.is_(false()))
    .values(withdrawn=true())
)

# What people do; none of it is on the gate's path.

FIND_QUESTIONS = _sql(
    select(_question.c.id, _question.c.action).where(_question.c.id.startswith(bindparam("prefix"), autoescape=False))
)
FIND_ACTIONS = _sql(select(_action.c.key).where(_action.c.key.startswith(bindparam("prefix"), autoescape=False)))
JUDGE_SUGGESTION = _sql(
    update(_action)
    .where(_action.c.key == bindparam("b_key"), _action.c.state == literal_column("'suggested'"))
    .where(_action.c.verdict == literal_column("''"))
    .values(verdict=bindparam("verdict"), actor=bindparam("by"))
)
PINNED = _sql(select(_environment.c.key, _environment.c.components).where(_pinned))
SEEN_ENVIRONMENT = _sql(
    select(_environment.c.pinned, _environment.c.last_us).where(
        and_(_environment.c.agent == bindparam("agent"), _environment.c.key == bindparam("key"))
    )
)
INSERT_ENVIRONMENT = insert_into(standing_rows.EnvironmentRow)
UNPIN = _sql(update(_environment).where(_environment.c.agent == bindparam("b_agent")).values(pinned=false()))
PIN = _sql(
    update(_environment)
    .where(and_(_environment.c.agent == bindparam("b_agent"), _environment.c.key == bindparam("b_key")))
    .values(pinned=true())
)
RETURN_TO_ENVIRONMENT = _sql(
    update(_environment)
    .where(and_(_environment.c.agent == bindparam("b_agent"), _environment.c.key == bindparam("b_key")))
    .values(last_us=bindparam("last_us"))
)
_footing = table_of(standing_rows.FootingRow)
_FOUND = ("can_ask", "reversible", "outward", "unportable", "ttl", "canary", "version", "undo", "at_us")
_put_footing = insert(_footing).values({column.name: bindparam(column.name) for column in _footing.columns})
PUT_FOOTING = _sql(
    _put_footing.on_conflict_do_update(
        index_elements=["agent", "tool"],
        set_={name: _put_footing.excluded[name] for name in _FOUND},
    )
)
