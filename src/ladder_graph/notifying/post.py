"""Sending what waits: takes leases, sends, and writes down what came of it. Any number of processes may do so."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from functools import partial

from ladder_graph.facts import Question
from ladder_graph.ledger import Store
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.lists.open_questions import question_at
from ladder_graph.ledger.people import announcing, outgoing
from ladder_graph.ledger.people.outgoing import Message
from ladder_graph.ledger.tables.rows import US
from ladder_graph.notifying.sending import Busy, NotSent, send
from ladder_graph.policy import Policy
from ladder_graph.policy.ways import BySlack, Way

log = logging.getLogger("ladder_graph")

ROUNDS = 20
"""Times fifty notices that one turn sends at most."""


class Post:
    """Sends the notices of a ledger.

    Args:
        store: The ledger.
        clock: Returns the present moment as an aware datetime.
        policy: The policy in force. What it doesn't name any more is dropped, and so is every way of telling that the
            ledger alone names: somebody who can write the ledger sends nothing anywhere.
        slack: Sends a question to Slack, as it is then; it raises `NotSent` where it wasn't taken, and `Busy`
            where nothing is for a while.
    """

    def __init__(
        self, store: Store, clock: Callable[[], dt.datetime], policy: Callable[[], Policy],
        slack: Callable[[Policy, Question], None],
    ) -> None:  # fmt: skip
        self._store, self._clock, self._policy, self._slack = store, clock, policy, slack

    def release(self, stopping: Callable[[], bool] | None = None) -> int:
        """Send what is due; how many were taken by whoever receives them.

        Args:
            stopping: Tells whether to leave off. It is asked before each message; the rest is left to others.
        """
        count = 0
        for _ in range(ROUNDS):
            now = micros(self._clock())
            if not self._store.glance(partial(outgoing.any_due, now_us=now)):
                break
            taken = self._store.write(partial(outgoing.take, now_us=now), durable=False)
            if not taken:
                break
            while taken:
                if stopping is not None and stopping():
                    self._store.write(partial(outgoing.put_back, messages=taken), durable=False)
                    return count
                message = taken.pop(0)
                try:
                    count += self._still_ours(message, now) and self._sent(message)
                except Busy as wrong:
                    self._leave_alone(message, [one for one in taken if one.target == message.target], wrong)
                    taken = [one for one in taken if one.target != message.target]
        return count

    def _still_ours(self, message: Message, taken_us: int) -> bool:
        """Whether nobody else has a message in hand: those before it may have taken longer than its lease."""
        now = micros(self._clock())
        if 0 <= now - taken_us < outgoing.FRESH:
            return True
        return self._store.write(lambda cursor: outgoing.renew(cursor, message, now), durable=False)

    def _sent(self, message: Message) -> bool:
        policy = self._policy()
        target = _target(policy, message)
        if target is None or not self._waits(message):
            self._store.write(lambda cursor: outgoing.drop(cursor, message), durable=False)
            return False
        try:
            if isinstance(target, BySlack):
                self._ask_in_slack(policy, message)
            else:
                send(target, message, self._clock())
        except Busy:
            raise
        except Exception as wrong:  # noqa: BLE001  # whatever it is, the others wait for their turn
            # The text of any other error may hold a secret.
            said = str(wrong) if isinstance(wrong, NotSent) else f"it can't be sent: {type(wrong).__name__}"
            log.warning("not told: %s of %s by %s: %s", message.kind, message.agent, target.kind, said)
            self._store.write(
                lambda cursor: outgoing.failed(cursor, message, said, micros(self._clock())), durable=False
            )
            return False
        log.info("told: %s of %s by %s", message.kind, message.agent, target.kind)
        self._store.write(lambda cursor: outgoing.sent(cursor, message, micros(self._clock())))
        return True

    def _leave_alone(self, message: Message, others: list[Message], wrong: Busy) -> None:
        """A receiver takes nothing for a while: what waits for it is tried when it does, as if it hadn't been tried."""
        log.warning("not told: %s of %s by %s: %s", message.kind, message.agent, message.target["kind"], wrong)
        now = micros(self._clock())
        until = now + round(wrong.after * US)
        self._store.write(
            lambda cursor: outgoing.silence(cursor, message, others, str(wrong), now, until), durable=False
        )

    def _waits(self, message: Message) -> bool:
        """Whether it needs telling still: a question may be answered by now, and a draft decided."""
        return self._store.glance(lambda cursor: announcing.waits(cursor, message, micros(self._clock())))

    def _ask_in_slack(self, policy: Policy, message: Message) -> None:
        asked = self._store.read(lambda cursor: question_at(cursor, message.body["question"]))
        if asked is not None:
            self._slack(policy, asked)


def _target(policy: Policy, message: Message) -> Way | None:
    """The way of telling as the policy has it now; None where it has it no more."""
    ways: list[Way] = [way for stream in policy.reports.streams for way in stream.notify]
    if message.channel == announcing.CHANNEL:
        ways = [*policy.questions.notify]
    elif message.channel == announcing.SLACK:
        ways = [BySlack()]
    return next((way for way in ways if outgoing.plain(way) == message.target), None)
