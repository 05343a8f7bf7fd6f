"""Races for one question: real processes over one SQLite checkpointer and one ledger, at the same moment."""
# ruff: noqa: S311  # the dice only choose the order

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from types import SimpleNamespace

import pytest
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.types import Command

from ladder_graph.states import State
from ladder_graph.testing import FrozenClock
from tests.faults import racers
from tests.postgres import new_ledger

LONG = pytest.mark.faults


def rounds_of(few, many=200):
    """How often a race is run: a few times in the suite, many times by `make faults`."""
    return pytest.mark.parametrize("rounds", [few, pytest.param(many, marks=LONG)])


ONE = [[1]]
TWO_TURNS = [[1], [2]]
EIGHT = [list(range(8))]
CONFIRM = ("confirm",)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=LONG)])
def field(request, tmp_path_factory):
    """Two racers that stay up for all tests, and a third process's view: this one's."""
    folder = tmp_path_factory.mktemp("races")
    if request.param == "postgres":
        (folder / "ledger-url").write_text(new_ledger())
    with racers.field(folder) as pipes, racers.racer(folder, 9) as here:
        yield SimpleNamespace(folder=folder, pipes=pipes, here=here, names=itertools.count())


def raced(field, acts, rounds, turns):
    """Ask in as many threads as there are rounds, and let the racers do one of the acts in each, by turns.

    Returns:
        The threads, and what each racer raised in each.
    """
    threads = [f"thread-{next(field.names)}" for _ in range(rounds)]
    for thread in threads:
        field.here.ask(thread, turns)
    return threads, racers.race(field.pipes, list(zip(itertools.cycle(acts), threads)))


def ran(field, threads):
    """How often each amount was paid, thread by thread."""
    found = racers.effects(field.folder)
    return [{amount: n for (where, amount), n in found.items() if where == thread} for thread in threads]


def states(field, threads):
    """What the ledger says became of the calls of these threads."""
    return Counter(action.state for action in field.here.ladder.actions() if action.thread in threads)


@rounds_of(12)
def test_two_processes_that_answer_one_question_have_one_effect(field, rounds):
    """Both say yes in band at the same moment, bare, by the interrupt's id or with the digest: it runs once."""
    threads, raised = raced(field, ["answer", "answer_by_id", "answer_by_digest"], rounds, ONE)
    assert ran(field, threads) == [{1: 1}] * rounds
    assert raised == [("", "")] * rounds
    assert states(field, threads) == {State.DONE: rounds}
    assert field.here.ladder.verify().problems == ()


@rounds_of(8)
def test_two_processes_that_approve_at_the_ledger_have_one_effect(field, rounds):
    """One approval counts, the other is refused; both go on with the thread, and it runs once."""
    threads, raised = raced(field, ["approve"], rounds, ONE)
    assert ran(field, threads) == [{1: 1}] * rounds
    assert [sorted(one.partition(":")[0] for one in both) for both in raised] == [["", "AnswerRefused"]] * rounds
    given = [entry for thread in threads for entry in field.here.ladder.log(thread=thread) if entry.kind == "approved"]
    assert len(given) == rounds


@rounds_of(8)
def test_a_yes_and_a_no_at_the_same_moment_are_one_answer(field, rounds):
    """Whichever was first stands: it ran once after a yes, and not at all after a no, in both processes."""
    threads, raised = raced(field, ["contradict"], rounds, ONE)
    assert raised == [("", "")] * rounds
    for thread, paid in zip(threads, ran(field, threads), strict=True):
        verdicts = [
            entry.kind for entry in field.here.ladder.log(thread=thread) if entry.kind in {"approved", "declined"}
        ]
        assert (verdicts, paid) in ((["approved"], {1: 1}), (["declined"], {}))


@rounds_of(12)
def test_two_workers_that_resume_one_thread_have_one_effect(field, rounds):
    """A thread whose question was answered elsewhere is picked up twice at the same moment: it runs once."""
    threads = [f"resume-{next(field.names)}" for _ in range(rounds)]
    for thread in threads:
        field.here.ask(thread, ONE)
        (question,) = field.here.open_ids(thread)
        field.here.ladder.approve(question, by="ana")
    raised = racers.race(field.pipes, [("resume", thread) for thread in threads])
    assert ran(field, threads) == [{1: 1}] * rounds
    assert raised == [("", "")] * rounds
    for thread in threads:
        told = field.here.go_on(thread)["messages"]
        assert [message.text for message in told if message.type == "tool"] == ["paid 1"]


@rounds_of(12)
def test_a_double_click_answers_one_question(field, rounds):
    """The same yes in two requests at once: the question that the agent comes up with meanwhile stays open."""
    threads, raised = raced(field, ["answer_by_id", "answer_by_digest"], rounds, TWO_TURNS)
    assert ran(field, threads) == [{1: 1}] * rounds
    assert raised == [("", "")] * rounds
    assert all(field.here.graph.get_state(racers.config_of(thread)).next == CONFIRM for thread in threads)


@pytest.mark.parametrize("how", ["id", "digest"])
def test_a_late_second_click_answers_nothing(field, how):
    """The same yes once more, after the next question was asked, is refused, and that question stays open."""
    thread = f"click-{next(field.names)}"
    field.here.ask(thread, TWO_TURNS)
    first = field.here.questions(thread)[1]
    yes = field.here.verdict("approve")
    answer = {first.id: yes} if how == "id" else {**yes, "digest": first.value["ladder"]["digest"]}
    for _ in range(2):
        field.here.go_on(thread, answer)
    assert ran(field, [thread]) == [{1: 1}]
    assert list(field.here.questions(thread)) == [2]


def test_a_late_second_bare_click_answers_nothing(field, monkeypatch):
    """The same bare yes once more, at the moment when the next question was asked, leaves that one open."""
    thread = f"bare-{next(field.names)}"
    # Whether it is the same moment must not hang on how busy the machine is.
    monkeypatch.setattr(field.here.ladder, "clock", FrozenClock())
    field.here.ask(thread, TWO_TURNS)
    for _ in range(2):
        field.here.go_on(thread, field.here.verdict("approve"))
    assert ran(field, [thread]) == [{1: 1}]
    assert list(field.here.questions(thread)) == [2]


@rounds_of(3, 40)
def test_two_processes_share_the_questions_of_one_thread(field, rounds):
    """Each answers half of eight questions while the other does: all run, each once, and the thread ends."""
    threads, raised = raced(field, ["share"], rounds, EIGHT)
    assert raised == [("", "")] * rounds
    for thread in threads:
        # LangGraph may keep what both processes wrote for one task, so a reply can stand there twice.
        told = field.here.go_on(thread)["messages"]
        assert {message.text for message in told if message.type == "tool"} == {f"paid {n}" for n in range(8)}
        assert field.here.graph.get_state(racers.config_of(thread)).next == ()
    assert ran(field, threads) == [dict.fromkeys(range(8), 1)] * rounds


# --- answers in every order --------------------------------------------------------------------------------------


@pytest.fixture(params=["sync", "async"])
def run(request, tmp_path):
    """Runs an agent of its own on a file each time: a function of a thread and what to give it."""
    if request.param == "sync":
        with racers.racer(tmp_path, 0) as one:
            yield SimpleNamespace(
                invoke=lambda thread, given: one.graph.invoke(given, racers.config_of(thread)),
                interrupts=lambda thread: one.graph.get_state(racers.config_of(thread)).interrupts,
                ladder=one.ladder, folder=tmp_path,
            )  # fmt: skip
        return
    with asyncio.Runner() as loop:
        context = AsyncSqliteSaver.from_conn_string(str(tmp_path / "threads.db"))
        saver = loop.run(context.__aenter__())
        ladder = racers.ladder_in(tmp_path)
        graph = racers.agent(tmp_path, ladder, saver)
        yield SimpleNamespace(
            invoke=lambda thread, given: loop.run(graph.ainvoke(given, racers.config_of(thread))),
            interrupts=lambda thread: loop.run(graph.aget_state(racers.config_of(thread))).interrupts,
            ladder=ladder, folder=tmp_path,
        )  # fmt: skip
        loop.run(context.__aexit__(None, None, None))
        ladder.close()


def together(run, thread, verdicts):
    """All answers in one resume, keyed by their interrupts."""
    ids = _ids(run, thread)
    return run.invoke(thread, Command(resume={ids[amount]: verdict for amount, verdict in verdicts.items()}))


def one_by_one(run, thread, verdicts):
    """One resume for each answer."""
    ids = _ids(run, thread)
    return [run.invoke(thread, Command(resume={ids[amount]: verdict})) for amount, verdict in verdicts.items()][-1]


def at_the_ledger(run, thread, verdicts):
    """Answers given at the ledger, with a resume after every third of them."""
    ids = {q.call.arguments["amount"]: q.id for q in run.ladder.pending() if q.call.thread == thread}
    for nth, (amount, verdict) in enumerate(verdicts.items(), 1):
        if verdict["type"] == "approve":
            run.ladder.approve(ids[amount], by="ana")
        else:
            run.ladder.decline(ids[amount], by="ana", reason=verdict["reason"])
        if nth % 3 == 0:
            run.invoke(thread, None)
    return run.invoke(thread, None)


def _ids(run, thread):
    return {q.value["action_requests"][0]["args"]["amount"]: q.id for q in run.interrupts(thread)}


@pytest.mark.parametrize("answered", [together, one_by_one, at_the_ledger])
@pytest.mark.parametrize("orders", [4, pytest.param(50, marks=LONG)])
def test_no_answer_is_applied_to_another_call(run, answered, orders):
    """Of eight parallel calls exactly the approved ones run, and each no reaches its own call, in whatever order."""
    for thread in map(str, range(orders)):
        run.invoke(thread, {"messages": str(EIGHT)})
        order = random.sample(range(8), 8)
        approved = set(random.sample(range(8), random.randint(1, 7)))
        verdicts = {
            n: {"type": "approve", "by": "ana"}
            if n in approved
            else {"type": "decline", "by": "ana", "reason": f"not {n}"}
            for n in order
        }
        messages = answered(run, thread, verdicts)["messages"]
        amounts = {
            call["id"]: call["args"]["amount"]
            for message in messages[:2]
            for call in getattr(message, "tool_calls", [])
        }
        told = {amounts[message.tool_call_id]: message.text for message in messages if message.type == "tool"}
        paid = Counter({amount: n for (where, amount), n in racers.effects(run.folder).items() if where == thread})
        assert paid == dict.fromkeys(approved, 1), verdicts
        assert sorted(told) == list(range(8))
        assert all(text == f"paid {n}" if n in approved else f"not {n}." in text for n, text in told.items()), told


def test_a_bare_answer_to_eight_questions_is_none(run):
    """One yes that names no call, where eight wait, runs nothing."""
    run.invoke("bare", {"messages": str(EIGHT)})
    with pytest.raises(RuntimeError, match="multiple pending interrupts"):
        run.invoke("bare", Command(resume={"type": "approve", "by": "ana"}))
    assert racers.effects(run.folder) == {}
    assert len(run.interrupts("bare")) == 8
