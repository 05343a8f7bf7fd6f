"""Drafts as people see them: which wait, what each would change, what became of it, and what its agent hears."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session

from ladder_graph.drafting import Change, Drawn, changes_of
from ladder_graph.errors import AnswerRefused
from ladder_graph.facts import Known, Person
from ladder_graph.ladder.questions import Questions, person_of
from ladder_graph.ledger import Draft
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.gate import acts
from ladder_graph.ledger.lists import draft_reading
from ladder_graph.ledger.lists.draft_reading import STATES, Event
from ladder_graph.ledger.lists.pages import Sees, anybody
from ladder_graph.ledger.people import drafts as ledger
from ladder_graph.ledger.people import notices
from ladder_graph.ledger.people.notices import Due, Told
from ladder_graph.turns.deciding import uncleared


@dataclass(frozen=True, slots=True)
class Record:
    """What became of a draft, as far as it is known."""

    state: str
    """waiting, accepted, part, edited, rejected or superseded."""
    by: str
    auth: str
    reason: str
    decided: dt.datetime | None
    looked: float | None
    """Seconds that the person looked at it; None where that wasn't measured."""
    left: tuple[str, ...]
    """What was left out or put in otherwise, in words, as the agent reads it."""
    runs: str
    """The key of the action that runs; empty where none does."""
    ran: str
    """What came of it: the state of that action."""
    ran_text: str
    """What the agent reads of it where the tool's own reply doesn't stand."""
    superseded_by: str
    told: dt.datetime | None
    """When the agent was told last."""
    events: tuple[Event, ...]
    """Everything that happened to it, oldest first."""


@dataclass(frozen=True, slots=True)
class DraftView:
    """A draft as a person looks at it. Who lacks one of its labels sees that it is there, and nothing of its text."""

    draft: Draft
    withheld: str
    """Why it isn't shown, in words; empty where it is."""
    title: str
    source: str
    """What the base is, in words; empty where the draft starts from nothing."""
    facts: tuple[tuple[str, str], ...] = ()
    """What goes with it whatever is taken."""
    notes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    texts: Mapping[str, str | None] | None = None
    """What each piece would become, by name: what is edited. None where the text was erased or is withheld."""
    arguments: Mapping[str, Any] | None = None
    """The call's own."""
    artifact: str = ""
    """The whole artifact."""
    whole: bool = True
    """It can't be taken in part."""
    editable: bool = False
    """Its text can be edited; else only the arguments can."""
    will: str = ""
    """What accepting does, in words; or why nobody can."""
    acceptable: bool = True
    """Its call can run outside of its graph, so that somebody may accept it."""
    record: Record | None = None
    """What became of it; None where it is withheld."""

    @property
    def digest(self) -> str:
        """What goes back with the decision."""
        return self.draft.digest


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """A draft that somebody is about to decide."""

    known: Known
    row: Mapping[str, Any]
    drawn: Drawn | None


class Drafts(Questions):
    """The part of a desk where drafts are."""

    # --- looking ---------------------------------------------------------------------------------------------

    def drafts(
        self, *, states: Collection[str] = STATES, limit: int | None = None, after: str | None = None,
        sees: Sees = anybody,
    ) -> list[Draft]:  # fmt: skip
        """Drafts of rung 1, oldest first, without what they hold.

        Args:
            states: Only those that are `waiting`, `accepted`, `part`, `edited`, `rejected` or `superseded`.
            limit: How many at most.
            after: Only those after the draft of the action with this key, to go on from a page.
            sees: Tells of each agent whether whoever looks may see its drafts.

        Raises:
            UnknownPage: There is no draft to go on after.
        """
        agent = self.policy.agent
        found = self.store.query(lambda session: draft_reading.listed(session, agent, states, limit, after, sees))
        # A reason may say what is in it, and nobody says here who looks.
        return [replace(one, reason="") if one.labels else one for one in found]

    def draft(self, action: str, *, by: str | Person) -> DraftView:
        """One draft with its changes, as this person may see it.

        Args:
            action: The action's key, or the beginning of it.
            by: Who looks.

        Raises:
            UnknownQuestion: There is no such action.
            AnswerRefused: It is no draft.
        """
        person, opened = person_of(by), self.opened_draft(action)
        draft = self.store.query(lambda session: draft_reading.one(session, opened.known.call.key))
        assert draft is not None  # noqa: S101  # its row was there a moment ago
        tool, agent = draft.action.tool, draft.action.agent
        if withheld := uncleared(self.policy, tool, person, draft.labels):
            hidden = replace(draft, reason="")
            return DraftView(hidden, withheld, f"{agent} drafted {tool}", "")
        record = self.store.query(lambda session: self._record(session, draft))
        plain = f"Accepting calls {tool} once with these arguments, as your act."
        drawn = opened.drawn
        if drawn is None:
            return DraftView(draft, "", f"{agent} drafted {tool}; its text was erased", "", record=record)
        refusal = refused(tool, drawn.confined)
        will = f"{refusal[0].upper()}{refusal[1:]}." if refusal else drawn.will or plain
        return DraftView(
            draft, "", drawn.title or f"{agent} drafted {tool}", drawn.source, drawn.facts, drawn.notes,
            changes_of(drawn.pieces), {one.name: one.text for one in drawn.pieces}, opened.known.call.arguments,
            drawn.artifact, drawn.whole, bool(drawn.recipe), will, not refusal, record,
        )  # fmt: skip

    def _record(self, session: Session, draft: Draft) -> Record:
        key = draft.action.key
        happened = tuple(draft_reading.events(session, {key, draft.runs} - {""}))
        said = [one for event in happened if event.kind == "draft_decided" for one in event.body.get("left", [])]
        ran = draft_reading.call_text(session, draft.runs)
        return Record(
            draft.state, draft.by, draft.auth, draft.reason, draft.decided, draft.looked, tuple(said), draft.runs,
            draft.ran, ran, draft.superseded_by, draft_reading.told_at(session, key), happened,
        )  # fmt: skip

    def opened_draft(self, action: str) -> OpenDraft:
        """A draft with everything it holds, for whoever may see it.

        Raises:
            UnknownQuestion: There is no such action.
            AnswerRefused: It is no draft.
        """
        journal = self._journal()

        def read(cursor: Cursor) -> OpenDraft:
            known = acts.find_action(journal, cursor, action)
            row = ledger.row_of(cursor, known.call.key)
            if row is None:
                short = known.call.short
                raise AnswerRefused(f"action {short} is no draft; `ladder show {short}` tells what it is")
            return OpenDraft(known, row, ledger.drawn_of(cursor, row))

        return self.store.read(read)

    # --- what its agent hears of it -------------------------------------------------------------------------

    def notices(self, agent: str, thread: str) -> tuple[list[Due], list[Told]]:
        """What an agent has to hear in a thread, and what it was told without being known to have heard it."""
        return self.store.glance(lambda cursor: notices.of_thread(cursor, agent, thread))

    def mark_told(self, due: Sequence[Due], note: str, place: str) -> bool:
        """Write down that an agent is being told; False where another task has told it."""
        try:
            return self._write(lambda journal, cursor: _tell(cursor, due, note, place, journal.us), durable=False)
        except _TakenAlready:
            return False

    def mark_heard(self, one: Told) -> None:
        """Write down that an agent's conversation holds what it was told."""
        self._write(lambda _, cursor: notices.heard(cursor, one), durable=False)

    def left_out(self, one: Due) -> list[str]:
        """What a person left out of a draft, in words."""
        payload = str(one.row["left_out"] or "")
        return list(self.store.glance(lambda cursor: ledger.left_out(cursor, payload)))

    def verdict_on(self, one: Due) -> str:
        """The reason that a person gave for what they made of a suggestion."""
        return self.store.glance(lambda cursor: ledger.reason_of(cursor, one.action, one.word))


def refused(tool: str, confined: str) -> str:
    """Why nobody can accept a draft of a tool, and what to do; empty where somebody can.

    Args:
        tool: Its name.
        confined: Why its calls run nowhere but in their graph, in words.
    """
    if not confined:
        return ""
    return (
        f"a draft of {tool} can't be accepted, since {confined}, and an accepted draft runs outside of it; "
        f'reject it with a reason, and write rung = "confirm" for {tool}: a call then runs in its thread, once '
        f"somebody approves it"
    )


class _TakenAlready(Exception):
    """Carries out of a transaction that another task has told it. It is no error, and nobody sees it."""


def _tell(cursor: Cursor, due: Sequence[Due], note: str, place: str, us: int) -> bool:
    if not notices.tell(cursor, due, note, place, us):
        raise _TakenAlready
    return True
