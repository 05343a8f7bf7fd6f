"""What `%load_ext ladder_graph` does: things of a ladder show themselves, and its errors say a sentence."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from ladder_graph.errors import LadderError
from ladder_graph.notebook.views import MANY, ONE, view

KINDS = (*dict.fromkeys((*ONE, *MANY)), list, tuple)
"""What gets a picture; lists and tuples only where one kind of thing is in them."""


def load(shell: Any) -> None:
    """Let a shell show what ladders and replays give, and tell their errors in a sentence.

    Args:
        shell: IPython's.
    """
    formatter = shell.display_formatter.formatters["text/html"]
    for kind in KINDS:
        formatter.for_type(kind, _shown)
    shell.set_custom_exc((LadderError,), _told)


def unload(shell: Any) -> None:
    """Take it back.

    Args:
        shell: IPython's.
    """
    formatter = shell.display_formatter.formatters["text/html"]
    for kind in KINDS:
        formatter.pop(kind, None)
    shell.set_custom_exc((), None)


def _shown(thing: object) -> str | None:
    found = view(thing)
    return None if found is None else str(found)


def _told(
    shell: Any,
    kind: type[LadderError],
    error: LadderError,
    trace: TracebackType | None,
    tb_offset: int | None = None,  # noqa: ARG001  # IPython's
) -> list[str]:
    """An error in its own words; `%tb` shows where it came from."""
    # Where Python's own shells leave the last error; `%tb` looks there.
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace
    told = [f"{kind.__name__}: {error}", "(%tb shows where that was.)"]
    shell._showtraceback(kind, error, told)  # noqa: SLF001  # IPython names no other way
    return told
