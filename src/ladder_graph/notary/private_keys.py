"""The private key of checkpoints, in a file that only its owner reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ladder_graph.errors import LadderError
from ladder_graph.ledger.proof.checkpoints_alone import Key
from ladder_graph.policy import Policy

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class PrivateKey:
    """A private key, and the public one that belongs to it.

    Args:
        name: The name of both: the origin of the ledger.
        secret: The key.
    """

    def __init__(self, name: str, secret: Ed25519PrivateKey) -> None:
        self.public: Key = (name, secret.public_key().public_bytes_raw())
        self.sign = secret.sign


def origin_of(policy: Policy) -> str:
    """What the ledger of a policy is called in its checkpoints."""
    return policy.checkpoints.origin or quote(policy.agent, safe="/:@.-_")


def exposed(mode: int) -> bool:
    """Whether others than its owner may read or write a file of this mode."""
    return os.name == "posix" and bool(mode & 0o077)


def read(file: Path, name: str) -> PrivateKey:
    """A private key from its file: PKCS 8 in PEM, as `ladder keys new` and `openssl genpkey` make it.

    Args:
        file: The file.
        name: The name of the key.

    Raises:
        LadderError: It isn't there, others may read it, or it holds no such key.
    """
    serialization, ed25519 = _cryptography()
    try:
        mode, raw = file.stat().st_mode, file.read_bytes()
    except OSError as wrong:
        raise LadderError(
            f"the signing key {file} can't be read: {wrong.strerror}; `ladder keys new` makes one"
        ) from wrong
    if exposed(mode):
        raise LadderError(
            f"others than its owner can read {file}, so it signs nothing; chmod 600 it, or make a new one"
        )
    try:
        secret = serialization.load_pem_private_key(raw, password=None)
    except (ValueError, TypeError) as wrong:
        raise LadderError(f"{file} holds no private key in PEM without a passphrase") from wrong
    if not isinstance(secret, ed25519.Ed25519PrivateKey):
        raise LadderError(f"{file} holds a key of another kind; checkpoints are signed with Ed25519")
    return PrivateKey(name, secret)


def make(file: Path, name: str) -> PrivateKey:
    """Make a private key and its file.

    Args:
        file: The file, which must not be there.
        name: The name of the key.

    Raises:
        LadderError: It is there, or can't be written.
    """
    serialization, ed25519 = _cryptography()
    secret = ed25519.Ed25519PrivateKey.generate()
    raw = secret.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as new:
            new.write(raw)
            new.flush()
            os.fsync(descriptor)
    except FileExistsError:
        raise LadderError(f"{file} is there already; a key is never written over") from None
    except OSError as wrong:
        raise LadderError(f"no key can be kept in {file}: {wrong.strerror}") from wrong
    return PrivateKey(name, secret)


def _cryptography() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as missing:
        raise LadderError(
            "signing checkpoints needs the package cryptography: pip install 'ladder-graph[signing]'"
        ) from missing
    return serialization, ed25519
