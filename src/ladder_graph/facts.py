"""What is known and said of a call: frozen records that the steps of its life carry, and the ledger answers with."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any, Literal

from ladder_graph.calls import Call, normalise
from ladder_graph.fingerprint import Environment
from ladder_graph.policy.bounds import Charge
from ladder_graph.policy.bounds.shape import MISSING, Missing, follow
from ladder_graph.scale import Rung
from ladder_graph.splitting import Split
from ladder_graph.states import State

Verdict = Literal["approve", "decline", "edit", "respond"]
"""What a person may say: let it run, don't, let it run with these other arguments, or answer in its place."""


Means = Literal["keyboard", "pointer", ""]
"""What somebody answered with; empty where that isn't known."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a call stands where it stands: a stable code and a sentence."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Route:
    """The rung a call goes to, and why it isn't a higher one."""

    rung: Rung
    reasons: tuple[Reason, ...] = ()

    @property
    def why(self) -> str:
        """The reasons as one line of prose."""
        return "; ".join(reason.text for reason in self.reasons) or "this is where the policy puts it"

    @property
    def outside(self) -> tuple[str, ...]:
        """The bounds that the call is outside of, by their codes."""
        return tuple(dict.fromkeys(one.code for one in self.reasons if one.code.startswith("outside_")))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who answers, and how we know who it is."""

    name: str
    auth: Literal["unverified", "code", "os-user", "server", "signed", "console", "proxy", "slack"] = "unverified"
    """`unverified`: a name in an answer. `code`: the embedding program vouches. `os-user`: signed in to this
    machine. `server`: authenticated by the LangGraph server. `signed`: an inbox signed for them, with a key that the
    policy names. `console`: signed in at the console by a one-time link. `proxy`: named by the proxy in front of the
    console, which the policy trusts. `slack`: Slack signed for the user that the policy says they are."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's answer to one question about one action."""

    verdict: Verdict
    by: Person
    at: dt.datetime
    reason: str = ""
    """Why; for `respond`, the text that the model gets."""
    successor: Call | None = None
    """For `edit`, the call that goes on in the other's place."""
    looked: float | None = None
    """Seconds that the person looked at the question; None where that wasn't measured."""
    characters: int | None = None
    """How much there was to read."""
    fault: str = ""
    """`policy` for a no that says nothing about the agent."""
    shown: str = ""
    """The digest of the briefing that the person was shown; empty where that isn't known."""
    input: Means = ""
    """What they answered with."""
    batch: str = ""
    """What is the same for all questions that were answered at once; empty for one that was answered by itself."""

    @property
    def record(self) -> dict[str, Any]:
        """What the ledger keeps of how it was come to; nothing of what isn't known."""
        found = {
            "looked": self.looked, "characters": self.characters, "fault": self.fault or None,
            "shown": self.shown or None, "input": self.input or None,
            "batch": self.batch or None,
        }  # fmt: skip
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Question:
    """A question about exactly one frozen action."""

    id: str
    """Random, and known only to those who were asked."""
    digest: str
    """What was asked: key, tool and its version, canonical arguments, the rule's revision, the rung and the undo."""
    call: Call
    asked_at: dt.datetime
    expires_at: dt.datetime
    reasons: str
    impact: str
    may_answer: tuple[str, ...] = ()
    """Who may answer, by name or as `role:...`; empty means anybody who is named."""
    typed: str | None = None
    """The argument whose value must be typed to approve; dots lead into nested ones."""
    decision: Decision | None = None
    """The answer, once there is one."""
    expired: bool = False
    """Nobody answered in time."""
    fresh: bool = False
    """Asked this very moment: whatever answer lies about already can't be meant for it."""
    decisions: tuple[Verdict, ...] = ("approve", "decline", "edit", "respond")
    """What may be answered."""
    quorum: int = 1
    """How many different people must approve."""
    votes: tuple[Decision, ...] = ()
    """Who has approved so far, oldest first."""
    not_requester: bool = False
    """Whoever's run proposed the call may not approve it."""
    requester: Person | None = None
    """Whose run proposed the call, where that is known."""
    nonce: str = ""
    """SHA-256 of the random word that whoever was asked can name; empty where nobody was asked in band."""
    mistake: int | None = None
    """What one wrong call costs at most, in micro-dollars, where the rule says so."""
    probe: str = ""
    """What is wrong with the call, where it was a probe, that is known to be wrong and never runs. Nobody knows before
    it is answered."""
    part_first: bool = False
    """A part of it runs first, and the rest only if the part turns out well."""
    passed_to: str = ""
    """Whom it was last handed to; empty where nobody did."""
    passed_by: str = ""
    """Who handed it over."""
    trace: str = ""
    """The span that asked it, as a W3C `traceparent`; only told where the turn that goes on is traced too."""
    word: str = ""
    """That random word itself, where the question is being asked; the ledger doesn't know it."""

    @property
    def to_type(self) -> str | None:
        """What must be typed to approve, in words: an argument, or for high impact at least the tool's name."""
        if self.typed is not None:
            return self.typed
        return "tool's name" if self.impact == "high" else None

    @property
    def typed_value(self) -> str | None:
        """What must be typed to approve: a text as it is, and any other value as the JSON that is shown of it."""
        if self.typed is None:
            return self.call.tool if self.impact == "high" else None
        value = self._typed
        if value is MISSING:
            return ""
        return value if isinstance(value, str) else json.dumps(normalise(value), ensure_ascii=False)

    @property
    def _typed(self) -> Any:
        """The value that must be typed; a name with dots in it goes before what they lead to."""
        given, name = self.call.arguments, self.typed or ""
        return given[name] if name in given else follow(given, name)

    @property
    def typed_as_json(self) -> bool:
        """Whether what must be typed is no text, so that it is typed as JSON."""
        return self.typed is not None and not isinstance(self._typed, str | Missing)

    def is_typed(self, typed: str | None) -> bool:
        """Whether somebody typed what must be typed: a text letter for letter, and other values as the same JSON."""
        if typed is None or not self.typed_as_json:
            return typed == self.typed_value
        return _spelt(typed) == _spelt(self.typed_value or "")


def _spelt(text: str) -> str:
    """One spelling for all texts that are the same JSON; one that is none, or has spaces around, stays as it is."""
    try:
        return json.dumps(json.loads(text), sort_keys=True) if text == text.strip() else text
    except (ValueError, RecursionError):
        return text


@dataclass(frozen=True, slots=True)
class Asking:
    """The circumstances in which a question is asked, as far as the host knows them."""

    requester: Person | None = None
    """Whose run proposed the call."""
    continued: bool = False
    """That run only goes on with what another one began, so that it is whoever asked before who asks now."""
    seed: str = ""
    """A secret of the task that asks, from which the word is made that an answer may name the question by."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """How an answer came in, as far as the host knows."""

    by_id: bool = False
    """It was given for the very interrupt that asks."""
    started: dt.datetime | None = None
    """When the run was started that brought it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of an action."""

    call: Call
    state: State
    text: str = ""
    """The sentence the model was given, if the call ended in one."""
    reply: bytes | None = None
    """The tool's recorded reply, as the host encoded it."""
    owner_alive: bool = False
    """Whether the process that started it still lives, by an OS lock and not by a time-out."""
    fence: int = 0
    """Goes up with each takeover; an outcome is only recorded under the fence it was claimed with."""
    artifact: Any = None
    """The undo artifact stored with the claim."""
    successor: Call | None = None
    """The call with the arguments that somebody put in, which goes on in its place."""
    checkpoint: str = ""
    """Where its conversation stood, as the host names it."""
    parted: bool = False
    """It was claimed to go by a part first, so that its part and its rest are actions of their own."""
    split: Split | None = None
    """These two, as they were written down with the claim; None where that can't be read any more."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the ledger knows that bears on a call."""

    known: Known | None = None
    """This very action, if it was seen before."""
    twin: Known | None = None
    """The same tool and arguments in the same thread under another id, started and in doubt."""
    before: Known | None = None
    """The same tool and arguments in the same thread under another id, done."""
    declined: Decision | None = None
    """A person's earlier no to the same tool and arguments in this thread."""
    asked: Question | None = None
    """The question about this very action that waits, or whose yes isn't used yet."""
    editor: Person | None = None
    """Who put other arguments in, where this very action was edited."""
    earned: Rung | None = None
    """The rung that the call's cell was promoted to, if it was."""
    standing: Rung | None = None
    """The rung that a demotion put this cell on, if one did."""
    standing_reason: str = ""
    sampled: bool = False
    """One of five calls asks, since a silent change is suspected."""
    left: tuple[tuple[Charge, int], ...] = ()
    """Each charge the call would make, with what is left in its window."""
    overdue: int = 0
    """1 where a report on what this cell did was not read in time."""
    mute: str = ""
    """Why nobody hears of reports on it; empty where people do."""
    watched: bool = True
    """A watcher lives, or the rule has no window that needs one."""
    rehearsed: bool = True
    """This very undo was rehearsed with this version of the tool, or the policy doesn't ask for that."""
    firing: str = ""
    """Which alert of the rule's checks fires already, in words; empty where none does."""
    pinned: Environment | None = None
    """The environment that the policy's start rungs were granted for; None before the first call."""
    scoped: bool = False
    """It is made inside a scope that is undone as a whole."""
    pivot: str = ""
    """What of its scope could not be undone any more after it, in words; empty where nothing is lost by it."""
    mark: str = field(default="", compare=False)
    """The part of it that every call has, in one word, as the ledger tells it; empty where there is more."""
    end: int = field(default=-1, compare=False)
    """How long its agent's chain was then; -1 where that wasn't looked at."""
    at_us: int = field(default=0, compare=False)
    """When that was, in microseconds since the epoch."""
    recalled: bool = field(default=False, compare=False)
    """It is what was seen of an earlier call, and nobody has looked for this one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of running a tool."""

    kind: Literal["done", "failed", "unknown", "paused"]
    reply: Any = None
    """What the graph gets: messages and commands, in the host's own form."""
    text: str = ""
    """An error in words."""
    signal: BaseException | None = None
    """A control-flow signal of the host, re-raised once it is recorded."""
    cost: int | None = None
    """What the tool says that it cost, in micro-dollars; None where it doesn't say."""
    barred: bool = False
    """The machinery kept it from running; the tool itself has failed at nothing."""
    untouched: bool = False
    """Something in between answered, and it is certain that the tool's own code never ran."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call comes back with: either the tool's own reply, or a sentence for the model."""

    state: State
    text: str = ""
    """What happened and what the model may do next; empty where the tool's own reply stands."""
    outcome: Outcome | None = None
    recorded: bytes | None = None
    """An earlier reply from the ledger, to be decoded by the host."""
    note: str = ""
    """A sentence to stand before whatever the model reads: that a person put other arguments in."""

    @property
    def error(self) -> bool:
        """Whether the model should read it as something that didn't work."""
        return self.state not in {State.SUGGESTED, State.DRAFTED, State.DONE, State.RESPONDED}
