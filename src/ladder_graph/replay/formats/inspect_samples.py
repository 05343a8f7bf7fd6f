"""One sample of an Inspect log as a run.

Calls and their order come from the events, which hold times, usage, approvals and the calls of agents inside the
agent; where a log has none, from the messages. Arguments are those that the model proposed, also where an approver
put others in. A decision by the approver `auto` is nobody's answer, unless it says no.

A sample is solved where each of its scores that says yes or no says yes: `C`, `true` and 1 against `I`, `false` and 0;
none says that of one that broke off. A score whose metadata has `critical`, a list of tool call ids, labels all calls
of its sample: those named are critical, and the others were looked at.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, Field

from ladder_graph.policy.scene import Floor
from ladder_graph.replay.conversations.contents import moment_of, text_of
from ladder_graph.replay.traces import CRITICAL, Answer, Decided, Fate, Run, TracedCall, hashed

_ATTACHED = "attachment://"
"""What stands in an event for a long text; the text itself stands in the sample's attachments."""
_NOBODY = "auto"
"""The approver that decides without anybody."""
_REFUSED = "approval"
"""The error of a tool that an approver said no to."""
_ANSWERS: dict[str, Answer] = {"approve": "approve", "modify": "edit", "reject": "decline", "terminate": "decline"}
"""What an approval says, by Inspect's word; `escalate` says nothing yet."""
_YES: dict[str, bool] = {"C": True, "I": False}


class _Call(BaseModel):
    id: str = ""
    function: str
    arguments: dict[str, Any] | None = None
    parse_error: str | None = None


class _Error(BaseModel):
    type: str = "unknown"
    message: str = ""


class _Message(BaseModel):
    id: str | None = None
    role: str
    content: Any = ""
    model: str | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    function: str | None = None
    error: _Error | None = None


class _Choice(BaseModel):
    message: _Message


class _Usage(BaseModel):
    input_tokens: int = 0
    output_tokens: int = 0


class _Output(BaseModel):
    model: str = ""
    choices: list[_Choice] = []
    usage: _Usage | None = None


class _Proposing(BaseModel):
    model: str = ""
    input: list[_Message] = []
    output: _Output
    timestamp: Any = None
    completed: Any = None


class _Approving(BaseModel):
    call: _Call
    approver: str = ""
    decision: str


class _Running(BaseModel):
    id: str = ""
    function: str
    arguments: dict[str, Any] | None = None
    result: Any = None
    error: _Error | None = None
    failed: bool | None = None
    pending: bool | None = None
    timestamp: Any = None
    completed: Any = None


class _Score(BaseModel):
    value: Any = None
    metadata: dict[str, Any] | None = None


class Recorded(BaseModel):
    """A sample as it stands in a log."""

    id: str | int
    epoch: int = 1
    input: str | list[_Message] = ""
    messages: list[_Message] = []
    events: list[dict[str, Any]] = []
    scores: dict[str, _Score] | None = None
    attachments: dict[str, str] = Field(default_factory=dict)
    error: Any = None


def run_of(sample: Recorded, header: Mapping[str, Any]) -> Run:
    """A sample as a run.

    Args:
        sample: The sample.
        header: What the log says of the evaluation, under `eval`.

    Raises:
        ValidationError: An event isn't what Inspect writes.
    """
    suite = str(header.get("task", ""))
    log = str(header.get("eval_id") or header.get("run_id") or suite)
    transcript = _Transcript(sample)
    if any(str(one.get("event")) in {"model", "tool"} for one in sample.events):
        transcript.follow(sample.events)
    else:
        transcript.read(sample.messages)
    own = zip(sample.messages, _own(sample.messages), strict=True)
    said = [text_of(one.content) or "" for one, counts in own if counts]
    if not sample.messages and isinstance(sample.input, str):
        said = [sample.input]
    return Run(
        id=f"{log}/{sample.id}/{sample.epoch}",
        suite=suite,
        task=str(sample.id),
        calls=tuple(_labelled(transcript.calls, sample)),
        said=tuple(transcript.whole(text) or "" for text in said),
        solved=_solved(sample),
        apart=True,
    )


def _solved(sample: Recorded) -> bool | None:
    said = [_yes(score.value) for score in (sample.scores or {}).values()]
    known = [one for one in said if one is not None]
    return all(known) if known and sample.error is None else None


def _yes(value: object) -> bool | None:
    if isinstance(value, str):
        return _YES.get(value)
    return bool(value) if isinstance(value, int | float) and value in {0, 1} else None


def _labelled(calls: Iterable[TracedCall], sample: Recorded) -> Iterator[TracedCall]:
    marked = [(score.metadata or {}).get("critical") for score in (sample.scores or {}).values()]
    lists = [one for one in marked if isinstance(one, list)]
    critical = {name for one in lists for name in one if isinstance(name, str)}
    for call in calls:
        labels = frozenset({CRITICAL}) if call.id in critical else frozenset()
        yield replace(call, labels=labels) if lists else call


class _Transcript:
    """Follows a sample, and keeps its calls."""

    def __init__(self, sample: Recorded) -> None:
        self.calls: list[TracedCall] = []
        self._open: defaultdict[str, list[int]] = defaultdict(list)
        """By id, the places of the calls that have no result yet. Some models use an id again."""
        self._attachments = sample.attachments
        self._heard = dict(_heard(sample.messages))
        self._now: int | None = None
        """How many of the user's messages were heard, as far as that is known."""
        self._turn = -1

    def follow(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Read the events, and before each those inside of it: older versions nest what happened in a call."""
        for event in events:
            inside = event.get("events")
            if isinstance(inside, list):
                self.follow(one for one in inside if isinstance(one, dict))
            match event.get("event"):
                case "model":
                    self._proposed(_Proposing.model_validate(event))
                case "approval":
                    self._decided(_Approving.model_validate(event))
                case "tool":
                    self._ran(_Running.model_validate(event))

    def read(self, messages: Sequence[_Message]) -> None:
        """Read the messages of a log without events."""
        self._now = 0
        for message, own in zip(messages, _own(messages), strict=True):
            self._now += own
            if message.role == "assistant":
                self._propose(message, message.model or "", None, None)
            elif message.role == "tool":
                self._answered(message)

    def _proposed(self, event: _Proposing) -> None:
        usage = event.output.usage
        tokens = None if usage is None else (usage.input_tokens, usage.output_tokens)
        for choice in event.output.choices[:1]:
            self._now = self._heard.get(choice.message.id or "", self._of_input(event))
            self._propose(
                choice.message, event.output.model or event.model, tokens, moment_of(event.completed or event.timestamp)
            )

    def _of_input(self, event: _Proposing) -> int | None:
        """How many of the user's messages were heard, by what the model was given; else as many as before."""
        return sum(_own(event.input)) if event.input else self._now

    def _propose(self, message: _Message, model: str, tokens: tuple[int, int] | None, at: dt.datetime | None) -> None:
        self._turn += bool(message.tool_calls)
        for call in message.tool_calls or []:
            self._open[call.id].append(len(self.calls))
            given = None if call.parse_error else self._filled(call.arguments)
            self.calls.append(
                TracedCall(call.function, given, call.id, self._turn, self._now, at=at, model=model, tokens=tokens)
            )

    def _decided(self, event: _Approving) -> None:
        answer = _ANSWERS.get(event.decision)
        waiting = [place for place in self._open[event.call.id] if self.calls[place].decided is None]
        if not waiting or answer is None or (event.approver == _NOBODY and answer == "approve"):
            return
        place = waiting[0]
        fate: Fate | None = "declined" if answer == "decline" else "edited" if answer == "edit" else None
        decided = Decided(answer=answer, by=event.approver)
        self.calls[place] = replace(self.calls[place], decided=decided, fate=fate)

    def _ran(self, event: _Running) -> None:
        if event.pending:
            return
        if not self._open[event.id]:
            self._open[event.id].append(len(self.calls))
            given = self._filled(event.arguments)
            self.calls.append(
                TracedCall(
                    event.function, given, event.id, max(self._turn, 0), self._now, at=moment_of(event.timestamp)
                )
            )
        error = _Error() if event.failed and event.error is None else event.error
        self._close(event.id, text_of(event.result) or "", error, moment_of(event.completed))

    def _answered(self, message: _Message) -> None:
        if self._open[message.tool_call_id or ""]:
            self._close(message.tool_call_id or "", text_of(message.content) or "", message.error, None)

    def _close(self, id: str, text: str, error: _Error | None, ended: dt.datetime | None) -> None:  # noqa: A002
        place = self._open[id].pop(0)
        call = self.calls[place]
        fate: Fate = "done" if error is None else "declined" if error.type == _REFUSED else "failed"
        call = replace(call, fate=call.fate or fate, ended=ended)
        output = self.whole(text or ("" if error is None else error.message))
        if call.fate != "declined" and output is not None:
            call = replace(call, output=output, result=hashed(output), matched="id" if id else "order")
        self.calls[place] = call

    def whole(self, text: str | None) -> str | None:
        """A text, also where only a reference to it stands; None where it isn't there."""
        if text is None or not text.startswith(_ATTACHED):
            return text
        return self._attachments.get(text.removeprefix(_ATTACHED))

    def _filled(self, value: Any) -> Any:
        """Arguments with the long texts in them; None where one isn't there."""
        try:
            return _mapped(value, self._attachments)
        except KeyError:
            return None


def _mapped(value: Any, attachments: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _mapped(one, attachments) for name, one in value.items()}
    if isinstance(value, list):
        return [_mapped(one, attachments) for one in value]
    if isinstance(value, str) and value.startswith(_ATTACHED):
        return attachments[value.removeprefix(_ATTACHED)]
    return value


def _heard(messages: Sequence[_Message]) -> Iterator[tuple[str, int]]:
    """Of each message by its id, how many of the user's came before it."""
    count = 0
    for one, own in zip(messages, _own(messages), strict=True):
        if one.id:
            yield one.id, count
        count += own


def _own(messages: Iterable[_Message]) -> Iterator[bool]:
    """Of each message, whether it is the user's own, as under the live gate."""
    floor = Floor()
    for one in messages:
        yield one.role == "user" and floor.users
        if one.role == "assistant":
            floor.model(works=bool(one.tool_calls))
        elif one.role == "tool":
            floor.other()
