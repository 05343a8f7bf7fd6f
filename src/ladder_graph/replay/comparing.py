"""What agents did, as their checkpointer has it, held against what a ladder's ledger says of it, call by call.

A call is the same one where thread, tool call id, tool and arguments are. What is decided alike has the same rung and
the same codes of reasons in both; a replay takes all that the rungs need for granted, so that a tool whose undo was
never rehearsed, say, is decided otherwise, and both reasons are shown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal, Self, get_args

from ladder_graph.calls import Call
from ladder_graph.errors import ArgumentsError
from ladder_graph.replay.decider import Judged
from ladder_graph.replay.paths import shown
from ladder_graph.replay.stores.accounts import Account, Accounts
from ladder_graph.replay.traces import Run, TracedCall
from ladder_graph.scale import Rung

Kind = Literal["alike", "otherwise", "undecidable", "changed", "past", "unheard", "gone"]
"""`alike`, `otherwise`: how a replay and the ledger decide. `undecidable`: the ledger has decided, and the history
doesn't tell how. `changed`: the ledger knows the call under other arguments. `past`: it ran, and the ledger never heard
of it. `unheard`: it neither ran nor came to the ledger. `gone`: the ledger has it, and the history doesn't, as where
somebody went back and left a branch."""
KINDS: tuple[Kind, ...] = get_args(Kind)
EXAMPLES = 20
"""Calls that are kept of each kind; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a call goes, and the codes of why it goes no higher."""

    rung: Rung | None = None
    """None where that isn't known."""
    reasons: tuple[str, ...] = ()
    """Of the missing facts, where a replay can't decide."""

    def __str__(self) -> str:
        rung = "undecidable" if self.rung is None else self.rung.word
        return f"{rung} ({', '.join(self.reasons)})" if self.reasons else rung

    def alike(self, other: Decision) -> bool:
        """Whether both are the same, whatever the order of the reasons.

        Args:
            other: The other one.
        """
        return self.rung is other.rung and set(self.reasons) == set(other.reasons)


@dataclass(frozen=True, slots=True)
class Compared:
    """One call, as both have it."""

    kind: Kind
    thread: str
    tool: str
    call: str
    """The tool call id."""
    replayed: Decision | None = None
    """What a replay of the history decides; None where the call isn't in it."""
    recorded: Decision | None = None
    """What the ledger says; None where the call isn't in it."""
    runs: int = 1
    """How often it was begun, by the ledger; of what that doesn't have, how many answers the history holds."""
    together: tuple[str, ...] = ()
    """The ids of other calls of the same turn that were asked about while this one was: whoever answers by anything but
    the question's own id may answer another one."""


@dataclass
class Comparison:
    """Holds replayed runs against a ledger; what it keeps doesn't grow with them, but for the names of their threads.

    The runs of one thread follow each other, as they are read from a checkpointer's database.

    Args:
        accounts: The ledger.
        source: How it is called.
        examples: Calls that are kept of each kind.
    """

    accounts: Accounts
    source: str
    examples: int = EXAMPLES
    counts: Counter[Kind] = field(default_factory=Counter, init=False)
    """Calls by how they compare."""
    repeated: int = field(default=0, init=False)
    """Calls that ran more than once."""
    open_at_once: int = field(default=0, init=False)
    """Calls that were asked about while another call of their turn was."""
    missing: int = field(default=0, init=False)
    """Threads of the ledger that no run is of; known once all runs were seen."""
    shown: dict[str, list[Compared]] = field(default_factory=lambda: defaultdict(list), init=False)
    """The first calls of each kind but those that are alike, and of `repeated` and `together`."""
    _threads: set[str] = field(default_factory=set, init=False)
    _thread: str | None = field(default=None, init=False)
    _left: dict[str, Account] = field(default_factory=dict, init=False)
    """What the ledger has of the thread, and no run of it had so far, by its key."""
    _named: defaultdict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list), init=False)
    """The keys of the thread's calls by tool call id and tool."""

    @classmethod
    def of(cls, ledger: str, examples: int = EXAMPLES) -> Self:
        """Open a ledger to compare with.

        Args:
            ledger: A SQLite file, or the URL of a PostgreSQL database.
            examples: Calls that are kept of each kind.

        Raises:
            LadderError: There is no such ledger.
        """
        return cls(Accounts(ledger), shown(ledger), examples)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.accounts.close()

    def add(self, run: Run, judged: Sequence[Judged]) -> None:
        """Hold one run against the ledger.

        Args:
            run: The run; its id, or its task where it is of a graph inside another one, is a thread's.
            judged: What a policy makes of its calls.
        """
        if run.cluster != self._thread:
            self._leave()
            self._thread = run.cluster
            self._threads.add(run.cluster)
            for one in self.accounts.of(run.cluster):
                self._left[one.key] = one
                self._named[one.traced.id, one.traced.tool].append(one.key)
        found = [self._found(traced) for traced in run.calls]
        together = _together(run, [account for _, account in found])
        for traced, decides, (kind, account), others in zip(run.calls, judged, found, together, strict=True):
            self._count(replace(_compared(run.cluster, traced, decides, kind, account), together=others))

    def finish(self) -> None:
        """All runs were seen: what only the ledger has is counted now."""
        self._leave()
        self.missing = len({thread for thread, _ in self.accounts.threads()} - self._threads)

    def _leave(self) -> None:
        """The runs of a thread are over."""
        for one in self._left.values():
            traced = one.traced
            self._count(Compared("gone", self._thread or "", traced.tool, traced.id, None, _recorded(one),
                                 traced.answers or 0))  # fmt: skip
        self._left, self._thread = {}, None
        self._named.clear()

    def _found(self, traced: TracedCall) -> tuple[Kind | None, Account | None]:
        """What the ledger has of a call, and what is to be said of that whatever was decided."""
        with suppress(ArgumentsError):
            key = Call("", self._thread or "", traced.id, traced.tool, traced.arguments or {}).key
            if traced.arguments is not None and key in self._left:
                return None, self._left.pop(key)
        named = [key for key in self._named[traced.id, traced.tool] if key in self._left]
        # The key of an agent inside another one is over its name there, which a trace may not tell.
        for key in named:
            if traced.arguments is not None and self._left[key].traced.arguments == traced.arguments:
                return None, self._left.pop(key)
        if named:
            account = self._left.pop(named[0])
            unknown = traced.arguments is None or account.traced.arguments is None
            return None if unknown else "changed", account
        # That it waits may be only what its result says, which is its tool's word where no ladder sent it anywhere.
        claimed = traced.fate == "held" and bool(traced.result) and traced.decided is None
        return "past" if traced.fate in _RAN or claimed else "unheard", None

    def _count(self, one: Compared) -> None:
        self.counts[one.kind] += 1
        self.repeated += one.runs > 1
        self.open_at_once += bool(one.together)
        for name, told in ((one.kind, one.kind != "alike"), ("repeated", one.runs > 1), ("together", one.together)):
            if told and len(self.shown[name]) < self.examples:
                self.shown[name].append(one)


_RAN = frozenset({"done", "failed", "undone"})
"""What became of a call that was let run."""


def _compared(thread: str, traced: TracedCall, judged: Judged, kind: Kind | None, account: Account | None) -> Compared:
    replayed, recorded = _replayed(judged), None if account is None else _recorded(account)
    if kind is None and recorded is not None:
        alike: Kind = "alike" if replayed.alike(recorded) else "otherwise"
        kind = "undecidable" if replayed.rung is None else alike
    # A ledger answers a call that is made again, so only it knows how often one ran that it has.
    runs = (traced if account is None else account.traced).answers or 0
    return Compared(kind or "past", thread, traced.tool, traced.id, replayed, recorded, runs)


def _replayed(judged: Judged) -> Decision:
    if judged.route is None:
        return Decision(None, judged.missing)
    return Decision(judged.route.rung, tuple(dict.fromkeys(reason.code for reason in judged.route.reasons)))


def _recorded(account: Account) -> Decision:
    decided = account.traced.decided
    return Decision() if decided is None else Decision(decided.rung, tuple(dict.fromkeys(decided.reasons)))


def _together(run: Run, accounts: Sequence[Account | None]) -> Iterator[tuple[str, ...]]:
    """For each call, the others of its turn that were asked about at the same time."""
    turns: defaultdict[int, list[Account]] = defaultdict(list)
    for traced, account in zip(run.calls, accounts, strict=True):
        if account is not None and account.asked:
            turns[traced.turn].append(account)
    for traced, account in zip(run.calls, accounts, strict=True):
        others = turns[traced.turn] if account is not None and account.asked else []
        yield tuple(one.traced.id for one in others if account is not None and one is not account
                    and _overlap(one, account))  # fmt: skip


def _overlap(one: Account, other: Account) -> bool:
    """Whether any question about one call was open while one about the other was."""
    return any(
        (until is None or begun < until) and (end is None or start < end)
        for start, until in one.asked
        for begun, end in other.asked
    )
