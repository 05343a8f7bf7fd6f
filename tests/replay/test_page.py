"""What was found, as one page: nothing in it acts, nothing comes from elsewhere, and no name lies on another one."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from itertools import combinations

import pytest

from ladder_graph.errors import LadderError
from ladder_graph.replay import Coverage, Row
from ladder_graph.replay.candidates import Candidate
from ladder_graph.replay.coverage import Part
from ladder_graph.replay.differences import Change, Example
from ladder_graph.replay.intervals import Estimate
from ladder_graph.replay.metrics import RATIOS, Readings, Tally
from ladder_graph.replay.pareto import Reviewer, front
from ladder_graph.replay.report import Findings
from ladder_graph.replay.report import page as module
from ladder_graph.replay.report.drawing import WIDE
from ladder_graph.replay.report.labels import Box, placed
from ladder_graph.replay.report.page import page

HOSTILE = "<script>alert('x')</script>\"'><img src=//evil.example/x onerror=alert(1)>\u202e\x00"
SHARE = Estimate(0.5, 0.25, 0.75)


def row(policy, suite, asked=1.0):
    """A row with everything in it."""
    tally = Tally(
        runs=20, calls=40, judged=20, counted=40, tasks=10, attacked=10, harmed=5, without_a_call=1, gateable=4,
        executed=1, offered=2, writes=9, unasked_writes=3, irreversible=9, unasked_irreversible=3, exact=8,
    )  # fmt: skip
    worst = Tally(tasks=10, asked=40, gateable=4, executed=4)
    readings = Readings(skip=tally, prefix=tally, best=tally, worst=worst)
    estimates = dict.fromkeys(RATIOS, SHARE) | {"asked": Estimate(asked, asked / 2, asked * 2)}
    return Row(policy, suite, readings, estimates, exposed=3, partings={"rejected": 12})


@pytest.fixture(scope="module")
def shown():
    """A page on which every text that others wrote is hostile."""
    names = ["ours", HOSTILE]
    rows = [row(name, suite, 1 + place) for place, name in enumerate(names) for suite in (HOSTILE, "total")]
    change = Change(HOSTILE, "free", "asked", 3, (Example(HOSTILE, 2, HOSTILE, {HOSTILE: [HOSTILE]}, HOSTILE),))
    candidates = [Candidate("ours", {}, (HOSTILE,)), Candidate(HOSTILE, {}, reference=True)]
    return page(Findings(
        [Part(HOSTILE, Coverage(runs=20, calls=40, results=30))], candidates, None, rows, {HOSTILE: [change]},
        front([one for one in rows if one.suite == "total"], Reviewer()),
    ), f"alike: 3\n{HOSTILE}")  # fmt: skip


class Reading(HTMLParser):
    """What stands in a page, and what doesn't close."""

    VOID = frozenset({"meta", "br", "line", "rect", "circle", "polyline"})

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open, self.loose = set(), [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Take note of a tag that is opened."""
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Take note of one that is closed at once."""
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        """Take note of one that is closed."""
        if not self.open or self.open.pop() != tag:
            self.loose.append(tag)


def test_nothing_that_others_wrote_acts(shown):
    """No script, no picture and no handler comes from a trace; what is hidden in a text is seen."""
    read = Reading(shown)
    assert not read.tags & {"script", "img", "iframe", "link", "object", "base", "form"}
    assert not [name for name, _ in read.attributes if name.startswith("on") or name in {"src", "href", "srcset"}]
    assert "&lt;script&gt;" in shown
    assert "\u202e" not in shown
    assert "\x00" not in shown
    assert "\\u{202E}" in shown


def test_the_page_needs_nothing_besides_itself(shown):
    """No address stands in it outside of the texts that it shows, and its own policy forbids to load anything."""
    assert "default-src 'none'" in shown
    style = shown.partition("<style>")[2].partition("</style>")[0]
    assert not re.search(r"url\(|@import|http", style)


def test_what_is_opened_is_closed(shown):
    """The page is whole."""
    read = Reading(shown)
    assert (read.open, read.loose) == ([], [])


def test_every_table_has_a_caption_and_every_section_a_heading(shown):
    """For who listens to it."""
    assert shown.count("<table") == shown.count("<caption>") > 6
    assert len(re.findall(r"<section aria-labelledby=\"([\w-]+)\">\n<h2 id=\"\1\">", shown)) == shown.count("<section")


def test_the_page_says_what_the_extra_is_called(monkeypatch):
    """Where jinja2 isn't installed, one sentence says what to install."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    module.templates.cache_clear()
    with pytest.raises(LadderError, match=r"ladder-graph\[replay\]"):
        page(Findings([], [], None, [], {}, None))


# --- names in a picture -------------------------------------------------------------------------------------------


def overlaps(boxes):
    """Pairs that lie on each other."""
    return [pair for pair in combinations(boxes, 2) if pair[0].meets(pair[1])]


@pytest.mark.parametrize("dots", [[(200, 200)] * 8, [(50 + 9 * n, 200) for n in range(12)], [(WIDE - 20, 20)] * 3])
def test_no_name_lies_on_another_one(dots):
    """Also where all dots are in one place, in a row, or in a corner; every name is there, inside, and on no dot."""
    within = Box(46, 4, WIDE - 12, 328)
    labels = placed(["every write asked"] * len(dots), dots, within)
    assert len(labels) == len(dots)
    assert overlaps([one.box for one in labels]) == []
    assert all(within.holds(one.box) for one in labels)
    assert not any(one.box.meets(Box(x - 5, y - 5, x + 5, y + 5)) for one in labels for x, y in dots)


def test_a_name_stays_off_lines_where_there_is_room():
    """A line through the dot moves the name below; where lines are everywhere it stands on one all the same."""
    within = Box(0, 0, 400, 300)
    (label,) = placed(["ours"], [(200, 150)], within, [Box(0, 149, 400, 151)])
    assert not label.box.meets(Box(0, 149, 400, 151))
    assert placed(["ours"], [(200, 150)], within, [within])


def test_a_name_far_from_its_dot_is_tied_to_it():
    """A line leads from the dot to the name, where the name isn't beside it."""
    near, *_, far = placed(["ours"] * 9, [(200, 150)] * 9, Box(0, 0, 400, 300))
    assert (near.far, far.far) == (False, True)
    assert far.leader[:2] == (200, 150)


def test_a_long_name_is_cut():
    """A name that no picture could hold is shortened; the table has all of it."""
    (label,) = placed(["x" * 500], [(200, 150)], Box(0, 0, 440, 300))
    assert len(label.text) == 30


def test_a_comparison_with_a_ledger_stands_in_the_page(shown):
    """Line by line, with nothing in it that acts."""
    assert "alike: 3\n&lt;script&gt;alert" in shown
    assert "Against the ledger" not in page(
        Findings([], [Candidate("ours", {})], None, [row("ours", "mail")], {}, None)
    )
