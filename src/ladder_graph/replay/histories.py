"""One thread's history, as a checkpointer kept it: put together from its checkpoints, the newest first.

The run is the branch that leads to the newest checkpoint. What stands only on other branches, which somebody left by
going back, is counted and told; a call that was answered on several of them ran more than once. A message stands where
it came in first and as it was then; one with calls, as it was when the first of them was answered. One that was taken
out of the conversation later on is heard by a replay all the same.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, RemoveMessage, ToolMessage, convert_to_messages
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.types import Interrupt, Overwrite, Send

from ladder_graph import answers
from ladder_graph.hosts.identity import REQUESTER, STUDIO
from ladder_graph.hosts.proposals import is_packet
from ladder_graph.hosts.scenery import outputs, users_own
from ladder_graph.replay.traces import Answer, Decided, Fate, Run, TracedCall, hashed
from ladder_graph.scale import Rung

_INTERRUPT, _RESUME, _SENDS = "__interrupt__", "__resume__", "__pregel_tasks"
"""Channels under which LangGraph writes questions, answers to them, and what it sends to tasks of their own."""
_AFTER = 1 << 30
"""More than a checkpoint has messages: what was written for it stands before what it holds."""
_DELTAS = "counters_since_delta_snapshot"
"""Where a checkpoint says of which channels it has only what changed."""
_SIGNED_IN = "langgraph_auth_user_id"
"""Whom a LangGraph server has authenticated; what its clients say of themselves counts for nothing."""
_OWN = frozenset({"source", "step", "parents", "writes", "run_id", _DELTAS, REQUESTER})
"""Of a checkpoint's metadata, what isn't a fact about the run."""


@dataclass(slots=True)
class _Place:
    """Where a message stands."""

    message: BaseMessage
    settled: bool
    """It is as it was before any of its calls was answered, so that no older form of it counts."""
    at: dt.datetime | None
    """When it came in."""
    order: tuple[int, int]
    """The checkpoint it came in with, counted from the newest and negative, and its place there."""
    kept: bool
    """It is in the newest checkpoint still."""


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
    _messages: dict[str, _Place] = field(default_factory=dict, init=False)
    _answers: dict[str, set[str]] = field(default_factory=dict, init=False)
    _changed: set[str] = field(default_factory=set, init=False)
    """Messages whose calls were changed before any of them was answered."""
    _removed: set[str] = field(default_factory=set, init=False)
    """Ids of messages that were taken out later on, where only changes are kept."""
    _elsewhere: set[str] = field(default_factory=set, init=False)
    """Ids of the calls on other branches."""
    _rungs: dict[str, Rung] = field(default_factory=dict, init=False)
    _asked: dict[str, _Asked] = field(default_factory=dict, init=False)
    _requesters: set[str | None] = field(default_factory=set, init=False)
    _facts: Mapping[str, Any] = field(default_factory=dict, init=False)
    _agent: str = field(default="", init=False)
    _count: int = field(default=0, init=False)
    """Checkpoints of the run so far."""
    _next: str | None = field(default="", init=False)
    """The checkpoint that the run goes on with, backwards; empty before the first, None at the end."""
    _after: dt.datetime | None = field(default=None, init=False)
    """When the checkpoint was made that came after this one."""

    def add(self, one: CheckpointTuple) -> None:
        """Take in the next older checkpoint.

        Args:
            one: The checkpoint, with what its tasks wrote.
        """
        if self._next not in {"", one.checkpoint["id"]}:
            self.left += 1
            self._aside(one)
            return
        at = _moment(one.checkpoint.get("ts"))
        self._placed(one, at)
        self._questions(one)
        self._known(one)
        self._next = one.parent_config["configurable"]["checkpoint_id"] if one.parent_config else None
        self._after = at
        self._count += 1

    def _placed(self, one: CheckpointTuple, at: dt.datetime | None) -> None:
        """The messages that stand in a checkpoint, and those written after it that stand in none."""
        newest, deltas = self._count == 0, bool((one.metadata or {}).get(_DELTAS))
        here = list(_messages_in(one.checkpoint["channel_values"].values()))
        answered = {message.tool_call_id for message in here if isinstance(message, ToolMessage)}
        # What was written after a checkpoint came in with the next one.
        written = [] if newest else list(_written(one, whole=False))
        for place, message in enumerate(written):
            self._put(message, self._after or at, (1 - self._count, place - _AFTER), answered, kept=True)
        for place, message in enumerate(here):
            self._put(message, at, (-self._count, place), answered, kept=newest or deltas)
        for place, message in enumerate(_written(one, whole=True) if newest else ()):
            if message.id not in self._messages:
                self._put(message, at, (1, place), answered, kept=True)
        for name, rung in _sent(one.checkpoint["channel_values"].get(_SENDS)):
            self._rungs[name] = rung

    def _put(
        self, message: BaseMessage, at: dt.datetime | None, order: tuple[int, int], answered: set[str], *, kept: bool
    ) -> None:
        if isinstance(message, RemoveMessage):
            self._removed.add(str(message.id))
            return
        self._heard(message)
        name = _named(message, order)
        known = self._messages.get(name)
        calls = message.tool_calls if isinstance(message, AIMessage) else []
        settled = bool(calls) and not any(call["id"] in answered for call in calls)
        if known is None:
            kept = kept and not self._removed & {name, REMOVE_ALL_MESSAGES}
            self._messages[name] = _Place(message, settled, at, order, kept)
            return
        known.at, known.order = at, order
        if not known.settled:
            known.message, known.settled = message, settled
        elif isinstance(known.message, AIMessage) and known.message.tool_calls != calls:
            self._changed.add(name)

    def _heard(self, message: BaseMessage) -> None:
        if isinstance(message, ToolMessage) and message.status == "success":
            self._answers.setdefault(message.tool_call_id, set()).add(message.id or "")

    def _aside(self, one: CheckpointTuple) -> None:
        """What a branch holds that was left: calls, and answers to them."""
        for message in (*_messages_in(one.checkpoint["channel_values"].values()), *_written(one, whole=True)):
            self._heard(message)
            if isinstance(message, AIMessage):
                self._elsewhere.update({_named(message, (0, 0))} if message.tool_calls else ())

    def _questions(self, one: CheckpointTuple) -> None:
        """What was asked after a checkpoint, and how it was answered."""
        writes = one.pending_writes or []
        said = {task: value for task, channel, value in writes if channel == _RESUME}
        messages = list(_messages_in(one.checkpoint["channel_values"].values()))
        for task, channel, value in writes:
            if channel == _INTERRUPT:
                given = said.get(task)
                for name, asked in _asked(value, given if isinstance(given, list) else [given], messages):
                    self._asked.setdefault(name, asked)

    def _known(self, one: CheckpointTuple) -> None:
        """Whose run it is, and what is known of it; the oldest checkpoint tells last, and counts."""
        metadata: Mapping[str, Any] = one.metadata or {}
        server = metadata.get(_SIGNED_IN)
        user = server if isinstance(server, str) else metadata.get(REQUESTER)
        self._requesters.add(user.strip() if isinstance(user, str) and user.strip() not in {"", STUDIO} else None)
        self._facts = {} if server else {name: value for name, value in metadata.items() if name not in _OWN}
        self._agent = str(metadata.get("graph_id") or metadata.get("lc_agent_name") or self._agent)

    def messages(self) -> list[tuple[BaseMessage, dt.datetime | None]]:
        """What was said, each with the moment at which it came in, the oldest first."""
        placed = sorted(self._messages.values(), key=lambda one: one.order)
        return [(one.message, one.at) for one in placed]

    @property
    def began(self) -> dict[str, dt.datetime | None]:
        """When each message with calls came in, by its name."""
        return {name: one.at for name, one in self._messages.items() if _proposes(one.message)}

    @property
    def rewritten(self) -> int:
        """Messages whose calls were changed before any of them was answered."""
        return len(self._changed)

    @property
    def forgotten(self) -> int:
        """Messages that were taken out of the conversation later on."""
        return sum(not one.kept for one in self._messages.values())

    @property
    def elsewhere(self) -> int:
        """Messages with calls that stand only on branches that were left."""
        return len(self._elsewhere - self._messages.keys())

    @property
    def cut(self) -> bool:
        """The run's first checkpoints are gone."""
        return bool(self._next)

    def run(self, theirs: frozenset[str] = frozenset()) -> Run:
        """The run that the history is.

        Args:
            theirs: The names of messages that another graph of the thread proposed calls with, and only handed on.
        """
        placed = self.messages()
        messages = [message for message, _ in placed]
        inner = bool(self.namespace)
        words = [] if inner else list(_spoken(messages))
        (requester,) = self._requesters if len(self._requesters) == 1 else (None,)
        return Run(
            id=f"{self.thread}|{self.namespace}" if inner else self.thread,
            calls=tuple(self._calls(placed, [place for place, _ in words], theirs)),
            suite=self._agent,
            # What an agent inside did is no observation of its own.
            task=self.thread if inner else "",
            said=tuple(text for _, text in words),
            requester=requester,
            facts=self._facts,
        )

    def _calls(
        self, placed: Sequence[tuple[BaseMessage, dt.datetime | None]], words: Sequence[int], theirs: frozenset[str]
    ) -> Iterator[TracedCall]:
        messages = [message for message, _ in placed]
        found, counted = _results(messages), _counted(messages)
        turn = -1
        for place, (message, at) in enumerate(placed):
            if not _proposes(message) or not isinstance(message, AIMessage):
                continue
            turn += 1
            if _named(message, (0, 0)) in theirs:
                continue
            heard = sum(word < place for word in words)
            for call in message.tool_calls:
                reply = next((one for one in found.get(call["id"] or "", ()) if one > place), None)
                if reply is not None:
                    found[call["id"] or ""].remove(reply)
                yield self._traced(message, call, turn, heard, at, placed[reply] if reply else None, counted.get(reply))
            for broken in message.invalid_tool_calls:
                yield TracedCall(
                    broken["name"] or "", None, broken["id"] or "", turn, heard, at=at, model=_model(message)
                )

    def _traced(
        self, message: AIMessage, call: Mapping[str, Any], turn: int, heard: int, at: dt.datetime | None,
        reply: tuple[BaseMessage, dt.datetime | None] | None, output: str | None,
    ) -> TracedCall:  # fmt: skip
        name = call["id"] or ""
        answer, ended = reply or (None, None)
        rung, asked = self._rungs.get(name), self._asked.get(name)
        decided = Decided(rung) if rung is not None else None
        if asked is not None:
            decided = Decided(asked.rung or Rung.CONFIRM, answer=asked.answer, by=asked.by)
        fate, usage = _fate(answer, decided), message.usage_metadata
        if isinstance(answer, ToolMessage) and answer.status != "success":
            # The gate counts no error as the tool's word, whatever became of the call.
            output = str(answer.text) if fate in {"failed", "declined"} else ""
        return TracedCall(
            call["name"], call["args"], name, turn, heard,
            result="" if answer is None else hashed(str(answer.text)),
            output=output,
            matched="id" if answer is not None else "",
            fate=fate,
            at=at,
            ended=ended,
            model=_model(message),
            tokens=(usage["input_tokens"], usage["output_tokens"]) if usage else None,
            decided=decided,
            answers=len(self._answers.get(name, ())),
        )  # fmt: skip


def _fate(answer: BaseMessage | None, decided: Decided | None) -> Fate | None:
    if decided is not None and decided.answer in _FATES:
        return _FATES[decided.answer]
    waits = decided is not None and (decided.rung is None or decided.rung <= Rung.CONFIRM)
    if not isinstance(answer, ToolMessage):
        return "held" if waits else None
    if decided is not None and decided.rung in {Rung.SUGGEST, Rung.DRAFT}:
        return "held"
    if answer.status == "success":
        return "done"
    # Whoever was asked and not heard of here may have declined, and whatever was let run may have failed.
    return None if waits and decided and decided.answer is None else "failed"


_FATES: dict[Answer | None, Fate] = {
    "decline": "declined", "expire": "declined", "respond": "declined", "edit": "edited",
}  # fmt: skip
"""What an answer makes of a call, if it is no yes."""


def _named(message: BaseMessage, order: tuple[int, int]) -> str:
    """What a message is known again by; one without an id, by its place and what it says."""
    if message.id:
        return message.id
    calls = [call["id"] for call in message.tool_calls] if isinstance(message, AIMessage) else ""
    return f"{order[1]} {message.type} {calls} {message.text}"


def _proposes(message: BaseMessage) -> bool:
    return isinstance(message, AIMessage) and bool(message.tool_calls or message.invalid_tool_calls)


def _walked(messages: Sequence[BaseMessage], at: list[int]) -> Iterator[BaseMessage]:
    for at[0], message in enumerate(messages):  # noqa: B020  # whoever reads along sees where it is
        yield message


def _spoken(messages: Sequence[BaseMessage]) -> Iterator[tuple[int, str]]:
    """The user's own words, by the rule of the gate, with the places of their messages."""
    at = [0]
    for text in users_own(_walked(messages, at)):
        yield at[0], text


def _counted(messages: Sequence[BaseMessage]) -> dict[int | None, str]:
    """What tools answered, by the rule of the gate, by the places of their messages."""
    at = [0]
    return {at[0]: one.text for one in outputs(_walked(messages, at))}


def _results(messages: Sequence[BaseMessage]) -> dict[str, deque[int]]:
    """The places of the answers to calls, by their ids."""
    found: dict[str, deque[int]] = {}
    for place, message in enumerate(messages):
        if isinstance(message, ToolMessage):
            found.setdefault(message.tool_call_id, deque()).append(place)
    return found


def _model(message: AIMessage) -> str:
    said = message.response_metadata
    return str(said.get("model_name") or said.get("model") or "")
