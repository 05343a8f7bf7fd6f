"""Dataclasses with some fields changed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from ladder_graph.altering import altered
from ladder_graph.facts import Seen
from ladder_graph.rungs.acting import Plan

SEEN = Seen(mark=3, at_us=7, end=2)


@pytest.mark.parametrize(("one", "changes"), [(SEEN, {}), (SEEN, {"end": 9}), (SEEN, {"recalled": True, "mark": 0})])
def test_it_is_what_the_standard_library_makes(one, changes):
    """Every field, and nothing else."""
    assert altered(one, **changes) == replace(one, **changes)


def test_the_first_one_stays():
    """It is another one."""
    assert altered(SEEN, end=9).end == 9
    assert SEEN.end == 2
    with pytest.raises(FrozenInstanceError):
        altered(SEEN, end=9).end = 1


def test_an_unknown_field_is_refused():
    """A slip of the keyboard isn't swallowed."""
    with pytest.raises(TypeError, match="nowhere"):
        altered(Plan(rule=None), nowhere=1)
