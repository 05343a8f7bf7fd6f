"""What a notebook shows, in a browser: for everybody, in the host's colours or in its own, and nothing in it acts."""

from __future__ import annotations

import contextlib

import pytest
from axe_playwright_python.sync_playwright import Axe

from ladder_graph.notebook import html
from tests.browser.people import Person
from tests.browser.test_pages import ONLY, WIDE
from tests.unit.notebook.full import Full

JUPYTER = {
    "light": ("#ffffff", "rgba(0, 0, 0, 1)", "rgba(0, 0, 0, 0.87)", "#bdbdbd"),
    "dark": ("#111111", "rgba(255, 255, 255, 1)", "rgba(255, 255, 255, 0.7)", "#616161"),
}
"""The ground, the two colours of text and the border of JupyterLab's own themes."""
TABLES = (
    ":not(.jp-RenderedMarkdown).jp-RenderedHTMLCommon td,:not(.jp-RenderedMarkdown).jp-RenderedHTMLCommon th"
    "{text-align:right}.jp-RenderedHTMLCommon tbody tr:nth-child(even){background:#f5f5f5}"
)
"""What JupyterLab does to tables, as weighty as there."""
ALIGNED = """[...new Set([...document.querySelectorAll(".ladder-graph td, .ladder-graph th")].map(
    cell => getComputedStyle(cell).textAlign))]"""
STRIPES = (
    '[...new Set([...document.querySelectorAll(".ladder-graph tr")].map(row => getComputedStyle(row).backgroundColor))]'
)
HOSTS = [("plain", "light"), ("plain", "dark"), ("jupyter", "light"), ("jupyter", "dark")]


def hosted(theme):
    """The variables of JupyterLab, where what the browser prefers counts for nothing."""
    ground, ink, soft, line = JUPYTER[theme]
    return (
        f":root{{--jp-layout-color0:{ground};--jp-content-font-color1:{ink};--jp-content-font-color2:{soft};"
        f"--jp-border-color1:{line}}}body{{background:{ground};color:{ink}}}"
    )


@pytest.fixture(scope="module")
def pieces():
    """A picture of everything that a ladder and a replay give."""
    with contextlib.closing(Full()) as world:
        return [html(one) for one in world.everything().values()]


@pytest.fixture
def person(chromium, tmp_path, pieces):
    """Somebody who looks at all of it; what it asks for besides itself is what it does wrong."""
    file = tmp_path / "notebook.html"
    title = "<head><meta charset='utf-8'><title>Notebook</title></head>"
    body = "".join(f"<section>{one}</section>" for one in pieces)
    file.write_text(f"<!doctype html><html lang='en'>{title}<body><main><h1>x</h1><h2>x</h2>{body}</main>", "utf-8")
    context = chromium.new_context()
    person = Person(context.new_page())
    person.page.on("dialog", lambda one: person.wrong.append(one.message))
    person.page.on("request", lambda one: one.url == file.as_uri() or person.wrong.append(one.url))
    person.page.goto(file.as_uri())
    yield person
    context.close()


@pytest.mark.parametrize(("host", "theme"), HOSTS, ids=lambda one: one)
def test_what_a_notebook_shows_is_for_everybody(person, screens, host, theme):
    """Axe finds nothing by day and in the dark, also where the host is dark and the browser prefers the light."""
    if host == "jupyter":
        person.page.emulate_media(color_scheme="light" if theme == "dark" else "dark")
        person.page.add_style_tag(content=hosted(theme))
    else:
        person.page.emulate_media(color_scheme=theme)
    person.page.screenshot(path=screens / f"notebook-{host}-{theme}.png", full_page=True)
    found = Axe().run(person.page, options=ONLY).response["violations"]
    assert not {one["id"]: [node["html"][:300] for node in one["nodes"]][:3] for one in found}
    assert not person.wrong


def test_a_host_with_other_tables_changes_none_of_ours(person):
    """JupyterLab puts cells to the right and gives rows stripes; ours stay as they are."""
    person.page.add_style_tag(content=TABLES)
    person.page.evaluate("document.querySelector('main').className = 'jp-RenderedHTMLCommon'")
    assert person.page.evaluate(ALIGNED) == ["left"]
    assert person.page.evaluate(STRIPES) == ["rgba(0, 0, 0, 0)"]


def test_nothing_sticks_out_of_a_narrow_notebook(person):
    """On a phone a wide table scrolls in its own place."""
    person.page.set_viewport_size({"width": 390, "height": 900})
    assert not person.page.evaluate(WIDE)
