"""Reading what Alertmanager (webhook version 4) and Grafana deliver, and the plain form for everybody else. Pure.

A delivery is read whole or not at all. Of an alert only its labels, fingerprint, status and beginning are taken; its
annotations and links are somebody's text, and nothing here depends on them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from ladder_graph.errors import SignalRefused
from ladder_graph.policy.units import MICRO
from ladder_graph.watch.signals import Signal

LARGEST = 1_000_000
"""Bytes of a delivery; a larger one is refused before it is read."""
_LONGEST = 4096
"""Characters of a label or a fingerprint."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def signals_of(body: bytes, now: int) -> list[Signal]:
    """Read one delivery.

    Args:
        body: Alertmanager's webhook JSON, Grafana's, or a single alert: `{"status": "firing", "labels": {...},
            "fingerprint": "...", "startsAt": "2026-01-31T09:00:00Z"}`.
        now: When it came, in microseconds since the epoch.

    Raises:
        SignalRefused: It can't be read whole. Nothing of it was taken.

    Example:
        >>> alert = {"status": "firing", "labels": {"app": "shop"}, "fingerprint": "f1"}
        >>> body = json.dumps(alert | {"startsAt": "1970-01-01T00:00:01Z"}).encode()
        >>> (one,) = signals_of(body, 7)
        >>> one.labels, one.starts, one.key
        ({'app': 'shop'}, 1000000, 'f1/1000000/firing')
    """
    if len(body) > LARGEST:
        raise SignalRefused(f"it has {len(body)} bytes, more than {LARGEST}")
    try:
        given = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise SignalRefused("it is no JSON, or not all of it") from None
    delivery = _table(given, "it")
    if "alerts" not in delivery:
        return [_alert(delivery, now, "it")]
    _known_version(delivery)
    alerts = delivery["alerts"]
    if not isinstance(alerts, list):
        raise SignalRefused("its alerts are no list")
    return [_alert(one, now, f"alerts[{place}]") for place, one in enumerate(alerts)] + _left_out(delivery, now)


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _known_version(delivery: Mapping[str, Any]) -> None:
    # Grafana sends the same shape as its own version 1, with the organisation it comes from.
    version = delivery.get("version")
    if version != "4" and not (version == "1" and "orgId" in delivery):
        raise SignalRefused(
            f'its version is {version!r:.60}, and only "4" of Alertmanager and "1" of Grafana are known'
        )


def _left_out(delivery: Mapping[str, Any], now: int) -> list[Signal]:
    """One signal that fires for all alerts that the sender left out, since nobody knows what they are."""
    count = delivery.get("truncatedAlerts", 0)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise SignalRefused("its truncatedAlerts is no count")
    if not count:
        return []
    group = _text(delivery, "groupKey", "it")
    # The common labels are those of the alerts that were sent; the ones left out share the group's only.
    labels = _labels(delivery, "groupLabels", "it")
    name = "group:" + hashlib.sha256(group.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return [Signal(name, now, "firing", labels, now, truncated=True)]


def _alert(given: Any, now: int, place: str) -> Signal:
    alert = _table(given, place)
    status = _status(alert.get("status"), place)
    fingerprint = _text(alert, "fingerprint", place)
    starts = _moment(_text(alert, "startsAt", place), place)
    return Signal(fingerprint, starts, status, _labels(alert, "labels", place), now)


def _status(given: Any, place: str) -> Literal["firing", "resolved"]:
    match given:
        case "firing":
            return "firing"
        case "resolved":
            return "resolved"
        case _:
            raise SignalRefused(f'the status of {place} is neither "firing" nor "resolved"')


def _table(given: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise SignalRefused(f"{place} is no table")
    return given


def _text(table: Mapping[str, Any], key: str, place: str) -> str:
    text = table.get(key)
    if not isinstance(text, str) or not text or len(text) > _LONGEST:
        raise SignalRefused(f"the {key} of {place} is missing, or no text of at most {_LONGEST} characters")
    return text


def _labels(table: Mapping[str, Any], key: str, place: str) -> dict[str, str]:
    labels = _table(table.get(key), f"the {key} of {place}")
    if not all(isinstance(value, str) and len(value) <= _LONGEST for value in labels.values()):
        raise SignalRefused(f"the {key} of {place} are not all short texts")
    return dict(labels)


def _moment(text: str, place: str) -> int:
    """RFC 3339; what is finer than a microsecond is cut off."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SignalRefused(f"the startsAt of {place} is no date and time with an offset")
    passed = moment - _EPOCH
    return (passed.days * 86400 + passed.seconds) * MICRO + passed.microseconds
