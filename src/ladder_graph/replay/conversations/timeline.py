"""A run put together from what was traced while it ran: answers of models and calls of tools, in the order of time.

Parts of many runs stand mixed in one file, each with the id of its trace. Traces of one thread are one run, since a
call that waits for a person is proposed in one of them and made in another. What a model was given tells what the user
said, and what became of calls that no tool was run for. Only where it then proposes calls, though: a program also puts
what tools answered into the words of a user, for a model that sums it up.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile

from ladder_graph.replay.conversations.dialects import Message, put
from ladder_graph.replay.conversations.gathering import Gathering, weight_of
from ladder_graph.replay.conversations.pairing import Answered, Asked, Conversation
from ladder_graph.replay.sources import Source
from ladder_graph.replay.traces import Run

_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
_REMEMBERED = 100_000
"""Traces whose thread is remembered."""
_DEEPEST = 1000
"""Steps within steps that are followed."""
_PAUSED = ("GraphInterrupt", "NodeInterrupt", "GraphBubbleUp", "ParentCommand")
"""How what LangGraph raises is called that stops a tool without its having failed."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a model was given."""

    said: tuple[str, ...]
    """The user's own messages."""
    answered: tuple[Answered, ...]
    """The results that came since its last answer."""

    @classmethod
    def of(cls, messages: Sequence[Message]) -> Given:
        """What stands in the messages that a model was given.

        Args:
            messages: They, oldest first.
        """
        conversation = Conversation(lambda _: None)
        put(conversation, messages)
        new = takewhile(lambda message: message.speaker != "model", reversed(messages))
        answered = [one for message in reversed(list(new)) for one in message.answered]
        return cls(conversation.said or (), tuple(answered))


@dataclass(frozen=True, slots=True)
class Step:
    """One span, as far as it says something about a run."""

    trace: str
    id: str
    parent: str = ""
    """The step within which it was made."""
    at: dt.datetime | None = None
    """When it began, aware."""
    ended: dt.datetime | None = None
    """When it ended, aware; None where that isn't recorded."""
    asked: tuple[Asked, ...] | None = None
    """Of an answer of a model: the calls that it proposes."""
    given: Given | None = None
    """Of an answer of a model: what it was given; None where that isn't recorded."""
    model: str = ""
    """The model, as it was reported."""
    tokens: tuple[int, int] | None = None
    """In and out."""
    called: Asked | None = None
    """Of a run of a tool: what was called, and with what."""
    answered: Answered | None = None
    """Of a run of a tool: what came back; None where it hasn't ended."""
    thread: str = ""
    """The thread that its trace belongs to."""
    namespace: str = ""
    """The checkpoint namespace that LangGraph gave it, where that is recorded."""
    facts: Mapping[str, str | bool] = field(default_factory=dict)
    """What it tells about the run, by the names of `Run`: `suite`, `requester`, `solved`, `harmed`."""

    @property
    def weight(self) -> int:
        """The bytes that it takes in memory, about."""
        spoken = [self.given.said, [one.text for one in self.given.answered]] if self.given else []
        calls = [*(self.asked or ()), *([self.called] if self.called else [])]
        answered = self.answered.text if self.answered else None
        return 1000 + weight_of([spoken, answered, [[one.tool, one.arguments] for one in calls]])


def paused(error: str) -> bool:
    """Whether what a tool raised only says that it waits, or goes on elsewhere.

    Args:
        error: The error's text or type.
    """
    return error.startswith(_PAUSED)


def runs(source: Source, steps: Iterable[Step]) -> Iterator[Run]:
    """The runs that steps make, in any order.

    Args:
        source: Where they stand; is told what can't be used.
        steps: The steps.
    """
    gathering: Gathering[Step] = Gathering(partial(source.tell, ""))
    threads: OrderedDict[str, str] = OrderedDict()
    for step in steps:
        if not step.trace:
            source.tell("", "a step has no trace, so nobody knows to which run it belongs; it is left out")
            continue
        if step.thread and step.trace not in threads:
            threads[step.trace] = step.thread
            gathering.join(step.trace, step.thread)
            if len(threads) > _REMEMBERED:
                threads.popitem(last=False)
        for name, parts in gathering.add(threads.get(step.trace, step.trace), step, step.weight):
            yield from _run(source, name, parts)
    for name, parts in gathering.rest():
        yield from _run(source, name, parts)


def _run(source: Source, name: str, steps: list[Step]) -> Iterator[Run]:
    """The run of a thread or trace; none where no model and no tool is in it."""
    speaking = [step for step in steps if step.asked is not None or step.called is not None]
    if not speaking:
        return
    if all(step.at is not None for step in speaking):
        speaking.sort(key=lambda step: step.at or _NEVER)
    else:
        source.tell(name, "has steps without a time, and is read in the order in which they stand")
    story = _Story(Conversation(partial(source.tell, name), words=False), _within(steps))
    for step in speaking:
        story.add(step)
    facts: dict[str, str | bool] = {}
    for step in steps:
        facts = {**step.facts, **facts}
    requesters = {step.facts["requester"] for step in steps if "requester" in step.facts}
    yield Run(
        id=name,
        calls=story.conversation.calls(),
        said=None if story.said is None else tuple(story.said),
        suite=str(facts.get("suite", "")),
        requester=str(requesters.pop()) if len(requesters) == 1 else None,
        solved=facts["solved"] is True if "solved" in facts else None,
        harmed=facts.get("harmed") is True,
    )


def _within(steps: Iterable[Step]) -> dict[str, str]:
    """Of each step that an agent inside another one made, by its id: within which tool's step, or inside which graph.

    No user speaks to such an agent, and it hears only what comes back to its own calls.
    """
    parents = {step.id: step.parent for step in steps}
    tools = {step.id for step in steps if step.called is not None}

    def above(id_: str) -> Iterator[str]:
        for _ in range(_DEEPEST):
            id_ = parents.get(id_, "")
            if not id_:
                return
            yield id_

    found = {step.id: _graph(step.namespace) if step.namespace else "" for step in steps}
    for id_ in parents:
        found[id_] = next((one for one in above(id_) if one in tools), found[id_])
    return {id_: whose for id_, whose in found.items() if whose}


def _graph(namespace: str) -> str:
    """The graph that a task of this checkpoint namespace belongs to; empty for the outermost one."""
    from ladder_graph.hosts.conversation import INSIDE

    return namespace.rpartition(INSIDE)[0]


@dataclass(slots=True)
class _Story:
    """A run, told step by step."""

    conversation: Conversation
    within: Mapping[str, str]
    said: list[str] | None = None
    until: dt.datetime | None = None
    """When the last call ended that no message proposed; None where there was none, or that isn't known."""
    alone: bool = False
    """Whether the last step was such a call."""

    def add(self, step: Step) -> None:
        if step.asked is not None:
            self._model(step, step.asked)
        elif step.called is not None:
            self._tool(step, step.called)

    def _model(self, step: Step, asked: tuple[Asked, ...]) -> None:
        self.alone = False
        if step.given is not None:
            self.said = self.said or []
            if asked and step.id not in self.within:
                self.said += [text for text in step.given.said if text not in self.said]
            for one in step.given.answered:
                self.conversation.told_again(one)
        self.conversation.model(
            asked, model=step.model, tokens=step.tokens, at=step.ended or step.at, heard=self._heard(step),
            within=self.within.get(step.id, ""),
        )  # fmt: skip

    def _heard(self, step: Step) -> int:
        """How much of the user's words a step has heard: nothing within a tool, as under the live gate."""
        return 0 if step.id in self.within else len(self.said or ())

    def _tool(self, step: Step, called: Asked) -> None:
        answered = step.answered or Answered(None, called.id, called.tool)
        if self.conversation.expects(answered) or self.conversation.knows(answered.id):
            self.alone = False
        else:
            # Calls that nobody is known to have proposed are one turn as long as they overlap.
            again = self.alone and (self.until is None or step.at is None or step.at < self.until)
            self.conversation.model(
                (called,), at=step.at, heard=self._heard(step), again=again, within=self.within.get(step.id, "")
            )
            self.until = max(step.ended, self.until) if again and step.ended and self.until else step.ended
            self.alone = True
        if step.answered is not None:
            self.conversation.result(step.answered)
