"""Where recorded runs are read from: files of any size, packed or not, a piece at a time.

Nothing here holds more than one value of a file in memory. What can't be read is told, with its place, and the rest
goes on; where a file breaks off, what came before stands.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, cast

from pydantic_core import from_json

from ladder_graph.errors import LadderError
from ladder_graph.replay.traces import Trouble

Progress = Callable[[int, int], None]
"""Is told how many bytes of a file were read, and how many it has; 0 where nobody knows."""

LONGEST = 1 << 28
"""Bytes of a line that is read; a longer one is told and left out."""
_PACKED = b"\x1f\x8b"
"""What a gzip file begins with."""
_DATABASE = b"SQLite format 3\0"
_HEAD = 1 << 17
"""Bytes by which a format is recognised, and that are read at a time."""
_TOLD_EVERY = 500
"""Values between two words about the progress."""
_WHY = 200
"""Characters of what a parser says that are passed on."""


def _quiet(done: int, whole: int) -> None:
    """Nobody looks at the progress."""


@dataclass
class Source:
    """One file, database or stream of recorded runs.

    Args:
        path: The file; `-` for standard input, or the URL of a database.
        trouble: Is told what can't be used, one line each, with the file and the place in front.
        progress: Is told how far the reading has come.
    """

    path: str
    trouble: Trouble = field(repr=False)
    progress: Progress = field(default=_quiet, repr=False)

    def tell(self, place: object, why: str) -> None:
        """Say what can't be used.

        Args:
            place: Where in the file: a line's number, an entry's index, a run's id; empty for the file as a whole.
            why: What is wrong, in words.
        """
        where = f":{place}" if place != "" else ""
        text = f"{shown(self.path)}{where}: {why}"
        self.trouble("".join(one if one.isprintable() else ascii(one)[1:-1] for one in text))

    @property
    def is_url(self) -> bool:
        """Whether it names a database by its URL."""
        return "://" in self.path

    @cached_property
    def head(self) -> bytes:
        """How its content begins, unpacked; empty for the URL of a database.

        Raises:
            LadderError: There is no such file, or it can't be opened.
        """
        if self.is_url:
            return b""
        if self._packed:
            try:
                return zlib.decompressobj(wbits=31).decompress(self._peeked, _HEAD)
            except zlib.error:
                return b""
        return self._peeked

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite database."""
        return self.head.startswith(_DATABASE)

    @cached_property
    def _plain(self) -> io.BufferedReader:
        """The file as it stands, opened once: what was looked at isn't lost, also of a pipe."""
        try:
            raw: Any = cast("Any", sys.stdin.buffer).raw if self.path == "-" else io.FileIO(self.path)
        except OSError as wrong:
            raise LadderError(f"{self.path}: {wrong.strerror or wrong}") from wrong
        return io.BufferedReader(raw, _HEAD)

    @cached_property
    def _peeked(self) -> bytes:
        return self._plain.peek(_HEAD)

    @property
    def _packed(self) -> bool:
        return self._peeked.startswith(_PACKED)

    @cached_property
    def _size(self) -> int:
        return os.fstat(self._plain.fileno()).st_size

    def close(self) -> None:
        """Close the file, where it was opened."""
        if "_plain" in vars(self):
            self._plain.close()

    def open(self) -> BinaryIO:
        """The content, unpacked; once.

        Raises:
            LadderError: There is no such file, or it can't be opened.
        """
        return cast("BinaryIO", gzip.GzipFile(fileobj=self._plain)) if self._packed else self._plain

    def lines(self) -> Iterator[tuple[int, str]]:
        """Each line that isn't empty, with its number from 1; one that is no text is told and left out."""
        encoding = self._encoding
        stream = self._whole_lines() if encoding == "utf-8" else self._transcoded(encoding)
        for number, line in stream:
            if number % _TOLD_EVERY == 0:
                self.progress(self._at, self._size)
            if not line.strip():
                continue
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as wrong:
                self.tell(number, f"is no UTF-8 text: {wrong.reason} at byte {wrong.start}")
        self.progress(self._size, self._size)

    @property
    def _at(self) -> int:
        try:
            return self._plain.tell()
        except OSError:
            return 0  # a pipe

    @property
    def _encoding(self) -> str:
        """UTF-16 and UTF-32 by their marks, as Windows tools write them; else UTF-8."""
        for mark, name in ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
                           (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):  # fmt: skip
            if self.head.startswith(mark):
                return name
        return "utf-8"

    def _whole_lines(self) -> Iterator[tuple[int, bytes]]:
        """Each line, up to where the packing is damaged or ends."""
        stream = self.open()
        number = 0
        try:
            while line := stream.readline(LONGEST):
                number += 1
                if len(line) == LONGEST and not line.endswith(b"\n"):
                    self.tell(number, f"is longer than {LONGEST:,} bytes, and is left out")
                    while line and not line.endswith(b"\n"):
                        line = stream.readline(LONGEST)
                    continue
                yield number, line
        except (EOFError, zlib.error, OSError) as wrong:
            self.tell("", f"breaks off after line {number}, and what would follow is missing: {wrong}")

    def _transcoded(self, encoding: str) -> Iterator[tuple[int, bytes]]:
        """The lines of a text in another encoding, in UTF-8."""
        number = 0
        try:
            for number, line in enumerate(io.TextIOWrapper(self.open(), encoding), 1):
                yield number, line.encode()
        except (EOFError, zlib.error, OSError, UnicodeError) as wrong:
            self.tell("", f"breaks off after line {number}, and what would follow is missing: {wrong}")

    def values(self, inside: str = "") -> Iterator[tuple[str, Any]]:
        """Each JSON value with its place: those of lines, the entries of an array, or what stands inside one document.

        Args:
            inside: For a file that is one object, where its entries stand, as `"data.item"` in the words of ijson;
                without it, the object as a whole is the one value.
        """
        if self._one_document:
            yield from self._entries("item" if self.head.lstrip(_SPACE).startswith(b"[") else inside)
            return
        for number, line in self.lines():
            try:
                yield str(number), parsed(line)
            except ValueError as wrong:
                self.tell(number, f"is no JSON: {str(wrong)[:_WHY]}")

    @property
    def _one_document(self) -> bool:
        """Whether it is one JSON document over several lines, or an array, and not a value for each line."""
        head = self.head.lstrip(_SPACE)
        if self._encoding != "utf-8" or not head.startswith((b"[", b"{")):
            return False
        first, newline, _ = head.partition(b"\n")
        if head.startswith(b"["):
            return True
        if not newline and len(self.head) >= _HEAD:
            return False  # A first line that is longer than what was looked at.
        try:
            parsed(first)
        except ValueError:
            return not first.rstrip().endswith(b"}")  # A broken line among lines is told as one.
        return False

    def _entries(self, prefix: str) -> Iterator[tuple[str, Any]]:
        ijson = _ijson()
        index = -1
        try:
            for index, value in enumerate(ijson.items(_Unmarked(self.open()), prefix, use_float=True)):
                if index % _TOLD_EVERY == 0:
                    self.progress(self._at, self._size)
                yield f"[{index}]" if prefix else "", value
        except (ijson.JSONError, EOFError, zlib.error, OSError, UnicodeError, RecursionError) as wrong:
            where = f"after entry {index}" if index >= 0 else "before its first entry"
            self.tell("", f"breaks off {where}, and what would follow is missing: {str(wrong).strip()[:_WHY]}")
        self.progress(self._size, self._size)


_SPACE = b" \t\r\n" + codecs.BOM_UTF8


class _Unmarked:
    """A stream without the mark that some tools write in front of UTF-8."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._first = True

    def read(self, size: int = -1) -> bytes:
        """Read on; 0 bytes are the end, but for a stream that begins with the mark alone."""
        chunk = self._stream.read(size)
        if self._first and size != 0:
            self._first = False
            return chunk.removeprefix(codecs.BOM_UTF8)
        return chunk


def _ijson() -> Any:
    try:
        import ijson  # type: ignore[import-untyped]  # it has no types
    except ImportError:
        raise LadderError("one JSON document is read with ijson: pip install 'ladder-graph[replay]'") from None
    return ijson


def parsed(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: It is no JSON, or has NaN or half a surrogate pair, which JSON has no form for.
    """
    return from_json(text, allow_inf_nan=False, cache_strings="keys")


def shown(path: str) -> str:
    """A path or URL as it may be told: without a password.

    Args:
        path: The file, or the URL.

    Example:
        >>> shown("postgresql://ana:secret@db.example/agents")
        'postgresql://ana@db.example/agents'
    """
    scheme, apart, rest = path.partition("://")
    user, at, place = rest.rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}{at}{place}" if apart else path


def files(path: str) -> Iterator[str]:
    """The files that a path names: itself, or all of a folder that may hold runs, in the order of their names."""
    if path == "-" or "://" in path or not Path(path).is_dir():
        yield path
        return
    for one in sorted(Path(path).rglob("*")):
        if one.is_file() and one.name.endswith(ENDINGS) and not one.name.startswith("."):
            yield str(one)


ENDINGS = (".json", ".jsonl", ".ndjson", ".gz", ".eval", ".db", ".sqlite", ".sqlite3")
"""Names of files in a folder that are taken for recorded runs."""
