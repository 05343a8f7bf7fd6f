"""Checkpoints in the ledger: what is handed out after one, and how far a target has got."""

from __future__ import annotations

import pytest

from ladder_graph.ledger.upkeep import checkpoints
from tests.unit.ledger.desk import call
from tests.unit.ledger.test_checkpoints_alone import Signer

TARGET = "the bucket"


@pytest.fixture
def three(desk):
    """A ledger with three checkpoints, made at 100, 200 and 300."""
    signer = Signer()
    for number in (1, 2, 3):
        desk.claim(call(number))
        assert desk.store.write(
            lambda cursor, at=100 * number: checkpoints.make(cursor, "shop", signer.public, signer.secret.sign, at)
        ) == number  # fmt: skip
    return desk


@pytest.mark.parametrize(("number", "then"), [(0, [1, 2, 3]), (1, [2, 3]), (2, [3]), (3, [])])
def test_what_comes_after_a_checkpoint_is_without_it(three, number, then):
    """A target isn't given again what it has taken."""
    assert [one for one, _ in three.store.read(lambda cursor: checkpoints.after(cursor, number))] == then


@pytest.mark.parametrize(("number", "waiting", "since"), [(0, 3, 100), (1, 2, 200), (2, 1, 300), (3, 0, None)])
def test_a_target_waits_since_the_first_one_that_it_has_not_taken(three, number, waiting, since):
    """And not since the last one that it has."""

    def export(cursor):
        assert checkpoints.take(cursor, TARGET, 400, 500) == 0
        checkpoints.taken(cursor, TARGET, number, 500)

    three.store.write(export)
    (found,) = three.store.read(lambda cursor: checkpoints.reached(cursor, [TARGET]))
    assert (found.number, found.waiting, found.since_us) == (number, waiting, since)
