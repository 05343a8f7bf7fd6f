"""What sends a tool down after one of its calls, at once and whatever it had earned.

| what happened | highest rung from then on |
|---|---|
| its undo failed, or found that somebody else had changed the same thing | confirm |
| it cost more than was held for it | confirm |

Another model, prompt or tool lowers a call before it runs: see `standing`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ladder_graph.calls import Call
from ladder_graph.policy.units import spell_dollars
from ladder_graph.scale import Rung
from ladder_graph.states import State


@dataclass(frozen=True, slots=True)
class Demotion:
    """The highest rung that a tool is left with, and why."""

    rung: Rung
    reason: str


def after_undo(call: Call, state: State) -> Demotion | None:
    """A failure that nobody anticipated: the undo left a mess. None where it didn't, or none was made."""
    if state not in {State.UNDO_CONFLICT, State.UNDO_FAILED}:
        return None
    return Demotion(Rung.CONFIRM, f"the undo of action {call.short} left a mess: {state}")


def after_overrun(call: Call, cost: int, held: int) -> Demotion:
    """It cost more than was held for it.

    Args:
        call: The call.
        cost: What it cost, in micro-dollars.
        held: What was held for it, in micro-dollars.
    """
    text = f"action {call.short} cost {spell_dollars(cost)}, and {spell_dollars(held)} was held for it"
    return Demotion(Rung.CONFIRM, text)
