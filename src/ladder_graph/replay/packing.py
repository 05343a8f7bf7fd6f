"""What files of recorded runs are packed and encoded in, told by how they begin."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from contextlib import suppress
from typing import Any

HEAD = 1 << 17
"""Bytes by which a format is recognised, and that are read at a time."""
_PACKED = b"\x1f\x8b\x08"
"""What a gzip file begins with."""
_SIGNS, _FEW = 1000, 20
"""Bytes by which an encoding is told, and how many there are to a zero at most where it isn't UTF-8."""
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as the mark of UTF-16 does, so it is looked for first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
BROKEN = (EOFError, zlib.error, OSError, UnicodeError)
"""What reading raises where a file is damaged or ends too early."""


def unpacked(begin: bytes) -> bytes | None:
    """The first bytes of what is packed, as far as they can be unpacked; None where nothing is.

    Args:
        begin: The first bytes of a file; text may begin as a packed file does.
    """
    if not begin.startswith(_PACKED):
        return None
    pieces: list[bytes] = []
    size = 0
    try:
        content = gzip.GzipFile(fileobj=io.BytesIO(begin))
        while size < HEAD and (piece := content.read1(HEAD - size)):
            pieces.append(piece)
            size += len(piece)
    except BROKEN:
        with suppress(UnicodeDecodeError):
            codecs.getincrementaldecoder("utf-8")().decode(begin[len(_PACKED) : _SIGNS])
            return b"".join(pieces) or None
    return b"".join(pieces)


def encoding_of(begin: bytes) -> str:
    """UTF-16 and UTF-32, as Windows tools write them, by their marks or by where the zeros are; else UTF-8.

    Args:
        begin: How the content begins, unpacked.
    """
    begin = begin[:_SIGNS]
    if begin.count(0) * _FEW < len(begin):
        return "utf-8"  # Also with the mark of another one: these have a zero in each bracket, quote and colon.
    marked = (name for mark, name in _MARKS if begin.startswith(mark))
    zeros = [byte == 0 for byte in begin[:4]]
    unmarked = "utf-16-le" if zeros == [False, True] * 2 else "utf-16-be" if zeros == [True, False] * 2 else "utf-8"
    return next(marked, unmarked)


class Again(io.RawIOBase):
    """A pipe whose first bytes were read already.

    Args:
        begin: Those.
        rest: The pipe.
    """

    def __init__(self, begin: bytes, rest: io.RawIOBase) -> None:
        self._begin = memoryview(begin)
        self._rest = rest

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read into a buffer, and say how many bytes."""
        if not self._begin:
            return self._rest.readinto(buffer)
        taken = self._begin[: len(buffer)]
        buffer[: len(taken)] = taken
        self._begin = self._begin[len(taken) :]
        return len(taken)
