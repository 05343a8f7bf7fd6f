"""A ledger moves from one database to another: whole, once, and nobody can write it in two places."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
import stat
import time
from contextlib import closing

import psycopg
import pytest

from ladder_graph.errors import LedgerError, LedgerMoved, LedgerOlder, NotALedger
from ladder_graph.ledger import Store
from ladder_graph.ledger.database import migrations
from ladder_graph.ledger.database.dialects import table_of
from ladder_graph.ledger.database.migrations import TABLES
from ladder_graph.ledger.moves import moving
from tests.faults.proxy import Proxy
from tests.postgres import server
from tests.programs import CONTEXT
from tests.unit.ledger.cargo import held, load
from tests.unit.ledger.desk import CALL, NOW, at, call, charge


def clock():
    """Noon."""
    return NOW


def move(source, target, tell=lambda _: None):
    """Move it, in ana's name."""
    return moving.move(str(source), str(target), by="ana", clock=clock, tell=tell)


def take_back(source, target, **more):
    """Take it back, in her name."""
    moving.take_back(str(source), str(target), by="ana", clock=clock, **more)


@pytest.fixture(params=["to a server", "from a server", "file to file"])
def ends(request, tmp_path):
    """A loaded ledger, and where it goes."""
    file = tmp_path / "ladder.db"
    if request.param == "file to file":
        found = file, tmp_path / "other.db"
    else:
        server = request.getfixturevalue("postgres")
        found = (file, server) if request.param == "to a server" else (server, file)
    load(found[0])
    return found


@pytest.fixture
def file(tmp_path):
    """A loaded ledger in a file."""
    load(tmp_path / "ladder.db")
    return tmp_path / "ladder.db"


# --- what arrives --------------------------------------------------------------------------------------------


def test_where_it_comes_to_be_is_for_its_owner_alone(file, tmp_path):
    """A ledger holds what calls were about, so a file that it moves to is opened to others by who means to."""
    move(file, tmp_path / "other.db")
    assert stat.S_IMODE((tmp_path / "other.db").stat().st_mode) == 0o600


def test_everything_arrives(ends):
    """Each row of each table is there as it was, every chain is whole, and all tables were put to the test."""
    source, target = ends
    before = held(source)
    assert not [name for name, rows in before.items() if not rows], "a table that holds nothing proves nothing"
    moved = move(source, target)
    after = held(target)
    assert [name for name in before if after[name] != before[name]] == []
    assert moved.entries == len(before["entry"])
    with at(target) as desk:
        assert desk.verify() == ()


def test_the_indexes_and_the_guards_arrive_too(ends, tmp_path):
    """A ledger that was moved has the schema of one that was made there."""
    source, target = ends
    move(source, target)
    if "://" in str(target):
        from tests.postgres import drop, new_ledger

        made = new_ledger()
        Store(made).close()
        assert _schema(target) == _schema(made)
        drop(made)
    else:
        made = tmp_path / "made.db"
        Store(str(made)).close()
        assert _schema(target) == _schema(made)
    with at(target) as desk, pytest.raises(LedgerError, match="append-only"):
        desk.write(lambda _, cursor: cursor.execute("DELETE FROM entry").rowcount)


DEFINED = """
SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
    WHERE table_schema = %(schema)s AND table_name <> 'ladder_move';
SELECT indexname, replace(indexdef, %(schema)s, '') FROM pg_indexes WHERE schemaname = %(schema)s;
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = to_regnamespace(%(schema)s)
    AND conrelid <> coalesce(to_regclass(%(schema)s || '.ladder_move'), 0::regclass);
SELECT trigger_name, event_manipulation FROM information_schema.triggers WHERE trigger_schema = %(schema)s"""


def _schema(ledger):
    """Everything that is defined in a ledger, but for its marks."""
    if "://" not in str(ledger):
        with closing(sqlite3.connect(ledger)) as connection:
            pragmas = [connection.execute(f"PRAGMA {name}").fetchone() for name in (
                "journal_mode", "page_size", "application_id", "user_version",
            )]  # fmt: skip
            found = connection.execute("SELECT sql FROM sqlite_master WHERE name NOT LIKE 'ladder_move%'").fetchall()
            return pragmas, sorted(found, key=str)
    schema = ledger.rpartition("=")[2]
    queries = DEFINED.split(";")
    with psycopg.connect(ledger.partition("&schema")[0], autocommit=True) as connection:
        return [sorted(connection.execute(query, {"schema": schema}).fetchall(), key=str) for query in queries]


def test_an_action_under_way_is_in_doubt_over_there(ends):
    """Whoever started it isn't known there, so nobody takes it for running, and nobody runs it again blindly."""
    source, target = ends
    with at(source) as desk:
        desk.claim(call(9))
    move(source, target)
    with at(target) as desk:
        known = desk.look(call(9)).known
        assert (known.state, known.owner_alive) == ("started", False)


def test_the_ledger_goes_on_over_there(ends):
    """Chains and counters go on where they were."""
    source, target = ends
    with at(source) as desk:
        chain = desk.rows("SELECT n, hash FROM head WHERE stream = 'ops'")
    move(source, target)
    with at(target) as desk:
        assert desk.rows("SELECT n, hash FROM head WHERE stream = 'ops'") == chain
        desk.claim(call(7), charge())
        assert desk.record("done", call(7))
        assert desk.verify() == ()
        assert desk.rows("SELECT used, reserved FROM quota WHERE quota = 'ops/send_email/calls'") == [(2, 0)]


# --- what stays ----------------------------------------------------------------------------------------------


def test_the_old_one_says_where_it_has_gone(ends):
    """Opening it names the new place, the day and the person, and no other command can write to it."""
    source, target = ends
    moved = move(source, target)
    with pytest.raises(LedgerMoved, match=r"this ledger was moved to .* on 2026-11-22 12:00 UTC, by ana"):
        Store(str(source))
    with pytest.raises(LedgerMoved, match="was moved to"):
        move(source, target)
    assert moved.target in _refusal(source)


def _refusal(source):
    with pytest.raises(LedgerMoved) as refused:
        Store(str(source))
    return str(refused.value)


def test_no_program_can_write_to_the_old_file(file, tmp_path):
    """Not even one of another release, that knows nothing of moves: each table refuses."""
    move(file, tmp_path / "other.db")
    with closing(sqlite3.connect(file)) as connection:
        for table in map(table_of, TABLES):
            column = next(iter(table.columns)).name
            with pytest.raises(sqlite3.IntegrityError, match="this ledger was moved to"):
                connection.execute(f'DELETE FROM "{table.name}"')  # noqa: S608  # ours
            with pytest.raises(sqlite3.IntegrityError, match="this ledger was moved to"):
                connection.execute(f'UPDATE "{table.name}" SET "{column}" = 1')  # noqa: S608  # ours


def test_who_had_it_open_on_a_server_is_stopped(postgres, tmp_path):
    """A process that never claimed can't be seen; its next write tells it where the ledger has gone."""
    load(postgres)
    with at(postgres) as desk:
        desk.look()
        move(postgres, tmp_path / "ladder.db")
        with pytest.raises(LedgerError, match="this ledger was moved to"):
            desk.claim(call(8))


def test_who_works_on_a_server_is_named(postgres, tmp_path):
    """Nothing is shut under a process that holds the lock of an owner."""
    load(postgres)
    with at(postgres) as desk:
        desk.claim(call(8))
        with pytest.raises(LedgerError, match=r"in use by session \d+ from"):
            move(postgres, tmp_path / "ladder.db")
        assert desk.record("done", call(8))
    assert not (tmp_path / "ladder.db").exists()


def _sit(file, ready, go):
    with closing(Store(str(file))) as store:
        store.glance(lambda cursor: cursor.execute("SELECT 1").fetchone())
        ready.set()
        go.wait()


def test_who_has_the_file_open_is_named(file, tmp_path):
    """A file is moved under nobody: an agent, a console, a watcher that only looks. It goes on as before."""
    ready, go = CONTEXT.Event(), CONTEXT.Event()
    process = CONTEXT.Process(target=_sit, args=(file, ready, go))
    process.start()
    ready.wait()
    with pytest.raises(LedgerError, match=f"in use by process {process.pid}"):
        move(file, tmp_path / "other.db")
    with at(file) as desk:
        desk.claim(call(8))
    go.set()
    process.join(60)
    move(file, tmp_path / "other.db")


def test_this_very_process_is_no_exception(file, tmp_path):
    """Nor does a program move the ledger that it works with."""
    with at(file) as desk:
        with pytest.raises(LedgerError, match="in use by"):
            move(file, tmp_path / "other.db")
        desk.claim(call(8))


# --- what isn't moved ----------------------------------------------------------------------------------------


def test_a_place_that_holds_something_is_not_touched(file, postgres, tmp_path):
    """Neither another ledger nor anything else is written over, and the source goes on."""
    load(postgres)
    before = held(postgres)
    with pytest.raises(LedgerError, match="holds a ledger already"):
        move(file, postgres)
    assert held(postgres) == before
    (tmp_path / "notes.db").write_bytes(b"x" * 4096)
    with pytest.raises(NotALedger):
        move(file, tmp_path / "notes.db")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotALedger):
        move(file, tmp_path / "empty")
    held(file)


def test_a_chain_that_is_broken_is_not_moved(file, tmp_path):
    """It is said what is wrong, and the ledger is where it was."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("UPDATE payload SET body = 'forged'")
    with pytest.raises(LedgerError, match=r"(?s)isn't whole.*Nothing was moved"):
        move(file, tmp_path / "other.db")
    assert not (tmp_path / "other.db").exists()
    held(file)


def test_what_a_server_cannot_hold_is_written_as_an_escape(file, postgres):
    """A NUL character, which a thread's name may hold; the rest of the text isn't lost."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("UPDATE vote SET reason = 'a' || char(0) || 'b'")
    move(file, postgres)
    with closing(Store(postgres)) as store:
        reasons = store.read(lambda cursor: cursor.execute("SELECT reason FROM vote", {}).fetchall())
    assert {row["reason"] for row in reasons} == {"a\\x00b"}


def test_a_ledger_of_an_earlier_release_is_brought_up_first(file, tmp_path, monkeypatch):
    """Moving and migrating are two things, each whole by itself."""
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, lambda _: ["CREATE TABLE w (a int)"]))
    with pytest.raises(LedgerOlder, match="ladder migrate"):
        move(file, tmp_path / "other.db")


def test_nothing_and_memory_are_not_moved(tmp_path):
    """It is said what is missing, and no file is made."""
    with pytest.raises(LedgerError, match="there is no ledger at"):
        move(tmp_path / "none.db", tmp_path / "other.db")
    with pytest.raises(LedgerError, match="goes with its process"):
        move(":memory:", tmp_path / "other.db")
    assert not list(tmp_path.glob("*.db"))


def test_two_moves_at_once(file, postgres, tmp_path):
    """The second one is told so, whichever way it goes."""
    seen = []

    def tell(_):
        if not seen:
            for target in (postgres, tmp_path / "third.db"):
                with pytest.raises(LedgerError, match="is being moved by another process"):
                    move(file, target)
            with pytest.raises(LedgerError, match="is being moved by another process"):
                take_back(file, postgres)
            seen.append(True)

    move(file, postgres, tell)
    assert seen


def test_a_row_that_changed_on_the_way_is_found(file, postgres, monkeypatch):
    """Each table is held against its copy; what isn't the same isn't accepted."""
    from ladder_graph.ledger.moves.postgres_end import PostgresEnd

    fill = PostgresEnd.fill
    monkeypatch.setattr(PostgresEnd, "fill", lambda self, form, lines: fill(self, form, (
        line.replace(b"{}", b"[]") if form.table.name == "vote" else line for line in lines
    )))  # fmt: skip
    with pytest.raises(LedgerError, match=r"table vote of .* rows that aren't the"):
        move(file, postgres)
    Store(postgres).close()
    held(file)


# --- interrupted, and taken back -----------------------------------------------------------------------------


def test_while_it_moves_nobody_can_open_either_side(ends):
    """Both say what is under way, and which command goes on with it."""
    source, target = ends
    said = set()

    def tell(step):
        if step in {"shut", "reserved", "filled", "every row of every table is there"}:
            said.add(_refusal(source).partition("is being moved")[1])
            if step != "shut":
                assert "`ladder move` from there to here goes on" in _refusal(target)

    move(source, target, tell)
    assert said == {"is being moved"}


def test_a_move_that_goes_wrong_is_taken_back(ends):
    """Interrupted by a person, it leaves the source as it was and the target empty."""
    source, target = ends
    before = held(source)

    def tell(step):
        if step == "filled":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move(source, target, tell)
    assert held(source) == before
    assert move(source, target).entries == len(before["entry"])


def test_a_lost_connection_leaves_it_shut(file, postgres):
    """Nobody can tell what holds over there; so the source stays shut, and the same command goes on."""
    before = held(file)
    with closing(Proxy(postgres)) as proxy:

        def tell(step):
            if step.startswith("copied entry"):
                proxy.cut()

        with pytest.raises(LedgerError, match=r"stays shut\. Call the same again"):
            move(file, proxy.url, tell)
        assert "is being moved to" in _refusal(file)
        with psycopg.connect(server().get_uri()) as root:  # The server takes a moment to see it.
            for _ in range(1000):
                if not root.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").fetchall():
                    break
                time.sleep(0.01)
        with pytest.raises(LedgerMoved, match="is being moved to"):
            move(file, postgres)
        move(file, proxy.url)
    assert held(postgres) == before


def test_it_is_taken_back_on_purpose(ends):
    """The new side is shut and says so, and the old one goes on, in its log as before."""
    source, target = ends
    before = held(source)
    move(source, target)
    take_back(source, target)
    assert held(source) == before
    assert "was moved to" in _refusal(target)
    with at(source) as desk:
        desk.claim(call(8))
        assert desk.verify() == ()
    if "://" not in str(source):
        with closing(sqlite3.connect(source)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_what_was_written_over_there_is_not_lost(ends, tmp_path):
    """Once a new entry is there, it isn't taken back but moved."""
    source, target = ends
    move(source, target)
    with at(target) as desk:
        desk.claim(call(8))
    with pytest.raises(LedgerError, match="was written to since"):
        take_back(source, target)
    assert "was moved to" in _refusal(source)
    assert move(target, tmp_path / "again.db").entries == len(held(tmp_path / "again.db")["entry"])


def test_a_place_that_is_lost_is_not_looked_for(file, postgres):
    """Whoever says that the new side is gone for good gets the old one back."""
    move(file, postgres)
    nowhere = "postgresql://127.0.0.1:1/app"
    with pytest.raises(LedgerError):
        take_back(file, nowhere)
    take_back(file, nowhere, lost=True)
    held(file)
    with pytest.raises(LedgerError, match="isn't on its way"):
        take_back(file, postgres)


def test_a_move_does_not_go_on_with_another_server(file, postgres):
    """Where the address leads to depends on parameters too, and the mark tells them apart."""
    with closing(Proxy(postgres)) as proxy:
        port = proxy.url.partition("127.0.0.1:")[2].partition("/")[0]
        there = postgres.replace("host=", f"port={port}&host=127.0.0.1&was=").partition("&was=")[0]
        there += f"&schema={postgres.rpartition('=')[2]}"

        def tell(step):
            if step == "reserved":
                proxy.cut()

        with pytest.raises(LedgerError, match="stays shut"):
            move(file, there, tell)
        with pytest.raises(LedgerMoved, match=r"is being moved to postgresql://postgres@/postgres.* on 127\.0\.0\.1"):
            move(file, postgres)
        for _ in range(50):  # The server may not have noticed yet that the session which was cut is gone.
            with contextlib.suppress(LedgerError):
                move(file, there)
                return
            time.sleep(0.1)
        move(file, there)


def test_the_marks_have_times_of_their_own(file, postgres):
    """When it began and when it was done are both kept, on both sides, with who did it."""
    times = iter(NOW + dt.timedelta(minutes=n) for n in range(9))
    moving.move(str(file), postgres, by="bo", clock=lambda: next(times))
    with closing(sqlite3.connect(file)) as connection:
        there = connection.execute("SELECT way, mover, ended_us - begun_us FROM ladder_move").fetchall()
    assert there == [("out", "bo", 120_000_000)]
    with at(postgres) as desk:
        here = desk.rows("SELECT way, mover, ended_us - begun_us FROM ladder_move")
    assert here == [("in", "bo", 60_000_000)]
    assert CALL.agent == "ops"
