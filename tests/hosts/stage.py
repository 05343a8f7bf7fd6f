"""An agent whose calls ask, and whoever goes on with its threads once they are answered."""

from __future__ import annotations

import time

from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph.resuming import InProcess, Worker
from ladder_graph.testing import FrozenClock, calls
from tests.hosts.graphs import GO, READ, World, agent_of, ladder_of, on, told

ASKS = {"a": "confirm", "b": READ}


class Stage:
    """An agent whose calls ask, and a worker that looks when it is told to."""

    def __init__(self, turn=None, rules=None, shape=None, **policy):
        self.world, self.clock = World(), FrozenClock()
        self.ladder = ladder_of(rules or ASKS, clock=self.clock, **policy)
        answers = [turn or calls("a", {"x": "1"}), *["Done."] * 9]
        made = shape(answers, self.world) if shape else agent_of(answers, [self.world.tool("a"), self.world.tool("b")])
        self.graph = self.ladder.wrap(made, checkpointer=InMemorySaver())
        self.worker = self.another()

    def another(self, resumer=None):
        """One more worker on the same threads."""
        ladder = self.ladder
        return Worker(
            ladder.store, ladder.clock, ladder.refresh, resumer or InProcess(self.graph), accepted=ladder.run_accepted
        )

    def ask(self, thread="1"):
        """Run until it asks; the questions."""
        self.graph.invoke(GO, on(thread))
        self.clock.advance(1)
        return self.ladder.pending()

    def told(self, thread="1"):
        """What the model was told of its calls, and whether the thread came to its end."""
        state = self.graph.get_state(on(thread))
        return [text for _, text in told(state.values)], state.next

    def later(self, seconds=1.0):
        """Time passes, and the worker looks."""
        self.clock.advance(seconds)
        self.worker.settle()


def approve(ladder, question):
    """Yes."""
    ladder.approve(question.id, by="ana")


def until(holds, seconds=20):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
