"""Bounds that an argument's name and type bring to mind."""

from __future__ import annotations

import tomllib

import pytest

from ladder_graph.inventory.arguments import programs, suggested
from ladder_graph.policy import Rule

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


@pytest.mark.parametrize(
    ("name", "schema", "kind"),
    [
        ("url", TEXT, "host"), ("callbackUrl", TEXT, "host"), ("site", {"type": "string", "format": "uri"}, "host"),
        ("path", TEXT, "under"), ("file_path", TEXT, "under"), ("outputDir", TEXT, "under"),
        ("to", TEXT, "domain"), ("cc", {"type": "array"}, "domain"), ("user_email", TEXT, "domain"),
        ("who", {"type": "string", "format": "email"}, "domain"), ("to", {"anyOf": [TEXT, {"type": "null"}]}, "domain"),
        ("amount", NUMBER, "range"), ("total_cents", {"type": ["number", "null"]}, "range"),
        ("mode", {"enum": ["fast", "slow"]}, "one_of"),
        ("amount", TEXT, None), ("url", NUMBER, None), ("subject", TEXT, None), ("total", {"type": "object"}, None),
        ("mode", {"enum": []}, None), ("mode", {"enum": [None]}, None), ("profile", TEXT, None), ("", TEXT, None),
        ("mail.to", TEXT, None), ("url\n", TEXT, None), ("url", True, "host"),
    ],
)  # fmt: skip
def test_what_a_name_and_a_type_bring_to_mind(name, schema, kind):
    """A suggestion fits the argument's type and loads as a bound; whatever else brings nothing to mind."""
    found = list(suggested({name: schema}))
    bounds = Rule.model_validate(tomllib.loads(f"bounds = [{', '.join(found)}]")).bounds
    assert [(one.kind, one.argument) for one in bounds] == ([(kind, name)] if kind else [])


def test_text_that_is_run_is_named():
    """SQL, commands and code are no text that a bound holds."""
    assert programs({"sql": TEXT, "shellCommand": TEXT, "coded": TEXT, "query": TEXT}) == ["sql", "shellCommand"]
