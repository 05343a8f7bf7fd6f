"""Programs as health checks: what they say, what they get, and that they end."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from ladder_graph.policy.checks import Command
from ladder_graph.watch import Surroundings, measured
from ladder_graph.watch.readiness import unready


def verdict(*argv, arguments=None, **fields):
    """The verdict of one run."""
    return measured(Command(argv=argv, **fields), arguments or {}, Surroundings()).verdict


def python(code, **fields):
    """A check that runs Python."""
    return Command(argv=(sys.executable, "-I", "-c", code), **fields)


@pytest.mark.parametrize(
    ("code", "said"), [(0, "good"), (1, "bad"), (74, "bad"), (75, "inconclusive"), (76, "bad"), (255, "bad")]
)
def test_the_exit_code_says_it(code, said):
    """0 is good, 75 saw nothing, everything else is bad."""
    assert verdict("sh", "-c", f"exit {code}") == said


def test_a_program_that_was_killed_is_bad():
    """A crash is no health."""
    assert verdict("sh", "-c", "kill -9 $$") == "bad"


def test_a_program_that_is_not_there_is_no_result():
    """Nothing was measured."""
    assert verdict("/nowhere/check") == "inconclusive"
    assert verdict("no-such-program-anywhere") == "inconclusive"


def test_it_reads_the_arguments_as_json_and_no_shell_sees_them(tmp_path):
    """They come by standard input alone; what looks like a command in them is text."""
    path = tmp_path / "given"
    arguments = {"to": f"$(touch {tmp_path}/owned); `touch {tmp_path}/owned`", "n": [1, None], "é": "\U0001f600"}
    check = Command(argv=("sh", "-c", f"cat > {path}", "$(touch owned)"))
    assert measured(check, arguments, Surroundings()).verdict == "good"
    assert json.loads(path.read_text()) == arguments
    assert [one.name for one in tmp_path.iterdir()] == ["given"]


def test_a_program_may_leave_its_input_unread():
    """More than a pipe holds."""
    assert verdict("true", arguments={"text": "x" * 1_000_000}) == "good"


def test_it_inherits_what_the_policy_names_and_nothing_else(tmp_path, monkeypatch):
    """No key of this process gets to it; one that is named and isn't there is no result."""
    monkeypatch.setenv("SHOP_URL", "http://shop.example")
    monkeypatch.setenv("SHOP_SECRET", "hush")
    path = tmp_path / "environment"
    assert verdict("sh", "-c", f"/usr/bin/env > {path}", env=["SHOP_URL"]) == "good"
    assert {line.partition("=")[0] for line in path.read_text().splitlines()} <= {"SHOP_URL", "PWD", "SHLVL", "_"}
    assert "SHOP_URL=http://shop.example" in path.read_text()
    assert verdict("true", env=["NOT_SET_ANYWHERE"]) == "inconclusive"


def dead(process):
    """Whether a process is gone, or only waits for whoever collects orphans."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return True
    return status.rpartition(")")[2].split()[0] in "ZX"


def wait_for(true):
    """Wait until it is true. A signal was sent; on a busy machine it takes a moment to arrive."""
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it never came true")


def test_a_program_that_does_not_end_is_killed_with_what_it_started(tmp_path):
    """It is no result, and nothing of it runs on."""
    path = tmp_path / "pids"
    code = f"sleep 60 & echo $! > {path}; echo $$ >> {path}; wait"
    found = measured(Command(argv=("sh", "-c", code), timeout=0.5), {}, Surroundings())
    assert (found.verdict, found.text) == ("inconclusive", "the health check sh had not ended after 0.5 seconds")
    child, itself = map(int, path.read_text().split())
    with pytest.raises(ProcessLookupError):
        os.kill(itself, 0)
    wait_for(lambda: dead(child))


def test_the_doctor_says_what_could_not_be_run(monkeypatch):
    """Without running it."""
    assert unready(Command(argv=["true"])) is None
    assert "there is no such program" in unready(Command(argv=["/nowhere/check"]))
    assert "no environment variable SHOP_URL" in unready(Command(argv=["true"], env=["SHOP_URL"]))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert unready(Command(argv=[Path(sys.executable).name], env=["PATH"])) is None
    assert unready(python(f"import os; os.kill(os.getppid(), {int(signal.SIGKILL)})")) is None
