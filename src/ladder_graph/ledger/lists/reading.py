"""What people look at: lists and single items, read from the tables with SQLModel. Never on the gate's path."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, String, func, literal_column, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import Session, col, select

from ladder_graph.facts import Question
from ladder_graph.ledger.actions.lifecycle import call_of
from ladder_graph.ledger.actions.questions import micros, moment, question_of
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import without_nul
from ladder_graph.ledger.database.sources import on_server
from ladder_graph.ledger.database.store import Store
from ladder_graph.ledger.lists.pages import Sees, anybody
from ladder_graph.ledger.proof import chain
from ladder_graph.ledger.proof.checkpoints_alone import Key, Placed
from ladder_graph.ledger.tables.rows import (
    EVERYDAY,
    OPEN,
    RARE,
    ActionRow,
    BeyondRow,
    EntryRow,
    HeadRow,
    PayloadRow,
    QuestionRow,
    VoteRow,
)
from ladder_graph.ledger.tables.standing_rows import EnvironmentRow, FootingRow, StandingRow
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.held import Held

T = TypeVar("T")

_KEY = 64
"""Characters of an action's whole key, a SHA-256."""


@dataclass(frozen=True, slots=True)
class Action:
    """One call and where it is in its life, for people to read."""

    key: str
    agent: str
    thread: str
    tool: str
    arguments: dict[str, Any]
    """Empty once they were erased."""
    rung: Rung
    state: State
    why: str
    """Why it wasn't on a higher rung."""
    text: str
    """What the model was told, if the tool's own reply didn't stand."""
    at: dt.datetime
    updated: dt.datetime
    actor: str
    """The person whose act it was; empty for the agent's own."""
    verdict: str
    """What a person made of a suggestion."""

    @property
    def short(self) -> str:
        """The first twelve characters of the key."""
        return self.key[:12]


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the chain, for people to read."""

    agent: str
    n: int
    at: dt.datetime
    kind: str
    action: str
    body: dict[str, Any]
    """What it says; empty once it was erased."""
    hash: str
    tool: str = ""
    """The tool it is about; empty for what is about none."""
    thread: str = ""
    """The action's LangGraph thread."""


class Reading:
    """Queries over one ledger. Lists hold an agent's own items and those of the agents inside it (`ops/research`)."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def pending(self, agent: str, limit: int | None = None) -> list[Question]:
        """Open questions of an agent, oldest first; the oldest `limit` of them."""

        def work(session: Session) -> list[Question]:
            query = (
                select(QuestionRow, ActionRow, PayloadRow)
                .join(ActionRow, col(ActionRow.key) == QuestionRow.action)
                .join(PayloadRow, col(PayloadRow.hash) == ActionRow.payload, isouter=True)
                # Written out, by which the index of those that are open is found, however many were asked.
                .where(owned_by(QuestionRow.agent, agent), OPEN)
                .order_by(col(QuestionRow.asked_us))
                .limit(limit)
            )
            found = session.exec(query).all()
            ids = [question.id for question, _, _ in found if question.quorum > 1]
            votes: defaultdict[str, list[Any]] = defaultdict(list)
            for vote in session.exec(
                select(VoteRow).where(col(VoteRow.question).in_(ids)).order_by(col(VoteRow.at_us))
            ):
                votes[vote.question].append(vote.model_dump())
            return [
                question_of(question.model_dump(), call_of(_joined(action, payload)), action.why, votes[question.id])
                for question, action, payload in found
            ]

        return self.store.query(work)

    def actions(self, agent: str, *, state: State | None = None) -> list[Action]:
        """Actions of an agent, oldest first: all of them, or all in one state."""

        def work(session: Session) -> list[Action]:
            query = (
                select(ActionRow, PayloadRow)
                .join(PayloadRow, col(PayloadRow.hash) == ActionRow.payload, isouter=True)
                .where(col(ActionRow.agent).in_(agents_of(session, agent)))
                .order_by(col(ActionRow.at_us))
            )
            if state is not None:
                query = query.where(ActionRow.state == state)
            return [action_of(action, payload) for action, payload in session.exec(query)]

        return self.store.query(work)

    def entries(
        self, agent: str, *, limit: int, tool: str | None = None, thread: str | None = None, action: str | None = None
    ) -> list[Entry]:
        """Entries of an agent's chain and of those inside it, newest last; the latest `limit` of them."""
        whole = action is not None and len(action) == _KEY
        if on_server(self.store.source):
            tool, thread = (named and without_nul(named) for named in (tool, thread))

        def chained(session: Session, stream: str) -> list[Entry]:
            query = (
                select(EntryRow, PayloadRow, ActionRow)
                .join(PayloadRow, col(PayloadRow.hash) == EntryRow.payload, isouter=True)
                .join(ActionRow, col(ActionRow.key) == EntryRow.action, isouter=True)
                .where(EntryRow.stream == stream)
                # Those of one action are few and have an index; for their order the whole chain would be walked.
                .order_by((col(EntryRow.n) + literal_column("0") if whole else col(EntryRow.n)).desc())
                .limit(limit)
            )
            if tool is not None:
                # A demotion is about a tool and about no single action.
                said = TextIn(col(PayloadRow.body), "tool")
                query = query.where(or_(col(ActionRow.tool) == tool, said == tool))
            if thread is not None:
                # What a shadow took down is about a call that is no action.
                said = TextIn(col(PayloadRow.body), "thread")
                query = query.where(or_(col(ActionRow.thread) == thread, said == thread))
            if action is not None:
                of = col(EntryRow.action)
                query = query.where(of == action if whole else of.startswith(action, autoescape=True))
            return [_entry(*found) for found in session.exec(query)][::-1]

        def work(session: Session) -> list[Entry]:
            # Chain by chain, so that each is read from its end, however long the ledger is.
            chains = [chained(session, stream) for stream in agents_of(session, agent)]
            return sorted((entry for found in chains for entry in found), key=lambda entry: entry.at)[-limit:]

        return self.store.query(work)

    def action(self, key: str) -> Action | None:
        """One action by its whole key, or None where the ledger never heard of it."""

        def work(session: Session) -> Action | None:
            action = session.get(ActionRow, key)
            return None if action is None else action_of(action, session.get(PayloadRow, action.payload))

        return self.store.query(work)

    def beyond(self, agent: str, since: dt.datetime) -> dict[str, int]:
        """How many calls outside their bounds people let run since a moment, by tool."""

        def work(session: Session) -> dict[str, int]:
            query = (
                select(BeyondRow.tool, func.count())
                .where(BeyondRow.agent == agent, BeyondRow.at_us >= micros(since))
                .group_by(BeyondRow.tool)
            )
            return dict(session.exec(query).all())

        return self.store.query(work)

    def environments(self, agent: str) -> list[EnvironmentRow]:
        """Every environment that proposed a call; the one it was last seen in is the last."""

        def work(session: Session) -> list[EnvironmentRow]:
            query = select(EnvironmentRow).where(EnvironmentRow.agent == agent)
            return list(session.exec(query.order_by(col(EnvironmentRow.last_us))))

        return self.store.query(work)

    def standings(self, agent: str) -> dict[CellKey, Held]:
        """What promotions and demotions made of each cell that had any."""

        def work(session: Session) -> dict[CellKey, Held]:
            found = session.exec(select(StandingRow).where(StandingRow.agent == agent))
            return {CellKey(row.agent, row.tool, row.scope, row.env): Held.read(row.held) for row in found}

        return self.store.query(work)

    def of_kind(self, agent: str, kind: str) -> list[tuple[int, int, dict[str, Any]]]:
        """The entries of one kind in an agent's chain, oldest first: number, microseconds, and what each says."""

        def work(session: Session) -> list[tuple[int, int, dict[str, Any]]]:
            query = (
                select(EntryRow.n, EntryRow.at_us, PayloadRow.body)
                .join(PayloadRow, col(PayloadRow.hash) == EntryRow.payload)
                .where(EntryRow.stream == agent, EntryRow.kind == kind)
                # As their index has them; by their number the whole chain would be walked for it.
                .order_by(col(EntryRow.at_us), col(EntryRow.n))
            )
            if kind not in EVERYDAY:
                query = query.where(RARE)
            found = sorted(session.exec(query))
            return [(n, at_us, json.loads(body)) for n, at_us, body in found]

        return self.store.query(work)

    def footings(self, agent: str) -> dict[str, FootingRow]:
        """What mounts last found around each tool, by name."""

        def work(session: Session) -> dict[str, FootingRow]:
            return {row.tool: row for row in session.exec(select(FootingRow).where(FootingRow.agent == agent))}

        return self.store.query(work)

    def agents(self, agent: str | None = None) -> list[str]:
        """Every agent that was mounted or has a chain; of one agent, itself and those inside it."""
        return self.store.query(lambda session: agents_of(session, agent))

    def loose_ends(self, sees: Sees = anybody) -> list[str]:
        """What is wrong with the last entry of each chain and its head; a quick look, where `verify` reads all.

        Args:
            sees: Tells of each chain whether it is looked at.
        """

        def work(cursor: Cursor) -> list[str]:
            found = cursor.execute(sql.HEADS).fetchall()
            heads = {stream: (n, digest) for stream, n, digest in found if sees(stream)}
            ends = [end for stream in heads for end in cursor.execute(sql.LAST_ENTRY, {"stream": stream}).fetchall()]
            return chain.loose_ends(ends, heads)

        return self.store.read(work)

    def verify(
        self, exported: Iterable[chain.Head] = (), anchors: Iterable[Placed] = (), keys: Sequence[Key] = ()
    ) -> chain.Verification:
        """Check every chain and every payload, and hold them against heads and checkpoints that were exported."""
        # On the driver's connection: at 100,000 entries a second an ORM would be the slower half.
        return self.store.scan(lambda connection: chain.verify(connection, exported, anchors, keys))

    def heads(self) -> list[chain.Head]:
        """Where each chain ends: agent, number and hash of its last entry."""
        return self.store.read(lambda cursor: sorted(tuple(head) for head in cursor.execute(sql.HEADS).fetchall()))


class TextIn(FunctionElement[str]):
    """A text in a JSON object that a column holds; null where it isn't there."""

    inherit_cache = True
    type = String()


@compiles(TextIn, "sqlite")
def _(element: TextIn, compiler: SQLCompiler, **options: Any) -> str:
    column, name = element.clauses
    return f"json_extract({compiler.process(column, **options)}, '$.' || {compiler.process(name, **options)})"


@compiles(TextIn, "postgresql")
def _(element: TextIn, compiler: SQLCompiler, **options: Any) -> str:
    column, name = (compiler.process(part, **options) for part in element.clauses)
    # A text with a NUL character in it PostgreSQL takes out of no JSON, whichever text is wanted.
    return f"(CASE WHEN strpos({column}, '\\u0000') = 0 THEN {column}::json ->> {name} END)"


def owned_by(column: str, agent: str) -> ColumnElement[bool]:
    """Whether a row is the agent's own, or that of an agent inside it."""
    inside = f"{agent}/"
    return or_(col(column) == agent, func.substr(col(column), 1, len(inside)) == inside)


def agents_of(session: Session, agent: str | None) -> list[str]:
    """Every agent that was mounted or has a chain; of one agent, itself and those inside it."""
    found: set[str] = set()
    for column in (HeadRow.stream, FootingRow.agent):
        query = select(column).distinct()
        found |= set(session.exec(query if agent is None else query.where(owned_by(column, agent))))
    return sorted(found)


def _joined(action: ActionRow, payload: PayloadRow | None) -> dict[str, Any]:
    return {**action.model_dump(), "body": payload.body if payload else None}


def action_of(action: ActionRow, payload: PayloadRow | None) -> Action:
    """An action from its row; without the payload, without its arguments."""
    return action_in(_joined(action, payload))


def action_in(row: Any) -> Action:
    """An action from its row joined with its payload, as either way of reading gives it."""
    return Action(
        key=row["key"], agent=row["agent"], thread=row["thread"], tool=row["tool"], arguments=call_of(row).arguments,
        rung=Rung(row["rung"]), state=State(row["state"]), why=row["why"], text=row["text"], at=moment(row["at_us"]),
        updated=moment(row["updated_us"]), actor=row["actor"], verdict=row["verdict"],
    )  # fmt: skip


def _entry(entry: EntryRow, payload: PayloadRow | None, action: ActionRow | None) -> Entry:
    body: dict[str, Any] = json.loads(payload.body) if payload else {}
    return Entry(
        agent=entry.stream, n=entry.n, at=moment(entry.at_us), kind=entry.kind, action=entry.action, body=body,
        hash=entry.hash, tool=action.tool if action else str(body.get("tool", "")),
        thread=action.thread if action else str(body.get("thread", "")),
    )  # fmt: skip
