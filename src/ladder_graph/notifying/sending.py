"""Sending one message by one way. Secrets come from the environment, and stand in no message, log or error."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any

from ladder_graph.ledger.people.outgoing import Message
from ladder_graph.policy.ways import Apprise, File, Notify, Webhook

VERSION = "1"
"""The version of the JSON and of its signature."""
SHORTEST = 16
"""Characters that the key of a signature has at least."""


class NotSent(Exception):
    """It wasn't taken by whoever receives it; the message says why, and holds no secret."""


def send(target: Notify, message: Message, now: dt.datetime) -> None:
    """Send one message.

    Args:
        target: By what.
        message: What.
        now: The moment, which a signature is bound to.

    Raises:
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
        raise NotSent(f"{target.url} answered {answer.status}")


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
