"""The PostgreSQL server of a run: started by it, killed by it, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from tests import postgres

CONNECTIONS = 300
"""Sessions that the server lets in."""
SOON = 60.0
"""Seconds in which it is back after a crash."""


class Server:
    """A server that may be killed without harm to anybody else; it doesn't outlive the run."""

    def __init__(self) -> None:
        self._server = postgres.server.__wrapped__()
        self.url = self._server.get_uri()
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET max_connections = {CONNECTIONS}")
            connection.execute("CREATE SCHEMA threads")
        postgres.control(self._server, "restart", "fast")
        self.ledger = f"{self.url}&schema=soak"
        self.threads = f"{self.url}&options=-csearch_path%3Dthreads"

    def stop(self) -> None:
        """As a power cut would: without a checkpoint, all sessions cut."""
        postgres.control(self._server, "stop", "immediate")

    def kill(self) -> None:
        """Kill -9 of the postmaster; its children see that, and end."""
        pid = int((Path(self._server.pgdata) / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    def cut(self, dice) -> None:
        """End the session of somebody, as a firewall or an operator does."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
            )
            pids = [pid for (pid,) in found]
            if pids:
                connection.execute("SELECT pg_terminate_backend(%s)", [dice.choice(pids)])

    def start(self) -> None:
        """Let it recover, and wait until it answers."""
        place = parse_qs(urlsplit(self.url).query)["host"][0]
        deadline = time.monotonic() + SOON
        while True:
            with suppress(subprocess.SubprocessError):
                # Children of a killed postmaster may still be on their way out.
                postgres.control(self._server, "start", options=f'-h "" -k {place}')
            with suppress(psycopg.Error):
                psycopg.connect(self.url).close()
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"the server didn't come back; see {self._server.log}")
            time.sleep(0.1)

    def close(self) -> None:
        """Stop it."""
        with suppress(subprocess.SubprocessError):
            postgres.control(self._server, "stop", "immediate")
