"""Claim, record, take over: an action starts once, and only who started it may say what came of it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from ladder_graph.ledger.upkeep import restorations
from ladder_graph.policy.bounds import Charge
from ladder_graph.states import State
from ladder_graph.steps import Claimed, NotClaimed
from tests.unit.ledger.desk import ANA, CALL, READ, RULE, Desk, at, call, charge

BUSY = "busy"


def test_a_claim_and_its_record(desk):
    """A claim starts the action, a record ends it, and each is an entry of the chain."""
    assert desk.claim() == Claimed(1)
    assert desk.state() is State.STARTED
    assert desk.record("done", reply=b"sent")
    known = desk.look().known
    assert (known.state, known.reply, known.fence) == (State.DONE, b"sent", 1)
    assert desk.kinds() == "started done"
    assert desk.verify() == ()


def test_the_call_comes_back_as_it_was(desk):
    """The ledger gives back the very call, with its digest and key, whatever its arguments hold."""
    odd = replace(CALL, arguments={"id": 2**60, "$int": "1", "cost": 1.5, "text": "naïve \U0001f642", "no": None})
    desk.claim(odd)
    known = desk.look(odd).known
    assert known.call == odd
    assert (known.call.digest, known.call.key) == (odd.digest, odd.key)


def test_a_running_action_is_not_claimed_again(desk, other):
    """Neither by another process nor by another task of the same one."""
    desk.claim()
    for one in (desk, other):
        assert one.claim() == NotClaimed(BUSY, "it is started already.")
        assert one.look().known.owner_alive


@pytest.mark.parametrize("dead", [True, False])
def test_what_was_under_way_in_a_copy_is_in_doubt(desk, other, dead):
    """A process that still holds its lock may have ended the call since the copy was made; only who marks it knows."""
    desk.claim()
    other.claim(call(2))
    if dead:
        desk.die()
    other.write(lambda journal, cursor: restorations.mark(journal, cursor, "ops", "a test", ANA))
    assert (other.state(), other.state(call(2))) == (State.UNKNOWN, State.STARTED)
    if not dead:
        assert not desk.record("done")
    assert desk.kinds().split()[2:] == ["unknown", "restored", *["late"] * (not dead)]


def test_who_runs_an_action_lives_by_whatever_link_the_ledger_is_opened(tmp_path):
    """The locks lie beside the file itself, so that nobody is taken for dead who opened it by another path."""
    (tmp_path / "data").mkdir()
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "ladder.db").symlink_to("../data/ladder.db")
    with closing(Desk(tmp_path / "app" / "ladder.db")) as here, closing(Desk(tmp_path / "data" / "ladder.db")) as there:
        for number, (one, two) in enumerate(((here, there), (there, here)), 2):
            one.claim(of := call(number))
            assert two.look(of).known.owner_alive
            assert two.take_over(1, of) == NotClaimed(BUSY, "it is started, and somebody else may be at it.")
    assert [path.name for path in (tmp_path / "app").iterdir()] == ["ladder.db"]


@pytest.mark.parametrize("state", ["done", "failed", "unknown"])
def test_an_ended_action_is_not_claimed_again(desk, other, state):
    """Who looked before it ended, and claims after, is refused: no second effect."""
    desk.claim()
    desk.record(state)
    assert other.claim() == NotClaimed(BUSY, f"it is {state} already.")


def test_an_action_whose_owner_died_is_not_claimed_blindly(desk, other):
    """Its effect may have happened, so it must be taken over and looked into first."""
    desk.claim()
    desk.die()
    assert not other.look().known.owner_alive
    assert other.claim() == NotClaimed(BUSY, "it is started already.")
    assert other.take_over(1) == Claimed(2)


def test_after_it_was_found_absent_it_may_start_again(desk, other):
    """An action that certainly had no effect is paused, and starts under a new fence."""
    desk.claim()
    desk.die()
    other.take_over(1)
    other.record("paused", fence=2)
    assert other.claim() == Claimed(3)
    assert other.record("done", fence=3)


@pytest.mark.parametrize("state", ["started", "done"])
def test_a_read_may_be_claimed_again(path, desk, state):
    """There is no effect to protect, so a read starts again, whoever runs it."""
    desk.rule = READ
    desk.claim(reader=("bo", 60))
    if state == "done":
        desk.record("done")
    assert desk.claim(reader=("bo", 60)) == Claimed(2)
    assert desk.rows("SELECT count(*) FROM report") == [(1,)]


def test_waiting_actions_are_not_claimed(desk):
    """A suggestion, a draft and an open question don't run by a claim."""
    for number, state in enumerate(["suggested", "drafted", "refused", "declined"]):
        desk.settle(state, call(number))
        assert desk.claim(call(number)).code == BUSY
    desk.pose(call(9))
    assert desk.claim(call(9)).code == BUSY


def test_an_approved_action_needs_its_approval(desk):
    """A claim that brings neither question nor person doesn't start what a person approved."""
    desk.answer(desk.pose())
    assert desk.claim().code == BUSY


def test_an_accepted_draft_is_claimed_by_a_person(desk):
    """The claim of an accepted draft carries the person whose act it is."""
    desk.settle("drafted", draft=("/d/x.md", "0" * 64))
    desk.write(lambda journal, cursor: journal.move(cursor, CALL, State.APPROVED, body={}, actor="ana"))
    assert desk.claim(actor=ANA) == Claimed(1)
    assert desk.rows("SELECT actor FROM action") == [("ana",)]


# --- fences --------------------------------------------------------------------------------------------------


def test_only_one_takes_over(desk, other, source):
    """Two who find the same orphan: the first is its owner, the second must wait."""
    desk.claim()
    desk.die()
    with at(source) as third:
        assert other.take_over(1) == Claimed(2)
        assert third.take_over(1).code == BUSY
        assert third.look().known.owner_alive


def test_a_task_that_is_over_is_dead_though_its_process_lives(desk):
    """What a task left `started` when it ended is in doubt at once, and another task may look into it."""
    desk.claim()
    desk.store.owner.end(CALL.key, 1)
    assert not desk.look().known.owner_alive
    assert desk.take_over(1) == Claimed(2)
    assert desk.look().known.owner_alive


def test_nobody_takes_over_from_the_living(desk, other):
    """A slow owner is an owner."""
    desk.claim()
    assert other.take_over(1).code == BUSY


def test_a_fenced_off_owner_records_nothing(desk, other):
    """Who was taken over can't overwrite what came of it, and its late word is an entry."""
    desk.claim(CALL, charge())
    desk.die()
    other.take_over(1)
    assert not desk.record("done", fence=1, reply=b"late")
    assert other.record("failed", fence=2)
    known = desk.look().known
    assert (known.state, known.reply) == (State.FAILED, None)
    assert desk.kinds() == "started started late failed"
    assert desk.quota() == (0, 0)


def test_a_second_record_is_late(desk):
    """What came of an action is written once."""
    desk.claim()
    desk.record("failed")
    assert not desk.record("done")
    assert desk.state() is State.FAILED


def test_an_undo_that_was_cut_off_is_taken_over(desk, other):
    """An undo whose process died goes on elsewhere, under a new fence."""
    desk.claim(artifact={"state": "old", "before": "f"})
    desk.record("undoing", text="it is down")
    assert other.look().known.owner_alive
    desk.die()
    known = other.look().known
    assert (known.state, known.owner_alive, known.artifact["state"], known.text) == (
        State.UNDOING, False, "old", "it is down",
    )  # fmt: skip
    assert other.take_over(1) == Claimed(2)
    assert other.record("undone", fence=2)


# --- what is held --------------------------------------------------------------------------------------------


def test_a_claim_that_is_refused_leaves_nothing(desk):
    """The first quota fits and the second doesn't: not even the first is held, and there is no action."""
    both = (charge(quota="a"), charge(amount=4, quota="b"))
    assert desk.claim(CALL, *both).code == "quota"
    assert (desk.look().known, desk.quota(), desk.kinds()) == (None, (0, 0), "")
    assert desk.rows("SELECT count(*) FROM hold") == [(0,)]


@pytest.mark.parametrize(
    ("state", "used", "held"),
    [("done", 2, 0), ("failed", 0, 0), ("unknown", 0, 2), ("paused", 0, 2)],
)
def test_what_becomes_of_a_hold(desk, state, used, held):
    """Done uses it, a failure gives it back, and doubt keeps it."""
    desk.claim(CALL, charge(amount=2))
    assert desk.quota() == (0, 2)
    desk.record(state)
    assert desk.quota() == (used, held)


@pytest.mark.parametrize("state", ["undone", "undo_conflict", "undo_failed"])
def test_an_undone_action_has_used_its_quota(desk, state):
    """It did run, and counts."""
    desk.claim(CALL, charge())
    desk.record("undoing")
    assert desk.quota() == (0, 1)
    desk.record(state)
    assert desk.quota() == (1, 0)


def test_it_settles_where_it_was_held(desk):
    """An action that ends after midnight counts in the window of its claim."""
    desk.claim(CALL, charge(window="2026-11-22"))
    desk.later(days=1)
    desk.record("done")
    assert desk.rows('SELECT "window", used, reserved FROM quota') == [(charge().start, 1, 0)]


def test_a_clock_that_was_set_back_opens_no_window_again(desk):
    """The counter stays in the window it has reached: neither yesterday's rest nor a new one of today can be had."""
    assert [desk.claim(call(n), charge(window="2026-11-23")) for n in range(3)] == [Claimed(1)] * 3
    assert desk.claim(call(9), charge(window="2026-11-22")).code == "quota"
    assert desk.look(call(9), charge(window="2026-11-22")).left[0][1] == 0
    desk.record("failed", call(0))
    assert desk.claim(call(9), charge(window="2026-11-22")) == Claimed(1)
    assert desk.rows("SELECT * FROM quota WHERE used + reserved <> 3") == []
    assert desk.claim(call(10), charge(window="2026-11-24")) == Claimed(1)


def sliding(bucket, amount=1, limit=3):
    """What a call takes from a sliding window of eight buckets of one second."""
    return Charge("ops/send_email/rate", "any 8s", amount, limit, "calls", bucket * 1_000_000, 8_000_000)


def test_a_sliding_window_counts_its_buckets(desk):
    """A bucket counts until the whole window has gone by since its end; then its room is free again."""
    assert [desk.claim(call(n), sliding(n)) for n in (100, 104, 107)] == [Claimed(1)] * 3
    for bucket in (107, 108):
        assert desk.claim(call(9), sliding(bucket)).text == "3 calls are allowed in any 8s, and none is left"
        assert desk.look(call(9), sliding(bucket)).left[0][1] == 0
    assert desk.look(call(9), sliding(109)).left[0][1] == 1
    assert desk.claim(call(9), sliding(109, 2)).code == "quota"
    assert desk.claim(call(9), sliding(109)) == Claimed(1)
    assert desk.claim(call(10), sliding(112)).code == "quota"
    assert desk.claim(call(10), sliding(113)) == Claimed(1)


def test_a_sliding_window_settles_in_its_bucket(desk):
    """What failed gives its room back; what is done or in doubt keeps it, in the bucket of its claim."""
    for n, state in ((100, "failed"), (101, "done"), (102, "unknown")):
        desk.claim(call(n), sliding(n))
        desk.record(state, call(n))
    taken = desk.rows('SELECT "window" / 1000000, used, reserved FROM quota ORDER BY 1')
    assert taken == [(100, 0, 0), (101, 1, 0), (102, 0, 1)]
    assert desk.look(call(9), sliding(103)).left[0][1] == 1


def test_a_sliding_window_never_slides_back(desk):
    """A clock that was set back finds the buckets it has filled, and fills the last one further."""
    assert [desk.claim(call(n), sliding(n)) for n in (100, 109)] == [Claimed(1)] * 2
    assert desk.claim(call(50), sliding(50, 3)).code == "quota"
    assert desk.claim(call(51), sliding(51, 2)) == Claimed(1)
    assert desk.rows('SELECT "window" / 1000000, reserved FROM quota ORDER BY 1') == [(100, 1), (109, 3)]
    assert desk.look(call(52), sliding(52)).left[0][1] == 0


def test_started_over_it_keeps_what_it_holds(desk):
    """An action that paused holds on to its quota, and takes no more when it starts again."""
    desk.claim(CALL, charge())
    desk.record("paused")
    desk.claim()
    desk.record("done", fence=2)
    assert desk.quota() == (1, 0)


def test_the_last_one_fits(desk):
    """Three fit into three, a fourth doesn't, and its refusal says why."""
    assert [desk.claim(call(n), charge()) for n in range(3)] == [Claimed(1)] * 3
    assert desk.claim(call(9), charge()).text == "3 calls are allowed in 2026-11-22, and none is left"
    assert desk.look(call(9), charge()).left == ((charge(), 0),)


def test_a_lower_limit_only_refuses(desk):
    """A limit that was lowered below what is used refuses; raised again, it lets through."""
    desk.claim(CALL, charge())
    assert desk.claim(call(2), charge(limit=1)).code == "quota"
    assert desk.claim(call(2), charge(limit=2)) == Claimed(1)


def test_a_report_lies_with_the_claim(desk):
    """The report names its readers and when it is due, from the moment of the claim."""
    desk.claim(reader=("bo", 3_600_000_000))
    ((readers, taken),) = desk.rows(
        "SELECT readers, due_us - filed_us FROM report JOIN digest ON digest.id = report.digest"
    )
    assert (readers, taken) == ('["bo"]', 3_600_000_000)
    assert desk.look().overdue == 0
    desk.later(hours=2)
    assert desk.look().overdue == 1


def test_half_a_surrogate_pair_in_an_error_is_no_obstacle(desk):
    """What a tool's error holds must not keep its outcome from being recorded."""
    desk.claim()
    assert desk.record("unknown", text="no file \udcff", error="OSError: \udcff")
    assert desk.look().known.text == r"no file \udcff"
    assert desk.verify() == ()


def test_a_step_that_the_table_does_not_have_is_refused(desk):
    """The table of states is the law: what isn't in it is our error, and changes nothing."""
    desk.claim()
    with pytest.raises(ValueError, match="can't become asked from started"):
        desk.write(lambda journal, cursor: journal.move(cursor, CALL, State.ASKED, body={}))
    assert (desk.state(), desk.kinds()) == (State.STARTED, "started")


def test_the_rule_of_the_desk_is_the_rule(desk):
    """A tool that doesn't only read is never started twice, whatever the step says of its durability."""
    assert desk.rule is RULE
    desk.claim(durable=False)
    desk.record("done")
    assert desk.claim(durable=False).code == BUSY
