"""The list of what waits: what is on it, for whom, and how it is narrowed."""

from __future__ import annotations

from contextlib import closing

import pytest

from ladder_graph.ledger.evidence import probes
from tests.console.asking import REFUND, Desk, press

RULES = {"refund": REFUND, "note": {"rung": "confirm"}}
PEOPLE = {
    "ana": {"console": "reviewer", "labels": ["customer-data"]}, "bo": {"console": "reviewer"},
    "vi": {"console": "viewer"}, "zoe": {"console": {"other": "reviewer"}},
}  # fmt: skip


@pytest.fixture
def desk():
    """A desk at which a refund and two notes wait."""
    with closing(Desk(RULES)) as made:
        made.ask("note", "t2", text="first")
        made.clock.advance(60)
        made.ask("note", "t3", text="second")
        made.ask()
        yield made


def links(page):
    """The questions on a page, in their order."""
    return [part.partition('"')[0] for part in page.split('<h2><a href="/confirm/')[1:]]


def test_the_soonest_expiry_stands_first(desk):
    """With the question in the tool's own words, who asks, where, and what is left."""
    page = desk.console.visitor().get("/confirm").text
    waits = {one.id: one.call.thread for one in desk.ladder.pending()}
    assert [waits[one] for one in links(page)] == ["t1", "t2", "t3"]
    assert "Refund 240 EUR to Dana Novak?" in page
    assert '<b class="num">15 min left</b>' in page
    assert "ops asks for <code>refund</code> in thread t1" in page
    assert "3 waiting, soonest expiry first." in page


def test_it_is_narrowed_by_tool_and_agent(desk):
    """What is asked for alone is shown, and an agent that asks nothing has nothing."""
    ana = desk.console.visitor()
    assert len(links(ana.get("/confirm?tool=note").text)) == 2
    assert len(links(ana.get("/confirm?agent=ops&tool=refund").text)) == 1
    assert "Nothing waits for an answer that is like this." in ana.get("/confirm?tool=other").text


def test_mine_are_those_that_i_may_answer():
    """A question for somebody else is there for everybody, and among mine it isn't."""
    rules = {"note": {"rung": "confirm", "confirm": {"by": ["bo"]}}, "refund": REFUND}
    with closing(Desk(rules, PEOPLE)) as desk:
        desk.ask("note", "t2", text="x")
        desk.ask()
        ana = desk.console.visitor("ana")
        assert len(links(ana.get("/confirm").text)) == 2
        assert "Refund" in ana.get("/confirm?mine=1").text
        assert "Run note?" not in ana.get("/confirm?mine=1").text


def test_many_are_on_several_pages(desk):
    """Each question stands on one of them, and the last page leads no further."""
    for n in range(40):
        desk.ask("note", f"n{n}", text=str(n))
    ana, seen, path = desk.console.visitor(), [], "/confirm"
    while path:
        page = ana.get(path).text
        seen += links(page)
        path = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 43


def test_whoever_lacks_a_label_sees_that_it_is_there_and_not_what():
    """In the list and on its page: no title of the tool's own, no argument, no words of the agent, no button."""
    with closing(Desk({"refund": {**REFUND, "labels": ["customer-data"]}}, PEOPLE)) as desk:
        question = desk.ask(reason="private matter")
        bo = desk.console.visitor("bo")
        for path in ("/confirm", f"/confirm/{question.id}"):
            page = bo.get(path).text
            assert "customer-data" in page
            for hidden in ("Dana", "private matter", "pay_8Kq2", "240", 'value="run"', "refund_cancel"):
                assert hidden not in page, (path, hidden)
        assert bo.get(f"/confirm/{question.id}/passage").status_code == 403
        assert "Dana" in desk.console.visitor("ana").get("/confirm").text


def test_what_was_wrong_with_a_probe_is_withheld_too():
    """Once it is answered, whoever lacks the label sees that it was, and not what it was about."""
    rule = {"rung": "confirm", "labels": ["customer-data"]}
    with closing(Desk({"note": rule}, PEOPLE)) as desk:
        real = desk.ask("note", "t1", text="x")
        name = desk.ladder._write(lambda j, c: probes.put(j, c, real.call, {"text": "leak"}, "it names Dana"))
        ana, to = desk.console.visitor("ana"), f"/confirm/{name}"
        press(ana, ana.get(to).text, to, decision="decline", note="it names Dana")
        assert "it names Dana" in ana.get(to).text
        assert "Dana" not in desk.console.visitor("bo").get(to).text


def test_a_viewer_sees_no_button_and_why():
    """The case is there; the decision isn't theirs, and a form that they make up is refused."""
    with closing(Desk(RULES, PEOPLE)) as desk:
        question = desk.ask()
        page = desk.console.visitor("vi").get(f"/confirm/{question.id}").text
        assert "240" in page
        assert "<button" not in page.partition('id="decision"')[2]
        assert "takes the access of a reviewer" in page
        vi, ana = desk.console.visitor("vi"), desk.console.visitor("ana")
        shown = ana.get(f"/confirm/{question.id}").text
        assert press(vi, shown, f"/confirm/{question.id}", decision="decline", note="no").status_code == 403


def test_another_agents_people_see_nothing_of_it():
    """Whoever has no access to an agent isn't told that it asks."""
    with closing(Desk(RULES, PEOPLE)) as desk:
        question = desk.ask()
        zoe = desk.console.visitor("zoe")
        assert links(zoe.get("/confirm").text) == []
        assert zoe.get(f"/confirm/{question.id}").status_code == 404


def test_what_is_past_its_time_says_so(desk):
    """Until somebody touches it, it stands there."""
    desk.clock.advance(15 * 60)
    assert "time is up" in desk.console.visitor().get("/confirm").text
