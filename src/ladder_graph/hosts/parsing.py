"""Python source as a tree, also in many threads at once."""

from __future__ import annotations

import ast
import threading
from typing import Literal

TRIES = 100
"""How often a source is parsed anew. Somebody else's thread in the same moment is the only reason for a second try."""

_lock = threading.Lock()


def parsed(source: str, mode: Literal["exec", "eval"] = "exec") -> ast.mod:
    """Parse a source.

    CPython 3.11 counts how deep it is for all threads at once, and raises SystemError in one that another has counted
    in (gh-106905). Our own threads wait for each other; those of others can't be made to.

    Args:
        source: The source.
        mode: Statements, or one expression.

    Raises:
        SyntaxError: It is none.
        ValueError: It holds what no source may.
    """
    for _ in range(TRIES - 1):
        try:
            with _lock:
                return ast.parse(source, mode=mode)
        except SystemError:
            continue
    return ast.parse(source, mode=mode)
