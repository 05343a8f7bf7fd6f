"""`/healthz` and `/metrics` at the console."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from ladder_graph.console import create_app
from ladder_graph.errors import LadderError
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, WAYS, World, agent_of, ladder_of, on
from tests.telemetry.test_figures import read

TOKEN = "a-token-of-some-length"  # noqa: S105  # of a test
NAMED = {"token_env": "FIGURES_TOKEN"}


@pytest.fixture
def ladder(monkeypatch):
    """A ladder whose policy names a token that is there."""
    monkeypatch.setenv("FIGURES_TOKEN", TOKEN)
    made = ladder_of({"a": "confirm"})
    made.policy = made.policy.model_copy(update={"metrics": type(made.policy.metrics)(**NAMED)})
    yield made
    made.close()


def at(ladder, host="http://10.1.2.3:8642"):
    """Somebody who knows the console by any address."""
    return TestClient(create_app(ladder), base_url=host)


def test_figures_are_told_to_whoever_has_the_token(ladder):
    """Levels of the ledger, and what this process's own agents did since the page was there."""
    client, world = at(ladder), World()
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")]))
    WAYS[0].invoke(graph, GO, on())
    answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    page = read(answer.text)
    assert page["ladder_questions_open", ("ops", "a")] == 1
    assert page["ladder_calls_total", ("ops", "a", "confirm", "asked")] == 1


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer another-token-of-length"}, {"authorization": TOKEN}])
def test_nobody_else_is_told(ladder, headers):
    """Without the token there is no figure, and it says what is wanted."""
    answer = at(ladder).get("/metrics", headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "ladder_" not in answer.text


def test_without_a_named_token_there_is_no_page():
    """The console of a policy that names none has nothing there, for whoever has a name of this machine or not."""
    ladder = ladder_of({"a": "confirm"})
    assert at(ladder, "http://127.0.0.1:8642").get("/metrics").status_code == 404
    assert at(ladder).get("/metrics").status_code == 421
    assert not list(ladder.observers)
    ladder.close()


@pytest.mark.parametrize(("value", "words"), [(None, "isn't set"), ("short", "can be guessed")])
def test_a_token_that_is_not_there_is_said_at_the_start(ladder, monkeypatch, value, words):
    """No console comes up that would tell nobody, or anybody."""
    monkeypatch.delenv("FIGURES_TOKEN") if value is None else monkeypatch.setenv("FIGURES_TOKEN", value)
    with pytest.raises(LadderError, match=f"FIGURES_TOKEN.*{words}"):
        create_app(ladder)


def test_whether_it_is_well_is_told_to_anybody(ladder):
    """By any name, and without a word about the ledger."""
    client = at(ladder)
    assert (client.get("/healthz").status_code, client.get("/healthz").text) == (200, "ok")
    assert client.post("/healthz").status_code in {405, 421}
    ladder.close()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (503, "the ledger can't be read")
    assert client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 503


def test_other_pages_still_want_the_right_name(ladder):
    """What machines may ask by any name opens nothing else."""
    client = at(ladder)
    for path in ("/", "/confirm", "/healthz/x", "/metrics/"):
        assert client.get(path).status_code == 421
