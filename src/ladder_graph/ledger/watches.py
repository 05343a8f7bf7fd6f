"""Windows in which actions are watched: armed with the claim, opened with the outcome, worked off by any process.

Whoever takes a due window moves its `due_us` on, and so nobody else takes it at the same moment. Who dies with one in
hand loses a measurement and no more: it is due again, at once where another watcher sees the death. A lease saves
work; what must not happen twice is guarded by the phase of the window and the fence of the action.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, and_, bindparam, case, delete, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from ladder_graph.calls import restore
from ladder_graph.ledger import rows
from ladder_graph.ledger.chain import payload_hash
from ladder_graph.ledger.clocks import Moment
from ladder_graph.ledger.cursor import Cursor
from ladder_graph.ledger.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.liveness import Owner
from ladder_graph.policy import Rule
from ladder_graph.policy.checks import Check
from ladder_graph.policy.watching import Watch

_action = table_of(rows.ActionRow)
_entry = table_of(rows.EntryRow)
_payload = table_of(rows.PayloadRow)
_watch = table_of(rows.WatchRow)
_measurement = table_of(rows.MeasurementRow)
_signal = table_of(rows.SignalRow)
_watcher = table_of(rows.WatcherRow)

_UNDO_STATES = ("undoing", "undone", "undo_conflict", "undo_failed")

_put_watch = insert(_watch).values({column.name: bindparam(column.name) for column in _watch.columns})
_PUT_WATCH = Sql.of(
    _put_watch.on_conflict_do_update(
        index_elements=["action"],
        set_={column.name: _put_watch.excluded[column.name] for column in _watch.columns if column.name != "action"},
    )
)
"""A call that starts over after it had no effect is armed anew, under the rule of now."""
_INSERT_MEASUREMENT = insert_into(rows.MeasurementRow, " ON CONFLICT DO NOTHING")
_INSERT_SIGNAL = insert_into(rows.SignalRow, " ON CONFLICT DO NOTHING")
_put_signal = insert(_signal).values({column.name: bindparam(column.name) for column in _signal.columns})
_PUT_SIGNAL = Sql.of(
    _put_signal.on_conflict_do_update(index_elements=["key"], set_={"at_us": _put_signal.excluded.at_us})
)
_LATEST = "/latest"
"""What the key of an alert's last delivery ends with, where there were several."""

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
_OPEN: list[Any] = [literal_column(f"'{one}'") for one in ("armed", "open", "undo", "held")]
_WINDOWS = Sql.of(select(_watch).where(_watch.c.phase.in_(_OPEN)).order_by(_watch.c.until_us))
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
_AHEAD = Sql.of(
    select(
        func.max(_watch.c.begun_us).label("begun"), select(func.max(_watcher.c.beat_us)).scalar_subquery().label("beat")
    ).where(_watch.c.due_us.is_not(None))
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
    .limit(1)
)
_MEASUREMENTS = Sql.of(
    select(_measurement).where(_measurement.c.action == bindparam("action")).order_by(_measurement.c.n)
)
_FORGET_MEASUREMENTS = Sql.of(delete(_measurement).where(_measurement.c.action == bindparam("action")))
_SIGNALS = Sql.of(select(_signal).where(_signal.c.at_us >= bindparam("since")).order_by(_signal.c.at_us, _signal.c.key))

_ARTIFACT = Sql.of(select(_action.c.artifact, _action.c.at_us).where(_action.c.key == bindparam("key")))
_GIVEN = Sql.of(
    select(_payload.c.hash, _payload.c.salt, _payload.c.body)
    .join(_action, _action.c.payload == _payload.c.hash)
    .where(_action.c.key == bindparam("key"))
)
"""What an action was first written down with, its arguments among it; no row once they are erased."""
_STARTS = Sql.of(
    select(_entry.c.payload, _payload.c.salt, _payload.c.body)
    .join(_payload, _payload.c.hash == _entry.c.payload)
    .where(and_(_entry.c.action == bindparam("action"), _entry.c.kind == literal_column("'started'")))
    .order_by(_entry.c.n.desc())
)
"""The starts of an action, the last one in front; a takeover is one too."""

_failed = _action.c.state.in_([literal_column(f"'{one}'") for one in ("failed", "unknown", *_UNDO_STATES)])
_LATER = Sql.of(
    select(func.count(), func.sum(case((_failed, literal_column("1")), else_=literal_column("0"))))
    .select_from(_action)
    .where(and_(_action.c.agent == bindparam("agent"), _action.c.at_us > bindparam("since")))
    .where(_action.c.state.in_([literal_column(f"'{one}'") for one in ("done", "failed", "unknown", *_UNDO_STATES)]))
)
"""An agent's calls since a moment that ran, and those of them that failed."""

_put_beat = insert(_watcher).values({column.name: bindparam(column.name) for column in _watcher.columns})
_BEAT = Sql.of(_put_beat.on_conflict_do_update(index_elements=["owner"], set_={"beat_us": _put_beat.excluded.beat_us}))
_BEATS = Sql.of(select(_watcher).order_by(_watcher.c.beat_us.desc()))
_rehearsal = table_of(rows.RehearsalRow)
_put_rehearsal = insert(_rehearsal).values({column.name: bindparam(column.name) for column in _rehearsal.columns})
_PUT_REHEARSAL = Sql.of(
    _put_rehearsal.on_conflict_do_update(
        index_elements=["tool", "version"],
        set_={name: _put_rehearsal.excluded[name] for name in ("at_us", "passed", "text")},
    )
)
_REHEARSAL = Sql.of(
    select(_rehearsal).where(and_(_rehearsal.c.tool == bindparam("tool"), _rehearsal.c.version == bindparam("version")))
)
_REHEARSALS = Sql.of(select(_rehearsal).order_by(_rehearsal.c.at_us))
_LEAVE = Sql.of(delete(_watcher).where(_watcher.c.owner == bindparam("owner")))

TRIES = 5
"""How often an undo is tried before a person must see to it."""
PULSE = 1_000_000
"""Microseconds between two beats of a watcher."""
SILENT = 5 * PULSE
"""Microseconds after the last beat from which on a process that still lives doesn't count as watching."""
AHEAD = 60 * PULSE
"""Microseconds that the clock of another watcher may be ahead; a beat of later says nothing."""


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
        cursor.execute(_FORGET_MEASUREMENTS, {"action": window.action})
    return changed


def failed(cursor: Cursor, window: Window, now_us: int, why: str) -> None:
    """Its undo failed: it is tried again a few times, each time later, and then it is a person's."""
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


def hurry(cursor: Cursor, now_us: int) -> None:
    """Let everything be due at once: a watcher died with windows in its hands, or the clock was set back."""
    cursor.execute(_HURRY, {"now": now_us})


def ahead(cursor: Cursor) -> int:
    """The latest moment that is known to have been, by any watcher's beat or the beginning of an open window."""
    found = cursor.execute(_AHEAD, {}).fetchone()
    return max(found["begun"] or 0, found["beat"] or 0)


def later_undo(cursor: Cursor, window: Window) -> bool:
    """Whether an action that began later on the same resource is still to be undone, which goes first."""
    begun = window.begun
    wanted = {
        "resource": window.resource, "begun_us": begun.wall_us, "boot": begun.boot, "begun_boot_us": begun.boot_us,
    }  # fmt: skip
    return bool(window.resource) and cursor.execute(_LATER_ON_IT, wanted).fetchone() is not None


@dataclass(frozen=True, slots=True)
class Kept:
    """What an undo needs beside the artifact."""

    genuine: bool
    """The artifact is the one that was stored with the claim."""
    after: str | None
    """The touched resource's fingerprint right after the action, where that was taken."""
    age: float
    """Seconds since the action was claimed, by whichever clock says more."""


def kept(cursor: Cursor, action: str, now: Moment) -> Kept:
    """What was stored beside the undo of an action."""
    row = cursor.execute(_ARTIFACT, {"key": action}).fetchone()
    window = window_of(cursor, action)
    wall = now.wall_us - row["at_us"]
    most = wall if window is None else max(wall, now.since(window.begun)[1])
    return Kept(_genuine(cursor, action, row["artifact"]), None if window is None else window.after, most / rows.US)


def _genuine(cursor: Cursor, action: str, artifact: str | None) -> bool:
    """Whether an artifact is what the last start of its action says, and that entry is what it was."""
    said = _said(cursor, action, "undo")
    return said is not None and artifact is not None and digest(artifact) == said


def _said(cursor: Cursor, action: str, name: str) -> str | None:
    """What the last start of an action says under a name; None where it says nothing, or was changed since."""
    for row in cursor.execute(_STARTS, {"action": action}).fetchall():
        if payload_hash(bytes(row["salt"]), row["body"]) != row["payload"]:
            return None
        body = json.loads(row["body"])
        if name in body:  # A takeover says nothing.
            return str(body[name])
    return None


def authentic(cursor: Cursor, window: Window) -> bool:
    """Whether a window is watched by what was written down with the claim."""
    return _said(cursor, window.action, "watch") == digest(window.spec)


def arguments(cursor: Cursor, action: str) -> dict[str, Any] | None:
    """The arguments of an action, for its checks; empty once they are erased, None where they were changed since."""
    row = cursor.execute(_GIVEN, {"key": action}).fetchone()
    if row is None:
        return {}
    whole = payload_hash(bytes(row["salt"]), row["body"]) == row["hash"]
    return restore(json.loads(row["body"])["arguments"]) if whole else None


def digest(text: str) -> str:
    """By what an entry knows a text that is kept elsewhere."""
    return hashlib.sha256(text.encode()).hexdigest()


# --- measurements and signals -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement, as it is kept."""

    which: int
    """Which of the window's checks."""
    at_us: int
    verdict: str
    text: str


@dataclass(frozen=True, slots=True)
class Signal:
    """What came from outside."""

    key: str
    """It counts once under this."""
    at_us: int
    kind: str
    """alert, undo, keep or extend."""
    action: str
    """The action it is about; empty for an alert."""
    body: dict[str, Any]
    """Labels and state of an alert; who, and why, for a person's."""


def measurements(cursor: Cursor, action: str) -> list[Measured]:
    """What was measured in a window so far."""
    found = cursor.execute(_MEASUREMENTS, {"action": action}).fetchall()
    return [Measured(row["which"], row["at_us"], row["verdict"], row["text"]) for row in found]


def note(cursor: Cursor, action: str, first: int, found: Iterable[Measured]) -> bool:
    """Write measurements down; False, and nothing is written, where somebody else has measured meanwhile.

    Args:
        cursor: In a transaction.
        action: Whose.
        first: The number of the first one.
        found: What was measured.
    """
    for n, one in enumerate(found, first):
        cursor.execute(_INSERT_MEASUREMENT, {
            "action": action, "n": n, "which": one.which, "at_us": one.at_us, "verdict": one.verdict,
            "text": one.text,
        })  # fmt: skip
        if cursor.rowcount != 1:
            return False
    return True


def deliver(cursor: Cursor, signals: Sequence[Signal]) -> int:
    """Write signals down, each once, and let the windows that they may be about be due; how many of them are new.

    Of an alert that is delivered again and again the first moment is kept and the last one: by the first it is blamed
    on an action, by the last it shows that alerts get through.
    """
    new = [one for one in signals if _delivered(cursor, one)]
    if alerts := [one.at_us for one in new if one.kind == "alert"]:
        cursor.execute(_ALERTED, {"now": min(alerts)})
    for one in new:
        if one.action:
            cursor.execute(_TOLD, {"b_action": one.action, "now": one.at_us})
    return len(new)


def _delivered(cursor: Cursor, one: Signal) -> bool:
    """Write one down; False where it was known before."""
    row = {
        "key": one.key, "at_us": one.at_us, "kind": one.kind, "action": one.action,
        "body": json.dumps(one.body, sort_keys=True),
    }  # fmt: skip
    cursor.execute(_INSERT_SIGNAL, row)
    new = bool(cursor.rowcount == 1)
    if not new and one.kind == "alert":
        cursor.execute(_PUT_SIGNAL, {**row, "key": one.key + _LATEST})
    return new


def signals(cursor: Cursor, since_us: int) -> list[Signal]:
    """What came in since a moment, oldest first."""
    found = cursor.execute(_SIGNALS, {"since": since_us}).fetchall()
    return [Signal(row["key"], row["at_us"], row["kind"], row["action"], json.loads(row["body"])) for row in found]


def later(cursor: Cursor, agent: str, since_us: int) -> tuple[int, int]:
    """How many calls of an agent ran since a moment, and how many of them failed or were undone."""
    calls, failures = cursor.execute(_LATER, {"agent": agent, "since": since_us}).fetchone()
    return calls, int(failures or 0)


# --- rehearsals ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The last rehearsal of an undo with one version of a tool."""

    at_us: int
    passed: bool
    text: str
    """What didn't hold; empty where everything did."""


def rehearsal(cursor: Cursor, tool: str, version: str) -> Rehearsed | None:
    """The last rehearsal with this version of a tool, or None."""
    row = cursor.execute(_REHEARSAL, {"tool": tool, "version": version}).fetchone()
    return None if row is None else Rehearsed(row["at_us"], bool(row["passed"]), row["text"])


def rehearsals(cursor: Cursor) -> dict[str, Rehearsed]:
    """The last rehearsal of each tool, whatever its version."""
    found = cursor.execute(_REHEARSALS, {}).fetchall()
    return {row["tool"]: Rehearsed(row["at_us"], bool(row["passed"]), row["text"]) for row in found}


def rehearsed(cursor: Cursor, tool: str, version: str, found: Rehearsed) -> None:
    """Write a rehearsal down in the place of the one before."""
    cursor.execute(_PUT_REHEARSAL, {
        "tool": tool, "version": version, "at_us": found.at_us, "passed": found.passed, "text": found.text,
    })  # fmt: skip


# --- who watches ------------------------------------------------------------------------------------------------------


def beat(cursor: Cursor, owner: Owner, name: str, now_us: int) -> None:
    """Say that this process works off windows."""
    cursor.execute(_BEAT, {"owner": owner.hold(), "name": name, "beat_us": now_us})


def leave(cursor: Cursor, owner: Owner) -> None:
    """This process watches no more."""
    cursor.execute(_LEAVE, {"owner": owner.id})


def bury(cursor: Cursor, owner: Owner, now_us: int) -> None:
    """Take the names of dead watchers away; what they had in their hands is due at once."""
    dead = [
        row["owner"]
        for row in cursor.execute(_BEATS, {}).fetchall()
        if row["owner"] != owner.id and not owner.lives(row["owner"])
    ]
    for one in dead:
        cursor.execute(_LEAVE, {"owner": one})
    if dead:
        hurry(cursor, now_us)


def watchers(cursor: Cursor, owner: Owner, now_us: int) -> list[tuple[str, int]]:
    """The processes that watch: name and last beat, the latest in front; the dead and the silent left out."""
    found = cursor.execute(_BEATS, {}).fetchall()
    return [
        (row["name"], row["beat_us"])
        for row in found
        if -AHEAD < now_us - row["beat_us"] < SILENT and (row["owner"] == owner.id or owner.lives(row["owner"]))
    ]
