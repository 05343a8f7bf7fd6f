"""What counts as a parameter inside of what carries a provider's own."""

from __future__ import annotations

import json

import pytest

from ladder_graph.components import parameters_component


@pytest.mark.parametrize(
    "outer", [("extra_body", "extra_body"), ("model_kwargs", "extra_body"), ("extra_body", "options"),
              ("extra_body",) * 3, ("extra_body",) * 9],
)  # fmt: skip
@pytest.mark.parametrize(("one", "two"), [({"temperature": 0}, {"temperature": 1}), ({"lora": "a"}, {"lora": "b"})])
def test_carriers_within_carriers_are_looked_through(outer, one, two):
    """As Gemini's endpoint wants them; however deep, what they hold makes a difference."""

    def sent(held):
        for name in outer:
            held = {name: held}
        return parameters_component(held)

    assert len({sent({}), sent(one), sent(two)}) == 3
    assert None not in {sent(one), sent(two)}


def test_keys_that_are_numbers_are_told_apart():
    """As of tokens, in what is known and in what isn't."""
    for carrier in ({"logit_bias": {5: -100}}, {"extra_body": {"bias": {5: -100}}}):
        other = json.loads(json.dumps(carrier).replace("-100", "100"))
        assert parameters_component(carrier) == parameters_component(json.loads(json.dumps(carrier)))
        assert parameters_component(carrier) not in {None, parameters_component(other)}


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("aws_session_token", False), ("azure_ad_token", False), ("Token", False), ("vertex_credentials", False),
        ("clientSecret", False), ("openrouter_api_key", False), ("thinking_tokens", True), ("eos_token", True),
    ],
)  # fmt: skip
def test_a_secret_that_is_renewed_makes_no_other_environment(name, counts):
    """By how its name ends; tokens that are drawn are none."""
    first, second = (parameters_component({"extra_body": {name: value}}) for value in ("one", "two"))
    assert (first != second) == counts
