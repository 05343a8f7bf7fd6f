"""`http_resource`: the undo of a tool that changes one resource of an HTTP API."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from ladder_graph.errors import LadderError, UndoConflict
from ladder_graph.references import registered
from ladder_graph.tools import Arguments, Declaration

LARGEST = 1_000_000
"""Bytes of a representation that a before-image may hold."""
_PLACE = re.compile(r"\{(\w+)\}")
_HERE = {"localhost", "127.0.0.1", "::1"}
_OK, _ABSENT, _PRECONDITION_FAILED = 200, 404, 412


def http_resource(
    url: str, *, headers: Mapping[str, str] | None = None, ignore: Sequence[str] = (), timeout: float = 10.0
) -> Declaration:
    """Undo for a tool that creates, replaces or deletes the resource at a URL. It needs `ladder-graph[watch]`.

    The before-image is what GET answers. The undo PUTs it back, or DELETEs what wasn't there, with `If-Match`: the
    server itself refuses (412) where somebody changed the resource in between, and that is a conflict. What was
    deleted is PUT back with `If-None-Match: *`.

    Limits: the server must give strong ETags and heed the conditions; a resource without one gets no undo. What the
    change set off elsewhere stays. A server that gives a new resource another id, or sets fields by itself that aren't
    in `ignore`, doesn't get it back as it was, which is reported. After a crash between the action and its fingerprint,
    every change since the before-image is taken for the action's.

    Args:
        url: `https://…`, with arguments in the path as `{name}`. They are quoted and can't leave their place. Plain
            HTTP is for this machine only.
        headers: Header names to `"env:NAME"`, the environment variable that holds the whole value, such as `Bearer …`.
            The artifact never holds it.
        ignore: Top-level fields of a JSON object that the server sets by itself; they aren't compared.
        timeout: Seconds for each request.

    Raises:
        LadderError: The URL or a header is not as described.

    Example:
        >>> http_resource("https://api.example.com/pages/{id}", headers={"Authorization": "env:TOKEN"}).portable
        True
    """
    _check(url)
    for name, value in (headers or {}).items():
        if not value.startswith("env:"):
            raise LadderError(f"the header {name} must name an environment variable, as env:NAME")
    place = {"headers": dict(headers or {}), "ignore": list(ignore), "timeout": timeout}

    def prepare(arguments: Arguments) -> dict[str, Any]:
        scope = {"url": filled(url, arguments), **place}
        answer = _get(scope)
        if answer is None:
            return {**scope, "was": None}
        body, etag, kind = answer
        _strong(etag)
        return {**scope, "was": {"body": base64.b64encode(zlib.compress(body)).decode(), "type": kind}}

    return Declaration(
        prepare=prepare, undo=put_back, fingerprint=present, conditional=True, resource=lambda state: state["url"]
    )  # fmt: skip


def _check(url: str) -> None:
    parts = urlsplit(url)
    if "{" in parts.scheme + parts.netloc or "@" in parts.netloc or not parts.hostname:
        raise LadderError(f"{url}: the host stands in the URL as it is, without arguments, user or password")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
        raise LadderError(f"{url}: only https, but for this machine")
    if "{" in _PLACE.sub("", url) or _PLACE.search(parts.query + parts.fragment):
        raise LadderError(f"{url}: arguments stand in the path, as {{name}}")


def filled(url: str, arguments: Arguments) -> str:
    """The URL with quoted arguments.

    Raises:
        LadderError: An argument is missing, or would lead elsewhere.

    Example:
        >>> filled("https://a.example/x/{id}", {"id": "b/../c"})
        'https://a.example/x/b%2F..%2Fc'
    """

    def quoted(found: re.Match[str]) -> str:
        value = arguments.get(found[1])
        if isinstance(value, bool) or not isinstance(value, str | int) or str(value) in {"", ".", ".."}:
            raise LadderError(f"the argument {found[1]} is {value!r}, which names no resource")
        return quote(str(value), safe="")

    return _PLACE.sub(quoted, url)


def _send(state: Any, method: str, headers: Mapping[str, str] | None = None, content: bytes | None = None) -> Any:
    try:
        # Imported here, so that ladders without HTTP don't need the [watch] extra.
        import httpx
    except ImportError as missing:
        raise LadderError("httpx is missing; install ladder-graph[watch]") from missing
    secret = {}
    for name, value in state["headers"].items():
        if value[4:] not in os.environ:
            raise LadderError(f"the environment variable {value[4:]} isn't set")
        secret[name] = os.environ[value[4:]]
    try:
        # No redirects and no proxy: the author's host is asked, and nobody else gets the headers.
        return httpx.request(
            method, state["url"], content=content, headers={**secret, **(headers or {})}, timeout=state["timeout"],
            follow_redirects=False, trust_env=False,
        )  # fmt: skip
    except (httpx.HTTPError, httpx.InvalidURL) as wrong:
        raise LadderError(f"{method} {state['url']} failed ({type(wrong).__name__})") from wrong


def _get(state: Any) -> tuple[bytes, str, str] | None:
    answer = _send(state, "GET")
    if answer.status_code == _ABSENT:
        return None
    if answer.status_code != _OK:
        raise LadderError(f"GET {state['url']} answered {answer.status_code}")
    if len(answer.content) > LARGEST:
        raise LadderError(f"{state['url']} is too large for a before-image ({len(answer.content)} bytes)")
    return answer.content, answer.headers.get("ETag", ""), answer.headers.get("Content-Type", "")


def _strong(etag: str) -> str:
    if not etag.startswith('"'):
        raise LadderError("the server gives no strong ETag, so nobody could tell whether somebody changed it")
    return etag


def _digest(body: bytes, ignore: Sequence[str]) -> str:
    try:
        fields = json.loads(body) if ignore else None
    except ValueError:
        fields = None
    if isinstance(fields, dict):
        body = json.dumps({k: v for k, v in fields.items() if k not in ignore}, sort_keys=True).encode()
    return hashlib.sha256(body).hexdigest()[:32]


def _seen(state: Any) -> dict[str, str] | None:
    answer = _get(state)
    return None if answer is None else {"body": _digest(answer[0], state["ignore"]), "etag": answer[1]}


@registered("fingerprint")
def present(state: Any) -> str:
    """The resource at this moment: a digest of its representation, and its ETag."""
    return json.dumps(_seen(state), sort_keys=True)


@registered("undo")
def put_back(state: Any, after: str | None) -> bool:
    """Put back what was there.

    Returns:
        Whether there was anything to put back.

    Raises:
        UndoConflict: Somebody changed it after the action.
        LadderError: The server didn't take it.
    """
    was, now = state["was"], _seen(state)
    body = None if was is None else zlib.decompress(base64.b64decode(was["body"]))
    before = None if body is None else _digest(body, state["ignore"])
    if (now and now["body"]) == before:
        return False
    if after is not None and now != json.loads(after):
        raise UndoConflict(f"{state['url']} was changed by somebody else after the action")
    condition = {"If-Match": _strong(now["etag"])} if now else {"If-None-Match": "*"}
    if body is None:
        answer = _send(state, "DELETE", condition)
    else:
        kind = {"Content-Type": was["type"]} if was["type"] else {}
        answer = _send(state, "PUT", {**condition, **kind}, body)
    if answer.status_code == _PRECONDITION_FAILED:
        raise UndoConflict(f"{state['url']} was changed by somebody else at this very moment")
    if not answer.is_success:
        raise LadderError(f"{answer.request.method} {state['url']} answered {answer.status_code}")
    left = _seen(state)
    if (left and left["body"]) != before:
        raise LadderError(f"the server took it, and {state['url']} is still not as it was")
    return True
