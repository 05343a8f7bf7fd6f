"""The tables of drafts, and of what an agent hears of them. What a draft says stands in payloads. As `rows`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from ladder_graph.ledger.tables.rows import CLUSTERED


class DraftRow(SQLModel, table=True):
    """A draft in the workspace, and what became of it."""

    __tablename__ = "draft"
    __table_args__ = (
        Index("draft_listed", "agent", "state", "made_us"),
        Index("draft_of_target", "target", "state"),
    )

    action: str = Field(primary_key=True)
    """The action's key."""
    agent: str
    """Who drafted it."""
    kind: str
    """Which drafter drew it."""
    path: str
    """The artifact's file in the drafts workspace."""
    sha256: str
    """The file's digest when it was written."""
    digest: str
    """The digest of everything that a person is shown; it is another one where the draft was drawn anew."""
    payload: str
    """The payload that holds the artifact, the base and the changes."""
    target: str
    """A digest of what it is about: a later draft of the same target takes its place."""
    labels: str
    """The access labels of what it holds, as a JSON array."""
    state: str
    """waiting, accepted, part, edited, rejected or superseded."""
    made_us: int = Field(sa_type=BigInteger)
    """When the base was captured."""
    by: str = ""
    """Who decided."""
    auth: str = ""
    """How we know who it was."""
    reason: str = ""
    """What they gave as a reason."""
    decided_us: int | None = Field(default=None, sa_type=BigInteger)
    """When."""
    looked_us: int | None = Field(default=None, sa_type=BigInteger)
    """Microseconds that they looked at it; null where that wasn't measured."""
    left_out: str = ""
    """The payload of the entry that holds what they left out; empty where nothing was."""
    runs: str = ""
    """The key of the action that runs: its own, or that of the one with other arguments."""
    superseded_by: str = ""
    """The key of the draft that took its place."""


class NoticeRow(SQLModel, table=True):
    """What a person or a later call made of a draft or a suggestion, until its agent has heard of the last of it."""

    __tablename__ = "notice"
    __table_args__ = (Index("notice_of_thread", "thread", "closed"), CLUSTERED)

    action: str = Field(primary_key=True)
    """The action's key."""
    agent: str
    """Whose."""
    thread: str
    """The LangGraph thread in which it hears of it."""
    said: str = ""
    """What it was told last, in a word; empty before."""
    note: str = ""
    """The id of the message that told it."""
    checkpoint: str = ""
    """Where its conversation stood when it was told: whoever goes on from there again hasn't heard of it."""
    told_us: int | None = Field(default=None, sa_type=BigInteger)
    """When."""
    closed: bool = False
    """The conversation holds the last that there is to tell."""
