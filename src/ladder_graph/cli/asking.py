"""Asking the person at the terminal. There is no default: an empty line is never an answer."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from ladder_graph.errors import LadderError
from ladder_graph.wording import inert

NOTHING_DONE = "Nothing was done."
"""What is said to whoever leaves a question unanswered."""


def confirm(question: str, *, yes: bool) -> None:
    """Go on only after the whole word `yes`.

    Args:
        question: What is asked.
        yes: The option `--yes`, which has answered already.

    Raises:
        Exit: With code 1, after anything that ends the question without a yes.
        LadderError: There is no terminal to ask on.
    """
    if yes:
        return
    while True:
        said = typed(f"{question} Type yes or no: ")
        if said == "yes":
            return
        if said == "no":
            _leave()


def typed(prompt: str, *, left: str = NOTHING_DONE, instead: str = "say it again with --yes") -> str:
    """One line that a person typed; asked again while it is empty.

    Args:
        prompt: What is asked.
        left: What is said to whoever leaves.
        instead: What to do where there is no terminal, after having looked.

    Raises:
        Exit: With code 1, where the input ended.
        LadderError: There is no terminal to ask on.
    """
    if not sys.stdin.isatty():
        raise LadderError(f"there is no terminal to ask on; look first, then {instead}")
    _forget_what_was_typed_ahead()
    try:
        while (line := _line(prompt)) and not (said := line.rstrip("\r\n")):
            pass
    except KeyboardInterrupt:
        line = said = ""
    if not line:
        sys.stderr.write("\n")
        _leave(left)
    return said


def _line(prompt: str) -> str:
    """One line with its end; empty where the input ended."""
    sys.stderr.write(f"  {inert(prompt)}")
    sys.stderr.flush()
    return sys.stdin.readline()


def _leave(said: str = NOTHING_DONE) -> NoReturn:
    sys.stderr.write(f"  {said}\n")
    raise typer.Exit(1)


def _forget_what_was_typed_ahead() -> None:
    """What was typed before the question was on the screen can't be the answer to it."""
    try:
        import termios

        termios.tcflush(sys.stdin, termios.TCIFLUSH)
    except (ImportError, OSError):
        return
