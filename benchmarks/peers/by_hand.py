"""What somebody would write without any library: a function, and where a record is wanted, SQLite.

`one_row` is the floor of the durable tier: one row, one durable commit, nothing counted. `counted` is the fair one: it
takes one from a limit and records the call in one transaction, before the effect; how that came out it doesn't record.
"""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

from benchmarks.peers.answering import Decide, answer
from benchmarks.peers.policy import Verdict, by_hand

TABLES = """
CREATE TABLE record (n INTEGER PRIMARY KEY, at REAL, tool TEXT, arguments TEXT, verdict TEXT) STRICT;
CREATE TABLE counter (tool TEXT PRIMARY KEY, used INTEGER NOT NULL) STRICT;
"""
INSERT = "INSERT INTO record (at, tool, arguments, verdict) VALUES (?, ?, ?, ?)"
TAKE = "INSERT INTO counter VALUES (?, 1) ON CONFLICT DO UPDATE SET used = used + 1 WHERE used < 1000000000"


def listed() -> Decide:
    """The function, and a list of what it said."""
    records: list[tuple[float, str, dict[str, Any], Verdict]] = []

    def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        verdict = by_hand(tool, arguments)
        records.append((time.time(), tool, arguments, verdict))
        return verdict

    return decide


def _database(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(TABLES)
    return connection


def one_row(file: Path) -> Decide:
    """The function, and one row."""
    connection = _database(file)

    def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        verdict = by_hand(tool, arguments)
        connection.execute(INSERT, (time.time(), tool, json.dumps(arguments), verdict))
        return verdict

    return decide


def counted(file: Path) -> Decide:
    """The function, a limit and a row."""
    connection = _database(file)

    def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        verdict = by_hand(tool, arguments)
        connection.execute("BEGIN IMMEDIATE")
        if verdict == "allow" and connection.execute(TAKE, (tool,)).rowcount != 1:
            verdict = "ask"
        connection.execute(INSERT, (time.time(), tool, json.dumps(arguments), verdict))
        connection.execute("COMMIT")
        return verdict

    return decide


if __name__ == "__main__":
    answer(
        {
            "decision": lambda _: by_hand,
            "audit": lambda _: listed(),
            "durable": lambda directory: counted(directory / "counted.db"),
            "one_row": lambda directory: one_row(directory / "one_row.db"),
        },
        of="",
    )
