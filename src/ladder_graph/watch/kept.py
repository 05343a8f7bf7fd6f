"""Alerts as the ledger keeps them, and whether one of them fires before an action."""

from __future__ import annotations

from collections.abc import Sequence

from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.watching import signals
from ladder_graph.policy.checks import Alert, Check
from ladder_graph.watch.signals import Signal, already_firing, matches


def kept_alert(one: Signal) -> signals.Signal:
    """An alert as it is kept."""
    body = {
        "fingerprint": one.fingerprint, "starts": one.starts, "status": one.status, "labels": dict(one.labels),
        "cut": one.truncated,
    }  # fmt: skip
    return signals.Signal(f"alert/{one.key}", one.at, "alert", "", body)


def alert_of(one: signals.Signal, now: int) -> Signal:
    """An alert as it was kept; what came in by a clock that is ahead came in now."""
    body = one.body
    return Signal(body["fingerprint"], body["starts"], body["status"], body["labels"], min(one.at_us, now), body["cut"])


def fires(cursor: Cursor, checks: Sequence[Check], now: int) -> str:
    """Which alert of these checks fires already, in words; empty where none does.

    Args:
        cursor: In a transaction.
        checks: The checks of the rule.
        now: The present, in microseconds since the epoch.
    """
    asked = [check for check in checks if isinstance(check, Alert) and not check.dry_run]
    if not asked:
        return ""
    heard = [alert_of(one, now) for one in signals.firing(cursor, now)]
    found = already_firing(asked, heard)
    if found is None:
        return ""
    meant = next(check for check in asked if matches(check.labels, found))
    return f"the {meant.title} fires already, so nobody could tell what the action does"
