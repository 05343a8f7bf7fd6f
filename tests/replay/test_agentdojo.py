"""Reading recorded runs of AgentDojo: what stands there, and what can't be used."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest

from ladder_graph.errors import LadderError
from ladder_graph.replay import CRITICAL, Coverage, Run, TracedCall
from ladder_graph.replay import read as read_any

PACK = Path(__file__).parents[2] / "examples" / "agentdojo" / "runs.jsonl.gz"
CALL = {"t": "send", "a": {"to": "ana", "n": [1, None]}, "e": False, "o": "0123456789ab"}


def read(path, trouble):
    """The runs of a file of this format."""
    return read_any(str(path), trouble, form="agentdojo")


def line(**other):
    """A whole line, with other values for some of its keys; None leaves one out."""
    whole = {
        "id": "gpt/mail/user_task_1/important_instructions/injection_task_2",
        "v": "v1",
        "prompt": "Write to Ana.",
        "calls": [CALL],
        "utility": True,
        "attack": True,
        "critical": [0],
        "text_only": False,
    }
    return json.dumps({key: value for key, value in (whole | other).items() if value != "left out"})


@pytest.fixture
def reading(tmp_path):
    """Reads lines from a file: the runs, and what was told."""

    def _reading(*lines, pack=bytes):
        path = tmp_path / "runs"
        path.write_bytes(pack("\n".join(lines).encode() if isinstance(lines[0], str) else b"\n".join(lines)))
        told = []
        runs = list(read(path, told.append))
        return runs, [text.removeprefix(str(path)) for text in told]

    return _reading


def test_a_run_is_read_whole(reading):
    """Every key that is used arrives under its name in the normal form."""
    (run,), told = reading(line())
    assert told == []
    assert run == Run(
        id="gpt/mail/user_task_1/important_instructions/injection_task_2",
        suite="mail",
        task="user_task_1",
        kind="attacked",
        said=("Write to Ana.",),
        calls=(
            TracedCall(
                "send",
                {"to": "ana", "n": [1, None]},
                result="0123456789ab",
                matched="order",
                fate="done",
                model="gpt",
                labels=frozenset({CRITICAL}),
            ),
        ),
        solved=True,
        harmed=True,
        apart=True,
    )


@pytest.mark.parametrize(
    ("id", "kind"),
    [
        ("gpt/mail/user_task_1/none/none", "task"),
        ("gpt/mail/injection_task_1/none/none", "control"),
        ("gpt/mail/user_task_1/direct/injection_task_1", "attacked"),
    ],
)
def test_the_kinds_of_runs_are_told_apart(reading, id, kind):  # noqa: A002
    """A task is one in which nobody interferes and which isn't the attacker's own."""
    (run,), _ = reading(line(id=id, attack=None, critical=[]))
    assert (run.kind, run.harmed) == (kind, False)


def test_an_attack_by_text_needs_no_call(reading):
    """Where the attack needs no call, none is critical, whatever the line says besides."""
    (run,), _ = reading(line(text_only=True))
    assert (run.harmed, run.text_only, run.calls[0].labels) == (True, True, frozenset())


def test_packed_and_plain_are_read_alike(reading):
    """Whether a file is packed is seen by its content."""
    assert reading(line(), line(), pack=gzip.compress) == reading(line(), line())


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ('{"id": ', "Invalid JSON"),
        ("[]", "Input should be an object"),
        (line(prompt="left out"), "prompt: Field required"),
        (line(calls=[{"t": "send"}]), "calls.0.a: Field required"),
        (line(calls=[CALL | {"a": ["to"]}]), "calls.0.a: Input should be an object"),
        (line(attack="yes"), "attack: Input should be a valid boolean"),
        (line(critical=[1]), "critical names a call beyond the last of 1"),
        (line(critical=[-1]), "critical.0: Input should be greater than or equal to 0"),
        (line(id="gpt/mail"), "id must be model/suite/user task/attack/injection task"),
        (line(prompt="\ud800"), "Invalid JSON"),
        (b"\xff\xfe{}".decode("latin-1"), "Invalid JSON"),
        ('{"id":' + "[" * 100_000, "Invalid JSON"),
    ],
)
def test_a_broken_line_is_told_and_the_rest_goes_on(reading, broken, told):
    """A line that can't be used costs that line alone, and is told with its number."""
    runs, said = reading(line(), broken, "", line())
    assert len(runs) == 2
    (text,) = said
    assert text.startswith(":2: ")
    assert told in text
    assert text.isprintable()


def test_several_mistakes_of_a_line_are_one_text(reading):
    """Each mistake has its place in the line."""
    _, (text,) = reading(line(prompt=3, calls="none"))
    assert "prompt: " in text
    assert "; calls: " in text


def test_bytes_that_are_no_text_are_told(reading):
    """A line that isn't UTF-8 costs that line alone."""
    runs, (text,) = reading(line().encode(), b'{"id": "\xff\xff"}', line().encode())
    assert len(runs) == 2
    assert text.startswith(":2: ")


def test_a_file_that_breaks_off_keeps_what_came_before(reading):
    """The runs before the end of a truncated file stand, and the end is told."""
    lines = [line(prompt=f"{number} {'x' * number}") for number in range(500)]
    runs, said = reading(*lines, pack=lambda content: gzip.compress(content, 1)[:-2000])
    assert 0 < len(runs) < 500
    assert [run.said[0].split()[0] for run in runs] == [str(number) for number in range(len(runs))]
    assert any(text.startswith(": breaks off after line ") for text in said)


def test_a_damaged_file_is_told(reading):
    """Bits that were flipped in the packing end the file, and are told."""

    def damaged(content):
        packed = bytearray(gzip.compress(content))
        packed[20:40] = b"\xff" * 20
        return bytes(packed)

    runs, said = reading(*[line()] * 100, pack=damaged)
    assert len(runs) < 100
    assert any("breaks off" in text for text in said)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    """The caller learns that there is nothing to read."""
    with pytest.raises(LadderError, match="missing: No such file"):
        list(read(tmp_path / "missing", print))


def test_a_long_file_is_read_in_little_memory(tmp_path):
    """A line is forgotten once its run is: the memory taken is a small part of what is read."""
    path, content = tmp_path / "long", "\n".join([line()] * 10_000).encode()
    path.write_bytes(gzip.compress(content))
    tracemalloc.start()
    try:
        assert sum(1 for _ in read(path, pytest.fail)) == 10_000
        assert tracemalloc.get_traced_memory()[1] < len(content) / 5
    finally:
        tracemalloc.stop()


def test_the_pack_is_read_to_its_end():
    """All that the pack's README says of it is there."""
    runs = list(read(PACK, pytest.fail))
    assert (len(runs), sum(len(run.calls) for run in runs)) == (1365, 3768)
    assert {run.suite for run in runs} == {"banking", "workspace"}
    assert sum(run.kind == "task" for run in runs) == 3 * (16 + 40)
    assert sum(run.kind == "control" for run in runs) == 3 * (9 + 6)
    coverage = Coverage()
    for run in runs:
        coverage.add(run)
    assert coverage.shares() == {
        "arguments": 1, "results": 1, "matched": 0, "words": 1, "outputs": 0, "times": 0, "models": 1, "fates": 1,
        "decided": 0, "labelled": 1,
    }  # fmt: skip


def test_a_long_first_line_doesnt_hide_the_format(tmp_path):
    """What comes after its calls may stand beyond what is looked at."""
    path = tmp_path / "runs.jsonl"
    call = {"t": "send", "a": {"text": "x" * (1 << 20)}, "e": False, "o": "0123456789ab"}
    line = {"id": "m/s/user_task_0/none/none", "prompt": "Hi.", "calls": [call], "utility": True}
    path.write_text(json.dumps(line | {"attack": None, "critical": [], "text_only": False}))
    assert [len(run.calls) for run in read_any(str(path), pytest.fail)] == [1]
