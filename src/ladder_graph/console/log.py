"""How a tool came to stand where it does: what took it up and down, and when what proposes its calls became another."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ladder_graph.ledger.actions.questions import moment
from ladder_graph.trust.cells import EVERY

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder
    from ladder_graph.ladder.pins import Sighting
    from ladder_graph.trust.held import Event

MOST = 60
"""Steps that are listed; the ledger has all of them."""

_FLAGS = {"promoted": ("ok", "raised"), "demoted": ("stop", "lowered"), "carried": ("ok", "carried over"),
          "sampled": ("warn", "sampled")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One step."""

    at: dt.datetime
    loud: str
    """How its flag looks: ok, stop, warn or quiet."""
    flag: str
    where: str
    """To which rung, in words."""
    words: str
    """Why, as it was said."""
    by: str = ""
    environment: str = ""
    """The environment key of what it became."""

    def without_words(self) -> Step:
        """For whoever may not see what the tool touches: a reason may quote it."""
        return replace(self, words="its reason is withheld") if self.words else self


def steps_of(ladder: Ladder, agent: str, tool: str, scope: str) -> list[Step]:
    """All steps of a cell, the latest first.

    Args:
        ladder: Whose.
        agent: Whose tool.
        tool: Its name.
        scope: In which scope of it.
    """
    events = ladder.history(tool, agent=agent)
    mine = [(event, by) for event, by in events if event.cell.scope in {EVERY, scope}]
    found = [_step(event, by) for event, by in mine] + _environments(ladder.sightings(agent), tool)
    # Of two of one moment the later one is the one that stands further behind.
    return sorted(found, key=lambda step: step.at)[::-1][:MOST]


def _step(event: Event, by: str) -> Step:
    loud, flag = _FLAGS[event.kind]
    where = "" if event.kind == "sampled" else f"To {int(event.rung)}, {event.rung.word}."
    words = "" if event.reason == f"signed by {by}" else event.reason
    waits = f" It waits {event.cooldown} days." if event.cooldown and event.kind == "demoted" else ""
    return Step(moment(event.at_us), loud, flag, f"{where}{waits}".strip(), words, by)


def _environments(known: list[Sighting], tool: str) -> list[Step]:
    """When what proposes the calls became another one, the first time that it did."""
    timed = sorted(((one.seen.first, one) for one in known if one.seen is not None), key=lambda pair: pair[0])
    found = []
    for nth, (first, one) in enumerate(timed):
        if tool not in one.stands:
            continue
        if nth == 0:
            found.append(Step(first, "quiet", "first seen", f"Its calls came from {one.environment}.", ""))
            continue
        changes = "; ".join(change.text for change in one.changes) or "it is again what it was granted to"
        found.append(Step(first, "warn", "changed", f"{changes[0].upper()}{changes[1:]}.", "", "", one.key))
    return found
