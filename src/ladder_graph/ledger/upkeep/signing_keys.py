"""The public keys of checkpoints in the ledger: each is an entry that says who and when, and a row to look up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, literal_column, select, update

from ladder_graph.errors import AnswerRefused
from ladder_graph.facts import Person
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.proof.checkpoints_alone import Key, read_key, spell_key
from ladder_graph.ledger.tables import checkpoint_rows
from ladder_graph.ledger.upkeep import checkpoints
from ladder_graph.ledger.upkeep.checkpoints import Sign

_key = table_of(checkpoint_rows.SigningKeyRow)
_INSERT = insert_into(checkpoint_rows.SigningKeyRow)
_END = Sql.of(
    update(_key)
    .where(_key.c.key == bindparam("b_key"), _key.c.state == literal_column("'active'"))
    .values(state=bindparam("state"), ended_us=bindparam("ended"))
)
_ALL = Sql.of(select(_key).order_by(_key.c.at_us, _key.c.key))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key of checkpoints."""

    key: Key
    at_us: int
    by: str
    state: str
    """active, handed_on or retired."""
    ended_us: int | None

    @property
    def text(self) -> str:
        """It as text, for whoever verifies."""
        return spell_key(self.key)


def keys(cursor: Cursor) -> list[SigningKey]:
    """All that are known, the oldest in front."""
    return [_of(row) for row in cursor.execute(_ALL, {}).fetchall()]


def active(cursor: Cursor) -> SigningKey | None:
    """The one that signs; None before the first."""
    return next((one for one in keys(cursor) if one.state == "active"), None)


def first(journal: Journal, cursor: Cursor, stream: str, key: Key, by: Person) -> None:
    """Make the first key known.

    Raises:
        AnswerRefused: There is one already.
    """
    if (present := active(cursor)) is not None:
        if present.key == key:
            return
        raise AnswerRefused(f"the ledger has a signing key: {present.text}; `ladder keys rotate` hands it on")
    _known(journal, cursor, stream, "key_made", key, by)


def hand_on(
    journal: Journal, cursor: Cursor, stream: str, old: Key, sign: Sign, new: Key, origin: str, by: Person
) -> None:
    """Let another key sign from now on: a checkpoint that the old one signs says so.

    Raises:
        AnswerRefused: The old one isn't the one that signs.
    """
    _end(journal, cursor, old, "handed_on")
    _known(journal, cursor, stream, "key_rotated", new, by, before=spell_key(old))
    checkpoints.make(cursor, origin, old, sign, journal.us, (("next", new),))


def retire(
    journal: Journal, cursor: Cursor, stream: str, old: Key, new: Key, sign: Sign, origin: str, by: Person, reason: str
) -> None:
    """Take a key out that somebody else may have: a checkpoint that the new one signs says so.

    Raises:
        AnswerRefused: The old one isn't the one that signs.
    """
    _end(journal, cursor, old, "retired")
    _known(journal, cursor, stream, "key_retired", new, by, before=spell_key(old), reason=reason)
    checkpoints.make(cursor, origin, new, sign, journal.us, (("retired", old),))


def take_up(journal: Journal, cursor: Cursor, stream: str, key: Key, by: Person, retired: Collection[Key] = ()) -> None:
    """Let a key sign that did so before the ledger was put back to a time when it wasn't known.

    Args:
        journal: The moment.
        cursor: In a transaction.
        stream: Whose chain says so.
        key: The key.
        by: Who says so.
        retired: Keys that were taken out meanwhile, as later checkpoints say.
    """
    if (present := active(cursor)) is not None:
        _end(journal, cursor, present.key, "retired" if present.key in retired else "handed_on")
    _known(journal, cursor, stream, "key_rotated", key, by, before="" if present is None else present.text)


def _end(journal: Journal, cursor: Cursor, old: Key, state: str) -> None:
    cursor.execute(_END, {"b_key": spell_key(old), "state": state, "ended": journal.us})
    if cursor.rowcount != 1:
        raise AnswerRefused(f"{spell_key(old)} isn't the key that signs now; `ladder keys list` tells which does")


def _known(journal: Journal, cursor: Cursor, stream: str, kind: str, key: Key, by: Person, **more: str) -> None:
    text = spell_key(key)
    if any(one.text == text for one in keys(cursor)):
        raise AnswerRefused(f"{text} was a key of this ledger before; each key signs for one stretch only")
    row = {"key": text, "at_us": journal.us, "by": by.name, "state": "active", "ended_us": None}
    cursor.execute(_INSERT, row)
    journal.append(cursor, stream, kind, "", {"key": text, "by": by.name, "auth": by.auth, **more})


def _of(row: Any) -> SigningKey:
    return SigningKey(read_key(row["key"]), row["at_us"], row["by"], row["state"], row["ended_us"])
