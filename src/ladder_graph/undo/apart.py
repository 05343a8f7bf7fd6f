"""An undo in a process of its own, which can be stopped when it takes too long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from ladder_graph.states import State
from ladder_graph.steps import UndoOutcome

TIMEOUT = 60.0
"""Seconds that an undo may take."""


def undo_apart(
    artifact: Mapping[str, Any], after: str | None, *, age: float = 0.0, timeout: float = TIMEOUT, killed: bool = False
) -> UndoOutcome:
    """Undo from the artifact alone, in a new process with this one's environment and import path.

    An undo that takes too long is killed and has failed; trying again is safe, since undoing twice is harmless.

    Args:
        artifact: As `prepare` made it.
        after: The fingerprint right after the action, or None where it is unknown.
        age: Seconds since the action started.
        timeout: Seconds that it may take.
        killed: For rehearsals: the process is killed after the undo, before it can tell.
    """
    request = {"artifact": dict(artifact), "after": after, "age": age, "killed": killed}
    try:
        done = subprocess.run(  # our own module, by our own interpreter
            [sys.executable, "-m", "ladder_graph.undo"], input=json.dumps(request), capture_output=True, text=True,
            timeout=timeout, check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return UndoOutcome(State.UNDO_FAILED, f"it took longer than {timeout:g}s and was stopped")
    try:
        came = json.loads(done.stdout)
        state = State(came["state"])
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        return UndoOutcome(State.UNDO_FAILED, f"its process ended with {done.returncode}: {last}")
    return UndoOutcome(state, came["text"])  # type: ignore[arg-type]  # it was an outcome's state over there
