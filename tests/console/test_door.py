"""Signing in: by a link that is good once, as nobody else, and for a while."""

from __future__ import annotations

import re

from ladder_graph.console import sign_in_link
from tests.console.conftest import HOST

FORM = {"origin": HOST, "content-type": "application/x-www-form-urlencoded"}


def test_nobody_sees_a_page_without_signing_in(console):
    """Every page sends a stranger to the sign-in page, which says how to get a link."""
    stranger = console(agent="ops", rungs={}).stranger()
    answer = stranger.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/signin")
    assert "ladder console link" in stranger.get("/signin").text


def test_a_link_signs_in_once(console):
    """Looking at a link uses nothing up, its button signs in, and a second time it is good for nothing."""
    made = console(agent="ops", rungs={})
    link = sign_in_link(made.ladder, "ana", by="bo")
    first, second = made.stranger(), made.stranger()
    assert "Sign in as ana?" in first.get(link).text
    assert first.client.post(link, headers=FORM).status_code == 303
    assert "ana, admin" in first.get("/").text
    assert second.client.post(link, headers=FORM).status_code == 403
    assert second.get("/").status_code == 303


def test_the_cookie_is_new_with_every_sign_in(console):
    """Whoever put a cookie into a browser before somebody signed in there is not signed in with them."""
    made = console(agent="ops", rungs={})
    victim = made.visitor("ana")
    planted = victim.client.cookies["ladder_visit"]
    link = sign_in_link(made.ladder, "bo", by="bo")
    victim.client.post(link, headers=FORM)
    assert victim.client.cookies["ladder_visit"] != planted
    thief = made.stranger()
    thief.client.cookies.set("ladder_visit", planted)
    assert thief.get("/").status_code == 303


def test_the_same_person_shows_again_that_it_is_them(console):
    """A second link for whoever is signed in keeps their visit, and is written down."""
    made = console(agent="ops", rungs={})
    ana = made.visitor("ana")
    before = ana.client.cookies["ladder_visit"]
    ana.client.post(sign_in_link(made.ladder, "ana", by="ana"), headers=FORM)
    assert ana.client.cookies["ladder_visit"] == before
    assert [entry.kind for entry in made.ladder.log()][-1] == "signed_in_again"


def test_signing_out_ends_the_visit_everywhere(console):
    """The cookie is good for nothing afterwards, whoever kept a copy of it."""
    made = console(agent="ops", rungs={})
    ana = made.visitor("ana")
    kept = ana.client.cookies["ladder_visit"]
    ana.client.post("/signout", headers=FORM)
    ana.client.cookies.set("ladder_visit", kept)
    assert ana.get("/").status_code == 303


def test_each_answer_has_the_headers(console):
    """Nothing inline, nothing from elsewhere, in no frame, and no copy kept."""
    answer = console(agent="ops", rungs={}).visitor().get("/")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    # With "no-referrer" a browser sends our own forms with "Origin: null", which no form may come with.
    assert answer.headers["referrer-policy"] == "same-origin"
    assert not re.search(r"<script>|style=|onclick=|javascript:", answer.text)
