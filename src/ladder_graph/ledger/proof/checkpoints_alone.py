"""Signed checkpoints of a ladder ledger, read and verified; needs nothing but Python.

A checkpoint is a signed note as C2SP's logs and witnesses have it. Its text, each line ended by a line feed:

    origin       what the ledger is called
    total        how many entries there are in all chains
    root         base64 of the checkpoint's hash: SHA-256 over the line `lg1-checkpoint` and all lines but this one
    number N     its place among the checkpoints, from 1
    at US        when, in microseconds since the epoch, by the clock of whoever signed
    prev HASH    the hash of the checkpoint before it, in hexadecimal; 64 zeros for the first
    head N HASH "AGENT"    the end of each chain that has moved since that one
    next KEY     the key that signs from the next checkpoint on; a key that is trusted hands its trust on by this
    retired KEY  a key that signs nothing from this checkpoint on, whatever it hands on
    restored N   the ledger was put back to where it stood at checkpoint N, and somebody has said so: what the
                 checkpoints between N and this one saw is lost, and not looked for

An empty line follows, and a line for each signature: a dash, the key's name, and base64 of four bytes of the key's hash
and of the signature over the text. Others may put theirs below.

A checkpoint counts if a key that is trusted signed it, or if a later one that counts goes back to it by its hash.

Python has no Ed25519 of its own, so the forty lines of it stand below, after RFC 8032, section 5.1.7. They only verify,
which holds no secret, so it doesn't matter how long they take: a few milliseconds for each checkpoint.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

GENESIS = "0" * 64
"""What stands before the first entry, and before the first checkpoint."""
Head = tuple[str, int, str]
"""An agent, the number of an entry in its chain, and that entry's hash."""
Key = tuple[str, bytes]
"""A key's name, and its 32 public bytes."""
Placed = tuple[str, str]
"""Where a checkpoint lies, and its whole text."""
TAG = "lg1-checkpoint"
DASH = "\u2014 "
"""What a signature's line begins with."""
ED25519 = b"\x01"
"""The kind of key, in C2SP's signed notes."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as it was read."""

    origin: str
    """What the ledger is called."""
    total: int
    """How many entries it has in all chains."""
    number: int
    """Its place among the checkpoints, from 1."""
    at_us: int
    """When, in microseconds since the epoch, by the clock of whoever signed."""
    prev: str
    """The hash of the checkpoint before it; 64 zeros for the first."""
    heads: tuple[Head, ...]
    """Each chain's end, where it moved since the one before."""
    notices: tuple[tuple[str, Key], ...]
    """`next` with the key that signs from the next one on, `retired` with one that signs nothing from this one on."""
    back: int | None
    """The checkpoint that the ledger was put back to, where it was."""
    digest: str
    """Its hash."""
    text: str
    """What is signed."""
    signatures: tuple[tuple[str, bytes], ...]
    """The name of each key that signed it; four bytes of the key's hash and 64 of the signature."""


def checkpoint_hash(text: str) -> str:
    """The hash of a checkpoint's text: over every line but the third, which says it."""
    lines = text.split("\n")
    return hashlib.sha256("\n".join([TAG, *lines[:2], *lines[3:]]).encode()).hexdigest()


def key_hash(key: Key) -> bytes:
    """The four bytes by which a signature names its key."""
    return hashlib.sha256(key[0].encode() + b"\n" + ED25519 + key[1]).digest()[:4]


def spell_key(key: Key) -> str:
    """A public key as text, as C2SP's signed notes have it."""
    return f"{key[0]}+{key_hash(key).hex()}+{base64.b64encode(ED25519 + key[1]).decode()}"


def read_key(text: str) -> Key:
    """A public key from its text.

    Raises:
        ValueError: It is none.
    """
    name, _, rest = text.strip().partition("+")
    short, _, coded = rest.partition("+")
    raw = base64.b64decode(coded, validate=True)
    key = (name, raw[1:])
    if raw[:1] != ED25519 or len(raw) != 33 or key_hash(key).hex() != short:  # noqa: PLR2004  # its kind, and 32 bytes
        raise ValueError(f"{text.strip()!r} is no public key of checkpoints")
    return key


def key_at(given: str) -> Key:
    """A public key as it was given: itself, or a file with it."""
    return read_key(given if "+" in given else Path(given).read_text(encoding="utf-8"))


def read_note(note: str) -> Checkpoint:
    """A checkpoint from its text.

    Raises:
        ValueError: It is none, or was changed.
    """
    text, apart, signed_by = note.partition("\n\n")
    origin, total, root, *lines = text.split("\n")
    said: dict[str, str] = {}
    heads: list[Head] = []
    notices: list[tuple[str, Key]] = []
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "head":
            n, digest, stream = rest.split(" ", 2)
            heads.append((json.loads(stream), int(n), digest))
        elif word in {"next", "retired"}:
            notices.append((word, read_key(rest)))
        else:
            said[word] = rest
    marks = [line.removeprefix(DASH).rsplit(" ", 1) for line in signed_by.split("\n") if line.startswith(DASH)]
    signatures = tuple((name, base64.b64decode(mark, validate=True)) for name, mark in marks)
    digest = checkpoint_hash(f"{text}\n")
    if not apart or base64.b64decode(root, validate=True).hex() != digest:
        raise ValueError("its hash isn't the hash of its lines")
    return Checkpoint(
        origin, int(total), int(said["number"]), int(said["at"]), said["prev"], tuple(heads), tuple(notices),
        int(said["restored"]) if "restored" in said else None, digest, f"{text}\n", signatures,
    )  # fmt: skip


def read_anchors(path: Path) -> Iterator[Placed]:
    """The checkpoints of a file, or of each file of a directory in the order of their names."""
    for file in sorted(one for one in path.iterdir() if one.suffix == ".checkpoint") if path.is_dir() else [path]:
        notes = notes_of(file.read_text(encoding="utf-8"))
        yield from ((file.name, note) for note in notes)


def anchors_in(places: Iterable[Path]) -> list[Placed]:
    """The checkpoints of several files and directories.

    Raises:
        ValueError: There is none in one of them, so that nothing would be held against it.
    """
    found = {place: list(read_anchors(place)) for place in places}
    for place, here in found.items():
        if not here:
            raise ValueError(f"there is no checkpoint in {place}")
    return merged(found.values())


def merged(places: Iterable[Iterable[Placed]]) -> list[Placed]:
    """The checkpoints of several places, each in its own order, with those of one number beside each other."""
    return list(heapq.merge(*places, key=lambda placed: _number(placed[1])))


def _number(note: str) -> int:
    found = re.search(r"^number (\d{1,18})$", note, re.MULTILINE | re.ASCII)
    return int(found[1]) if found else 0


def notes_of(text: str) -> list[str]:
    """The checkpoints in the text of a file: each is its lines, an empty one, its signatures, and an empty one.

    One that was torn off, and then written again whole, counts once.
    """
    notes: list[str] = []
    for part in text.split("\n\n"):
        if part.startswith(DASH) and notes and f"\n\n{DASH}" not in notes[-1]:  # An agent's name may hold a dash.
            notes[-1] += f"\n\n{part}\n"
        elif part.strip():
            notes.append(part)
    return [one for one, after in zip(notes, [*notes[1:], ""], strict=False) if not _torn(one, after)]


def _torn(part: str, after: str) -> bool:
    return bool(after) and len(part) < len(after) and after.startswith(part.rstrip("\n"))


class Trail:
    """Checkpoints in their order: whether each follows the one before, and who signed it.

    Args:
        keys: The public keys that are trusted; without any, no signature is checked.
        beside: The same ones as they lie elsewhere. What counts there counts here.
    """

    def __init__(self, keys: Sequence[Key], beside: Trail | None = None) -> None:
        self.keys = keys
        self.beside = beside
        self.notes: dict[int, Checkpoint] = {}
        self.trusted = set(keys)
        self.loose: list[int] = []
        self.lost: set[int] = set()
        """Checkpoints that saw what a copy that was put back doesn't hold."""

    def problems(self, placed: Iterable[Placed]) -> Iterator[str]:
        """Read them, and yield what is wrong."""
        last: Checkpoint | None = None
        for place, text in placed:
            try:
                note = read_note(text)
            except (ValueError, KeyError, TypeError, AttributeError) as wrong:
                yield f"a checkpoint in {place} can't be read, or was changed: {wrong}"
                continue
            if last is not None and note.digest == last.digest:
                continue  # Whoever exports may do so twice.
            yield from self._order(last, note, place)
            self._read(note)
            if note.number not in self.notes:
                self.notes[note.number] = last = note
        yield from self._unsigned()

    def counts(self, note: Checkpoint) -> bool:
        """Whether a checkpoint is one of these that a trusted key signed, or that one that counts goes back to."""
        mine = self.notes.get(note.number)
        return mine is not None and mine.digest == note.digest and note.number not in self.loose

    def _order(self, last: Checkpoint | None, note: Checkpoint, place: str) -> Iterator[str]:
        where = f"checkpoint {note.number} ({place})"
        if (twin := self.notes.get(note.number)) is not None:
            yield f"{where} is another one" if twin.digest != note.digest else f"{where} is out of order"
        elif last is None:
            if note.number == 1 and note.prev != GENESIS:
                yield f"{where} is the first, and says that there is one before it"
        elif note.number < last.number:
            yield f"{where} is out of order: it stands behind checkpoint {last.number}"
        elif note.number > last.number + 1 and note.back != last.number:
            yield f"checkpoint {last.number + 1} is missing (the next one is {note.number})"
        elif note.number == last.number + 1 and note.prev != last.digest:
            yield f"{where} doesn't follow the checkpoint before it"
        elif note.total < last.total and note.back is None:
            yield f"{where} counts fewer entries than the checkpoint before it"
        if last is not None and note.origin != last.origin:
            yield f"{where} is of {note.origin}, and those before it of {last.origin}"

    def _read(self, note: Checkpoint) -> None:
        """Look who signed, and what that says of keys."""
        lost = range(note.number if note.back is None else note.back + 1, note.number)
        if not self.keys:
            self.lost.update(lost)
            return
        gone = [key for word, key in note.notices if word == "retired"]
        if not any(signs(key, note) for key in self.trusted.difference(gone)):
            self.loose.append(note.number)
            return
        self.lost.update(lost)
        self.trusted.difference_update(gone)
        self.trusted.update(key for word, key in note.notices if word == "next")

    def _unsigned(self) -> Iterator[str]:
        """What no trusted key signed, unless a later one that counts goes back to it."""
        for number in sorted(set(self.loose), reverse=True):
            after, note = self.notes.get(number + 1), self.notes.get(number)
            if note is not None and self.beside is not None and self.beside.counts(note):
                self.loose.remove(number)
            elif after is None or note is None or number + 1 in self.loose or after.prev != note.digest:
                yield f"checkpoint {number} isn't signed by a key that is trusted: it is forged, or the key is missing"
            else:
                self.loose.remove(number)


def signs(key: Key, note: Checkpoint) -> bool:
    """Whether a key signed a checkpoint."""
    return any(
        name == key[0] and mark[:4] == key_hash(key) and signed(key[1], note.text.encode(), mark[4:])
        for name, mark in note.signatures
    )


# --- Ed25519 ------------------------------------------------------------------------------------------------------

P = 2**255 - 19
"""The field's prime."""
L = 2**252 + 27742317777372353535851937790883648493
"""The order of the base point."""
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
"""A square root of -1."""
Point = tuple[int, int, int, int]
"""X, Y, Z and T of RFC 8032, section 5.1.4."""


def signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature is good."""
    key, half, scalar = _point(public), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or half is None or len(signature) != 64 or scalar >= L:  # noqa: PLR2004  # two halves of 32 bytes
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = _times(scalar, BASE), _add(half, _times(challenge, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 == (left[1] * right[2] - right[1] * left[2]) % P


def _add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, p: Point) -> Point:
    q: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            q = _add(q, p)
        p = _add(p, p)
        scalar >>= 1
    return q


def _point(coded: bytes) -> Point | None:
    """A point from its 32 bytes; None where they are none."""
    y = int.from_bytes(coded, "little") & (2**255 - 1)
    if len(coded) != 32 or y >= P:  # noqa: PLR2004  # a point takes 32 bytes
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * ROOT % P
    odd = coded[31] >> 7
    if (x * x - square) % P or (x == 0 and odd):
        return None
    x = P - x if x & 1 != odd else x
    return x, y, 1, x * y % P


BASE: Point = _point(bytes([0x58]) + bytes([0x66]) * 31) or (0, 1, 1, 0)
"""The base point."""
