"""The threat model keeps up: each threat has a test, and each test is there."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "THREAT_MODEL.md").read_text(encoding="utf-8")
TABLES = re.findall(r"^\| threat \| .*? \| test \|\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
THREATS = [[cell.strip() for cell in line.strip("|").split(" | ")] for table in TABLES for line in table.splitlines()]


@lru_cache
def names_in(file):
    """The names of the tests in a file."""
    found = ast.walk(ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8")))
    return {one.name for one in found if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_all_tables_are_read():
    """A table that is written in another form would be left out of the check."""
    assert len(TABLES) == PAGE.count("| threat |")
    assert len(THREATS) > 60


@pytest.mark.parametrize("threat", THREATS, ids=lambda threat: threat[0][:60])
def test_each_threat_has_tests_that_are_there(threat):
    """A threat says what stops it, what remains, and by which tests one sees it."""
    assert len(threat) == 4, threat
    assert all(threat), threat
    named = re.findall(r"`([^`]+\.py)::(test_\w+)`", threat[3])
    assert named, "it names no test"
    assert threat[3].count("`") == 2 * len(named), "it names something that is no test"
    for file, name in named:
        assert name.startswith("test_"), name
        assert name in names_in(file), f"{file}::{name} isn't there"


def test_each_module_that_is_named_is_there():
    """What stops a threat is named by a path below the package."""
    package = ROOT / "src" / "ladder_graph"
    named = {name for threat in THREATS for name in re.findall(r"`([a-z_/]+\.py)`", threat[1])}
    assert named
    assert [name for name in sorted(named) if not (package / name).is_file()] == []
