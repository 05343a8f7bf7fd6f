"""The key that cookies and forms are signed with."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from itsdangerous import BadSignature, Signer

from ladder_graph.errors import LadderError
from ladder_graph.ledger.database.sqlite import MEMORY
from ladder_graph.policy.console import Console as Settings

FILE = "console.key"
"""Beside a ledger in a file."""
SHORTEST = 32
"""Characters of a key that can't be guessed."""


def key_of(settings: Settings, ledger: str) -> str:
    """The key: of the environment, of the file beside the ledger, or a fresh one for a ledger in memory.

    Args:
        settings: The policy's word about it.
        ledger: Where the ledger is.

    Raises:
        LadderError: The key that the policy names isn't there or is too short, or there is nowhere to keep one.
    """
    if settings.key_env is not None:
        found = os.environ.get(settings.key_env, "")
        if len(found) < SHORTEST:
            raise LadderError(
                f"the console signs with the key in {settings.key_env}, which "
                f"{'is too short' if found else 'is not set'}; it needs {SHORTEST} characters or more"
            )
        return found
    if ledger == MEMORY:
        return secrets.token_hex(SHORTEST)
    if "://" in ledger:
        raise LadderError(
            "a console on a ledger in a database needs a key that all its processes know; name the variable that holds "
            'it: [console] key_env = "LADDER_CONSOLE_KEY"'
        )
    return _kept(Path(ledger).with_name(FILE))


def _kept(file: Path) -> str:
    """The key in a file that only its owner reads; made where there is none."""
    try:
        if not file.exists():
            _make(file)
        mode, found = file.stat().st_mode, file.read_text(encoding="ascii", errors="replace").strip()
    except OSError as wrong:
        raise LadderError(f"the console's key can't be kept in {file}: {wrong.strerror}") from wrong
    if os.name == "posix" and mode & 0o077:
        raise LadderError(
            f"others than its owner can read {file}; remove it (everybody signs in anew), or chmod 600 it"
        )
    if len(found) < SHORTEST:
        raise LadderError(f"{file} holds no key; remove it, and everybody signs in anew")
    return found


def _make(file: Path) -> None:
    """Write a key whole, or leave the one that another process has just written."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)  # for its owner alone
    try:
        with os.fdopen(descriptor, "w") as new:
            new.write(secrets.token_hex(SHORTEST))
        with suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink()


class Seal:
    """Signs cookies and forms.

    Args:
        key: The key.
    """

    def __init__(self, key: str) -> None:
        self._key = key

    def sealed(self, purpose: str, text: str) -> str:
        """A text with its signature, good for one purpose only."""
        return self._signer(purpose).sign(text.encode()).decode()

    def opened(self, purpose: str, text: str) -> str | None:
        """The text that was signed for this purpose; None where it wasn't."""
        try:
            return self._signer(purpose).unsign(text.encode("utf-8", "replace")).decode()
        except (BadSignature, UnicodeDecodeError):
            return None

    def _signer(self, purpose: str) -> Signer:
        return Signer(self._key, salt=f"ladder.{purpose}", key_derivation="hmac", digest_method=hashlib.sha256)
