"""A ledger in a file of its own for each test."""

from __future__ import annotations

import pytest

from tests.unit.ledger.desk import Desk


@pytest.fixture
def path(tmp_path):
    """Where the ledger lies."""
    return tmp_path / "ladder.db"


@pytest.fixture
def desk(path):
    """A desk at it."""
    opened = Desk(path)
    yield opened
    opened.close()


@pytest.fixture
def other(path, desk):
    """Another process at the same ledger, as far as locks can tell."""
    opened = Desk(path)
    yield opened
    opened.close()
