"""Globs in a policy: whole names, nothing special but `*`, and never two entries for one tool."""

from __future__ import annotations

import fnmatch
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.errors import PolicyError
from ladder_graph.policy import LOWEST, Policy, globs, load_policy
from ladder_graph.scale import Rung

GLOBS = st.text("ab*", min_size=1, max_size=6)
NAMES = ["".join(letters) for size in range(8) for letters in itertools.product("ab", repeat=size)]


@given(st.text("ab?[.\n*", max_size=6), st.text("ab?[.\n", max_size=8))
def test_only_the_star_is_special(glob, name):
    """A glob is what a regular expression of the same text with `.*` for each star is, on any name."""
    pattern = ".*".join(map(re.escape, glob.split("*")))
    assert globs.fits(glob, name) == (re.fullmatch(pattern, name, re.DOTALL) is not None)


@given(GLOBS, GLOBS)
def test_globs_overlap_where_one_name_fits_both(one, other):
    """What is said of two globs is true of all names up to seven letters; two of six characters need no longer one."""
    both = any(fnmatch.fnmatchcase(name, one) and fnmatch.fnmatchcase(name, other) for name in NAMES)
    if both or globs.weight(one) + globs.weight(other) <= 7:
        assert globs.overlap(one, other) == both


@given(st.lists(GLOBS, max_size=4, unique=True), st.text("ab", max_size=7))
def test_the_order_of_a_file_decides_nothing(entries, name):
    """Where there are no ties, the entry for a name is the same in any order."""
    if not list(globs.ties(entries)):
        assert len({globs.nearest(order, name) for order in itertools.permutations(entries)}) == 1


def test_the_name_wins_and_then_the_more_specific_glob():
    """An exact entry is taken over any glob, also where it is stricter or looser, and a longer glob over a shorter."""
    policy = Policy.from_rungs(
        "ops", {"github_*": "draft", "github_read_*": "bounded", "github_read_secret": "suggest", "*": "confirm"}
    )
    found = {
        name: policy.rule(name).rung
        for name in ("github_read_issue", "github_read_secret", "github_close", "github_", "github", "gitlab_close")
    }
    assert found == {
        "github_read_issue": Rung.BOUNDED, "github_read_secret": Rung.SUGGEST, "github_close": Rung.DRAFT,
        "github_": Rung.DRAFT, "github": Rung.CONFIRM, "gitlab_close": Rung.CONFIRM,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["send_mail", "resend", "Send", "send ", "sen", "send\n", ""])
def test_a_name_without_a_star_is_for_exactly_that_tool(name):
    """No accidental prefix, and no other spelling."""
    assert Policy.from_rungs("ops", {"send": "report"}).rule(name) is LOWEST


@pytest.mark.parametrize("name", ["github-close", "a_github_close", "GITHUB_close"])
def test_a_glob_is_for_the_whole_name(name):
    """What stands before and behind the stars must stand there, with its case."""
    assert Policy.from_rungs("ops", {"github_*": "report"}).rule(name) is LOWEST


def test_ties_are_errors_with_both_lines(tmp_path):
    """Every pair that one name could fit is named, at the later line, with the earlier one."""
    file = tmp_path / "ladder.toml"
    file.write_text('[tools."a_*"]\nrung = "confirm"\n[tools."*_a"]\nrung = "draft"\n[tools."b_*"]\n[tools."*b_"]\n')
    with pytest.raises(PolicyError) as caught:
        load_policy(file)
    text = "and one name can fit both; make one of them longer"
    assert caught.value.problems == (
        f"{file}:3: tools.\"*_a\": is as specific as 'a_*' on line 1, {text}",
        f"{file}:5: tools.\"b_*\": is as specific as '*_a' on line 3, {text}",
        f"{file}:6: tools.\"*b_\": is as specific as 'a_*' on line 1, {text}",
        f"{file}:6: tools.\"*b_\": is as specific as 'b_*' on line 5, {text}",
    )


def test_the_same_reach_in_two_spellings_is_a_tie():
    """`a*` and `a**` are one glob."""
    with pytest.raises(PolicyError, match="as specific as"):
        Policy.from_rungs("ops", {"a*": "report", "a**": "suggest"})
