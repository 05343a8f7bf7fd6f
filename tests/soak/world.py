"""The world that the agents of a soak act on: a server in the run's own process, which no killed process can corrupt.

Each effect is a request, and is written down before it is answered. Between that and the answer lies a moment, so that
those who ask are killed on either side of it.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

AT_ONCE, LATER = 4, 8
"""Of a hundred actions: how many are bad at once, and how many turn bad a while after they took effect."""
TURNS_BAD = 1.5
"""Seconds after its effect at which an action of the second kind turns bad."""
MOMENT = 0.02
"""Seconds at most that pass before an effect, and again before its answer."""
ON_THE_WAY = 0.15
"""Seconds after which it is said that something isn't there: what the dead have sent has arrived by then."""


def fate(ticket: str) -> str:
    """What becomes of an action, by what it is called: `bad`, `turns bad` or `well`."""
    number = zlib.crc32(ticket.encode()) % 100
    return "bad" if number < AT_ONCE else "turns bad" if number < AT_ONCE + LATER else "well"


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened in the world."""

    at: float
    """Seconds since 1970."""
    kind: str
    """did (an effect), undid, nothing to undo, bad (a signal was given), or mailed."""
    tool: str
    """Whose effect."""
    ticket: str
    """Which call meant it, as the model had said it."""
    call: str = ""
    """The tool call's id as the tool saw it."""
    attempt: str = ""
    """Random, a new one each time the tool runs."""


class World:
    """The world, and its server."""

    def __init__(self) -> None:
        self.happenings: list[Happening] = []
        self.pages: dict[str, tuple[bytes, str]] = {}
        self._there: dict[str, float] = {}
        self._arriving: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Asked", (Asked,), {"world": self}))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="world", daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def there(self, ticket: str) -> bool:
        """Whether the effect of a call is there, and wasn't undone; what is on its way has come before it is said."""
        if ticket not in self._there:
            self.settled(ticket)
        return ticket in self._there

    @contextmanager
    def arriving(self, ticket: str) -> Iterator[None]:
        """Something about a call has come in, and isn't done yet."""
        with self._lock:
            self._arriving[ticket] += 1
        try:
            yield
        finally:
            with self._lock:
                self._arriving[ticket] -= 1

    def settled(self, ticket: str) -> None:
        """Wait until nothing about a call is on its way any more."""
        time.sleep(ON_THE_WAY)
        while self._arriving[ticket]:
            time.sleep(MOMENT)

    # --- what is asked of it -----------------------------------------------------------------------------------

    def did(self, tool: str, ticket: str, call: str, attempt: str) -> None:
        """An effect. The world takes any number of them: to see that there is one is not its business."""
        with self._lock:
            self._happened("did", tool, ticket, call, attempt)
            self._there.setdefault(ticket, time.time())

    def undid(self, tool: str, ticket: str) -> None:
        """An effect is taken back, if it is there."""
        with self._lock:
            there = self._there.pop(ticket, None) is not None
            self._happened("undid" if there else "nothing to undo", tool, ticket)

    def well(self, ticket: str) -> bool:
        """The health of an action; that it is bad is written down."""
        with self._lock:
            since, meant = self._there.get(ticket), fate(ticket)
            bad = meant == "bad" or (meant == "turns bad" and since is not None and time.time() - since > TURNS_BAD)
            if bad and since is not None:
                self._happened("bad", "", ticket)
            return not (bad and since is not None)

    def mailed(self, ticket: str, message: str) -> None:
        """A message has reached whom it is for."""
        with self._lock:
            self._happened("mailed", "mail", ticket, attempt=message)

    def _happened(self, kind: str, tool: str, ticket: str, call: str = "", attempt: str = "") -> None:
        self.happenings.append(Happening(time.time(), kind, tool, ticket, call, attempt))


def etag(body: bytes) -> str:
    """A strong ETag."""
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


class Asked(BaseHTTPRequestHandler):
    """One request to the world."""

    world: World
    protocol_version = "HTTP/1.0"

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """A page, the health of an action, or whether it is there."""
        what, ticket = self._asked()
        if what == "pages":
            self._page(ticket)
        elif what == "well":
            self._answer(200 if self.world.well(ticket) else 503)
        else:
            self._answer(200 if self.world.there(ticket) else 404)

    def do_POST(self) -> None:
        """An effect, an undo, or a message."""
        what, ticket = self._asked()
        given = json.loads(self._body() or b"{}")
        with self.world.arriving(ticket):
            self._wait()
            match what:
                case "did":
                    self.world.did(given["tool"], ticket, given["call"], given["attempt"])
                case "undid":
                    self.world.undid(given["tool"], ticket)
                case "mailed":
                    self.world.mailed(ticket, given["message"])
        self._wait()
        self._answer(200)

    def do_PUT(self) -> None:
        """A page is written: by a tool, which says who it is, or by the undo of one, which puts the old one back."""
        _, ticket = self._asked()
        body = self._body()
        with self.world.arriving(ticket):
            self._wait()
            if self._refused(ticket):
                return
            self.world.pages[ticket] = body, self.headers.get("Content-Type", "")
            if call := self.headers.get("X-Call"):
                self.world.did("page", ticket, call, self.headers.get("X-Attempt", ""))
            else:
                self.world.undid("page", ticket)
        self._wait()
        self._answer(200)

    def do_DELETE(self) -> None:
        """A page that wasn't there before is taken away by an undo."""
        _, ticket = self._asked()
        self._wait()
        if self._refused(ticket):
            return
        self.world.pages.pop(ticket, None)
        self.world.undid("page", ticket)
        self._answer(204)

    # --- what they share ---------------------------------------------------------------------------------------

    def _asked(self) -> tuple[str, str]:
        _, what, ticket = self.path.split("/", 2)
        return what, unquote(ticket)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _wait(self) -> None:
        time.sleep(random.uniform(0, MOMENT))  # noqa: S311  # it makes no secrets

    def _page(self, ticket: str) -> None:
        if ticket not in self.world.pages:
            self.world.settled(ticket)
        found = self.world.pages.get(ticket)
        if found is None:
            self._answer(404)
        else:
            self._answer(200, found[0], **{"ETag": etag(found[0]), "Content-Type": found[1]})

    def _refused(self, ticket: str) -> bool:
        """Whether a condition of the request doesn't hold."""
        found = self.world.pages.get(ticket)
        match, absent = self.headers.get("If-Match"), self.headers.get("If-None-Match")
        if (match and (found is None or etag(found[0]) != match)) or (absent == "*" and found is not None):
            self._answer(412)
            return True
        return False

    def _answer(self, status: int, body: bytes = b"", **headers: Any) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)
