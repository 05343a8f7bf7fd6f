"""The examples on each kind of graph: they run, and print what the ledger has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.programs import Program

ROOT = Path(__file__).parents[2]
AFTER = {
    "agent": ["ops look_up bounded done", "ops send_email confirm done"] * 2,
    "deep_agent": ["ops task bounded done", "ops/clerk look_up bounded done", "ops/clerk send_email confirm done"],
    "mcp_tools": ["ops look_up bounded done", "ops send_email confirm done"],
    "raw_graph": ["ops look_up bounded done", "ops send_email confirm done"],
    "supervisor": [
        f"ops/{line}"
        for name in ("first", "second")
        for line in (
            f"supervisor transfer_to_{name} bounded done", f"{name} look_up bounded done",
            f"{name} send_email confirm done",
        )
    ],
    "swarm": [
        "ops/first look_up bounded done", "ops/first send_email confirm done",
        "ops/first transfer_to_second bounded done",
        "ops/second look_up bounded done", "ops/second send_email confirm done",
    ],
}  # fmt: skip
"""What each example prints of its ledger."""


def test_each_example_is_run():
    """None is left out."""
    there = {file.stem for file in (ROOT / "examples" / "integrations").glob("*.py")}
    assert there - {"__init__", "story", "mcp_server"} == AFTER.keys()


@pytest.mark.parametrize("name", AFTER)
def test_what_an_example_prints(name):
    """Each asks about the e-mails, hears yes, and prints what stands in the ledger."""
    done = Program(["-m", f"examples.integrations.{name}"], ROOT)
    said = done.said()
    assert done.returncode == 0, said
    lines = [line.removeprefix("ledger:").split() for line in said.splitlines() if line.startswith("ledger:")]
    assert [" ".join(line).replace(" rung ", " ") for line in lines] == AFTER[name]
    assert said.count("ana says yes") == sum("send_email" in line for line in AFTER[name])
    assert "each entry is as it was written" in said
