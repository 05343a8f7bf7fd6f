"""Two calls that could be undone, on one resource: the second one begins when the first one's checks have spoken."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time

import pytest
from langchain_core.tools import tool
from langgraph.types import Command, interrupt

from ladder_graph.facts import Person
from ladder_graph.ladder.windows import wanted_back
from ladder_graph.steps import Record
from ladder_graph.testing import says, tool_call
from ladder_graph.tools import probed_by, reversible
from ladder_graph.turns import awaiting, driving
from tests.hosts.graphs import GO, ladder_of, on
from tests.hosts.mounts import MOUNTS, YES

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


def put_tool(resource=lambda _: "the shelf", fingerprint=lambda _: shelf.value):
    """A tool that puts something onto the shelf."""

    @tool
    @reversible(
        prepare=lambda arguments: shelf.look(arguments),  # noqa: PLW0108  # the shelf of this test
        undo=lambda kept: shelf.put(kept["was"], "back to"),
        fingerprint=fingerprint,
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
    said = first.invoke(Command(resume="yes"), on("t1"))["messages"][-2].text
    assert shelf.told == ["wrote b", "wrote a", "back to b"]
    assert sorted(action.state for action in ladder.actions()) == ["done", "undone"]
    assert (
        "as they were before it went on after its question; what it may have done before that is NOT put back" in said
    )


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


# --- a call whose process died, and one that turns bad while another one is at it -------------------------------------


class Died(BaseException):
    """The process is gone, as far as the ledger is told."""


def dies(graph, monkeypatch):
    """Let the agent's process die when its tool has run."""
    perform = driving._perform

    def performed(step, turn):
        if isinstance(step, Record):
            raise Died
        return perform(step, turn)

    with monkeypatch.context() as context:
        context.setattr(driving, "_perform", performed)
        with pytest.raises(Died):
            graph.invoke(GO, on("t1"))


def both(ladder, rule_tool):
    """Two graphs, in which the agent puts another thing each."""
    return [MOUNTS["wrap"](ladder, [says(tool_call("put", {"value": value})), "Done."], [rule_tool]) for value in "ab"]


def states(ladder):
    """What became of each value's call."""
    return {action.arguments["value"]: action.state for action in ladder.actions()}


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_call_whose_process_died_is_found_out_about_first(way, monkeypatch):
    """Or its undo would take what the next one did for its own."""
    ladder = ladder_of({"put": {**RULE, "checks": [SICK_OF_A]}})
    first, second = both(ladder, put_tool())
    dies(first, monkeypatch)
    if way == "sync":
        second.invoke(GO, on("t2"))
    else:
        asyncio.run(second.ainvoke(GO, on("t2")))
    assert shelf.told == ["wrote a", "back to old", "wrote b"]
    assert states(ladder) == {"a": "undone", "b": "done"}


def test_one_that_is_found_well_stays(monkeypatch):
    """Its checks say so."""
    ladder = ladder_of({"put": {**RULE, "checks": [WELL]}})
    first, second = both(ladder, put_tool())
    dies(first, monkeypatch)
    second.invoke(GO, on("t2"))
    assert shelf.told == ["wrote a", "wrote b"]
    assert states(ladder) == {"a": "done", "b": "done"}


@pytest.mark.parametrize("who", ["itself", "a person"])
@pytest.mark.parametrize("fingerprint", [lambda _: shelf.value, None], ids=["fingerprint", "none"])
def test_what_a_later_call_did_is_not_undone_with_one_that_nobody_could_find_out_about(monkeypatch, fingerprint, who):
    """A person must look at it, also where nothing tells how things are."""
    ladder = ladder_of({"put": {**RULE, "checks": [SICK_OF_A]}})
    first, second = both(ladder, put_tool(fingerprint=fingerprint))
    dies(first, monkeypatch)
    with monkeypatch.context() as context:
        context.setattr(awaiting, "PATIENCE", 0.0)
        context.setattr(ladder.watcher, "_begin_once", lambda window: None)
        second.invoke(GO, on("t2"))
    if who == "itself":
        said = first.invoke(None, on("t1"))["messages"][-2].text
        assert "a later call was at them" in said
    else:
        a = next(action.key for action in ladder.actions() if action.arguments["value"] == "a")
        assert ladder.undo(a, by="ana") == "undo_conflict"
    assert shelf.told == ["wrote a", "wrote b"]
    assert states(ladder) == {"a": "undo_conflict", "b": "done"}


@pytest.mark.parametrize("left", [0.0, 1.0], ids=["waited for", "to be waited for"])
def test_a_call_that_runs_is_waited_for_beside_one_that_was_left(left, monkeypatch):
    """Nobody can tell what became of that one, and everybody has waited for it; its own undo takes nothing of others.

    Two that wait for it at the same time don't begin at the same time when they give it up.
    """
    hang, at_it, most = threading.Event(), [], []

    def probe(arguments, key):
        """It hangs."""
        del arguments, key
        hang.wait(60)
        return "cannot tell"

    @tool
    @probed_by(probe)
    @reversible(
        prepare=lambda _: {"was": shelf.value},
        undo=lambda kept: shelf.put(kept["was"], "back to"),
        fingerprint=lambda _: shelf.value,
        resource=lambda _: "the shelf",
    )
    def put(value: str) -> str:
        """Put it there, in a while."""
        at_it.append(value)
        time.sleep(0.3)
        shelf.put(value)
        most.append(len(at_it))
        at_it.remove(value)
        return value

    ladder = ladder_of({"put": {**RULE, "checks": [WELL]}})
    dead, *others = (
        MOUNTS["wrap"](ladder, [says(tool_call("put", {"value": value})), "Done."], [put]) for value in "abc"
    )
    dies(dead, monkeypatch)
    [a] = ladder.actions()
    ladder.watcher._seen_to[a.agent, "the shelf"] = a.key, time.monotonic() - awaiting.PATIENCE + left
    runs = [threading.Thread(target=graph.invoke, args=(GO, on(f"t{n}"))) for n, graph in enumerate(others, 2)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    hang.set()
    assert most == [1, 1, 1]
    assert ladder.verify().problems == ()


def test_what_ran_whole_is_undone_where_nothing_tells_how_things_are():
    """A tool without a fingerprint says that its undo takes nothing of others; only a crash puts that in doubt."""
    ladder = ladder_of({"put": {**RULE, "checks": [WELL]}})
    first, second = both(ladder, put_tool(fingerprint=None))
    first.invoke(GO, on("t1"))
    second.invoke(GO, on("t2"))
    a = next(action.key for action in ladder.actions() if action.arguments["value"] == "a")
    assert ladder.undo(a, by="ana") == "undone"


@pytest.mark.parametrize("last", ["stays", "goes"])
def test_nothing_is_undone_under_a_call_that_runs(last):
    """Its own undo would bring back what is undone here."""
    inside, go_on = threading.Event(), threading.Event()

    @tool
    @reversible(
        prepare=lambda _: {"was": shelf.value},
        undo=lambda kept: shelf.put(kept["was"], "back to"),
        fingerprint=lambda _: shelf.value,
        resource=lambda _: "the shelf",
    )
    def put(value: str) -> str:
        """Put it there, in a while."""
        if value == "b":
            inside.set()
            assert go_on.wait(10)
        shelf.put(value)
        return value

    ladder = ladder_of({"put": {**RULE, "checks": [WELL]}})
    first, second = both(ladder, put)
    first.invoke(GO, on("t1"))
    a = ladder.actions()[0].key
    runs = threading.Thread(target=second.invoke, args=(GO, on("t2")))
    runs.start()
    assert inside.wait(10)
    try:
        assert ladder.undo(a, by="ana") == "done"
        assert shelf.told == ["wrote a"]
    finally:
        go_on.set()
        runs.join()
    ladder.watcher._undoing.wait()  # What had to wait for a call is begun when that is over.
    assert states(ladder)["a"] == "undo_conflict"
    if last == "goes":
        b = next(action.key for action in ladder.actions() if action.arguments["value"] == "b")
        ladder.undo(b, by="ana")
    assert shelf.told[:2] == ["wrote a", "wrote b"]
    if last == "stays":
        assert (shelf.told[2:], states(ladder)["a"]) == ([], "undo_conflict")
        return
    ladder.undo(a, by="ana")
    assert (shelf.told[2:], states(ladder)["a"]) == (["back to a", "back to old"], "undone")
    assert ladder.verify().problems == ()


def test_what_is_to_be_undone_is_undone_before_the_next_call():
    """Whoever comes next sees to it, where nobody did."""
    ladder = ladder_of({"put": {**RULE, "checks": [WELL]}})
    first, second = both(ladder, put_tool())
    first.invoke(GO, on("t1"))
    a, journal = ladder.actions()[0].key, ladder._journal()
    ladder.store.write(lambda cursor: wanted_back(journal, cursor, a, Person("ana"), "no"))
    second.invoke(GO, on("t2"))
    assert shelf.told == ["wrote a", "back to old", "wrote b"]
    assert states(ladder) == {"a": "undone", "b": "done"}


def test_an_undo_that_failed_is_not_waited_for_and_takes_nothing_of_others(monkeypatch):
    """What it left is known, and stands until it is tried again."""

    def put_back(kept):
        if shelf.meeting:
            raise OSError("the service is away")
        shelf.put(kept["was"], "back to")

    @tool
    @reversible(
        prepare=lambda _: {"was": shelf.value},
        undo=put_back,
        fingerprint=lambda _: shelf.value,
        resource=lambda _: "the shelf",
    )
    def put(value: str) -> str:
        """Put it there."""
        shelf.put(value)
        return value

    shelf.meeting = True
    ladder = ladder_of({"put": {**RULE, "checks": [SICK_OF_A]}})
    first, second = both(ladder, put)
    first.invoke(GO, on("t1"))
    assert states(ladder) == {"a": "undo_failed"}
    monkeypatch.setattr(awaiting, "LOOK", None)
    second.invoke(GO, on("t2"))  # It asks now.
    second.invoke(Command(resume=YES), on("t2"))
    shelf.meeting = None
    a = next(action.key for action in ladder.actions() if action.arguments["value"] == "a")
    assert ladder.undo(a, by="ana") == "undo_conflict"
    assert shelf.told == ["wrote a", "wrote b"]
