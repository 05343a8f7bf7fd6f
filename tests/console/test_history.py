"""History: every entry that one may see, by what is looked for; an action's whole life, and what to do about it."""

from __future__ import annotations

import contextlib
import json
import re

import pytest

from ladder_graph.facts import Outcome
from ladder_graph.policy.model import Someone
from ladder_graph.scale import Rung
from ladder_graph.states import State
from tests.console.conftest import HOST
from tests.console.test_ladder import PEOPLE, named, stands
from tests.unit.world import World


@pytest.fixture
def world():
    """A world with three days behind it."""
    with contextlib.closing(World()) as world:
        for _ in range(3):
            world.day(1)
        yield world


def entries(page):
    """The entries that a page shows, as agent and number."""
    return re.findall(r'<p class="fine">([^,<]+), entry (\d+)', page)


def test_every_entry_is_shown_the_latest_first(world):
    """Page after page, each once."""
    vi = named(world).visitor("vi")
    total = world.ladder.heads()[0][1]
    for _ in range(60):
        world.ladder.demote("refund", "confirm", reason="again", by="bo", scope=f"s{_}")
    first = vi.get("/history").text
    found, page = entries(first), first
    while (more := re.search(r'rel="next" href="([^"]+)"', page)) is not None:
        page = vi.get(more[1].replace("&amp;", "&")).text
        found += entries(page)
    numbers = [int(n) for _, n in found]
    assert numbers == sorted(set(numbers), reverse=True)
    assert len(numbers) >= total + 60
    assert numbers[-1] == 1


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("kind=demoted", {"demoted"}),
        ("person=bo", {"demoted"}),
        ("thread=t2", {"asked", "question", "approved", "started", "done"}),
        ("tool=refund&kind=demoted", {"demoted"}),
        ("tool=nothing", set()),
    ],
)
def test_a_filter_leaves_only_what_fits(world, query, kinds):
    """By agent, tool, person, thread and kind."""
    world.ladder.demote("refund", "confirm", reason="again", by="bo")
    page = named(world).visitor("vi").get(f"/history?agent=ops&{query}").text
    found = set(re.findall(r'<p><span class="(?:flag \w+|quiet)">(\w+)</span>', page))
    assert found == kinds


def test_days_are_looked_at_whole(world):
    """From the first one's beginning to the last one's end, in UTC; what is no day is said."""
    vi = named(world).visitor("vi")
    day = world.ladder.actions()[0].at.date().isoformat()
    assert len(entries(vi.get(f"/history?since={day}&until={day}").text)) > 3
    assert not entries(vi.get("/history?until=1999-01-01").text)
    answer = vi.get("/history?since=yesterday")
    assert answer.status_code == 422
    assert "is no day" in answer.text


def test_a_mark_that_is_none_is_not_there(world):
    """Whoever makes one up is told to begin at the first page."""
    assert named(world).visitor("vi").get("/history?page=AAAA").status_code == 404


def test_the_file_holds_what_the_page_does(world):
    """One JSON document a line, of which only ASCII is left."""
    answer = named(world).visitor("vi").get("/history/export?tool=refund&kind=done")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert answer.headers["content-disposition"] == 'attachment; filename="history.jsonl"'
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["kind"] for one in found] == ["done"] * 3
    assert answer.text.isascii()


def test_without_the_label_an_entry_shows_without_content(world):
    """On the page, in the file and on the page of the action."""
    shown_to_few = "o1"  # An argument of the first call.
    people = {**PEOPLE, "lee": Someone(console="reviewer", labels=["card"])}
    made = named(world, people, labels=("card",))
    action = world.ladder.actions()[0]
    addresses = ("/history", "/history/export", f"/history/action/{action.key}", f"/history?action={action.key}")
    ana, lee = made.visitor("ana"), made.visitor("lee")
    for address in addresses:
        assert f'"{shown_to_few}"' not in ana.get(address).text.replace("&#34;", '"')
        assert "card" in ana.get(address).text
        assert f'"{shown_to_few}"' in lee.get(address).text.replace("&#34;", '"').replace('\\"', '"')
    assert 'name="severity"' not in ana.get(addresses[2]).text


def test_what_may_quote_any_tool_takes_every_label(world):
    """An entry of an unknown kind about no single tool is withheld from whoever lacks one."""
    world.ladder._write(lambda journal, cursor: journal.append(cursor, "ops", "digest", "", {"text": "Dana Novak"}))
    people = {**PEOPLE, "lee": Someone(console="reviewer", labels=["card"])}
    made = named(world, people, labels=("card",))
    assert "Dana" not in made.visitor("ana").get("/history").text
    assert "Dana" in made.visitor("lee").get("/history").text


def test_other_agents_are_not_there(world):
    """Neither in the list, nor by the filter, nor by an action's key."""
    world.ladder.demote("refund", "confirm", reason="inside", by="bo", agent="ops/research")
    people = {"ana": Someone(console="viewer"), "eve": Someone(console={"ops/research": "viewer"})}
    made = named(world, people)
    eve = made.visitor("eve")
    page = eve.get("/history").text
    assert {agent for agent, _ in entries(page)} == {"ops/research"}
    assert eve.get("/history?agent=ops").status_code == 404
    assert eve.get(f"/history/action/{world.ladder.actions()[0].key}").status_code == 404
    assert eve.get("/history/action/ffffffff").status_code == 404
    assert {agent for agent, _ in entries(made.visitor("ana").get("/history").text)} == {"ops", "ops/research"}


def test_an_actions_whole_life_is_on_one_page(world):
    """From its proposal to what came of it, in the order in which it happened, and what comes next."""
    action = world.ladder.actions()[0]
    page = named(world).visitor("vi").get(f"/history/action/{action.short}").text
    kinds = re.findall(r'<p><span class="(?:flag \w+|quiet)">(\w+)</span>', page)
    assert kinds == ["asked", "question", "approved", "started", "done"]
    assert "amount" in page
    assert "Report that it was wrong" in page
    assert f"/history?action={action.key}" in page
    assert "Counts as" in page
    assert 'name="severity"' not in page


def act(browser, key, to, **fields):
    """Send a form of an action's page."""
    address = f"/history/action/{key}/{to}"
    page = browser.get(f"/history/action/{key}").text
    data = {"form": browser.token(page, address), **fields}
    return browser.client.post(address, data=data, headers={"origin": HOST})


def test_a_reviewer_reports_a_mistake_and_the_tool_goes_down(world):
    """At once; it stands on the page, and can be seen to there."""
    ana, key = named(world).visitor("ana"), world.ladder.actions()[0].key
    said = {"severity": "S3", "kind": "paid_a_stranger", "text": "Dana got <i>nothing</i>", "act": "report"}
    assert act(ana, key, "mistake", **said).status_code == 303
    assert stands(world) is Rung.DRAFT
    page = ana.get(f"/history/action/{key}").text
    assert "Dana got &lt;i&gt;nothing&lt;/i&gt;" in page
    assert '<span class="flag stop">open</span>' in page
    assert act(ana, key, "mistake", kind="paid_a_stranger", text="Dana has it now", act="closed").status_code == 303
    assert "seen to" in ana.get(f"/history/action/{key}").text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"act": "", "severity": "S3", "text": "x"}, 200),
        ({"act": "report", "severity": "S3", "text": " "}, 422),
        ({"act": "report", "text": "x"}, 422),
        ({"act": "report", "severity": "S9", "text": "x"}, 409),
        ({"act": "closed", "text": "x", "kind": "never"}, 409),
    ],
)
def test_nothing_is_reported_by_half(world, fields, status):
    """By the button that reports nothing, without words, without a severity, or about a report that nobody made."""
    ana, key = named(world).visitor("ana"), world.ladder.actions()[0].key
    assert act(ana, key, "mistake", **fields).status_code == status
    assert stands(world) is Rung.CONFIRM


def test_a_viewer_reports_nothing(world):
    """Neither does the page offer it, nor is a form taken."""
    vi, key = named(world).visitor("vi"), world.ladder.actions()[0].key
    answer = vi.client.post(f"/history/action/{key}/mistake", data={"form": "x"}, headers={"origin": HOST})
    assert answer.status_code == 403


@pytest.fixture
def doubtful():
    """A world in which nobody knows what became of an action."""
    with contextlib.closing(World(start="bounded")) as world:
        world.desk.execute = lambda call, *, again=False: Outcome("unknown", text="the connection was lost")
        world.call()
        yield world


@pytest.mark.parametrize(("what", "state"), [("happened", State.DONE), ("absent", State.FAILED)])
def test_somebody_who_has_looked_says_what_became_of_it(doubtful, what, state):
    """The home page leads there; it is said once, for a reason, in their name."""
    ana = named(doubtful).visitor("ana")
    key = doubtful.ladder.actions()[0].key
    assert f"/history/action/{key}" in ana.get("/").text
    assert act(ana, key, "resolve", what=what, reason=" ").status_code == 422
    assert act(ana, key, "resolve", what=what, reason="I asked the bank").status_code == 303
    assert doubtful.ladder.action(key).state is state
    assert "I asked the bank" in ana.get(f"/history/action/{key}").text
    assert f"/history/action/{key}" not in ana.get("/").text.partition("What fell")[0]


def test_a_viewer_resolves_nothing(doubtful):
    """The page offers it to nobody who may not."""
    vi, key = named(doubtful).visitor("vi"), doubtful.ladder.actions()[0].key
    assert "What became of it?" not in vi.get(f"/history/action/{key}").text
    answer = vi.client.post(f"/history/action/{key}/resolve", data={"form": "x"}, headers={"origin": HOST})
    assert answer.status_code == 403
    assert doubtful.ladder.action(key).state is State.UNKNOWN


def test_the_home_page_says_what_fell_and_when_the_ledger_was_read_back(world):
    """Without reading it for the page."""
    world.ladder.demote("refund", "draft", reason="it wrote to <b>Bo</b>", by="bo")
    vi = named(world).visitor("vi")
    page = vi.get("/").text
    assert "it wrote to &lt;b&gt;Bo&lt;/b&gt;" in page
    assert "Nobody has read all of it back yet" in page
    world.ladder.attest(by="bo")
    assert "It was last read back whole on" in vi.get("/").text
