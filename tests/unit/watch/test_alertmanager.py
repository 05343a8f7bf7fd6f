"""What is read of a delivery, and what isn't."""

from __future__ import annotations

import copy
import json

import pytest

from ladder_graph.errors import SignalRefused
from ladder_graph.policy.checks import Alert, Python
from ladder_graph.watch import Signal, Surroundings, Told, already_firing, measured, told_of
from ladder_graph.watch.alertmanager import LARGEST, signals_of

NOW = 5_000_000_000_000_000
BEGAN = 1_533_300_000_000_000
STARTS = 1_533_282_746_739_266  # 2018-08-03T09:52:26.739266876+02:00
FIRING = {
    "status": "firing",
    "labels": {"alertname": "Down", "app": "shop"},
    "annotations": {"summary": "app=bank must be undone"},
    "startsAt": "2018-08-03T09:52:26.739266876+02:00",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example/graph",
    "fingerprint": "c6eadffa33fcdf37",
}
DELIVERY = {
    "version": "4",
    "groupKey": '{}:{alertname="Down"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "ladder",
    "groupLabels": {"alertname": "Down"},
    "commonLabels": {"alertname": "Down", "app": "shop"},
    "commonAnnotations": {},
    "externalURL": "http://alertmanager.example",
    "alerts": [FIRING, FIRING | {"status": "resolved", "fingerprint": "0a"}],
}
SHOP = Alert(labels={"app": "shop"})


def read(delivery):
    """Read a delivery that is written as Python."""
    return signals_of(json.dumps(delivery).encode(), NOW)


def signal(status="firing", *, starts=BEGAN, at=NOW, fingerprint="f", truncated=False, **labels):
    """A signal."""
    return Signal(fingerprint, starts, status, labels, at, truncated)


def test_each_alert_is_a_signal():
    """Its labels, its beginning to the microsecond, and a key that is the same when it is delivered again."""
    first, second = read(DELIVERY)
    assert first == Signal("c6eadffa33fcdf37", STARTS, "firing", {"alertname": "Down", "app": "shop"}, NOW)
    assert [first.key, second.key] == [f"c6eadffa33fcdf37/{STARTS}/firing", f"0a/{STARTS}/resolved"]
    assert [one.key for one in read(DELIVERY)] == [first.key, second.key]


def test_grafana_and_the_plain_form_are_read_as_well():
    """Grafana numbers the same shape differently; a single alert needs nothing around it."""
    assert len(read(DELIVERY | {"version": "1", "orgId": 1, "state": "alerting", "message": "x"})) == 2
    assert read(FIRING) == read(DELIVERY)[:1]


def broken(path, value):
    """The delivery with one value put elsewhere."""
    delivery = copy.deepcopy(DELIVERY)
    place = delivery
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return delivery


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["version"], "5"),
        (["version"], "1"),
        (["version"], 4),
        (["alerts"], {}),
        (["alerts", 1], None),
        (["alerts", 1, "status"], "pending"),
        (["alerts", 1, "labels"], []),
        (["alerts", 1, "labels"], {"app": 3}),
        (["alerts", 1, "labels"], {"app": "x" * 5000}),
        (["alerts", 1, "fingerprint"], ""),
        (["alerts", 1, "startsAt"], "yesterday"),
        (["alerts", 1, "startsAt"], "2018-08-03T09:52:26"),
        (["truncatedAlerts"], -1),
        (["truncatedAlerts"], True),
        (["truncatedAlerts"], "3"),
    ],
)
def test_what_cannot_be_read_whole_is_refused(path, value):
    """One odd alert refuses the delivery: of those beside it nothing is taken either."""
    with pytest.raises(SignalRefused):
        read(broken(path, value))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b'{"alerts": NaN}',
        b'{"version": "4", "alerts": []',
        json.dumps(DELIVERY).encode()[:-1],
        b"[" * 100_000,
        b" " * LARGEST + b"{}",
    ],
)
def test_what_is_no_delivery_is_refused(body):
    """Cut off, too deep, too large, not JSON."""
    with pytest.raises(SignalRefused):
        signals_of(body, NOW)


def test_alerts_that_were_left_out_count_as_firing():
    """They share the group's labels, and nothing else is known of them, so they mean whatever these don't exclude."""
    *_, rest = read(DELIVERY | {"truncatedAlerts": 3})
    assert (rest.status, rest.truncated, rest.labels, rest.starts) == ("firing", True, {"alertname": "Down"}, NOW)
    other = Alert(labels={"app": "shop", "alertname": "Slow"})
    assert [told.check for told in told_of([SHOP, other], [rest], BEGAN)] == [0]


def test_only_labels_of_the_policy_say_which_watch_is_meant():
    """Every label exactly; what the annotations say means nothing."""
    checks = [Python(function="a:b"), SHOP, Alert(labels={"app": "bank"}), Alert(labels={"app": "shop", "zone": "eu"})]
    signals = [signal(app="shop", zone="us"), signal("resolved", app="bank"), signal(app="SHOP")]
    assert list(told_of(checks, signals, BEGAN)) == [Told("firing", NOW, check=1)]


def test_an_alert_from_before_is_not_blamed_on_the_action():
    """It fired already, so the action shouldn't have been let through, but it didn't cause it."""
    before = signal(starts=BEGAN - 1, app="shop")
    assert list(told_of([SHOP], [before], BEGAN)) == []
    assert already_firing([SHOP], [before]) == before


def test_what_is_resolved_fires_no_more():
    """By what was delivered last of the same alert; a dry run and other labels have no say."""
    fired, over = signal(at=1, app="shop"), signal("resolved", at=2, app="shop")
    assert already_firing([SHOP], [over, fired]) is None
    assert already_firing([SHOP], [signal("resolved", at=1, app="shop"), signal(at=2, app="shop")]) is not None
    assert already_firing([SHOP.model_copy(update={"dry_run": True}), Alert(labels={"app": "bank"})], [fired]) is None
    assert already_firing([SHOP], [signal(truncated=True)]) is None


def heard(check, *signals, now=NOW):
    """The verdict on an alert."""
    return measured(check, {}, Surroundings(began=BEGAN, signals=signals, clock=lambda: now)).verdict


def test_silence_is_good_only_where_alerts_are_known_to_get_through():
    """The alert that always fires must have been delivered a short while ago."""
    watched = Alert(labels={"app": "shop"}, alive={"alertname": "Watchdog"}, alive_within=60)
    dog = signal(at=NOW - 60_000_000, starts=0, alertname="Watchdog")
    assert heard(SHOP) == heard(SHOP, dog) == heard(watched) == "inconclusive"
    assert heard(watched, dog) == "good"
    assert heard(watched, dog, now=NOW + 1) == "inconclusive"
    assert heard(watched, signal("resolved", at=NOW, alertname="Watchdog")) == "inconclusive"
    assert heard(watched, signal(at=NOW, truncated=True)) == "bad"
    assert heard(watched, dog, signal(app="shop")) == "bad"
