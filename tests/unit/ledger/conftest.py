"""A ledger in a file of its own for each test."""

from __future__ import annotations

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
