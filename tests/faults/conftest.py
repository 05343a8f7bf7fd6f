"""Where the ledgers of the fault tests live: a file, or a schema on a real PostgreSQL server."""

from __future__ import annotations

import logging

import pytest

from tests.faults.crashing import Place

BACKENDS = ("sqlite", "postgres")


@pytest.fixture(autouse=True)
def _quiet_in_here_only():
    """The places are quiet, and no other test is."""
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def place(tmp_path):
    """Makes a place with a ledger of its own: a function of the backend and of what `Place` takes."""
    made = []

    def make(backend="sqlite", folder=tmp_path, **fields):
        if backend == "sqlite":
            return Place(folder, str(folder / "ladder.db"), **fields)
        from tests.postgres import new_ledger

        made.append(new_ledger())
        return Place(folder, made[-1], **fields)

    yield make
    for url in made:
        from tests.postgres import drop

        drop(url)
