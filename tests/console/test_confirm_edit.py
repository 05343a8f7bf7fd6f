"""Letting a call run with other arguments: the fields, old and new, and the yes to exactly that."""

from __future__ import annotations

import html
import json
import re
from contextlib import closing

import pytest

from ladder_graph.console.fields import id_of
from tests.console.asking import ARGUMENTS, REFUND, Desk, fields, press

PEOPLE = {"ana": {"console": "reviewer"}, "bo": {"console": "reviewer"}}


@pytest.fixture
def desk():
    """A desk at which a refund waits, with somebody who has pressed `Edit`."""
    with closing(Desk({"refund": REFUND, "note": {"rung": "confirm"}}, PEOPLE)) as made:
        begin(made, made.ask())
        yield made


def begin(made, question):
    """Somebody presses `Edit` beside a question."""
    made.question, made.to, made.edit = question, f"/confirm/{question.id}", f"/confirm/{question.id}/edit"
    made.ana = made.console.visitor("ana")
    made.form = press(made.ana, made.ana.get(made.to).text, made.to, decision="edit", note="as agreed", typed="2")


def put(made, page=None, step="look", **arguments):
    """Fill fields in, each by its argument's name, and go on."""
    filled = {}
    for name, value in arguments.items():
        filled |= {f"is.{id_of(name)}": value} if value in {"out", "null"} else {
            f"arg.{id_of(name)}": value, f"is.{id_of(name)}": "value",
        }  # fmt: skip
    return press(made.ana, page or made.form.text, made.edit, step=step, **filled)


def test_the_fields_are_of_the_tools_own_types(desk):
    """A number, a choice, texts, and what the tool takes beside; what the schema requires can't be left out."""
    page = desk.form.text
    assert desk.form.status_code == 200
    assert f'inputmode="decimal" value="240" aria-describedby="hint-{id_of("amount")}"' in page
    assert '<option value="&#34;EUR&#34;" selected>&#34;EUR&#34;</option><option value="&#34;USD&#34;">' in page
    assert f'name="is.{id_of("notify")}"' in page
    assert f'name="is.{id_of("memo")}"' in page
    assert f'name="is.{id_of("amount")}"' not in page
    assert "a whole number" in page
    assert re.findall(r'name="step" value="(\w+)"', page)[0] == "back"


def test_old_and_new_are_shown_before_anything_runs(desk):
    """Only what is different, both digests, and the fact to type of the new call; nothing was decided yet."""
    page = put(desk, amount="40", currency='"USD"').text
    assert [html.unescape(one) for one in re.findall(r'<span class="value">([^<]+)</span>', page)] == [
        "240", "40", '"EUR"', '"USD"',
    ]  # fmt: skip
    assert "duplicate charge" not in page.partition("<form")[0]
    assert "To run it, type the amount of the new call" in page
    assert "as agreed" in page
    assert desk.question.call.digest[:4] in page
    assert desk.ladder.question(desk.question.id).decision is None


def test_the_new_call_runs_once_in_the_old_ones_place(desk):
    """With the types of the tool, as the reviewer's; the agent is told, and what was shown is recorded."""
    page = put(desk, amount="40", memo="for Dana").text
    assert press(desk.ana, page, desk.edit, step="run", typed="40", note="as agreed").status_code == 303
    told = desk.go_on()
    assert told[0].startswith("EDITED by ana: refund was called with these arguments")
    assert desk.ran == [("refund", "pay_8Kq2", 40, "EUR", "duplicate charge", True, "for Dana")]
    said = desk.entries("edited")[-1]
    assert (said["reason"], said["characters"] > 0, len(said["shown"])) == ("as agreed", True, 64)
    after = desk.ana.get(desk.to).text
    assert "ana put other arguments in on" in after
    assert "In its place: <a href=" in after


def test_what_must_be_typed_is_that_of_the_new_call(desk):
    """The old amount lets nothing run; the page comes back with the mistake beside the field."""
    page = put(desk, amount="40").text
    again = press(desk.ana, page, desk.edit, step="run", typed="240")
    assert again.status_code == 422
    assert 'id="typed-wrong"' in again.text
    assert desk.ladder.question(desk.question.id).decision is None
    assert press(desk.ana, again.text, desk.edit, step="run", typed="40").status_code == 303


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("amount", "much", "this is not a number"), ("amount", "1.5", "this is not a whole number"),
        ("amount", "", "this is not a number"), ("amount", "NaN", "this is not a number"),
        ("amount", "true", "this is not a number"), ("currency", '"GBP"', "this is not one of them"),
        ("notify", "maybe", "this is not JSON"), ("notify", "1", "this is not one of them"),
    ],
)  # fmt: skip
def test_what_doesnt_fit_is_said_beside_its_field(desk, name, value, why):
    """And everything else that was put in is still there."""
    again = put(desk, **{"reason": "another reason", name: value})
    assert again.status_code == 422
    assert f'<p class="wrong" id="wrong-{id_of(name)}">{why}</p>' in again.text
    assert "another reason" in again.text
    assert "as agreed" in again.text


def test_nothing_changed_is_nothing_to_run(desk):
    """Going on without a change says so."""
    again = put(desk)
    assert again.status_code == 422
    assert "Nothing is different from what was asked" in again.text


def test_one_goes_back_and_changes_more(desk):
    """Back leads to the question, and what was put in stays where one changes more."""
    page = put(desk, amount="40").text
    more = press(desk.ana, page, desk.edit, step="change")
    assert 'value="40"' in more.text
    assert put(desk, more.text, amount="41").status_code == 200
    for step_page in (desk.form.text, page):
        assert press(desk.ana, step_page, desk.edit, step="back").headers["location"] == desk.to
    assert desk.ana.get(desk.edit).headers["location"] == desk.to


def test_an_argument_is_left_out_or_null_where_the_tool_lets_it_be(desk):
    """Both are shown as what they are."""
    page = put(desk, memo="null").text
    assert '<span class="value">null</span>' in page
    begin(desk, desk.ask(thread="t2", memo="x"))
    page = put(desk, memo="out").text
    assert "left out" in page
    press(desk.ana, page, desk.edit, step="run", typed="240")
    desk.go_on("t2")
    assert desk.ran[-1][-1] is None


@pytest.mark.parametrize("state", ["out", "null"])
def test_what_is_written_under_left_out_or_null_is_not_dropped(desk, state):
    """It is said beside the field, and stays there; choosing the value sends it, emptying the field leaves it out."""
    key = id_of("memo")
    filled = {f"arg.{key}": "for Dana", f"is.{key}": state, f"arg.{id_of('amount')}": "40"}
    again = press(desk.ana, desk.form.text, desk.edit, step="look", **filled)
    assert again.status_code == 422
    word = {"out": "left out", "null": "null"}[state]
    assert f'id="wrong-{key}">this would not be sent: above stands “{word}”' in again.text
    assert 'value="for Dana"' in again.text
    page = put(desk, again.text, memo="for Dana").text
    assert press(desk.ana, page, desk.edit, step="run", typed="40").status_code == 303
    desk.go_on()
    assert desk.ran[-1][-1] == "for Dana"
    begin(desk, desk.ask(thread="t2"))
    page = press(desk.ana, desk.form.text, desk.edit, step="look", **{**filled, f"arg.{key}": ""})
    assert page.status_code == 200


def test_what_is_chosen_under_left_out_is_not_dropped(desk):
    """A choice that nobody has made is none, so that one that was made is seen; also the first of them."""
    key = id_of("notify")
    assert fields(desk.form.text, desk.edit)[f"arg.{key}"] == ""
    again = press(desk.ana, desk.form.text, desk.edit, step="look", **{f"arg.{key}": "true"})
    assert again.status_code == 422
    assert f'id="wrong-{key}">this would not be sent' in again.text
    again = put(desk, notify="")
    assert f'id="wrong-{key}">choose one of them' in again.text


def test_a_forged_set_of_arguments_shows_what_it_is(desk):
    """Arguments that aren't those on the page with old and new run nothing; that page shows them."""
    page = put(desk, amount="40").text
    forged = fields(page, desk.edit)["puts"].replace('"40"', '"9000"')
    again = press(desk.ana, page, desk.edit, step="run", typed="9000", puts=forged)
    assert again.status_code == 409
    assert '<span class="value">9000</span>' in again.text
    for broken in ("[]", "{", '{"amount": 3}', "null", '{"amount": ["value", "40"]}'):
        assert press(desk.ana, page, desk.edit, step="run", puts=broken).status_code in {400, 409, 422}
    assert desk.ladder.question(desk.question.id).decision is None


@pytest.mark.parametrize("step", ["change", "run"])
@pytest.mark.parametrize(
    "puts",
    ["[" * 100_000, '{"a":' * 100_000, '{"amount": ["value", "\\ud800", true]}', '{"memo": ["value", "\\udc00", true]}',
     '{"\\ud800": ["value", "1", true]}'],
)  # fmt: skip
def test_a_forged_set_that_no_page_can_show_is_refused(desk, step, puts):
    """Nested beyond any stack, or with half a surrogate pair, which JSON can spell and a form can't."""
    answer = press(desk.ana, put(desk, amount="40").text, desk.edit, step=step, puts=puts)
    assert answer.status_code == 400
    assert "This form can&#39;t be read" in answer.text


def test_a_number_beyond_every_float_is_put_in_as_it_is(desk):
    """A whole number of four hundred digits is taken exactly, as any other is."""
    many = "9" * 400
    page = put(desk, amount=many)
    assert page.status_code == 200
    typed = json.dumps({"$int": many})
    assert typed in html.unescape(page.text)
    assert press(desk.ana, page.text, desk.edit, step="run", typed=typed).status_code == 303
    desk.go_on()
    assert desk.ran[0][2] == int(many)


def test_an_edit_after_somebody_else_has_answered_is_refused(desk):
    """At each step, with who and what."""
    page = put(desk, amount="40").text
    desk.ladder.decline(desk.question.id, by="bo", reason="no")
    for step, before in (("look", desk.form.text), ("run", page)):
        late = press(desk.ana, before, desk.edit, step=step, typed="40")
        assert late.status_code == 409
        assert "bo has answered meanwhile" in late.text
    assert desk.go_on()[0].startswith("DECLINED by bo")


def test_a_second_click_on_run_is_harmless(desk):
    """The same edit twice is one."""
    page = put(desk, amount="40").text
    answers = [press(desk.ana, page, desk.edit, step="run", typed="40") for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 303]
    assert len(desk.entries("edited")) == 1


def test_without_the_tools_schema_the_fields_are_of_the_arguments_own_types():
    """Another process that doesn't know the tool edits by what the arguments are, and the agent's checks it again."""
    with closing(Desk({"refund": REFUND}, PEOPLE)) as desk:
        question = desk.ask()
        desk.ladder.seats.clear()
        desk.ladder._seats_of.clear()
        begin(desk, question)
        assert "schema isn&#39;t known" in desk.form.text or "schema isn't known" in desk.form.text
        assert f'inputmode="decimal" value="{ARGUMENTS["amount"]}"' in desk.form.text
        page = put(desk, amount="40").text
        assert press(desk.ana, page, desk.edit, step="run", typed="40").status_code == 303


def test_what_can_not_be_seen_comes_back_as_it_was(desk):
    """A text with hidden characters is edited as JSON, and untouched it stays exactly what it was."""
    begin(desk, desk.ask(thread="t2", reason="a\u202eb\r\nc"))
    assert "a\\u202eb\\r\\nc" in desk.form.text
    page = put(desk, amount="40").text
    press(desk.ana, page, desk.edit, step="run", typed="40")
    desk.go_on("t2")
    assert desk.ran[-1][4] == "a\u202eb\r\nc"


def test_what_somebody_puts_in_is_shown_with_nothing_hidden(desk):
    """And it goes through every step unchanged."""
    page = put(desk, reason="pay\u200b me").text
    assert "pay\\u{200B} me" in page
    again = put(desk, press(desk.ana, page, desk.edit, step="change").text)
    press(desk.ana, again.text, desk.edit, step="run", typed="240")
    desk.go_on()
    assert desk.ran[-1][4] == "pay\u200b me"


def test_long_arguments_are_opened_one_by_one(desk):
    """A megabyte isn't on the page until it is asked for; untouched it stays as it is."""
    begin(desk, desk.ask(thread="t2", reason="x" * 1_000_000))
    assert len(desk.form.text) < 50_000
    assert "stay as they are: <code>reason</code>" in desk.form.text
    opened = press(desk.ana, desk.form.text, desk.edit, step="open", name="reason")
    assert len(opened.text) > 1_000_000
    page = put(desk, opened.text, reason="short").text
    press(desk.ana, page, desk.edit, step="run", typed="240")
    desk.go_on("t2")
    assert desk.ran[-1][4] == "short"
