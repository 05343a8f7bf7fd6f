"""Access for each agent: what somebody may not see fills no page of theirs, is counted nowhere, and leads nowhere."""

from __future__ import annotations

import re

import pytest

from ladder_graph.calls import Call
from ladder_graph.console.access import sees_of
from ladder_graph.console.pages import batch, confirmations, drafts, home, reports
from ladder_graph.facts import Person
from ladder_graph.ledger.actions.questions import Terms
from ladder_graph.ledger.lists.pages import anybody
from ladder_graph.policy import Rule
from ladder_graph.states import State
from ladder_graph.steps import Claim, Record, Settle
from tests.console.asking import pose
from tests.unit.ledger.desk import ROUTE, filing_by
from tests.unit.ledger.test_drafts import filed

INNER = "ops/research"
PEOPLE = {
    "ana": {"console": "admin"}, "xe": {"console": {INNER: "reviewer"}},
    "cy": {"console": {"ops": "viewer", INNER: "reviewer"}}, "no": {"console": {"shop": "reviewer"}},
}  # fmt: skip


@pytest.fixture
def ladder(console, monkeypatch):
    """Five of everything by `ops`, which come first in each list, then two by the agent inside it; a page holds two."""
    for where, name, few in (
        (confirmations, "SIZE", 2), (drafts, "SIZE", 2), (reports, "SIZE", 2), (home, "DOUBTFUL", 2), (batch, "MOST", 1)
    ):  # fmt: skip
        monkeypatch.setattr(where, name, few)
    made = console(policy={"people": PEOPLE, "tools": {"note": {"rung": "confirm"}}})
    for agent, many in (("ops", 5), (INNER, 2)):
        for number in range(many):
            pose(made.ladder, _call(agent, "asked", number))
            _drafted(made.ladder, agent, number)
            _ran(made.ladder, agent, number)
    # Whatever is read with the latest in front has those of `ops` in front, too.
    for number in range(5, 10):
        _ran(made.ladder, "ops", number)
    return made


def _call(agent, what, number):
    return Call(agent, f"{what}{number}", "c", "note", {"text": f"{what} {number} of {agent}"})


def _drafted(ladder, agent, number):
    of = _call(agent, "drafted", number)
    step = Settle(of, State.DRAFTED, ROUTE, text="It waits.", draft=filed(target=of.key))
    ladder._write(lambda journal, cursor: journal.settle(cursor, step))


def _ran(ladder, agent, number):
    """An action of which nobody knows what became, and on which a report waits that nobody read in time."""
    of, terms = _call(agent, "ran", number), Terms(Rule(rung="report", read_only=True), "v1", "")
    claim, record = Claim(of, ROUTE, report=True), Record(of, 1, State.UNKNOWN, None, "")
    ladder._write(lambda journal, cursor: journal.claim(cursor, claim, terms, filing_by("ana", 1)))
    ladder._write(lambda journal, cursor: journal.record(cursor, record, None))


def main(page):
    """What stands on a page, without its frame, in words."""
    inside = page.partition("<main")[2].partition("</main")[0]
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", inside))


def walked(browser, path, links):
    """What all pages of a list lead to, one list for each page."""
    found = []
    while path:
        page = browser.get(path).text
        found.append(re.findall(links, page))
        path = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    return found


@pytest.mark.parametrize(
    ("path", "links"),
    [
        ("/confirm", r'href="/confirm/[0-9a-f]{16}"'),
        ("/confirm?mine=1", r'href="/confirm/[0-9a-f]{16}"'),
        ("/confirm?tool=note", r'href="/confirm/[0-9a-f]{16}"'),
        ("/drafts", r'href="/drafts/\w{64}"'),
        ("/reports", r'href="/reports/\w+"'),
    ],
)
def test_theirs_are_on_the_first_page(ladder, path, links):
    """However many of others expire sooner, or are older; and whoever sees all walks through all of them."""
    (first,) = walked(ladder.visitor("xe"), path, links)
    assert len(set(first)) == 2
    everything = [one for page in walked(ladder.visitor("ana"), path, links) for one in page]
    assert len(set(everything)) == (12 if path == "/reports" else 7)
    assert not any(walked(ladder.visitor("no"), path, links))


@pytest.mark.parametrize(("name", "waiting"), [("xe", ["2", "2", "2"]), ("ana", ["7", "7", "12"]), ("no", ["0"] * 3)])
def test_only_theirs_are_counted(ladder, name, waiting):
    """In the frame of each page, for its script, and on the pages themselves."""
    browser = ladder.visitor(name)
    assert list(browser.get("/counts").json().values()) == waiting
    for path in ("/", "/confirm", "/drafts", "/reports", "/ladder", "/history", "/people"):
        assert re.findall(r'data-count="\w+">(\d+)', browser.get(path).text) == waiting, path
    if waiting[0] != "0":
        assert f"{waiting[0]} waiting, soonest expiry first" in main(browser.get("/confirm").text)
        assert f"{waiting[1]} waiting, oldest first" in main(browser.get("/drafts").text)


def test_a_question_has_its_place_among_theirs_and_leads_to_theirs(ladder):
    """Also once the last of them is answered."""
    mine = [one.id for one in ladder.ladder.waiting().items if one.call.agent == INNER]
    others = [one.id for one in ladder.ladder.waiting().items if one.call.agent == "ops"]
    xe = ladder.visitor("xe")
    first, last = (xe.get(f"/confirm/{one}").text for one in mine)
    assert "1 of 2" in main(first)
    assert "2 of 2" in main(last)
    assert f'href="/confirm/{mine[1]}"' in first
    assert "7 of 7" in main(ladder.visitor("ana").get(f"/confirm/{mine[1]}").text)
    ladder.ladder.decline(mine[1], by="ana", reason="no")
    after = xe.get(f"/confirm/{mine[1]}").text
    assert f'href="/confirm/{mine[0]}"' in after
    assert not [one for one in others if one in after]


def test_several_of_theirs_are_answered_at_once(ladder):
    """Though four times as many stand before them that they may not answer, or only look at."""
    for name in ("xe", "cy"):
        browser = ladder.visitor(name)
        assert f"of {INNER}" in main(browser.get("/confirm/batch?tool=note").text), name
        assert INNER in main(browser.get("/confirm?mine=1").text), name
    assert "of ops" in main(ladder.visitor("ana").get("/confirm/batch?tool=note").text)


def test_what_is_in_doubt_and_overdue_is_theirs(ladder):
    """Whatever came to that state later by an agent that they may not see."""
    doubt = r'href="/history/action/\w{64}">note, unknown</a><span class="quiet">([^,]+)'
    assert re.findall(doubt, ladder.visitor("xe").get("/").text) == [INNER] * 2
    assert re.findall(doubt, ladder.visitor("ana").get("/").text) == ["ops"] * 2
    assert "2 overdue" in main(ladder.visitor("xe").get("/").text)
    assert "12 overdue" in main(ladder.visitor("ana").get("/").text)


def test_what_is_broken_is_said_of_their_chains(ladder, monkeypatch):
    """Another's chain isn't named, nor what somebody found who read all of them back."""
    wrong = {"what": "audit", "ok": False, "text": "ops: entry 3 was changed", "by": "ana"}
    ladder.ladder._write(lambda journal, cursor: journal.append(cursor, "ops", "attested", "", wrong))
    monkeypatch.setattr(
        "ladder_graph.ledger.proof.chain.loose_heads", lambda _, heads: [f"{one[0]} is cut" for one in heads]
    )
    mine, all_ = main(ladder.visitor("xe").get("/").text), main(ladder.visitor("ana").get("/").text)
    assert f"{INNER} is cut" in mine
    assert "ops is cut" in all_
    assert "entry 3" in all_
    assert not re.search(r"\bops\b(?!/)", mine)


def test_what_waits_for_others_is_told_as_far_as_they_see_it(ladder):
    """Each has what they may answer; an agent that whoever looks may not see isn't named beside anybody."""
    theirs = ladder.visitor("xe").get("/people").text
    assert "shop" not in theirs
    assert re.findall(r'<span class="num">(\d+)', theirs) == ["2", "2", "0", "2"]
    assert re.findall(r'<span class="num">(\d+)', ladder.visitor("ana").get("/people").text) == ["7", "2", "0", "2"]


def test_whoever_may_the_same_with_all_agents_is_asked_of_none(ladder):
    """Their lists are read as they would be by nobody in particular."""
    policy = ladder.ladder.policy
    assert sees_of(policy, Person("ana", "console")) is anybody
    assert [sees_of(policy, Person("xe", "console"))(one) for one in ("ops", INNER, f"{INNER}/web")] == [
        False, True, True,
    ]  # fmt: skip
    assert not sees_of(policy, Person("mallory", "console"))("ops")
    assert not sees_of(policy, Person("ana", "unverified"))("ops")


@pytest.mark.parametrize("kind", ["confirm", "history/action", "drafts", "reports"])
def test_what_is_not_theirs_is_not_told_from_what_is_not_there(ladder, kind):
    """Neither by its address, nor by the beginning of it, of which it would be said how many begin so."""
    theirs = {
        "confirm": [one.id for one in ladder.ladder.waiting().items if one.call.agent == "ops"],
        "history/action": [one.key for one in ladder.ladder.actions() if one.agent == "ops"],
        "drafts": [one.action.key for one in ladder.ladder.drafts() if one.action.agent == "ops"],
        "reports": [one.id for one in ladder.ladder.digests() if one.agent == "ops"],
    }[kind]
    xe = ladder.visitor("xe")
    said = {main(xe.get(f"/{kind}/{one}").text) for one in (theirs[0], theirs[0][:12], theirs[0][:1], "e" * 64, "zz")}
    assert len(said) == 1
    assert "There is no such" in said.pop()
    assert xe.get(f"/{kind}/{theirs[0]}").status_code == 404
    assert ladder.visitor("ana").get(f"/{kind}/{theirs[0]}").status_code == 200
