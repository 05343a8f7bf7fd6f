"""Who may import whom: the contracts in `pyproject.toml`."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
"""In a process of its own, because it sets up logging anew and so silences the loggers that are there."""


def test_the_import_contracts_hold():
    """No module imports what stands above it, and the logic imports no database, graph or server."""
    done = subprocess.run([sys.executable, "-c", LINT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_of_the_logic_is_held_to_it():
    """The contract on purity names each module that stands in a layer from `flow` down to `errors`."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contract = {one["id"]: one for one in settings["contracts"]}
    words = [word.strip(" ()") for layer in contract["layers"]["layers"] for word in layer.split(":")]
    logic = words[words.index("flow") :]
    there = {name for name in logic if list((ROOT / "src" / "ladder_graph").glob(f"{name}*"))}
    assert {name.removeprefix("ladder_graph.") for name in contract["pure"]["source_modules"]} >= there
