"""A tool's module: importing it makes its declarations, with functions from elsewhere."""

from __future__ import annotations

from ladder_graph.tools import Declaration
from tests.undo import elsewhere


@Declaration(prepare=dict, undo=elsewhere.put_back)
def send(to: str) -> None:
    """Do nothing."""


TALKING = Declaration(prepare=dict, undo=elsewhere.talk, home=__name__)
HANGING = Declaration(prepare=dict, undo=elsewhere.hang, home=__name__)
PARENTAL = Declaration(prepare=dict, undo=elsewhere.hang_with_a_child, home=__name__)
LEAVING = Declaration(prepare=dict, undo=elsewhere.leave_a_child, home=__name__)
CRASHING = Declaration(prepare=dict, undo=elsewhere.crash, home=__name__)
