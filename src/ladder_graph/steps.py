"""What the life of a call asks of the world outside: frozen records that `flow` yields and a driver performs.

The logic that yields them knows no database, no graph and no clock, so it is written once for sync and async, and
every one of its paths can be walked in a test without either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ladder_graph.calls import Call
from ladder_graph.drafting import Drawn
from ladder_graph.facts import Known, Outcome, Person, Question, Route, Seen
from ladder_graph.policy.bounds import Bound, Breach, Charge, weigh
from ladder_graph.policy.checks import Check
from ladder_graph.policy.scene import Scene
from ladder_graph.splitting import Await, Divide, Join, Split
from ladder_graph.states import State
from ladder_graph.telling import Telling


@dataclass(frozen=True, slots=True)
class Weigh:
    """Hold a call against bounds that may take a while. Answer: as `weigh` gives it."""

    call: Call
    bounds: tuple[Bound, ...]
    scene: Scene

    def done(self) -> tuple[list[Breach], list[Charge]]:
        """The answer."""
        return weigh(self.bounds, self.call, self.scene)


@dataclass(frozen=True, slots=True)
class Look:
    """What does the ledger know of this call? Answer: `Seen`."""

    call: Call
    charges: tuple[Charge, ...] = ()
    recall: bool = False
    """What was seen of earlier calls in its cell will do, if the answer says so: the claim looks at it again."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Write down a call that ends without running: suggested, drafted, refused, declined, expired."""

    call: Call
    state: State
    route: Route
    text: str = ""
    draft: Drawn | Filed | None = None
    """The draft, as it was drawn, and once its file lies in the workspace."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A draft whose file lies in the workspace."""

    drawn: Drawn
    path: str
    sha256: str
    """Of the file's bytes."""
    labels: tuple[str, ...] = ()
    """The access labels of what it holds: those of the tool's rule, and its own."""


@dataclass(frozen=True, slots=True)
class Undrawn:
    """The call's arguments lead somewhere no draft may go; it is refused."""

    text: str


@dataclass(frozen=True, slots=True)
class Compose:
    """Draw the draft. Answer: `Drawn`, or `Undrawn`."""

    call: Call


@dataclass(frozen=True, slots=True)
class Pose:
    """Ask, or find the question that is open already. Answer: `Question` or `NotClaimed`."""

    call: Call
    route: Route
    part_first: bool = False
    """Whether whoever is asked reads that a part of it goes first."""
    new: bool = False
    """Whether nothing was known of it when somebody looked, so that it can't be asked already."""
    seen: Seen | None = None
    """What it is asked by, where nobody has looked again since; a change of that refuses it as `stale`."""
    asked: Question | None = None
    """The question about it that was there when somebody looked."""
    told: Telling | None = None
    """What is taken down of it for whoever is asked; None where that was done before."""
    trace: str = ""
    """The span that asks, as a W3C `traceparent`; empty where nobody traces."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Wake a person: the host interrupts. Answer: whatever came back."""

    question: Question
    complaint: str = ""
    """What was wrong with the last answer."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer came in; write it down if it can be taken. Answer: `Question`, or a complaint in words."""

    question: Question
    answer: Any


@dataclass(frozen=True, slots=True)
class GoneOn:
    """The thread knows what was said, and goes on: nobody needs to wake it. Answer: the question, once; then None."""

    call: Call


@dataclass(frozen=True, slots=True)
class Fit:
    """Do the arguments that somebody put in fit the tool? Answer: a complaint in words, or None."""

    call: Call


@dataclass(frozen=True, slots=True)
class Prepare:
    """Make the undo artifact, before anything runs. Answer: a JSON value, or an `Unprepared`."""

    call: Call


@dataclass(frozen=True, slots=True)
class Unprepared:
    """The undo could not be made; the call doesn't run by itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Take the right to run: one durable commit before the effect. Answer: `Claimed` or `NotClaimed`."""

    call: Call
    route: Route
    charges: tuple[Charge, ...] = ()
    question: Question | None = None
    """The approval that this claim consumes."""
    artifact: Any = None
    report: bool = False
    """Whether a report is filed with the claim."""
    durable: bool = True
    """False for a call that only reads: losing its record loses nothing."""
    actor: Person | None = None
    """The person whose act it is, where it isn't the agent's."""
    seen: Seen | None = None
    """What the route was found by, where that was a moment ago: the claim holds only if it still is so."""
    split: Split | None = None
    """What runs in its place, where a part goes first. Both have claims of their own."""
    whole: Call | None = None
    """For a part or a rest, the call that it is of; the part is watched as such, and the rest needs a part that
    stands."""
    alone: bool = False
    """Only where no other call of the agent is at the resource that `artifact` names, or was since that was made; else
    it is `occupied`. It holds as long as the turn has patience."""
    left_too: bool = True
    """Whether that goes for what was left there, too, and for who finds out about it. As long as there is patience."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claim holds, under this fence."""

    fence: int


@dataclass(frozen=True, slots=True)
class NotClaimed:
    """Somebody else has it, a quota is full, the approval is gone, or the route must be found anew. Nothing ran."""

    code: Literal["busy", "quota", "approval", "state", "stale", "pivot", "occupied", "unprepared"]
    text: str
    other: str = ""
    """The key of the action that is at the same resource, where it is `occupied`."""


@dataclass(frozen=True, slots=True)
class Execute:
    """Run the tool on the frozen arguments. Answer: `Outcome`; never an exception of the tool's own."""

    call: Call
    again: bool = False
    """Whether it stopped before at an interrupt of its own, whose answer may have come in."""


@dataclass(frozen=True, slots=True)
class Record:
    """Write down what came of it: one commit after the effect, under the claim's fence."""

    call: Call
    fence: int
    state: State
    outcome: Outcome | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """Take the health checks after an action. Answer: None when healthy, else what is wrong."""

    call: Call
    checks: tuple[Check, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Undo:
    """Undo from the artifact. Answer: `UndoOutcome`."""

    call: Call
    artifact: Any


@dataclass(frozen=True, slots=True)
class UndoOutcome:
    """What came of an undo."""

    state: Literal[State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED]
    text: str = ""


NOTHING_TO_UNDO = "there was nothing to undo"
"""The text of an undo that found things as they were before."""

LATE = "too late: "
"""How the text of an undo starts that nobody tried, since its `ttl` was over. No later try can do better."""

Traced = Literal["happened", "absent", "cannot tell", "changed"]
"""What a probe found; `changed` says that what the action touches isn't as it was, so a part took place."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Find out whether the effect of an action in doubt took place. Answer: `Traced`."""

    call: Call
    artifact: Any = None
    """Its undo, by which it can be told whether what it touches is as it was."""


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The process that started it is gone; become the one who finds out. Answer: `Claimed` or `NotClaimed`."""

    call: Call
    fence: int
    undo: str = ""
    """Why it is to be undone, where it is done; empty where somebody only finds out what became of it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Another live task runs this very action; wait a while for its outcome. Answer: `Seen`."""

    call: Call


@dataclass(frozen=True, slots=True)
class StandBy:
    """Another live call is at the same resource; wait until it is over, or one's patience is. No answer."""

    action: str
    """The other one's key."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Does the conversation know of an earlier call that is done? Answer: whether it does, or never could lose it."""

    call: Call
    """The same call under another id."""
    earlier: Known


Step = (
    Weigh
    | Look
    | Recall
    | Settle
    | Compose
    | Pose
    | Ring
    | Heard
    | GoneOn
    | Fit
    | Prepare
    | StandBy
    | Claim
    | Execute
    | Record
    | Measure
    | Undo
    | Probe
    | TakeOver
    | Wait
    | Divide
    | Await
    | Join
)
"""Everything that the life of a call may ask for."""
