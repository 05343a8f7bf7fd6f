"""Checkpointers and ledgers in both databases, for tests of reading what agents left in them."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from urllib.parse import quote

import psycopg
import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver

from ladder_graph.replay import read
from tests.postgres import drop, new_ledger

KINDS = ("sqlite", "postgres")
"""The databases."""


@contextmanager
def checkpointer(kind, folder):
    """A checkpointer on an empty database, with the file or URL that it is read from."""
    if kind == "sqlite":
        path = str(folder / "checkpoints.sqlite")
        with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
            yield SqliteSaver(connection), path
        return
    base, _, schema = (url := new_ledger()).rpartition("&schema=")
    path = f"{base}&options={quote(f'-csearch_path={schema}')}"
    try:
        with psycopg.connect(base, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {schema}")
        with PostgresSaver.from_conn_string(path) as saver:
            saver.setup()
            yield saver, path
    finally:
        drop(url)


@contextmanager
def ledger_at(kind, folder):
    """The file or URL of a ledger that doesn't exist yet."""
    if kind == "sqlite":
        yield str(folder / "ladder.db")
        return
    url = new_ledger()
    try:
        yield url
    finally:
        drop(url)


def runs_of(path, trouble=pytest.fail, **options):
    """All runs of a database."""
    return list(read(path, trouble, **options))


def put(saver, thread, messages):
    """Write one checkpoint of a thread, with these messages."""
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = {"messages": messages}
    saver.put({"configurable": {"thread_id": thread, "checkpoint_ns": ""}}, checkpoint, {"source": "input"}, {})
