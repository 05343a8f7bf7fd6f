"""The tables of reports: what was filed, the digests that people read, and what is sent to tell them. As `rows`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from ladder_graph.ledger.tables.rows import CLUSTERED

_GATHERING = text("state = 'gathering'")


class DigestRow(SQLModel, table=True):
    """A report on one period of one agent's stream, from its first action until it is read."""

    __tablename__ = "digest"
    __table_args__ = (
        # At most one is open for each stream, however many processes act at once.
        Index(
            "digest_open", "agent", "channel", unique=True, sqlite_where=_GATHERING, postgresql_where=_GATHERING
        ),
        Index("digest_listed", "agent", "state", "ends_us"),
        Index("digest_period", "agent", "channel", "ends_us"),
        Index("digest_next", "next_us"),
        Index("digest_next_boot", "boot", "next_boot_us"),
    )  # fmt: skip

    id: str = Field(primary_key=True)
    """Random."""
    agent: str
    """Who acted."""
    channel: str
    """The stream, as the policy names it; empty for that of all other tools."""
    state: str
    """gathering, closed (its period is over), unread (it was made, and waits for verdicts), or read."""
    about: str
    """period, or mess where one action must be seen to at once."""
    readers: str
    """Who must read it, as a JSON array of names and roles."""
    calls: int
    """How many actions it covers."""
    begins_us: int = Field(sa_type=BigInteger)
    """When its period begins."""
    ends_us: int = Field(sa_type=BigInteger)
    """When it ends."""
    due_us: int = Field(sa_type=BigInteger)
    """By when it must be read."""
    sla_us: int = Field(sa_type=BigInteger)
    """The time that its readers have, once the period is over."""
    opened_us: int = Field(sa_type=BigInteger)
    """When its first action was claimed, by the wall clock."""
    boot: str
    """The boot of the machine that the next moments belong to; empty where that isn't known."""
    opened_boot_us: int = Field(sa_type=BigInteger)
    """The same moment on a clock that nobody sets."""
    next_us: int | None = Field(default=None, sa_type=BigInteger)
    """When something is to be done about it next; null once nothing is."""
    next_boot_us: int | None = Field(default=None, sa_type=BigInteger)
    """The same moment on that clock."""
    made_us: int | None = Field(default=None, sa_type=BigInteger)
    """When it was made."""
    body: str = ""
    """What it says beside its actions, as JSON; empty before it was made."""
    hash: str = ""
    """SHA-256 of all that it shows; empty before."""
    reminded_us: int | None = Field(default=None, sa_type=BigInteger)
    """When its readers were reminded."""
    escalated_us: int | None = Field(default=None, sa_type=BigInteger)
    """When others were told that they are late."""
    lapsed_us: int | None = Field(default=None, sa_type=BigInteger)
    """When it cost its tools their rung."""
    fell: str = ""
    """Tool and scope of each cell that went down then, as JSON."""
    read_us: int | None = Field(default=None, sa_type=BigInteger)
    """When the last verdict was given."""
    by: str = ""
    """Who gave verdicts, with commas."""
    note: str = ""
    """What they noted."""
    looked: float | None = None
    """Seconds for which it was open in all; null where nobody measured that."""


class ReportRow(SQLModel, table=True):
    """One action in a digest: what was done unasked at rung 5, or left a mess on any."""

    __tablename__ = "report"
    __table_args__ = (Index("report_of", "action"), Index("report_filed", "agent", "filed_us"))

    digest: str = Field(primary_key=True)
    """The digest that it is in."""
    action: str = Field(primary_key=True)
    """The action's key."""
    agent: str
    """Who acted."""
    filed_us: int = Field(sa_type=BigInteger)
    """When it was filed."""
    place: int | None = None
    """Its place among what the digest shows, from 0; null where it isn't shown, or not yet."""
    flags: str = ""
    """Why it stands out, as a JSON array of codes and words; empty where it was picked at random."""
    verdict: str = ""
    """What a reader said of it: fine, look or undo; empty before."""
    by: str = ""
    """Who."""
    said_us: int | None = Field(default=None, sa_type=BigInteger)
    """When."""
    came: str = ""
    """What came of an undo that somebody wanted, where it isn't to be had."""


class AwaitedRow(SQLModel, table=True):
    """What a cell has at stake in a digest that isn't read: one row a cell, which the gate looks up."""

    __tablename__ = "awaited"
    __table_args__ = (
        Index("awaited_due", "agent", "tool", "scope", "env", "due_us"),
        Index("awaited_due_boot", "agent", "tool", "scope", "env", "boot", "due_boot_us"),
    )

    digest: str = Field(primary_key=True)
    """The digest."""
    agent: str = Field(primary_key=True)
    """Who acted."""
    tool: str = Field(primary_key=True)
    """With which tool."""
    scope: str = Field(primary_key=True)
    """In which scope of it."""
    env: str = Field(primary_key=True)
    """As what."""
    due_us: int = Field(sa_type=BigInteger)
    """By when the digest must be read."""
    boot: str
    """The boot of the machine that the next moment belongs to."""
    due_boot_us: int = Field(sa_type=BigInteger)
    """The same moment on a clock that nobody sets."""


class HabitRow(SQLModel, table=True):
    """What an agent usually does with a tool on rung 5, by which a digest tells what is new."""

    __tablename__ = "habit"
    __table_args__ = CLUSTERED

    agent: str = Field(primary_key=True)
    """Who acts."""
    tool: str = Field(primary_key=True)
    """With which tool."""
    body: str
    """Its numbers, its hours and digests of its arguments and the values they had, as JSON."""


class MessageRow(SQLModel, table=True):
    """Something that people are to be told, written together with what it tells."""

    __tablename__ = "message"
    __table_args__ = (
        Index("message_due", "state", "due_us"),
        Index("message_channel", "channel", "state", "queued_us"),
    )

    id: str = Field(primary_key=True)
    """The same each time that it is sent, by which a receiver knows it again."""
    kind: str
    """What is told, as `filed`, `demoted` or `asked`."""
    agent: str
    """Whose."""
    subject: str
    """What it is about: the id of a digest or of a question, or the key of a drafted action."""
    channel: str
    """The stream of it, as `reports` or `reports/payments`; `questions`, or `slack` for those that are asked there."""
    target: str
    """By what it is told, as JSON, in which secrets are named and never written."""
    body: str
    """The message as JSON, with no argument of any call."""
    state: str
    """waiting, sent, or void where nobody needs it any more."""
    queued_us: int = Field(sa_type=BigInteger)
    """When it was written."""
    due_us: int = Field(sa_type=BigInteger)
    """When it is to be tried next; while somebody tries, when their lease ends."""
    tries: int = 0
    """How often it was tried."""
    sent_us: int | None = Field(default=None, sa_type=BigInteger)
    """When it was taken."""
    error: str = ""
    """What kept the last try from it."""
