"""The command line in this process, in a folder with a shop that has been through its day."""

from __future__ import annotations

import functools
import json
import shutil

import pytest
from typer import testing
from typer.testing import CliRunner

from ladder_graph.cli.program import program
from tests.cli.shop import DAY, Shop

testing._get_command = functools.cache(testing._get_command)  # the commands are put together once for all tests


@pytest.fixture(scope="session")
def _day(tmp_path_factory):
    """A shop's folder at the end of the day, made once."""
    folder = tmp_path_factory.mktemp("day")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        Shop(folder).run(*DAY)
    return folder


@pytest.fixture
def folder(_day, tmp_path, monkeypatch):
    """A copy of that folder, in which the test stands."""
    shutil.copytree(_day, tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    monkeypatch.syspath_prepend(tmp_path / "shop")
    return tmp_path / "shop"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A shop before its day, in which the test stands; its threads can be resumed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return Shop(tmp_path)


@pytest.fixture
def ladder():
    """Runs `ladder` with these arguments; with `--json` among them, the document can be had as `.document`."""

    def run(*arguments, code=0, columns=100):
        result = CliRunner().invoke(program, [*map(str, arguments)], env={"COLUMNS": str(columns)}, prog_name="ladder")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert code is None or result.exit_code == code, result.output
        result.document = json.loads(result.stdout) if "--json" in arguments else None
        return result

    return run


@pytest.fixture
def question(ladder):
    """The id of the first open question about a tool."""

    def find(tool):
        return next(one["question"] for one in ladder("pending", "--json").document if one["tool"] == tool)

    return find


@pytest.fixture
def action(ladder):
    """The key of the first action of a tool."""

    def find(tool):
        return next(one["action"] for one in ladder("log", "--json").document if one["tool"] == tool)

    return find
