"""The tables of threads that have an answer and don't know it yet, and of who goes on with them. As `rows`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


class ResumptionRow(SQLModel, table=True):
    """An answer that a thread is to go on with."""

    __tablename__ = "resumption"
    __table_args__ = (
        Index("resumption_due", "due_us"),
        Index("resumption_thread", "thread", "due_us"),
        Index("resumption_action", "action"),
    )

    question: str = Field(primary_key=True)
    """The question's id."""
    action: str
    """The action's key."""
    agent: str
    """Who asked."""
    thread: str
    """The LangGraph thread that waits."""
    call_id: str
    """The tool call id that the thread's interrupt names."""
    tool: str
    """Which tool it is about."""
    why: str
    """What was said: approve, decline, edit, respond, revoke; or expire, where nobody said anything in time."""
    at_us: int = Field(sa_type=BigInteger)
    """When."""
    state: str
    """waiting, taken (a worker has it in hand), heard (the call knows the answer), over, or lost (given up)."""
    due_us: int | None = Field(sa_type=BigInteger)
    """When somebody must look next; null once nobody needs to any more."""
    owner: str = ""
    """The process that has it in hand, by its lock; empty where nobody has."""
    tries: int = 0
    """How often going on went wrong."""
    problem: str = ""
    """Why it couldn't go on the last time, in words."""
    how: str = ""
    """Which worker began to go on with the thread, in words; empty where none did."""


class ResumerRow(SQLModel, table=True):
    """A process that goes on with the threads of an agent."""

    __tablename__ = "resumer"

    owner: str = Field(primary_key=True)
    """The process, by its lock."""
    agent: str = Field(primary_key=True)
    """Whose threads."""
    name: str
    """Machine and process id, for people."""
    how: str
    """In which way, in words."""
    beat_us: int = Field(sa_type=BigInteger)
    """When it last said that it works."""
