"""`ladder policy suggest`: bounds that recorded runs suggest, in words, as a document, and as what could be pasted."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from ladder_graph.cli.suggesting import SuggestionDocument, TriedDocument
from ladder_graph.policy import policy_of
from ladder_graph.replay.suggesting.snippet import uncommented

EXAMPLES = Path(__file__).parents[2] / "examples" / "agentdojo"
PACK = str(EXAMPLES / "runs.jsonl.gz")
POLICY = """\
agent = "bank"

[tools.pay]
rung = "confirm"
mistake = "$2"

[tools.wipe]
rung = "confirm"
ceiling = "confirm"
"""


def line(run, calls, **more):
    """A recorded run as a line of the pack."""
    whole = {
        "id": run, "v": "v1.2", "prompt": "Pay.", "utility": True, "attack": None, "critical": [], "text_only": False,
        "calls": [{"t": tool, "a": given, "e": False, "o": "ab12"} for tool, given in calls],
    }  # fmt: skip
    return json.dumps(whole | more)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with a policy, and runs in which an attacker wants more, and to somebody else."""
    monkeypatch.chdir(tmp_path)
    Path("ladder.toml").write_text(POLICY, encoding="utf-8")
    lines = []
    for number in range(40):
        pay = ("pay", {"to": f"p{number}@shop.example", "amount": 5 + number % 5})
        lines.append(line(f"m/bank/user_task_{number}/none/none", [pay, ("wipe", {"disk": "tmp"})]))
        eve = ("pay", {"to": "eve@evil.example", "amount": 900})
        lines.append(line(f"m/bank/user_task_{number}/ignore/injection_task_1", [eve], attack=True, critical=[0]))
    Path("runs.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def test_coverage_comes_first_and_what_may_be_pasted_last(desk, ladder):
    """Each bound has what it would have let through beside it, and what is lacking is said."""
    text = ladder("policy", "suggest", "runs.jsonl").stdout
    order = [
        "What was read: 80 runs",
        "  pay  bank, confirm (2) by 'pay'",
        "these",
        "suggested   yes, below",
        "# [tools.pay]",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert '{ kind = "domain", argument = "to", domains = ["shop.example"] }' in text
    assert "no times: days can't be counted" in text
    assert "no: the policy allows confirm (2) at most" in text


def test_nothing_is_changed_and_all_of_it_is_in_comments(desk, ladder):
    """The policy is as it was; what is printed with --toml changes no policy that it is appended to."""
    text = ladder("policy", "suggest", "runs.jsonl", "--toml").stdout
    assert Path("ladder.toml").read_text() == POLICY
    assert sorted(path.name for path in desk.iterdir()) == ["ladder.toml", "runs.jsonl"]
    assert tomllib.loads(POLICY + text) == tomllib.loads(POLICY)
    policy = policy_of(tomllib.loads(uncommented(text)), "pasted")
    assert {bound.kind for bound in policy.rule("pay").bounds} == {"domain", "range", "volume"}
    assert "wipe" not in policy.tools


def test_the_document_has_the_keys_that_the_help_names(desk, ladder):
    """Bounds stand in it as in a policy; an infinite number is null."""
    found = {one["tool"]: one for one in json.loads(ladder("policy", "suggest", "runs.jsonl", "--json").stdout)}
    pay = found["pay"]
    assert set(pay) == set(SuggestionDocument.__annotations__)
    assert set(pay["together"]) == set(TriedDocument.__annotations__)
    assert (pay["suite"], pay["entry"], pay["clean"], pay["alpha"]) == ("bank", "pay", True, 0.1)
    checked = pay["together"]["checked"]
    assert checked["wrong"] > 0
    assert (checked["wrong_inside"], checked["fine_inside"]) == (0, checked["fine"])
    assert pay["evidence"]["enough"] is False
    assert {bound["kind"] for bound in pay["together"]["bounds"]} == {"domain", "range", "volume"}


def test_what_cannot_be_used_is_told_once_and_by_the_exit_code(desk, ladder):
    """The runs are read twice, and a broken line is told by the first reading alone."""
    with Path("runs.jsonl").open("a") as file:
        file.write("\n{\n")
    done = ladder("policy", "suggest", "runs.jsonl", code=1)
    assert done.stderr.count("runs.jsonl:81: ") == 1
    assert "# [tools.pay]" in done.stdout


def test_standard_input_is_refused(desk, ladder):
    """It can be read once."""
    assert "save it to a file first" in ladder("policy", "suggest", "-", code=2).stderr


def test_runs_that_nobody_judged_suggest_nothing(desk, ladder):
    """Then it is said what would have to be known."""
    trial = {"task_id": 0, "reward": 1.0, "info": {}, "trial": 0, "traj": []}
    Path("runs.json").write_text(json.dumps([trial]))
    text = ladder("policy", "suggest", "runs.json").stdout
    assert "Nothing can be suggested" in text
    assert "[tools" not in text


def test_the_same_runs_suggest_the_same(desk, ladder):
    """To the byte."""
    assert ladder("policy", "suggest", "runs.jsonl").stdout == ladder("policy", "suggest", "runs.jsonl").stdout


def test_on_the_pack_all_that_attacks_needed_is_kept_out(ladder):
    """A policy for each suite; counted on the half of the tasks that nothing was chosen on."""
    document = ladder("policy", "suggest", PACK, "--policy", str(EXAMPLES), "--json").stdout
    found = {(one["suite"], one["tool"]): one for one in json.loads(document)}
    money = found["banking", "send_money"]["together"]["checked"]
    mail = found["workspace", "send_email"]["together"]
    assert (money["wrong_inside"], money["wrong"]) == (0, 67)
    assert (mail["checked"]["wrong_inside"], mail["checked"]["wrong"]) == (0, 45)
    assert {"kind": "origin", "argument": "recipients", "type": "email"} in mail["bounds"]
