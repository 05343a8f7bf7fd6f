"""What people are told of questions, drafts and reports: sent by whichever process looks first."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import partial

from ladder_graph.facts import Question
from ladder_graph.ladder.questions import Questions
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.people import outgoing
from ladder_graph.notifying import Post
from ladder_graph.policy import Policy
from ladder_graph.watcher.messenger import Messenger


class Messaging(Questions):
    """The part of a desk where people are told what waits for them."""

    messenger: Messenger | None = None

    def send_messages(self, stopping: Callable[[], bool] | None = None) -> int:
        """Send what people are to be told and is due: of questions, drafts and reports.

        Whoever sweeps, watches, serves the console or goes on with threads does so, in any number of processes.

        Args:
            stopping: Tells whether to leave off; it is asked before each message.

        Returns:
            How many were taken by whoever receives them.
        """
        return Post(self.store, self.clock, self.refresh, self.to_slack).release(stopping)

    @abstractmethod
    def to_slack(self, policy: Policy, question: Question) -> None:
        """Send one question to Slack.

        Raises:
            NotSent: Slack didn't take it.
        """

    def keep_telling(self) -> None:
        """Send what is due every few seconds in a thread of this process, until the ladder is closed.

        `ladder console` does so. Whoever watches or goes on with threads needs no such thread.
        """
        if self.messenger is None:
            self.messenger = Messenger(self.send_messages)
        self.messenger.start()

    def untold(self) -> list[outgoing.Message]:
        """What people were to be told by now and wasn't taken yet, the oldest first."""
        return self.store.read(partial(outgoing.waiting, now_us=micros(self.clock())))
