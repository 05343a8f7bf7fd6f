"""Queries as health checks, on real databases: one value, bound arguments, and nothing is written."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from ladder_graph.policy.checks import Sql
from ladder_graph.watch import Surroundings, measured
from ladder_graph.watch.readiness import unready
from ladder_graph.watch.verdicts import compared
from tests.postgres import server


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A database with two orders, whose URL stands in SHOP_DB."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER, customer TEXT, paid INTEGER)")
        connection.execute("INSERT INTO orders VALUES (1, 'ana', 1), (2, 'bo', NULL)")
        connection.commit()
    monkeypatch.setenv("SHOP_DB", f"sqlite:///{path}")
    return path


def found(query, arguments=None, **fields):
    """One measurement."""
    return measured(Sql(env="SHOP_DB", query=query, **fields), arguments or {}, Surroundings())


@pytest.mark.parametrize(
    ("query", "good", "verdict"),
    [
        ("SELECT count(*) FROM orders", {"equals": 2}, "good"),
        ("SELECT count(*) FROM orders", {"at_most": 1}, "bad"),
        ("SELECT count(*) FROM orders", {"at_least": 2, "at_most": 2}, "good"),
        ("SELECT paid FROM orders WHERE id = 1", {"equals": True}, "good"),
        ("SELECT paid FROM orders WHERE id = 2", {"equals": True}, "inconclusive"),
        ("SELECT customer FROM orders WHERE id = 1", {"equals": "ana"}, "good"),
        ("SELECT customer FROM orders WHERE id = 1", {"at_most": 3}, "inconclusive"),
        ("SELECT id FROM orders WHERE id = 3", {"at_most": 3}, "inconclusive"),
        ("SELECT id FROM orders", {"at_most": 3}, "inconclusive"),
        ("SELECT id, paid FROM orders WHERE id = 1", {"at_most": 3}, "inconclusive"),
        ("SELECT 9e999 - 9e999", {"at_most": 3}, "inconclusive"),
        ("SELECT nothing", {"at_most": 3}, "inconclusive"),
        ("SELEC", {"at_most": 3}, "inconclusive"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_one_value_must_be_as_said(query, good, verdict):
    """No row, several, NULL, another type and an error are no result."""
    assert found(query, **good).verdict == verdict


@pytest.mark.usefixtures("shop")
def test_arguments_are_bound_and_never_pasted_in():
    """What looks like SQL in an argument is text; one that is missing, or no scalar, is no result."""
    query = "SELECT count(*) FROM orders WHERE customer = :to"
    assert found(query, {"to": "ana", "other": [1]}, equals=1).verdict == "good"
    assert found(query, {"to": "' OR 1=1 --"}, equals=0).verdict == "good"
    assert "needs the argument to" in found(query, {}, equals=1).text
    assert found(query, {"to": ["ana"]}, equals=1).verdict == "inconclusive"


@pytest.mark.parametrize(
    "query", ["DELETE FROM orders", "DELETE FROM orders RETURNING 1", "CREATE TABLE t AS SELECT 1"]
)
def test_nothing_is_written(shop, query):
    """A query of the policy that writes is no result, and writes nothing."""
    assert found(query, equals=1).verdict == "inconclusive"
    with closing(sqlite3.connect(shop)) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


@pytest.mark.usefixtures("shop")
def test_a_query_that_does_not_end_is_no_result():
    """It is stopped, and not only left alone."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    assert found(endless, equals=1, timeout=0.2).verdict == "inconclusive"


def test_a_database_that_is_not_there_is_no_result(tmp_path, monkeypatch):
    """No file is made, and what is said holds no password."""
    monkeypatch.delenv("SHOP_DB", raising=False)
    assert found("SELECT 1", equals=1).verdict == "inconclusive"
    assert "no environment variable SHOP_DB" in unready(Sql(env="SHOP_DB", query="SELECT 1", equals=1))
    monkeypatch.setenv("SHOP_DB", f"sqlite:///{tmp_path}/none.db")
    assert found("SELECT 1", equals=1).verdict == "inconclusive"
    assert list(tmp_path.iterdir()) == []
    for url in ("postgresql://u:hush@127.0.0.1:9/x", "nosuch://u:hush@h/x", "u:hush"):
        monkeypatch.setenv("SHOP_DB", url)
        one = found("SELECT 1", equals=1)
        assert one.verdict == "inconclusive"
        assert "hush" not in one.text


def test_postgres_is_read_only_and_in_time(monkeypatch):
    """The server itself refuses to write, and stops what takes too long."""
    monkeypatch.setenv("SHOP_DB", server().get_uri())
    assert found("SELECT :a || '%'", {"a": "x"}, equals="x%").verdict == "good"
    assert found("SELECT 1.5::numeric", at_most=1.5).verdict == "good"
    assert found("SELECT 'NaN'::numeric", at_most=1.5).verdict == "inconclusive"
    assert found("SELECT true", equals=True).verdict == "good"
    assert "InternalError" in found("CREATE TABLE made_by_a_check AS SELECT 1", equals=1).text
    assert found("SELECT pg_sleep(30)", equals="", timeout=0.3).verdict == "inconclusive"
    assert found("SELECT to_regclass('made_by_a_check') IS NULL", equals=True).verdict == "good"


def test_values_are_compared_with_their_type():
    """A number is no text and true is no number, except as databases without booleans write it."""
    assert compared("1", 1, None, None) is None
    assert compared(1, "1", None, None) is None
    assert compared(True, 1, None, None) is None
    assert compared(0, False, None, None) is True
    assert compared(2, True, None, None) is None
    assert compared(True, None, 0, None) is None
    assert compared(float("inf"), None, None, 5) is False
