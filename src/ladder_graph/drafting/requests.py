"""`http`: the draft of a tool that sends a request, as an .http text in which secrets are masked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from ladder_graph.calls import normalise
from ladder_graph.drafting import keyed
from ladder_graph.drafting.drawn import Drawn, Piece, argument
from ladder_graph.drafting.written import plain_header
from ladder_graph.errors import DraftRefused

MASK = "***"
"""What stands for a secret."""
_SECRET = re.compile(
    r"auth|cookie|token|secret|passw|pwd|signature|credential|session|api[-_]?key|access[-_]?key|private", re.IGNORECASE
)
_METHOD = re.compile(r"[A-Z]{3,16}")
_ODD = re.compile("[\x00-\x20\x7f-\xa0\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Request:
    """See `http`."""

    url: str
    method: str
    method_argument: str | None
    headers: str | None
    body: str | None
    fixed: Mapping[str, str]
    now: Callable[[Mapping[str, Any]], Any] | None
    secrets: frozenset[str]
    will: str
    labels: tuple[str, ...]

    def draw(self, arguments: Mapping[str, Any]) -> Drawn:
        """The request, and what it would change where that is known."""
        method = argument(arguments, self.method_argument).upper() if self.method_argument else self.method
        if not _METHOD.fullmatch(method):
            raise DraftRefused(f"{method[:40]!r} is no method of HTTP")
        url = self._url(argument(arguments, self.url))
        headers = self._headers(arguments)
        body = None if self.body is None else arguments.get(self.body)
        base = None if self.now is None else self.now(arguments)
        piece = _piece(body, base)
        head = "".join(f"{name}: {value}\n" for name, value in headers.items())
        written = "" if body is None else f"\n{_written(body)}"
        return Drawn(
            "http", (piece,) if piece is not None else (), f"{method} {url} HTTP/1.1\n{head}{written}", ".http",
            title=f"{method} {url}"[:200], source="what is there now" if base is not None else "",
            facts=(("request", f"{method} {url}"), *headers.items()), target=f"{method} {url}", labels=self.labels,
            will=self.will, recipe={} if piece is None else self._recipe(body), whole=piece is None or base is None,
        )  # fmt: skip

    def _recipe(self, body: Any) -> dict[str, Any]:
        return {"form": "settings" if isinstance(body, Mapping) else "text", "argument": self.body}

    def _headers(self, arguments: Mapping[str, Any]) -> dict[str, str]:
        given = arguments.get(self.headers) if self.headers else None
        if given is not None and not isinstance(given, Mapping):
            raise DraftRefused(f"the argument {self.headers} is no mapping of headers")
        found: dict[str, str] = {}
        for name, value in {**self.fixed, **(given or {})}.items():
            plain_header(str(name), str(value))
            found[str(name)] = MASK if self._secret(str(name)) else str(value)
        return found

    def _secret(self, name: str) -> bool:
        return name.casefold() in self.secrets or _SECRET.search(name) is not None

    def _url(self, url: str) -> str:
        """The address with its secrets masked."""
        if _ODD.search(url):
            raise DraftRefused("the URL holds a space, a line end or another control character")
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as wrong:
            raise DraftRefused(f"the URL can't be read: {wrong}") from wrong
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise DraftRefused(f"{parts.scheme or 'nothing'}:// is no address of HTTP")
        place = parts.netloc.rpartition("@")[2]
        place = f"{MASK}@{place}" if "@" in parts.netloc else place
        asked = parts.query
        pairs = parse_qsl(asked, keep_blank_values=True)
        if any(self._secret(name) for name, _ in pairs):
            asked = "&".join(f"{quote(name)}={MASK if self._secret(name) else quote(value)}" for name, value in pairs)
        return urlunsplit((parts.scheme, place, parts.path, asked, ""))


def http(
    url: str = "url",
    *,
    method: str = "POST",
    method_argument: str | None = None,
    headers: str | None = None,
    body: str | None = None,
    fixed: Mapping[str, str] | None = None,
    now: Callable[[Mapping[str, Any]], Any] | None = None,
    secrets: Collection[str] = (),
    will: str = "",
    labels: tuple[str, ...] = (),
) -> Request:
    """The draft of a tool that sends an HTTP request. Nothing is sent.

    Headers and query parameters whose names speak of secrets are masked, and so is what stands before an `@`.

    Args:
        url: The argument that holds the address.
        method: The method, where it is always the same.
        method_argument: Or the argument that holds it.
        headers: The argument that maps names to values.
        body: The argument that holds the body: a text, or what is sent as JSON.
        fixed: Headers that the tool itself adds.
        now: A function of the arguments that reads what the request would change, in the form of the body; with it the
            body is taken key by key. Without it the request can't be taken in part.
        secrets: Further names of headers and parameters to mask.
        will: What accepting does, in words.
        labels: Access labels of these drafts, beside those of the rule.

    Example:
        >>> drawn = http(headers="headers").draw(
        ...     {"url": "https://x.example/?token=1", "headers": {"Authorization": "s"}}
        ... )
        >>> print(drawn.artifact, end="")
        POST https://x.example/?token=*** HTTP/1.1
        Authorization: ***
    """
    kept = frozenset(name.casefold() for name in secrets)
    return Request(url, method, method_argument, headers, body, fixed or {}, now, kept, will, labels)


def _piece(body: Any, base: Any) -> Piece | None:
    if body is None:
        return None
    if isinstance(body, Mapping) and (base is None or isinstance(base, Mapping)):
        return Piece("body", None if base is None else keyed.flat(base), keyed.flat(body), "keys")
    if not isinstance(body, str) or not isinstance(base, str | None):
        return Piece("body", None if base is None else _written(base), _written(body), "code")
    return Piece("body", base, body, "code")


def _written(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(normalise(body), indent=2, ensure_ascii=False) + "\n"
