"""A report that is really read, and one that isn't, as a person does it; the agent goes on either way."""

from __future__ import annotations

import contextlib

import pytest
from playwright.sync_api import expect

from ladder_graph.testing import FrozenClock
from tests.browser.conftest import Site
from tests.browser.scripts import WAYS
from tests.browser.world import World


@pytest.fixture(params=WAYS, ids=str)
def site(request, chromium, tmp_path):
    """A world in which `read_stock` ran three times yesterday, unasked."""
    with contextlib.closing(World(tmp_path, FrozenClock())) as world:
        for item in ("tea", "rice", "salt"):
            world.begin("read_stock", {"item": item})
        world.clock.advance(86_400)
        world.ladder.sweep()
        world.ran.clear()
        site = Site(world, chromium)
        site.way = request.param
        yield site
        site.end()


def test_a_report_is_read_by_giving_every_verdict(site):
    """Opened is not read, nor are all verdicts but one; read, the tool keeps its rung beyond the deadline."""
    ana = site.person("ana", **site.way)
    ana.go("/reports")
    ana.page.locator("main .list a").first.click()
    verdicts = ana.page.locator("article.item fieldset")
    expect(verdicts).to_have_count(3)
    assert ana.page.locator("input:checked").count() == 0
    assert ana.page.locator(":focus").count() == 0
    for nth in range(2):
        verdicts.nth(nth).get_by_label("Fine").check()
    ana.press("Mark as read")
    ana.sees("Not read yet: 1 verdict missing.")
    verdicts.nth(2).get_by_label("Fine").check()
    ana.fill("Note for the team", "All as every day.")
    ana.press("Mark as read")
    expect(ana.page.locator("#d-title")).to_have_text("Read")
    ana.sees("All as every day.")
    site.world.clock.advance(2 * 86_400)
    thread = site.world.begin("read_stock", {"item": "tea"})
    assert site.world.ended(thread) == "I was told: read_stock is done"
    assert not ana.wrong


def test_a_report_that_nobody_reads_costs_the_rung(site):
    """Looked at, and without verdicts at its deadline: it falls before the next call, and the pages say why."""
    ana = site.person("ana", **site.way)
    ana.go("/reports")
    ana.page.locator("main .list a").first.click()
    ana.sees("If it is still unread then, read_stock drops from rung 5 to rung 4")
    site.world.clock.advance(2 * 86_400)
    report = ana.path
    thread = site.world.begin("read_stock", {"item": "tea"})
    ana = site.person("ana", **site.way)
    ana.go(report)
    ana.sees("It lay unread", "read_stock went down from rung 5 to rung 4")
    ana.go("/ladder/ops/read_stock")
    ana.sees("Stands on 4, rollback", "lowered")
    assert site.world.ended(thread) == "I was told: read_stock is done"
