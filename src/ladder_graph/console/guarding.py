"""What stands before every page.

The host that is asked for, where a form comes from, how many come, and what a browser may do with the answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("ladder_graph")

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""Nothing inline, nothing from elsewhere, in nobody's frame."""

HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # With none at all, a browser names no origin on our own forms either.
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


PORTS = {"http": 80, "https": 443}
"""The port of an address that names none."""


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address, as browsers compare them; an empty host where it is no address."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return "", "", None


class Guard:
    """Refuses what didn't come to this console by its own name, and forms that another site sent.

    Args:
        app: What stands behind it.
        url: Where the console is reached from outside, as the policy in force says; None for this machine alone.
        signed: Paths where no browser comes, and whoever does is known by a signature.
        probed: Paths where machines come by whatever name they know this one by, and are told nothing, or show a token.
    """

    def __init__(
        self, app: ASGIApp, url: Callable[[], str | None], signed: frozenset[str] = frozenset(),
        probed: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self._app, self._url, self._signed, self._probed = app, url, signed, probed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(scope)
        try:
            await (refused or self._app)(scope, receive, sending)
        except Exception:  # a page with a mistake in it; its answer takes the headers like any other
            log.exception("a page of the console failed")
            if begun:
                raise
            await PlainTextResponse("this page failed; the server's log says why", 500)(scope, receive, sending)

    def _refused(self, scope: Scope) -> PlainTextResponse | None:
        # Behind a proxy it is reached by the address that the policy says, whatever the server itself is told.
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path in self._probed and scope["method"] in SAFE:
            return None
        headers, url = Headers(scope=scope), self._url()
        hosts = headers.getlist("host")
        here = origin_of(f"{scope.get('scheme', 'http')}://{hosts[0]}") if len(hosts) == 1 else ("", "", None)
        outside = origin_of(url) if url else None
        if here[1] not in HERE and (not here[1] or outside is None or here[1] != outside[1]):
            said = 'this console isn\'t at that name; the policy says where it is: [console] url = "https://…"'
            return PlainTextResponse(said, 421)
        form = scope["method"] not in SAFE and path not in self._signed
        if form and not _own(headers, {outside, here if here[1] in HERE else None}):
            return PlainTextResponse("the form wasn't sent by a page of this console, so nothing was done", 403)
        return None


def _own(headers: Headers, named: set[tuple[str, str, int | None] | None]) -> bool:
    """Whether a form came from one of our own pages, as the browser says."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origins = headers.getlist("origin")
    return len(origins) == 1 and origin_of(origins[0]) in named


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

    def full(self, sender: str) -> bool:
        """Whether one more would be too much; nothing is counted."""
        now = time.monotonic()
        return not self._fits(self._spent.get(sender, now), now)

    def _fits(self, due: float, now: float) -> bool:
        return due - now <= (self._most - 1) * self._each

    def allow(self, sender: str) -> bool:
        """Count one more; whether it may pass. What is refused isn't counted.

        The generic cell rate algorithm: one number a sender, the time at which all that came would have been due.
        """
        now = time.monotonic()
        with self._lock:
            due = max(self._spent.pop(sender, now), now)
            allowed = self._fits(due, now)
            self._spent[sender] = due + self._each if allowed else due
            if len(self._spent) > self.KEPT:
                self._spent.popitem(last=False)
        return allowed
