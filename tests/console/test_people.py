"""The people: what each may do and how they look, and letting others in and sending them away."""

from __future__ import annotations

import contextlib
import re

import pytest

from ladder_graph.console import sign_in_link
from ladder_graph.policy.model import Someone
from tests.console.conftest import HOST
from tests.console.test_ladder import PEOPLE, named
from tests.unit.world import BOSS, World

ADMIN = {**PEOPLE, "root": Someone(console="admin", roles=["boss"], labels=["card"])}
FORM = {"origin": HOST, "content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def made():
    """A console over a world with a day behind it, which an admin looks after."""
    with contextlib.closing(World()) as world:
        world.day(2)
        yield named(world, ADMIN)


def test_everybody_is_listed_with_what_they_may(made):
    """Access, roles, labels, and whether they may sign."""
    page = made.visitor("vi").get("/people").text
    assert re.search(r"rita.*promoter.*may sign promotions", page, re.DOTALL)
    assert "other: admin" in page
    assert "boss" in page
    assert "card" in page
    assert "is changed there" in page


def test_it_is_told_how_each_really_looks(made):
    """How many answers, how fast, and what of the probes."""
    page = made.visitor("vi").get("/people").text
    assert "2 answers, the last on" in page
    assert "no probe shown" in page
    assert "never answered" in page


def test_what_waits_for_each_is_counted(made):
    """Only what they may say yes to."""
    made.ladder.policy = made.ladder.policy.model_copy(
        update={"people": {name: ADMIN[name] for name in ("ana", "root", "vi")}}
    )
    call = next(iter(made.ladder.actions()))
    assert call.state == "done"
    page = made.visitor("vi").get("/people").text
    assert page.count('<span class="inline-narrow"> waiting</span>') >= 3


def test_only_an_admin_sees_who_is_signed_in(made):
    """And may let others in."""
    page = made.visitor("vi").get("/people").text
    assert "Signed in now" not in page
    assert "/people/link" not in page
    page = made.visitor("root").get("/people").text
    assert "this is you" in page
    assert "Make a link" in page


def send(browser, to, /, **fields):
    """Send a form of the page."""
    page = browser.get("/people").text
    return browser.client.post(to, data={"form": browser.token(page, to), **fields}, headers={"origin": HOST})


def test_an_admin_lets_somebody_in_by_a_link_that_is_shown_once(made):
    """It signs them in, and stands on no other page."""
    root = made.visitor("root")
    answer = send(root, "/people/link", name="ana")
    link = re.search(r"/signin/[\w-]+", answer.text)[0]
    assert "signs ana in, once" in answer.text
    assert f"{HOST}{link}" in answer.text
    assert link not in root.get("/people").text
    stranger = made.stranger()
    assert stranger.client.post(link, headers=FORM).status_code == 303
    assert "ana, reviewer" in stranger.get("/").text
    assert link not in str([entry.body for entry in made.ladder.log(limit=500)])


def test_a_link_takes_a_fresh_sign_in(made):
    """Whoever found an admin's browser open lets nobody in."""
    root = made.visitor("root")
    made.ladder.clock.advance(400)
    answer = send(root, "/people/link", name="ana")
    assert answer.status_code == 403
    assert "ladder console link root" in answer.text


@pytest.mark.parametrize(("name", "status"), [("", 422), ("mallory", 409)])
def test_nobody_is_let_in_whom_the_policy_does_not_name(made, name, status):
    """And nobody without a name."""
    assert send(made.visitor("root"), "/people/link", name=name).status_code == status


@pytest.mark.parametrize("to", ["/people/link", "/people/end"])
@pytest.mark.parametrize("who", ["vi", "ana", BOSS])
def test_nobody_else_lets_in_or_sends_away(made, who, to):
    """Whatever else they may do."""
    browser = made.visitor(who)
    assert browser.client.post(to, data={"form": "x"}, headers={"origin": HOST}).status_code == 403


def test_an_admin_sends_somebody_away(made):
    """Their next page is the one to sign in at, and the ledger says who did it."""
    ana, root = made.visitor("ana"), made.visitor("root")
    assert ana.get("/").status_code == 200
    page = root.get("/people").text
    visit = re.search(r'name="visit" value="(\w+)"><button type="submit">Send ana', page)[1]
    assert send(root, "/people/end", visit=visit).status_code == 303
    assert ana.get("/").status_code == 303
    last = made.ladder.log()[-1]
    assert (last.kind, last.body["by"]) == ("signed_out", "root")


def test_where_the_policy_names_nobody_it_says_so(console):
    """Then whoever was let in may do everything."""
    made = console(agent="ops", rungs={})
    page = made.visitor("ana").get("/people").text
    assert "The policy names nobody" in page
    link = re.search(r"/signin/[\w-]+", send(made.visitor("ana"), "/people/link", name="bo").text)[0]
    assert made.stranger().client.post(link, headers=FORM).status_code == 303
    assert sign_in_link(made.ladder, "cy", by="ana")
