"""Bounds on the origin of an argument: who said it first."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ladder_graph.calls import Call
from ladder_graph.policy.bounds.shape import ArgumentBound, Breach, shorten
from ladder_graph.policy.bounds.words import Type, found_in, spelt, values_in
from ladder_graph.policy.fields import Many
from ladder_graph.policy.scene import Output, Scene

_MOST_VALUES = 100
"""Entries of a list that are looked for one by one."""


def _source(text: str) -> str:
    tool, colon, field = text.partition(":")
    if not tool.strip() or tool != tool.strip() or not tool.isprintable() or (colon and not all(field.split("."))):
        raise ValueError(
            f'{text!r} names no tool; write "get_contacts", or "get_contacts:contacts.email" for one field'
        )
    return text


Source = Annotated[str, AfterValidator(_source)]
"""A tool by its name; after a colon, the field of its JSON answer that counts."""


class Origin(ArgumentBound):
    """The argument must be the user's own words, or come from the output of a tool that is trusted.

    It is looked for whole and by its type: an address must be one of the addresses there, and a number one of the
    numbers. What only other tools' outputs hold asks, and so does what nobody said. The user's own words are what the
    messages of the graph's outermost state show as such; an agent inside another one has none, since its messages were
    written by a model. What a model gave a trusted tool to repeat doesn't come from that tool.

    Example:
        >>> import datetime as dt
        >>> from ladder_graph.policy.scene import Said, Scene
        >>> bound = Origin(argument="to", type="email")
        >>> said = Said(user=("Write to ana@shop.example.",))
        >>> scene = Scene(dt.datetime(2026, 11, 22, tzinfo=dt.UTC), listen=lambda: said)
        >>> bound.check(Call("ops", "t1", "c1", "send", {"to": "ana@shop.example"}), scene) is None
        True
        >>> bound.check(Call("ops", "t1", "c1", "send", {"to": "eve@evil.example"}), scene).text
        "to is 'eve@evil.example', and the bound wants one that the user said"
    """

    kind: Literal["origin"] = "origin"
    type: Type
    """What the argument is: `email`, `url`, `iban`, `phone` (with +), `number`, `date` (as 2026-11-22 in the call), a
    `word` (an id, a name without spaces), or a `text`: a whole message, a line, or what stood in quotation marks."""
    user: bool = True
    """Whether the user's own words count."""
    tools: Many[Source] = Field(default=())
    """Tools whose outputs count, as `"get_contacts"`; or one field of a JSON output, as
    `"get_contacts:people.email"`."""

    @model_validator(mode="after")
    def _some_source(self) -> Self:
        if not self.user and not self.tools:
            raise ValueError('say tools = ["…"], or leave user = true; without any source nothing would be inside')
        return self

    def check(self, call: Call, scene: Scene) -> Breach | None:
        """None inside the bound, else why not. Each entry of a list must come from a source."""
        value = self.value(call)
        entries = value if isinstance(value, list | tuple) else [value]
        if not 0 < len(entries) <= _MOST_VALUES:
            return self.breach(self.kind, value, f"wants 1 to {_MOST_VALUES} entries that {self._sources}")
        known = list(self._known(scene))
        for entry in entries:
            spelling = spelt(entry, self.type)
            if spelling is None:
                return self.breach(self.kind, entry, f"wants {_ARTICLE[self.type]} that {self._sources}")
            if not any(spelling in said for said in known):
                return self.breach(self.kind, entry, f"wants one that {self._sources}{self._blame(spelling, scene)}")
        return None

    def _known(self, scene: Scene) -> Iterator[Collection[str]]:
        """What each of the sources holds, in one spelling each."""
        if self.user:
            for text in scene.said.user:
                yield values_in(text, self.type)
        for source in self.tools:
            tool, _, field = source.partition(":")
            for output in scene.said.outputs:
                if output.tool == tool:
                    yield held(output, self.type, field)

    @property
    def _sources(self) -> str:
        """Where it may come from, in words."""
        trusted = " or ".join(self.tools)
        if not trusted:
            return "the user said"
        return f"the user said or that {trusted} answered" if self.user else f"{trusted} answered"

    def _blame(self, spelling: str, scene: Scene) -> str:
        """Which tool said it, where none that counts did."""
        said = dict.fromkeys(output.tool for output in scene.said.outputs if spelling in held(output, self.type))
        return f"; it stands in the output of {', '.join(map(shorten, said))}, which doesn't count" if said else ""


def held(output: Output, kind: Type, field: str = "") -> set[str]:
    """What an output holds of itself, in one spelling each: nothing that it may only have repeated from its arguments.

    Args:
        output: What a tool answered.
        kind: The type of value that is looked for.
        field: The one field of a JSON answer that counts; empty for all of it.
    """
    given = {said for leaf in leaves(output.arguments) for said in _of_leaf(leaf, kind)}
    try:
        answer = json.loads(output.text)
    except (ValueError, RecursionError):
        answer = None if field else output.text
    if not field:
        return {said for leaf in leaves(answer) for said in _of_leaf(leaf, kind)} - given
    whole = (spelt(leaf, kind) for at in _at(answer, field.split(".")) for leaf in leaves(at, deep=False))
    return {said for said in whole if said is not None} - given


def _of_leaf(leaf: object, kind: Type) -> Iterator[str]:
    if isinstance(leaf, str):
        yield from found_in(leaf, kind)
    elif (spelling := spelt(leaf, kind)) is not None:
        yield spelling


_ARTICLE: dict[Type, str] = {
    "email": "an e-mail address",
    "url": "a URL",
    "iban": "an IBAN",
    "phone": "a phone number with its +",
    "number": "a number",
    "date": "a date",
    "word": "a single word",
    "text": "text",
}


def leaves(value: Any, *, deep: bool = True, whole: bool = False) -> Iterator[Any]:
    """The plain values in a JSON value, however deep it nests.

    Args:
        value: The value.
        deep: Whether tables are looked into, or lists alone.
        whole: Whether what says nothing comes, too: null, true and false.
    """
    waiting = [value]
    while waiting:
        match one := waiting.pop():
            case dict():
                waiting += reversed(one.values()) if deep else ()
            case list() | tuple():
                waiting += reversed(one)
            case None | bool() if not whole:
                continue
            case _:
                yield one


def _at(value: Any, field: Sequence[str]) -> Iterator[Any]:
    """What stands at a field; a list on the way is gone through."""
    here = [value]
    for step in field:
        tables = [one for one in _gone_through(here) if isinstance(one, dict)]
        here = [table[step] for table in tables if step in table]
    return _gone_through(here)


def _gone_through(values: list[Any]) -> Iterator[Any]:
    """What lists hold, and what lists in them do."""
    waiting = values[::-1]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += reversed(one)
        else:
            yield one
