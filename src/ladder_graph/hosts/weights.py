"""The weights behind a name that anybody can move: Ollama's digest of a tag, asked of the server that has answered.

Ollama's answers bear the tag and no digest. The server is on the same machine or the next, and is asked once in a few
seconds, off the event loop. What it doesn't say in time is unknown.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

PLACE = "http://127.0.0.1:11434"
"""Where Ollama listens where nobody says otherwise."""

TIMEOUT = 1.0
"""Seconds that the server has for its answer."""

FRESH = 5.0
"""Seconds for which a digest holds. A tag that is moved in less than that is noticed at the next answer after it."""

BACKOFF = 30.0
"""Seconds for which a server that doesn't answer isn't asked again."""

PATHS = ("/api/ps", "/api/tags")
"""What is loaded, which is what has answered; then what is there."""

_lock = threading.Lock()
_found: dict[tuple[str, str], tuple[float, str | None]] = {}


def ollama_digest(address: str | None, model: str) -> str | None:
    """The digest behind a tag; None where the server doesn't say.

    Args:
        address: The server's, where the model object has one; else that of `OLLAMA_HOST`.
        model: The tag; without a colon it is `:latest`.
    """
    place, now = (address or _place()).rstrip("/"), time.monotonic()
    with _lock:
        known = _found.get((place, model))
    if known is not None and now - known[0] < (BACKOFF if known[1] is None else FRESH):
        return known[1]
    digest = _asked(place, model if ":" in model else f"{model}:latest")
    with _lock:
        _found[place, model] = now, digest
    return digest


def forget() -> None:
    """Forget every digest; the next answer asks again."""
    with _lock:
        _found.clear()


def _place() -> str:
    said = os.environ.get("OLLAMA_HOST") or PLACE
    whole = said if "://" in said else f"http://{said}"
    return whole if whole.rpartition(":")[2].isdecimal() else f"{whole}:11434"


def _asked(place: str, tag: str) -> str | None:
    try:
        import httpx  # Ollama's own client needs it, so it is there.

        for path in PATHS:
            reply: Any = httpx.get(place + path, timeout=TIMEOUT).raise_for_status().json()
            for model in reply["models"]:
                if tag in {model.get("model"), model.get("name")} and model.get("digest"):
                    return str(model["digest"])
    except Exception:  # noqa: BLE001  # whatever is wrong there, nobody knows which weights they are
        return None
    return None
