"""Whether a request comes from Slack: its signature, version 0, over the raw body. Pure."""

from __future__ import annotations

import hashlib
import hmac

SKEW = 300
"""Seconds that a request's timestamp may be away from the present."""
DIGITS = 12
"""The longest timestamp that is read."""
VERSION = "v0"


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a request.

    Source: Slack, "Verifying requests from Slack".

    Args:
        secret: The app's signing secret.
        timestamp: The header `X-Slack-Request-Timestamp`, as it came.
        body: The body, as it came.
    """
    signed = b":".join((VERSION.encode(), timestamp.encode(), body))
    return f"{VERSION}={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def genuine(secret: str, timestamp: str, body: bytes, signature: str, now: float) -> bool:
    """Whether a request was signed with a secret, a moment ago.

    Args:
        secret: The app's signing secret; nothing is genuine without one.
        timestamp: The header `X-Slack-Request-Timestamp`.
        body: The raw body.
        signature: The header `X-Slack-Signature`.
        now: Seconds since the epoch.
    """
    # `isdecimal` takes digits of other scripts and `isdigit` takes ², which `int` refuses.
    if not (secret and timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= DIGITS):
        return False
    if abs(now - int(timestamp)) > SKEW:
        return False
    return hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode("utf-8", "replace"))


def word(secret: str, verdict: str, question: str, digest: str) -> str:
    """What a button carries so that nobody else who can write to the channel can make one.

    Args:
        secret: The app's signing secret.
        verdict: What the button says.
        question: The question's id.
        digest: What is asked.
    """
    said = f"ladder-graph button 1\n{verdict}\n{question}\n{digest}"
    return hmac.new(secret.encode(), said.encode(), hashlib.sha256).hexdigest()[:32]
