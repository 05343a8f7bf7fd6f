"""The console inside another app: below a path of it, with its own way in, and with nothing of the other's."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from ladder_graph.console import create_app, sign_in_link
from tests.console.conftest import FORM, HOST


@pytest.fixture
def mounted(console):
    """A browser at an app that has a console at /ladder, and pages of its own, called as the console's are."""
    ladder = console(policy={"people": {"ana": {"console": "admin"}}}).ladder

    def own(request):
        return PlainTextResponse(f"the other app's {request.url.path}")

    routes = [Route("/signin", own), Route("/", own), Mount("/ladder", create_app(ladder)), Route("/static/x", own)]
    client = TestClient(Starlette(routes=routes), base_url=HOST, follow_redirects=False)
    client.ladder = ladder
    return client


def test_everything_stands_below_its_path(mounted):
    """Addresses, files, the cookie, and where signing in leads."""
    answer = mounted.get("/ladder/counts?x=1")
    assert answer.headers["location"] == "/ladder/signin?next=%2Fcounts%3Fx%3D1"
    page = mounted.get(answer.headers["location"]).text
    assert 'action="/ladder/signin"' in page
    assert 'name="next" value="/counts?x=1"' in page
    assert mounted.get("/ladder/static/console.css").status_code == 200
    link = sign_in_link(mounted.ladder, "ana", by="ana")
    answer = mounted.post(f"/ladder{link}", headers=FORM)
    assert answer.headers["location"] == "/ladder/"
    assert "path=/ladder;" in answer.headers["set-cookie"].lower()
    assert "ana, admin" in mounted.get("/ladder/").text
    assert mounted.get("/ladder/counts").status_code == 200
    answer = mounted.post("/ladder/theme", data={"theme": "dark", "next": "/counts"}, headers=FORM)
    assert answer.headers["location"] == "/ladder/counts"
    assert mounted.post("/ladder/signout", headers=FORM).headers["location"] == "/ladder/signin"
    assert mounted.get("/ladder/").headers["location"] == "/ladder/signin"


def test_the_other_apps_pages_stay_its_own(mounted):
    """Nothing of the console's is reached beside its path, and its headers are on its own answers only."""
    for path in ("/", "/signin", "/static/x"):
        answer = mounted.get(path)
        assert answer.text == f"the other app's {path}"
        assert "content-security-policy" not in answer.headers
    assert mounted.get("/counts").status_code == 404
    assert mounted.get("/ladder/nothing").headers["x-frame-options"] == "DENY"


def test_a_form_takes_the_token_of_its_address(console, probed):
    """Also below a path: the token is for the address from the console's root."""
    ladder = console().ladder
    app = Starlette(routes=[Mount("/a/b", create_app(ladder))])
    client = TestClient(app, base_url=HOST, follow_redirects=False)
    client.post(f"/a/b{sign_in_link(ladder, 'ana', by='ana')}", headers=FORM)
    form = client.get("/a/b/probe/x").json()["form"]
    assert client.post("/a/b/probe/x", data={"form": form}, headers=FORM).status_code == 200
    assert client.post("/a/b/probe/y", data={"form": form}, headers=FORM).status_code == 403


def test_a_name_that_leads_here_is_refused_below_a_path_too(mounted):
    """The other app may answer by any name; the console doesn't."""
    headers = {"host": "evil.example"}
    assert mounted.get("/", headers=headers).status_code == 200
    assert mounted.get("/ladder/signin", headers=headers).status_code == 421
