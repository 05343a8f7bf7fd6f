"""What only a server can do to a ledger: be somewhere else, be somebody else's, end sessions, and come back."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import closing
from urllib.parse import urlsplit

import psycopg
import pytest

from ladder_graph import Ladder
from ladder_graph.errors import LedgerError, LedgerNewer, LedgerUnwritable, NotALedger
from ladder_graph.ledger import Reading, Store
from ladder_graph.ledger.database.postgres import PostgresDatabase
from ladder_graph.ledger.database.sessions import Address
from ladder_graph.policy import Policy
from ladder_graph.steps import Claimed
from tests.faults.proxy import Proxy
from tests.postgres import drop, new_ledger, server
from tests.unit.ledger.desk import CALL, NOW, at, call, charge


@pytest.fixture
def db(postgres):
    """A desk at a ledger on the server."""
    with at(postgres) as desk:
        yield desk


@pytest.fixture
def root():
    """The server's own administrator."""
    with psycopg.connect(server().get_uri(), autocommit=True) as connection:
        yield connection


def end(root, *connections):
    """The administrator ends sessions, and waits until they are over."""
    for connection in connections:
        root.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])


# --- where it is, and what is there --------------------------------------------------------------------------


def test_what_is_shown_of_an_address_is_not_the_password():
    """Messages, and whatever else names the ledger, name no secret."""
    address = Address.of("postgresql://ana:s3cret@db.example.com:5433/app?sslmode=require&schema=gate")
    assert (address.shown, address.schema) == ("postgresql://ana@db.example.com:5433/app?schema=gate", "gate")
    assert "s3cret" in address.conninfo
    assert "sslmode=require" in address.conninfo
    with pytest.raises(LedgerUnwritable) as refused:
        Store("postgresql://ana:s3cret@127.0.0.1:1/app")
    assert "s3cret" not in str(refused.value)


def test_an_address_without_a_host_is_one():
    """`postgresql:///app` is libpq's spelling for the server of this machine, or of the parameter `host`."""
    address = Address.of("postgresql:///app?host=/run/there&user=ana")
    assert address.shown == "postgresql:///app"
    told = psycopg.conninfo.conninfo_to_dict(address.conninfo)
    assert (told["host"], told["dbname"], told["user"]) == ("/run/there", "app", "ana")


def test_a_space_in_a_parameter_is_one():
    """Parameters of libpq's are handed on as they are, with the spaces and plus signs in them."""
    address = Address.of("postgresql:///app?options=-c%20jit%3Doff&password=a+b%2Bc")
    told = psycopg.conninfo.conninfo_to_dict(address.conninfo)
    assert (told["options"], told["password"]) == ("-c jit=off", "a+b+c")


def test_what_the_driver_says_is_one_line():
    """Where libpq goes on in an indented line, neither the indentation nor its full stops are in ours."""
    with pytest.raises(LedgerUnwritable, match=r"refused; Is the server .*\?\. Nothing was recorded") as refused:
        Store("postgresql://127.0.0.1:1/app")
    assert not set("\n\t") & set(str(refused.value))


def test_the_lock_can_have_a_way_of_its_own():
    """`direct=` names the server behind a pooler: the same user, database and parameters, for the lock alone."""
    url = "postgresql://ana:s3cret@pool/app?sslmode=require&host=pool.example.com&port=6432&direct=db.example.com:5432"
    address = Address.of(url)
    assert address.direct.startswith("postgresql://ana:s3cret@db.example.com:5432/app?")
    assert "sslmode=require" in address.direct
    assert "pool" not in address.direct
    assert "host=pool.example.com" in address.conninfo
    assert "db.example.com" not in address.conninfo + address.shown


def test_who_loses_a_pooler_lives(postgres):
    """The lock is held past the pooler: its end costs a connection, and nobody is taken for dead."""
    with closing(Proxy(postgres)) as pooler, closing(Proxy(postgres)) as server:
        url = f"{pooler.url}&direct={urlsplit(server.url).netloc.rpartition('@')[2]}"
        with at(url) as desk, at(postgres) as other:
            desk.claim(CALL, charge())
            owner = desk.store.owner.id
            pooler.cut()
            assert desk.store.owner.held()
            assert other.look().known.owner_alive
            assert desk.record("done")
            assert desk.store.owner.id == owner
            server.cut()
            until = time.monotonic() + 10
            while desk.store.owner.held() and time.monotonic() < until:
                time.sleep(0.01)
            assert not desk.store.owner.held()


@pytest.mark.parametrize("direct", ["", "a/b", "a:b", "x@y", "h:5432,i:5432"])
def test_a_direct_way_leads_to_one_server(direct):
    """Anything else is refused before it becomes a part of an address."""
    with pytest.raises(LedgerError, match="is no host"):
        Address.of(f"postgresql://localhost/app?direct={direct}")


@pytest.mark.parametrize("schema", ["Ladder", "a b", 'x"; DROP', "", "1st"])
def test_a_schema_has_a_plain_name(schema):
    """It is written into statements."""
    with pytest.raises(LedgerError, match="is no name for a schema"):
        Address.of(f"postgresql://localhost/app?schema={schema}")


def test_a_database_of_another_kind(tmp_path):
    """It is said which ones are known."""
    with pytest.raises(LedgerError, match=r"at postgresql://…; mysql:// isn't known"):
        Store("mysql://localhost/app")


def test_without_the_driver(monkeypatch):
    """It is said what to install."""
    for name in ("psycopg", "ladder_graph.ledger.database.postgres"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(LedgerError, match=r"pip install 'ladder-graph\[postgres\]'"):
        Store("postgresql://localhost/app")


def test_somebody_elses_schema_is_not_touched(root, postgres):
    """A schema with tables in it that are no ledger's is refused as it is."""
    schema = postgres.rpartition("=")[2]
    root.execute(f"CREATE SCHEMA {schema}")
    root.execute(f"CREATE TABLE {schema}.report (a int)")
    with pytest.raises(NotALedger, match="with other tables in it"):
        Store(postgres)
    tables = root.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema]).fetchall()
    assert tables == [("report",)]


def test_a_later_release_wrote_it(db, postgres):
    """A newer schema is refused, and says what to do."""
    db.store.database.writer.execute("UPDATE ladder_ledger SET version = 99")
    with pytest.raises(LedgerNewer, match="schema 99"):
        Store(postgres)


def test_many_open_a_new_ledger_at_once(postgres):
    """Whoever comes first makes it, and the others find it made."""
    opened = []
    threads = [threading.Thread(target=lambda: opened.append(Store(postgres))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 6
    for store in opened:
        store.close()


def test_who_may_not_write_is_told_so(root, postgres):
    """A role without the right to make the schema can't open a new ledger."""
    name = postgres.rpartition("=")[2]
    root.execute(f"CREATE ROLE {name} LOGIN")
    with pytest.raises(LedgerUnwritable, match="permission denied"):
        Store(postgres.replace("postgres:@", f"{name}@"))
    root.execute(f"DROP ROLE {name}")


# --- sessions that end ---------------------------------------------------------------------------------------


def test_sessions_that_were_ended_are_opened_anew(db, root):
    """Between two transactions a lost session costs nothing: the next one opens another."""
    db.claim(CALL, charge())
    database = db.store.database
    end(root, database.writer, database.reader)
    assert db.look().known.state == "started"
    assert db.record("done")
    assert (db.kinds(CALL), db.quota(), db.verify()) == ("started done", (1, 0), ())


def test_a_session_that_ends_in_a_transaction_takes_nothing_with_it(db, root):
    """What was written before the end is gone, and the work is done again from its beginning, once."""
    tries = []

    def work(journal, cursor):
        tries.append(cursor)
        journal.append(cursor, "ops", "noted", "", {})
        if len(tries) == 1:
            end(root, db.store.database.writer)
        return journal.append(cursor, "ops", "noted", "", {})

    db.write(work)
    assert len(tries) == 2
    assert db.kinds() == "noted noted"
    assert db.verify() == ()


@pytest.mark.parametrize("reached", [True, False])
def test_a_commit_whose_answer_is_lost(db, monkeypatch, reached):
    """The connection is cut at COMMIT. Whether the server got it is found out: never lost, never done twice."""
    from ladder_graph.ledger.database.wire import WireCursor

    execute, cut = WireCursor.execute, []

    def cutting(self, statement, parameters=None):
        if statement != "COMMIT" or cut:
            return execute(self, statement, parameters)
        cut.append(statement)
        if reached:
            execute(self, statement).sync()
        else:
            self.sync()
        os.close(os.dup(db.store.database.writer.fileno()))
        db.store.database.writer.close()
        raise psycopg.OperationalError("the connection was cut")

    monkeypatch.setattr(WireCursor, "execute", cutting)
    assert db.claim(CALL, charge()) == Claimed(1)
    assert cut
    assert (db.kinds(), db.quota(), db.verify()) == ("started", (0, 1), ())


@pytest.mark.parametrize("waits", [1, 2, 3])
def test_an_interrupt_in_the_middle_of_an_exchange(db, monkeypatch, waits):
    """Wherever a keyboard interrupt hits, the next transaction reads its own results and nobody else's."""
    from ladder_graph.ledger.database.wire import Wire

    following, left = Wire._next, [waits]

    def interrupted(self):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return following(self)

    monkeypatch.setattr(Wire, "_next", interrupted)
    with pytest.raises(KeyboardInterrupt):
        db.claim(CALL, charge())
    assert db.claim(call(2), charge()) == Claimed(1)
    assert db.record("done", call(2))
    assert (db.state(), db.state(call(2)), db.quota(), db.verify()) == (None, "done", (1, 0), ())


def test_two_lanes_that_meet_in_one_chain(postgres):
    """Writers of different lanes don't wait for each other, and still can't fork a chain."""
    inside, go_on = threading.Event(), threading.Event()
    with closing(Store(postgres, lane="one")) as one, closing(Store(postgres, lane="two")) as two:
        from ladder_graph.ledger import Journal

        journals = [Journal(store.owner, "r1", NOW) for store in (one, two)]
        first = []

        def slow(cursor):
            first.append(cursor)
            journals[0].append(cursor, "ops", "noted", "", {})
            cursor.rowcount  # noqa: B018  # it has reached the server
            inside.set()
            go_on.wait()

        thread = threading.Thread(target=one.write, args=(slow,))
        thread.start()
        inside.wait()
        other = threading.Thread(
            target=two.write, args=(lambda cursor: journals[1].append(cursor, "ops", "b", "", {}),)
        )
        other.start()
        go_on.set()
        thread.join()
        other.join()
        assert Reading(one).verify().entries == 2
        assert Reading(one).verify().ok


def test_two_threads_whose_names_differ_behind_a_nul_are_two(db):
    """The server would end a text there, and count the calls of both threads together."""
    for name in ("a", "a\0b"):
        db.claim(call(thread=name))
    assert sorted(thread for (thread,) in db.rows("SELECT thread FROM action")) == ["a", "a\\x00b"]
    assert db.verify() == ()


def test_a_nul_in_one_call_hides_no_other(db):
    """The server takes nothing out of JSON that holds one; and a thread is found by the name that its host gave it."""
    db.claim(call(1, thread="a\0b", arguments={"to": "x\0y"}))
    db.claim(call(2, thread="b"))
    for thread, count in (("a\0b", 1), ("b", 1), ("c", 0)):
        found = Reading(db.store).entries("ops", limit=9, thread=thread)
        assert len({entry.action for entry in found}) == count
    assert Reading(db.store).entries("ops", limit=9, tool="other\0") == []


SHARES = r"pooler that shares sessions .*pool_mode to session"


def test_a_session_that_was_told_another_schema_writes_nothing(db):
    """As a pooler may hand one out that shares sessions: what is meant for one ledger never lands in another."""
    db.claim()
    before, schema, url = db.kinds(), db.store.database._address.schema, new_ledger()
    with at(url) as other:
        other.claim(call(7))
        other.store.database.writer.execute("SELECT set_config('search_path', %s, false)", [schema])
        with pytest.raises(LedgerError, match=SHARES):
            other.claim(call(8))
    assert db.kinds() == before
    drop(url)


def test_a_pooler_that_shares_sessions_is_named(db):
    """A statement that isn't there any more, since it was prepared in another session, is no riddle."""
    db.claim()
    db.store.database.writer.execute("DEALLOCATE ALL")
    with pytest.raises(LedgerError, match=SHARES):
        db.claim(call(9))


# --- the owner -----------------------------------------------------------------------------------------------


def test_an_owner_whose_session_was_ended_has_lost_its_lock(db, root, postgres):
    """It knows before it runs anything more, others take it for dead, and it goes on as somebody else."""
    db.claim()
    owner = db.store.owner
    before = owner.id
    assert owner.held()
    end(root, owner._session)
    assert not owner.held()
    assert db.look().known.owner_alive, "a task of this very process is known to run it"
    with at(postgres) as other:
        assert not other.look().known.owner_alive
    db.claim(call(2))
    assert owner.held()
    assert owner.id != before


def test_an_owner_that_nobody_can_ask_about_lives(db, postgres):
    """Without a server to ask, nobody is called dead."""
    db.claim()
    with at(postgres) as other:
        other.look()
        other.store.owner._address = Address.of("postgresql://127.0.0.1:1/app")
        assert other.store.owner.alive(db.store.owner.id, "x", 1)
        assert not other.store.owner.alive("nobody", "x", 1)


def test_in_a_forked_child_it_is_refused(db, postgres):
    """The child lets go of the sockets without a word, may open the ledger for itself, and the parent goes on."""
    db.claim(CALL, charge())
    child = os.fork()
    if child == 0:
        try:
            with pytest.raises(LedgerError, match="forked"):
                db.look()
            with at(postgres) as own:
                assert own.look().known.owner_alive
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert db.store.owner.held()
    assert db.record("done")


def test_who_is_stopped_in_a_transaction_does_not_stop_the_others(db):
    """The server ends a session that does nothing inside a transaction."""
    ((timeout,),) = db.store.database.writer.execute("SHOW idle_in_transaction_session_timeout").fetchall()
    assert timeout == "30s"


def test_a_ledger_is_verified_in_portions(db, monkeypatch):
    """A long ledger is read through a cursor on the server."""
    seen = []
    streamed = PostgresDatabase.streamed

    def counted(self):
        seen.append(self)
        return streamed(self)

    monkeypatch.setattr(PostgresDatabase, "streamed", counted)
    for number in range(20):
        db.claim(call(number))
    assert db.verify() == ()
    assert seen


@pytest.mark.parametrize("way", ["read", "glance", "write"])
@pytest.mark.parametrize("kind", ["float4", "float8"])
def test_a_number_with_a_fraction_is_read_as_one(postgres, way, kind):
    """However a statement is sent, what a column of floats holds comes back as a number, and nothing as None."""
    with closing(Ladder(policy=Policy.model_validate({"agent": "ops"}), ledger=postgres)) as ladder:

        def ask(cursor):
            row = cursor.execute(f"SELECT CAST(90.5 AS {kind}) AS some, CAST(NULL AS {kind}) AS none", {}).fetchone()
            return row["some"], row["none"]

        some, none = getattr(ladder.store, way)(ask)
    assert (type(some), some, none) == (float, 90.5, None)
