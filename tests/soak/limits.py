"""Limits, counted anew from what ran, without a look at the counters; and then the counters beside that.

A call is counted for the moment at which it was sent to its rung, which nobody has written down; it is a little before
the one at which it was claimed. So near the ends of a window, and where something stood still meanwhile, a call is left
out: what is found too much was certainly too much.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.soak import rules
from tests.soak.director import Act
from tests.soak.records import US, Records

BEFORE = 3.0
"""Seconds before its claim at which a call was sent to its rung at the earliest, where nothing stood still."""


def moments(records: Records, actions: list[dict[str, Any]]) -> list[tuple[float, dict[str, Any]]]:
    """When each was claimed, in seconds; without those that something may have held up before that."""
    standstills = [
        _standstill(act) for act in records.acts if act.what.endswith(("stopped", "cut")) or "database" in act.what
    ]
    found = ((records.starts(one)[0]["at_us"] / US, one) for one in actions)
    return [(at, one) for at, one in sorted(found, key=lambda pair: pair[0]) if not _held_up(at, standstills)]


def _standstill(act: Act) -> tuple[float, float]:
    return act.at, act.at + act.seconds + BEFORE


def _held_up(at: float, standstills: list[tuple[float, float]]) -> bool:
    return any(begin <= at and at - BEFORE <= end for begin, end in standstills)


def most_in(length: float, at: list[tuple[float, int]]) -> int:
    """The most that any stretch of this length held."""
    most = total = first = 0
    for last, (moment, amount) in enumerate(at):
        total += amount
        while at[first][0] <= moment - length:
            total -= at[first][1]
            first += 1
        most = max(most, total) if last >= first else most
    return most


def minutes(at: list[tuple[float, int]]) -> Counter[int]:
    """How much each minute of the calendar held, without its first seconds."""
    found: Counter[int] = Counter()
    for moment, amount in at:
        if moment % 60 >= BEFORE:
            found[int(moment // 60)] += amount
    return found


def by_the_minute(records: Records) -> Iterator[str | None]:
    """No minute held more calls of a tool than its limit."""
    for tool in ("switch", "write", "page", "mail", "tell"):
        for minute, count in minutes([(at, 1) for at, _ in moments(records, records.unasked(tool))]).items():
            yield f"{tool}: {count} in minute {minute}, of {rules.MINUTE}" if count > rules.MINUTE else None


def in_any_stretch(records: Records) -> Iterator[str | None]:
    """No twenty seconds held more shipments than their limit, and no half minute more pings than their rate."""
    for tool, length, most in (
        ("ship", 20, rules.TWENTY), ("ping", 30, rules.STRETCH + rules.BURST),
    ):  # fmt: skip
        at = [(moment, 1) for moment, _ in moments(records, records.unasked(tool))]
        for one, _ in at:
            held = sum(one - (length - BEFORE) < other <= one for other, _ in at)
            yield f"{tool}: {held} in {length} seconds, of {most}" if held > most else None


def money(records: Records) -> Iterator[str | None]:
    """No minute cost more than its limit, and no account was charged more often than it may be."""
    found = moments(records, records.unasked("charge"))
    for minute, sum_ in minutes([(at, one["arguments"]["amount"]) for at, one in found]).items():
        yield f"${sum_} in minute {minute}, of ${rules.SUM}" if sum_ > rules.SUM else None
    for account in rules.ACCOUNTS:
        mine = [(at, 1) for at, one in found if one["arguments"]["account"] == account]
        for minute, count in minutes(mine).items():
            yield f"{account}: {count} in minute {minute}, of {rules.EACH}" if count > rules.EACH else None


def of_threads(records: Records) -> Iterator[str | None]:
    """No thread shipped more often than it ever may."""
    for thread, count in Counter(one["thread"] for one in records.unasked("ship")).items():
        yield f"{thread}: {count} shipments, of {rules.THREAD}" if count > rules.THREAD else None


def counters(records: Records) -> Iterator[str | None]:
    """Each counter that is for ever holds what ran, and none holds more than its limit."""
    ran = Counter(one["thread"] for one in records.unasked("ship"))
    for row in records.ledger["quotas"]:
        holds = row["used"] + row["reserved"]
        if holds > row["lim"]:
            yield f"{row['quota']} holds {holds}, of {row['lim']}"
        elif "/ship@" in row["quota"]:
            thread = row["quota"].partition("/ship@")[2].partition("/")[0]
            yield f"{row['quota']} holds {holds}, and {ran[thread]} ran" if holds != ran[thread] else None
        else:
            yield None


def holds(records: Records) -> Iterator[str | None]:
    """What is held is held for an action in doubt, and is what its counters say."""
    states = {one["key"]: one["state"] for one in records.ledger["actions"]}
    held: defaultdict[tuple[str, int], int] = defaultdict(int)
    for one in records.ledger["holds"]:
        held[one["quota"], one["window"]] += one["amount"]
        in_doubt = states[one["action"]] in {"unknown", "started", "paused", "undoing"}
        yield None if in_doubt else f"{one['action'][:8]} is {states[one['action']]}, and still holds {one['quota']}"
    for row in records.ledger["quotas"]:
        is_held = held[row["quota"], row["window"]]
        yield None if is_held == row["reserved"] else f"{row['quota']}: {row['reserved']} reserved, {is_held} held"


def chain(records: Records) -> Iterator[str | None]:
    """Each entry follows the one before it: no number is left out, and each names the hash of the last."""
    for before, after in pairwise(records.ledger["entries"]):
        if before["stream"] == after["stream"]:
            whole = after["n"] == before["n"] + 1 and after["prev"] == before["hash"]
            yield None if whole else f"{after['stream']} {after['n']} doesn't follow {before['n']}"


CHECKS = (by_the_minute, in_any_stretch, money, of_threads, counters, holds, chain)
