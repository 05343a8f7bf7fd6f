"""Sessions with a PostgreSQL server: where it is, how to get in, and a lock that lasts as long as a session.

A session's advisory lock is gone as soon as the server sees that the session is over; a process that is merely slow,
or stopped, keeps it. What the server can't tell from a death is a connection that was cut; so whoever claims looks
at its own session once more, right before the effect.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import select
import threading
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg
from psycopg import errors

from ladder_graph.errors import LedgerError, LedgerUnwritable
from ladder_graph.ledger.database.liveness import Owner

SCHEMA = "ladder"
"""The schema of a ledger that names none."""

_KEEPALIVES = {"keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "3", "connect_timeout": "10"}
"""How libpq finds out within about ten seconds that a server is gone."""

_KEPT_ALIVE = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}
"""How the server finds the same out about a client."""

_ENDS_IDLE = 140_000
"""The server's version from which on it may be told to end a session in which nothing happens."""

_REFUSES = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction, errors.DiskFull, psycopg.OperationalError)
"""Errors that say: nothing can be written there now."""
_ALSO_READING = (errors.InsufficientPrivilege, psycopg.OperationalError)
"""Those among them that whoever only reads may hear, too."""

_SHARED = (errors.DuplicatePreparedStatement, errors.InvalidSqlStatementName, errors.UndefinedObject)
"""Errors that say: this session isn't ours alone, so that it isn't what we told it to be."""


def key_of(*parts: str) -> int:
    """A key for an advisory lock: 64 bits, as PostgreSQL counts them."""
    digest = hashlib.sha256("\0".join(("ladder", *parts)).encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def lock_of(owner: str) -> int:
    """The key of an owner's lock.

    Raises:
        ValueError: That is no owner on a server.
    """
    return int.from_bytes(int(owner, 16).to_bytes(8), signed=True)


def let_go(connection: psycopg.Connection[Any]) -> None:
    """Close our copy of a connection's socket without a word.

    The session of a parent that holds the same socket goes on; where nobody does, the server takes us for dead.
    """
    if not connection.closed:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, connection.fileno())
        os.close(nowhere)
        connection.close()


@dataclass(frozen=True)
class Address:
    """Where a ledger is: libpq's connection string, and the schema."""

    conninfo: str
    schema: str
    shown: str
    """Without the password."""
    direct: str = ""
    """The connection string for what lasts as long as a session, past any pooler; empty for the same one."""

    @classmethod
    def of(cls, url: str) -> Self:
        """Read a URL.

        Raises:
            LedgerError: It is no URL, the schema is no plain name, or `direct` no host.
        """
        try:
            parts = urlsplit(url)
        except ValueError as wrong:
            raise LedgerError(f"the ledger's address is no URL: {wrong}") from None
        # To libpq a plus sign is one, and no space as in a form.
        query = dict(parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True))
        schema = query.pop("schema", SCHEMA)
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", schema):
            raise LedgerError(f"{schema!r} is no name for a schema; take lower-case letters, digits and underscores")
        direct = query.pop("direct", None)
        user, at, host = parts.netloc.rpartition("@")
        shown = f"{parts.scheme}://{user.partition(':')[0]}{at}{host}{parts.path}"
        return cls(
            _conninfo(parts.netloc, parts.path, query), schema,
            f"{shown}?schema={schema}" if schema != SCHEMA else shown,
            "" if direct is None else _conninfo(f"{user}{at}{_host(direct)}", parts.path, {
                name: value for name, value in query.items() if name not in _PLACES
            }),
        )  # fmt: skip

    def connect(self, *, direct: bool = False, **settings: str) -> psycopg.Connection[Any]:
        """A session in autocommit mode, with the ledger's schema and nothing else in sight.

        Args:
            direct: Past any pooler, for what lasts as long as the session; the server doesn't end it for being idle.
            settings: What else the session is to be told, by the server's names for it.

        Raises:
            LedgerUnwritable: The server can't be reached, or doesn't let us in.
        """
        # The server, too, must see soon that a client is gone.
        told = {"search_path": self.schema, **_KEPT_ALIVE, **settings}
        try:
            connection = psycopg.connect((direct and self.direct) or self.conninfo, autocommit=True)
            try:
                if direct and connection.info.server_version >= _ENDS_IDLE:
                    told["idle_session_timeout"] = "0"
                asked = ", ".join(["set_config(%s, %s, false)"] * len(told))
                connection.execute(f"SELECT {asked}", [part for pair in told.items() for part in pair])
            except BaseException:  # It may go down right after it has let us in.
                connection.close()
                raise
        except psycopg.Error as wrong:
            raise self.said(wrong) from wrong
        return connection

    def said(self, wrong: Exception) -> LedgerError:
        """An error of the driver's in our words."""
        # libpq goes on in lines of their own, some of them indented.
        text = "; ".join(line.strip().rstrip(".") for line in str(wrong).strip().splitlines())
        if isinstance(wrong, _SHARED):
            return LedgerError(
                f"{self.shown} leads through a pooler that shares sessions between transactions ({text}). Let it lead "
                "to the server itself, or set PgBouncer's pool_mode to session; docs/postgres.md says why."
            )
        if isinstance(wrong, _REFUSES):
            done = "used" if isinstance(wrong, _ALSO_READING) else "written"
            return LedgerUnwritable(f"{self.shown} can't be {done}: {text}. Nothing was recorded by this.")
        return LedgerError(f"{self.shown}: {text}")


_PLACES = ("host", "hostaddr", "port")
"""Parameters of libpq's that win over the host in a URL."""


def _conninfo(netloc: str, path: str, query: dict[str, str]) -> str:
    # Not by `urlunsplit`, which leaves the two slashes out where no host is named.
    return f"postgresql://{netloc}{path}?{urlencode({**_KEEPALIVES, **query}, quote_via=quote)}"


def _host(direct: str) -> str:
    """Where `direct=` leads.

    Raises:
        LedgerError: It is neither a host nor a host with its port.
    """
    if not re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?", direct):
        raise LedgerError(f"direct={direct} is no host; take the server's own, as db.example.com:5432")
    return direct


class SessionOwner(Owner):
    """An owner whose lock is one of its session with the server.

    Args:
        address: Where the ledger is.
    """

    grace_us = 5_000_000
    """When a server is restarted all locks are gone, and those who live need a moment to connect again."""

    def __init__(self, address: Address) -> None:
        super().__init__()
        self._address = address
        self._session: psycopg.Connection[Any] | None = None
        self._locked = False
        self._guard = threading.Lock()

    def hold(self) -> str:
        """As every owner does. Whoever lost the lock holds a new one, under a new id."""
        with self._guard:
            if self._locked and not self._lives():
                self.id, self._locked = secrets.token_hex(8), False
            if not self._locked:
                (got,) = self._ask("SELECT pg_try_advisory_lock(%s)", self.id)
                if not got:
                    raise LedgerUnwritable(f"{self._address.shown}: the owner {self.id} lives already. Nothing ran.")
                self._locked = True
            return self.id

    def held(self) -> bool:
        """Whether the session still lives; one that was cut has lost its lock."""
        with self._guard:
            return self._locked and self._lives()

    def lives(self, owner: str) -> bool:
        """As every owner does; where the server can't be asked, everybody lives."""
        try:
            with self._guard:
                # Any number may look at once, and nobody is taken for alive because somebody looks.
                (free,) = self._ask("SELECT pg_try_advisory_xact_lock_shared(%s)", owner)
        except ValueError:
            return False
        except (LedgerError, psycopg.Error):
            return True
        return not free

    def release(self) -> None:
        """As every owner does."""
        if self._session is not None:
            self._session.close()
            self._session, self._locked = None, False

    def abandon(self) -> None:
        """As every owner does: the server sees us gone, unless a parent holds the same socket."""
        if self._session is not None:
            let_go(self._session)
            self._session, self._locked = None, False

    def _lives(self) -> bool:
        """Whether the session is there; a server that ends one says so, where otherwise nothing comes unasked."""
        if self._session is None or self._session.closed:
            return False
        readable, _, _ = select.select([self._session.fileno()], [], [], 0)
        try:
            return not readable or self._session.execute("SELECT 1").fetchone() is not None
        except psycopg.Error:
            return False

    def _ask(self, query: str, owner: str) -> Any:
        """Ask about an owner's lock. A session without a lock to lose may be replaced."""
        key = lock_of(owner)
        if self._session is None or (not self._locked and not self._lives()):
            self._session = self._address.connect(direct=True)
        return self._session.execute(query, [key], prepare=True).fetchone()
