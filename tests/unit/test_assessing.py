"""Earning a rung and losing it, through the real ladder: weeks of approvals, a signature, a mistake."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace

import pytest

from ladder_graph import AnswerRefused
from ladder_graph.calls import Call
from ladder_graph.facts import Person
from ladder_graph.scale import Rung
from tests.unit.world import BOSS, World, model


@pytest.fixture
def world():
    """A world on its first day."""
    with contextlib.closing(World()) as world:
        yield world


def ready(world, days=28, runs=1):
    """Everything that a promotion needs."""
    for _ in range(days):
        last = world.day(runs)
    assert [wrong for *_, wrong in world.ladder.attest(by=BOSS)] == ["", ""]
    return last


def stands(world, env=None):
    """The rung on which a call would go now."""
    env = env or world.env
    call = Call("ops", "look", "look", "refund", {"amount": 5}, env.key("refund"))
    return world.ladder.route(call, env)[0].rung


def test_weeks_of_approvals_and_a_signature_raise_a_tool(world):
    """Then it runs unasked inside its bounds, the certificate is in the ledger, and all can be worked out anew."""
    ready(world)
    (before,) = world.ladder.trust("refund")
    assert before.standing.rung is Rung.CONFIRM
    assert before.certificate.granted, before.certificate.missing
    made = world.ladder.promote("refund", by=BOSS)
    assert (made.to, made.e >= 10, made.evidence.k) == (Rung.BOUNDED, True, 0)
    ran = len(world.desk.ran)
    world.call()
    assert len(world.desk.ran) == ran + 1
    world.call(amount=500)
    assert len(world.desk.ran) == ran + 1, "outside its bounds it asks as before"
    assert world.ladder.recompute() == []
    assert world.ladder.verify().ok
    (entry,) = world.ladder.reading.of_kind("ops", "promoted")
    assert (entry[2]["by"], entry[2]["certificate"]["e"]) == (BOSS, made.e)


UNSURE = {
    "another prompt": model(prompt="p2"),
    "a dynamic prompt": model(prompt="dynamic"),
    "an alias": replace(model(), reported=None),
    "unread parameters": replace(model(), parameters=None),
}
"""What stands at most at bounded, since it changed or isn't all known."""


@pytest.mark.parametrize("unsure", UNSURE.values(), ids=UNSURE)
@pytest.mark.parametrize(("mistakes", "silent", "code"), [(True, 0, "D4"), (False, 95, "D6")], ids=["wrong", "silent"])
def test_what_may_have_changed_goes_down_like_anything_else(unsure, mistakes, silent, code):
    """It stands where the gate says, so that its mistakes and its silence tell against it."""
    with contextlib.closing(World(start="bounded")) as world:
        world.call()
        for _ in range(20):
            for _ in range(5):
                call = world.call(env=unsure)
                if mistakes:
                    world.ladder.incident(call.key, "S1", by="ana", kind="wrong_order")
            world.clock.advance(86400)
        assert stands(world, unsure) is Rung.BOUNDED
        world.clock.advance(86400 * silent)
        key = unsure.key("refund")
        (known,) = [one for one in world.ladder.trust("refund") if one.cell.env == key]
        assert (known.standing.rung, known.environment) == (Rung.BOUNDED, unsure)
        assert [down.code for cell, down in world.ladder.sweep_trust() if cell.env == key] == [code]
        assert stands(world, unsure) is Rung.CONFIRM
        assert world.ladder.recompute() == []


def test_what_the_lock_names_has_not_changed(tmp_path, caplog):
    """An agent that begins on a new ledger with the lock of another one is just what its rungs are granted to."""
    lock = tmp_path / "ladder.lock"
    with contextlib.closing(World(start="bounded")) as world:
        world.call()
        world.ladder.pin(by=BOSS, path=lock)
    caplog.clear()
    with contextlib.closing(World(start="bounded", lock=lock)) as world:
        world.call()
        (entry,) = world.ladder.entries(agent="ops", kind="environment").items
        assert entry.body["text"].startswith("ops is what its rungs are granted to")
        assert stands(world) is Rung.BOUNDED
    assert caplog.records == []


@pytest.mark.parametrize("name", ["a dynamic prompt", "an alias", "unread parameters"])
def test_nobody_signs_for_what_is_not_known(name):
    """Above bounded all of it must be known; and where somebody had signed, the gate would know better."""
    with contextlib.closing(World(start="bounded", read_only=True)) as world:
        world.env = UNSURE[name]
        for _ in range(45):
            for _ in range(20):
                world.call()
            world.clock.advance(86400)
        world.ladder.attest(by=BOSS)
        (known,) = world.ladder.trust("refund")
        assert [gate.code for gate in known.certificate.missing] == ["environment"]
        with pytest.raises(AnswerRefused, match="it may go up to bounded"):
            world.ladder.promote("refund", by=BOSS)


def test_an_agent_inside_another_earns_like_any_other(world):
    """What was tried out counts for it too, for the tools that it has."""
    world.inside("clerk")
    ready(world)
    (before,) = world.ladder.trust("refund", agent="ops/clerk")
    assert before.certificate.granted, before.certificate.missing
    world.ladder.promote("refund", agent="ops/clerk", by=BOSS)
    ran = len(world.desk.ran)
    world.call()
    assert len(world.desk.ran) == ran + 1
    assert world.ladder.recompute("ops/clerk") == []
    told = {one.body["tool"] for one in world.ladder.entries(agent="ops/clerk", kind="attested").items}
    assert told == {"", "refund"}


def test_a_day_of_calls_is_no_evidence_of_weeks(world):
    """Two thousand approvals on one day count as the twentieth part of what is needed."""
    world.day(60)
    found = world.ladder.trust("refund")[0].certificate
    assert found.evidence.runs == 60
    assert found.evidence.n_eff < found.needed / 19
    with pytest.raises(AnswerRefused, match="may not go up to bounded yet: e = 1"):
        world.ladder.promote("refund", by=BOSS)


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("ana", "ana may not sign a promotion; role:promoter may"),
        ("ops", "an agent never signs for itself"),
        (Person(BOSS, "unverified"), "nobody checked that this is rita"),
    ],
)
def test_only_a_named_person_with_the_role_signs(world, by, says):
    """Neither the agent, nor somebody without the role, nor a name that nobody checked."""
    world.day(1)
    with pytest.raises(AnswerRefused, match=re.escape(says)):
        world.ladder.promote("refund", by=by)


def test_without_evidence_there_is_nothing_to_sign(world):
    """A cell that never acted has no certificate."""
    with pytest.raises(AnswerRefused, match="has no evidence"):
        world.ladder.promote("refund", by=BOSS)


def test_an_expected_mistake_with_a_consequence_costs_one_rung_and_keeps_the_evidence(world):
    """At once, before the next call; it may come back after two weeks, if the certificate still holds."""
    last = ready(world, days=60)
    world.ladder.promote("refund", by=BOSS)
    assert stands(world) is Rung.BOUNDED
    down = world.ladder.incident(last.key, "S2", by="ana", kind="wrong_order", text="the other order")
    assert (down.code, down.rung) == ("D1", Rung.CONFIRM)
    assert stands(world) is Rung.CONFIRM
    found = world.ladder.trust("refund")[0].certificate
    assert (found.evidence.k, found.evidence.runs) == (pytest.approx(0.45, abs=0.01), 60)
    assert {gate.code for gate in found.missing} >= {"cooldown", "incidents"}
    assert world.ladder.incident(last.key, "S2", by="ana", kind="wrong_order") is None, "twice is once"
    assert world.ladder.recompute() == []


def test_a_mistake_that_nobody_anticipated_wipes_the_evidence(world):
    """Of the whole tool, in every environment."""
    last = ready(world)
    world.ladder.promote("refund", by=BOSS)
    down = world.ladder.incident(last.key, "S2", by="ana", kind="paid_a_stranger")
    assert (down.code, down.rung, down.wide) == ("D2", Rung.DRAFT, True)
    assert stands(world) is Rung.DRAFT
    assert stands(world, model("gpt-6")) is Rung.DRAFT
    assert world.ladder.trust("refund")[0].certificate.evidence.runs == 0


def waits(world):
    """The days of each demotion by the ledger, oldest first."""
    return [event.cooldown for event, _ in world.ladder.history("refund") if event.kind == "demoted"]


def test_whoever_reports_a_mistake_is_told_for_how_long_its_tool_waits(world):
    """Doubled for each demotion in 90 days before, also where those were of one cell and it is of the whole tool."""
    keys, told = [world.approved().key for _ in range(5)], []
    for key, kind in zip(keys, ["wrong_order", "wrong_order", "paid_a_stranger", "wrong_order"], strict=False):
        told.append(world.ladder.incident(key, "S2", by="ana", kind=kind).cooldown)
        world.clock.advance(60)
    assert told == waits(world) == [14, 28, 112, 112]
    world.clock.advance(90 * 86400)
    assert world.ladder.incident(keys[-1], "S2", by="ana", kind="wrong_order").cooldown == 14
    assert world.ladder.recompute() == []


def test_a_sweep_and_a_return_wait_longer_too(world):
    """As any demotion does, and whoever sweeps is told."""
    ready(world)
    world.ladder.promote("refund", by=BOSS)
    world.ladder.demote("refund", "bounded", reason="for now", by="ana")
    world.clock.advance(40 * 86400)
    assert [down.cooldown for _, down in world.ladder.sweep()] == [14]
    assert waits(world) == [0, 14]
    with contextlib.closing(World(start="rollback")) as other:
        other.call()
        other.ladder.demote("refund", "bounded", reason="for now", by="ana")
        other.approved(env=model("gpt-5-2025-11-20"))
        other.clock.advance(40 * 86400)
        other.call()
        assert waits(other) == [0, 14]


def test_a_report_that_is_taken_back_counts_no_more(world):
    """The loss is gone; the rung is earned again, it doesn't come back by itself."""
    last = ready(world)
    world.ladder.incident(last.key, "S2", by="ana", kind="wrong_order")
    assert world.ladder.trust("refund")[0].certificate.evidence.k > 0
    world.clock.advance(60)
    world.ladder.incident(last.key, "S2", by="ana", kind="wrong_order", reversed_=True)
    assert world.ladder.trust("refund")[0].certificate.evidence.k == 0


def test_another_model_is_another_cell(world):
    """It stands at confirm, earns by itself, and the first model's rung waits for it to come back."""
    ready(world)
    world.ladder.promote("refund", by=BOSS)
    other = model("gpt-5-2025-11-20")
    world.approved(env=other)
    assert stands(world) is Rung.BOUNDED
    assert stands(world, other) is Rung.CONFIRM
    cells = {one.current: one for one in world.ladder.trust("refund")}
    assert (cells[True].standing.rung, cells[False].standing.rung) == (Rung.CONFIRM, Rung.BOUNDED)
    assert cells[True].certificate.evidence.runs == 1
    assert world.ladder.recompute() == []


def test_production_inherits_nothing_from_staging():
    """Each scope earns its own rung, and a value that nobody declared none."""
    scope = {"argument": "stage", "values": ["staging", "production"]}
    with contextlib.closing(World(scope=scope)) as world:
        world.stage = "staging"
        ready(world)
        world.ladder.promote("refund", by=BOSS, scope="staging")
        for stage, rung in (("staging", Rung.BOUNDED), ("production", Rung.CONFIRM), ("test", Rung.CONFIRM)):
            call = Call("ops", "x", stage, "refund", {"amount": 5, "stage": stage}, world.env.key("refund"))
            assert world.ladder.route(call, world.env)[0].rung is rung
        shown = {cell.scope: cell.route.rung for cell in world.ladder.status()}
        assert shown == {"staging": Rung.BOUNDED, "production": Rung.CONFIRM}


def test_a_long_silence_costs_a_rung(world):
    """Thirty days without a judged action; the evidence counts half."""
    ready(world)
    world.ladder.promote("refund", by=BOSS)
    world.clock.advance(28 * 86400)
    assert world.ladder.sweep() == []
    world.clock.advance(2 * 86400)
    ((cell, down),) = world.ladder.sweep()
    assert (cell.tool, down.code, down.rung) == ("refund", "D6", Rung.CONFIRM)
    assert stands(world) is Rung.CONFIRM
    assert world.ladder.sweep() == [], "twice changes nothing"
    assert world.ladder.recompute() == []


def test_a_no_for_reasons_outside_the_agent_does_not_count(world):
    """Any other is a whole mistake."""
    for fault in ("policy", "agent"):
        world.call()
        world.ladder.decline(world.ladder.pending()[-1].id, by="ana", reason="we are closed", fault=fault)
    found = world.ladder.findings()
    (cell,) = found.cells
    (unit,) = found.units(cell)
    assert unit.loss == 1


def test_a_glance_is_worth_less_than_a_look(world):
    """What nobody can have read in the time is evidence only as far as reports would have come."""
    for seconds in (0.0, 60.0, None):
        call = world.call()
        world.ladder.approve(world.ladder.pending()[-1].id, by="ana", looked=seconds, characters=600)
        world.ladder.run(call, world.env, world.desk)
    found = world.ladder.findings()
    assert [unit.sight for unit in found.units(found.cells[0])] == [0.0, 0.5, 0.5]


def test_who_closes_an_incident_does_not_make_it_a_smaller_one(world):
    """Nor does closing bring one back that was taken back."""
    last = ready(world, days=3)
    said = {"by": "ana", "kind": "wrong_order"}
    world.ladder.incident(last.key, "S2", **said)
    before = world.ladder.trust("refund")[0].certificate.evidence.k
    world.clock.advance(60)
    world.ladder.incident(last.key, "S0", closed=True, **said)
    assert world.ladder.trust("refund")[0].certificate.evidence.k == before > 0
    world.clock.advance(60)
    world.ladder.incident(last.key, "S0", reversed_=True, **said)
    world.clock.advance(60)
    world.ladder.incident(last.key, "S0", closed=True, **said)
    assert world.ladder.trust("refund")[0].certificate.evidence.k == 0


def test_what_would_be_signed_is_seen_before(world):
    """With everything that speaks against it, and nothing is written."""
    world.day(1)
    entries = len(world.ladder.log())
    found = world.ladder.candidate("refund", by="ana")
    assert found.assessment.certificate.to is Rung.BOUNDED
    assert len(found.objections) > 4
    assert found.objections[-1] == "ana may not sign a promotion; role:promoter may"
    assert len(world.ladder.log()) == entries


@pytest.mark.parametrize(("days", "rung"), [(20, Rung.BOUNDED), (40, Rung.CONFIRM)])
def test_what_comes_back_stands_where_it_stood_for_a_month(world, days, rung):
    """Later it stands lower, before its first call and without anybody who sweeps."""
    ready(world)
    world.ladder.promote("refund", by=BOSS)
    world.call()
    other = model("gpt-5-2025-11-20")
    world.approved(env=other)
    world.clock.advance(days * 86400)
    ran = len(world.desk.ran)
    world.call()
    assert len(world.desk.ran) - ran == int(rung is Rung.BOUNDED)
    assert stands(world) is rung
    world.call(env=other)
    world.call()
    assert stands(world) is rung, "a turn there and back changes nothing"
    assert world.ladder.recompute() == []


def test_a_start_rung_grows_old_with_its_environment():
    """The grant was made to what is away since."""
    with contextlib.closing(World(start="bounded")) as world:
        world.call()
        world.approved(env=model("gpt-5-2025-11-20"))
        world.clock.advance(100 * 86400)
        world.call()
        assert world.ladder.pending(), "and then its first call asks already"
        assert stands(world) is Rung.CONFIRM
