"""The one-shot permit that a rung hands down to the one call it runs.

It goes down in a context variable, through a ToolNode's threads and through asyncio, past whatever middleware stands
between. At the bottom a sealed tool asks for it. So it is known for certain whether the tool's body was entered, how
often, and what it raised, whatever anybody in between made of that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers.context import register_configure_hook
from pydantic import BaseModel

from ladder_graph.calls import Call, digest_of
from ladder_graph.errors import ArgumentsError, DefiniteFailure, NotPermitted
from ladder_graph.facts import Outcome
from ladder_graph.policy.units import micro_dollars
from ladder_graph.whose import ours, running

_PERMIT: ContextVar[Permit | None] = ContextVar("ladder_graph_permit", default=None)
_ATTEMPT: ContextVar[Attempt | None] = ContextVar("ladder_graph_attempt", default=None)
_INSIDE: ContextVar[BaseCallbackHandler | None] = ContextVar("ladder_graph_inside", default=None)
# LangChain asks for it wherever a run begins, whatever callbacks that one is given.
register_configure_hook(_INSIDE, inheritable=True)

BY_ITSELF = "something in between answered by itself; the tool was not run"
"""Noted where a call is done and its tool's body was never entered."""


@dataclass(slots=True, eq=False)
class Attempt:
    """One run of a tool under a permit."""

    permit: Permit
    entered: bool = False
    """Whether the tool's own code began to run."""
    left: bool = False
    """Whether that code came to an end; whoever waited for it may have given up before."""
    over: bool = False
    """Whether nobody waits for it any more. Code that hasn't begun by then never does."""
    handed_on: bool = False
    """Whether that code has run a tool of the same name."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """A copy of what the tool's own code was given: the call's arguments as its schema made them, and defaults."""
    raised: BaseException | None = None
    """What the tool's own code raised."""
    cost: int | None = None
    """What the tool says that it cost, in micro-dollars."""

    @property
    def harmless(self) -> bool:
        """Whether it is certain that nothing happened."""
        return self.over and (not self.entered or isinstance(self.raised, DefiniteFailure))

    @property
    def answered(self) -> bool:
        """Whether the tool's own code came to its end."""
        return self.over and self.left and self.raised is None

    def enter(self, given: Mapping[str, Any]) -> None:
        """The tool's own code begins.

        Args:
            given: Its arguments, but for those that were filled in.

        Raises:
            NotPermitted: The call was given up meanwhile, and told as one of which nothing ran.
        """
        try:
            kept = {name: _kept(value) for name, value in given.items()}
        except Exception:  # noqa: BLE001  # of what a schema made of an argument, anything may be raised
            kept = {**given}
        with self.permit.lock:
            if self.over or not self.permit.open:
                late = "was called past its seal" if self.entered else "was given up before its own code began"
                raise NotPermitted(f"{self.permit.call.tool} {late}; nothing may run it any more")
            # An async way in may lead on to the sync one.
            self.given = self.given if self.entered else kept
            self.entered, self.left, self.raised = True, False, None

    def passes(self, inputs: object, text: str) -> bool:
        """Whether its own code hands on to a tool of the same name, with just what it was given, for the first time.

        Args:
            inputs: That tool's arguments; no mapping where it is called with a bare text.
            text: That text.
        """
        wanted = self.permit.call.arguments.keys()
        # A text stands for the first argument, and says nothing to a tool without any.
        first_of = next((name for name in wanted if name in self.given), next(iter(self.given), ""))
        bare = {first_of: text} if text or self.given else {}
        said = inputs if isinstance(inputs, Mapping) else bare
        # The schema may have dropped some of what the model wrote, or named it otherwise.
        whole = said.keys() >= wanted or (not self.given.keys() >= wanted and said.keys() >= self.given.keys())
        same = whole and all(self._was_given(name, value) for name, value in said.items())
        with self.permit.lock:
            first, self.handed_on = not self.handed_on, self.handed_on or same
        return first and same

    def _was_given(self, name: str, value: object) -> bool:
        """Whether its own code was given an argument, as it is or as the model wrote it."""
        known = (self.given, self.permit.call.arguments)
        return any(_equal(value, given[name]) for given in known if name in given)

    def end(self) -> None:
        """Nobody waits for it any more."""
        with self.permit.lock:
            self.over, self.given = True, {}

    def __str__(self) -> str:
        if not self.over or (self.entered and not self.left):
            return "it still runs"
        return "it answered" if self.raised is None else f"{type(self.raised).__name__}: {self.raised}"


@dataclass(slots=True, eq=False)
class Permit:
    """The right to run one frozen call once.

    Args:
        call: What may run.
        repeatable: Whether it may run more than once: the tool only reads, or is declared idempotent.
        certain: Whether whatever may run the tool for this call is sealed, and does so under this permit.
        inside: Hears of whatever models and tools the tool's own code runs.
    """

    call: Call
    repeatable: bool = False
    certain: bool = True
    inside: BaseCallbackHandler | None = field(default=None, kw_only=True)
    attempts: list[Attempt] = field(default_factory=list, init=False)
    refused: str = field(default="", init=False)
    """The first refusal under this permit, in words."""
    open: bool = field(default=False, init=False)
    """Whether anything may begin under it."""
    lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    """Held whenever an attempt begins, enters or ends, and when the permit becomes void: threads may be left behind."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hand it down to whatever is called inside. Afterwards it is void, for threads that were left behind too."""
        token = _PERMIT.set(self)
        self.open = True
        try:
            with running(ours=False):
                yield
        finally:
            with self.lock:
                self.open = False
            _PERMIT.reset(token)

    def begin(self) -> Attempt:
        """Another run of the tool.

        Raises:
            NotPermitted: It ran before, and a second run might be a second effect.
        """
        with self.lock:
            last = self.attempts[-1] if self.attempts else None
            if not self.open:
                self.refuse(f"the permit for this call of {self.call.tool} is used up; nothing may run it any more")
            if last is not None and not last.harmless and not self.repeatable:
                self.refuse(
                    f"{self.call.tool} was run under this permit before ({last}), and a second run could be a second "
                    f"effect. Declare the tool idempotent or read-only, raise DefiniteFailure in it where nothing "
                    f"happened, or take off what repeats it"
                )
            attempt = Attempt(self)
            self.attempts.append(attempt)
            return attempt

    def refuse(self, text: str) -> NoReturn:
        """Let nothing run, and remember why.

        Raises:
            NotPermitted: Always.
        """
        self.refused = self.refused or text
        raise NotPermitted(text)

    def judged(self, outcome: Outcome) -> Outcome:
        """What really came of the call, now that it is known what became of the tool's own code.

        Args:
            outcome: What the call looks like from outside.
        """
        judged = self._judged(outcome)
        costs = [attempt.cost for attempt in self.attempts if attempt.cost is not None]
        return replace(judged, cost=sum(costs)) if costs else judged

    def _judged(self, outcome: Outcome) -> Outcome:
        if outcome.kind == "paused" or (outcome.kind == "done" and outcome.signal is not None):
            return outcome  # Control flow of the host's; the tool said itself what it wants.
        entered = [attempt for attempt in self.attempts if attempt.entered]
        if not entered:
            return self._untouched(outcome)
        if all(attempt.harmless for attempt in entered):
            return replace(outcome, kind="failed", text=outcome.text or f"{entered[-1]}.")
        if outcome.kind == "done" and entered[-1].answered:
            return outcome
        doubtful = next((attempt for attempt in entered if not attempt.harmless and not attempt.answered), None)
        text = outcome.text if doubtful is None else f"{doubtful}."
        return replace(outcome, kind="unknown", text=text or outcome.text)

    def _untouched(self, outcome: Outcome) -> Outcome:
        """The tool's own code never ran, so nothing of it can have happened, if it is certain that it is sealed."""
        if self.refused:
            return replace(outcome, kind="failed", reply=None, text=f"{self.refused}.")
        if not self.certain:
            return outcome
        if outcome.kind == "done":
            return replace(outcome, text=BY_ITSELF, untouched=True)
        return replace(outcome, kind="failed")


def current() -> Permit | None:
    """The permit in whose hands this code runs; None inside a tool's body, which has used its own."""
    return _PERMIT.get()


def by_hand(tool: str, inputs: object, text: str) -> bool:
    """Whether a tool that begins here is called by hand: under no attempt of its own, and not by the ladder.

    A tool may stand around another one of its name, as one that writes each call down: that one runs once, on what was
    allowed.

    Args:
        tool: Its name.
        inputs: Its arguments; no mapping where it is called with a bare text.
        text: That text.
    """
    if ours():
        return False
    attempt = _ATTEMPT.get()
    if attempt is None or attempt.permit.call.tool != tool:
        return True
    return attempt.entered and not attempt.passes(inputs, text)


def acting(inside: BaseCallbackHandler) -> str | None:
    """The agent of whose call a tool's own code runs here; None where it is no call of which this handler hears."""
    attempt = _ATTEMPT.get()
    return attempt.permit.call.agent if attempt is not None and attempt.permit.inside is inside else None


def spent(amount: str) -> None:
    """Say inside a tool what this call of it really cost. Several sums add up.

    The `cost` bounds of the tool held a sum before the call; they settle at this one, in the window in which they held
    it. What costs more than was held is written down as an `overrun`, and the tool is put on the rung `confirm`. Where
    nobody says a sum, and for a call in doubt, what was held stands. Outside a call under the ladder it does nothing.

    Args:
        amount: As in a policy, `"$0.013"`.

    Raises:
        ValueError: It is no amount.
    """
    cost, attempt = micro_dollars(amount), _ATTEMPT.get()
    if attempt is not None and not attempt.over:
        attempt.cost = (attempt.cost or 0) + cost


@contextmanager
def attempting(attempt: Attempt) -> Iterator[None]:
    """The whole of one run of a tool, from its callbacks to its formatted answer."""
    token = _ATTEMPT.set(attempt)
    try:
        yield
    finally:
        attempt.end()
        _ATTEMPT.reset(token)


@contextmanager
def entering(tool: str, args: Sequence[object], given: Mapping[str, Any]) -> Iterator[None]:
    """A tool's own code. What it calls in turn has no permit from it.

    Args:
        tool: Its name.
        args: What it is given by position, as a tool with one argument is.
        given: What it is given by name, but for what was filled in.

    Raises:
        NotPermitted: Nobody allowed it: the code was called past its own checks. Or the call was given up meanwhile.
    """
    attempt = _ATTEMPT.get()
    if attempt is None or attempt.permit.call.tool != tool:
        raise NotPermitted(f"{tool} was called past its seal; call it through the graph's tool node")
    attempt.enter({**dict(zip(attempt.permit.call.arguments, args, strict=False)), **given} if args else given)
    token, before = _PERMIT.set(None), _INSIDE.set(attempt.permit.inside)
    try:
        yield
    except BaseException as wrong:
        attempt.raised = wrong
        raise
    finally:
        attempt.left = True
        _PERMIT.reset(token)
        _INSIDE.reset(before)


def _kept(value: Any) -> Any:
    """A copy of what data is made of, which the tool's own code can't change; anything else is the very object.

    A default may be a model of gigabytes, or open a connection when it is copied.
    """
    kind = type(value)
    if kind is dict:
        return {key: _kept(one) for key, one in value.items()}
    if kind is list or kind is set or kind is tuple:
        return kind(map(_kept, value))
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: _kept(one) for name, one in vars(value).items()})
    return value


def _equal(one: object, other: object) -> bool:
    """Whether two arguments are the same: by their digests, to which `True` isn't 1, or by what they say themselves."""
    if one is other:
        return True
    try:
        return digest_of(one) == digest_of(other)
    except ArgumentsError:
        with suppress(Exception):  # An array says neither yes nor no.
            return bool(one == other)
        return False
