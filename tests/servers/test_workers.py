"""Several processes on one database, processes that end, and answers that come twice at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import pytest

from ladder_graph.states import State
from tests.servers.running import waited


def both(*deeds):
    """What several functions return or raise that begin at the same moment."""
    with ThreadPoolExecutor(len(deeds)) as pool:
        begun = [pool.submit(deed) for deed in deeds]
        return [one.exception() or one.result() for one in begun]


@pytest.fixture
def two(aegra):
    """The shop on aegra with two processes."""
    while len(aegra.urls) < 2:
        aegra.start()
    return aegra


def test_a_question_that_is_answered_twice_at_once_runs_once(shop):
    """Two people say yes in the same moment, through the API."""
    number = shop.order()
    thread = shop.ask(number)
    both(*(partial(shop.answer, who, thread) for who in ("ana", "bo")))
    waited(partial(_rests, shop, thread), "the thread did not come to its end")
    assert shop.refunds(number) == 1
    assert len(shop.entries(thread, "approved")) == 1
    assert shop.desk.verify().ok


def test_two_processes_are_answered_at_once(two):
    """One person answers at each of two processes, which share nothing but the database; the effect is there once."""
    for _ in range(3):
        number = two.order()
        thread = two.ask(number)
        both(partial(two.answer, "ana", thread, at=0), partial(two.answer, "bo", thread, at=1))
        waited(partial(_rests, two, thread), "the thread did not come to its end")
        assert two.refunds(number) == 1
        assert len(two.entries(thread, "approved")) == 1


def test_another_process_goes_on(two):
    """What was asked at one process is answered and run at the other."""
    number = two.order()
    thread = two.ask(number, at=0)
    out = two.answer("ana", thread, at=1)
    assert f"order {number} was paid back" in out["messages"][-1]["content"]
    assert two.refunds(number) == 1


def test_a_process_that_is_killed_in_the_midst_leaves_a_doubt(two):
    """It had begun to pay, and nobody can tell: nothing runs again by itself, a person finds out and says so."""
    number = two.order()
    thread = two.ask(number, at=0)
    with closing(two.orders()) as held, ThreadPoolExecutor(1) as pool:
        held.execute("BEGIN IMMEDIATE")  # the tool waits for the shop's database
        answer = pool.submit(two.answer, "ana", thread, at=1)
        action = waited(partial(_begun, two, thread), "it never began")
        assert two.desk.in_doubt() == []
        two.kill(1)
        assert answer.exception() is not None
    assert [one.key for one in two.desk.in_doubt()] == [action.key]
    two.resume("ana", two.ask(two.order()), {"type": "decline"})  # the other one serves on
    assert two.refunds(number) == 0
    two.desk.resolve(action.key, happened=False, by="ana", reason="it isn't in the books")
    assert two.desk.in_doubt() == []


def _rests(shop, thread):
    return shop.status(thread) == "idle"


def _begun(shop, thread):
    found = (one for one in shop.desk.actions(limit=500) if one.thread == thread)
    return next((one for one in found if one.state is State.STARTED), None)


def test_a_server_that_is_started_anew_knows_its_questions(shop):
    """A question that was open before is open afterwards, and its answer runs it once."""
    number = shop.order()
    thread = shop.ask(number)
    port = int(shop.url.rpartition(":")[2])
    shop.stop()
    shop.start(port)
    shop.urls.insert(0, shop.urls.pop())
    shop.processes.insert(0, shop.processes.pop())
    assert shop.status(thread) == "interrupted"
    out = shop.answer("ana", thread)
    assert f"order {number} was paid back" in out["messages"][-1]["content"]
    assert shop.refunds(number) == 1


def test_what_was_answered_while_no_server_ran(shop):
    """The answer is in the ledger; the server goes on with the thread once it is there."""
    number = shop.order()
    thread = shop.ask(number)
    (question,) = shop.questions(thread)
    while shop.processes:
        shop.stop()
    shop.desk.approve(question.id, by="ana")
    shop.start()
    waited(lambda: shop.refunds(number) == 1, "the thread did not go on")
    waited(lambda: shop.status(thread) == "idle", "the thread did not come to its end")
