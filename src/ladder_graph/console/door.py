"""The door: who is signed in with a request, and the pages at which people sign in and out."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ladder_graph.console import signin
from ladder_graph.console.access import best_access
from ladder_graph.console.answers import Refusal
from ladder_graph.console.forms import SMALL, read_form
from ladder_graph.console.guarding import SAFE, Rates
from ladder_graph.console.keys import Seal
from ladder_graph.console.rendering import render
from ladder_graph.facts import Person
from ladder_graph.ledger.access import visits
from ladder_graph.ledger.access.visits import Visit
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.policy.console import Access

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

COOKIE = "ladder_visit"
"""The cookie that holds the signed secret of a visit."""
THEME = "ladder_theme"
"""The cookie of who wants the pages dark, or light, whatever their system does."""


class Door:
    """Knows who is signed in, and lets people in and out.

    Args:
        ladder: Whose console.
        seal: Signs the cookies.
    """

    def __init__(self, ladder: Ladder, seal: Seal) -> None:
        self._ladder, self._seal = ladder, seal
        self._wrong = Rates(most=10, per_minute=10)
        """Sign-ins that failed, by address."""
        self._asked = Rates(most=120, per_minute=600)
        """Pages, by visit."""
        self._named_anew = Rates(most=10, per_minute=10)
        """Visits that the proxy's word began, by name: a client that keeps no cookie begins one with each page."""
        self._sent = Rates(most=30, per_minute=120)
        """Forms, by visit."""

    async def visit_of(self, request: Request) -> Visit | Response:
        """Who is signed in; else the page to sign in at.

        Raises:
            Refusal: They ask for more than a person would.
        """
        visit = await run_in_threadpool(self._visit, request)
        if isinstance(visit, Visit):
            rates = self._asked if request.method in SAFE else self._sent
            if not rates.allow(visit.hash):
                raise Refusal(429, "Too much at once", "Wait a minute, and go on then.")
            return visit
        if isinstance(visit, tuple):
            secret, _ = visit
            moved = RedirectResponse(_base(request) + asked_of(request), 303)
            self._keep(request, moved, secret)
            return moved
        if request.method not in SAFE:
            raise Refusal(401, "You aren't signed in", "Nothing was done. Sign in, and look at it again.")
        if COOKIE not in request.cookies and request.headers.get("sec-fetch-site") == "cross-site":
            # A browser keeps a strict cookie back where a link on another site led here; from our own page it comes.
            to = _base(request) + asked_of(request)
            return HTMLResponse(await run_in_threadpool(render, "bounce.html", base=_base(request), to=to))
        to, asked = f"{_base(request)}/signin", asked_of(request)
        return RedirectResponse(to if asked == "/" else f"{to}?{urlencode({'next': asked})}", 303)

    def _visit(self, request: Request) -> Visit | tuple[str, Visit] | None:
        """Who is signed in; with a new secret for the cookie where the proxy has named somebody anew."""
        secret = self._seal.opened("visit", request.cookies.get(COOKIE, ""))
        now = micros(self._ladder.clock())
        found = secret and self._ladder.store.read(lambda cursor: visits.find(cursor, secret, now))
        named = self._named(request)
        if named is None:
            return found if found and found.person.auth != "proxy" else None
        if found and found.person.name == named:
            return found
        if request.method not in SAFE:
            return None
        if best_access(self._ladder.refresh(), Person(named, "proxy")) is Access.NONE:
            raise Refusal(
                403, "Not somebody this console knows", "The policy lets in people whom it names; ask for it."
            )
        if not self._named_anew.allow(named):
            raise Refusal(429, "Too much at once", "Keep the cookie; wait a minute, and go on then.")
        return signin.sign_in_by_proxy(self._ladder, named, request.headers.get("user-agent", ""))

    def _named(self, request: Request) -> str | None:
        """Whom a trusted proxy names; None where there is none, or it names nobody or two."""
        settings = self._ladder.refresh().console
        if settings.proxy_header is None or not settings.trusts(request.client and request.client.host):
            return None
        given = request.headers.getlist(settings.proxy_header)
        return given[0].strip() or None if len(given) == 1 else None

    # --- the pages -------------------------------------------------------------------------------------------

    async def knock(self, request: Request) -> Response:
        """Say how to sign in, and take a link that is typed or pasted."""
        if request.method in SAFE:
            return await self._page(request, "signin.html", wrong="")
        try:
            form = await read_form(request, SMALL)
        except Refusal as refusal:
            return await self._page(request, "signin.html", refusal.status, wrong=refusal.text)
        secret = form.get("link").strip().rstrip("/").rpartition("/")[2]
        return await self._let_in(request, secret, signin.inside(form.get("next")))

    async def enter(self, request: Request) -> Response:
        """A link: look whose it is; the button uses it up, so that nothing that only looks ahead can."""
        secret = str(request.path_params["secret"])
        if request.method not in SAFE:
            return await self._let_in(request, secret, "/")
        if self._wrong.full(_from(request)):
            return await self._too_many(request)
        name = await run_in_threadpool(signin.whose, self._ladder, secret)
        if name is None:
            self._wrong.allow(_from(request))
            return await self._page(request, "signin.html", 404, wrong=_NOT_GOOD)
        return await self._page(request, "enter.html", name=name, secret=secret)

    async def _let_in(self, request: Request, secret: str, to: str) -> Response:
        if self._wrong.full(_from(request)):
            return await self._too_many(request)
        before = await run_in_threadpool(self._visit, request)
        known = before if isinstance(before, Visit) else None
        browser = request.headers.get("user-agent", "")
        found = await run_in_threadpool(signin.sign_in, self._ladder, secret, known, browser)
        if found is None:
            self._wrong.allow(_from(request))
            return await self._page(request, "signin.html", 403, wrong=_NOT_GOOD)
        response = RedirectResponse(f"{_base(request)}{to}", 303)
        if found[0] is not None:
            self._keep(request, response, found[0])
        return response

    async def leave(self, request: Request) -> Response:
        """Sign out. It takes no token: whoever could send it from here could do worse."""
        visit = await run_in_threadpool(self._visit, request)
        if isinstance(visit, Visit):
            await run_in_threadpool(signin.sign_out, self._ladder, visit, visit.person)
        response = RedirectResponse(f"{_base(request)}/signin", 303)
        response.delete_cookie(COOKIE, path=_base(request) or "/")
        return response

    async def theme(self, request: Request) -> Response:
        """Dark, light, or as the system is."""
        form = await read_form(request, SMALL)
        response = RedirectResponse(f"{_base(request)}{signin.inside(form.get('next'))}", 303)
        wanted = form.get("theme")
        if wanted in {"light", "dark"}:
            response.set_cookie(
                THEME, wanted, max_age=31_536_000, path=_base(request) or "/", httponly=True, samesite="lax"
            )
        else:
            response.delete_cookie(THEME, path=_base(request) or "/")
        return response

    async def _page(self, request: Request, template: str, status: int = 200, **context: Any) -> Response:
        return await run_in_threadpool(self._rendered, request, template, status, **context)

    def _rendered(self, request: Request, template: str, status: int, **context: Any) -> Response:
        asked = signin.inside(request.query_params.get("next", "/"))
        theme = request.cookies.get(THEME)
        agent = self._ladder.refresh().agent
        page = render(
            template, base=_base(request), next=asked, asked=asked, visitor=None, agent=agent, here="/signin",
            theme=theme if theme in {"light", "dark"} else "", **context,
        )  # fmt: skip
        return HTMLResponse(page, status)

    async def _too_many(self, request: Request) -> Response:
        return await self._page(request, "signin.html", 429, wrong="Too many tries from this address. Wait a minute.")

    def _keep(self, request: Request, response: Response, secret: str) -> None:
        settings = self._ladder.policy.console
        safe = request.url.scheme == "https" or (settings.url or "").startswith("https://")
        response.set_cookie(
            COOKIE, self._seal.sealed("visit", secret), max_age=int(settings.session), path=_base(request) or "/",
            secure=safe, httponly=True, samesite="strict",
        )  # fmt: skip


_NOT_GOOD = "This link isn't good: it was used, it is too old, or it never was one. Make a new one."


def _base(request: Request) -> str:
    """Where the console is mounted."""
    return str(request.scope.get("root_path", ""))


def _from(request: Request) -> str:
    """Who tries, as far as it can be told: with IPv6 the network, in which one machine has any number of addresses."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))  # noqa: PLR2004


def asked_of(request: Request) -> str:
    """What was asked for, from the console's root: whatever stands before a proxy, it leads to the same host."""
    path = quote(request.scope["path"].removeprefix(_base(request))) or "/"
    return f"{path}?{request.url.query}" if request.url.query else path
