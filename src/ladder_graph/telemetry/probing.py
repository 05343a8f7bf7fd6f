"""`/healthz` and `/metrics`: what machines ask a process that serves a ladder. No argument and no person is told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ladder_graph.errors import LedgerError
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.watching import watchers
from ladder_graph.policy import Policy
from ladder_graph.telemetry.levels import Levels
from ladder_graph.telemetry.measuring import Measuring
from ladder_graph.telemetry.registry import TYPE, Registry
from ladder_graph.watch.signals import authorised
from ladder_graph.watch.tokens import token_in

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

log = logging.getLogger("ladder_graph")

HEALTH, METRICS = "/healthz", "/metrics"


def probed(ladder: Ladder, *, watching: bool = False) -> list[Route]:
    """The routes: `/healthz` for everybody, and `/metrics` where the policy names its token.

    From here on the calls of this process are counted, if there is such a page.

    Args:
        ladder: The ladder.
        watching: Whether the process is only well while it watches.

    Raises:
        LadderError: The policy names a token, and it isn't there, or can be guessed.
    """
    token = token_of(ladder.policy)

    async def health(_: Request) -> Response:
        trouble = await run_in_threadpool(trouble_of, ladder, watching=watching)
        return PlainTextResponse(trouble or "ok", 503 if trouble else 200)

    routes = [Route(HEALTH, health)]
    return routes if token is None else [*routes, _figures(ladder, token)]


def token_of(policy: Policy) -> str | None:
    """The token for `/metrics`; None where the policy names none.

    Raises:
        LadderError: It names one that isn't there, or can be guessed.
    """
    name = policy.metrics.token_env
    return None if name is None else token_in(name, "figures are told")


def trouble_of(ladder: Ladder, *, watching: bool) -> str:
    """What is wrong with a process, in words that tell nothing of what it does; empty where nothing is.

    Args:
        ladder: Its ladder.
        watching: Whether it must watch.
    """
    try:
        here = ladder.store.glance(lambda cursor: watchers.watchers(cursor, ladder.store.owner, micros(ladder.clock())))
    except LedgerError as wrong:
        log.warning("not well: %s", wrong)
        return "the ledger can't be read"
    if watching and ladder.watcher.name not in {name for name, _ in here}:
        return "it doesn't watch"
    return ""


def _figures(ladder: Ladder, token: str) -> Route:
    registry, levels = Registry(), Levels(ladder)
    ladder.observers.add(Measuring(registry))

    async def figures(request: Request) -> Response:
        if not authorised(request.headers.get("authorization"), token):
            return PlainTextResponse("the bearer token is missing or wrong", 401, {"WWW-Authenticate": "Bearer"})
        try:
            page = registry.page(await run_in_threadpool(levels.now))
        except LedgerError as wrong:
            log.warning("no figures: %s", wrong)
            return PlainTextResponse("the ledger can't be read; the server's log says why", 503)
        return Response(page, media_type=TYPE)

    return Route(METRICS, figures)
