"""A file with a mistake in every section, every bound and every check: all of them are reported at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from ladder_graph.errors import PolicyError
from ladder_graph.policy import Policy, load_policy
from ladder_graph.policy.bounds import Bound
from ladder_graph.policy.checks import Check

DATA = Path(__file__).parents[2] / "data"
FILE = DATA / "mistakes.toml"
TOLD = (DATA / "mistakes.txt").read_text(encoding="utf-8").splitlines()
"""What is told of each: the line, what was expected there, what was found, and the nearest known name."""


def test_every_mistake_of_a_file_is_told_at_once():
    """Line by line, and each with the file before it."""
    with pytest.raises(PolicyError) as caught:
        load_policy(FILE)
    assert list(caught.value.problems) == [f"{FILE}:{line}" for line in TOLD]
    assert all(line in str(caught.value) for line in TOLD)


def test_each_is_told_on_its_own_line():
    """The line that is named holds the key that is named, or the table that it is missing in."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    for told in TOLD:
        number, key = re.match(r"(\d+): ([\w.\[\]]+):", told).groups()
        name = re.sub(r"\[\d+\]", "", key).rpartition(".")[2]
        missing = "missing" in told or "either" in told or key.endswith("]")
        assert name in lines[int(number) - 1] or missing, told


def test_no_kind_and_no_section_is_left_out():
    """Each kind of bound and of check has its mistake, and so has each section."""
    text, many = FILE.read_text(encoding="utf-8"), 25
    assert len(TOLD) >= many
    for union in (Bound, Check):
        for kind in get_args(get_args(union)[0]):
            assert f'kind = "{kind.model_fields["kind"].default}"' in text
    sections = {name for name, field in Policy.model_fields.items() if name not in {"agent", "ledger", "drafts"}}
    assert sections <= {re.match(r"\d+: (\w+)", told)[1] for told in TOLD}
