"""A TCP proxy before a PostgreSQL server, which loses what it is told to lose."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

COMMITTED = b"COMMIT\0"
"""What the server answers when a transaction holds."""
KEY_DATA = b"K\0\0\0\x0c"
"""What comes before the number of its process, when it lets a client in."""


class _Link:
    """A connection's two ends, and the number of the server's process behind it."""

    def __init__(self, *ends: asyncio.StreamWriter) -> None:
        self.ends = ends
        self.pid = 0

    def learn(self, data: bytes) -> None:
        """Find the number in what the server says at the beginning."""
        if self.pid == 0 and (at := data.find(KEY_DATA)) >= 0:
            self.pid = int.from_bytes(data[at + len(KEY_DATA) :][:4])


class Proxy:
    """A proxy on a thread of its own.

    Args:
        url: The server's, at a socket in the file system.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self._socket = f"{query['host'][0]}/.s.PGSQL.{parts.port or 5432}"
        self.lose: tuple[str, int] | None = None
        """What to lose next, and on whose connection, by the number of the server's process. `answer`: that a
        transaction holds. `request`: whatever the client says. The connection is cut with it."""
        self.away = False
        """Whether the server can't be reached any more once something was lost."""
        self.cuts = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{port}{parts.path}?schema={query['schema'][0]}"

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        if self.away and self.cuts:
            to_client.close()
            return
        server, to_server = await asyncio.open_unix_connection(self._socket)
        link = _Link(to_client, to_server)
        self._open.update(link.ends)
        await asyncio.gather(
            self._pump(client, to_server, link, "request"), self._pump(server, to_client, link, "answer")
        )
        self._open.difference_update(link.ends)

    async def _pump(self, come, go, link, what) -> None:
        ends = link.ends
        with suppress(OSError):
            while data := await come.read(1 << 16):
                link.learn(data)
                if self.lose == (what, link.pid) and (what == "request" or COMMITTED in data):
                    self.cuts += 1
                    self.lose = None
                    ends = tuple(self._open) if self.away else ends
                    break
                go.write(data)
                await go.drain()
        for writer in ends:
            writer.close()

    def cut(self) -> None:
        """Cut every connection."""
        self._loop.call_soon_threadsafe(lambda: [writer.transport.abort() for writer in self._open])

    def close(self) -> None:
        """End the proxy."""
        self.cut()

        async def end() -> None:
            self._server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.wait(others, timeout=5) if others else None

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
