"""What stays of an entry whose payload is erased: codes, numbers and keys, by which rules and people counted it.

It stands in the entry that says what was erased. What anybody said, wrote or was given isn't among it, so a call's
arguments are gone, and that it was declined, and by whom, is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import bindparam, literal_column, select

from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.tables import rows

KIND = "erased"
"""The kind of the entries that say what was erased."""

FACTS = frozenset({
    "policy", "tool", "digest", "thread", "call", "env", "scope", "rung", "edited_from", "part_of", "report", "read_by",
    "by", "auth", "looked", "characters", "batch", "verdict", "fault", "question", "requester", "void", "outcome",
    "took_us", "cost", "held", "state", "phase", "fence", "follows", "superseded_by", "draft", "sha256", "attempt",
    "started", "expires", "undo", "watch", "probe", "saga", "untouched",
})  # fmt: skip
"""Fields that say nothing about what a call was about. Only plain values of them stay."""

WHOLE = frozenset({
    KIND, "incident", "probe", "promoted", "demoted", "sampled", "carried", "earns_again", "rehearsed", "attested",
    "replayed", "pinned", "environment", "digest", "read", "lapsed", "policy", "key_made", "key_rotated", "key_retired",
    "restored", "acknowledged_restore",
})  # fmt: skip
"""Kinds of entries that are never erased: by them a tool stands where it stands, and no mistake is erased away."""

_entry, _payload = table_of(rows.EntryRow), table_of(rows.PayloadRow)
_ERASURES = Sql.of(
    select(_payload.c.body)
    .join(_entry, _payload.c.hash == _entry.c.payload)
    .where(_entry.c.stream == bindparam("stream"), _entry.c.kind == literal_column(f"'{KIND}'"), rows.RARE)
)


def remnant(body: Mapping[str, Any]) -> dict[str, Any]:
    """What stays of what an entry says.

    Args:
        body: What it says.

    Example:
        >>> remnant({"tool": "pay", "arguments": {"to": "ana"}, "reasons": [["outside_range", "9 is above 3"]]})
        {'tool': 'pay', 'arguments': {}, 'reasons': [['outside_range', '']]}
    """
    kept: dict[str, Any] = {}
    for name, value in body.items():
        if name == "arguments":
            kept[name] = {}
        elif name == "reasons" and isinstance(value, list):
            kept[name] = [[str(reason[0]), ""] for reason in value if isinstance(reason, list) and reason]
        elif name in FACTS and (value is None or isinstance(value, str | int | float)):
            kept[name] = value
    return kept


def says_more(kind: str, body: Mapping[str, Any]) -> bool:
    """Whether an entry says anything that would be erased."""
    return kind not in WHOLE and any(body[name] for name in body.keys() - remnant(body).keys() | _worded(body))


def _worded(body: Mapping[str, Any]) -> set[str]:
    return {name for name in ("arguments", "reasons") if body.get(name)}


def remnants(connection: Any, stream: str) -> dict[str, dict[str, Any]]:
    """What stays of everything that was erased of a chain, by the payloads' hashes.

    Args:
        connection: As `Store.scan` gives it.
        stream: Whose chain.
    """
    return dict(_kept(body for (body,) in connection.execute(_ERASURES, {"stream": stream})))


def _kept(bodies: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for body in bodies:
        found = json.loads(body).get("kept")
        yield from found.items() if isinstance(found, dict) else ()
