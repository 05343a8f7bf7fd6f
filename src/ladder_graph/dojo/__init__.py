"""The gate inside AgentDojo's own loop, so that its benchmark measures utility and security under a policy.

Needs the extra: `pip install 'ladder-graph[agentdojo]'`.
"""

from __future__ import annotations

from importlib.util import find_spec

from ladder_graph.errors import LadderError

if find_spec("agentdojo") is None:
    raise LadderError("AgentDojo's loop needs its package: pip install 'ladder-graph[agentdojo]'")

from ladder_graph.dojo.gate import GatedTools, Tally
from ladder_graph.dojo.reviewing import Reviewer
from ladder_graph.dojo.scripted import Gullible, Scripted

__all__ = ["GatedTools", "Gullible", "Reviewer", "Scripted", "Tally"]
