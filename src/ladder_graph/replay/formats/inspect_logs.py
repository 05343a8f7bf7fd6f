"""Logs of Inspect AI, as `.eval` archives and as JSON documents: a run for each sample, read one sample at a time.

Read is log version 2, as `inspect_ai` writes it; tried with its versions 0.3.60, 0.3.120 and 0.3.285. The package
itself isn't needed.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from ladder_graph.errors import LadderError
from ladder_graph.replay.conversations.contents import mistakes
from ladder_graph.replay.documents import LONGEST, parsed
from ladder_graph.replay.formats import Format, Sample
from ladder_graph.replay.formats.inspect_records import Recorded
from ladder_graph.replay.formats.inspect_samples import run_of
from ladder_graph.replay.sources import Source
from ladder_graph.replay.traces import Run

_ARCHIVE = b"PK\x03\x04"
"""What a zip file begins with."""
_HEADERS = ("header.json", "_journal/start.json")
"""Where an archive says what was evaluated: at its end, and from its beginning on."""
_SAMPLES = "samples/"
_ZSTANDARD = 93
"""The packing that Inspect uses, which Python's own zipfile reads from 3.14 on."""
_LOCAL = struct.Struct("<26xHH")
"""What stands in front of a packed entry: last, how long its name and what follows the name are."""


def _fits(sample: Sample) -> bool:
    if sample.source.head.startswith(_ARCHIVE):
        return any(name.encode() in sample.source.head for name in (_HEADERS[1], _SAMPLES))
    return sample.has("version", "eval", "status")


def _read(source: Source) -> Iterator[Run]:
    if source.head.startswith(_ARCHIVE):
        yield from _of_archive(source)
        return
    first = Sample(source).first
    header = first.get("eval") if isinstance(first, dict) else None
    for place, value in source.values("samples.item"):
        yield from _runs(source, place, value, header if isinstance(header, dict) else {})


def _runs(source: Source, place: str, value: object, header: Mapping[str, Any]) -> Iterator[Run]:
    """The run of a sample, or those of a document that stands on one line."""
    if isinstance(value, dict) and isinstance(value.get("samples"), list):
        for index, sample in enumerate(value["samples"]):
            yield from _runs(source, f"{place}[{index}]", sample, header)
        return
    try:
        yield run_of(Recorded.model_validate(value), header)
    except ValidationError as wrong:
        source.tell(place, mistakes(wrong))


def _of_archive(source: Source) -> Iterator[Run]:
    try:
        with zipfile.ZipFile(source.open()) as archive:
            entries = {one.filename: one for one in archive.infolist()}
            header = _header(archive, entries)
            samples = [one for name, one in entries.items() if name.startswith(_SAMPLES) and name.endswith(".json")]
            for number, entry in enumerate(samples):
                source.progress(number, len(samples))
                yield from _of_entry(source, archive, entry, header)
            source.progress(len(samples), len(samples))
    except (zipfile.BadZipFile, OSError) as wrong:
        source.tell("", f"can't be read as an archive: {wrong}")


def _of_entry(
    source: Source, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, header: Mapping[str, Any]
) -> Iterator[Run]:
    try:
        value = parsed(_content(archive, entry))
    except (ValueError, zipfile.BadZipFile, EOFError, zlib.error) as wrong:
        source.tell(entry.filename, f"can't be read: {wrong}")
        return
    yield from _runs(source, entry.filename, value, header)


def _header(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo]) -> Mapping[str, Any]:
    """What was evaluated; nothing where the archive doesn't say it."""
    for name in _HEADERS:
        if name in entries:
            try:
                found = parsed(_content(archive, entries[name])).get("eval")
            except (ValueError, AttributeError, zipfile.BadZipFile, EOFError, zlib.error):
                continue
            if isinstance(found, dict):
                return found
    return {}


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """What an entry holds, unpacked.

    Raises:
        ValueError: It is damaged, or too long.
        LadderError: What unpacks it isn't installed.
    """
    if entry.file_size > LONGEST:
        raise ValueError(f"it is longer than {LONGEST:,} bytes")
    if entry.compress_type != _ZSTANDARD:
        return archive.read(entry)
    stream = archive.fp
    assert stream is not None  # noqa: S101  # it is open
    stream.seek(entry.header_offset)
    name, extra = _LOCAL.unpack(stream.read(_LOCAL.size))
    stream.seek(name + extra, 1)
    content = _unpacked(stream.read(entry.compress_size), entry.file_size)
    if zlib.crc32(content) != entry.CRC:
        raise ValueError("its checksum is another one")
    return content


def _unpacked(packed: bytes, size: int) -> bytes:
    try:
        import zstandard
    except ImportError:
        raise LadderError("Inspect's archives are read with zstandard: pip install 'ladder-graph[replay]'") from None
    try:
        return zstandard.ZstdDecompressor().stream_reader(packed).read(size)
    except zstandard.ZstdError as wrong:
        raise ValueError(str(wrong)) from wrong


FORMAT = Format(
    name="inspect_logs",
    about="logs of Inspect AI, .eval and .json",
    fits=_fits,
    read=_read,
)
