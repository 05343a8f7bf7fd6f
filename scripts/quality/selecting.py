"""Which tests run a line: what coverage.py kept for each test, turned round."""

from __future__ import annotations

import ast
import functools
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from coverage import CoverageData

from scripts.quality.mutants import Mutant


class Runs:
    """What a recorded run of the tests knows.

    Args:
        data: Where coverage.py put it.
        seconds: How long each test took.
        root: The repository.
    """

    def __init__(self, data: CoverageData, seconds: Mapping[str, float], root: Path) -> None:
        self._data, self._seconds, self._root = data, seconds, root

    def tests(self, mutant: Mutant) -> list[str]:
        """The tests that run what is changed: one case of each test first, and the quick ones before the slow."""
        ran = self._of_lines(mutant.path, range(mutant.line, mutant.end + 1))
        if mutant.names:
            for path, lines in self._uses(mutant.names):
                ran |= self._of_lines(path, lines)
        return self._in_order(ran)

    def _of_lines(self, path: str, lines: Iterable[int]) -> set[str]:
        by_line = self._by_line(path)
        return {test for line in lines for test in by_line.get(line, ())}

    @functools.cache  # noqa: B019  # it lives as long as the program
    def _by_line(self, path: str) -> dict[int, set[str]]:
        contexts = self._data.contexts_by_lineno(str(self._root / path))
        return {line: {test for one in tests if (test := self._named(one))} for line, tests in contexts.items()}

    def _named(self, context: str) -> str | None:
        """A process of a test says where in the test it was begun."""
        test = context if context in self._seconds else context.partition("|")[2] or context
        for end in (" (setup)", " (call)", " (teardown)"):
            test = test.removesuffix(end)
        return test if test in self._seconds else None

    def _uses(self, names: Iterable[str]) -> Iterable[tuple[str, set[int]]]:
        for name in names:
            yield from self._by_name.get(name, {}).items()

    @functools.cached_property
    def _by_name(self) -> dict[str, dict[str, set[int]]]:
        """Where each name is used, by file: what is made at the top of a file is run by whoever uses it."""
        found: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        for file in sorted((self._root / "src").rglob("*.py")):
            path = str(file.relative_to(self._root))
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                match node:
                    case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name):
                        found[name][path].add(node.lineno)
        return found

    def _in_order(self, tests: set[str]) -> list[str]:
        quick = sorted(tests, key=lambda test: (self._seconds[test], test))
        turns: dict[str, int] = defaultdict(int)
        ordered = []
        for test in quick:
            function = test.partition("[")[0]
            ordered.append((turns[function], test))
            turns[function] += 1
        return [test for _, test in sorted(ordered, key=lambda one: one[0])]

    def seconds(self, tests: Iterable[str]) -> float:
        """How long tests took together."""
        return sum(self._seconds.get(test, 1.0) for test in tests)


def recorded(folder: Path, root: Path) -> Runs:
    """What lies in a folder of records."""
    data = CoverageData(str(folder / "coverage"))
    data.read()
    lines = (line for file in sorted(folder.glob("tests.*.jsonl")) for line in file.open(encoding="utf-8"))
    return Runs(data, {one["test"]: one["seconds"] for one in map(json.loads, lines)}, root)
