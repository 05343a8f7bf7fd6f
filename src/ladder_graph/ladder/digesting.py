"""What people do about reports: see the stream and the digests, and read one by giving a verdict on all it shows."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from ladder_graph.errors import AnswerRefused, UnknownQuestion
from ladder_graph.facts import Known, Person
from ladder_graph.ladder.messaging import Messaging
from ladder_graph.ladder.questions import person_of
from ladder_graph.ladder.windows import Windows, wanted_back
from ladder_graph.ledger import Digest, Journal, Report
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.evidence import incidents
from ladder_graph.ledger.gate import acts
from ladder_graph.ledger.lists.pages import Sees, anybody
from ladder_graph.ledger.reports import digests
from ladder_graph.ledger.reports import verdicts as given_verdicts
from ladder_graph.ledger.reports.reported import Place, Reported
from ladder_graph.ledger.reports.verdicts import Attention, Given
from ladder_graph.ledger.watching.watches import Window
from ladder_graph.scale import Rung
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.deeds import LOOK, Severity
from ladder_graph.trust.demotion import Demotion
from ladder_graph.turns.deciding import uncleared
from ladder_graph.wording import show

log = logging.getLogger("ladder_graph")


class Digesting(Windows, Messaging):
    """The part of a desk where reports are."""

    def reports(
        self, *, unread: bool = True, limit: int | None = None, before: dt.datetime | None = None
    ) -> list[Report]:  # fmt: skip
        """What ran unasked on rung 5 or left a mess, oldest first, whether a digest shows it already or not.

        Args:
            unread: Only what lies in digests that nobody has read.
            limit: The latest so many.
            before: Only what was filed before this moment.
        """
        return Reported(self.reading).stream(self.policy.agent, unread=unread, limit=limit, before=before)

    def report_on(self, action: str) -> Report | None:
        """The report on one action: what waits of it by itself, else the digest it is in; None where it isn't filed.

        Args:
            action: Its whole key.
        """
        return Reported(self.reading).of_action(action)

    def digests(
        self, state: Place | None = None, *, limit: int = 50, before: Digest | None = None, sees: Sees = anybody
    ) -> list[Digest]:  # fmt: skip
        """A page of reports, what ended last in front, without what each shows. What is over is made now.

        Args:
            state: Only those that gather, are unread, or read.
            limit: How many at most.
            before: The last one of the page before.
            sees: Tells of each agent whether whoever looks may see its reports.
        """
        self._bring_up()
        return Reported(self.reading).listed(
            self.refresh().agent, self.policy, state=state, limit=limit, before=before, sees=sees
        )

    def digest(self, digest: str) -> Digest:
        """One report with all that it shows.

        Args:
            digest: Its id, or the beginning of it.

        Raises:
            UnknownQuestion: There is none, or more than one.
        """
        self._bring_up()
        found = Reported(self.reading).whole(digest, self.policy)
        if found is None:
            raise UnknownQuestion(f"there is no report {digest!r}, or more than one; `ladder report` lists them")
        return found

    def read(
        self, digest: str, verdicts: Mapping[str, str], *, by: str | Person, looked: float | None = None,
        note: str = "", shown: str | None = None,
    ) -> Digest:  # fmt: skip
        """Give verdicts on what a report shows. It is read once each action in it has one, and not before.

        `look` opens an incident of no severity, to be closed once somebody has looked into it. `undo` undoes the
        action from what was stored before it; where that can't be, the item says why.

        Args:
            digest: Its id, or the beginning of it.
            verdicts: Action, or the beginning of its key, to `fine`, `look` or `undo`. Those of several people add up.
            by: Who says so. The policy must name them as a reader, and they must hold the labels of each tool.
            looked: Seconds for which it was open.
            note: What they note.
            shown: The hash of what they were shown; another one is refused.

        Returns:
            The report as it is now.

        Raises:
            UnknownQuestion: There is no such report, or it shows no such action.
            AnswerRefused: It isn't over or was read, they may not read it, or another verdict stands.
        """
        person, policy = person_of(by), self.refresh()
        self._bring_up()

        def work(journal: Journal, cursor: Cursor) -> tuple[str, list[Window]]:
            row, given = given_verdicts.meant(journal, cursor, policy, digest, said, person, shown)
            for one in given:
                if complaint := uncleared(policy, one.tool, person):
                    raise AnswerRefused(complaint)
            taken, windows = _carried_out(journal, cursor, given, person, note)
            attention = Attention(looked, _characters(journal, cursor, given), note)
            given_verdicts.give(journal, cursor, row, taken, person, attention)
            return str(row["id"]), windows

        said = dict(verdicts)
        whole, windows = self._write(work)
        for window in windows:
            self._undo_now(window)
        return self.digest(whole)

    def acknowledge(self, action: str, *, by: str | Person) -> None:
        """Say that you have seen to an action on which a report waits by itself, such as one that left a mess.

        What ran on rung 5 is read with its digest, by `read`.

        Args:
            action: Its key, or the beginning of it.
            by: Who says so. The policy must name them as a reader.

        Raises:
            UnknownQuestion: There is no such action.
            AnswerRefused: No report waits on it by itself, or they may not read it.
        """
        journal = self._journal()

        def find(cursor: Cursor) -> tuple[Known, str | None]:
            known = acts.find_action(journal, cursor, action)
            return known, given_verdicts.single(cursor, known.call.key)

        known, digest = self.store.read(find)
        if digest is None:
            raise AnswerRefused(
                f"there is no unread report on action {known.call.short} by itself; `ladder report` shows the digests"
            )
        self.read(digest, {known.call.key: "fine"}, by=by)

    def sweep_reports(self) -> list[tuple[CellKey, Demotion]]:
        """Do all that is due about reports: make them, remind, escalate, put down what lay unread, and tell people.

        Any number of processes may do so at once; each thing is done once.

        Returns:
            What was put down.
        """
        done = self._bring_up()
        self.send_messages()
        return done

    def _bring_up(self) -> list[tuple[CellKey, Demotion]]:
        """Everything that is due about digests, each in a commit of its own."""
        self.refresh()
        done = list[tuple[CellKey, Demotion]]()
        for one in self.store.glance(lambda cursor: digests.due(cursor, self.clock())):
            done += self._write(partial(digests.advance, policy=self.policy, digest=one))
        for cell, down in done:
            log.warning("%s goes down to %s: %s", cell, down.rung.word, down.reason)
        return done


def _carried_out(
    journal: Journal, cursor: Cursor, given: list[Given], person: Person, note: str
) -> tuple[list[Given], list[Window]]:  # fmt: skip
    """Open an incident for what somebody must look into, and let be undone what is to be."""
    taken, windows = list[Given](), list[Window]()
    for one in given:
        match one.verdict:
            case "look":
                known = acts.find_action(journal, cursor, one.action)
                said = incidents.Said(Severity.COSMETIC, LOOK, note, anticipated=True)
                incidents.report(journal, cursor, known, said, Rung.SUGGEST, person)
                taken.append(one)
            case "undo":
                came = ""
                try:
                    windows.append(wanted_back(journal, cursor, one.action, person, note))
                except AnswerRefused as refused:
                    came = str(refused)
                taken.append(replace(one, came=came))
            case _:
                taken.append(one)
    return taken, windows


def _characters(journal: Journal, cursor: Cursor, given: list[Given]) -> dict[str, int]:
    """How much there was to read of each action."""
    found = {}
    for one in given:
        known = acts.find_action(journal, cursor, one.action)
        found[one.action] = len(known.call.tool) + len(show(known.call.arguments))
    return found
