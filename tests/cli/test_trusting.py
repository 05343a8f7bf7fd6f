"""trust, why, promote, incident, attest, sweep: what was earned is seen, signed and lost, by people at a terminal."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import shutil
import sqlite3

import pytest

from ladder_graph import Ladder
from ladder_graph.cli import assessments, looking
from ladder_graph.ladder import questions
from ladder_graph.policy import load_policy
from ladder_graph.testing import FrozenClock
from tests.cli.test_answering import ME
from tests.unit.world import World, model

POLICY = """
agent = "ops"
ledger = "ladder.db"

[trust]
wage = "$60"
minutes = {{ confirm = 2, bounded = 0.4 }}

[tools.refund]
rung = "confirm"
mistake = "$4"
bounds = [{{ kind = "range", argument = "amount", most = 100 }}, {{ kind = "volume", limit = 50 }}]
trust = {{ mistakes = ["wrong_order"], single_pattern = true }}

[tools.idle]
rung = "suggest"

[people.{me}]
roles = ["promoter"]
"""
WEEKS = 28


@pytest.fixture(scope="session")
def _weeks(tmp_path_factory):
    """A folder in which four weeks of approvals are on record, made once; the last day was yesterday."""
    folder = tmp_path_factory.mktemp("weeks")
    (folder / "ladder.toml").write_text(POLICY.format(me=ME), encoding="utf-8")
    with contextlib.closing(World(folder / "ladder.db")) as world:
        world.clock = world.ladder.clock = FrozenClock(dt.datetime.now(tz=dt.UTC) - dt.timedelta(days=WEEKS))
        for _ in range(WEEKS):
            world.day(1)
    return folder


@pytest.fixture
def weeks(_weeks, tmp_path, monkeypatch):
    """A copy of that folder, in which the test stands."""
    shutil.copytree(_weeks, tmp_path / "ops")
    monkeypatch.chdir(tmp_path / "ops")
    return tmp_path / "ops"


@pytest.fixture
def ready(weeks, ladder):
    """The same, with everything that a promotion needs."""
    assert "the bounds of refund stop what is outside" in ladder("attest").stdout
    return weeks


def edit(folder, old, new):
    """Change the policy."""
    file = folder / "ladder.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def gates(ladder, **wanted):
    """The conditions of the only cell, by their codes."""
    (cell,) = ladder("trust", "refund", "--json").document
    return {one["code"]: one for one in cell["certificate"]["gates"]}


@pytest.fixture
def last(ladder):
    """The key of the last action."""
    return lambda: [one["action"] for one in ladder("log", "--json").document if one["action"]][-1]


# --- looking ---------------------------------------------------------------------------------------------------------


def test_what_a_cell_has_earned_is_shown_whole(ready, ladder):
    """Where it stands, what it is made of, the evidence, the money with its sources, each condition, the verdict."""
    text = " ".join(ladder("trust", "refund").stdout.split())
    assert "stands on confirm (2)" in text
    assert "made of gpt-5-2025-08-07 by openai, asked for as gpt-5 (it proposed the last call)" in text
    assert re.search(r"runs 28, which count as 2\d\.\d; 1\d are needed at this loss", text) or "28, which" in text
    assert "$2.00 of people's time an action, declared" in text
    assert "a mistake $4.00, declared" in text
    assert "p* = 0.4: bounded is cheaper below 40.00% of a mistake a run" in text
    assert "may go up to bounded: ladder promote refund" in text


def test_the_keys_of_the_json_are_those_that_the_help_names(ready, ladder):
    """`trust --json` prints one object a cell, with the certificate in it."""
    (cell,) = ladder("trust", "--json").document
    assert list(cell) == list(assessments.AssessmentDocument.__annotations__)
    assert list(cell["certificate"]) == list(assessments.CertificateDocument.__annotations__)
    assert (cell["stands"], cell["current"], cell["certificate"]["granted"]) == ("confirm", True, True)
    named = re.search(r"with the keys (.*?)\.", " ".join(ladder("trust", "--help").stdout.split()))
    assert named[1].split(", ") == list(cell)


def test_what_is_missing_is_said_with_the_day_when_it_can_be_met(weeks, ladder):
    """Without attestations it isn't granted; what time alone brings has a date, what people must do has none."""
    edit(weeks, 'wage = "$60"', 'wage = "$60"\nleast_days = 60\nactive_days = 60')
    found = gates(ladder)
    assert {code for code, one in found.items() if not one["met"]} == {"days", "active_days", "bounds_tested", "audit"}
    assert found["days"]["when"] > dt.datetime.now(tz=dt.UTC).isoformat()
    assert found["audit"]["when"] is None
    text = " ".join(ladder("trust", columns=110).stdout.split())
    assert "may not go up to bounded before somebody sees to: bounds_tested, audit" in text


def test_what_is_assumed_is_marked(weeks, ladder):
    """Where the policy says neither wage nor minutes, the figures say that they are assumed."""
    edit(weeks, 'wage = "$60"\nminutes = { confirm = 2, bounded = 0.4 }', "")
    (cell,) = ladder("trust", "refund", "--json").document
    assert cell["certificate"]["friction_before"]["source"] == "assumed"
    assert "of people's time an action, assumed" in ladder("trust", "refund").stdout


def test_a_cost_of_nothing_is_no_licence(ready, ladder):
    """A mistake that costs nothing leaves p* at a half, and the weeks are still asked for."""
    edit(ready, 'mistake = "$4"', 'mistake = "$0"')
    (cell,) = ladder("trust", "refund", "--json").document
    assert cell["certificate"]["limit"] == 0.5
    assert cell["certificate"]["mistake"] == {"micro_usd": 0, "source": "declared"}
    assert "a mistake" in ladder("trust", "refund").stdout


def test_without_a_call_there_is_nothing(ready, ladder):
    """A tool that never acted has no cell; that is said, and it is no error."""
    assert ladder("trust", "idle", "--json").document == []
    assert "idle has not been called yet" in ladder("trust", "idle").stdout
    assert "idle" in ladder("why", "idle").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trust", "refnud"], "ops has no tool refnud; did you mean refund?"),
        (["why", "refnud"], "did you mean refund?"),
        (["why", "opps", "refund"], "there is no agent opps; did you mean ops?"),
        (["promote", "refnud"], "did you mean refund?"),
        (["promote", "refund", "--scope", "production"], "refund has no scope production"),
        (["promote", "refund", "--env", "zz"], "no environment begins with 'zz' in which ops has used refund"),
        (["promote", "idle"], "has no evidence: it has not acted as it is now"),
        (["demote", "refnud", "draft", "--reason", "x"], "did you mean refund?"),
        (["demote", "refund", "draft", "--reason", "x", "--scope", "staging"], "refund has no scope staging"),
        (["trust", "refund", "--recompute"], "leave the tool out"),
        (["incident", "ffff", "--severity", "S2"], "there is no action 'ffff'"),
    ],
)
def test_what_is_not_there_is_said(ready, ladder, arguments, words):
    """Unknown tools, agents, scopes, environments and actions, with what was meant."""
    assert words in " ".join(ladder(*arguments, code=2).stderr.split())


def test_an_empty_ledger_has_no_trust(tmp_path, monkeypatch, ladder):
    """Before the first run nothing is known, and nothing is made by looking."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ladder.toml").write_text(POLICY.format(me=ME), encoding="utf-8")
    assert ladder("trust", "--json").document == []
    assert "No call was proposed yet" in ladder("trust").stdout
    assert not (tmp_path / "ladder.db").exists()


# --- signing ---------------------------------------------------------------------------------------------------------


def test_a_promotion_is_signed_by_who_is_signed_in(ready, ladder):
    """The certificate is shown, the tool goes up, and everything can be worked out anew."""
    text = ladder("promote", "refund", "--yes", "--reason", "four good weeks").stdout
    assert text.index("p* =") < text.index(f"goes from confirm to bounded, signed by {ME}")
    body = next(one["body"] for one in ladder("log", "--json").document if one["kind"] == "promoted")
    assert (body["by"], body["auth"], body["reason"]) == (ME, "os-user", "four good weeks")
    assert ladder("status", "--json").document[1]["effective"] == "bounded"
    assert "is what the entries give" in ladder("trust", "--recompute").stdout
    why = " ".join(ladder("why", "refund").stdout.split())
    assert f"up to bounded {ME} four good weeks" in why
    assert "To go up to rollback" in why


def test_the_json_of_a_promotion_is_what_was_signed(ready, ladder):
    """One document on standard output, the card beside it on standard error."""
    result = ladder("promote", "refund", "--yes", "--json")
    assert list(result.document) == list(assessments.PromotionDocument.__annotations__)
    assert (result.document["by"], result.document["certificate"]["to"]) == (ME, "bounded")
    assert "p* =" in result.stderr


def test_without_a_terminal_nothing_is_signed(ready, ladder):
    """A pipe can't sign."""
    assert "no terminal to ask on" in ladder("promote", "refund", code=2).stderr
    assert [one for one in ladder("log", "--json").document if one["kind"] == "promoted"] == []


def test_all_that_speaks_against_it_is_told_at_once(weeks, ladder):
    """Two attestations that lack, and that this person has not the role: three reasons, and nobody is asked."""
    edit(weeks, 'roles = ["promoter"]', 'roles = ["reader"]')
    told = ladder("promote", "refund", "--yes", code=2).stderr
    assert "refund can't go up, for 3 reasons:" in told
    assert "a call outside its bounds was stopped" in told
    assert "the ledger was read back" in told
    assert f"{ME} may not sign a promotion; role:promoter may" in told


def test_an_environment_is_named_by_the_beginning_of_its_key(ready, ladder):
    """One that several begin with is none; without one, the last call's counts, which has no evidence here."""
    world = World(ready / "ladder.db")
    world.clock = world.ladder.clock = FrozenClock(dt.datetime.now(tz=dt.UTC))
    with contextlib.closing(world):
        world.n = 1000
        world.approved(env=model("gpt-6"))
    cells = {one["current"]: one for one in ladder("trust", "--json").document}
    assert set(cells) == {True, False}
    assert "2 environments begin with ''" in ladder("promote", "refund", "--env", "", code=2).stderr
    assert "can't go up" in ladder("promote", "refund", code=2).stderr
    old = cells[False]["env"][:12]
    assert f"--env {old}" in " ".join(ladder("trust", "refund").stdout.split())
    assert "signed by" in ladder("promote", "refund", "--env", old, "--yes").stdout


def test_what_was_changed_behind_the_ledgers_back_is_found(ready, ladder):
    """A row that the gate reads, raised by hand, is not what the entries give: exit code 1."""
    ladder("promote", "refund", "--yes")
    with contextlib.closing(sqlite3.connect("ladder.db")) as file, file:
        file.execute("""UPDATE standing SET held = replace(held, '"earned":3', '"earned":5')""")
        assert file.execute("SELECT changes()").fetchone() == (1,)
    result = ladder("trust", "--recompute", "--json", code=1)
    assert list(result.document) == list(assessments.RecomputationDocument.__annotations__)
    assert "the gate reads another standing than its entries give" in result.document["problems"][0]
    assert "another standing" in " ".join(ladder("trust", "--recompute", code=1).stdout.split())


# --- mistakes --------------------------------------------------------------------------------------------------------


def test_a_mistake_puts_a_tool_down_at_once(ready, ladder, last):
    """An expected one costs a rung; `why` tells who said so, and how long it waits; a second time changes nothing."""
    ladder("promote", "refund", "--yes")
    said = ["incident", last()[:12], "--severity", "S2", "--class", "wrong_order", "--text", "the other order"]
    text = ladder(*said).stdout
    assert "refund may not stand above confirm any more (D1)" in text
    assert "after 14 days" in text
    assert "it was said before, and changes nothing" in ladder(*said).stdout
    why = " ".join(ladder("why", "ops", "refund").stdout.split())
    assert f"down to confirm {ME} action" in why
    assert "waits 14 days" in why
    (told,) = ladder("why", "refund", "--json").document
    assert list(told) == list(assessments.WhyDocument.__annotations__)
    assert [one["kind"] for one in told["history"]] == ["promoted", "demoted"]
    assert {one["code"] for one in told["missing"]} >= {"cooldown", "incidents"}


def test_a_mistake_that_nobody_expects_is_said_to_be_one(ready, ladder, last):
    """The evidence is gone, and the terminal says which mistakes the rule knows."""
    text = ladder("incident", last(), "--severity", "S2", "--class", "paid_a_stranger").stdout
    assert "counts no more, in every scope and environment" in text
    assert "The rule of refund expects wrong_order, and not this one." in text


def test_a_report_is_taken_back_and_closed_by_its_class(ready, ladder, last):
    """Neither can be said of what nobody reported; a closed one is as bad as it was."""
    key = last()
    assert "nobody reported a mistake" in ladder("incident", key, "--close", code=2).stderr
    assert "say how bad it was" in ladder("incident", key, code=2).stderr
    assert "leave --severity out" in ladder("incident", key, "--severity", "S2", "--reverse", code=2).stderr
    assert "'S9' is no severity" in ladder("incident", key, "--severity", "S9", code=2).stderr
    ladder("incident", key, "--severity", "S2", "--class", "wrong_order")
    assert not gates(ladder)["incidents"]["met"]
    assert "what was reported has --class wrong_order" in ladder("incident", key, "--close", code=2).stderr
    assert f"closed by {ME}" in ladder("incident", key, "--class", "wrong_order", "--close").stdout
    assert gates(ladder)["incidents"]["met"]
    (cell,) = ladder("trust", "--json").document
    assert cell["certificate"]["loss"] > 0, "a mistake that was seen to is still one"
    ladder("incident", key, "--class", "wrong_order", "--reverse")
    (cell,) = ladder("trust", "--json").document
    assert cell["certificate"]["loss"] == 0


def test_a_mistake_that_is_over_is_reported_and_closed_at_once(ready, ladder, last):
    """Its tool goes down as by any report, none is left open, and saying it again changes nothing."""
    key = last()
    said = ["incident", key, "--severity", "S2", "--class", "wrong_order", "--text", "paid twice", "--close"]
    text = ladder(*said).stdout
    assert f"closed by {ME}" in text
    assert "refund may not stand above confirm any more (D1)" in text
    (told,) = ladder("show", key, "--json").document["incidents"]
    assert (told["severity"], told["closed"], told["text"]) == ("S2", True, "paid twice")
    assert "it was said before, and changes nothing" in ladder(*said).stdout
    assert gates(ladder)["incidents"]["met"]


def test_closing_makes_no_mistake_a_smaller_one(ready, ladder, last):
    """A lesser severity with --close closes what was reported as it is."""
    key = last()
    ladder("incident", key, "--severity", "S3", "--class", "wrong_order")
    ladder("incident", key, "--severity", "S0", "--class", "wrong_order", "--close")
    (told,) = ladder("show", key, "--json").document["incidents"]
    assert (told["severity"], told["closed"]) == ("S3", True)


def test_the_json_of_an_incident_says_whether_it_was_new(ready, ladder, last):
    """And to where the tool went; a second report is none."""
    said = ["incident", last(), "--severity", "real", "--json"]
    found = ladder(*said).document
    assert list(found) == list(assessments.IncidentDocument.__annotations__)
    assert (found["new"], found["demoted_to"], found["code"]) == (True, "draft", "D2")
    again = ladder(*said).document
    assert (again["new"], again["demoted_to"]) == (False, None)


def test_an_action_of_a_retired_environment_counts_where_it_acted(ready, ladder, last):
    """The cell that acted goes down; another model's stands where it stood."""
    key = last()
    world = World(ready / "ladder.db")
    world.clock = world.ladder.clock = FrozenClock(dt.datetime.now(tz=dt.UTC))
    with contextlib.closing(world):
        world.n = 1000
        world.approved(env=model("gpt-6"))
    ladder("incident", key, "--severity", "S3", "--class", "wrong_order")
    cells = {one["current"]: one for one in ladder("trust", "--json").document}
    assert cells[False]["cooldown_until"] is not None
    assert cells[True]["cooldown_until"] is None


def test_show_tells_the_incidents_of_an_action(ready, ladder, last):
    """Whoever looks at the action sees what was said of it."""
    key = last()
    ladder("incident", key, "--severity", "S2", "--class", "wrong_order", "--text", "the other order")
    text = " ".join(ladder("show", key).stdout.split())
    assert "Incidents" in text
    assert f"S2 (real) wrong_order open by {ME}: the other order" in text


def test_a_probe_is_revealed_to_whoever_answers(weeks, ladder, monkeypatch):
    """At once, with what was wrong; who lets them pass is named where trust is shown."""
    edit(
        weeks,
        "single_pattern = true",
        'single_pattern = true, probes = [{ arguments = { order = "o-x" }, why = "nobody ordered that" }]',
    )
    monkeypatch.setattr(questions, "random", lambda: 0.0)
    world = World(weeks / "ladder.db")
    with contextlib.closing(world):
        world.clock = world.ladder.clock = FrozenClock(dt.datetime.now(tz=dt.UTC))
        world.ladder.policy = load_policy("ladder.toml")
        world.n = 1000
        for _ in range(20):
            world.clock.advance(1)
            world.approved()
    (probe,) = ladder("pending", "--json").document
    told = ladder("approve", probe["question"], "--yes").stdout
    assert "This was a probe, which never runs: nobody ordered that" in told
    assert "is resumed" not in told
    assert "less than half of the probes were caught" in " ".join(ladder("trust").stdout.split())


# --- the numbers -----------------------------------------------------------------------------------------------------


def test_a_sweep_puts_down_what_was_silent(weeks, ladder):
    """Thirty days after the last judged action; twice changes nothing."""
    assert ladder("sweep", "--json").document == []
    assert "Nothing speaks against" in ladder("sweep").stdout
    edit(weeks, 'rung = "confirm"', 'rung = "bounded"')
    now = dt.datetime.now(tz=dt.UTC)
    with contextlib.closing(Ladder(policy="ladder.toml", clock=lambda: now + dt.timedelta(days=40))) as later:
        assert [down.code for _, down in later.sweep()] == ["D6"]
    (entry,) = [one for one in ladder("log", "--json").document if one["kind"] == "demoted"]
    assert entry["body"]["rung"] == 2


def test_the_doctor_names_what_trust_lacks(ready, ladder):
    """Nobody who signs, no price of a mistake, no mistake by name; nothing of it where all is there."""
    found = {one["about"]: one for one in ladder("doctor", "--json", code=None).document}
    assert (found["trust"]["verdict"], found["trust"]["text"]) == ("note", "2 tools may go up, by the policy")
    assert [one["text"] for one in found["trust"]["points"]] == [
        "nobody says what a mistake costs: idle", "no mistake is expected by name: idle",
    ]  # fmt: skip
    edit(ready, '[tools.idle]\nrung = "suggest"', '[tools.idle]\nrung = "suggest"\nceiling = "suggest"')
    found = {one["about"]: one for one in ladder("doctor", "--json", code=None).document}
    assert (found["trust"]["verdict"], found["trust"]["text"]) == ("good", "1 tool may go up, by the policy")
    edit(ready, 'roles = ["promoter"]', "roles = []")
    found = {one["about"]: one for one in ladder("doctor", "--json", code=None).document}
    assert found["trust"]["points"][0]["text"] == "nobody may sign a promotion: role:promoter"


def test_what_may_go_up_is_said_where_one_looks_first(ready, ladder, monkeypatch):
    """`status` counts it, and names the command; where the ledger is long it only names it."""
    assert "1 may go up: ladder trust" in ladder("status").stdout
    assert [one["may_go_up"] for one in ladder("status", "--json").document] == [False, True]
    monkeypatch.setattr(looking, "LONG", 10)
    assert "`ladder trust` reads all of it" in ladder("status").stdout
    assert [one["may_go_up"] for one in ladder("status", "--json").document] == [None, None]
    monkeypatch.undo()
    monkeypatch.chdir(ready)
    ladder("promote", "refund", "--yes")
    assert "may go up" not in ladder("status").stdout
