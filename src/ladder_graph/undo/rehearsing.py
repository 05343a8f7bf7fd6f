"""Trying a tool's undo out before it is needed: what an undo promises, step by step, on the real thing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ladder_graph.states import State
from ladder_graph.steps import UndoOutcome, Unprepared
from ladder_graph.tools import Declaration, declaration_of
from ladder_graph.undo.apart import undo_apart
from ladder_graph.undo.running import Came, prepared, touched, undo, word_of


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried."""

    name: str
    """What must hold."""
    ok: bool
    """Whether it does."""
    text: str = ""
    """What was found instead."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of trying an undo out."""

    tool: str
    """The tool's name."""
    version: str
    """The version that it declares."""
    steps: tuple[Step, ...]
    """What was tried, in order; it ends at the first step without which the others make no sense."""
    untried: tuple[str, ...] = ()
    """What couldn't be tried, and why."""

    @property
    def passed(self) -> bool:
        """Whether everything that was tried holds."""
        return all(step.ok for step in self.steps)

    def __str__(self) -> str:
        marks = [f"{'ok  ' if s.ok else 'FAIL'} {s.name}{f': {s.text}' if s.text else ''}" for s in self.steps]
        return "\n".join([f"{self.tool}: {'passed' if self.passed else 'failed'}", *marks,
                          *(f"     not tried: {left}" for left in self.untried)])  # fmt: skip


def rehearse(
    tool: Any,
    arguments: Mapping[str, Any],
    *,
    declaration: Declaration | None = None,
    foreign: Callable[[], Any] | None = None,
    act: Callable[[], Any] | None = None,
    read: Mapping[str, Any] | None = None,
) -> Rehearsal:
    """Call a tool for real, several times, and undo it each time. Use a place where nobody minds.

    What is tried: the artifact survives JSON; making it changes nothing; an undo before the call is a no-op; one after
    the call puts everything back; a second one is a no-op; somebody else's change is a conflict and is left alone; and
    a process killed after the artifact was made, after the call, or after the undo loses nothing. The kills are real:
    another process undoes from the artifact alone and is killed by SIGKILL.

    Args:
        tool: A LangChain tool, or the function.
        arguments: The arguments of the call. It must change something.
        declaration: What the tool declares, where that isn't on the tool.
        foreign: Changes what the call changed, as somebody else would after it. It is put back afterwards.
        act: Calls the tool, where calling it with the arguments won't do.
        read: What the tool's code reads of the arguments, where its schema makes others of them: the undo is for these.
    """
    said = declaration or declaration_of(tool)
    trial = _Trial(said, arguments if read is None else read, act or (lambda: _call(tool, arguments)), foreign)
    steps = tuple(trial.steps())
    name = getattr(tool, "name", None) or getattr(tool, "__name__", type(tool).__name__)
    return Rehearsal(str(name), said.version, steps, tuple(trial.untried))


def _call(tool: Any, arguments: Mapping[str, Any]) -> Any:
    given = copy.deepcopy(dict(arguments))
    return tool.invoke(given) if hasattr(tool, "invoke") else tool(**given)


class _Stop(Exception):
    """A step failed without which the others make no sense."""


class _Trial:
    def __init__(
        self, said: Declaration, arguments: Mapping[str, Any], act: Callable[[], Any],
        foreign: Callable[[], Any] | None,
    ) -> None:  # fmt: skip
        self.said, self.arguments, self.act, self.foreign = said, arguments, act, foreign
        self.untried: list[str] = []
        self.artifact: dict[str, Any] = {}

    def steps(self) -> Iterator[Step]:
        """Everything in order."""
        try:
            yield self._ready()
            yield from self._restored()
            if self.foreign is None:
                self.untried.append("somebody else's change is left alone: give foreign=")
            else:
                yield self._conflict(self.foreign)
            if self.said.unportable:
                self.untried.append(f"a kill loses nothing: {self.said.unportable}")
            else:
                yield from self._kills()
        except _Stop as stop:
            yield stop.args[0]
        except Exception as wrong:  # noqa: BLE001  # the tool's own code; the rehearsal tells
            yield Step("the call can be rehearsed", ok=False, text=" ".join(f"{type(wrong).__name__}: {wrong}".split()))

    def _make(self) -> dict[str, Any]:
        """An artifact as another process would read it."""
        made = prepared(self.said, copy.deepcopy(dict(self.arguments)))
        if isinstance(made, Unprepared):
            raise _Stop(Step("the artifact is made and survives JSON", ok=False, text=made.text))
        return dict(json.loads(json.dumps(made)))

    def _now(self) -> str | None:
        return touched(self.said, self.artifact)

    def _undo(self, after: str | None) -> UndoOutcome:
        return undo(self.said, self.artifact, after)

    def _ready(self) -> Step:
        self.artifact = self._make()
        if self.said.fingerprint is None:
            raise _Stop(Step("it has a fingerprint", ok=False, text="it declares none, so nothing can be compared"))
        return Step("the artifact is made and survives JSON", ok=True)

    def _restored(self) -> Iterator[Step]:
        before = self.artifact["before"]
        self._make()
        yield _same("making it changes nothing", self._now(), before)
        yield _step("an undo before the call is a no-op", self._undo(self._now()), "no-op")
        self.act()
        after = self._now()
        if after in {None, before}:
            raise _Stop(Step("the call changes what the fingerprint sees", ok=False, text="it is as before the call"))
        yield self._needed(_step("an undo after the call puts everything back", self._undo(after), "undone"))
        if not self.said.conditional:
            yield self._needed(_same("the fingerprint is the one of before", self._now(), before))
        yield _step("a second undo is a no-op", self._undo(after), "no-op")

    def _needed(self, step: Step) -> Step:
        if not step.ok:
            raise _Stop(step)
        return step

    def _acted(self) -> str | None:
        """Once more from the start: the fingerprint right after the call."""
        self.artifact = self._make()
        self.act()
        return self._now()

    def _conflict(self, foreign: Callable[[], Any]) -> Step:
        after = self._acted()
        foreign()
        theirs = self._now()
        name = "somebody else's change is a conflict and is left alone"
        if theirs == after:
            return Step(name, ok=False, text="the fingerprint doesn't see the change that foreign() makes")
        step = _step(name, self._undo(after), "conflict")
        step = step if not step.ok else _same(name, self._now(), theirs)
        # For what comes next: as if nobody knew of the other one.
        self._undo(None)
        return step

    def _kills(self) -> Iterator[Step]:
        self.artifact = self._make()
        yield _step("killed before the call: a no-op", undo_apart(self.artifact, None), "no-op")
        self._acted()
        lost = undo_apart(self.artifact, None)
        # Not to know whose change it was, and to say so, loses nothing.
        conflict = lost.state is State.UNDO_CONFLICT
        yield _step("killed right after the call: undone, or a conflict", lost, "conflict" if conflict else "undone")
        if conflict:
            self._undo(self._now())
        after = self._acted()
        killed = undo_apart(self.artifact, after, killed=True)
        stopped = killed.state is State.UNDO_FAILED and killed.text.startswith("its process ended with -9")
        yield Step("killed after the undo, before it could tell", ok=stopped, text="" if stopped else killed.text)
        yield _step("the next one finds it undone", undo_apart(self.artifact, after), "no-op")


def _step(name: str, outcome: UndoOutcome, expected: Came) -> Step:
    word = word_of(outcome)
    text = "" if word == expected else f"it is {word}{f' ({outcome.text})' if outcome.text else ''}, not {expected}"
    return Step(name, ok=word == expected, text=text)


def _same(name: str, now: str | None, before: str | None) -> Step:
    return Step(name, ok=now == before, text="" if now == before else "the fingerprint is another one")
