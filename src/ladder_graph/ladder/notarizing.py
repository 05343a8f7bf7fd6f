"""Checkpoints of the ledger: signing what it holds from time to time, handing it out, and whose key that is."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ladder_graph.errors import AnswerRefused, LadderError
from ladder_graph.facts import Person
from ladder_graph.ladder.questions import Questions, person_of
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.tables.rows import US
from ladder_graph.ledger.upkeep import checkpoints, restorations, signing_keys
from ladder_graph.ledger.upkeep.checkpoints import Exported, Last
from ladder_graph.ledger.upkeep.signing_keys import SigningKey
from ladder_graph.notary import exporting, private_keys
from ladder_graph.notary.private_keys import PrivateKey, origin_of
from ladder_graph.policy.checkpoints import Export, ToFile

log = logging.getLogger("ladder_graph")


@dataclass(frozen=True, slots=True)
class Notarized:
    """How far the checkpoints have got."""

    last: Last
    """The newest one."""
    targets: tuple[Exported, ...]
    """How far each target of the policy has got."""
    ahead: tuple[str, int] | None
    """A target that holds a newer checkpoint than the ledger itself, and its number: the ledger is an older copy."""


class Notarizing(Questions):
    """The part of a desk where checkpoints are made."""

    _said_of_keys = ""

    def checkpoint(self) -> int | None:
        """Make a checkpoint now.

        Returns:
            Its number; None where nothing was written since the last one.

        Raises:
            LadderError: There is no key, or it isn't the one that signs.
        """
        self._is_newest()
        key = self._private_key()
        return self._write(partial(self._make, key=key))

    def _is_newest(self) -> None:
        """Refuse to sign where the ledger was put back: the number was given before."""
        if self.store.glance(restorations.unacknowledged) is not None or self.notarized().ahead is not None:
            raise LadderError(
                "the ledger is older than its newest checkpoint: it was put back from a copy; go through what is "
                "missing, and then `ladder restore --acknowledge`"
            )

    def _make(self, journal: Journal, cursor: Cursor, key: PrivateKey, *, only_due: bool = False) -> int | None:
        present = signing_keys.active(cursor)
        if present is None or present.key != key.public:
            raise LadderError(self._other_key(present))
        if only_due and not self._due(checkpoints.last(cursor), journal.us):
            return None
        return checkpoints.make(cursor, origin_of(self.policy), key.public, key.sign, journal.us)

    def sweep_checkpoints(self) -> None:
        """Make a checkpoint where one is due, and hand out what waits. Any number of processes may do so."""
        policy = self.refresh()
        if policy.checkpoints.key is None:
            return
        try:
            now = self._journal().us
            if self._due(self.store.glance(checkpoints.last), now):
                self._is_newest()
                number = self._write(partial(self._make, key=self._private_key(), only_due=True))
                if number is not None:
                    log.info("checkpoint %d was made", number)
            self._said_of_keys = ""
        except LadderError as wrong:
            if str(wrong) != self._said_of_keys:
                log.warning("no checkpoint could be made: %s", wrong)
            self._said_of_keys = str(wrong)
        self.export_checkpoints()

    def _due(self, last: Last, now_us: int) -> bool:
        said = self.policy.checkpoints
        # Where the clock was set back behind the last one, it is time.
        late = not 0 <= now_us - last.at_us < said.every * US
        return last.unseen >= said.entries or (late and last.unseen > 0)

    def export_checkpoints(self, *, hurry: bool = False) -> list[Exported]:
        """Hand out what waits, to each target in order.

        Args:
            hurry: Don't wait for the next try where one has failed.

        Returns:
            How far each target has got.
        """
        for target in self.policy.checkpoints.to:
            self._export(target, hurry=hurry)
        return list(self.notarized().targets)

    def _export(self, target: Export, *, hurry: bool) -> None:
        newest, known = self.store.glance(lambda cursor: (checkpoints.last(cursor).number, checkpoints.targets(cursor)))
        if any(one.target == target.title and one.number >= newest for one in known) or not newest:
            return
        lease = int(exporting.lease_of(target) * US)

        def taken(journal: Journal, cursor: Cursor) -> int | None:
            return checkpoints.take(cursor, target.title, journal.us, journal.us + lease, hurry=hurry)

        number = self._write(taken, durable=False)
        while number is not None and (waiting := self.store.glance(partial(checkpoints.after, number=number))):
            for number, note in waiting:
                if not self._exported(target, number, note, lease):
                    return
        if number is not None:
            self._write(lambda journal, cursor: checkpoints.done(cursor, target.title, journal.us), durable=False)

    def _exported(self, target: Export, number: int, note: str, lease: int) -> bool:
        try:
            exporting.export(target, number, note)
        except Exception as wrong:  # noqa: BLE001  # whatever it is, the other targets are handed theirs
            # The text of any other error may hold the token.
            named = isinstance(wrong, exporting.NotExported)
            trouble = str(wrong) if named else f"it can't be handed out: {type(wrong).__name__}"
            log.warning("checkpoint %d wasn't exported to %s, and is tried again: %s", number, target.title, trouble)
            self._write(
                lambda journal, cursor: checkpoints.failed(cursor, target.title, journal.us, trouble), durable=False
            )
            return False
        self._write(
            lambda journal, cursor: checkpoints.taken(cursor, target.title, number, journal.us + lease), durable=False
        )
        return True

    def checkpoints_after(self, number: int = 0) -> Iterator[tuple[int, str]]:
        """The checkpoints after one, each with its whole text.

        Args:
            number: The number of the last one that isn't wanted.
        """
        while found := self.store.glance(partial(checkpoints.after, number=number)):
            yield from found
            number = found[-1][0]

    def notarized(self) -> Notarized:
        """How far the checkpoints have got, and whether one from elsewhere is newer than the ledger."""
        titles = [one.title for one in self.policy.checkpoints.to]
        last, targets = self.store.glance(
            lambda cursor: (checkpoints.last(cursor), checkpoints.reached(cursor, titles))
        )
        return Notarized(last, targets, self._ahead(last.number))

    def _ahead(self, number: int) -> tuple[str, int] | None:
        there = [
            (one.title, exporting.newest_in(one.path)) for one in self.policy.checkpoints.to if isinstance(one, ToFile)
        ]
        newest = max(there, key=lambda one: one[1], default=("", 0))
        return newest if newest[1] > number else None

    # --- keys ------------------------------------------------------------------------------------------------

    def signing_keys(self) -> list[SigningKey]:
        """The public keys of checkpoints that the ledger knows, the oldest in front."""
        return self.store.glance(signing_keys.keys)

    def new_signing_key(self, *, by: str | Person) -> PrivateKey:
        """Make the first key, in the policy's file, or make the one there known to this ledger.

        Raises:
            LadderError: The policy names no file, or the ledger has a key already.
        """
        person, file, name = person_of(by), self._key_file(), origin_of(self.policy)
        if (present := self.store.glance(signing_keys.active)) is not None:
            raise AnswerRefused(f"the ledger has a signing key: {present.text}; `ladder keys rotate` hands it on")
        key = private_keys.read(file, name) if file.exists() else private_keys.make(file, name)
        whose = self.policy.agent
        self._write(lambda journal, cursor: signing_keys.first(journal, cursor, whose, key.public, person))
        return key

    def rotate_signing_key(self, *, by: str | Person) -> PrivateKey:
        """Let a new key sign from now on, by a checkpoint that the old one signs; the old private key is gone.

        Raises:
            LadderError: The old key isn't here; then `retire_signing_key` is the way.
        """
        person, file, old = person_of(by), self._key_file(), self._private_key()
        new = self._another(file, old.public[0])
        whose = self.policy.agent

        def hand_on(journal: Journal, cursor: Cursor) -> None:
            signing_keys.hand_on(journal, cursor, whose, old.public, old.sign, new.public, old.public[0], person)

        self._write(hand_on)
        os.replace(_aside(file), file)  # noqa: PTH105  # it says that what was there is gone
        return new

    def retire_signing_key(self, *, by: str | Person, reason: str) -> PrivateKey:
        """Take out a key that somebody else may have, and let a new one sign, which trusts it no more.

        Whoever verifies must be given the new public key in another way: the old one can't vouch for it.

        Raises:
            AnswerRefused: There is no reason, or no key yet.
        """
        person, file, name = person_of(by), self._key_file(), origin_of(self.policy)
        present = self.store.glance(signing_keys.active)
        if not reason.strip():
            raise AnswerRefused("say why the key is retired; it stays in the ledger")
        if present is None:
            raise AnswerRefused("there is no signing key yet; `ladder keys new` makes one")
        new, whose = self._another(file, name), self.policy.agent

        def retire(journal: Journal, cursor: Cursor) -> None:
            signing_keys.retire(journal, cursor, whose, present.key, new.public, new.sign, name, person, reason)

        self._write(retire)
        os.replace(_aside(file), file)  # noqa: PTH105  # as above
        return new

    def _another(self, file: Path, name: str) -> PrivateKey:
        """A key beside the present one, made anew: one that was left there never came to sign."""
        _aside(file).unlink(missing_ok=True)
        return private_keys.make(_aside(file), name)

    def _private_key(self, *, signing: bool = True) -> PrivateKey:
        """The key that lies here, and signs unless that isn't asked.

        Where somebody died between making a new one known and putting it in its place, that is done.
        """
        file, name = self._key_file(), origin_of(self.policy)
        present, aside = self.store.glance(signing_keys.active), _aside(file)
        if present is not None and aside.exists() and private_keys.read(aside, name).public == present.key:
            os.replace(aside, file)  # noqa: PTH105  # as above
        key = private_keys.read(file, name)
        if signing and (present is None or present.key != key.public):
            raise LadderError(self._other_key(present))
        return key

    def _other_key(self, present: SigningKey | None) -> str:
        if present is None:
            return "the ledger knows no signing key yet; `ladder keys new` makes one, or makes the one there known"
        return (
            f"{self._key_file()} isn't the key that signs now, which is {present.text}; copy that one here, or, where "
            "it is lost, `ladder keys retire`"
        )

    def _key_file(self) -> Path:
        file = self.policy.checkpoints.key
        if file is None:
            raise LadderError('the policy names no signing key: [checkpoints] key = "checkpoint.key"')
        return Path(file)


def _aside(file: Path) -> Path:
    return file.with_name(f"{file.name}.new")
