"""From one schema to the next: told beforehand, done once, whole or not at all."""

from __future__ import annotations

import os
import signal
from contextlib import closing

import pytest

from ladder_graph.errors import LedgerError, LedgerOlder
from ladder_graph.ledger import Store
from ladder_graph.ledger.database import migrations, postgres_schema
from ladder_graph.ledger.moves.upgrades import plan, upgrade
from tests.programs import CONTEXT
from tests.unit.ledger.desk import CALL, at

FIRST = migrations.MIGRATIONS
ADDED = ["CREATE TABLE weather (a int)", "ALTER TABLE action ADD COLUMN mood text"]


def second(dialect):
    """A migration of a release that isn't there."""
    return ADDED


def deadly(dialect):
    """The same, in a process that dies in the middle of it."""
    yield ADDED[0]
    os.kill(os.getpid(), signal.SIGKILL)


def bring_up(source, step, ready=None):
    """Bring a ledger up, in a process of its own."""
    migrations.MIGRATIONS = (*FIRST, step)
    if ready is not None:
        ready.wait()
    upgrade(source)


@pytest.fixture
def ledger(source):
    """A ledger of the present release, in which something was done and nobody works."""
    with at(source) as desk:
        desk.claim(CALL)
        desk.record("done")
    return str(source)


@pytest.fixture
def later(monkeypatch):
    """This is a later release."""
    monkeypatch.setattr(migrations, "MIGRATIONS", (*FIRST, second))


def test_a_plan_changes_nothing(ledger, monkeypatch):
    """It tells both versions and each statement, and the ledger is as it was."""
    assert plan(ledger).statements == ()
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", (*FIRST, second))
        found = plan(ledger)
        assert (found.version, found.newest, list(found.statements)) == (1, 2, ADDED)
    assert plan(ledger).version == 1


def test_a_plan_makes_no_ledger(source):
    """Where there is none, it tells what would be made."""
    assert plan(str(source)).version == 0
    assert plan(str(source)).statements
    assert plan(str(source)).version == 0


def test_a_ledger_goes_forward_with_all_that_it_holds(ledger, later):
    """What was done is there, every chain is whole, and a second time there is nothing to do."""
    assert upgrade(ledger).version == 1
    assert (upgrade(ledger).version, upgrade(ledger).statements) == (2, ())
    with at(ledger) as desk:
        assert (desk.kinds(CALL), desk.verify()) == ("started done", ())
        assert desk.rows("SELECT mood FROM action") == [(None,)]


def test_a_ledger_is_made_from_nothing(source):
    """Whoever may make tables does it for those who may not."""
    upgrade(str(source))
    assert plan(str(source)).statements == ()


def test_one_that_fails_leaves_the_ledger_as_it_was(ledger, monkeypatch):
    """Nothing of it holds."""
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", (*FIRST, lambda _: [*ADDED, "CREATE TABLE weather (a int)"]))
        with pytest.raises(LedgerError, match="already exists"):
            upgrade(ledger)
    with at(ledger) as desk:
        assert desk.kinds(CALL) == "started done"


def test_one_that_dies_in_the_middle_leaves_the_ledger_as_it_was(ledger, later):
    """After a SIGKILL the old version is there, and the next one does it all."""
    process = CONTEXT.Process(target=bring_up, args=(ledger, deadly))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert plan(ledger).version == 1
    assert upgrade(ledger).version == 1
    assert plan(ledger).statements == ()


def test_two_processes_at_once(ledger, later):
    """One of them does it, and the other finds it done."""
    ready = CONTEXT.Event()
    processes = [CONTEXT.Process(target=bring_up, args=(ledger, second, ready)) for _ in range(2)]
    for process in processes:
        process.start()
    ready.set()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert plan(ledger).statements == ()


def test_opening_a_file_brings_it_up(path, later):
    """A file has one owner, who is told in the changelog."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", FIRST)
        Store(str(path)).close()
    Store(str(path)).close()
    assert plan(str(path)).version == 2


def test_opening_on_a_server_does_not(postgres, monkeypatch):
    """While workers are replaced one by one, those of the earlier release still write there."""
    Store(postgres).close()
    monkeypatch.setattr(migrations, "MIGRATIONS", (*FIRST, second))
    with pytest.raises(LedgerOlder, match=r"has schema 1, .* works with 2.* run `ladder migrate`"):
        Store(postgres)
    upgrade(postgres)
    Store(postgres).close()


def test_under_those_who_work_with_it_only_when_told(postgres, monkeypatch):
    """Whoever holds the lock of an owner is named; a process that ended isn't in the way."""
    with at(postgres) as desk:
        desk.claim(CALL)
        monkeypatch.setattr(migrations, "MIGRATIONS", (*FIRST, second))
        with pytest.raises(LedgerError, match=r"in use by session \d+ from"):
            upgrade(postgres)
        assert plan(postgres).version == 1
        upgrade(postgres, while_running=True)
        assert desk.record("done"), "the earlier release goes on"
    assert upgrade(postgres).statements == ()


def test_a_table_that_somebody_holds_is_not_waited_for_long(postgres, monkeypatch):
    """Behind a migration that waits everybody waits; it gives up, and says so."""
    with closing(Store(postgres)) as store:
        monkeypatch.setattr(postgres_schema, "PATIENCE", "50ms")
        monkeypatch.setattr(migrations, "MIGRATIONS", (*FIRST, second))
        with store.database.streamed() as reading:
            reading.execute("SELECT count(*) FROM action").fetchone()
            with pytest.raises(LedgerError, match="lock timeout"):
                upgrade(postgres)
    assert upgrade(postgres).version == 1
