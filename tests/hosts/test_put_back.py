"""A copy of the ledger that was taken in the middle of something, and put back: nothing goes on by itself."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from langgraph.types import interrupt

from ladder_graph import Ladder
from ladder_graph.ledger.moves import copies
from ladder_graph.testing import calls
from tests.hosts.graphs import GO
from tests.hosts.mounts import by_wrap
from tests.hosts.test_canary import CHECKS, CONFIG, SICK, VOLUME, Fleet, last, states

FINE = [{"kind": "python", "function": "tests.hosts.test_put_back:fine"}]
DURING: list[Any] = []
"""What a health check does, once."""


def fine(arguments):
    """A part is good, and a copy may be taken right after it."""
    if DURING:
        DURING.pop()()
    return True


class Site:
    """A ledger in a file, of which a copy is taken at some moment."""

    def __init__(self, folder):
        self.fleet = Fleet()
        self.file, self.copy = folder / "ladder.db", folder / "copy.db"

    def ladder(self, checks=CHECKS):
        """The ladder, closed at the end of the block."""
        rule = {"rung": "rollback", "bounds": VOLUME, "checks": checks}
        return closing(Ladder(agent="ops", rungs={"deploy": rule}, ledger=str(self.file)))

    def copied(self, *_):
        """Take the copy now, if that wasn't done."""
        if not self.copy.exists():
            assert copies.copy(self.file, self.copy).ok

    def run(self, ladder, tool):
        """The conversation from its beginning; as its server has it that was put back, too."""
        graph = by_wrap(ladder, [calls("deploy", {"hosts": ["a", "b"]}), "Done."], [tool])
        return graph.invoke(GO, CONFIG)

    def put_back(self, checks=CHECKS):
        """Put the copy in the ledger's place, and say so."""
        copies.put_back(self.copy, self.file, "before")
        with self.ladder(checks) as ladder:
            ladder.mark_restored("a test", by="ana")
            return states(ladder)


@pytest.fixture
def site(tmp_path):
    """Hosts that are well."""
    SICK.clear()
    DURING.clear()
    return Site(tmp_path)


def test_what_was_started_in_the_copy_is_in_doubt(site):
    """It has ended since, and a person may have worked on it: it isn't undone, and a person finds out."""
    tool = site.fleet.tool(canary=None, acts=site.copied)
    with site.ladder() as ladder:
        site.run(ladder, tool)
    site.fleet.deployed.append("by a person")
    assert site.put_back() == ["unknown"]
    SICK.add("a")
    with site.ladder() as ladder:
        said = last(site.run(ladder, tool)).text
        assert "put back, and nobody knows what became of it" in said
        assert site.fleet.deployed == ["a", "b", "by a person"]
        (one,) = ladder.actions()
        assert [window.phase for window in ladder.watched()] == ["held"]
        ladder.resolve(one.key, happened=True, by="ana")
        assert [str(found.state) for found in ladder.actions()] == ["done"]
        assert ladder.verify().ok


def test_a_rest_that_was_to_come_in_the_copy_does_not_run_again(site):
    """Its part was good when the copy was taken, and the rest has run since."""
    DURING.append(site.copied)
    tool = site.fleet.tool()
    with site.ladder(FINE) as ladder:
        site.run(ladder, tool)
    ran = list(site.fleet.did)
    assert ran == [("deploy", "a"), ("deploy", "b")]
    assert set(site.put_back(FINE)) == {"unknown"}
    with site.ladder(FINE) as ladder:
        site.run(ladder, tool)
        assert site.fleet.did == ran


def test_what_waited_to_start_over_in_the_copy_does_not(site):
    """A call that stopped at an interrupt of its own may have been gone on with since."""
    asked = []

    def acts(hosts):
        asked.append(interrupt("really?") if len(asked) < 1 else "yes")

    tool = site.fleet.tool(canary=None, acts=acts)
    with site.ladder() as ladder:
        site.run(ladder, tool)
        assert states(ladder) == ["paused"]
    site.copied()
    ran = list(site.fleet.did)
    assert site.put_back() == ["unknown"]
    asked.append("yes")
    with site.ladder() as ladder:
        site.run(ladder, tool)
        assert site.fleet.did == ran


def test_an_undo_that_was_under_way_in_the_copy_is_left_to_a_person(site):
    """It has ended since; gone on with, it would undo what was done after it."""
    site.fleet.did = Told(site.copied)
    tool = site.fleet.tool(canary=None)
    SICK.add("a")
    with site.ladder() as ladder:
        site.run(ladder, tool)
        assert states(ladder) == ["undone"]
    site.fleet.deployed.append("by a person")
    assert site.put_back() == ["undo_failed"]
    with site.ladder() as ladder:
        assert "was being undone in a copy of the ledger" in last(site.run(ladder, tool)).text
        assert [window.phase for window in ladder.watched()] == ["held"]
        assert site.fleet.deployed == ["by a person"]


def test_a_scope_that_was_being_undone_in_the_copy_is_left_to_a_person(site):
    """Nobody who watches goes on with it."""
    site.fleet.did = Told(site.copied)
    tool = site.fleet.tool(canary=None)
    with site.ladder() as ladder:
        saga = ladder.saga("a test")
        with saga:
            site.run(ladder, tool)
        saga.undo("a test")
        assert saga.phase == "undone"
    site.put_back()
    with site.ladder() as ladder:
        (view,) = ladder.sagas()
        assert (view.phase, [str(one.state) for one in ladder.actions()]) == ("held", ["undo_failed"])
        assert ladder.verify().ok


class Told(list):
    """What was done, where an undo takes a copy first."""

    def __init__(self, copied):
        super().__init__()
        self.copied = copied

    def append(self, item):
        """As of any list."""
        if item[0] == "undo":
            self.copied()
        super().append(item)
