"""The tables of what goes on after an action: windows, measurements, signals, watchers, rehearsals. As `rows`."""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, Index, literal_column
from sqlmodel import Field, SQLModel, col

from ladder_graph.ledger.tables.rows import CLUSTERED

OPEN: list[ColumnElement[str]] = [literal_column(f"'{one}'") for one in ("armed", "open", "undo", "held")]
"""The phases of a window that isn't over, as constants of a statement and of the index by which it finds them."""


class WatchRow(SQLModel, table=True):
    """A window in which an action is watched; written with its claim, so that it outlives the process that acts."""

    __tablename__ = "watch"
    __table_args__ = (Index("watch_due", "due_us"), Index("watch_resource", "resource"))

    action: str = Field(primary_key=True)
    """The action's key."""
    agent: str
    """Who acted."""
    tool: str
    """With which tool."""
    phase: str
    """armed (it hasn't finished), open, undo (to be undone), held (a person must look), kept, undone, or over."""
    spec: str
    """What is watched, as JSON: the window's settings and the checks, as the policy had them at the claim."""
    resource: str
    """What the action touches, by which undos are put in order; empty where that isn't told."""
    begun_us: int = Field(sa_type=BigInteger)
    """When the action was claimed, and once it has finished, when it did."""
    boot: str
    """The boot of the machine that the next moment belongs to."""
    begun_boot_us: int = Field(sa_type=BigInteger)
    """The same moment on a clock that nobody sets."""
    until_us: int = Field(sa_type=BigInteger)
    """When the window ends."""
    due_us: int | None = Field(sa_type=BigInteger)
    """When somebody must look next; null once it is over."""
    after: str | None = None
    """The touched resource's fingerprint right after the action, as JSON; null where nobody could tell."""
    attempts: int = 0
    """How often its undo was tried."""
    why: str = ""
    """What was found, in words."""


_OPEN = col(WatchRow.phase).in_(OPEN)
Index(
    "watch_open", *map(col, (WatchRow.agent, WatchRow.tool, WatchRow.phase)), sqlite_where=_OPEN,
    postgresql_where=_OPEN,
)  # fmt: skip


class MeasurementRow(SQLModel, table=True):
    """One measurement of one check in a window."""

    __tablename__ = "measurement"
    __table_args__ = CLUSTERED

    action: str = Field(primary_key=True)
    """The action's key."""
    n: int = Field(primary_key=True)
    """Counts the measurements of this window, from 1."""
    which: int
    """Which of the window's checks, from 0."""
    at_us: int = Field(sa_type=BigInteger)
    """When."""
    verdict: str
    """good, bad or inconclusive."""
    text: str
    """What was found, in words."""


class SignalRow(SQLModel, table=True):
    """What somebody or something said from outside, about an action or about whatever it matches."""

    __tablename__ = "signal"
    __table_args__ = (Index("signal_at", "at_us"),)

    key: str = Field(primary_key=True)
    """What it is known by, so that it counts once."""
    at_us: int = Field(sa_type=BigInteger)
    """When it came in."""
    kind: str
    """alert, undo, keep or extend."""
    action: str
    """The action it is about; empty for an alert."""
    body: str
    """Canonical JSON: labels and state of an alert; who, and why, for a person's."""


class FiringRow(SQLModel, table=True):
    """An alert that fires now, by what was last delivered of it; so the gate needn't read what was over long ago."""

    __tablename__ = "firing"
    __table_args__ = (Index("firing_at", "at_us", "key"),)

    key: str = Field(primary_key=True)
    """The sender's id of the alert, and since when it fires."""
    at_us: int = Field(sa_type=BigInteger)
    """When it was last delivered."""
    body: str
    """As in its signal."""


class WatcherRow(SQLModel, table=True):
    """A process that works off open windows."""

    __tablename__ = "watcher"

    owner: str = Field(primary_key=True)
    """The process, by its lock."""
    name: str
    """Machine and process id, for people."""
    beat_us: int = Field(sa_type=BigInteger)
    """When it last said that it works."""


class RehearsalRow(SQLModel, table=True):
    """The last rehearsal of one undo with one version of a tool."""

    __tablename__ = "rehearsal"
    __table_args__ = CLUSTERED

    tool: str = Field(primary_key=True)
    """Which tool."""
    version: str = Field(primary_key=True)
    """Its code, schema and declared version, as a digest."""
    undo: str = Field(primary_key=True)
    """What the undo is made of, as a digest."""
    at_us: int = Field(sa_type=BigInteger)
    """When."""
    passed: bool
    """Whether the undo put everything back."""
    text: str
    """What didn't hold, in words."""
