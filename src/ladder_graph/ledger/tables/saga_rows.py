"""The tables of scopes that are undone as a whole. They stand beside those of `ladder_graph.ledger.tables.rows`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from ladder_graph.ledger.tables.rows import CLUSTERED


class SagaRow(SQLModel, table=True):
    """One scope; it outlives the process whose block it is."""

    __tablename__ = "saga"
    __table_args__ = (Index("saga_root", "root"), Index("saga_due", "due_us"), Index("saga_phase", "agent", "phase"))

    id: str = Field(primary_key=True)
    """Random, or made from the key that the program gave."""
    root: str
    """The outermost scope around it; its own id where there is none."""
    parent: str
    """The scope around it; empty where there is none."""
    agent: str
    """The agent of the policy, in whose chain its entries are."""
    name: str
    """What the program calls it."""
    phase: str
    """open, left, closed, undo, undone or held (`ladder_graph.unwinding`)."""
    owner: str
    """The process whose block it is."""
    steps: int
    """The last place in the order of the effects of it and of the scopes inside it; counted in the outermost one."""
    begun_us: int = Field(sa_type=BigInteger)
    """When its block was entered."""
    due_us: int | None = Field(default=None, sa_type=BigInteger)
    """When somebody must go on undoing it; null where nobody must."""
    why: str = ""
    """Why it is undone."""
    by: str = ""
    """The person who said so; empty where it was none."""


class MemberRow(SQLModel, table=True):
    """One call in a scope, written with its question or its claim."""

    __tablename__ = "member"
    __table_args__ = (Index("member_root", "root", "n"), CLUSTERED)

    action: str = Field(primary_key=True)
    """The action's key."""
    saga: str
    """The innermost scope."""
    root: str
    """The outermost one."""
    n: int | None = None
    """Its place in the order of the effects: that of its start, and once it has run, that of its end where it can be
    undone; null as long as it only waits for an answer."""
    came: str = ""
    """What came of its undo: undone, no-op, conflict, failed or skipped; empty before."""
    text: str = ""
    """The same in words, where a word isn't enough."""
