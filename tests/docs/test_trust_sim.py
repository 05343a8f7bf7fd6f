"""The page on how trust is earned: what stands there was found, by the code that is here."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from benchmarks.trust_sim.drawing import drawing
from benchmarks.trust_sim.expected import MEANS, MEDIANS, SHARES, differs, key
from benchmarks.trust_sim.experiments import BARE, OURS, everything
from benchmarks.trust_sim.page import page
from benchmarks.trust_sim.stored import FULL, PAGE, PICTURE, QUICK, SCALE, read

AGAIN = "run: make trust-sim"


@pytest.fixture(scope="module")
def figures():
    """The figures that were found last."""
    return read(FULL)


def test_the_page_says_what_was_found(figures):
    """`docs/trust-sim.md` and its picture hold exactly the stored figures."""
    assert PAGE.read_text(encoding="utf-8") == page(figures), AGAIN
    assert PICTURE.read_text(encoding="utf-8") == drawing(figures), AGAIN


def test_the_figures_are_those_that_were_expected(figures):
    """Within chance and a little, each is what another simulation found; and each of those was simulated again."""
    assert [text for text in map(differs, figures) if text] == []
    assert {*SHARES, *MEDIANS, *MEANS} <= set(map(key, figures))


def test_the_promise_is_kept_where_the_other_rules_break_it(figures):
    """At the limit the product promotes at most 5 %; a rate, a streak, a score and a posterior promote 30 % or all."""
    at_limit = {one.row: one.promoted / one.runs for one in figures if (one.table, one.column) == ("peeking", "0.01")}
    assert max(at_limit[OURS], at_limit[BARE]) <= 0.05
    least = {
        "99 % of 50 or more right": 0.97,
        "50 right in a row": 1,
        "score, +.01 and -.1, up to .9": 1,
        "Beta(1,1), 95 %": 0.29,
    }
    assert all(at_limit[row] >= share for row, share in least.items())
    told = [one for one in figures if one.row == f"{OURS}, told the truth" and one.column.endswith(" 0.01")]
    assert len(told) == 2
    assert all(one.promoted / one.runs <= 0.05 for one in told)


def test_the_whole_product_promotes_on_the_same_day(figures):
    """A few dozen worlds went through the fold of entries and `certify`, and each came to the day of the tables."""
    found = [one for one in figures if one.table == "agreement"]
    assert sum(one.runs for one in found) >= 36
    assert all(one.promoted == one.runs for one in found)


def test_the_same_seeds_find_the_same():
    """A thousandth of the worlds, drawn anew, gives what is stored, in every table."""
    stored, found = read(QUICK), list(everything(SCALE))
    assert [key(one) for one in found] == [key(one) for one in stored]
    again = "run: python -m benchmarks.trust_sim --quick"
    for one, before in zip(found, stored, strict=True):
        assert (one.runs, one.promoted, one.median) == (before.runs, before.promoted, before.median), again
        assert one.mean == pytest.approx(before.mean), again


def test_the_picture_can_be_read():
    """It is XML with a title, and has colours of its own for a dark ground."""
    root = fromstring(PICTURE.read_text(encoding="utf-8"))  # noqa: S314  # our own file
    space = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{space}title").text
    assert "prefers-color-scheme: dark" in root.find(f"{space}style").text
    assert root.find(f"{space}rect").get("class") == "ground"
