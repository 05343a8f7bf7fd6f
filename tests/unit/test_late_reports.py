"""What a report costs that nobody reads in time: the rung of what acted in it, before its next call, by any clock."""

from __future__ import annotations

import datetime as dt
import itertools
import threading

import pytest

from ladder_graph.errors import AnswerRefused, UnknownQuestion
from ladder_graph.ledger.reports.digests import due
from ladder_graph.scale import Rung
from ladder_graph.testing import FrozenClock
from tests.unit.reads import HOUR, Machine, Reads, reads


@pytest.fixture(params=["sqlite", "postgres"])
def world(request, tmp_path):
    """A world on each kind of database. Its clock begins at noon, so the day is over after twelve hours."""
    ledger = tmp_path / "ladder.db" if request.param == "sqlite" else request.getfixturevalue("postgres")
    with reads(ledger) as made:
        yield made


def test_without_any_sweep_the_next_call_finds_the_rung_gone(world):
    """The gate itself writes the demotion down, before the call is given its rung; other tools keep theirs."""
    first = world.call()
    world.clock.advance(16 * HOUR - 1)
    assert world.rung(world.call()) == "report"
    world.clock.advance(1)
    assert world.rung(world.call("read_price")) == "report"
    assert world.fell() == []
    late = world.call()
    assert (world.rung(first), world.rung(late)) == ("report", "rollback")
    assert world.fell() == [("read_stock", "rollback", "D8")]
    kinds = [entry.kind for entry in world.ladder.log(limit=100)]
    assert kinds.index("demoted") < kinds.index("lapsed") < len(kinds) - 2
    assert world.rung(world.call("read_price")) == "report"
    assert world.ladder.verify().ok


def test_a_sweep_puts_down_what_lay_unread_and_nothing_else(world):
    """Exactly the cells that acted in that report go down; a second sweep, and a second sweeper, change nothing."""
    world.call()
    world.clock.advance(16 * HOUR)
    world.call("read_price")
    ((cell, down),) = world.ladder.sweep_reports()
    assert (cell.tool, down.rung, down.code, down.evidence) == ("read_stock", Rung.ROLLBACK, "D8", "keep")
    assert "lay unread for 4 hours" in down.reason
    assert world.ladder.sweep_reports() == []
    assert [world.rung(world.call(tool)) for tool in ("read_stock", "read_price", "wipe")] == [
        "rollback", "report", "report",
    ]  # fmt: skip


def test_a_watcher_does_the_same_on_its_rounds(world):
    """Nobody needs to call anything."""
    world.call()
    world.ladder.watcher.settle()
    world.clock.advance(16 * HOUR)
    world.ladder.watcher.settle()
    assert world.fell() == [("read_stock", "rollback", "D8")]


def test_opened_without_verdicts_is_unread(world):
    """To list it, to look at it, and to give all verdicts but one, is nothing."""
    for number in range(6):
        world.call(item=f"i{number}")
    digest = world.made()
    first, *rest = digest.items
    assert rest
    for item in rest:
        digest = world.ladder.read(digest.id, {item.action.key: "fine"}, by="ana", looked=5)
    assert (digest.state, digest.given, digest.shows) == ("unread", len(rest), len(rest) + 1)
    world.clock.advance(4 * HOUR)
    assert world.rung(world.call()) == "rollback"
    assert world.ladder.read(digest.id, {first.action.key: "fine"}, by="bo").state == "read"
    assert world.rung(world.call()) == "rollback", "who reads it late gives nothing back"


def test_read_in_time_it_costs_nothing(world):
    """Every verdict is given, by two readers, so the deadline means nothing any more."""
    world.call(item="bad")
    world.call(item="tea")
    digest = world.made()
    one, other = digest.items
    world.ladder.read(digest.id, {one.action.key: "fine"}, by="ana", looked=3)
    digest = world.ladder.read(digest.id, {other.action.key[:9]: "fine"}, by="bo", looked=4, note="well")
    assert (digest.state, digest.by, digest.looked, digest.note, digest.stakes) == ("read", "ana, bo", 7, "well", ())
    world.clock.advance(30 * HOUR)
    assert world.ladder.sweep_reports() == []
    assert world.rung(world.call()) == "report"


def test_reading_late_writes_the_demotion_down_too(world):
    """Nobody noticed before: whoever gives the last verdict after the deadline finds that it has cost the rung."""
    world.call()
    digest = world.made()
    world.clock.advance(4 * HOUR)
    after = world.read(digest)
    assert (after.state, after.late(world.clock()), after.fell) == ("read", True, (("read_stock", ""),))
    assert world.fell() == [("read_stock", "rollback", "D8")]


def test_also_where_the_late_reader_is_refused(world):
    """The demotion doesn't hang on whether the verdict is taken."""
    world.call()
    digest = world.made()
    world.clock.advance(4 * HOUR)
    with pytest.raises(AnswerRefused, match="the policy names"):
        world.read(digest, by="eve")
    assert world.fell() == [("read_stock", "rollback", "D8")]


def test_a_person_signs_it_up_again_once_the_report_is_read(world):
    """No evidence was lost, so none is asked for: all that was due must be read, and a promoter signs."""
    world.call()
    digest = world.made()
    world.clock.advance(5 * HOUR)
    world.ladder.sweep()
    with pytest.raises(AnswerRefused, match="1 of the reports on it were due and are unread"):
        world.ladder.promote("read_stock", by="rita")
    world.clock.advance(1)
    world.read(digest)
    with pytest.raises(AnswerRefused, match="ana may not sign"):
        world.ladder.promote("read_stock", by="ana")
    assert world.ladder.promote("read_stock", by="rita").to is Rung.REPORT
    assert world.rung(world.call()) == "report"
    assert world.ladder.recompute() == []


@pytest.mark.parametrize("closed", ["the sweep", "the gate"])
@pytest.mark.parametrize("set_by", [-3 * 24 * HOUR, -HOUR, 40 * HOUR])
def test_a_clock_that_is_set_buys_no_time(monkeypatch, tmp_path, set_by, closed):
    """Set back, the machine's own clock counts on; set forward, the wall's does. By either it is over."""
    clock = FrozenClock()
    machine = Machine(clock, monkeypatch)
    with reads(tmp_path / "ladder.db", clock) as world:
        world.call()
        machine.passes(13 * HOUR)
        clock.advance(set_by)
        if set_by < 0:
            machine.passes(3 * HOUR - 1)
            assert world.rung(world.call()) == "report"
            machine.passes(1)
        if closed == "the sweep":
            world.ladder.sweep_reports()
            assert world.fell() == [("read_stock", "rollback", "D8")]
        assert world.rung(world.call()) == "rollback"
        assert world.fell() == [("read_stock", "rollback", "D8")]


def test_a_sweeper_that_runs_through_a_clock_change_does_not_miss_it(monkeypatch, tmp_path):
    """Its rounds go on though the wall clock went back by a day."""
    clock = FrozenClock()
    machine = Machine(clock, monkeypatch)
    with reads(tmp_path / "ladder.db", clock) as world:
        world.call()
        world.ladder.watcher.settle()
        machine.passes(14 * HOUR)
        world.ladder.watcher.settle()
        clock.advance(-24 * HOUR)
        world.ladder.watcher.settle()
        assert world.fell() == []
        for _ in range(3):
            machine.passes(HOUR)
            world.ladder.watcher.settle()
        assert world.fell() == [("read_stock", "rollback", "D8")]


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 10, 26), 24)])
def test_where_the_clocks_change_a_day_is_as_long_as_it_is(day, hours, tmp_path):
    """The deadline is known at the claim: the end of the readers' own day, and then the time that they have."""
    clock = FrozenClock(dt.datetime(*day, tzinfo=dt.UTC) - dt.timedelta(hours=1 if day[1] == 3 else 2, seconds=-1))
    if hours == 24:
        clock.advance(HOUR)
    with reads(tmp_path / "ladder.db", clock, timezone="Europe/Berlin") as world:
        world.call()
        (digest,) = world.ladder.digests()
        assert (digest.ends - digest.begins) == dt.timedelta(hours=hours)
        assert digest.due - digest.ends == dt.timedelta(hours=4)
        clock.advance((digest.due - clock()).total_seconds() - 1)
        assert world.rung(world.call()) == "report"
        clock.advance(1)
        assert world.rung(world.call()) == "rollback"


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_two_sweepers_at_once_do_each_thing_once(request, tmp_path, database):
    """Two processes, or what stands for them, sweep at the same moment: one demotion, one lapse, one message each."""
    ledger = tmp_path / "ladder.db" if database == "sqlite" else request.getfixturevalue("postgres")
    file = tmp_path / "told.jsonl"
    with reads(ledger, notify=[{"kind": "file", "path": str(file)}]) as world:
        for tool in ("read_stock", "read_price"):
            world.call(tool)
        others = [world.opened() for _ in range(3)]
        for seconds in (12 * HOUR, 2 * HOUR, HOUR, HOUR):
            world.clock.advance(seconds)
            threads = [threading.Thread(target=one.sweep_reports) for one in others]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for one in others:
            one.close()
        assert sorted(world.fell()) == [("read_price", "rollback", "D8"), ("read_stock", "rollback", "D8")]
        kinds = [entry.kind for entry in world.ladder.log(limit=100)]
        assert [kinds.count(kind) for kind in ("digest", "reminded", "lapsed", "demoted")] == [1, 2, 1, 2]
        lines = file.read_text(encoding="utf-8").splitlines()
        told = [line.split('"event": "')[1].split('"')[0] for line in lines]
        assert told == ["filed", "reminder", "escalation", "demoted"]
        assert world.ladder.verify().ok


def test_a_process_that_dies_in_the_middle_loses_nothing_and_doubles_nothing(tmp_path, monkeypatch):
    """What it had begun is in no table; what it had sent and not written down comes again under the same id."""
    file = tmp_path / "told.jsonl"
    with reads(tmp_path / "ladder.db", notify=[{"kind": "file", "path": str(file)}]) as world:
        world.call()
        world.clock.advance(12 * HOUR)
        from ladder_graph.ledger.people import outgoing

        def died(*_, **__):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(outgoing, "queue", died)
            with pytest.raises(KeyboardInterrupt):
                world.ladder.sweep_reports()
        assert due(_Cursor(world), world.clock()), "it is still to be made"
        with monkeypatch.context() as patch:
            patch.setattr(outgoing, "sent", died)
            with pytest.raises(KeyboardInterrupt):
                world.ladder.sweep_reports()
        world.clock.advance(121)
        world.ladder.sweep_reports()
        world.ladder.sweep_reports()
        ids = [line.split('"id": "')[1].split('"')[0] for line in file.read_text(encoding="utf-8").splitlines()]
        assert len(ids) == 2
        assert len(set(ids)) == 1
        assert [entry.kind for entry in world.ladder.log(limit=100)].count("digest") == 1


class _Cursor:
    """Asks the ledger of a world, each query by itself."""

    def __init__(self, world):
        self._world = world

    def execute(self, sql, values):
        """The rows, as a cursor has them."""
        self._rows = self._world.ladder.store.read(lambda cursor: cursor.execute(sql, values).fetchall())
        return self

    def fetchall(self):
        """All of them."""
        return self._rows


def test_a_report_of_an_agent_inside_another_is_its_own(world):
    """The outer agent's tools keep their rung."""
    world.call(agent="ops/research")
    world.call()
    inner = next(one for one in world.ladder.digests() if one.agent == "ops/research")
    outer = next(one for one in world.ladder.digests() if one.agent == "ops")
    world.clock.advance(12 * HOUR)
    world.read(world.ladder.digest(outer.id))
    world.clock.advance(4 * HOUR)
    ((cell, _),) = world.ladder.sweep_reports()
    assert (cell.agent, inner.agent) == ("ops/research", "ops/research")
    assert world.rung(world.call()) == "report"


def test_only_the_cells_of_the_late_report_fall(tmp_path):
    """Each report answers for its own period: what acted only in one that is still in time stands."""
    with reads(tmp_path / "ladder.db", digest="hour", sla="90m") as world:
        tools = itertools.cycle(["read_stock", "read_price"])
        for _ in range(2):
            world.call(next(tools))
            world.clock.advance(HOUR)
        world.clock.advance(HOUR / 2)
        assert world.ladder.sweep_reports()[0][0].tool == "read_stock"
        assert [world.rung(world.call(tool)) for tool in ("read_stock", "read_price")] == ["rollback", "report"]


def test_reads_is_what_it_says(tmp_path):
    """The world of these tests has its tools on rung 5."""
    assert isinstance(Reads, type)
    with reads(tmp_path / "ladder.db") as world:
        assert {cell.route.rung for cell in world.ladder.status()} == {Rung.REPORT}


def test_a_report_is_found_by_the_beginning_of_its_id(world):
    """Where two begin alike, it is told to write more; where none does, where they are listed."""
    world.call()
    one = world.made()
    world.call()
    world.ladder.store.write(lambda cursor: cursor.execute("UPDATE digest SET id = 'abc' || id"))
    assert world.ladder.read(f"abc{one.id[:8]}", {}, by="ana").id == f"abc{one.id}"
    for prefix, said in (("abc", "more than one report begins with 'abc'"), ("abx", "there is no report 'abx'")):
        with pytest.raises(UnknownQuestion, match=said):
            world.ladder.read(prefix, {}, by="ana")
