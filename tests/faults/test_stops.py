"""SIGSTOP of a process that has started an action: it may go on at any moment, so nobody else runs its action."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager

import pytest

from ladder_graph.ledger import Store
from ladder_graph.states import State
from ladder_graph.turns import awaiting
from tests.faults.conftest import BACKENDS
from tests.faults.crashing import CALL, CONTEXT, KINDS, MODEL, Host, run
from tests.faults.matrix import check


class Slow(Host):
    """A host whose effect says when it begins, and waits to be let go on."""

    def execute(self, call, *, again=False):
        """The effect, and the wait before or after it."""
        done = super().execute(call) if self.half else None
        self.pipe.send("in the effect")
        self.pipe.recv()
        return done or super().execute(call)


def act(place, pipe, half):
    """Run the call; the effect waits for the pipe, before or after it has taken place."""
    ladder, host = place.ladder(), Slow(place.world)
    host.pipe, host.half = pipe, half
    pipe.send(ladder.run(CALL, MODEL, host).state)
    ladder.close()


def claim_slowly(place, pipe):
    """Run the call; its claim waits in the middle of the transaction."""
    write, waited = Store.write, []

    def waiting(self, work, *, durable=True):
        def slow(cursor):
            done = work(cursor)
            if durable and not waited:  # What was only hoped for may be tried a second time.
                waited.append(True)
                getattr(cursor, "sync", lambda: None)()  # What stands in line is sent to the server.
                pipe.send("in the claim")
                pipe.recv()
            return done

        return write(self, slow, durable=durable)

    ladder = place.ladder()
    Store.write = waiting
    pipe.send(ladder.run(CALL, MODEL, Host(place.world)).state)
    ladder.close()


@contextmanager
def stopped(act, place, *args):
    """A process that stands still where it said something, and its pipe; at the end it is gone."""
    here, there = CONTEXT.Pipe()
    process = CONTEXT.Process(target=act, args=(place, there, *args))
    process.start()
    assert here.poll(30), "it never came there"
    here.recv()
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield process, here
    finally:
        process.kill()
        process.join()


def goes_on(process, pipe):
    """Let it go on, and hear what it came to."""
    os.kill(process.pid, signal.SIGCONT)
    pipe.send("go on")
    assert pipe.poll(30)
    return pipe.recv()


def the_owner_stands_still(where, *, half):
    """Check that nobody else runs what a stopped process has started, and that it ends it itself."""
    with stopped(act, where, half) as (process, pipe), pytest.MonkeyPatch.context() as patch:
        patch.setattr(awaiting, "PATIENCE", 0.1)
        reply = run(where)
        assert (reply.state, "still running elsewhere" in reply.text) == (State.REFUSED, True)
        assert where.world.effects() == int(half)
        ladder = where.ladder()
        assert ladder.in_doubt() == []
        ladder.close()
        assert goes_on(process, pipe) is State.DONE
    assert check(where) == (State.DONE, 1)
    assert run(where).state is State.DONE
    assert check(where) == (State.DONE, 1)


@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgres", marks=pytest.mark.faults)])
@pytest.mark.parametrize("half", [False, True], ids=["before it took place", "after it took place"])
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in {"neither", "probe"} else pytest.mark.faults) for kind in KINDS]
)
def test_the_owner_stands_still_in_its_effect(place, backend, kind, half):
    """Another process is told that it runs elsewhere, whatever a probe would say; then the owner ends it, once."""
    the_owner_stands_still(place(backend, kind=kind), half=half)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_owner_is_killed_where_it_stood_still(place, backend):
    """Once it is dead it is found out about, as after any crash."""
    where = place(backend, kind="neither")
    with stopped(act, where, True):
        pass
    assert run(where).state is State.UNKNOWN
    assert check(where) == (State.UNKNOWN, 1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_process_stands_still_in_its_claim(place, backend):
    """Whoever wants the same call waits for the transaction to end, and the call runs once."""
    where = place(backend, kind="neither")
    with stopped(claim_slowly, where) as (process, pipe):
        replies = []
        other = threading.Thread(target=lambda: replies.append(run(where)))
        other.start()
        other.join(0.3)
        assert (other.is_alive(), where.world.effects()) == (True, 0)
        assert goes_on(process, pipe) is State.DONE
        other.join(30)
    assert [reply.state for reply in replies] == [State.DONE]
    assert check(where) == (State.DONE, 1)
