"""Checks a ladder ledger and needs nothing but Python: `python3 verify_alone.py ladder.db`. It only reads.

    entry    Each agent's entries are numbered from 1 without a gap, and each names the hash of the one before it. A
             hash is SHA-256 over the JSON array `["lg1", prev, stream, n, at_us, kind, action, payload]` (RFC 8785).
    payload  What an entry says, kept apart: SHA-256 over salt and body is what the entry names. One that is gone must
             be named by an entry of the kind `erased`, under `payloads`; one that no entry names doesn't belong.
    head     Where each chain ends.
    action   No call is in a state that no entry puts it in.

Whoever may write the file can compute hashes too. So the file alone can't show that a chain was rewritten from some
entry on, that its tail was cut with head and actions moved back, or that a whole agent was taken out. For that, keep
what `--export-heads` prints elsewhere from time to time, and give it back with `--head`. The other tables are
look-ups, written together with the entries; they are not checked.

Exit code 0: all is well; 1: there are problems; 2: this file can't be read as a ledger, so nothing is said about it.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import json
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from json.encoder import encode_basestring as quoted
from pathlib import Path
from typing import Any

APPLICATION = 0x4C414444
"""`LADD`, in the header of each ledger file."""
GENESIS = "0" * 64
"""What stands before the first entry."""
MOST = 1000
"""How many problems are kept; more are only counted."""

ENTRIES = """SELECT e.stream, e.n, e.at_us, e.kind, e.action, e.payload, e.prev, e.hash, p.hash, p.salt, p.body
    FROM entry e LEFT JOIN payload p ON p.hash = e.payload ORDER BY e.stream, e.n"""
STRAY = "SELECT hash FROM payload WHERE hash NOT IN (SELECT payload FROM entry)"
HEADS = "SELECT stream, n, hash FROM head ORDER BY stream"
UNSAID = """SELECT key, state FROM action
    WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.action = action.key AND entry.kind = action.state)"""

Head = tuple[str, int, str]
"""An agent, the number of an entry in its chain, and that entry's hash."""


@dataclass(frozen=True)
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
    """The hash of one entry. An array of text and integers below 2**53 has only this one form in RFC 8785."""
    start = f'["lg1",{quoted(prev)},{quoted(stream)},{n!r},{at_us!r}'
    return hashlib.sha256(f"{start},{quoted(kind)},{quoted(action)},{quoted(payload)}]".encode()).hexdigest()


def payload_hash(salt: bytes, body: str) -> str:
    """The hash of a payload: SHA-256 over salt and body."""
    return hashlib.sha256(salt + body.encode()).hexdigest()


def verify(connection: Any, exported: Iterable[Head] = ()) -> Verification:
    """Check a ledger from its first entry to its last. Memory grows with what was erased, and with nothing else.

    Args:
        connection: To the database, in a transaction if somebody may write meanwhile.
        exported: Heads that were exported earlier.
    """
    scan = _Scan(connection)
    problems = scan.problems(exported)
    first = list(itertools.islice(problems, MOST))
    more = sum(1 for _ in problems)
    return Verification(scan.entries, len(scan.erased), (*first, *[f"and {more} more problems"] * bool(more)))


class _Scan:
    """One pass over a ledger: it counts as it goes, and yields what is wrong."""

    def __init__(self, connection: Any) -> None:
        self.rows = connection.execute
        self.entries = self.payloads = 0
        self.ends: dict[str, tuple[int, str]] = {}
        self.gone: dict[str, str] = {}
        self.erased: set[str] = set()

    def problems(self, exported: Iterable[Head]) -> Iterator[str]:
        try:
            yield from self.chains()
            yield from self.missing_and_stray()
            yield from loose_heads(self.ends, self.rows(HEADS))
            yield from (f"action {key} is {state}, and no entry says so" for key, state in self.rows(UNSAID))
            yield from self.rewritten(exported)
        except sqlite3.Error as wrong:
            yield f"after {self.entries} entries the file can't be read on, and the rest is unchecked: {wrong}"

    def chains(self) -> Iterator[str]:
        for stream, n, at_us, kind, action, payload, prev, found, kept, salt, body in self.rows(ENTRIES):
            self.entries += 1
            last, last_hash = self.ends.get(stream, (0, GENESIS))
            self.ends[stream] = (n, found)
            if n != last + 1:
                yield f"{stream}: entry {last + 1} is missing (the next one is {n})"
            elif prev != last_hash:
                yield f"{stream}: entry {n} doesn't follow the entry before it"
            if found != hashed(entry_hash, prev, stream, n, at_us, kind, action, payload):
                yield f"{stream}: entry {n} was changed"
            if kept is None:
                self.gone[payload] = f"{stream}: entry {n}"
                continue
            self.payloads += 1
            if payload != hashed(payload_hash, salt, body):
                yield f"{stream}: the payload of entry {n} was changed"
            elif kind == "erased":
                self.erased |= erased_by(body)

    def missing_and_stray(self) -> Iterator[str]:
        for payload in self.gone.keys() - self.erased:
            yield f"{self.gone[payload]} has lost its payload, and no entry says that it was erased"
        for payload in self.erased - self.gone.keys():
            yield f"payload {payload} is said to be erased, and isn't"
        if self.rows("SELECT count(*) FROM payload").fetchone()[0] != self.payloads:
            yield from (f"payload {payload} belongs to no entry" for (payload,) in self.rows(STRAY))

    def rewritten(self, exported: Iterable[Head]) -> Iterator[str]:
        for stream, n, digest in exported:
            found = self.rows("SELECT hash FROM entry WHERE stream = ? AND n = ?", (stream, n)).fetchone()
            if found is None:
                yield f"{stream}: entry {n} was exported as a head, and is gone: the chain was cut"
            elif found[0] != digest:
                yield f"{stream}: entry {n} isn't the one that was exported as a head: the chain was rewritten"


def hashed(function: Callable[..., str], *fields: object) -> str:
    """The hash; empty where a field is of another type than it should be."""
    try:
        return function(*fields)
    except (TypeError, AttributeError):
        return ""


def erased_by(body: str) -> set[str]:
    """The payloads that an entry of the kind `erased` names."""
    try:
        return set(json.loads(body)["payloads"])
    except (ValueError, TypeError, KeyError):
        return set()


def loose_heads(ends: dict[str, tuple[int, str]], heads: Iterable[Head]) -> Iterator[str]:
    """Chains that don't end where their head says: a tail that was cut or added, a head that was moved."""
    said = {stream: (n, digest) for stream, n, digest in heads}
    for stream in sorted({*ends, *said}, key=str):
        (n, digest), (said_n, said_digest) = ends.get(stream, (0, "")), said.get(stream, (0, ""))
        if n != said_n:
            yield f"{stream}: the chain ends at {n}, its head says {said_n}"
        elif digest != said_digest:
            yield f"{stream}: the chain ends with another entry {n} than its head says"


# --- the program -------------------------------------------------------------------------------------------------


def check(ledger: Path, exported: Iterable[Head]) -> tuple[Verification, list[Head]]:
    """Check a ledger file and take down its heads.

    Raises:
        ValueError: It isn't a ledger.
    """
    log = ledger.with_name(ledger.name + "-wal")
    # Without a write-ahead log nothing is under way. Then it is read as it lies there, on read-only media too, and
    # SQLite doesn't even put its own files beside it.
    at_rest = not log.exists() or log.stat().st_size == 0
    before = ledger.stat().st_mtime_ns
    name = f"{ledger.as_uri()}?mode=ro{'&immutable=1' * at_rest}"
    with contextlib.closing(sqlite3.connect(name, uri=True, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
            raise ValueError("it is no ladder ledger")
        found = verify(connection, exported)
        heads = connection.execute(HEADS).fetchall() if found.ok else []
    if at_rest and ledger.stat().st_mtime_ns != before:
        raise ValueError("it was written to meanwhile; check it again")
    return found, heads


def read_heads(path: Path) -> Iterator[Head]:
    """Heads as `--export-heads` printed them, one JSON object a line."""
    for line in path.read_text(encoding="utf-8").splitlines():
        head = json.loads(line)
        yield str(head["stream"]), int(head["n"]), str(head["hash"])


def main() -> int:
    """The program; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Check a ladder ledger. It is only read.")
    parser.add_argument("ledger", type=Path)
    parser.add_argument("--head", type=Path, action="append", default=[], help="heads exported earlier; repeatable")
    parser.add_argument("--export-heads", action="store_true", help="print where each chain ends, if all is well")
    asked = parser.parse_args()
    try:
        exported = [head for file in asked.head for head in read_heads(file)]
        found, heads = check(asked.ledger.resolve(), exported)
    except (OSError, ValueError, TypeError, KeyError, sqlite3.Error) as wrong:
        print(f"{asked.ledger} can't be checked: {wrong}", file=sys.stderr)  # noqa: T201  # it is a program
        return 2
    for stream, n, digest in heads if asked.export_heads else ():
        print(json.dumps({"stream": stream, "n": n, "hash": digest}))  # noqa: T201  # as above
    erased = f" ({found.erased} payloads erased)" if found.erased else ""
    verdict = "every chain is whole" if found.ok else f"{len(found.problems)} problems"
    for line in (f"{found.entries} entries{erased}: {verdict}", *found.problems):
        print(line, file=sys.stderr if asked.export_heads else sys.stdout)
    return 0 if found.ok else 1


if __name__ == "__main__":
    sys.exit(main())
