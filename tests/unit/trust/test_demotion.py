"""What sends a tool down after one of its calls."""

from __future__ import annotations

import pytest

from ladder_graph.calls import Call
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.trust.demotion import after_overrun, after_undo

CALL = Call("ops", "t1", "call_1", "send_email", {"to": "ana@example.com"})


@pytest.mark.parametrize("state", State)
def test_only_an_undo_that_left_a_mess_demotes(state):
    """A conflict and a failure do; being undone, or anything else, does not."""
    down = after_undo(CALL, state)
    assert (down is not None) == (state in {State.UNDO_CONFLICT, State.UNDO_FAILED})
    assert down is None or (down.rung is Rung.CONFIRM and state in down.reason)


def test_an_overrun_names_both_sums():
    """The reason says what it cost and what was held."""
    down = after_overrun(CALL, 30_000, 20_000)
    assert (down.rung, down.reason) == (
        Rung.CONFIRM, f"action {CALL.short} cost $0.03, and $0.02 was held for it",
    )  # fmt: skip
