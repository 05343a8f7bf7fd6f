"""Drafts as people look at them: a list without what they hold, and the record of one. Never on the gate's path."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from ladder_graph.errors import UnknownPage
from ladder_graph.ledger.actions.questions import moment
from ladder_graph.ledger.lists.pages import NO_PAGE, Sees, anybody
from ladder_graph.ledger.lists.reading import Action, action_of, agents_of
from ladder_graph.ledger.tables.draft_rows import DraftRow, NoticeRow
from ladder_graph.ledger.tables.rows import US, ActionRow, EntryRow, PayloadRow

STATES = ("waiting", "accepted", "part", "edited", "rejected", "superseded")
"""What may become of a draft: it waits; all of it, a part of it, or an edited text was accepted; nobody wants it; a
later one has taken its place."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft in the workspace, without what it holds."""

    action: Action
    """Its action, without the arguments."""
    kind: str
    """Which drafter drew it."""
    path: str
    """Its file."""
    sha256: str
    """Of the file when it was written."""
    digest: str
    """Of everything that a person is shown; it goes back with the decision."""
    labels: tuple[str, ...]
    """The access labels of what it holds."""
    state: str
    """waiting, accepted, part, edited, rejected or superseded."""
    made: dt.datetime
    """When the base was captured."""
    by: str
    """Who decided; empty before."""
    auth: str
    """How we know who it was."""
    reason: str
    decided: dt.datetime | None
    looked: float | None
    """Seconds that they looked at it; None where that wasn't measured."""
    runs: str
    """The key of the action that runs; another one than its own where a part was taken or the text edited."""
    superseded_by: str
    """The key of the draft that took its place."""
    ran: str = ""
    """The state of the action that runs; empty where none does."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a draft."""

    at: dt.datetime
    kind: str
    """The kind of its entry in the ledger."""
    by: str
    body: dict[str, Any]
    """What the entry says; empty once it was erased."""


def listed(
    session: Session, agent: str, states: Collection[str], limit: int | None, after: str | None, sees: Sees = anybody
) -> list[Draft]:  # fmt: skip
    """Drafts of an agent and of those inside it, oldest first.

    Args:
        session: On the ledger.
        agent: Whose.
        states: Only those in one of these.
        limit: How many at most.
        after: Only those after the draft of this action.
        sees: Tells of each agent whether its drafts are listed.

    Raises:
        UnknownPage: There is no draft of the action that it goes on after, or none that is seen.
    """
    agents = [name for name in agents_of(session, agent) if sees(name)]
    query = (
        select(DraftRow, ActionRow)
        .join(ActionRow, col(ActionRow.key) == DraftRow.action)
        .where(col(DraftRow.agent).in_(agents), col(DraftRow.state).in_(list(states)))
        .order_by(col(DraftRow.made_us), col(DraftRow.action))
        .limit(limit)
    )
    if after is not None:
        last = session.get(DraftRow, after)
        if last is None or not sees(last.agent):
            raise UnknownPage(NO_PAGE)
        later = and_(col(DraftRow.made_us) == last.made_us, col(DraftRow.action) > last.action)
        query = query.where(or_(col(DraftRow.made_us) > last.made_us, later))
    found = session.exec(query).all()
    keys = [draft.runs for draft, _ in found if draft.runs]
    ran = dict(session.exec(select(ActionRow.key, ActionRow.state).where(col(ActionRow.key).in_(keys))).all())
    return [_draft(draft, action, ran.get(draft.runs, "")) for draft, action in found]


def one(session: Session, action: str) -> Draft | None:
    """The draft of an action, or None."""
    draft, acted = session.get(DraftRow, action), session.get(ActionRow, action)
    if draft is None or acted is None:
        return None
    ran = session.get(ActionRow, draft.runs) if draft.runs else None
    return _draft(draft, acted, ran.state if ran else "")


def events(session: Session, actions: Collection[str]) -> list[Event]:
    """What happened to a draft, and to the action in its place, oldest first."""
    query = (
        select(EntryRow, PayloadRow.body)
        .join(PayloadRow, col(PayloadRow.hash) == EntryRow.payload, isouter=True)
        .where(col(EntryRow.action).in_(list(actions)))
        .order_by(col(EntryRow.n))
    )
    found = []
    for entry, said in session.exec(query):
        body = json.loads(said) if said else {}
        found.append(Event(moment(entry.at_us), entry.kind, str(body.get("by", "")), body))
    return found


def told_at(session: Session, action: str) -> dt.datetime | None:
    """When its agent was told last what became of it; None where it wasn't."""
    notice = session.get(NoticeRow, action)
    return None if notice is None or notice.told_us is None else moment(notice.told_us)


def _draft(draft: DraftRow, action: ActionRow, ran: str) -> Draft:
    return Draft(
        action=action_of(action, None), kind=draft.kind, path=draft.path, sha256=draft.sha256, digest=draft.digest,
        labels=tuple(json.loads(draft.labels)), state=draft.state, made=moment(draft.made_us), by=draft.by,
        auth=draft.auth, reason=draft.reason,
        decided=None if draft.decided_us is None else moment(draft.decided_us),
        looked=None if draft.looked_us is None else draft.looked_us / US, runs=draft.runs,
        superseded_by=draft.superseded_by, ran=ran,
    )  # fmt: skip


def call_text(session: Session, action: str) -> str:
    """What the agent reads of an action where the tool's own reply doesn't stand."""
    row = session.get(ActionRow, action) if action else None
    return "" if row is None else row.text


def labels_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The access labels of a draft's row."""
    return tuple(json.loads(row["labels"]))
