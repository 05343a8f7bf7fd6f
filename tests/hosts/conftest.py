"""What several files of tests begin with."""

from __future__ import annotations

import pytest

from tests.hosts.steps import Things


@pytest.fixture
def things():
    """A new world."""
    made = Things()
    yield made
    assert made.ladder.verify().problems == ()
    made.ladder.close()
