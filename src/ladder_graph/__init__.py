"""A ladder of autonomy for LangGraph agents: six rungs, earned on evidence, lost at once.

    from ladder_graph import Ladder

    agent = Ladder(agent="ops", rungs={"read_status": "report", "send_email": "confirm"}).wrap(agent)
"""

from __future__ import annotations

from ladder_graph.errors import (
    AnswerRefused, ArgumentsError, DefiniteFailure, LadderError, LedgerError, LedgerUnwritable, MountError,
    NoCheckpointer, NotALedger, PolicyError, UnknownQuestion,
)
from ladder_graph.ladder import Ladder
from ladder_graph.policy import Policy, Rule, load_policy
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import Person, Question
from ladder_graph.tools import Declaration, drafted_by, probed_by, reversible

__all__ = [
    "AnswerRefused", "ArgumentsError", "Declaration", "DefiniteFailure", "Ladder", "LadderError", "LedgerError",
    "LedgerUnwritable", "MountError", "NoCheckpointer", "NotALedger", "Person", "Policy", "PolicyError", "Question",
    "Rule", "Rung", "State", "UnknownQuestion", "drafted_by", "load_policy", "probed_by", "reversible",
]
