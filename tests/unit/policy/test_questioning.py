"""Who is told of what waits, as a policy says it: read strictly, its files beside the policy, nothing told twice."""

from __future__ import annotations

import pytest

from ladder_graph.errors import PolicyError
from ladder_graph.policy.reading import load_policy, policy_of
from ladder_graph.policy.ways import BySlack, spelt


def test_files_are_taken_from_the_policys_folder(tmp_path):
    """As those of reports are; unsaid, all four things are told."""
    (tmp_path / "ladder.toml").write_text('[questions]\nnotify = [{ kind = "file", path = "w.jsonl" }]\n')
    (way,) = load_policy(tmp_path / "ladder.toml").questions.notify
    assert (way.path, way.on) == (str(tmp_path / "w.jsonl"), ("asked", "passed", "expiring", "drafted"))


def test_the_same_way_twice_is_a_mistake():
    """The second would tell nothing more."""
    way = {"kind": "apprise", "env": "OPS"}
    with pytest.raises(PolicyError, match=r"is the same way as .*; keep one"):
        policy_of({"questions": {"notify": [way, {**way, "on": ["drafted"]}]}}, "here")


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ({"kind": "slack"}, "unknown kind 'slack'"),
        ({"kind": "file", "path": "x", "on": ["filed"]}, "expected 'asked', 'passed', 'expiring' or 'drafted'"),
        ({"kind": "file", "path": "x", "on": []}, "tell nothing"),
    ],
)
def test_what_is_no_way_is_refused(way, said):
    """Slack has a part of its own, and what is told of reports isn't told of questions."""
    with pytest.raises(PolicyError, match=said):
        policy_of({"questions": {"notify": [way]}}, "here")


def test_a_policy_that_tells_nobody_says_so_at_once():
    """Which is what the ask path looks at."""
    assert not policy_of({}, "here").told_of_waiting
    assert spelt(BySlack()) == "Slack"
