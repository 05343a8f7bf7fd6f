"""Every page, for everybody: axe-core finds nothing, nothing scrolls sideways, and nothing has the focus.

Each is looked at light and dark, at 320 and 1320 pixels; a picture of each lands in `build/screens` for people.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from ladder_graph.testing import FrozenClock
from tests.browser.conftest import Site
from tests.browser.people import Person
from tests.browser.world import HOSTILE, LETTER, World

ONLY = {"resultTypes": ["violations"]}
"""What axe is to write down in full."""
LOOKS = [(theme, width) for theme in ("light", "dark") for width in (1320, 320)]
LONG = "a-very-long-name-" * 12


class Full(World):
    """A world in which much has happened: questions of all kinds, open and answered, and hostile ones."""

    def __init__(self, folder: Any) -> None:
        super().__init__(folder, FrozenClock())
        for item in ("tea", LONG, HOSTILE):
            self.begin("read_stock", {"item": item})
        self.clock.advance(86_400)
        (self.report,) = self.ladder.digests("unread")
        letter = {"to": "dana@x.example", "subject": "Your invoice", "body": LETTER.replace("five", "two")}
        self.begin("write_letter", letter)
        self.begin("write_letter", {**letter, "body": f"{LETTER}{HOSTILE} {LONG}"})
        self.drafts = [f"/drafts/{one.action.key}" for one in self.ladder.drafts()]
        self.high = self.ask("refund", {"customer": "Ana Lind", "amount": 4200}, "She paid twice. I checked both.")
        self.hostile = self.ask("close_ticket", {"ticket": 1, "text": HOSTILE}, HOSTILE)
        self.voted = self.ask("transfer", {"to": LONG, "cents": 95_000})
        self.ladder.approve(self.voted.id, by="bo")
        self.lengthy = self.ask("close_ticket", {"ticket": 2, "text": f"{LONG} {HOSTILE}\n" * 300})
        for number in range(3, 9):
            self.ask("close_ticket", {"ticket": number, "text": "Thank you, and goodbye."})
        self.done = self.ask("close_ticket", {"ticket": 9, "text": "Bye"})
        self.ladder.approve(self.done.id, by="bo", reason="Fine")
        self.ended(self.done.call.thread)
        self.declined = self.ask("refund", {"customer": "Bo", "amount": 1}, "He asked.")
        self.ladder.decline(self.declined.id, by="bo", reason=HOSTILE)
        self.ended(self.declined.call.thread)
        self.begin("notify", {"who": "everybody"})
        self.become("scripted-2")
        self.begin("notify", {"who": "nobody"})
        self.begin("restart", {"service": "web"})


def at(path: str | Callable[[Full], str], *presses: str) -> Callable[[Person, Full], None]:
    """How a page is reached: an address, and buttons that are pressed there."""

    def go(person: Person, world: Full) -> None:
        person.go(path if isinstance(path, str) else path(world))
        for name in presses:
            person.press(name)

    return go


def compare(person: Person, world: Full) -> None:
    """Old and new arguments, side by side."""
    at(lambda world: f"/confirm/{world.hostile.id}", "Edit the arguments")(person, world)
    person.fill("ticket", "77")
    person.press("Compare old and new")


def stale(person: Person, world: Full) -> None:
    """A question that somebody else answered while it was open."""
    question = world.ask("close_ticket", {"ticket": 99, "text": "Bye"})
    person.go(f"/confirm/{question.id}")
    world.ladder.decline(question.id, by="bo", reason="No need to")
    person.fill("Note", "Neither do I want it")
    person.press("Decline")


VIEWS: dict[str, tuple[str, Callable[[Person, Full], None]]] = {
    "signin": ("", at("/signin")),
    "signin-wrong": ("", at("/signin", "Sign in")),
    "link": ("", lambda person, world: person.go(world.link())),
    "home": ("ana", at("/")),
    "nothing": ("ana", at("/confirm/none")),
    "confirmations": ("ana", at("/confirm")),
    "confirmations-withheld": ("cy", at("/confirm")),
    "question": ("ana", at(lambda world: f"/confirm/{world.high.id}")),
    "question-hostile": ("ana", at(lambda world: f"/confirm/{world.hostile.id}")),
    "question-long": ("ana", at(lambda world: f"/confirm/{world.lengthy.id}")),
    "question-voted": ("ana", at(lambda world: f"/confirm/{world.voted.id}")),
    "question-wrong": ("ana", at(lambda world: f"/confirm/{world.high.id}", "Decline")),
    "question-withheld": ("cy", at(lambda world: f"/confirm/{world.high.id}")),
    "question-viewer": ("vi", at(lambda world: f"/confirm/{world.hostile.id}")),
    "question-stale": ("ana", stale),
    "answered": ("ana", at(lambda world: f"/confirm/{world.done.id}")),
    "declined": ("ana", at(lambda world: f"/confirm/{world.declined.id}")),
    "edit": ("ana", at(lambda world: f"/confirm/{world.hostile.id}", "Edit the arguments")),
    "comparison": ("ana", compare),
    "batch": ("ana", at("/confirm/batch?tool=close_ticket")),
    "passage": ("ana", at(lambda world: f"/confirm/{world.lengthy.id}/passage")),
    "drafts": ("ana", at("/drafts")),
    "draft": ("ana", at(lambda world: world.drafts[0])),
    "draft-wrong": ("ana", at(lambda world: world.drafts[-1], "Discard")),
    "draft-edit": ("ana", at(lambda world: f"{world.drafts[-1]}/edit")),
    "draft-viewer": ("vi", at(lambda world: world.drafts[0])),
    "reports": ("ana", at("/reports")),
    "report": ("ana", at(lambda world: f"/reports/{world.report.id}")),
    "report-wrong": ("ana", at(lambda world: f"/reports/{world.report.id}", "Mark as read")),
    "report-other": ("bo", at(lambda world: f"/reports/{world.report.id}")),
    "ladder": ("ana", at("/ladder")),
    "cell": ("ana", at("/ladder/ops/close_ticket")),
    "cell-wrong": ("ana", at("/ladder/ops/notify", "Lower to 1, draft")),
    "cell-withheld": ("cy", at("/ladder/ops/refund")),
    "fingerprint": ("pia", at("/fingerprint/ops")),
    "history": ("ana", at("/history")),
    "history-filtered": ("ana", at("/history?tool=refund")),
    "action": ("ana", at(lambda world: f"/history/action/{world.hostile.call.key}")),
    "action-done": ("ana", at(lambda world: f"/history/action/{world.done.call.key}")),
    "action-withheld": ("cy", at(lambda world: f"/history/action/{world.high.call.key}")),
    "people": ("ada", at("/people")),
    "people-viewer": ("vi", at("/people")),
}  # fmt: skip
"""Every page: who looks at it, and how they come there."""


@pytest.fixture(scope="module")
def _site(chromium, tmp_path_factory):
    with contextlib.closing(Full(tmp_path_factory.mktemp("world"))) as world:
        site = Site(world, chromium)
        world.link = lambda: site.link("ana")
        yield site
        site.end()


@pytest.mark.parametrize("name", VIEWS)
def test_each_page_is_for_everybody(site, screens, name):
    """In every light and width; and no script of it fails, and nothing that its own policy forbids is tried."""
    who, go = VIEWS[name]
    person = site.person(who) if who else site.stranger()
    go(person, site.world)
    assert person.page.locator(":focus").count() == 0
    found: dict[str, Any] = {}
    for theme, width in LOOKS:
        person.page.set_viewport_size({"width": width, "height": 900})
        person.page.emulate_media(color_scheme=theme)
        person.page.screenshot(path=screens / f"{name}-{theme}-{width}.png", full_page=True)
        for one in Axe().run(person.page, options=ONLY).response["violations"]:
            found[f"{one['id']} {theme} {width}"] = [node["html"][:300] for node in one["nodes"]][:3]
        wide = person.page.evaluate(WIDE)
        if wide:
            found[f"sideways {theme} {width}"] = wide
    assert not found
    assert not person.wrong


WIDE = """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
    [...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1)
        .map(one => one.outerHTML.slice(0, 120)).slice(-4)"""
"""What sticks out of the page to the right; nothing where it doesn't scroll sideways."""


@pytest.mark.parametrize("name", VIEWS)
def test_each_page_is_there_without_a_script(site, name):
    """With all of its words, and everything that can be sent."""
    who, go = VIEWS[name]
    said, ways = [], ({}, {"java_script_enabled": False})
    # Both are in before either looks: each that signs in is one entry more.
    for person in [site.person(who, **options) if who else site.stranger(**options) for options in ways]:
        go(person, site.world)
        said.append(controls(person))
    assert said[0] == said[1]
    assert said[0]


def controls(person: Person) -> list[str]:
    """Everything on a page that can be used, by its words.

    Not for sending people away, of whom each visit is one more; and whichever question comes next, it is the next one.
    """
    found = person.page.locator("a[href], button, input:not([type=hidden]), select, textarea, summary")
    words = [text.partition(" characters")[0] for text in found.all_inner_texts() if ", visit " not in text]
    return ["Next" if text.startswith("Next: ") else text for text in words]
