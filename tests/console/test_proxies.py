"""A proxy that signs people in: believed about them where the policy says so, and nobody else is."""

from __future__ import annotations

import pytest

from ladder_graph.console import sign_in_link
from ladder_graph.errors import PolicyError
from ladder_graph.policy import load_policy
from tests.console.conftest import FORM

PROXY = "10.9.0.1"
SETTINGS = {
    "console": {"proxy_header": "X-Forwarded-User", "proxies": [PROXY, "10.8.0.0/16"]},
    "people": {"ana": {"console": "reviewer"}, "bo": {"console": "admin"}, "cy": {"console": "none"}},
}


@pytest.fixture
def behind(console):
    """A console behind a proxy."""
    return console(policy=SETTINGS)


def come(made, name="ana", address=PROXY, **headers):
    """A browser whose requests the proxy passes on with this name, when it has kept the cookie it got."""
    browser = made.stranger(address)
    browser.client.headers["x-forwarded-user"] = name
    browser.first = browser.get("/", **headers)
    return browser


def test_whom_the_proxy_names_is_signed_in(behind):
    """A visit begins with the first page, and goes on with the next ones."""
    ana = come(behind)
    assert (ana.first.status_code, ana.first.headers["location"]) == (303, "/")
    assert "ana, reviewer" in ana.get("/").text
    assert ana.get("/").status_code == 200
    assert [(entry.kind, entry.body["auth"]) for entry in behind.ladder.log()] == [("signed_in", "proxy")]


def test_what_was_asked_for_is_shown(behind):
    """With what stands behind the question mark."""
    ana = behind.stranger(PROXY)
    assert ana.get("/counts?x=1", **{"x-forwarded-user": "ana"}).headers["location"] == "/counts?x=1"


@pytest.mark.parametrize("address", ["10.9.0.2", "127.0.0.1", "::1", "10.7.0.1", "testclient", "", "0"])
def test_nobody_else_is_believed(behind, address):
    """The same header from any other address is no word about anybody."""
    assert come(behind, address=address).first.headers["location"] == "/signin"
    spoofed = {"x-forwarded-for": PROXY, "x-real-ip": PROXY, "forwarded": f"for={PROXY}", "client-ip": PROXY}
    assert come(behind, address=address, **spoofed).first.headers["location"] == "/signin"
    assert not list(behind.ladder.log())


@pytest.mark.parametrize("address", ["10.8.3.4", "::ffff:10.9.0.1"])
def test_a_proxy_is_known_by_its_network_too(behind, address):
    """Also where the server sees an IPv4 address as IPv6."""
    assert come(behind, address=address).first.headers["location"] == "/"


def test_two_names_are_no_name(behind):
    """A client that brings one of its own along gets nothing by it, whichever stands first."""
    for names in (("bo", "ana"), ("ana", "bo"), ("ana", "ana")):
        headers = [("x-forwarded-user", name) for name in names]
        assert behind.stranger(PROXY).client.get("/", headers=headers).headers["location"] == "/signin"


@pytest.mark.parametrize(
    "header", ["X_Forwarded_User", "X-Forwarded-Users", "X-Forwarded-Preferred-User", "Remote-User"]
)
def test_another_header_is_another_header(behind, header):
    """Also one that some servers take for the same."""
    assert behind.stranger(PROXY).get("/", **{header: "ana"}).headers["location"] == "/signin"
    assert behind.stranger(PROXY).get("/", **{"X-FORWARDED-USER": "ana"}).headers["location"] == "/"


@pytest.mark.parametrize("name", ["eve", "ANA", "ana,bo", "ana, bo", "an\u0430", "", " ", "cy", "a" * 5000, "bo;ana"])
def test_whom_the_policy_does_not_name_has_no_visit(behind, name):
    """The proxy knows everybody in the house; the policy says who of them has business here."""
    browser = behind.stranger(PROXY)
    answer = browser.client.get("/", headers={"x-forwarded-user": name.encode()})
    assert (answer.status_code, answer.headers.get("location")) in {(403, None), (303, "/signin")}
    assert not list(behind.ladder.log())


def test_the_proxys_word_goes_before_the_cookie(behind):
    """Whoever is named now is who acts now; and without the proxy's word a visit that it began is none."""
    browser = come(behind)
    browser.client.headers["x-forwarded-user"] = "bo"
    assert browser.get("/").status_code == 303
    assert "bo, admin" in browser.get("/").text
    del browser.client.headers["x-forwarded-user"]
    assert browser.get("/").headers["location"] == "/signin"


def test_a_stolen_cookie_takes_the_proxys_word_too(behind):
    """From an address that isn't the proxy's it is good for nothing."""
    ana = come(behind)
    thief = behind.stranger("10.0.0.66")
    thief.client.cookies.set("ladder_visit", ana.client.cookies["ladder_visit"])
    thief.client.headers["x-forwarded-user"] = "ana"
    assert thief.get("/").headers["location"] == "/signin"


def test_a_form_begins_no_visit(behind, probed, console):
    """The proxy's word alone sends none: a page was looked at before."""
    made = console(policy=SETTINGS)
    browser = made.stranger(PROXY)
    browser.client.headers["x-forwarded-user"] = "ana"
    assert browser.client.post("/probe/x", headers=FORM).status_code == 401
    assert not list(made.ladder.log())


def test_the_proxys_word_does_not_show_who_sits_there(behind, console, probed):
    """It names them whoever does; what takes more, takes a link."""
    made = console(policy=SETTINGS)
    bo = come(made, "bo")
    assert not bo.get("/probe/x").json()["fresh"]
    bo.client.cookies.clear()
    bo.get("/")
    assert not bo.get("/probe/x").json()["fresh"]
    bo.client.post(sign_in_link(made.ladder, "bo", by="bo"), headers=FORM)
    assert bo.get("/probe/x").json()["fresh"]


def test_somebody_elses_link_does_not_change_whom_the_proxy_names(behind):
    """One person's link in another's browser lets nobody act as the first."""
    ana = come(behind)
    ana.client.post(sign_in_link(behind.ladder, "bo", by="bo"), headers=FORM)
    ana.get("/")
    assert "ana, reviewer" in ana.get("/").text


def test_a_client_without_cookies_does_not_fill_the_ledger(behind, still):
    """It begins a visit with each page, and is held up."""
    assert [come(behind).first.status_code for _ in range(15)][-1] == 429
    assert come(behind, "bo").first.status_code == 303


def test_a_proxy_without_people_is_a_mistake_of_the_policy(tmp_path):
    """It would let in the whole house; nothing is taken of such a policy."""
    file = tmp_path / "ladder.toml"
    settings = '[console]\nproxy_header = "X-User"\nproxies = ["127.0.0.1"]\n'
    file.write_text(f'agent = "ops"\nledger = ":memory:"\n{settings}', encoding="utf-8")
    with pytest.raises(PolicyError, match="names no people"):
        load_policy(file)
