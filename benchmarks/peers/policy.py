"""The one policy that every gate is given, and the calls it is asked about: twenty tools, three verdicts.

- Eight tools only read: they are allowed, whatever their arguments.
- Eight pay or send: allowed up to `MOST` and to one of `RECIPIENTS`, else a person is asked.
- Two always ask, and two are always refused.

A peer that knows no question refuses instead, which costs no more. Nothing but Python is needed here, since every
peer's environment imports it.
"""

from __future__ import annotations

import itertools
from typing import Any, Literal

Verdict = Literal["allow", "ask", "refuse"]

READING = tuple(f"get_{noun}" for noun in ("order", "invoice", "person", "stock", "price", "ticket", "mail", "log"))
MOVING = tuple(f"{verb}_money" for verb in ("pay", "refund", "send", "lend", "grant", "credit", "prepay", "advance"))
ASKING = ("close_account", "change_owner")
REFUSED = ("drop_table", "wipe_disk")
TOOLS = READING + MOVING + ASKING + REFUSED
"""All twenty."""
MOST = 500
"""The largest amount that needs no question."""
RECIPIENTS = tuple(f"{name}@shop.example" for name in ("ana", "bo", "cleo", "dan", "eve", "fay", "gus", "hal"))
"""Who may be sent something without a question."""

Asked = tuple[str, dict[str, Any], Verdict]
"""A tool, its arguments, and what is right."""


def _calls() -> list[Asked]:
    reads: list[Asked] = [(tool, {"id": f"R-{n}", "limit": 20}, "allow") for n, tool in enumerate(READING)]
    moves: list[Asked] = []
    for n, (tool, to) in enumerate(zip(MOVING, itertools.cycle(RECIPIENTS), strict=False)):
        common = {"currency": "CHF", "note": f"for order {n}"}
        moves += [
            (tool, {"to": to, "amount": MOST - n, **common}, "allow"),
            (tool, {"to": to, "amount": MOST + 1 + n, **common}, "ask"),
            (tool, {"to": f"mallory{n}@elsewhere.example", "amount": 1 + n, **common}, "ask"),
        ]
    rest: list[Asked] = [(tool, {"id": "A-1"}, "ask") for tool in ASKING]
    return reads + moves + rest + [(tool, {"id": "X-1"}, "refuse") for tool in REFUSED]


CALLS = tuple(_calls())
"""Thirty-six calls: sixteen are allowed, eighteen asked about, two refused."""


def by_hand(tool: str, arguments: dict[str, Any]) -> Verdict:
    """The policy as a function written for it alone: what a gate is given that leaves the deciding to its user."""
    if tool in _READING:
        return "allow"
    if tool in _MOVING:
        return "allow" if arguments["amount"] <= MOST and arguments["to"] in _RECIPIENTS else "ask"
    return "ask" if tool in _ASKING else "refuse"


_READING, _MOVING, _ASKING, _RECIPIENTS = map(frozenset, (READING, MOVING, ASKING, RECIPIENTS))
