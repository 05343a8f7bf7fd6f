"""Every address there is: none is reached without a visit, the access it takes, and a form of our own."""

from __future__ import annotations

import re

import pytest
from starlette.routing import Route

from ladder_graph.console.pages import ENTRIES
from ladder_graph.policy.console import Access
from tests.console.conftest import FORM

OPEN = {"/signin", "/signin/{secret}", "/signout", "/theme", "/static/{name}", "/healthz"}
"""What anybody reaches: the way in and out, the colours, our own files, whether the process is well."""
PEOPLE = {
    "people": {
        "none": {"console": "none"}, "ana": {"console": "viewer"}, "rex": {"console": "reviewer"},
        "pia": {"console": "promoter"}, "elsewhere": {"console": {"another": "admin"}},
    },
}  # fmt: skip


def addresses():
    """Each entry's address with something in place of what varies, and its methods."""
    found = []
    for entry in ENTRIES:
        path = re.sub(r"\{[^}]*\}", "x", entry.path)
        if entry.show:
            found.append(pytest.param("GET", path, entry.looks, id=f"GET {entry.path}"))
        if entry.take:
            found.append(pytest.param("POST", path, entry.acts, id=f"POST {entry.path}"))
    return found


def ask(browser, method, path, **fields):
    """What an address says to somebody; a form has everything but the token."""
    if method == "GET":
        return browser.get(path)
    return browser.client.post(path, data=fields, headers=FORM)


@pytest.fixture
def made(console):
    """A console with people of all kinds."""
    return console(policy=PEOPLE)


def test_there_is_no_address_but_the_entries(console):
    """So that whoever adds one says what access it takes, and no framework brings one along."""
    found = set()
    for route in console().app.routes:
        assert isinstance(route, Route), route
        found.add(route.path)
    assert found == {entry.path for entry in ENTRIES} | OPEN


def test_nothing_is_open_to_whoever_has_no_access():
    """Looking takes a viewer at least, acting more."""
    for entry in ENTRIES:
        assert entry.looks >= Access.VIEWER, entry.path
        assert entry.take is None or entry.acts >= Access.REVIEWER, entry.path


@pytest.mark.parametrize(("method", "path", "needed"), addresses())
def test_each_address_refuses_who_may_not(made, method, path, needed):
    """A stranger, somebody with no access, with an agent that isn't here, and with less than it takes."""
    answer = ask(made.stranger(), method, path)
    assert (answer.status_code, answer.headers.get("location", "/signin")[:7]) in {(303, "/signin"), (401, "/signin")}
    assert ask(made.visitor("none"), method, path).status_code == 403
    before = len(list(made.ladder.log()))
    for name, access in (("ana", Access.VIEWER), ("rex", Access.REVIEWER), ("pia", Access.PROMOTER)):
        if access < needed:
            answer = ask(made.visitor(name), method, path)
            assert (answer.status_code, "Not yours" in answer.text) == (403, True)
    written = {entry.kind for entry in list(made.ladder.log())[before:]}
    assert written <= {"link_made", "signed_in"}


@pytest.mark.parametrize(("method", "path", "needed"), [one for one in addresses() if one.values[0] == "POST"])
def test_each_form_takes_its_token(made, method, path, needed):
    """Whoever may act, and sends a form that no page of theirs held, does nothing."""
    pia = made.visitor("pia")
    for sent in ({}, {"form": "x.y"}, {"form": pia.client.cookies["ladder_visit"]}):
        assert ask(pia, method, path, **sent).status_code == 403


@pytest.mark.parametrize("credential", [
    {"authorization": "Bearer lsv2_pt_0123456789abcdef"}, {"x-api-key": "lsv2_pt_0123456789abcdef"},
    {"authorization": "Bearer signals-token-of-the-watcher"}, {"authorization": "Basic YW5hOmFuYQ=="},
    {"x-auth-scheme": "langsmith-api-key"}, {"x-forwarded-user": "ana"}, {"remote-user": "ana"}, {"x-user": "ana"},
    {"cookie": "ladder_visit=ana"}, {"cookie": "ladder_visit=ana.ana"},
], ids=str)  # fmt: skip
def test_what_an_agent_has_reaches_nothing(made, credential, monkeypatch):
    """Keys of its server, the token of the alerts, a name that nobody vouches for: all of it is a stranger."""
    monkeypatch.setenv("LADDER_SIGNALS_TOKEN", "signals-token-of-the-watcher")
    stranger = made.stranger()
    for one in addresses():
        method, path, _ = one.values
        answer = stranger.client.request(method, path, headers={**FORM, **credential}, content="")
        assert answer.status_code in {303, 401}
        assert answer.headers.get("location", "/signin").startswith("/signin")
    assert not [entry for entry in made.ladder.log() if entry.kind == "signed_in"]


def test_who_may_with_another_agent_sees_nothing_of_this_one(made):
    """They get in, and what there is of this agent isn't there for them."""
    elsewhere = made.visitor("elsewhere")
    assert elsewhere.get("/").status_code == 200
    for one in addresses():
        method, path, _ = one.values
        answer = ask(elsewhere, method, path)
        assert answer.status_code < 500, path
