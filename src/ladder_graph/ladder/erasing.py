"""Erasing: what calls were about, once nobody waits for them, by age or by whom they name. The chains stay whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from ladder_graph.errors import AnswerRefused
from ladder_graph.facts import Person
from ladder_graph.ladder.questions import Questions, person_of
from ladder_graph.ledger import Reading
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.evidence import shadows
from ladder_graph.ledger.upkeep import erasing
from ladder_graph.ledger.upkeep.portions import Found, Portion, portions
from ladder_graph.ledger.upkeep.spellings import Wanted, plain

SHORTEST = 3
"""Characters of a name: a shorter one stands in too many texts that are about somebody else."""


class Erasing(Questions):
    """The part of a desk where payloads are erased."""

    reading: Reading

    def erasable(self, *, person: Sequence[str] = (), older_than: dt.timedelta | None = None) -> Found:
        """What `erase` would erase. Nothing is changed.

        Args:
            person: Spellings of whom it must name, such as a name and an address; any of them will do.
            older_than: How long ago it must have been over; with a person, both must hold.

        Raises:
            AnswerRefused: Neither is given, a name is too short, or the age is negative.
        """
        names = tuple(plain(name) for name in person)
        if not names and older_than is None:
            raise AnswerRefused("say what is to be erased: whom it names, or from what age on")
        if short := [name for name in names if len(name) < SHORTEST]:
            raise AnswerRefused(f"{short[0]!r} stands in too many texts; a name takes {SHORTEST} characters")
        if older_than is not None and older_than < dt.timedelta(0):
            raise AnswerRefused("an age can't be negative; nothing that is still to come can be erased")
        now = micros(self.clock())
        before = None if older_than is None else micros(self.clock() - older_than)
        agents = self.reading.agents(self.policy.agent)
        streams = [*agents, *(shadows.chain_of(agent) for agent in agents)]
        return self.store.scan(lambda connection: erasing.find(connection, streams, Wanted(before, names), now))

    def erase(self, found: Found, *, by: str | Person, reason: str) -> list[str]:
        """Erase what `erasable` found: payloads, and what stands of them in other rows and in files of drafts.

        Each portion goes with an entry that says so, and the chains stay whole. Codes, numbers and keys stay, by which
        trust is counted, and so does what people judged. It is done once: a second time finds nothing.

        Args:
            found: What is to be erased.
            by: Whose erasure it is.
            reason: Why. It stays in the ledger, so it shouldn't name whom it is about.

        Returns:
            Files of drafts that couldn't be deleted.

        Raises:
            AnswerRefused: There is no reason.
        """
        person = person_of(by)
        if not reason.strip():
            raise AnswerRefused("an erasure takes a reason, which stays in the ledger")
        left: list[str] = []
        with self.store.database.overwriting():
            for portion in portions(found):
                left += self._erase_portion(portion, person, reason)
        return left

    def _erase_portion(self, portion: Portion, by: Person, reason: str) -> list[str]:
        # The files first: a row that was emptied names none that anybody would look for again.
        files = self.store.read(partial(erasing.files_of, portion=portion))
        left = [file for file in files if not _deleted(Path(file))]
        self._write(partial(erasing.erase, portion=portion, by=by, reason=reason))
        return left


def _deleted(file: Path) -> bool:
    with suppress(OSError):
        file.unlink(missing_ok=True)
        return True
    return False
