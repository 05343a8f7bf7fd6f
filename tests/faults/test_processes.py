"""Several processes at one ledger: exact quotas, owners that are killed or stopped, and forks."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from contextlib import closing
from pathlib import Path

import pytest

from ladder_graph.errors import LedgerError
from ladder_graph.ledger import Store
from ladder_graph.states import State
from ladder_graph.steps import Claimed
from tests.faults.crashing import CONTEXT
from tests.unit.ledger.desk import CALL, Desk, at, call, charge


def start(function, *args):
    """Run it in a process of its own."""
    process = CONTEXT.Process(target=function, args=args, daemon=True)
    process.start()
    return process


def all_ended(processes):
    """Whether each of them ended well."""
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes] == [0] * len(processes)


# --- quotas --------------------------------------------------------------------------------------------------


def take(path, name, tries, ready):
    """Claim as often as told, and settle what was got in one of several ways."""
    with closing(Desk(path)) as desk:
        ready.wait()
        for number in range(tries):
            one = call(f"{name}_{number}")
            if desk.claim(one, charge(amount=1 + number % 3, limit=60)) == Claimed(1):
                desk.record(("done", "done", "failed", "unknown")[number % 4], one)


def test_four_processes_share_a_limit(tmp_path):
    """However many draw at once, no more is granted than the limit, and the counter is what the states add up to."""
    path, ready = tmp_path / "ladder.db", CONTEXT.Event()
    processes = [start(take, path, name, 40, ready) for name in range(4)]
    ready.set()
    assert all_ended(processes)
    with at(path) as desk:
        used, held = desk.quota()
        assert used + held <= 60
        amounts = dict(desk.rows("SELECT state, count(*) FROM action GROUP BY state"))
        assert set(amounts) <= {"done", "failed", "unknown"}
        assert desk.rows("SELECT sum(amount) FROM hold") == [(held or None,)]
        assert desk.look(CALL, charge(limit=60)).left[0][1] == 60 - used - held
        assert desk.claim(CALL, charge(amount=3, limit=60)).code == "quota" or used + held <= 57
        assert desk.verify() == ()


def test_threads_share_a_limit(tmp_path):
    """Sixteen threads of one process get exactly what there is."""
    with at(tmp_path / "ladder.db") as desk:
        got = []
        threads = [
            threading.Thread(target=lambda n=n: got.append(desk.claim(call(n), charge(limit=10)))) for n in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(found == Claimed(1) for found in got) == 10
        assert desk.quota() == (0, 10)
        assert desk.verify() == ()


def one_claim(path, ready):
    """Claim the one call, and say by the exit code whether it was got."""
    with closing(Desk(path)) as desk:
        ready.wait()
        got = desk.claim()
        desk.store.close()
        raise SystemExit(0 if got == Claimed(1) else 7)


def test_one_call_is_claimed_by_one_process(tmp_path):
    """Four processes want the very same call at once: one gets it."""
    for round_ in range(3):
        path, ready = tmp_path / f"{round_}.db", CONTEXT.Event()
        processes = [start(one_claim, path, ready) for _ in range(4)]
        ready.set()
        for process in processes:
            process.join(60)
        assert sorted(process.exitcode for process in processes) == [0, 7, 7, 7]


def make(path, ready):
    """Open a ledger that may not be there yet."""
    ready.wait()
    with at(path) as desk:
        desk.claim(call(os.getpid()))


def test_a_new_ledger_is_made_by_several_at_once(tmp_path):
    """Processes that start together make one ledger, and none of them fails."""
    for round_ in range(3):
        path, ready = tmp_path / f"{round_}.db", CONTEXT.Event()
        processes = [start(make, path, ready) for _ in range(4)]
        ready.set()
        assert all_ended(processes)
        with at(path) as desk:
            assert len(desk.rows("SELECT * FROM action")) == 4
            assert desk.verify() == ()


# --- owners --------------------------------------------------------------------------------------------------


def hold(path, pipe):
    """Claim the call and go on living."""
    desk = Desk(path)
    pipe.send(desk.claim(CALL, charge()))
    pipe.recv()
    pipe.send(desk.record("done", reply=b"late"))


@pytest.fixture
def owner(tmp_path):
    """A process that has claimed the call, and its other end."""
    here, there = CONTEXT.Pipe()
    process = start(hold, tmp_path / "ladder.db", there)
    assert here.recv() == Claimed(1)
    yield process, here
    process.kill()
    process.join()
    here.close()


def test_a_killed_owner_is_dead_at_once(tmp_path, owner):
    """No time-out has to pass: the lock is gone with the process."""
    process, _ = owner
    with at(tmp_path / "ladder.db") as desk:
        assert desk.look().known.owner_alive
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert not desk.look().known.owner_alive
        assert desk.take_over(1) == Claimed(2)


def test_a_stopped_owner_lives(tmp_path, owner):
    """A process that stands still may go on at any moment, so nobody may run its action; its own word counts."""
    process, pipe = owner
    with at(tmp_path / "ladder.db") as desk:
        os.kill(process.pid, signal.SIGSTOP)
        assert desk.look().known.owner_alive
        assert desk.take_over(1).code == "busy"
        assert desk.claim().code == "busy"
        os.kill(process.pid, signal.SIGCONT)
        pipe.send("go on")
        assert pipe.recv() is True
        assert (desk.state(), desk.look().known.reply, desk.quota()) == (State.DONE, b"late", (1, 0))


# --- forks ---------------------------------------------------------------------------------------------------


def in_a_fork(work):
    """Do it in a fork of this very process, and hand back what it came to."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def refused(use):
    """Why it was refused; empty where it wasn't."""
    try:
        use()
    except LedgerError as wrong:
        return str(wrong)
    return ""


@pytest.fixture
def forking():
    """Threads of the suite's own are no reason not to fork here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@pytest.mark.usefixtures("forking")
class TestForks:
    """A store that was opened before a fork, used on both sides of it."""

    def test_a_child_is_refused(self, tmp_path):
        """It can neither use the parent's store nor open the file again, under whatever name; the parent goes on."""
        (tmp_path / "link.db").symlink_to("ladder.db")
        with at(tmp_path / "ladder.db") as desk:
            desk.claim()

            def child():
                uses = [desk.look, desk.claim, lambda: desk.store.owner, lambda: Store(str(tmp_path / "link.db"))]
                return sum("SQLite can't cross a fork" in refused(use) for use in uses)

            assert in_a_fork(child) == 4
            assert desk.look().known.owner_alive
            assert desk.record("done")
            assert desk.verify() == ()

    def test_a_child_may_open_another_ledger(self, tmp_path):
        """What its parent didn't have open is its own."""
        with at(tmp_path / "ladder.db"):

            def child():
                with at(tmp_path / "another.db") as desk:
                    return desk.claim().fence

            assert in_a_fork(child) == 1

    def test_what_was_closed_before_the_fork_may_be_opened_in_the_child(self, tmp_path):
        """Closing in time is a way out."""
        with at(tmp_path / "ladder.db") as desk:
            desk.claim()

        def child():
            with at(tmp_path / "ladder.db") as desk:
                return desk.take_over(1).fence

        assert in_a_fork(child) == 2

    def test_a_child_does_not_keep_its_dead_parent_alive(self, tmp_path):
        """A lock that both hold would outlive the parent, so the child lets go of it at once."""
        path = tmp_path / "ladder.db"
        come, go = os.pipe(), os.pipe()

        def parent():
            desk = Desk(path)
            desk.claim()
            if os.fork() == 0:
                os.write(come[1], b"x")
                os.read(go[0], 1)
                os._exit(0)
            os.kill(os.getpid(), signal.SIGKILL)

        assert in_a_fork(parent) == -signal.SIGKILL
        os.read(come[0], 1)
        with at(path) as desk:
            assert not desk.look().known.owner_alive
        os.write(go[1], b"x")
        for end in (*come, *go):
            os.close(end)

    def test_a_fork_in_the_middle_of_a_write_blocks_nobody(self, tmp_path):
        """Another thread held the locks at the fork: the child is refused at once, and the write goes on."""
        with at(tmp_path / "ladder.db") as desk:
            inside, go_on = threading.Event(), threading.Event()

            def slow(cursor):
                inside.set()
                go_on.wait()

            writing = threading.Thread(target=desk.store.write, args=(slow,))
            writing.start()
            inside.wait()
            assert in_a_fork(lambda: "fork" in refused(desk.claim)) == 1
            go_on.set()
            writing.join()
            assert desk.claim() == Claimed(1)

    def test_a_ledger_in_memory_stays_with_its_process(self):
        """A child has no part in it, since what it wrote there would be lost; it may have one of its own."""
        with closing(Store(":memory:")) as store:

            def child():
                with closing(Store(":memory:")) as own:
                    own.write(lambda _: None)
                return "fork" in refused(lambda: store.write(lambda _: None))

            assert in_a_fork(child) == 1
            assert store.write(lambda _: "mine") == "mine"

    def test_a_closed_store_stays_closed(self, tmp_path):
        """A fork doesn't open what was closed."""
        store = Store(str(tmp_path / "ladder.db"))
        store.close()
        assert in_a_fork(lambda: "it was closed" in refused(lambda: store.owner)) == 1


def test_the_queue_file_lies_beside_the_ledger(tmp_path):
    """Locks lie in files of their own, so that no process touches the database to wait for it."""
    with at(tmp_path / "ladder.db") as desk:
        desk.claim()
        names = {file.name for file in Path(tmp_path).iterdir()}
        assert {"ladder.db.queue", "ladder.db.owners"} <= names
    assert not list((tmp_path / "ladder.db.owners").iterdir())
