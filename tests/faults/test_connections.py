"""PostgreSQL goes away: a connection lost around COMMIT, in the effect, for good, and a server that is killed.

A real proxy loses what the server said, or what it was told; nothing here is played.
"""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest
from sqlalchemy import text

from ladder_graph.errors import LedgerUnwritable
from ladder_graph.ledger.database import postgres as driver
from ladder_graph.ledger.database.cursor import Hoped
from ladder_graph.states import State
from ladder_graph.steps import Claim, Heard, Pose, Record, TakeOver
from ladder_graph.turns.turn import Turn
from tests import postgres as servers
from tests.faults.crashing import CALL, MODEL, Host, Point, go_on, killed, run
from tests.faults.matrix import check
from tests.faults.proxy import Proxy

LOST = pytest.mark.parametrize("lost", ["answer", "request"])


@pytest.fixture
def place(place):
    """A place on the server, reached without a detour."""
    return place("postgres")


@pytest.fixture
def proxy(place):
    """A detour to it."""
    with closing(Proxy(place.ledger)) as opened:
        yield opened


@pytest.fixture
def lose_at(monkeypatch, proxy):
    """Lets the proxy lose something at the end of a step's transaction."""

    def lose(lost, *steps, times=1):
        transaction = Turn.transaction

        def losing(self, step):
            found = transaction(self, step)
            if found is None or not isinstance(step, steps):
                return found

            def work(cursor):
                done = found[0](cursor)
                # The first claim of a window is hoped for in vain; what there is to lose comes after.
                if proxy.cuts < times and not (isinstance(done, Hoped) and isinstance(step, Claim)):
                    proxy.lose = (lost, self.store.database.writer.info.backend_pid)
                return done

            return work, found[1]

        monkeypatch.setattr(Turn, "transaction", losing)

    return lose


@LOST
@pytest.mark.parametrize("step", [Pose, Heard, Claim, Record])
def test_a_connection_is_lost_at_commit(place, proxy, lose_at, step, lost):
    """Whether or not the server got it, the step is done once, and so is the effect."""
    where = place.called(way="in band")
    lose_at(lost, step)
    assert run(where.called(ledger=proxy.url)).state is State.DONE
    assert proxy.cuts == 1
    assert check(where) == (State.DONE, 1)


@LOST
def test_a_connection_is_lost_while_one_finds_out(place, proxy, lose_at, lost):
    """The one who takes over is the one who goes on."""
    where = place.called(kind="probe")
    assert killed(run, where, Point("before", "effect"))
    lose_at(lost, TakeOver)
    assert run(where.called(ledger=proxy.url)).state is State.DONE
    assert proxy.cuts == 1
    assert check(where) == (State.DONE, 1)


def test_every_answer_is_lost(place, proxy, lose_at):
    """Four commits, and the good news of none of them: there is one question, one approval and one effect."""
    where = place.called(way="in band")
    lose_at("answer", Pose, Heard, Claim, Record, times=99)
    assert run(where.called(ledger=proxy.url)).state is State.DONE
    assert proxy.cuts == 4
    assert check(where) == (State.DONE, 1)


@LOST
def test_the_server_is_away_for_good(place, proxy, lose_at, monkeypatch, lost):
    """Nobody can tell whether the claim holds, so nothing runs; whoever finds it later makes of it what can be."""
    monkeypatch.setattr(driver, "PATIENCE", 0.2)
    proxy.away = True
    lose_at(lost, Claim)
    with pytest.raises(LedgerUnwritable, match=r"Nothing (runs on the strength of it|was recorded by this)"):
        run(place.called(ledger=proxy.url))
    assert (proxy.cuts, place.world.effects()) == (1, 0)
    expected = (State.UNKNOWN, 0) if lost == "answer" else (State.DONE, 1)
    assert go_on(place).state is expected[0]
    assert check(place) == expected


class Cut(Host):
    """A host whose effect does something to the way to the server first."""

    def execute(self, call, *, again=False):
        """The effect, behind it."""
        self.before()
        return super().execute(call, again=again)


def run_cut(place, url, before):
    """Run the call on a detour, with something done right before its effect."""
    where = place.called(ledger=url)
    host = Cut(where.world)
    host.before = before
    with closing(where.ladder()) as ladder:
        return ladder.run(CALL, MODEL, host)


def test_the_connections_are_lost_in_the_effect(place, proxy):
    """What came of it is recorded over a new one, since nobody has taken over meanwhile."""
    assert run_cut(place, proxy.url, proxy.cut).state is State.DONE
    assert check(place) == (State.DONE, 1)


def test_somebody_takes_over_while_the_connections_are_lost(place, proxy):
    """To everybody else the owner is dead; its own late word changes nothing, and nothing runs twice."""

    def found_dead():
        proxy.cut()
        for _ in range(100):
            if (reply := run(place)).state is not State.REFUSED:
                break
        assert reply.state is State.UNKNOWN

    run_cut(place, proxy.url, found_dead)
    assert check(place) == (State.UNKNOWN, 1)


def test_the_server_goes_down_while_one_comes_in(place, monkeypatch):
    """Who was let in a moment before that is told what anybody is told, and so waits for it as anybody does."""
    connect, lost = psycopg.connect, []

    def cut(*args, **more):
        opened = connect(*args, **more)
        if not lost:
            lost.append(opened)
            opened.close()
        return opened

    monkeypatch.setattr(psycopg, "connect", cut)
    with pytest.raises(LedgerUnwritable, match="Nothing was recorded by this"):
        place.ladder()
    with closing(place.ladder()) as ladder:
        lost.clear()
        with closing(ladder.store.database._again()) as found:
            assert found.execute("SELECT 1").fetchone() == (1,)


def test_a_connection_is_lost_while_a_list_is_read(place, proxy):
    """Nothing was written, so it is read once more over a new one, and nobody hears of it."""
    assert run(place.called(way="in band")).state is State.DONE
    with closing(place.called(ledger=proxy.url).ladder()) as ladder:
        cuts = []

        def work(session):
            found = session.scalar(text("SELECT 1"))
            if not cuts:
                cuts.append(proxy.cut())
                session.execute(text("SELECT pg_sleep(1)"))
            return found

        assert ladder.store.query(work) == 1
        assert len(cuts) == 1


# --- a server that is killed -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own_server():
    """A server that may be killed without harm to other tests; it doesn't outlive them."""
    server = servers.server.__wrapped__()
    yield server
    servers.control(server, "stop")


@pytest.fixture
def doomed(place, own_server):
    """A place on that server, and what kills and restarts it."""
    where = place.called(ledger=f"{own_server.get_uri()}&schema={place.ledger.rpartition('=')[2]}")
    return where, lambda: servers.control(own_server, "restart", "immediate")


def test_the_server_is_killed_between_claim_and_record(doomed):
    """The claim was on its disk, and what came of it is recorded once it is back."""
    where, restart = doomed
    assert run_cut(where, where.ledger, restart).state is State.DONE
    assert check(where) == (State.DONE, 1)


def test_the_server_is_killed_before_the_effect(doomed, monkeypatch):
    """Its sessions are gone, and with them the proof that the owner lives, so nothing runs."""
    where, restart = doomed
    barred = Turn.barred
    monkeypatch.setattr(Turn, "barred", lambda self: restart() or barred(self))
    assert run(where).state is State.FAILED
    assert where.world.effects() == 0
    with closing(where.ladder()) as ladder:
        assert [action.state for action in ladder.actions()] == [State.FAILED]
        assert ladder.verify().problems == ()


@pytest.mark.parametrize("rounds", [1, pytest.param(10, marks=pytest.mark.faults)])
def test_the_server_is_killed_after_the_record(doomed, rounds):
    """The lazy record may be lost with it: then the call is in doubt, and never run again."""
    where, restart = doomed
    reply = run(where)
    restart()
    assert reply.state is State.DONE
    assert go_on(where).state in {State.DONE, State.UNKNOWN}
    assert check(where) in {(State.DONE, 1), (State.UNKNOWN, 1)}
