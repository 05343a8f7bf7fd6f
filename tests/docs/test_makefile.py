"""The commands that the README promises."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("target", ["demo", "test"])
def test_the_readme_names_the_two_commands(target):
    """The README names the command that shows the product and the one that tests it."""
    assert f"make {target}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_named_exists(page):
    """A `make` command in code on a page is a target of the Makefile."""
    text = page.read_text(encoding="utf-8")
    fenced = "".join(re.findall(r"^```(?:\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    named = re.findall(r"`make ([a-z-]+)", text) + re.findall(r"^(?:\$ )?make ([a-z-]+)", fenced, re.MULTILINE)
    assert set(named) <= TARGETS


def test_every_target_is_described():
    """`make help` has a line for every target."""
    described = set(re.findall(r"^([a-z-]+):.*## \S", MAKEFILE, re.MULTILINE))
    assert described == TARGETS


def test_the_demo_installs_only_extras_that_exist():
    """Each extra that the Makefile asks for is one of `pyproject.toml`."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    asked = {name for line in re.findall(r"scripts/setup \S+ (\S+)", MAKEFILE) for name in line.split(",")}
    assert asked
    assert asked <= extras.keys()


SLOW = (ROOT / "tests" / "slow.txt").read_text(encoding="utf-8").split()


@pytest.mark.parametrize("file", sorted({test.split("::")[0] for test in SLOW}))
def test_every_slow_test_exists(file):
    """A test that was renamed or moved is named anew, or it would come back into the quick run unseen."""
    text = (ROOT / file).read_text(encoding="utf-8")
    names = {test.rsplit("::", 1)[1] for test in SLOW if test.split("::")[0] == file} - {"runTest", Path(file).name}
    assert [name for name in sorted(names) if f"def {name}(" not in text and name.rsplit(".")[-1] not in text] == []
