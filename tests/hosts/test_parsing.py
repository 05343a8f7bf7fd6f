"""Source that is parsed while other threads parse, too."""

from __future__ import annotations

import ast

import pytest

from ladder_graph.hosts import making, parsing
from ladder_graph.hosts.parsing import parsed

SOURCE = 'def f(x):\n    "Say it."\n    return x\n'


@pytest.fixture
def interrupted(monkeypatch):
    """Another thread counts in the same moment, so many times."""
    real, left = ast.parse, {"times": 0}

    def parse(*args, **more):
        if left["times"]:
            left["times"] -= 1
            raise SystemError("AST constructor recursion depth mismatch (before=42, after=39)")
        return real(*args, **more)

    monkeypatch.setattr(parsing.ast, "parse", parse)
    return left


@pytest.mark.parametrize("times", [0, 1, parsing.TRIES - 1])
def test_another_thread_makes_no_difference(interrupted, times):
    """It is parsed anew, and a tool's code is the same as ever."""
    making._without_docstring.cache_clear()
    interrupted["times"] = times
    assert making._without_docstring(SOURCE) == "def f(x):\n    return x"


def test_what_never_ends_is_said(interrupted):
    """Nobody waits for ever."""
    interrupted["times"] = parsing.TRIES
    with pytest.raises(SystemError):
        parsed(SOURCE)


@pytest.mark.parametrize("source", ["lambda x: x,", "", "x = 1", "def f(:"])
def test_what_is_no_function_stays_as_it_is(source):
    """Nothing is cut out of it."""
    assert making._without_docstring(source) == source
