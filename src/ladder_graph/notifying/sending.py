"""Sending one message by one way. Secrets come from the environment, and stand in no message, log or error."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import os
import re
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from ladder_graph.ledger.people.outgoing import LONGEST_PAUSE, Message
from ladder_graph.ledger.tables.rows import US
from ladder_graph.policy.ways import Apprise, File, Notify, Webhook

VERSION = "1"
"""The version of the JSON and of its signature."""
SHORTEST = 16
"""Characters that the key of a signature has at least."""
SOONEST, LATEST = 1.0, LONGEST_PAUSE / US
"""Seconds for which a receiver that asks for it is left alone, at least and at most: nobody is silenced for good."""
_BUSY = frozenset({429, 503})
"""The answers by which a receiver may say when it takes more."""


class NotSent(Exception):
    """It wasn't taken by whoever receives it; the message says why, and holds no secret."""


class Busy(NotSent):
    """Its receiver takes nothing more for a while.

    Args:
        said: Why, without a secret.
        after: Seconds until it may be sent to again.
    """

    def __init__(self, said: str, after: float) -> None:
        super().__init__(said)
        self.after = after


def send(target: Notify, message: Message, now: dt.datetime) -> None:
    """Send one message.

    Args:
        target: By what.
        message: What.
        now: The moment, which a signature is bound to.

    Raises:
        Busy: It wasn't taken, and its receiver says when it takes more.
        NotSent: It wasn't taken.
    """
    match target:
        case Apprise():
            _by_apprise(target, message)
        case Webhook():
            _by_webhook(target, message, now)
        case File():
            _into_file(target, message, now)
        case _:  # pragma: no cover  # the policy knows no other
            raise NotSent(f"{target!r} is no way of telling")


def document(message: Message) -> dict[str, Any]:
    """A message as JSON: the same `id` each time that it is sent."""
    return {"version": VERSION, "id": message.id, "kind": message.kind, "subject": message.subject, **message.body}


def signature(key: str, at: int, body: bytes) -> str:
    """The signature of a webhook's body, for who sends it and for who checks it.

    Args:
        key: The key that both know.
        at: When it was signed, in seconds since the epoch, as the header `X-Ladder-Timestamp` says.
        body: The raw body.

    Example:
        >>> signature("a key of both sides", 1, b"{}")[:14]
        'v1=82d7e6c5fa8'
    """
    said = b".".join((f"v{VERSION}:{at}".encode(), body))
    return f"v{VERSION}={hmac.new(key.encode(), said, hashlib.sha256).hexdigest()}"


def refused(who: str, status: int, retry_after: str, now: dt.datetime | None = None) -> NotSent:
    """The error of an HTTP answer that is no success.

    Args:
        who: Whose answer, in words without a secret.
        status: Its status.
        retry_after: What its header `Retry-After` says; empty where it has none.
        now: The moment, by which a date there is read; None where only seconds are.
    """
    after = _seconds(retry_after.strip(), now) if status in _BUSY else None
    if after is None:
        return NotSent(f"{who} answered {status}")
    after = min(LATEST, max(SOONEST, after))
    return Busy(f"{who} answered {status}, to be tried again in {after:.0f} s", after)


def _seconds(said: str, now: dt.datetime | None) -> float | None:
    # Some receivers send a fraction, which RFC 9110 doesn't know.
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", said):
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    return None if now is None or until.tzinfo is None else (until - now).total_seconds()


def unready(target: Notify) -> str:
    """What keeps a way of telling from being used in this process; empty where nothing is known of. Nothing is sent.

    Args:
        target: By what.
    """
    try:
        match target:
            case Apprise():
                _secret(target.env, 1)
            case Webhook():
                _secret(target.secret_env, SHORTEST)
            case File():
                folder = Path(target.path).absolute().parent
                return "" if os.access(folder, os.W_OK) else f"{folder} can't be written"
    except NotSent as wrong:
        return str(wrong)
    return ""


def _secret(name: str, shortest: int) -> str:
    found = os.environ.get(name, "")
    if len(found) < shortest:
        raise NotSent(f"the environment variable {name} isn't set here" if not found else f"${name} is too short")
    return found


def _by_apprise(target: Apprise, message: Message) -> None:
    url = _secret(target.env, 1)
    try:
        import apprise
    except ImportError:
        raise NotSent("apprise isn't installed: pip install 'ladder-graph[notify]'") from None
    to = apprise.Apprise()
    if not to.add(url):
        raise NotSent(f"${target.env} holds no URL that apprise knows")
    try:
        taken = to.notify(
            title=str(message.body.get("title", "")), body=str(message.body.get("text", "")),
            body_format=apprise.NotifyFormat.TEXT,
        )  # fmt: skip
    except Exception as wrong:  # noqa: BLE001  # a plugin's own; its text may hold the URL
        raise NotSent(f"apprise failed by ${target.env}: {type(wrong).__name__}") from None
    if not taken:
        raise NotSent(f"whoever ${target.env} names didn't take it")


def _by_webhook(target: Webhook, message: Message, now: dt.datetime) -> None:
    try:
        from ladder_graph.watch.asking import NoAnswer, NotAsked, post
    except ImportError:
        raise NotSent("a webhook needs httpx: pip install 'ladder-graph[watch]'") from None
    key, at = _secret(target.secret_env, SHORTEST), int(now.timestamp())
    body = json.dumps(document(message), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json", "X-Ladder-Id": message.id, "X-Ladder-Timestamp": str(at),
        "X-Ladder-Signature": signature(key, at, body),
    }  # fmt: skip
    try:
        answer = post(target.url, body, headers=headers, timeout=target.timeout, allow=target.allow)
    except (NotAsked, NoAnswer) as wrong:
        raise NotSent(f"{target.url}: {wrong}") from None
    if not 200 <= answer.status < 300:  # noqa: PLR2004  # HTTP's success
        raise refused(target.url, answer.status, answer.retry_after, now)


def _into_file(target: File, message: Message, now: dt.datetime) -> None:
    """One line, in one write at the end of the file; who reads it later tells two of one id apart by nothing else."""
    line = json.dumps({**document(message), "at": now.isoformat()}, sort_keys=True, ensure_ascii=False) + "\n"
    file = Path(target.path)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            os.write(handle, line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as wrong:
        raise NotSent(f"{file}: {wrong.strerror}") from None
