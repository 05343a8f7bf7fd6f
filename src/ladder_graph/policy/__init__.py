"""Policies: what each tool may do, in TOML or Python, strict in both."""

from __future__ import annotations

from ladder_graph.policy.model import HANDOVER, LOWEST, Confirm, Policy, Rule
from ladder_graph.policy.reading import load_policy, policy_of
from ladder_graph.policy.reporting import Reports

__all__ = ["HANDOVER", "LOWEST", "Confirm", "Policy", "Reports", "Rule", "load_policy", "policy_of"]
