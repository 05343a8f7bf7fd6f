"""One undo in a process of its own: a JSON request on standard input, its outcome as JSON on standard output."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from ladder_graph.undo.running import undo_from


def main() -> None:
    """Answer one request; for rehearsals, die before the answer as a killed process would."""
    request: dict[str, Any] = json.loads(sys.stdin.read())
    # What a tool author's undo prints must not pass for the answer.
    answer, sys.stdout = sys.stdout, sys.stderr
    came = undo_from(request["artifact"], request["after"], age=request["age"])
    if request["killed"]:
        os.kill(os.getpid(), signal.SIGKILL)
    json.dump({"state": came.state.value, "text": came.text}, answer)


if __name__ == "__main__":
    main()
