"""The model: defaults that fail closed, strictness, revisions, paths, and the one-line form."""

from __future__ import annotations

import pickle
from types import MappingProxyType

import pytest
from pydantic import TypeAdapter, ValidationError

from ladder_graph.errors import PolicyError
from ladder_graph.policy import LOWEST, Policy, Rule, policy_of
from ladder_graph.policy.bounds import Under, Volume
from ladder_graph.policy.model import SHORTHAND_LIMIT
from ladder_graph.scale import Rung


def test_a_tool_that_is_not_listed_suggests():
    """Nobody wrote a rule, so nothing runs."""
    assert Policy().rule("send") is LOWEST
    assert LOWEST.rung is Rung.SUGGEST


def test_tool_names_are_exact():
    """A rule isn't found under another spelling."""
    policy = Policy.from_rungs("ops", {"send": "report"})
    assert all(
        policy.rule(name) is LOWEST for name in ("Send", "send ", "\N{FULLWIDTH LATIN SMALL LETTER S}end", "sen")
    )


def test_the_one_line_form_takes_words_numbers_rungs_rules_and_fields():
    """Each is read as a rule."""
    policy = Policy.from_rungs(
        "ops",
        {
            "a": "confirm",
            "b": 1,
            "c": Rung.DRAFT,
            "d": Rule(rung="confirm", impact="high"),
            "e": MappingProxyType({"rung": "bounded"}),
        },
    )
    assert [policy.rule(name).rung for name in "abcde"] == [2, 1, 1, 2, 3]
    assert policy.rule("d").impact == "high"
    assert policy.rule("e").bounds == ()


@pytest.mark.parametrize("rung", ["bounded", "ROLLBACK", "report", 3, 4, 5, Rung.BOUNDED, Rung.ROLLBACK, Rung.REPORT])
def test_a_bare_rung_that_runs_unasked_gets_a_bound(rung):
    """The one-line form never lets a tool run without end."""
    assert Policy.from_rungs("ops", {"a": rung}).rule("a").bounds == (Volume(limit=SHORTHAND_LIMIT),)


@pytest.mark.parametrize("rung", ["suggest", "draft", "confirm", 0, 1, 2, Rung.CONFIRM])
def test_a_bare_rung_that_asks_gets_none(rung):
    """Below bounded there is nothing to bound."""
    assert Policy.from_rungs("ops", {"a": rung}).rule("a").bounds == ()


@pytest.mark.parametrize("odd", ["confrm", "3", True, None, 2.0, 7, ["confirm"]])
def test_an_odd_rung_in_the_one_line_form_is_refused(odd):
    """A mistake there is a PolicyError like one in a file."""
    with pytest.raises(
        PolicyError, match=r"^rungs: 1 problem, nothing was loaded\nrungs: tools\.a\.rung: .* is no rung"
    ):
        Policy.from_rungs("ops", {"a": odd})


def test_a_rung_without_bounds_is_no_mistake():
    """Whether a rung is ready is decided where a call is routed, not here."""
    assert policy_of({"tools": {"a": {"rung": "bounded"}}}, "x").rule("a").rung is Rung.BOUNDED


def test_nothing_can_be_changed():
    """A rule that was read stays as it is."""
    with pytest.raises(ValidationError, match="frozen"):
        Policy.from_rungs("ops", {"a": "confirm"}).rule("a").rung = Rung.REPORT


def test_a_revision_is_about_one_rule():
    """An edit of one rule changes its revision and the policy's, and no other rule's."""
    one = Policy.from_rungs("ops", {"a": "confirm", "b": "draft"})
    two = Policy.from_rungs("ops", {"a": "confirm", "b": "suggest"})
    assert one.rule("a").revision == two.rule("a").revision
    assert one.rule("b").revision != two.rule("b").revision
    assert one.revision != two.revision


def test_a_revision_is_not_about_where_things_are_kept():
    """The same file on another machine, or with another ledger, allows the same."""
    one = Policy.from_rungs("ops", {"a": "confirm"})
    assert one.revision == one.anchored("/srv").revision == one.model_copy(update={"ledger": ":memory:"}).revision


def test_a_copy_with_changes_has_a_revision_of_its_own():
    """What was worked out from the old values isn't carried over."""
    one = Rule(rung="confirm")
    before = one.revision
    assert one.model_copy(update={"rung": Rung.DRAFT}).revision != before
    assert one.model_copy().revision == before


def test_a_policy_can_be_sent_to_another_process():
    """Pickled and read back it is equal."""
    policy = Policy.from_rungs("ops", {"a": "report"})
    assert pickle.loads(pickle.dumps(policy)) == policy  # noqa: S301  # our own bytes


def test_relative_paths_are_taken_from_a_folder():
    """Ledger, drafts and the directories of bounds, but nothing absolute, in memory or by URL."""
    bounds = [Under(argument="p", directory="conf"), Under(argument="p", directory="/etc")]
    policy = Policy(drafts="d", tools={"a": Rule(bounds=bounds)}).anchored("/srv/agent")
    assert (policy.ledger, policy.drafts) == ("/srv/agent/ladder.db", "/srv/agent/d")
    assert [bound.directory for bound in policy.rule("a").bounds] == ["/srv/agent/conf", "/etc"]
    for elsewhere in (":memory:", "postgresql://db/ladder", "/var/ladder.db"):
        assert Policy(ledger=elsewhere).anchored("/srv").ledger == elsewhere


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_the_model_has_a_json_schema(mode):
    """Editors and forms can be made from it: rungs by word and number, kinds of bounds, durations as text."""
    schema = Policy.model_json_schema(mode=mode)
    rule = schema["$defs"]["Rule"]["properties"]
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(Policy.model_fields)
    assert "confirm" in str(rule["rung"]) or rule["rung"]["type"] == "string"
    assert {"volume", "one_of", "host"} <= set(rule["bounds"]["items"]["discriminator"]["mapping"])


def test_the_schema_takes_words_and_numbers_for_rungs():
    """Both spellings stand in the schema."""
    schema = TypeAdapter(Rule).json_schema()["properties"]["rung"]
    assert schema["enum"] == ["suggest", "draft", "confirm", "bounded", "rollback", "report", 0, 1, 2, 3, 4, 5]


def test_a_policy_is_read_from_json_text():
    """The model's own reader of JSON is as strict, and takes what the model writes."""
    policy = Policy.from_rungs("ops", {"a": "report", "b": {"rung": "bounded", "confirm": {"by": ["ana"]}}})
    assert Policy.model_validate_json(policy.model_dump_json()) == policy
    with pytest.raises(ValidationError):
        Policy.model_validate_json('{"tools": {"a": {"bounds": [{"kind": "volume", "limit": "3"}]}}}')
