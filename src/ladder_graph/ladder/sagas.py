"""Scopes that are undone as a whole: `with ladder.saga():`, and what people do about them.

The block is sugar: which calls belong to a scope, and that it is to be undone, stands in the ledger with the claims, so
that another process can go on where this one died.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import logging
import secrets
from contextvars import ContextVar, Token
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from ladder_graph.errors import AnswerRefused, LedgerError, UnknownQuestion
from ladder_graph.facts import Person, Reply
from ladder_graph.ladder.questions import person_of
from ladder_graph.ladder.windows import Windows, seen_to
from ladder_graph.ledger import Journal
from ladder_graph.ledger.actions import members
from ladder_graph.ledger.actions.questions import moment
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.undoing import sagas
from ladder_graph.ledger.undoing.sagas import Scope
from ladder_graph.ledger.watching import watches
from ladder_graph.states import State
from ladder_graph.unwinding import OVER, SETTLED, Member, Phase, told

log = logging.getLogger("ladder_graph")

WRONG = frozenset({State.FAILED, State.UNKNOWN, State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED})
"""What a call comes to that went wrong."""

_SCOPES: ContextVar[tuple[Saga, ...]] = ContextVar("ladder_graph_scopes", default=())
"""The blocks around this task, the innermost last."""


@dataclass(frozen=True, slots=True)
class SagaView:
    """A scope as it stands, for people to read."""

    id: str
    name: str
    agent: str
    phase: Phase
    parent: str
    """The id of the scope around it; empty where there is none."""
    began: dt.datetime
    lives: bool
    """Whether the process whose block it is still lives."""
    watched: bool
    """Whether a window of a call in it, or in one of its neighbours in the same outermost scope, is still open."""
    why: str
    """Why it is undone."""
    by: str
    """The person who said so."""
    members: tuple[Member, ...]
    """The calls that were started in it and in the scopes inside it, in the order of their effects."""

    @property
    def left_behind(self) -> bool:
        """Whether its block is over without an end, so that a person closes or undoes it."""
        return self.phase is Phase.LEFT or (self.phase is Phase.OPEN and not self.lives)

    @property
    def waits(self) -> bool:
        """Whether a person must see to it."""
        return self.left_behind or self.phase is Phase.HELD


class Saga:
    """One scope: what starts in its block is undone as a whole. `Ladder.saga` makes it; it is entered once.

    Args:
        ladder: Whose calls belong to it.
        name: What people and the agent read it as.
        key: What it is known by, so that a later block goes on with it; without one it is a new scope.
    """

    def __init__(self, ladder: Sagas, name: str, key: str) -> None:
        self.ladder, self.name = ladder, name
        made = hashlib.sha256(f"{ladder.policy.agent}\0{key}".encode()).hexdigest()[:16]
        self.id: str = made if key else secrets.token_hex(8)
        """By what the ledger knows it."""
        self._token: Token[tuple[Saga, ...]] | None = None

    @property
    def phase(self) -> Phase:
        """Where it is: see `ladder_graph.unwinding.Phase`."""
        return self.ladder.saga_view(self.id).phase

    @property
    def members(self) -> tuple[Member, ...]:
        """The calls that were started in it and in the scopes inside it, with what came of their undo."""
        return self.ladder.saga_view(self.id).members

    def undo(self, reason: str) -> SagaView:
        """Undo all of it now, in the name of the program. Nothing more of it runs.

        Args:
            reason: Why; the agent reads it.
        """
        return self.ladder.saga_undone(self.id, None, reason)

    def __enter__(self) -> Self:
        self._entered()
        self._token = _SCOPES.set((*_SCOPES.get(), self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._out()
        self._left(wrong)

    async def __aenter__(self) -> Self:
        entering = asyncio.ensure_future(asyncio.to_thread(self._entered))
        try:
            await asyncio.shield(entering)
        except asyncio.CancelledError as gone:
            # The thread goes on all the same, and a block that nobody is in must not count as running.
            await asyncio.wait([entering])
            if entering.exception() is None:
                await self.__aexit__(type(gone), gone, None)
            raise
        self._token = _SCOPES.set((*_SCOPES.get(), self))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._out()
        # A task that was cancelled sees its scope to the end all the same.
        await asyncio.shield(asyncio.to_thread(self._left, wrong))

    def _entered(self) -> None:
        ladder, parent = self.ladder, self.ladder.scope
        journal, owner, begun = ladder.journal(), ladder.store.owner, False

        def enter(cursor: Cursor) -> None:
            nonlocal begun
            if begun:  # It is written once more.
                owner.end(self.id, sagas.BLOCK)
            sagas.enter(cursor, journal, self.id, self.name, ladder.policy.agent, parent)
            # Before the commit, so that the next thread with the same key sees that this block runs.
            owner.begin(self.id, sagas.BLOCK)
            begun = True

        try:
            ladder.store.write(enter, durable=False)
        except BaseException:
            if begun:
                owner.end(self.id, sagas.BLOCK)
            raise

    def _out(self) -> None:
        self.ladder.store.owner.end(self.id, sagas.BLOCK)
        token, self._token = self._token, None
        if token is not None:
            _SCOPES.reset(token)

    def _left(self, wrong: BaseException | None) -> None:
        """Close it after a good end, leave it after a question or a failure of the machinery, and else undo it."""
        try:
            if wrong is None or _commands(wrong):
                self._to(Phase.CLOSED)
            elif isinstance(wrong, LedgerError) or _pauses(wrong):
                self._to(Phase.LEFT)
            else:
                self.ladder.saga_undone(self.id, None, f"its block ended with {type(wrong).__name__}: {wrong}")
        except LedgerError:
            if wrong is None:
                raise
            log.exception("%s stays open: the ledger can't be written", self.id)

    def _to(self, phase: Phase) -> None:
        journal = self.ladder.journal()

        def work(cursor: Cursor) -> Phase | None:
            one = sagas.scope(cursor, self.id)
            if one is not None and one.phase is Phase.OPEN:
                sagas.change(cursor, journal, one, phase)
            return None if one is None else one.phase

        if self.ladder.store.write(work, durable=False) is Phase.UNDO:
            self.ladder.watcher.unwinding.go_on(self.id)


def _pauses(wrong: BaseException) -> bool:
    """Whether the block was left for a question, after whose answer it starts over."""
    from langgraph.errors import GraphBubbleUp

    return isinstance(wrong, GraphBubbleUp)


def _commands(wrong: BaseException) -> bool:
    """Whether the block was left with a command for the graph around it, which is no failure."""
    from langgraph.errors import ParentCommand

    return isinstance(wrong, ParentCommand)


class Sagas(Windows):
    """The part of a desk where scopes are."""

    def saga(self, name: str = "", *, key: str = "") -> Saga:
        """A scope: every call that starts in its block is undone, in reverse, when a later one goes wrong.

        That is so when a later call fails, when an exception leaves the block, and when a watch of one of them turns
        bad, also long after the block, in whatever process watches. A call that has no undo asks first as soon as
        something could be undone (`pivot`), and once it ran, what was before it stays. Reads don't belong to it.

        A block in a block is a scope of its own: it is undone alone as long as its block runs, and with the one around
        it once it ended well. After a question the block ends; the call belongs to the scope wherever it runs in the
        end, and a block with the same `key` goes on with the scope, also in another process.

        Args:
            name: What people and the agent read it as.
            key: What it is known by; a later block with the same one goes on with it.

        Returns:
            What `with` and `async with` take; it has `undo(reason)`, `phase` and `members`.

        Example:
            >>> from ladder_graph import Ladder
            >>> ladder = Ladder(agent="ops", rungs={"send_email": "confirm"}, ledger=":memory:")
            >>> with ladder.saga("move the shop") as saga:
            ...     pass  # agent.invoke(...)
            >>> str(saga.phase)
            'closed'
            >>> ladder.close()
        """
        return Saga(self, name, key)

    @property
    def scope(self) -> str:
        """The id of the scope that a call made here and now belongs to; empty where there is none."""
        return next((one.id for one in reversed(_SCOPES.get()) if one.ladder is self), "")

    def journal(self) -> Journal:
        """The ledger's transactions at this moment."""
        return self._journal()

    def sagas(self, *, every: bool = False) -> list[SagaView]:
        """Scopes of which something may still be undone or must be seen to, oldest first.

        Args:
            every: Those that are over, too.
        """
        journal = self._journal()

        def read(cursor: Cursor) -> list[SagaView]:
            return [_view(cursor, journal, one) for one in sagas.scopes(cursor, self.policy.agent)]

        found = self.store.read(read)
        return [one for one in found if every or one.waits or one.watched or one.phase in {Phase.OPEN, Phase.UNDO}]

    def saga_view(self, saga: str) -> SagaView:
        """One scope by its id, or the beginning of it.

        Raises:
            UnknownQuestion: There is none, or more than one.
        """
        journal = self._journal()
        return self.store.read(lambda cursor: _view(cursor, journal, _found(cursor, saga)))

    def saga_of(self, action: str) -> SagaView | None:
        """The innermost scope that an action belongs to; None where there is none.

        Args:
            action: Its whole key.
        """
        journal = self._journal()

        def read(cursor: Cursor) -> SagaView | None:
            known = members.of(cursor, action)
            return None if known is None else _view(cursor, journal, _found(cursor, known.saga))

        return self.store.read(read)

    def undo_saga(self, saga: str, *, by: str | Person, reason: str = "") -> SagaView:
        """Undo a scope as a whole, whatever became of its block; once more, where something of it still stands.

        Args:
            saga: Its id, or the beginning of it.
            by: Who says so.
            reason: Why; the agent reads it.

        Raises:
            UnknownQuestion: There is no such scope.
            AnswerRefused: Nothing of it stands, or it belongs to one that is undone as a whole.
        """
        person = person_of(by)
        return self.saga_undone(saga, person, f"{person.name} said so" + (f": {reason}" if reason else ""))

    def saga_undone(self, saga: str, by: Person | None, why: str) -> SagaView:
        """As `undo_saga`; where nobody says so, what is over already stays as it is."""
        journal = self._journal()

        def begin(cursor: Cursor) -> str:
            one = _found(cursor, saga)
            around = next((other for other in sagas.lineage(cursor, one.parent) if other.phase in OVER), None)
            if by is not None and (one.phase is Phase.UNDONE or around is not None):
                said = f"{around.said} around it is {around.phase}" if around is not None else "nothing of it stands"
                raise AnswerRefused(f"{one.said} can't be undone now: {said}")
            if around is None and (one.phase not in OVER or (by is not None and one.phase is Phase.HELD)):
                sagas.undo(cursor, journal, one, why, by)
            return one.id if around is None else around.id

        self.watcher.unwinding.go_on(self.store.write(begin))
        return self.saga_view(saga)

    def close_saga(self, saga: str, *, by: str | Person, reason: str = "") -> SagaView:
        """Say that a scope that was left behind, or that was undone in part, is as it should be, and all inside it.

        What still stands of it stays: an undo that failed isn't tried again by itself.

        Args:
            saga: Its id, or the beginning of it.
            by: Who says so.
            reason: Why.

        Raises:
            UnknownQuestion: There is no such scope.
            AnswerRefused: It waits for nobody.
        """
        person, journal = person_of(by), self._journal()

        def close(cursor: Cursor) -> None:
            one = _found(cursor, saga)
            view = _view(cursor, journal, one)
            if not view.waits:
                raise AnswerRefused(f"{one.said} waits for nobody: it is {one.phase}")
            for member in sagas.close(cursor, journal, one, person, reason):
                window = watches.window_of(cursor, member.action)
                if window is not None and window.phase in {"undo", "held"}:
                    seen_to(cursor, journal, window, f"{person.name} closed {one.said}")

        self.store.write(close)
        return self.saga_view(saga)

    def told(self, action: str, reply: Reply) -> Reply:
        """The reply to a call, with what became of its scope, where that is undone; the last call to end undoes it.

        Args:
            action: The key of the action that ran.
            reply: What came of it by itself.
        """
        one = self.store.glance(lambda cursor: sagas.undoing(cursor, action))
        if one is None or (reply.outcome is not None and reply.outcome.signal is not None):
            return reply
        self.watcher.unwinding.go_on(one.id)
        view = self.saga_view(one.id)
        text = told(one.said, view.why, view.members, action)
        own = next((member for member in view.members if member.action == action), None)
        if reply.state is State.DONE and own is not None and own.came in SETTLED:
            return Reply(State.UNDONE, f"{own.tool} ran and was undone. {text}")
        if reply.text and reply.recorded is None:
            return replace(reply, text=f"{reply.text} {text}")
        return replace(reply, note=f"{reply.note} {text}".strip())


def _found(cursor: Cursor, prefix: str) -> Scope:
    found = sagas.find(cursor, prefix)
    one = sagas.scope(cursor, found[0]) if len(found) == 1 else None
    if one is None:
        many = f"more than one scope begins with {prefix!r}; write more of the id"
        raise UnknownQuestion(many if found else f"there is no scope {prefix!r}; `ladder saga --all` lists them")
    return one


def _view(cursor: Cursor, journal: Journal, one: Scope) -> SagaView:
    return SagaView(
        id=one.id, name=one.name, agent=one.agent, phase=one.phase, parent=one.parent, began=moment(one.begun_us),
        lives=sagas.lives(journal, one), watched=sagas.watched(cursor, one.root), why=one.why,
        by=one.by, members=tuple(sagas.members(cursor, journal, one)),
    )  # fmt: skip
