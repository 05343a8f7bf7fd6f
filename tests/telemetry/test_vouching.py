"""How far signed checkpoints lag behind, as figures: nobody signs, or a target takes nothing."""

from __future__ import annotations

import contextlib

import pytest

from ladder_graph import Ladder
from ladder_graph.policy import Policy
from ladder_graph.telemetry.levels import Levels
from ladder_graph.telemetry.registry import Registry
from ladder_graph.testing import FrozenClock
from tests.telemetry.telling import Told
from tests.telemetry.test_figures import read

SECRET = "https://anchors.invalid/hook/T0P-5ECRET"  # noqa: S105  # of a test
LATE, WAITING, OLDEST, FAILURES = (f"ladder.checkpoints.{one}" for one in ("late", "waiting", "oldest", "failures"))
HERE, THERE = ("file 1",), ("post 2",)


@pytest.fixture(params=["sqlite", "postgres"])
def ladder(request, tmp_path):
    """A ladder over either database whose checkpoints go to a directory, and to a URL whose token isn't set."""
    source = tmp_path / "ladder.db" if request.param == "sqlite" else request.getfixturevalue("postgres")
    to = [{"kind": "file", "path": f"{tmp_path}/anchors/"}, {"kind": "post", "url": SECRET, "token_env": "NO_TOKEN"}]
    said = {"key": str(tmp_path / "checkpoint.key"), "every": "10m", "to": to}
    policy = Policy.model_validate({"agent": "ops", "tools": {"act": {"rung": "confirm"}}, "checkpoints": said})
    with contextlib.closing(Ladder(policy=policy, ledger=source, clock=FrozenClock())) as made:
        yield made


def told(ladder):
    """The figures of checkpoints at this moment."""
    return {
        (one.metric.name, one.labels): one.value
        for one in Levels(ladder).now()
        if one.metric.name.startswith("ladder.checkpoints.")
    }


def write(ladder):
    """An entry."""
    ladder.demote("act", to="draft", by="ana", reason="no")


def test_without_a_key_nothing_is_told(ladder):
    """Where no key signs yet there is nothing that lags behind."""
    write(ladder)
    assert told(ladder) == {}


def test_what_nobody_signs_is_late_by_the_time_of_the_policy(ladder):
    """It counts from when the next one was due, before the first one too; and not at all where nothing was written."""
    ladder.new_signing_key(by="ana")
    ladder.clock.advance(599)
    assert told(ladder)[LATE, ()] == 0
    ladder.clock.advance(31)
    assert told(ladder)[LATE, ()] == 30
    ladder.checkpoint()
    ladder.clock.advance(86_400)
    assert told(ladder)[LATE, ()] == 0
    write(ladder)
    assert told(ladder)[LATE, ()] == 85_800
    ladder.sweep_checkpoints()
    assert told(ladder)[LATE, ()] == 0


def test_what_a_target_has_not_taken_is_told_with_its_age(ladder):
    """One that takes all has nothing waiting; one that takes none counts each checkpoint, and its tries in a row."""
    ladder.new_signing_key(by="ana")
    assert {one: told(ladder)[one, THERE] for one in (WAITING, OLDEST, FAILURES)} == dict.fromkeys(
        (WAITING, OLDEST, FAILURES), 0
    )
    for _ in range(2):
        ladder.checkpoint()
        ladder.export_checkpoints(hurry=True)
        ladder.clock.advance(60)
        write(ladder)
    found = told(ladder)
    assert [found[one, HERE] for one in (WAITING, OLDEST, FAILURES)] == [0, 0, 0]
    assert [found[one, THERE] for one in (WAITING, OLDEST, FAILURES)] == [2, 120, 2]


def test_a_target_that_the_policy_has_dropped_is_told_no_more(ladder):
    """Whatever it lacked: nobody tries it again, so nobody is to be woken for it."""
    ladder.new_signing_key(by="ana")
    ladder.checkpoint()
    ladder.export_checkpoints()
    said = ladder.policy.checkpoints
    ladder.policy = ladder.policy.model_copy(update={"checkpoints": said.model_copy(update={"to": said.to[:1]})})
    assert {labels for _, labels in told(ladder)} == {(), HERE}


def test_neither_page_nor_meter_tells_the_address_of_a_target(ladder):
    """Its kind and its place in the policy name it, since the address may hold a secret; both tell the same."""
    meters = Told()
    meters.of(ladder)
    ladder.new_signing_key(by="ana")
    ladder.checkpoint()
    page = Registry().page(Levels(ladder).now())
    assert "5ECRET" not in page
    assert read(page)["ladder_checkpoints_waiting", THERE] == 1
    assert read(page)["ladder_checkpoints_late_seconds", ()] == 0
    assert meters.figures[WAITING] == {HERE: 1, THERE: 1}
    assert meters.figures[LATE] == {(): 0}
