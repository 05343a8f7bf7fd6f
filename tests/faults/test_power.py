"""Power cuts: what a disk may hold of the write-ahead log when the lazy commit after an effect was under way.

SQLite's durable commit has reached the disk before the effect. Of what is written after it any part may be missing:
the log may end early, or go on with zeros, with garbage, or with what lay there before.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from ladder_graph.ledger.database.log import Log
from ladder_graph.ledger.database.migrations import PAGE
from ladder_graph.ledger.database.postgres import FLUSH
from ladder_graph.ledger.database.wire import WireCursor
from ladder_graph.states import State
from ladder_graph.turns.turn import Turn
from tests.faults.conftest import BACKENDS
from tests.faults.crashing import CALL, MODEL, Host, Place, Point, go_on, killed, run
from tests.faults.matrix import check, check_file

HEADER, FRAME = 32, 24 + PAGE
"""Bytes of the log's header, and of one page in it with its own header."""
TAILS = ("missing", "zeros", "garbage", "old")
"""What comes where the new bytes end."""


class Watching(Host):
    """A host that keeps a copy of the disk as it is at the effect."""

    def execute(self, call, *, again=False):
        """The effect; the durable commit is behind us."""
        self.at_effect()
        return super().execute(call, again=again)


def disk(folder):
    """A ledger's database and its log, byte by byte."""
    return (folder / "ladder.db").read_bytes(), (folder / "ladder.db-wal").read_bytes()


def filmed(folder, kind, *, restarted):
    """Run a call, and take the disk before the claim, after the claim's flush, and after the record.

    Args:
        folder: Where.
        kind: What the tool declares.
        restarted: Whether the log is written over from its start, so that old pages lie behind the new ones.
    """
    where = Place(folder, str(folder / "ladder.db"), kind)
    ladder = where.ladder()
    with closing(ladder):
        for number in range(12 if restarted else 1):
            ladder.refuse("ops", "t0", {"id": None, "name": "send_email", "args": {"n": number}}, "It has no id.")
        ladder.gate(CALL, MODEL)
        if restarted:
            ladder.store.database.writer.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        before, taken = disk(folder), []
        host = Watching(where.world)
        host.at_effect = lambda: taken.append(disk(folder))
        assert ladder.run(CALL, MODEL, host).state is State.DONE
        after = disk(folder)
        # The locks' files stay behind, and nobody holds them.
        shutil.copytree(folder / "ladder.db.owners", folder / "owners")
    assert before[0] == taken[0][0] == after[0], "the database itself is written at a checkpoint only"
    assert before[1] != taken[0][1] != after[1]
    return SimpleNamespace(where=where, database=after[0], before=before[1], claimed=taken[0][1], recorded=after[1])


def changed(old, new):
    """From where the new log isn't the old one, and the end of the last page that isn't."""
    start = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), len(old))
    same = next((n for n, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=False)) if a != b), 0)
    pages = -(-(len(new) - (same if len(old) == len(new) else 0) - HEADER) // FRAME)
    return start, HEADER + pages * FRAME


def cuts(start, end, grain):
    """Where the power may have gone, with what comes there.

    Args:
        start: Where the new log begins to be another one.
        end: Where it ends to be.
        grain: `sectors` for each sector, and the edges and the middle of each page, with every tail; `pages` for one
            place in each page, with one tail.
    """
    pages = range(HEADER + (start - HEADER) // FRAME * FRAME, end, FRAME)
    if grain == "pages":
        inside = [page + (0, 24, FRAME // 2)[n % 3] for n, page in enumerate(pages)]
        places = [start, *(cut for cut in inside if start < cut < end), end]
        return [(cut, TAILS[n % len(TAILS)]) for n, cut in enumerate(places)]
    sectors = range(start - start % 512 + 512, end, 512)
    inside = {page + offset for page in pages for offset in (0, 24, FRAME // 2)}
    places = sorted({start, end - 1, end, *sectors, *(cut for cut in inside if start < cut < end)})
    return [(cut, tail) for cut in places for tail in TAILS]


def log_cut_at(cut, old, new, tail):
    """What the disk holds when the new log reached it up to the cut."""
    rest = len(new) - cut
    garbage = random.Random(cut).randbytes(rest)  # noqa: S311  # nothing is secret about it
    return new[:cut] + {"missing": b"", "zeros": bytes(rest), "garbage": garbage, "old": old[cut:]}[tail]


def powered_up(film, log, folder):
    """The same machine after the cut: the files as the disk has them, and the world as it is."""
    folder.mkdir()
    (folder / "ladder.db").write_bytes(film.database)
    (folder / "ladder.db-wal").write_bytes(log)
    shutil.copytree(film.where.folder / "owners", folder / "ladder.db.owners")
    if film.where.world.file.exists():
        shutil.copy(film.where.world.file, folder)
    return film.where.called(folder=folder, ledger=str(folder / "ladder.db"))


def found_at(where):
    """The state of the call, or None, and the quota; the file must be whole as SQLite sees it and as auditors do."""
    with closing(sqlite3.connect(where.ledger)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        quota = connection.execute("SELECT used, reserved FROM quota").fetchall()
        state = connection.execute("SELECT state FROM action").fetchall()
    verified, _ = check_file(Path(where.ledger).resolve(), ())
    assert verified.problems == ()
    return (State(state[0][0]) if state else None), (quota[0] if quota else None)


GRAINS = ["pages", pytest.param("sectors", marks=pytest.mark.faults)]
RESTARTED = pytest.mark.parametrize("restarted", [False, True], ids=["a new log", "a log written over"])


@RESTARTED
@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("kind", ["neither", pytest.param("probe", marks=pytest.mark.faults)])
def test_a_power_cut_in_the_lazy_commit(tmp_path, kind, grain, restarted):
    """The claim is there whatever is lost after it: `started` with its hold, or `done` and settled, never between."""
    film = filmed(tmp_path, kind, restarted=restarted)
    start, end = changed(film.claimed, film.recorded)
    seen = set()
    for cut, tail in cuts(start, end, grain):
        where = powered_up(film, log_cut_at(cut, film.claimed, film.recorded, tail), tmp_path / f"{cut}{tail}")
        found = found_at(where)
        assert found in {(State.STARTED, (0, 1)), (State.DONE, (1, 0))}, (cut, tail)
        seen.add(found[0])
        expected = State.UNKNOWN if (kind, found[0]) == ("neither", State.STARTED) else State.DONE
        assert run(where).state is expected
        assert check(where) == (expected, 1)
        shutil.rmtree(where.folder)
    assert seen == {State.STARTED, State.DONE}


@RESTARTED
@pytest.mark.parametrize("grain", GRAINS)
def test_a_power_cut_in_the_durable_commit(tmp_path, grain, restarted):
    """The claim is whole or not there. Where it isn't, nothing has run yet, and the call runs once afterwards."""
    film = filmed(tmp_path, "neither", restarted=restarted)
    film.where.world.file.unlink()  # The effect comes after the flush.
    start, end = changed(film.before, film.claimed)
    seen = set()
    for cut, tail in cuts(start, end, grain):
        where = powered_up(film, log_cut_at(cut, film.before, film.claimed, tail), tmp_path / f"{cut}{tail}")
        found = found_at(where)
        assert found in {(None, None), (State.STARTED, (0, 1))}, (cut, tail)
        seen.add(found[0])
        expected = (State.DONE, 1) if found[0] is None else (State.UNKNOWN, 0)
        assert run(where).state is expected[0]
        assert check(where) == expected
        shutil.rmtree(where.folder)
    assert seen == {None, State.STARTED}


def test_what_was_flushed_is_never_lost(tmp_path):
    """With only what the claim's flush had brought to the disk, the claim stands, and the effect isn't repeated."""
    film = filmed(tmp_path, "neither", restarted=False)
    where = powered_up(film, film.claimed, tmp_path / "cut")
    assert found_at(where) == (State.STARTED, (0, 1))
    assert run(where).state is State.UNKNOWN
    assert check(where) == (State.UNKNOWN, 1)


# --- what is waited for ------------------------------------------------------------------------------------------


def waits(where):
    """Which steps of a call's life wait for the disk: after which the log is flushed, here or by the server."""
    found, transaction, execute, flush = [], Turn.transaction, WireCursor.execute, Log.flush

    def asking(self, step):
        planned = transaction(self, step)
        if planned is None:
            return None

        def work(cursor):
            done = planned[0](cursor)
            if not (found and found[-1][2] is step):  # What was hoped for in vain comes a second time.
                found.append([type(step).__name__, False, step])
            return done

        return work, planned[1]

    def flushing(self, statement, parameters=None):
        if statement == FLUSH:
            found[-1][1] = True
        return execute(self, statement, parameters)

    def flushed(self):
        flush(self)
        found[-1][1] = True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Log, "flush", flushed)
        patch.setattr(Turn, "transaction", asking)
        patch.setattr(WireCursor, "execute", flushing)
        go_on(where)
    return [(name, waited) for name, waited, _ in found]


def the_claim_waits_for_the_disk(where):
    """Check it, in a call that asks in band where the place says so."""
    asking = [("Pose", False), ("Heard", True)] * (where.way == "in band")
    assert waits(where) == [*asking, ("Claim", True), ("Record", False)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", ["unasked", "in band"])
def test_what_waits_for_the_disk(place, backend, way):
    """An answer and a claim are on the disk before anything happens on the strength of them; the rest is lazy."""
    the_claim_waits_for_the_disk(place(backend, way=way))


@pytest.mark.parametrize("backend", BACKENDS)
def test_whoever_takes_over_waits_for_the_disk(place, backend):
    """A new fence is on the disk before anybody acts under it."""
    where = place(backend, kind="probe")
    assert killed(run, where, Point("before", "effect"))
    assert waits(where) == [("TakeOver", True), ("Record", False), ("Claim", True), ("Record", False)]
