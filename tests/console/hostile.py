"""What is bad in every way at once, and whether a page shows it inert."""

from __future__ import annotations

import re
from html.parser import HTMLParser

BAD = (
    "<script>alert(1)</script><img src=x onerror=alert(1)><b>bold</b> **md** [x](javascript:alert(1)) {{ 7*7 }} "
    "{% raw %} \"quoted' \x1b[2J\x1b]8;;http://x\x07 pay\u202e\u2066evil\u2069 in\u200bvis\ufe0fible\u3164 \x00 "
    "end\r\nnext\nlast"
)
"""Markup, templates, terminal escapes, characters that turn the direction or can't be seen, several line breaks."""

TYPED = BAD.replace("\x00", "")
"""The same as somebody may put it into a form, which holds no NUL."""

HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\u3164\ufeff]")
ALLOWED = {
    "html", "head", "meta", "title", "link", "script", "body", "a", "header", "svg", "path", "nav", "ul", "li", "span",
    "div", "form", "button", "input", "main", "h1", "h2", "p", "b", "code", "section", "table", "caption", "thead",
    "tbody", "tr", "th", "td", "details", "summary", "pre", "dl", "dt", "dd", "small", "label", "textarea", "select",
    "option", "strong", "fieldset", "legend", "time", "ol", "br", "h3", "article", "del", "ins", "progress",
}  # fmt: skip


class _Tags(HTMLParser):
    """Every element of a page, with what it carries."""

    def __init__(self):
        super().__init__()
        self.found, self.scripts = [], []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def inert(page):
    """Nothing on the page acts that isn't ours, and nothing is hidden on it."""
    assert not HIDDEN.search(page.replace("\r\n", "\n")), repr(HIDDEN.search(page))
    tags = _Tags()
    tags.feed(page)
    strange = {tag for tag, _ in tags.found} - ALLOWED
    assert not strange
    assert [tag for tag, _ in tags.found].count("script") == 1
    for tag, attrs in tags.found:
        assert not [name for name in attrs if name.startswith("on") or name in {"style", "srcdoc", "formaction"}], tag
        for name in ("href", "src", "action"):
            assert attrs.get(name, "/").startswith(("/", "#")), attrs
    assert "49" not in re.sub(r"\d{3,}|[0-9a-f]{8,}|v=\w+", "", page.partition("{{ 7*7 }}")[0][-200:])
