"""Work on an event loop is done there, unless it has to wait: then from its start in another thread."""

from __future__ import annotations

import threading
from contextvars import ContextVar

import pytest

from ladder_graph.waiting import once, promptly, waits

WHO: ContextVar[str] = ContextVar("who", default="nobody")


@pytest.fixture
def done():
    """Where work was begun, and where it went on after it had said that it may wait."""
    return []


async def test_what_needn_t_wait_is_done_here(done):
    """In the thread of the loop, once."""

    def work(what, *, to):
        done.append((what, to, threading.get_ident()))
        return len(done)

    assert await promptly(work, "count", to="one") == 1
    assert done == [("count", "one", threading.get_ident())]


async def test_what_may_wait_is_begun_anew_elsewhere(done):
    """With the caller's context, and nothing that comes after is done twice."""

    def work():
        done.append("begun")
        waits()
        done.append((WHO.get(), threading.get_ident() == here))
        waits()  # There it may.
        return "waited"

    here = threading.get_ident()
    WHO.set("ana")
    assert await promptly(work) == "waited"
    assert done == ["begun", "begun", ("ana", False)]


async def test_nothing_on_the_way_takes_it_for_an_error(done):
    """Whatever catches errors between the loop and what would wait doesn't see it."""

    def work():
        try:
            waits()
        except Exception as wrong:  # noqa: BLE001  # as a tool author's code may
            done.append(wrong)
        return "waited"

    assert await promptly(work) == "waited"
    assert done == []


@pytest.mark.parametrize("waiting", [False, True])
async def test_what_it_raises_comes_back(waiting):
    """And from then on waiting is nobody's concern again."""

    def work():
        if waiting:
            waits()
        raise ValueError("no stock")

    with pytest.raises(ValueError, match="no stock"):
        await promptly(work)
    waits()


@pytest.mark.parametrize("waiting", [False, True])
async def test_what_may_be_done_but_once(done, waiting):
    """It is done when the work has come to its end here, or where it is done elsewhere."""

    def work():
        once(lambda: done.append(("told", threading.get_ident() == here)))
        done.append("looked")
        if waiting:
            waits()
        return "came"

    here = threading.get_ident()
    assert await promptly(work) == "came"
    assert done == (["looked", ("told", False), "looked"] if waiting else ["looked", ("told", True)])


async def test_what_is_done_at_the_end_may_wait(done):
    """The work isn't tried any more then."""
    await promptly(lambda: once(lambda: (waits(), done.append("waited"))))
    assert done == ["waited"]


async def test_work_inside_other_work(done):
    """What the inner one comes to is no matter of the outer one, which still must not wait."""

    def outer():
        with pytest.raises(StopIteration):
            promptly(done.append, "inner").send(None)
        waits()
        return "outer"

    assert await promptly(outer) == "outer"
    assert done == ["inner", "inner"]


def test_off_a_loop_everybody_may_wait(done):
    """Saying so does nothing, and what is done once is done now."""
    waits()
    once(lambda: done.append("told"))
    assert done == ["told"]
