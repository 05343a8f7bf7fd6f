"""What a server is asked ahead, and what it needn't be asked at all: one round trip where there were several."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from ladder_graph import Ladder
from ladder_graph.facts import Decision, Outcome, Person
from ladder_graph.ledger import Journal, Reading, Store
from ladder_graph.ledger.actions import questions
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Conflict, ahead, change_one
from ladder_graph.ledger.database.dialects import Sql
from ladder_graph.ledger.database.wire import Wire
from ladder_graph.ledger.gate import at_once
from ladder_graph.policy import Policy
from ladder_graph.states import State
from ladder_graph.steps import Claim, Heard
from ladder_graph.testing import FrozenClock
from ladder_graph.tools import NOTHING
from ladder_graph.turns.hearing import hear
from ladder_graph.turns.hosting import Alone
from tests.unit.ledger.desk import ANA, CALL, NOW, ROUTE, Desk, at, call


@pytest.fixture
def db(postgres):
    """A desk at a ledger on the server."""
    with at(postgres) as desk:
        yield desk


@pytest.fixture
def trips(monkeypatch):
    """What was sent in each round trip."""
    made, sync = [], Wire.sync

    def counting(wire):
        if wire._sent:
            made.append([prepared.statement for prepared, preparing, _ in wire._sent if not preparing])
        sync(wire)

    monkeypatch.setattr(Wire, "sync", counting)
    return made


def asked_ahead(journal, cursor):
    """Where a call stands and what was asked about it, in one question."""
    ahead(cursor, journal.standing(CALL), questions.of(CALL))
    return journal.place(cursor, CALL), questions.latest(cursor, CALL)


def glanced(db, work):
    """One look, as the gate makes it."""
    journal = Journal(db.store.owner, "r1", db.now)
    return db.store.glance(lambda cursor: work(journal, cursor))


# --- queries -----------------------------------------------------------------------------------------------------


def test_what_is_asked_ahead_comes_in_one_round_trip(db, trips):
    """Whoever runs one of the queries later finds its rows, and asks nobody."""
    question = db.pose()
    trips.clear()
    place, found = glanced(db, asked_ahead)
    assert len(trips) == 1
    assert (place["state"], found) == (State.ASKED, replace(question, fresh=False))


def test_a_file_is_read_when_it_is(path):
    """There is no round trip to save, and nothing is read that nobody looks at."""
    with at(path) as desk:
        desk.pose()
        seen = []
        desk.store.write(lambda cursor: (ahead(cursor, questions.of(CALL)), seen.append(cursor.fetchone())))
        assert seen == [None]


def test_what_was_asked_ahead_is_void_after_a_write(db):
    """An answer that came before it would be an old one."""
    question = db.pose()

    def work(journal, cursor):
        ahead(cursor, questions.of(CALL))
        questions.close(cursor, question.id, "open", "expired")
        return questions.latest(cursor, CALL)

    assert db.write(work).expired


def test_what_was_asked_ahead_is_of_this_transaction_alone(db, trips):
    """The next one asks for itself."""
    db.pose()
    glanced(db, lambda _, cursor: ahead(cursor, questions.of(CALL)))
    trips.clear()
    assert glanced(db, lambda _, cursor: questions.latest(cursor, CALL)) is not None
    assert len(trips) == 1


def test_another_parameter_is_another_query(db):
    """What was asked of one call says nothing of the next."""
    db.pose()
    db.pose(call(2))

    def work(journal, cursor):
        ahead(cursor, questions.of(CALL))
        return [found.call for found in (questions.latest(cursor, one) for one in (call(2), CALL, call(2)))]

    assert db.read(work) == [call(2), CALL, call(2)]


def test_a_query_that_goes_wrong_is_told_to_whoever_looks(db):
    """The others that were asked with it have no answer either."""
    bad = Sql("SELECT 1")
    bad.postgres = "SELECT 1 / (SELECT 0)"

    def work(journal, cursor):
        ahead(cursor, (bad, {}), questions.of(CALL))
        return questions.latest(cursor, CALL)

    with pytest.raises(Exception, match=r"division by zero|others kept coming"):
        db.read(work)
    assert db.look().known is None, "the next one is sound"


class Answers(Alone):
    """Somebody is there, who says yes; or nobody is."""

    def __init__(self, *, there):
        self.there = there

    def ring(self, question, complaint):
        """Yes."""
        del question, complaint
        if not self.there:
            raise InterruptedError
        return {"type": "approve", "by": "ana"}

    def person(self, answer):
        """Ana."""
        del answer
        return ANA

    def execute(self, call, *, again=False):
        """Done."""
        del call, again
        return Outcome("done", "sent")


@pytest.mark.parametrize("looks", range(12))
def test_a_question_may_expire_between_any_two_looks_at_the_clock(looks):
    """It is silence then, and no error."""
    clock = FrozenClock()
    with closing(Ladder(agent="ops", rungs={"send_email": "confirm"}, ledger=":memory:", clock=clock)) as ladder:
        ladder.seat("send_email", NOTHING, agent="ops", can_ask=True)
        with pytest.raises(InterruptedError):
            ladder.run(CALL, None, Answers(there=False))
        (question,) = ladder.pending()
        clock.advance((question.expires_at - clock()).total_seconds() - 1e-6)
        left = itertools.chain([0] * looks, [1], itertools.repeat(0))
        ladder.clock = lambda: clock.advance(next(left))
        with contextlib.suppress(InterruptedError):  # There was still somebody to ask.
            assert ladder.run(CALL, None, Answers(there=False)).state is State.EXPIRED


def test_how_many_round_trips_a_call_takes_that_is_asked_about(postgres, trips):
    """A look and the question; then a look, what is known of it, the answer, the claim, and the record."""
    with closing(Ladder(agent="ops", rungs={"send_email": "confirm"}, ledger=postgres)) as ladder:
        ladder.seat("send_email", NOTHING, agent="ops", can_ask=True)
        for one in (call(2), CALL):  # What a mount found is written down before the first call.
            trips.clear()
            with pytest.raises(InterruptedError):
                ladder.run(one, None, Answers(there=False))
        asking, trips[:] = len(trips), []
        assert ladder.run(CALL, None, Answers(there=True)).state is State.DONE
        assert (asking, len(trips)) == (3, 7)


# --- the end of a chain ------------------------------------------------------------------------------------------


def noted(journal, cursor, *kinds):
    """Several entries of one transaction."""
    for kind in kinds:
        journal.append(cursor, "ops", kind, "", {})


def test_an_end_that_was_written_is_not_asked_for(db, trips):
    """The second entry of a transaction follows the first one, which is known."""
    db.write(lambda journal, cursor: noted(journal, cursor, "a", "b", "c"))
    assert len(trips) == 2
    assert (db.kinds(), Reading(db.store).verify().ok) == ("a b c", True)


def test_an_end_that_was_undone_is_not_remembered(db):
    """Of two that are committed together the first one fails in its middle: the second follows what is really there."""
    engine = db.store._engine
    db.write(lambda journal, cursor: noted(journal, cursor, "before"))

    def wrong(cursor):
        noted(Journal(db.store.owner, "r1", NOW), cursor, "wrong", "worse")
        raise ValueError("no")

    first = engine.enqueue(wrong, durable=False)
    second = engine.enqueue(
        lambda cursor: noted(Journal(db.store.owner, "r1", NOW), cursor, "after", "later"), durable=False
    )
    engine.settle(second)
    with pytest.raises(ValueError, match="no"):
        first.result()
    assert (db.kinds(), Reading(db.store).verify().ok) == ("before after later", True)


def test_an_end_that_a_server_made_is_asked_for(db):
    """The hash of an entry that is hoped for is the server's."""
    db.settle("suggested", call(9))
    engine = db.store._engine

    def work(number):
        def of(cursor):
            journal = Journal(db.store.owner, "r1", NOW)
            noted(journal, cursor, "a")
            hoped = at_once.claim(journal, cursor, Claim(call(number), ROUTE))
            noted(journal, cursor, "b")
            return hoped

        return of

    jobs = [engine.enqueue(work(number), durable=False) for number in (1, 2)]
    engine.settle(jobs[-1])
    assert [job.result().fence for job in jobs] == [1, 1]
    assert (db.kinds(), Reading(db.store).verify().ok) == ("suggested a started b a started b", True)


def test_an_end_of_a_try_that_did_not_hold_is_not_remembered(postgres):
    """What is written by a second try follows what is there then, and not what the first one had written."""
    with at(postgres) as desk, closing(Store(postgres, lane="console")) as console:
        question, now, engine = desk.pose(), NOW + dt.timedelta(seconds=10), desk.store._engine
        heard = hear(
            Policy(agent="ops"), Answers(there=True), Journal(desk.store.owner, "r1", now),
            Heard(question, {"type": "approve"}),
        )  # fmt: skip
        declining, tries = Journal(desk.store.owner, "r1", now), []

        def meanwhile(cursor):
            del cursor
            tries.append(1)
            if len(tries) == 2:
                there = Journal(console.owner, "r1", now)
                console.write(lambda its: there.answer(its, question, Decision("approve", ANA, now, "")))

        def unlucky(cursor):
            del cursor
            if len(tries) == 1:
                raise Conflict("of another lane")

        no = Decision("decline", Person("bo", "code"), now, "no")
        works = (meanwhile, lambda cursor: declining.answer(cursor, question, no), heard, unlucky)
        jobs = [engine.enqueue(work, durable=False) for work in works]
        engine.settle(jobs[-1])
        assert jobs[1].result() is None
        assert desk.kinds() == "asked question approved unanswerable"
        assert Reading(desk.store).verify().problems == ()


# --- one row that must be there ----------------------------------------------------------------------------------


def test_a_row_that_has_gone_meanwhile_starts_the_work_over(postgres):
    """A writer of another lane came in between: nothing of the first try holds, and the second one sees the other's."""
    with at(postgres) as desk, closing(Store(postgres, lane="two")) as two:
        question = desk.pose()
        tries = []

        def work(journal, cursor):
            place, found = asked_ahead(journal, cursor)
            tries.append(found.expired)
            if found.expired:
                return "too late"
            two.write(lambda meanwhile: questions.close(meanwhile, question.id, "open", "expired"))
            questions.close_read(cursor, question.id, "open", "approved")
            journal.move(cursor, CALL, State.APPROVED, body={}, place=place)
            return "approved"

        assert (desk.write(work), tries) == ("too late", [False, True])
        assert desk.state() is State.ASKED
        assert desk.kinds() == "asked question"


def test_an_answer_that_is_taken_twice_is_taken_once(postgres):
    """Two people in two lanes at the same moment: one of them is told that it was answered."""
    with at(postgres) as desk, closing(Desk(postgres)) as other:
        question = desk.pose()
        assert desk.answer(question, by=ANA).decision.by == ANA
        assert other.answer(question, "decline") is None
        assert desk.kinds() == "asked question approved"


def test_a_file_says_at_once_that_the_row_is_gone():
    """Nobody comes in between there, so it never is; were it gone, nothing would hold."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute('CREATE TABLE question (id, state, "by", auth, reason, answered_us)')
        with pytest.raises(Conflict):
            change_one(
                connection.cursor(), sql.MOVE_QUESTION_ON,
                {"b_id": "q", "b_state": "open", "state": "used", "by": "", "auth": "", "reason": "", "answered_us": 0},
            )  # fmt: skip
