"""Tools that stop, fail or are cut off: what is known is recorded, and what isn't known is said to be in doubt."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphDrained, GraphInterrupt, ParentCommand
from langgraph.types import Command, interrupt

from ladder_graph import reversible
from ladder_graph.errors import DefiniteFailure, LedgerUnwritable
from ladder_graph.hosts.toolhost import failure_of
from ladder_graph.states import State
from ladder_graph.testing import calls, says, tool_call
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, on, raw_graph, texts, told
from tests.hosts.steps import CHECK

BOUNDED = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 9}]}
YES = {"type": "approve", "by": "ana"}


def states(ladder):
    """The state of each action, by its tool."""
    return {action.tool: action.state for action in ladder.actions()}


class Curious:
    """A tool that asks two things of its own before it does anything."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def ask(self, x: str) -> str:
        """Ask, ask again, and do it."""
        answers = [interrupt(f"{x}: first?"), interrupt(f"{x}: second?")]
        self.done.append(answers)
        return f"{x} {answers}"

    async def aask(self, x: str) -> str:
        """The same, async."""
        return self.ask(x)

    @property
    def tool(self):
        """It, as a tool."""
        return StructuredTool.from_function(self.ask, self.aask, name="curious")


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_tool_that_asks_under_rung_3(way):
    """A tool's own interrupts pause the action; each answer goes to the question it was given to; it then runs once."""
    curious = Curious()
    ladder = ladder_of({"curious": BOUNDED})
    graph = ladder.wrap(agent_of([calls("curious", {"x": "a"}), "Done."], [curious.tool]))
    out = way.invoke(graph, GO, on())
    assert [i.value for i in out["__interrupt__"]] == ["a: first?"]
    assert states(ladder) == {"curious": State.PAUSED}
    out = way.invoke(graph, Command(resume="one"), on())
    assert [i.value for i in out["__interrupt__"]] == ["a: second?"]
    out = way.invoke(graph, Command(resume="two"), on())
    assert told(out) == [("curious", "a ['one', 'two']")]
    assert states(ladder) == {"curious": State.DONE}
    assert ladder.verify().ok


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("approved", ["in band", "after garbage", "elsewhere", "elsewhere after garbage"])
def test_a_tool_that_asks_under_rung_2(way, approved):
    """The answer to the ladder's question is never handed to the tool as an answer to its own, however it came in."""
    curious = Curious()
    ladder = ladder_of({"curious": "confirm"})
    graph = ladder.wrap(agent_of([calls("curious", {"x": "a"}), "Done."], [curious.tool]))
    way.invoke(graph, GO, on())
    if "garbage" in approved:
        way.invoke(graph, Command(resume="what?"), on())
        way.invoke(graph, Command(resume={"type": "approve"}), on())
    if "elsewhere" in approved:
        ladder.approve(ladder.pending()[0].id, by="ana")
        out = way.invoke(graph, None, on())
    else:
        out = way.invoke(graph, Command(resume=YES), on())
    assert [i.value for i in out["__interrupt__"]] == ["a: first?"]
    out = way.invoke(graph, None, on())
    assert [i.value for i in out["__interrupt__"]] == ["a: first?"]
    out = way.invoke(graph, Command(resume=YES), on())  # the tool may be given anything, even this
    assert [i.value for i in out["__interrupt__"]] == ["a: second?"]
    out = way.invoke(graph, Command(resume={out["__interrupt__"][0].id: "two"}), on())
    assert curious.done == [[YES, "two"]]
    assert states(ladder) == {"curious": State.DONE}
    assert [entry.kind for entry in ladder.log()].count("question") == 1


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_double_click(way):
    """An answer by id that is sent twice isn't taken for one to the tool's own question, which comes next."""
    curious = Curious()
    ladder = ladder_of({"curious": "confirm"})
    graph = ladder.wrap(agent_of([calls("curious", {"x": "a"}), "Done."], [curious.tool]))
    out = way.invoke(graph, GO, on())
    yes = Command(resume={out["__interrupt__"][0].id: YES})
    for _ in range(2):
        out = way.invoke(graph, yes, on())
        assert [i.value for i in out["__interrupt__"]] == ["a: first?"]
    out = way.invoke(graph, Command(resume={out["__interrupt__"][0].id: "one"}), on())
    out = way.invoke(graph, yes, on())
    assert [i.value for i in out["__interrupt__"]] == ["a: second?"]
    way.invoke(graph, Command(resume="two"), on())
    assert curious.done == [["one", "two"]]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_an_old_answer_is_no_new_one(way):
    """LangGraph hands an answer that was used to the next question when a run brings none; the ladder doesn't."""
    curious = Curious()
    ladder = ladder_of({"curious": BOUNDED})
    graph = ladder.wrap(agent_of([calls("curious", {"x": "a"}), "Done."], [curious.tool]))
    way.invoke(graph, GO, on())
    way.invoke(graph, Command(resume="one"), on())
    for _ in range(2):
        out = way.invoke(graph, None, on())
        assert [i.value for i in out["__interrupt__"]] == ["a: second?"]
    way.invoke(graph, Command(resume="one"), on())
    assert curious.done == [["one", "one"]]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_parallel_tools_that_ask(way):
    """Two tools that ask at once, one of them after the ladder asked, each get their own answers."""
    curious = Curious()
    other = StructuredTool.from_function(curious.ask, curious.aask, name="careful")
    turn = says(tool_call("curious", {"x": "a"}), tool_call("careful", {"x": "b"}))
    ladder = ladder_of({"curious": BOUNDED, "careful": "confirm"})
    graph = ladder.wrap(agent_of([turn, "Done."], [curious.tool, other]))
    out = way.invoke(graph, GO, on())
    for _ in range(5):
        resume = {}
        for asked in out.get("__interrupt__", []):
            resume[asked.id] = YES if isinstance(asked.value, dict) else f"to {asked.value}"
        out = way.invoke(graph, Command(resume=resume), on()) if resume else out
    assert sorted(curious.done) == [[f"to {x}: first?", f"to {x}: second?"] for x in "ab"]
    assert states(ladder) == {"curious": State.DONE, "careful": State.DONE}
    assert texts(out)[-1] == "Done."


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_tool_that_raises(way):
    """An exception leaves it open what happened: the action is in doubt, and the model is told not to repeat it."""
    world = World()

    def fail(x):
        raise ConnectionError("gone")

    ladder = ladder_of({"a": BOUNDED})
    graph = ladder.wrap(
        agent_of([calls("a", {"x": "1"}), calls("a", {"x": "1"}), "Done."], [world.tool("a", acts=fail)])
    )
    out = way.invoke(graph, GO, on())
    first, second = (text for _, text in told(out))
    assert "ConnectionError: gone. Nobody knows whether it took effect" in first
    assert "NOT RUN: the very same call" in second
    assert world.ran == [("a", "1")]
    assert [action.state for action in ladder.actions()] == [State.UNKNOWN, State.REFUSED]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_tool_that_fails_definitely(way):
    """A DefiniteFailure says that nothing happened: the call may be made again, and its quota is given back."""
    world = World()
    fails = [DefiniteFailure("no such host")]

    def once(x):
        if fails:
            raise fails.pop()
        return "sent"

    rule = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 1}]}
    ladder = ladder_of({"a": rule})
    graph = ladder.wrap(
        agent_of([calls("a", {"x": "1"}), calls("a", {"x": "1"}), "Done."], [world.tool("a", acts=once)])
    )
    out = way.invoke(graph, GO, on())
    first, second = (text for _, text in told(out))
    assert first.startswith("a failed and changed nothing: DefiniteFailure: no such host")
    assert second == "sent"
    assert [action.state for action in ladder.actions()] == [State.FAILED, State.DONE]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_an_error_that_the_tool_node_answers(way):
    """An error message of the ToolNode's doesn't say whether anything happened; for a read it stands as it is."""
    world = World()

    def fail(x):
        raise ValueError("bad")

    def run(rule):
        ladder = ladder_of({"a": rule})
        builder = raw_graph([calls("a", {"x": "1"}), "Done."], [world.tool("a", acts=fail)], handle_tool_errors=True)
        return ladder, told(way.invoke(ladder.wrap(builder, checkpointer="host"), GO))[0][1]

    ladder, text = run(BOUNDED)
    assert "Nobody knows whether it took effect" in text
    assert states(ladder) == {"a": State.UNKNOWN}
    ladder, text = run(READ)
    assert text == "Error: ValueError('bad')\n Please fix your mistakes."
    assert states(ladder) == {"a": State.FAILED}


def test_a_sibling_isnt_cancelled():
    """In async code a tool that raises doesn't take down the one beside it, which finishes and isn't run again."""
    ran = []

    async def fast(x: str) -> str:
        """Fail at once."""
        raise ConnectionError("gone")

    async def slow(x: str) -> str:
        """Take a while."""
        await asyncio.sleep(0.05)
        ran.append(x)
        return "slow done"

    tools = [
        StructuredTool.from_function(coroutine=fast, name="fast"),
        StructuredTool.from_function(coroutine=slow, name="slow"),
    ]
    turn = says(tool_call("fast", {"x": "1"}), tool_call("slow", {"x": "2"}))
    ladder = ladder_of({"fast": BOUNDED, "slow": BOUNDED})
    out = asyncio.run(ladder.wrap(agent_of([turn, "Done."], tools)).ainvoke(GO, on()))
    assert ran == ["2"]
    assert told(out)[1] == ("slow", "slow done")
    assert states(ladder) == {"fast": State.UNKNOWN, "slow": State.DONE}


class Stop(BaseException):
    """What a signal handler may raise."""


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("error", [KeyboardInterrupt, Stop])
def test_a_keyboard_interrupt_is_recorded_and_raised(way, error):
    """Who stops the program stops it, and the ledger says that the action is in doubt."""
    world = World()

    def stop(x):
        raise error

    ladder = ladder_of({"a": BOUNDED})
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a", acts=stop)]))
    with pytest.raises(error):
        way.invoke(graph, GO, on())
    assert states(ladder) == {"a": State.UNKNOWN}
    graph = ladder.wrap(agent_of(["Done."], [world.tool("a")], checkpointer=graph.checkpointer))
    out = way.invoke(graph, None, on())
    assert "Nobody knows whether it took effect" in told(out)[0][1]
    assert world.ran == [("a", "1")]


@pytest.mark.parametrize("sync_tool", [True, False])
def test_a_cancelled_task_leaves_a_complete_record(sync_tool):
    """Cancelling the run while a tool works doesn't cut the tool off: effect and record are both complete."""
    begun, release, ran = threading.Event(), threading.Event(), []

    async def until(true) -> None:
        for _ in range(5000):
            if true():
                return
            await asyncio.sleep(0.001)
        raise AssertionError("it never came to that")

    def work(x: str) -> str:
        """Work."""
        begun.set()
        release.wait(5)
        ran.append(x)
        return "worked"

    async def awork(x: str) -> str:
        begun.set()
        await until(release.is_set)
        ran.append(x)
        return "worked"

    tool = StructuredTool.from_function(work, None if sync_tool else awork, name="a")
    ladder = ladder_of({"a": BOUNDED})
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [tool]))

    async def main() -> Any:
        running = asyncio.create_task(graph.ainvoke(GO, on()))
        await until(begun.is_set)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert ran == []
        release.set()
        await until(lambda: states(ladder) == {"a": State.DONE})
        return await graph.ainvoke(None, on())

    out = asyncio.run(main())
    assert ran == ["1"]
    assert told(out) == [("a", "worked")]


@pytest.mark.parametrize("sync_tool", [True, False])
def test_a_task_cancelled_before_its_claim_runs_nothing(sync_tool):
    """Whatever is done about a call before it is claimed goes no further once nobody waits for it."""
    begun, release, ran = threading.Event(), threading.Event(), []

    def prepare(said):
        begun.set()
        release.wait(5)
        return said["x"]

    def work(x: str) -> str:
        """Work."""
        ran.append(x)
        return "worked"

    async def awork(x: str) -> str:
        return work(x)

    undone = reversible(prepare=prepare, undo=lambda artifact: None)
    tool = StructuredTool.from_function(undone(work), None if sync_tool else undone(awork), name="a")
    ladder = ladder_of({"a": {"rung": "rollback", "bounds": BOUNDED["bounds"], "checks": [CHECK]}})
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [tool]))

    async def main() -> None:
        running = asyncio.create_task(graph.ainvoke(GO, on()))
        await asyncio.to_thread(begun.wait, 5)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        release.set()

    asyncio.run(main())  # It waits for the threads of the loop.
    assert ran == []
    assert states(ladder) == {}
    out = asyncio.run(graph.ainvoke(None, on()))
    assert (ran, told(out)) == (["1"], [("a", "worked")])


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_an_artifact_that_cant_be_written_down(way):
    """A tool may return what goes into no ledger; the effect is recorded all the same, and the graph gets it whole."""
    world = World()
    thing = threading.Lock()
    tool = world.tool("a", acts=lambda x: ("content", thing), response_format="content_and_artifact")
    ladder = ladder_of({"a": BOUNDED})
    agent = agent_of([calls("a", {"x": "1"}), "Done."], [tool], checkpointer=None)
    out = way.invoke(ladder.wrap(agent, checkpointer="host"), GO)
    assert out["messages"][2].artifact is thing
    assert states(ladder) == {"a": State.DONE}


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_finished_call_isnt_run_again(way):
    """Sent back to before its tools, a thread gets the recorded answers: no effect happens twice, commands and all."""
    world = World()

    def act(x):
        return Command(update={"messages": [], "jump": 1}) if x == "command" else f"a {x}"

    tools = [world.tool("a", acts=act)]
    ladder = ladder_of({"a": "confirm"})
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done.", "Done again."], tools))
    way.invoke(graph, GO, on())
    out = way.invoke(graph, Command(resume=YES), on())
    past = [state for state in graph.get_state_history(on()) if state.next == ("confirm",)]
    again = way.invoke(graph, None, past[0].config)
    assert told(again) == told(out) == [("a", "a 1")]
    assert texts(again)[-1] == "Done again."
    assert world.ran == [("a", "1")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_ledger_that_takes_no_outcome(way):
    """Whoever runs the graph reads that the tool was started, and where to look; the next run says what is known."""
    world, ladder = World(), ladder_of({"send": BOUNDED})
    writer = ladder.store.database.writer
    send = world.tool("send", acts=lambda _: writer.execute("PRAGMA query_only = ON") and "sent")
    graph = ladder.wrap(agent_of([calls("send", {"x": "a"}), "Done."], [send]))
    with pytest.raises(LedgerUnwritable) as refused:
        way.invoke(graph, GO, on())
    [action] = ladder.actions()
    short, said = action.short, str(refused.value)
    assert said.startswith(f"send was started (action {short}), and what came of it couldn't be recorded: :memory: ")
    assert said.endswith(f"Don't repeat it; `ladder show {short}` tells what is known.")
    assert "Nothing was recorded by this" in said
    assert "nothing ran" not in said.lower()
    assert (action.state, world.ran) == (State.STARTED, [("send", "a")])
    with pytest.raises(LedgerUnwritable, match=r"^:memory: can't be written: .*Nothing was recorded by this"):
        way.invoke(graph, None, on())
    writer.execute("PRAGMA query_only = OFF")
    way.invoke(graph, None, on())
    assert (states(ladder), world.ran) == ({"send": State.UNKNOWN}, [("send", "a")])


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_ledger_that_takes_no_claim(way):
    """Nothing was started, and nobody is told that it was."""
    world, ladder = World(), ladder_of({"send": BOUNDED})
    graph = ladder.wrap(agent_of([calls("send", {"x": "a"}), "Done."], [world.tool("send")]))
    ladder.store.database.writer.execute("PRAGMA query_only = ON")
    with pytest.raises(LedgerUnwritable) as refused:
        way.invoke(graph, GO, on())
    assert "started" not in str(refused.value)
    assert (ladder.actions(), world.ran) == ([], [])


def test_interrupts_are_not_swallowed_by_the_tool_node():
    """A ToolNode that answers every error still lets an interrupt through."""
    ladder = ladder_of({"curious": BOUNDED})
    builder = raw_graph([calls("curious", {"x": "a"}), "Done."], [Curious().tool], handle_tool_errors=True)
    out = ladder.wrap(builder, checkpointer=InMemorySaver()).invoke(GO, on())
    assert [i.value for i in out["__interrupt__"]] == ["a: first?"]


@pytest.mark.parametrize(
    ("signal", "kind"),
    [
        (GraphInterrupt(()), "paused"),
        (GraphDrained("shutdown"), "paused"),
        (ParentCommand(Command(graph=Command.PARENT)), "done"),
        (KeyboardInterrupt(), "unknown"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_signals_go_on_up(signal, kind):
    """What LangGraph or the user signals through a tool is recorded for what it is, and kept to be raised again."""
    outcome = failure_of(signal)
    assert (outcome.kind, outcome.signal) == (kind, signal)
