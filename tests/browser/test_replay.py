"""The page of `ladder replay --html`: for everybody, light and dark, on a phone, in print, and by itself."""

from __future__ import annotations

import gzip
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.people import Person
from tests.browser.test_pages import LOOKS, ONLY, WIDE

ROOT = Path(__file__).parents[2]
OVERLAPS = """() => {
    const boxes = [...document.querySelectorAll('svg.scatter text.name')].map(one => one.getBoundingClientRect());
    const meet = (a, b) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom;
    return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b => meet(a, b))).length;
}"""
"""How many pairs of names in the picture of cost and risk lie on each other, as the browser really draws them."""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The page on some recorded runs of the example, whose arguments hold injected texts."""
    folder = tmp_path_factory.mktemp("page")
    with gzip.open(ROOT / "examples" / "agentdojo" / "runs.jsonl.gz", "rt", encoding="utf-8") as pack:
        (folder / "runs.jsonl").write_text("".join(islice((one for one in pack if "/banking/" in one), 120)), "utf-8")
    subprocess.run(
        [sys.executable, "-m", "ladder_graph.cli", "replay", folder / "runs.jsonl", "--policy", "examples/agentdojo",
         "--references", "--at", "2024-05-15T10:00Z", "--html", folder / "replay.html", "--examples", "1"],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return folder / "replay.html"


@pytest.fixture
def person(chromium, file):
    """Somebody who has opened it; what it asks for besides itself is what it does wrong."""
    context = chromium.new_context(reduced_motion="reduce")
    person = Person(context.new_page())
    person.page.on("request", lambda one: one.url == file.as_uri() or person.wrong.append(one.url))
    person.page.goto(file.as_uri())
    yield person
    context.close()


def test_the_page_is_for_everybody(person, screens):
    """Axe finds nothing, nothing sticks out sideways, no name lies on another one, and nothing is asked for."""
    found = {}
    for details in person.page.locator("details").all():
        details.evaluate("one => one.open = true")
    for theme, width in LOOKS:
        person.page.set_viewport_size({"width": width, "height": 900})
        person.page.emulate_media(color_scheme=theme)
        person.page.screenshot(path=screens / f"replay-{theme}-{width}.png", full_page=True)
        if (wide := person.page.evaluate(WIDE)) or person.page.evaluate(OVERLAPS):
            found[f"drawn {theme} {width}"] = wide
        if (theme, width) in {LOOKS[0], LOOKS[-1]}:  # axe takes its time, and no colour depends on the width
            for one in Axe().run(person.page, options=ONLY).response["violations"]:
                found[f"{one['id']} {theme} {width}"] = [node["html"][:300] for node in one["nodes"]][:3]
    assert not found
    assert not person.wrong


def test_in_print_everything_is_there(person):
    """What is folded away on a screen is printed."""
    person.page.emulate_media(media="print")
    tables = person.page.locator("details table")
    assert tables.count() > 3
    assert all(one.bounding_box()["height"] > 50 for one in tables.all())
    assert person.page.locator("svg.scatter").bounding_box()["height"] > 200
