"""The page of benchmarks, and what the README says of speed: written from figures, and from nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.figures import Figure, write
from benchmarks.page import KEPT, PAGE, README, TAKEN, merged, page, placed, readme
from benchmarks.peers import ladder, langchain
from benchmarks.peers.answering import RECORDED
from benchmarks.peers.policy import CALLS, TOOLS, by_hand
from benchmarks.peers.side_by_side import AUDIT, DECISION, DURABLE
from ladder_graph.calls import Call, WeighedCall

ROOT = Path(__file__).parents[2]
SMALL = json.loads((ROOT / "tests/data/benchmarks.json").read_text(encoding="utf-8"))


def told():
    """What lies beside the page."""
    return json.loads((ROOT / KEPT).read_text(encoding="utf-8"))


def test_the_page_is_written_from_the_figures_beside_it():
    """Nobody edits the page by hand: `python -m benchmarks.page --again` writes the very same."""
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page(told())


def test_what_the_readme_says_of_speed_is_written_from_the_same_figures():
    """Each number in the lines of the README is one of the page's."""
    text = (ROOT / README).read_text(encoding="utf-8")
    assert readme(told()) in text
    assert placed(text, told()) == text
    numbers = re.findall(r"(?<![\w.])\d[\d,.]*\d(?! processors)", readme(told()))
    assert numbers
    assert all(f"| {number}" in page(told()) for number in numbers)


def test_each_figure_stands_on_the_page_once_in_a_table():
    """No figure is lost, and none stands in two parts."""
    for text, figures in ((page(SMALL), SMALL["figures"]), (page(told()), told()["figures"])):
        rows = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
        assert sorted(rows) == sorted(one["name"] for one in figures)


def test_what_is_missed_and_what_is_skipped_is_said():
    """The goals that are missed are counted and marked, and a figure that is missing has its reason."""
    text = page(SMALL)
    assert "**3 of 4 are reached**; those that are missed are marked." in text
    assert "| `gate.sqlite.write.wall_to_plain` | 1.42 | ≤ 1.3: **missed** |  |" in text
    assert "- `peers.decision.cedar.cpu`: it can't be installed here" in text
    assert "| `peers.decision.ladder_to_agt_os` | 0.927 | ≤ 1: reached | a \\| b |" in text


def test_the_page_says_what_it_was_taken_on():
    """Date, processor, versions and load stand on it."""
    text = page(SMALL)
    for fact in (
        "2026-11-29 12:00 UTC",
        "2 processors Some Processor",
        "Python 3.11.7",
        "langchain 1.4.7",
        "0.1 before and 1.9",
    ):
        assert fact in text


def test_a_group_that_nobody_wrote_a_word_about_has_a_part_of_its_own():
    """Figures of a new module appear by themselves, behind the parts that are known."""
    parts = re.findall(r"^## (.*)$", page(SMALL), re.MULTILINE)
    assert parts[-2:] == ["Tides", "What wasn't measured"]
    assert "A fleet of workers" in parts


def test_of_two_files_the_first_wins_and_its_machine_is_told(tmp_path):
    """Figures that were taken in two runs come together, without a name twice."""
    for name, value in (("a", 1.0), ("b", 2.0)):
        figures = [Figure("tides.height", value, "count", None), Figure(f"tides.{name}", value, "count", None)]
        write(figures, tmp_path / name, {"date": name})
    found = merged([tmp_path / "a", tmp_path / "b"])
    assert found["machine"] == {"date": "a"}
    assert {one["name"]: one["value"] for one in found["figures"]} == {
        "tides.height": 1.0,
        "tides.a": 1.0,
        "tides.b": 2.0,
    }


@pytest.mark.parametrize(
    ("value", "goal", "more", "ok"),
    [
        (1.0, 1.0, False, True),
        (1.1, 1.0, False, False),
        (9.0, 8.0, True, True),
        (None, 1.0, False, False),
        (1.0, None, False, None),
    ],
)
def test_a_figure_is_good_where_its_goal_is_reached(value, goal, more, ok):
    """One without a goal is neither good nor bad; one that couldn't be measured is not good."""
    assert Figure("tides.height", value, "count", goal, more_is_better=more).ok is ok


def test_a_benchmark_that_is_not_there_is_refused_with_the_names():
    """No traceback, and nothing is written."""
    before = (ROOT / TAKEN).stat().st_mtime if (ROOT / TAKEN).exists() else None
    run = [sys.executable, "-m", "benchmarks", "tides"]
    refused = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "there is no benchmark named tides; choose from gate, " in refused.stderr
    assert "Traceback" not in refused.stderr
    assert before == ((ROOT / TAKEN).stat().st_mtime if (ROOT / TAKEN).exists() else None)


def test_every_gate_is_given_the_same_policy_of_twenty_tools():
    """The function written by hand, which some gates call, decides every call as it is right."""
    assert len(set(TOOLS)) == 20
    assert {tool for tool, _, _ in CALLS} == set(TOOLS)
    assert all(by_hand(tool, arguments) == right for tool, arguments, right in CALLS)
    assert {right for _, _, right in CALLS} == {"allow", "ask", "refuse"}


def test_a_gate_answers_line_by_line():
    """It says what is installed, and then how long the calls took that it was told to take."""
    run = [sys.executable, "-m", "benchmarks.peers.by_hand", "decision", "build"]
    done = subprocess.run(run, cwd=ROOT, input="1\n2\n", capture_output=True, text=True, check=True)
    hello, *rounds = map(json.loads, done.stdout.splitlines())
    assert hello.keys() == {"version", "python"}
    assert [one["calls"] for one in rounds] == [len(CALLS), 2 * len(CALLS)]


@pytest.mark.parametrize("kind", [WeighedCall, Call])
def test_the_router_decides_as_is_right(kind):
    """With and without the call's digest."""
    decide = ladder.deciding(kind)
    assert [decide(tool, arguments) for tool, arguments, _ in CALLS] == [right for _, _, right in CALLS]


def test_the_whole_gate_lets_through_what_is_allowed(tmp_path):
    """On a file, each call that a record is made of runs."""
    with closing(ladder.counting(tmp_path / "ladder.db")) as counting:
        decide = ladder.whole(counting)
        assert {decide(tool, arguments) for tool, arguments, _ in RECORDED} == {"allow"}


@pytest.mark.parametrize("set_up", [langchain.batched, langchain.per_call])
def test_langchains_middleware_is_set_up_for_the_same_policy(set_up):
    """It lets through what is allowed, and asks about everything else."""
    with langchain.without_a_graph():
        decide = set_up()
        said = [decide(tool, arguments) for tool, arguments, _ in CALLS]
    assert said == ["allow" if right == "allow" else "ask" for _, _, right in CALLS]


def test_every_peer_has_pins_and_nothing_else_has():
    """Each environment that a gate needs is described by a file of versions, without an address."""
    needed = {gate.environment for gate in (*DECISION, *AUDIT, *DURABLE)} - {""}
    pins = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "benchmarks/peers").glob("*.txt")}
    assert pins.keys() == needed
    for text in pins.values():
        assert all(re.fullmatch(r"#.*|[\w.-]+==[\w.]+", line) for line in text.splitlines())
