"""How the notebooks are kept. That they run and keep their word is found by nbmake: `notebooks` is a test path."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "notebooks").glob("*.ipynb"))

each = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


def read(path):
    """A notebook, checked against the format."""
    page = nbformat.read(path, as_version=4)
    nbformat.validate(page)
    return page


def code(page):
    """Its cells of code."""
    return [cell for cell in page.cells if cell.cell_type == "code"]


def test_there_are_notebooks_and_they_are_numbered():
    """So that the parametrised tests below can't be empty."""
    assert [path.name[:3] for path in PAGES] == [f"{number:02d}_" for number in range(1, len(PAGES) + 1)]
    assert PAGES


def test_the_notebooks_run_with_the_other_tests():
    """`make test` runs each of them by nbmake."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    assert "notebooks" in settings["testpaths"]
    assert "--nbmake" in settings["addopts"]


@each
def test_a_notebook_is_kept_without_outputs(path):
    """What a cell shows is made anew by whoever runs it, and never out of date."""
    for cell in code(read(path)):
        assert cell.outputs == []
        assert cell.execution_count is None


@each
def test_a_notebook_runs_on_the_plain_kernel(path):
    """It asks for `python3`, and carries nothing of the editor that wrote it."""
    metadata = read(path).metadata
    assert metadata.kernelspec.name == "python3"
    assert metadata.keys() == {"kernelspec", "language_info"}
    assert metadata.language_info.keys() == {"name"}


@each
def test_its_claims_are_checked(path):
    """A third of the cells at least assert something; an error that is to be seen is tagged, and checked afterwards."""
    cells = code(read(path))
    asserting = [cell for cell in cells if "assert " in cell.source]
    assert len(asserting) >= len(cells) / 3
    for cell, after in pairwise([*cells, None]):
        if "raises-exception" in cell.metadata.get("tags", []):
            assert "sys.last_value" in after.source, "nbmake doesn't mind where a tagged cell raises nothing"
        assert "try:" not in cell.source, "an error that is to be seen is shown, by the tag raises-exception"


@each
def test_it_begins_with_a_title_and_its_links_lead_somewhere(path):
    """The first cell has the title; every file that it links to is there."""
    page = read(path)
    assert page.cells[0].source.startswith("# ")
    text = "\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (path.parent / target).exists(), target


@each
def test_the_readme_names_it(path):
    """Whoever looks for it finds it."""
    assert f"notebooks/{path.name}" in (ROOT / "README.md").read_text(encoding="utf-8")
