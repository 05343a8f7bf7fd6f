"""What a thread did since one of its actions, for rolling it back; and what came of that, on record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select

from ladder_graph.facts import Known
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.tables import rows
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.unwinding import Member

_action = table_of(rows.ActionRow)
_entry = table_of(rows.EntryRow)
_part = table_of(rows.PartRow)
_under = _part.alias("under")

_names = ("key", "tool", "state", "owner", "fence", "call_id", "checkpoint", "rung")
_columns = [_action.c[name] for name in _names]
_ACTIONS = Sql.of(
    select(
        *_columns,
        func.length(_action.c.artifact).label("prepared"),
        func.min(_part.c.whole).label("whole"),
        func.min(_under.c.rest).label("rest"),
    )
    .select_from(
        _action.outerjoin(_part, _part.c.whole == _action.c.key).outerjoin(_under, _under.c.part == _action.c.key)
    )
    .where(_action.c.thread == bindparam("thread"))
    .group_by(*_columns, _action.c.artifact)
)
_ENTRIES = Sql.of(
    select(*(_entry.c[name] for name in ("stream", "n", "at_us", "kind", "action")))
    .join(_action, _action.c.key == _entry.c.action)
    .where(_action.c.thread == bindparam("thread"))
    .order_by(_entry.c.n)
)
_AGENTS = Sql.of(
    select(func.count(_action.c.agent.distinct()).label("many")).where(_action.c.thread == bindparam("thread"))
)
_WAITS = frozenset({State.ASKED, State.APPROVED})


class Place(NamedTuple):
    """Where an entry stands."""

    chain: str
    """The agent whose chain it is in."""
    n: int
    """Its number there."""
    at_us: int
    """When, by the clock of whoever wrote it."""
    step: int | None = None
    """The step of the conversation in which it was written, as far as that is known."""


@dataclass(frozen=True, slots=True)
class Line:
    """The steps that a conversation as it stands has come by."""

    steps: Mapping[str, int] = field(default_factory=dict)
    """Of each of its checkpoints, and of each task that ran from one, which step that was."""
    back_to: int = 0
    """The step to which it goes back: whatever was called in that one or later is gone."""


@dataclass(frozen=True, slots=True)
class Since:
    """What a thread did from one of its actions on."""

    members: tuple[Member, ...]
    """The actions that were started, in the order of their effects."""
    waiting: tuple[str, ...]
    """The keys of those that wait for an answer, or to run after one."""
    forked: bool
    """The conversation was forked before this action, and nothing was started since."""


def task_of(checkpoint: str) -> str:
    """The id of the outer graph's task in which a call inside another graph was made; empty for one of its own.

    Args:
        checkpoint: The one that the call's task went on from, as the ledger has it.
    """
    return checkpoint.partition("@")[2].partition("|")[0].rpartition(":")[2]


def agents(cursor: Cursor, thread: str) -> int:
    """How many agents have called something in a thread."""
    many: int = cursor.execute(_AGENTS, {"thread": thread}).fetchone()["many"]
    return many


def since(
    cursor: Cursor, journal: Journal, known: Known, together: Collection[str] = (), tasks: Collection[str] = (),
    line: Line | None = None,
) -> Since:  # fmt: skip
    """What the thread of an action did from that on, the action included, and what its message has proposed with it.

    Args:
        cursor: In a snapshot.
        journal: The moment and the process.
        known: The action.
        together: The ids of the calls that are gone with its message, where its conversation is at hand.
        tasks: The ids of the outer graph's tasks that are gone, with all that was called in them.
        line: How its conversation came to where it stands, where that is at hand.
    """
    thread, key, line = known.call.thread, known.call.key, line or Line()
    found = {row["key"]: row for row in cursor.execute(_ACTIONS, {"thread": thread}).fetchall()}
    told = _told(cursor, found, thread, line)
    every = [place for places in told.values() for place in places.values()]
    when = in_order(every)
    began = {one: places["started"] for one, places in told.items() if "started" in places}

    def with_it(row: Any) -> bool:
        """Whether a call was proposed by the message that is gone, or made in a task that is."""
        return (
            row["call_id"] in together
            or task_of(row["checkpoint"]) in tasks
            or bool(known.checkpoint and row["checkpoint"] == known.checkpoint)
        )

    heard = told[key][""]
    first = min(when[began.get(one, heard)] for one in {key, *(one for one in began if with_it(found[one]))})
    own = began.get(key, heard)

    def later(place: Place, than: tuple[int, ...]) -> bool:
        """Whether an entry was written after the conversation stood where it goes back to."""
        if place.chain == own.chain and place.n >= own.n:
            return True
        return when[place] >= than if place.step is None else place.step >= line.back_to

    # Of a call that goes by a part first, the part and the rest have the effect.
    acted = [one for one in began if found[one]["whole"] is None or journal.running(found[one])]
    members = [one for one in acted if later(began[one], first) or with_it(found[one])]
    by_step = in_order(every, by_step=True)
    members.sort(key=lambda one: by_step[_effect(found[one], told[one])])
    forked = told[key].get("forked")
    return Since(
        tuple(_member(journal, found[one], n) for n, one in enumerate(members, 1)),
        tuple(
            one for one, row in found.items()
            if row["state"] in _WAITS and (later(told[one][""], min(when[heard], first)) or with_it(row))
        ),
        forked is not None and all(when[began[one]] <= when[forked] for one in members),
    )  # fmt: skip


def in_order(places: Iterable[Place], *, by_step: bool = False) -> dict[Place, tuple[int, ...]]:
    """By what entries are ordered: in one chain by their numbers, whatever a clock said when they were written.

    Between chains it is the step of the conversation, and else the clock, which counts as what it was at its highest
    in the chain so far: one that was set back, or that of another machine, puts nothing before what was there.

    Args:
        places: Entries of some chains.
        by_step: Whether it goes by steps, where they are known.
    """
    every = sorted(places, key=lambda one: one.n)
    steps = [(one.at_us, one.step) for one in every if by_step and one.step is not None]
    found, reached = dict[Place, tuple[int, ...]](), dict[str, tuple[int, ...]]()
    for one in every:
        step = one.step if by_step else None
        if step is None:
            step = max((step for at, step in steps if at <= one.at_us), default=-1)
        here = (step, one.at_us)
        reached[one.chain] = max(reached.get(one.chain, here), here)
        found[one] = (*reached[one.chain], one.n)
    return found


def _told(cursor: Cursor, found: Mapping[str, Any], thread: str, line: Line) -> dict[str, dict[str, Place]]:
    """Of each action, the first entry of each kind, the last that it was forked by, and as "" the first of all."""
    told = dict[str, dict[str, Place]]()
    for row in cursor.execute(_ENTRIES, {"thread": thread}).fetchall():
        place = Place(row["stream"], row["n"], row["at_us"], _step(found[row["action"]], line))
        kinds = told.setdefault(row["action"], {"": place})
        if row["kind"] == "forked":
            kinds["forked"] = place._replace(step=None)
        else:
            kinds.setdefault(row["kind"], place)
    return told


def _step(row: Any, line: Line) -> int | None:
    """The step in which an action ran; None where nobody knows: a draft runs whenever somebody accepts it."""
    if row["rung"] <= Rung.DRAFT:
        return None
    return line.steps.get(task_of(row["checkpoint"]) or row["checkpoint"].partition("@")[0])


def _effect(row: Any, told: Mapping[str, Place]) -> Place:
    """By what an action is ordered: its end where it can be undone, else its start, as in a scope."""
    ends = [told[kind] for kind in ("done", "undoing") if kind in told]
    return min(ends, key=lambda one: one.n) if row["prepared"] and ends else told["started"]


def _member(journal: Journal, row: Any, n: int) -> Member:
    return Member(
        action=row["key"], tool=row["tool"], n=n, state=State(row["state"]), prepared=bool(row["prepared"]),
        running=journal.running(row), rest=row["rest"] or "",
    )  # fmt: skip
