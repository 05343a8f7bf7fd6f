"""Two calls that could be undone, on one resource: the second one begins when the first one's checks have spoken."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time

import pytest
from langchain_core.tools import tool
from langgraph.types import Command, interrupt

from ladder_graph.testing import says, tool_call
from ladder_graph.tools import reversible
from ladder_graph.turns import awaiting
from tests.hosts.graphs import GO, ladder_of, on
from tests.hosts.mounts import MOUNTS

SICK = {"kind": "python", "function": "tests.hosts.test_one_at_a_time:sick"}
WELL = {**SICK, "function": "tests.hosts.test_one_at_a_time:well"}
SICK_OF_A = {**SICK, "function": "tests.hosts.test_one_at_a_time:sick_of_a"}
RULE = {"rung": "rollback", "bounds": [{"kind": "volume", "limit": 9}], "checks": [SICK]}
BOTH = says(*(tool_call("put", {"value": value}) for value in "ab"))


class Shelf:
    """One place, and all that happened to it."""

    def __init__(self):
        self.value, self.told = "old", []
        self.both = threading.Event()
        """Both calls have looked at it."""
        self.meeting = None
        """Where both calls meet while their tool runs; None where they need not."""
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


def well(arguments):
    """All is well."""
    del arguments
    return True


def sick_of_a(arguments):
    """All is well but one."""
    return arguments["value"] != "a"


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
        if shelf.meeting is not None:
            shelf.meeting.wait()
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
    """Each call goes on by itself: neither has run whole before the other one has begun."""
    ladder = ladder_of({"put": RULE})
    shelf.meeting = threading.Barrier(2, timeout=15)
    graph = MOUNTS["wrap"](ladder, [BOTH, "Done."], [put_tool(lambda kept: kept["by"])])
    graph.invoke(GO, on("t1"))
    assert not shelf.meeting.broken
    assert {line for line in shelf.told if line.startswith("wrote")} == {"wrote a", "wrote b"}


@pytest.mark.parametrize("mount", MOUNTS)
async def test_who_is_cancelled_while_it_waits_runs_nothing(mount):
    """Nothing is claimed yet, so it isn't seen through; a tool that runs is."""
    begun, go_on, wrote = asyncio.Event(), asyncio.Event(), []

    @tool
    @reversible(prepare=lambda _: {}, undo=lambda _: None, resource=lambda _: "the shelf")
    async def put(value: str) -> str:
        """Put it there."""
        begun.set()
        await go_on.wait()
        wrote.append(value)
        return value

    ladder = ladder_of({"put": {**RULE, "checks": [WELL]}})
    first, second = (
        MOUNTS[mount](ladder, [says(tool_call("put", {"value": value})), "Done."], [put]) for value in "ab"
    )
    runs = asyncio.create_task(first.ainvoke(GO, on("t1")))
    await asyncio.wait_for(begun.wait(), 10)
    waits = asyncio.create_task(second.ainvoke(GO, on("t2")))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waits), 0.3)
    waits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits
    go_on.set()
    await runs
    await asyncio.sleep(0.2)
    assert (wrote, [action.state for action in ladder.actions()]) == (["a"], ["done"])


@pytest.mark.parametrize("mount", MOUNTS)
def test_what_another_call_did_while_it_was_paused_stays(mount):
    """A tool that stopped to ask is undone to what is there when it starts over."""

    @tool
    @reversible(
        prepare=lambda _: {"was": shelf.value},
        undo=lambda kept: shelf.put(kept["was"], "back to"),
        fingerprint=lambda _: shelf.value,
        resource=lambda _: "the shelf",
    )
    def put(value: str) -> str:
        """Put it there, after a question of its own."""
        if value == "a":
            interrupt("sure?")
        shelf.put(value)
        return value

    ladder = ladder_of({"put": {**RULE, "checks": [SICK_OF_A]}})
    first, second = (
        MOUNTS[mount](ladder, [says(tool_call("put", {"value": value})), "Done."], [put]) for value in "ab"
    )
    first.invoke(GO, on("t1"))
    second.invoke(GO, on("t2"))
    first.invoke(Command(resume="yes"), on("t1"))
    assert shelf.told == ["wrote b", "wrote a", "back to b"]
    assert sorted(action.state for action in ladder.actions()) == ["done", "undone"]


def test_patience_is_of_the_whole_wait(monkeypatch):
    """However many come before it, and however long its own undo takes, a call waits once."""
    monkeypatch.setattr(awaiting, "PATIENCE", 0.5)
    ladder = ladder_of({"put": {**RULE, "checks": [WELL]}})
    begun, most = time.monotonic(), []

    @tool
    @reversible(prepare=lambda _: {}, undo=lambda _: None, resource=lambda _: "the shelf")
    def put(value: str) -> str:
        """Put it there."""
        most.append(time.monotonic() - begun)
        time.sleep(0.4)
        return value

    five = says(*(tool_call("put", {"value": value}) for value in "abcde"))
    MOUNTS["wrap"](ladder, [five, "Done."], [put]).invoke(GO, on("t1"))
    assert len(most) == 5
    overlapping = [later - earlier < 0.35 for earlier, later in itertools.pairwise(sorted(most))]
    assert any(overlapping), "else each waited for all that came before it"


@pytest.mark.parametrize("way", ["sync", "async"])
def test_parts_go_one_at_a_time_too(way):
    """A part that goes first is a call on the resource, and so is the rest."""
    at_it, both, told = [], threading.Event(), []

    @tool
    @reversible(
        prepare=lambda _: {},
        undo=lambda _: None,
        resource=lambda _: "the shelf",
        canary=lambda arguments: ({"values": arguments["values"][:1]}, {"values": arguments["values"][1:]}),
    )
    def put(values: list[str]) -> str:
        """Put them there."""
        at_it.append(values)
        both.wait(0.1)  # Time for another one, which must not come.
        told.append(len(at_it))
        at_it.remove(values)
        return str(values)

    ladder = ladder_of({"put": {**RULE, "checks": [WELL]}})
    two = says(tool_call("put", {"values": ["a1", "a2"]}), tool_call("put", {"values": ["b1", "b2"]}))
    run(MOUNTS["wrap"](ladder, [two, "Done."], [put]), way)
    assert told == [1, 1, 1, 1]
