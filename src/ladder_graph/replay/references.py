"""Policies to compare with, each made from the one that is to be compared, so that they know the same tools."""

from __future__ import annotations

from ladder_graph.explaining import claimed
from ladder_graph.policy import Policy, Rule
from ladder_graph.scale import Rung

_UNASKED = Rule(rung=Rung.BOUNDED, read_only=True)
_ASKED = Rule(rung=Rung.CONFIRM)


def nothing_gated(policy: Policy) -> Policy:
    """Every call runs unasked, as without a ladder."""
    return policy.model_copy(update={"tools": {"*": _UNASKED}})


def static_allow_list(policy: Policy) -> Policy:
    """Every tool that the policy ever lets run unasked runs unasked, whatever it is called with; the others ask."""
    allowed = {
        name: _UNASKED if claimed(policy, rule).rung >= Rung.BOUNDED else _ASKED for name, rule in policy.tools.items()
    }
    return policy.model_copy(update={"tools": {"*": _ASKED, **allowed}})


def every_write_asked(policy: Policy) -> Policy:
    """Every call asks, except of tools that the policy declares read-only; those run unasked and without bounds."""
    reads = {name: _UNASKED if rule.read_only else _ASKED for name, rule in policy.tools.items()}
    return policy.model_copy(update={"tools": {"*": _ASKED, **reads}})


def writes_and_egress_asked(policy: Policy) -> Policy:
    """As above, and a tool that only reads asks, too, where the policy says that it sends something out."""
    reads = {
        name: _UNASKED if rule.read_only and rule.egress is not True else _ASKED for name, rule in policy.tools.items()
    }
    return policy.model_copy(update={"tools": {"*": _ASKED, **reads}})


def everything_asked(policy: Policy) -> Policy:
    """Every call asks."""
    return policy.model_copy(update={"tools": {"*": _ASKED}})


REFERENCES = {
    "nothing gated": nothing_gated,
    "static allow list": static_allow_list,
    "every write asked": every_write_asked,
    "writes and egress reads asked": writes_and_egress_asked,
    "everything asked": everything_asked,
}
"""Each by its name, from the loosest to the strictest."""
