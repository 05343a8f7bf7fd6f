"""Drafts that are taken in part, or not at all, as a person does it; the agent reads what became of them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.scripts import WAYS
from tests.browser.world import HOSTILE, LETTER, within

TEXT = LETTER.replace("contacting us", "writing to us").replace("five days", "two days")
BY_WAY = pytest.mark.parametrize("way", WAYS, ids=str)


def drafted(site, text=TEXT):
    """Let the agent draft a letter; its thread, and where the draft is."""
    site.world.ran.clear()
    thread = site.world.begin("write_letter", {"to": "dana@x.example", "subject": "Your invoice", "body": text})
    draft = next(one for one in site.ladder.drafts() if one.action.thread == thread and one.state == "waiting")
    return thread, f"/drafts/{draft.action.key}"


@BY_WAY
def test_a_draft_is_taken_in_part(site, way):
    """One change is taken and one left, nothing is preselected, and exactly that runs; the agent is told."""
    thread, path = drafted(site)
    ana = site.person("ana", **way)
    ana.go("/drafts")
    ana.page.locator(f"main a[href='{path}']").click()
    assert ana.page.locator("input:checked").count() == 0
    assert ana.page.locator(":focus").count() == 0
    ana.press("Use what I took")
    ana.sees("Take it, or leave it out.")
    assert not site.world.did("write_letter")
    taken = ana.page.locator("section.hunk", has_text="writing to us")
    changes = ana.page.locator("section.hunk:has(input)")
    for place in range(changes.count()):
        changes.nth(place).locator("input[value=leave]").check()
    taken.locator("input[value=take]").check()
    ana.fill("Tell the agent why", "Two days is more than we can promise.")
    ana.press("Use what I took")
    ana.sees("Left out", "Two days is more than we can promise.")
    within(lambda: site.world.did("write_letter"), "the letter is written")
    (written,) = site.world.did("write_letter")
    assert "writing to us" in written["body"]
    assert "five days" in written["body"]
    site.world.go_on(thread, "read_stock", {"item": "tea"})
    ana.go(path)
    ana.sees("The agent was told")
    assert not ana.wrong


@BY_WAY
def test_a_draft_is_discarded_with_a_reason(site, way):
    """Without one nothing is done; with one nothing runs, and the agent reads it."""
    thread, path = drafted(site, TEXT + HOSTILE)
    ana = site.person("ana", **way)
    ana.go(path)
    ana.sees(r"\u{202E}gnp.exe\u{202C}")
    assert ana.page.locator("main script, main b[onclick]").count() == 0
    ana.press("Discard")
    expect(ana.page.get_by_label("Tell the agent why")).to_have_attribute("aria-invalid", "true")
    ana.fill("Tell the agent why", "She was answered by phone.")
    ana.press("Discard")
    ana.sees("She was answered by phone.")
    site.world.go_on(thread, "read_stock", {"item": "tea"})
    assert any("She was answered by phone." in one.text for one in site.world.heard())
    assert not site.world.did("write_letter")


def test_enter_decides_nothing_about_a_draft(site):
    """The first button of its form only looks again."""
    _, path = drafted(site)
    ana = site.person("ana")
    ana.go(path)
    ana.page.locator("section.hunk input[value=take]").first.focus()
    with ana.page.expect_navigation():
        ana.enter()
    ana.sees("Nothing has been sent or applied.")
    assert not site.world.did("write_letter")


def test_the_keyboard_is_enough_for_a_draft(site):
    """Each change is taken by Space, and the button pressed by Enter."""
    _, path = drafted(site)
    ana = site.person("ana")
    ana.go(path)
    for change in range(1, 1 + ana.page.locator("section.hunk:has(input)").count()):
        ana.tab_to(f"change-{change}")
        ana.page.keyboard.press("Space")
    ana.tab_to("Use what I took")
    ana.enter()
    within(lambda: site.world.did("write_letter"), "the letter is written")
    ana.sees("What became of it")
    assert site.world.did("write_letter")[0]["body"].strip() == TEXT.strip()


@BY_WAY
def test_an_edited_draft_keeps_what_was_not_touched(site, way):
    """Also what can't be seen: a line that nobody changed is the line that it was."""
    _, path = drafted(site, TEXT + HOSTILE)
    ana = site.person("ana", **way)
    ana.go(f"{path}/edit")
    ana.sees("A line that you leave keeps them")
    body = ana.page.get_by_label("body")
    body.fill(body.input_value().replace("two days", "ten days"))
    ana.press("Use my text")
    within(lambda: site.world.did("write_letter"), "the letter is written")
    ana.sees("What became of it")
    assert site.world.did("write_letter")[0]["body"].strip() == (TEXT + HOSTILE).replace("two days", "ten days").strip()
