"""Names beside the dots of a picture, so that none lies on another one or on a dot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_LETTER = 6.9
"""Units that a letter takes at most, on average, at the size of the names."""
_LINE = 15
"""Units from one line to the next."""
_AWAY = 9
"""Units between a dot and its name."""
_DOT = 6
"""Units around the middle of a dot that it takes."""
_RINGS = 18
"""How often a name is tried farther away."""
_LONGEST = 30
"""Letters of a name that are shown."""

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the picture."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two have any point in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: Box) -> bool:
        """Whether the other one lies inside."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


@dataclass(frozen=True, slots=True)
class Label:
    """A name, where it stands."""

    text: str
    dot: Place
    box: Box
    anchor: str = "start"

    @property
    def x(self) -> float:
        """Where the text begins, or ends where it is anchored by its end."""
        return {"start": self.box.left, "end": self.box.right}.get(self.anchor, (self.box.left + self.box.right) / 2)

    @property
    def y(self) -> float:
        """The line that the text stands on."""
        return self.box.bottom - 4

    @property
    def far(self) -> bool:
        """Whether it takes a line to see which dot it belongs to."""
        x, y = self.dot
        near = Box(self.box.left - _AWAY - 2, self.box.top - _AWAY, self.box.right + _AWAY + 2, self.box.bottom + _AWAY)
        return not near.holds(Box(x, y, x, y))

    @property
    def leader(self) -> tuple[float, float, float, float]:
        """That line, from the dot to the nearest point of the name."""
        x, y = self.dot
        nearest = min(max(x, self.box.left), self.box.right), min(max(y, self.box.top + 2), self.box.bottom)
        return x, y, *nearest


def placed(names: Sequence[str], dots: Sequence[Place], within: Box, lines: Sequence[Box] = ()) -> list[Label]:
    """Find a place for each name: beside its dot if there is room, else as near as there is.

    Args:
        names: What is written.
        dots: Where what they name lies, in the same order.
        within: What they must stay inside.
        lines: What they lie on only where there is no room otherwise.

    Returns:
        The names that there is room for, which is all of them unless there are very many.
    """
    taken = [Box(x - _DOT, y - _DOT, x + _DOT, y + _DOT) for x, y in dots]
    found: list[Label] = []
    for name, dot in zip(names, dots, strict=True):
        text = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
        free = [one for one in _tries(text, dot) if within.holds(one.box) and not _hit(one.box, taken)]
        label = next((one for one in free if not _hit(one.box, lines)), free[0] if free else None)
        if label is not None:
            found.append(label)
            taken.append(label.box)
    return found


def _hit(box: Box, taken: Iterable[Box]) -> bool:
    return any(box.meets(other) for other in taken)


def _tries(text: str, dot: Place) -> Iterator[Label]:
    """Right, left, above and below, then the same farther away, up and down."""
    x, y = dot
    wide = len(text) * _LETTER
    for ring in range(_RINGS):
        for down in (ring, -ring) if ring else (0,):
            top = y - _LINE / 2 + down * _LINE
            for anchor, left in (("start", x + _AWAY), ("end", x - _AWAY - wide), ("middle", x - wide / 2)):
                yield Label(text, dot, Box(left, top, left + wide, top + _LINE), anchor)
