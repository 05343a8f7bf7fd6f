"""An undo in a process of its own, which can be stopped when it takes too long."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any

from ladder_graph.states import State
from ladder_graph.steps import UndoOutcome

TIMEOUT = 60.0
"""Seconds that an undo may take."""


def undo_apart(
    artifact: Mapping[str, Any], after: str | None, *, age: float = 0.0, timeout: float = TIMEOUT, killed: bool = False
) -> UndoOutcome:
    """Undo from the artifact alone, in a new process with this one's environment and import path.

    An undo that takes too long is killed and has failed, with every process that it has started, but for those that it
    put into a session of their own; trying again is safe, since undoing twice is harmless. What an undo that has ended
    by itself leaves running goes on.

    Args:
        artifact: As `prepare` made it.
        after: The fingerprint right after the action, or None where it is unknown.
        age: Seconds since the action started.
        timeout: Seconds that it may take.
        killed: For rehearsals: the process is killed after the undo, before it can tell.
    """
    request = json.dumps({"artifact": dict(artifact), "after": after, "age": age, "killed": killed}) + "\n"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
        subprocess.Popen(  # our own module, by our own interpreter
            [sys.executable, "-m", "ladder_graph.undo"], stdin=subprocess.PIPE, stdout=out, stderr=err, text=True,
            env=environment, start_new_session=True,
        ) as process,
    ):  # fmt: skip
        try:
            # The pipe stays open until it has answered: when it closes, this process is gone, and so is that one.
            with suppress(BrokenPipeError):
                _stdin(process).write(request)
                _stdin(process).flush()
            ended = process.wait(timeout)
        except subprocess.TimeoutExpired:
            return UndoOutcome(State.UNDO_FAILED, f"it took longer than {timeout:g}s and was stopped")
        finally:
            if process.returncode is None:  # Its number is still its own, and that of its session.
                os.killpg(process.pid, signal.SIGKILL)
            with suppress(BrokenPipeError):
                _stdin(process).close()
        out.seek(0)
        err.seek(0)
        answer, said = out.read(), err.read()
    try:
        came = json.loads(answer)
        state = State(came["state"])
    except (ValueError, KeyError, TypeError):
        last = (said.strip().splitlines() or ["without a word"])[-1]
        return UndoOutcome(State.UNDO_FAILED, f"its process ended with {ended}: {last}")
    return UndoOutcome(state, came["text"])  # type: ignore[arg-type]  # it was an outcome's state over there


def _stdin(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdin is not None  # noqa: S101  # it is a pipe
    return process.stdin
