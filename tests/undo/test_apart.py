"""An undo in another process, which has nothing but the artifact."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest

from ladder_graph.errors import NotRegistered
from ladder_graph.references import at_home, resolve
from ladder_graph.states import State
from ladder_graph.tools import declaration_of
from ladder_graph.undo import touched_from, undo_apart, undo_from
from ladder_graph.undo.running import FORM
from tests.undo import home
from tests.undo.sequences import made

ARTIFACT = {
    "form": FORM, "state": {}, "before": None, "undo": "tests.undo.elsewhere:put_back", "fingerprint": None,
    "conditional": False, "kind": "reversible", "ttl": None, "resource": None, "version": "", "home": "tests.undo.home",
}  # fmt: skip


def test_the_tools_module_makes_its_undo_known():
    """The artifact names it, so that another process finds an undo that is declared elsewhere."""
    artifact = made(declaration_of(home.send), {"to": "ana"})
    assert artifact["home"] == "tests.undo.home"
    assert undo_apart(artifact, None).state is State.UNDONE
    lost = undo_apart({**artifact, "home": ""}, None)
    assert lost.state is State.UNDO_FAILED
    assert "put_back was not registered as undo" in lost.text


@pytest.mark.parametrize(
    ("tampered", "why"),
    [
        ({"undo": "os:system"}, "os:system was not registered as undo"),
        ({"undo": "tests.undo.elsewhere:never_declared"}, "was not registered"),
        ({"undo": "no.such.module:undo"}, "can't be imported"),
        ({"undo": "tests.undo.elsewhere"}, "is no import path"),
        ({"undo": "ladder_graph.undo.filesystem:present"}, "was not registered as undo"),
        ({"undo": None}, "names no undo"),
        ({"fingerprint": "os:getcwd"}, "was not registered as fingerprint"),
        ({"form": 2}, "names no undo"),
        ({"home": "no.such.module", "undo": "os:system"}, "can't be imported"),
        ({"undo": 3}, "AttributeError"),
    ],
)
def test_a_tampered_artifact_runs_nothing(tampered, why):
    """Only functions that somebody declared for this very use are run."""
    outcome = undo_from({**ARTIFACT, **tampered}, None)
    assert outcome.state is State.UNDO_FAILED
    assert why in outcome.text
    assert touched_from({**ARTIFACT, **tampered}) is None


def test_nothing_of_an_artifact_is_needed_to_refuse_it():
    """An empty one fails, too."""
    assert undo_from({}, None).state is State.UNDO_FAILED


def test_what_an_undo_prints_is_no_answer():
    """Standard output belongs to the answer."""
    assert undo_apart(made(home.TALKING, {}), None).state is State.UNDONE


def test_an_undo_that_takes_too_long_is_stopped():
    """Its process is killed."""
    outcome = undo_apart(made(home.HANGING, {}), None, timeout=2)
    assert (outcome.state, outcome.text) == (State.UNDO_FAILED, "it took longer than 2s and was stopped")


def free(lock):
    """Whether nobody holds the lock any more, or lets go of it in a while."""
    end = time.monotonic() + 60
    with lock.open("r") as file:
        while time.monotonic() < end:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.02)
            else:
                return True
    return False


def test_what_an_undo_has_started_is_stopped_with_it(tmp_path):
    """A child that would go on, and change things when nobody expects it, is killed with its undo."""
    kept = {"lock": str(tmp_path / "lock"), "started": str(tmp_path / "started")}
    for limit in (1, 2, 4, 8, 16, 32):  # Until it came so far, however slow the machine is.
        outcome = undo_apart(made(home.PARENTAL, kept), None, timeout=limit)
        assert outcome.text == f"it took longer than {limit}s and was stopped"
        if (tmp_path / "started").exists():
            break
    assert (tmp_path / "started").exists()
    assert free(tmp_path / "lock")


def test_what_an_undo_has_started_goes_with_who_asked(tmp_path):
    """When the process that wanted the undo is killed, nothing of it goes on: the next one begins anew."""
    kept = {"lock": str(tmp_path / "lock"), "started": str(tmp_path / "started")}
    asking = f"from ladder_graph.undo import undo_apart; undo_apart({made(home.PARENTAL, kept)!r}, None)"
    with subprocess.Popen([sys.executable, "-c", asking]) as process:
        until((tmp_path / "started").exists)
        process.kill()
    assert free(tmp_path / "lock")


def until(holds):
    """Wait until something holds."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_an_undo_leaves_running_goes_on(tmp_path):
    """It ended by itself, and may have been there to start something again."""
    kept = {"lock": str(tmp_path / "lock"), "started": str(tmp_path / "started")}
    assert undo_apart(made(home.LEAVING, kept), None).state is State.UNDONE
    child = int((tmp_path / "started").read_text())
    with (tmp_path / "lock").open("r") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.kill(child, signal.SIGKILL)


def test_an_undo_that_ends_its_process_has_failed():
    """So has one that is killed."""
    assert "its process ended with 3" in undo_apart(made(home.CRASHING, {}), None).text
    killed = undo_apart(made(declaration_of(home.send), {"to": "x"}), None, killed=True)
    assert "its process ended with -9" in killed.text


def test_the_program_that_was_started_is_not_imported_again():
    """A home of `__main__` is none."""
    with at_home("__main__"), pytest.raises(NotRegistered):
        resolve("undo", "tests.undo.elsewhere:never_declared")
