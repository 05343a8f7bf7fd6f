"""Properties of bounds on scope: nothing of another place gets through, and a wider bound never blocks."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ladder_graph.policy.bounds import (
    Domain,
    Environment,
    Host,
    Table,
    Tenant,
    Under,
)
from ladder_graph.policy.scene import Scene
from tests.properties.drawing import NOW, VALUES, call, mostly, never_blocks, pieces


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A directory with a link inside and a link out of it."""
    base = tmp_path_factory.mktemp("under")
    (base / "conf" / "sub").mkdir(parents=True)
    (base / "conf" / "in").symlink_to(base / "conf" / "sub")
    (base / "conf" / "out").symlink_to(base)
    (base / "door").symlink_to(base / "conf")
    return base / "conf"


@given(
    mostly("ROOT/", "", odd=["/", "ROOT", "/etc/", " ", "~/", "//"]),
    pieces(*["../", "/", "a", "b/", "in/", "out/", "sub/", "conf/"] * 3, "..", ".", "~", "\\", " ", "\n", "%2e"),
    st.sampled_from(["directory", "process", None]),
)
def test_only_a_path_below_the_directory_is_under_it(root, start, rest, relative_to):
    """What passes lies below the directory for the tool too, with blanks stripped and links followed."""
    value = start.replace("ROOT", str(root)) + rest
    bound = Under(argument="x", directory=str(root), relative_to=relative_to)
    if bound.check(call(value)) is None:
        origin = root if relative_to == "directory" else "."
        for read in (value, value.strip(), str(Path(value).expanduser()), value.replace("\\", "/")):
            real = os.path.realpath(Path(origin, read))
            assert real.startswith(f"{os.path.realpath(root)}/")


@given(
    st.sampled_from(["", "/sub", "/in", "/out", "/../door", "/../conf", "/in/..", "/no", "/no/../in", "/"]),
    pieces(*["../", "a/", "b", "in/", "out/", "sub/", "conf/", "no/", "out", "in"] * 2, "/", "."),
)
def test_the_short_way_to_a_path_says_what_the_long_one_says(root, directory, rest):
    """Whatever the directory is, and wherever links and `..` stand: inside is what really lies below it."""
    bound = Under(argument="x", directory=f"{root}{directory}")
    value = f"{root}{directory}/{rest}"
    path, above = os.path.realpath(value), os.path.realpath(bound.directory)
    if bound._plain(value):
        assert bound._inside(value) is (path != above and path.startswith(f"{above}/"))


@given(
    mostly("https", "HTTPS", odd=["http", " https", "ftp", ""]),
    mostly("://", odd=[":", "//", ":/", ":///", ":\\\\"]),
    mostly("", odd=["user@", "user:pw@", "@", "evil.example\\@", "evil.example#@", "evil.example/", "evil.example?"]),
    mostly(
        "good.example", "GOOD.example", odd=["good.example.", "evil.example", "sub.good.example", "good%2eexample", ""]
    ),
    mostly("", ":443", odd=[":", ":8443", ":x", ":0443", "@evil.example", ".evil.example"]),
    mostly("", "/", "/a?b#c", "?x", "#@evil.example", odd=["\\x", " ", "\n", "\N{LINE SEPARATOR}", "\0"]),
)
def test_only_a_url_of_the_host_has_the_host(scheme, between, user, host, port, rest):
    """What passes begins, letter for letter, with an allowed scheme and host, and then the path, query or fragment."""
    value = scheme + between + user + host + port + rest
    if Host(argument="x", hosts=["good.example"]).check(call(value)) is None:
        assert re.match(r"(?i)https://good\.example(:443)?([/?#][^\s\\]*)?\Z", value)


@given(
    st.sampled_from(["https://good.example", "https://good.example:443"]),
    pieces("@", ":", ".", "evil.example", "\\", "8", "%"),
)
def test_nothing_grows_out_of_an_allowed_host(start, rest):
    """Whatever is put behind the host becomes a path, or is outside."""
    if Host(argument="x", hosts=["good.example"]).check(call(start + rest)) is None:
        assert not rest or rest[0] in "/?#"


@given(
    mostly("", odd=["<", "eve@evil.example,", "-", "Ana ", '"', "\n"]),
    mostly(
        "ana",
        "a.b+c",
        "ANA_1",
        odd=["eve%evil.example", "evil.example!eve", "a..b", "", "\N{CYRILLIC SMALL LETTER A}na"],
    ),
    mostly("@", odd=["@@", "@evil.example@", " @", "", "\N{FULLWIDTH COMMERCIAL AT}"]),
    mostly("shop.example", "SHOP.example", odd=["sub.shop.example", "shop.example.", "evil.example", ""]),
    mostly("", odd=[">", "\n", "\r\nBcc: eve@evil.example", ",eve@evil.example", " ", "\0"]),
)
def test_only_a_bare_address_is_in_the_domain(before, name, between, domain, after):
    """What passes is one address of plain characters at the domain."""
    value = before + name + between + domain + after
    bound = Domain(argument="x", domains=["shop.example"])
    if bound.check(call(value)) is None:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*@shop\.example", value, re.IGNORECASE | re.ASCII)
    assert (bound.check(call([value])) is None) is (bound.check(call(value)) is None)


@given(
    VALUES
    | pieces("prod", "uction", "PROD", " ", "\n", "\N{FULLWIDTH LATIN SMALL LETTER P}", "\N{CYRILLIC SMALL LETTER O}")
)
def test_only_the_name_of_an_environment_is_inside(value):
    """What passes reads as one of the names, but for letter case, width and the spaces around it."""
    if Environment(argument="x", names=["prod", "Test"]).check(call(value)) is None:
        assert unicodedata.normalize("NFKC", value).strip().lower() in {"prod", "test"}


ALIKE = st.sampled_from(["a", "A", "a ", "1", "", "true", 1, 1.0, True, 0, 0.0, False, None])


@given(VALUES | ALIKE, VALUES | ALIKE)
def test_only_the_tenant_itself_is_inside(value, known):
    """What passes is equal to what is known, of its type, and names somebody."""
    if Tenant(argument="x").check(call(value), Scene(NOW, facts={"tenant": known})) is None:
        assert type(value) is type(known)
        assert value == known
        assert type(known) is int or (type(known) is str and known.strip())


@pytest.fixture(scope="module")
def touches():
    """A function that asks SQLite which tables a statement would touch, and how.

    The authorizer names a common table expression as it names a table, but without its database. What it can't tell
    apart is seen in the program: a table is opened by its root page.
    """
    database = sqlite3.connect(":memory:", cached_statements=0)  # the authorizer isn't asked about a cached statement
    touched = set()
    database.executescript("CREATE TABLE orders (id, note); CREATE TABLE secret (id, note); CREATE TABLE hidden (id)")
    pages = dict(database.execute("SELECT rootpage, name FROM sqlite_master"))
    kinds = {
        sqlite3.SQLITE_READ: "select", sqlite3.SQLITE_INSERT: "insert", sqlite3.SQLITE_UPDATE: "update",
        sqlite3.SQLITE_DELETE: "delete",
    }  # fmt: skip

    def asked(action, what, _column, where, _inside):
        if action in kinds and where is not None:
            touched.add((kinds[action], what))
        return sqlite3.SQLITE_OK

    def touches(sql):
        touched.clear()
        with contextlib.suppress(sqlite3.Error):  # A column that isn't there: then nothing is touched at all.
            for _at, opcode, _p1, page, *_ in database.execute(f"EXPLAIN {sql}").fetchall():
                if opcode == "OpenRead":
                    touched.add(("select", pages[page]))
        return set(touched)

    database.set_authorizer(asked)
    yield touches
    database.close()


RAW = pieces(
    *["select ", "* ", "from ", "orders ", "secret ", "union ", "(", ") ", ", ", "where ", "id = 1 ", "as ", "with "],
    *["'", '"', "`", "[", "]", "--", "\n", "/*", "*/", ";", "#", "delete from ", "update ", "set note = 2 ", "id "],
    *["select * from orders ", "select id from secret ", "insert into ", "values (1, 2) ", "join ", "in ", "exists "],
)


NAMED = st.sampled_from(["orders", "orders", "orders", "ORDERS", '"orders"', "secret", "hidden"])


QUERIES = st.recursive(
    NAMED.map("SELECT id FROM {}".format),
    lambda inner: st.one_of(
        st.builds("SELECT id FROM {} WHERE id IN ({})".format, NAMED, inner),
        st.builds("SELECT id FROM ({}) AS {}".format, inner, NAMED),
        st.builds("SELECT ({}) FROM {} JOIN {} USING (id)".format, inner, NAMED, NAMED),
        st.builds("{} UNION {}".format, inner, inner),
        st.builds("WITH {} AS ({}) {}".format, NAMED, inner, inner),
        st.builds("WITH {} AS ({}), {} AS ({}) {}".format, NAMED, inner, NAMED, inner, inner),
    ),
    max_leaves=4,
)


SQL = st.one_of(
    RAW,
    QUERIES,
    st.builds("DELETE FROM {} WHERE id IN ({})".format, NAMED, QUERIES),
    st.builds("WITH {} AS ({}) UPDATE {} SET note = ({}) WHERE id = 1".format, NAMED, QUERIES, NAMED, QUERIES),
)


@given(SQL)
@example("select * from orders union select * from orders")
@example("with secret as (select 1 as id) select id from secret")
@example("with secret as (select * from orders) select * from secret, (with orders as (select 1) select * from secret)")
@example("with hidden as (select (select id from orders) from orders) update orders set note = (select id from hidden)")
@settings(max_examples=300)
def test_no_statement_inside_touches_another_table(touches, sql):
    """SQLite itself agrees on the tables of what passes, and on the verbs."""
    verbs = ["select", "delete", "update"]
    if Table(sql="x", tables=["orders"], statements=verbs, dialect="sqlite").check(call(sql)) is None:
        assert touches(sql) <= {(verb, "orders") for verb in verbs}


@given(VALUES)
def test_only_text_is_a_path_a_url_or_an_address(value):
    """Numbers, lists of other things, mappings and bytes are outside each of them."""
    bounds = (
        Under(argument="x", directory="/srv"),
        Host(argument="x", hosts=["a.example"]),
        Domain(argument="x", domains=["a.example"]),
    )
    if not isinstance(value, str):
        assert all(bound.check(call(value)) is not None for bound in bounds)


@given(pieces("a", "/", "../", "in/", "out/", "sub/", "conf/"))
def test_a_directory_further_up_blocks_none(root, rest):
    """What is under a directory is under its parent."""
    value = f"{root}/{rest}"
    never_blocks(Under(argument="x", directory=str(root)), Under(argument="x", directory=str(root.parent)), value)
    never_blocks(
        Under(argument="x", directory=str(root)),
        Under(argument="x", directory=str(root), relative_to="directory"),
        value,
    )


NAMES = st.sampled_from(["a.example", "b.example", "a.example:81", "localhost", "[::1]"])


@given(
    st.lists(NAMES, min_size=1), st.lists(NAMES), st.sampled_from(["https", "http"]), NAMES, pieces("/", "?", "#", "a")
)
def test_another_host_blocks_none(hosts, more, scheme, name, rest):
    """Nor does another scheme."""
    value = f"{scheme}://{name}{rest}"
    tight = Host(argument="x", hosts=hosts)
    never_blocks(tight, Host(argument="x", hosts=[*hosts, *more]), value)
    never_blocks(tight, Host(argument="x", hosts=hosts, schemes=["http", "https"]), value)


DOMAINS = st.sampled_from(["a.example", "b.example", "c.b.example"])


@given(st.lists(DOMAINS, min_size=1), st.lists(DOMAINS), st.lists(DOMAINS.map("ana@{}".format), max_size=3))
def test_another_domain_blocks_none(domains, more, value):
    """A longer list of domains allows at least what the shorter one allows."""
    never_blocks(Domain(argument="x", domains=domains), Domain(argument="x", domains=[*domains, *more]), value)


ENVIRONMENTS = st.sampled_from(["prod", "Test", "staging", "PROD ", ""])


@given(st.lists(ENVIRONMENTS.filter(str.strip).map(str.strip), min_size=1), ENVIRONMENTS, VALUES | ENVIRONMENTS)
def test_another_environment_blocks_none(names, more, value):
    """A longer list of names allows at least what the shorter one allows."""
    never_blocks(
        Environment(argument="x", names=names), Environment(argument="x", names=[*names, more.strip() or "a"]), value
    )


@given(SQL | st.sampled_from(["orders", "secret", "public.orders"]))
def test_another_table_and_another_statement_block_none(value):
    """Longer lists of tables and of verbs allow at least what shorter ones allow."""
    tight = Table(sql="x", tables=["orders"], statements=["select"], dialect="sqlite")
    for tables, statements in ((["orders", "secret"], ["select"]), (["orders"], ["select", "delete", "update"])):
        never_blocks(tight, Table(sql="x", tables=tables, statements=statements, dialect="sqlite"), value)
    never_blocks(Table(argument="x", tables=["orders"]), Table(argument="x", tables=["secret", "orders"]), value)
