"""The address at which alerts and incidents come in: a POST, a bearer token, an answer after all of it is stored."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ladder_graph.errors import AnswerRefused, SignalRefused, UnknownQuestion
from ladder_graph.watch import mistakes
from ladder_graph.watch.alertmanager import LARGEST, signals_of
from ladder_graph.watch.mistakes import Reported, reported_of
from ladder_graph.watch.signals import SHORTEST, Signal, authorised

Deliver = Callable[[list[Signal]], None]
"""Stores signals, whole and durably, or raises. A signal whose `key` is stored already must be passed over."""

Report = Callable[[Reported], Mapping[str, Any]]
"""Takes a report about an action, and tells what came of it. What was reported before must change nothing."""

log = logging.getLogger(__name__)


def create_app(
    deliver: Deliver, token: str, report: Report | None = None, others: Sequence[BaseRoute] = ()
) -> Starlette:
    """An ASGI app that takes alerts by `POST /signals`, and incidents by `POST /incidents`.

    Alerts are answered with 204 after `deliver` returned; of several all are delivered, or none. An incident is
    answered with 200 and what came of it, a repeated one too; with 404 where there is no such action. Either is
    answered with 401 without the token, 413 and 400 where it can't be read, and 503 where it could not be stored, so
    that the sender tries again.

    Args:
        deliver: Stores the alerts that came; called in a thread.
        token: What a sender shows as `Authorization: Bearer ...`.
        report: Takes an incident; called in a thread. None takes none.
        others: What else is served there.

    Raises:
        ValueError: The token is too short to be one.
    """
    if len(token) < SHORTEST:
        raise ValueError(f"a token of {len(token)} characters can be guessed; use at least {SHORTEST}")

    async def signals(body: bytes) -> Response:
        await run_in_threadpool(deliver, signals_of(body, time.time_ns() // 1000))
        return Response(status_code=204)

    async def incidents(body: bytes) -> Response:
        assert report is not None  # noqa: S101  # without it there is no such route
        return JSONResponse(await run_in_threadpool(report, reported_of(body)))

    routes: list[BaseRoute] = [*others, Route("/signals", _taking(signals, token, LARGEST), methods=["POST"])]
    if report is not None:
        routes.append(Route("/incidents", _taking(incidents, token, mistakes.LARGEST), methods=["POST"]))
    return Starlette(routes=routes)


def _taking(
    work: Callable[[bytes], Awaitable[Response]], token: str, largest: int
) -> Callable[[Request], Awaitable[Response]]:
    """Everything around the work that is the same for each address."""

    async def take(request: Request) -> Response:
        if not authorised(request.headers.get("authorization"), token):
            return PlainTextResponse("the bearer token is missing or wrong", 401, {"WWW-Authenticate": "Bearer"})
        try:
            body = await _body(request, largest)
            if body is None:
                return PlainTextResponse(f"a delivery has at most {largest} bytes", 413)
            return await work(body)
        except UnknownQuestion as wrong:
            return PlainTextResponse(f"not taken: {wrong}", 404)
        except (SignalRefused, AnswerRefused, ClientDisconnect) as wrong:
            return PlainTextResponse(f"not taken: {wrong}", 400)
        except Exception:
            log.exception("what was delivered could not be stored")
            return PlainTextResponse("not stored; try again", 503)

    return take


async def _body(request: Request, largest: int) -> bytes | None:
    """The body, read no further than it may be long; None where it is longer, whatever its header says."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            return None
    return bytes(body)
