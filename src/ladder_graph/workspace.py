"""The drafts workspace: a directory where artifacts wait for a person, readable by their owner only."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.errors import LadderError
from ladder_graph.tools import Declaration


def compose(call: Call, declaration: Declaration) -> tuple[str, str]:
    """Make the artifact of a call, without sending or applying anything.

    Returns:
        The text, and the suffix of its file. A tool that declares no drafter, or whose drafter fails, gets the
        rendered call.
    """
    if declaration.drafter is None:
        return render(call), ".md"
    try:
        # A copy, since what runs is what was decided about, whatever the tool's author does to it here.
        text: Any = declaration.drafter(copy.deepcopy(call.arguments))
    except Exception as wrong:  # noqa: BLE001  # a drafter of any tool author's; the draft says what went wrong
        return f"{render(call)}\n> Its drafter failed: {type(wrong).__name__}: {wrong}\n", ".md"
    if not isinstance(text, str):
        return f"{render(call)}\n> Its drafter returned a {type(text).__name__} instead of text.\n", ".md"
    return text, declaration.suffix


def render(call: Call) -> str:
    """The call itself as a readable draft: tool, agent, thread and each argument verbatim."""
    lines = [f"# Draft: {call.tool}", "", f"Proposed by {call.agent} in thread {call.thread}.", ""]
    for name, value in call.arguments.items():
        text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)
        lines += [f"## {name}", "", *(f"    {line}" for line in text.splitlines() or [""]), ""]
    return "\n".join(lines)


class Workspace:
    """Where drafts are kept.

    Args:
        directory: Made at the first draft.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)

    def write(self, call: Call, text: str, suffix: str) -> tuple[str, str]:
        """Write an artifact, whole or not at all.

        Returns:
            Its path, and the SHA-256 of its bytes in hex.

        Raises:
            LadderError: The workspace can't be written.
        """
        # The name is ours alone: nothing a model wrote reaches the file system.
        name = f"{re.sub(r'[^A-Za-z0-9_-]', '_', call.tool)[:40]}-{call.short}{suffix}"
        path = self.directory / name
        data = text.encode("utf-8", "backslashreplace")
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside = path.with_suffix(path.suffix + ".part")
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(data)
            beside.replace(path)
        except OSError as wrong:
            raise LadderError(f"the draft of {call.tool} can't be written to {path}: {wrong.strerror}") from wrong
        return str(path), hashlib.sha256(data).hexdigest()
