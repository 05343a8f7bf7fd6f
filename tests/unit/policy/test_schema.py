"""The schema for editors: it takes what the model takes, and marks the mistakes that one makes while typing."""

from __future__ import annotations

import tomllib

import pytest

from ladder_graph.inventory.starter import EXAMPLES
from ladder_graph.policy.bounds import Volume
from ladder_graph.policy.schema import policy_schema
from tests.cli.shop import POLICY
from tests.json_schema import complaints

SCHEMA = policy_schema()


def test_a_whole_policy_fits():
    """The policy of the shop, which the model reads, is one for the schema, too."""
    assert complaints(tomllib.loads(POLICY), SCHEMA) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("agnet = 'ops'", "$.agnet"),
        ("tools.send.rugn = 'confirm'", "$.tools.send.rugn"),
        ("tools.send.rung = 'confrim'", "$.tools.send.rung"),
        ("tools.send.rung = 6", "$.tools.send.rung"),
        ("tools.send.bounds = [{ limit = 3 }]", "$.tools.send.bounds[0]"),
        ("tools.send.bounds = [{ kind = 'volum', limit = 3 }]", "$.tools.send.bounds[0]"),
        ("tools.send.bounds = [{ kind = 'one_of', argument = 'to', values = [] }]", "$.tools.send.bounds[0]"),
        ("tools.send.bounds = [{ kind = 'cost', each = 0.02, limit = '$1' }]", "$.tools.send.bounds[0]"),
        ("tools.send.confirm.expires = 'soon'", "$.tools.send.confirm.expires"),
        ("tools.send.confirm.quorum = 0", "$.tools.send.confirm.quorum"),
        ("ask = 'none'", "$.ask"),
    ],
)
def test_a_mistake_is_marked_where_it_is(text, place):
    """Unknown keys, unknown words, missing kinds and odd sizes are outside the schema, at their own place."""
    assert complaints(tomllib.loads(text), SCHEMA) == [place]


def test_every_key_says_what_it_is():
    """Each key has a sentence; only `kind`, whose one value says it, has none."""
    for name, model in [("policy", SCHEMA), *SCHEMA["$defs"].items()]:
        assert "Example:" not in model["description"], name
        for key, part in model["properties"].items():
            assert key == "kind" or part.get("description"), f"{name}.{key}"


def test_a_sentence_is_the_models_own():
    """What an editor shows is what stands below the field in the code."""
    assert SCHEMA["$defs"]["Volume"]["properties"]["limit"]["description"] == "Calls that a window holds."
    assert set(SCHEMA["$defs"]["Volume"]["properties"]) == set(Volume.model_fields)


def test_a_rung_is_completed_by_its_word():
    """The default of a rung is the word that one writes."""
    assert SCHEMA["$defs"]["Rule"]["properties"]["rung"]["default"] == "suggest"


def test_the_examples_of_the_first_policy_fit():
    """What `ladder init` offers below its comment signs is marked by no editor."""
    lines = [line.removeprefix("# ") for line in EXAMPLES.splitlines() if line[2:3].islower() or line[2:3] in "[]} "]
    data = tomllib.loads("\n".join(lines))
    assert set(data["tools"]) == {"read_status", "drop_table", "send_email"}
    assert complaints(data, SCHEMA) == []
