"""The ledger's tables. They define the schema, the migrations, the reads, and the statements of the hot path.

`entry` is the append-only truth, chained by hash. The other tables are what the gate needs to look up in one row;
each of their changes is written together with its entry. Times are UTC microseconds since the epoch.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, literal_column
from sqlmodel import Field, SQLModel, col

CLUSTERED = {"sqlite_with_rowid": False}
"""For tables whose rows lie in the order of their keys: one page less for each row that is written."""

US = 1_000_000
"""Microseconds in a second."""

EVERYDAY = ("started", "done", "asked", "question", "approved")
"""The kinds of entries that every call leaves. All others are looked up by their kind, and these need no index: whoever
looks for one finds it soon."""


class EntryRow(SQLModel, table=True):
    """One thing that happened, in the chain of its agent. Never changed, never deleted."""

    __tablename__ = "entry"
    __table_args__ = (Index("entry_when", "stream", "at_us", "n"), CLUSTERED)

    stream: str = Field(primary_key=True)
    """The agent whose chain it is."""
    n: int = Field(primary_key=True)
    """Its place in the chain, from 1."""
    at_us: int = Field(sa_type=BigInteger)
    """When."""
    kind: str
    """What: a state of a call, or an event such as `pinned` or `demoted`."""
    action: str = Field(index=True)
    """The action's key; empty for what is about no single action."""
    payload: str
    """SHA-256 over salt and body of its payload."""
    prev: str
    """The hash of the entry before it; 64 zeros for the first."""
    hash: str
    """SHA-256 over the canonical array of all of the above."""


RARE = col(EntryRow.kind).not_in([literal_column(f"'{kind}'") for kind in EVERYDAY])
Index(
    "entry_rare",
    *map(col, (EntryRow.stream, EntryRow.kind, EntryRow.at_us, EntryRow.n)),
    sqlite_where=RARE,
    postgresql_where=RARE,
)


class MentionRow(SQLModel, table=True):
    """Where to find the entries that a person made, and those about a tool and no single action of it.

    All of it stands in the entries themselves; it is only looked up here.
    """

    __tablename__ = "mention"
    __table_args__ = CLUSTERED

    sort: str = Field(primary_key=True)
    """person or tool."""
    name: str = Field(primary_key=True)
    """The person, in a form in which the same name is the same text; or the tool."""
    stream: str = Field(primary_key=True)
    """The entry's chain."""
    at_us: int = Field(primary_key=True, sa_type=BigInteger)
    """When."""
    n: int = Field(primary_key=True)
    """The entry's place in the chain."""


class PayloadRow(SQLModel, table=True):
    """What an entry says, apart from the chain, so that it can be erased and the chain stays whole."""

    __tablename__ = "payload"

    hash: str = Field(primary_key=True)
    """SHA-256 over salt and body."""
    salt: bytes = Field(sa_type=LargeBinary)
    """Sixteen random bytes, so that a short body can't be guessed from its hash."""
    body: str
    """Canonical JSON."""


class HeadRow(SQLModel, table=True):
    """The last entry of each chain."""

    __tablename__ = "head"
    __table_args__ = CLUSTERED

    stream: str = Field(primary_key=True)
    """The agent."""
    n: int
    """How long the chain is."""
    hash: str
    """The last entry's hash."""


class ActionRow(SQLModel, table=True):
    """Where one call is in its life."""

    __tablename__ = "action"
    __table_args__ = (
        Index("action_like", "thread", "digest"),
        Index("action_state", "agent", "state", "updated_us"),
        Index("action_tool", "agent", "tool", "at_us"),
    )

    key: str = Field(primary_key=True)
    """The call's key: thread, tool call id and digest."""
    agent: str
    """Who acts."""
    thread: str
    """The LangGraph thread."""
    call_id: str
    """The tool call id the model gave."""
    tool: str
    """The tool's name."""
    digest: str
    """Tool and canonical arguments."""
    env: str | None
    """The environment key of what proposed it."""
    scope: str
    """The scope of the tool that it is in; empty where the tool has none."""
    checkpoint: str
    """Where its conversation stood, as the host names it; empty where nothing of that is kept."""
    rung: int
    """The rung it was given."""
    state: str
    """Its state (`ladder_graph.states`)."""
    owner: str
    """The process that started it; empty before."""
    fence: int
    """Goes up with each claim and takeover."""
    at_us: int = Field(sa_type=BigInteger)
    """When the ledger first heard of it."""
    updated_us: int = Field(sa_type=BigInteger)
    """When it last changed."""
    payload: str
    """The payload of its first entry, which holds the arguments."""
    why: str
    """Why it isn't on a higher rung."""
    text: str
    """The sentence the model was given, if it ended in one."""
    reply: bytes | None = Field(default=None, sa_type=LargeBinary)
    """The tool's recorded reply, as the host encoded it."""
    artifact: str | None = None
    """The undo artifact, as JSON, stored before the action."""
    actor: str
    """The person whose act it is; empty for the agent's own."""
    verdict: str = ""
    """What a person made of a suggestion: adopted or dismissed."""
    outside: str = ""
    """The bounds that it was found outside of when the ledger first heard of it, by their codes, with commas."""
    successor: str = ""
    """The key of the action that goes on in its place, once somebody put other arguments in."""


class QuestionRow(SQLModel, table=True):
    """A question about one frozen action, and its answer."""

    __tablename__ = "question"
    __table_args__ = (Index("question_round", "action", "round", unique=True),)

    id: str = Field(primary_key=True)
    """Random."""
    action: str
    """The action's key."""
    round: int
    """Counts the questions about this action, from 1: an approval that became void is asked for anew."""
    agent: str
    """Who wants to act."""
    tool: str
    """With which tool."""
    digest: str
    """What exactly was asked."""
    state: str
    """open, approved, declined, edited, responded, expired, or used once the approval has been consumed."""
    asked_us: int = Field(sa_type=BigInteger)
    """When it was asked."""
    expires_us: int = Field(sa_type=BigInteger)
    """When silence becomes a no."""
    impact: str
    """How bad a wrong call would be."""
    mistake: int | None = Field(default=None, sa_type=BigInteger)
    """What one wrong call costs at most, in micro-dollars."""
    may_answer: str
    """Names of those who may answer, as a JSON array; empty means anybody who is named."""
    typed: str | None = None
    """The argument whose value must be typed to approve."""
    decisions: str
    """What may be answered, as a JSON array."""
    quorum: int
    """How many different people must approve."""
    not_requester: bool
    """Whoever's run proposed the call may not approve it."""
    requester: str
    """Whose run proposed the call; empty where that isn't known."""
    requester_auth: str
    """How we know who that is."""
    nonce: str
    """SHA-256 of the random word that whoever is asked in band may name."""
    tool_version: str
    """The version of the tool that was asked about, as a digest."""
    rule: str
    """The revision of the tool's rule that it was asked under."""
    undo: str
    """The undo by import path; empty where there is none."""
    part_first: bool = False
    """A part of the call runs first, and the rest only if that turns out well."""
    passed_to: str = ""
    """Whom it was last handed to; anybody else who may answer still may."""
    passed_by: str = ""
    """Who handed it over."""
    by: str = ""
    """Who answered."""
    auth: str = ""
    """How we know who it was."""
    reason: str = ""
    """What they gave as a reason."""
    answered_us: int | None = Field(default=None, sa_type=BigInteger)
    """When they answered."""


OPEN = col(QuestionRow.state) == literal_column("'open'")
for _name, _by in (
    ("question_due", (QuestionRow.agent, QuestionRow.expires_us, QuestionRow.id)),
    ("question_tool", (QuestionRow.agent, QuestionRow.tool, QuestionRow.expires_us, QuestionRow.id)),
):
    Index(_name, *map(col, _by), sqlite_where=OPEN, postgresql_where=OPEN)
_OVER = col(QuestionRow.state) != literal_column("'open'")
Index(
    "question_past", *map(col, (QuestionRow.agent, QuestionRow.tool, QuestionRow.asked_us)), sqlite_where=_OVER,
    postgresql_where=_OVER,
)  # fmt: skip
_UNUSED = col(QuestionRow.state).in_([literal_column("'open'"), literal_column("'approved'")])
Index("question_late", col(QuestionRow.expires_us), sqlite_where=_UNUSED, postgresql_where=_UNUSED)


class VoteRow(SQLModel, table=True):
    """One person's yes to one question; where a quorum is asked for, several make an approval."""

    __tablename__ = "vote"

    question: str = Field(primary_key=True)
    """The question's id."""
    voter: str = Field(primary_key=True)
    """Who, in a form in which the same name is the same text."""
    by: str
    """Who, as they write themselves."""
    auth: str
    """How we know who it was."""
    reason: str
    """What they gave as a reason."""
    at_us: int = Field(sa_type=BigInteger)
    """When."""
    withdrawn: bool = False
    """Whether they took it back, after which it can't be given again."""


class QuotaRow(SQLModel, table=True):
    """One counter in one window."""

    __tablename__ = "quota"
    __table_args__ = (CheckConstraint("used >= 0 AND reserved >= 0"), CLUSTERED)

    quota: str = Field(primary_key=True)
    """Agent, what is counted of it, measure and window."""
    window: int = Field(primary_key=True, sa_type=BigInteger)
    """When the window, or the bucket of a sliding one, began: microseconds since the epoch."""
    used: int = Field(sa_type=BigInteger)
    """Settled: calls, or micro-dollars."""
    reserved: int = Field(sa_type=BigInteger)
    """Held by actions whose outcome is open."""
    lim: int = Field(sa_type=BigInteger)
    """What the window holds, as the policy last said."""


class RateRow(SQLModel, table=True):
    """How far the calls of one counter have run ahead of their rate."""

    __tablename__ = "rate"
    __table_args__ = CLUSTERED

    quota: str = Field(primary_key=True)
    """Agent, what is counted of it, measure and stretch of time."""
    free_us: int = Field(sa_type=BigInteger)
    """When all calls so far will have been waited for: the theoretical arrival time of the algorithm."""
    last_us: int = Field(sa_type=BigInteger)
    """When the last one was held."""
    granted: int = Field(sa_type=BigInteger)
    """How many were held, ever."""


class HoldRow(SQLModel, table=True):
    """What one action holds of one counter until its outcome is known."""

    __tablename__ = "hold"
    __table_args__ = CLUSTERED

    action: str = Field(primary_key=True)
    """The action's key."""
    quota: str = Field(primary_key=True)
    """The counter."""
    window: int = Field(sa_type=BigInteger)
    """The window in which it was reserved, and will be settled; of a rate, the how manyth call it is."""
    amount: int = Field(sa_type=BigInteger)
    """How much; of a rate, how many microseconds it makes the next one wait."""


class BeyondRow(SQLModel, table=True):
    """A call outside its bounds that people let run."""

    __tablename__ = "beyond"
    __table_args__ = (Index("beyond_when", "agent", "at_us"),)

    action: str = Field(primary_key=True)
    """The action's key."""
    agent: str
    """Who acted."""
    tool: str
    """With which tool."""
    outside: str
    """The bounds, by their codes, with commas."""
    by: str
    """Who approved it."""
    at_us: int = Field(sa_type=BigInteger)
    """When it was started."""


class PartRow(SQLModel, table=True):
    """A call that goes by a part first, with the two actions that run in its place."""

    __tablename__ = "part"

    whole: str = Field(primary_key=True)
    """The call's key."""
    part: str = Field(unique=True)
    """The key of the action that runs first."""
    rest: str = Field(unique=True)
    """The key of the one that runs once that is good."""
