"""Undoing what a tool did to rows of a table."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from ladder_graph.errors import LadderError
from ladder_graph.undo import sql_rows, touched_from, undo_apart, undo_from
from tests.postgres import server
from tests.undo.sequences import SEQUENCES, came, hold, made, refused, tried
from tests.undo.services import address, engine

TABLE = {
    "sqlite": "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, amount NUMERIC, raw BLOB, at TIMESTAMP, "
    "twice NUMERIC GENERATED ALWAYS AS (amount * 2))",
    "postgresql": "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, amount NUMERIC, raw BYTEA, "
    "at TIMESTAMPTZ, twice NUMERIC GENERATED ALWAYS AS (amount * 2) STORED)",
}
SOME = {"ids": [1, 2, 3]}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path, monkeypatch):
    """An engine on a new database, with a table of orders."""
    url = f"sqlite:///{tmp_path}/shop.db"
    if request.param == "postgresql":
        url = server().get_uri().replace("postgresql://", "postgresql+psycopg://")
    monkeypatch.setenv("TEST_DATABASE", url)
    found = create_engine(url, poolclass=NullPool)
    with found.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS orders"))
        connection.execute(text(TABLE[request.param]))
        connection.execute(text(
            "INSERT INTO orders (id, customer, amount, raw, at) VALUES (1, 'ana', 1.10, NULL, '2026-01-01 12:00:00'), "
            "(2, 'bo', 20000000000000001, '\\x00ff', NULL)"
        ))  # fmt: skip
    yield found
    with found.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS orders"))


def declared(source="env:TEST_DATABASE", **said):
    """The declaration for a tool with an argument `ids`."""
    return sql_rows(source, "orders", **{"key": {"id": "ids"}, **said})


def seen(database):
    """All rows."""
    with database.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT * FROM orders ORDER BY id"))]


def run(database, statement, **values):
    """Do something to the rows; False where it did nothing."""
    with database.begin() as connection:
        return connection.execute(text(statement), values).rowcount > 0


def update(nth, customer):
    """Change a row."""
    return lambda db: run(db, "UPDATE orders SET customer = :c, amount = amount + 1 WHERE id = :i", c=customer, i=nth)


def delete(nth):
    """Delete a row."""
    return lambda db: run(db, "DELETE FROM orders WHERE id = :i", i=nth)


def insert(nth, customer):
    """Insert a row that isn't there."""
    add = "INSERT INTO orders (id, customer) VALUES (:i, :c) ON CONFLICT DO NOTHING"
    return lambda db: run(db, add, i=nth, c=customer)


def changes(who):
    """Any change that one makes."""
    nth, names = st.integers(1, 4), st.sampled_from([who, who * 2])
    return st.one_of(st.builds(update, nth, names), st.builds(delete, nth), st.builds(insert, nth, names))


ROWS = "INSERT INTO orders (id, customer, amount) VALUES (1, 'ana', 1.5), (2, 'bo', NULL)"


@SEQUENCES
def test_it_leaves_what_would_be_there_without_the_action(sequences, database, tmp_path, monkeypatch):
    """Whatever the action did to the rows that it names, and others did to any of them."""

    @tried(sequences)
    @given(st.lists(changes("it"), min_size=1, max_size=3), st.lists(changes("me"), max_size=3))
    def sequence(action, foreign):
        # One table plays both worlds, the one without the action first.
        class World:
            def __init__(self):
                self.rows = None

        current = []

        def at(world):
            if current and current[0] is not world:
                current[0].rows = dump(database)
            if not current or current[0] is not world:
                load(database, world.rows)
                current[:] = [world]
            return database

        def act(world):
            for one in action:
                one(at(world))

        hold(
            World, lambda world: at(world) and declared(), lambda world: {"ids": [1, 2, 3, 4]}, act,
            [lambda world, one=one: one(at(world)) for one in foreign], lambda world: seen(at(world)),
        )  # fmt: skip

    sequence()


def dump(database):
    """The rows, to be loaded again."""
    with database.connect() as connection:
        return [dict(row) for row in connection.execute(text("SELECT id, customer, amount FROM orders")).mappings()]


def load(database, rows):
    """Make the rows these; two to begin with."""
    with database.begin() as connection:
        connection.execute(text("DELETE FROM orders"))
        if rows is None:
            connection.execute(text(ROWS))
        elif rows:
            connection.execute(text("INSERT INTO orders (id, customer, amount) VALUES (:id, :customer, :amount)"), rows)


@pytest.mark.parametrize("source", ["env:TEST_DATABASE", engine, address])
def test_rows_come_back_exactly(database, source):
    """Changed, deleted and inserted ones, with every type, by another process, too."""
    before = seen(database)
    artifact = made(declared(source), SOME)
    assert "shop.db" not in json.dumps(artifact)
    assert "postgresql+" not in json.dumps(artifact)
    for act in (update(1, "it"), delete(2), insert(3, "it")):
        act(database)
    assert undo_apart(artifact, touched_from(artifact)).text == ""
    assert seen(database) == before


def test_other_rows_are_left_alone(database):
    """What others changed in a row that the action left alone, or in any other row, stays."""
    artifact = made(declared(), SOME)
    others = [lambda: update(2, "me")(database), lambda: insert(9, "me")(database)]
    assert came(declared(), artifact, lambda: update(1, "it")(database), *others) == "undone"
    assert [row[:2] for row in seen(database)] == [(1, "ana"), (2, "me"), (9, "me")]


def test_a_row_that_others_changed_is_a_conflict(database):
    """Nothing is put back then, of any row."""
    artifact = made(declared(), SOME)

    def act():
        update(1, "it")(database)
        delete(2)(database)

    assert came(declared(), artifact, act, lambda: insert(2, "me")(database)) == "conflict"
    assert [row[:2] for row in seen(database)] == [(1, "it"), (2, "me")]


def test_after_a_crash_the_rows_go_back_all_the_same(database):
    """Without the fingerprint after the action, what is there now is the action's."""
    before = seen(database)
    assert came(declared(), made(declared(), SOME), lambda: update(1, "it")(database), known=False) == "undone"
    assert seen(database) == before


def test_what_the_database_refuses_is_a_conflict(database):
    """A row that can't come back, since somebody took its place, and then none does."""
    with database.begin() as connection:
        connection.execute(text("CREATE UNIQUE INDEX one_customer ON orders (customer)"))
    artifact = made(declared(), SOME)

    def act():
        delete(1)(database)
        update(2, "it")(database)

    assert came(declared(), artifact, act, lambda: insert(9, "ana")(database)) == "conflict"
    assert [row[:2] for row in seen(database)] == [(2, "it"), (9, "ana")]


def test_columns_that_the_database_sets_are_left_out(database):
    """They are neither compared nor put back."""
    artifact = made(declared(ignore=["customer"]), SOME)
    act = lambda: update(1, "it")(database)  # noqa: E731
    other = lambda: run(database, "UPDATE orders SET customer = 'clock'")  # noqa: E731
    assert came(declared(ignore=["customer"]), artifact, act, other) == "undone"
    assert seen(database)[0][1] == "clock"
    assert float(seen(database)[0][2]) == 1.1


def test_rows_that_do_not_become_what_they_were_are_left_as_they_are(tmp_path, monkeypatch):
    """A trigger that changes what is written is found out before the commit."""
    monkeypatch.setenv("TEST_DATABASE", f"sqlite:///{tmp_path}/shop.db")
    database = create_engine(f"sqlite:///{tmp_path}/shop.db", poolclass=NullPool)
    run(database, "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT)")
    run(database, "INSERT INTO orders VALUES (1, 'ana')")
    artifact = made(declared(), SOME)
    run(database, "UPDATE orders SET customer = 'it'")
    run(database, "CREATE TRIGGER t AFTER UPDATE ON orders WHEN NEW.customer = 'ana' BEGIN "
                  "UPDATE orders SET customer = 'trigger'; END")  # fmt: skip
    assert "doesn't become what it was" in undo_from(artifact, None).text
    assert seen(database) == [(1, "it")]


@pytest.mark.parametrize(
    ("said", "arguments", "why"),
    [
        ({}, {}, "names no rows"),
        ({}, {"ids": []}, "names no rows"),
        ({"key": {"nope": "ids"}}, SOME, "has no column nope"),
        ({"source": "env:NOT_SET"}, SOME, "NOT_SET isn't set"),
    ],
)
def test_what_names_no_rows_gets_no_undo(database, said, arguments, why):
    """Then the call asks."""
    assert why in refused(declared(**said), arguments)


def test_a_table_without_a_key_gets_no_undo(tmp_path, monkeypatch):
    """Its rows can't be told apart."""
    monkeypatch.setenv("TEST_DATABASE", f"sqlite:///{tmp_path}/shop.db")
    run(create_engine(f"sqlite:///{tmp_path}/shop.db", poolclass=NullPool), "CREATE TABLE orders (id INTEGER)")
    assert "no primary key" in refused(declared(), SOME)


def test_a_url_is_never_taken_as_it_is():
    """It would end up in the artifact, with its password."""
    with pytest.raises(LadderError, match="environment variable"):
        sql_rows("postgresql://ana:secret@db/shop", "orders", key="id")
    with pytest.raises(LadderError, match="lambda"):
        sql_rows(lambda: "", "orders", key="id")
