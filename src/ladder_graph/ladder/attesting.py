"""Trying out what a promotion relies on: that the ledger is whole, and that bounds stop what is outside."""

from __future__ import annotations

from ladder_graph.facts import Person
from ladder_graph.ladder.questions import person_of
from ladder_graph.ladder.seats import Seat
from ladder_graph.ladder.windows import Windows
from ladder_graph.ledger import Journal
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.stopping import leaks


class Attesting(Windows):
    """The part of a desk where it is tried out."""

    seats: dict[str, Seat]

    def attest(self, *, by: str | Person) -> list[tuple[str, str, str]]:
        """Try out what a promotion relies on: read the ledger back, and send calls outside each bound to the gate.

        Nothing runs. What held is written down, for the policy's agent and for those inside it that are known by now,
        and counts for 30 days.

        Args:
            by: Who wants it.

        Returns:
            What was tried, for which tool (empty for all), and what didn't hold; empty where it did.
        """
        person, now = person_of(by), self.clock()
        tried = [("audit", "", self._read_back(person))]
        having = self._having()
        for tool in sorted(
            {*self.refresh().named, *self.seats, *(tool for tools in having.values() for tool in tools)}
        ):
            rule = self.policy.rule(tool)
            if rule.bounds:
                tried.append(("bounds", tool, "; ".join(leaks(rule, tool, now))))

        def keep(journal: Journal, cursor: Cursor) -> None:
            for agent, tools in having.items():
                for what, tool, wrong in tried:
                    if tool and agent != self.policy.agent and tool not in tools:
                        continue
                    journal.append(cursor, agent, "attested", "", {
                        "what": what, "tool": tool, "ok": not wrong, "text": wrong or "it holds", "by": person.name,
                        "auth": person.auth,
                    })  # fmt: skip

        self._write(keep)
        return tried

    def _read_back(self, person: Person) -> str:
        """What is wrong with the ledger, after an entry was written to it and read back; empty where nothing is."""
        whose, body = self.policy.agent, {"what": "audit", "tool": "", "ok": None, "by": person.name}
        self._write(lambda journal, cursor: journal.append(cursor, whose, "attested", "", body))
        # An agent inside may have written something at the same moment.
        last = [one for one in self.reading.entries(whose, limit=20) if one.agent == whose]
        if not (last and last[-1].kind == "attested" and last[-1].body.get("by") == person.name):
            return "an entry that was written isn't the last one that is read"
        return "; ".join(self.reading.verify().problems)
