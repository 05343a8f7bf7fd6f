"""One request to a URL of the policy, dialled at an address that was looked at, with an end in time and in size.

The name is resolved once and that very address is dialled, so a name server that answers otherwise a moment later
changes nothing. The URL stays as it is, and with it the `Host` header, the name in TLS and the certificate's check.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from ladder_graph.watch.addresses import refusal
from ladder_graph.watch.verdicts import within

LARGEST = 1_000_000
"""Bytes of a body that are read; more is no answer."""
Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as text."""


class NotAsked(Exception):
    """The request wasn't sent, because its target isn't one that the policy means."""


class NoAnswer(Exception):
    """Whoever was asked didn't answer whole and in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes = b""
    retry_after: str = ""
    """What its header `Retry-After` says; empty where it has none."""


def resolved(host: str, port: int) -> list[str]:
    """Every address of a host, once each, in the order of the system."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def ask(
    url: str, *, timeout: float, allow: Sequence[str] = (), body: bool = False, resolve: Resolve = resolved
) -> Answer:
    """Send one GET, follow no redirect, use no proxy.

    Args:
        url: As the policy writes it.
        timeout: Seconds for all of it: the name, the connection, TLS and the answer.
        allow: Internal targets that a name may lead to.
        body: Whether the body is read as well.
        resolve: How a name is looked up.

    Raises:
        NotAsked: The URL can't be read, or leads to where the policy doesn't.
        NoAnswer: It can't be reached, or its answer is late, too large, or not HTTP.
    """
    return _asked("GET", url, timeout, allow, resolve, {}, None, body=body)


def post(
    url: str, content: bytes, *, headers: Mapping[str, str], timeout: float, allow: Sequence[str] = (),
    resolve: Resolve = resolved,
) -> Answer:  # fmt: skip
    """Send one POST, follow no redirect, use no proxy. Of what is answered no body is read.

    Args:
        url: As the policy writes it.
        content: The body.
        headers: Beside those that HTTP needs.
        timeout: Seconds for all of it: the name, the connection, TLS and the answer.
        allow: Internal targets that a name may lead to.
        resolve: How a name is looked up.

    Raises:
        NotAsked: The URL can't be read, or leads to where the policy doesn't.
        NoAnswer: It can't be reached, or its answer is late, or not HTTP.
    """
    return _asked("POST", url, timeout, allow, resolve, headers, content, body=False)


def _asked(
    method: str, url: str, timeout: float, allow: Sequence[str], resolve: Resolve, headers: Mapping[str, str],
    content: bytes | None, *, body: bool,
) -> Answer:  # fmt: skip
    ends = time.monotonic() + timeout
    target = _target(url)
    host = target.raw_host.decode("ascii")
    port = target.port or {"http": 80, "https": 443}[target.scheme]
    try:
        addresses = [host] if _is_address(host) else within(timeout, lambda: resolve(host, port))
    except (OSError, UnicodeError) as wrong:  # a TimeoutError is an OSError
        raise NoAnswer(f"{host} could not be resolved ({type(wrong).__name__})") from None
    if (why := refusal(host, addresses, allow)) is not None:
        raise NotAsked(why)
    try:
        return _sent(method, target, _Dialled(addresses, ends), headers, content, body=body)
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as wrong:
        raise NoAnswer(type(wrong).__name__) from None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _target(url: str) -> httpx.URL:
    try:
        target = httpx.URL(url)
    except httpx.InvalidURL as wrong:
        raise NotAsked(f"the URL can't be read: {wrong}") from None
    if target.scheme not in {"http", "https"} or not target.host or target.userinfo:
        raise NotAsked("it is no http or https URL without credentials")
    return target


def _sent(
    method: str, target: httpx.URL, dialled: _Dialled, more: Mapping[str, str], content: bytes | None, *, body: bool
) -> Answer:  # fmt: skip
    url = httpcore.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path)
    # Uncompressed, so that the size that is read is the size that is held.
    headers: dict[bytes | str, bytes | str] = {"Host": target.netloc.decode("ascii"), "Accept-Encoding": "identity"}
    headers.update(more)
    headers.update({} if content is None else {"Content-Length": str(len(content))})
    tls = _tls() if target.scheme == "https" else None
    with (
        httpcore.ConnectionPool(ssl_context=tls, network_backend=dialled) as pool,
        pool.stream(method, url, headers=headers, content=content) as response,
    ):
        said = next((value for name, value in response.headers if name.lower() == b"retry-after"), b"")
        return Answer(response.status, _read(response) if body else b"", said.decode("latin-1"))


def _read(response: httpcore.Response) -> bytes:
    whole = bytearray()
    for chunk in response.iter_stream():
        whole += chunk
        if len(whole) > LARGEST:
            raise NoAnswer(f"its answer has more than {LARGEST} bytes")
    return bytes(whole)


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


class _Dialled(httpcore.NetworkBackend):
    """Connections to addresses that were looked at, whatever host is asked for, all ending at one moment."""

    def __init__(self, addresses: Sequence[str], ends: float) -> None:
        self._addresses, self._ends = addresses, ends
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Dial the first address that answers; each gets its share of the time that is left."""
        del host, timeout
        wrong: Exception = httpcore.ConnectTimeout()
        for left, address in zip(range(len(self._addresses), 0, -1), self._addresses, strict=True):
            share = (self._ends - time.monotonic()) / left
            if share <= 0:
                break
            try:
                stream = self._network.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                wrong = failed
            else:
                return _Timed(stream, self._ends)
        raise wrong


class _Timed(httpcore.NetworkStream):
    """A connection of which everything ends at one moment: whoever sends a byte a second gains nothing."""

    def __init__(self, stream: httpcore.NetworkStream, ends: float) -> None:
        self._stream, self._ends = stream, ends

    def _left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            self.close()
            raise httpcore.ReadTimeout
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what there is."""
        del timeout
        return self._stream.read(max_bytes, self._left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        del timeout
        self._stream.write(buffer, self._left())

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Go on encrypted."""
        del timeout
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, self._left()), self._ends)

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection."""
        return self._stream.get_extra_info(info)
