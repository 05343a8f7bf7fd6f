"""Making an undo before the action and running it after, without ever overwriting what somebody else changed."""

from __future__ import annotations

import copy
import json
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.states import State
from ladder_graph.steps import UndoOutcome, Unprepared
from ladder_graph.tools import Declaration


def prepare(call: Call, declaration: Declaration) -> dict[str, Any] | Unprepared:
    """Make the undo artifact.

    Returns:
        `{"state": what the tool's prepare returned, "before": the resource's fingerprint}`, a JSON value; or why
        there is none.
    """
    if declaration.prepare is None or declaration.undo is None:
        return Unprepared("the tool declares no undo")
    try:
        # A copy, since what runs is what was decided about, whatever the tool's author does to it here.
        state = declaration.prepare(copy.deepcopy(call.arguments))
        artifact = {"state": state, "before": declaration.fingerprint(state) if declaration.fingerprint else None}
        # What doesn't survive JSON can't be undone by another process.
        survived: dict[str, Any] = json.loads(json.dumps(artifact))
    except Exception as wrong:  # noqa: BLE001  # any tool author's code; whatever it raises, nothing runs
        return Unprepared(f"{type(wrong).__name__}: {wrong}")
    return survived


def touched(declaration: Declaration, artifact: dict[str, Any]) -> str | None:
    """The resource's fingerprint right after the action; None where the tool declares none or can't tell."""
    if declaration.fingerprint is None:
        return None
    try:
        return declaration.fingerprint(artifact["state"])
    except Exception:  # noqa: BLE001  # not knowing is an answer, and the undo deals with it
        return None


def undo(declaration: Declaration, artifact: dict[str, Any], after: str | None) -> UndoOutcome:
    """Undo, unless there is nothing to do or somebody else changed the resource meanwhile.

    Args:
        declaration: The tool's.
        artifact: As `prepare` made it.
        after: The fingerprint right after the action, or None where the process died before it was taken.
    """
    if declaration.undo is None:
        return UndoOutcome(State.UNDO_FAILED, "the tool's undo isn't declared in this process")
    try:
        now = declaration.fingerprint(artifact["state"]) if declaration.fingerprint else None
        if now is not None and now == artifact["before"]:
            return UndoOutcome(State.UNDONE, "there was nothing to undo")
        if now is not None and after is not None and now != after:
            return UndoOutcome(State.UNDO_CONFLICT, "it was changed by somebody else after the action")
        declaration.undo(artifact["state"])
        left = declaration.fingerprint(artifact["state"]) if declaration.fingerprint else artifact["before"]
    except Exception as wrong:  # noqa: BLE001  # any tool author's code; a person is told
        return UndoOutcome(State.UNDO_FAILED, f"{type(wrong).__name__}: {wrong}")
    if left != artifact["before"]:
        return UndoOutcome(State.UNDO_FAILED, "the undo ran, and things are still not as they were")
    return UndoOutcome(State.UNDONE)
