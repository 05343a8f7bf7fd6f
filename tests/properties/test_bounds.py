"""Properties of bounds: no odd value gets through, and loosening a bound never blocks what it allowed."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import sqlite3
import unicodedata
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ladder_graph.calls import Call
from ladder_graph.policy.bounds import (
    Bound,
    Charge,
    Cost,
    Count,
    Domain,
    Environment,
    Equals,
    Host,
    Length,
    Matches,
    OneOf,
    Origin,
    Predicate,
    Range,
    Rate,
    Table,
    Tenant,
    Time,
    Under,
    Volume,
)
from ladder_graph.policy.scene import Said, Scene

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = TEXT | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | st.none() | st.binary(max_size=4) | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)


def call(value):
    """A call with one argument."""
    return Call("ops", "t1", "c1", "tool", {"x": value})


def pieces(*parts):
    """Texts put together from pieces that matter to a parser, and now and then any other character."""
    other = st.characters(exclude_categories=["Cs"])
    piece = st.sampled_from([*parts, *parts, *parts, None]).flatmap(
        lambda part: other if part is None else st.just(part)
    )
    return st.lists(piece, max_size=6).map("".join)


def mostly(*good, odd):
    """One of the good parts in most examples, and an odd one in the others."""
    return st.sampled_from([*(good * (3 * len(odd) // len(good))), *odd])


# --- no odd value gets through ---------------------------------------------------------------------------------------


ALIKE = st.sampled_from(["a", "A", "a ", "1", "", "true", 1, 1.0, True, 0, 0.0, False, None])


@given(st.lists(SCALARS | ALIKE.filter(lambda value: value is not None), min_size=1, max_size=4), VALUES | ALIKE)
def test_only_a_listed_value_of_the_same_type_is_one_of(values, value):
    """What passes is equal to an entry, and of its type."""
    if OneOf(argument="x", values=values).check(call(value)) is None:
        assert any(type(value) is type(entry) and value == entry for entry in values)


@given(
    VALUES
    | st.tuples(
        mostly("a", "abc", odd=["A", "", "\N{CYRILLIC SMALL LETTER A}", " a", "\na"]),
        mostly("-", odd=["--", "", "\N{NON-BREAKING HYPHEN}"]),
        mostly("1", "20", odd=["", "\N{ARABIC-INDIC DIGIT ONE}", "\N{SUPERSCRIPT TWO}", "1\n", "1\r\n", "1\0", "1 "]),
    ).map("".join)
)
def test_only_visible_ascii_digits_match_digits(value):
    """What passes has the shape that is written, and nothing beside it."""
    if Matches(argument="x", pattern=r"[a-z]+-\d+").check(call(value)) is None:
        name, _, digits = value.partition("-")
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz")
        assert set(digits) <= set("0123456789")
        assert name
        assert digits


@given(VALUES | st.text("ab \n\t\r\0é\N{ZERO WIDTH SPACE}", max_size=4))
def test_only_visible_text_matches_anything(value):
    """Even the widest pattern takes no control characters and nothing but text."""
    if Matches(argument="x", pattern=r"[\s\S]*").check(call(value)) is None:
        assert isinstance(value, str)
        assert value.isprintable()


@given(st.integers(-100, 100), st.integers(0, 100), VALUES | st.integers(-120, 220) | st.floats(-120, 220))
def test_only_a_number_between_the_limits_is_in_range(least, width, value):
    """What passes is a finite number, and between the limits."""
    if Range(argument="x", least=least, most=least + width).check(call(value)) is None:
        assert type(value) in {int, float}
        assert least <= value <= least + width


@given(st.integers(0, 5), VALUES)
def test_only_short_text_and_lists_have_the_length(most, value):
    """What passes is a text or a list, and short."""
    if Length(argument="x", most=most).check(call(value)) is None:
        assert isinstance(value, str | list)
        assert len(value) <= most


@given(SCALARS | ALIKE.filter(lambda value: value is not None), VALUES | ALIKE)
def test_only_the_value_itself_is_equal(wanted, value):
    """What passes has the value and its type; the value itself passes."""
    assert Equals(argument="x", to=wanted).check(call(wanted)) is None
    if Equals(argument="x", to=wanted).check(call(value)) is None:
        assert type(value) is type(wanted)
        assert value == wanted


@given(st.integers(0, 3), st.integers(0, 3), VALUES)
def test_only_lists_and_tables_hold_a_count(least, more, value):
    """What passes is a list or a table with a number of entries between the limits."""
    if Count(argument="x", least=least, most=least + more).check(call(value)) is None:
        assert isinstance(value, list | dict)
        assert least <= len(value) <= least + more


def echo(arguments):
    """Say what the argument is."""
    return arguments["x"]


@given(VALUES)
def test_only_true_itself_is_inside_a_predicate(value):
    """Nothing that is merely taken for true is enough."""
    assert (Predicate(function=f"{__name__}:echo").check(call(value)) is None) is (value is True)


MOMENTS = st.integers(1_767_225_600, 1_830_297_599).map(lambda second: dt.datetime.fromtimestamp(second, dt.UTC))
HOURS = st.integers(0, 24).map("{:02}:00".format)


@given(MOMENTS, HOURS, HOURS, st.sampled_from(["UTC", "Europe/Zurich", "Australia/Lord_Howe", "Pacific/Apia"]))
def test_hours_and_their_rest_cover_the_day_once(moment, start, end, zone):
    """A moment is inside either of the hours or of those from their end to their start, and never of both."""
    if start != end and {start, end} != {"00:00", "24:00"}:
        inside = Time(start=start, end=end, timezone=zone).at(moment) is None
        rest = Time(start="00:00" if end == "24:00" else end, end=start, timezone=zone) if start != "00:00" else None
        if rest is None:
            rest = Time(start=end, end="24:00", timezone=zone)
        assert inside is not (rest.at(moment) is None)


@given(MOMENTS, st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1), HOURS, HOURS)
def test_another_day_blocks_none_and_a_freeze_allows_none(moment, days, start, end):
    """More days allow at least what fewer allow; a freeze over the moment allows nothing."""
    if start != end:
        tight = Time(days=sorted(days), start=start, end=end, freeze=["1999-01-01"])
        loose = Time(days=sorted({*days, "sun"}), start=start, end=end, freeze=["1999-01-01"])
        frozen = Time(days=sorted(days), start=start, end=end, freeze=["1999-01-01", f"{moment:%Y-%m-%d}"])
        assert tight.at(moment) is not None or loose.at(moment) is None
        assert frozen.at(moment) is not None


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A directory with a link inside and a link out of it."""
    base = tmp_path_factory.mktemp("under")
    (base / "conf" / "sub").mkdir(parents=True)
    (base / "conf" / "in").symlink_to(base / "conf" / "sub")
    (base / "conf" / "out").symlink_to(base)
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


@given(VALUES)
def test_only_a_positive_number_is_an_amount(value):
    """What is charged is never less than what the call says, and never nothing."""
    answer = Cost(limit="$5", argument="x").charge(call(value), NOW)
    if isinstance(answer, Charge):
        assert type(value) in {int, float}
        assert answer.amount >= 1
        assert 0 <= answer.amount - Fraction(str(value)) * 1_000_000 < 1


@given(VALUES)
def test_a_missing_argument_is_never_inside(value):
    """Whatever other arguments there are."""
    other = Call("ops", "t1", "c1", "tool", {"y": value})
    bounds = (
        OneOf(argument="x", values=["a"]),
        Matches(argument="x", pattern=".*"),
        Range(argument="x", least=0),
        Length(argument="x", most=9),
        Equals(argument="x", to="a"),
        Count(argument="x", most=9),
        Under(argument="x", directory="/"),
        Host(argument="x", hosts=["a.example"]),
        Domain(argument="x", domains=["a.example"]),
        Environment(argument="x", names=["a"]),
        Table(argument="x", tables=["a"]),
        Table(sql="x", tables=["a"]),
    )
    assert Tenant(argument="x").check(other, Scene(NOW, facts={"tenant": value})) is not None
    said = Scene(NOW, listen=lambda: Said((str(value), "a", "1")))
    assert all(Origin(argument="x", type=kind).check(other, said) is not None for kind in ("word", "text", "number"))
    assert not isinstance(Rate(limit=3, within="1m", each_value_of="x").charges(other, Scene(NOW)), tuple)
    assert all(bound.check(other) is not None for bound in bounds)
    assert not isinstance(Cost(limit="$5", argument="x").charge(other, NOW), Charge)


@given(VALUES | st.sampled_from(["a", "A ", ["a"], ["a", "b"], "b", 1, "1", True, "a\N{ZERO WIDTH SPACE}"]))
def test_only_plain_values_are_counted_apart(value):
    """Who gets a counter is named by text that shows, or by a whole number, and no entry of a list goes uncounted."""
    bound = Volume(limit=3, each_value_of="x")
    answer = bound.charges(call(value), Scene(NOW))
    if isinstance(answer, tuple):
        entries = value if isinstance(value, list) else [value]
        assert entries
        assert all(type(entry) is int or (type(entry) is str and entry.strip()) for entry in entries)
        assert {charge.quota for charge in answer} == {
            bound.charges(call(entry), Scene(NOW))[0].quota for entry in entries
        }


# --- loosening never blocks ------------------------------------------------------------------------------------------


def never_blocks(tight, loose, value):
    """What is inside the tighter bound is inside the looser one."""
    if tight.check(call(value)) is None:
        assert loose.check(call(value)) is None


NEAR_VALUES = VALUES | st.integers(-5, 5) | st.text("ab", max_size=5) | st.lists(st.integers(), max_size=5)


@given(st.lists(SCALARS, min_size=1, max_size=3), st.lists(SCALARS, max_size=3), NEAR_VALUES)
def test_another_value_blocks_none(values, more, value):
    """A longer list allows at least what the shorter one allows."""
    never_blocks(OneOf(argument="x", values=values), OneOf(argument="x", values=[*values, *more]), value)
    assert OneOf(argument="x", values=[*more, *values]).check(call(values[0])) is None


@given(st.integers(-5, 5), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), NEAR_VALUES)
def test_a_wider_range_blocks_none(least, width, lower, higher, value):
    """Lower and higher limits, and no limit at all on one side."""
    tight = Range(argument="x", least=least, most=least + width)
    never_blocks(tight, Range(argument="x", least=least - lower, most=least + width + higher), value)
    never_blocks(tight, Range(argument="x", least=least), value)
    never_blocks(tight, Range(argument="x", most=least + width), value)


@given(st.integers(0, 5), st.integers(0, 5), NEAR_VALUES)
def test_a_greater_length_blocks_none(most, more, value):
    """A longer text may be."""
    never_blocks(Length(argument="x", most=most), Length(argument="x", most=most + more), value)


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), NEAR_VALUES)
def test_another_count_blocks_none(least, more, wider, value):
    """Fewer and more entries may be."""
    never_blocks(
        Count(argument="x", least=least, most=least + more),
        Count(argument="x", least=max(0, least - wider), most=least + more + wider),
        value,
    )


@given(
    st.sampled_from(["a", "a+", "[ab]+", "a|b", "ab?"]),
    st.sampled_from(["b", "[ab]*", "a{2}"]),
    st.text("ab\n", max_size=6),
)
def test_an_alternative_in_a_pattern_blocks_none(pattern, other, value):
    """`one|other` allows at least what `one` allows."""
    never_blocks(Matches(argument="x", pattern=pattern), Matches(argument="x", pattern=f"(?:{pattern})|{other}"), value)


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


@given(st.integers(0, 100), st.integers(0, 100), st.sampled_from(["minute", "day", "ever"]))
def test_a_higher_limit_takes_the_same(limit, more, per):
    """The charge stays on the same counter and window, and only what the window holds grows."""
    tight, loose = (Volume(limit=size, per=per).charge(call(1), NOW) for size in (limit, limit + more))
    assert (tight.quota, tight.window, tight.amount) == (loose.quota, loose.window, loose.amount)
    assert tight.limit <= loose.limit
    tight, loose = (Cost(limit=f"${size}", each="$1", per=per).charge(call(1), NOW) for size in (limit, limit + more))
    assert (tight.quota, tight.window, tight.amount) == (loose.quota, loose.window, loose.amount)
    assert tight.limit <= loose.limit


@given(st.integers(1, 100), st.integers(0, 100), st.integers(0, 100), st.integers(1, 9999), st.integers(0, 9999))
def test_a_higher_rate_takes_the_same(burst, spare, more, within, shorter):
    """The charge stays on the same counter at the same moment, and waits no longer; a burst may be larger."""
    tight = Rate(limit=burst + spare, within=within, burst=burst).charge(call(1), NOW)
    loose = Rate(limit=burst + spare + more, within=within, burst=burst + more).charge(call(1), NOW)
    assert (tight.quota, tight.start, tight.amount) == (loose.quota, loose.start, loose.amount)
    assert tight.limit <= loose.limit
    assert tight.interval >= loose.interval
    quicker = Rate(limit=burst + spare, within=max(1, within - shorter), burst=burst).charge(call(1), NOW)
    assert quicker.interval <= tight.interval


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


def test_every_kind_of_bound_has_its_properties():
    """A kind that is added to policies is named here, and so among the properties above."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("test_[bo]*.py")))
    for kind in get_args(get_args(Bound)[0]):
        assert re.search(rf"\b{kind.__name__}\(", text), kind


@given(
    st.integers(631_152_000, 4_102_444_800).map(lambda second: dt.datetime.fromtimestamp(second, dt.UTC)),
    st.timedeltas(dt.timedelta(0), dt.timedelta(days=3)),
    st.sampled_from(["UTC", "Europe/Zurich", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"]),
)
def test_a_window_never_comes_back(moment, later, zone):
    """Once a window is over, no later moment counts in it again: a spent limit isn't refilled by changing clocks."""
    for per, length in (("minute", 60), ("hour", 7200), ("day", 90_000), ("month", 2_700_000)):
        bound = Volume(limit=1, per=per, timezone=zone)
        first, second = bound.charge(call(1), moment), bound.charge(call(1), moment + later)
        assert first.start <= second.start
        if first.window == second.window:
            assert later.total_seconds() <= length
        if later == dt.timedelta(0):
            assert first == second
