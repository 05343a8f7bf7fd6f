"""The address that Slack sends answers to: one POST, signed, answered before anything is told to Slack."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ladder_graph.slack.answering import LARGEST, Outcome, taken
from ladder_graph.slack.sending import reply

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

log = logging.getLogger("ladder_graph")

PATH = "/slack/answers"
"""Where the route is, unless another place is said; what Slack calls the app's interactivity request URL."""


def answers(ladder: Ladder, path: str = PATH) -> Route:
    """The route for the app that serves it, such as `Starlette(routes=[answers(ladder)])`.

    It needs no sign-in and no CSRF token: whoever calls is known by the signature over the raw body alone.

    Args:
        ladder: The ladder whose questions are answered.
        path: The route's path.
    """

    async def take(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        try:
            outcome = await run_in_threadpool(taken, ladder, request.headers, body)
        except Exception:
            log.exception("an answer from Slack could not be taken")
            return Response(status_code=503)
        return Response(status_code=outcome.status, background=BackgroundTask(_told, outcome))

    return Route(path, take, methods=["POST"])


def _told(outcome: Outcome) -> None:
    if outcome.reply is not None and outcome.reply_to:
        reply(outcome.reply_to, outcome.reply)


async def _body(request: Request) -> bytes | None:
    """The raw body; None where it is too large, of which no more is read."""
    found = bytearray()
    try:
        async for part in request.stream():
            found += part
            if len(found) > LARGEST:
                return None
    except ClientDisconnect:
        return None
    return bytes(found)
