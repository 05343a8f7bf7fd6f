"""Entries: appended, chained, and a change to any of them is found."""

from __future__ import annotations

import json
import sqlite3

import psycopg
import pytest

from ladder_graph.errors import LedgerError
from tests.unit.ledger.desk import CALL, call, charge


@pytest.fixture
def written(desk):
    """A ledger with a few calls of two agents in it."""
    for number in range(4):
        one = call(number, agent=("ops", "dev")[number % 2])
        desk.claim(one, charge(limit=9))
        desk.record("done", one)
    assert desk.verify() == ()
    return desk


@pytest.fixture
def tamper(written):
    """Somebody with the rights to write the file, who takes the triggers away first."""

    def do(*statements):
        writer = written.store.database.writer
        in_file = isinstance(writer, sqlite3.Connection)
        rights = (
            ["DROP TRIGGER entry_update", "DROP TRIGGER entry_delete"]
            if in_file
            else ["DROP TRIGGER entry_refuse ON entry"]
        )
        for statement in (*rights, *statements):
            writer.execute(statement)

    return do


@pytest.mark.parametrize("statement", ["UPDATE entry SET kind = 'done'", "DELETE FROM entry"])
def test_entries_are_only_appended(written, statement):
    """The database itself refuses to change or delete an entry."""
    before = written.kinds()
    with pytest.raises(LedgerError, match="the ledger is append-only"):
        written.write(lambda _, cursor: cursor.execute(statement))
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.RaiseException), match="append-only"):
        written.store.database.writer.execute(statement)
    assert written.kinds() == before


def test_an_entry_takes_nobodys_place(written):
    """A second entry with the number of another one doesn't get in, so that no chain can fork."""
    copy = "INSERT INTO entry SELECT * FROM entry WHERE stream = 'ops' AND n = 1"
    with pytest.raises(LedgerError, match=r"UNIQUE|duplicate key"):
        written.write(lambda _, cursor: cursor.execute(copy))


def test_each_agent_has_a_chain_of_its_own(written):
    """Two agents' entries are numbered apart, each from 1."""
    assert written.rows("SELECT stream, min(n), max(n) FROM entry GROUP BY stream") == [("dev", 1, 4), ("ops", 1, 4)]
    assert written.rows("SELECT stream, n FROM head ORDER BY stream") == [("dev", 4), ("ops", 4)]


@pytest.mark.parametrize(
    "column", ["at_us = at_us + 1", "kind = 'late'", "action = 'x'", "payload = prev", "prev = hash", "hash = prev"]
)
def test_an_edit_is_found(written, tamper, column):
    """No column of an entry can be changed unseen."""
    tamper(f"UPDATE entry SET {column} WHERE stream = 'ops' AND n = 2")  # noqa: S608  # written above
    assert written.verify()


@pytest.mark.parametrize(
    "statements",
    [
        ["DELETE FROM entry WHERE stream = 'ops' AND n = 2"],
        ["DELETE FROM entry WHERE stream = 'ops' AND n = 4"],
        ["DELETE FROM entry WHERE stream = 'ops'"],
        ["DELETE FROM head WHERE stream = 'ops'"],
        [
            "DELETE FROM entry WHERE stream = 'ops' AND n = 2",
            "UPDATE entry SET n = n - 1 WHERE stream = 'ops' AND n > 2",
        ],
        ["UPDATE entry SET n = -n WHERE stream = 'ops'", "UPDATE entry SET n = 5 + n WHERE stream = 'ops'"],
        ["UPDATE entry SET stream = 'dev', n = n + 4 WHERE stream = 'ops'"],
        ["UPDATE payload SET body = replace(body, 'bo0', 'bo9')"],
        ["UPDATE action SET state = 'failed' WHERE agent = 'ops'"],
    ],
    ids=["deletion", "cut tail", "chain", "head", "gap closed", "order", "moved", "payload", "state"],
)
def test_a_rewriting_is_found(written, tamper, statements):
    """Deletions, swaps, a cut tail, moved entries and edited payloads all show."""
    tamper(*statements)
    assert written.verify()


def test_the_payload_says_what_it_was(desk):
    """The first entry of a call holds its arguments, reasons and policy, as plain JSON with sorted keys."""
    desk.claim()
    ((body,),) = desk.rows("SELECT body FROM payload")
    said = json.loads(body)
    assert body == json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert (said["tool"], said["arguments"], said["policy"]) == ("send_email", CALL.arguments, "r1")
    assert (said["rung"], said["reasons"]) == (3, [["why", "because"]])


def test_equal_payloads_look_different(desk):
    """Each is salted, so that nobody can guess a short body from its hash."""
    for number in range(3):
        desk.claim(call(number))
        desk.record("done", call(number))
    ((distinct, count),) = desk.rows("SELECT count(DISTINCT hash), count(*) FROM payload")
    assert distinct == count == 6
