"""An answer given outside goes on with the thread that waits for it: once, and only from where it waits."""

from __future__ import annotations

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver

from ladder_graph.resuming import Head, InProcess
from ladder_graph.testing import calls, says, tool_call
from tests.hosts.graphs import GO, READ, WAYS, agent_of, on, raw_graph
from tests.hosts.stage import Stage, approve


def decline(ladder, question):
    """No."""
    ladder.decline(question.id, by="ana", reason="too early")


def edit(ladder, question):
    """Other arguments."""
    ladder.edit(question.id, {"x": "2"}, by="ana")


def respond(ladder, question):
    """A text instead."""
    ladder.respond(question.id, "forty-two", by="ana")


def revoke(ladder, question):
    """Yes, and then no."""
    ladder.approve(question.id, by="ana")
    ladder.revoke(question.id, by="ana", reason="wrong one")


ANSWERS = [
    (approve, "a 1", [("a", "1")]),
    (decline, "DECLINED by ana: too early", []),
    (edit, "a 2", [("a", "2")]),
    (respond, "forty-two", []),
    (revoke, "DECLINED by ana: wrong one", []),
]


@pytest.mark.parametrize(("answer", "said", "ran"), ANSWERS, ids=[one[0].__name__ for one in ANSWERS])
def test_every_answer_goes_on_with_its_thread(answer, said, ran):
    """The model is told what was answered, what was approved runs once, and a second look does nothing more."""
    stage = Stage()
    (question,) = stage.ask()
    answer(stage.ladder, question)
    (waiting,) = stage.ladder.resumptions()
    assert (waiting.state, waiting.thread, waiting.why) == ("waiting", "1", answer.__name__)
    stage.worker.settle()
    (text,), following = stage.told()
    assert said in text
    assert following == ()
    assert stage.world.ran == ran
    assert stage.ladder.resumptions() == []
    stage.later(60)
    assert stage.world.ran == ran
    assert stage.ladder.verify().ok


@pytest.mark.parametrize("answer", [approve, revoke], ids=lambda one: one.__name__)
def test_an_answer_of_a_machine_whose_clock_is_ahead_is_due_at_once(answer):
    """Whoever goes on with the thread looks at its own clock, and doesn't wait for the other one's time."""
    stage = Stage()
    (question,) = stage.ask()
    stage.clock.advance(600)
    answer(stage.ladder, question)
    (waiting,) = stage.ladder.resumptions()
    assert waiting.next == waiting.at
    stage.clock.advance(-600)
    stage.worker.settle()
    assert stage.told()[1] == ()
    assert stage.ladder.resumptions() == []


def test_silence_goes_on_too():
    """A question that nobody answers in time is a no, and its thread is told so though nobody touched it."""
    stage = Stage(rules={"a": {"rung": "confirm", "confirm": {"expires": "1h"}}, "b": READ})
    stage.ask()
    stage.later(3500)
    assert stage.told()[1] == ("confirm",)
    stage.later(101)
    stage.later()
    (text,), following = stage.told()
    assert text.startswith("NOT RUN: nobody said in time")
    assert following == ()
    assert stage.world.ran == []


def test_an_approval_that_nobody_used_in_time_is_void():
    """Whoever approved it didn't mean next week; the thread is told that it didn't run."""
    stage = Stage(rules={"a": {"rung": "confirm", "confirm": {"expires": "1h"}}, "b": READ})
    (question,) = stage.ask()
    approve(stage.ladder, question)
    stage.later(3700)
    stage.later()
    assert stage.world.ran == []
    assert stage.told()[1] == ()


@pytest.mark.parametrize("ask", ["all", "one"])
def test_one_of_several_questions_goes_on_and_the_others_are_asked_again(ask):
    """Each answer goes on with the thread; the model is asked once, when all its calls have come back."""
    stage = Stage(says(*[tool_call("a", {"x": str(n)}) for n in range(3)], tool_call("b", {"x": "r"})), ask=ask)
    stage.ask()
    for n in range(3):
        open_now = stage.ladder.pending()
        assert len(open_now) == (1 if ask == "one" else 3 - n)
        approve(stage.ladder, open_now[-1])
        stage.later()
    assert stage.ladder.pending() == []
    assert sorted(stage.told()[0]) == ["a 0", "a 1", "a 2", "b r"]
    assert sorted(stage.world.ran) == [("a", "0"), ("a", "1"), ("a", "2"), ("b", "r")]
    assert stage.told()[1] == ()


def test_two_answers_are_taken_to_a_thread_in_one_run():
    """Both are known when the worker comes; the thread runs once."""
    stage = Stage(says(tool_call("a", {"x": "1"}), tool_call("a", {"x": "2"})))
    for question in stage.ask():
        approve(stage.ladder, question)
    runs = []
    resumer = InProcess(stage.graph)
    resume = resumer.resume
    resumer.resume = lambda thread: (runs.append(thread), resume(thread))
    stage.another(resumer).settle()
    assert runs == ["1"]
    assert stage.told()[1] == ()


def test_an_agent_inside_another_goes_on():
    """A question of a graph inside is answered; the outer thread goes on with it."""

    def nested(answers, world):
        from langgraph.graph import START, MessagesState, StateGraph

        inner = raw_graph(answers, [world.tool("a")]).compile()
        outer = StateGraph(MessagesState)
        outer.add_node("inner", inner)
        outer.add_edge(START, "inner")
        return outer

    stage = Stage(shape=nested)
    (question,) = stage.ask()
    assert question.call.agent == "ops/inner"
    approve(stage.ladder, question)
    assert len(stage.ladder.resumptions()) == 1
    stage.worker.settle()
    assert stage.world.ran == [("a", "1")]
    assert stage.told()[1] == ()
    assert stage.ladder.resumptions() == []


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_an_answer_in_band_leaves_nothing_to_go_on_with(way):
    """Whoever resumes the graph themselves needs no worker; a worker that looks later finds the thread beyond it."""
    stage = Stage()
    (question,) = stage.ask()
    approve(stage.ladder, question)
    way.invoke(stage.graph, None, on())
    (row,) = stage.ladder.resumptions()
    assert row.state == "heard"
    assert row.words == "thread 1 has the answer and goes on"
    stage.clock.advance(11)
    assert "no worker has looked whether it went on" in stage.ladder.resumptions()[0].words
    stage.later(0)
    assert stage.ladder.resumptions() == []
    assert stage.world.ran == [("a", "1")]


def test_a_thread_that_was_changed_keeps_the_answer_and_says_so():
    """`update_state` has taken the thread away from its question: it isn't forced back, and the answer stays."""
    stage = Stage(rules={"a": {"rung": "confirm", "confirm": {"expires": "30d"}}, "b": READ})
    (question,) = stage.ask()
    stage.graph.update_state(on(), {"messages": [("user", "Never mind.")]}, as_node="model")
    approve(stage.ladder, question)
    stage.later()
    (row,) = stage.ladder.resumptions()
    assert row.state == "waiting"
    assert "doesn't wait at this question" in row.problem
    assert stage.world.ran == []
    assert stage.ladder.question(question.id).decision.verdict == "approve"
    stage.later(8 * 86_400)
    (row,) = stage.ladder.resumptions()
    assert row.state == "lost"
    assert stage.world.ran == []


@pytest.mark.parametrize("answer", [approve, decline])
def test_a_thread_that_ended_without_the_answer_needs_it_no_more(answer):
    """A new message took it to its end; the answer isn't listed as waiting, and it is said why."""
    stage = Stage(rules={"a": {"rung": "confirm", "confirm": {"expires": "1h"}}, "b": READ})
    (question,) = stage.ask()
    stage.graph.invoke(GO, on())
    assert stage.told()[1] == ()
    answer(stage.ladder, question)
    stage.later()
    assert stage.ladder.resumptions() == []
    found = stage.ladder.resumption(question.id)
    assert (found.state, found.next) == ("over", None)
    assert found.words == (
        "thread 1 needs no answer any more: it was gone on with from another point, and has come to its end without "
        "the answer"
    )
    # An approval that nobody used in time is void, and its thread needn't hear of that either.
    for _ in range(3):
        stage.later(3700)
    assert (stage.ladder.resumptions(), stage.world.ran) == ([], [])


def test_what_is_known_of_an_approved_calls_thread_stands_with_the_call():
    """That it runs isn't said of one whose thread came to its end without it, can't be gone on with, or is gone."""
    stage = Stage(rules={"a": {"rung": "confirm", "confirm": {"expires": "30d"}}, "b": READ})
    (question,) = stage.ask()
    approve(stage.ladder, question)

    def following():
        first, back = stage.ladder.life(question.call.key).next
        assert back.command.startswith(f"ladder revoke {question.id}")
        return first.text

    assert following() == "It runs when thread 1 is resumed, if that still waits for it"
    stage.graph.update_state(on(), {"messages": [("user", "Never mind.")]}, as_node="model")
    stage.later()
    assert following() == (
        "Thread 1 can't go on now, and keeps the answer: its thread doesn't wait at this question: it was changed, or "
        "hasn't come to it yet"
    )
    stage.graph.invoke(GO, on())
    stage.later(600)
    assert following() == (
        "Thread 1 needs no answer any more: it was gone on with from another point, and has come to its end without "
        "the answer"
    )


def test_an_approval_stays_good_for_where_its_thread_waited():
    """A thread that ended without it may be gone back with, so a question isn't closed for a new message alone."""
    stage = Stage()
    (question,) = stage.ask()
    waited = stage.graph.get_state(on()).config
    stage.graph.invoke(GO, on())
    assert [one.id for one in stage.ladder.pending()] == [question.id]
    approve(stage.ladder, question)
    stage.later()
    assert (stage.ladder.resumption(question.id).state, stage.world.ran) == ("over", [])
    stage.graph.invoke(None, waited)
    assert stage.world.ran == [("a", "1")]


def test_a_thread_that_is_still_seen_at_the_end_of_an_earlier_run_keeps_the_answer():
    """Its run has asked and hasn't come to a checkpoint of its own yet: that is no end."""
    stage = Stage()
    (question,) = stage.ask()
    approve(stage.ladder, question)
    resumer = InProcess(stage.graph)
    look, early = resumer.look, [True]
    resumer.look = lambda thread: Head(ended="1f000000-0000-6000-8000-000000000000") if early else look(thread)
    stage.worker = stage.another(resumer)
    stage.worker.settle()
    (row,) = stage.ladder.resumptions()
    assert (row.state, row.tries) == ("waiting", 1)
    early.clear()
    stage.later(5)
    assert stage.world.ran == [("a", "1")]


def test_a_thread_that_is_gone_keeps_the_answer_and_says_so(tmp_path):
    """A deleted thread can't go on; it is looked for ever more seldom, and given up after a week."""
    stage = Stage(rules={"a": {"rung": "confirm", "confirm": {"expires": "30d"}}, "b": READ})
    with SqliteSaver.from_conn_string(str(tmp_path / "threads.db")) as saver:
        stage.graph = stage.ladder.wrap(
            agent_of([calls("a", {"x": "1"}), "Done."], [stage.world.tool("a")]), checkpointer=saver
        )
        stage.worker = stage.another()
        (question,) = stage.ask()
        saver.delete_thread("1")
        approve(stage.ladder, question)
        for wait in (1, 2, 4):
            stage.later(wait)
        (row,) = stage.ladder.resumptions()
        assert (row.state, row.problem) == ("waiting", "there is no such thread")
        assert row.tries >= 2
        assert "keeps the answer: there is no such thread" in row.words or "when a worker runs" in row.words
        stage.later(8 * 86_400)
        (row,) = stage.ladder.resumptions()
        assert row.state == "lost"
        assert row.words == "thread 1 was given up: there is no such thread"


def test_a_thread_in_another_process_memory_is_left_to_it():
    """A graph in memory can't know whether a thread is gone or another's; it says nothing and looks again."""
    stage = Stage()
    (question,) = stage.ask()
    stranger = stage.another(
        InProcess(stage.ladder.wrap(agent_of(["Hi."], [stage.world.tool("a")]), checkpointer=InMemorySaver()))
    )
    approve(stage.ladder, question)
    stranger.settle()
    (row,) = stage.ladder.resumptions()
    assert (row.state, row.problem, row.tries) == ("waiting", "", 0)
    stage.later(11)
    assert stage.world.ran == [("a", "1")]


def test_a_run_that_fails_is_tried_again_where_the_answer_was_not_heard():
    """The graph can't be run now; the answer stays, the trouble is said, and later it goes on."""
    stage = Stage()
    (question,) = stage.ask()
    approve(stage.ladder, question)
    resumer = InProcess(stage.graph)
    resume, broken = resumer.resume, [True]

    def failing(thread):
        if broken.pop() if broken else False:
            raise OSError("the model's server is away")
        resume(thread)

    resumer.resume = failing
    stage.worker = stage.another(resumer)
    stage.worker.settle()
    (row,) = stage.ladder.resumptions()
    assert (row.state, row.problem, row.tries) == ("waiting", "OSError: the model's server is away", 1)
    stage.later(2)
    assert stage.world.ran == [("a", "1")]
    assert stage.ladder.resumptions() == []


def test_a_run_that_fails_after_the_answer_was_heard_runs_nothing_twice():
    """The tool ran and the model failed: the call isn't gone on with again, and its thread's failure is said."""
    stage = Stage()

    def fails(messages):
        raise RuntimeError("no more tokens")

    stage.graph = stage.ladder.wrap(
        agent_of([calls("a", {"x": "1"}), fails, "Done."], [stage.world.tool("a")]), checkpointer=InMemorySaver()
    )
    stage.worker = stage.another()
    (question,) = stage.ask()
    approve(stage.ladder, question)
    stage.worker.settle()
    assert stage.world.ran == [("a", "1")]
    found = stage.ladder.resumption(question.id)
    assert found.state == "over"
    assert "no more tokens" in found.problem
    stage.later(60)
    assert stage.world.ran == [("a", "1")]


def test_a_vote_that_is_not_enough_wakes_nobody():
    """Where two must approve, the first yes changes nothing for the thread."""
    stage = Stage(rules={"a": {"rung": "confirm", "confirm": {"quorum": 2}}, "b": READ})
    (question,) = stage.ask()
    approve(stage.ladder, question)
    assert stage.ladder.resumptions() == []
    stage.ladder.approve(question.id, by="ben")
    stage.worker.settle()
    assert stage.world.ran == [("a", "1")]
