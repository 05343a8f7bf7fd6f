"""Reading a policy: all mistakes at once, each with its place, what was expected and what was found."""

from __future__ import annotations

import os

import pytest

from ladder_graph.errors import PolicyError
from ladder_graph.policy import Policy, load_policy
from ladder_graph.policy.checks import Http
from ladder_graph.scale import Rung

GOOD = """\
agent = "ops"
ledger = "state/ladder.db"

[tools.send_email]
rung = "bounded"
ceiling = "rollback"
bounds = [
  { kind = "domain", argument = "to", domains = ["Shop.example"] },
  { kind = "volume", limit = 3 },
  { kind = "cost", limit = "$5", each = "$0.02", per = "month", timezone = "Europe/Zurich" },
]
undo = "shop.mail:recall"

[[tools.send_email.checks]]
kind = "http"
url = "http://127.0.0.1:8080/health"

[tools."drop table"]
rung = 2
confirm = { by = ["ana"], type = "table", expires = "1h" }

[reports]
reader = "ana"
sla = "8h"
"""


@pytest.fixture
def write(tmp_path):
    """Writes a policy file and returns its path."""

    def writing(content):
        path = tmp_path / "ladder.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writing


def problems_of(reading, *args):
    """What a reading that must fail complains about."""
    with pytest.raises(PolicyError) as caught:
        reading(*args)
    return list(caught.value.problems)


# --- what is right ---------------------------------------------------------------------------------------------------


def test_a_good_file_is_read(write):
    """Everything in it arrives, in its own units."""
    policy = load_policy(write(GOOD))
    rule = policy.rule("send_email")
    assert (policy.agent, rule.rung, rule.ceiling) == ("ops", Rung.BOUNDED, Rung.ROLLBACK)
    assert [bound.kind for bound in rule.bounds] == ["domain", "volume", "cost"]
    assert rule.bounds[0].domains == ("shop.example",)
    assert (rule.bounds[2].limit, rule.bounds[2].each) == (5_000_000, 20_000)
    assert rule.checks == (Http(url="http://127.0.0.1:8080/health"),)
    assert policy.rule("drop table").confirm.expires == 3600.0
    assert (policy.reports.reader, policy.reports.sla) == (("ana",), 28800.0)


def test_paths_are_taken_from_the_file(write, tmp_path, monkeypatch):
    """Wherever the process was started, the ledger is beside the policy."""
    path = write(GOOD)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    policy = load_policy(os.path.relpath(path))
    assert os.path.realpath(policy.ledger) == str(tmp_path / "state" / "ladder.db")
    assert os.path.realpath(policy.drafts) == str(tmp_path / "drafts")


@pytest.mark.parametrize("ledger", [":memory:", "postgresql://host/db"])
def test_what_is_no_file_is_left_alone(write, ledger):
    """A ledger in memory or in a database has no directory."""
    assert load_policy(write(f'ledger = "{ledger}"')).ledger == ledger


@pytest.mark.parametrize("content", [b"", b"# nothing yet\n", b'\xef\xbb\xbfagent = "ops"\r\n'])
def test_small_files_and_a_byte_order_mark_are_read(write, content):
    """An empty policy is one: every tool suggests. What editors on Windows add does no harm."""
    assert isinstance(load_policy(write(content)), Policy)


# --- the file --------------------------------------------------------------------------------------------------------


def test_a_missing_file_is_a_policy_error(tmp_path):
    """The message names the file and what writes one."""
    path = tmp_path / "ladder.toml"
    assert problems_of(load_policy, path) == [f"{path}: there is no such file; `ladder init` writes one"]


def test_a_directory_is_a_policy_error(tmp_path):
    """The message says that it is no file."""
    assert problems_of(load_policy, tmp_path) == [f"{tmp_path}: is no file; name the policy file itself"]


def test_a_pipe_is_not_waited_for(tmp_path):
    """What is no regular file could block or never end, so it isn't opened."""
    os.mkfifo(tmp_path / "pipe")
    assert problems_of(load_policy, tmp_path / "pipe") == [f"{tmp_path}/pipe: is no file; name the policy file itself"]


def test_an_unreadable_file_is_a_policy_error(write):
    """The system's reason stands in the message."""
    path = write(GOOD)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user reads everything")
    assert problems_of(load_policy, path) == [f"{path}: can't be read: Permission denied"]


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000])
def test_an_impossible_path_is_a_policy_error(path):
    """A path that no system takes fails like a file that can't be read."""
    (line,) = problems_of(load_policy, path)
    assert "can't be read: " in line or "there is no such file" in line


def test_what_is_not_utf8_is_shown_by_line_and_column(write):
    """The first byte that is wrong is named with its place."""
    path = write('agent = "ops"\n# Zürich\n# caf'.encode() + b"\xe9\n")
    assert problems_of(load_policy, path) == [f"{path}:3:6: not UTF-8: the byte 0xe9; save it as UTF-8"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('agent = "ops"\nledger = \n', ":2:10: not valid TOML: invalid value"),
        ("[tools.a]\nrung = 1\n[tools.a]\n", ":3:9: not valid TOML: cannot declare "),
        ('a = "', ":1:6: not valid TOML: "),
        ("a = [1,\n", ":2:1: not valid TOML: "),
        ("agent 'ops'", ":1:7: not valid TOML: expected '=' "),
        ("a = " + "[" * 5000 + "]" * 5000, ": not valid TOML: "),
        ("a = " + "9" * 5000, ": not valid TOML: "),
    ],
)
def test_what_is_no_toml_is_shown_by_line_and_column(write, content, says):
    """The reader's own words, after the place."""
    path = write(content)
    (line,) = problems_of(load_policy, path)
    assert line.startswith(f"{path}{says}")


# --- the mistakes ----------------------------------------------------------------------------------------------------


def test_all_mistakes_come_at_once_in_order_with_their_lines(write):
    """One run of the editor mends them all."""
    path = write(
        'agnet = "ops"\n'
        "[tools.send_email]\n"
        'rugn = "confirm"\n'
        "bounds = [\n"
        '  { kind = "volum", limit = 3 },\n'
        '  { kind = "volume", limit = "3" },\n'
        "]\n"
        '[tools."drop table".confirm]\n'
        'by = "ana"\n'
        "[[tools.x.checks]]\n"
        'kind = "http"\n'
    )
    assert problems_of(load_policy, path) == [
        (
            f"{path}:1: agnet: unknown key; did you mean 'agent'? known keys: agent, ledger, drafts, tools, reports, "
            "questions, people, keys, console, slack, trust, signals, metrics, checkpoints, retention, "
            "watcher, rehearsals, ask, prompts, prompt_values, data_version, provider_tools"
        ),
        (
            f"{path}:3: tools.send_email.rugn: unknown key; did you mean 'rung'? known keys: rung, ceiling, read_only, "
            "egress, impact, mistake, labels, channel, bounds, undo, checks, watch, confirm, scope, trust, data_version"
        ),
        (
            f"{path}:5: tools.send_email.bounds[0].kind: unknown kind 'volum'; did you mean 'volume'? known kinds: "
            "one_of, equals, matches, range, length, count, under, host, domain, environment, tenant, table, volume, "
            "rate, cost, time, origin, predicate"
        ),
        f"{path}:6: tools.send_email.bounds[1].limit: expected a whole number, found the text '3'",
        f"{path}:9: tools.\"drop table\".confirm.by: expected a list, found the text 'ana'",
        (
            f"{path}:10: tools.x.checks[0].url: this key is missing; known keys: delay, every, failure_limit, "
            "inconclusive_limit, dry_run, count, interval, kind, url, status, timeout, allow"
        ),
    ]


def test_the_message_says_how_many_and_that_nothing_was_loaded(write):
    """The first line of the error is its sum."""
    path = write("a = 1\nb = 2\n")
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert str(caught.value).splitlines()[0] == f"{path}: 2 problems, nothing was loaded"
    assert caught.value.source == str(path)


def test_a_rule_at_the_top_is_sent_under_tools(write):
    """The likely mistake is named."""
    (line,) = problems_of(load_policy, write('\n[send_mail]\nrung = "draft"\n'))
    assert ":2: send_mail: unknown key; " in line
    assert line.endswith("; the rule of a tool stands under tools, as in [tools.send_mail]")
