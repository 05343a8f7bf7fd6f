"""How long a text may be so that a regular expression on it stays quick, and whether it can be made to hang.

Python's matcher tries one way after the other. Where one loop can match the same text in two ways, n characters
make 2**n ways, and a model that chooses the text can stop the gate. Such a pattern is refused when the policy is
read: its automaton of positions (Glushkov 1961) is exponentially ambiguous when two different ways lead round one
loop over the same text (Weber and Seidl 1991, criterion EDA). A pattern that never leaves a choice is quick on any
text. Between the two the ways grow with the length to the power of the repeats, and a cap on the length holds them.
"""

from __future__ import annotations

import bisect
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
_SHORTEST = 24
"""A pattern that is only quick on texts shorter than this is refused."""
_STEPS = 10**7
"""Ways that the matcher may try on one text at the worst: about a second."""
_UNROLLED = 128
"""Times that a counted repeat of one character is written out; a larger one counts as open-ended."""
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
        ValueError: '([a-z]+)*' can match the same text in many ways, and would hang on some; make it plainer
    """
    compiled(pattern)
    automaton = _Automaton(pattern)
    hangs = any(automaton.ambiguous(loop) for loop in automaton.loops())
    most = 0 if hangs else LONGEST if automaton.deterministic() else automaton.affordable()
    if most < _SHORTEST:
        raise ValueError(f"{pattern!r} can match the same text in many ways, and would hang on some; make it plainer")
    return most


class _Part(NamedTuple):
    """A piece of the pattern. A position stands twice where two ways or more lead to it."""

    empty: int
    """In how many ways it matches nothing, counted up to two."""
    first: tuple[int, ...]
    """The positions it may begin with."""
    last: tuple[int, ...]
    """The positions it may end with."""


_NOTHING = _Part(empty=1, first=(), last=())


def _capped(empty: int, first: tuple[int, ...], last: tuple[int, ...]) -> _Part:
    return _Part(min(empty, 2), _twice(first), _twice(last))


def _twice(positions: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(itertools.chain(*(itertools.repeat(p, min(n, 2)) for p, n in Counter(positions).items())))


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
        self._repeats = 0
        self._choices = 1
        self._looks_around = False
        tree = importlib.import_module("re._parser").parse(pattern, _FLAGS)
        self._samples = sorted({*_CUTS, *self._cuts(tree)})
        self._first = self._sequence(tree).first
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
                self._choices *= len(trees)
                return functools.reduce(self._either, map(self._sequence, trees))
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT", (int(least), most, tree):
                return self._repeat(int(least), int(most), tree)
            case "ASSERT" | "ASSERT_NOT", (_, tree):
                self._looks_around = True  # It reads the same text again, at every place where it stands.
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
        return _Part(empty=0, first=(here,), last=(here,))

    def _then(self, one: _Part, two: _Part) -> _Part:
        self._ways.update(itertools.product(one.last, two.first))
        first = one.first + two.first * one.empty
        return _capped(one.empty * two.empty, first, two.last + one.last * two.empty)

    @staticmethod
    def _either(one: _Part, two: _Part) -> _Part:
        return _capped(one.empty + two.empty, one.first + two.first, one.last + two.last)

    def _repeat(self, least: int, most: int, tree: Any) -> _Part:
        self._repeats += least < most > 1
        outside, self._choices = self._choices, 2 if (least, most) == (0, 1) else 1
        before = len(self._takes)
        part = self._sequence(tree)
        again = part.empty and most > 1
        if again:
            part = self._rounds(part, least, most)
        self._choices *= outside
        if again:
            return part
        if len(self._takes) == before or most <= 1:
            return self._either(part, _NOTHING) if least == 0 else part
        if len(self._takes) > before + 1 or most > _UNROLLED:
            # A counted repeat of more than one character is held to the same as an open one.
            self._ways.update(itertools.product(part.last, part.first))
            return self._either(part, _NOTHING) if least == 0 else part
        copies = [part, *(self._sequence(tree) for _ in range(most - 1))]
        whole = _NOTHING
        for count in range(most, 0, -1):
            whole = self._then(copies[count - 1], whole)
            whole = self._either(whole, _NOTHING) if count > least else whole
        return whole

    def _rounds(self, part: _Part, least: int, most: int) -> _Part:
        # Rounds that may be empty: each that must come has its choices anew and may be the one that takes something,
        # and the matcher tries one empty round more than it must.
        self._choices = min(self._choices ** max(1, min(least, _UNROLLED)) * (1 + (least < most)), _STEPS + 1)
        self._ways.update(itertools.product(part.last, part.first))
        ways = 1 + (least > 0)
        return _capped(part.empty + (least < most), part.first * ways, part.last * ways)

    def _accepts(self, node: tuple[Any, Any], code: int) -> bool:
        both = self._any_case and chr(code).isascii()
        cases = {code, ord(chr(code).lower()), ord(chr(code).upper())} if both else {code}
        return any(self._takes_this(str(node[0]), node[1], case) for case in cases)

    def _takes_this(self, operation: str, operand: Any, code: int) -> bool:
        match operation:
            case "ANY":
                return self._dot_all or chr(code) != "\n"
            case "NOT_LITERAL":
                return bool(code != operand)
            case "IN":
                negated = str(operand[0][0]) == "NEGATE"
                return any(_holds(str(op), av, code) for op, av in operand) != negated
            case _:
                return _holds(operation, operand, code)

    # --- what the automaton tells ----------------------------------------------------------------------------------

    def deterministic(self) -> bool:
        """Whether the next character always decides where to go, so that no text takes a second try."""
        if self._looks_around or any(ways > 1 for ways in self._ways.values()):
            return False
        return not any(self._takes[p] & self._takes[q] for p, q in self._forks())

    def _forks(self) -> Iterable[tuple[int, int]]:
        for ahead in (self._first, *self._after.values()):
            yield from itertools.combinations(ahead, 2)

    def affordable(self) -> int:
        """The length up to which there are few enough ways to share the text out among the repeats."""
        few, repeats = _STEPS // self._choices, max(1, self._repeats)
        return bisect.bisect_right(range(LONGEST + 1), few, key=lambda size: math.comb(size + repeats, repeats)) - 1

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
