"""Judging a run whose last words nobody recorded: a verdict stands where it is the same whatever was said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Unheard:
    """A text that nobody recorded. Whether something stands in it is answered one way or the other, and kept to.

    Anything else that is asked of it raises, so that a verdict is never drawn from words that aren't there.

    Args:
        answers: What to say to one question after the other; True beyond the last.
    """

    def __init__(self, answers: tuple[bool, ...] = ()) -> None:
        self._answers = answers
        self.asked: dict[str, bool] = {}
        """What was said, by what was looked for."""

    def __contains__(self, part: object) -> bool:
        known = str(part).lower()
        if known not in self.asked:
            place = len(self.asked)
            self.asked[known] = self._answers[place] if place < len(self._answers) else True
        return self.asked[known]

    def lower(self) -> Unheard:
        """The same text: nothing is known of its letters."""
        return self


def verdicts(judge: Callable[[Any], bool]) -> frozenset[bool]:
    """Every verdict that some last words would bring about; of one alone it is known without them.

    Args:
        judge: Judges by the last words, whatever they are.

    Example:
        >>> sorted(verdicts(lambda words: "200" in words or "two hundred" in words))
        [False, True]
        >>> verdicts(lambda words: 1 > 2 and "200" in words)
        frozenset({False})
    """
    found: set[bool] = set()
    ahead: list[tuple[bool, ...]] = [()]
    while ahead and len(found) < len((False, True)):
        words = Unheard(ahead.pop())
        found.add(bool(judge(words)))
        said = tuple(words.asked.values())
        begun = len(words._answers)  # noqa: SLF001  # its own module's
        ahead += [(*said[:place], False) for place in range(begun, len(said))]
    return frozenset(found)
