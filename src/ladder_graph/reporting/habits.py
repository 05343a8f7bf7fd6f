"""What an agent usually does with a tool, in a few numbers, so that what is new can be told."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

KEPT = 200
"""Values of one argument that are remembered. One with more of them, as a text has, never tells anything new."""
FEW = 20
"""An argument that is no target tells something new only while it has no more values than this."""
SETTLED = 20
"""Actions after which what is usual is known."""
_DEEP = 3
_ARGUMENTS = 24


@dataclass(slots=True)
class Habit:
    """What was usual up to a moment. It holds no value and no argument's name, which may be one: of each a digest."""

    acts: int = 0
    values: dict[str, list[str] | None] = field(default_factory=dict)
    """An argument's digest to digests of the values that it had; None where there were too many to tell."""
    most: dict[str, list[float]] = field(default_factory=dict)
    """An argument's digest to how often it was a number, and the largest."""
    hours: list[int] = field(default_factory=lambda: [0] * 24)
    """Actions in each hour of the day, on the readers' clocks."""

    @classmethod
    def read(cls, text: str) -> Habit:
        """Read what `text` wrote, or what an earlier release did, which kept the names as they are."""
        found = json.loads(text)
        for kept in ("values", "most"):
            found[kept] = {
                name if _NAMED.fullmatch(name) else named(name): value for name, value in found[kept].items()
            }
        return cls(**found)

    @property
    def text(self) -> str:
        """All of it as JSON."""
        kept = {"acts": self.acts, "values": self.values, "most": self.most, "hours": self.hours}
        return json.dumps(kept, separators=(",", ":"))

    def learn(self, arguments: Mapping[str, Any], hour: int) -> None:
        """Take one action in.

        Args:
            arguments: Of its call.
            hour: Of the day.
        """
        self.acts += 1
        self.hours[hour] += 1
        for name, value in leaves(arguments):
            if isinstance(value, int | float) and not isinstance(value, bool):
                count, most = self.most.get(named(name), (0, value))
                self.most[named(name)] = [count + 1, max(most, value)]
            else:
                self._meet(named(name), digest(name, value))

    def _meet(self, argument: str, value: str) -> None:
        known = self.values.setdefault(argument, [])
        if known is None or value in known:
            return
        if len(known) >= KEPT:
            self.values[argument] = None
        else:
            known.append(value)

    def knows(self, name: str, value: object) -> bool:
        """Whether an argument had this value before, or has too many to tell."""
        known = self.values.get(named(name), [])
        return known is None or digest(name, value) in known

    def few(self, name: str) -> int:
        """How many values an argument has, where they are only a few and each of them came often; else 0."""
        count = len(self.values.get(named(name)) or ())
        return count if count <= FEW and self.acts >= max(SETTLED, 5 * count) else 0

    def largest(self, name: str) -> tuple[int, float]:
        """How often an argument was a number, and the largest."""
        count, most = self.most.get(named(name), (0, 0.0))
        return int(count), most


def leaves(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str | bool | int | float]]:
    """The plain values in arguments, each with the dotted name of its argument; those of a list one by one.

    Example:
        >>> list(leaves({"to": ["ana", "bo"], "order": {"cents": 5}}))
        [('order.cents', 5), ('to', 'ana'), ('to', 'bo')]
    """
    for found, _ in zip(_below("", arguments, _DEEP), range(_ARGUMENTS), strict=False):
        yield found


def _below(name: str, value: object, deep: int) -> Iterator[tuple[str, str | bool | int | float]]:
    if isinstance(value, str | bool | int | float):
        yield name, value
    elif deep and isinstance(value, Mapping):
        for key in sorted(map(str, value)):
            yield from _below(f"{name}.{key}" if name else key, value[key], deep - 1) if key in value else ()
    elif deep and isinstance(value, list | tuple):
        for one in value:
            yield from _below(name, one, 0)


def named(name: str) -> str:
    """What is kept of an argument's name. In a table that takes any keys, each of them may name somebody."""
    return f"#{digest('', name)}"


_NAMED = re.compile(r"#[0-9a-f]{12}")


def digest(name: str, value: object) -> str:
    """What is kept of a value."""
    return hashlib.sha256(f"{name}\0{type(value).__name__}\0{value}".encode("utf-8", "backslashreplace")).hexdigest()[
        :12
    ]
