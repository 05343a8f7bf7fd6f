"""Reports of mistakes as programs send them: whole, or not at all."""

from __future__ import annotations

import json

import pytest

from ladder_graph.errors import SignalRefused
from ladder_graph.trust.deeds import Severity
from ladder_graph.watch.mistakes import reported_of

WRONG = {"action": "4dec1a0ae966", "severity": "S2"}


def test_a_report_is_read():
    """What isn't said is empty."""
    found = reported_of(json.dumps({**WRONG, "severity": "severe", "text": "it hurt"}).encode())
    assert (found.severity, found.kind, found.text, found.by) == (Severity.SEVERE, "", "it hurt", "")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"{", b"\xff", b'{"action": "4dec1a0ae966"}', b'{"severity": "S2"}',
        json.dumps({**WRONG, "severity": 2}).encode(), json.dumps({**WRONG, "severity": "S7"}).encode(),
        json.dumps({**WRONG, "severity": True}).encode(), json.dumps({**WRONG, "reversed": True}).encode(),
        json.dumps({**WRONG, "action": "4dec"}).encode(), json.dumps({**WRONG, "action": None}).encode(),
        json.dumps({**WRONG, "text": "x" * 5000}).encode(), json.dumps({**WRONG, "by": ["ana"]}).encode(),
        json.dumps({**WRONG, "text": "\ud800"}).encode(), json.dumps({**WRONG, "class": float("nan")}).encode(),
        b'{"action": "4dec1a0ae966", "action": "deadbeef0000", "severity": "S2"}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_not_whole_is_no_report(body):
    """Neither a missing key, nor a strange one, nor one twice, nor what is no text or too long."""
    with pytest.raises(SignalRefused):
        reported_of(body)
