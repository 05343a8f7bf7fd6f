"""Signing in and out in the ledger: each link is used once, and each visit ends. Each is one function on a cursor."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, bindparam, select, update

from ladder_graph.facts import Person
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.tables import visit_rows

_link, _visit = table_of(visit_rows.LinkRow), table_of(visit_rows.VisitRow)
_now: BindParameter[int] = bindparam("now")

_INSERT_LINK = insert_into(visit_rows.LinkRow)
_INSERT_VISIT = insert_into(visit_rows.VisitRow)
_USE = Sql.of(
    update(_link)
    .where(_link.c.hash == bindparam("b_hash"), _link.c.used_us.is_(None), _link.c.ends_us > _now)
    .values(used_us=_now)
)
_GOOD = Sql.of(
    select(_link.c.person).where(_link.c.hash == bindparam("hash"), _link.c.used_us.is_(None), _link.c.ends_us > _now)
)
_WHOSE = Sql.of(select(_link.c.person).where(_link.c.hash == bindparam("hash")))
_VISIT = Sql.of(
    select(_visit).where(_visit.c.hash == bindparam("hash"), _visit.c.ended_us.is_(None), _visit.c.ends_us > _now)
)
_VISITS = Sql.of(
    select(_visit).where(_visit.c.ended_us.is_(None), _visit.c.ends_us > _now).order_by(_visit.c.began_us.desc())
    .limit(bindparam("limit"))
)  # fmt: skip
_END = Sql.of(
    update(_visit).where(_visit.c.hash == bindparam("b_hash"), _visit.c.ended_us.is_(None)).values(ended_us=_now)
)
_AGAIN = Sql.of(update(_visit).where(_visit.c.hash == bindparam("b_hash")).values(again_us=_now))

SECRET = 32
"""Random bytes in a link and in a cookie."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who is signed in."""

    hash: str
    """What the ledger knows of the secret in their cookie."""
    person: Person
    began_us: int
    """Since when, in microseconds since the epoch."""
    again_us: int
    """When they last showed that it is them."""
    ends_us: int
    """Until when at most."""
    agent: str = ""
    """The browser, as it names itself."""


def hashed(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "backslashreplace")).hexdigest()


def make_link(journal: Journal, cursor: Cursor, stream: str, person: str, by: Person, ends_us: int) -> str:
    """Make a link that signs a person in once, and return its secret, which is kept nowhere.

    Args:
        journal: Writes it down.
        cursor: In a transaction.
        stream: The agent in whose chain it is written.
        person: Whom it signs in.
        by: Who makes it.
        ends_us: Until when it is good, in microseconds since the epoch.
    """
    secret = secrets.token_urlsafe(SECRET)
    cursor.execute(_INSERT_LINK, {
        "hash": hashed(secret), "person": person, "made_us": journal.us, "made_by": f"{by.name} ({by.auth})",
        "ends_us": ends_us, "used_us": None,
    })  # fmt: skip
    journal.append(cursor, stream, "link_made", "", {"person": person, "by": by.name, "auth": by.auth})
    return secret


def link_for(cursor: Cursor, secret: str, now_us: int) -> str | None:
    """Whom a link would sign in; None where it is none, or is good no more."""
    found = cursor.execute(_GOOD, {"hash": hashed(secret), "now": now_us}).fetchone()
    return None if found is None else str(found[0])


def use_link(journal: Journal, cursor: Cursor, secret: str) -> str | None:
    """Use a link up: whom it signs in; None where it is none, was used, or is too old."""
    cursor.execute(_USE, {"b_hash": hashed(secret), "now": journal.us})
    if cursor.rowcount != 1:
        return None
    return str(cursor.execute(_WHOSE, {"hash": hashed(secret)}).fetchone()[0])


def begin(
    journal: Journal, cursor: Cursor, stream: str, person: Person, ends_us: int, agent: str = "", *, shown: bool = True
) -> tuple[str, Visit]:
    """Sign somebody in: the secret for their cookie, and the visit.

    Args:
        journal: Writes it down.
        cursor: In a transaction.
        stream: The agent in whose chain it is written.
        person: Who it is.
        ends_us: Until when at most, in microseconds since the epoch.
        agent: The browser, as it names itself.
        shown: Whether they have just shown that it is them.
    """
    secret = secrets.token_urlsafe(SECRET)
    kept = hashed(secret)
    row = {
        "hash": kept, "person": person.name, "auth": person.auth, "began_us": journal.us,
        "again_us": journal.us if shown else 0, "ends_us": ends_us, "ended_us": None, "agent": agent[:200],
    }  # fmt: skip
    cursor.execute(_INSERT_VISIT, row)
    journal.append(cursor, stream, "signed_in", "", {"by": person.name, "auth": person.auth, "visit": kept[:12]})
    return secret, _visit_of(row)


def find(cursor: Cursor, secret: str, now_us: int) -> Visit | None:
    """Whose cookie it is; None where nobody's, or not any more."""
    found = cursor.execute(_VISIT, {"hash": hashed(secret), "now": now_us}).fetchone()
    return None if found is None else _visit_of(found)


def again(journal: Journal, cursor: Cursor, stream: str, visit: Visit) -> None:
    """They have shown once more that it is them."""
    cursor.execute(_AGAIN, {"b_hash": visit.hash, "now": journal.us})
    body = {"by": visit.person.name, "auth": visit.person.auth, "visit": visit.hash[:12]}
    journal.append(cursor, stream, "signed_in_again", "", body)


def end(journal: Journal, cursor: Cursor, stream: str, digest: str, by: Person) -> bool:
    """End a visit, by the beginning of nothing less than its whole hash; whether there was one."""
    cursor.execute(_END, {"b_hash": digest, "now": journal.us})
    if cursor.rowcount != 1:
        return False
    journal.append(cursor, stream, "signed_out", "", {"by": by.name, "auth": by.auth, "visit": digest[:12]})
    return True


def present(cursor: Cursor, now_us: int, limit: int = 200) -> list[Visit]:
    """Everybody who is signed in, the latest in front."""
    return [_visit_of(row) for row in cursor.execute(_VISITS, {"now": now_us, "limit": limit}).fetchall()]


def _visit_of(row: Mapping[str, Any]) -> Visit:
    return Visit(
        row["hash"], Person(row["person"], row["auth"]), row["began_us"], row["again_us"], row["ends_us"], row["agent"]
    )
