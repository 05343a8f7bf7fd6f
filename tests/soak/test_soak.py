"""The soak in short, with and without a rule left out; and its checks on records that were tampered with."""

from __future__ import annotations

import json

import pytest

from tests.soak import page
from tests.soak.figures import figures
from tests.soak.oracle import checked
from tests.soak.records import Records
from tests.soak.run import Plan, run
from tests.soak.world import Happening

SHORT = Plan(seconds=15, workers=3, watchers=2, gap=1.5)


@pytest.mark.faults
@pytest.mark.parametrize("seed", [1, 2])
def test_a_short_soak(tmp_path, seed):
    """A quarter of a minute of kills: nothing ran twice, nothing was lost, and the page can be written of it."""
    done = run(Plan(SHORT.seconds, seed, SHORT.workers, SHORT.watchers, SHORT.gap, folder=tmp_path / "run"))
    assert done.wrong == []
    assert len(done.records.did) > 5
    assert "| all |" in page.page(figures(done))


@pytest.mark.faults
@pytest.mark.parametrize(
    "mutant",
    ["no_claim", "hold_forgotten", "settle_forgotten", "approval_not_consumed", "head_not_updated", "no_artifact"],
)
def test_a_mutant_is_noticed(tmp_path, mutant):
    """With a rule left out in the workers, some check of the same short run fails."""
    done = run(
        Plan(
            SHORT.seconds,
            1,
            SHORT.workers,
            SHORT.watchers,
            gap=1000,
            mutant=mutant,
            patience=30,
            folder=tmp_path / "run",
        )
    )
    assert done.wrong


def entry(n, kind, action, **said):
    """One entry of a ledger."""
    return {
        "stream": "soak",
        "n": n,
        "at_us": n * 1000,
        "kind": kind,
        "action": action,
        "prev": str(n - 1),
        "hash": str(n),
        "body": json.dumps(said),
    }


def record(state="done", tool="switch", kinds=("started", "done"), did=1, **changes):
    """The records of a run in which there was one call."""
    body = json.dumps({"arguments": {"ticket": "t1"}})
    action = {
        "key": "a1", "tool": tool, "state": state, "body": body, "rung": 4, "actor": "", "thread": "1", "call_id": "c1",
        "why": "", "text": "",
    }  # fmt: skip
    names = ("entries", "actions", "questions", "watches", "reports", "drafts", "quotas", "holds", "resumptions")
    ledger = {name: [] for name in names}
    ledger |= {"actions": [action], "entries": [entry(n, kind, "a1") for n, kind in enumerate(kinds, 1)]}
    happenings = [Happening(1.0, "did", tool, "t1", "c1", str(n)) for n in range(did)]
    given = {
        "ledger": ledger, "happenings": happenings, "mails": {}, "files": {}, "answers": [], "drafts": [], "acts": [],
        "rulings": {},
    }  # fmt: skip
    ledger |= changes.pop("ledger", {})
    return Records(**{**given, **changes})


def happened(*kinds):
    """What happened to the one call, one thing after the other."""
    return [Happening(1.0, kind, "switch", "t1", "c1") for kind in kinds]


def wrong(records):
    """What the checks find."""
    return [text for check in checked(records) for text in check.wrong]


QUESTION = {"id": "q1", "action": "a1", "state": "used", "by": "ana", "asked_us": 0, "answered_us": 1}


def test_records_in_which_all_is_well():
    """The checks find nothing in a run in which nothing is wrong."""
    assert wrong(record()) == []


@pytest.mark.parametrize(
    ("records", "found"),
    [
        (record(did=2), "2 effects of 1 actions"),
        (record(did=0), "its effect is not there"),
        (record(state="declined", kinds=("asked", "declined")), "nothing was on record"),
        (record(state="declined"), "is declined, and was started"),
        (record(state="failed"), "its effect is there"),
        (record(state="started", kinds=("started",)), "with everybody alive"),
        (record(happenings=[Happening(0.0, "did", "switch", "t1", "c1")]), "nothing was on record before"),
        (record(happenings=happened("did", "bad")), "was bad, and is done"),
        (record(happenings=happened("did", "undid", "undid")), "undone 2 times"),
        (record(tool="pay"), "pay a1 ran unasked"),
        (record(tool="write", files={"t1": 2}), "its file has 2 lines"),
        (record(ledger={"questions": [QUESTION]}, kinds=("asked",), state="approved", did=0), "never ran"),
        (record(ledger={"questions": [{**QUESTION, "state": "declined"}]}), "and its action a1 ran"),
        (record(ledger={"entries": [entry(1, "started", "a1"), entry(3, "done", "a1")]}), "doesn't follow"),
        (record(ledger={"quotas": [{"quota": "q", "window": 0, "used": 3, "reserved": 0, "lim": 2}]}), "holds 3, of 2"),
        (record(ledger={"holds": [{"action": "a1", "quota": "q", "window": 0, "amount": 1}]}), "still holds"),
        (record(ledger={"watches": [{"action": "a1", "tool": "switch", "phase": "open", "why": ""}]}), "is still open"),
    ],
)  # fmt: skip
def test_records_in_which_something_is_wrong(records, found):
    """Each thing that must not be is found."""
    assert any(found in text for text in wrong(records)), wrong(records)


def test_the_page_is_what_was_measured():
    """`docs/soak.md` says what stands in the figures of the last run, and that nothing was wrong in it."""
    kept = json.loads(page.FIGURES.read_text(encoding="utf-8"))
    assert page.PAGE.read_text(encoding="utf-8") == page.page(kept)
    assert [one for one in kept["checks"] if one["wrong"]] == []
