"""The hash chain: one for each agent, written inline, checked by anyone with SHA-256 and JSON.

What a hash is made of, and the check of a whole ledger, stand in `verify_alone`, which runs without this package too.
"""

from __future__ import annotations

from collections.abc import Iterable

from ladder_graph.ledger.proof.checkpoints_alone import GENESIS, Head
from ladder_graph.ledger.proof.verify_alone import (
    Verification,
    entry_hash,
    hashed,
    loose_heads,
    payload_hash,
    read_heads,
    verify,
)

__all__ = [
    "GENESIS",
    "Entry",
    "Head",
    "Verification",
    "entry_hash",
    "loose_ends",
    "payload_hash",
    "read_heads",
    "verify",
]

Entry = tuple[str, int, int, str, str, str, str, str]
"""stream, n, at_us, kind, action, payload, prev, hash."""


def loose_ends(last: Iterable[Entry], heads: dict[str, tuple[int, str]]) -> list[str]:
    """What is wrong at the ends of the chains, from the last entry of each and the recorded heads."""
    problems: list[str] = []
    reached: dict[str, tuple[int, str]] = {}
    for stream, n, at_us, kind, action, payload, prev, found in last:
        if found != hashed(entry_hash, prev, stream, n, at_us, kind, action, payload):
            problems.append(f"{stream}: entry {n} was changed")
        reached[stream] = (n, found)
    return [*problems, *loose_heads(reached, ((stream, n, digest) for stream, (n, digest) in heads.items()))]
