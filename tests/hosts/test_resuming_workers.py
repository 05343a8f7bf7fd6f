"""Who goes on with a thread that has its answer: by itself, on any loop, one of several, and none that is dead."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from ladder_graph import LadderError, NoCheckpointer, Person
from ladder_graph.hosts.finding import mounted
from ladder_graph.ledger.people import resumptions
from ladder_graph.resuming import Head, InProcess, Worker, working
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from tests.hosts.graphs import GO, READ, World, agent_of, ladder_of, on
from tests.hosts.stage import ASKS, Stage, approve, until


def accept_elsewhere(ladder, draft):
    """Accept a draft as where its tool isn't known."""
    known, ladder.seats = ladder.seats, {}
    inside, ladder._seats_of = ladder._seats_of, {}
    assert ladder.accept(draft.action.key, by=Person("ana", "code")) is None
    ladder.seats, ladder._seats_of = known, inside


def test_what_is_attached_goes_on_by_itself():
    """An answer in the process with the graph goes on at once, and closing the ladder waits for what was begun."""
    world = World()
    ladder = ladder_of(ASKS)
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")]), checkpointer=InMemorySaver())
    worker = ladder.attach(InProcess(graph))
    assert ladder.resumers() == [(worker.name, worker.resumer.how)]
    with pytest.raises(LadderError, match="already"):
        ladder.attach(InProcess(graph))
    graph.invoke(GO, on())
    (question,) = ladder.pending()
    ladder.approve(question.id, by="ana")
    until(lambda: graph.get_state(on()).next == ())
    assert world.ran == [("a", "1")]
    ladder.detach()
    assert ladder.resumers() == []
    ladder.close()


def test_an_accepted_draft_runs_where_its_tool_is():
    """Somebody accepted it where the tool isn't known, as on the command line; the worker runs it."""
    stage = Stage(rules={"a": "draft"})
    stage.graph.invoke(GO, on())
    (draft,) = stage.ladder.drafts()
    accept_elsewhere(stage.ladder, draft)
    assert stage.world.ran == []
    stage.worker.settle()
    assert stage.world.ran == [("a", "1")]


def test_an_accepted_draft_runs_after_the_clock_was_set_back():
    """Whoever looked by the wrong time doesn't wait until that comes again."""
    stage = Stage(rules={"a": "draft"})
    stage.graph.invoke(GO, on())
    stage.worker.settle()
    stage.clock.advance(-6 * 3600)
    (draft,) = stage.ladder.drafts()
    accept_elsewhere(stage.ladder, draft)
    stage.worker.settle()
    assert stage.world.ran == [("a", "1")]


def test_an_async_graph_goes_on_on_its_own_loop(tmp_path):
    """Its checkpointer belongs to a loop, and its tool is a coroutine alone; the worker's threads only wait for it."""
    ran = []

    @tool
    async def a(x: str) -> str:
        """Do a."""
        await asyncio.sleep(0)
        ran.append(x)
        return f"a {x}"

    async def main():
        ladder = ladder_of(ASKS)
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "threads.db")) as saver:
            graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [a]), checkpointer=saver)
            await graph.ainvoke(GO, on())
            ladder.attach(InProcess(graph))
            (question,) = await asyncio.to_thread(ladder.pending)
            await asyncio.to_thread(ladder.approve, question.id, by="ana")
            for _ in range(400):
                if not (await graph.aget_state(on())).next:
                    break
                await asyncio.sleep(0.02)
            assert ran == ["1"]
            await asyncio.to_thread(ladder.close)

    asyncio.run(main())


def test_coroutines_without_a_loop_get_one():
    """A tool that is a coroutine alone would fail in a thread, and its approval would be gone."""
    ran = []

    @tool
    async def a(x: str) -> str:
        """Do a."""
        ran.append(x)
        return f"a {x}"

    ladder = ladder_of(ASKS)
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [a]), checkpointer=InMemorySaver())
    asyncio.run(graph.ainvoke(GO, on()))
    worker = Worker(ladder.store, ladder.clock, ladder.refresh, InProcess(graph))
    (question,) = ladder.pending()
    ladder.approve(question.id, by="ana")
    worker.settle()
    assert ran == ["1"]
    worker.stop()
    ladder.close()


def test_a_graph_without_threads_is_refused():
    """Nothing could be gone on with."""
    ladder = ladder_of({"b": READ})
    graph = ladder.wrap(agent_of(["Hi."], [World().tool("b")]).copy(update={"checkpointer": None}))
    with pytest.raises(NoCheckpointer, match="no checkpointer of its own"):
        InProcess(graph)


def test_a_busy_thread_is_not_run():
    """Whoever keeps the thread says that a run of it goes on; the answer waits."""
    stage = Stage()
    (question,) = stage.ask()
    approve(stage.ladder, question)
    resumer = InProcess(stage.graph)
    resumer.look = lambda _: Head(busy=True)
    stage.another(resumer).settle()
    (row,) = stage.ladder.resumptions()
    assert (row.state, row.problem) == ("waiting", "a run of it is going on")
    assert stage.world.ran == []


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (Head(busy=True), "a run of it is going on"),
        (Head(there=False), "there is no such thread"),
        (Head(), "doesn't wait at this question"),
        (None, "can't be looked at"),
    ],
)
def test_what_can_not_be_seen_after_a_run_is_no_end(after, said):
    """The call hasn't heard its answer, and nobody sees where its thread stands: it is looked again."""
    stage = Stage()
    (question,) = stage.ask()
    approve(stage.ladder, question)
    resumer, ran = InProcess(stage.graph), []
    look, resume = resumer.look, resumer.resume

    def seen(thread):
        if not ran:
            return look(thread)
        if after is None:
            raise OSError("the checkpointer is away")
        return after

    resumer.look, resumer.resume = seen, ran.append
    stage.worker = stage.another(resumer)
    stage.worker.settle()
    (row,) = stage.ladder.resumptions()
    assert (row.state, row.tries, ran) == ("waiting", 1, ["1"])
    assert said in row.problem
    resumer.look, resumer.resume = look, resume
    stage.later(5)
    assert stage.world.ran == [("a", "1")]
    assert stage.ladder.resumptions() == []


def test_a_thread_that_somebody_took_meanwhile_stays_theirs():
    """Whoever looked in vain says nothing of a thread that another worker has taken in hand since they looked."""
    stage = Stage()
    (question,) = stage.ask()
    approve(stage.ladder, question)
    store = stage.ladder.store
    slow = InProcess(stage.graph)

    def look(thread):
        store.write(lambda cursor: cursor.execute("UPDATE resumption SET state = 'taken', owner = 'ab12'"))
        raise OSError("the checkpointer is away")

    slow.look = look
    stage.clock.advance(1)
    worker = stage.another(slow)
    assert worker.tick()
    worker.stop()
    now = store.glance(lambda cursor: resumptions.one(cursor, question.id))
    assert (now.state, now.owner, now.problem) == ("taken", "ab12", "")


def test_what_a_dead_worker_had_in_hand_is_due_at_once_by_any_clock():
    """Whoever finds it dead may have a clock that is ahead of those who then go on."""
    stage = Stage()
    (question,) = stage.ask()
    approve(stage.ladder, question)
    store, dead = stage.ladder.store, "resumer VALUES ('ab12', 'ops', 'elsewhere/1', 'in process', 1)"
    store.write(lambda cursor: cursor.execute(f"INSERT INTO {dead}"))
    store.write(lambda cursor: cursor.execute("UPDATE resumption SET state = 'taken', owner = 'ab12', how = 'x'"))
    stage.clock.advance(600)
    store.write(lambda cursor: resumptions.bury(cursor, store.owner))
    stage.clock.advance(-600)
    stage.worker.settle()
    assert stage.told()[1] == ()


def test_who_lost_a_session_keeps_the_threads_in_hand():
    """With the server all locks go. Whoever lives says so under a new one, and whoever is dead is replaced soon."""
    stage = Stage()
    (question,) = stage.ask()
    stage.worker.settle()
    approve(stage.ladder, question)
    store = stage.ladder.store
    store.owner.grace_us = 5_000_000

    def take(owner, seconds):
        due = f"due_us = at_us + {seconds} * 1000000"
        store.write(lambda cursor: cursor.execute(f"UPDATE resumption SET state = 'taken', owner = '{owner}', {due}"))  # noqa: S608  # ours

    def owner():
        return store.glance(lambda cursor: resumptions.one(cursor, question.id)).owner

    take(store.owner.id, 60)
    store.owner.id = "cd34"
    stage.worker.tick()
    assert owner() == "cd34"
    take("ab12", 0)
    stage.later()
    assert (owner(), stage.world.ran) == ("ab12", [])
    stage.later(20)
    assert stage.told()[1] == ()


@pytest.mark.parametrize("most", [1, 100])
def test_who_is_dead_is_waited_for_once(monkeypatch, most):
    """Of two owners whose rows are looked at in turn, neither gets its grace a second time."""
    monkeypatch.setattr(working, "MISSED", most)
    stage = Stage(says(tool_call("a", {"x": "1"}), tool_call("a", {"x": "2"})))
    store, worker = stage.ladder.store, stage.worker
    store.owner.grace_us = 5_000_000
    for question, owner in zip(stage.ask(), ("ab12", "cd34"), strict=True):
        approve(stage.ladder, question)
        taken = f"UPDATE resumption SET state = 'taken', owner = '{owner}' WHERE question = '{question.id}'"  # noqa: S608  # ours
        store.write(lambda cursor, taken=taken: cursor.execute(taken))
    assert worker._missing("ab12")
    stage.clock.advance(11)
    assert (worker._missing("ab12"), worker._missing("cd34")) == (False, True)
    assert (worker._missing("ab12"), worker._missing("cd34")) == (False, True)
    stage.clock.advance(11)
    assert (worker._missing("cd34"), worker._missing("ab12")) == (False, False)
    # Whom no row names any more is forgotten.
    stage.later(60)
    assert len(stage.world.ran) == 2
    assert worker._missing("ef56")
    assert len(worker._missed) == (1 if most == 1 else 3)


def test_who_is_dead_is_waited_for_no_longer_after_the_clock_was_set_back():
    """The grace begins anew then, and ends."""
    stage = Stage()
    stage.ladder.store.owner.grace_us = 5_000_000
    assert stage.worker._missing("ab12")
    stage.clock.advance(-6 * 3600)
    assert stage.worker._missing("ab12")
    stage.clock.advance(6)
    assert not stage.worker._missing("ab12")


def test_what_was_heard_by_a_clock_ahead_is_looked_at_once_it_is_right():
    """Nobody waits for a thread longer than the longest pause; a dead process had it."""
    stage = Stage()
    (question,) = stage.ask()
    approve(stage.ladder, question)
    due = round((stage.clock() + timedelta(hours=6)).timestamp() * 1e6) + resumptions.HEARD
    heard = f"UPDATE resumption SET state = 'heard', owner = 'ab12', due_us = {due}"  # noqa: S608  # ours
    stage.ladder.store.write(lambda cursor: cursor.execute(heard))
    stage.later(60)
    assert len(stage.world.ran) == 1


def test_the_ladder_of_a_graph_is_found():
    """By whichever mount: a wrapped graph, the middleware, a guarded tool."""
    from langchain.agents import create_agent

    ladder, world = ladder_of(ASKS), World()
    wrapped = ladder.wrap(agent_of(["Hi."], [world.tool("a")]))
    assert mounted(wrapped) == (ladder, "ops")
    middled = create_agent(ScriptedModel(answers=["Hi."]), [world.tool("a")], middleware=ladder.middleware())
    assert mounted(middled) == (ladder, "ops")
    guarded = create_agent(ScriptedModel(answers=["Hi."]), [ladder.guard(world.tool("a"))])
    assert mounted(guarded) == (ladder, "ops")
    with pytest.raises(LadderError, match="under no ladder"):
        mounted(agent_of(["Hi."], [world.tool("b")]))
