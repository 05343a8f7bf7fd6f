"""A schema in a PostgreSQL database as one end of a move."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import psycopg

from ladder_graph.errors import LedgerError
from ladder_graph.ledger.database import marks, migrations, postgres_schema
from ladder_graph.ledger.database.marks import Mark
from ladder_graph.ledger.database.postgres import Streamed
from ladder_graph.ledger.database.postgres_schema import DIALECT
from ladder_graph.ledger.database.sessions import Address, key_of
from ladder_graph.ledger.moves.ends import NAMES, in_hand
from ladder_graph.ledger.moves.lines import Form
from ladder_graph.ledger.proof import chain
from ladder_graph.ledger.proof.checkpoints_alone import Head
from ladder_graph.ledger.proof.verify_alone import HEADS

_PORTION = 500
"""Lines that are sent together."""

_SETTINGS = {
    "client_encoding": "UTF8", "bytea_output": "hex", "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0", "maintenance_work_mem": "256MB",
}  # fmt: skip
"""How lines are written, and patience for what takes as long as it takes."""

_KEYS = """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = to_regnamespace(%s) AND contype IN ('p', 'u')"""


class PostgresEnd:
    """See `End`.

    Args:
        url: As in a policy.
    """

    def __init__(self, url: str) -> None:
        self.address = Address.of(url)
        self.name = self.address.shown
        with self._said(), ExitStack() as opened:
            self.connection = opened.enter_context(closing(self.address.connect(direct=True, **_SETTINGS)))
            if not self._one("SELECT pg_try_advisory_lock(%s)", [key_of("move", self.address.schema)]):
                raise LedgerError(in_hand(self.name))
            # The same address leads to another server where a parameter or the environment says so; and a move must
            # never go on with another one.
            host = self.connection.info.host
            if host.lower() != urlsplit(self.name).hostname:
                self.name = f"{self.name} on {host}"
            opened.pop_all()

    def _one(self, query: str, parameters: Any = ()) -> Any:
        row = self.connection.execute(query, parameters).fetchone()
        return None if row is None else row[0]

    def close(self) -> None:
        """As every end does."""
        self.connection.close()

    def version(self) -> int:
        """As every end does."""
        with self._said():
            return postgres_schema.schema_of(self.connection, self.address)

    def marks(self) -> list[Mark]:
        """As every end does."""
        with self._said():
            return postgres_schema.marks_of(self.connection, self.address)

    def holders(self) -> list[str]:
        """As every end does: sessions that hold the lock of an owner that some row names."""
        with self._said():
            return postgres_schema.at_work(self.connection, self.address.schema)

    # --- as what is given away -------------------------------------------------------------------------------

    def shut(self, mark: Mark) -> None:
        """As every end does. Who has it open is told so at the next write."""
        with self._said(), self.connection.transaction():
            self._one("SELECT set_config('lock_timeout', %s, true)", [postgres_schema.PATIENCE])
            self._write(mark)
            for statement in (*marks.reopen(DIALECT, NAMES), *marks.shut(DIALECT, NAMES, mark.text)):
                self.connection.execute(statement)

    def reopen(self, mark: Mark) -> None:
        """As every end does."""
        with self._said(), self.connection.transaction():
            for statement in marks.reopen(DIALECT, NAMES):
                self.connection.execute(statement)
            self._forget(mark)

    def verify(self) -> chain.Verification:
        """As every end does, through cursors on the server."""
        with self._said(), self.connection.transaction(), ExitStack() as opened:
            return chain.verify(Streamed(self.connection, opened))

    def heads(self) -> list[Head]:
        """As every end does."""
        with self._said():
            found = self.connection.execute(HEADS).fetchall()
        return [(stream, n, digest) for stream, n, digest in found]

    def lines(self, form: Form) -> Iterator[bytes]:
        """As every end does."""
        query = f'COPY (SELECT {form.columns} FROM "{form.table.name}") TO STDOUT'  # noqa: S608  # ours
        with self._said(), self.connection.cursor() as cursor, cursor.copy(query) as copied:
            yield from (form.ours(bytes(line)) for line in copied)

    # --- as where it comes to be -----------------------------------------------------------------------------

    def vacant(self, mark: Mark) -> None:
        """As every end does."""
        if not any(one.id == mark.id for one in self.marks()) and self._tables():
            raise LedgerError(
                f"{self.name} holds a ledger already. Name a schema that holds nothing, by ?schema=, or drop this one, "
                "if nobody needs it; it was not touched."
            )

    def reserve(self, mark: Mark) -> None:
        """As every end does."""
        self.vacant(mark)
        with self._said(), self.connection.transaction():
            # Whoever opens it now finds nothing or the mark, and never makes a ledger there.
            self.connection.execute("SELECT pg_advisory_xact_lock(%s)", [key_of("schema", self.address.schema)])
            postgres_schema.make_schema(self.connection, self.address.schema)
            self._drop()
            self._write(mark)

    def _tables(self) -> set[str]:
        with self._said():
            return postgres_schema.tables_in(self.connection, self.address.schema)

    def _drop(self) -> None:
        for name in self._tables() - {marks.TABLE}:
            self.connection.execute(f'DROP TABLE "{name}"')
        self.connection.execute("DROP FUNCTION IF EXISTS entry_refuse()")

    @contextmanager
    def filling(self) -> Iterator[None]:
        """As every end does. Keys and indexes are made once the rows are there, and the planner is told of them."""
        with self._said(), self.connection.transaction():
            tables, indexes = migrations.for_many_rows(DIALECT)
            for statement in tables:
                self.connection.execute(statement)
            keys = self.connection.execute(_KEYS, [self.address.schema]).fetchall()
            for table, name, _ in keys:
                self.connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            yield
            for table, name, definition in keys:
                self.connection.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
            for statement in indexes:
                self.connection.execute(statement)
            for name in NAMES:
                self.connection.execute(f'ANALYZE "{name}"')

    def fill(self, form: Form, lines: Iterable[bytes]) -> None:
        """As every end does. Rows are written as old ones, which no vacuum needs to visit again."""
        lines, query = iter(lines), f'COPY "{form.table.name}" ({form.columns}) FROM STDIN (FREEZE)'
        with self.connection.cursor() as cursor, cursor.copy(query) as copying:
            while portion := b"".join(islice(lines, _PORTION)):
                copying.write(portion)

    def filled(self) -> bool:
        """As every end does."""
        return "entry" in self._tables()

    def accept(self, mark: Mark) -> None:
        """As every end does."""
        with self._said(), self.connection.transaction():
            postgres_schema.name(self.connection)
            self._write(mark)

    def release(self, mark: Mark) -> None:
        """As every end does. The schema stays, since it may have been made for us."""
        if any(one.id == mark.id and one.ended_us is None for one in self.marks()):
            with self._said(), self.connection.transaction():
                self._drop()
                self.connection.execute(f"DROP TABLE {marks.TABLE}")

    # --- the schema ------------------------------------------------------------------------------------------

    def _write(self, mark: Mark) -> None:
        if marks.TABLE not in self._tables():
            self.connection.execute(marks.CREATE)
        self._forget(mark)
        self.connection.execute(marks.INSERT.replace("?", "%s"), mark.values)

    def _forget(self, mark: Mark) -> None:
        self.connection.execute(marks.DELETE.replace("?", "%s"), (mark.id, mark.way))

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as wrong:
            raise self.address.said(wrong) from wrong
