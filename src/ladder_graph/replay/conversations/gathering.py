"""What belongs together and doesn't stand together: parts of many runs in one file, in memory that doesn't grow.

A group waits for more until others need its room; the one that was touched the longest ago makes room first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ladder_graph.replay.traces import Trouble

ROOM = 1 << 26
"""Bytes, about, of what waits."""
_GONE = 100_000
"""Groups that are remembered after they made room."""
_EACH = 64
"""Bytes, about, that a value takes besides its text."""

Part = TypeVar("Part")


@dataclass(slots=True)
class _Group(Generic[Part]):
    parts: list[Part] = field(default_factory=list)
    weight: int = 0


class Gathering(Generic[Part]):
    """Groups of parts that come in any order, each group by its name.

    Args:
        tell: Is told of a group that goes on after it made room.
        room: Bytes, about, of what may wait.

    Example:
        >>> runs = Gathering(print, room=100)
        >>> list(runs.add("a", "1", 60)), list(runs.add("b", "2", 60))
        ([], [('a', ['1'])])
        >>> list(runs.add("a", "3", 60))
        more of 'a' comes after it had to make room for others; it is read as a run of its own
        [('b', ['2'])]
        >>> list(runs.rest())
        [('a', ['3'])]
    """

    def __init__(self, tell: Trouble, room: int = ROOM) -> None:
        self._tell = tell
        self._room = room
        self._weight = 0
        self._groups: OrderedDict[str, _Group[Part]] = OrderedDict()
        self._gone: OrderedDict[str, None] = OrderedDict()

    def add(self, name: str, part: Part, weight: int) -> Iterator[tuple[str, list[Part]]]:
        """Put a part to its group.

        Args:
            name: The group's name.
            part: The part.
            weight: The bytes that it takes, about.

        Returns:
            The groups that make room for it.
        """
        if name in self._gone:
            del self._gone[name]
            self._tell(f"more of {name!r} comes after it had to make room for others; it is read as a run of its own")
        group = self._groups.setdefault(name, _Group())
        group.parts.append(part)
        group.weight += weight
        self._weight += weight
        self._groups.move_to_end(name)
        while self._weight > self._room:
            yield self._let_go()

    def join(self, name: str, other: str) -> None:
        """Put a group to another one, to which it turned out to belong.

        Args:
            name: The group; it may have no parts.
            other: What it belongs to.
        """
        group = self._groups.pop(name, None)
        if group is not None:
            whole = self._groups.setdefault(other, _Group())
            whole.parts += group.parts
            whole.weight += group.weight

    def rest(self) -> Iterator[tuple[str, list[Part]]]:
        """The groups that are left, in the order in which they were touched."""
        while self._groups:
            yield self._let_go()

    def _let_go(self) -> tuple[str, list[Part]]:
        name, group = self._groups.popitem(last=False)
        self._weight -= group.weight
        self._gone[name] = None
        if len(self._gone) > _GONE:
            self._gone.popitem(last=False)
        return name, group.parts


def weight_of(value: Any) -> int:
    """The bytes that a JSON value takes in memory, about.

    Args:
        value: The value.
    """
    match value:
        case str():
            return _EACH + len(value)
        case list() | tuple():
            return _EACH + sum(map(weight_of, value))
        case Mapping():
            return _EACH + sum(_EACH + weight_of(one) for one in value.values())
        case _:
            return _EACH
