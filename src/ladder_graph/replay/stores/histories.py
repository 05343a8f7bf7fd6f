"""One graph's history in a thread, as a checkpointer kept it: put together from its checkpoints, the newest first.

The run is the branch that leads to the newest checkpoint. What stands only on other branches, which somebody left by
going back, is counted and told; a call that was answered on several of them ran more than once. A message stands where
it came in first and as it was then; one with calls, as it was when the first of them was answered. One that was taken
out of the conversation later on is heard by a replay all the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from ladder_graph.hosts.identity import REQUESTER, STUDIO
from ladder_graph.hosts.scenery import outputs, users_own
from ladder_graph.replay.conversations.pairing import Answered, Asked, Conversation
from ladder_graph.replay.stores.checkpoint import (
    Question,
    changes_in,
    held_in,
    made_at,
    parent_of,
    questions_after,
    rungs_in,
    written_after,
)
from ladder_graph.replay.traces import Answer, Decided, Fate, Run, TracedCall, Trouble
from ladder_graph.scale import Rung

_BEFORE = -(1 << 30)
"""Less than any place in a checkpoint: what was written for it stands before what it holds."""
_SIGNED_IN = "langgraph_auth_user_id"
"""Whom a LangGraph server has authenticated; what its clients say of themselves counts for nothing."""
_OWN = frozenset({"source", "step", "parents", "writes", "run_id", "counters_since_delta_snapshot", REQUESTER})
"""Of a checkpoint's metadata, what is no fact about the run."""


@dataclass(slots=True)
class _Place:
    """Where a message stands."""

    message: BaseMessage
    settled: bool
    """It is as it was before any of its calls was answered, so that no older form of it counts."""
    at: dt.datetime | None
    """When it came in."""
    order: tuple[int, int]
    """The checkpoint that it came in with, 0 for the newest and less for older ones, and its place there."""
    kept: bool
    """It wasn't taken out of the conversation later on."""


@dataclass(slots=True)
class History:
    """One graph of one thread.

    Args:
        thread: The thread.
        namespace: The graph's checkpoint namespace; empty for the outermost one.
    """

    thread: str
    namespace: str = ""
    left: int = field(default=0, init=False)
    """Checkpoints on branches that were left."""
    _places: dict[str, _Place] = field(default_factory=dict, init=False)
    _answers: dict[str, set[str]] = field(default_factory=dict, init=False)
    """The ids of the messages that brought a call's result, by the call's."""
    _changed: set[str] = field(default_factory=set, init=False)
    _removed: set[str] = field(default_factory=set, init=False)
    _elsewhere: set[str] = field(default_factory=set, init=False)
    _rungs: dict[str, Rung] = field(default_factory=dict, init=False)
    _questions: dict[str, Question] = field(default_factory=dict, init=False)
    _requesters: set[str | None] = field(default_factory=set, init=False)
    _facts: Mapping[str, Any] = field(default_factory=dict, init=False)
    _agent: str = field(default="", init=False)
    _order: int = field(default=0, init=False)
    """The order of the checkpoint that comes next."""
    _next: str | None = field(default="", init=False)
    """The checkpoint that the run goes on with, backwards; empty before the first, None at the end."""
    _after: dt.datetime | None = field(default=None, init=False)
    """When the checkpoint was made that came after the one that comes next."""

    def add(self, one: CheckpointTuple) -> None:
        """Take in the next older checkpoint.

        Args:
            one: The checkpoint, with what its tasks wrote.
        """
        if self._next not in {"", one.checkpoint["id"]}:
            self._aside(one)
            return
        at = made_at(one)
        self._place(one, at)
        self._rungs.update(rungs_in(one))
        for name, question in questions_after(one):
            self._questions.setdefault(name, question)
        self._know(one)
        self._next, self._after = parent_of(one), at
        self._order -= 1

    def _place(self, one: CheckpointTuple, at: dt.datetime | None) -> None:
        """The messages that a checkpoint holds, and those written after it that stand in none."""
        newest, order = self._order == 0, self._order
        here = held_in(one)
        answered = {message.tool_call_id for message in here if isinstance(message, ToolMessage)}
        written = list(written_after(one, last=newest))
        if not newest:
            # What was written after a checkpoint came in with the next one.
            for place, message in enumerate(written):
                self._put(message, self._after or at, (order + 1, _BEFORE + place), answered, kept=True)
        kept = newest or bool(changes_in(one))
        for place, message in enumerate(here):
            self._put(message, at, (order, place), answered, kept=kept)
        for place, message in enumerate(written if newest else ()):
            if message.id not in self._places:
                self._put(message, at, (order + 1, place), answered, kept=True)

    def _put(
        self, message: BaseMessage, at: dt.datetime | None, order: tuple[int, int], answered: set[str], *, kept: bool
    ) -> None:
        if isinstance(message, RemoveMessage):
            self._removed.add(str(message.id))
            return
        self._count(message)
        name, calls = _name(message, order[1]), message.tool_calls if isinstance(message, AIMessage) else []
        settled = bool(calls) and not any(call["id"] in answered for call in calls)
        known = self._places.get(name)
        if known is None:
            kept = kept and not self._removed & {name, REMOVE_ALL_MESSAGES}
            self._places[name] = _Place(message, settled, at, order, kept)
            return
        known.at, known.order = at, order
        if not known.settled:
            known.message, known.settled = message, settled
        elif isinstance(known.message, AIMessage) and known.message.tool_calls != calls:
            self._changed.add(name)

    def _count(self, message: BaseMessage) -> None:
        if isinstance(message, ToolMessage) and message.status == "success":
            self._answers.setdefault(message.tool_call_id, set()).add(message.id or "")

    def _aside(self, one: CheckpointTuple) -> None:
        """A checkpoint on a branch that was left: what it holds that the run doesn't is counted."""
        self.left += 1
        for place, message in enumerate((*held_in(one), *written_after(one, last=True))):
            self._count(message)
            if _proposes(message):
                self._elsewhere.add(_name(message, place))

    def _know(self, one: CheckpointTuple) -> None:
        """Whose run it is, and what is known of it; the oldest checkpoint tells last, and counts."""
        metadata: Mapping[str, Any] = one.metadata or {}
        server = metadata.get(_SIGNED_IN)
        user = server if isinstance(server, str) else metadata.get(REQUESTER)
        if metadata.get("source") != "update":  # Whoever only puts something into the state runs nothing.
            self._requesters.add(user.strip() if isinstance(user, str) and user.strip() not in {"", STUDIO} else None)
        self._facts = {} if server else {name: value for name, value in metadata.items() if name not in _OWN}
        self._agent = str(metadata.get("graph_id") or metadata.get("lc_agent_name") or self._agent)

    @property
    def began(self) -> dict[str, dt.datetime | None]:
        """When each message with calls came in, by its name."""
        return {name: one.at for name, one in self._places.items() if _proposes(one.message)}

    def troubles(self) -> Iterator[str]:
        """What of the history isn't in the run, or only looks as if it were."""
        if self._next:
            yield "begins in the middle: the checkpoints before are gone"
        if self.left:
            lost = len(self._elsewhere - self._places.keys())
            yield (
                f"forks: {self.left} checkpoints are on branches that somebody left; what stands only there is left "
                f"out, {lost} messages with calls among it"
            )
        if forgotten := sum(not one.kept for one in self._places.values()):
            yield f"{forgotten} messages were taken out of the conversation on the way; here they stay to its end"
        if self._changed:
            yield f"the calls of {len(self._changed)} messages were changed before they were answered"

    def run(self, tell: Trouble, theirs: frozenset[str] = frozenset()) -> Run:
        """The run that the history is.

        Args:
            tell: Is told what doesn't fit together in the conversation.
            theirs: The names of messages that another graph of the thread proposed calls with, and that only came
                through this one.
        """
        placed = sorted(self._places.items(), key=lambda item: item[1].order)
        conversation = Conversation(tell)
        self._talk(conversation, [one for _, one in placed], {place for place, (name, _) in enumerate(placed)
                                                              if name in theirs})  # fmt: skip
        inner = bool(self.namespace)
        (requester,) = self._requesters if len(self._requesters) == 1 else (None,)
        return Run(
            id=f"{self.thread}|{self.namespace}" if inner else self.thread,
            calls=tuple(self._decided(call) for call in conversation.calls()),
            suite=self._agent,
            # What a graph inside another one did is no observation of its own.
            task=self.thread if inner else "",
            said=conversation.said,
            requester=requester,
            facts=self._facts,
        )

    def _talk(self, conversation: Conversation, placed: Sequence[_Place], theirs: set[int]) -> None:
        """Say it all again, to be put together. In a graph inside another one nothing is the user's own."""
        messages = [one.message for one in placed]
        own = {} if self.namespace else dict(_heard(messages, users_own))
        counted = {place: output.text for place, output in _heard(messages, outputs)}
        elsewhere = {call["id"] for place in theirs for call in _calls(messages[place])}
        for place, one in enumerate(placed):
            message = one.message
            match message:
                case HumanMessage() if place in own:
                    conversation.user(own[place])
                case AIMessage():
                    asked = [] if place in theirs else list(_asked(message))
                    conversation.model(asked, model=_model(message), tokens=_tokens(message), at=one.at,
                                       waits=not _proposes(message))  # fmt: skip
                case ToolMessage() if message.tool_call_id not in elsewhere:
                    failed = message.status != "success"
                    text = str(message.text) if failed else counted.get(place, str(message.text))
                    conversation.result(Answered(text, message.tool_call_id, message.name or "", failed, one.at))
                case SystemMessage() | HumanMessage():
                    continue
                case _:
                    conversation.other()
        answered = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)} | elsewhere
        for call in (call for one in placed for call in _calls(one.message) if call["id"] not in answered):
            if call["id"] in self._questions or call["id"] in self._rungs:
                # It waits at the ladder, or for a person: that it has no result is as it should be.
                conversation.result(Answered(None, call["id"], call["name"], fate="held"))

    def _decided(self, call: TracedCall) -> TracedCall:
        """A call with what a ladder or a person decided about it, as far as the history tells."""
        rung, question = self._rungs.get(call.id), self._questions.get(call.id)
        decided = call.decided if rung is None else Decided(rung)
        if question is not None:
            decided = Decided(question.rung or Rung.CONFIRM, answer=question.answer, by=question.by)
        fate = _fate(call, decided or Decided())
        answers = len(self._answers[call.id]) if call.id in self._answers else None
        matched = call.matched if call.result else ""
        return replace(call, decided=decided, fate=fate, answers=answers, matched=matched)


def _fate(call: TracedCall, decided: Decided) -> Fate | None:
    """What became of a call, by its result and by what was decided about it."""
    if decided.answer in _FATES:
        return _FATES[decided.answer]
    asked = decided.rung is Rung.CONFIRM
    if decided.rung in {Rung.SUGGEST, Rung.DRAFT} or (asked and call.fate is None):
        return "held"
    # Where the answer was given elsewhere, or where it was sent isn't kept, the ladder's own sentence tells.
    said = call.output or ""
    if call.fate == "failed" and said.startswith(_NOT_RUN):
        return "declined"
    return "held" if call.fate == "done" and said.startswith(_WAITS) else call.fate


_FATES: dict[Answer | None, Fate] = {
    "decline": "declined", "expire": "declined", "respond": "declined", "edit": "edited",
}  # fmt: skip
"""What an answer that is no yes makes of a call."""
_NOT_RUN = ("DECLINED by ", "NOT RUN: ", "REFUSED: ")
"""How a ladder begins what it tells a model of a call that didn't run."""
_WAITS = ("SUGGESTED, NOT RUN: ", "DRAFTED, NOT RUN: ")
"""How it begins what it tells of one that was only suggested or drafted."""


def _name(message: BaseMessage, place: int) -> str:
    """What a message is known again by; one without an id, by its place and what it says."""
    return message.id or f"{place} {message.type} {[call['id'] for call in _calls(message)]} {message.text}"


def _calls(message: BaseMessage) -> Sequence[Any]:
    return [*message.tool_calls, *message.invalid_tool_calls] if isinstance(message, AIMessage) else []


def _proposes(message: BaseMessage) -> bool:
    return bool(_calls(message))


def _asked(message: AIMessage) -> Iterator[Asked]:
    """The calls that a message proposes; those that couldn't be read bear the text of their arguments."""
    for call in message.tool_calls:
        yield Asked(call["name"], call["args"], call["id"] or "")
    for broken in message.invalid_tool_calls:
        yield Asked(broken["name"] or "", broken["args"], broken["id"] or "")


def _model(message: AIMessage) -> str:
    said = message.response_metadata
    return str(said.get("model_name") or said.get("model") or "")


def _tokens(message: AIMessage) -> tuple[int, int] | None:
    usage = message.usage_metadata
    return (usage["input_tokens"], usage["output_tokens"]) if usage else None


def _heard(messages: Sequence[BaseMessage], rule: Any) -> Iterator[tuple[int, Any]]:
    """What a rule of the gate finds in a conversation, with the places of the messages that it found it in."""
    at = 0

    def walked() -> Iterable[BaseMessage]:
        nonlocal at
        for at, message in enumerate(messages):  # noqa: B007  # the rule stops there
            yield message

    for found in rule(walked()):
        yield at, found
