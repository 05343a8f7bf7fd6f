"""A ledger in a file of its own for each test."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.ledger.desk import Desk


@pytest.fixture
def path(tmp_path):
    """Where the ledger lies, if it is a file."""
    return tmp_path / "ladder.db"


@pytest.fixture(params=["sqlite", "postgres"])
def source(request, path):
    """A ledger on each kind of database."""
    return path if request.param == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture
def desk(source):
    """A desk at it."""
    opened = Desk(source)
    yield opened
    opened.close()


@pytest.fixture
def other(source, desk):
    """Another process at the same ledger, as far as locks can tell."""
    opened = Desk(source)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A ledger of two agents, made once: calls that ran, that were approved and declined, that only suggested."""
    from tests.unit.ledger.audited import make

    file = tmp_path_factory.mktemp("made") / "ladder.db"
    make(file)
    return file


@pytest.fixture
def file(made, tmp_path):
    """A copy of that ledger, in a directory of its own."""
    return Path(shutil.copy(made, tmp_path / "ladder.db"))


@pytest.fixture
def database(made):
    """A copy of that ledger in memory, without the triggers that would stop a well-behaved tamperer."""
    from tests.unit.ledger.audited import unlocked

    with closing(unlocked(made)) as opened:
        yield opened
