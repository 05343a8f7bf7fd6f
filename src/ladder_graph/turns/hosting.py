"""What a call's life asks of the place where it is lived: a graph's task, or none at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Protocol

from ladder_graph.answers import Answer
from ladder_graph.calls import Call
from ladder_graph.errors import LadderError
from ladder_graph.facts import Arrival, Asking, Known, Outcome, Person, Question
from ladder_graph.policy.scene import Scene
from ladder_graph.splitting import Split
from ladder_graph.turns.deciding import unchecked
from ladder_graph.turns.presenting import Proposed


class Host(Protocol):
    """What only the place where the graph runs can do for one call."""

    def ring(self, question: Question, complaint: str) -> Any:
        """Stop and wait for an answer; what comes back may be anything."""

    def execute(self, call: Call, *, again: bool = False) -> Outcome:
        """Run the tool on a copy of the frozen arguments; its exceptions come back as outcomes.

        Args:
            call: What to run.
            again: Whether it stopped before at an interrupt of its own, whose answer may have come in.
        """

    async def aexecute(self, call: Call, *, again: bool = False) -> Outcome:
        """As `execute`."""

    def awaited(self) -> bool:
        """Whether anybody still waits for what comes of the call."""

    def stays(self) -> bool:
        """Whether its thread may be kept while another run of the same call is waited for."""

    def encode(self, reply: Any) -> bytes:
        """The tool's reply in a form that the ledger can keep and another process can read."""

    def joined(self, split: Split, first: Any, last: Any) -> Any:
        """One reply to a call that went by a part first, of those to its part and its rest; see `splitting.Join`."""

    def checkpoint(self) -> str:
        """Where the conversation stands that proposes the call; empty where nothing of it is kept."""

    def recalls(self, call: Call, earlier: Known) -> bool:
        """Whether the conversation of a call knows of the same one under another id, or never could lose it."""

    def person(self, answer: Answer) -> Person | None:
        """Who gave this answer, as far as the host knows."""

    def arrival(self) -> Arrival:
        """How the last answer came in."""

    def asking(self) -> Asking:
        """Whose run it is, and the secret of the task that asks."""

    def scene(self, now: dt.datetime) -> Scene:
        """The circumstances of the call, as far as the host knows them."""

    def proposed(self, call: Call) -> Proposed:
        """What the model wrote beside the call, and what the tool takes for arguments that it leaves out."""

    def fitted(self, call: Call, arguments: Mapping[str, Any]) -> Call | str:
        """The call with other arguments, typed by the tool's schema; or why they don't fit, in words."""


class Alone:
    """A host outside any graph: nobody is asked here, and there is no conversation that could be lost."""

    def ring(self, question: Question, complaint: str) -> Any:
        """Nobody is asked here."""
        del question, complaint
        raise LadderError("there is nobody here to ask")

    def execute(self, call: Call, *, again: bool = False) -> Outcome:
        """Nothing runs here."""
        del again
        raise LadderError(f"there is nothing here that runs {call.tool}")

    async def aexecute(self, call: Call, *, again: bool = False) -> Outcome:
        """As `execute`."""
        return self.execute(call, again=again)

    def awaited(self) -> bool:
        """Nobody goes away here."""
        return True

    def stays(self) -> bool:
        """The thread is its caller's."""
        return True

    def encode(self, reply: Any) -> bytes:
        """A text."""
        return str(reply).encode()

    def joined(self, split: Split, first: Any, last: Any) -> Any:
        """The last one."""
        del split, first
        return last

    def checkpoint(self) -> str:
        """There is no conversation here."""
        return ""

    def recalls(self, call: Call, earlier: Known) -> bool:
        """Nothing was lost."""
        del call, earlier
        return True

    def person(self, answer: Answer) -> Person | None:
        """Nobody answers here."""
        del answer
        return None

    def arrival(self) -> Arrival:
        """Nobody answers here."""
        return Arrival()

    def asking(self) -> Asking:
        """Nobody is asked here."""
        return Asking()

    def scene(self, now: dt.datetime) -> Scene:
        """Nothing is known but the moment."""
        return Scene(now)

    def proposed(self, call: Call) -> Proposed:
        """Nothing is known."""
        del call
        return Proposed()

    def fitted(self, call: Call, arguments: Mapping[str, Any]) -> Call | str:
        """The call with other arguments, as they are."""
        return unchecked(call, arguments)
