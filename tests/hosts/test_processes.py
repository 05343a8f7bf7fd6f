"""A question asked in one process is answered and resumed in another, over SQLite."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.hosts.worker import POLICY
from tests.programs import Program

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    """A policy, and room for the ledger, the threads and the effects."""
    (tmp_path / "ladder.toml").write_text(POLICY)
    return tmp_path


def process(folder, step):
    """Take one step in a process of its own."""
    done = Program(["-m", "tests.hosts.worker", folder, step], ROOT)
    said = done.said()
    assert done.returncode == 0, said
    return json.loads(said.splitlines()[-1])


@pytest.mark.parametrize(
    "steps",
    [
        ("ask", "answer"),
        ("a_ask", "a_answer"),
        ("ask", "resume", "approve", "a_resume"),
    ],
    ids=["answered in band", "answered in band, async", "answered by a third process"],
)
def test_another_process_goes_on(folder, steps):
    """The second process runs what was approved, once; the sibling that had finished isn't run again."""
    asked = process(folder, steps[0])
    assert asked["next"] == ["confirm"]
    assert (folder / "effects").read_text() == "read 1\n"
    for step in steps[1:]:
        last = process(folder, step)
        if step == "resume":  # before anybody answered
            assert last["next"] == ["confirm"]
    assert last == {"next": [], "told": ["read 1", "send ben"], "ok": True}
    assert (folder / "effects").read_text() == "read 1\nsend ben\n"
