"""Putting a copy of the ledger back, and saying so: until somebody has gone through what is missing, tools ask."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Collection
from functools import partial
from pathlib import Path

from ladder_graph.errors import AnswerRefused, LadderError
from ladder_graph.facts import Person, Reason
from ladder_graph.ladder.notarizing import Notarizing
from ladder_graph.ladder.questions import person_of
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.proof.checkpoints_alone import (
    Checkpoint,
    Key,
    anchors_in,
    merged,
    read_anchors,
    read_note,
    signs,
    spell_key,
)
from ladder_graph.ledger.undoing import sagas
from ladder_graph.ledger.upkeep import checkpoints, restorations, signing_keys
from ladder_graph.ledger.upkeep.restorations import Restoration
from ladder_graph.notary.private_keys import PrivateKey, origin_of
from ladder_graph.policy import Rule
from ladder_graph.policy.checkpoints import ToFile

log = logging.getLogger("ladder_graph")

SELDOM, OFTEN = 60.0, 1.0
"""Seconds between two looks whether the ledger was put back: while it wasn't, and while nobody has acknowledged it."""

FOUND = Person("ladder", "code")
"""Who writes down what no person did."""


class Restoring(Notarizing):
    """The part of a desk where a copy is put back."""

    _restored: Restoration | None = None
    _looked_back = 0.0

    def restoration(self) -> Restoration | None:
        """The copy that was put back and that nobody has acknowledged; None where there is none."""
        return self.store.glance(restorations.unacknowledged)

    def caution(self, rule: Rule) -> Reason | None:
        """Why a tool asks whatever it has earned; None where it needn't, or only reads.

        Args:
            rule: The tool's rule.
        """
        restored = self.look_back()
        return None if restored is None or rule.read_only else Reason("restored", told(restored))

    def look_back(self) -> Restoration | None:
        """As `restoration`, looked up now and then, and found out where nobody has said it: see `notice_restore`."""
        now = time.monotonic()
        if not self._looked_back or now - self._looked_back >= (OFTEN if self._restored else SELDOM):
            self._restored = self.notice_restore() if not self._looked_back else self.restoration()
            self._looked_back = now
        return self._restored

    def notice_restore(self) -> Restoration | None:
        """Mark the ledger where a checkpoint that was exported is newer than it; what is marked, if anything."""
        known = self.restoration()
        vouched = any(isinstance(one, ToFile) for one in self.policy.checkpoints.to)
        if known is not None or not vouched or (ahead := self.notarized().ahead) is None:
            return known
        place, number = ahead
        text = f"checkpoint {number} lies in {place}, and the ledger has none of that number: it is an older copy"
        log.warning("%s; tools ask until `ladder restore --acknowledge`", text)
        return self.mark_restored(text, by=FOUND)

    def mark_restored(self, text: str, *, by: str | Person) -> Restoration:
        """Say that the ledger was put back from a copy: what waited or was allowed in it is void.

        Args:
            text: What was put back.
            by: Who did it.
        """
        person, whose = person_of(by), self.policy.agent

        def work(journal: Journal, cursor: Cursor) -> Restoration:
            sagas.hold(cursor, journal, restorations.WHY_HELD)
            return restorations.mark(journal, cursor, whose, text, person)

        marked = self._write(work)
        self._looked_back = 0.0
        return marked

    def acknowledge_restore(self, *, by: str | Person, reason: str, anchor: Path | None = None) -> int | None:
        """Say that somebody has gone through what is missing; tools stand where they stood.

        Where there are checkpoints, the next one goes on behind the newest that was exported, and says what is lost.

        Args:
            by: Who says so.
            reason: What was done about it.
            anchor: Exported checkpoints, where the policy's own files aren't the newest.

        Returns:
            The number of that checkpoint; None where there are none.

        Raises:
            AnswerRefused: There is no reason, or nothing to acknowledge.
            LadderError: Its checkpoints can't be gone on with, since the key isn't here.
        """
        person = person_of(by)
        if not reason.strip():
            raise AnswerRefused("say what was gone through, as the reason (--reason); it stays in the ledger")
        exported = self._elsewhere(anchor)
        newest = max(exported, key=lambda note: note.number, default=None)
        key = None if newest is None else self._private_key(signing=False)
        number = self._write(partial(
            self._acknowledge, person=person, reason=reason, newest=newest, key=key,
            retired={key for note in exported for word, key in note.notices if word == "retired"},
        ))  # fmt: skip
        self._looked_back = 0.0
        return number

    def _acknowledge(
        self, journal: Journal, cursor: Cursor, person: Person, reason: str, newest: Checkpoint | None,
        key: PrivateKey | None, retired: Collection[Key],
    ) -> int | None:  # fmt: skip
        if not restorations.acknowledge(journal, cursor, self.policy.agent, person, reason):
            raise AnswerRefused("nobody has put a copy of this ledger back since the last time somebody said so")
        if newest is None or key is None or newest.number <= checkpoints.last(cursor).number:
            return None
        present = signing_keys.active(cursor)
        known = present is not None and present.key == key.public
        if not signs(key.public, newest) and (known or ("next", key.public) not in newest.notices):
            raise LadderError(f"the key here, {spell_key(key.public)}, didn't sign checkpoint {newest.number}")
        if not known:
            signing_keys.take_up(journal, cursor, self.policy.agent, key.public, person, retired)
        behind = (newest.number, newest.digest)
        return checkpoints.make(cursor, origin_of(self.policy), key.public, key.sign, journal.us, behind=behind)

    def _elsewhere(self, anchor: Path | None) -> list[Checkpoint]:
        """The checkpoints that were exported, as far as they can be read here."""
        if self.policy.checkpoints.key is None:
            return []
        ours = [Path(one.path) for one in self.policy.checkpoints.to if isinstance(one, ToFile)]
        try:
            placed = anchors_in([anchor]) if anchor else merged([*map(read_anchors, filter(Path.exists, ours))])
            return [read_note(note) for _, note in placed]
        except (OSError, ValueError, KeyError) as wrong:
            raise LadderError(f"the exported checkpoints can't be read: {wrong}") from wrong


def told(restoration: Restoration) -> str:
    """What a copy that was put back lacks, in a sentence."""
    if not restoration.copied_us:
        return "the ledger is empty, although checkpoints of it lie elsewhere, so this may have been done already"
    until = dt.datetime.fromtimestamp(restoration.copied_us / 1_000_000, dt.UTC)
    return (
        f"the ledger was put back from a copy that knows nothing after {until:%Y-%m-%d %H:%M:%S} UTC, so this may have "
        "been done already"
    )
