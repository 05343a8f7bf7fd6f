"""Forms: taken only from the page that this visit was shown, by this console, and whole."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request

from ladder_graph.console import forms
from ladder_graph.console.answers import Refusal
from tests.console.conftest import FORM

pytestmark = pytest.mark.usefixtures("probed")


def token(browser, path="/probe/one"):
    """What the form on a page brings along."""
    return browser.get(path).json()["form"]


def send(browser, form, path="/probe/one", **headers):
    """Send a form with this token; a header that is None is left out."""
    sent = {name: value for name, value in {**FORM, **headers}.items() if value is not None}
    return browser.client.post(path, content=f"form={form}&x=1", headers=sent)


def test_a_form_of_ours_is_taken(console):
    """What a page was shown with is what acting there takes."""
    ana = console().visitor()
    assert send(ana, token(ana)).json()["took"]["x"] == "1"


@pytest.mark.parametrize(
    "forged", ["", "x", "x.y", ".", "%00", "a|b|c.d", "9" * 5000], ids=lambda text: text[:6] or "none"
)
def test_a_form_without_our_token_is_refused(console, forged):
    """Nothing that somebody can make up is a token."""
    assert send(console().visitor(), forged).status_code in {400, 403}


def test_a_token_is_for_one_visit_and_one_address(console):
    """Somebody else's token is none, nor one for another address, nor one from before the last sign-in."""
    made = console()
    ana, bo = made.visitor("ana"), made.visitor("bo")
    assert send(bo, token(ana)).status_code == 403
    assert send(ana, token(ana, "/probe/two")).status_code == 403
    again = made.visitor("ana")
    assert send(again, token(ana)).status_code == 403


def test_a_token_of_another_console_is_none(console):
    """Two consoles don't take each other's forms, nor each other's cookies."""
    ana, other = console().visitor(), console().visitor()
    assert send(other, token(ana)).status_code == 403
    kept = ana.client.cookies["ladder_visit"]
    other.client.cookies.clear()
    other.client.cookies.set("ladder_visit", kept)
    assert other.get("/probe/one").status_code == 303


def test_a_cookie_is_no_token(console):
    """What is signed for one purpose is good for no other."""
    ana = console().visitor()
    assert send(ana, ana.client.cookies["ladder_visit"]).status_code == 403


def test_a_token_gets_old(console, monkeypatch):
    """A page that lay open for more than a day is looked at again before it is decided on."""
    ana = console().visitor()
    form = token(ana)
    monkeypatch.setattr("ladder_graph.console.visitor.LONGEST", 0)
    answer = send(ana, form)
    assert (answer.status_code, "This form is stale" in answer.text) == (403, True)


def test_an_address_with_strokes_in_it_has_a_token(console):
    """A name in an address may have the mark in it that parts the token."""
    ana = console().visitor()
    assert send(ana, token(ana, "/probe/a|b|c"), "/probe/a|b|c").status_code == 200


ELSEWHERE = [
    {"origin": None}, {"origin": "null"}, {"origin": "https://evil.example"}, {"origin": "http://127.0.0.1:3000"},
    {"origin": "https://127.0.0.1:8642"}, {"origin": "http://localhost:8642"}, {"origin": "http://127.0.0.1"},
    {"origin": "http://127.0.0.1:8642.evil.example"}, {"origin": "http://127.0.0.1:8642@evil.example"}, {"origin": ""},
    {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "anything"},
]  # fmt: skip


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_a_form_from_elsewhere_is_refused(console, headers):
    """A right token doesn't help where the browser says that another site, or none, sends the form."""
    ana = console().visitor()
    answer = send(ana, token(ana), **headers)
    assert answer.status_code == 403, answer.text
    kept = [answer.headers[name] for name in ("x-frame-options", "cache-control")]
    assert kept == ["DENY", "no-store"]
    for path in ("/signout", "/theme", "/signin"):
        assert send(ana, "", path, **headers).status_code == 403
    assert ana.get("/").status_code == 200


def test_two_origins_are_none(console):
    """A request that names two sites is from neither."""
    ana = console().visitor()
    headers = [("origin", FORM["origin"]), ("origin", FORM["origin"]), ("content-type", FORM["content-type"])]
    assert ana.client.post("/probe/one", content=f"form={token(ana)}", headers=headers).status_code == 403


WRONG = [
    ({"content-type": None}, b"form={}", 415),
    ({"content-type": "application/json"}, b'{{"form": "{}"}}', 415),
    ({"content-type": "text/plain"}, b"form={}", 415),
    ({"content-type": "multipart/form-data; boundary=x"}, b"--x\r\n\r\n{}\r\n--x--", 415),
    ({}, b"form={}&x=%ff", 400),
    ({}, b"form={}&x=%ed%a0%80", 400),
    ({}, b"form={}&x=%00", 400),
    ({}, b"form={}&%00=x", 400),
    ({}, b"form={}&x=\xff", 400),
    ({}, b"form={}" + b"&x=1" * forms.FIELDS, 400),
    ({}, b"form={}&x=" + b"a" * forms.LARGEST, 413),
]


@pytest.mark.parametrize(("headers", "body", "status"), WRONG, ids=[f"{one[2]}-{at}" for at, one in enumerate(WRONG)])
def test_a_body_that_is_no_form_is_refused(console, headers, body, status):
    """Another type, another encoding, too much, or what no ledger keeps: a page says so, and nothing was done."""
    ana = console().visitor()
    sent = {name: value for name, value in {**FORM, **headers}.items() if value is not None}
    form = token(ana).encode()
    answer = ana.client.post("/probe/one", content=body.replace(b"{}", form).replace(b"{{", b"{"), headers=sent)
    assert answer.status_code == status
    assert answer.headers["x-frame-options"] == "DENY"


def test_who_is_not_signed_in_sends_little(console):
    """A stranger's form is read no further than a link is long."""
    stranger = console().stranger()
    for path in ("/signin", "/theme"):
        answer = stranger.client.post(path, content=b"link=" + b"a" * forms.SMALL, headers=FORM)
        assert answer.status_code == 413
    assert (
        stranger.client.post("/theme", content=b"{}", headers={**FORM, "content-type": "text/plain"}).status_code == 415
    )


async def test_a_form_that_does_not_end_is_given_up(monkeypatch):
    """Whoever sends a byte now and then holds nothing for ever."""
    monkeypatch.setattr(forms, "SLOWEST", 0.01)

    async def receive():
        await asyncio.sleep(60)

    headers = [(b"content-type", FORM["content-type"].encode())]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    with pytest.raises(Refusal, match="too slowly") as refused:
        await forms.read_form(request)
    assert refused.value.status == 408


def test_forms_that_come_too_fast_are_refused(console, still):
    """No person decides thirty times at once."""
    ana = console().visitor()
    form = token(ana)
    found = [send(ana, form).status_code for _ in range(40)]
    assert found == [200] * 30 + [429] * 10
