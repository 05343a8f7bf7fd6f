"""The console as an ASGI app: who is asking, whether they may, and what their page comes back with."""

from __future__ import annotations

import logging
from importlib import resources
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ladder_graph.console.answers import Answer, Moved, Refusal, Said, Sent, Shown
from ladder_graph.console.door import Door, asked_of
from ladder_graph.console.entries import Entry, Page
from ladder_graph.console.forms import NUL, Form, read_form
from ladder_graph.console.guarding import SAFE, Guard
from ladder_graph.console.keys import Seal, key_of
from ladder_graph.console.pages import ENTRIES
from ladder_graph.console.rendering import render
from ladder_graph.console.visitor import Visitor
from ladder_graph.errors import AnswerError, LadderError, UnknownPage, UnknownQuestion
from ladder_graph.policy.console import Access
from ladder_graph.slack.receiving import PATH, answers
from ladder_graph.telemetry.probing import probed

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

log = logging.getLogger("ladder_graph")

LOST = ("There is no such page", "Go back to the page before.")


def create_app(ladder: Ladder) -> Starlette:
    """The console of a ladder, as an ASGI app: by itself, mounted in another app, or inside a LangGraph server.

    Nobody gets in without a link (`sign_in_link`, `ladder console link`) or a trusted proxy's header. It answers under
    the names of this machine, and under the one that the policy gives (`console.url`).

    Args:
        ladder: The ladder. It stays yours: close it yourself.

    Raises:
        LadderError: The policy names a key to sign with, or a token for `/metrics`, and it isn't there.

    Example:
        >>> from ladder_graph import Ladder
        >>> ladder = Ladder(agent="ops", rungs={"send_email": "confirm"}, ledger=":memory:")
        >>> app = create_app(ladder)  # app.mount("/ladder", create_app(ladder)) in an app of your own
        >>> ladder.close()
    """
    seal = Seal(key_of(ladder.refresh().console, ladder.store.source))
    door = Door(ladder, seal)
    routes: list[BaseRoute] = [_route(ladder, seal, door, entry) for entry in ENTRIES]
    routes += [
        Route("/signin", door.knock, methods=["GET", "POST"]),
        Route("/signin/{secret}", door.enter, methods=["GET", "POST"]),
        Route("/signout", door.leave, methods=["POST"]),
        Route("/theme", door.theme, methods=["POST"]),
        _files(),
    ]
    signed = frozenset[str]()
    if ladder.policy.slack.signing_secret_env is not None:
        # Slack signs what it sends, and has neither a page nor a cookie of ours.
        routes.append(answers(ladder))
        signed = frozenset({PATH})
    # As the last page found it: nothing waits for a file on the event loop.
    probes = probed(ladder)
    named = frozenset(one.path for one in probes)
    guard = Middleware(Guard, url=lambda: ladder.policy.console.url, signed=signed, probed=named)
    ladder.keep_assessing()
    ways_out = dict.fromkeys((Refusal, LadderError, HTTPException), _stopped)
    return Starlette(routes=[*routes, *probes], middleware=[guard], exception_handlers=ways_out)


def _route(ladder: Ladder, seal: Seal, door: Door, entry: Entry) -> Route:
    """The route of an entry: nothing of it is reached without a visit and the access it takes."""

    async def serve(request: Request) -> Response:
        acting = request.method not in SAFE
        visit = await door.visit_of(request)
        if isinstance(visit, Response):
            return visit
        if any(NUL in text for text in (request.scope["path"], *request.query_params.values())):
            raise Refusal(404, *LOST)  # nothing is called so, and a database would choke on it
        form = await read_form(request) if acting else Form()
        visitor = Visitor(
            ladder, seal, visit, request.scope.get("root_path", ""), _here(request), dict(request.query_params),
            {name: str(value) for name, value in request.path_params.items()}, form,
            f"{request.url.scheme}://{request.url.netloc}",
        )  # fmt: skip
        request.state.visitor = visitor
        page = entry.take if acting else entry.show
        if page is None:
            raise Refusal(405, "That isn't done here", "Go back to the page before.")
        return await run_in_threadpool(_made, request, visitor, entry, page, acting=acting)

    methods = [*(["GET"] if entry.show else []), *(["POST"] if entry.take else [])]
    return Route(entry.path, serve, methods=methods)


def _made(request: Request, visitor: Visitor, entry: Entry, page: Page, *, acting: bool) -> Response:
    needed = entry.acts if acting else entry.looks
    if not visitor.may_somewhere(needed):
        raise Refusal(403, "Not yours", f"This takes the access {needed.word!r}, which the policy gives to people.")
    if acting and visitor.opened() is None:
        text = "Its page lay open too long, or belongs to another sign-in. Nothing was done; look at it again."
        raise Refusal(403, "This form is stale", text)
    try:
        return answered(request, visitor, page(visitor))
    except UnknownQuestion as wrong:
        # It may say how many there are that begin so, whosever they are.
        raise visitor.lost("There is no such thing", str(wrong)) from wrong


def _here(request: Request) -> str:
    """The address that was asked for, from the console's root."""
    base = request.scope.get("root_path", "")
    return request.scope["path"].removeprefix(base) or "/"


def answered(request: Request, visitor: Visitor, answer: Answer) -> Response:
    """The response that an answer is."""
    match answer:
        case Moved(path):
            return RedirectResponse(visitor.path(path), 303)
        case Said(document):
            return JSONResponse(document)
        case Sent(name, media, text):
            headers = {"content-disposition": f'attachment; filename="{name}"'}
            return Response(text.encode(), media_type=media, headers=headers)
        case Shown(template, context, status):
            return HTMLResponse(render(template, **framed(request, visitor), **context), status)


def framed(request: Request, visitor: Visitor | None) -> dict[str, Any]:
    """What each page's frame says."""
    base = request.scope.get("root_path", "")
    theme = request.cookies.get("ladder_theme")
    return {
        "base": base, "visitor": visitor, "here": _here(request), "asked": asked_of(request), "Access": Access,
        "theme": theme if theme in {"light", "dark"} else "",
    }  # fmt: skip


def refused(request: Request, refusal: Refusal, visitor: Visitor | None) -> Response:
    """The page of a refusal."""
    context = {"title": refusal.title, "text": refusal.text, "status": refusal.status}
    return HTMLResponse(render("refusal.html", **framed(request, visitor), **context), refusal.status)


async def _stopped(request: Request, wrong: Exception) -> Response:
    """The page for whatever ended a request."""
    visitor = getattr(request.state, "visitor", None)
    match wrong:
        case Refusal():
            refusal = wrong
        case HTTPException():
            # What isn't there looks the same to whoever isn't signed in and to whoever is.
            refusal, visitor = Refusal(wrong.status_code, *LOST), None
        case UnknownPage():
            refusal = Refusal(404, LOST[0], "Begin at the first page.")
        case AnswerError():
            refusal = Refusal(409, "That can't be taken", str(wrong))
        case _:
            # It may say where the ledger is, which is nobody's business who isn't signed in.
            log.error("a page of the console could not be made", exc_info=wrong)
            text = "It can't be read or written; the server's log says why. Nothing that was asked for now was done."
            refusal, visitor = Refusal(503, "The ledger can't be used now", text), None
    return await run_in_threadpool(refused, request, refusal, visitor)


def _files() -> Route:
    """Our own files, as they are now, which a browser may keep: another version has another address."""
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    found = {
        file.name: (file.read_bytes(), kind)
        for file in resources.files("ladder_graph.console").joinpath("static").iterdir()
        if (kind := _KINDS.get(file.name.rpartition(".")[2]))
    }

    async def serve(request: Request) -> Response:
        if (file := found.get(request.path_params["name"])) is None:
            raise Refusal(404, *LOST)
        return Response(file[0], media_type=file[1], headers=headers)

    return Route("/static/{name}", serve)


_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
"""Types of files; a machine's own list of them may say anything."""
