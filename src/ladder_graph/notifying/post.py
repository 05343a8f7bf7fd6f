"""Sending what waits: takes leases, sends, and writes down what came of it. Any number of processes may do so."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from functools import partial

from ladder_graph.ledger import Store, outgoing
from ladder_graph.ledger.outgoing import Message
from ladder_graph.ledger.questions import micros
from ladder_graph.notifying.sending import NotSent, send
from ladder_graph.policy import Policy
from ladder_graph.policy.reporting import Way

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
    """

    def __init__(self, store: Store, clock: Callable[[], dt.datetime], policy: Callable[[], Policy]) -> None:
        self._store, self._clock, self._policy = store, clock, policy

    def release(self) -> int:
        """Send what is due; how many were taken by whoever receives them."""
        count = 0
        for _ in range(ROUNDS):
            now = micros(self._clock())
            due = self._store.glance(outgoing.next_due)
            if due is None or due > now:
                break
            taken = self._store.write(partial(outgoing.take, now_us=now), durable=False)
            if not taken:
                break
            count += sum(map(self._sent, taken))
        return count

    def _sent(self, message: Message) -> bool:
        target = self._target(message)
        if target is None:
            self._store.write(lambda cursor: outgoing.drop(cursor, message), durable=False)
            return False
        try:
            send(target, message, self._clock())
        except NotSent as wrong:
            said = str(wrong)
            log.warning("not told: %s of %s by %s: %s", message.kind, message.agent, target.kind, said)
            self._store.write(
                lambda cursor: outgoing.failed(cursor, message, said, micros(self._clock())), durable=False
            )
            return False
        log.info("told: %s of %s by %s", message.kind, message.agent, target.kind)
        self._store.write(lambda cursor: outgoing.sent(cursor, message, micros(self._clock())))
        return True

    def _target(self, message: Message) -> Way | None:
        """The way of telling as the policy has it now; None where it has it no more."""
        streams = self._policy().reports.streams
        return next((one for stream in streams for one in stream.notify if outgoing.plain(one) == message.target), None)
