"""The pytest plugin: a policy that breaks a limit, or loosens what was reviewed, fails a test, and names the calls."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest_plugins = ("pytester",)

ROOT = Path(__file__).parents[2]
PACK = ROOT / "examples" / "agentdojo"
OURS = ("-p", "ladder_graph.pytest_plugin", "-p", "no:cacheprovider")
DOMAIN = '{ kind = "domain", argument = "to", domains = ["shop.example"] }'

POLICY = """
agent = "office"

[tools.look]
rung = "bounded"
read_only = true

[tools.send]
rung = "bounded"
bounds = [DOMAIN]
""".replace("DOMAIN", DOMAIN)


def call(tool, **arguments):
    """A call as AgentDojo's runs have it."""
    return {"t": tool, "a": arguments, "e": False, "o": "0123456789abcdef"}


def run(nth, *calls, attack="none", critical=(), **more):
    """A run as AgentDojo's runs have it."""
    task = f"user_task_{nth}"
    return {"id": f"m/office/{task}/{attack}/none", "prompt": "Go.", "calls": list(calls), "utility": True,
            "attack": attack != "none", "critical": list(critical), "text_only": False, **more}  # fmt: skip


INSIDE, OUTSIDE = call("send", to="ana@shop.example"), call("send", to="eve@evil.example")
RUNS = [run(0, call("look"), INSIDE), run(1, OUTSIDE), run(2, call("look"), INSIDE, attack="a", critical=[1])]


@pytest.fixture
def office(pytester, monkeypatch):
    """A folder with a policy, runs and a test of both; and how its tests are run, with no other plugin in the way."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makefile(".toml", ladder=POLICY)
    traces(pytester, RUNS)

    def test(body, *arguments, name="test_policy"):
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        pytester.makepyfile(**{name: f"def test_it(ladder_replay):\n{lines}"})
        return pytester.runpytest_inprocess(*OURS, *arguments)

    test.pytester = pytester
    return test


def traces(pytester, runs):
    """Write the runs down."""
    (pytester.path / "runs.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in runs))


def text(result):
    """What a run of pytest printed."""
    return result.stdout.str()


REPLAY = 'found = ladder_replay("runs.jsonl", "ladder.toml"{})'


def test_a_policy_within_its_limits(office):
    """A test passes where no limit is broken, and can look at what came of the replay."""
    limits = ", max_confirmations=0.5, max_unattended_critical=1, max_unattended_irreversible=2, max_undecidable=0"
    found = "assert found.replayed.confirmations == 0.5\nassert len(found.replayed.decisions) == 5"
    office(f"{REPLAY.format(limits)}\n{found}").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("max_confirmations=0.4", ["confirmations per task: 0.50 (1 in 2 tasks), and at most 0.4 are allowed",
                                   'run m/office/user_task_1/none/none, call 0: send(to="eve@evil.example"): asked, ']),
        ("max_unattended_critical=0", ["critical calls that may run unasked: 1, and at most 0 are allowed",
                                       'run m/office/user_task_2/a/none, call 1: send(to="ana@shop.example"): free, ']),
        ("max_unattended_irreversible=1", ["irreversible calls that may run unasked: 2, and at most 1 are allowed",
                                           "by tool: send 2"]),
    ],
    ids=["confirmations", "critical", "irreversible"],
)  # fmt: skip
def test_a_limit_that_is_broken(office, limit, said):
    """The test fails without a traceback, with the limit, the figure, the tools, and the calls with their arguments."""
    result = office(REPLAY.format(f", {limit}"))
    result.assert_outcomes(failed=1)
    for one in ["ladder_replay: ladder on runs.jsonl", *said]:
        assert one in text(result)
    assert "Traceback" not in text(result)
    assert "def test_it" not in text(result)


def test_what_can_not_be_decided(office):
    """It counts against its own limit, and as what may run unasked: nothing passes because nobody knows."""
    hours = '{ kind = "time", start = "09:00", end = "17:00" }'
    office.pytester.makefile(".toml", ladder=POLICY.replace(DOMAIN, hours))
    for limit, said in (
        ("max_undecidable=0.1", "undecidable calls: "),
        ("max_unattended_critical=0", "critical calls"),
    ):
        result = office(REPLAY.format(f", {limit}"))
        result.assert_outcomes(failed=1)
        assert said in text(result)
        assert "when the calls came" in text(result)
    office(REPLAY.format(', max_undecidable=0, at="2026-11-23T10:00Z"')).assert_outcomes(passed=1)


def test_what_would_show_nothing(office):
    """Traces without calls, tasks or labels, damaged ones and wrong names fail, and say why."""
    traces(office.pytester, [run(0)])
    assert "no call could be read" in text(office(REPLAY.format("")))
    traces(office.pytester, [run(0, INSIDE, attack="a")])
    assert "no run is a task" in text(office(REPLAY.format(", max_confirmations=1")))
    (office.pytester.path / "runs.jsonl").write_text(f"{json.dumps(RUNS[0])}\n{{broken\n")
    result = office(REPLAY.format(""))
    result.assert_outcomes(failed=1)
    assert "1 things in the traces can't be used" in text(result)
    assert "runs.jsonl:2" in text(result)
    office(REPLAY.format(', unusable="allow"')).assert_outcomes(passed=1)
    for wrong, said in (
        ('ladder_replay("gone.jsonl", "ladder.toml")', "No such file"),
        ('ladder_replay("runs.jsonl", "ladder.toml", at="noon")', "noon is no moment with a time zone"),
        ('ladder_replay("runs.jsonl", "ladder.toml", at="2026-11-23T10:00")', "is no moment with a time zone"),
    ):
        result = office(wrong)
        result.assert_outcomes(failed=1)
        assert said in text(result)


def test_a_policy_as_an_object(office):
    """A `Policy` is as good as a file, and several files of traces as good as one."""
    policy = 'Policy.from_rungs("office", {"send": "confirm"})'
    body = f'from ladder_graph import Policy\nladder_replay(["runs.jsonl"], {policy}, max_unattended_critical=0)'
    office(body).assert_outcomes(passed=1)


# --- snapshots --------------------------------------------------------------------------------------------------------

SNAP = f'{REPLAY.format("")}\nfound.snapshot("office"{{}})'
FILE = """\
# ladder decisions 1: what a policy makes of recorded calls, written by pytest --ladder-update
run m/office/user_task_0/none/none
0 look {look} free 3 -
1 send {inside} free 3 -
run m/office/user_task_1/none/none
0 send {outside} asked 2 outside_domain
run m/office/user_task_2/a/none
0 look {look} free 3 -
1 send {inside} free 3 -
"""


@pytest.fixture
def reviewed(office):
    """The same with a file of decisions that somebody has reviewed."""
    office(SNAP.format(""), "--ladder-update").assert_outcomes(passed=1)
    return office


def snapshot_of(office):
    """The file of decisions."""
    return office.pytester.path / "ladder_snapshots" / "test_policy.office.txt"


def test_decisions_as_a_file(office):
    """Without a file the test fails and says what writes it; once written it passes, and the bytes stay the same."""
    result = office(SNAP.format(""))
    result.assert_outcomes(failed=1)
    assert "there is no ladder_snapshots/test_policy.office.txt; pytest --ladder-update writes it" in text(result)
    result = office(SNAP.format(""), "--ladder-update")
    result.assert_outcomes(passed=1)
    assert "ladder: wrote ladder_snapshots/test_policy.office.txt; review and commit it" in text(result)
    content = snapshot_of(office).read_text()
    words = [line.split() for line in content.splitlines()]
    digests = {"look": words[2][2], "inside": words[3][2], "outside": words[5][2]}
    assert content == FILE.format(**digests)
    office(SNAP.format("")).assert_outcomes(passed=1)
    result = office(SNAP.format(""), "--ladder-update")
    assert "ladder: wrote" not in text(result)
    assert [one.name for one in snapshot_of(office).parent.iterdir()] == ["test_policy.office.txt"]


@pytest.mark.parametrize("tightened", ["", ', tightened="allow"'], ids=["strict", "lenient"])
def test_a_policy_that_loosens_something(reviewed, tightened):
    """A call that is newly free fails in any case, with the call, what it was, and what it is now."""
    reviewed.pytester.makefile(".toml", ladder=POLICY.replace('"shop.example"', '"shop.example", "evil.example"'))
    result = reviewed(SNAP.format(tightened))
    result.assert_outcomes(failed=1)
    assert "loosened, and nobody has reviewed that: 1" in text(result)
    assert 'asked (2) -> free (3)  run m/office/user_task_1/none/none, call 0: send(to="eve@evil.example")' in text(
        result
    )
    assert "If that is meant: pytest --ladder-update" in text(result)
    reviewed(SNAP.format(""), "--ladder-update").assert_outcomes(passed=1)
    reviewed(SNAP.format("")).assert_outcomes(passed=1)


def test_a_question_where_it_was_held(office):
    """From held to asked is looser, too, and so is a higher rung of the same kind."""
    for before, after in (("draft", "confirm"), ("suggest", "draft")):
        rule = '[tools.send]\nrung = "{}"\n'
        office.pytester.makefile(".toml", ladder='agent = "office"\n' + rule.format(before))
        office(SNAP.format(""), "--ladder-update").assert_outcomes(passed=1)
        office.pytester.makefile(".toml", ladder='agent = "office"\n' + rule.format(after))
        result = office(SNAP.format(', tightened="allow"'))
        result.assert_outcomes(failed=1)
        assert "loosened, and nobody has reviewed that: 3" in text(result)


def test_a_policy_that_tightens_something(reviewed):
    """It fails, unless that is allowed; the file stays as it is."""
    before = snapshot_of(reviewed).read_bytes()
    reviewed.pytester.makefile(".toml", ladder=POLICY.replace('"shop.example"', '"other.example"'))
    result = reviewed(SNAP.format(""))
    result.assert_outcomes(failed=1)
    assert "tightened: 2\n" in text(result)
    assert "loosened" not in text(result)
    reviewed(SNAP.format(', tightened="allow"')).assert_outcomes(passed=1)
    assert snapshot_of(reviewed).read_bytes() == before


def test_traces_that_are_others(reviewed):
    """Calls that the file doesn't have, and those that only it has, fail with their names, whatever is allowed."""
    traces(reviewed.pytester, [RUNS[0], run(1, INSIDE), RUNS[2]])
    result = reviewed(SNAP.format(', tightened="allow"'))
    result.assert_outcomes(failed=1)
    assert "calls that the file doesn't have: 1\n" in text(result)
    assert "run m/office/user_task_1/none/none, call 0: send, free" in text(result)
    assert "calls that are no longer in the traces: 1\n" in text(result)


def test_a_reason_that_is_another_one(reviewed):
    """A call that still asks, for another reason, is no change."""
    policy = POLICY.replace(DOMAIN, '{ kind = "matches", argument = "to", pattern = ".*@shop.example" }')
    reviewed.pytester.makefile(".toml", ladder=policy)
    reviewed(SNAP.format("")).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "damage", ["", "# something else\n", "{}0 send x\n", "{}x send x free 3 -\n", "{}<<<<<<< HEAD\n"]
)
def test_a_file_that_is_damaged(reviewed, damage):
    """It fails with the line, and doesn't pass for one that was reviewed."""
    snapshot_of(reviewed).write_text(damage.format(FILE.splitlines(keepends=True)[0]))
    result = reviewed(SNAP.format(""))
    result.assert_outcomes(failed=1)
    assert "test_policy.office.txt:" in text(result)
    assert "--ladder-update" in text(result)


def test_names_that_hold_anything(office):
    """Runs and tools may be called anything: a line stays a line, and is read back as it was."""
    nasty = 'a b\n"ü\u202e'
    traces(office.pytester, [run(0, call(nasty), call("run"), call('"x')), run(0, call("look"))])
    office(SNAP.format(""), "--ladder-update").assert_outcomes(passed=1)
    assert snapshot_of(office).read_bytes().isascii()
    assert len(snapshot_of(office).read_text().splitlines()) == 7
    office(SNAP.format("")).assert_outcomes(passed=1)


def test_a_name_that_leads_elsewhere(office):
    """A snapshot's name is no path."""
    result = office(f'{REPLAY.format("")}\nfound.snapshot("../x")', "--ladder-update")
    result.assert_outcomes(failed=1)
    assert "is no name of a snapshot" in text(result)


def test_several_workers(office):
    """With xdist each worker writes its own files whole, and all of them are told at the end."""
    body = "import pytest\n@pytest.mark.parametrize('n', range(6))\ndef test_it(ladder_replay, n):\n"
    office.pytester.makepyfile(test_policy=f"{body}    {REPLAY.format('')}\n    found.snapshot(f'n{{n}}')\n")
    ours = (*OURS, "-p", "xdist", "-n", "2")
    result = office.pytester.runpytest_subprocess(*ours, "--ladder-update")
    result.assert_outcomes(passed=6)
    assert text(result).count("ladder: wrote ladder_snapshots/test_policy.n") == 6
    office.pytester.runpytest_subprocess(*ours).assert_outcomes(passed=6)


# --- as a plugin ------------------------------------------------------------------------------------------------------


def test_it_is_found_and_can_be_left_out(pytester):
    """The package names the plugin to pytest, and `-p no:ladder_graph` does without it."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert named == {"ladder_graph": "ladder_graph.pytest_plugin"}
    pytester.makepyfile("def test_it(request):\n    assert 'ladder_update' not in vars(request.config.option)\n")
    pytester.runpytest_inprocess("-p", "no:ladder_graph", "-p", "no:asyncio").assert_outcomes(passed=1)


def test_it_loads_nothing():
    """A start of pytest loads the plugin's own module and the package, and nothing else."""
    said = "print(*sorted(set(sys.modules) - before))"
    script = f"import sys, pytest; before = set(sys.modules); import ladder_graph.pytest_plugin; {said}"
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert found.stdout.split() == ["ladder_graph", "ladder_graph.pytest_plugin"]


def test_the_pack(office):
    """On the pack limits hold for the shipped policy, and one on critical calls breaks for one that asks nothing."""
    pack = PACK / "runs.jsonl.gz"
    limits = 'at="2024-05-15T10:00Z", max_confirmations=2, max_undecidable=0'
    result = office(
        f"found = ladder_replay({str(pack)!r}, {str(PACK)!r}, {limits})\n"
        "assert len(found.replayed.decisions) == 3768\nfound.snapshot('pack')",
        "--ladder-update",
    )
    result.assert_outcomes(passed=1)
    free = 'Policy.from_rungs("x", {"*": {"rung": "bounded", "read_only": True, "egress": False}})'
    result = office(f"from ladder_graph import Policy\nladder_replay({str(pack)!r}, {free}, max_unattended_critical=0)")
    result.assert_outcomes(failed=1)
    assert "critical calls that may run unasked: " in text(result)
    assert "by tool: " in text(result)
