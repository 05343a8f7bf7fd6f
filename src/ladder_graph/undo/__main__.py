"""One undo in a process of its own: a JSON request on standard input, its outcome as JSON on standard output."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import Any

from ladder_graph.undo.running import undo_from


def _end_with_the_asker() -> None:
    """Whoever asked is gone when the pipe ends; then somebody else undoes, and two would be one too many.

    What was started here goes with it, where this process leads a session of its own.
    """
    sys.stdin.read()
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def main() -> None:
    """Answer one request; for rehearsals, die before the answer as a killed process would."""
    request: dict[str, Any] = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_asker, daemon=True).start()
    # What a tool author's undo prints must not pass for the answer.
    answer, sys.stdout = sys.stdout, sys.stderr
    came = undo_from(request["artifact"], request["after"], age=request["age"])
    if request["killed"]:
        os.kill(os.getpid(), signal.SIGKILL)
    json.dump({"state": came.state.value, "text": came.text}, answer)
    answer.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
