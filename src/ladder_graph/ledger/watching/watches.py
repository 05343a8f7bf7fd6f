"""Windows in which actions are watched: armed with the claim, opened with the outcome, worked off by any process.

Whoever takes a due window moves its `due_us` on, and so nobody else takes it at the same moment. Who dies with one in
hand loses a measurement and no more: it is due again, at once where another watcher sees the death. A lease saves
work; what must not happen twice is guarded by the phase of the window and the fence of the action.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, and_, bindparam, case, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.ledger.actions.clocks import Moment
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.tables import rows, watch_rows
from ladder_graph.ledger.watching import measurements
from ladder_graph.policy import Rule
from ladder_graph.policy.checks import Check
from ladder_graph.policy.watching import Watch
from ladder_graph.states import AT_WORK

_watch = table_of(watch_rows.WatchRow)
_action = table_of(rows.ActionRow)
_entry = table_of(rows.EntryRow)

_put_watch = insert(_watch).values({column.name: bindparam(column.name) for column in _watch.columns})
_PUT_WATCH = Sql.of(
    _put_watch.on_conflict_do_update(
        index_elements=["action"],
        set_={column.name: _put_watch.excluded[column.name] for column in _watch.columns if column.name != "action"},
    )
)
"""A call that starts over after it had no effect is armed anew, under the rule of now."""

BATCH = 500
"""Windows that one process takes at a time."""

_CHANGING = ("phase", "begun_us", "boot", "begun_boot_us", "until_us", "due_us", "after", "attempts", "why")
_as_seen = and_(
    _watch.c.action == bindparam("b_action"),
    _watch.c.phase == bindparam("b_phase"),
    _watch.c.attempts == bindparam("b_attempts"),
)
_CHANGE = Sql.of(update(_watch).where(_as_seen).values({name: bindparam(name) for name in _CHANGING}))
_AGAIN = Sql.of(update(_watch).where(_as_seen).values(due_us=bindparam("due_us")))
_WINDOW = Sql.of(select(_watch).where(_watch.c.action == bindparam("action")))
_WINDOWS = Sql.of(select(_watch).where(_watch.c.phase.in_(watch_rows.OPEN)).order_by(_watch.c.until_us))
_TAKE = Sql.of(
    update(_watch)
    .where(
        _watch.c.action.in_(
            select(_watch.c.action)
            .where(_watch.c.due_us <= bindparam("now"))
            .order_by(_watch.c.due_us)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
    )
    .values(due_us=bindparam("again"))
    .returning(_watch)
)
_DUE = Sql.of(select(func.min(_watch.c.due_us)))
_BEGUN = Sql.of(select(func.min(_watch.c.begun_us)).where(_watch.c.due_us.is_not(None)))
_not_yet = and_(_watch.c.due_us.is_not(None), _watch.c.due_us > bindparam("now"))
_HURRY = Sql.of(update(_watch).where(_not_yet).values(due_us=bindparam("now")))
_open = _watch.c.phase == literal_column("'open'")
_ALERTED = Sql.of(
    update(_watch)
    .where(and_(_not_yet, _open, _watch.c.spec.like(literal_column('\'%"kind": "alert"%\''))))
    .values(due_us=bindparam("now"))
)
"""Quotes inside a value are escaped in a spec, so nothing but the kind of a check reads like this."""
_TOLD = Sql.of(
    update(_watch)
    .where(and_(_not_yet, _open, _watch.c.action == bindparam("b_action")))
    .values(due_us=bindparam("now"))
)
_same_boot = and_(_watch.c.boot == bindparam("boot"), _watch.c.boot != literal_column("''"))
_LATER_ON_IT = Sql.of(
    select(_watch.c.action)
    .where(_watch.c.resource == bindparam("resource"), _watch.c.phase == literal_column("'undo'"))
    .where(
        case((_same_boot, _watch.c.begun_boot_us), else_=_watch.c.begun_us)
        > case(
            (_same_boot, bindparam("begun_boot_us", type_=BigInteger)), else_=bindparam("begun_us", type_=BigInteger)
        )
    )
)
_on_it = (
    select(_action.c.key, _action.c.state, _action.c.owner, _action.c.fence)
    .join(_watch, _watch.c.action == _action.c.key)
    .where(_watch.c.resource == bindparam("resource"), _action.c.key != bindparam("but"))
)
_at_work = _action.c.state.in_([literal_column(f"'{one}'") for one in sorted(AT_WORK)])
_at_work_on_it = _on_it.where(_action.c.agent == bindparam("agent"), _at_work)
_AT_WORK_ON_IT = Sql.of(_at_work_on_it)
_to_undo = and_(_watch.c.phase == literal_column("'undo'"), _watch.c.attempts == literal_column("0"))
_TO_UNDO = Sql.of(
    select(_watch).where(_watch.c.resource == bindparam("resource"), _watch.c.agent == bindparam("agent"), _to_undo)
)
_since = _on_it.join(_entry, _entry.c.action == _action.c.key).where(
    _entry.c.stream == bindparam("agent"), _entry.c.n > bindparam("since")
)
_SINCE = Sql.of(_since)
_AT_IT = Sql.of(
    _at_work_on_it.union_all(
        _on_it.where(_watch.c.agent == bindparam("agent"), _to_undo),
        _since,
    )
)
"""By the agent's few actions that are at work, and its few last entries; those on a resource become more and more."""

TRIES = 5
"""How often an undo is tried before a person must see to it."""
DIDN_T_WORK = "; its undo didn't work: "
"""What stands between what was wrong with an action, and why that couldn't be undone."""
PULSE = 1_000_000
"""Microseconds between two beats of a watcher."""


def spec_of(rule: Rule) -> str:
    """What is watched under a rule, as it is kept with the window."""
    checks = [check.model_dump(mode="json") for check in rule.checks]
    return json.dumps({"watch": rule.watch.model_dump(mode="json"), "checks": checks}, sort_keys=True)


@functools.lru_cache(maxsize=1024)
def watched(spec: str) -> tuple[Watch, tuple[Check, ...]]:
    """How an action is watched, from what was kept with its window.

    Raises:
        ValueError: Somebody has changed it.
    """
    kept = json.loads(spec)
    return Watch.model_validate(kept["watch"]), _CHECKS.validate_python(kept["checks"])


_CHECKS: TypeAdapter[tuple[Check, ...]] = TypeAdapter(tuple[Check, ...])


@dataclass(frozen=True, slots=True)
class Window:
    """One window as it stands."""

    action: str
    agent: str
    tool: str
    phase: str
    spec: str
    resource: str
    begun: Moment
    until_us: int
    due_us: int | None
    after: str | None
    attempts: int
    why: str

    @classmethod
    def of(cls, row: Any) -> Window:
        """From its row."""
        begun = Moment(row["begun_us"], row["boot"], row["begun_boot_us"])
        names = [one.name for one in fields(cls) if one.name != "begun"]
        return cls(begun=begun, **{name: row[name] for name in names})


def arm(
    cursor: Cursor, *, action: str, agent: str, tool: str, spec: str, resource: str, at: Moment, length_us: int
) -> None:
    """Write a window down with the claim of its action; it opens when the action has finished."""
    cursor.execute(_PUT_WATCH, {
        "action": action, "agent": agent, "tool": tool, "phase": "armed", "spec": spec, "resource": resource,
        "begun_us": at.wall_us, "boot": at.boot, "begun_boot_us": at.boot_us, "until_us": at.wall_us + length_us,
        "due_us": at.wall_us + PULSE, "after": None, "attempts": 0, "why": "",
    })  # fmt: skip


def change(cursor: Cursor, window: Window, **new: Any) -> bool:
    """Change a window, if nobody has taken it to another phase, or tried its undo, since the caller saw it.

    Args:
        cursor: In a transaction.
        window: As the caller saw it.
        new: What changes, by the columns' names; `begun` takes a `Moment`.
    """
    begun: Moment = new.pop("begun", window.begun)
    row = {
        "phase": window.phase, "begun_us": begun.wall_us, "boot": begun.boot, "begun_boot_us": begun.boot_us,
        "until_us": window.until_us, "due_us": window.due_us, "after": window.after, "attempts": window.attempts,
        "why": window.why, **new,
    }  # fmt: skip
    cursor.execute(_CHANGE, {**row, **_seen(window)})
    return bool(cursor.rowcount == 1)


def again(cursor: Cursor, window: Window, due_us: int | None) -> None:
    """Look again at that moment, or not before somebody says so; as `change`, and nothing else of it is written."""
    cursor.execute(_AGAIN, {**_seen(window), "due_us": due_us})


def _seen(window: Window) -> dict[str, Any]:
    return {"b_action": window.action, "b_phase": window.phase, "b_attempts": window.attempts}


def window_of(cursor: Cursor, action: str) -> Window | None:
    """The window of an action; None where it has none."""
    row = cursor.execute(_WINDOW, {"action": action}).fetchone()
    return None if row is None else Window.of(row)


def windows(cursor: Cursor) -> list[Window]:
    """All that aren't over, the one that ends first in front."""
    return [Window.of(row) for row in cursor.execute(_WINDOWS, {}).fetchall()]


def opened(cursor: Cursor, window: Window, at: Moment, after: str | None) -> None:
    """The action has finished: its window begins, if it is to be watched, and is looked at at once."""
    length = window.until_us - window.begun.wall_us
    if window.phase == "armed" and length:
        change(cursor, window, phase="open", begun=at, until_us=at.wall_us + length, due_us=at.wall_us, after=after)
    elif window.phase == "armed":
        # Whoever undoes it all the same, as a person or with the rest of its call, still needs to know what it left.
        change(cursor, window, phase="kept", due_us=None, after=after)


def over(cursor: Cursor, window: Window, phase: str, why: str) -> bool:
    """Nobody needs to look again: it was kept, undone, or is a person's (`held`). False where that was so before."""
    changed = change(cursor, window, phase=phase, due_us=None, why=why or window.why)
    if changed and phase != "held":
        measurements.forget(cursor, window.action)
    return changed


def not_undone(window: Window, came: str) -> str:
    """What was wrong with an action, and what came of the last try to undo it."""
    return f"{trouble_of(window.why)}{DIDN_T_WORK}{came}"


def trouble_of(why: str) -> str:
    """What was wrong with an action, without what came of trying to undo it."""
    return why.partition(DIDN_T_WORK)[0]


def failed(cursor: Cursor, window: Window, now_us: int, came: str) -> None:
    """Its undo failed: it is tried again a few times, each time later, and then it is a person's."""
    why = not_undone(window, came)
    if window.attempts + 1 >= TRIES:
        change(cursor, window, phase="held", due_us=None, attempts=window.attempts + 1, why=why)
        return
    due = now_us + PULSE * 2 ** (window.attempts + 1)
    change(cursor, window, phase="undo", due_us=due, attempts=window.attempts + 1, why=why)


def take(cursor: Cursor, now_us: int, again_us: int) -> list[Window]:
    """Take windows that are due, the longest due in front; they are due again at that later moment."""
    found = cursor.execute(_TAKE, {"now": now_us, "again": again_us}).fetchall()
    return sorted((Window.of(row) for row in found), key=lambda window: (window.until_us, window.action))


def next_due(cursor: Cursor) -> int | None:
    """When the next window is due; None where nothing is watched."""
    due: int | None = cursor.execute(_DUE, {}).fetchone()[0]
    return due


def first_begun(cursor: Cursor) -> int | None:
    """When the oldest window that somebody is to look at began; None where there is none."""
    begun: int | None = cursor.execute(_BEGUN, {}).fetchone()[0]
    return begun


def hurry(cursor: Cursor, now_us: int) -> None:
    """Let everything be due at once: a watcher died with windows in its hands, or the clock was set back."""
    cursor.execute(_HURRY, {"now": now_us})


def hurry_alerted(cursor: Cursor, now_us: int) -> None:
    """Let open windows be due that are watched by alerts: one came in."""
    cursor.execute(_ALERTED, {"now": now_us})


def hurry_told(cursor: Cursor, action: str, now_us: int) -> None:
    """Let the open window of an action be due: somebody said something about it."""
    cursor.execute(_TOLD, {"b_action": action, "now": now_us})


def later_undos(cursor: Cursor, window: Window) -> list[str]:
    """The actions that ended later on the same resource and are still to be undone, which goes first."""
    if not window.resource:
        return []
    begun = window.begun
    wanted = {
        "resource": window.resource, "begun_us": begun.wall_us, "boot": begun.boot, "begun_boot_us": begun.boot_us,
    }  # fmt: skip
    return [row["action"] for row in cursor.execute(_LATER_ON_IT, wanted).fetchall()]


def at_it(cursor: Cursor, agent: str, resource: str, but: str, since: int) -> list[Any]:
    """An agent's actions, but for one, that are at work on a resource, are to be undone, or were at it since an entry.

    Returns:
        Of each, key, state, owner and fence.
    """
    given = {"agent": agent, "resource": resource, "but": but, "since": since}
    return list(cursor.execute(_AT_IT, given).fetchall())


def to_undo(cursor: Cursor, agent: str, resource: str) -> list[Window]:
    """What an agent's calls did on a resource and is to be undone, where nobody has tried that yet."""
    return [Window.of(row) for row in cursor.execute(_TO_UNDO, {"agent": agent, "resource": resource}).fetchall()]


def at_work(cursor: Cursor, window: Window) -> list[Any]:
    """As `at_it`: the other actions of its agent that are at work on what a window's action touches."""
    given = {"agent": window.agent, "resource": window.resource, "but": window.action}
    return list(cursor.execute(_AT_WORK_ON_IT, given).fetchall()) if window.resource else []


def since(cursor: Cursor, window: Window, n: int) -> list[Any]:
    """As `at_it`: those of which the chain of its agent tells since an entry, and on what a window's action touches."""
    given = {"agent": window.agent, "resource": window.resource, "but": window.action, "since": n}
    return list(cursor.execute(_SINCE, given).fetchall()) if window.resource else []
