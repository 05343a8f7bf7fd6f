"""Policies to compare with: nothing gated, every write asked about, everything asked about."""

from __future__ import annotations

from ladder_graph.policy import Policy, Rule
from ladder_graph.scale import Rung

_UNASKED = Rule(rung=Rung.BOUNDED, read_only=True)
_ASKED = Rule(rung=Rung.CONFIRM)


def nothing_gated(policy: Policy) -> Policy:
    """Every call runs unasked, as without a ladder."""
    return policy.model_copy(update={"tools": {"*": _UNASKED}})


def every_write_asked(policy: Policy) -> Policy:
    """Every call asks, except of tools that the policy declares read-only; those run unasked and without bounds."""
    reads = {name: _UNASKED if rule.read_only else _ASKED for name, rule in policy.tools.items()}
    return policy.model_copy(update={"tools": {"*": _ASKED, **reads}})


def everything_asked(policy: Policy) -> Policy:
    """Every call asks."""
    return policy.model_copy(update={"tools": {"*": _ASKED}})


REFERENCES = {
    "nothing gated": nothing_gated,
    "every write asked": every_write_asked,
    "everything asked": everything_asked,
}
"""Each by its name, made from the policy that is to be compared."""
