"""A run put together from what was said one after the other: its calls, each with its result.

A result belongs to the call whose id it bears. Where ids are missing, or one stands for several calls, it belongs to
the first call of the turn that waits for one, and that is told; where several wait that it may belong to, its text
counts as nobody's word. What belongs nowhere is told, and left out.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, Literal

from ladder_graph.policy.scene import Floor
from ladder_graph.replay.conversations.contents import Unreadable, arguments_of
from ladder_graph.replay.traces import Decided, Fate, TracedCall, Trouble, hashed

_NAMED = 3
"""Tools that are named in one line."""
_REFUSED = "User rejected the tool call for `"
"""How the answer begins that LangChain's middleware gives in place of a call that a person rejected."""
_REPLACED = "Note: a human reviewer replaced this tool call before it ran."
"""How the answer begins to a call that a person edited; the call itself stands there as the model made it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call, as a message of the model proposes it."""

    tool: str
    """The tool's name."""
    arguments: object = None
    """A mapping or its JSON text; None where they aren't recorded."""
    id: str = ""
    """The tool call id; empty where there is none."""
    labels: frozenset[str] | None = None
    """What is known of it afterwards; see `TracedCall`."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back to a call."""

    text: str | None
    """What the tool answered; None where only that it did is recorded."""
    id: str = ""
    """The id of the call; empty where it isn't recorded."""
    tool: str = ""
    """The tool's name; empty where it isn't recorded."""
    failed: bool | None = None
    """Whether it is an error; None where that isn't recorded."""
    at: dt.datetime | None = None
    """When it was there, aware."""
    fate: Fate | None = None
    """What became of the call, where that is known better than by `failed`."""
    decided: Decided | None = None
    """What was decided about the call, where that is known."""
    labels: frozenset[str] | None = None
    """What is known of the call afterwards, where that is recorded with its result."""


class Conversation:
    """A run as it was said, from which its calls are made.

    Args:
        tell: Is told what can't be used, one line each.
        words: Whether the user's own messages are recorded at all.

    Example:
        >>> run = Conversation(print)
        >>> run.user("Write to Ana.")
        >>> run.model([Asked("send", '{"to": "ana"}', "c1"), Asked("send", '{"to": ', "c2")])
        call 2, send: its arguments are no JSON: EOF while parsing a value at line 1 column 7
        >>> run.result(Answered("sent", "c1", failed=False))
        >>> [(call.arguments, call.fate, call.matched) for call in run.calls()]
        1 call (send) has no result
        [({'to': 'ana'}, 'done', 'id'), (None, None, '')]
    """

    def __init__(self, tell: Trouble, *, words: bool = True) -> None:
        self._tell = tell
        self._said: list[str] | None = [] if words else None
        self._calls: list[TracedCall] = []
        self._waiting: dict[str, list[int]] = {}
        self._of_turn: list[int] = []
        self._turn = -1
        self._floor = Floor()
        self._unsure: set[int] = set()
        """Calls of which nobody can tell which of several results is theirs."""
        self._again: Counter[str] = Counter()
        self._homeless: Counter[str] = Counter()

    @property
    def said(self) -> tuple[str, ...] | None:
        """The user's own messages, oldest first; None where they aren't recorded."""
        return None if self._said is None else tuple(self._said)

    def user(self, text: str) -> None:
        """A message that bears nobody else's name, and no mark of having been made by a program.

        As under the live gate it is the user's own only while the user has the word.

        Args:
            text: What it says.
        """
        if self._floor.users and self._said is not None:
            self._said.append(text)

    def other(self) -> None:
        """Something else is said, by another agent for instance: what comes next isn't known to be the user's."""
        self._floor.other()

    def model(
        self,
        asked: Sequence[Asked],
        *,
        model: str = "",
        tokens: tuple[int, int] | None = None,
        at: dt.datetime | None = None,
        heard: int | None = None,
        waits: bool | None = None,
        again: bool = False,
        within: str = "",
    ) -> None:
        """The model answers, or proposes calls.

        Args:
            asked: The calls, in their order; none where it only answers.
            model: As it was reported.
            tokens: Of the message: in and out.
            at: When it was there, aware.
            heard: How many of the user's messages it has heard, if not all so far.
            waits: Whether it leaves the word to the user; if not said, where it proposes nothing.
            again: It is a part of the turn before.
            within: Which agent inside the run's own one it is; see `TracedCall`.
        """
        self._floor.model(works=bool(asked) if waits is None else not waits)
        if not again or self._turn < 0:
            self._turn += 1
            self._of_turn = []
        so_far = None if self._said is None else len(self._said)
        for one in asked:
            place = len(self._calls)
            self._waiting.setdefault(one.id, []).append(place)
            self._of_turn.append(place)
            self._calls.append(
                TracedCall(
                    one.tool,
                    self._arguments(one),
                    id=one.id,
                    turn=self._turn,
                    heard=so_far if heard is None else heard,
                    within=within,
                    at=at,
                    model=model,
                    tokens=tokens,
                    labels=one.labels,
                )
            )

    def _arguments(self, asked: Asked) -> dict[str, Any] | None:
        try:
            return arguments_of(asked.arguments)
        except Unreadable as wrong:
            self._tell(f"call {len(self._calls) + 1}, {asked.tool}: {wrong}")
            return None

    def result(self, answered: Answered) -> None:
        """A result comes back, and is put to its call; where it belongs to none it is left out, and told.

        Args:
            answered: The result.
        """
        self._floor.other()
        places, matched = self._places(answered)
        if len(places) > 1:
            self._unsure.update(places)
        place = next(iter(places), None)
        if place is None:
            known = bool(answered.id) and answered.id in self._waiting
            (self._again if known else self._homeless)[answered.id or answered.tool] += 1
            return
        call = self._calls[place]
        self._waiting[call.id].remove(place)
        fate, decided = _became(answered)
        self._calls[place] = replace(
            call,
            matched=matched,
            result="" if answered.text is None else hashed(answered.text),
            output=None if place in self._unsure else answered.text,
            told=self._turn if self._turn > call.turn else None,
            fate=fate,
            ended=answered.at,
            decided=decided,
            labels=call.labels if answered.labels is None else answered.labels,
        )

    def expects(self, answered: Answered) -> bool:
        """Whether a call waits for a result.

        Args:
            answered: The result.
        """
        return bool(self._places(answered)[0])

    def knows(self, id_: str) -> bool:
        """Whether a call bears an id.

        Args:
            id_: The id.
        """
        return bool(id_) and id_ in self._waiting

    def told_again(self, answered: Answered) -> None:
        """Look at a result as the model was shown it, which may tell what a person decided about the call.

        Args:
            answered: The result; of a call that still waits, it is the call's.
        """
        if self.expects(answered):
            self.result(answered)
            return
        fate, decided = _became(answered)
        if decided is not None:
            places = (place for place, call in enumerate(self._calls) if call.id == answered.id)
            for place in islice(places, 1):
                self._calls[place] = replace(self._calls[place], fate=fate, decided=decided)

    def _places(self, answered: Answered) -> tuple[list[int], Literal["id", "order"]]:
        """Which calls may wait for a result, the first of them above all, and how they were found."""
        named = self._waiting.get(answered.id, []) if answered.id else []
        if named:
            alike = [place for place in named if self._calls[place].tool == answered.tool]
            return alike or list(named), "id" if len(named) == 1 else "order"
        return [place for place in self._of_turn if self._fits(place, answered)], "order"

    def _fits(self, place: int, answered: Answered) -> bool:
        call = self._calls[place]
        waits = place in self._waiting[call.id] and not (answered.id and call.id)
        return waits and answered.tool in {"", call.tool}

    def calls(self) -> tuple[TracedCall, ...]:
        """The calls in their order; what is wrong with them as a whole is told now."""
        for trouble in self._troubles():
            self._tell(trouble)
        return tuple(self._calls)

    def _troubles(self) -> Iterator[str]:
        calls = self._calls
        bearers = Counter(call.id for call in calls)
        if unnamed := sum(not call.tool for call in calls):
            yield f"{unnamed} call{'' if unnamed == 1 else 's'} without a tool's name"
        if nameless := [call for call in calls if not call.id]:
            yield f"{_so_many(nameless)} no id; results are found by their order"
        if by_place := [call for call in calls if call.matched == "order" and call.id and bearers[call.id] == 1]:
            yield f"{_so_many(by_place)} a result without an id, which was found by its order"
        for id_, times in bearers.items():
            if id_ and times > 1:
                yield f"the id {id_!r} stands for {times} calls"
        if unanswered := [calls[place] for place in sorted(chain.from_iterable(self._waiting.values()))]:
            yield f"{_so_many(unanswered)} no result"
        for id_, times in self._again.items():
            yield f"the call {id_!r} has {times + 1} results; the first one counts"
        for name, times in self._homeless.items():
            yield f"{times} result{'s' * (times > 1)} without a call: {name or 'without any name'}"


def _so_many(calls: Sequence[TracedCall]) -> str:
    """So many calls, and whose they are, with the verb."""
    tools = list(dict.fromkeys(call.tool for call in calls))
    names = ", ".join(tools[:_NAMED]) + (", …" if len(tools) > _NAMED else "")
    return f"{len(calls)} call{'' if len(calls) == 1 else 's'} ({names}) {'has' if len(calls) == 1 else 'have'}"


def _became(answered: Answered) -> tuple[Fate | None, Decided | None]:
    """What became of a call, and what was decided about it, as far as its result tells."""
    if answered.fate is not None or answered.decided is not None:
        return answered.fate, answered.decided
    text = answered.text or ""
    if answered.failed and text.startswith(_REFUSED):
        return "declined", Decided(answer="decline")
    if text.startswith(_REPLACED):
        return "edited", Decided(answer="edit")
    if answered.failed is None:
        return None, None
    return ("failed" if answered.failed else "done"), None
