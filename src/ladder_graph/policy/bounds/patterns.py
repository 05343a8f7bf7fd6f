"""How long a text may be so that a regular expression on it stays quick, and whether it can be made to hang.

Python's matcher tries one way after the other. Where one loop can match the same text in two ways, n characters
make 2**n ways, and a model that chooses the text can stop the gate. Such a pattern is refused when the policy is
read: its automaton of positions (Glushkov 1961) is exponentially ambiguous when two different ways lead round one
loop over the same text (Weber and Seidl 1991, criterion EDA). What is left grows like n**k / k! with k loops, and
a cap on the length holds it.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

LONGEST = 10_000
"""Characters that no text may exceed, whatever the pattern."""
_STEPS = 10**8
"""Steps of the matcher that one check may take at the worst: about a second."""
_UNROLLED = 128
"""Positions that a counted repeat is unrolled to; a larger one counts as open-ended."""
_POSITIONS = 500
"""Positions that a pattern may have at all."""
_EDGES = 10_000
"""Pairs of positions that may follow each other inside one repeat."""
_FLAGS = re.ASCII
_CUTS = (0, 9, 10, 11, 14, 32, 33, 48, 58, 65, 91, 95, 96, 97, 123)
"""Where the ASCII categories and the line break begin and end."""


@functools.lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    r"""The pattern with `\d`, `\w`, `\s` and letter case taken as ASCII, so that no look-alike digit passes.

    Raises:
        ValueError: It is no regular expression.
    """
    try:
        return re.compile(pattern, _FLAGS)
    except (re.error, ValueError, OverflowError, RecursionError) as wrong:
        raise ValueError(f"{pattern!r} is no regular expression: {wrong}") from None


@functools.lru_cache(maxsize=1024)
def longest(pattern: str) -> int:
    """The number of characters up to which matching stays quick.

    Raises:
        ValueError: The pattern can hang on a short text, or holds what can't be judged.

    Example:
        >>> longest("[a-z]+(-[a-z]+)*"), longest("[a-z]+")
        (10000, 10000)
        >>> longest("([a-z]+)*")
        Traceback (most recent call last):
        ...
        ValueError: '([a-z]+)*' can match the same text in many ways inside one repeat, and would hang on some text
    """
    compiled(pattern)
    automaton = _Automaton(pattern)
    loops = automaton.loops()
    if any(automaton.ambiguous(loop) for loop in loops):
        raise ValueError(
            f"{pattern!r} can match the same text in many ways inside one repeat, and would hang on some text"
        )
    count = max(1, len(loops))
    return min(LONGEST, int((_STEPS * math.factorial(count)) ** (1 / count)))


class _Part(NamedTuple):
    """A piece of the pattern: whether it matches nothing, and the positions it may begin and end with."""

    nullable: bool
    first: tuple[int, ...]
    last: tuple[int, ...]


_NOTHING = _Part(nullable=True, first=(), last=())


class _Automaton:
    """The positions of a pattern, which characters each takes, and which may follow which, counted by ways."""

    def __init__(self, pattern: str) -> None:
        if re.search(r"\(\?[a-z]*[uL]", pattern):
            raise ValueError(f"{pattern!r} switches to Unicode or the locale; write the characters out")
        self._pattern = pattern
        self._any_case = re.search(r"\(\?[a-z]*i", pattern) is not None
        self._dot_all = re.search(r"\(\?[a-z]*s", pattern) is not None
        self._takes: list[frozenset[int]] = []
        self._ways: Counter[tuple[int, int]] = Counter()
        tree = importlib.import_module("re._parser").parse(pattern, _FLAGS)
        self._samples = sorted({*_CUTS, *self._cuts(tree)})
        self._sequence(tree)
        self._after: dict[int, list[int]] = {p: [] for p in range(len(self._takes))}
        for p, q in self._ways:
            self._after[p].append(q)

    def _cuts(self, tree: Iterable[Any]) -> Iterable[int]:
        # Between two cuts every class of the pattern is all in or all out, so one sample stands for each stretch.
        for node in _walk(tree):
            match node:
                case ("LITERAL" | "NOT_LITERAL", int(code)):
                    ends = (code, code + 1)
                case ("RANGE", (int(low), int(high))):
                    ends = (low, high + 1)
                case _:
                    continue
            yield from ends
            yield from (code + shift for code in ends for shift in (-32, 32) if self._any_case and code + shift >= 0)

    # --- from the parsed pattern to parts --------------------------------------------------------------------------

    def _sequence(self, tree: Iterable[Any]) -> _Part:
        return functools.reduce(self._then, map(self._part, tree), _NOTHING)

    def _part(self, node: tuple[Any, Any]) -> _Part:
        match str(node[0]), node[1]:
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN", _:
                return self._position(node)
            case "SUBPATTERN", (*_, tree):
                return self._sequence(tree)
            case "ATOMIC_GROUP", tree:
                return self._sequence(tree)
            case "BRANCH", (_, trees):
                return functools.reduce(self._either, map(self._sequence, trees))
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT", (int(least), most, tree):
                return self._repeat(int(least), int(most), tree)
            case "ASSERT" | "ASSERT_NOT", (_, tree):
                self._sequence(tree)
                return _NOTHING
            case "AT" | "FAILURE", _:
                return _NOTHING
            case name, _:
                raise ValueError(f"{self._pattern!r} holds a {name.lower()}, whose cost can't be bounded")

    def _position(self, node: tuple[Any, Any]) -> _Part:
        here = len(self._takes)
        if here >= _POSITIONS:
            raise ValueError(f"{self._pattern[:60]!r}… is too long to be judged; split it, or use another bound")
        self._takes.append(frozenset(code for code in self._samples if self._accepts(node, code)))
        return _Part(nullable=False, first=(here,), last=(here,))

    def _then(self, one: _Part, two: _Part) -> _Part:
        self._ways.update(itertools.product(one.last, two.first))
        return _Part(
            one.nullable and two.nullable,
            one.first + two.first if one.nullable else one.first,
            one.last + two.last if two.nullable else two.last,
        )

    @staticmethod
    def _either(one: _Part, two: _Part) -> _Part:
        return _Part(one.nullable or two.nullable, one.first + two.first, one.last + two.last)

    def _repeat(self, least: int, most: int, tree: Any) -> _Part:
        before = len(self._takes)
        part = self._sequence(tree)
        size = len(self._takes) - before
        if not size or not most or size * most > _UNROLLED:
            self._ways.update(itertools.product(part.last, part.first))
            return part._replace(nullable=part.nullable or least == 0)
        copies = [part, *(self._sequence(tree) for _ in range(most - 1))]
        whole = _NOTHING
        for count in range(most, 0, -1):
            whole = self._then(copies[count - 1], whole)
            if count > least:
                whole = whole._replace(nullable=True)
        return whole

    def _accepts(self, node: tuple[Any, Any], code: int) -> bool:
        cases = {code}
        if self._any_case and chr(code).isascii():
            cases |= {ord(chr(code).lower()), ord(chr(code).upper())}
        match str(node[0]), node[1]:
            case "ANY", _:
                return self._dot_all or chr(code) != "\n"
            case "LITERAL", wanted:
                return wanted in cases
            case "NOT_LITERAL", wanted:
                return wanted not in cases
            case _, entries:
                negated = str(entries[0][0]) == "NEGATE"
                return any(_holds(str(op), av, c) for op, av in entries for c in cases) != negated

    # --- what the automaton tells ----------------------------------------------------------------------------------

    def loops(self) -> list[frozenset[int]]:
        """The sets of positions from each of which every other one, and itself, can be reached again."""
        after = {p: self._reach({p}, self._after.__getitem__) for p in self._after}
        return list({frozenset(q for q in reached if p in after[q]) for p, reached in after.items() if p in reached})

    def ambiguous(self, loop: frozenset[int]) -> bool:
        """Whether two different ways lead round this loop over the same text (EDA)."""
        edges = {(p, q): ways for (p, q), ways in self._ways.items() if p in loop and q in loop}
        if any(ways > 1 for ways in edges.values()):
            return True
        if len(edges) > _EDGES:
            raise ValueError(f"{self._pattern[:60]!r}… is too large to be judged; split it, or use another bound")
        follow = {p: [q for q in loop if (p, q) in edges] for p in loop}
        before = {q: [p for p in loop if (p, q) in edges] for q in loop}
        same = {(p, p) for p in loop}
        onward = self._reach(same, lambda pair: self._pairs(pair, follow))
        back = self._reach(same, lambda pair: self._pairs(pair, before))
        return any(p != q for p, q in onward & back)

    def _pairs(self, pair: tuple[int, int], step: dict[int, list[int]]) -> list[tuple[int, int]]:
        both = itertools.product(step[pair[0]], step[pair[1]])
        return [(p, q) for p, q in both if self._takes[p] & self._takes[q]]

    @staticmethod
    def _reach(start: Any, step: Any) -> set[Any]:
        seen: set[Any] = set()
        todo = list(start)
        while todo:
            for found in step(todo.pop()):
                if found not in seen:
                    seen.add(found)
                    todo.append(found)
        return seen


def _walk(tree: Any) -> Iterable[tuple[str, Any]]:
    """Every pair of an operation and its operand, however deep."""
    match tree:
        case (operation, operand) if hasattr(operation, "name"):
            yield str(operation), operand
    inner = getattr(tree, "data", tree)
    if isinstance(inner, list | tuple):
        for entry in inner:
            yield from _walk(entry)


def _holds(operation: str, operand: Any, code: int) -> bool:
    match operation, operand:
        case "LITERAL", wanted:
            return bool(code == wanted)
        case "RANGE", (low, high):
            return bool(low <= code <= high)
        case "CATEGORY", category:
            return compiled(_CATEGORIES[str(category)]).fullmatch(chr(code)) is not None
        case _:
            return False


_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
