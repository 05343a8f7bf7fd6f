"""Calls that nobody waits for any more: what is told of them is true, and what waits for them keeps no thread."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from contextlib import closing
from textwrap import dedent

import pytest
from langchain.agents.middleware import AgentMiddleware
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, tool
from langgraph.types import Command, interrupt

from ladder_graph.calls import Call
from ladder_graph.errors import NotPermitted
from ladder_graph.hosts.permit import Permit, attempting, entering
from ladder_graph.ledger import Store, seen_through
from ladder_graph.states import State
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, World, ladder_of, on
from tests.hosts.mounts import BOUNDED, INNER, MOUNTS

GIVE = [calls("a", {"x": "1"}), "Done."]
THREADS = min(32, (os.cpu_count() or 1) + 4)
"""Of asyncio's default executor."""


async def until(there):
    """Wait for something."""
    for _ in range(1000):
        if there():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


def holding(ladder):
    """Hold the next transaction of a ladder until it is let go."""
    engine, transact = ladder.store._engine, ladder.store._engine._transact
    held, let_go = threading.Event(), threading.Event()

    def hold(jobs, **options):
        engine._transact = transact
        held.set()
        let_go.wait(10)
        return transact(jobs, **options)

    engine._transact = hold
    return held, let_go


class Patience(AgentMiddleware):
    """Somebody's own limit on how long a tool may take; it may answer in its place."""

    def __init__(self, begun, answer=None):
        super().__init__()
        self.begun, self.answer = begun, answer

    async def awrap_tool_call(self, request, handler):
        """Give up as soon as it has begun."""
        running = asyncio.ensure_future(handler(request))
        await asyncio.to_thread(self.begun.wait, 10)
        running.cancel()
        await asyncio.wait([running])
        if self.answer is None:
            raise TimeoutError
        return ToolMessage(self.answer, tool_call_id=request.tool_call["id"], name=request.tool_call["name"])


class Slow(BaseCallbackHandler):
    """A callback between the seal and the tool's own code."""

    def __init__(self):
        self.begun, self.go_on, self.over = threading.Event(), threading.Event(), threading.Event()

    def on_tool_start(self, *args, **named):
        """Take a while."""
        self.begun.set()
        self.go_on.wait(10)

    def on_tool_error(self, *args, **named):
        """What was held up is over."""
        self.over.set()


@pytest.mark.parametrize("mount", INNER)
async def test_what_is_told_to_have_changed_nothing_never_runs(mount):
    """A thread that was left behind right before the tool's own code finds that it may not begin any more."""
    ran, slow = [], Slow()

    @tool
    def a(x: str) -> str:
        """Act."""
        ran.append(x)
        return x

    with closing(ladder_of({"a": BOUNDED})) as ladder:
        graph = INNER[mount](ladder, GIVE, [a], Patience(slow.begun))
        out = await graph.ainvoke(GO, {**on(), "callbacks": [slow]})
        slow.go_on.set()
        assert await asyncio.to_thread(slow.over.wait, 10)
        assert "failed and changed nothing" in out["messages"][-2].text
        assert [one.state for one in ladder.actions()] == [State.FAILED]
        assert ran == []


def test_a_run_that_was_given_up_does_not_begin():
    """Nor does one that was given up while another one is allowed in its place."""
    call = Call("a", "t", "1", "act", {})
    permit = Permit(call)
    with permit.held():
        attempt = permit.begin()
        with attempting(attempt):
            attempt.end()
            with pytest.raises(NotPermitted, match="given up"), entering("act", (), {}):
                raise AssertionError
        assert attempt.harmless
        with attempting(late := permit.begin()):
            pass
    with attempting(late), pytest.raises(NotPermitted, match="given up"), entering("act", (), {}):
        raise AssertionError


@pytest.mark.parametrize("mount", INNER)
async def test_what_still_runs_is_not_done(mount):
    """Though whoever gave up on it has answered in its place."""
    begun, go_on = threading.Event(), threading.Event()

    class Act(BaseTool):
        name: str = "a"
        description: str = "Act."

        def _run(self, x: str) -> str:
            begun.set()
            go_on.wait(10)
            raise ValueError

    with closing(ladder_of({"a": BOUNDED})) as ladder:
        graph = INNER[mount](ladder, GIVE, [Act()], Patience(begun, "It takes long."))
        await graph.ainvoke(GO, on())
        (action,) = ladder.actions()
        go_on.set()
    assert (action.state, "it still runs" in action.text) == (State.UNKNOWN, True)


# Under `guard` LangChain runs all of a sync tool in a thread, its gate too.
@pytest.mark.parametrize(("mount", "asynchronous"), [*((name, True) for name in MOUNTS), *((n, False) for n in INNER)])
async def test_waiting_for_a_call_that_runs_keeps_no_thread(mount, asynchronous):
    """However many come for calls that still run: whoever runs them may need a thread, too."""
    go_on = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def act(x: str) -> str:
        await go_on.wait()
        await asyncio.to_thread(bool)
        return x

    @tool
    def a(x: str) -> str:
        """Act."""
        return asyncio.run_coroutine_threadsafe(act(x), loop).result()

    @tool("a")
    async def aa(x: str) -> str:
        """Act."""
        return await act(x)

    with closing(ladder_of({"a": BOUNDED})) as ladder:
        many = range(THREADS if asynchronous else 2)
        answers = [*[GIVE[0]] * len(many), *["Done."] * THREADS]
        graph = MOUNTS[mount](ladder, answers, [aa if asynchronous else a])
        first = [asyncio.ensure_future(graph.ainvoke(GO, on(str(n)))) for n in many]
        await until(lambda: len(ladder.actions()) == len(many))
        for one in first:
            one.cancel()
        await asyncio.wait(first)
        again = [asyncio.ensure_future(graph.ainvoke(None, on(str(n % len(many))))) for n in range(THREADS)]
        await asyncio.sleep(0.2)
        assert await asyncio.wait_for(asyncio.to_thread(lambda: True), 5)
        go_on.set()
        outs = await asyncio.wait_for(asyncio.gather(*again), 20)
        assert {out["messages"][-2].text for out in outs} == {"1"}
        assert len(ladder.actions()) == len(many)


def test_a_claim_whose_loop_ended_does_not_run(tmp_path):
    """It is withdrawn where nobody had taken it in hand; else its end is on record: nobody finds it under way."""
    ran = []

    @tool
    async def a(x: str) -> str:
        """Act."""
        ran.append(x)
        return x

    with closing(ladder_of({"a": BOUNDED}, ledger=tmp_path / "ladder.db")) as ladder:
        graph = MOUNTS["wrap"](ladder, [calls("a", {"x": "0"}), "Done.", *[GIVE[0]] * 2, *["Done."] * 2], [a])
        asyncio.run(graph.ainvoke(GO, on("before")))
        engine, (held, let_go) = ladder.store._engine, holding(ladder)

        async def two():
            tasks = [asyncio.ensure_future(graph.ainvoke(GO, on("x")))]
            await asyncio.to_thread(held.wait, 10)
            tasks.append(asyncio.ensure_future(graph.ainvoke(GO, on("y"))))
            await until(lambda: engine._waiting)
            threading.Timer(0.2, let_go.set).start()
            for task in tasks:
                task.cancel()

        asyncio.run(two())
        assert ran == ["0"]
        assert sorted(one.state for one in ladder.actions()) == [State.DONE, State.FAILED]
        (failed,) = [one for one in ladder.actions() if one.state is State.FAILED]
        assert "changed nothing: it was given up before it ran" in failed.text
        outs = {name: asyncio.run(graph.ainvoke(None, on(name))) for name in "xy"}
        assert sorted(out["messages"][-2].text.partition(":")[0] for out in outs.values()) == [
            "1", "a failed and changed nothing",
        ]  # fmt: skip
        assert ran == ["0", "1"]


def test_a_call_that_stopped_before_stops_again():
    """One that has acted, and then stopped at an interrupt of its own, has not failed where its loop ends."""
    acted = []

    @tool
    async def a(x: str) -> str:
        """Act."""
        acted.append(x)
        return interrupt("More?")

    with closing(ladder_of({"a": BOUNDED})) as ladder:
        graph = MOUNTS["wrap"](ladder, GIVE, [a])
        asyncio.run(graph.ainvoke(GO, on()))
        held, let_go = holding(ladder)

        async def resumed():
            running = asyncio.ensure_future(graph.ainvoke(Command(resume="yes"), on()))
            await asyncio.to_thread(held.wait, 10)
            threading.Timer(0.2, let_go.set).start()
            running.cancel()

        asyncio.run(resumed())
        assert [one.state for one in ladder.actions()] == [State.PAUSED]
        assert acted == ["1"]
        assert asyncio.run(graph.ainvoke(Command(resume="yes"), on()))["messages"][-2].text == "yes"


async def test_a_time_out_is_a_time_out():
    """Whatever of the ledger is under way: nobody but us has to know."""
    with closing(ladder_of({"a": {"rung": "confirm"}})) as ladder:
        graph = MOUNTS["wrap"](ladder, GIVE, [World().tool("a")])
        held, let_go = holding(ladder)
        running = asyncio.ensure_future(graph.ainvoke(GO, on()))
        await asyncio.to_thread(held.wait, 10)
        threading.Timer(0.2, let_go.set).start()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await running


async def test_firm_work_is_done_though_its_caller_is_gone(tmp_path):
    """And other work is not, before somebody has it in hand."""
    store = Store(str(tmp_path / "ladder.db"))
    busy, done = threading.Event(), []
    with closing(store):
        first = asyncio.ensure_future(store.awrite(lambda _: busy.wait(10)))
        await asyncio.sleep(0.1)
        came = []

        async def write(*, firm):
            try:
                await store.awrite(lambda _: done.append(firm) or firm, firm=firm)
            except BaseException as cancelled:
                came.append((type(cancelled), seen_through(cancelled)))
                raise

        tasks = [asyncio.ensure_future(write(firm=firm)) for firm in (True, False)]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0.1)
        assert [task.done() for task in tasks] == [False, True]
        busy.set()
        await asyncio.wait([first, *tasks])
        assert [task.cancelled() for task in tasks] == [True, True]
        assert done == [True]
        assert came == [(asyncio.CancelledError, None), (asyncio.CancelledError, (True,))]


def test_what_an_interrupted_leader_took_is_done(tmp_path):
    """Somebody else's work is taken in hand again where the one who led was stopped before it began."""
    with closing(Store(str(tmp_path / "ledger.db"))) as store:
        engine, done = store._engine, []
        job = engine.enqueue(lambda _: done.append(1), durable=False)
        assert job.take()
        engine.settle(job)
        assert (done, job.done, job.withdraw()) == ([1], True, False)


ASKED_ELSEWHERE = """
    import sys
    from contextlib import closing
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.types import Command
    from ladder_graph import answer_to
    from ladder_graph.testing import calls
    from tests.hosts.graphs import GO, World, ladder_of, on
    from tests.hosts.mounts import MOUNTS
    mount, stage, folder = sys.argv[1:]
    answers = [calls("a", {"x": "1"}, id="1"), "Done."] if stage == "ask" else ["Done."]
    ladder = ladder_of({"a": {"rung": "confirm"}}, ledger=f"{folder}/ladder.db")
    with closing(ladder), SqliteSaver.from_conn_string(f"{folder}/threads.db") as saver:
        graph = MOUNTS[mount](ladder, answers, [World().tool("a")], checkpointer=saver)
        if stage == "ask":
            graph.invoke(GO, on())
        else:
            (question,) = graph.get_state(on()).interrupts
            out = graph.invoke(Command(resume=answer_to(question.value, "approve", by="mia")), on())
            print([message.text for message in out["messages"]][-2:])
"""


@pytest.mark.parametrize("mount", MOUNTS)
def test_an_answer_is_taken_by_another_process_than_the_one_that_asked(mount, tmp_path):
    """As of web workers that each take one request: the answer names what the first process gave out."""
    for stage in ("ask", "answer"):
        done = subprocess.run(
            [sys.executable, "-c", dedent(ASKED_ELSEWHERE), mount, stage, str(tmp_path)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    assert done.stdout == "['a 1', 'Done.']\n"
