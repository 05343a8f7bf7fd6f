"""Scopes in the ledger: which calls belong to one, in which order they took effect, and what came of undoing them.

Whoever starts a call in a scope, and whoever says that the scope is to be undone, changes the row of the outermost
scope. So no call can slip into a scope that is being undone: one of the two comes first, and the other one sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, cast

from sqlalchemy import and_, bindparam, func, literal_column, or_, select, update

from ladder_graph.errors import LadderError
from ladder_graph.facts import Person
from ladder_graph.ledger.actions import members as membership
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.tables import rows, watch_rows
from ladder_graph.ledger.tables.saga_rows import MemberRow, SagaRow
from ladder_graph.ledger.watching import watches
from ladder_graph.ledger.watching.watches import PULSE, Window
from ladder_graph.states import State
from ladder_graph.unwinding import OVER, PHASES, SETTLED, Came, Member, Phase, named

_action = table_of(rows.ActionRow)
_watch = table_of(watch_rows.WatchRow)
_part = table_of(rows.PartRow)
_saga = table_of(SagaRow)
_member = table_of(MemberRow)

_INSERT = insert_into(SagaRow, " ON CONFLICT DO NOTHING")
_SAGA = Sql.of(select(_saga).where(_saga.c.id == bindparam("id")))
_FIND = Sql.of(select(_saga.c.id).where(_saga.c.id.startswith(bindparam("prefix"), autoescape=False)).limit(2))
_TREE = Sql.of(select(_saga).where(_saga.c.root == bindparam("root")))
_TOUCH = Sql.of(update(_saga).where(_saga.c.id == bindparam("root")).values(steps=_saga.c.steps))
_NEW = ("phase", "owner", "due_us", "why", "by")
_CHANGE = Sql.of(
    update(_saga)
    .where(and_(_saga.c.id == bindparam("b_id"), _saga.c.phase == bindparam("b_phase")))
    .values({name: bindparam(name) for name in _NEW})
)
_COLUMNS = [_action.c[name] for name in ("key", "tool", "state", "owner", "fence")]
_prepared = func.length(_action.c.artifact).label("prepared")
_MEMBERS = Sql.of(
    select(_member, *_COLUMNS, _prepared, _part.c.rest)
    .join(_action, _action.c.key == _member.c.action)
    .outerjoin(_part, _part.c.part == _member.c.action)
    .where(_member.c.root == bindparam("root"), _member.c.n.is_not(None))
    .order_by(_member.c.n)
)
_CAME = Sql.of(
    update(_member)
    .where(and_(_member.c.action == bindparam("b_action"), _member.c.n.is_not(None)))
    .values(came=bindparam("came"), text=bindparam("text"))
)
_TAKE = Sql.of(
    update(_saga)
    .where(and_(_saga.c.due_us <= bindparam("now"), _saga.c.phase == literal_column("'undo'")))
    .values(due_us=bindparam("again"))
    .returning(_saga.c.id)
)
_DUE = Sql.of(select(func.min(_saga.c.due_us)))
_LIST = Sql.of(
    select(_saga)
    .where(or_(_saga.c.agent == bindparam("agent"), bindparam("agent") == literal_column("''")))
    .order_by(_saga.c.begun_us)
)
_WATCHED = Sql.of(
    select(literal_column("1"))
    .select_from(_member.join(_watch, _watch.c.action == _member.c.action))
    .where(_member.c.root == bindparam("root"))
    .where(_watch.c.phase.in_([literal_column(f"'{one}'") for one in ("armed", "open")]))
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope as it stands."""

    id: str
    root: str
    parent: str
    agent: str
    name: str
    phase: Phase
    owner: str
    begun_us: int
    due_us: int | None
    why: str
    by: str

    @classmethod
    def of(cls, row: Any) -> Scope:
        """From its row."""
        names = [one.name for one in fields(cls) if one.name != "phase"]
        return cls(phase=Phase(row["phase"]), **{name: row[name] for name in names})

    @property
    def said(self) -> str:
        """It in words."""
        return named(self.name, self.id)


# --- scopes ----------------------------------------------------------------------------------------------------------


def scope(cursor: Cursor, saga: str) -> Scope | None:
    """One scope by its id; None where there is none."""
    row = cursor.execute(_SAGA, {"id": saga}).fetchone()
    return None if row is None else Scope.of(row)


def find(cursor: Cursor, prefix: str) -> list[str]:
    """The ids that begin like this; two at most."""
    # Ids are hexadecimal; anything else would be a pattern and not a prefix.
    found = cursor.execute(_FIND, {"prefix": prefix if prefix.isalnum() else "-"}).fetchall()
    return [row["id"] for row in found]


def scopes(cursor: Cursor, agent: str = "") -> list[Scope]:
    """All scopes of an agent, or of all agents, oldest first."""
    return [Scope.of(row) for row in cursor.execute(_LIST, {"agent": agent}).fetchall()]


def watched(cursor: Cursor, root: str) -> bool:
    """Whether a member's window is open, or will be."""
    return cursor.execute(_WATCHED, {"root": root}).fetchone() is not None


def enter(cursor: Cursor, journal: Journal, saga: str, name: str, agent: str, parent: str) -> Scope:
    """Enter the block of a scope: a new one, or one whose earlier block is over.

    One that is undone is entered too, so that a node that starts over finds what it was told; nothing more of it runs.

    Raises:
        LadderError: Its block is running in this moment.
    """
    above = scope(cursor, parent) if parent else None
    owner = journal.owner.hold()
    cursor.execute(_INSERT, {
        "id": saga, "root": saga if above is None else above.root, "parent": parent, "agent": agent, "name": name,
        "phase": Phase.OPEN, "owner": owner, "steps": 0, "begun_us": journal.us, "due_us": None, "why": "", "by": "",
    })  # fmt: skip
    new, found = bool(cursor.rowcount == 1), scope(cursor, saga)
    assert found is not None  # noqa: S101  # it is there, by this statement or an earlier one
    if new:
        _write(cursor, journal, found)
    elif found.phase is Phase.OPEN and lives(journal, found):
        raise LadderError(f"the block of {found.said} is running; let it end, or give this one another key")
    elif found.phase is Phase.OPEN or Phase.OPEN in PHASES[found.phase]:
        change(cursor, journal, found, Phase.OPEN, owner=owner)
    return found


BLOCK = 0
"""The fence of a block, among the things that a process does."""


def lives(journal: Journal, one: Scope) -> bool:
    """Whether the process whose block it is lives; of this process it is known whether it is in the block."""
    return journal.owner.alive(one.owner, one.id, BLOCK)


def change(
    cursor: Cursor, journal: Journal, one: Scope, phase: Phase, *, auth: str = "", **new: Any
) -> bool:  # fmt: skip
    """Take a scope to another phase, with its entry; False where it isn't in the phase any more that the caller saw.

    Args:
        cursor: In a transaction.
        journal: The moment.
        one: As the caller saw it.
        phase: What it comes to.
        auth: How the person was known who says so now.
        new: What changes beside that, by the columns' names.
    """
    cursor.execute(_TOUCH, {"root": one.root})
    kept = {name: getattr(one, name) for name in _NEW}
    cursor.execute(_CHANGE, {"b_id": one.id, "b_phase": one.phase, **kept, "due_us": None, **new, "phase": phase})
    if cursor.rowcount != 1:
        return False
    _write(cursor, journal, replace(one, phase=phase), new.get("why", ""), by=new.get("by", ""), auth=auth)
    return True


def _write(cursor: Cursor, journal: Journal, one: Scope, why: str = "", **signed: str) -> None:
    """The entry of the phase that a scope has come to."""
    text = f"{one.said}: {one.phase}" + (f", because {why}" if why else "")
    body = {"saga": one.id, "name": one.name, "phase": one.phase, "text": text}
    journal.append(cursor, one.agent, "saga", "", body | {name: said for name, said in signed.items() if said})


def _signed(by: Person | None) -> dict[str, str]:
    return {} if by is None else {"by": by.name, "auth": by.auth}


def lineage(cursor: Cursor, saga: str) -> list[Scope]:
    """A scope and those around it, the outermost last."""
    found = []
    while saga and (one := scope(cursor, saga)) is not None:
        found.append(one)
        saga = one.parent
    return found


def within(cursor: Cursor, one: Scope) -> list[Scope]:
    """A scope and those inside it."""
    tree = [Scope.of(row) for row in cursor.execute(_TREE, {"root": one.root}).fetchall()]
    inside = {one.id}
    # A scope is entered after the one around it.
    for other in sorted(tree, key=lambda found: found.begun_us):
        if other.parent in inside:
            inside.add(other.id)
    return [other for other in tree if other.id in inside]


def members(cursor: Cursor, journal: Journal, one: Scope) -> list[Member]:
    """The calls that were started in a scope and in those inside it, in the order of their effects."""
    inside = {other.id for other in within(cursor, one)}
    found = cursor.execute(_MEMBERS, {"root": one.root}).fetchall()
    return [
        Member(
            action=row["action"], tool=row["tool"], n=row["n"], state=State(row["state"]),
            prepared=bool(row["prepared"]), running=journal.running(row), came=cast("Came", row["came"]),
            text=row["text"], rest=row["rest"] or "",
        )
        for row in found if row["saga"] in inside
    ]  # fmt: skip


# --- undoing a scope -------------------------------------------------------------------------------------------------


def condemn(cursor: Cursor, journal: Journal, action: str, why: str) -> bool:
    """A member went wrong: its scope is to be undone as a whole. False where it is no member, or that is so already.

    It is the innermost scope whose block is still running: one that ended well belongs to the one around it.
    """
    known = membership.of(cursor, action)
    around = [] if known is None else lineage(cursor, known.saga)
    if not around or any(one.phase in OVER for one in around):
        return False
    one = next((one for one in around if one.phase is not Phase.CLOSED), around[-1])
    return undo(cursor, journal, one, why)


def undo(cursor: Cursor, journal: Journal, one: Scope, why: str, by: Person | None = None) -> bool:
    """A scope is to be undone as a whole; once more where that was tried, as far as something of it still stands."""
    if by is not None:
        for member in members(cursor, journal, one):
            if member.came not in SETTLED:
                cursor.execute(_CAME, {"b_action": member.action, "came": "", "text": ""})
    return change(cursor, journal, one, Phase.UNDO, due_us=journal.us + PULSE, why=why, **_signed(by))


def undoing(cursor: Cursor, action: str) -> Scope | None:
    """The outermost scope of an action that is undone or is to be; None where there is none."""
    return next(reversed(_over(cursor, action)), None)


def _over(cursor: Cursor, action: str) -> list[Scope]:
    """The scopes of an action that are undone or are to be, the outermost last."""
    known = membership.of(cursor, action)
    if known is None or known.n is None:
        return []
    return [one for one in lineage(cursor, known.saga) if one.phase in OVER]


def waits_for(cursor: Cursor, action: str) -> str:
    """The scope that comes to an action when it is its turn, where that still lies ahead; empty where there is none."""
    known = membership.of(cursor, action)
    one = undoing(cursor, action)
    return one.id if known is not None and not known.came and one is not None and one.phase is Phase.UNDO else ""


def goes_first(cursor: Cursor, window: Window) -> bool:
    """Whether another action on the same resource is to be undone before this one.

    In a scope that is undone its order alone says so: what lies before this one comes later, whatever a clock says.
    """
    later, scope = watches.later_undos(cursor, window), waits_for(cursor, window.action)
    return any(not scope or waits_for(cursor, one) != scope for one in later)


def left_standing(cursor: Cursor, action: str) -> bool:
    """Whether the undo of a scope stopped before it came to an action: only a person has that undone by itself."""
    known = membership.of(cursor, action)
    return known is not None and known.came == "skipped"


def came(cursor: Cursor, journal: Journal, action: str, word: Came, text: str = "") -> None:
    """What came of a member's undo. What was held is undone once nothing of it stands any more."""
    cursor.execute(_CAME, {"b_action": action, "came": word, "text": text})
    if cursor.rowcount != 1:
        return
    for one in _over(cursor, action):
        if one.phase is Phase.HELD and _settled(members(cursor, journal, one)):
            change(cursor, journal, one, Phase.UNDONE, why=one.why, by=one.by)


def finish(cursor: Cursor, journal: Journal, one: Scope) -> Phase | None:
    """Every member has its outcome; None where somebody else has seen to that, or one was left out after all."""
    found = members(cursor, journal, one)
    if any(not member.came for member in found):
        return None
    phase = Phase.UNDONE if _settled(found) else Phase.HELD
    if not change(cursor, journal, one, phase, why=one.why, by=one.by):
        return None
    for inner in within(cursor, one):
        if inner.phase not in OVER:
            change(cursor, journal, inner, phase, why=one.why, by=one.by)
    return phase


def close(cursor: Cursor, journal: Journal, one: Scope, by: Person, why: str) -> list[Member]:
    """A person has seen to a scope, and to those inside it that were left behind, or undone in part.

    Returns:
        What still stands although it was to be undone.
    """
    stands = [member for member in members(cursor, journal, one) if member.came and member.came not in SETTLED]
    for inner in within(cursor, one):
        left = inner.phase is Phase.LEFT or (inner.phase is Phase.OPEN and not lives(journal, inner))
        if inner.id == one.id or left or inner.phase is Phase.HELD:
            change(cursor, journal, inner, Phase.CLOSED, why=why, **_signed(by))
    return stands


def _settled(found: Sequence[Member]) -> bool:
    return all(member.came in SETTLED for member in found)


def hold(cursor: Cursor, journal: Journal, why: str) -> None:
    """Leave every scope to a person that is to be undone."""
    for one in scopes(cursor):
        if one.phase is Phase.UNDO:
            change(cursor, journal, one, Phase.HELD, why=why)


def take(cursor: Cursor, now_us: int) -> list[str]:
    """Take scopes on whose undo somebody must go on; they are due again a little later."""
    found = cursor.execute(_TAKE, {"now": now_us, "again": now_us + PULSE}).fetchall()
    return [row["id"] for row in found]


def next_due(cursor: Cursor) -> int | None:
    """When somebody must go on with an undo; None where nobody must."""
    due: int | None = cursor.execute(_DUE, {}).fetchone()[0]
    return due
