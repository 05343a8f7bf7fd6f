"""The stand-alone verifier: what was done to a ledger, it finds; what it can't see, it says."""
# ruff: noqa: S608  # the tamperer's SQL is made of the names of columns that stand in this file

from __future__ import annotations

import ast
import contextlib
import datetime as dt
import itertools
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Ladder
from ladder_graph.ledger import chain, verify_alone
from ladder_graph.ledger.journal import Journal
from ladder_graph.testing import ScriptedModel, calls, says, tool_call

SCRIPT = Path(__file__).parents[3] / "scripts" / "verify_ledger.py"
AGENT = 'ops "ä"\\'
"""An agent's name may hold whatever JSON must escape, and more than ASCII."""
COLUMNS = {
    "entry": ["stream", "n", "at_us", "kind", "action", "payload", "prev", "hash"],
    "payload": ["hash", "salt", "body"],
    "head": ["stream", "n", "hash"],
}
"""Every column of the tables that make the chain."""
KEY = {"entry": "hash", "payload": "hash", "head": "stream"}
"""What tells the rows of each table apart."""


@tool
def send(to: str) -> str:
    """Send it."""
    return f"sent to {to}"


@tool
def look(path: str) -> str:
    """Look."""
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A ledger of two agents: calls that ran, that were approved and declined, that only suggested."""
    file = tmp_path_factory.mktemp("made") / "ladder.db"
    rungs = {"send": "confirm", "look": {"rung": "report", "read_only": True}}
    for agent in ("ops", AGENT):
        with contextlib.closing(Ladder(agent=agent, rungs=rungs, ledger=file)) as ladder:
            script = [
                says(*(tool_call("send", {"to": to}) for to in ("ana", "bö")), tool_call("look", {"path": "ü"})),
                calls("nothing"),
                "Done.",
            ]
            graph = create_agent(ScriptedModel(answers=script), [send, look], checkpointer=InMemorySaver())
            wrapped, config = ladder.wrap(graph), {"configurable": {"thread_id": agent}}
            wrapped.invoke({"messages": "go"}, config)
            one, two = ladder.pending()
            ladder.approve(one.id, by="ana")
            ladder.decline(two.id, by="ana", reason="no")
            wrapped.invoke(None, config)
    return file


@pytest.fixture
def file(made, tmp_path):
    """A copy of the ledger, in a directory of its own."""
    return Path(shutil.copy(made, tmp_path / "ladder.db"))


@pytest.fixture
def database(made):
    """A copy of the ledger in memory, without the triggers that would stop a well-behaved tamperer."""
    return unlocked(made)


def unlocked(file):
    """A copy in memory, open to every change."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    with contextlib.closing(sqlite3.connect(file)) as original:
        original.backup(database)
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f"DROP TRIGGER {name}")
    return database


def run(*arguments):
    """The script as an auditor runs it: isolated, with nothing installed."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), *map(str, arguments)], capture_output=True, text=True, check=False
    )


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
    database.execute("UPDATE entry SET kind = 'done' WHERE stream = 'ops' AND n = 3")
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


# --- erased payloads ---------------------------------------------------------------------------------------------


def erase(file, *, say):
    """Delete the payload of the first call's arguments, with or without an entry about it."""
    with contextlib.closing(Ladder(agent="ops", rungs={}, ledger=file)) as ladder:
        journal = Journal(ladder.store.owner, "rev", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))

        def work(cursor):
            (payload,) = cursor.execute("SELECT payload FROM entry WHERE kind = 'asked' LIMIT 1").fetchone()
            if say:
                journal.append(cursor, "ops", "erased", "", {"payloads": [payload], "by": "ana"})
            if say != "only":
                cursor.execute("DELETE FROM payload WHERE hash = ?", (payload,))

        ladder.store.write(work)
        return ladder.verify()


def test_a_payload_that_was_erased_with_an_entry_is_no_problem(file):
    """Erasure is said in the chain, and the chain stays whole."""
    found = erase(file, say=True)
    assert (found.ok, found.erased) == (True, 1)
    assert "(1 payloads erased)" in run(file).stdout


def test_a_payload_that_is_simply_gone_is_a_problem(file):
    """Nobody makes a payload disappear without an entry that says so."""
    (problem,) = erase(file, say=False).problems
    assert "has lost its payload, and no entry says that it was erased" in problem


def test_an_erasure_that_did_not_happen_is_a_problem(file):
    """What is said to be erased and is still there was not erased."""
    (problem,) = erase(file, say="only").problems
    assert "is said to be erased, and isn't" in problem


# --- heads that were exported ------------------------------------------------------------------------------------


def cut(file, n):
    """Cut the chain of `ops` after `n` entries, and cover it up everywhere in the file."""
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("DROP TRIGGER entry_delete")
        database.execute("DELETE FROM entry WHERE stream = 'ops' AND n > ?", (n,))
        database.execute("DELETE FROM payload WHERE hash NOT IN (SELECT payload FROM entry)")
        database.execute("DELETE FROM action WHERE agent = 'ops'")
        if n:
            latest = "SELECT hash FROM entry WHERE stream = 'ops' AND n = ?1"
            database.execute(f"UPDATE head SET n = ?1, hash = ({latest}) WHERE stream = 'ops'", (n,))
        else:
            database.execute("DELETE FROM head WHERE stream = 'ops'")


@pytest.fixture
def exported(file, tmp_path):
    """The heads of the ledger, as they were exported."""
    heads = tmp_path / "heads.jsonl"
    heads.write_text(run(file, "--export-heads").stdout, encoding="utf-8")
    return heads


@pytest.mark.parametrize("n", [0, 1, 5], ids=["whole stream", "all but one", "tail"])
def test_a_cut_that_was_covered_up_shows_against_exported_heads(file, exported, n):
    """The file alone looks whole, as the verifier says it may; an exported head tells."""
    cut(file, n)
    assert run(file).returncode == 0
    told = run(file, "--head", exported)
    assert told.returncode == 1
    assert "was exported as a head, and is gone: the chain was cut" in told.stdout


def test_a_chain_that_was_rewritten_shows_against_exported_heads(file, exported):
    """New hashes from some entry on make a whole chain, but not the one that was exported."""
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("DROP TRIGGER entry_update")
        prev = verify_alone.GENESIS
        rows = database.execute("SELECT * FROM entry WHERE stream = 'ops' ORDER BY n").fetchall()
        for stream, n, at_us, kind, action, payload, *_ in rows:
            new = verify_alone.entry_hash(prev, stream, n, at_us + 1, kind, action, payload)
            database.execute(
                "UPDATE entry SET at_us = ?, prev = ?, hash = ? WHERE stream = ? AND n = ?",
                (at_us + 1, prev, new, stream, n),
            )
            prev = new
        database.execute("UPDATE head SET hash = ? WHERE stream = 'ops'", (prev,))
    assert run(file).returncode == 0
    assert "the chain was rewritten" in run(file, "--head", exported).stdout


def test_a_ledger_that_has_grown_still_fits_its_exported_heads(file, exported):
    """Old heads stay good as long as their entries are there."""
    with contextlib.closing(Ladder(agent="ops", rungs={"look": "confirm"}, ledger=file)) as ladder:
        ladder.demote("look", "suggest", reason="a test")
    assert run(file, "--head", exported, "--head", exported).returncode == 0


def test_the_heads_of_a_broken_ledger_are_not_exported(file):
    """Nobody takes down the head of a chain that isn't whole."""
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE head SET n = n + 1")
    told = run(file, "--export-heads")
    assert (told.returncode, told.stdout) == (1, "")


def test_exported_heads_are_json_lines(exported, database):
    """A head is one line of JSON: agent, number and hash."""
    found = [json.loads(line) for line in exported.read_text(encoding="utf-8").splitlines()]
    heads = [(head["stream"], head["n"], head["hash"]) for head in found]
    assert heads == database.execute("SELECT stream, n, hash FROM head ORDER BY stream").fetchall()


# --- the program -------------------------------------------------------------------------------------------------


def test_it_needs_nothing_but_python():
    """The file imports nothing of this package and nothing that must be installed."""
    tree = ast.parse(Path(verify_alone.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_there_is_one_check():
    """`ladder verify` and the script are one implementation."""
    assert chain.verify is verify_alone.verify
    assert chain.entry_hash is verify_alone.entry_hash


def test_it_changes_nothing(file):
    """Not a byte of the ledger, and no file beside it, though the ledger is one with a write-ahead log."""
    before = {path.name: path.read_bytes() for path in file.parent.iterdir()}
    told = run(file)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.endswith("entries: every chain is whole\n")
    assert {path.name: path.read_bytes() for path in file.parent.iterdir()} == before


def test_a_copy_of_the_file_alone_runs(file, tmp_path):
    """An auditor may take the one file along."""
    alone = shutil.copy(verify_alone.__file__, tmp_path / "check.py")
    done = subprocess.run([sys.executable, "-I", "-S", alone, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0


def test_a_ledger_in_use_is_read_as_it_stands(file):
    """What still is in the write-ahead log counts, and the writer isn't disturbed."""
    with contextlib.closing(Ladder(agent="ops", rungs={"look": "confirm"}, ledger=file)) as ladder:
        before = ladder.verify().entries
        ladder.demote("look", "suggest", reason="a test")
        assert run(file).stdout == f"{before + 1} entries: every chain is whole\n"
        ladder.demote("look", "suggest", reason="a test")


def test_problems_are_listed(file):
    """Exit code 1 comes with one line for each problem."""
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE payload SET body = body || ' '")
    told = run(file)
    assert told.returncode == 1
    assert re.fullmatch(r"(\d+) entries: \1 problems", told.stdout.splitlines()[0])
    assert "the payload of entry" in told.stdout.splitlines()[1]


@pytest.mark.parametrize("content", [None, b"", b"something else", b"SQLite format 3\0" + b"\xff" * 1000])
def test_what_is_no_ledger_is_said_to_be_none(tmp_path, content):
    """Exit code 2 means that nothing is said about it; no file is made."""
    other = tmp_path / "other.db"
    if content is not None:
        other.write_bytes(content)
    told = run(other)
    assert (told.returncode, told.stdout) == (2, "")
    assert f"{other} can't be checked" in told.stderr
    assert other.exists() == (content is not None)


@pytest.mark.parametrize("content", [None, "nothing", "[1]", '{"stream": "ops"}'])
def test_heads_that_can_not_be_read_are_not_passed_over(file, tmp_path, content):
    """A file of heads that holds something else is exit code 2, never a check without it."""
    heads = tmp_path / "heads"
    if content is not None:
        heads.write_text(content, encoding="utf-8")
    assert run(file, "--head", heads).returncode == 2


@given(data=st.data())
def test_a_damaged_file_never_passes_for_a_whole_one(made, tmp_path_factory, data):
    """Bytes changed anywhere in the file: a problem, or unreadable, or what is read is what was written."""
    whole = made.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = tmp_path_factory.getbasetemp() / "damaged.db"
    damaged.write_bytes(whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :])
    try:
        found, heads = verify_alone.check(damaged, ())
    except (sqlite3.Error, ValueError):
        return
    if found.ok:
        assert heads == verify_alone.check(made, ())[1]
