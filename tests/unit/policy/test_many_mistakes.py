"""A file with a mistake in every section, every bound and every check: all of them are reported at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from ladder_graph.errors import PolicyError
from ladder_graph.policy import Policy, load_policy, policy_of
from ladder_graph.policy.bounds import Bound
from ladder_graph.policy.checks import Check

DATA = Path(__file__).parents[2] / "data"
FILE = DATA / "mistakes.toml"
TOLD = (DATA / "mistakes.txt").read_text(encoding="utf-8").splitlines()
"""What is told of each: the line, what was expected there, what was found, and the nearest known name."""


def test_every_mistake_of_a_file_is_told_at_once():
    """Line by line, and each with the file before it."""
    with pytest.raises(PolicyError) as caught:
        load_policy(FILE)
    assert list(caught.value.problems) == [f"{FILE}:{line}" for line in TOLD]
    assert all(line in str(caught.value) for line in TOLD)


def test_each_is_told_on_its_own_line():
    """The line that is named holds the key that is named, or the table that it is missing in."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    for told in TOLD:
        number, key = re.match(r"(\d+): (\S+):", told).groups()
        name = re.sub(r"\[\d+\]", "", key).rpartition(".")[2]
        missing = "missing" in told or "either" in told or key.endswith("]")
        assert name in lines[int(number) - 1] or missing, told


def test_no_kind_and_no_section_is_left_out():
    """Each kind of bound and of check has its mistake, and so has each section."""
    text, many = FILE.read_text(encoding="utf-8"), 25
    assert len(TOLD) >= many
    for union in (Bound, Check):
        for kind in get_args(get_args(union)[0]):
            assert f'kind = "{kind.model_fields["kind"].default}"' in text
    sections = {name for name, field in Policy.model_fields.items() if name not in {"agent", "ledger", "drafts"}}
    assert sections <= {re.match(r"\d+: (\w+)", told)[1] for told in TOLD}


BROKEN = {"impact": "hihg"}
"""A field that isn't right, beside which the others are looked at all the same."""
NOBODY = 'and nobody may; give them to somebody, as in [people.ana] labels = ["…"]'
SPANNING = [
    ({"people": {"ana": {"roles": ["finance"]}}, "tools": {"a": {"confirm": {"by": ["role:finanze", "role:hr"]}}}}, [
        "tools.a.confirm.by[0]: nobody has the role 'finanze'; did you mean 'finance'?",
        "tools.a.confirm.by[1]: nobody has the role 'hr'; give it to somebody, as in [people.ana] roles = [\"…\"]",
    ]),
    ({"people": {"ana": {"roles": ["cfo"]}}, "tools": {"a": {"confirm": {"by": ["role:cfo"], "quorum": 2}}}}, [
        "tools.a.confirm.quorum: 2 people must approve, and only ana may",
    ]),
    ({"tools": {"a": {"labels": ["hr"]}, "b": {"labels": ["pay"]}}}, [
        f"tools.a.labels: 1 must answer and hold hr, {NOBODY}",
        f"tools.b.labels: 1 must answer and hold pay, {NOBODY}",
    ]),
    ({"reports": {"channels": {"pay": {"reader": "bo"}}}, "tools": {"a": {"channel": "pai"}, "b": {"channel": "x"}}}, [
        "tools.a.channel: there is no report channel 'pai'; did you mean 'pay'?",
        "tools.b.channel: there is no report channel 'x'; add one, as in [reports.channels.x] reader = \"…\"",
    ]),
    ({"tools": {"a*": {}, "*b": {}}}, [
        "tools.\"*b\": is as specific as 'a*', and one name can fit both; make one of them longer",
    ]),
    ({"tools": {"a": {"bounds": [{"kind": "volume", "limit": 1}, {"kind": "volume", "limit": 2}]}}}, [
        "tools.a.bounds[1]: is a volume bound on the same counter (calls/day/UTC) as [0]; keep the tighter one",
    ]),
    ({"tools": {"a": {"watch": {"window": "5m"}}}}, [
        (
            "tools.a.watch.window: there are no checks, so the watch would see nothing; add checks = [...], or say "
            'confirm = "required", and a person keeps what is good'
        ),
    ]),
    ({"tools": {"a": {"bounds": [{"kind": "time", "start": "09:00", "end": "09:00", "days": ["mon"]}]}}}, [
        "tools.a.bounds[0]: start and end are both 09:00; leave both away for the whole day",
    ]),
]  # fmt: skip
"""Mistakes that span several keys, and what is told of them."""


def problems_of(data):
    """What a policy that must be refused is refused for."""
    with pytest.raises(PolicyError) as caught:
        policy_of(data, "here")
    return [problem.removeprefix("here: ") for problem in caught.value.problems]


@pytest.mark.parametrize(("data", "told"), SPANNING)
def test_mistakes_that_span_several_keys_come_with_all_others(data, told):
    """By themselves all of them are told, and no fewer where another key of the same tables is wrong."""
    assert sorted(problems_of(data)) == sorted(told)
    first, rule = next(iter(data["tools"].items()))
    broken = data | {"agnt": "x", "tools": data["tools"] | {first: rule | BROKEN}}
    (wrong, unknown) = [problem for problem in problems_of(broken) if problem not in told]
    assert unknown.startswith("agnt: unknown key; did you mean 'agent'?")
    assert wrong.endswith("found the text 'hihg'; did you mean 'high'?")
    assert set(told) < set(problems_of(broken))


@pytest.mark.parametrize(
    "data",
    [
        {"people": {"ana": {"roles": "cfo"}}, "tools": {"a": {"confirm": {"by": ["role:cfo"], "quorum": 2}}}},
        {"people": {"ana": {"role": ["cfo"]}}, "tools": {"a": {"confirm": {"by": ["role:cfo"]}}}},
        {"pepole": {"ana": {"roles": ["cfo"]}}, "tools": {"a": {"confirm": {"by": ["role:cfo"]}}}},
        {"people": {"ana": {"labels": "hr"}}, "tools": {"a": {"labels": ["hr"]}}},
        {"reports": {"chanels": {"pay": {"reader": "bo"}}}, "tools": {"a": {"channel": "pay"}}},
        {"reports": "bo", "tools": {"a": {"channel": "pay"}}},
        {"tools": {"a": {"bounds": [{"kind": "volume", "limit": "1"}, {"kind": "volume", "limit": 2}]}}},
        {"tools": {"a": {"watch": {"window": "5m"}, "chekcs": []}}},
        {"tools": {"a": {"watch": {"confirm": "required", "windwo": "5m"}}}},
        {"tools": {"a": {"bounds": [{"kind": "cost", "limit": "$1", "eahc": "$1"}]}}},
    ],
)
def test_what_is_only_a_consequence_of_another_mistake_is_not_told(data):
    """Where a part isn't right, or is probably what a misspelt key was meant for, nothing is told that needs it."""
    assert len(problems_of(data)) == 1


def test_what_was_made_before_is_looked_at_too():
    """A rule from Python beside a mistake in another one keeps its own mistakes."""
    rule = policy_of({"tools": {"a": {"channel": None, "confirm": {"by": ["role:cfo"]}}}, "people": {
        "ana": {"roles": ["cfo"]},
    }}, "here").rule("a")  # fmt: skip
    assert problems_of({"tools": {"a": rule, "b": BROKEN}}) == [
        "tools.b.impact: expected 'low', 'medium' or 'high', found the text 'hihg'; did you mean 'high'?",
        "tools.a.confirm.by[0]: nobody has the role 'cfo'; give it to somebody, as in [people.ana] roles = [\"…\"]",
    ]
