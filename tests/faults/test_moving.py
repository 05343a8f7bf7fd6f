"""A move that is killed, at every step and anywhere between: never two ledgers that can be written, and it goes on."""

from __future__ import annotations

import datetime as dt
import os
import random
import shutil
import signal

import pytest

from ladder_graph.errors import LedgerMoved
from ladder_graph.ledger.moves.ends import FORMS
from ladder_graph.ledger.moves.lines import Tally
from ladder_graph.ledger.moves.moving import move, take_back
from ladder_graph.ledger.moves.upgrades import plan
from tests.programs import CONTEXT
from tests.unit.ledger.cargo import held, load

WAYS = ("to a server", "from a server", "file to file")
COPIES = tuple(f"copied {form.table.name}, " for form in FORMS)
SOME = ("shut", "reserved", "copied payload, ", "filled", "the new one is the ledger")
STEPS = (
    *SOME, *COPIES, " entries, and every chain is whole", "every row of every table is there",
    " entries there, and every chain is whole", "the old one says where it has gone",
)  # fmt: skip
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def carry(source, target, step=None, lines=0):
    """Move it, and die of SIGKILL after a step, or after so many lines that were sent or compared."""

    def tell(said):
        if step is not None and step in said:
            os.kill(os.getpid(), signal.SIGKILL)

    if lines:
        count, left = Tally.count, [lines]

        def dying(self, found):
            for line in count(self, found):
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                yield line

        Tally.count = dying
    move(source, target, by="ana", clock=lambda: NOW, tell=tell)


def run(*arguments):
    """In a process of its own; whether it came to its end."""
    process = CONTEXT.Process(target=carry, args=arguments)
    process.start()
    process.join(60)
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode == 0


def usable(ledger):
    """Whether it is a ledger that anybody may open."""
    try:
        return plan(ledger).version > 0
    except LedgerMoved:
        return False


@pytest.fixture(scope="session")
def loaded(tmp_path_factory):
    """A ledger in a file, made once."""
    file = tmp_path_factory.mktemp("loaded") / "ladder.db"
    load(file)
    return file


@pytest.fixture
def ends(loaded, tmp_path, postgres):
    """Makes the two ends of a way."""

    def make(way):
        file = tmp_path / "ladder.db"
        if way == "from a server":
            load(postgres)
            return postgres, str(file)
        shutil.copy(loaded, file)
        return str(file), postgres if way == "to a server" else str(tmp_path / "other.db")

    return make


def check(source, target, *deaths):
    """Kill it as often as told; then it is taken back or goes on, and everything is there once."""
    before = held(source)
    for death in deaths:
        over = run(source, target, *death)
        assert usable(source) + usable(target) <= 1, "nobody may write in two places"
        if over or usable(target):
            break
    if len(deaths) == 1 and not usable(target) and not usable(source):
        # What was begun can be taken back wherever it died, and begun anew.
        take_back(source, target, by="bo", clock=lambda: NOW)
        assert (usable(source), held(source) == before) == (True, True)
        assert not run(source, target, *deaths[0])
    if plan_is_open(source):
        assert run(source, target)
    assert (usable(source), usable(target)) == (False, True)
    assert held(target) == before


def plan_is_open(source):
    """Whether the last word of a move is missing."""
    try:
        plan(source)
    except LedgerMoved as moved:
        return "was moved to" not in str(moved)
    return True


@pytest.mark.parametrize("step", SOME)
def test_a_move_that_is_killed_goes_on(ends, step):
    """After each step of the way that most take: it is taken back and done again, or goes on to its end."""
    check(*ends("to a server"), (step,))


@pytest.mark.faults
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("step", sorted({*STEPS}))
def test_every_way_goes_on_from_every_step(ends, way, step):
    """The same for each table, and for each way."""
    check(*ends(way), (step,))


@pytest.mark.parametrize("seed", range(2))
def test_a_move_that_is_killed_between_two_lines(ends, seed):
    """Twice, wherever it is: in the middle of a table, or while both sides are compared."""
    _killed_anywhere(ends("to a server"), seed)


@pytest.mark.faults
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(100, 130))
def test_every_way_can_be_killed_between_two_lines(ends, way, seed):
    """The same at many more places."""
    _killed_anywhere(ends(way), seed)


def _killed_anywhere(found, seed):
    chance = random.Random(seed)  # noqa: S311  # no secret
    rows = sum(map(len, held(found[0]).values()))
    check(*found, *((None, chance.randrange(1, 2 * rows)) for _ in range(2)))
