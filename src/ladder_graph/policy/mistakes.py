"""Mistakes that span several keys of a policy, and how they become one error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pydantic_core import PydanticCustomError

from ladder_graph.policy.lines import Keys

BESIDE = "{other}"
"""Stands in a text for the place that a mistake names beside its own."""


class Mistake(NamedTuple):
    """A mistake that spans several keys."""

    path: Keys
    """The key at which it is told."""
    text: str
    """What is wrong, and what would be right."""
    other: Keys = ()
    """Another key with the very same mistake. It is told at the later one in the file, and names the earlier."""

    def below(self, path: Keys) -> Mistake:
        """The same mistake, seen from further up."""
        return Mistake((*path, *self.path), self.text, (*path, *self.other) if self.other else ())


def refuse(found: Iterable[Mistake]) -> None:
    """Raise all mistakes as one error, where there are any.

    Raises:
        PydanticCustomError: There are.
    """
    if found := tuple(found):
        text = "; ".join(f"{_spelt(one.path)}: {one.text.replace(BESIDE, _spelt(one.other))}" for one in found)
        raise PydanticCustomError("mistakes", "{text}", {"found": found, "text": text})


def _spelt(path: Keys) -> str:
    """A place as Python's own model would name it, where no file has a line for it."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")
