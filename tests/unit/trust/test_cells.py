"""What a standing belongs to."""

from __future__ import annotations

import pytest

from ladder_graph.trust.cells import EVERY, CellKey

CELL = CellKey("ops", "send_email", "staging", "e1")


@pytest.mark.parametrize(
    ("wide", "inside"),
    [
        (CELL, True),
        (CELL._replace(scope=EVERY), True),
        (CELL._replace(env=EVERY), True),
        (CELL._replace(scope=EVERY, env=EVERY), True),
        (CELL._replace(scope=EVERY, env="e2"), False),
        (CELL._replace(agent="other", scope=EVERY, env=EVERY), False),
        (CELL._replace(tool="other", scope=EVERY, env=EVERY), False),
    ],
)
def test_a_wide_standing_holds_for_what_lies_in_it(wide, inside):
    """For all scopes, for all environments, or for both; never for another agent or tool."""
    assert CELL.within(wide) == inside


def test_a_cell_is_named_as_far_as_it_says_something():
    """The scope where there is one, and the beginning of the environment's key."""
    assert str(CELL._replace(env="0123456789abcdef")) == "ops: send_email [staging] (0123456789ab)"
    assert str(CellKey("ops", "send_email")) == "ops: send_email"
