"""`[retention]`: what calls were about goes by itself once it was kept for long enough, and the chains stay whole."""

from __future__ import annotations

import contextlib
import datetime as dt
import tracemalloc

import pytest

from ladder_graph import Ladder
from tests.cli.shop import DAY, Shop

KEPT = """
[retention]
payloads = "400d"
tools = { read_stock = "30d", send_mail = "1000d" }
labels = { customer-data = "90d" }
"""


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request, tmp_path, monkeypatch):
    """A shop after its day, on either database, whose policy says how long payloads are kept."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    made = Shop(tmp_path, "ladder.db" if request.param == "sqlite" else request.getfixturevalue("postgres"))
    said = made.policy.read_text(encoding="utf-8").replace(
        "[tools.set_price]", '[tools.set_price]\nlabels = ["customer-data"]'
    )
    people = '\n[people.ana]\nlabels = ["customer-data"]\n'
    made.policy.write_text(said + people + KEPT, encoding="utf-8")
    made.run(*DAY, ("no_such_tool", {"x": "secret"}))
    return made


def in_days(shop, number):
    """The ladder of the shop so many days later."""
    return contextlib.closing(
        Ladder(policy=shop.policy, clock=lambda: dt.datetime.now(dt.UTC) + dt.timedelta(days=number))
    )


def spoken(shop):
    """The tools of which the ledger still says what they were called with."""
    with shop.ladder() as ladder:
        return {action.tool for action in ladder.actions() if action.arguments}


def settle(shop):
    """Nobody waits for anything: the report is read, and every question is answered."""
    with in_days(shop, 2) as ladder:
        for question in ladder.pending():
            with contextlib.suppress(Exception):
                ladder.decline(question.id, by="ana", reason="late")
        ladder.sweep_reports()
        for report in ladder.digests():
            items = [item.action.key for item in ladder.digest(report.id).items]
            ladder.read(report.id, dict.fromkeys(items, "fine"), by="ana")
        for window in ladder.watched():
            ladder.keep(window.action, by="ana")


def test_each_goes_in_its_time(shop):
    """By tool, by label, or by the time for all: what is over for that long goes, and nothing before."""
    settle(shop)
    before = spoken(shop)
    with in_days(shop, 20) as ladder:
        assert ladder.sweep_retention() == 0
    assert spoken(shop) == before
    for days, gone in ((50, {"read_stock"}), (100, {"read_stock", "set_price"})):
        with in_days(shop, days) as ladder:
            assert ladder.sweep_retention()
            assert ladder.sweep_retention() == 0
            found = ladder.verify()
            assert found.ok
            assert found.erased
        assert spoken(shop) == before - gone
    with in_days(shop, 500) as ladder:
        ladder.sweep()
        assert ladder.verify().ok
    assert "send_mail" in spoken(shop)
    assert spoken(shop) <= {"send_mail", "refund", "close_ticket", "write_letter"}


def test_what_somebody_waits_for_stays(shop):
    """A report that nobody read and a question that nobody has closed yet keep what they are about, however old."""
    with in_days(shop, 500) as ladder:
        ladder.sweep_retention()
    assert {"read_stock", "refund", "close_ticket"} <= spoken(shop)


def test_it_is_told_who_erased(shop):
    """The entry names no person but the policy's retention, and counts stay."""
    settle(shop)
    with in_days(shop, 100) as ladder:
        ladder.sweep_retention()
        erased = [entry for entry in ladder.log(limit=1000) if entry.kind == "erased"]
    assert {entry.body["by"] for entry in erased} == {"retention"}


def test_without_a_time_nothing_goes(shop):
    """A policy that says nothing of it keeps everything."""
    settle(shop)
    text = shop.policy.read_text(encoding="utf-8").partition("[retention]")[0]
    shop.policy.write_text(text, encoding="utf-8")
    with in_days(shop, 5000) as ladder:
        assert ladder.sweep_retention() == 0


def test_memory_is_flat(tmp_path, monkeypatch):
    """Ten times as many actions take no more memory to erase: they go a hundred at a time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    peaks = []
    for number in (200, 2000):
        folder = tmp_path / str(number)
        folder.mkdir()
        with contextlib.closing(Ladder(agent="a", rungs={"t": "suggest"}, ledger=folder / "l.db")) as ladder:
            fill(ladder, number)
        policy = {"agent": "a", "tools": {"t": {"rung": "suggest"}}, "retention": {"payloads": "1d"}}
        with later(policy, folder / "l.db") as ladder:
            tracemalloc.start()
            assert ladder.sweep_retention() == number
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            assert ladder.verify().ok
    assert peaks[1] < 2 * peaks[0]


def fill(ladder, number):
    """So many suggestions."""
    from ladder_graph.calls import Call
    from ladder_graph.turns.hosting import Alone

    for n in range(number):
        ladder.run(Call("a", "t", str(n), "t", {"text": "x" * 500 + str(n)}), None, Alone())


def later(policy, file):
    """The same ledger two days later, under a policy that erases."""
    from ladder_graph.policy import Policy

    made = Ladder(
        policy=Policy.model_validate(policy), ledger=file,
        clock=lambda: dt.datetime.now(dt.UTC) + dt.timedelta(days=2),
    )  # fmt: skip
    return contextlib.closing(made)
