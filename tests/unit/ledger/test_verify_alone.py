"""The stand-alone verifier: what was done to a ledger, it finds; what it can't see, it says."""
# ruff: noqa: S608  # the tamperer's SQL is made of the names of columns that stand in this file

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import tracemalloc

import pytest

from ladder_graph.ledger.proof import verify_alone
from tests.unit.ledger.audited import AGENT

COLUMNS = {
    "entry": ["stream", "n", "at_us", "kind", "action", "payload", "prev", "hash"],
    "payload": ["hash", "salt", "body"],
    "head": ["stream", "n", "hash"],
}
"""Every column of the tables that make the chain."""
KEY = {"entry": "hash", "payload": "hash", "head": "stream"}
"""What tells the rows of each table apart."""


@contextlib.contextmanager
def tampering(database):
    """What is done in here is taken back at the end."""
    database.execute("BEGIN")
    try:
        yield
    finally:
        database.execute("ROLLBACK")


def edits(value):
    """Each byte of a value changed, each byte lost, one added; of a number, each bit. As SQL with its parameter."""
    if isinstance(value, int):
        yield from (("?", value ^ 1 << bit) for bit in range(63))
        yield "CAST(? AS TEXT)", f"{value}x"
        return
    plain = value.encode() if isinstance(value, str) else value
    kind = "TEXT" if isinstance(value, str) else "BLOB"
    for at, byte in enumerate(plain):
        yield f"CAST(? AS {kind})", plain[:at] + bytes([byte ^ 1 << at % 8]) + plain[at + 1 :]
        if at % 4 == 0:
            yield f"CAST(? AS {kind})", plain[:at] + plain[at + 1 :]
    yield f"CAST(? AS {kind})", plain + b"\0"
    yield "CAST(? AS BLOB)" if kind == "TEXT" else "CAST(? AS TEXT)", plain


def test_a_real_ledger_is_whole(database):
    """What the product writes has no problem, whatever an agent is called."""
    found = verify_alone.verify(database)
    assert (found.problems, found.erased) == ((), 0)
    assert found.entries == database.execute("SELECT count(*) FROM entry").fetchone()[0] > 20


@pytest.mark.parametrize(("table", "column"), [(table, column) for table in COLUMNS for column in COLUMNS[table]])
def test_every_single_byte_edit_is_found(database, table, column):
    """One byte changed, lost or added in any column of any row, or its type changed, is a problem."""
    rows = database.execute(f"SELECT {KEY[table]}, {column} FROM {table}").fetchall()
    missed = [
        (key, value, edit)
        for key, value in rows
        for how, edit in edits(value)
        if not found_after(database, f"UPDATE {table} SET {column} = {how} WHERE {KEY[table]} = ?", edit, key)
    ]
    assert missed == []


def found_after(database, statement, *parameters):
    """Whether the verifier finds what this statement did; it is taken back."""
    with tampering(database):
        try:
            database.execute(statement, parameters)
        except sqlite3.IntegrityError:
            return True  # the database itself refuses: two rows would have one key
        return not verify_alone.verify(database).ok


def test_the_tables_have_no_column_that_was_forgotten(database):
    """The edits above walk through every column there is."""
    for table, columns in COLUMNS.items():
        assert [row[1] for row in database.execute(f"PRAGMA table_info({table})")] == columns


@pytest.mark.parametrize("table", COLUMNS)
def test_every_deletion_is_found(database, table):
    """Any one row that is gone is a problem: an entry at the head, in the middle or at the end, a payload, a head."""
    for (key,) in database.execute(f"SELECT {KEY[table]} FROM {table}").fetchall():
        assert found_after(database, f"DELETE FROM {table} WHERE {KEY[table]} = ?", key)


def test_every_cut_is_found(database):
    """A chain cut to any length is a problem while its head is where it was, and one cut to nothing too."""
    (length,) = database.execute("SELECT n FROM head WHERE stream = 'ops'").fetchone()
    for n in range(length):
        assert found_after(database, "DELETE FROM entry WHERE stream = 'ops' AND n > ?", n)
        assert found_after(database, "DELETE FROM entry WHERE stream = 'ops' AND n <= ?", n + 1)


@pytest.mark.parametrize("table", ["entry", "payload"])
def test_every_swap_is_found(database, table):
    """Two entries that change places are a problem, as are two rows that trade any of their columns, or several."""
    columns = COLUMNS[table]
    chosen = [columns[at:end] for at in range(len(columns)) for end in range(at + 1, len(columns) + 1)]
    rows = [dict(zip(columns, row, strict=True)) for row in database.execute(f"SELECT * FROM {table}").fetchall()]
    for one, other in itertools.pairwise(rows):
        for traded in chosen:
            new = [{**one, **{c: other[c] for c in traded}}, {**other, **{c: one[c] for c in traded}}]
            if new not in ([one, other], [other, one]):
                assert found_after_replacing(database, table, [one, other], new), (one, other, traded)


def found_after_replacing(database, table, old, new):
    """Whether the verifier finds that rows stand in place of others; it is taken back."""
    with tampering(database):
        for row in old:
            database.execute(f"DELETE FROM {table} WHERE hash = ?", (row["hash"],))
        try:
            for row in new:
                database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
        except sqlite3.IntegrityError:
            return True  # two rows would have one key
        return not verify_alone.verify(database).ok


def test_every_inserted_entry_is_found(database):
    """A copy of any entry is a problem wherever it is put: before the first, after the last, in another chain."""
    (length,) = database.execute("SELECT n FROM head WHERE stream = 'ops'").fetchone()
    rest = "at_us, kind, action, payload, prev, hash"
    for stream, n in (("ops", 0), ("ops", -1), ("ops", length + 1), ("ops", length + 2), ("new", 1)):
        for source in range(1, length + 1):
            copied = f"INSERT INTO entry SELECT ?, ?, {rest} FROM entry WHERE stream = 'ops' AND n = ?"
            assert found_after(database, copied, stream, n, source)


def test_a_payload_that_no_entry_names_is_found(database):
    """What stands in the ledger and was said by no entry is a problem."""
    database.execute("INSERT INTO payload VALUES (?, ?, ?)", (verify_alone.payload_hash(b"s", "{}"), b"s", "{}"))
    assert [problem for problem in verify_alone.verify(database).problems if "belongs to no entry" in problem]


def test_a_state_that_no_entry_speaks_of_is_found(database):
    """Whoever forges an approval in the look-up table alone is found before the call has run."""
    database.execute("UPDATE action SET state = 'approved' WHERE state = 'declined'")
    assert any("is approved, and no entry says so" in problem for problem in verify_alone.verify(database).problems)


def test_problems_name_their_place(database):
    """A problem says which agent's chain and which entry."""
    # Not its kind: which of the calls made side by side is written third, and whether it's done by then, is open.
    database.execute("UPDATE entry SET at_us = at_us + 1 WHERE stream = 'ops' AND n = 3")
    database.execute("DELETE FROM entry WHERE stream = ? AND n = 5", (AGENT,))
    problems = verify_alone.verify(database).problems
    assert "ops: entry 3 was changed" in problems
    assert f"{AGENT}: entry 5 is missing (the next one is 6)" in problems


def test_what_is_no_text_ends_the_reading_and_is_a_problem(database):
    """Bytes that are no UTF-8 are reported with the place, not raised."""
    database.execute("UPDATE entry SET kind = CAST(x'ff' AS TEXT) WHERE stream = 'ops' AND n = 3")
    (problem,) = verify_alone.verify(database).problems
    assert "can't be read on, and the rest is unchecked" in problem


def test_many_problems_are_counted_and_not_kept(database):
    """Of more problems than anybody reads only the number is kept, so that memory stays flat."""
    database.execute("DELETE FROM entry")
    database.execute("DELETE FROM payload")
    database.execute("DELETE FROM head")
    many = range(verify_alone.MOST + 50)
    database.executemany("INSERT INTO payload VALUES (?, x'00', '')", [(str(n),) for n in many])
    problems = verify_alone.verify(database).problems
    states = database.execute("SELECT count(*) FROM action").fetchone()[0]
    assert len(problems) == verify_alone.MOST + 1
    assert problems[-1] == f"and {50 + states} more problems"


def test_memory_does_not_grow_with_the_ledger(database):
    """A ledger of many thousand entries is checked in less memory than its entries would take."""
    prev = verify_alone.GENESIS
    for n in range(1, 20_001):
        payload = verify_alone.payload_hash(b"%d" % n, "{}")
        digest = verify_alone.entry_hash(prev, "long", n, n, "event", "", payload)
        database.execute("INSERT INTO payload VALUES (?, ?, '{}')", (payload, b"%d" % n))
        database.execute("INSERT INTO entry VALUES ('long', ?, ?, 'event', '', ?, ?, ?)", (n, n, payload, prev, digest))
        prev = digest
    database.execute("INSERT INTO head VALUES ('long', ?, ?)", (n, prev))
    tracemalloc.start()
    try:
        found = verify_alone.verify(database)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.ok
    assert found.entries > 20_000
    assert peak < 200_000  # bytes; ten an entry
