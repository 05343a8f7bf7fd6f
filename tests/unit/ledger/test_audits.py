"""The stand-alone verifier as a program: erased payloads, heads that were exported, and files of any kind."""
# ruff: noqa: S608  # the SQL is made of names that stand in this file

from __future__ import annotations

import ast
import contextlib
import datetime as dt
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph import Ladder
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.proof import chain, checkpoints_alone, verify_alone
from tests.unit.ledger.audited import run

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
    """The two files import each other as a program does, and nothing else that must be installed."""
    for file in (verify_alone, checkpoints_alone):
        tree = ast.parse(Path(file.__file__).read_text(encoding="utf-8"))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        own = {"ladder_graph.ledger.proof.checkpoints_alone", "checkpoints_alone"}
        assert {name.partition(".")[0] for name in imported - own} <= sys.stdlib_module_names


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


def test_a_copy_of_the_files_alone_runs(file, tmp_path):
    """An auditor may take the two files along, which use nothing of the package that may be installed."""
    shutil.copy(checkpoints_alone.__file__, tmp_path)
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
