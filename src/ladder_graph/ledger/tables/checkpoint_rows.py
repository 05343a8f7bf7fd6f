"""Tables of signed checkpoints: what they have seen, where they went, by whose keys; and of copies put back."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from ladder_graph.ledger.tables.rows import CLUSTERED


class CheckpointRow(SQLModel, table=True):
    """One signed checkpoint. Never changed, never deleted."""

    __tablename__ = "checkpoint"

    number: int = Field(primary_key=True)
    """Its place, from 1; of two processes that make one at once, one finds the place taken."""
    at_us: int = Field(sa_type=BigInteger)
    """When."""
    total: int = Field(sa_type=BigInteger)
    """How many entries the ledger had."""
    hash: str
    """Its hash, which the next one goes back to."""
    note: str
    """Its whole text, with its signatures."""


class AnchoredRow(SQLModel, table=True):
    """The last entry of a chain that a checkpoint has seen, so that the next one tells what moved since."""

    __tablename__ = "anchored"
    __table_args__ = CLUSTERED

    stream: str = Field(primary_key=True)
    """The agent."""
    n: int
    """The entry."""


class ExportRow(SQLModel, table=True):
    """How far one target has got."""

    __tablename__ = "export"
    __table_args__ = CLUSTERED

    target: str = Field(primary_key=True)
    """The target, as the policy's `to` spells it."""
    number: int
    """The last checkpoint that it has taken; 0 for none."""
    due_us: int = Field(sa_type=BigInteger)
    """When somebody may try again. Whoever exports moves it ahead, so that no other one does meanwhile."""
    tries: int
    """How often the next one has failed."""
    trouble: str
    """Why it failed last; empty where it didn't."""


class SigningKeyRow(SQLModel, table=True):
    """A public key of checkpoints."""

    __tablename__ = "signing_key"
    __table_args__ = CLUSTERED

    key: str = Field(primary_key=True)
    """The key, as text."""
    at_us: int = Field(sa_type=BigInteger)
    """Since when it is known."""
    by: str
    """Who made it known."""
    state: str
    """active, handed_on to a later one, or retired since somebody else may have it."""
    ended_us: int | None = Field(default=None, sa_type=BigInteger)
    """Since when it isn't active any more."""


class RestorationRow(SQLModel, table=True):
    """A copy of the ledger that was put back; what happened after the copy was made isn't in it."""

    __tablename__ = "restoration"

    id: str = Field(primary_key=True)
    """Random."""
    at_us: int = Field(sa_type=BigInteger)
    """When that was done, or found."""
    copied_us: int = Field(sa_type=BigInteger)
    """When the last thing that it holds happened."""
    text: str
    """What was put back, or how it was found."""
    acknowledged_us: int | None = Field(default=None, sa_type=BigInteger)
    """When somebody said that they have gone through what is missing; until then tools ask."""
