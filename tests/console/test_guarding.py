"""What stands before every page: by which name it is asked, how, and what its answers may do in a browser."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from ladder_graph.console import sign_in_link
from ladder_graph.console.guarding import HEADERS
from ladder_graph.errors import LedgerError
from tests.console.conftest import FORM

OUTSIDE = {"console": {"url": "https://ladder.example.com/ladder"}}


@pytest.mark.parametrize("host", [
    "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:8642", "",
    "127.0.0.1@evil.example", "[::ffff:7f00:1]", "[", "127.0.0.1:99999999", "8.8.8.8",
])  # fmt: skip
def test_it_answers_by_its_own_name_only(console, host):
    """A site whose name was made to lead to this machine gets nothing: no page, no file, no form."""
    stranger = console().stranger()
    for path in ("/", "/signin", "/static/console.js", "/nothing"):
        assert stranger.get(path, host=host).status_code == 421
    assert (
        stranger.client.post("/signin", headers={**FORM, "host": host, "origin": f"http://{host}"}).status_code == 421
    )


def test_two_names_are_none(console):
    """A request with two hosts is for neither."""
    headers = [("host", "127.0.0.1:8642"), ("host", "evil.example")]
    assert console().stranger().client.get("/signin", headers=headers).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8642", "localhost", "LOCALHOST:1", "[::1]:8642"])
def test_it_answers_by_the_names_of_this_machine(console, host):
    """Whatever port leads here, as through a tunnel."""
    made = console()
    link = sign_in_link(made.ladder, "ana", by="ana")
    client = TestClient(made.app, base_url=f"http://{host}".lower(), follow_redirects=False)
    headers = {**FORM, "host": host, "origin": f"http://{host}".lower()}
    assert client.post(link, headers=headers).status_code == 303


@pytest.mark.parametrize(("host", "origin", "status"), [
    ("ladder.example.com", "https://ladder.example.com", 303),
    ("ladder.example.com", "https://LADDER.example.com:443", 303),
    ("127.0.0.1:8642", "https://ladder.example.com", 303),  # a proxy that names the server it asks
    ("127.0.0.1:8642", "http://127.0.0.1:8642", 303),
    ("ladder.example.com", "http://ladder.example.com", 403),  # whoever sits on the line can be this one
    ("ladder.example.com", "https://ladder.example.com:8443", 403),
    ("ladder.example.com", "https://example.com", 403),
])  # fmt: skip
def test_behind_a_name_forms_come_from_that_address(console, host, origin, status):
    """What the policy says is the address, whatever the server is told by the proxy."""
    made = console(policy=OUTSIDE)
    link = sign_in_link(made.ladder, "ana", by="ana")
    answer = made.stranger().client.post(link, headers={**FORM, "host": host, "origin": origin})
    assert answer.status_code == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/", "/signin", "/static/console.js", "/nothing"])
def test_there_are_no_other_methods(console, method, path):
    """Looking and sending forms is all there is; no answer says that another site may ask."""
    ana = console().visitor()
    for headers in ({}, {"origin": "https://evil.example", "access-control-request-method": "POST"}, FORM):
        answer = ana.client.request(method, path, headers=headers)
        assert answer.status_code in {403, 404, 405}
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_head_does_what_get_does(console):
    """And says as little."""
    ana = console().visitor()
    answer = ana.client.head("/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert ana.client.head("/signin/none").status_code == 404


@pytest.mark.parametrize("path", [
    "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py",
    "/static/%2e%2e%2f%2e%2e%2fledger/access/visits.py",
    "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/..\\app.py", "/static/%5c..%5capp.py", "/static/",
    "/static/%00", "/static/console.css%00.js", "/static/" + "a" * 5000,
])  # fmt: skip
def test_static_files_are_those_that_lie_there(console, path):
    """No way leads out of their folder, and none into a mistake."""
    answer = console().stranger().client.get(path)
    assert answer.status_code == 404, path
    assert "import" not in answer.text


def test_static_files_are_kept_by_browsers(console):
    """They are everybody's, and another version has another address; everything else is kept nowhere."""
    stranger = console().stranger()
    assert "immutable" in stranger.get("/static/console.css").headers["cache-control"]
    assert stranger.get("/static/none.css").headers["cache-control"] == "no-store"


def test_each_answer_has_the_headers_whatever_it_is(console, monkeypatch):
    """Pages, refusals, what isn't there, and what goes wrong: in no frame, nothing from elsewhere, no Referer."""
    made = console()
    ana, stranger = made.visitor(), made.stranger()

    def answers():
        yield ana.get("/")
        yield ana.get("/counts")
        yield ana.get("/nothing")
        yield ana.client.post("/", headers=FORM)
        yield stranger.get("/")
        yield stranger.get("/signin")
        yield stranger.get("/signin/none")
        yield stranger.get("/static/console.js")
        yield stranger.get("/", host="evil.example")
        yield stranger.client.post("/signout")
        yield stranger.client.post("/counts", headers=FORM)
        monkeypatch.setattr(made.ladder.store, "read", fails)
        yield ana.get("/")
        yield stranger.get("/signin/none")
        monkeypatch.setattr(made.ladder.store, "read", lambda work: 1 / 0)
        yield ana.get("/")

    for answer in answers():
        left = {
            name for name, value in HEADERS.items() if name != "cache-control" and answer.headers.get(name) != value
        }
        assert not left, (answer.url, answer.status_code)


def fails(work):
    """A ledger that is gone."""
    raise LedgerError("postgresql://ops:hunter2@db/ledger can't be reached")


def test_a_ledger_that_is_gone_is_not_described(console, monkeypatch, caplog):
    """The page says that it can't be used; where it is, and why, stands in the server's log."""
    made = console()
    ana = made.visitor()
    monkeypatch.setattr(made.ladder.store, "read", fails)
    for answer in (ana.get("/"), made.stranger().get("/signin/none")):
        assert (answer.status_code, "hunter2" in answer.text) == (503, False)
        assert "be used now" in answer.text
    assert "can't be reached" in caplog.text


def test_a_page_that_fails_says_nothing_of_why(console, monkeypatch, caplog):
    """The traceback is the log's."""
    made = console()
    ana = made.visitor()
    monkeypatch.setattr(made.ladder.store, "read", lambda work: {}["secret"])
    answer = ana.get("/")
    assert (answer.status_code, "secret" in answer.text) == (500, False)
    assert "KeyError" in caplog.text


EVIL = [
    "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "javascript:alert(1)", "/signin",
    "/signin/x", "/signout/../signin", "/\t/evil.example", "/ /evil", "/x\r\nset-cookie: a=b", "/\0", "evil", "",
    "///",
]  # fmt: skip


@pytest.mark.parametrize("to", EVIL, ids=repr)
def test_signing_in_leads_nowhere_else(console, to):
    """What the link says to go on to is a page of this console, or its beginning."""
    made = console()
    stranger = made.stranger()
    page = stranger.client.get("/signin", params={"next": to})
    form = page.text.partition("<main")[2]
    assert f'name="next" value="{to}"' not in form or to == "/signout/../signin"
    secret = sign_in_link(made.ladder, "ana", by="ana").rpartition("/")[2]
    answer = stranger.client.post("/signin", data={"link": secret, "next": to}, headers=FORM)
    if answer.status_code == 400:  # NUL is refused before anything else
        return
    assert (answer.status_code, answer.headers["location"]) == (303, to if to.startswith("/signout") else "/")
    assert "a=b" not in answer.headers["set-cookie"]
    assert stranger.client.post("/theme", data={"next": to}, headers=FORM).headers["location"] in {"/", to}


@pytest.mark.parametrize("to", ["/%2f%2fevil.example", "/confirm?x=//evil.example", "/%0d%0aset-cookie:%20a=b", "/ü"])
def test_what_looks_like_elsewhere_stays_here(console, to):
    """An address whose path only looks like another server is a path of this one."""
    answer = console().stranger().client.post("/theme", data={"next": to, "theme": "dark"}, headers=FORM)
    found = answer.headers["location"]
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))
    assert not {"\r", "\n"} & set(found)
    assert "a=b" not in answer.headers["set-cookie"]


def test_whoever_is_sent_to_sign_in_comes_back(console):
    """With what stood behind the question mark, and without ever going in a circle."""
    made = console()
    stranger = made.stranger()
    answer = stranger.get("/counts?of=a%26b")
    assert answer.headers["location"] == "/signin?next=%2Fcounts%3Fof%3Da%2526b"
    page = stranger.get(answer.headers["location"])
    assert 'name="next" value="/counts?of=a%26b"' in page.text


def test_a_link_on_another_site_leads_to_the_page(console):
    """A browser keeps the cookie back there; our own page then fetches what was asked for, from our own site."""
    made = console()
    answer = made.stranger().get("/counts?x=%22%3E%3Cscript%3E", **{"sec-fetch-site": "cross-site"})
    assert 'content="0;url=/counts?x=%22%3E%3Cscript%3E"' in answer.text
    assert "<script>" not in answer.text
    assert made.stranger().get("/", **{"sec-fetch-site": "same-origin"}).status_code == 303


def test_a_name_that_is_no_name_is_not_looked_for(console, probed):
    """NUL in an address or behind its question mark leads to no page, whatever the database."""
    ana = console().visitor()
    for path in ("/probe/%00", "/probe/a?x=%00", "/probe/" + "%F0%9F" * 3):
        assert ana.get(path).status_code in {200, 404}
    assert ana.get("/probe/%00").status_code == 404


def test_it_serves_no_socket(console):
    """There is no WebSocket, so nothing has to be checked there."""
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), console().stranger().client.websocket_connect("/"):
        pass
