"""The way of a tool to its next rung, worked out anew from the ledger."""

from __future__ import annotations

import contextlib
from itertools import pairwise

import pytest

from ladder_graph.errors import LadderError
from ladder_graph.notebook import frame, html, path
from tests.unit.world import BOSS, World, model


@pytest.fixture
def world():
    """A world on its first day."""
    with contextlib.closing(World()) as world:
        yield world


def test_a_path_ends_where_trust_stands_now(world):
    """The last look is the certificate of this moment, and each day has one."""
    for _ in range(24):
        world.day(1)
    found = path(world.ladder, "refund")
    made = world.ladder.trust("refund")[0].certificate
    last = found[-1]
    assert (last.e, last.n_eff, last.k) == (made.e, made.evidence.n_eff, made.evidence.k)
    assert last.wanted == pytest.approx(10)
    assert len(found) >= 24
    assert all(before.e <= after.e and before.at < after.at for before, after in pairwise(found))
    assert len(frame(found)) == len(found)


def test_a_mistake_is_seen_on_its_day_and_not_before(world):
    """What was known on a day is what the ledger held then, whatever came out later."""
    for _ in range(10):
        world.day(1)
    before = path(world.ladder, "refund")
    world.ladder.incident(world.ladder.actions()[-1].key, "S2", by=BOSS, kind="wrong_order")
    world.day(1)
    after = path(world.ladder, "refund")
    assert [look.e for look in after[: len(before) - 1]] == [look.e for look in before[:-1]]
    assert after[-1].k > 0
    assert after[-1].e < before[-1].e


def test_a_tool_that_never_ran_has_no_path(world):
    """It is said in a sentence."""
    with pytest.raises(LadderError, match=r"refund of ops hasn't run yet, so there is no path; ladder.status\(\)"):
        path(world.ladder, "refund")


def test_what_changed_of_an_agent_is_shown(world):
    """The difference of two environments: components, and where each tool stands by that."""
    world.day(1)
    world.env = model("gpt-5-2025-11-20")
    world.day(1)
    told = html(world.ladder.difference())
    assert "the model changed" not in told, "the table has the two names instead"
    assert "gpt-5-2025-08-07" in told
    assert "gpt-5-2025-11-20" in told
    assert "confirm (2)" in told
