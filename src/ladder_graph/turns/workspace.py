"""The drafts workspace: a directory where artifacts wait for a person, readable by their owner only."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.drafting import Drawn, Piece
from ladder_graph.drafting.drawn import Drafter
from ladder_graph.errors import DraftRefused, LadderError
from ladder_graph.steps import Filed, Undrawn
from ladder_graph.tools import Declaration

_NAME = re.compile(r"[^A-Za-z0-9_-]")
_SUFFIX = re.compile(r"(?:\.[A-Za-z0-9_-]{1,16}){1,3}")
LONGEST = 40
"""Characters of a tool's or a label's name that go into the name of a file or a directory."""


def compose(call: Call, declaration: Declaration) -> Drawn | Undrawn:
    """Draw the draft of a call, without sending or applying anything.

    Returns:
        The draft. A tool that declares no drafter, or whose drafter fails, gets the rendered call, which can only be
        accepted whole. Where the drafter refuses the arguments, so is the call.
    """
    drawn = _drawn(call, declaration)
    return replace(drawn, confined=declaration.confined) if isinstance(drawn, Drawn) else drawn


def _drawn(call: Call, declaration: Declaration) -> Drawn | Undrawn:
    drafter = declaration.drafter
    if drafter is None:
        return _whole(render(call))
    try:
        # A copy, since what runs is what was decided about, whatever the tool's author does to it here.
        arguments = copy.deepcopy(call.arguments)
        made: Any = drafter.draw(arguments) if isinstance(drafter, Drafter) else drafter(arguments)
    except DraftRefused as wrong:
        return Undrawn(str(wrong))
    except Exception as wrong:  # noqa: BLE001  # a drafter of any tool author's; the draft says what went wrong
        return rendered(call, f"Its drafter failed: {type(wrong).__name__}: {wrong}")
    if isinstance(made, Drawn):
        return made
    if not isinstance(made, str):
        return rendered(call, f"Its drafter returned a {type(made).__name__} instead of text.")
    return _whole(made, declaration.suffix)


def _whole(text: str, suffix: str = ".md", notes: tuple[str, ...] = ()) -> Drawn:
    plain = text.encode("utf-8", "backslashreplace").decode()
    return Drawn("text", (Piece("draft", None, plain),), plain, suffix, notes=notes, whole=True)


def rendered(call: Call, why: str) -> Drawn:
    """The rendered call, with what went wrong."""
    return _whole(f"{render(call)}\n> {why}\n", notes=(why.encode("utf-8", "backslashreplace").decode(),))


def render(call: Call) -> str:
    """The call itself as a readable draft: tool, agent, thread and each argument verbatim."""
    lines = [f"# Draft: {call.tool}", "", f"Proposed by {call.agent} in thread {call.thread}.", ""]
    for name, value in call.arguments.items():
        text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)
        lines += [f"## {name}", "", *(f"    {line}" for line in text.splitlines() or [""]), ""]
    return "\n".join(lines)


class Workspace:
    """Where drafts are kept: those without access labels in the directory itself, others in one for each set of labels.

    A file is for people to open. What is decided about is what the ledger holds.

    Args:
        directory: Made at the first draft.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)

    def filed(self, call: Call, drawn: Drawn, labels: Iterable[str] = ()) -> Filed:
        """Write the file of a draft.

        Args:
            call: Whose.
            drawn: The draft.
            labels: The access labels of the tool's rule; those that the draft names come to them.

        Raises:
            LadderError: The workspace can't be written.
        """
        held = tuple(dict.fromkeys([*labels, *drawn.labels]))
        return Filed(drawn, *self.write(call, drawn.artifact, drawn.suffix, held), held)

    def write(self, call: Call, text: str, suffix: str, labels: Iterable[str] = ()) -> tuple[str, str]:
        """Write an artifact, whole or not at all.

        Returns:
            Its path, and the SHA-256 of its bytes in hex.

        Raises:
            LadderError: The workspace can't be written.
        """
        # The name is ours alone: nothing a model wrote reaches the file system.
        plain = suffix if _SUFFIX.fullmatch(suffix) else ".txt"
        directory = self._directory(labels)
        path = directory / f"{_NAME.sub('_', call.tool)[:LONGEST]}-{call.short}{plain}"
        data = text.encode("utf-8", "backslashreplace")
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.mkdir(mode=0o700, exist_ok=True)
            beside = path.with_suffix(path.suffix + ".part")
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(beside, flags, 0o600), "wb") as file:
                file.write(data)
            beside.replace(path)
        except OSError as wrong:
            raise LadderError(f"the draft of {call.tool} can't be written to {path}: {wrong.strerror}") from wrong
        return str(path), hashlib.sha256(data).hexdigest()

    def _directory(self, labels: Iterable[str]) -> Path:
        held = sorted(set(labels))
        if not held:
            return self.directory
        # Two sets must not share a name, however their labels are spelled.
        apart = hashlib.sha256(json.dumps(held).encode()).hexdigest()[:8]
        return self.directory / f"{_NAME.sub('_', '+'.join(held))[:LONGEST]}-{apart}"
