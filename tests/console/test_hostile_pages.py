"""What agents wrote is shown inert and verbatim on the pages of drafts, reports, trust and history too."""

from __future__ import annotations

import datetime as dt
from contextlib import closing

import pytest
from langchain_core.tools import StructuredTool

from ladder_graph import Ladder, Policy, drafted_by
from ladder_graph.drafting import text
from ladder_graph.testing import calls
from tests.console.conftest import Console
from tests.console.golden import golden
from tests.console.hostile import BAD, TYPED, inert
from tests.hosts.graphs import on, raw_graph

NOW = dt.datetime(2026, 11, 16, 9, tzinfo=dt.UTC)
MEGABYTE = "x" * 1_000_000
MANY = {f"key <i>{number}</i>": BAD[:20] for number in range(10_000)}
LARGEST = 1_500_000
"""Characters of a page with a value of a megabyte in it."""


class Clock:
    """A clock that is set by hand."""

    now = NOW

    def __call__(self) -> dt.datetime:
        """The present moment."""
        return self.now


def bad_tool(name: str) -> StructuredTool:
    """A tool that takes anything, and answers with what is bad."""

    def run(body: str = "", more: dict | None = None) -> str:
        """Do it."""
        return BAD

    return StructuredTool.from_function(run, name=name)


@pytest.fixture
def world():
    """A console over a ladder in which an agent has drafted and acted with everything that is bad."""
    write = bad_tool("write")
    write.func = drafted_by(text("body", base=f"Hello\n{BAD}\n"))(write.func)
    look = bad_tool("look")
    clock = Clock()
    policy = Policy.model_validate({
        "agent": "ops", "reports": {"reader": "ana"},
        "tools": {"write": {"rung": "draft"}, "look": {"rung": "report", "read_only": True}},
    })  # fmt: skip
    with closing(Ladder(policy=policy, ledger=":memory:", clock=clock)) as ladder:
        console = Console(ladder)
        said = [
            calls("write", {"body": f"Hello\n{TYPED}\nmore\n"}), "Done.",
            calls("look", {"body": BAD, "more": {BAD: BAD}}), "Done.",
            calls("look", {"body": MEGABYTE, "more": MANY}), "Done.",
            calls("write", {"body": MEGABYTE}), "Done.",
        ]  # fmt: skip
        graph = ladder.wrap(raw_graph(said, [write, look]))
        for at in range(4):
            graph.invoke({"messages": [("user", "Go on.")]}, on(f"{at} <b>\u202e"))
        clock.now += dt.timedelta(days=1)
        console.ana = console.visitor("ana")
        yield console


def test_a_draft_is_inert_and_verbatim(world):
    """Each line of it can be read, and nothing of it acts."""
    draft, long = sorted(world.ladder.drafts(), key=lambda one: one.action.thread)
    page = world.ana.get(f"/drafts/{draft.action.key}").text
    inert(page)
    golden("draft", page)
    inert(world.ana.get("/drafts").text)
    inert(world.ana.get(f"/drafts/{draft.action.key}/edit").text)
    page = world.ana.get(f"/drafts/{long.action.key}").text
    inert(page)
    assert len(page) < LARGEST


def test_a_report_is_inert_and_verbatim(world):
    """What stands out, and each argument of it; a page stays one that can be read."""
    (digest,) = world.ladder.digests("unread")
    page = world.ana.get(f"/reports/{digest.id}").text
    inert(page)
    golden("report", page)
    assert len(page) < LARGEST
    inert(world.ana.get("/reports").text)


@pytest.mark.parametrize("path", ["/", "/ladder", "/ladder/ops/look", "/fingerprint/ops", "/history", "/people"])
def test_the_other_pages_are_inert(world, path):
    """Whatever they show of what was written by others."""
    page = world.ana.get(path).text
    inert(page)
    assert len(page) < LARGEST


def test_the_life_of_an_action_is_inert(world):
    """Of each action, however long its arguments are."""
    for action in world.ladder.actions():
        page = world.ana.get(f"/history/action/{action.key}").text
        inert(page)
        assert len(page) < 2 * LARGEST
