"""Properties of policies: nothing is lost between Python, JSON and TOML, and every key is found on its line."""

from __future__ import annotations

import datetime as dt
import json
import math
import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from ladder_graph.calls import Call
from ladder_graph.policy import Confirm, Policy, Reports, Rule, load_policy, policy_of
from ladder_graph.policy.bounds import (
    Breach,
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
    weigh,
)
from ladder_graph.policy.checks import Alert, Command, ErrorRate, Http, Prometheus, Python, Sql
from ladder_graph.policy.lines import lines_of
from ladder_graph.policy.model import Key, Someone
from ladder_graph.policy.reporting import Channel
from ladder_graph.policy.scene import Scene
from ladder_graph.policy.schema import policy_schema
from ladder_graph.policy.trusting import Scope, Stake, Trust
from ladder_graph.policy.watching import Signals, Watch, problems
from ladder_graph.scale import Rung
from tests.json_schema import complaints

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = TEXT | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
HOSTS = st.sampled_from(["a.example", "b.example", "a.example:81", "localhost", "[::1]"])
DOMAINS = st.sampled_from(["a.example", "b.example", "c.b.example"])
NAME = st.text(
    st.characters(min_codepoint=33, exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cf", "Cn", "Co"]),
    min_size=1,
    max_size=8,
)
PLAIN = st.text("abcxyz_", min_size=1, max_size=6)
SECONDS = st.floats(0, 10**9) | st.integers(0, 10**9)
SOME_SECONDS = st.floats(0.001, 10**9) | st.integers(1, 10**9)
ZONES = st.sampled_from(["UTC", "Europe/Zurich", "Asia/Tokyo"])
PERS = st.sampled_from(["minute", "hour", "day", "month", "ever"])
DOLLARS = st.integers(1, 10**15).map(lambda micro: f"${micro // 10**6}.{micro % 10**6:06d}")
LIMITS = st.tuples(st.integers(-(2**60), 0) | st.floats(-1e300, 0), st.integers(1, 2**60) | st.floats(1, 1e300))
HOURS = st.integers(0, 9).map("{}:30".format)
TABLES = st.lists(st.sampled_from(["orders", "public.orders", '"Order Items"', 'a.b."c d"']), min_size=1, max_size=2)
LOOKING = st.one_of(
    st.builds(OneOf, argument=PLAIN, values=st.lists(SCALARS, min_size=1, max_size=3)),
    st.builds(Matches, argument=PLAIN, pattern=st.sampled_from(["[a-z]+", r"\d{3}", "a\nb", '"', "\\\\"])),
    st.builds(lambda argument, ends: Range(argument=argument, least=ends[0], most=ends[1]), PLAIN, LIMITS),
    st.builds(Length, argument=PLAIN, most=st.integers(0, 10**9)),
    st.builds(
        Under,
        argument=PLAIN,
        directory=NAME.map("/{}".format),
        relative_to=st.sampled_from([None, "directory", "process"]),
    ),
    st.builds(Host, argument=PLAIN, hosts=st.lists(HOSTS, min_size=1, max_size=3)),
    st.builds(Domain, argument=PLAIN, domains=st.lists(DOMAINS, min_size=1, max_size=3)),
    st.builds(Equals, argument=PLAIN, to=SCALARS),
    st.builds(Count, argument=PLAIN, least=st.integers(0, 9), most=st.integers(9, 99)),
    st.builds(Predicate, function=PLAIN.map("json:{}".format)),
    st.builds(
        Time,
        days=st.lists(st.sampled_from(["mon", "wed", "sun"]), min_size=1, max_size=3),
        start=HOURS.map("0{}".format),
        end=HOURS.map("1{}".format),
        timezone=ZONES,
        freeze=st.lists(st.sampled_from(["2026-12-24/2027-01-02", "2026-08-01"]), max_size=2),
    ),
    st.builds(
        Origin,
        argument=PLAIN,
        type=st.sampled_from(["email", "url", "iban", "phone", "number", "date", "word", "text"]),
        user=st.booleans(),
        tools=st.lists(st.sampled_from(["get_contacts", "get_contacts:people.email"]), min_size=1, max_size=2),
    ),
    st.builds(Environment, names=st.lists(NAME, min_size=1, max_size=2), argument=PLAIN),
    st.builds(Environment, names=st.lists(NAME, min_size=1, max_size=2), variable=PLAIN),
    st.builds(Tenant, argument=PLAIN, fact=PLAIN),
    st.builds(Table, tables=TABLES, argument=PLAIN),
    st.builds(
        Table,
        tables=TABLES,
        sql=PLAIN,
        statements=st.lists(st.sampled_from(["select", "insert", "update", "delete"]), min_size=1, max_size=2),
        dialect=st.sampled_from(["postgres", "redshift", "mysql", "sqlite", "duckdb", "bigquery", "snowflake"]),
    ),
)
SHARED = {"by": st.sampled_from(["tool", "thread", "user", "agent"]), "each_value_of": st.none() | PLAIN}
WINDOWS = st.builds(lambda per, timezone: {"per": per, "timezone": timezone}, PERS, ZONES) | st.builds(
    lambda within: {"within": within}, st.integers(1, 10**9)
)
COUNTING = st.one_of(
    st.builds(lambda window, **fields: Volume(**window, **fields), WINDOWS, limit=st.integers(0, 10**9), **SHARED),
    st.builds(lambda window, **fields: Cost(**window, **fields), WINDOWS, limit=DOLLARS, each=DOLLARS, **SHARED),
    st.builds(lambda window, **fields: Cost(**window, **fields), WINDOWS, limit=DOLLARS, argument=PLAIN, **SHARED),
)
COUNTING |= st.builds(
    lambda burst, more, **fields: Rate(burst=burst, limit=burst + more, **fields),
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    within=st.integers(1, 10**9) | st.floats(0.001, 10**9),
    **SHARED,
)
BOUNDS = st.tuples(
    st.lists(LOOKING, max_size=2), st.lists(COUNTING, max_size=2, unique_by=lambda bound: bound.counter)
).map(lambda both: [*both[0], *both[1]])
URLS = PLAIN.map("http://127.0.0.1/{}".format)
MEASURES = st.one_of(
    st.builds(lambda most: {"at_most": most}, st.integers(-9, 9) | st.floats(-1e300, 1e300)),
    st.builds(lambda value: {"equals": value}, st.integers(-9, 9)),
)
CHANNELS = ("payments", "night shift")
SEEN = ("customer-data", "pay")
LABELS = st.dictionaries(PLAIN, TEXT, min_size=1, max_size=2)
WATCHED = {"every": SOME_SECONDS, "failure_limit": st.integers(0, 9), "dry_run": st.booleans()}
CHECKS = st.one_of(
    st.builds(Http, url=URLS, interval=SECONDS, timeout=SOME_SECONDS, allow=st.lists(DOMAINS, max_size=2), **WATCHED),
    st.builds(Python, function=PLAIN.map("shop.health:{}".format), count=st.integers(0, 9), **WATCHED),
    st.builds(Command, argv=st.lists(NAME, max_size=2).map(["/bin/true"].__add__), env=st.lists(NAME, max_size=2)),
    st.builds(lambda query, measure: Sql(env="DB", query=query, **measure), NAME, MEASURES),
    st.builds(lambda url, query, measure: Prometheus(url=url, query=query, **measure), URLS, NAME, MEASURES),
    st.builds(ErrorRate, at_most=st.floats(0, 0.99), least=st.integers(1, 9), **WATCHED),
    st.builds(Alert, labels=LABELS, alive=st.none() | LABELS, **{**WATCHED, "failure_limit": st.just(0)}),
)
WATCHES = st.builds(
    Watch, window=SECONDS, confirm=st.sampled_from(["auto", "required"]), inconclusive=st.sampled_from(["undo", "hold"])
)
WATCHING = st.tuples(WATCHES, st.lists(CHECKS, max_size=3)).filter(lambda both: not list(problems(*both)))
"""Watches and checks that fit together."""
CONFIRMS = st.builds(
    Confirm,
    by=st.lists(NAME, max_size=2).map(lambda names: [*names, "ana"] if names else []),
    type=st.none() | NAME,
    expires=SOME_SECONDS,
)
SCOPES = st.builds(
    Scope, argument=PLAIN, edges=st.lists(st.integers(-9, 9), min_size=1, unique=True, max_size=7).map(sorted)
) | (
    st.lists(PLAIN | st.booleans() | st.integers(0, 9), min_size=1, max_size=8, unique_by=str).map(
        lambda values: Scope(argument="x", values=values)
    )
)
RULES = st.builds(
    lambda rungs, watching, **fields: Rule(
        rung=min(rungs), ceiling=max(rungs), watch=watching[0], checks=watching[1], **fields
    ),
    rungs=st.tuples(st.sampled_from(Rung), st.sampled_from(Rung)),
    read_only=st.booleans(),
    egress=st.none() | st.booleans(),
    impact=st.sampled_from(["low", "medium", "high"]),
    mistake=st.none() | DOLLARS,
    labels=st.lists(st.sampled_from(SEEN), max_size=2),
    channel=st.none() | st.sampled_from(CHANNELS),
    bounds=BOUNDS,
    undo=st.none() | PLAIN.map("shop:{}".format),
    watching=st.just((Watch(), [])) | WATCHING,
    confirm=CONFIRMS,
    scope=st.none() | SCOPES,
    trust=st.builds(
        Stake,
        rollback_cost=DOLLARS,
        mistakes=st.lists(NAME, max_size=2),
        single_pattern=st.booleans(),
        cosmetic=st.lists(PLAIN, max_size=2),
    ),
)
TOOLS = NAME.filter(lambda name: "*" not in name) | st.sampled_from(["a_*", "*_bc*", "abc_*d"])
WORDS = st.sampled_from([rung.word for rung in Rung])
TRUST = st.builds(
    Trust,
    mode=st.sampled_from(["certificate", "expected_loss"]),
    wage=st.none() | DOLLARS,
    waiting=DOLLARS,
    minutes=st.dictionaries(WORDS, st.floats(0, 10_000), max_size=2),
    alpha=st.dictionaries(WORDS.filter(lambda word: word != "suggest"), st.floats(1e-9, 0.5), max_size=2),
    least_days=st.integers(0, 3650),
    active_days=st.integers(0, 3650),
    loss_budget=st.none() | DOLLARS,
    promoters=st.lists(NAME, max_size=2),
)
POLICIES = st.builds(
    Policy,
    agent=NAME,
    ledger=PLAIN.map("/{}".format),
    drafts=PLAIN.map("/{}".format),
    tools=st.dictionaries(TOOLS, RULES, max_size=2),
    reports=st.builds(
        lambda readers, each, **fields: Reports(
            channels={name: Channel(reader=one, sla=each) for name, one in zip(CHANNELS, readers, strict=True)},
            **fields,
        ),
        st.tuples(NAME, NAME),
        SOME_SECONDS,
        reader=NAME | st.lists(NAME, max_size=2),
        sla=SOME_SECONDS,
    ),
    people=st.dictionaries(NAME, st.builds(Someone, roles=st.lists(NAME, max_size=2)), max_size=2).map(
        lambda people: {**people, "ana": Someone(labels=SEEN)}
    ),
    keys=st.dictionaries(NAME, st.builds(Key, env=NAME, valid=SOME_SECONDS), max_size=2),
    signals=st.builds(Signals, token_env=st.none() | NAME),
    trust=TRUST,
    ask=st.sampled_from(["all", "one"]),
    provider_tools=st.sampled_from(["refuse", "report"]),
)
SCHEMA = policy_schema()


def toml(value):
    """A value as TOML, tables inline."""
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{toml(key)} = {toml(inner)}" for key, inner in value.items() if inner is not None) + " }"
        )
    if isinstance(value, list):
        return "[\n" + "".join(f"  {toml(inner)}, # a comment\n" for inner in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float) and not isinstance(value, bool):
        return repr(value) if math.isfinite(value) and "." in repr(value) else f"{value:.17e}"
    return json.dumps(value)


def toml_file(data, nested):
    """A policy as a TOML text, with the tools as tables, or with everything inline."""
    lines = [
        f"{key} = {toml(value)}" for key, value in data.items() if value is not None and (key != "tools" or not nested)
    ]
    for name, rule in data["tools"].items() if nested else ():
        lines.append(f"\n[tools.{toml(name)}]  # a rule")
        lines += [
            f"{key} = {toml(value)}"
            for key, value in rule.items()
            if value is not None and key not in {"bounds", "confirm"}
        ]
        lines += [f"confirm.{key} = {toml(value)}" for key, value in rule["confirm"].items() if value is not None]
        for bound in rule["bounds"]:
            lines.append(f"[[tools.{toml(name)}.bounds]]")
            lines += [f"{key} = {toml(value)}" for key, value in bound.items() if value is not None]
    return "\n".join(lines)


def numbered(value, path=()):
    """Every path of a value that ends in a key."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(key, str):
            yield (*path, key)
        yield from numbered(inner, (*path, key))


@settings(max_examples=50)
@given(POLICIES)
def test_a_policy_survives_json(policy):
    """Python to JSON text to Python: equal, with the same revision."""
    again = policy_of(json.loads(json.dumps(policy.model_dump(mode="json"))), "json")
    assert again == policy
    assert again.revision == policy.revision


@settings(max_examples=50)
@given(POLICIES, st.booleans())
def test_a_policy_survives_toml(tmp_path_factory, policy, nested):
    """Python to a TOML file to Python: equal, with the same revision."""
    path = tmp_path_factory.getbasetemp() / "ladder.toml"
    path.write_text(toml_file(policy.model_dump(mode="json"), nested), encoding="utf-8", newline="\n")
    again = load_policy(path)
    assert again == policy
    assert again.revision == policy.revision


@settings(max_examples=50)
@given(POLICIES)
def test_toml_python_and_json_are_one_policy(tmp_path_factory, policy):
    """TOML to Python to JSON to Python to TOML, twice over: nothing is lost on the way round."""
    path = tmp_path_factory.getbasetemp() / "around.toml"
    for _ in range(2):
        path.write_text(toml_file(policy.model_dump(mode="json"), nested=True), encoding="utf-8", newline="\n")
        again = policy_of(json.loads(load_policy(path).model_dump_json()), "json")
        assert (again, again.revision) == (policy, policy.revision)
        policy = again


@settings(max_examples=50)
@given(POLICIES)
def test_the_schema_takes_what_the_model_takes(policy):
    """No policy that the model reads is marked as wrong by an editor."""
    assert complaints(policy.model_dump(mode="json", exclude_none=True), SCHEMA) == []


@settings(max_examples=50)
@given(POLICIES, st.booleans())
def test_every_key_is_found_on_its_line(policy, nested):
    """In any layout, the line that is named for a key is a line that holds the key."""
    text = toml_file(policy.model_dump(mode="json"), nested)
    lines, written = lines_of(text), text.split("\n")
    for path in numbered(tomllib.loads(text)):
        assert toml(path[-1])[1:-1] in written[lines[path] - 1]


@settings(max_examples=50)
@given(RULES)
def test_every_bound_answers_any_call(rule):
    """No bound raises, whatever it is and whatever it is asked: each one breaks, charges, or lets through."""
    for bound in rule.bounds:
        for value in ("a", None, 3, -0.0, [], {}, "\n", b""):
            named = getattr(bound, "argument", None) or getattr(bound, "sql", None) or "x"
            one = Call("ops", "t", "c", "tool", {named: value})
            breaches, charges = weigh([bound], one, Scene(NOW))
            assert all(isinstance(breach, Breach) for breach in breaches)
            assert all(isinstance(charge, Charge) for charge in charges)
            assert len(breaches) + len(charges) <= 1
