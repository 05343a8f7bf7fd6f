"""The suite's checks have teeth: with any rule of the protocol left out, one of them fails.

What is run here are the very checks of other modules: first on the product, where they hold, and then on the mutant.
"""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from ladder_graph.errors import LedgerError
from tests.faults import crashing, test_processes
from tests.faults.agents import NEXT
from tests.faults.crashing import Point, killed
from tests.faults.mutants import MUTANTS, under
from tests.faults.test_agents import one_crash as agent_crash
from tests.faults.test_crashes import one_crash, the_same_under_another_id
from tests.faults.test_power import the_claim_waits_for_the_disk
from tests.faults.test_stops import the_owner_stands_still
from tests.hosts import test_traps
from tests.hosts.graphs import WAYS
from tests.hosts.mounts import MOUNTS
from tests.unit.ledger import test_claims, test_questions
from tests.unit.ledger.desk import at


def crash(when, what, statement=0, **fields):
    """A case of the crash matrix."""
    return lambda place: one_crash(place.called(**fields), Point(when, what, statement))


def desk(check, desks=1):
    """A test of the ledger's transactions, with as many desks as it takes."""

    def run(place):
        with ExitStack() as opened:
            check(*(opened.enter_context(at(place.ledger)) for _ in range(desks)))

    return run


CAUGHT_BY = {
    "no_fence": desk(test_claims.test_a_fenced_off_owner_records_nothing, 2),
    "no_claim": crash("after", "effect"),
    "lazy_claim": the_claim_waits_for_the_disk,
    "liveness_by_time": lambda place: the_owner_stands_still(place.called(kind="probe"), half=False),
    "blind_rerun": crash("after", "effect"),
    "no_limit": lambda place: test_processes.test_threads_share_a_limit(place.folder),
    "hold_forgotten": crash("before", "claim"),
    "settle_forgotten": crash("before", "claim"),
    "doubt_settles": crash("before", "effect"),
    "head_not_updated": crash("before", "claim"),
    "approval_not_consumed": crash("before", "claim", way="at the ledger"),
    "digest_not_compared": lambda place: test_questions.test_an_edit_of_its_rule_voids_an_approval(place.ledger),
    "arguments_left_out_of_the_key": lambda _: test_traps.test_arguments_swapped_between_ask_and_answer(
        MOUNTS["wrap"], WAYS[0]
    ),
    "two_commits": crash("in", "claim", 9),
    "no_artifact": crash("after", "effect", kind="undoable"),
    "twins_not_seen": lambda place: the_same_under_another_id(place, Point("after", "effect")),
    "conversation_not_looked_at": lambda place: agent_crash(place, "exit", NEXT[0]),
    "silence_is_no_answer": desk(test_questions.test_silence_becomes_a_no, 2),
    "nothing_recorded": crash("before", "claim"),
}


OTHERWISE = {
    # The claim that should have been refused is none of the refusals whose reason the check reads.
    "digest_not_compared": AttributeError,
    # The hold that was left over is in the way of the next one.
    "two_commits": LedgerError,
}
"""Checks that fail by something else than an assertion of their own."""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(place, tmp_path, monkeypatch, name):
    """The check holds without the mutant, and fails with it; its own processes run the mutant, too."""
    places = []
    for side in ("product", "mutant"):
        (tmp_path / side).mkdir()
        places.append(place(folder=tmp_path / side))
    CAUGHT_BY[name](places[0])
    monkeypatch.setattr(crashing, "killed", lambda act, *args: killed(under, name, act, *args))
    with pytest.raises(OTHERWISE.get(name, AssertionError)):
        under(name, CAUGHT_BY[name], places[1])


def test_every_mutant_has_its_check():
    """None is left out."""
    assert CAUGHT_BY.keys() == MUTANTS.keys()
