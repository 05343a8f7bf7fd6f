"""Looking through what waits and what happened, a page at a time, however much of it there is."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ladder_graph.answers import outsider, same
from ladder_graph.calls import Call
from ladder_graph.facts import Known, Person, Question
from ladder_graph.ladder.questions import person_of
from ladder_graph.ladder.windows import Windows
from ladder_graph.ledger import Action, Entry, Reading
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.lists import chronicle, listing, open_questions, tallies
from ladder_graph.ledger.lists.open_questions import TERMS, Place, Waits
from ladder_graph.ledger.lists.pages import LARGEST, SIZE, Count, Page, Sees, anybody
from ladder_graph.ledger.watching import watches
from ladder_graph.states import AT_WORK, State
from ladder_graph.turns.deciding import uncleared


@dataclass(frozen=True, slots=True)
class Counts:
    """How much waits for people."""

    questions: Count
    drafts: Count
    reports: Count
    """Reports that nobody has read yet."""


class Browsing(Windows):
    """The part of a desk where long lists are read. Each page costs about as much as it shows."""

    reading: Reading

    def waiting(
        self, *, agent: str | None = None, tool: str | None = None, label: str | None = None,
        mine: str | Person | None = None, page: str | None = None, size: int = SIZE, sees: Sees = anybody,
    ) -> Page[Question]:  # fmt: skip
        """Open questions, the one that expires soonest first. One past its time shows until somebody touches it.

        Args:
            agent: Only those of this agent, and of those inside it.
            tool: Only those about this tool.
            label: Only those about tools with this access label.
            mine: Only those that this person may say yes to, and that weren't passed to somebody else.
            page: The mark of the page, as an earlier one gave it; None for the first.
            size: Questions at most, up to 500.
            sees: As of `entries`.

        Raises:
            UnknownPage: The mark is none of this list.
        """
        waits = self._waits(tool, label, mine)
        return self.store.read(
            lambda cursor: open_questions.page(cursor, self._chains(cursor, agent, sees), waits, page, size)
        )

    def place_of(
        self, question: str, *, agent: str | None = None, tool: str | None = None, label: str | None = None,
        mine: str | Person | None = None, sees: Sees = anybody,
    ) -> Place | None:  # fmt: skip
        """Where a question stands among those that wait, and which comes next; also once it isn't open any more.

        Args:
            question: Its whole id.
            agent: As of `waiting`.
            tool: As of `waiting`.
            label: As of `waiting`.
            mine: As of `waiting`.
            sees: As of `entries`.

        Returns:
            None where there is no such question.
        """
        waits = self._waits(tool, label, mine)
        return self.store.read(
            lambda cursor: open_questions.place(cursor, self._chains(cursor, agent, sees), question, waits)
        )

    def counts(
        self, mine: str | Person | None = None, *, agent: str | None = None, sees: Sees = anybody
    ) -> Counts:  # fmt: skip
        """How much waits for people; each is counted up to a thousand.

        Args:
            mine: Only questions that this person may say yes to.
            agent: Only of this agent, and of those inside it.
            sees: As of `entries`.
        """
        waits = self._waits(None, None, mine)

        def count(cursor: Cursor) -> Counts:
            agents = self._chains(cursor, agent, sees)
            return Counts(
                open_questions.count(cursor, agents, waits),
                tallies.drafts(cursor, agents),
                tallies.unread(cursor, agents, micros(self.clock())),
            )

        return self.store.read(count)

    def entries(
        self, *, agent: str | None = None, tool: str | None = None, person: str | None = None,
        thread: str | None = None, kind: str | None = None, action: str | None = None,
        since: dt.datetime | None = None, until: dt.datetime | None = None, page: str | None = None, size: int = SIZE,
        sees: Sees = anybody,
    ) -> Page[Entry]:  # fmt: skip
        """What happened, the latest first, of all chains of the policy's agents.

        Of an everyday kind, or of a tool or thread with many actions, 5,000 entries are looked at for one page; where
        few of them fit, the page isn't full, `looked_us` says how far it came, and the next one looks on from there.

        Args:
            agent: Only of this agent, and of those inside it.
            tool: Only about this tool.
            person: Only what this person did.
            thread: Only of this LangGraph thread.
            kind: Only of this kind.
            action: Only of the action with this key.
            since: Only from this moment on.
            until: Only before this moment.
            page: The mark of the page, as an earlier one gave it; None for the first.
            size: Entries at most, up to 500.
            sees: Tells of each agent whether whoever looks may see its chain.

        Raises:
            UnknownPage: The mark is none of this list.
        """
        wanted = chronicle.Wanted(
            action=action, tool=tool, thread=thread, person=person, kind=kind,
            since_us=None if since is None else micros(since), until_us=None if until is None else micros(until),
        )  # fmt: skip
        return self.store.read(
            lambda cursor: chronicle.page(cursor, self._chains(cursor, agent, sees), wanted, page, size)
        )

    def acted(
        self, *, agent: str | None = None, tool: str | None = None, state: State | None = None,
        page: str | None = None, size: int = SIZE, sees: Sees = anybody,
    ) -> Page[Action]:  # fmt: skip
        """Actions, the latest first; in one state, the one that came to it last.

        Args:
            agent: Only of this agent, and of those inside it.
            tool: Only calls of this tool.
            state: Only those that are in this state now.
            page: The mark of the page, as an earlier one gave it; None for the first.
            size: Actions at most, up to 500.
            sees: As of `entries`.

        Raises:
            UnknownPage: The mark is none of this list.
        """
        sought = listing.Sought(tool, state)
        return self.store.read(
            lambda cursor: listing.page(cursor, self._chains(cursor, agent, sees), sought, page, size)
        )

    def actions(
        self, *, limit: int | None = None, state: State | None = None, sees: Sees = anybody
    ) -> list[Action]:  # fmt: skip
        """The agent's actions, oldest first: all of them, or as much as is asked for, which costs about what it shows.

        Args:
            limit: How many at most: the latest ones; in one state, those that came to it last.
            state: Only those that are in this state now.
            sees: As of `entries`.
        """
        if limit is None:
            return [one for one in self.reading.actions(self.policy.agent, state=state) if sees(one.agent)]
        found: list[Action] = []
        mark = None
        while len(found) < limit:
            page = self.acted(state=state, page=mark, size=min(limit - len(found), LARGEST), sees=sees)
            found, mark = [*found, *page.items], page.next
            if mark is None:
                break
        return found[::-1]

    def in_doubt(self, most: int | None = None, *, sees: Sees = anybody) -> list[Action]:
        """Actions that a person must look at: outcome unknown, undo in trouble, or their process gone; oldest first.

        One that somebody kept after its undo didn't work isn't among them.

        Args:
            most: How many of each state are looked at, the latest ones; all of them where nothing is said.
            sees: As of `entries`.
        """
        states = (State.UNKNOWN, State.UNDO_CONFLICT, State.UNDO_FAILED, State.STARTED, State.UNDOING)
        found = [one for state in states for one in self.actions(state=state, limit=most, sees=sees)]
        return sorted((one for one in found if self._unsettled(one)), key=lambda action: action.at)

    def _unsettled(self, action: Action) -> bool:
        match action.state:
            case State.STARTED | State.UNDOING:
                known = self._gate_knows(action.key)
                return known is not None and known.state in AT_WORK and not known.owner_alive
            case State.UNDO_CONFLICT | State.UNDO_FAILED:
                window = self.store.read(lambda cursor: watches.window_of(cursor, action.key))
                return window is None or window.phase != "kept"
            case _:
                return True

    def doubtful_action(self, key: str) -> bool:
        """Whether nobody knows what became of an action: it is unknown, or was started and its process is gone.

        Args:
            key: Its whole key.
        """
        known = self._gate_knows(key)
        if known is None:
            return False
        return known.state is State.UNKNOWN or (known.state is State.STARTED and not known.owner_alive)

    def _gate_knows(self, key: str) -> Known | None:
        journal = self._journal()
        return self.store.read(lambda cursor: journal.known(cursor, key))

    def overdue(self, sees: Sees = anybody) -> int:
        """How many reports nobody has read in time, counted up to a thousand for each agent.

        Args:
            sees: As of `entries`.
        """
        now = micros(self.clock())

        def count(cursor: Cursor) -> int:
            return sum(tallies.overdue(cursor, agent, now).least for agent in self._chains(cursor, None, sees))

        return self.store.read(count)

    def _chains(self, cursor: Cursor, agent: str | None, sees: Sees) -> list[str]:
        return [name for name in tallies.chains(cursor, agent or self.policy.agent) if sees(name)]

    def _waits(self, tool: str | None, label: str | None, mine: str | Person | None) -> Waits:
        """What is asked for, by what the policy says of tools and people."""
        policy, person = self.policy, None if mine is None else person_of(mine)

        def touches(name: str) -> bool:
            if label is not None and label not in policy.rule(name).labels:
                return False
            return person is None or not uncleared(policy, name, person)

        narrow = label is not None or person is not None
        return Waits(tool, touches if narrow else None, None if person is None else self._may(person))

    def _may(self, person: Person) -> Callable[[tuple[Any, ...]], bool]:
        """Whether a person may say yes to a question on some terms; what is alike is worked out once."""
        known: dict[tuple[Any, ...], bool] = {}

        def may(terms: tuple[Any, ...]) -> bool:
            if (found := known.get(terms)) is None:
                row = dict(zip(TERMS, terms, strict=True))
                theirs = not row["passed_to"] or same(row["passed_to"]) == same(person.name)
                found = known[terms] = theirs and outsider(_on_terms(row), person, self.policy.able) is None
            return found

        return may


def _on_terms(row: Mapping[str, Any]) -> Question:
    """As much of a question as tells who may say yes."""
    requester = Person(row["requester"], row["requester_auth"]) if row["requester"] else None
    long_ago = dt.datetime.fromtimestamp(0, dt.UTC)
    return Question(
        "", "", Call("", "", "", "", {}), long_ago, long_ago, "", row["impact"], tuple(json.loads(row["may_answer"])),
        quorum=row["quorum"], not_requester=bool(row["not_requester"]), requester=requester,
    )  # fmt: skip
