"""Links between the pages: each leads to a file that is there, and to a heading that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]

LINK = re.compile(r"\[[^\]\[]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MARKS = re.compile(r"[^\w\- ]")


def prose(text):
    """A page without its blocks of code."""
    return FENCED.sub("", text)


def anchors(text):
    """What GitHub names each heading of a page."""
    return {
        MARKS.sub("", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE)
    }


def broken(page):
    """The links of a page that lead nowhere."""
    for link in LINK.findall(prose(page.read_text(encoding="utf-8"))):
        place, _, anchor = link.partition("#")
        target = page.parent / place if place else page
        if re.match(r"\w+:", link):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    """Files and headings are there."""
    assert list(broken(page)) == []


def test_the_readme_leads_to_every_page():
    """Whoever looks for a page finds it under its last heading."""
    index = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## All pages\n")[2]
    assert {page.name for page in (ROOT / "docs").glob("*.md")} == set(re.findall(r"\(docs/([\w-]+\.md)\)", index))


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    """The check itself works: a missing file and a missing heading are told, other sites and blocks of code aren't."""
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b` c, d\n[x](#a-b-c-d) [y](no.md) [z](#no) [w](https://shop.example)\n```\n[v](no)\n```\n", "utf-8"
    )
    assert list(broken(page)) == ["no.md", "#no"]
