"""Reports on pages: read means that each action shown has a verdict, by somebody who is named for it."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from langchain_core.tools import tool

from ladder_graph.testing import calls
from tests.console.conftest import HOST
from tests.hosts.graphs import on, raw_graph

DAY = dt.datetime(2026, 11, 16, 9, tzinfo=dt.UTC)
POLICY = """
agent = "ops"
{people}
[reports]
reader = "ana"
sla = "24h"
escalate_to = "jo"
[tools.read_stock]
rung = "report"
read_only = true
labels = [{labels}]
[tools.read_price]
rung = "report"
read_only = true
"""
PEOPLE = """
[people.ana]
console = "reviewer"
labels = ["stock"]
[people.jo]
console = "reviewer"
[people.cy]
console = "reviewer"
labels = ["stock"]
[people.vi]
console = "viewer"
labels = ["stock"]
"""


@tool
def read_stock(item: str) -> str:
    """Read how much of an item there is."""
    return "12"


@tool
def read_price(item: str) -> str:
    """Read what an item costs."""
    return "250"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = DAY

    def __call__(self) -> dt.datetime:
        """The present moment."""
        return self.now


@pytest.fixture
def reported(console, tmp_path):
    """A console over a ladder with a report on three actions that waits to be read; the report's path and the clock."""

    def make(*, people: str = "", labels: str = ""):
        (tmp_path / "ladder.toml").write_text(POLICY.format(people=people, labels=labels), encoding="utf-8")
        clock = Clock()
        made = console(policy=tmp_path / "ladder.toml", clock=clock)
        wants = [("read_stock", "tea"), ("read_stock", "salt"), ("read_price", "tea")]
        answers = [one for name, item in wants for one in (calls(name, {"item": item}), "Done.")]
        made.graph = made.ladder.wrap(raw_graph([*answers, *answers], [read_stock, read_price]))
        for at in range(len(wants)):
            made.graph.invoke({"messages": [("user", "Go on.")]}, on(f"day-{at}"))
        clock.now += dt.timedelta(days=1)
        (digest,) = made.ladder.digests("unread")
        return made, f"/reports/{digest.id}", clock

    return make


def main(page: str) -> str:
    """What stands on a page, without its frame."""
    return page.partition("<main")[2].partition("</main")[0]


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a page's decision."""
    return dict(re.findall(r'<input type="hidden" name="(seen|view|before)" value="([^"]*)">', page))


def asked(page: str) -> list[str]:
    """The verdicts that a page asks for."""
    return list(dict.fromkeys(re.findall(r'name="(verdict-[0-9a-f]+)"', page)))


def send(browser, path, **said):
    """Send verdicts on a report."""
    return browser.send(path, **fields(browser.get(path).text), **said)


def test_a_report_shows_what_ran_and_what_hangs_on_it(reported):
    """Counts, what stands out, the deadline, and which tools drop to which rung."""
    made, path, _ = reported()
    ana = made.visitor("ana")
    assert path in ana.get("/reports").text
    page = ana.get(path).text
    assert "3 calls ran without asking anyone" in page
    assert "read_price, read_stock drop from rung 5 to rung 4" in page
    assert "jo is told before" in page
    assert " checked" not in page
    assert len(asked(page)) == len(made.ladder.digest(path.rpartition("/")[2]).items)


def test_a_report_without_all_its_verdicts_is_not_read(reported):
    """What is missing is marked, and what was given stays filled in."""
    made, path, _ = reported()
    ana = made.visitor("ana")
    first, *others = asked(ana.get(path).text)
    answer = send(ana, path, decision="read", note="so far", **{first: "fine"})
    assert answer.status_code == 422
    assert f'name="{first}" value="fine" checked' in answer.text
    assert answer.text.count("Say what you think of it.") == len(others)
    assert "so far" in answer.text
    assert made.ladder.digests("unread")


def test_every_verdict_makes_it_read(reported):
    """With who, when, and what they noted; a second time it is answered with what became of it."""
    made, path, _ = reported()
    ana = made.visitor("ana")
    old = ana.get(path).text
    verdicts = dict.fromkeys(asked(old), "fine")
    assert send(ana, path, decision="read", note="all well", looked="30", **verdicts).status_code == 303
    page = ana.get(path).text
    assert "all well" in page
    assert "<button" not in main(page)
    assert not made.ladder.digests("unread")
    assert path in ana.get("/reports?show=read").text
    data = {"form": ana.token(old, path), **fields(old), "decision": "read", **verdicts}
    assert ana.client.post(path, data=data, headers={"origin": HOST}).status_code in {303, 409}


def test_some_verdicts_can_be_kept_for_now(reported):
    """They stand with who gave them, and the report stays unread."""
    made, path, _ = reported()
    ana = made.visitor("ana")
    first, *others = asked(ana.get(path).text)
    assert send(ana, path, decision="keep").status_code == 422
    assert send(ana, path, decision="keep", **{first: "look"}).status_code == 303
    page = ana.get(path).text
    assert asked(page) == others
    assert "Look into it" in page
    assert made.ladder.digests("unread")[0].given == 1


def test_enter_decides_nothing(reported):
    """The first button of the form is one that only looks again."""
    made, path, _ = reported()
    ana = made.visitor("ana")
    page = ana.get(path).text
    assert re.search(r'<button[^>]*name="decision" value="(\w+)"', main(page))[1] == "look"
    assert send(ana, path, decision="look", **dict.fromkeys(asked(page), "fine")).status_code == 422
    assert made.ladder.digests("unread")[0].given == 0


def test_another_report_than_the_one_shown_takes_no_verdict(reported):
    """The form brings the hash of what it showed."""
    made, path, _ = reported()
    ana = made.visitor("ana")
    page = ana.get(path).text
    data = {**fields(page), "seen": "0" * 64, "decision": "read", **dict.fromkeys(asked(page), "fine")}
    answer = ana.send(path, **data)
    assert answer.status_code == 409
    assert made.ladder.digests("unread")


def test_only_its_readers_read_it(reported):
    """Others see it, and who reads it; a viewer sees no buttons."""
    made, path, _ = reported(people=PEOPLE)
    for name in ("cy", "vi"):
        page = main(made.visitor(name).get(path).text)
        assert "<button" not in page
        assert "You aren't among its readers: ana" in page


def test_what_is_withheld_waits_for_somebody_who_may_see_it(reported):
    """Who lacks the label sees that it is there, and their verdicts on the others count."""
    made, path, _ = reported(people=PEOPLE, labels='"stock"')
    jo, ana = made.visitor("jo"), made.visitor("ana")
    page = jo.get(path).text
    assert "salt" not in page
    assert "Withheld from you: it touches stock" in page
    mine = asked(page)
    assert send(jo, path, decision="read", **dict.fromkeys(mine, "fine")).status_code == 303
    assert made.ladder.digests("unread")
    rest = asked(ana.get(path).text)
    assert not set(rest) & set(mine)
    assert send(ana, path, decision="read", **dict.fromkeys(rest, "fine")).status_code == 303
    assert not made.ladder.digests("unread")


def test_an_unread_report_costs_its_tools_their_rung(reported):
    """The page says so afterwards, and the next call of the tool runs a rung lower."""
    made, path, clock = reported()
    ana = made.visitor("ana")
    clock.now += dt.timedelta(days=1, minutes=1)
    page = made.visitor("ana").get(path).text
    assert "It lay unread" in page
    assert "went down from rung 5 to rung 4" in page
    made.graph.invoke({"messages": [("user", "Go on.")]}, on("later"))
    assert made.ladder.actions()[-1].rung.word == "rollback"
    assert ana.get("/reports").status_code in {200, 303}


def test_what_isnt_there_is_not_found(reported):
    """An unknown report and a strange page of the list."""
    made, path, _ = reported()
    ana = made.visitor("ana")
    assert ana.get("/reports/ffff").status_code == 404
    assert ana.get("/reports/..%2fx").status_code == 404
    assert ana.get("/reports?show=else").status_code == 200
    assert ana.get("/reports?before=nonsense").status_code == 404
    assert ana.get(path[:-20]).status_code == 200
