"""The public names of the package."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ladder_graph
from ladder_graph import dojo, notebook, replay

ROOT = Path(__file__).parents[2]
ROOMS = (ladder_graph, dojo, notebook, replay)
"""The packages that say which of their names are public."""
PUBLIC = [(room, name) for room in ROOMS for name in room.__all__]

REFUSE = """
import sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
from ladder_graph import *
"""


@pytest.mark.parametrize("room", ROOMS)
def test_the_names_are_sorted_and_said_once(room):
    """`__all__` is in order, constants first, and repeats nothing, so that a new name is seen in a diff."""
    assert room.__all__
    assert list(room.__all__) == sorted(set(room.__all__), key=lambda name: (not name.isupper(), name))


@pytest.mark.parametrize(("room", "name"), PUBLIC)
def test_each_name_is_there(room, name):
    """Every name in `__all__` can be imported, and `dir` shows it."""
    assert getattr(room, name) is not None
    assert name in dir(room)


@pytest.mark.parametrize(("room", "name"), PUBLIC)
def test_each_class_and_function_says_what_it_is(room, name):
    """Every public class and function has a docstring of its own."""
    thing = getattr(room, name)
    if callable(thing):
        said = (thing.__doc__ or "").strip()
        assert said, f"{name} has no docstring"
        assert not said.startswith(f"{name}("), f"{name} has only the docstring that a dataclass makes up"


def test_the_package_imports_without_its_extras():
    """Each public name, which is loaded at its first use, needs the core dependencies and nothing else."""
    extras = {
        "apprise",
        "deepagents",
        "jinja2",
        "langchain",
        "langchain_mcp_adapters",
        "matplotlib",
        "mcp",
        "pandas",
        "psycopg",
        "rich",
        "starlette",
    }
    done = subprocess.run(
        [sys.executable, "-c", REFUSE.format(names=extras | {"typer", "uvicorn"})],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_name_that_is_not_there_is_an_attribute_error():
    """Names are loaded at their first use, and one that isn't public is missing as in any module."""
    with pytest.raises(AttributeError, match="has no attribute 'Laddr'"):
        _ = ladder_graph.Laddr


def test_the_types_are_shipped():
    """The package carries `py.typed`, so that its users' type checkers read its annotations."""
    assert (Path(ladder_graph.__file__).parent / "py.typed").is_file()


def test_every_extra_is_in_all_but_the_developers_own_and_a_benchmarks():
    """`[all]` leaves no extra out, except `dev`, and `agentdojo`, which brings the clients of four providers."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (everything,) = extras["all"]
    named = set(everything.partition("[")[2].rstrip("]").split(","))
    assert named == extras.keys() - {"agentdojo", "all", "dev"}
