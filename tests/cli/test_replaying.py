"""`ladder replay`: recorded runs, policies, what is told of both, and the exit code."""

from __future__ import annotations

import gzip
import json
import re
import sys
from contextlib import closing
from pathlib import Path

import pytest
from langchain_core.tools import StructuredTool

from ladder_graph import Ladder
from ladder_graph.cli import replayed
from ladder_graph.replay.report import comparison
from ladder_graph.replay.report.page import templates
from ladder_graph.testing import calls
from tests.cli.terminal import Terminal
from tests.hosts.graphs import agent_of, on
from tests.replay.stores import checkpointer

PACK = Path(__file__).parents[2] / "examples" / "agentdojo" / "runs.jsonl.gz"
POLICY = """\
# Written before anybody looked.
# For a bank.
agent = "bank"

[tools."get_*"]
rung = "bounded"
read_only = true

[tools.send_money]
rung = "{rung}"
bounds = [{{ kind = "range", argument = "amount", most = 100 }}]
"""


def line(run="m/banking/user_task_1/none/none", *calls, **more):
    """A recorded run as a line of the pack."""
    return json.dumps({
        "id": run, "v": "v1.2", "prompt": "Pay 12 to Ana.", "utility": True, "attack": None, "critical": [],
        "text_only": False, "calls": [{"t": tool, "a": given, "e": False, "o": "ab12"} for tool, given in calls],
    } | more)  # fmt: skip


PAY = ("send_money", {"recipient": "<script>alert(1)</script>", "amount": 12})
DEAR = ("send_money", {"recipient": "Bo\u202e", "amount": 1200})
LOOK = ("get_iban", {})


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with two policies and three runs, in which the test stands."""
    monkeypatch.chdir(tmp_path)
    Path("loose.toml").write_text(POLICY.format(rung="bounded"), encoding="utf-8")
    Path("strict.toml").write_text(POLICY.format(rung="confirm"), encoding="utf-8")
    attack = line("m/banking/user_task_1/important/injection_task_1", LOOK, DEAR, attack=True, critical=[1])
    text = "\n".join(
        [line("m/banking/user_task_0/none/none", LOOK, PAY), line("m/banking/user_task_1/none/none", LOOK)]
    )
    Path("runs.jsonl").write_text(f"{text}\n{attack}\n", encoding="utf-8")
    return tmp_path


def test_coverage_comes_before_any_result(desk, ladder):
    """What was read is told first, with what it means for the rest; then the tables."""
    text = ladder("replay", "runs.jsonl", "--policy", "loose.toml").stdout
    order = [
        "What was read: 3 runs with 5 calls",
        "no time",
        "What the policies say",
        "banking: 3 runs",
        "confirmations",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert "loose: Written before anybody looked. For a bank." in text


def test_the_keys_of_the_json_are_those_that_the_help_names(desk, ladder):
    """`--json` prints one object whose keys the help names, and all objects in it are as documented."""
    found = ladder("replay", "runs.jsonl", "--policy", "loose.toml", "--policy", "strict.toml", "--json").document
    assert list(found) == list(replayed.ReplayDocument.__annotations__)
    assert ", ".join(found) in " ".join(ladder("replay", "--help").stdout.split())
    for one, kind in (
        (found["traces"][0], replayed.PartDocument),
        (found["coverage"], replayed.CoverageDocument),
        (found["policies"][0], replayed.CandidateDocument),
        (found["rows"][0], replayed.RowDocument),
        (found["rows"][0]["ratios"]["asked"], replayed.EstimateDocument),
        (found["changes"][0], replayed.ChangeDocument),
        (found["changes"][0]["examples"][0], replayed.ExampleDocument),
        (found["pareto"], replayed.FrontDocument),
        (found["pareto"]["points"][0], replayed.PointDocument),
    ):
        assert list(one) == list(kind.__annotations__)


@pytest.fixture
def acted(tmp_path, monkeypatch):
    """A folder in which an agent acted under a ladder and once past it, with policy, checkpoints and ledger."""
    monkeypatch.chdir(tmp_path)
    Path("ladder.toml").write_text(POLICY.format(rung="bounded"), encoding="utf-8")
    tools = [StructuredTool.from_function(send_money)]
    with checkpointer("sqlite", tmp_path) as (saver, _), closing(Ladder(policy="ladder.toml")) as ladder:
        answers = [calls("send_money", {"amount": 12}, id="c1"), calls("send_money", {"amount": 120}, id="c2"), "Done."]
        ladder.wrap(agent_of(answers, tools, checkpointer=saver)).invoke({"messages": [("user", "Pay.")]}, on("t1"))
        answers = [calls("send_money", {"amount": 1200}, id="c3"), "Done."]
        agent_of(answers, tools, checkpointer=saver).invoke({"messages": [("user", "Pay.")]}, on("t2"))
    return tmp_path


def send_money(amount: float) -> str:
    """Send money."""
    return f"sent {amount}"


def test_a_history_is_held_against_a_ledger(acted, ladder):
    """`--compare` tells what was decided alike, and that something ran past the gate, which is an exit code of 1."""
    text = ladder("replay", "checkpoints.sqlite", "--compare", "ladder.db", code=1).stdout
    assert "Held against the ledger ladder.db:\n        2  decided alike\n        1  ran past the gate" in text
    assert "  t2 c3 send_money: the replay: confirm (outside_range)" in text
    found = ladder("replay", "checkpoints.sqlite", "--compare", "ladder.db", "--json", code=1).document["comparison"]
    assert (found["ledger"], found["counts"]["alike"], found["counts"]["past"]) == ("ladder.db", 2, 1)
    for one, kind in (
        (found, comparison.ComparisonDocument),
        (found["calls"]["past"][0], comparison.ComparedDocument),
        (found["calls"]["past"][0]["replayed"], comparison.DecisionDocument),
    ):
        assert list(one) == list(kind.__annotations__)


def test_runs_without_a_suite_have_a_heading(acted, ladder):
    """Where no run says which set of tools it has, the tables are of all, and the page has no empty heading."""
    text = ladder("replay", "checkpoints.sqlite", "--html", "page.html", code=None).stdout
    assert "all runs: 2 runs, 3 calls" in text
    assert ">all runs</h2>" in Path("page.html").read_text(encoding="utf-8")


def test_a_ledger_that_is_not_there_is_an_error(acted, ladder):
    """Who names another file learns it before anything is read, and no file is made."""
    done = ladder("replay", "checkpoints.sqlite", "--compare", "other.db", code=2)
    assert "other.db" in done.output
    assert not Path("other.db").exists()


def test_a_policy_is_compared_with_the_first_one(desk, ladder):
    """What the second one newly asks is told with an example, in which nothing hides."""
    done = ladder("replay", "runs.jsonl", "--policy", "loose.toml", "--policy", "strict.toml", "--examples", 2)
    assert "strict against loose: 1 newly asked" in done.stdout
    assert "newly asked: 1 x send_money, free before" in done.stdout
    assert "user_task_0/none/none, call 2" in done.stdout
    back = ladder("replay", "runs.jsonl", "--policy", "strict.toml", "--policy", "loose.toml")
    assert "loose against strict: 1 newly free" in back.stdout


def test_each_call_can_be_had_with_its_decisions(desk, ladder):
    """`--calls` writes a line a call: decision, rung and reasons of each policy."""
    ladder("replay", "runs.jsonl", "--policy", "loose.toml", "--policy", "strict.toml", "--calls", "calls.jsonl")
    calls = [json.loads(text) for text in Path("calls.jsonl").read_text(encoding="ascii").splitlines()]
    assert [list(one) for one in calls] == [list(replayed.CallDocument.__annotations__)] * 5
    decided = [{name: one["decision"] for name, one in call["policies"].items()} for call in calls]
    free, asked = {"loose": "free", "strict": "free"}, {"loose": "asked", "strict": "asked"}
    assert decided == [free, {"loose": "free", "strict": "asked"}, free, free, asked]
    dear = calls[-1]["policies"]["loose"]
    assert list(dear) == list(replayed.JudgedDocument.__annotations__)
    assert (dear["rung"], [reason["code"] for reason in dear["reasons"]]) == ("confirm", ["outside_range"])
    assert calls[-1]["labels"] == ["critical"]


def test_one_policy_for_each_suite_comes_from_a_folder(desk, ladder):
    """The name of a file is its suite; names that would be the same are told apart."""
    Path("bank").mkdir()
    Path("bank/banking.toml").write_text(POLICY.format(rung="bounded"), encoding="utf-8")
    found = ladder("replay", "runs.jsonl", "--policy", "bank", "--policy", "bank", "--json").document
    assert [(one["name"], one["suites"]) for one in found["policies"]] == [
        ("bank", ["banking"]),
        ("bank (2)", ["banking"]),
    ]


def test_a_suite_without_a_policy_is_told(desk, ladder):
    """Its runs are left out, said once, and the exit code says so."""
    Path("bank").mkdir()
    Path("bank/travel.toml").write_text(POLICY.format(rung="bounded"), encoding="utf-8")
    with Path("runs.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{line('m/travel/user_task_0/none/none', LOOK)}\n")
    done = ladder("replay", "runs.jsonl", "--policy", "bank", "--json", code=1)
    assert done.stderr == "no policy is for the suite 'banking', so its runs are left out\n"
    assert done.document["rows"][0]["counts"]["runs"] == 1
    assert done.document["coverage"]["runs"] == 4


def test_the_policy_one_stands_beside_is_taken(desk, ladder):
    """Without `--policy` it is that of the other commands, and where there is none that is said."""
    ladder("replay", "runs.jsonl", code=2)
    Path("loose.toml").rename("ladder.toml")
    assert "\nladder  " in ladder("replay", "runs.jsonl").stdout


def test_what_cannot_be_used_is_told_and_the_rest_counts(desk, ladder):
    """Broken lines and a file that breaks off are a line each on standard error, and the exit code is 1."""
    with gzip.open(PACK, "rt", encoding="utf-8") as pack:
        whole = json.loads(next(pack))
    odd = ["{nonsense", json.dumps({key: value for key, value in whole.items() if key != "calls"})]
    text = "\n".join([Path("runs.jsonl").read_text(encoding="utf-8").strip(), *odd, ""])
    Path("runs.gz").write_bytes(gzip.compress(text.encode())[:-6])
    done = ladder("replay", "runs.gz", "--policy", "loose.toml", "--json", code=1)
    told = done.stderr.splitlines()
    assert [place in text for place, text in zip((":4: ", ":5: calls: Field", "breaks off"), told, strict=True)] == [
        True
    ] * 3
    assert done.document["coverage"]["runs"] == 3


def test_no_more_is_told_than_somebody_reads(desk, ladder):
    """Of many troubles the first ones are printed, and how many there are besides."""
    Path("runs.jsonl").write_text(line("m/banking/t/none/none", LOOK) + "\n" + "{\n" * 1254, encoding="utf-8")
    told = ladder("replay", "runs.jsonl", "--policy", "loose.toml", code=1).stderr.splitlines()
    assert len(told) == 21
    assert told[-1] == "and 1,234 more"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.jsonl", "--policy", "loose.toml"], "missing.jsonl: No such file or directory"),
        (["runs.jsonl", "--policy", "missing.toml"], "missing.toml"),
        (
            ["runs.jsonl", "--policy", "empty"],
            "empty: has no policy; a folder holds one file SUITE.toml for each suite",
        ),
        (
            ["empty", "--policy", "loose.toml"],
            "no recorded run was found in empty; in a folder, files are read that end",
        ),
        (["runs.jsonl", "--policy", "loose.toml", "--format", "messages"], "no recorded run was found in runs.jsonl"),
        (["runs.jsonl", "--policy", "runs.gz"], "runs.gz:1:2: not UTF-8"),
        (["runs.jsonl", "--policy", "shops"], "none of the 3 runs is of a suite that each policy has a file for"),
        (["runs.jsonl", "./runs.jsonl", "--policy", "loose.toml"], "runs.jsonl: is named twice"),
        ([".", "runs.jsonl", "--policy", "loose.toml"], "runs.jsonl: is named twice, alone or by its folder"),
        (["runs.jsonl", "--policy", "loose.toml", "--html", "no/page.html"], "no/page.html: there is no folder no"),
        (
            ["runs.jsonl", "--policy", "loose.toml", "--at", "2026-11-23"],
            "--at 2026-11-23: is no moment with a time zone",
        ),
        (["runs.jsonl", "--policy", "loose.toml", "--format", "xml"], "there is no format 'xml'"),
        (["runs.jsonl", "--policy", "loose.toml", "--catches", "1.5"], "a share from 0 to 1"),
        (["runs.jsonl", "--policy", "loose.toml", "--minutes", "nan"], "give 0 minutes or more"),
    ],
)
def test_a_mistake_is_a_sentence(desk, ladder, arguments, said):
    """What isn't there, or can't be so, ends with code 2 and says what to do."""
    Path("empty").mkdir()
    Path("shops").mkdir()
    Path("shops/shop.toml").write_bytes(Path("loose.toml").read_bytes())
    Path("runs.gz").write_bytes(gzip.compress(b""))
    done = ladder("replay", *arguments, code=2)
    assert "error: " in done.stderr
    assert not done.stdout
    assert said in " ".join(done.stderr.split())


def test_a_policy_for_other_tools_is_not_taken_for_a_careful_one(desk, ladder):
    """How many calls are of tools that a policy has no entry for is said below its figures, with the tools' names."""
    Path("other.toml").write_text(POLICY.format(rung="confirm").replace("send_money", "send_mail"), encoding="utf-8")
    arguments = ("runs.jsonl", "--policy", "other.toml", "--policy", "loose.toml", "--html", "page.html", "--json")
    mine, *others = ladder("replay", *arguments).document["rows"]
    assert (mine["policy"], mine["unnamed"], mine["strangers"]) == ("other", 2, ["send_money"])
    assert [(one["unnamed"], one["strangers"]) for one in others] == [(0, [])]
    text = " ".join(ladder("replay", *arguments[:-1]).stdout.split())
    said = "other has no entry for the tools of 2 of 5 calls, so these are only suggested: send_money"
    assert text.count("has no entry") == text.count(said) == 1
    assert said in Path("page.html").read_text(encoding="utf-8")


def test_what_is_missing_for_a_page_is_said_before_anything_is_read(desk, ladder, monkeypatch):
    """Without jinja2 the way to install it is told at once, and no run is read."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    templates.cache_clear()
    done = ladder("replay", "missing.jsonl", "--policy", "loose.toml", "--html", "page.html", code=2)
    assert "pip install 'ladder-graph[replay]'" in done.stderr


def test_a_page_is_written_beside_the_text(desk, ladder):
    """`--html` changes nothing about what is printed, and nothing of a trace acts in the page."""
    plain = ladder("replay", "runs.jsonl", "--policy", "loose.toml", "--policy", "strict.toml").stdout
    done = ladder("replay", "runs.jsonl", "--policy", "loose.toml", "--policy", "strict.toml", "--html", "page.html")
    assert done.stdout == plain
    page = Path("page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_at_a_terminal_the_reading_is_seen_and_every_trouble_stays(desk):
    """There is a bar while runs are read; lines about what can't be used are printed above it, and it is gone after."""
    whole = line("m/banking/t/none/none", *[LOOK] * 50)
    Path("runs.jsonl").write_text(f"{whole}\n" * 600 + "{\n" + f"{whole}\n" * 600, encoding="utf-8")
    terminal = Terminal("replay", "runs.jsonl", "--policy", "loose.toml")
    terminal.until("runs.jsonl:601: ")
    terminal.until("What was read")
    assert terminal.end() == 1
    before = terminal.text.partition("What was read")[0]
    assert re.search(r"\d+(\.\d+)?/\d+\.\d+ MB", before)
    assert "runs.jsonl:601: " in before


def test_each_place_is_told_with_what_it_is_read_as(desk, ladder):
    """Runs of two files count together, and are told apart by file, with the format that each was recognised by."""
    Path("more.jsonl").write_text(line("m/banking/user_task_9/none/none", LOOK) + "\n", encoding="utf-8")
    done = ladder("replay", "runs.jsonl", "more.jsonl", "--policy", "loose.toml", "--json")
    assert [(one["path"], one["formats"], one["runs"], one["calls"]) for one in done.document["traces"]] == [
        ("runs.jsonl", {"agentdojo": 1}, 3, 5),
        ("more.jsonl", {"agentdojo": 1}, 1, 1),
    ]
    assert done.document["coverage"]["calls"] == 6
    shown = ladder("replay", "runs.jsonl", "more.jsonl", "--policy", "loose.toml").stdout
    assert re.search(r"^more.jsonl +agentdojo +1 +1 +100% +100% +100% +0% +100%$", shown, re.MULTILINE)
