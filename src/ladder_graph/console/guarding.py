"""What stands before every page.

The host that is asked for, where a form comes from, how many come, and what a browser may do with the answer.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""Nothing inline, nothing from elsewhere, in nobody's frame."""

HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cache-control": "no-store",
}
"""On each answer, unless the answer says otherwise."""

HERE = frozenset({"localhost", "127.0.0.1", "::1"})
"""The names of this machine. Any other name is a site of somebody else's that was made to lead here."""

SAFE = frozenset({"GET", "HEAD"})
"""What changes nothing."""


def host_of(netloc: str) -> str:
    """The host in `host:port`, in lower case and without the brackets of an IPv6 address."""
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


class Guard:
    """Refuses what didn't come to this console by its own name, and forms that another site sent.

    Args:
        app: What stands behind it.
        url: Where the console is reached from outside, as the policy in force says; None for this machine alone.
    """

    def __init__(self, app: ASGIApp, url: Callable[[], str | None]) -> None:
        self._app, self._url = app, url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(scope)
        await (refused or self._app)(scope, receive, sending)

    def _refused(self, scope: Scope) -> PlainTextResponse | None:
        headers, url = Headers(scope=scope), self._url()
        netloc = headers.get("host", "")
        if host_of(netloc) not in ({host_of(urlsplit(url).netloc)} if url else set()) | HERE:
            said = 'this console isn\'t at that name; the policy says where it is: [console] url = "https://…"'
            return PlainTextResponse(said, 421)
        if scope["method"] not in SAFE and not self._own(headers, netloc, url, scope.get("scheme", "http")):
            return PlainTextResponse("the form wasn't sent by a page of this console, so nothing was done", 403)
        return None

    def _own(self, headers: Headers, netloc: str, url: str | None, scheme: str) -> bool:
        """Whether a form came from one of our own pages, as the browser says."""
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return False
        origin = headers.get("origin")
        outside = urlsplit(url) if url else None
        named = {f"{scheme}://{netloc}".lower()}
        if outside:
            named.add(f"{outside.scheme}://{outside.netloc}".lower())
        return origin is not None and origin.lower() in named


class Rates:
    """Counts what comes from each sender, and says when it is too much.

    Args:
        most: How many may come at once.
        per_minute: How many may come in each minute after that.
    """

    KEPT = 10_000
    """Senders that are remembered; beyond them the oldest are forgotten."""

    def __init__(self, most: int, per_minute: int) -> None:
        self._most, self._each = most, 60 / per_minute
        self._spent: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def allow(self, sender: str) -> bool:
        """Count one more; whether it may pass. What is refused isn't counted.

        The generic cell rate algorithm: one number a sender, the time at which all that came would have been due.
        """
        now = time.monotonic()
        with self._lock:
            due = max(self._spent.pop(sender, now), now)
            allowed = due - now <= (self._most - 1) * self._each
            self._spent[sender] = due + self._each if allowed else due
            if len(self._spent) > self.KEPT:
                self._spent.popitem(last=False)
        return allowed
