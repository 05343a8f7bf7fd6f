"""What an agent usually does with a tool, in a few numbers, so that what is new can be told."""

from __future__ import annotations

import hashlib
import json
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
    """What was usual up to a moment. It holds no value: of each only a digest."""

    acts: int = 0
    values: dict[str, list[str] | None] = field(default_factory=dict)
    """Argument to digests of the values that it had; None where there were too many to tell."""
    most: dict[str, list[float]] = field(default_factory=dict)
    """Argument to how often it was a number, and the largest."""
    hours: list[int] = field(default_factory=lambda: [0] * 24)
    """Actions in each hour of the day, on the readers' clocks."""

    @classmethod
    def read(cls, text: str) -> Habit:
        """Read what `text` wrote."""
        return cls(**json.loads(text))

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
                count, most = self.most.get(name, (0, value))
                self.most[name] = [count + 1, max(most, value)]
            else:
                self._meet(name, digest(name, value))

    def _meet(self, name: str, value: str) -> None:
        known = self.values.setdefault(name, [])
        if known is None or value in known:
            return
        if len(known) >= KEPT:
            self.values[name] = None
        else:
            known.append(value)

    def knows(self, name: str, value: object) -> bool:
        """Whether an argument had this value before, or has too many to tell."""
        known = self.values.get(name, [])
        return known is None or digest(name, value) in known

    def few(self, name: str) -> bool:
        """Whether an argument has only a few values, each of them often."""
        known = self.values.get(name)
        return known is not None and len(known) <= FEW and self.acts >= max(SETTLED, 5 * len(known))


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


def digest(name: str, value: object) -> str:
    """What is kept of a value."""
    return hashlib.sha256(f"{name}\0{type(value).__name__}\0{value}".encode("utf-8", "backslashreplace")).hexdigest()[
        :12
    ]
