"""Rungs that are lowered and raised, and a changed agent that keeps what it earned; the agent goes on by it."""

from __future__ import annotations

import contextlib

import pytest

from ladder_graph.testing import FrozenClock
from tests.browser.conftest import Site
from tests.browser.scripts import WAYS
from tests.browser.test_confirming import run_of
from tests.browser.world import World


@pytest.fixture(params=WAYS, ids=str)
def site(request, chromium, tmp_path):
    """A world in which a month has passed: `pay` was asked about every day and was always right, and `notify` runs."""
    with contextlib.closing(World(tmp_path, FrozenClock())) as world:
        for day in range(28):
            question = world.ask("pay", {"to": f"shop {day}", "cents": 100 + day})
            world.ladder.approve(question.id, by="ana", looked=120.0)
            world.ended(question.call.thread)
            world.clock.advance(86_400)
        world.ladder.attest(by="pia")
        world.begin("notify", {"who": "everybody"})
        world.ran.clear()
        site = Site(world, chromium)
        site.way = request.param
        yield site
        site.end()


def answer(site, person, question):
    """Let a question's call run, at the console."""
    person.go(f"/confirm/{question.id}")
    person.press(run_of(person))
    person.sees("Answered")
    assert site.world.ended(question.call.thread) == f"I was told: {question.call.tool} is done"


def test_lowered_raised_and_carried_over(site):
    """Each from the page of its cell, with what it takes; and each counts from the agent's next call on."""
    ana, pia = site.person("ana", **site.way), site.person("pia", **site.way)

    # Lowered in one step: a reason, and no evidence.
    ana.go("/ladder/ops/notify")
    ana.sees("Stands on 3, bounded")
    ana.press("Lower to 2, confirm")
    ana.sees("Say why")
    ana.fill("Reason", "It told the wrong people.")
    ana.press("Lower to 2, confirm")
    ana.sees("Stands on 2, confirm", "It told the wrong people.")
    answer(site, ana, site.world.ask("notify", {"who": "Ana"}))
    assert site.world.did("notify") == [{"who": "Ana"}]

    # Raised on evidence, by somebody who has just shown that it is them.
    assert ana.page.get_by_role("button", name="Sign, as ana").count() == 0
    site.world.clock.advance(400)
    pia.go("/ladder/ops/pay")
    pia.fill("Reason, for whoever reads it later", "A month without a mistake.")
    pia.press("Sign, as pia")
    pia.title("Show once more that it is you")
    pia.fill("The link, or its last part", site.link("pia"))
    pia.press("Go on as pia")
    pia.sees("Stands on 2, confirm")
    pia.press("Sign, as pia")
    pia.sees("Stands on 3, bounded", "A month without a mistake.")
    thread = site.world.begin("pay", {"to": "shop", "cents": 5})
    assert site.world.ended(thread) == "I was told: pay is done"
    assert site.world.did("pay") == [{"to": "shop", "cents": 5}]

    # Another model is another agent: it asks again, until somebody decides that it keeps what it had.
    site.world.become("scripted-2")
    question = site.world.ask("pay", {"to": "shop", "cents": 6})
    ana.go("/fingerprint/ops")
    ana.title("ops is not the agent that earned its rungs")
    ana.sees("scripted-1", "scripted-2")
    assert ana.page.get_by_role("button", name="Record the choice").count() == 0
    pia.go("/fingerprint/ops")
    pia.page.locator("input[name=keep][value=all]").check()
    pia.fill("Reason", "The same weights under another name.")
    pia.press("Record the choice")
    pia.sees("The same weights under another name.")
    answer(site, pia, question)
    thread = site.world.begin("pay", {"to": "shop", "cents": 7})
    assert site.world.ended(thread) == "I was told: pay is done"
    assert [one["cents"] for one in site.world.did("pay")] == [5, 6, 7]
    assert not ana.wrong
    assert not pia.wrong
