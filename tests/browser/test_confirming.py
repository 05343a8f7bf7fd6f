"""Answering questions as a person does; the agent that waits goes on each time, by itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.scripts import WAYS
from tests.browser.world import HOSTILE, within

BY_WAY = pytest.mark.parametrize("way", WAYS, ids=str)


def look(person, question):
    """Look at a question, as from a link in a message."""
    assert person.go(f"/confirm/{question.id}") == 200


@BY_WAY
def test_approved_with_the_fact_that_matters(site, way):
    """Nothing runs while the amount isn't typed, or another one is; then exactly that call runs, once."""
    question = site.world.ask("refund", {"customer": "Ana", "amount": 4200})
    ana = site.person("ana", **way)
    ana.go("/confirm")
    ana.page.locator(f"main a[href='/confirm/{question.id}']").click()
    ana.press(run_of(ana))
    ana.sees("Type the amount.")
    ana.fill("To run it, type the amount", "42")
    ana.fill("Note", "As agreed")
    ana.press(run_of(ana))
    ana.sees("Nothing ran.")
    expect(ana.page.get_by_label("Note")).to_have_value("As agreed")
    assert not site.world.did("refund")
    ana.fill("To run it, type the amount", "4200")
    ana.press(run_of(ana))
    ana.sees("Answered")
    assert site.world.ended(question.call.thread) == "I was told: refund is done"
    assert site.world.did("refund") == [{"customer": "Ana", "amount": 4200, "note": ""}]
    site.world.ran.clear()
    (entry,) = (one for one in site.ladder.log() if (one.kind, one.action) == ("approved", question.call.key))
    assert entry.body["by"] == "ana"
    assert not ana.wrong


def run_of(person):
    """The words on the button that lets it run: the second of the two."""
    return person.page.locator(".choices button").nth(1).inner_text()


@BY_WAY
def test_declined_with_a_reason(site, way):
    """A no takes a reason, and the agent reads it."""
    question = site.world.ask("close_ticket", {"ticket": 7, "text": "Bye"})
    ana = site.person("ana", **way)
    look(ana, question)
    ana.press("Decline")
    ana.sees("Say why not")
    ana.fill("Note", "Ticket 7 is still open for the customer.")
    ana.press("Decline")
    ana.sees("Answered")
    assert "Ticket 7 is still open for the customer." in site.world.ended(question.call.thread)
    assert not site.world.did("close_ticket")


@BY_WAY
def test_edited(site, way):
    """Typed fields, old and new side by side, a yes to exactly that, and that runs."""
    question = site.world.ask("close_ticket", {"ticket": 8, "text": "Bye"})
    ana = site.person("ana", **way)
    look(ana, question)
    ana.press("Edit the arguments")
    ana.fill("ticket", "eight")
    ana.press("Compare old and new")
    expect(ana.page.locator("[aria-invalid=true]")).to_have_count(1)
    ana.fill("ticket", "9")
    ana.fill("text", "Goodbye, and thank you")
    ana.press("Compare old and new")
    ana.sees("8", "9", "Goodbye, and thank you")
    assert not site.world.did("close_ticket")
    ana.press(run_of(ana))
    ana.sees("Answered")
    site.world.ended(question.call.thread)
    assert site.world.did("close_ticket") == [{"ticket": 9, "text": "Goodbye, and thank you"}]
    site.world.ran.clear()


@BY_WAY
def test_what_was_answered_meanwhile_is_stale(site, way):
    """Two reviewers look at one question; who is second is told who was first, and nothing happens twice."""
    question = site.world.ask("close_ticket", {"ticket": 10, "text": "Bye"})
    ana, bo = site.person("ana", **way), site.person("bo", **way)
    look(ana, question)
    look(bo, question)
    bo.fill("Note", "No need to")
    bo.press("Decline")
    with ana.page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        ana.press(run_of(ana))
    assert answered.value.status == 409
    ana.sees("bo")
    assert "No need to" in site.world.ended(question.call.thread)
    assert not site.world.did("close_ticket")


@BY_WAY
def test_a_quorum_takes_two_people(site, way):
    """One yes isn't enough, not twice by the same person; the second person's is."""
    question = site.world.ask("transfer", {"to": "Landlord", "cents": 95_000})
    ana, bo = site.person("ana", **way), site.person("bo", **way)
    look(ana, question)
    ana.press(run_of(ana))
    ana.sees("1 of 2 have approved", "You have approved it; others must, too.")
    assert ana.page.locator(".choices button").count() == 1
    assert not site.world.did("transfer")
    look(bo, question)
    bo.sees("1 of 2 have approved", "ana")
    bo.press(run_of(bo))
    bo.sees("Answered")
    assert site.world.ended(question.call.thread) == "I was told: transfer is done"
    assert site.world.did("transfer") == [{"to": "Landlord", "cents": 95_000}]
    site.world.ran.clear()


@BY_WAY
def test_enter_in_a_field_runs_nothing(site, way):
    """Also with everything filled in: the first button of the form is the one that does least."""
    question = site.world.ask("refund", {"customer": "Ana", "amount": 77})
    ana = site.person("ana", **way)
    look(ana, question)
    assert ana.page.locator(":focus").count() == 0
    ana.fill("To run it, type the amount", "77")
    ana.enter()
    ana.sees("Say why not" if way else "Your decision")
    assert not site.world.did("refund")
    assert question.id in {one.id for one in site.ladder.pending()}
    assert ana.page.locator("form.decision button[type=submit]").first.inner_text() == "Decline"


def test_the_keyboard_is_enough_to_decide(site):
    """From the list to the yes, by Tab, Space and Enter; and the history says that it was by keyboard."""
    question = site.world.ask("close_ticket", {"ticket": 12, "text": "Bye"})
    ana = site.person("ana")
    ana.go(f"/confirm/{question.id}")
    ana.tab_to(run_of(ana))
    ana.page.keyboard.press("Space")
    ana.sees("Answered")
    site.world.ended(question.call.thread)
    assert site.world.did("close_ticket")[-1]["ticket"] == 12
    site.world.ran.clear()
    (entry,) = (one for one in site.ladder.log() if (one.kind, one.action) == ("approved", question.call.key))
    assert entry.body["input"] == "keyboard"


@BY_WAY
def test_hostile_values_are_shown_as_what_they_are(site, way):
    """Nothing of them acts, hides or turns the line: not as HTML, Markdown or terminal codes."""
    question = site.world.ask("close_ticket", {"ticket": 13, "text": HOSTILE}, text=HOSTILE)
    ana = site.person("ana", **way)
    look(ana, question)
    ana.sees(r"<b onclick=alert(1)>\u{202E}gnp.exe\u{202C}</b> **bold** \u{1B}[31mred\u{1B}[0m \u{200B}<script>")
    assert ana.page.locator("main b[onclick], main script").count() == 0
    assert not ana.wrong


@pytest.mark.parametrize("width", [360, 1280])
def test_text_from_right_to_left_turns_nothing_beside_it(site, width):
    """What is said of it stands behind it, in our order: the cut, the number, the word."""
    question = site.world.ask("close_ticket", {"ticket": 7, "text": "\u05e9\u05dc\u05d5\u05dd " * 100})
    ana = site.person("ana", viewport={"width": width, "height": 800})
    ana.go(f"/confirm/{question.id}")
    places = ana.page.evaluate(PLACES)
    assert places == sorted(places), "each is on a later line, or further to the right on the same one"


PLACES = """() => {
  const summary = [...document.querySelectorAll("td summary")].find(one => one.textContent.includes("SHA-256"));
  const [value, said] = ["span.value", "span.quiet"].map(one => summary.querySelector(one).lastChild);
  const place = (text, at) => {
    const range = document.createRange();
    range.setStart(text, at);
    range.setEnd(text, at + 1);
    const box = range.getBoundingClientRect();
    return [Math.round(box.bottom / 8), box.left];
  };
  return [place(value, value.data.indexOf("\u2026")), place(said, 0), place(said, said.data.indexOf("characters"))];
}"""
"""The line and the left edge of what is said behind a long value, in the order in which it is written."""


@BY_WAY
def test_without_the_label_nothing_is_seen(site, way):
    """Neither on the page nor in the list nor in any part of it, and there is nothing to answer."""
    question = site.world.ask("refund", {"customer": "Rumpelstiltskin", "amount": 1})
    cy = site.person("cy", **way)
    for path in ("/confirm", f"/confirm/{question.id}", f"/confirm/{question.id}/passage", "/", "/history"):
        cy.go(path)
        assert "Rumpelstiltskin" not in cy.page.content()
    look(cy, question)
    cy.sees("withheld from you")
    assert cy.page.locator("form.decision").count() == 0


def test_a_viewer_looks_and_answers_nothing(site):
    """There is no form for them."""
    question = site.world.ask("close_ticket", {"ticket": 14, "text": "Bye"})
    vi = site.person("vi")
    look(vi, question)
    vi.sees("Bye")
    assert vi.page.locator("main form[method=post]").count() == 0


@BY_WAY
def test_passed_on(site, way):
    """It goes to somebody else, the clock running, with a word."""
    question = site.world.ask("close_ticket", {"ticket": 15, "text": "Bye"})
    ana, bo = site.person("ana", **way), site.person("bo", **way)
    look(ana, question)
    ana.page.get_by_text("Pass it to somebody else").click()
    ana.page.get_by_label("To whom").select_option("bo")
    ana.fill("Note", "You know the customer")
    ana.press("Pass it on")
    look(bo, question)
    bo.sees("ana handed it to bo", "You know the customer")


@BY_WAY
def test_several_at_once(site, way):
    """Each can be left out; those that were taken run, the others wait."""
    asked = [site.world.ask("close_ticket", {"ticket": number, "text": "Bye"}) for number in (21, 22, 23)]
    ana = site.person("ana", **way)
    ana.go("/confirm/batch?tool=close_ticket")
    assert ana.page.locator("input[name=take]:checked").count() == 0
    for one in asked[:2]:
        ana.page.locator(f"input[name=take][value='{one.id}']").check()
    ana.press("Run those taken")
    for one in asked[:2]:
        site.world.ended(one.call.thread)
    assert sorted(one["ticket"] for one in site.world.did("close_ticket")) == [21, 22]
    assert asked[2].id in {one.id for one in site.ladder.pending()}
    site.world.ran.clear()
    within(lambda: asked[0].id not in {one.id for one in site.ladder.pending()}, "the first is answered")
