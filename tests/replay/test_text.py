"""What was found, as text: coverage, figures, readings, and what is left out."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import pytest

from ladder_graph.replay import Coverage, Row, Run, TracedCall
from ladder_graph.replay.candidates import Candidate
from ladder_graph.replay.coverage import Part
from ladder_graph.replay.differences import Change, Example
from ladder_graph.replay.intervals import Estimate
from ladder_graph.replay.metrics import RATIOS, Readings, Tally
from ladder_graph.replay.pareto import Reviewer, front
from ladder_graph.replay.report import Findings, text
from ladder_graph.replay.report.columns import HARM, PEOPLE, percent, unseen
from ladder_graph.replay.report.text import sources

NONE = Estimate(None, None, None)
COUNTS = Tally(
    runs=1200, calls=3000, judged=1200, tasks=1160, attacked=40, harmed=12, without_a_call=2, gateable=10, executed=1,
    writes=8,
)  # fmt: skip
HOSTILE = "mail\x1b[2J\u202e<b>"


def row(policy="ours", tally=COUNTS, partings=None, **found):
    """A row with these ratios, and none of the others."""
    readings = Readings(skip=tally, prefix=tally, best=tally, worst=Tally(gateable=10, executed=9))
    return Row(policy, "mail", readings, dict.fromkeys(RATIOS, NONE) | found, exposed=6, partings=partings or {})


EXECUTED = Estimate(0.1, 0.0, 0.333)
ASKED = Estimate(0.5, 0.25, 1)
OURS = (Candidate("ours", {}),)


def findings(*rows, changes=None, candidates=OURS):
    """A report on these rows."""
    return Findings(
        [Part("runs.jsonl", Coverage(runs=1200, calls=3000))], candidates, None, rows, changes or {},
        front(rows, Reviewer()),
    )  # fmt: skip


def test_a_row_says_its_counts_and_ratios():
    """Shares are in percent with their counts, confirmations are not, and what there is nothing of has no column."""
    shown = text(findings(row(executed=EXECUTED, asked=ASKED)))
    assert "mail: 1,200 runs, 3,000 calls; 12 of 40 attacks were carried out, and 2 (17%) of these needed no" in shown
    assert re.search(r"^ours +0\.50 \[0\.25, 1\.00\]$", shown, re.MULTILINE)
    assert "1/10 10% [0, 33]" in shown
    assert "unattended writes" not in shown
    assert "Against the labels" not in shown


def test_a_table_is_continued_where_the_screen_is_narrow():
    """No line is wider than the screen, and each part of the table has the policies again."""
    wide = text(findings(row(executed=EXECUTED, asked=ASKED, undisturbed=EXECUTED, within_0=EXECUTED)), 110)
    narrow = text(findings(row(executed=EXECUTED, asked=ASKED, undisturbed=EXECUTED, within_0=EXECUTED)), 70)
    assert wide.count("What people are asked") == 1
    assert narrow.count("What people are asked") > 1
    assert max(map(len, narrow.splitlines())) <= 70


def test_the_readings_are_told_where_they_differ():
    """Attacks by all four, and the figure on which they agree by its name only."""
    shown = text(findings(row(executed=EXECUTED, asked=ASKED)))
    (line,) = (one for one in shown.splitlines() if one.count("1/10 10%") == 3)
    assert line.split() == ["ours", *["1/10", "10%"] * 3, "9/10", "90%"]


def test_where_all_is_exact_nothing_comes_after_the_horizon():
    """Where no run has a horizon there are no readings of what comes after one."""
    alike = Row("ours", "mail", Readings(*[COUNTS] * 4), dict.fromkeys(RATIOS, NONE) | {"asked": ASKED}, exposed=6)
    assert "four readings" not in text(findings(alike))
    assert "four readings" in text(findings(replace(alike, partings={"rejected": 1})))


def test_no_line_is_wider_than_the_screen():
    """Also of the last table, whose last column goes below the others."""
    counts = [
        row(name, executed=EXECUTED, asked=ASKED) for name in ("ours", "a policy with a name that is longer than most")
    ]
    policies = tuple(Candidate(one.policy, {}) for one in counts)
    shown = text(findings(*counts, candidates=policies), width=70)
    assert "on the front" in shown
    assert max(map(len, shown.splitlines())) <= 70


def test_what_ends_the_exactness_is_told():
    """How many runs are exact, and why how many aren't."""
    tally = Tally(runs=9, judged=9, tasks=9, exact=6)
    shown = text(findings(row(tally=tally, partings={"rejected": 2, "undecidable": 1}, asked=ASKED)))
    (line,) = (one for one in shown.splitlines() if one.split() == ["ours", "6", "2", "1"])
    assert line


def test_nothing_that_others_wrote_acts_on_a_screen():
    """Names of suites, policies, tools and runs, arguments and reasons are shown with everything in them seen."""
    example = Example(HOSTILE, 0, HOSTILE, {HOSTILE: HOSTILE}, HOSTILE)
    change = Change(HOSTILE, "free", "asked", 1, (example,))
    policies = (Candidate("ours", {}, (HOSTILE,)), Candidate(HOSTILE, {}))
    rows = [
        Row(name, HOSTILE, Readings(skip=COUNTS), {**row().estimates, "asked": ASKED}, 6) for name in ("ours", HOSTILE)
    ]
    shown = text(findings(*rows, candidates=policies, changes={HOSTILE: [change]}))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert shown.count("\\u{202E}") > 6


@pytest.mark.parametrize("value", [float("nan"), {"deep": [[[[1]]]] * 2, "inf": [float("inf")]}])
def test_an_example_may_hold_what_no_call_can(value):
    """Recorded arguments that no call of a ladder can have are shown like others, and end no report."""
    changes = {"theirs": [Change("mail", "asked", "undecidable", 1, (Example("r1", 0, "mail", {"to": value}, ""),))]}
    shown = text(
        findings(
            row(asked=ASKED), row("theirs", asked=ASKED), changes=changes, candidates=(*OURS, Candidate("theirs", {}))
        )
    )
    assert f"mail(to={value!r})" in shown


def test_only_the_sums_of_a_reference_are_shown():
    """A policy that was made to compare with isn't told tool by tool; one that somebody wrote is."""
    change = Change("send", "asked", "free", 1200, ())
    policies = (Candidate("ours", {}), Candidate("theirs", {}), Candidate("made", {}, reference=True))
    rows = [row(one.name, asked=ASKED) for one in policies]
    shown = text(findings(*rows, candidates=policies, changes={"theirs": [change], "made": [change]}))
    assert shown.count("1,200 newly free") == 2
    assert shown.count("newly free: 1,200 x send, asked before") == 1


def test_two_policies_that_decide_alike_are_said_to():
    """No difference is a finding, too."""
    policies = (Candidate("ours", {}), Candidate("theirs", {}))
    shown = text(findings(row(asked=ASKED), row("theirs", asked=ASKED), candidates=policies, changes={"theirs": []}))
    assert "theirs against ours: decides every call alike" in shown


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0"), (1, "100"), (0.00001, "<0.1"), (0.99999, ">99.9"), (0.996, "99.6")]
)
def test_only_nothing_is_nothing_and_only_all_is_all(share, said):
    """No rounding makes a share of attacks disappear, or a policy perfect."""
    assert percent(share) == said


def test_none_seen_is_not_none_at_all():
    """Three over the number of tasks is said where nothing was seen, and nothing where something was."""
    assert unseen([row()]) == []
    (said,) = unseen([row(tally=Tally(gateable=10)), row("theirs", tally=Tally(gateable=10))])
    assert "none of 10 attacks in 6 tasks was executed, up to 50% may be" in said


def test_every_figure_has_a_ratio():
    """No column names a count that isn't there."""
    assert {column.ratio for column in (*PEOPLE, *HARM)} <= set(RATIOS)


# --- what was read ------------------------------------------------------------------------------------------------


def test_what_is_missing_is_told_with_what_that_means():
    """A run of which nothing is known but the tool."""
    coverage = Coverage()
    coverage.add(Run("r1", (TracedCall("send"),)))
    said = " ".join(coverage.meanings())
    for words in (
        "no arguments",
        "no words",
        "no text",
        "no time",
        "what became of",
        "No decision",
        "Nothing is labelled",
    ):
        assert words in said
    assert "1 call has" in said


def test_a_moment_that_is_assumed_is_named():
    """With `--at`, a call without a time comes then, and that is said."""
    coverage = Coverage()
    coverage.add(Run("r1", (TracedCall("send"), TracedCall("send"))))
    assert "2024-05-15T10:00:00+00:00" in " ".join(coverage.meanings(dt.datetime(2024, 5, 15, 10, tzinfo=dt.UTC)))
    assert "undecidable" in " ".join(one for one in coverage.meanings() if "no time" in one)


def test_whole_runs_need_no_explanation():
    """Where everything is there, nothing is said; without any call neither."""
    at = dt.datetime(2024, 5, 15, 10, tzinfo=dt.UTC)
    call = TracedCall("send", {}, "1", result="ab", output="ok", matched="id", fate="done", at=at, labels=frozenset())
    coverage = Coverage()
    coverage.add(Run("r1", (call,), said=("hi",)))
    assert [one for one in coverage.meanings() if "decision" not in one] == []
    assert list(Coverage().meanings()) == []


def test_a_long_path_leaves_room_for_what_was_read_there():
    """Its end is shown, which tells files apart, and the line isn't wider than the screen."""
    part = Part(f"{'very/' * 40}runs.jsonl", Coverage(runs=1, calls=1))
    head, line = sources([part], 100).splitlines()
    assert line.startswith("...")
    assert "/runs.jsonl" in line
    assert len(line) <= len(head) <= 100


def test_what_is_held_back_is_shown_where_there_is_any():
    """A figure that is nothing for every policy takes no room, unless nothing is what one hopes for."""
    shown_rows = [row(asked=ASKED, held=Estimate(0, 0, 0))]
    assert "held back/task" not in text(findings(*shown_rows))
    assert "held back/task" in text(findings(row(asked=ASKED, held=ASKED), row("theirs", asked=ASKED, held=NONE)))
