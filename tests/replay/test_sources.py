"""Files of recorded runs: packed or not, in pieces, in several encodings, and damaged."""

from __future__ import annotations

import codecs
import gzip
import json
import os
import subprocess
import sys
import threading
import tracemalloc
from contextlib import closing

import pytest

from ladder_graph.errors import LadderError
from ladder_graph.replay import documents, sources
from ladder_graph.replay.paths import files
from ladder_graph.replay.sources import Source

LINES = [json.dumps({"n": number, "text": "ä" * 20}, ensure_ascii=False) for number in range(300)]
WHOLE = "\n".join(LINES).encode()


@pytest.fixture
def reading(tmp_path):
    """The numbers that are read from a content, and what was told without the file's name."""

    def _reading(content, inside=""):
        path = tmp_path / "runs"
        path.write_bytes(content)
        told = []
        with closing(Source(str(path), told.append)) as source:
            found = [value["n"] if isinstance(value, dict) else value for _, value in source.values(inside)]
        return found, [text.removeprefix(str(path)) for text in told]

    return _reading


@pytest.mark.parametrize(
    "content",
    [
        WHOLE,
        WHOLE + b"\n\n",
        WHOLE.replace(b"\n", b"\r\n"),
        gzip.compress(WHOLE),
        b"".join(gzip.compress(line.encode() + b"\n") for line in LINES),
        gzip.compress(WHOLE) + b"\0" * 100,
        codecs.BOM_UTF8 + WHOLE,
        WHOLE.replace(b'{"n": 200', codecs.BOM_UTF8 + b'{"n": 200'),
        WHOLE.decode().encode("utf-16"),
        WHOLE.decode().encode("utf-16-le"),
        WHOLE.decode().encode("utf-16-be"),
        WHOLE.decode().encode("utf-32"),
        gzip.compress(WHOLE.decode().encode("utf-16")),
        ("[" + ",".join(LINES) + "]").encode(),
        codecs.BOM_UTF8 + (" [\n" + ",\n".join(LINES) + "\n]\n").encode(),
        ("[" + ",".join(LINES) + "]").encode("utf-16"),
        json.dumps([json.loads(line) for line in LINES], indent=2).encode(),
        "\n".join(json.dumps(json.loads(line), indent=4) for line in LINES).encode(),
    ],
    ids=range(18),
)
def test_every_way_of_writing_values_is_read_alike(reading, content):
    """Lines, an array and documents over lines; plain, packed in one or many members, in several encodings."""
    assert reading(content) == (list(range(300)), [])


def test_lines_of_arrays_are_told_from_one_array(reading):
    """Each line is a value by itself, even where the first one is broken."""
    assert reading(b"[1, 2]\n[3]\n") == ([[1, 2], [3]], [])
    found, told = reading(b"[1, 2\n[3]\n[4]")
    assert found == [[3], [4]]
    assert told == [":1: is no JSON: EOF while parsing a list at line 1 column 5"]


def test_entries_inside_a_document_are_read(reading):
    """Also of a document on one line, and of several one after the other."""
    text = json.dumps({"about": {"runs": [9]}, "runs": [{"n": 1}, {"n": 2}]})
    assert reading(text.encode(), "runs.item") == ([1, 2], [])
    assert reading(f"{text}\n{text}".encode(), "runs.item") == ([1, 2, 1, 2], [])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"n": 1, "text": "caf\xe9"}', "is no text: 'utf-8' codec can't decode byte 0xe9"),
        (b'{"n": 1', "is no JSON: EOF while parsing an object"),
        (b'"n": 1}', "is no JSON: trailing characters"),
        (b'{"n": NaN}', "is no JSON: expected value"),
        (b'{"n": "\\ud800"}', "is no JSON: "),
        (b"\0\0\0", "is no JSON: expected value"),
        (b'{"n":' * 10_000, "is no JSON: "),
    ],
)
def test_a_broken_line_is_told_and_the_rest_goes_on(reading, line, told):
    """The line is named, and the others are read, whichever of them it is."""
    for place in (0, 1, 3):
        lines = [b'{"n": 1}', b'{"n": 2}', b'{"n": 3}']
        lines.insert(place, line)
        found, said = reading(b"\n".join(lines))
        assert found == [1, 2, 3]
        (text,) = said
        assert text.startswith(f":{place + 1}: {told}")
        assert text.isprintable()


def test_half_a_surrogate_pair_in_utf_16_costs_its_line(reading):
    """The lines after it are read."""
    content = '{"n": 1}\n{"n": 2, "t": "?"}\n{"n": 3}'.encode("utf-16-le").replace(b"?\0", b"\0\xd8")
    found, told = reading(codecs.BOM_UTF16_LE + content)
    assert found == [1, 3]
    assert [text.partition(" is no text")[0] for text in told] == [":2:"]


def test_a_broken_entry_is_told_and_the_rest_goes_on(reading):
    """Of an array it is named by its place."""
    found, told = reading(b'[{"n": 1}, {"n": nope}, {"n": 3}]')
    assert found == [1, 3]
    assert told == [":[1]: is no JSON: expected ident at line 1 column 8"]


@pytest.mark.parametrize("cut", [1, 10, 500])
@pytest.mark.parametrize("written", ["lines", "array"])
def test_a_file_that_breaks_off_keeps_what_came_before(reading, cut, written):
    """What stands before the end of a truncated gzip is read, and the end is told."""
    content = WHOLE if written == "lines" else ("[" + ",".join(LINES) + "]").encode()
    found, told = reading(gzip.compress(content, 1)[:-cut])
    assert found == list(range(len(found)))
    assert len(found) > 80
    assert any("breaks off" in text for text in told)


def test_an_array_that_breaks_off_is_told(reading):
    """Also where nothing else is wrong with the file."""
    found, told = reading(b'[{"n": 1}, {"n": 2}')
    assert found == [1]
    assert told == [": breaks off after 1 entries, within one or before the end of their list"]


def test_flipped_bits_in_a_packing_are_told(reading):
    """What was read before them stands."""
    packed = bytearray(gzip.compress(WHOLE, 1))
    packed[len(packed) // 2] ^= 0xFF
    found, told = reading(bytes(packed))
    assert found[:50] == list(range(50))
    assert told


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_line_that_is_too_long_is_left_out(reading, monkeypatch, encoding):
    """It is never held in memory as a whole, and the lines after it are read."""
    monkeypatch.setattr(sources, "LONGEST", 50)
    monkeypatch.setattr(sources, "HEAD", 64)
    content = '{"n": 1}\n' + "x" * 1000 + '\n{"n": 3}\n'
    found, told = reading(content.encode(encoding))
    assert found == [1, 3]
    assert told == [":2: is longer than 50 bytes, and is left out"]


def test_an_entry_that_is_too_long_is_left_out(reading, monkeypatch):
    """As a line is."""
    monkeypatch.setattr(documents, "LONGEST", 50)
    found, told = reading(b'[{"n": 1}, {"n": "' + b"x" * 1000 + b'"}, {"n": 3}]')
    assert found == [1, 3]
    assert [text.partition(" is longer")[0] for text in told] == [":[1]:"]


def test_a_megabyte_of_arguments_is_read(reading):
    """One long line is nothing special."""
    found, told = reading(json.dumps({"n": "x" * (1 << 20)}).encode() + b'\n{"n": 2}')
    assert (len(found[0]), found[1], told) == (1 << 20, 2, [])


@pytest.mark.parametrize("content", [WHOLE, gzip.compress(WHOLE), ("[" + ",".join(LINES) + "]").encode()])
def test_a_pipe_is_read_however_small_its_pieces(tmp_path, content):
    """Neither its first bytes nor its kind are lost."""
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def writes():
        with path.open("wb", buffering=0) as pipe:
            for at in range(0, 2000, 7):
                pipe.write(content[at : at + 7] if at + 7 < 2000 else content[at:])
                if at + 7 >= 2000:
                    break

    writer = threading.Thread(target=writes)
    writer.start()
    told = []
    with closing(Source(str(path), told.append, lambda done, size: told.append((done, size)))) as source:
        assert source.opening
        assert [value["n"] for _, value in source.values()] == list(range(300))
    writer.join()
    assert set(told) == {(0, 0)}


@pytest.mark.parametrize("content", [WHOLE, gzip.compress(WHOLE)])
def test_standard_input_is_read(content):
    """`-` is what is piped in."""
    program = "from ladder_graph.replay.sources import Source; print([v['n'] for _, v in Source('-', print).values()])"
    done = subprocess.run([sys.executable, "-c", program], input=content, capture_output=True, check=True)
    assert json.loads(done.stdout) == list(range(300))


def test_progress_goes_from_nothing_to_the_whole(tmp_path):
    """In bytes of the file as it lies there, also of a packed one."""
    path = tmp_path / "runs"
    path.write_bytes(gzip.compress(WHOLE * 40 + b"\n", 1))
    seen = []
    with closing(Source(str(path), print, lambda done, size: seen.append((done, size)))) as source:
        assert sum(1 for _ in source.lines()) > 0
    size = path.stat().st_size
    assert seen == sorted(seen)
    assert len(seen) > 5
    assert {one for _, one in seen} == {size}
    assert seen[-1] == (size, size)


def test_memory_does_not_grow_with_the_file(tmp_path):
    """Neither with its lines, nor with the entries of one array."""

    def peak(content):
        path = tmp_path / "runs"
        path.write_bytes(content)
        tracemalloc.start()
        with closing(Source(str(path), print)) as source:
            for _ in source.values():
                pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    line = b'{"n": 1, "text": "' + b"x" * 1000 + b'"}'
    assert peak(b"\n".join([line] * 8000)) < peak(b"\n".join([line] * 1000)) + 100_000
    assert peak(b"[" + b",".join([line] * 8000) + b"]") < peak(b"[" + b",".join([line] * 1000) + b"]") + 100_000


def test_what_cant_be_opened_is_an_error_of_ours(tmp_path):
    """With the file's name in it."""
    for path in (str(tmp_path / "none"), str(tmp_path), "nul\0l"):
        with pytest.raises(LadderError, match=r"none|nul|directory"):
            _ = Source(path, print).head


def test_an_empty_file_has_no_values(reading):
    """And nothing is wrong with it."""
    assert reading(b"") == ([], [])
    assert reading(b"\n \n") == ([], [])
    assert reading(gzip.compress(b"")) == ([], [])


def test_the_files_of_a_folder_are_those_that_may_hold_runs(tmp_path):
    """In the order of their names; hidden ones and others are left alone."""
    for name in ("b.jsonl", "a.json.gz", "c.txt", ".d.json"):
        (tmp_path / name).write_text("")
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "f.db").write_text("")
    assert [one.removeprefix(f"{tmp_path}/") for one in files(str(tmp_path))] == ["a.json.gz", "b.jsonl", "e/f.db"]


def test_what_is_told_cant_move_the_cursor(reading):
    """Characters that a terminal would obey are shown as what they are."""
    _, told = reading(b'{"n": 1, "\x1b[2J')
    assert all(text.isprintable() for text in told)
    heard = []
    Source("runs", heard.append).tell(3, "is \x1b[2J bad\n")
    assert heard == ["runs:3: is \\x1b[2J bad\\n"]
