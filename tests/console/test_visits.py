"""Visits and links: whose they are, for how long, and what a try at one costs."""

from __future__ import annotations

import json
import os
import stat

import pytest
from itsdangerous import Signer

from ladder_graph import Ladder
from ladder_graph.console import create_app, sign_in_link
from ladder_graph.errors import LadderError
from ladder_graph.testing import FrozenClock
from tests.console.conftest import FORM

POLICY = 'agent = "ops"\nledger = "ledger.db"\n'


def replant(browser, cookie):
    """Put a cookie of somebody's into a browser, and nothing else."""
    browser.client.cookies.clear()
    browser.client.cookies.set("ladder_visit", cookie)
    return browser


def test_a_planted_cookie_is_not_what_somebody_is_signed_in_with(console):
    """Whoever plants a secret of their own in a browser isn't signed in by its owner's link."""
    made = console()
    for planted in ("x.y", "", "ladder", made.visitor("eve").client.cookies["ladder_visit"]):
        browser = replant(made.stranger(), planted)
        answer = browser.client.post(sign_in_link(made.ladder, "ana", by="ana"), headers=FORM)
        assert answer.status_code == 303
        assert f"ladder_visit={planted};" not in answer.headers["set-cookie"]
        assert replant(made.stranger(), planted).get("/").status_code == 303


def test_a_visit_ends(console):
    """By the clock of the ledger, whatever the cookie says."""
    clock = FrozenClock()
    made = console(policy={"console": {"session": "1h"}}, clock=clock)
    ana = made.visitor()
    clock.advance(3599)
    assert ana.get("/").status_code == 200
    clock.advance(2)
    assert ana.get("/").status_code == 303


def test_a_link_gets_old(console):
    """It is good for as long as the policy says."""
    clock = FrozenClock()
    made = console(policy={"console": {"link": "1m"}}, clock=clock)
    link = sign_in_link(made.ladder, "ana", by="ana")
    clock.advance(61)
    assert made.stranger().client.post(link, headers=FORM).status_code == 403


def test_showing_that_it_is_them_gets_old_sooner(console, probed):
    """What takes it, takes a link again a few minutes later."""
    clock = FrozenClock()
    made = console(policy={"console": {"again": "5m"}}, clock=clock)
    ana = made.visitor()
    assert ana.get("/probe/x").json()["fresh"]
    clock.advance(301)
    assert not ana.get("/probe/x").json()["fresh"]
    ana.client.post(sign_in_link(made.ladder, "ana", by="ana"), headers=FORM)
    assert ana.get("/probe/x").json()["fresh"]
    clock.advance(-400)
    assert not ana.get("/probe/x").json()["fresh"]  # nor where the clock was set back


def test_a_changed_cookie_is_none(console):
    """Each of its characters counts, and what somebody signs with another key does too."""
    made = console()
    kept = made.visitor().client.cookies["ladder_visit"]
    for at in range(0, len(kept), 7):
        other = kept[:at] + ("A" if kept[at] != "A" else "B") + kept[at + 1 :]
        assert replant(made.stranger(), other).get("/").status_code == 303
    mine = Signer("k" * 64, salt="ladder.visit").sign(kept.rpartition(".")[0]).decode()
    assert replant(made.stranger(), mine).get("/").status_code == 303
    assert replant(made.stranger(), kept).get("/").status_code == 200


def test_what_the_ledger_holds_signs_nobody_in(console):
    """Hashes are in it, and no secret of a link, a cookie or a form."""
    made = console()
    link = sign_in_link(made.ladder, "ana", by="ana")
    ana = made.stranger()
    ana.client.post(link, headers=FORM)
    secret, cookie = link.rpartition("/")[2], ana.client.cookies["ladder_visit"].rpartition(".")[0]
    dump = "\n".join(made.ladder.store.read(lambda cursor: list(cursor.connection.iterdump())))
    assert dump.count("signed_in")
    assert secret not in dump
    assert cookie not in dump
    said = json.dumps([entry.body for entry in made.ladder.log()], default=str)
    assert secret not in said
    assert cookie not in said


def test_a_secret_is_in_no_log_and_on_no_page(console, caplog):
    """Nor in what is sent on to another page."""
    caplog.set_level("DEBUG", logger="ladder_graph")
    made = console()
    link = sign_in_link(made.ladder, "ana", by="ana")
    ana = made.stranger()
    wrong = made.stranger().client.post("/signin", data={"link": "guess", "next": "/"}, headers=FORM)
    answer = ana.client.post(link, headers=FORM)
    secret, cookie = link.rpartition("/")[2], ana.client.cookies["ladder_visit"]
    shown = [answer.headers["location"], ana.get("/").text, ana.get("/signin").text, wrong.text, caplog.text]
    assert not any(one in text for one in (secret, cookie, "guess") for text in shown)


def test_a_thousand_wrong_links(console, still):
    """All are answered alike, soon not at all, and the right one is still good, from elsewhere."""
    made = console()
    link = sign_in_link(made.ladder, "ana", by="ana")
    secret = link.rpartition("/")[2]
    eve, ana = made.stranger("10.0.0.66"), made.stranger("10.0.0.7")
    # Near misses and far ones: they are looked up by their hashes, so that none takes longer for being nearer.
    tries = [secret[:-1] + "~", secret.swapcase(), secret + "x", "a", *(f"wrong{number}" for number in range(996))]
    found = [eve.client.post("/signin", data={"link": one}, headers=FORM) for one in tries]
    assert {answer.status_code for answer in found[:10]} == {403}
    assert len({answer.text for answer in found[:10]}) == 1
    assert [answer.status_code for answer in found].count(429) == 990
    assert eve.get(link).status_code == 429  # nor by looking
    assert ana.client.post(link, headers=FORM).status_code == 303
    assert ana.get("/").status_code == 200
    kinds = [entry.kind for entry in made.ladder.log()]
    assert kinds == ["link_made", "signed_in"]  # wrong ones write nothing, so that nobody fills the ledger


def test_addresses_of_one_network_count_as_one(console, still):
    """With IPv6 one machine has any number of them."""
    made = console()
    found = [
        made.stranger(f"2001:db8::{number:x}").client.post("/signin", data={"link": "x"}, headers=FORM).status_code
        for number in range(1, 15)
    ]
    assert found[-1] == 429
    assert made.stranger("2001:db8:0:1::1").client.post("/signin", data={"link": "x"}, headers=FORM).status_code == 403


def test_pages_that_are_asked_for_too_fast_are_refused(console, still):
    """What no person does is held up, for this visit and for nobody else's."""
    made = console()
    ana, bo = made.visitor("ana"), made.visitor("bo")
    assert [ana.get("/counts").status_code for _ in range(150)][-1] == 429
    assert bo.get("/counts").status_code == 200


def test_whoever_is_taken_out_of_the_policy_loses_access_at_once(console, tmp_path):
    """With the next request after the file is edited; who is lowered may no longer what they might before."""
    file = tmp_path / "ladder.toml"
    people = '[people.ana]\nconsole = "admin"\n[people.bo]\nconsole = "reviewer"\n'
    file.write_text(POLICY + people, encoding="utf-8")
    made = console(policy=file, ledger=":memory:")
    ana, bo = made.visitor("ana"), made.visitor("bo")
    assert "bo, reviewer" in bo.get("/").text
    edit(made.ladder, file, POLICY + people.replace("reviewer", "none"))
    assert bo.get("/").status_code == 403
    edit(made.ladder, file, POLICY + people.partition("[people.bo]")[0])
    assert (bo.get("/").status_code, bo.get("/counts").status_code) == (403, 403)
    assert ana.get("/").status_code == 200
    with pytest.raises(LadderError, match="doesn't know bo"):
        sign_in_link(made.ladder, "bo", by="ana")


def edit(ladder, file, text):
    """Write a policy, long enough ago that it is taken at the next look."""
    file.write_text(text, encoding="utf-8")
    before = file.stat().st_mtime_ns - 1_000_000_000
    os.utime(file, ns=(before, before))


def test_who_has_no_name_or_no_proof_may_nothing(console):
    """A name in an answer lets nobody in, whatever the policy says of it."""
    from ladder_graph.console.access import access_of, best_access
    from ladder_graph.facts import Person
    from ladder_graph.policy.console import Access

    named = console(policy={"people": {"ana": {"console": "admin"}}}).ladder.policy
    nobody = console().ladder.policy
    for person in (Person("ana", "unverified"), Person("", "console"), Person("  ", "proxy")):
        assert access_of(named, person) is best_access(named, person) is Access.NONE
    assert access_of(nobody, Person("ana", "proxy")) is Access.NONE
    assert access_of(nobody, Person("ana", "console")) is Access.ADMIN


def test_a_cookie_says_what_it_is_for(console):
    """No script reads it, no other site sends it, and where there is TLS it goes nowhere without."""
    made = console()
    link = sign_in_link(made.ladder, "ana", by="ana")
    found = made.stranger().client.post(link, headers=FORM).headers["set-cookie"].lower()
    assert all(part in found for part in ("httponly", "samesite=strict", "path=/;", "max-age=43200"))
    assert "secure" not in found
    outside = console(policy={"console": {"url": "https://ladder.example.com"}})
    link = sign_in_link(outside.ladder, "ana", by="ana")
    headers = {**FORM, "origin": "https://ladder.example.com"}
    assert "secure" in outside.stranger().client.post(link, headers=headers).headers["set-cookie"].lower()


# --- the key ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path):
    """A ledger in a file; what is beside it can be looked at."""
    ladder = Ladder(agent="ops", rungs={}, ledger=tmp_path / "ledger.db")
    yield ladder
    ladder.close()


def test_the_key_is_its_owners(place, tmp_path):
    """It is made once, whole, for nobody else to read, and stays."""
    before = os.umask(0)
    try:
        create_app(place)
    finally:
        os.umask(before)
    file = tmp_path / "console.key"
    kept = file.read_text(encoding="ascii")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    create_app(place)
    assert file.read_text(encoding="ascii") == kept
    assert not list(tmp_path.glob(".console.key*"))


def test_a_key_that_others_can_read_is_refused(place, tmp_path):
    """And so is one that is no key."""
    create_app(place)
    file = tmp_path / "console.key"
    file.chmod(0o644)
    with pytest.raises(LadderError, match="chmod 600"):
        create_app(place)
    file.chmod(0o600)
    file.write_text("short", encoding="ascii")
    with pytest.raises(LadderError, match="holds no key"):
        create_app(place)


def test_a_visit_outlives_the_server(place):
    """Signed in is signed in, in every process with the same key, and after a restart."""
    from tests.console.conftest import Console

    ana = Console(place).visitor("ana")
    again = replant(Console(place).stranger(), ana.client.cookies["ladder_visit"])
    assert again.get("/").status_code == 200


def test_the_key_of_the_environment(place, monkeypatch, console):
    """It must be there, and long; a short one is told by its length and not by itself."""
    policy = {"console": {"key_env": "OUR_CONSOLE_KEY"}}
    with pytest.raises(LadderError, match="is not set"):
        console(policy=policy)
    monkeypatch.setenv("OUR_CONSOLE_KEY", "hunter2")
    with pytest.raises(LadderError, match="too short") as told:
        console(policy=policy)
    assert "hunter2" not in str(told.value)
    monkeypatch.setenv("OUR_CONSOLE_KEY", "k" * 32)
    assert console(policy=policy).visitor().get("/").status_code == 200


def test_a_ledger_in_a_database_needs_a_key_of_all_processes(postgres, monkeypatch, console):
    """There is no folder beside it; with a key, signing in works there as anywhere."""
    with pytest.raises(LadderError, match="key_env"):
        console(ledger=postgres)
    monkeypatch.setenv("OUR_CONSOLE_KEY", "k" * 32)
    made = console(policy={"console": {"key_env": "OUR_CONSOLE_KEY"}}, ledger=postgres)
    ana = made.visitor()
    assert ana.get("/").status_code == 200
    assert made.stranger().get("/signin/" + "x" * 5000).status_code == 404
    assert made.stranger().get("/signin/%00").status_code == 404
    ana.client.post("/signout", headers=FORM)
    assert ana.get("/").status_code == 303
