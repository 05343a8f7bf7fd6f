"""Which format a file is in: found by its content, named, or told that it is none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from ladder_graph.errors import LadderError
from ladder_graph.replay.formats import NAMES, formats, read

ROOT = Path(__file__).parents[2]
TALK = json.dumps({"id": "t1", "messages": [{"role": "user", "content": "Write to Ana."}]})


def test_each_format_is_documented():
    """By its name, in the table of what is read."""
    text = (ROOT / "docs" / "traces.md").read_text()
    assert [name for name in NAMES if f"`{name}`" not in text] == []


def test_each_format_has_the_name_of_its_module():
    """So that it is found where it is looked for."""
    assert tuple(one.name for one in formats()) == NAMES


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("tests/data/traces/openinference.console.json.gz", "otel"),
        ("tests/data/traces/openinference.otlp.jsonl.gz", "otel"),
        ("tests/data/traces/genai.otlp.json.gz", "otel"),
        ("tests/data/traces/langsmith.jsonl.gz", "langsmith"),
        ("tests/data/inspect/bank.json.gz", "inspect_logs"),
        ("examples/agentdojo/runs.jsonl.gz", "agentdojo"),
    ],
)
def test_a_recording_is_recognised_as_what_it_is_and_as_nothing_else(file, name):
    """Read under its own name it gives the same."""
    path = str(ROOT / file)
    assert next(read(path, print)) == next(read(path, print, form=name))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("hello", "holds no JSON"),
        ("a,b\n1,2\n", "holds no JSON"),
        ('{"a": 1}\n{"b": 2}', r"is in none of the formats .*messages.*--format; it begins with an object of 'a'$"),
        ("{}", "is in none of the formats .*--format$"),
        ("[]", "is in none of the formats .*--format$"),
        ("[1, 2]", "is in none of the formats .*--format$"),
    ],
)
def test_what_is_in_no_format_is_an_error_that_says_what_it_is(tmp_path, content, said):
    """A file that was named itself: empty, no JSON, or JSON of another kind, with the formats there are."""
    path = tmp_path / "runs"
    path.write_text(content)
    with pytest.raises(LadderError, match=said):
        list(read(str(path), print))


def test_a_format_that_there_isnt_is_an_error(tmp_path):
    """With those that there are."""
    with pytest.raises(LadderError, match=r"there is no format 'chat'; those known are .*messages"):
        list(read(str(tmp_path), print, form="chat"))


def test_a_file_among_others_that_cant_be_read_is_told_and_the_others_are(tmp_path):
    """A folder is read as far as it can be."""
    (tmp_path / "a.jsonl").write_text(TALK)
    (tmp_path / "b.json").write_text('{"a": 1}')
    (tmp_path / "c.jsonl").write_text(TALK)
    told = []
    assert len(list(read(str(tmp_path), told.append))) == 2
    assert [text.removeprefix(str(tmp_path)).partition(":")[0] for text in told] == ["/b.json"]


def test_a_damaged_beginning_doesnt_hide_the_format(tmp_path):
    """Some lines are passed over to find one that tells."""
    path = tmp_path / "runs"
    path.write_text('{"id": "t0", "mess\n{"mesages": []}\n[[[\n' + TALK)
    told = []
    assert [run.id for run in read(str(path), told.append)] == ["t1"]
    assert [text.removeprefix(str(path)).split(":")[1] for text in told] == ["1", "2", "3"]


def test_a_file_with_nothing_in_it_says_so(tmp_path):
    """An empty one isn't of an unknown format; neither is one whose packing is cut before its first byte."""
    path = tmp_path / "runs"
    for content, why in (
        (b"", "is empty"),
        (gzip.compress(b""), "is packed, and nothing of it can be unpacked"),
        (
            gzip.compress(json.dumps([*range(2000)]).encode(), mtime=0)[:40],
            "is packed, and nothing of it can be unpacked",
        ),
    ):
        path.write_bytes(content)
        with pytest.raises(LadderError) as told:
            list(read(str(path), pytest.fail))
        assert str(told.value) == f"{path}: {why}"
