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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, BinaryIO, cast

from ladder_graph.errors import LadderError
from ladder_graph.replay.documents import ITEM, LONGEST, Cutter, parsed, whole
from ladder_graph.replay.packing import BROKEN, HEAD, Again, encoding_of, unpacked
from ladder_graph.replay.paths import shown
from ladder_graph.replay.traces import Trouble

Progress = Callable[[int, int], None]
"""Is told how many bytes of a file were read, and how many it has; 0 where nobody knows."""

_DATABASE = b"SQLite format 3\0"
_TOLD_EVERY = 500
"""Values between two words about the progress."""
_LOOKED_AT = 100
"""Lines by which an array is told from lines of arrays."""
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
    _opened: list[io.IOBase] = field(default_factory=list, init=False, repr=False)
    """What was opened, kept since a stream that is forgotten closes what it reads from."""

    def tell(self, place: object, why: str) -> None:
        """Say what can't be used.

        Args:
            place: Where in the file: a line's number, an entry's index, a run's id; empty for the file as a whole.
            why: What is wrong, in words.
        """
        where = f":{place}" if place != "" else ""
        text = f"{shown(self.path)}{where}: {why}"
        plain = text.isprintable()
        self.trouble(text if plain else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text))

    @property
    def is_url(self) -> bool:
        """Whether it names a database by its URL."""
        return "://" in self.path

    @cached_property
    def head(self) -> bytes:
        """How its content begins, unpacked; empty for the URL of a database.

        Raises:
            LadderError: There is no such file, or it can't be read.
        """
        if self.is_url:
            return b""
        return self._begin if self._unpacked is None else self._unpacked

    @cached_property
    def opening(self) -> str:
        """How its text begins, as far as it was looked at; what is no text in it is replaced.

        Raises:
            LadderError: There is no such file, or it can't be read.
        """
        return self.head.decode(self._encoding, "replace").removeprefix("\ufeff")

    @property
    def blank(self) -> str:
        """Why there is nothing in it to be read, in words; empty where there is.

        Raises:
            LadderError: There is no such file, or it can't be read.
        """
        if self.is_url or self.head:
            return ""
        return "is empty" if self._unpacked is None else "is packed, and nothing of it can be unpacked"

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite database."""
        return self.head.startswith(_DATABASE)

    @cached_property
    def _file(self) -> io.FileIO:
        """The file as it stands, opened once."""
        try:
            return io.FileIO(sys.stdin.fileno(), closefd=False) if self.path == "-" else io.FileIO(self.path)
        except OSError as wrong:
            raise LadderError(f"{shown(self.path)}: {wrong.strerror or wrong}") from wrong
        except ValueError as wrong:
            raise LadderError(f"{self.path!r}: {wrong}") from wrong

    @cached_property
    def _begin(self) -> bytes:
        """Its first bytes. A pipe gives them in pieces, however small."""
        pieces, size = [], 0
        try:
            while size < HEAD and (piece := self._file.read(HEAD - size)):
                pieces.append(piece)
                size += len(piece)
        except OSError as wrong:
            raise LadderError(f"{shown(self.path)}: {wrong.strerror or wrong}") from wrong
        return b"".join(pieces)

    @cached_property
    def _unpacked(self) -> bytes | None:
        """The first bytes of what is packed, as far as they can be unpacked; None where nothing is."""
        return unpacked(self._begin)

    @cached_property
    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        """Close the file, where it was opened."""
        for stream in reversed(self._opened):
            stream.close()
        if "_file" in vars(self):
            self._file.close()

    def open(self) -> BinaryIO:
        """The content, unpacked; once.

        Raises:
            LadderError: There is no such file, or it can't be read.
        """
        packed = self._unpacked is not None  # First of all, since that reads.
        raw: io.RawIOBase = self._file if self._file.seekable() else Again(self._begin, self._file)
        if raw is self._file:
            self._file.seek(0)
        plain = io.BufferedReader(raw, HEAD)
        self._opened.append(plain)
        return cast("BinaryIO", gzip.GzipFile(fileobj=plain) if packed else plain)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Each line that isn't empty, with its number from 1; one that is no text is told and left out."""
        for number, line in self._lines():
            if number % _TOLD_EVERY == 0:
                self._progressed()
            if not line.strip():
                continue
            try:
                text = line.decode("utf-8-sig") if isinstance(line, bytes) else _whole(line)
            except UnicodeError as wrong:
                self.tell(number, f"is no text: {wrong}")
                continue
            yield number, text.rstrip("\r\n")
        self.progress(self._size, self._size)

    def _progressed(self) -> None:
        try:
            self.progress(min(self._file.tell(), self._size), self._size)
        except OSError:
            self.progress(0, 0)  # a pipe

    @cached_property
    def _encoding(self) -> str:
        return encoding_of(self.head)

    def _lines(self) -> Iterator[tuple[int, bytes | str]]:
        """Each line as it stands, up to where the packing or the encoding is damaged or ends."""
        number = 0
        try:
            stream = self._text() if self._encoding != "utf-8" else self.open()
            while line := stream.readline(LONGEST):
                number += 1
                if len(line) < LONGEST or _ended(line):
                    yield number, line
                    continue
                self.tell(number, f"is longer than {LONGEST:,} bytes, and is left out")
                while line and not _ended(line):
                    line = stream.readline(HEAD)
        except BROKEN as wrong:
            self.tell("", f"breaks off after line {number}, and what would follow is missing: {str(wrong)[:_WHY]}")

    def _text(self) -> io.TextIOWrapper:
        """The content in another encoding than UTF-8. Half a surrogate pair is told with its line."""
        text = io.TextIOWrapper(self.open(), self._encoding, "surrogatepass", newline="\n")
        self._opened.append(text)
        return text

    def values(self, inside: str = "") -> Iterator[tuple[str, Any]]:
        """Each JSON value with its place: those of lines, the entries of an array, or what stands inside one document.

        Args:
            inside: Where the entries of a document stand: the keys on the way to them, with `item` for each array, as
                in `"data.item"`. Without it, an object is a value as a whole.
        """
        if not inside and not self.is_array:
            for number, value in whole(self.lines()):
                if isinstance(value, ValueError):
                    self.tell(number, f"is no JSON: {str(value)[:_WHY]}")
                else:
                    yield str(number), value
            return
        for index, text in enumerate(self._entries(inside.split(".") if inside else [ITEM])):
            if text is None:
                self.tell(f"[{index}]", f"is longer than {LONGEST:,} bytes, and is left out")
                continue
            try:
                yield f"[{index}]", parsed(text)
            except ValueError as wrong:
                self.tell(f"[{index}]", f"is no JSON: {str(wrong)[:_WHY]}")

    @cached_property
    def is_array(self) -> bool:
        """Whether it is one JSON array, and not a value a line, of which the first one is an array or damaged."""
        lines = [line for line in self.opening.splitlines()[:_LOOKED_AT] if line.strip()]
        if not lines or not lines[0].lstrip().startswith("["):
            return False
        alone = sum(map(_is_whole, lines))
        # Over several lines, its last entry may be the one that stands alone on one.
        goes_on = lines[0].rstrip().endswith((",", "[", "{"))
        return len(lines) == 1 or alone < (2 if goes_on else 1)

    def _entries(self, path: list[str]) -> Iterator[bytes | None]:
        cutter, count = Cutter(path), 0
        try:
            for chunk in self._chunks():
                for text in cutter.feed(chunk):
                    count += 1
                    yield text
                self._progressed()
        except BROKEN as wrong:
            self.tell("", f"breaks off after {count} entries, and what would follow is missing: {str(wrong)[:_WHY]}")
        else:
            if cutter.open:
                self.tell("", f"breaks off after {count} entries, within one or before the end of their list")
            if cutter.stray:
                self.tell("", "has something beside its list of entries, which is left out")
        self.progress(self._size, self._size)

    def _chunks(self) -> Iterator[bytes]:
        """The content in UTF-8, as far as it goes: `read` would drop what stands in front of damage."""
        content = cast("io.BufferedIOBase", self.open())
        pieces = iter(partial(content.read1, HEAD), b"")
        if self._encoding == "utf-8":
            yield next(pieces, b"").removeprefix(codecs.BOM_UTF8)
            yield from pieces
            return
        for text in codecs.iterdecode(pieces, self._encoding, "surrogatepass"):
            yield text.encode("utf-8", "surrogatepass")


def _whole(line: str) -> str:
    """A line, unless it has half a surrogate pair."""
    line.encode()
    return line.removeprefix("\ufeff")


def _ended(line: bytes | str) -> bool:
    return line.endswith(b"\n") if isinstance(line, bytes) else line.endswith("\n")


def _is_whole(line: str) -> bool:
    """Whether a line is an object or an array by itself."""
    try:
        return line.startswith(("[", "{")) and bool(parsed(line))
    except ValueError:
        return False
