"""Long lists through the real ladder: what waits for whom, what happened, and how much of it there is."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest

from ladder_graph import Ladder, LadderError, Person
from ladder_graph.calls import Call
from ladder_graph.facts import Asking, Decision, Route
from ladder_graph.ladder import browsing
from ladder_graph.ledger import Journal
from ladder_graph.ledger.actions.questions import Terms
from ladder_graph.policy.reading import policy_of
from ladder_graph.scale import Rung
from ladder_graph.states import State
from tests.unit.ledger.desk import NOW

POLICY = {
    "agent": "ops",
    "people": {
        "ana": {"labels": ["customer-data"], "roles": ["finance"]},
        "bo": {},
        "cy": {"labels": ["customer-data"]},
    },
    "tools": {
        "refund": {"rung": "confirm", "labels": ["customer-data"]},
        "mail": {"rung": "confirm", "confirm": {"by": ["bo"]}},
        "pay": {"rung": "confirm", "confirm": {"by": ["role:finance"], "not_requester": True}},
    },
}


@pytest.fixture
def ladder():
    """A ladder on which two questions of each of three tools wait, of an agent and of one inside it."""
    with contextlib.closing(Ladder(policy=policy_of(POLICY, "here"), ledger=":memory:", clock=lambda: NOW)) as ladder:
        for number in range(6):
            tool = ("refund", "mail", "pay")[number % 3]
            call = Call(("ops", "ops/dev")[number % 2], "t", f"c{number}", tool, {"n": number})
            journal = Journal(ladder.store.owner, "r", NOW + dt.timedelta(minutes=number))
            asking = Asking(Person("Ana", "code") if number == 5 else Person("eve", "code"))
            terms = Terms(ladder.policy.rule(tool))
            ladder.store.write(
                lambda cursor, call=call, journal=journal, terms=terms, asking=asking: journal.pose(
                    cursor, call, Route(Rung.CONFIRM), terms, asking
                )
            )
        yield ladder


def numbers(page):
    """Which calls are asked about."""
    return [question.call.arguments["n"] for question in page.items]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"agent": "ops/dev"}, [1, 3, 5]),
        ({"tool": "mail"}, [1, 4]),
        ({"label": "customer-data"}, [0, 3]),
        ({"label": "secrets"}, []),
        ({"mine": "ana"}, [0, 2, 3]),
        ({"mine": "bo"}, [1, 4]),
        ({"mine": "eve"}, []),
        ({"mine": Person("ana", "unverified")}, []),
        ({"mine": "ana", "tool": "pay"}, [2]),
        ({"mine": "ana", "tool": "mail"}, []),
    ],
    ids=str,
)
def test_what_waits_is_found_by_whom_it_waits_for(ladder, asked, found):
    """By agent, tool, label and person; a person's own are those that they may say yes to."""
    page = ladder.waiting(**asked)
    assert numbers(page) == found
    assert (page.count.least, page.count.exact) == (len(found), True)
    assert numbers(ladder.waiting(**asked, size=1)) == found[:1]


def test_what_was_passed_to_one_person_is_nobody_elses(ladder):
    """Among those that wait for everybody it still stands."""
    first = ladder.waiting().items[0].id
    ladder.pass_on(first, to="cy", by=Person("ana", "code"))
    assert numbers(ladder.waiting(mine="ana")) == [2, 3]
    assert numbers(ladder.waiting(mine="cy")) == [0, 3]
    assert numbers(ladder.waiting()) == [0, 1, 2, 3, 4, 5]


def test_a_place_tells_what_comes_next(ladder):
    """In the list that one looks at, and not in another one."""
    ids = [question.id for question in ladder.waiting().items]
    assert str(ladder.place_of(ids[2], mine="ana")) == "2 of 3"
    assert ladder.place_of(ids[2], mine="ana").next == ids[3]
    assert ladder.place_of(ids[5]).next is None
    assert ladder.place_of("nothing") is None


def test_counts_are_of_those_who_look(ladder):
    """Questions that somebody may answer, drafts and reports."""
    assert [str(one) for one in (ladder.counts().questions, ladder.counts("bo").questions)] == ["6", "2"]
    assert str(ladder.counts(agent="ops/dev").questions) == "3"
    assert (str(ladder.counts().drafts), str(ladder.counts().reports)) == ("0", "0")


def test_entries_and_actions_are_listed(ladder):
    """Of the agent and those inside it, by what one looks for."""
    ladder.approve(ladder.waiting(tool="mail").items[0].id, by="bo")
    assert [entry.kind for entry in ladder.entries(person="BO").items] == ["approved"]
    assert {entry.agent for entry in ladder.entries(agent="ops/dev").items} == {"ops/dev"}
    since = NOW + dt.timedelta(minutes=5)
    assert [entry.kind for entry in ladder.entries(since=since).items] == ["question", "asked"]
    assert ladder.entries(until=NOW).items == ()
    assert [action.arguments["n"] for action in ladder.acted(tool="pay").items] == [5, 2]
    page = ladder.entries(size=4)
    assert [
        entry.n for entry in ladder.entries(page=ladder.entries(size=4, page=page.next).previous, size=4).items
    ] == [entry.n for entry in page.items]


def test_a_mark_of_another_list_is_refused(ladder):
    """Nobody gets to see a page that isn't there."""
    with pytest.raises(LadderError, match="begin at the first page"):
        ladder.entries(page=ladder.waiting(size=1).next)


def test_as_much_is_listed_as_is_asked_for(ladder, monkeypatch):
    """The latest actions and the oldest questions, also across pages."""
    monkeypatch.setattr(browsing, "LARGEST", 2)
    every = [action.key for action in ladder.actions()]
    assert len(every) == 6
    for limit in (1, 3, 6, 9):
        assert [action.key for action in ladder.actions(limit=limit)] == every[-limit:]
        assert [action.key for action in ladder.actions(limit=limit, state=State.ASKED)] == every[-limit:]
        assert [question.call.key for question in ladder.pending(limit=limit)] == every[:limit]
    assert ladder.actions(limit=0) == ladder.suggestions(limit=3) == []


def test_what_lists_read_does_not_grow_with_the_ledger(ladder):
    """The last action, what waits, and the entries of one action or tool cost as much beside a thousand others."""
    key = ladder.actions(limit=1)[0].key
    looks = {
        "actions": lambda: ladder.actions(limit=1), "pending": lambda: ladder.pending(limit=1),
        "log": lambda: ladder.log(action=key), "tool": lambda: ladder.log(tool="refund"),
        "thread": lambda: ladder.log(tool="refund", thread="t", limit=2),
    }  # fmt: skip
    before = {name: _steps(ladder, look) for name, look in looks.items()}

    def declined(cursor):
        for number in range(1000):
            journal = Journal(ladder.store.owner, "r", NOW - dt.timedelta(seconds=1000 - number))
            call = Call("ops", "u", f"d{number}", "mail", {"n": number})
            asked = journal.pose(cursor, call, Route(Rung.CONFIRM), Terms(ladder.policy.rule("mail")), Asking())
            journal.answer(cursor, asked, Decision("decline", Person("bo", "code"), NOW, ""))

    ladder.store.write(declined)
    assert {name: _steps(ladder, look) <= 2 * before[name] + 5 for name, look in looks.items()} == dict.fromkeys(
        looks, True
    )


def _steps(ladder, look):
    """How many hundreds of steps SQLite's machine takes for it."""
    look()
    taken, connection = [], ladder.store.database.reader
    connection.set_progress_handler(lambda: taken.append(1), 100)
    look()
    connection.set_progress_handler(None, 0)
    return len(taken)
