"""What is bad in every way at once, and whether a page shows it inert."""

from __future__ import annotations

import re
from html.parser import HTMLParser

BAD = (
    "<script>alert(1)</script><img src=x onerror=alert(1)><b>bold</b> **md** [x](javascript:alert(1)) {{ 7*7 }} "
    "{% raw %} \"quoted' \x1b[2J\x1b]8;;http://x\x07 pay\u202e\u2066evil\u2069 in\u200bvis\ufe0fible\u3164 \x00 "
    "\u05e9\u05dc\u05d5\u05dd 12 \u0634\u0643 end\r\nnext\nlast"
)
"""Markup, templates, terminal escapes, characters that turn the direction or can't be seen, letters from right to left,
several line breaks."""

TYPED = BAD.replace("\x00", "")
"""The same as somebody may put it into a form, which holds no NUL."""

HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\u3164\ufeff]")
ALLOWED = {
    "html", "head", "meta", "title", "link", "script", "body", "a", "header", "svg", "path", "nav", "ul", "li", "span",
    "div", "form", "button", "input", "main", "h1", "h2", "p", "b", "code", "section", "table", "caption", "thead",
    "tbody", "tr", "th", "td", "details", "summary", "pre", "dl", "dt", "dd", "small", "label", "textarea", "select",
    "option", "strong", "fieldset", "legend", "time", "ol", "br", "h3", "article", "del", "ins", "progress", "bdi",
}  # fmt: skip


VOID = {"br", "input", "link", "meta", "path"}


class _Tags(HTMLParser):
    """Every element of a page, with what it carries, and the text from right to left that doesn't stand apart."""

    def __init__(self):
        super().__init__()
        self.found, self.inside, self.turns = [], [], []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.inside.append("bdi" if dict(attrs).get("class") == "diff" else tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            self.inside.pop()

    def handle_data(self, data):
        if re.search("[\u0590-\u06ff]", data) and not {"bdi", "title", "textarea", "option"} & set(self.inside):
            self.turns.append(data)


def inert(page):
    """Nothing on the page acts that isn't ours, and nothing is hidden on it."""
    assert not HIDDEN.search(page.replace("\r\n", "\n")), repr(HIDDEN.search(page))
    tags = _Tags()
    tags.feed(page)
    strange = {tag for tag, _ in tags.found} - ALLOWED
    assert not strange
    assert not tags.turns, "it would turn what stands beside it"
    assert not tags.inside
    assert "\ufdd0" not in page
    assert [tag for tag, _ in tags.found].count("script") == 1
    for tag, attrs in tags.found:
        assert not [name for name in attrs if name.startswith("on") or name in {"style", "srcdoc", "formaction"}], tag
        for name in ("href", "src", "action"):
            assert attrs.get(name, "/").startswith(("/", "#")), attrs
    assert "49" not in re.sub(r"\d{3,}|[0-9a-f]{8,}|v=\w+", "", page.partition("{{ 7*7 }}")[0][-200:])
