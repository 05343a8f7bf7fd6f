"""The words for each mistake: what was expected, what was found, and the nearest name that would be right."""

from __future__ import annotations

import pytest

from ladder_graph.errors import PolicyError
from ladder_graph.policy import policy_of
from ladder_graph.policy.checks import Http


def problems_of(data):
    """What a policy that must be refused is refused for."""
    with pytest.raises(PolicyError) as caught:
        policy_of(data, "here")
    return list(caught.value.problems)


def problem(rule):
    """The one problem of one tool's rule, without its place."""
    (line,) = problems_of({"tools": {"a": rule}})
    return line.removeprefix("here: tools.a.")


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"rung": "boundd"}, "rung: 'boundd' is no rung; the rungs are suggest, draft, confirm, "),
        ({"rung": True}, "rung: True is no rung; "),
        ({"rung": "2"}, "rung: '2' is no rung; "),
        ({"rung": "report", "ceiling": "confirm"}, "ceiling: is confirm (2), below the rung report (5)"),
        ({"read_only": "yes"}, "read_only: expected true or false, found the text 'yes'"),
        ({"read_only": 1}, "read_only: expected true or false, found the integer 1"),
        ({"impact": "hihg"}, "impact: expected 'low', 'medium' or 'high', found the text 'hihg'; did you mean 'high'?"),
        ({"impact": None}, "impact: expected 'low', 'medium' or 'high', found nothing"),
        ({"undo": "undo_it"}, "undo: 'undo_it' is no import path; write \"module:function\""),
        ({"undo": "a.b:"}, "undo: 'a.b:' is no import path"),
        ({"undo": "os.system('x'):y"}, "undo: "),
        ({"confirm": "ana"}, "confirm: expected a table, found the text 'ana'"),
        ({"confirm": {"bye": ["ana"]}}, "confirm.bye: unknown key; did you mean 'by'? known keys: by, type, expires"),
        ({"confirm": {"by": ["ana", 3]}}, "confirm.by[1]: expected text, found the integer 3"),
        ({"confirm": {"by": ["ana\n"]}}, "confirm.by[0]: 'ana\\n' is no name"),
        ({"confirm": {"by": {"ana"}}}, "confirm.by: expected a list, found a set"),
        ({"confirm": {"type": ""}}, "confirm.type: '' names no argument"),
        ({"confirm": {"expires": "0s"}}, "confirm.expires: must be more than 0, found the text '0s'"),
        ({"confirm": {"expires": "soon"}}, "confirm.expires: 'soon' is no duration; "),
        ({"bounds": {"kind": "volume"}}, "bounds: expected a list, found a table"),
        ({"bounds": [3]}, "bounds[0]: expected a table, found the integer 3"),
        ({"bounds": [{}]}, "bounds[0]: its kind is missing; known kinds: one_of, equals, "),
        ({"bounds": [{"kind": 3}]}, "bounds[0].kind: expected text, found the integer 3"),
        ({"bounds": [{"kind": ["volume"]}]}, "bounds[0].kind: expected text, found a list"),
        ({"checks": [{"kind": {"http": 1}}]}, "checks[0].kind: expected text, found a table"),
        ({"bounds": [Http(url="http://x")]}, "bounds[0].kind: unknown kind 'http'; known kinds: one_of, "),
        (
            {"checks": [{"kind": "htpp"}]},
            "checks[0].kind: unknown kind 'htpp'; did you mean 'http'? known kinds: http, python",
        ),
        ({"checks": [{"kind": "http", "url": "x", "hots": 1}]}, None),
    ],
)
def test_a_mistake_in_a_rule_is_put_into_words(rule, says):
    """What was expected, what was found, and the nearest name that would be right."""
    if says is None:
        assert len(problems_of({"tools": {"a": rule}})) == 2
    else:
        assert problem(rule).startswith(says)


def test_the_nearest_rung_is_named():
    """A slip in a rung is answered with the word that was meant."""
    assert problem({"rung": "boundd"}).endswith(" (0 to 5); did you mean 'bounded'?")


@pytest.mark.parametrize(
    ("bound", "says"),
    [
        ({"kind": "one_of", "argument": "x", "values": []}, "values: must hold at least 1 entry, found an empty list"),
        ({"kind": "one_of", "argument": "x", "values": [None]}, "values[0]: expected text, a number, true or false"),
        (
            {"kind": "one_of", "argument": "x", "values": ["a"], "value": 1},
            "value: unknown key; did you mean 'values'?",
        ),
        ({"kind": "one_of", "argument": "a..b", "values": ["a"]}, "argument: 'a..b' names no argument; "),
        ({"kind": "one_of", "values": ["a"]}, "argument: this key is missing; "),
        ({"kind": "range", "argument": "x"}, "say least = 0, most = 100, or both; "),
        ({"kind": "range", "argument": "x", "least": 3, "most": 1}, "most: is 1, below least = 3, "),
        ({"kind": "range", "argument": "x", "most": True}, "most: expected a finite number, found true"),
        ({"kind": "range", "argument": "x", "most": "9"}, "most: expected a finite number, found the text '9'"),
        (
            {"kind": "range", "argument": "x", "most": float("nan")},
            "most: expected a finite number, found the number nan",
        ),
        (
            {"kind": "range", "argument": "x", "least": float("-inf")},
            "least: expected a finite number, found the number -inf",
        ),
        ({"kind": "length", "argument": "x", "most": -1}, "most: must be at least 0, found the integer -1"),
        ({"kind": "length", "argument": "x", "most": 3.0}, "most: expected a whole number, found the number 3.0"),
        (
            {"kind": "matches", "argument": "x", "pattern": "(a+)+"},
            "pattern: '(a+)+' can match the same text in many ways",
        ),
        ({"kind": "matches", "argument": "x", "pattern": "("}, "pattern: '(' is no regular expression: missing )"),
        (
            {"kind": "matches", "argument": "x", "pattern": "a" * 2000},
            "pattern: must have at most 1000 characters, found a text of 2000",
        ),
        ({"kind": "under", "argument": "x", "directory": "~/x"}, "directory: '~/x' is no path here; "),
        ({"kind": "under", "argument": "x", "directory": ""}, "directory: '' is no path here; "),
        (
            {"kind": "under", "argument": "x", "directory": "/a", "relative_to": "cwd"},
            "relative_to: expected 'directory' or 'process'",
        ),
        ({"kind": "host", "argument": "x", "hosts": []}, "hosts: must hold at least 1 entry"),
        (
            {"kind": "host", "argument": "x", "hosts": ["a.b"], "schemes": ["https://"]},
            "schemes[0]: 'https://' is no URL scheme; ",
        ),
        ({"kind": "host", "argument": "x", "hosts": ["a.b:0"]}, "hosts[0]: 'a.b:0' is no host name; "),
        (
            {"kind": "host", "argument": "x", "hosts": ["a.b:65536"]},
            "hosts[0]: 'a.b:65536' has no port from 1 to 65535",
        ),
        ({"kind": "host", "argument": "x", "hosts": ["[::g]"]}, "hosts[0]: '[::g]' is no host name; "),
        (
            {"kind": "host", "argument": "x", "hosts": ["[1::2::3]"]},
            "hosts[0]: '[1::2::3]' holds no IPv6 address in brackets",
        ),
        ({"kind": "domain", "argument": "x", "domains": "a.b"}, "domains: expected a list, found the text 'a.b'"),
        (
            {"kind": "domain", "argument": "x", "domains": ["b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.ch"]},
            "domains[0]: ",
        ),
        ({"kind": "equals", "argument": "x", "to": None}, "to: expected text, a number, true or false, found nothing"),
        ({"kind": "count", "argument": "x", "most": 2, "least": 3}, "most is 2, below least = 3, so nothing would be"),
        ({"kind": "count", "argument": "x", "most": -1}, "most: must be at least 0, found the integer -1"),
        ({"kind": "predicate", "function": "shop.fine"}, "function: 'shop.fine' is no import path"),
        ({"kind": "time"}, 'say days = ["mon"], start = "09:00", end = "17:00" or freeze; else it bounds nothing'),
        ({"kind": "time", "start": "9:00"}, "start: '9:00' is no time of day; write \"09:00\""),
        ({"kind": "time", "start": "09:00", "end": "24:01"}, "end: '24:01' is no time of day"),
        ({"kind": "time", "start": "09:00", "end": "09:00"}, "start and end are both 09:00; leave both away"),
        ({"kind": "time", "days": ["monday"]}, "days[0]: expected 'mon', 'tue', 'wed', 'thu', 'fri', 'sat' or 'sun'"),
        ({"kind": "time", "days": []}, "days: must hold at least 1 entry, found an empty list"),
        ({"kind": "time", "days": ["mon"], "timezone": "Europe/Zurch"}, "timezone: 'Europe/Zurch' is no time zone"),
        ({"kind": "time", "freeze": ["2026-12-32"]}, "freeze[0]: '2026-12-32' names no days; write"),
        ({"kind": "time", "freeze": ["20261224"]}, "freeze[0]: '20261224' names no days; write"),
        ({"kind": "time", "freeze": ["2027-01-02/2026-12-24"]}, "freeze[0]: '2027-01-02/2026-12-24' ends before it"),
        ({"kind": "volume", "limit": True}, "limit: expected a whole number, found true"),
        ({"kind": "volume", "limit": 1, "within": "0.5s"}, "within: must be at least 1, found the text '0.5s'"),
        (
            {"kind": "volume", "limit": 1, "within": "24h", "per": "hour"},
            'say how long the window is: either per = "day", with a timezone, or within = "24h", not both',
        ),
        (
            {"kind": "volume", "limit": 1, "by": "team"},
            "by: expected 'tool', 'thread', 'user' or 'agent', found the text",
        ),
        ({"kind": "volume", "limit": -1}, "limit: must be at least 0, found the integer -1"),
        ({"kind": "volume", "limit": 2**63}, "limit: must be at most 9007199254740991, found the integer "),
        (
            {"kind": "volume", "limit": 1, "per": "dya"},
            "per: expected 'minute', 'hour', 'day', 'month' or 'ever', found the text 'dya'; did you mean 'day'?",
        ),
        (
            {"kind": "volume", "limit": 1, "timezone": "Europe/Zurch"},
            "timezone: 'Europe/Zurch' is no time zone that this machine knows; did you mean 'Europe/Zurich'?",
        ),
        ({"kind": "volume", "limit": 1, "timezone": "../../etc/passwd"}, "timezone: "),
        ({"kind": "cost", "limit": 5, "each": "$1"}, "limit: 5 is no amount; "),
        ({"kind": "cost", "limit": "$5", "each": "$0"}, "each: must be more than 0, found the text '$0'"),
        ({"kind": "cost", "limit": "$5"}, "say what a call costs: "),
        ({"kind": "cost", "limit": "$5", "each": "$1", "argument": "x"}, "say what a call costs: "),
    ],
)
def test_a_mistake_in_a_bound_is_put_into_words(bound, says):
    """Each bound refuses what it can't mean."""
    assert problem({"bounds": [bound]}).removeprefix("bounds[0]").lstrip(".: ").startswith(says)


@pytest.mark.parametrize(
    "hosts",
    [
        "https://a.b",
        "a.b/",
        "*.a.b",
        ".a.b",
        "a.b.",
        "a..b",
        "-a.b",
        "user@a.b",
        "a b",
        "",
        "a.b:",
        "::1",
        "[::1",
        "[fe80::1%eth0]",
        "xn--\N{LATIN SMALL LETTER A WITH GRAVE}",
        "a" * 254,
        "a.b:080",
        "a.b:99999999999",
    ],
)
def test_an_odd_host_is_refused(hosts):
    """Wildcards, URLs, credentials, trailing dots and odd ports would never match, or match too much."""
    assert problem({"bounds": [{"kind": "host", "argument": "x", "hosts": [hosts]}]}).startswith("bounds[0].hosts[0]: ")


@pytest.mark.parametrize(
    ("check", "says"),
    [
        ({"kind": "http", "url": "ftp://a.b"}, "url: 'ftp://a.b' is no http or https URL"),
        ({"kind": "http", "url": "file://localhost/etc/passwd"}, "url: "),
        ({"kind": "http", "url": "https://"}, "url: "),
        ({"kind": "http", "url": "https:///x"}, "url: "),
        ({"kind": "http", "url": "https://a.b:x/"}, "url: "),
        ({"kind": "http", "url": "https://[::1/"}, "url: "),
        ({"kind": "http", "url": "https://a.b/\nx"}, "url: "),
        ({"kind": "http", "url": "https://a.b /"}, "url: "),
        ({"kind": "http", "url": "https://u:secret@a.b/"}, "url: this URL carries a name or a password"),
        ({"kind": "http", "url": "https://a.b/", "status": 99}, "status: must be at least 100"),
        ({"kind": "http", "url": "https://a.b/", "count": -1}, "count: must be at least 0"),
        ({"kind": "http", "url": "https://a.b/", "every": 0}, "every: must be more than 0"),
        ({"kind": "http", "url": "https://a.b/", "allow": ["10.0.0.1/8"]}, "allow[0]: '10.0.0.1/8' is no network"),
        ({"kind": "http", "url": "https://a.b/", "allow": ["*.b"]}, "allow[0]: '*.b' is no host name"),
        ({"kind": "http", "url": "https://a.b/", "timeout": 0}, "timeout: must be more than 0"),
        ({"kind": "http", "url": "https://a.b/", "interval": -1}, "interval: -1 is no duration"),
        ({"kind": "http", "url": "https://a.b/", "delay": float("inf")}, "delay: inf is no duration"),
        ({"kind": "python", "function": "shop.health"}, "function: 'shop.health' is no import path"),
        ({"kind": "python", "function": "shop:health:x"}, "function: "),
        ({"kind": "python", "function": ":health"}, "function: "),
        ({"kind": "python", "function": "sh op:health"}, "function: "),
        ({"kind": "command", "argv": []}, "argv: must hold at least 1 entry"),
        ({"kind": "command", "argv": ["./check"]}, "argv: './check' depends on the folder one stands in"),
        ({"kind": "command", "argv": ["true", "\0"]}, "argv: must name a program"),
        ({"kind": "sql", "env": "DB", "query": "SELECT 1"}, ": say what is good: either equals"),
        ({"kind": "sql", "env": "DB", "query": "SELECT 1", "equals": 1, "at_most": 2}, ": say what is good"),
        ({"kind": "sql", "env": "DB", "query": "SELECT 1", "at_least": 3, "at_most": 2}, ": at_least is 3, above"),
        ({"kind": "prometheus", "url": "http://a.b/?x", "query": "up", "equals": 1}, ": 'http://a.b/?x' is no base"),
        ({"kind": "error_rate", "at_most": 1}, "at_most: must be less than 1"),
        ({"kind": "alert", "labels": {}}, "labels: must hold at least 1 entry"),
        ({"kind": "alert", "labels": {"a": "b"}, "alive": {}}, "alive: must hold at least one label"),
    ],
)
def test_a_mistake_in_a_check_is_put_into_words(check, says):
    """URLs are http or https, functions have the shape module:function, counts and times make sense."""
    assert problem({"checks": [check]}).startswith(f"checks[0]{'' if says.startswith(':') else '.'}{says}")


@pytest.mark.parametrize(
    ("watch", "checks", "says"),
    [
        ({"window": "5m"}, [], "watch.window: there are no checks"),
        ({"confirm": "required"}, [{}], 'watch.confirm: "required" needs a watch.window'),
        ({}, [{"count": 0}], "checks[0]: it is taken only while the action is watched"),
        ({}, [{}, {"dry_run": True}], "checks[1]: it is taken only while the action is watched"),
        ({"window": "5m"}, [{"dry_run": True}], "checks: none of them can say that all is well"),
        ({"window": "5m"}, [{"delay": "5m"}], "checks[0].delay: the watch ends after 5m"),
        ({"window": "60s", "least_good": 3}, [{"every": "30s"}], "checks[0].every: at most 2 measurements fit into 1m"),
    ],
)
def test_a_watch_that_would_see_nothing_is_no_watch(watch, checks, says):
    """A rule whose watch and checks don't fit together isn't loaded: it would watch nothing and say so nowhere."""
    http = {"kind": "http", "url": "https://a.b/"}
    assert problem({"watch": watch, "checks": [http | check for check in checks]}).startswith(says)


def test_an_alert_alone_cannot_say_that_all_is_well():
    """Silence is no health; an alert that always fires shows that it isn't silence."""
    alert = {"kind": "alert", "labels": {"app": "shop"}}
    rule = {"watch": {"window": "5m"}, "checks": [alert]}
    assert "none of them can say that all is well" in problem(rule)
    watched = rule | {"checks": [alert | {"alive": {"alertname": "Watchdog"}}]}
    assert policy_of({"tools": {"a": watched}}, "here").rule("a").watch.window == 300


def test_a_password_in_a_url_is_not_repeated():
    """The message about it doesn't carry it on into logs."""
    assert "secret" not in problem({"checks": [{"kind": "http", "url": "https://u:secret@a.b/"}]})


@pytest.mark.parametrize(
    ("one", "two", "clash"),
    [
        ({"kind": "volume", "limit": 3}, {"kind": "volume", "limit": 5, "per": "day"}, True),
        ({"kind": "volume", "limit": 3}, {"kind": "volume", "limit": 5, "per": "hour"}, False),
        ({"kind": "volume", "limit": 3}, {"kind": "volume", "limit": 5, "timezone": "Europe/Zurich"}, False),
        ({"kind": "cost", "limit": "$3", "each": "$1"}, {"kind": "cost", "limit": "$5", "each": "$2"}, True),
        ({"kind": "cost", "limit": "$3", "each": "$1"}, {"kind": "cost", "limit": "$5", "argument": "x"}, False),
        ({"kind": "cost", "limit": "$3", "argument": "y"}, {"kind": "cost", "limit": "$5", "argument": "x"}, False),
        ({"kind": "length", "argument": "x", "most": 3}, {"kind": "length", "argument": "x", "most": 5}, False),
        ({"kind": "volume", "limit": 3}, {"kind": "volume", "limit": 5, "within": "1d"}, False),
        (
            {"kind": "volume", "limit": 3, "within": "24h"},
            {"kind": "volume", "limit": 5, "within": "1d"},
            True,
        ),
        ({"kind": "volume", "limit": 3}, {"kind": "volume", "limit": 5, "by": "agent"}, False),
        ({"kind": "volume", "limit": 3}, {"kind": "volume", "limit": 5, "each_value_of": "x"}, False),
    ],
)
def test_two_bounds_on_one_counter_are_refused(one, two, clash):
    """They would count each call twice; bounds that only look may stand beside each other, and all must hold."""
    rule = {"bounds": [{"kind": "length", "argument": "z", "most": 9}, one, two]}
    if clash:
        assert problem(rule).startswith(f"bounds[2]: is a {one['kind']} bound on the same counter (")
    else:
        assert len(policy_of({"tools": {"a": rule}}, "here").rule("a").bounds) == 3


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "here: policy: expected a table, found an empty list"),
        ({"tools": []}, "here: tools: expected a table, found an empty list"),
        ({"tools": {"": {}}}, "here: tools.\"\": '' is no name"),
        ({"tools": {3: {}}}, "here: tools[3]: expected text, found the integer 3"),
        ({"tools": {"a": "confirm"}}, "here: tools.a: expected a table, found the text 'confirm'"),
        ({"agent": ""}, "here: agent: '' is no name"),
        ({"agent": "ops\n"}, "here: agent: 'ops\\n' is no name"),
        ({"ledger": ""}, "here: ledger: '' is no path here"),
        ({"ledger": 3}, "here: ledger: expected text, found the integer 3"),
        ({"drafts": "~/drafts"}, "here: drafts: '~/drafts' is no path here"),
        ({"reports": {"sla": True}}, "here: reports.sla: True is no duration"),
        (
            {"reports": {"raeder": "ana"}},
            "here: reports.raeder: unknown key; did you mean 'reader'? known keys: reader, sla",
        ),
    ],
)
def test_a_mistake_around_the_rules_is_put_into_words(data, says):
    """The levels above the rules are as strict."""
    (line,) = problems_of(data)
    assert line.startswith(says)


def test_one_member_of_slack_is_one_person():
    """It is told at the later of the two, with the place of the first."""
    slack = {"slack": "U0123ABCD"}
    (said,) = problems_of({"people": {"ana": slack, "bo": {}, "cy": slack}})
    assert said.startswith("here: people.cy.slack: is the same member of Slack as 'ana'; an answer from there")
