"""What happened in one sample of an Inspect log, call by call.

Calls and their order come from the events, which hold times, usage, approvals and the calls of agents inside the
agent; where a log has none, from the messages. Arguments are those that the model proposed, also where an approver
put others in. A decision by the approver `auto` is nobody's answer, unless it says no.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any, Literal

from ladder_graph.policy.scene import Floor
from ladder_graph.replay.conversations.contents import moment_of, text_of
from ladder_graph.replay.formats.inspect_records import Approving, Error, Message, Proposing, Recorded, Running
from ladder_graph.replay.traces import Answer, Decided, Fate, TracedCall, hashed

_ATTACHED = "attachment://"
"""What stands in an event for a long text; the text itself stands in the sample's attachments."""
_NOBODY = "auto"
"""The approver that decides without anybody."""
_REFUSED = "approval"
"""The error of a tool that an approver said no to."""
_ANSWERS: dict[str, Answer] = {"approve": "approve", "modify": "edit", "reject": "decline", "terminate": "decline"}
"""What an approval says, by Inspect's word; `escalate` says nothing yet."""


class Transcript:
    """Follows a sample, and keeps its calls.

    Args:
        sample: The sample.
    """

    def __init__(self, sample: Recorded) -> None:
        self.calls: list[TracedCall] = []
        self._open: defaultdict[str, list[int]] = defaultdict(list)
        """By id, the places of the calls that have no result yet. Some models use an id again."""
        self._unsure: set[int] = set()
        """Calls of which nobody can tell which of several answers is theirs."""
        self._attachments = sample.attachments
        self._heard = dict(_heard(sample.messages))
        self._now = _first_heard(sample)
        """How many of the user's messages were heard; what isn't known wasn't."""
        self._turn = -1
        self._spans: dict[str, str] = {}
        """Of each span, within which tool's span it is."""
        self._nested: list[str] = []
        """The tools within whose events the one stands that is looked at."""
        self._within = ""
        """Which agent inside the outermost one it belongs to."""

    def follow(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Read the events, and before each those inside of it: older versions nest what happened in a call.

        Args:
            events: They, in their order.

        Raises:
            ValidationError: One isn't what Inspect writes.
        """
        for event in events:
            inside = event.get("events")
            if isinstance(inside, list):
                self._nested += [str(event.get("id"))]
                self.follow(one for one in inside if isinstance(one, dict))
                del self._nested[-1]
            self._within = "/".join([*self._nested, *filter(None, [self._spans.get(str(event.get("span_id")))])])
            match event.get("event"):
                case "span_begin":
                    self._began(event)
                case "model":
                    self._proposed(Proposing.model_validate(event))
                case "approval":
                    self._decided(Approving.model_validate(event))
                case "tool":
                    self._ran(Running.model_validate(event))

    def read(self, messages: Sequence[Message]) -> None:
        """Read the messages of a log without events.

        Args:
            messages: They, oldest first.
        """
        self._now = 0
        for message, counts in zip(messages, own(messages), strict=True):
            self._now += counts
            if message.role == "assistant":
                self._propose(message, message.model or "", None, None)
            elif message.role == "tool":
                self._answered(message)

    def _began(self, event: Mapping[str, Any]) -> None:
        """A span begins. What happens within that of a tool, an agent inside this one does."""
        span, parent = str(event.get("id")), self._spans.get(str(event.get("parent_id")), "")
        self._spans[span] = span if event.get("type") == "tool" else parent

    def _proposed(self, event: Proposing) -> None:
        usage = event.output.usage
        tokens = None if usage is None else (usage.input_tokens, usage.output_tokens)
        for choice in event.output.choices[:1]:
            if not self._within:
                self._now = self._heard.get(choice.message.id or "", self._of_input(event))
            self._propose(
                choice.message, event.output.model or event.model, tokens, moment_of(event.completed or event.timestamp)
            )

    def _of_input(self, event: Proposing) -> int:
        """How many of the user's messages were heard, by what the model was given; else as many as before."""
        return sum(own(event.input)) if event.input else self._now

    @property
    def _words(self) -> int:
        """How many of the user's messages were heard: none by an agent inside another one, as under the live gate."""
        return 0 if self._within else self._now

    def _propose(self, message: Message, model: str, tokens: tuple[int, int] | None, at: dt.datetime | None) -> None:
        self._turn += bool(message.tool_calls)
        for call in message.tool_calls or []:
            self._open[call.id].append(len(self.calls))
            given = None if call.parse_error else self._filled(call.arguments)
            self.calls.append(
                TracedCall(
                    call.function, given, call.id, self._turn, self._words, self._within, at=at, model=model,
                    tokens=tokens,
                )
            )  # fmt: skip

    def _decided(self, event: Approving) -> None:
        answer = _ANSWERS.get(event.decision)
        waiting = [place for place in self._open[event.call.id] if self.calls[place].decided is None]
        if not waiting or answer is None or (event.approver == _NOBODY and answer == "approve"):
            return
        place = waiting[0]
        fate: Fate | None = "declined" if answer == "decline" else "edited" if answer == "edit" else None
        decided = Decided(answer=answer, by=event.approver)
        self.calls[place] = replace(self.calls[place], decided=decided, fate=fate)

    def _ran(self, event: Running) -> None:
        if event.pending:
            return
        if not self._open[event.id]:
            self._open[event.id].append(len(self.calls))
            given = self._filled(event.arguments)
            self.calls.append(
                TracedCall(
                    event.function, given, event.id, max(self._turn, 0), self._words, self._within,
                    at=moment_of(event.timestamp),
                )
            )  # fmt: skip
        error = Error() if event.failed and event.error is None else event.error
        self._close(event.id, event.function, text_of(event.result) or "", error, moment_of(event.completed))

    def _answered(self, message: Message) -> None:
        if self._open[message.tool_call_id or ""]:
            text = text_of(message.content) or ""
            self._close(message.tool_call_id or "", message.function or "", text, message.error, None)

    def _close(self, id: str, tool: str, text: str, error: Error | None, ended: dt.datetime | None) -> None:  # noqa: A002
        place, alone = self._answering(id, tool)
        call = self.calls[place]
        fate: Fate = "done" if error is None else "declined" if error.type == _REFUSED else "failed"
        call = replace(call, fate=call.fate or fate, ended=ended)
        output = self.whole(text or ("" if error is None else error.message))
        if call.fate != "declined" and output is not None:
            result, told = hashed(output), self._turn if self._turn > call.turn else None
            matched: Literal["id", "order"] = "id" if id and alone else "order"
            call = replace(call, output=output if alone else None, result=result, matched=matched, told=told)
        self.calls[place] = call

    def _answering(self, id: str, tool: str) -> tuple[int, bool]:  # noqa: A002
        """The place of the call that an answer belongs to, and whether it can be no other one's."""
        waiting = self._open[id]
        alike = [place for place in waiting if self.calls[place].tool == tool] or list(waiting)
        if len(alike) > 1:
            self._unsure.update(alike)
        waiting.remove(alike[0])
        return alike[0], alike[0] not in self._unsure

    def whole(self, text: str | None) -> str | None:
        """A text, also where only a reference to it stands; None where it isn't there.

        Args:
            text: The text, or the reference.
        """
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


def _first_heard(sample: Recorded) -> int:
    """How many of the user's messages stand before all that the model said."""
    if not sample.messages:
        return 1
    first = takewhile(lambda message: message.role != "assistant", sample.messages)
    return sum(own(first))


def _heard(messages: Sequence[Message]) -> Iterator[tuple[str, int]]:
    """Of each message by its id, how many of the user's came before it."""
    count = 0
    for one, counts in zip(messages, own(messages), strict=True):
        if one.id:
            yield one.id, count
        count += counts


def own(messages: Iterable[Message]) -> Iterator[bool]:
    """Of each message, whether it is the user's own, as under the live gate.

    Args:
        messages: All of a conversation, oldest first.
    """
    floor = Floor()
    for one in messages:
        yield one.role == "user" and floor.users
        if one.role == "assistant":
            floor.model(works=bool(one.tool_calls))
        elif one.role == "tool":
            floor.other()
