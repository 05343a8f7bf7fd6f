"""What a notebook shows is safe, stands by itself, and can be read in the light and in the dark."""

from __future__ import annotations

import re

import pytest

from ladder_graph.notebook import palette
from ladder_graph.notebook.markup import Html, element, joined, page, table, text
from ladder_graph.notebook.style import DARK, HOSTS, LIGHT, STYLE
from tests.unit.notebook.contrast import contrast
from tests.unit.notebook.full import HOSTILE

MARKS = (*palette.MARKS,)


def test_whatever_is_not_markup_is_text():
    """Children, attributes and captions are escaped, markup goes in as it is, and nothing is left out silently."""
    inside = element("b", HOSTILE)
    told = str(element("p", inside, HOSTILE, None, 5, title=HOSTILE, class_="x", data_of=None))
    assert "<script" not in told
    assert "\u202e" not in told
    assert told.startswith('<p title="&lt;script&gt;')
    assert told.endswith("&amp;5</p>")
    assert told.count("\\u{202E}") == 3
    assert isinstance(joined("<", Html("<br>")), Html)
    assert joined("<", Html("<br>")) == "&lt;<br>"


def test_a_long_text_is_cut_and_says_so():
    """A megabyte isn't put into a notebook."""
    assert text("x" * 1_000_000) == f"{'x' * 400}… (1000000 characters)"


def test_a_table_names_its_rows_and_columns():
    """Whoever hears a table instead of seeing it hears its heads; one without rows is a sentence."""
    told = table("Things", ("what", "how many"), [("a", 1)])
    assert '<th scope="col">what</th>' in told
    assert '<th scope="row">a</th><td>1</td>' in told
    assert "<caption>Things</caption>" in told
    assert table("Things", ("what",), []) == '<p class="soft">Things: nothing</p>'


def test_a_piece_brings_its_style_and_nothing_else():
    """There is no script, no address, and no rule that touches anything outside the piece."""
    told = page(element("p", "x"))
    assert not re.search(r"<script|https?:|url\(|@import|\son\w+=", told)
    rules = re.findall(r"([^{}]+)\{", STYLE.replace("@media(prefers-color-scheme:dark){", ""))
    assert all(one.strip().startswith(".ladder-graph") for rule in rules for one in rule.split(","))


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_and_marks_can_be_seen_in_both_themes(theme):
    """Text has 4.5 : 1 on its ground, and marks 3 : 1 (WCAG 2.2), where a host names no colours."""
    assert contrast(theme["ink"], theme["ground"]) >= 7
    assert contrast(theme["soft"], theme["ground"]) >= 4.5
    assert all(contrast(mark, theme["ground"]) >= 3 for mark in MARKS)


def test_the_colours_of_the_host_come_first():
    """In JupyterLab and Visual Studio Code text and ground are theirs, whatever the browser prefers."""
    for name, hosts in HOSTS.items():
        assert f"--lg-{name}:var({hosts[0]},var({hosts[1]},{LIGHT[name]}));" in STYLE
        assert f"--lg-{name}:var({hosts[0]},var({hosts[1]},{DARK[name]}));" in STYLE
    assert "prefers-color-scheme:dark" in STYLE
