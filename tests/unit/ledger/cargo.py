"""A ledger in which every table holds something, whatever tables there come to be, and what it holds."""

from __future__ import annotations

from contextlib import closing

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Boolean, Float, Integer, LargeBinary

from ladder_graph.facts import Person
from ladder_graph.ledger import Store
from ladder_graph.ledger.database.dialects import insert_into, table_of
from ladder_graph.ledger.database.migrations import TABLES
from ladder_graph.ledger.upkeep import checkpoints, signing_keys
from tests.unit.ledger.desk import CALL, at, call, charge

CHAINED = {"entry", "payload", "head", "action", "checkpoint", "anchored", "signing_key"}
"""Tables that must agree with each other; the gate itself writes them, and who signs."""
TEXTS = ("plain", "", "\\N", "a\tb\nc\\d\r\"é'", "\b\f\v\x01\x7f\u2028 \U0001f9ed", "\\t\\\\", "{}" * 40)
NUMBERS = {"Integer": (0, 1, 2**31 - 1), "BigInteger": (0, 2**53 + 1, 2**63 - 1)}
FRACTIONS = (0.0, 20.0, 0.1, 1e15, 1e-7, 12345678.125)
BYTES = (b"", bytes(range(256)), b"\\x00")


def value(column, n):
    """The n-th value of a column, as awkward as its type allows."""
    if column.nullable and n % 3 == 0:
        return None
    kind = column.type
    if isinstance(kind, Boolean):
        return n % 2 == 0
    if isinstance(kind, LargeBinary):
        return BYTES[n % len(BYTES)]
    if isinstance(kind, Float):
        return FRACTIONS[n % len(FRACTIONS)]
    if isinstance(kind, Integer):
        numbers = NUMBERS[type(kind).__name__]
        return n if column.primary_key else numbers[n % len(numbers)]
    text = TEXTS[n % len(TEXTS)]
    return f"{text} {n}" if column.primary_key or column.unique else text


def load(source, rows=7):
    """Fill every table of a ledger; the gate has been through all that a claim can come to, and one is under way."""
    with at(source) as desk:
        desk.claim(CALL, charge())
        desk.record("done")
        for number in (2, 3):
            desk.claim(call(number, tool="sénd\t\\N", arguments={"to": "a\tb\\c\n\0"}), charge(quota=f"q{number}"))

        def write(journal, cursor):
            for model in TABLES:
                table = table_of(model)
                if table.name not in CHAINED:
                    for n in range(1, rows):
                        row = {column.name: value(column, n) for column in table.columns}
                        if table.name == "question":  # Its rounds are unique.
                            row |= {"round": n}
                        cursor.execute(insert_into(model), row)

            secret = Ed25519PrivateKey.generate()
            key = ("ops", secret.public_key().public_bytes_raw())
            signing_keys.first(journal, cursor, "ops", key, Person("dana", "os"))
            checkpoints.make(cursor, "ops", key, secret.sign, journal.us)

        desk.write(write)


def held(source):
    """Every row of every table, each cell as Python has it on either database."""
    with closing(Store(str(source))) as store:
        return store.glance(lambda cursor: {table.name: _rows(cursor, table) for table in map(table_of, TABLES)})


def _rows(cursor, table):
    kinds = [_KINDS.get(type(column.type), lambda cell: cell) for column in table.columns]
    query = f'SELECT {_columns(table)} FROM "{table.name}"'  # noqa: S608  # ours
    rows = cursor.execute(query).fetchall()
    cells = (tuple(None if one is None else kind(one) for kind, one in zip(kinds, row, strict=True)) for row in rows)
    return sorted(cells, key=repr)


_KINDS = {Boolean: bool, Float: float}


def _columns(table):
    return ", ".join(f'"{column.name}"' for column in table.columns)
