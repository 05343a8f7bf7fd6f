"""A small HTTP service that reads its config file again for each request. Runs as its own process.

    python service.py CONFIG PORT

With port 0 the system chooses one. The first line on stdout is the address; on stderr it logs each request. It ends
when its stdin does, which is also what happens when the process that started it dies, however it dies.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LIMITS = {"workers": (1, 64), "max_connections": (1, 1000)}
"""The settings that must be there, each with its least and its greatest value."""


def fault(text: str) -> str | None:
    """What is wrong with a config, or None when the service can work with it."""
    try:
        settings = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        return f"not TOML: {wrong}"
    for name, (least, most) in LIMITS.items():
        value = settings.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            return f"{name} is {value!r}, and must be {least} to {most}"
    return None


class Handler(BaseHTTPRequestHandler):
    """Answers `/health` (200, or 503 with the reason) and `/status` (what it runs with)."""

    config: Path

    def do_GET(self) -> None:
        """Answer one request from the config as it is on disk now."""
        text = self._text()
        reason = fault(text)
        health = {"healthy": reason is None, "reason": reason}
        match self.path.partition("?")[0]:
            case "/health":
                self._answer(503 if reason else 200, health)
            case "/status":
                self._answer(200, health | {"pid": os.getpid(), "file": self.config.name, "text": text})
            case _:
                self._answer(404, {"reason": "this service knows /health and /status"})

    def _text(self) -> str:
        try:
            return self.config.read_text()
        except (OSError, UnicodeDecodeError):
            return "unreadable"

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """Serve until stdin ends."""
    Handler.config = Path(sys.argv[1])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
