"""Reading a report that an action was wrong, as a program outside sends it. Pure.

It is read whole or not at all: an unknown key, a key that is there twice, or a text where a number stands is a mistake
of the sender, and guessing what was meant could put down another tool than the one that erred.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ladder_graph.errors import AnswerRefused, SignalRefused
from ladder_graph.trust.deeds import Severity, severity_of

LARGEST = 16_384
"""Bytes of a report; a larger one is refused before it is read."""

SHORTEST = 8
"""Characters of an action's key at least, so that no slip of the sender means another action."""

_LONGEST = {"action": 64, "severity": 16, "class": 200, "text": 4096, "by": 200}
"""Keys to the characters that each may have."""
_NEEDED = ("action", "severity")


@dataclass(frozen=True, slots=True)
class Reported:
    """What somebody outside says of an action."""

    action: str
    """Its key, or the beginning of it."""
    severity: Severity
    kind: str
    """The class of the mistake; empty where none is named."""
    text: str
    by: str
    """Who says so, as the sender has it; nobody has checked that."""


def reported_of(body: bytes) -> Reported:
    """Read one report.

    Args:
        body: JSON: `{"action": "4dec1a0a...", "severity": "S2", "class": "wrong_order", "text": "...", "by": "ana"}`;
            the last three may be missing.

    Raises:
        SignalRefused: It can't be read whole.

    Example:
        >>> reported_of(b'{"action": "4dec1a0ae966", "severity": "S2", "class": "wrong_order"}').severity
        <Severity.REAL: 2>
    """
    try:
        given = json.loads(body, parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise SignalRefused("it is no JSON, or not all of it, or says a thing twice") from None
    if not isinstance(given, dict):
        raise SignalRefused("it is no table")
    if strange := sorted(given.keys() - _LONGEST):
        raise SignalRefused(f"it has the key {strange[0]!r:.60}; the keys are {', '.join(_LONGEST)}")
    said = {key: _text(given, key) for key in _LONGEST}
    if len(said["action"]) < SHORTEST:
        raise SignalRefused(f"its action has fewer than {SHORTEST} characters; send the whole key")
    try:
        severity = severity_of(said["severity"])
    except AnswerRefused as wrong:
        raise SignalRefused(str(wrong)) from None
    return Reported(said["action"], severity, said["class"], said["text"], said["by"])


def _text(given: Mapping[str, Any], key: str) -> str:
    text = given.get(key, None if key in _NEEDED else "")
    if not isinstance(text, str) or len(text) > _LONGEST[key] or not _whole(text):
        raise SignalRefused(f"its {key} is missing, or no text of at most {_LONGEST[key]} characters")
    return text


def _whole(text: str) -> bool:
    """Whether it holds no half surrogate pair, which no ledger can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found
