"""The console in the server: its pages below `/ladder`, and threads that go on once somebody answers there."""

from __future__ import annotations

import httpx
import pytest

from ladder_graph.console import sign_in_link
from tests.console.asking import fields
from tests.servers.running import waited


class Visitor:
    """Somebody's browser at the console of a shop's server.

    Args:
        shop: The shop.
        name: Who signs in.
        at: At which of its processes.
    """

    def __init__(self, shop, name, at=0):
        self.url = shop.urls[at]
        client = httpx.Client(base_url=self.url, headers={"origin": self.url}, timeout=60)
        self.client = shop.opened.enter_context(client)
        answer = self.client.post(f"/ladder{sign_in_link(shop.desk, name, by='ana')}", data={})
        assert answer.status_code == 303, answer.text

    def get(self, path):
        """Look at a page."""
        return self.client.get(f"/ladder{path}")

    def answer(self, question, decision, **filled):
        """Send the form on a question's page."""
        address = f"/ladder/confirm/{question.id}"
        page = self.client.get(address)
        assert page.status_code == 200, page.text
        return self.client.post(address, data={**fields(page.text, address), "decision": decision, **filled})


def test_a_yes_in_the_console_lets_the_thread_go_on(shop):
    """The server itself runs the thread, in the name of whoever asked; the effect is there once."""
    number = shop.order()
    thread = shop.ask(number)
    (question,) = shop.questions(thread)
    ana = Visitor(shop, "ana")
    assert f"{number}" in ana.get(f"/confirm/{question.id}").text
    assert ana.answer(question, "run").status_code == 303
    waited(lambda: shop.status(thread) == "idle", "the thread did not go on")
    assert shop.refunds(number) == 1
    (said,) = shop.entries(thread, "approved")
    assert (said["by"], said["auth"]) == ("ana", "console")
    state = shop.client("cy").threads.get_state(thread)
    assert state["next"] == []
    assert f"order {number} was paid back" in state["values"]["messages"][-1]["content"]
    assert waited(lambda: shop.desk.resumption(question.id).state == "over")


def test_a_no_in_the_console_goes_on_too(shop):
    """The agent is told, and nothing was paid."""
    number = shop.order()
    thread = shop.ask(number)
    (question,) = shop.questions(thread)
    assert Visitor(shop, "bo").answer(question, "decline", note="ask them first").status_code == 303
    waited(lambda: shop.status(thread) == "idle", "the thread did not go on")
    assert shop.refunds(number) == 0
    state = shop.client("cy").threads.get_state(thread)
    assert "ask them first" in state["values"]["messages"][-1]["content"]


def test_the_console_knows_no_token_of_the_api(shop):
    """Who may call the server's API is nobody there: without a sign-in there is the page to sign in at."""
    answer = httpx.get(f"{shop.url}/ladder/", headers={"authorization": "Bearer token-of-ana"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ladder/signin")


def test_a_viewer_answers_nothing(shop):
    """Whom the policy only lets look is refused."""
    thread = shop.ask(shop.order())
    (question,) = shop.questions(thread)
    cy = Visitor(shop, "cy")
    address = f"/ladder/confirm/{question.id}"
    assert cy.client.post(address, data={"decision": "approve", "form": "x"}).status_code == 403
    assert len(shop.questions(thread)) == 1


def test_the_servers_own_pages_stay_its_own(shop):
    """The console changes nothing outside its path: other programs send the API what they like."""
    answer = httpx.post(f"{shop.url}/threads", json={}, headers={"authorization": "Bearer token-of-cy"})
    assert answer.status_code == 200
    assert "content-security-policy" not in answer.headers
    assert httpx.get(f"{shop.url}/ladder/healthz").status_code == 200


@pytest.mark.parametrize("who", ["ana", "bo"])
def test_somebody_answers_in_the_ledger_itself(shop, who):
    """An answer by whatever way, such as the command line, is heard by the server."""
    number = shop.order()
    thread = shop.ask(number)
    (question,) = shop.questions(thread)
    shop.desk.approve(question.id, by=who)
    waited(lambda: shop.refunds(number) == 1, "the thread did not go on")
