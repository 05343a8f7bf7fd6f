"""The entries of several chains as one list: by whatever they are looked for, all of them are found, by an index."""

from __future__ import annotations

import datetime as dt
import itertools
import sqlite3

import pytest

from ladder_graph.facts import Person
from ladder_graph.ledger import Reading
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.gate import acts
from ladder_graph.ledger.lists import chronicle, listing, open_questions, pages, tallies
from ladder_graph.ledger.lists.chronicle import Wanted
from ladder_graph.ledger.watching import unwatched
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.trust.cells import CellKey
from ladder_graph.trust.demotion import Demotion
from tests.unit.ledger.desk import ANA, NOW, at, call

BO = Person("Bo Berg", "code")
STREAMS = ["ops", "ops/dev"]


def refund(number, **fields):
    """A call of another tool."""
    return call(number, tool="refund", **fields)


@pytest.fixture
def lived(desk):
    """A ledger in which something of everything happened, of two agents and somebody else's."""
    for number in range(6):
        one = call(number, agent=("ops", "ops/dev", "opsx")[number % 3], thread=f"t{number % 2}")
        desk.claim(one)
        desk.later(minutes=1)
        desk.record("failed" if number == 3 else "done", one)
    for number in range(6, 9):
        asked = desk.pose(refund(number, thread="t7"))
        desk.later(minutes=1)
        if number < 8:
            desk.answer(asked, "decline" if number == 7 else "approve", by=BO if number == 6 else ANA)
    cell, down = CellKey("ops", "refund", "*", "*"), Demotion(Rung.SUGGEST, "enough")
    desk.write(lambda journal, cursor: acts.demote(journal, cursor, cell, down, by=BO))
    return desk


def found(desk, size=3, streams=STREAMS, **wanted):
    """All entries, page after page, as number and kind in each chain."""
    return walked(desk, lambda cursor, mark: chronicle.page(cursor, streams, Wanted(**wanted), mark, size))


def walked(desk, page):
    """The items of all pages of a list."""
    mark, seen = None, []
    while True:
        found = desk.read(lambda _, cursor, mark=mark: page(cursor, mark))
        seen += found.items
        if (mark := found.next) is None:
            return seen


def said(desk, **wanted):
    """Their kinds."""
    return [entry.kind for entry in found(desk, **wanted)]


def test_all_of_it_shows_once_the_latest_first(lived):
    """Of two chains merged, and not of an agent whose name only begins alike."""
    assert lived.read(lambda _, cursor: tallies.chains(cursor, "ops")) == STREAMS
    entries = found(lived)
    rows = lived.rows("SELECT stream, n FROM entry WHERE stream <> 'opsx' ORDER BY at_us DESC, stream DESC, n DESC")
    assert [(entry.agent, entry.n) for entry in entries] == rows
    assert entries[0].body["reason"] == "enough"
    page = lived.read(lambda _, cursor: chronicle.page(cursor, STREAMS, Wanted()))
    assert str(page.count) == str(len(rows))


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        ({"tool": "refund"}, "demoted declined question asked question asked approved question asked"),
        ({"person": "bo  berg"}, "demoted approved"),
        ({"person": "BO BERG", "tool": "refund"}, "demoted approved"),
        ({"person": "bo berg", "kind": "approved"}, "approved"),
        ({"person": "bo berg", "tool": "send_email"}, ""),
        ({"thread": "t0"}, "done started done started"),
        ({"thread": "t7", "kind": "declined"}, "declined"),
        ({"kind": "failed"}, "failed"),
        ({"kind": "started", "tool": "send_email"}, "started started started started"),
        ({"kind": "done", "thread": "t1"}, "done"),
        ({"tool": "nothing"}, ""),
        ({"action": refund(7, thread="t7").key}, "declined question asked"),
        ({"action": refund(7, thread="t7").key, "kind": "asked"}, "asked"),
        ({"since_us": micros(NOW + dt.timedelta(minutes=9))}, "demoted"),
        ({"until_us": micros(NOW + dt.timedelta(minutes=1))}, "started"),
    ],
    ids=str,
)
@pytest.mark.parametrize("gathered", [1, 1000], ids=["many", "few"])
def test_what_is_looked_for_is_found(lived, monkeypatch, wanted, kinds, gathered):
    """By each field, and by several at once; whether a tool has few actions or many."""
    monkeypatch.setattr(chronicle, "GATHERED", gathered)
    order = sorted(kinds.split())
    assert sorted(said(lived, **wanted)) == order
    assert sorted(said(lived, size=1, **wanted)) == order


@pytest.mark.parametrize("gathered", [0, 1, 1000], ids=["many", "some", "few"])
def test_the_latest_of_a_tool_are_those_that_a_walk_along_the_chains_finds(lived, monkeypatch, gathered):
    """As many as are asked for, newest last; whether it has few actions or many, and wherever its last one is."""
    monkeypatch.setattr(chronicle, "GATHERED", gathered)
    there = {("refund", None), ("refund", "t7"), ("send_email", None), ("send_email", "t1")}
    for tool, thread in itertools.product(("refund", "send_email", "nothing"), (None, "t7", "t1")):
        walked = Reading(lived.store).entries("ops", limit=100, tool=tool, thread=thread)
        assert bool(walked) == ((tool, thread) in there)
        for looked, limit in itertools.product((2, 5000), (1, 2, 5, 100)):
            monkeypatch.setattr(chronicle, "LOOKED", looked)
            latest = lived.read(
                lambda _, cursor, tool=tool, thread=thread, limit=limit: chronicle.latest(
                    cursor, STREAMS, tool, limit, thread=thread
                )
            )
            assert latest == walked[-limit:], (tool, thread, looked, limit)


def test_what_a_shadow_wrote_of_a_call_is_in_its_own_chain(lived):
    """Also where the same call ran under the ladder later: neither list shows what stands in the other chain."""
    one = call(0, thread="t0")
    lived.write(lambda journal, cursor: journal.append(cursor, "shadow:ops", "shadowed", one.key, {"outcome": "done"}))
    assert said(lived, tool="send_email", thread="t0") == ["done", "started", "done", "started"]
    assert said(lived, tool="send_email").count("shadowed") == 0
    assert lived.read(lambda _, cursor: chronicle.latest(cursor, STREAMS, "send_email", 9))[-1].kind == "done"


def test_an_erased_payload_hides_no_entry(lived):
    """It is found by its action's tool, and says nothing."""
    hashes = lived.rows("SELECT payload FROM entry WHERE kind = 'declined'")[0][0]
    lived.store.database.writer.execute(f"DELETE FROM payload WHERE hash = '{hashes}'")  # noqa: S608  # its own hash
    (entry,) = found(lived, kind="declined")
    assert (entry.tool, entry.body) == ("refund", {})


def test_actions_are_listed_by_tool_and_by_state(lived):
    """The latest first, page by page; by state, the one that came to it last."""

    def keys(**sought):
        of = listing.Sought(**sought)
        found = walked(lived, lambda cursor, mark: listing.page(cursor, STREAMS, of, mark, 2))
        return [action.key for action in found]

    done = [call(number, agent=("ops", "ops/dev")[number % 3], thread=f"t{number % 2}").key for number in (4, 1, 0)]
    assert keys(state=State.DONE) == done
    assert keys(tool="refund") == [refund(number, thread="t7").key for number in (8, 7, 6)]
    assert len(keys()) == 7
    assert keys(tool="refund", state=State.DECLINED) == [refund(7, thread="t7").key]
    assert keys(tool="nothing") == []


# --- what waits ---------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(desk):
    """Open questions of two tools and agents, two of them expiring at one moment, and one that is answered."""
    ids = []
    for number in range(7):
        one = (call, refund)[number % 2](number, agent=("ops", "ops/dev", "opsx")[number % 3])
        ids.append(desk.pose(one).id)
        if number != 3:
            desk.later(minutes=1)
        if number == 6:
            desk.answer(desk.read(lambda _, cursor: open_questions.question_at(cursor, ids[-1])))
    return desk, ids


def test_open_questions_are_listed_by_when_they_expire(asked):
    """The soonest first, with how many there are; answered ones and other agents' aren't among them."""
    desk, ids = asked
    seen = walked(desk, lambda cursor, mark: open_questions.page(cursor, STREAMS, mark=mark, size=2))
    assert str(desk.read(lambda _, cursor: open_questions.page(cursor, STREAMS)).count) == "4"
    assert sorted(ids.index(one.id) for one in seen) == [0, 1, 3, 4]
    assert [one.expires_at for one in seen] == sorted(one.expires_at for one in seen)
    assert seen[0].call.arguments == {"to": "bo0@example.com"}


def test_a_question_knows_its_place(asked):
    """How many are before it, which comes next; also once it was answered, and among those of its tool alone."""
    desk, ids = asked

    def place(number, **waits):
        waits = open_questions.Waits(**waits)
        return desk.read(lambda _, cursor: open_questions.place(cursor, STREAMS, ids[number], waits))

    assert str(place(0)) == "1 of 4"
    assert (place(0).previous, place(0).next) == (None, ids[1])
    assert str(place(1, tool="refund")) == "1 of 2"
    assert place(1, tool="refund").next == ids[3]
    assert str(place(6)) == "5 of 4", "it isn't among them any more"
    assert place(6).next is None
    desk.write(lambda _, cursor: cursor.execute(f"UPDATE question SET passed_to = 'eve' WHERE id = '{ids[0]}'"))  # noqa: S608
    assert place(1, fits=lambda terms: terms[-1] != "eve").previous is None
    assert str(place(4, fits=lambda terms: terms[-1] != "eve")) == "3 of 3"
    assert desk.read(lambda _, cursor: open_questions.place(cursor, STREAMS, "nothing")) is None


def test_questions_are_counted_up_to_a_thousand(asked, monkeypatch):
    """Then it is only said that there are more; filters count too."""
    desk, _ = asked

    def count(**waits):
        return str(desk.read(lambda _, cursor: open_questions.count(cursor, STREAMS, open_questions.Waits(**waits))))

    assert (count(), count(tool="refund"), count(tools="send_email".__eq__)) == ("4", "2", "2")
    assert count(fits=lambda row: False) == "0"
    monkeypatch.setattr(pages, "COUNTED", 2)
    monkeypatch.setattr(open_questions, "COUNTED", 2)
    assert (count(), count(fits=lambda row: True)) == ("2+", "2+")
    assert count(fits=lambda row: False) == "0", "nobody knows of more than two of each agent"


# --- by which index -----------------------------------------------------------------------------------------------

GIVEN = {
    "stream": "ops", "us": 1, "n": 0, "limit": 9, "kind": "failed", "action": "a", "sort": "person", "name": "ana",
    "thread": "t", "tool": "x", "agent": "ops", "id": "", "key": "", "named": "x", "now": 0, "inside": "ops/",
}  # fmt: skip
LISTS = {
    **{(source, rising): chronicle.statement(source, rising=rising)
       for source in ("chain", "kind", "action", "mention", "thread", "tool") for rising in (True, False)},
    **{("open", tool, rising): open_questions.statement(of_tool=tool, rising=rising)
       for tool in (True, False) for rising in (True, False)},
    **{("counting", tool): open_questions.counting(of_tool=tool) for tool in (True, False)},
    **{("listing", by): listing.statement(by, rising=False) for by in ("tool", "state")},
    "few tool": chronicle.FEW["tool"], "few thread": chronicle.FEW["thread"], "body": chronicle.BODY,
    "tools": open_questions.NEXT_TOOL, "tools called": listing.NEXT_TOOL, "drafts": tallies.DRAFTS,
    "started": unwatched.STARTED, "said": unwatched.SAID, "unread": tallies.UNREAD, "overdue": tallies.OVERDUE,
}  # fmt: skip


@pytest.mark.parametrize("query", LISTS.values(), ids=map(str, LISTS))
def test_no_list_reads_a_whole_table(path, query):
    """Each statement finds its rows by an index, and what is sorted is what belongs to a few actions."""
    with at(path):
        pass
    connection = sqlite3.connect(path)
    plan = [step[3] for step in connection.execute(f"EXPLAIN QUERY PLAN {query}", GIVEN)]
    connection.close()
    assert not [step for step in plan if step.startswith("SCAN") and "SCAN anon" not in step]
    if "+ 0" not in query:
        assert not [step for step in plan if "TEMP B-TREE FOR ORDER BY" in step]


@pytest.mark.parametrize("query", LISTS.values(), ids=map(str, LISTS))
def test_no_list_reads_a_whole_table_in_postgresql(postgres, query):
    """The same there, as soon as a table is too large to be read whole."""
    with at(postgres) as desk:
        connection = desk.store.database.writer
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            plan = "\n".join(row[0] for row in cursor.execute(f"EXPLAIN {query.postgres}", GIVEN))
    assert "Seq Scan" not in plan, plan
