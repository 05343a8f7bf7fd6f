"""What tools, models and people wrote is shown inert and verbatim on every page about a question, whatever it is."""

from __future__ import annotations

import html
import re
from contextlib import closing
from urllib.parse import urlencode

import pytest

from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.console.fields import id_of
from tests.console.asking import Desk, pose, press
from tests.console.conftest import Console
from tests.console.golden import golden
from tests.console.hostile import BAD, TYPED, inert


@pytest.fixture
def desk():
    """A desk at which an agent asks with everything that is bad, in every place where it can put something."""
    rules = {"refund": {"rung": "confirm", "confirm": {"type": "reason"}}, "note": {"rung": "confirm"}}
    with closing(Desk(rules)) as made:
        made.question = made.ask(
            thread=TYPED, words=BAD, payment_id=BAD, amount=1, currency="EUR", reason=BAD, memo=BAD,
        )  # fmt: skip
        made.to = f"/confirm/{made.question.id}"
        made.ana = made.console.visitor("ana <b>\u202e")
        yield made


def test_the_page_of_a_question_is_inert_and_verbatim(desk):
    """Each character of each value can be read there, and none of them does anything."""
    page = desk.ana.get(desk.to).text
    inert(page)
    for said in ("&lt;script&gt;alert(1)&lt;/script&gt;", "{{ 7*7 }}", "pay\\u{202E}\\u{2066}evil", "in\\u{200B}vis"):
        assert said in page
    assert "characters that can&#39;t be seen" in page or "characters that can't be seen" in page
    golden("question", page)


def test_every_other_page_about_it_is(desk):
    """The list, the fields, what comes back with a mistake, the batch, the parts of a long value, what was decided."""
    ana, to = desk.ana, desk.to
    desk.ask("note", "n1", text=BAD)
    page = ana.get(to).text
    inert(ana.get("/confirm").text)
    inert(ana.get("/confirm/batch?tool=note").text)
    inert(ana.get(f"/confirm/batch?{urlencode({'tool': BAD})}").text)
    inert(ana.get(f"{to}/passage").text)
    inert(ana.get(f"{to}/passage?argument={id_of('reason')}").text)
    inert(press(ana, page, to, decision="run", typed=TYPED, note=TYPED, text=TYPED).text)
    edit = press(ana, page, to, decision="edit", note=TYPED)
    inert(edit.text)
    golden("editing", edit.text)
    wrong = press(ana, edit.text, f"{to}/edit", step="look", **{f"arg.{id_of('amount')}": TYPED})
    assert wrong.status_code == 422
    inert(wrong.text)
    look = press(ana, edit.text, f"{to}/edit", step="look", **{
        f"arg.{id_of('amount')}": "2", f"arg.{id_of('memo')}": TYPED, f"as.{id_of('memo')}": "text",
    })  # fmt: skip
    inert(look.text)
    golden("comparison", look.text)
    press(ana, page, to, decision="decline", note=TYPED)
    inert(ana.get(to).text)
    golden("declined", ana.get(to).text)


def test_the_list_is_as_it_was_looked_at(desk):
    """As a whole."""
    golden("list", desk.ana.get("/confirm").text)


def test_a_tool_and_an_agent_may_be_called_anything():
    """Their names are shown inert too, and lead to the right pages."""
    tool = 'x"><script>alert(1)</script>\u202e&tool=y'
    with closing(Ladder(agent="ops", rungs={"*": "confirm"}, ledger=":memory:")) as ladder:
        for n in range(2):
            call = Call(f"ops/{tool}", f"t{n}", f"c{n}", tool, {"<b>": "<i>"})
            pose(ladder, call)
        ana = Console(ladder).visitor("ana")
        page = ana.get("/confirm").text
        inert(page)
        chosen = press_filter(ana, page, tool=1)
        assert chosen.count('<li class="waits">') == 2
        to = re.search(r'<a href="(/confirm/batch\?tool=[^"]+)">', page)
        batch = ana.get(to[1].replace("&amp;", "&")).text
        inert(batch)
        assert batch.count('name="take"') == 2
        for one in ladder.pending():
            inert(ana.get(f"/confirm/{one.id}").text)
            inert(press(ana, ana.get(f"/confirm/{one.id}").text, f"/confirm/{one.id}", decision="edit").text)
        chosen = [one.id for one in ladder.pending()]
        came = press(ana, batch, "/confirm/batch", decision="run", take=chosen)
        inert(came.text)
        assert "2 of 2 answered" in came.text


def press_filter(browser, page, **which):
    """The list narrowed by an option of the filter, as a browser sends it."""
    ((name, number),) = which.items()
    options = re.search(rf'<select id="{name}".*?</select>', page, re.DOTALL)[0]
    value = html.unescape(re.findall(r'value="([^"]*)"', options)[number])
    return browser.get(f"/confirm?{urlencode({name: value})}").text


def test_a_megabyte_is_folded_away_and_can_be_read_whole():
    """The page stays small, says how long it is with its hash, and leads to all of it, in parts."""
    with closing(Desk({"note": {"rung": "confirm"}})) as desk:
        text = "".join(f"{n:07d}|" for n in range(125_000)) + "<b>\u202e"
        question, ana = desk.ask("note", "t1", text=text, words="w" * 100_000), desk.console.visitor()
        page = ana.get(f"/confirm/{question.id}").text
        inert(page)
        assert len(page) < 80_000
        assert re.search(r"1,000,01\d characters, SHA-256 [0-9a-f]{16}", page)
        to = f"/confirm/{question.id}/passage?argument={id_of('text')}"
        assert f'href="{to}"' in page
        read, part = "", 1
        while True:
            here = ana.get(f"{to}&part={part}").text
            assert len(here) < 80_000
            read += re.search(r'<pre class="whole gap"[^>]*>(.*?)</pre>', here, re.DOTALL)[1]
            if 'rel="next"' not in here:
                break
            part += 1
        assert read == text[:-2].replace("<b>", "") + "&lt;b&gt;\\u{202E}" or read.startswith(text[:1_000_000])
        assert read.endswith("&lt;b&gt;\\u{202E}")
        assert ana.get(f"{to}&part=999").status_code == 200
        assert ana.get(f"{to}&part=-1").status_code == 200
        assert ana.get(f"/confirm/{question.id}/passage?argument=none").status_code == 404


def test_ten_thousand_arguments_are_folded_away_too():
    """The first are on the page, the others are in the JSON, which can be read whole; editing opens them by name."""
    with closing(Desk({"note": {"rung": "confirm"}})) as desk:
        call = Call("ops", "t1", "c1", "note", {f"key{n:05d}": n for n in range(10_000)})
        pose(desk.ladder, call)
        (question,) = desk.ladder.pending()
        ana, to = desk.console.visitor(), f"/confirm/{question.id}"
        page = ana.get(to).text
        assert len(page) < 150_000
        assert "9,800 more arguments: read all of it" in page
        assert "key09999" in ana.get(f"{to}/passage?part=999").text
        edit = press(ana, page, to, decision="edit")
        assert len(edit.text) < 120_000
        assert "9,900 arguments are too long for this page, or too many" in edit.text
        opened = press(ana, edit.text, f"{to}/edit", step="open", name="key09999")
        look = press(ana, opened.text, f"{to}/edit", step="look", **{f"arg.{id_of('key09999')}": "7"})
        assert '<span class="value">9999</span>' in look.text
        assert press(ana, look.text, f"{to}/edit", step="run").status_code == 303
        assert desk.ladder.pending() == []


def test_many_long_values_leave_the_page_small():
    """There is room for so much on one page; of the rest the beginning, the length and the hash are there."""
    with closing(Desk({"note": {"rung": "confirm"}})) as desk:
        call = Call("ops", "t1", "c1", "note", {f"k{n}": str(n % 10) * 20_000 for n in range(100)})
        pose(desk.ladder, call)
        (question,) = desk.ladder.pending()
        page = desk.console.visitor().get(f"/confirm/{question.id}").text
        assert len(page) < 350_000
        assert page.count("20,002 characters, SHA-256") == 100
