"""An answer that came in band: taken if it can be, with a complaint to whoever is asked where it can't."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from dataclasses import replace

from ladder_graph import answers
from ladder_graph.envelopes import signer
from ladder_graph.facts import Decision, Question
from ladder_graph.ledger import Journal
from ladder_graph.ledger.actions import questions
from ladder_graph.ledger.actions.tellings import attended, trace_of
from ladder_graph.ledger.database.cursor import Cursor, ahead
from ladder_graph.ledger.people import resumptions
from ladder_graph.policy import Policy
from ladder_graph.steps import GoneOn, Heard
from ladder_graph.turns.deciding import decision_of, edited, taken_before
from ladder_graph.turns.hosting import Host

Work = Callable[[Cursor], Question | str]
"""What is done with an answer in its transaction: the question as it stands then, or a complaint."""


def hear(policy: Policy, host: Host, journal: Journal, step: Heard) -> Work:
    """Write an answer down if it can be taken, else say why it can't.

    Args:
        policy: Knows who may answer.
        host: Knows who answered, and how the answer came.
        journal: The moment.
        step: The question and the answer.
    """
    read = answers.read(step.answer)
    if isinstance(read, str):
        return lambda _: read
    asked, arrival = step.question, host.arrival()
    found = _decided(policy, host, asked, read, journal.now)
    if isinstance(found, str):
        return _complained(journal, asked, found)

    def work(cursor: Cursor) -> Question | str:
        ahead(cursor, journal.standing(asked.call), questions.of(asked.call), questions.answered_in(asked.call.thread))
        last = questions.last_answer(cursor, asked.call.thread)
        late = answers.premature(asked, read, found.by, arrival, journal.now, last)
        complaint = late or taken_before(journal, cursor, found)
        if complaint:
            return _complained(journal, asked, complaint)(cursor)
        taken = journal.answer(cursor, asked, found)
        if taken is None:
            return _current(journal, cursor, asked, "it is asked again")
        if taken.decision is not None:  # The thread goes on right here; should this process die, another one knows.
            resumptions.put(cursor, taken.id, asked.call, found.verdict, journal.us, hearer=journal.owner)
        return taken

    return work


def went_on(cursor: Cursor, journal: Journal, step: GoneOn) -> Question | None:
    """Take down that the thread knows what was said elsewhere.

    Returns:
        The question with what was said, the first time; None after that, and where nothing was asked.
    """
    first = resumptions.unheard(cursor, step.call.key)
    resumptions.heard(cursor, step.call.key, journal.owner, journal.us)
    asked = questions.latest(cursor, step.call) if first else None
    return None if asked is None else replace(attended(cursor, asked), trace=trace_of(cursor, asked))


def _decided(policy: Policy, host: Host, asked: Question, read: answers.Answer, now: dt.datetime) -> Decision | str:
    """The decision that an answer is, by somebody who may take it; or why it is none."""
    signed = read.signature is not None
    person = signer(read, policy, now, os.environ) if signed else host.person(read)
    if isinstance(person, str):
        return person
    after = edited(asked.call, read, host.fitted)
    if isinstance(after, str):
        return answers.objection(asked, read, person, now, policy.able) or after
    return decision_of(asked, read, person, now, policy, after)


def _complained(journal: Journal, asked: Question, complaint: str) -> Work:
    def work(cursor: Cursor) -> Question | str:
        journal.append(cursor, asked.call.agent, "unanswerable", asked.call.key, {
            "question": asked.id, "complaint": complaint,
        })  # fmt: skip
        return _current(journal, cursor, asked, complaint)

    return work


def _current(journal: Journal, cursor: Cursor, asked: Question, complaint: str) -> Question | str:
    """Somebody else may have answered meanwhile, and a late answer finds the question expired."""
    current = journal.current(cursor, asked)
    return current if current.decision or current.expired else complaint
