"""Before a question is asked: what is taken down with it, outside the transaction that asks."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from ladder_graph.ledger import Store
from ladder_graph.ledger.actions import questions
from ladder_graph.ledger.actions.questions import Terms
from ladder_graph.steps import Pose
from ladder_graph.tools import Declaration
from ladder_graph.turns.hosting import Host
from ladder_graph.turns.presenting import tell


def posed(step: Pose, store: Store, terms: Terms, declaration: Declaration, host: Host, now: dt.datetime) -> Pose:
    """The step with everything that must be taken down of its call; as it is where that is asked already.

    Args:
        step: The question that is to be asked.
        store: The ledger.
        terms: What an approval of the call holds for.
        declaration: What the tool declares.
        host: Knows the conversation.
        now: The moment.
    """
    found = store.glance(lambda cursor: questions.latest(cursor, step.call))
    if found is not None and found.digest == terms.digest(step.call):
        return step
    scene, proposed = host.scene(now), host.proposed(step.call)
    told = tell(step.call, step.route, terms.rule, declaration, scene, proposed)
    return replace(step, told=replace(told, trace=step.trace))
