"""The shop in processes of its own: LangGraph's development server, and aegra on PostgreSQL."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import httpx
import psycopg
from langgraph_sdk import get_sync_client

from examples.server.shop.orders import SCHEMA
from ladder_graph import Ladder, answer_to
from ladder_graph.cli.serving import taken_at
from tests import postgres

EXAMPLE = Path(__file__).parents[2] / "examples" / "server"
KEY = "a key for the tests of the servers, and for nothing else"
PATIENCE = 240
"""Seconds after which something that should come has not."""
NUMBERS = itertools.count(2000)
"""Orders that no other test has."""

# Nothing that was asked for by a server's own name may go to a proxy.
PLAIN = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def waited(found, why="it never came"):
    """What a function returns once that is true."""
    until = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < until, why
        time.sleep(0.05)
    return value


class Shop:
    """A copy of the example, and one process or more that serve it.

    Args:
        programs: The folder of the servers' programs.
        folder: An empty folder for it.
        ledger: Where the ledger is.
    """

    KIND = ""
    HEALTH = ""

    def __init__(self, programs, folder, ledger):
        self.programs, self.folder, self.ledger = programs, folder / "shop", ledger
        ignored = shutil.ignore_patterns("__pycache__", ".langgraph_api", "*.db*")
        shutil.copytree(EXAMPLE, self.folder, ignore=ignored)
        self.processes, self.urls = [], []
        self.opened, self._clients = ExitStack(), {}
        self.desk = Ladder(policy=self.folder / "ladder.toml", ledger=ledger)
        self.start()

    @property
    def url(self):
        """Where the first process is."""
        return self.urls[0]

    # --- processes -------------------------------------------------------------------------------------------

    def start(self, port=0):
        """Start one process, and wait until it serves."""
        with closing(taken_at(f"127.0.0.1:{port}")) as socket:
            port = socket.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        env = {**PLAIN, **self.environment(), "SHOP_SERVER": url, "SHOP_LEDGER": str(self.ledger),
               "SHOP_ORDERS": str(self.folder / "orders.db"), "SHOP_CONSOLE_KEY": KEY, "LANGSMITH_TRACING": "false",
               "LANGGRAPH_CLI_NO_ANALYTICS": "1", "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
        with (self.folder.parent / f"{port}.log").open("ab") as log:
            process = subprocess.Popen(
                self.command(port), cwd=self.folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.processes.append(process)
        self.urls.append(url)
        waited(lambda: self._serves(url, process), f"{self.KIND} does not serve at {url}: {self.said(port)}")
        return url

    def _serves(self, url, process):
        assert process.poll() is None, f"{self.KIND} ended with {process.returncode}: {self.said(url[-5:])}"
        with suppress(httpx.TransportError):
            return httpx.get(url + self.HEALTH).status_code == 200

    def said(self, port):
        """What a process wrote last."""
        return (self.folder.parent / f"{str(port).strip(':')}.log").read_text(errors="replace")[-3000:]

    def stop(self, at=0):
        """End a process as an operator does, and wait for its end."""
        process = self.processes.pop(at)
        self.urls.pop(at)
        process.terminate()
        process.wait(PATIENCE)

    def kill(self, at=0):
        """End a process as a crash does."""
        process = self.processes.pop(at)
        self.urls.pop(at)
        process.kill()
        process.wait(PATIENCE)

    def close(self):
        """End everything."""
        while self.processes:
            self.kill()
        self.opened.close()
        self.desk.close()

    # --- what happens in it ----------------------------------------------------------------------------------

    def client(self, who, at=0, **headers):
        """The SDK's client with somebody's token; nobody's where no name is given."""
        said = {**({"authorization": f"Bearer token-of-{who}"} if who else {}), **headers}
        known = (self.urls[at], *said.items())
        if known not in self._clients:
            client = get_sync_client(url=self.urls[at], api_key=None, headers=said)
            self._clients[known] = self.opened.enter_context(client)
        return self._clients[known]

    def order(self):
        """The number of a new order."""
        number = next(NUMBERS)
        with closing(self.orders()) as database, database:
            database.execute("INSERT INTO orders VALUES (?, 'Gil', 700)", (number,))
        return number

    def orders(self):
        """The shop's database."""
        database = sqlite3.connect(self.folder / "orders.db", timeout=60)
        database.executescript(SCHEMA)
        return database

    def refunds(self, number):
        """How often an order was paid back, as the shop's books say."""
        with closing(self.orders()) as database:
            return database.execute("SELECT count(*) FROM refunds WHERE number = ?", (number,)).fetchone()[0]

    def ask(self, *numbers, by="cy", at=0, **options):
        """Somebody asks for refunds in a new thread, and the run waits; the thread's id."""
        client = self.client(by, at)
        thread = client.threads.create()["thread_id"]
        words = f"Please refund {' and '.join(map(str, numbers))}."
        client.runs.wait(thread, "shop", input={"messages": [{"role": "user", "content": words}]}, **options)
        return thread

    def interrupts(self, thread, by="cy"):
        """What a thread waits for, as the server tells it."""
        state = self.client(by).threads.get_state(thread)
        return [interrupt for task in state["tasks"] for interrupt in task["interrupts"]]

    def status(self, thread, by="cy"):
        """Where a thread stands, as the server tells it."""
        return self.client(by).threads.get(thread)["status"]

    def answer(self, who, thread, *, by=None, owner="cy", at=0, **options):
        """Somebody says yes to the one question of somebody's thread through the SDK, and waits for what comes of it.

        Args:
            who: Whose token is shown.
            thread: The thread.
            by: Whose name the answer itself claims.
            owner: Who sees the thread.
            at: At which process.
            options: As for `runs.wait`.
        """
        (asked,) = self.interrupts(thread, owner)
        return self.resume(who, thread, answer_to(asked["value"], "approve", by=by), at=at, **options)

    def resume(self, who, thread, resume, *, at=0, **options):
        """Somebody resumes a thread through the SDK, and waits for what comes of it."""
        return self.client(who, at).runs.wait(thread, "shop", command={"resume": resume}, **options)

    def questions(self, thread):
        """The open questions of a thread, in the ledger."""
        return [one for one in self.desk.pending() if one.call.thread == thread]

    def entries(self, thread, *kinds):
        """What the ledger's entries of these kinds say of a thread's actions, oldest first."""
        keys = {action.key for action in self.desk.actions(limit=500) if action.thread == thread}
        return [one.body for one in self.desk.log(limit=2000) if one.kind in kinds and one.action in keys]


class Dev(Shop):
    """LangGraph's own development server: everything in memory, kept on disk when it ends; the ledger in a file."""

    KIND, HEALTH = "langgraph dev", "/ok"

    def __init__(self, programs, folder):
        super().__init__(programs, folder, folder / "shop" / "ladder.db")

    def environment(self):
        """Nothing of its own."""
        return {}

    def command(self, port):
        """As the README has it."""
        return [
            self.programs / "langgraph", "dev", "--host", "127.0.0.1", "--port", str(port), "--no-browser",
            "--no-reload", "--n-jobs-per-worker", "4",
        ]  # fmt: skip


class Aegra(Shop):
    """Aegra: threads, checkpoints and the ledger on one PostgreSQL, for any number of processes."""

    KIND, HEALTH = "aegra", "/health"

    def __init__(self, programs, folder):
        self.database = _database("aegra")
        super().__init__(programs, folder, postgres.new_ledger())

    def environment(self):
        """Where its own tables are."""
        return {"DATABASE_URL": self.database, "AEGRA_CONFIG": "aegra.json", "AUTH_TYPE": "custom"}

    def command(self, port):
        """As the README has it."""
        return [self.programs / "uvicorn", "aegra_api.main:app", "--host", "127.0.0.1", "--port", str(port)]

    def close(self):
        """End everything, and take the ledger away."""
        super().close()
        postgres.drop(self.ledger)


def _database(name):
    """The URL of a new database for aegra, which looks for an extension that the tests' PostgreSQL comes without.

    Of that extension aegra uses one function, and PostgreSQL itself has had it for long, under another name.
    """
    uri = postgres.server().get_uri()
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    there = uri.replace("/postgres?", f"/{name}?")
    assert there != uri
    with psycopg.connect(there, autocommit=True) as connection:
        connection.execute("SET allow_system_table_mods = on")
        connection.execute(
            "INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion) VALUES ("
            "pg_nextoid('pg_extension', 'oid', 'pg_extension_oid_index'), 'uuid-ossp', 10, 'public'::regnamespace, "
            "true, '1.1')"
        )
        connection.execute("CREATE FUNCTION uuid_generate_v4() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'")
    return there
