"""A question whose time is up while its page lies open: the page says so, and the agent is told."""

from __future__ import annotations

import contextlib

import pytest
from playwright.sync_api import expect

from ladder_graph.testing import FrozenClock
from tests.browser.conftest import Site
from tests.browser.scripts import WAYS
from tests.browser.test_confirming import run_of
from tests.browser.world import World

HOUR = 3_600


@pytest.fixture
def site(chromium, tmp_path):
    """A world whose time is told by the test."""
    with contextlib.closing(World(tmp_path, FrozenClock())) as world:
        site = Site(world, chromium)
        yield site
        site.end()


def test_the_clock_counts_down_and_is_heard(site):
    """Each second for the eye; for the ear at five minutes, at one, and at the end, with what that means."""
    question = site.world.ask("refund", {"customer": "Ana", "amount": 5})
    ana = site.person("ana")
    ana.page.clock.install()
    ana.go(f"/confirm/{question.id}")
    said, clock = ana.page.locator("#clock-said"), ana.page.locator(".clock strong")
    for passes, shown, heard in (
        (610, "49:", ""), (2_400, "9:", ""), (300, "4:", "Five minutes left to answer."),
        (240, "0:", "One minute left to answer."), (60, "0:00", "The time is up. It is declined, and nothing ran."),
    ):  # fmt: skip
        ana.page.clock.fast_forward(passes * 1_000)
        expect(clock).to_contain_text(shown)
        expect(said).to_have_text(heard)
    assert not ana.wrong


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_an_answer_that_comes_too_late_runs_nothing(site, way):
    """The page says that the time is up, and what the agent is told."""
    question = site.world.ask("refund", {"customer": "Ana", "amount": 5})
    ana = site.person("ana", **way)
    ana.go(f"/confirm/{question.id}")
    words = run_of(ana)
    ana.fill("To run it, type the amount", "5")
    site.world.clock.advance(HOUR + 1)
    with ana.page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        ana.press(words)
    assert answered.value.status == 409
    ana.sees("The time")
    site.world.ended(question.call.thread)
    assert not site.world.did("refund")
