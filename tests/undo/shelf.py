"""A small HTTP API in a thread: resources with ETags, and conditional PUT and DELETE."""

from __future__ import annotations

import itertools
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Shelf:
    """The resources by path, as bytes and version; what was asked; and how the server misbehaves."""

    def __init__(self):
        self.things = {}
        self.asked = []
        self.versions = itertools.count(1)
        self.weak = False
        self.deaf = False
        self.just_before_writing = lambda: None

    def set(self, path, body):
        """Put something there."""
        self.things[path] = (body, f'"{next(self.versions)}"')

    def take(self, path):
        """Take it away; whether there was anything."""
        return self.things.pop(path, None) is not None


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Say nothing."""

    def reply(self, status, body=b"", etag=""):
        """Answer."""
        self.send_response(status)
        if etag:
            self.send_header("ETag", f"W/{etag}" if self.server.shelf.weak else etag)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        """Read."""
        shelf = self.server.shelf
        shelf.asked.append(("GET", self.path, self.headers.get("Authorization")))
        found = shelf.things.get(self.path)
        self.reply(404) if found is None else self.reply(200, *found)

    def fits(self):
        """Whether the condition of a request holds."""
        shelf = self.server.shelf
        shelf.just_before_writing()
        shelf.asked.append((self.command, self.path, self.headers.get("Authorization")))
        found = shelf.things.get(self.path)
        if self.headers.get("If-None-Match") == "*":
            return found is None
        return found is not None and self.headers.get("If-Match") == found[1]

    def do_PUT(self):
        """Write, if the condition holds."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.fits():
            return self.reply(412)
        if not self.server.shelf.deaf:
            self.server.shelf.set(self.path, body)
        return self.reply(204)

    def do_DELETE(self):
        """Delete, if the condition holds."""
        if not self.fits():
            return self.reply(412)
        self.server.shelf.take(self.path)
        return self.reply(204)


@contextmanager
def serving():
    """A shelf and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.shelf = Shelf()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.shelf, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
