"""What became of a question, and of the thread that waits for its answer, in words."""

from __future__ import annotations

from ladder_graph.console.rendering import moment
from ladder_graph.console.visitor import Visitor
from ladder_graph.ledger.lists.cases import Case
from ladder_graph.states import State
from ladder_graph.wording import sentence

_SAID = {
    "approve": "let it run", "decline": "declined it", "edit": "put other arguments in",
    "respond": "answered in the tool's place",
}  # fmt: skip
_ENDED = {
    State.STARTED: "It runs now.",
    State.PAUSED: "It has begun, and waits for something of its own.",
    State.DONE: "It ran once, and the agent has its result.",
    State.FAILED: "It ran and failed; nothing happened, as far as the tool says.",
    State.UNKNOWN: "It started, and nobody knows whether it took effect. It isn't run again; somebody must look.",
    State.UNDOING: "It ran, and is being undone.",
    State.UNDONE: "It ran, and was undone.",
    State.UNDO_CONFLICT: "It ran, and wasn't undone: somebody else had changed the same thing. Somebody must look.",
    State.UNDO_FAILED: "It ran, and its undo failed. Somebody must look.",
    State.REFUSED: "It was refused, and never ran.",
}


def decided(case: Case) -> str:
    """Who answered, when, and what; empty where nobody has."""
    decision = case.question.decision
    if decision is None:
        return ""
    said = "answered it" if case.probe else _SAID[decision.verdict]
    return f"{decision.by.name} {said} on {moment(decision.at)}."


def afterwards(visitor: Visitor, case: Case) -> list[str]:
    """What happens next, or has happened, one sentence each.

    Args:
        visitor: Who looks.
        case: The question.
    """
    if case.probe:
        return [
            f"This was a probe, which never runs: {case.probe}.",
            "Probes are put among the questions to measure how many mistakes are caught.",
        ]
    if case.became in _ENDED:
        return [_ENDED[case.became]]
    match case.state:
        case "open":
            return [_still(case)]
        case "approved":
            return ["It has not run yet.", *_thread(visitor, case)]
        case "edited":
            said = "What the agent proposed never runs. The call with the new arguments took its place."
            return [said, *_thread(visitor, case)]
        case "expired":
            return ["Nobody answered in time, which counts as no. Nothing ran.", *_thread(visitor, case)]
        case _:
            return ["Nothing ran.", *_thread(visitor, case)]


def _still(case: Case) -> str:
    asked = case.question
    left = asked.quorum - len(asked.votes)
    people = "person" if left == 1 else "people"
    return f"{left} more {people} must approve it. It has not run."


def _thread(visitor: Visitor, case: Case) -> list[str]:
    """Whether the thread goes on by itself, and how where it doesn't."""
    found = visitor.ladder.resumption(case.question.id)
    if found is None:
        return []
    return [sentence(found.words)]
