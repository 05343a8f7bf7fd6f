"""Checks a ladder ledger and needs nothing but Python: `python3 verify_alone.py ladder.db`. It only reads.

    entry    Each agent's entries are numbered from 1 without a gap, and each names the hash of the one before it. A
             hash is SHA-256 over the JSON array `["lg1", prev, stream, n, at_us, kind, action, payload]` (RFC 8785).
    payload  What an entry says, kept apart: SHA-256 over salt and body is what the entry names. One that is gone must
             be named by an entry of the kind `erased`, under `payloads`; one that no entry names doesn't belong.
    head     Where each chain ends.
    action   No call is in a state that no entry puts it in.
    note     Checkpoints, signed now and then; `checkpoints_alone.py`, which must lie beside this file, says of what.

Whoever may write the file can compute hashes too. So the file alone can't show that a chain was rewritten from some
entry on, that its tail was cut with head and actions moved back, or that a whole agent was taken out. For that, give
the checkpoints that were exported elsewhere with `--anchor`, and with `--key` the public key, from whoever keeps it.
Without a key only hashes are checked, and that is said. What `--export-heads` prints may be kept and given back with
`--head` in the same way. The other tables are look-ups, written together with the entries; they are not checked.

Exit code 0: all is well; 1: there are problems; 2: this file can't be read as a ledger, so nothing is said about it.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import itertools
import json
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring as quoted
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from ladder_graph.ledger.proof.checkpoints_alone import GENESIS, Head, Key, Placed, Trail, anchors_in, key_at
else:  # A program, wherever it was copied to: with the file beside it, and nothing else that lies there.
    _beside = importlib.util.spec_from_file_location(
        "checkpoints_alone", Path(__file__).parent / "checkpoints_alone.py"
    )
    sys.modules["checkpoints_alone"] = importlib.util.module_from_spec(_beside)
    _beside.loader.exec_module(sys.modules["checkpoints_alone"])
    from checkpoints_alone import GENESIS, Head, Key, Placed, Trail, anchors_in, key_at

APPLICATION = 0x4C414444
"""`LADD`, in the header of each ledger file."""
MOST = 1000
"""How many problems are kept; more are only counted."""

ENTRIES = """SELECT e.stream, e.n, e.at_us, e.kind, e.action, e.payload, e.prev, e.hash, p.hash, p.salt, p.body
    FROM entry e LEFT JOIN payload p ON p.hash = e.payload ORDER BY e.stream, e.n"""
STRAY = "SELECT hash FROM payload WHERE hash NOT IN (SELECT payload FROM entry)"
HEADS = "SELECT stream, n, hash FROM head ORDER BY stream"
NOTES = "SELECT number, note FROM checkpoint ORDER BY number"
UNSAID = """SELECT key, state FROM action
    WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.action = action.key AND entry.kind = action.state)"""


@dataclass(frozen=True)
class Verification:
    """What `verify` found."""

    entries: int
    """How many entries were checked."""
    erased: int
    """How many payloads were erased; the chain holds without them."""
    problems: tuple[str, ...]
    """What is wrong, each with its place; empty when all is well."""
    anchors: int = 0
    """How many checkpoints from elsewhere it was held against."""

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


def verify(
    connection: Any, exported: Iterable[Head] = (), anchors: Iterable[Placed] = (), keys: Sequence[Key] = ()
) -> Verification:
    """Check a ledger from its first entry to its last. Memory grows with erasures and checkpoints, and nothing else.

    Args:
        connection: To the database, in a transaction if somebody may write meanwhile.
        exported: Heads that were exported earlier.
        anchors: Checkpoints from elsewhere, as `anchors_in` gives them.
        keys: The public keys that are trusted; without any, no signature is checked.
    """
    scan = _Scan(connection, keys)
    problems = scan.problems(exported, anchors)
    first = list(itertools.islice(problems, MOST))
    more = sum(1 for _ in problems)
    return Verification(scan.entries, len(scan.erased), (*first, *[f"and {more} more problems"] * bool(more)),
                        scan.anchors)  # fmt: skip


class _Scan:
    """One pass over a ledger: it counts as it goes, and yields what is wrong."""

    def __init__(self, connection: Any, keys: Sequence[Key]) -> None:
        self.rows = connection.execute
        self.keys = keys
        self.entries = self.payloads = self.anchors = 0
        self.ends: dict[str, tuple[int, str]] = {}
        self.gone: dict[str, str] = {}
        self.erased: set[str] = set()
        self.missed: set[Head] = set()

    def problems(self, exported: Iterable[Head], anchors: Iterable[Placed]) -> Iterator[str]:
        try:
            yield from self.chains()
            yield from self.missing_and_stray()
            yield from loose_heads(self.ends, self.rows(HEADS))
            yield from (f"action {key} is {state}, and no entry says so" for key, state in self.rows(UNSAID))
            yield from self.rewritten(exported)
            kept = Trail(self.keys)
            yield from kept.problems(anchors)
            # A key may have been handed on in checkpoints that a copy which was put back lacks.
            own = Trail([*self.keys, *(kept.trusted - {*self.keys})], kept)
            yield from own.problems(("the ledger", note) for _, note in self.rows(NOTES))
            if self.keys and not (own.notes or kept.notes):
                yield "there is no checkpoint that a key could have signed: none was made, or they were taken out"
            yield from self.heads_of(own, "was signed as a head")
            yield from self.anchored(own, kept)
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

    def heads_of(self, trail: Trail, as_what: str) -> Iterator[str]:
        for note in trail.notes.values():
            for stream, n, digest in () if note.number in trail.lost else note.heads:
                if (stream, n, digest) in self.missed:
                    continue  # The checkpoint lies here and elsewhere.
                found = self.rows("SELECT hash FROM entry WHERE stream = ? AND n = ?", (stream, n)).fetchone()
                if found is not None and found[0] == digest:
                    continue
                self.missed.add((stream, n, digest))
                where = f"{as_what} in checkpoint {note.number}"
                if found is None:
                    yield f"{stream}: entry {n} {where}, and is gone: the chain was cut"
                else:
                    yield f"{stream}: entry {n} isn't the one that {where}: the chain was rewritten"

    def anchored(self, own: Trail, kept: Trail) -> Iterator[str]:
        self.anchors = len(kept.notes)
        common = kept.notes.keys() & own.notes.keys()
        others = sorted(one for one in common if kept.notes[one].digest != own.notes[one].digest)
        if others and len(others) == len(common):
            yield "none of the checkpoints from elsewhere is one of this ledger's: it was replaced by another ledger"
        yield from (f"checkpoint {one} of the ledger isn't the one that was exported" for one in others)
        last, here = max(kept.notes, default=0), max(own.notes, default=0)
        if last > here:
            yield (f"checkpoint {last} was exported, and the ledger ends with checkpoint {here}: it is older than its "
                   "newest checkpoint, restored from a copy or cut")  # fmt: skip
        yield from self.heads_of(kept, "was exported as a head")


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


def check(
    ledger: Path, exported: Iterable[Head], anchors: Iterable[Placed] = (), keys: Sequence[Key] = ()
) -> tuple[Verification, list[Head]]:
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
        found = verify(connection, exported, anchors, keys)
        heads = connection.execute(HEADS).fetchall() if found.ok else []
    if at_rest and ledger.stat().st_mtime_ns != before:
        raise ValueError("it was written to meanwhile; check it again")
    return found, heads


def read_heads(path: Path) -> Iterator[Head]:
    """Heads as `--export-heads` printed them, one JSON object a line."""
    for line in path.read_text(encoding="utf-8").splitlines():
        head = json.loads(line)
        yield str(head["stream"]), int(head["n"]), str(head["hash"])


UNSIGNED = "; their signatures were not checked, since no key was given"


def main() -> int:
    """The program; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Check a ladder ledger. It is only read.")
    parser.add_argument("ledger", type=Path)
    parser.add_argument("--head", type=Path, action="append", default=[], help="heads exported earlier; repeatable")
    parser.add_argument("--anchor", type=Path, action="append", default=[], help="exported checkpoints; repeatable")
    parser.add_argument("--key", action="append", default=[], help="a public key, or a file with one; repeatable")
    parser.add_argument("--export-heads", action="store_true", help="print where each chain ends, if all is well")
    asked = parser.parse_args()
    try:
        exported = [head for file in asked.head for head in read_heads(file)]
        anchors = anchors_in(asked.anchor)
        keys = [key_at(key) for key in asked.key]
        found, heads = check(asked.ledger.resolve(), exported, anchors, keys)
    except (OSError, ValueError, TypeError, KeyError, sqlite3.Error) as wrong:
        print(f"{asked.ledger} can't be checked: {wrong}", file=sys.stderr)  # noqa: T201  # it is a program
        return 2
    for stream, n, digest in heads if asked.export_heads else ():
        print(json.dumps({"stream": stream, "n": n, "hash": digest}))  # noqa: T201  # as above
    erased = f" ({found.erased} payloads erased)" if found.erased else ""
    verdict = "every chain is whole" if found.ok else f"{len(found.problems)} problems"
    held = [f"held against {found.anchors} checkpoints from elsewhere{UNSIGNED * (not keys)}"] * bool(found.anchors)
    for line in (f"{found.entries} entries{erased}: {verdict}", *held, *found.problems):
        print(line, file=sys.stderr if asked.export_heads else sys.stdout)
    return 0 if found.ok else 1


if __name__ == "__main__":
    sys.exit(main())
