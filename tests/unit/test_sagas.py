"""Scopes: what belongs to one, what undoes it as a whole, in which order, and where that stops."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import datetime as dt
import logging
import threading

import pytest

from ladder_graph.errors import AnswerRefused, LadderError, LedgerUnwritable, UnknownQuestion
from ladder_graph.ledger.actions import clocks
from ladder_graph.policy import Reports
from tests.unit.scoped import HEALTH, MODEL, Asked, Scoped


@pytest.fixture
def place(monkeypatch):
    """A place in memory, whose only clock is the one that stands still."""
    monkeypatch.setattr(clocks, "boot_id", lambda: "")
    HEALTH["verdict"] = True
    made = Scoped()
    yield made
    assert made.ladder.verify().problems == ()
    made.ladder.close()


# --- what undoes it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fails", ["definitely", "perhaps"])
def test_a_later_failure_undoes_what_was_before(place, fails):
    """In reverse; the step that failed is undone with it where it may have had an effect."""
    with place.ladder.saga("move") as saga:
        place.put("a", "b")
        reply = place.act("put", "c", fails=fails)
    assert place.world.values == {}
    assert place.world.undone == (["b", "a"] if fails == "definitely" else ["c", "b", "a"])
    came = "no-op" if fails == "definitely" else "undone"
    assert place.outcomes(saga) == [("put", "undone"), ("put", "undone"), ("put", came)]
    assert saga.phase == "undone"
    assert "ROLLED BACK: the scope move is undone as a whole, because put went wrong" in reply.text
    assert "Undone, in this order: put (action" in reply.text


def test_an_exception_undoes_it(place):
    """It goes on its way, and the scope says why it is undone."""
    with pytest.raises(ZeroDivisionError), place.ladder.saga() as saga:  # noqa: PT012  # what leaves the block is what is tried
        place.put("a", "b")
        _ = 1 / 0
    assert place.world.undone == ["b", "a"]
    view = place.ladder.saga_view(saga.id)
    assert (view.phase, view.why) == ("undone", "its block ended with ZeroDivisionError: division by zero")


@pytest.mark.parametrize("wrong", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_whatever_else_leaves_the_block_undoes_it_too(place, wrong):
    """Half of it is not what anybody wanted."""
    with pytest.raises(wrong), place.ladder.saga() as saga:  # noqa: PT012  # what leaves the block is what is tried
        place.put("a")
        raise wrong
    assert saga.phase == "undone"


def test_a_failure_of_the_machinery_undoes_nothing(place):
    """A ledger that can't be written says nothing about the steps; a person decides, or a later block goes on."""
    with pytest.raises(LedgerUnwritable), place.ladder.saga(key="k1") as saga:  # noqa: PT012  # what leaves the block is what is tried
        place.put("a")
        raise LedgerUnwritable("the disk is full")
    assert (saga.phase, place.world.values) == ("left", {"a": "new"})
    assert place.ladder.saga_view(saga.id).waits
    with place.ladder.saga(key="k1") as again:
        place.act("put", "b", fails="definitely")
    assert again.id == saga.id
    assert place.world.values == {}


def test_a_call_that_the_machinery_kept_from_running_undoes_nothing(place, monkeypatch):
    """It failed, and nothing went wrong with the steps."""
    with place.ladder.saga() as saga:
        place.put("a")
        monkeypatch.setattr(type(place.ladder.store.owner), "held", lambda self: False)
        assert place.act("put", "b").state == "failed"
        monkeypatch.undo()
    assert (saga.phase, place.world.values) == ("closed", {"a": "new"})


def test_a_death_in_a_call_undoes_that_call_alone(place):
    """No check vouches for what it had done; the scope goes on without it."""

    class Died(BaseException):
        """Stands for the end of a process."""

    def die(call):
        raise Died

    with place.ladder.saga() as saga:
        place.put("a")
        place.world.during, call = die, place.call("put", "b")
        with pytest.raises(Died):
            place.run(call)
        place.world.during = None
        reply = place.run(call)
        place.put("c")
    assert (reply.state, "nobody knows how far it came" in reply.text) == ("undone", True)
    assert "as a whole" not in reply.text
    assert (saga.phase, place.world.values) == ("closed", {"a": "new", "c": "new"})


def test_the_program_says_so(place):
    """`saga.undo` in the block, and nothing more of it runs."""
    with place.ladder.saga() as saga:
        place.put("a")
        saga.undo("the customer has left")
        reply = place.act("put", "b")
    assert (reply.state, place.world.values) == ("refused", {})
    assert "is undone as a whole, because the customer has left; nothing more of it runs" in reply.text
    assert saga.phase == "undone"
    saga.undo("once more is harmless")


def test_a_person_says_so(place):
    """At any time after the block; a second time there is nothing left to undo."""
    with place.ladder.saga() as saga:
        place.put("a", "b")
    view = place.ladder.undo_saga(saga.id[:6], by="ana", reason="wrong shop")
    assert (view.phase, view.by, view.why) == ("undone", "ana", "ana said so: wrong shop")
    assert place.world.undone == ["b", "a"]
    with pytest.raises(AnswerRefused, match="nothing of it stands"):
        place.ladder.undo_saga(saga.id, by="ana")


def test_an_undo_of_one_member_stays_an_undo_of_one(place):
    """Its scope goes on, and doesn't undo it again."""
    with place.ladder.saga() as saga:
        place.put("a", "b")
    place.ladder.undo(saga.members[1].action, by="ana")
    assert (saga.phase, place.outcomes(saga)) == ("closed", [("put", ""), ("put", "undone")])
    place.ladder.undo_saga(saga.id, by="ana")
    assert place.world.undone == ["b", "a"]


@pytest.mark.parametrize("state", ["declined", "suggested", "refused"])
def test_what_did_not_run_is_no_failure(place, state):
    """Nothing happened, and the agent or the program decides what follows."""
    with place.ladder.saga() as saga:
        place.put("a")
        if state == "suggested":
            place.ladder.demote("put", "suggest", reason="a test")
            assert place.act("put", "b").state == state
        elif state == "declined":
            call = place.call("pay", "till")
            with pytest.raises(Asked):
                place.run(call)
            place.ladder.decline(place.world.asked[-1].id, by="ana", reason="no")
            assert place.run(call).state == state
        else:
            place.ladder.refuse("ops", "t1", {"id": None}, "REFUSED")
    assert (saga.phase, place.world.values) == ("closed", {"a": "new"})


def test_reads_do_not_belong_to_it(place):
    """Neither is one a member, nor does one that fails undo anything."""
    with place.ladder.saga() as saga:
        place.put("a")
        place.act("read", "a")
        assert place.act("read", "a", fails="perhaps").state == "failed"
    assert place.outcomes(saga) == [("put", "")]
    assert saga.phase == "closed"


def test_outside_of_a_block_nothing_changes(place):
    """A failure undoes what is in no scope, or in another one, no more than ever."""
    place.put("a")
    with place.ladder.saga() as saga:
        place.put("b")
    place.act("put", "c", fails="definitely")
    assert (saga.phase, place.world.values) == ("closed", {"a": "new", "b": "new"})


# --- one outcome each ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("trouble", "came"), [("conflicts", "conflict"), ("broken", "failed")])
def test_the_others_are_undone_after_one_that_is_not(place, trouble, came, caplog):
    """It has an outcome of its own, its tool is demoted, and the scope waits for a person."""
    getattr(place.world, trouble).add("b")
    with caplog.at_level(logging.WARNING), place.ladder.saga("move") as saga:
        place.put("a", "b", "c")
        reply = place.act("put", "d", fails="definitely")
    assert place.world.undone == ["c", "a"]
    assert [word for _, word in place.outcomes(saga)] == ["undone", came, "undone", "no-op"]
    assert saga.phase == "held"
    assert "STILL IN PLACE: put (action" in reply.text
    assert "held: the scope move" in caplog.text
    assert place.ladder.status()[1].route.reasons[0].code == "demoted"
    assert [view.id for view in place.ladder.sagas()] == [saga.id]


def test_a_person_tries_it_once_more(place):
    """What is in place is undone where that goes now; what was undone isn't undone again."""
    place.world.conflicts.add("a")
    with place.ladder.saga() as saga:
        place.put("a", "b")
        place.act("put", "c", fails="definitely")
    assert saga.phase == "held"
    place.world.conflicts.clear()
    assert place.ladder.undo_saga(saga.id, by="ana").phase == "undone"
    assert place.world.undone == ["b", "a"]


def test_a_later_undo_of_the_rest_ends_it(place):
    """By a person, of the one action: then nothing of the scope stands any more."""
    place.world.conflicts.add("a")
    with place.ladder.saga() as saga:
        place.put("a")
        saga.undo("a test")
    assert saga.phase == "held"
    place.world.conflicts.clear()
    place.ladder.undo(saga.members[0].action, by="ana")
    assert (saga.phase, place.outcomes(saga)) == ("undone", [("put", "undone")])


def test_a_person_has_seen_to_it(place):
    """Then it waits for nobody."""
    place.world.conflicts.add("a")
    with place.ladder.saga() as saga:
        place.put("a")
        saga.undo("a test")
    assert place.ladder.close_saga(saga.id, by="ana").phase == "closed"
    assert place.ladder.sagas() == []
    with pytest.raises(AnswerRefused, match="waits for nobody"):
        place.ladder.close_saga(saga.id, by="ana")


def test_what_a_person_has_seen_to_is_not_undone_later(place):
    """An undo that failed would be tried again; whoever closes the scope wants things as they are."""
    place.world.broken.add("a")
    with place.ladder.saga() as saga:
        place.put("a")
        saga.undo("a test")
    place.world.broken.clear()
    place.ladder.close_saga(saga.id, by="ana")
    place.clock.advance(60)
    place.ladder.watcher.settle()
    assert (saga.phase, place.world.values) == ("closed", {"a": "new"})


@pytest.mark.parametrize("before", ["closed", "a single undo"])
def test_a_person_who_says_so_once_more_has_it_tried(place, before):
    """What came of it earlier isn't told as news: where it was closed since, or was undone by itself."""
    with place.ladder.saga() as saga:
        place.put("a")
    place.world.broken.add("a")
    if before == "closed":
        assert place.ladder.undo_saga(saga.id, by="ana").phase == "held"
        place.ladder.close_saga(saga.id, by="ana")
    else:
        assert place.ladder.undo(saga.members[0].action, by="ana") == "undo_failed"
    assert (saga.phase, place.outcomes(saga)) == ("closed", [("put", "failed")])
    place.world.broken.clear()
    assert place.ladder.undo_saga(saga.id, by="ana").phase == "undone"
    assert place.world.values == {}


# --- points of no return ---------------------------------------------------------------------------------------------


def test_a_point_of_no_return_asks_first(place):
    """Where something could be undone that couldn't be after it; before that it runs as ever."""
    with place.ladder.saga("move"):
        assert place.act("pay", "till").state == "done"
        place.put("a")
        with pytest.raises(Asked):
            place.act("pay", "till")
    question = place.world.asked[-1]
    assert "pay can't be undone, and after it neither could be, of the scope move: put (action" in question.reasons
    (route, _, _) = place.ladder.route(place.call("pay", "till"), None)
    assert "pivot" not in [reason.code for reason in route.reasons], "outside of the block nothing is at stake"


def test_the_reason_has_a_code(place):
    """A stable one."""
    with place.ladder.saga():
        place.put("a")
        (route, _, _) = place.ladder.route(place.call("pay", "till"), None)
    assert "pivot" in [reason.code for reason in route.reasons]


def test_undo_stops_at_a_point_of_no_return(place, caplog):
    """What came after it is undone; it and what was before it are left, and a person is told."""
    with caplog.at_level(logging.WARNING), place.ladder.saga("move") as saga:
        place.put("a")
        assert place.paid().state == "done"
        place.put("b")
        reply = place.act("put", "c", fails="definitely")
    assert place.world.values == {"a": "new", "till": "new"}
    assert [word for _, word in place.outcomes(saga)] == ["skipped", "skipped", "undone", "no-op"]
    assert saga.phase == "held"
    assert "skipped: pay after it can't be undone" in reply.text
    assert "the scope move is not undone beyond pay" in caplog.text


def test_what_stops_an_undo_is_reported(place):
    """To whoever reads its tool's reports, once; after they have seen to it, and it stops there anew, once more."""
    place.ladder.policy = place.ladder.policy.model_copy(update={"reports": Reports(reader="ana", sla="4h")})
    with place.ladder.saga("move") as saga:
        place.put("a")
        place.paid()
        saga.undo("a test")
    (report,) = place.ladder.reports()
    assert (report.action.tool, report.about, report.reader) == ("pay", "mess", "ana")
    place.ladder.sweep_reports()
    (item,) = place.ladder.digest(report.digest).items
    assert item.flags[0].code == "left_standing"
    (entry,) = [one for one in place.ladder.log() if one.kind == "left_standing"]
    said = "the scope move was to be undone as a whole, and this stays: skipped, it can't be undone"
    assert (entry.action, entry.body["text"]) == (report.action.key, said)
    place.ladder.acknowledge(report.action.key, by="ana")
    assert place.ladder.reports() == []
    place.ladder.undo_saga(saga.id, by="ana")
    assert len(place.ladder.reports()) == 1


def test_a_watch_undoes_nothing_alone_that_its_scope_has_left(place):
    """The one that turned bad lies before a payment: it waits for a person, who may have it undone by itself."""
    with place.ladder.saga() as saga:
        place.act("slow", "a")
        place.paid()
    HEALTH["verdict"] = False
    for _ in range(2):
        place.ladder.watcher.settle()
        place.clock.advance(60)
    assert (saga.phase, place.world.undone) == ("held", [])
    (window,) = place.ladder.watched()
    assert (window.phase, "the undo of its scope stopped before it" in window.why) == ("held", True)
    assert place.ladder.undo(window.action, by="ana") == "undone"
    assert place.outcomes(saga) == [("slow", "undone"), ("pay", "skipped")]


def test_a_payment_that_failed_for_certain_is_no_point_of_no_return(place):
    """Nothing happened, so everything before it can be undone; of one in doubt nobody knows, so nothing is."""
    with place.ladder.saga() as saga:
        place.put("a")
        assert place.paid(fails="definitely").state == "failed"
    assert (place.world.values, saga.phase) == ({}, "undone")
    with place.ladder.saga() as saga:
        place.put("a")
        assert place.paid(fails="perhaps").state == "unknown"
    assert (place.world.values, saga.phase) == ({"a": "new", "till": "new"}, "held")
    place.ladder.resolve(saga.members[1].action, happened=False, by="ana")
    assert place.ladder.undo_saga(saga.id, by="ana").phase == "undone"
    assert place.world.values == {"till": "new"}, "a person found that this is nobody's"


def test_two_calls_of_one_moment(place):
    """A call that was routed before the other one was started is caught when it is claimed, and asks."""
    with place.ladder.saga():
        call = place.call("pay", "till")
        found = place.ladder.find(call, None)
        place.put("a")
        with pytest.raises(Asked, match="pay can't be undone"):
            place.ladder.run(call, None, place.world, found=found)


# --- questions -------------------------------------------------------------------------------------------------------


def test_a_call_belongs_to_the_scope_in_which_it_was_asked_about(place):
    """Also where it runs outside of any block, once somebody has answered; if it fails, the scope is undone."""
    with place.ladder.saga() as saga:
        place.put("a")
        call = place.call("pay", "till", fails="definitely")
        with contextlib.suppress(Asked):
            place.run(call)
        place.ladder.approve(place.world.asked[-1].id, by="ana")
    # A question that leaves the block as an exception is no question of a graph, and undid it.
    assert saga.phase == "closed"
    reply = place.run(call)
    assert (reply.state, saga.phase, place.world.values) == ("failed", "undone", {})
    assert "ROLLED BACK" in reply.text


def test_what_a_person_put_in_its_place_belongs_to_it_too(place):
    """The successor of an edited call."""
    with place.ladder.saga() as saga:
        place.put("a")
        call = place.call("pay", "till")
        with contextlib.suppress(Asked):
            place.run(call)
        given = {"place": "till", "value": "less", "fails": "definitely"}
        place.ladder.edit(place.world.asked[-1].id, given, by="ana")
    assert place.run(call).state == "failed"
    assert (saga.phase, place.world.values) == ("undone", {})


def test_an_approval_of_a_scope_that_is_over_is_worth_nothing(place):
    """Nothing more of it runs."""
    with place.ladder.saga() as saga:
        place.put("a")
        call = place.call("pay", "till")
        with contextlib.suppress(Asked):
            place.run(call)
        saga.undo("a test")
    place.ladder.approve(place.world.asked[-1].id, by="ana")
    assert place.run(call).state == "refused"
    assert place.world.values == {}


def test_nobody_is_asked_in_vain(place):
    """A call of a scope that is over is refused before it would ask."""
    place.ladder.demote("put", "confirm", reason="a test")
    with place.ladder.saga() as saga:
        saga.undo("a test")
        assert place.act("put", "a").state == "refused"
    assert place.ladder.pending() == []


def test_a_question_of_a_graph_leaves_the_scope_open(place):
    """The block starts over after the answer, and goes on with the scope where it has a key."""
    from langgraph.errors import GraphInterrupt, ParentCommand
    from langgraph.types import Command

    with contextlib.suppress(GraphInterrupt), place.ladder.saga(key="order 17") as saga:
        place.put("a")
        raise GraphInterrupt
    assert (saga.phase, place.world.values) == ("left", {"a": "new"})
    with contextlib.suppress(ParentCommand), place.ladder.saga(key="order 17") as saga:
        place.put("b")
        raise ParentCommand(Command())
    assert (saga.phase, len(saga.members)) == ("closed", 2)


def test_one_key_is_one_block_at_a_time(place):
    """Two at once would not know of each other's end."""
    with place.ladder.saga(key="k1"), pytest.raises(LadderError, match="is running"), place.ladder.saga(key="k1"):
        pass


def test_one_key_is_one_block_at_a_time_from_its_commit_on(place, monkeypatch):
    """A thread that enters right after the commit of another one sees that block."""
    write, tried = place.ladder.store.write, []

    def interrupted(*args, **more):
        value = write(*args, **more)
        if not tried:
            tried.append(True)
            with pytest.raises(LadderError, match="is running"), place.ladder.saga(key="k1"):
                pass
        return value

    monkeypatch.setattr(place.ladder.store, "write", interrupted)
    with place.ladder.saga(key="k1") as saga:
        place.put("a")
    assert (tried, saga.phase) == ([True], "closed")


async def test_a_task_that_is_cancelled_while_it_enters_is_in_no_block(place, monkeypatch):
    """Else the scope would count as running as long as the process lives."""
    write, came, gate = place.ladder.store.write, asyncio.Event(), threading.Event()
    loop, saga = asyncio.get_running_loop(), place.ladder.saga(key="k1")

    def slow(*args, **more):
        loop.call_soon_threadsafe(came.set)
        gate.wait()
        return write(*args, **more)

    async def block():
        async with saga:
            pytest.fail("it was cancelled")

    monkeypatch.setattr(place.ladder.store, "write", slow)
    task = asyncio.create_task(block())
    await came.wait()
    task.cancel()
    loop.call_later(0, gate.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    view = place.ladder.saga_view(saga.id)
    assert (view.phase, view.lives, place.ladder.scope) == ("undone", False, "")


def test_a_block_whose_end_could_not_be_written_is_over_all_the_same(place, monkeypatch):
    """The ledger was down at that moment: the scope waits, and the next block with the key goes on with it."""

    def down(*_):
        raise LedgerUnwritable("the disk is full")

    with pytest.raises(ZeroDivisionError), place.ladder.saga(key="k1") as saga:  # noqa: PT012  # as above
        place.put("a")
        monkeypatch.setattr(type(place.ladder), "saga_undone", down)
        _ = 1 / 0
    monkeypatch.undo()
    assert saga.phase == "open"
    assert place.ladder.saga_view(saga.id).waits
    with place.ladder.saga(key="k1"):
        place.put("b")
    assert (saga.phase, len(saga.members)) == ("closed", 2)


def test_a_block_of_a_scope_that_is_over_runs_nothing(place):
    """It is entered, so that a node that starts over finds what it was told."""
    with place.ladder.saga(key="k1") as saga:
        saga.undo("a test")
    with place.ladder.saga(key="k1"):
        assert place.act("put", "a").state == "refused"
    assert saga.phase == "undone"


# --- scopes in scopes ------------------------------------------------------------------------------------------------


def test_a_scope_inside_is_undone_alone_while_its_block_runs(place):
    """The one around it goes on."""
    with place.ladder.saga("outer") as outer:
        place.put("a")
        with place.ladder.saga("inner") as inner:
            place.put("b")
            place.act("put", "c", fails="definitely")
        place.put("d")
    assert (outer.phase, inner.phase, place.world.values) == ("closed", "undone", {"a": "new", "d": "new"})


def test_the_one_around_undoes_both(place):
    """In one order; one inside that ended well belongs to it."""
    with pytest.raises(ZeroDivisionError), place.ladder.saga() as outer:  # noqa: PT012  # what leaves the block is what is tried
        place.put("a")
        with place.ladder.saga() as inner:
            place.put("b")
        place.put("c")
        _ = 1 / 0
    assert place.world.undone == ["c", "b", "a"]
    assert (outer.phase, inner.phase) == ("undone", "undone")
    with pytest.raises(AnswerRefused, match="around it is undone"):
        place.ladder.undo_saga(inner.id, by="ana")


@pytest.fixture
def nested(place):
    """A scope around another one, both held since the undo of a call inside failed."""
    with place.ladder.saga() as outer:
        place.put("a")
        with place.ladder.saga() as inner:
            place.put("b")
    place.world.broken.add("b")
    assert place.ladder.undo_saga(outer.id, by="ana").phase == inner.phase == "held"
    place.world.broken.clear()
    return outer, inner


def test_a_later_undo_ends_both(place, nested):
    """Once nothing stands, nobody has to look at either."""
    outer, inner = nested
    assert place.ladder.undo(inner.members[0].action, by="ana") == "undone"
    assert (outer.phase, inner.phase) == ("undone", "undone")


def test_who_has_seen_to_one_has_seen_to_those_inside(place, nested):
    """They are parts of it."""
    outer, inner = nested
    place.ladder.close_saga(outer.id, by="ana")
    assert (outer.phase, inner.phase, place.ladder.sagas()) == ("closed", "closed", [])


def test_an_exception_that_is_caught_between_them_undoes_the_inner_one(place):
    """As a savepoint does."""
    with place.ladder.saga() as outer:
        place.put("a")
        with contextlib.suppress(ZeroDivisionError), place.ladder.saga():
            place.put("b")
            _ = 1 / 0
    assert (outer.phase, place.world.values) == ("closed", {"a": "new"})


def test_what_turns_bad_inside_undoes_all_around_it_once_both_ended_well(place):
    """The steps after it were built on it."""
    with place.ladder.saga() as outer:
        with place.ladder.saga():
            place.act("slow", "a")
        place.put("b")
    HEALTH["verdict"] = False
    place.ladder.watcher.settle()
    assert (outer.phase, place.world.undone) == ("undone", ["b", "a"])


# --- watches ---------------------------------------------------------------------------------------------------------


def test_a_bad_watch_undoes_the_whole_scope(place):
    """After the block, in reverse: what began after the bad one goes first."""
    with place.ladder.saga("move") as saga:
        place.put("a")
        place.act("slow", "b")
        place.put("c")
    assert saga.phase == "closed"
    assert place.ladder.saga_view(saga.id).watched
    HEALTH["verdict"] = False
    place.ladder.watcher.settle()
    assert place.world.undone == ["c", "b", "a"]
    assert saga.phase == "undone"
    assert place.ladder.saga_view(saga.id).why.startswith("slow turned bad")


def test_a_bad_watch_in_the_middle_of_the_block(place):
    """What comes after it is refused."""
    with place.ladder.saga() as saga:
        place.act("slow", "a")
        HEALTH["verdict"] = False
        place.ladder.watcher.settle()
        assert place.act("put", "b").state == "refused"
    assert (saga.phase, place.world.values) == ("undone", {})


def test_a_window_that_ends_well_undoes_nothing(place):
    """Nor does a check that nobody could make: that action waits for a person."""
    with place.ladder.saga() as saga:
        place.act("slow", "a")
    for _ in range(11):
        place.ladder.watcher.settle()
        place.clock.advance(dt.timedelta(seconds=60))
    place.ladder.watcher.settle()
    assert (saga.phase, place.world.values) == ("closed", {"a": "new"})
    assert place.ladder.sagas() == []
    assert [view.id for view in place.ladder.sagas(every=True)] == [saga.id]


def test_somebody_looks_at_a_bad_one(place):
    """Who wants an action to be watched longer that has gone wrong finds its scope undone."""
    with place.ladder.saga() as saga:
        place.put("a")
        place.act("slow", "b")
    HEALTH["verdict"] = False
    place.ladder.extend(saga.members[1].action, seconds=900, by="ana")
    assert (saga.phase, place.world.undone) == ("undone", ["b", "a"])


# --- several at once -------------------------------------------------------------------------------------------------


def test_who_still_runs_undoes_it_in_the_end(place):
    """A call that began before the failure ends after it: it is undone first, and reads that."""
    begun, failed, replies = threading.Event(), threading.Event(), []

    def linger(call):
        if call.arguments["place"] == "b":
            begun.set()
            assert failed.wait(30)

    place.world.during = linger
    with place.ladder.saga() as saga:
        place.put("a")
        context = contextvars.copy_context()
        other = threading.Thread(target=lambda: replies.append(context.run(place.act, "put", "b")))
        other.start()
        assert begun.wait(30)
        reply = place.act("put", "c", fails="definitely")
        assert (saga.phase, place.world.undone) == ("undo", [])
        assert "Still to be undone: put (action" in reply.text
        failed.set()
        other.join()
    assert (saga.phase, place.world.undone) == ("undone", ["b", "a"])
    assert (replies[0].state, replies[0].text[:25]) == ("undone", "put ran and was undone. R")


async def test_async(place):
    """The same by `async with` and `arun`."""

    async def act(*args, **more):
        return await place.ladder.arun(place.call(*args, **more), MODEL, place.world)

    async with place.ladder.saga() as saga:
        await asyncio.gather(act("put", "a"), act("put", "b"))
        reply = await act("put", "c", fails="perhaps")
    assert (saga.phase, place.world.values) == ("undone", {})
    assert "ROLLED BACK" in reply.text
    with pytest.raises(ZeroDivisionError):  # noqa: PT012  # what leaves the block is what is tried
        async with place.ladder.saga() as saga:
            await act("put", "a")
            _ = 1 / 0
    assert (saga.phase, place.world.values) == ("undone", {})


def test_each_ladder_has_its_own(place):
    """A call of another ladder in the block isn't in the scope."""
    other = Scoped()
    with place.ladder.saga() as saga:
        other.put("a")
    assert (saga.members, other.ladder.scope) == ((), "")
    other.ladder.close()


def test_no_such_scope(place):
    """By its id or the beginning of it."""
    with pytest.raises(UnknownQuestion, match="there is no scope"):
        place.ladder.saga_view("00")
    with pytest.raises(UnknownQuestion):
        place.ladder.saga_view("%")


def test_the_chain_says_it(place):
    """Each member, and each step of the scope, with who said so and why."""
    with place.ladder.saga("move") as saga:
        place.put("a")
    place.ladder.undo_saga(saga.id, by="ana", reason="no")
    entries = [entry for entry in place.ladder.log() if entry.kind in {"saga", "joined"}]
    said = [(entry.kind, entry.body.get("phase"), entry.body.get("by")) for entry in entries]
    assert said == [
        ("saga", "open", None), ("joined", None, None), ("saga", "closed", None), ("saga", "undo", "ana"),
        ("saga", "undone", "ana"),
    ]  # fmt: skip
    assert [entry.body.get("auth") for entry in entries] == [None, None, None, "code", None]
    assert [entry.body["text"] for entry in entries][:4] == [
        "the scope move: open", "a call of the scope move", "the scope move: closed",
        "the scope move: undo, because ana said so: no",
    ]  # fmt: skip
