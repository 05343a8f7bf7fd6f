"""The address at which alerts come in: one POST, one bearer token, an answer after the alerts are stored."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ladder_graph.errors import SignalRefused
from ladder_graph.watch.alertmanager import LARGEST, signals_of
from ladder_graph.watch.signals import SHORTEST, Signal, authorised

Deliver = Callable[[list[Signal]], None]
"""Stores signals, whole and durably, or raises. A signal whose `key` is stored already must be passed over."""
log = logging.getLogger(__name__)


def create_app(deliver: Deliver, token: str) -> Starlette:
    """An ASGI app that takes alerts by `POST /signals`.

    It answers 204 after `deliver` returned, 401 without the token, 413 and 400 where a delivery can't be read, and
    503 where `deliver` raised, so that the sender tries again. Of several alerts all are delivered, or none.

    Args:
        deliver: Stores what came; called in a thread.
        token: What a sender shows as `Authorization: Bearer ...`.

    Raises:
        ValueError: The token is too short to be one.
    """
    if len(token) < SHORTEST:
        raise ValueError(f"a token of {len(token)} characters can be guessed; use at least {SHORTEST}")

    async def take(request: Request) -> Response:
        if not authorised(request.headers.get("authorization"), token):
            return PlainTextResponse("the bearer token is missing or wrong", 401, {"WWW-Authenticate": "Bearer"})
        try:
            body = await _body(request)
            if body is None:
                return PlainTextResponse(f"a delivery has at most {LARGEST} bytes", 413)
            signals = signals_of(body, time.time_ns() // 1000)
        except (SignalRefused, ClientDisconnect) as wrong:
            return PlainTextResponse(f"not taken: {wrong}", 400)
        try:
            await run_in_threadpool(deliver, signals)
        except Exception:
            log.exception("alerts could not be stored")
            return PlainTextResponse("not stored; try again", 503)
        return Response(status_code=204)

    return Starlette(routes=[Route("/signals", take, methods=["POST"])])


async def _body(request: Request) -> bytes | None:
    """The body, read no further than it may be long; None where it is longer, whatever its header says."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)
