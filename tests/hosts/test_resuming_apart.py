"""Asked in one process, answered in a second, gone on with in a third; and what happens when that one dies."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import psycopg
import pytest

from tests import postgres
from tests.hosts.resumed import POLICY
from tests.programs import Program

ROOT = Path(__file__).parents[2]
END = ["", "sent to ben", "Done."]
"""What a thread holds once it has come to its end."""


class Apart:
    """A folder, and the processes that work in it."""

    def __init__(self, folder, ledger, threads):
        self.folder = folder
        self.env = {**os.environ, "FOLDER": str(folder), "THREADS": threads, "COLUMNS": "200"}
        (folder / "ladder.toml").write_text(POLICY.replace("LEDGER", ledger))

    def start(self, *words, **more):
        """A process that runs."""
        return Program(["-m", *words], ROOT, {**self.env, **more})

    def step(self, *words):
        """One step, to its end."""
        done = self.start("tests.hosts.resumed", *words)
        said = done.said()
        assert done.returncode == 0, said
        return json.loads(said.splitlines()[-1])

    def worker(self, *options, **more):
        """A worker."""
        return self.start("ladder_graph.cli", "resume-worker", "tests.hosts.resumed:make", *options, **more)

    def lines(self, file):
        """What was written down."""
        path = self.folder / file
        return path.read_text().splitlines() if path.exists() else []

    def until(self, holds, seconds=40):
        """Wait until something holds."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.02)


@pytest.fixture(params=["sqlite", "postgres"])
def apart(request, tmp_path):
    """Ledger and threads on each database."""
    if request.param == "sqlite":
        yield Apart(tmp_path, "ladder.db", str(tmp_path / "threads.db"))
        return
    ledger, base = postgres.new_ledger(), postgres.new_ledger()
    schema = base.rpartition("=")[2]
    server = postgres.server().get_uri()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    yield Apart(tmp_path, ledger, f"{server}&options=-csearch_path%3D{schema}")
    postgres.drop(ledger)
    postgres.drop(base)


def test_a_third_process_goes_on(apart):
    """The worker knows neither who asked nor who answered; the thread comes to its end, once."""
    assert apart.step("ask", "1")["1"] == [["confirm"], [""]]
    (words,) = apart.step("approve")["words"]
    assert (
        words
        == "thread 1 goes on when a worker runs (ladder resume-worker MODULE:GRAPH), or at graph.invoke(None, config)."
    )
    worker = apart.worker("--once")
    said = worker.said()
    assert worker.returncode == 0, said
    assert "went on: thread 1, send: approve" in said
    assert apart.step("look", "1")["1"] == [[], END]
    assert apart.lines("effects") == ["ben"]
    # What is done is done: another one finds nothing.
    again = apart.worker("--once").said()
    assert "went on" not in again
    assert apart.lines("effects") == ["ben"]


def test_two_workers_race_for_many_threads(apart):
    """Each thread is run by one of them: one effect, one further turn of the model, and no message twice."""
    threads = [str(n) for n in range(6)]
    apart.step("ask", *threads)
    workers = [apart.worker("--poll", "0.01") for _ in range(2)]
    apart.step("approve")
    apart.until(lambda: len(apart.lines("model")) >= 2 * len(threads))
    found = apart.step("look", *threads)
    apart.until(lambda: all(one == [[], END] for one in apart.step("look", *threads).values()))
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        said = worker.said()
        assert worker.returncode == 0, said
        assert said.rstrip().endswith("stopped")
    assert len(found) == len(threads)
    assert apart.lines("effects") == ["ben"] * len(threads)
    assert len(apart.lines("model")) == 2 * len(threads)


def test_whoever_answers_is_told_that_a_worker_lives(apart):
    """The words after an answer are what really happens next."""
    apart.step("ask", "1")
    worker = apart.worker()
    first = worker.stdout.readline()
    assert "going on with threads of ops, in process" in first
    assert apart.step("approve")["words"] in (
        ["a worker is about to go on with thread 1"],
        ["a worker goes on with thread 1 now"],
        [],
    )
    apart.until(lambda: apart.lines("effects") == ["ben"])
    worker.send_signal(signal.SIGTERM)
    assert worker.said().rstrip().endswith("stopped")


@pytest.mark.parametrize(
    ("held", "told", "effects"),
    [("model", END, ["ben"]), ("tool", None, [])],
)
def test_a_worker_that_is_killed_is_replaced(apart, held, told, effects):
    """Kill -9 while the thread runs: the next worker goes on from there, and what may have run isn't run again."""
    apart.step("ask", "1")
    apart.step("approve")
    first = apart.worker(HOLD=held)
    apart.until(lambda: apart.lines("held") == [held])
    # Who lives and is slow keeps the thread.
    assert "went on" not in apart.worker("--once").said()
    first.end()
    second = apart.worker("--poll", "0.05")
    apart.until(lambda: apart.step("look", "1")["1"][0] == [])
    second.send_signal(signal.SIGTERM)
    said = second.said()
    assert second.returncode == 0, said
    found = apart.step("look", "1")["1"][1]
    assert apart.lines("effects") == effects
    if told is None:
        assert "nobody knows whether it took effect" in found[1]
    else:
        assert found == told


def test_threads_in_memory_are_refused(tmp_path):
    """A worker would look for them in vain, forever."""
    apart = Apart(tmp_path, "ladder.db", "")
    (tmp_path / "kept.py").write_text(
        "from langgraph.checkpoint.memory import InMemorySaver\n"
        "from langchain.agents import create_agent\n"
        "from ladder_graph import Ladder\n"
        "from ladder_graph.testing import ScriptedModel\n"
        "ladder = Ladder(agent='ops', rungs={}, ledger='ladder.db')\n"
        "graph = ladder.wrap(create_agent(ScriptedModel(answers=[]), [print], checkpointer=InMemorySaver()))\n"
        "bare = create_agent(ScriptedModel(answers=[]), [print], checkpointer=InMemorySaver())\n"
        "number = 3\n"
    )
    for name, complaint in [
        ("graph", "keeps its threads in memory"), ("bare", "under no ladder"), ("number", "is a int, and no graph"),
    ]:  # fmt: skip
        done = Program(["-m", "ladder_graph.cli", "resume-worker", f"kept:{name}", "--once"], tmp_path, apart.env)
        said = done.said()
        assert done.returncode == 2
        assert complaint in " ".join(said.split())
