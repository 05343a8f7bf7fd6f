"""Alerts that were delivered from outside, and what they mean for one watch. Pure.

Which alerts mean an action is said by the labels in its policy, and by nothing in the alert itself. An alert that began
before the action is not blamed on it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ladder_graph.policy.checks import Alert, Check
from ladder_graph.policy.units import MICRO
from ladder_graph.watch.phase import Told
from ladder_graph.watch.verdicts import GOOD, Found, bad, inconclusive

SHORTEST = 16
"""Characters of a token that can't be guessed."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One alert of one delivery."""

    fingerprint: str
    """The sender's id of the alert; of the group, where alerts were left out."""
    starts: int
    """Since when it fires, in microseconds since the epoch."""
    status: Literal["firing", "resolved"]
    labels: Mapping[str, str]
    """The labels; those of the group, where alerts were left out."""
    at: int
    """When it was delivered, in microseconds since the epoch."""
    truncated: bool = False
    """It stands for alerts that the sender left out."""

    @property
    def key(self) -> str:
        """What tells it from others; the same alert delivered again has the same."""
        return f"{self.fingerprint}/{self.starts}/{self.status}"


def authorised(header: str | None, token: str) -> bool:
    """Whether an `Authorization` header carries the token. An empty token lets nobody in.

    Example:
        >>> authorised("Bearer opensesame", "opensesame"), authorised("Bearer ", ""), authorised(None, "opensesame")
        (True, False, False)
    """
    scheme, _, given = (header or "").partition(" ")
    alike = hmac.compare_digest(given.strip().encode(), token.encode())
    return alike and bool(token) and scheme.lower() == "bearer"


def matches(labels: Mapping[str, str], signal: Signal) -> bool:
    """Whether a signal is about these labels. One for alerts that were left out is, unless its group says otherwise."""
    if signal.truncated:
        return all(signal.labels.get(name, value) == value for name, value in labels.items())
    return all(signal.labels.get(name) == value for name, value in labels.items())


def told_of(checks: Sequence[Check], signals: Iterable[Signal], began: int) -> Iterator[Told]:
    """What the delivered alerts say to a watch, for `judge`.

    Args:
        checks: The checks of the rule, by which a check is numbered.
        signals: What was delivered; more than is about this watch does no harm.
        began: When the watch began, in microseconds since the epoch.
    """
    alerts = [(place, check) for place, check in enumerate(checks) if isinstance(check, Alert)]
    for signal in signals:
        for place, check in alerts:
            if _blamed(check, signal, began):
                yield Told("firing", signal.at, check=place)


def already_firing(checks: Sequence[Check], signals: Iterable[Signal]) -> Signal | None:
    """An alert that fires before the action, by what was last delivered of it; then it should not run unasked.

    What was left out of a delivery is not counted here: nobody would be told when it is over.
    """
    last: dict[tuple[str, int], Signal] = {}
    for signal in sorted(signals, key=lambda one: (one.at, one.status == "resolved")):
        last[signal.fingerprint, signal.starts] = signal
    watched = [check.labels for check in checks if isinstance(check, Alert) and not check.dry_run]
    return next(
        (
            signal
            for signal in last.values()
            if signal.status == "firing" and not signal.truncated and any(matches(one, signal) for one in watched)
        ),
        None,
    )


def heard(check: Alert, signals: Sequence[Signal], began: int, now: int) -> Found:
    """Measure an alert: bad where one began since the action, good only where it is known that alerts get through."""
    if any(_blamed(check, signal, began) for signal in signals):
        return bad(f"the {check.title} fires")
    if check.alive is None:
        return inconclusive(f"the {check.title} was not heard, and nothing shows that it would be")
    since = now - int(check.alive_within * MICRO)
    alive = [one for one in signals if one.status == "firing" and not one.truncated and since <= one.at <= now]
    if any(matches(check.alive, one) for one in alive):
        return GOOD
    return inconclusive(f"the {check.title} was not heard, and neither was the alert that always fires")


def _blamed(check: Alert, signal: Signal, began: int) -> bool:
    return signal.status == "firing" and signal.starts >= began and matches(check.labels, signal)
