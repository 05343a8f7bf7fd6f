"""What is written into a page: letters from right to left turn nothing that stands beside them."""

from __future__ import annotations

import pytest

from ladder_graph.console.passages import short
from ladder_graph.console.rendering import environment, render

HEBREW, ARABIC = "\u05e9\u05dc\u05d5\u05dd", "\u0634\u0643\u0631\u0627"


@pytest.fixture
def page(monkeypatch):
    """Renders a template that is given as text."""

    def make(template, **context):
        monkeypatch.setattr(environment(), "get_template", environment().from_string)
        return render(template, **context)

    return make


def apart(text):
    """It, as it stands apart."""
    return f'<bdi dir="ltr">{text}</bdi>'


@pytest.mark.parametrize("text", [HEBREW, ARABIC, "\u0661\u0662", "\U0001e900", f"pay {HEBREW} 7", f"<b>{HEBREW}</b>"])
def test_it_stands_apart_in_a_line_of_ours(page, text):
    """From left to right, as the page, whatever its first letter is; our numbers stay where they are."""
    shown = text.replace("<", "&lt;").replace(">", "&gt;")
    assert page("<p>{{ said }} 12 characters</p>", said=text) == f"<p>{apart(shown)} 12 characters</p>"


def test_other_text_stands_as_it_did(page):
    """Nothing is put around it."""
    assert page("<p>{{ a }}, {{ b }}</p>", a="Ärger 日本 😀", b=12) == "<p>Ärger 日本 😀, 12</p>"


def test_what_is_said_of_a_cut_is_ours(page):
    """It stands behind the text, and isn't turned by it."""
    cut = f"{HEBREW}… (400 characters)"
    assert short(HEBREW * 100, 4) == cut
    assert page("{{ said }}", said=cut) == f"{apart(HEBREW)}… (400 characters)"
    assert page("{{ said|short(4) }}", said=HEBREW * 100) == f"{apart(HEBREW)}… (400 characters)"


@pytest.mark.parametrize(
    "template",
    ['<input value="{}">', '<a title="{}">x</a>', "<title>{}</title>", "<textarea>\n{}</textarea>",
     '<option value="{}">{}</option>', "<select><option>{}</option></select>"],
)  # fmt: skip
def test_where_no_element_can_be_it_stands_as_it_is(page, template):
    """In attributes, titles and fields: what comes back from a form is what was there."""
    found = page(template.replace("{}", "{{ said }}") + "<p>{{ said }}</p>", said=f"{HEBREW} >")
    assert found == template.replace("{}", f"{HEBREW} &gt;") + f"<p>{apart(f'{HEBREW} &gt;')}</p>"


def test_pieces_of_a_line_stay_in_its_order(page):
    """Each by itself would be put from left to right."""
    pieces = "<pre>{% for one in said %}<ins>{{ one|piece }}</ins>{% endfor %}</pre>"
    assert (
        page(pieces, said=[HEBREW, "<", "\u202e"])
        == f"<pre><ins>{HEBREW}</ins><ins>&lt;</ins><ins>\\u{{202E}}</ins></pre>"
    )


def test_nobody_else_can_mark_where_it_begins_and_ends(page):
    """What is no character is shown as what it is, and turns nothing into markup."""
    assert page("{{ said }}", said="a\ufdd0b\ufdd1c") == "a\\u{FDD0}b\\u{FDD1}c"
    assert page("{{ said }}", said=f"\ufdd1{HEBREW}\ufdd0") == apart(f"\\u{{FDD1}}{HEBREW}\\u{{FDD0}}")
