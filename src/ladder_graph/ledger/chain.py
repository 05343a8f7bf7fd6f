"""The hash chain: one for each agent, written inline, checked by anyone with SHA-256 and JSON.

An entry's hash is SHA-256 over the canonical JSON array `["lg1", prev, stream, n, at_us, kind, action, payload]`.
An array has no ambiguity about where one field ends; the tag keeps these hashes apart from all others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

GENESIS = "0" * 64
"""What stands before the first entry."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found."""

    entries: int
    """How many entries were checked."""
    erased: int
    """How many payloads were erased; the chain holds without them."""
    problems: tuple[str, ...]
    """What is wrong, each with its place; empty when all is well."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def entry_hash(prev: str, stream: str, n: int, at_us: int, kind: str, action: str, payload: str) -> str:
    """The hash of one entry.

    `json.dumps` with these options is the RFC 8785 form for an array of text and integers below 2**53.
    """
    fields = ["lg1", prev, stream, n, at_us, kind, action, payload]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def payload_hash(salt: bytes, body: str) -> str:
    """The hash of a payload: SHA-256 over salt and body."""
    return hashlib.sha256(salt + body.encode()).hexdigest()


Entry = tuple[str, int, int, str, str, str, str, str]
"""stream, n, at_us, kind, action, payload, prev, hash."""


def verify(
    entries: Iterable[Entry], heads: dict[str, tuple[int, str]], payloads: Iterable[tuple[str, bytes, str]]
) -> Verification:
    """Check every chain from its first entry to its head, and every payload that is still there.

    Args:
        entries: All entries, ordered by stream and n.
        heads: The recorded length and last hash of each stream.
        payloads: Hash, salt and body of each payload.
    """
    problems: list[str] = []
    reached: dict[str, tuple[int, str]] = {}
    spoken: set[str] = set()
    count = 0
    for stream, n, at_us, kind, action, payload, prev, found in entries:
        count += 1
        spoken.add(payload)
        before, expected_prev = reached.get(stream, (0, GENESIS))
        if n != before + 1:
            problems.append(f"{stream}: entry {before + 1} is missing (the next one is {n})")
        elif prev != expected_prev:
            problems.append(f"{stream}: entry {n} doesn't follow the entry before it")
        if found != entry_hash(prev, stream, n, at_us, kind, action, payload):
            problems.append(f"{stream}: entry {n} was changed")
        reached[stream] = (n, found)
    problems += _heads(reached, heads)
    kept = 0
    for digest, salt, body in payloads:
        kept += digest in spoken
        if digest != payload_hash(salt, body):
            problems.append(f"payload {digest[:12]} was changed")
    return Verification(count, len(spoken) - kept, tuple(problems))


def _heads(reached: dict[str, tuple[int, str]], heads: dict[str, tuple[int, str]]) -> list[str]:
    """The tail of a chain that was cut, and a head that was moved."""
    return [
        f"{stream}: the chain ends at {reached.get(stream, (0, ''))[0]}, its head says {heads.get(stream, (0, ''))[0]}"
        for stream in sorted(reached.keys() | heads.keys())
        if reached.get(stream) != heads.get(stream)
    ]
