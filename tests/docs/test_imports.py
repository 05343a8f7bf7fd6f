"""Who may import whom: the contracts in `pyproject.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]


def test_the_import_contracts_hold(capfd):
    """No module imports what stands above it, and the logic imports no database, graph or server."""
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == 0, capfd.readouterr().out


def test_every_module_of_the_logic_is_held_to_it():
    """The contract on purity names each module that stands in a layer from `flow` down to `errors`."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contract = {one["id"]: one for one in settings["contracts"]}
    words = [word.strip(" ()") for layer in contract["layers"]["layers"] for word in layer.split(":")]
    logic = words[words.index("flow") :]
    there = {name for name in logic if list((ROOT / "src" / "ladder_graph").glob(f"{name}*"))}
    assert {name.removeprefix("ladder_graph.") for name in contract["pure"]["source_modules"]} >= there
