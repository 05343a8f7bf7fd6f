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
    """The step with everything that must be taken down of its call, unless that is asked already.

    Args:
        step: The question that is to be asked.
        store: The ledger.
        terms: What an approval of the call holds for.
        declaration: What the tool declares.
        host: Knows the conversation.
        now: The moment.
    """
    found = step.asked
    if found is None and not step.new:
        found = store.glance(lambda cursor: questions.latest(cursor, step.call))
    step = replace(step, asked=None)
    if found is not None and found.digest == terms.digest(step.call):
        return step
    # It is new, or is asked anew.
    scene, proposed = host.scene(now), host.proposed(step.call)
    told = tell(step.call, step.route, terms.rule, declaration, scene, proposed)
    return replace(step, told=replace(told, trace=step.trace))


def stands(step: Pose, terms: Terms, now: dt.datetime) -> bool:
    """Whether the question that was there when somebody looked is the one to ask, with nothing to write about it.

    It isn't where it is on other terms, where its time is up, or where somebody traces it.

    Args:
        step: The question that is to be asked.
        terms: What an approval of the call holds for.
        now: The moment.
    """
    asked = step.asked
    if asked is None or asked.expired or step.trace or asked.digest != terms.digest(step.call):
        return False
    return now < asked.expires_at and (step.part_first or not asked.part_first)
