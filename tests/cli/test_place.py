"""Policy and ledger: found, missing, or something else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.test_answering import ME

LOOKING = ["status", "pending", "log", "drafts", "suggestions", "reports"]
ACTING = [
    ["verify"],
    ["show", "0"],
    ["approve", "0"],
    ["decline", "0", "--reason", "no"],
    ["drafts", "show", "0"],
    ["drafts", "accept", "0"],
    ["drafts", "reject", "0", "--reason", "no"],
    ["suggestions", "adopt", "0"],
    ["ack", "0123"],
    ["resolve", "0", "--absent"],
    ["demote", "refund", "draft", "--reason", "no"],
    ["lock"],
]


@pytest.mark.parametrize("command", [*([name] for name in [*LOOKING, "doctor"]), *ACTING], ids=" ".join)
def test_without_a_policy_the_way_to_one_is_said(tmp_path, monkeypatch, ladder, command):
    """Where no policy is, every command ends with code 2, names `ladder init`, and makes no file."""
    monkeypatch.chdir(tmp_path)
    result = ladder(*command, code=2)
    assert result.stderr.startswith("error: there is no policy at ladder.toml; `ladder init` writes one")
    assert not result.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", LOOKING)
def test_a_look_makes_no_ledger(shop, ladder, command):
    """Where no ledger is yet, a command that looks says so, and makes no file."""
    before = sorted(shop.folder.iterdir())
    result = ladder(command, "--json")
    assert result.stderr == "  there is no ledger at ladder.db yet: nothing has run under this policy.\n"
    assert command == "status" or result.document == []
    assert sorted(shop.folder.iterdir()) == before


@pytest.mark.parametrize("command", ACTING, ids=" ".join)
def test_an_act_makes_no_ledger(shop, ladder, command):
    """Where no ledger is yet, a command that acts on it is an error, and makes no file."""
    before = sorted(shop.folder.iterdir())
    result = ladder(*command, code=2)
    assert result.stderr == "error: there is no ledger at ladder.db yet, so there is nothing to act on\n"
    assert sorted(shop.folder.iterdir()) == before


@pytest.mark.parametrize("command", [("watch", "--once"), ("console", "link", ME)], ids=" ".join)
def test_what_goes_on_for_long_makes_a_ledger_and_says_so(shop, ladder, command):
    """Agents may come later; whoever mistyped the path sees that another one is there now."""
    assert ladder(*command).stderr == "  there is no ledger at ladder.db yet; it is made now.\n"
    assert (shop.folder / "ladder.db").exists()
    assert not ladder(*command).stderr


@pytest.mark.parametrize(
    "command", [("watch", "--once"), ("console", "link", ME), ("pending", "--watch")], ids=" ".join
)
def test_what_goes_on_for_long_needs_a_ledger_that_is_shared(shop, ladder, command):
    """One in an agent's memory can't be seen from another process."""
    assert "no other process can see it" in ladder("--ledger", ":memory:", *command, code=2).stderr


def test_all_mistakes_of_a_policy_are_listed(shop, ladder):
    """A policy with mistakes is refused with each of them on a line of its own."""
    shop.policy.write_text('agnet = "shop"\n[tools.refund]\nrung = "cofirm"\n', encoding="utf-8")
    lines = ladder("status", code=2).stderr.splitlines()
    assert lines[0] == "error: ladder.toml: 2 problems, nothing was loaded"
    assert "did you mean 'agent'?" in lines[1]
    assert "did you mean 'confirm'?" in lines[2]


def test_another_file_is_no_ledger(folder, ladder):
    """A ledger option that names something else is an error, and the file stays as it is."""
    before = (folder / "ladder.toml").read_bytes()
    assert "ladder.toml is no ledger" in ladder("--ledger", "ladder.toml", "status", code=2).stderr
    assert (folder / "ladder.toml").read_bytes() == before


def test_policy_and_ledger_may_be_elsewhere(folder, tmp_path, monkeypatch, ladder):
    """`--policy`, LADDER_POLICY and `--ledger` say where to look; what the policy names is found beside it."""
    monkeypatch.chdir(tmp_path)
    assert len(ladder("--policy", folder / "ladder.toml", "pending", "--json").document) == 2
    monkeypatch.setenv("LADDER_POLICY", str(folder / "ladder.toml"))
    assert len(ladder("pending", "--json").document) == 2
    (folder / "ladder.db").rename(tmp_path / "moved.db")
    assert ladder("pending", "--json").document == []
    assert len(ladder("--ledger", "moved.db", "pending", "--json").document) == 2


def test_a_ledger_in_memory_cannot_be_seen(shop, ladder):
    """A policy that keeps its ledger in the agent's memory has nothing that this process could show."""
    shop.policy.write_text('ledger = ":memory:"\n', encoding="utf-8")
    assert "no other process can see it" in ladder("log").stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["log", "--tool", "\udcff"], "error: an argument holds bytes that are no text here: \\udcff\n"),
        (["decline", "x", "--reason", "caf\udce9"], "no text here: caf\\udce9"),
        (["policy", "test", "\ud800"], "no text here: \\ud800"),
        (["log", "--limit", "99999999999999999999"], "1000000"),
        (["reports", "--limit", "99999999999999999999"], "1000000"),
        (["--ledger", "postgresql://u:secret@[::1/x", "status"], "error: the ledger's address is no URL: "),
        (["migrate", "postgresql://[::1/x"], "error: the ledger's address is no URL: "),
        (["move", "ladder.db", "postgresql://[::1/x"], "error: the ledger's address is no URL: "),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(shop, ladder, arguments, said):
    """Bytes that are no text, numbers beyond any list, and addresses that are none end with code 2, not a traceback."""
    told = ladder(*arguments, code=2).stderr
    assert said in told
    assert "secret" not in told


def test_the_module_is_the_command(folder):
    """`python -m ladder_graph.cli` is `ladder`: output to stdout, errors to stderr, and the exit code."""
    command = [sys.executable, "-m", "ladder_graph.cli"]
    done = subprocess.run([*command, "verify"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "every chain is whole" in done.stdout
    done = subprocess.run([*command, "show", "zzz"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: there is no action 'zzz'; `ladder log` lists them\n"
