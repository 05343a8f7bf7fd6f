"""What `make quality` measures with can tell a test that notices from one that doesn't."""

from __future__ import annotations

import json
import subprocess

import pytest

from scripts.quality import figures, page
from scripts.quality.judging import Bench, Judged, judge
from scripts.quality.mutants import mutants

TOY = '''
"""A toy."""

LIMIT = "SELECT n FROM t WHERE n < 3"

def total(most: int = 3) -> int:
    """Add up."""
    done = 0
    n = 0
    while n < most:
        n += 1
        done += n
    if done > 1000:
        raise ValueError("too much")
    return done
'''
TESTS = """
from toy import total

def test_small():
    assert total(3) == 6

def test_it_runs():
    total()
"""


@pytest.fixture
def toy(tmp_path):
    """A repository of one module and its tests."""
    for name, text in {"src/toy.py": TOY, "tests/test_toy.py": TESTS}.items():
        (tmp_path / "toy" / name).parent.mkdir(parents=True)
        (tmp_path / "toy" / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q", tmp_path / "toy"], check=True)
    return tmp_path / "toy"


@pytest.fixture
def mutant(toy):
    """A mutant of the toy by what stands in its place."""
    found = mutants(toy / "src/toy.py", toy)
    return lambda after: next(one for one in found if one.after == after)


def test_what_is_changed(toy):
    """One thing at a time is changed, and no docstring, annotation or text of an error."""
    assert [(one.line, one.before, one.after) for one in mutants(toy / "src/toy.py", toy)] == [
        (4, '"SELECT n FROM t WHERE n < 3"', "'SELECT n FROM t WHERE n <= 3'"),
        (6, "3", "4"),
        (8, "0", "1"),
        (9, "0", "1"),
        (10, "n < most", "(n <= most)"),
        (11, "n += 1", "n -= 1"),
        (11, "1", "2"),
        (12, "done += n", "done -= n"),
        (13, "done > 1000", "(done >= 1000)"),
        (13, "1000", "1001"),
        (14, 'raise ValueError("too much")', "pass"),
        (15, "return done", "return None"),
    ]


def test_what_becomes_of_a_mutant(toy, mutant, tmp_path):
    """A test that fails kills it, one that never ends does so too, and what nobody looks at lives."""
    bench = Bench(toy, tmp_path / "bench", needed=())
    tests = ["tests/test_toy.py::test_it_runs", "tests/test_toy.py::test_small"]

    def of(after, tests=tests):
        judged = judge(bench, mutant(after), tests, lambda some: 0.01 * len(list(some)), start=5)
        return judged.verdict, judged.by

    try:
        assert of("(n <= most)") == ("killed", tests[1])
        assert of("(n <= most)", tests[:1]) == ("survived", "")
        assert of("n -= 1") == ("hung", "")
        assert of("(done >= 1000)") == ("survived", "")
        assert of("pass", []) == ("not run", "")
    finally:
        bench.close()


def test_a_test_that_fails_by_itself_shows_nothing(toy, mutant, tmp_path):
    """A test that fails without the mutant, too, kills none."""
    broken = toy / "tests/test_broken.py"
    broken.write_text("def test_broken():\n    assert False\n", encoding="utf-8")
    bench = Bench(toy, tmp_path / "bench", needed=())
    tests = ["tests/test_broken.py::test_broken", "tests/test_toy.py::test_it_runs"]
    try:
        assert judge(bench, mutant("return None"), tests, lambda _: 0.01).verdict == "survived"
    finally:
        bench.close()


def test_the_score(mutant):
    """What is hung is noticed, what isn't run is not, and an equivalent is in no score."""
    same, alive = mutant("(done >= 1000)"), mutant("1001")
    drawn = [
        Judged(mutant("1"), "killed"),
        Judged(mutant("n -= 1"), "hung"),
        Judged(same, "survived"),
        Judged(alive, "not run"),
    ]
    drawn = [Judged(_elsewhere(one.mutant), one.verdict) for one in drawn]
    reasons = {_elsewhere(same).known_as: "it never is a thousand"}
    (row,) = figures.scored(drawn, {"flow.py": 12}, reasons)
    assert row == {
        "part": "flow.py", "mutants": 12, "drawn": 4, "killed": 1, "hung": 1, "survived": 0,
        "not run": 1, "equivalent": 1,
    }  # fmt: skip
    assert "67% (21% to 94%)" in page.mutation({"mutation": [row]})
    assert [name.rpartition(" (")[2] for name in figures.alive(drawn, reasons)] == ["not run)"]


def _elsewhere(mutant):
    from dataclasses import replace

    return replace(mutant, path="src/ladder_graph/flow.py")


def test_the_counts():
    """A function counts once, each case once, a property as one case; long forms are a kind of their own."""
    lines = [
        json.dumps({"test": test, "property": "prop" in test, "doctest": False, "markers": markers})
        for test, markers in {
            "tests/unit/test_a.py::test_a[1]": [], "tests/unit/test_a.py::test_a[2]": [],
            "tests/properties/test_p.py::test_prop": [], "tests/faults/test_f.py::test_f": ["faults"],
        }.items()
    ]  # fmt: skip
    assert figures.counted(lines) == [
        {"kind": "faults, long form", "functions": 1, "cases": 1, "properties": 0},
        {"kind": "properties", "functions": 1, "cases": 1, "properties": 1},
        {"kind": "unit", "functions": 1, "cases": 2, "properties": 0},
    ]


@pytest.mark.skipif(not page.FIGURES.exists(), reason="no run of `make quality` is kept in docs/quality.json yet")
def test_the_page_is_of_the_figures_that_are_kept():
    """`docs/quality.md` says what `docs/quality.json` holds; `make docs` writes it anew."""
    kept = json.loads(page.FIGURES.read_text(encoding="utf-8"))
    assert page.PAGE.read_text(encoding="utf-8") == page.page(kept), "run: make docs"


def test_every_equivalent_has_its_reason():
    """Nobody takes a mutant out of the score without saying why."""
    from scripts.quality.__main__ import EQUIVALENTS

    assert all(reason.strip() for reason in json.loads(EQUIVALENTS.read_text(encoding="utf-8")).values())
