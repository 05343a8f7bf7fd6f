"""Conversations as messages: OpenAI's, LangChain's, Anthropic's, or OpenAI's Responses items; JSON lines or an array.

A value is a conversation: an object with `messages` (or `input` and `output`), or an array of messages. It may be one
message too: those with the same `thread_id` (or `conversation_id`, `session_id`) make one conversation, and so do all
that have none. Beside its messages a conversation may have `id` (or one of those), `user`, `suite`, `task`, `solved`,
`harmed`, `metadata`, and `labels`: what is known of its calls, by the call's id, as in `{"call_7": ["critical"]}`; a
call that isn't named there was looked at and found clean.

An agent's log often holds a conversation again each time it goes on. One that only goes on takes the place of what
stands right before it; one that goes another way from there on is a fork: it is told, and read as a run of its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ladder_graph.replay.conversations.contents import mapping
from ladder_graph.replay.conversations.dialects import UNREADABLE, heard, heard_all, is_message, put
from ladder_graph.replay.conversations.gathering import Gathering, weight_of
from ladder_graph.replay.conversations.pairing import Conversation
from ladder_graph.replay.formats import Format, Sample
from ladder_graph.replay.sources import Source
from ladder_graph.replay.traces import Run

_NAMES = ("thread_id", "conversation_id", "session_id")
_IDS = ("id", *_NAMES, "run_id")
_USERS = ("user", "user_id")
_REMEMBERED = 100_000
"""Names of conversations that are remembered, so that one that comes again is told."""


@dataclass(frozen=True, slots=True)
class _Talk:
    """A conversation as it stands in a file."""

    place: str
    id: str
    messages: list[Any]
    about: Mapping[str, Any]

    def goes_on_from(self, other: _Talk) -> bool:
        """Whether it is the other one, and more. Without a name, what makes a call and then more is known again."""
        if self.id != other.id or self.messages[: len(other.messages)] != other.messages:
            return False
        return bool(self.id) or (len(self.messages) > len(other.messages) and any(map(_calls, other.messages)))


def _calls(message: Any) -> bool:
    return bool((said := heard(message)) and said.asked)


def _read(source: Source) -> Iterator[Run]:
    seen: OrderedDict[str, int] = OrderedDict()
    for talk in _latest(_talks(source)):
        id_ = talk.id or f"conversation {talk.place}".rstrip()
        times = seen[id_] = seen.pop(id_, 0) + 1
        if len(seen) > _REMEMBERED:
            seen.popitem(last=False)
        if times > 1:
            source.tell(talk.place, f"{id_!r} comes again and goes another way: a fork, read as {id_}#{times}")
        yield _run(replace(talk, id=id_ if times == 1 else f"{id_}#{times}"), source)


def _latest(talks: Iterator[_Talk]) -> Iterator[_Talk]:
    """Of conversations that only go on, the last state."""
    held: _Talk | None = None
    for talk in talks:
        if held is not None and not talk.goes_on_from(held):
            yield held
        held = talk
    if held is not None:
        yield held


def _talks(source: Source) -> Iterator[_Talk]:
    gathering: Gathering[tuple[str, Any]] = Gathering(partial(source.tell, ""))
    for place, value in source.values():
        if is_message(value):
            for name, parts in gathering.add(_first(value, _NAMES), (place, value), weight_of(value)):
                yield _gathered(name, parts)
        elif isinstance(value, list):
            yield _Talk(place, "", value, {})
        elif isinstance(value, dict) and (messages := _messages(value)) is not None:
            yield _Talk(place, _first(value, _IDS), messages, value)
        else:
            source.tell(place, "is no conversation: it has no messages")
    for name, parts in gathering.rest():
        yield _gathered(name, parts)


def _gathered(name: str, parts: list[tuple[str, Any]]) -> _Talk:
    return _Talk(parts[0][0], name, [message for _, message in parts], {})


def _messages(value: Mapping[str, Any]) -> list[Any] | None:
    """The messages of a conversation; None where it has none."""
    if isinstance(messages := value.get("messages"), list):
        return messages
    given, spoken = value.get("input"), value.get("output")
    if not isinstance(spoken, list):
        return None
    before = given if isinstance(given, list) else [{"role": "user", "content": given}] if given else []
    return [*before, *spoken]


def _run(talk: _Talk, source: Source) -> Run:
    tell = partial(source.tell, talk.place)
    conversation = Conversation(tell)
    spoken = heard_all(talk.messages)
    put(conversation, spoken)
    if lost := sum(one is UNREADABLE for one in spoken):
        tell(f"{lost} of {len(spoken)} messages are in no form that is known")
    about = talk.about
    run = Run(
        id=talk.id,
        calls=conversation.calls(),
        suite=_first(about, ("suite",)),
        task=_first(about, ("task",)),
        said=conversation.said,
        solved=_flag(about, "solved", tell),
        harmed=_flag(about, "harmed", tell) is True,
        requester=_first(about, _USERS) or None,
        facts=mapping(about.get("metadata")),
    )
    return _labelled(run, about.get("labels"), tell)


def _labelled(run: Run, labels: object, tell: Callable[[str], object]) -> Run:
    """A run whose calls somebody looked at, where they did.

    Labels that can't be read are told, and none of that run's are used: a call that isn't named counts as clean.
    """
    if labels is None:
        return run
    known = _read_labels(labels)
    if known is None:
        tell("its labels are no table from call ids to lists of words")
        return run
    if strange := known.keys() - {call.id for call in run.calls}:
        tell(f"labels for {', '.join(sorted(strange)[:3])}, which it didn't call")
    return replace(run, calls=tuple(replace(call, labels=known.get(call.id, frozenset())) for call in run.calls))


def _read_labels(labels: object) -> dict[str, frozenset[str]] | None:
    if not isinstance(labels, dict):
        return None
    known: dict[str, frozenset[str]] = {}
    for id_, found in labels.items():
        words = [found] if isinstance(found, str) else found
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            return None
        known[id_] = frozenset(words)
    return known


def _first(value: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    """What stands under the first of some keys that is there, as a text."""
    found = (one for key in keys if isinstance(one := value.get(key), str | int) and not isinstance(one, bool))
    return next((text for text in map(str, found) if text), "")


def _flag(value: Mapping[str, Any], key: str, tell: Callable[[str], object]) -> bool | None:
    found = value.get(key)
    if found is not None and not isinstance(found, bool):
        tell(f"{key} is neither true nor false")
    return found if isinstance(found, bool) else None


def _fits(sample: Sample) -> bool:
    first = sample.first
    if isinstance(first, dict):
        return is_message(first) or bool(_any_message(_messages(first)))
    return isinstance(first, list) and _any_message(first)


def _any_message(values: list[Any] | None) -> bool:
    return any(heard(value) is not None for value in values or ())


FORMAT = Format(
    name="messages",
    about="OpenAI's, LangChain's or Anthropic's messages, a conversation or a message a line, or an array",
    fits=_fits,
    read=_read,
)
