"""Looking for silent changes: what an agent calls, and what its model answers to fixed prompts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from ladder_graph.calls import digest_of, normalise
from ladder_graph.facts import Person
from ladder_graph.fingerprint import Environment
from ladder_graph.ladder.questions import person_of
from ladder_graph.ladder.signing import Signing
from ladder_graph.ledger import Journal
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.gate import acts, standings
from ladder_graph.scale import Rung
from ladder_graph.trust.cells import EVERY, CellKey
from ladder_graph.trust.demotion import Demotion
from ladder_graph.trust.findings import Findings
from ladder_graph.trust.held import Event, nearest
from ladder_graph.trust.suspicion import CHANGED, DAYS, Sign, another, signs

OTHERWISE: Mapping[Sign, str] = {"mix": "calls other tools than it did", "answers": "answers fixed prompts otherwise"}
REASON = f"it {OTHERWISE['mix']}, and {OTHERWISE['answers']}"
AGAIN = 21
"""Days that an agent stays down at least, after it has changed."""


class Suspecting(Signing):
    """The part of a desk where silent changes are looked for."""

    def replay(self, model: Any, prompts: Mapping[str, Any], *, by: str | Person, agent: str | None = None) -> bool:
        """Ask a model fixed prompts, and write down what it would call. Nothing runs.

        Once a day will do. The first ten replays teach what is usual; the agent's next sweep reacts to a change.

        Args:
            model: The agent's model with its tools bound, or anything with `invoke` that gives a message.
            prompts: Name to what the model is asked: a text, or messages.
            by: Who wants it.
            agent: Whose model, where it isn't the policy's agent's.

        Returns:
            Whether it answers otherwise than it used to.
        """
        person, whose = person_of(by), agent or self.refresh().agent
        answers = {name: called(model.invoke(prompt)) for name, prompt in prompts.items()}
        body = {"answers": answers, "by": person.name, "auth": person.auth}
        self._write(lambda journal, cursor: journal.append(cursor, whose, "replayed", "", body))
        found = self.findings(whose)
        return "answers" in signs(found, self._current(whose))

    def _swept(self, found: Findings) -> list[tuple[CellKey, Demotion]]:
        """As before, and let calls be sampled, or asked about, where an agent seems to have changed silently."""
        done = super()._swept(found)
        current = self._current(found.fold.agent)
        if another(found, current):
            done += self._write(partial(_put_down, found=found))
        elif (seen := signs(found, current)) and (cells := _unsampled(found)):
            self._write(partial(_sample, cells=cells, seen=seen))
        return done

    def _current(self, agent: str) -> Environment | None:
        """What proposed an agent's last call."""
        last = self.reading.environments(agent)
        return Environment.read(last[-1].components, "the ledger") if last else None


def _tools(found: Findings) -> list[CellKey]:
    """Every tool of an agent, in all its scopes and environments."""
    return [CellKey(found.fold.agent, tool, EVERY, EVERY) for tool in sorted({cell.tool for cell in found.cells})]


def _unsampled(found: Findings) -> list[CellKey]:
    """Those of which no calls are sampled now."""
    return [cell for cell in _tools(found) if nearest(found.standings, cell).sampled_us <= found.now_us]


def _put_down(journal: Journal, cursor: Cursor, found: Findings) -> list[tuple[CellKey, Demotion]]:
    """Every tool of an agent asks. All at once: by the first of these entries the agent is what it has become."""
    down, done = Demotion(Rung.CONFIRM, REASON, CHANGED, "wipe", AGAIN), []
    for cell in _tools(found):
        held = nearest(standings.of_tool(cursor, cell.agent, cell.tool), cell)
        # Another process may have done it since the chain was read, and a second time would make the wait longer.
        fresh = held.wiped_us <= nearest(found.standings, cell).wiped_us
        if fresh and (written := acts.demote(journal, cursor, cell, down)) is not None:
            done.append((cell, written))
    return done


def _sample(journal: Journal, cursor: Cursor, cells: Iterable[CellKey], seen: Iterable[Sign]) -> None:
    """Every fifth call of these tools asks, for a week."""
    for cell in cells:
        for sign in seen:
            reason = f"the agent seems to have changed: it {OTHERWISE[sign]}"
            standings.take(journal, cursor, Event(journal.us, "sampled", cell, Rung.REPORT, reason, sign, "keep", DAYS))


def called(message: Any) -> str:
    """A digest of the calls that a message proposes, whatever their ids are."""
    proposed = getattr(message, "tool_calls", None) or []
    return digest_of("replay", [[call["name"], normalise(call["args"])] for call in proposed])
