"""The tables of who an agent is and where it stands: environments, standings, probes, footings. As `rows`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from ladder_graph.ledger.tables.rows import CLUSTERED


class EnvironmentRow(SQLModel, table=True):
    """A model, prompt, parameters and tools that proposed calls."""

    __tablename__ = "environment"

    agent: str = Field(primary_key=True)
    """Whose."""
    key: str = Field(primary_key=True)
    """Digest over the components."""
    components: str
    """The components, as JSON."""
    first_us: int = Field(sa_type=BigInteger)
    """When it was first seen."""
    last_us: int = Field(sa_type=BigInteger)
    """When it acted last, as far as the turns from one to another tell."""
    pinned: bool = False
    """Whether the policy's start rungs were granted for it."""
    beside: str = "{}"
    """What answers bore that makes no other environment, as JSON: name to values, each with when it was first and last
    seen. Of each name a few values are kept."""


class PromptRow(SQLModel, table=True):
    """A system prompt of an agent; the text itself stands in payloads, which can be erased."""

    __tablename__ = "prompt"

    agent: str = Field(primary_key=True)
    """Whose."""
    prompt: str = Field(primary_key=True)
    """The prompt component of its environments."""
    text: str
    """The payload that holds it as it was first sent."""
    latest: str
    """The payload that holds what its masks hid when that was last written down."""


class ProposalRow(SQLModel, table=True):
    """A model's answer with tool calls that may be routed in another process, and what gave it."""

    __tablename__ = "proposal"

    message: str = Field(primary_key=True)
    """The message's id."""
    calls: str
    """Digests over id, name and arguments of its calls, as JSON."""
    components: str
    """What proposed them, as JSON."""
    at_us: int = Field(sa_type=BigInteger, index=True)
    """When."""


class StandingRow(SQLModel, table=True):
    """What a cell holds beyond its start rung: what promotions gave it and demotions took."""

    __tablename__ = "standing"
    __table_args__ = CLUSTERED

    agent: str = Field(primary_key=True)
    """Whose."""
    tool: str = Field(primary_key=True)
    """Which tool."""
    scope: str = Field(primary_key=True)
    """In which scope of it; empty where the tool has none, `*` for all of them."""
    env: str = Field(primary_key=True)
    """The environment key of what proposes the calls; `*` for all of them."""
    held: str
    """What it holds (`trust.held.Held`), as JSON: the gate reads one row."""
    at_us: int = Field(sa_type=BigInteger)
    """Since when."""


class AssessmentRow(SQLModel, table=True):
    """What was last worked out of a cell from the whole chain, so that a page can show it without reading that."""

    __tablename__ = "assessment"

    agent: str = Field(primary_key=True)
    """Whose."""
    tool: str = Field(primary_key=True)
    """Which tool."""
    scope: str = Field(primary_key=True)
    """In which scope of it; empty where the tool has none."""
    env: str = Field(primary_key=True)
    """The environment key of what proposes the calls."""
    n: int
    """The last entry that was read for it."""
    at_us: int = Field(sa_type=BigInteger)
    """When it was worked out."""
    policy: str
    """The revision of the policy that it was worked out under."""
    said: str
    """What came of it (`ladder_graph.ladder.assessing.Assessment`), as JSON."""


class ProbeRow(SQLModel, table=True):
    """A question about a call that is known to be wrong, and never runs."""

    __tablename__ = "probe"
    __table_args__ = (Index("probe_of", "agent", "tool", "at_us"),)

    action: str = Field(primary_key=True)
    """The action's key."""
    agent: str
    """Whose reviewers are measured."""
    tool: str
    """Which tool it seems to call."""
    why: str
    """What is wrong with it."""
    at_us: int = Field(sa_type=BigInteger)
    """When it was put among the questions."""


class FootingRow(SQLModel, table=True):
    """What a mount last found around a tool, so that `ladder status` can tell without the graph."""

    __tablename__ = "footing"
    __table_args__ = CLUSTERED

    agent: str = Field(primary_key=True)
    """Whose."""
    tool: str = Field(primary_key=True)
    """Which tool."""
    can_ask: bool
    """There is a checkpointer."""
    reversible: bool
    """It declares an undo."""
    outward: str
    """The arguments that could carry something out, by its schema, as a JSON array."""
    unportable: str
    """Why another process couldn't run its undo; empty where it could."""
    ttl: float | None
    """Seconds after the action in which it can be undone."""
    canary: bool
    """It declares how it acts on a part first."""
    version: str
    """Its code, schema and declared version, as a digest."""
    undo: str
    """What its undo is made of, as a digest."""
    at_us: int = Field(sa_type=BigInteger)
    """When that was found."""
