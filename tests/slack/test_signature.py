"""Slack's signature, version 0: over the raw body, and good for five minutes."""

from __future__ import annotations

import pytest

from ladder_graph.slack.signature import genuine, sign

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # noqa: S105  # of the documentation
STAMP = "1531420618"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121."
    b"803a0bc887a14d10d2c447fce8b6703c"
)
SIGNED = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
NOW = 1531420618.0


def test_the_published_example_is_genuine():
    """The example in Slack's own documentation."""
    assert sign(SECRET, STAMP, BODY) == SIGNED
    assert genuine(SECRET, STAMP, BODY, SIGNED, NOW)


@pytest.mark.parametrize("away", [-300, 300])
def test_five_minutes_either_way_will_do(away):
    """Clocks differ."""
    assert genuine(SECRET, STAMP, BODY, SIGNED, NOW + away)


@pytest.mark.parametrize(
    ("secret", "stamp", "body", "signature", "now"),
    [
        (SECRET, STAMP, BODY + b"&", SIGNED, NOW),
        (SECRET[:-1], STAMP, BODY, SIGNED, NOW),
        (SECRET, "1531420619", BODY, SIGNED, NOW),
        (SECRET, STAMP, BODY, SIGNED.removeprefix("v0="), NOW),
        (SECRET, STAMP, BODY, SIGNED.upper(), NOW),
        (SECRET, STAMP, BODY, "", NOW),
        (SECRET, STAMP, BODY, "v0=é", NOW),
        (SECRET, STAMP, BODY, SIGNED, NOW + 301),
        (SECRET, STAMP, BODY, SIGNED, NOW - 301),
        ("", STAMP, BODY, sign("", STAMP, BODY), NOW),
        (SECRET, "153142061²", BODY, sign(SECRET, "153142061²", BODY), NOW),
        (SECRET, "١٥٣١٤٢٠٦١٨", BODY, sign(SECRET, "١٥٣١٤٢٠٦١٨", BODY), NOW),
        (SECRET, "-1531420618", BODY, sign(SECRET, "-1531420618", BODY), NOW),
        (SECRET, " 1531420618", BODY, sign(SECRET, " 1531420618", BODY), NOW),
        (SECRET, "9" * 5000, BODY, sign(SECRET, "9" * 5000, BODY), NOW),
        (SECRET, "", BODY, sign(SECRET, "", BODY), NOW),
    ],
)
def test_anything_else_is_not(secret, stamp, body, signature, now):
    """Another body, secret or moment; no secret; a timestamp that is no plain number."""
    assert not genuine(secret, stamp, body, signature, now)
