"""An everyday call, whose claim and record are one statement each: nothing is left out, and the ledger is the same."""

from __future__ import annotations

import functools
import itertools
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.errors import LadderError, LedgerUnwritable
from ladder_graph.facts import Outcome
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.ledger.database.file_cursor import Chained, FileCursor
from ladder_graph.ledger.database.log import Log
from ladder_graph.ledger.database.wire import Wire, WireCursor
from ladder_graph.ledger.gate import in_a_file as in_a_file_statements
from ladder_graph.ledger.people import asking
from ladder_graph.steps import Claim, Claimed
from ladder_graph.testing import FrozenClock
from ladder_graph.tools import NOTHING
from ladder_graph.turns.hosting import Alone

TOOLS = {"send": "0" * 64}
MODEL = Environment("scripted", "m-1", "m-1-2026-01-01", "none", "{}", toolset_component(TOOLS), TOOLS)


class Sends(Alone):
    """Runs a tool that counts how often it ran."""

    def __init__(self):
        self.ran = []

    def execute(self, call, *, again=False):
        """The effect."""
        self.ran.append(call.id)
        return Outcome("done", "sent")

    def encode(self, reply):
        """As bytes that no text could be."""
        return b"\x00\xff" + reply.encode()


@pytest.fixture
def bounds():
    """One counter of a day."""
    return [{"kind": "volume", "limit": 40}]


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request, tmp_path):
    """In a file, or on a server."""
    return tmp_path / "ladder.db" if request.param == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture
def ladder(ledger, bounds):
    """A ladder whose counters have opened their windows."""
    with closing(opened_on(ledger, bounds)) as opened:
        assert run(opened, 0).state == "done"
        yield opened


@pytest.fixture
def hoped(monkeypatch):
    """What is hoped for from here on."""
    found = []

    def heard(kind):
        hope = kind.hope
        monkeypatch.setattr(kind, "hope", lambda self, *args: (found.append(args[2]), hope(self, *args)))

    heard(WireCursor)
    heard(FileCursor)
    return found


def opened_on(ledger, bounds, agent="shop", **options):
    """A ladder with one tool."""
    rungs = {"send": {"rung": "bounded", "bounds": bounds}}
    opened = Ladder(agent=agent, rungs=rungs, ledger=ledger, **options)
    opened.seat("send", NOTHING, agent=agent, can_ask=True)
    return opened


def proposed(number):
    """A call whose arguments a hash might stumble over."""
    return Call("shop", "t", f"call_{number}", "send", {"n": number, "text": 'ü "quoted" \\ 100 %'})


def run(ladder, number, host=None, found=None):
    """One call through its whole life."""
    return ladder.run(proposed(number), MODEL, host or Sends(), found=found)


def asks(ladder, number, host):
    """Whether a call waits for a person in the end."""
    try:
        return run(ladder, number, host).state != "done"
    except LadderError as nobody:
        return "nobody here to ask" in str(nobody)


def counters(ladder):
    """What is used and what is held of each counter."""
    return ladder.store.read(
        lambda cursor: [tuple(row) for row in cursor.execute("SELECT used, reserved FROM quota ORDER BY 1").fetchall()]
    )


on_a_server = pytest.mark.parametrize("ledger", ["postgres"], indirect=True)
in_a_file = pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)


@on_a_server
def test_a_call_takes_two_round_trips(ladder, monkeypatch):
    """One for the claim with its flush, and one for the record; what to look for is remembered."""
    sync, waited = Wire.sync, []

    def counted(self):
        waited.extend([self] * bool(self._sent))
        return sync(self)

    monkeypatch.setattr(Wire, "sync", counted)
    assert run(ladder, 1).state == "done"
    assert len(waited) == 2
    monkeypatch.undo()
    assert ladder.verify().ok
    assert counters(ladder) == [(2, 0)]
    assert [entry.kind for entry in ladder.log()][:4].count("started") == 2


@pytest.mark.parametrize("bounds", [[{"kind": "volume", "limit": 40}, {"kind": "volume", "limit": 9, "per": "hour"}]])
def test_several_counters(ladder, bounds, hoped):
    """All of them are drawn on at once, and settled."""
    assert run(ladder, 1).state == "done"
    assert [one.held for one in hoped] == [True, True]
    assert counters(ladder) == [(2, 0)] * len(bounds)
    assert ladder.verify().ok


@pytest.mark.parametrize("bounds", [[{"kind": "volume", "limit": 2}]])
def test_what_is_hoped_for_in_vain_asks(ladder):
    """A counter that is full holds nothing more and runs nothing; the call asks."""
    host = Sends()
    assert [asks(ladder, number, host) for number in (1, 2)] == [False, True]
    assert host.ran == ["call_1"]
    assert counters(ladder) == [(2, 0)]
    assert ladder.verify().ok


def test_the_same_call_twice_at_once_runs_once(ladder):
    """Of those who claim the same action one gets it, and the others hear of its outcome."""
    host = Sends()
    with ThreadPoolExecutor(4) as pool:
        replies = [done.result() for done in [pool.submit(run, ladder, 7, host) for _ in range(4)]]
    assert host.ran == ["call_7"]
    assert {reply.state for reply in replies} == {"done"}
    assert ladder.store.owner._running == set()


def test_many_threads_share_commits_and_never_draw_too_much(ladder):
    """Forty are allowed, one has run, and sixty come at once."""
    host = Sends()
    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(lambda number: asks(ladder, number, host), range(1, 61)))
    assert (len(host.ran), sum(asked)) == (39, 21)
    assert counters(ladder) == [(40, 0)]
    assert ladder.verify().ok
    assert ladder.store.owner._running == set()


@on_a_server
@pytest.mark.parametrize("reached", [True, False])
@pytest.mark.parametrize("nth", [1, 2], ids=["claim", "record"])
def test_the_answer_to_a_hope_is_lost(ladder, monkeypatch, reached, nth):
    """Cut at the COMMIT of the claim or of the record, whether or not it got there: one effect, one of each entry."""
    execute, ends, host = WireCursor.execute, [], Sends()

    def cutting(self, statement, parameters=None):
        if statement != "COMMIT":
            return execute(self, statement, parameters)
        ends.append(statement)
        if len(ends) != nth:
            return execute(self, statement, parameters)
        if reached:
            execute(self, statement).sync()
        ladder.store.database.writer.close()
        raise psycopg.OperationalError("the connection was cut")

    monkeypatch.setattr(WireCursor, "execute", cutting)
    assert run(ladder, 1, host).state == "done"
    assert host.ran == ["call_1"]
    assert sorted(entry.kind for entry in ladder.log() if entry.action) == ["done", "done", "started", "started"]
    assert counters(ladder) == [(2, 0)]
    assert ladder.verify().ok


@pytest.mark.parametrize("demoted", [False, True])
def test_a_claim_looks_again_at_what_it_goes_by(ladder, hoped, demoted):
    """It holds in one statement where nothing has changed; after a demotion its route is found anew."""
    found = ladder.find(proposed(1), MODEL)
    if demoted:
        ladder.demote("send", "suggest", by="ana", reason="it went wrong")
    host = Sends()
    reply = run(ladder, 1, host, found)
    assert (reply.state, host.ran) == (("suggested", []) if demoted else ("done", ["call_1"]))
    assert [one.held for one in hoped] == ([False] if demoted else [True, True])
    assert ladder.verify().ok


@on_a_server
def test_a_role_that_may_not_flush_waits_at_each_commit(ladder, monkeypatch):
    """Where the server forbids messages in its log, the COMMIT itself waits for the disk."""
    monkeypatch.setattr(ladder.store.database, "_flushes", False)
    sent, execute = [], WireCursor.execute

    def listening(self, statement, parameters=None):
        sent.append((parameters or {}).get("level"))
        return execute(self, statement, parameters)

    monkeypatch.setattr(WireCursor, "execute", listening)
    assert run(ladder, 1).state == "done"
    assert [level for level in sent if level] == ["on", "off"]


@in_a_file
def test_a_call_takes_two_statements(ladder, monkeypatch):
    """Which begin and commit their transactions; the first one is flushed."""
    ran, flush = [], Log.flush
    monkeypatch.setattr(Log, "flush", lambda self: (ran.append("flush"), flush(self)))
    assert run(ladder, 1).state == "done"  # From here on the connection has its triggers.
    ran.clear()
    ladder.store.database.writer.set_trace_callback(ran.append)
    assert run(ladder, 2).state == "done"
    ladder.store.database.writer.set_trace_callback(None)
    # Each statement of a trigger is told as that of the trigger's own.
    ours = [one for one, _ in itertools.groupby(" ".join(statement.split()[:4]) for statement in ran)]
    assert [one.split(" (")[0] for one in ours] == [
        "INSERT INTO ladder_claiming_1_seen", "flush", "INSERT INTO ladder_recording",
    ]  # fmt: skip
    assert counters(ladder) == [(3, 0)]
    assert ladder.verify().ok


SALTED = {"salt", "payload", "prev", "hash"}
"""Columns that differ with each payload's salt; `verify` holds them to each other."""
TABLES = ("action", "entry", "head", "hold", "mention", "payload", "quota", "standing")


def _rows(table, cursor):
    """All rows of a table, but for what random bytes are in."""
    found = cursor.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608  # a name of ours
    return sorted(repr({name: value for name, value in dict(row).items() if name not in SALTED}) for row in found)


SEVERAL = [
    {"kind": "volume", "limit": 40}, {"kind": "volume", "limit": 9, "per": "hour"},
    {"kind": "rate", "limit": 6, "within": "1h"},
]  # fmt: skip


@pytest.mark.parametrize(("bounds", "least"), [([{"kind": "volume", "limit": 4}], 7), (SEVERAL[:2], 11), (SEVERAL, 1)])
def test_step_by_step_it_comes_to_the_very_same_ledger(bounds, least, tmp_path, monkeypatch, hoped):
    """Every row of every table, with what is refused by a full counter, and calls that were made before."""

    def rows(at_once):
        names = itertools.count()
        monkeypatch.setattr(asking.secrets, "token_hex", lambda size: f"{next(names):0{2 * size}x}")
        if not at_once:
            monkeypatch.setattr(FileCursor, "hoping", False)
        with closing(opened_on(tmp_path / f"{at_once}.db", bounds, clock=FrozenClock())) as ladder:
            monkeypatch.setattr(ladder.store.database.owner, "id", "us")
            came = [asks(ladder, number, Sends()) for number in (1, 2, 2, 3, 4, 1, 5, 6)]
            assert ladder.verify().ok
            found = {table: ladder.store.read(functools.partial(_rows, table)) for table in TABLES}
        return came, found

    at_once = rows(at_once=True)
    assert sum(one.held for one in hoped) >= least
    assert rows(at_once=False) == at_once


def test_somebody_elses_call_comes_in_between(ladder, ledger, bounds, hoped):
    """The chain has grown by it, so the claim looks again, and sees the same; after a demotion it doesn't."""
    host = Sends()
    with closing(opened_on(ledger, bounds)) as other:
        assert run(ladder, 1).state == "done"
        assert run(other, 2).state == "done"
        hoped.clear()
        assert run(ladder, 3).state == "done"
        assert [one.held for one in hoped] == [True, True]
        other.demote("send", "suggest", by="ana", reason="it went wrong")
        assert run(ladder, 4, host).state == "suggested"
    assert [one.held for one in hoped] == [True, True, False]
    assert (counters(ladder), host.ran) == ([(4, 0)], [])
    assert ladder.verify().ok


@in_a_file
@pytest.mark.parametrize("written", [True, False])
def test_an_interrupt_while_the_claim_is_committed(ladder, monkeypatch, written):
    """Nothing has run, nobody is thought to be at work, and whoever comes next finds out."""
    do, host = FileCursor._do, Sends()

    def interrupted(self, *hope):
        if written:
            do(self, *hope)
        raise KeyboardInterrupt

    monkeypatch.setattr(FileCursor, "_do", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(ladder, 1, host)
    monkeypatch.undo()
    assert host.ran == []
    assert ladder.store.owner._running == set()
    assert [action.arguments["n"] for action in ladder.actions() if action.state == "started"] == [1] * written
    assert run(ladder, 2, host).state == "done"
    assert host.ran == ["call_2"]
    assert ladder.verify().ok


@in_a_file
def test_a_disk_that_takes_no_claim(ladder, monkeypatch):
    """It is refused in our words, and nothing runs."""
    do, host = FileCursor._do, Sends()

    def full(self, *hope):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(FileCursor, "_do", full)
    with pytest.raises(LedgerUnwritable, match="Nothing was recorded by this"):
        run(ladder, 1, host)
    monkeypatch.setattr(FileCursor, "_do", do)
    assert host.ran == []
    assert run(ladder, 1, host).state == "done"
    assert counters(ladder) == [(2, 0)]
    assert ladder.verify().ok


@in_a_file
def test_what_was_put_into_a_view_is_undone_with_all_of_it(ladder, hoped):
    """A trigger that stops halfway leaves nothing of what it did."""
    database = ladder.store.database
    database.writer.execute(
        "CREATE TEMP TRIGGER spoiled BEFORE INSERT ON action BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
    )
    before = database.writer.execute("SELECT n FROM head").fetchall()
    with pytest.raises(LadderError):
        run(ladder, 1)
    database.writer.execute("DROP TRIGGER spoiled")
    assert database.writer.execute("SELECT n FROM head").fetchall() == before
    assert [one.held for one in hoped] == [False]
    assert counters(ladder) == [(1, 0)]
    database.writer.execute("UPDATE quota SET reserved = 39")
    assert asks(ladder, 2, Sends()), "the number of the entry that was undone was taken for another one's"
    database.writer.execute("UPDATE quota SET reserved = 0")
    assert run(ladder, 1).state == "done"
    assert ladder.verify().ok


def test_another_agent_makes_the_equal_call_in_the_thread(ladder, ledger, bounds, hoped):
    """It is in another chain, so that the end of this one tells nothing of it."""
    found = ladder.find(proposed(1), MODEL)
    with closing(opened_on(ledger, bounds, agent="other")) as other:
        equal = Call("other", "t", "call_x", "send", proposed(1).arguments)
        assert other.run(equal, MODEL, Sends()).state == "done"
    hoped.clear()
    run(ladder, 1, found=found)
    assert hoped[0].held is False
    assert ladder.verify().ok


@in_a_file
@pytest.mark.parametrize(("change", "state"), [
    ("fence = 2", "late"), ("state = 'unknown'", "late"), ("artifact = '{}'", "done"),
])  # fmt: skip
def test_a_record_of_what_is_no_longer_as_it_was_claimed(ladder, hoped, change, state):
    """It isn't written in one statement: somebody has taken over, or there is an undo to be seen to."""

    class Meanwhile(Sends):
        def execute(self, call, *, again=False):
            writer = ladder.store.database.writer
            writer.execute(f"UPDATE action SET {change} WHERE key = ?", [call.key])  # noqa: S608  # one of the above
            return super().execute(call, again=again)

    run(ladder, 1, Meanwhile())
    assert [one.held for one in hoped] == [True, False]
    assert [entry.kind for entry in ladder.log()][-1] == state


@in_a_file
def test_a_clock_that_was_set_back_opens_no_window_a_second_time(ladder, hoped):
    """A counter that has reached a later window is counted in that one."""
    ladder.store.write(lambda cursor: cursor.execute('UPDATE quota SET "window" = "window" + 86400000000'))
    ladder.store.write(lambda cursor: cursor.execute(
        'INSERT INTO quota SELECT quota, "window" - 86400000000, 0, 0, lim FROM quota'
    ))  # fmt: skip
    assert run(ladder, 1).state == "done"
    assert hoped[0].held is False
    used = ladder.store.read(lambda cursor: cursor.execute('SELECT used FROM quota ORDER BY "window"').fetchall())
    assert [tuple(row) for row in used] == [(0,), (2,)]


@in_a_file
def test_a_claim_of_what_is_known_already_is_made_by_no_statement(ladder, hoped):
    """Not even where nobody has looked before."""
    seen = ladder.find(proposed(1), MODEL).routed
    step = Claim(proposed(1), seen[0], charges=seen[1].charges)
    journal = ladder.find(proposed(1), MODEL).turn.journal()
    assert ladder.store.write(lambda cursor: journal.hope(cursor, step)) == Claimed(1)
    ladder.store.owner.end(proposed(1).key, 1)
    assert ladder.store.write(lambda cursor: journal.hope(cursor, step)) is None
    assert [one.held for one in hoped] == [True, False]
    assert ladder.verify().ok


@in_a_file
def test_nothing_follows_what_is_hoped_for(ladder):
    """It would be committed where the hope came to nothing, and done a second time."""
    found = ladder.find(proposed(1), MODEL)
    step, journal = Claim(proposed(1), found.routed[0], charges=found.routed[1].charges), found.turn.journal()

    def work(cursor):
        journal.hope(cursor, step)
        cursor.execute("DELETE FROM quota")

    with pytest.raises(RuntimeError, match="all of its transaction"):
        ladder.store.write(work)
    assert counters(ladder) == [(1, 0)]
    assert ladder.verify().ok


@in_a_file
def test_an_interrupt_right_after_the_begin(ladder, monkeypatch):
    """The transaction is rolled back, and the interrupt isn't lost."""

    def interrupted(self, sql, parameters=(), /):
        sqlite3.Cursor.execute(self, "BEGIN IMMEDIATE")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FileCursor, "execute", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ladder.demote("send", "suggest", by="ana", reason="it went wrong")
    assert run(ladder, 1).state == "done"
    assert ladder.verify().ok


@in_a_file
def test_an_interrupt_while_a_trigger_is_made(ladder, ledger, bounds):
    """A view that is there already is no reason to make none of the calls."""
    view, _ = in_a_file_statements.recording().making
    with closing(opened_on(ledger, bounds)) as other:
        other.store.database.writer.execute(view)
        assert run(other, 1).state == "done"
        assert run(other, 2).state == "done"
    assert counters(ladder) == [(3, 0)]


@in_a_file
@pytest.mark.parametrize("nth", [1, 2], ids=["claim", "record"])
def test_an_interrupt_inside_the_statement(ledger, bounds, monkeypatch, nth):
    """SQLite makes an error of it, and it comes out as what it was."""
    chain, calls = Chained.hash, itertools.count(1)

    def interrupted(self, *entry):
        if next(calls) == nth:
            raise KeyboardInterrupt
        return chain(self, *entry)

    host = Sends()
    with closing(opened_on(ledger, bounds)) as before:
        assert run(before, 0).state == "done"
    monkeypatch.setattr(Chained, "hash", interrupted)
    with closing(opened_on(ledger, bounds)) as ladder:
        ladder.find(proposed(9), MODEL)
        with pytest.raises(KeyboardInterrupt):
            run(ladder, 1, host)
        assert host.ran == ["call_1"] * (nth == 2)
        assert ladder.store.owner._running == set()
        assert ladder.verify().ok


def test_an_interrupt_before_the_hope_is_sent(ladder, monkeypatch):
    """Nobody is thought to be at work."""

    def interrupted(self, *hope):
        raise KeyboardInterrupt

    monkeypatch.setattr(WireCursor, "hope", interrupted)
    monkeypatch.setattr(FileCursor, "hope", interrupted)
    host = Sends()
    with pytest.raises(KeyboardInterrupt):
        run(ladder, 1, host)
    assert (ladder.store.owner._running, host.ran) == (set(), [])
