"""Policies: what each tool may do, in TOML or Python, strict in both."""

from __future__ import annotations

from ladder_graph.policy.model import Policy
from ladder_graph.policy.reading import load_policy, policy_of
from ladder_graph.policy.reporting import Reports
from ladder_graph.policy.rules import HANDOVER, LOWEST, Confirm, Rule

__all__ = ["HANDOVER", "LOWEST", "Confirm", "Policy", "Reports", "Rule", "load_policy", "policy_of"]
