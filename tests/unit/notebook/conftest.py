"""A world in which there is something of everything, with names and arguments that would act if they could."""

from __future__ import annotations

import contextlib

import pytest

from tests.unit.notebook.full import Full


@pytest.fixture(scope="session")
def full():
    """The world; it is only looked at."""
    with contextlib.closing(Full()) as world:
        yield world
