"""Two calls that could be undone, on one resource: the second one begins when the first one's checks have spoken."""

from __future__ import annotations

import asyncio
import threading

import pytest
from langchain_core.tools import tool

from ladder_graph.testing import says, tool_call
from ladder_graph.tools import reversible
from tests.hosts.graphs import GO, ladder_of, on
from tests.hosts.mounts import MOUNTS

SICK = {"kind": "python", "function": "tests.hosts.test_one_at_a_time:sick"}
RULE = {"rung": "rollback", "bounds": [{"kind": "volume", "limit": 9}], "checks": [SICK]}
BOTH = says(*(tool_call("put", {"value": value}) for value in "ab"))


class Shelf:
    """One place, and all that happened to it."""

    def __init__(self):
        self.value, self.told = "old", []
        self.both = threading.Event()
        """Both calls have looked at it."""
        self._looks = 0

    def look(self, arguments):
        """Keep what is there."""
        self._looks += 1
        if self._looks == 2:
            self.both.set()
        return {"was": self.value, "by": arguments["value"]}

    def put(self, value, sign="wrote"):
        """Put something there."""
        self.value = value
        self.told.append(f"{sign} {value}")


shelf = Shelf()


@pytest.fixture(autouse=True)
def _new(monkeypatch):
    monkeypatch.setattr(f"{__name__}.shelf", Shelf())


def sick(arguments):
    """Nothing is ever well; and that is said only when both calls are under way."""
    del arguments
    assert shelf.both.wait(10)
    return False


def put_tool(resource=lambda _: "the shelf"):
    """A tool that puts something onto the shelf."""

    @tool
    @reversible(
        prepare=lambda arguments: shelf.look(arguments),  # noqa: PLW0108  # the shelf of this test
        undo=lambda kept: shelf.put(kept["was"], "back to"),
        fingerprint=lambda _: shelf.value,
        resource=resource,
    )
    def put(value: str) -> str:
        """Put it there."""
        shelf.put(value)
        return f"put {value}"

    return put


def run(graph, way):
    """Let the agent work, by a thread or on an event loop."""
    if way == "sync":
        return graph.invoke(GO, on("t1"))
    return asyncio.run(graph.ainvoke(GO, on("t1")))


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("mount", MOUNTS)
def test_the_later_one_keeps_what_the_first_one_left(mount, way):
    """Neither puts back what the other one had written, and neither takes the other one's for somebody else's."""
    ladder = ladder_of({"put": RULE})
    run(MOUNTS[mount](ladder, [BOTH, "Done."], [put_tool()]), way)
    assert [action.state for action in ladder.actions()] == ["undone", "undone"]
    wrote = [line[-1] for line in shelf.told if line.startswith("wrote")]
    assert shelf.told == [line for value in wrote for line in (f"wrote {value}", "back to old")]
    assert (shelf.value, sorted(wrote)) == ("old", ["a", "b"])
    assert ladder.verify().problems == ()


def test_other_resources_are_not_waited_for():
    """Each call goes on by itself."""
    ladder = ladder_of({"put": RULE})
    graph = MOUNTS["wrap"](ladder, [BOTH, "Done."], [put_tool(lambda kept: kept["by"])])
    graph.invoke(GO, on("t1"))
    assert {line for line in shelf.told if line.startswith("wrote")} == {"wrote a", "wrote b"}
