"""Random bytes from the system, drawn a page at a time.

Each draw is a system call, and the interpreter is let go of for it; a gated call needs three.
"""

from __future__ import annotations

import os

SIZE = 16
"""Bytes that one draw gives: 128 bits, which nobody guesses and no two draws share."""
_PAGE = 256

_drawn: list[bytes] = []


def draw() -> bytes:
    """`SIZE` random bytes, for a salt or a secret, given to nobody else; by any thread."""
    try:
        return _drawn.pop()
    except IndexError:
        page = os.urandom(SIZE * _PAGE)
        _drawn.extend(page[at : at + SIZE] for at in range(0, len(page), SIZE))
        return os.urandom(SIZE)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drawn.clear)  # Else parent and child would hand out the same ones.
