"""The drafts workspace on pages: each change is taken or left by somebody, and nothing is taken unsaid."""

from __future__ import annotations

import re

import pytest
from langchain_core.tools import tool
from langgraph.prebuilt import ToolRuntime

from ladder_graph import drafted_by
from ladder_graph.drafting import email
from ladder_graph.testing import calls
from tests.console.conftest import HOST
from tests.hosts.graphs import on, raw_graph

BASE = "Hello,\n\nthank you for contacting us.\n\nWe will reply within five days.\n\nThe team\n"
TEXT = "Hello,\n\nthank you for writing.\n\nYou will have the money within two days.\n\nThe team\n"
SENT: list[str] = []


@tool
@drafted_by(email(template=BASE, source="the reply template"))
def put_into_outbox(to: str, subject: str, body: str) -> str:
    """Put a message into the outbox."""
    SENT.append(body)
    return f"it lies in the outbox for {to}"


@pytest.fixture
def drafted(console):
    """A console over a ladder in which a draft waits; the draft's path."""
    SENT.clear()

    def make(**policy):
        made = console(agent="ops", rungs={"put_into_outbox": {"rung": "draft", **policy}})
        wanted = calls("put_into_outbox", {"to": "dana@x.example", "subject": "Invoice", "body": TEXT})
        graph = made.ladder.wrap(raw_graph([wanted, "Done.", "Heard."], [put_into_outbox]))
        graph.invoke({"messages": [("user", "Answer Dana.")]}, on())
        made.graph = graph
        return made, f"/drafts/{made.ladder.drafts()[0].action.key}"

    return make


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a page's decision."""
    return dict(re.findall(r'<input type="hidden" name="(seen|view|before)" value="([^"]*)">', page))


def numbers(page: str) -> list[int]:
    """The changes that have to be taken or left."""
    return sorted({int(one) for one in re.findall(r'name="change-(\d+)"', page)})


def main(page: str) -> str:
    """What stands on a page, without its frame."""
    return page.partition("<main")[2].partition("</main")[0]


def decide(browser, path, **said):
    """Send the decision about a draft."""
    return browser.send(path, **fields(browser.get(path).text), **said)


def test_a_draft_that_waits_is_listed_and_shown(drafted):
    """With its changes against the base, marked within the line, and nothing preselected."""
    made, path = drafted()
    ana = made.visitor()
    assert path in ana.get("/drafts").text
    page = ana.get(path).text
    assert "the reply template" in page
    assert "<del>contacting us</del>" in page
    assert "<ins>writing</ins>" in page
    assert " checked" not in page
    assert len(numbers(page)) >= 2


def test_a_change_without_a_verdict_is_asked_for(drafted):
    """What was filled in stays, what is missing is marked, and nothing is done."""
    made, path = drafted()
    ana = made.visitor()
    first, *others = numbers(ana.get(path).text)
    answer = decide(ana, path, decision="use", note="so far", **{f"change-{first}": "take"})
    assert answer.status_code == 422
    assert f'name="change-{first}" value="take" checked' in answer.text
    assert answer.text.count("Take it, or leave it out.") == len(others)
    assert "so far" in answer.text
    assert not SENT


def test_a_part_is_used_and_the_agent_hears_of_the_rest(drafted):
    """The call runs once, with the changes that were taken, as the person's act."""
    made, path = drafted()
    ana = made.visitor()
    page = ana.get(path).text
    promise = next(
        int(number)
        for number, lines in re.findall(r'aria-label="Change (\d+)">(.*?)</pre>', page, re.DOTALL)
        if "two days" in re.sub("<[^>]+>", "", lines)
    )
    verdicts = {f"change-{n}": "leave" if n == promise else "take" for n in numbers(page)}
    answer = decide(ana, path, decision="use", note="promise nothing", looked="9", input="keyboard", **verdicts)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    (sent,) = SENT
    assert "thank you for writing" in sent
    assert "five days" in sent
    assert "two days" not in sent
    shown = ana.get(path).text
    assert "Accepted in part" in shown
    assert "promise nothing" in shown
    state = made.graph.invoke({"messages": [("user", "And?")]}, on())
    assert any("promise nothing" in str(message.content) for message in state["messages"])


def test_taking_nothing_is_no_acceptance(drafted):
    """To say that nobody wants it, it is discarded, with a reason that the agent reads."""
    made, path = drafted()
    ana = made.visitor()
    none = {f"change-{n}": "leave" for n in numbers(ana.get(path).text)}
    assert decide(ana, path, decision="use", **none).status_code == 422
    assert decide(ana, path, decision="discard").status_code == 422
    assert decide(ana, path, decision="discard", note="we don't write that").status_code == 303
    assert "Rejected" in ana.get(path).text
    assert not SENT


def test_enter_decides_nothing(drafted):
    """The first button of the form is one that only looks again."""
    made, path = drafted()
    ana = made.visitor()
    assert re.search(r'<button[^>]*name="decision" value="(\w+)"', ana.get(path).text)[1] == "look"
    assert decide(ana, path, decision="look", note="x").status_code == 422
    assert made.ladder.drafts()[0].state == "waiting"


def test_a_draft_that_was_decided_meanwhile_is_refused(drafted):
    """A page that lay open says what became of it; a digest that isn't the draft's is a conflict."""
    made, path = drafted()
    ana, bo = made.visitor("ana"), made.visitor("bo")
    old = ana.get(path).text
    everything = {f"change-{n}": "take" for n in numbers(old)}
    data = {"form": ana.token(old, path), **fields(old), "decision": "use", **everything}
    wrong = {**data, "seen": "0" * 64}
    assert ana.client.post(path, data=wrong, headers={"origin": HOST}).status_code == 409
    assert decide(bo, path, decision="discard", note="no").status_code == 303
    late = ana.client.post(path, data=data, headers={"origin": HOST})
    assert late.status_code == 409
    assert "Rejected" in late.text
    assert not SENT


def test_no_change_has_a_number_of_thousands_of_digits(drafted):
    """It is refused in words, whatever else is said; nothing is sent."""
    made, path = drafted()
    ana = made.visitor()
    all_ = {f"change-{number}": "take" for number in numbers(ana.get(path).text)}
    answer = decide(ana, path, decision="use", **all_, **{f"change-{'9' * 5000}": "take"})
    assert answer.status_code == 400
    assert "There is no such change" in answer.text
    assert not SENT


@pytest.mark.parametrize(
    "typed",
    ['{"text": ' + "[" * 100_000, '{"text": ' + "[" * 900 + "]" * 900 + "}", '{"text": "\\ud800"}',
     '{"\\ud800": "x"}', '{"text": ' + "9" * 5000 + "}", '{"text": 1e999}', "[]", "{"],
)  # fmt: skip
def test_arguments_that_are_none_are_refused_in_words(console, typed):
    """A draft whose arguments are edited as JSON comes back with what was typed; nothing ran."""
    ran = []

    @tool
    def put_down(text: str) -> str:
        """Put something down."""
        ran.append(text)
        return "put down"

    made = console(agent="ops", rungs={"put_down": {"rung": "draft"}})
    graph = made.ladder.wrap(raw_graph([calls("put_down", {"text": "tea"}), "Done."], [put_down]))
    graph.invoke({"messages": [("user", "Go on.")]}, on())
    path = f"/drafts/{made.ladder.drafts()[0].action.key}"
    ana = made.visitor()
    page = ana.get(f"{path}/edit").text
    answer = ana.send(f"{path}/edit", **fields(page), decision="use", **{"text-0": typed})
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert not ran


def test_the_whole_text_is_edited(drafted):
    """What was typed is used instead, as it was typed, and what wasn't changed isn't."""
    made, path = drafted()
    ana = made.visitor()
    page = ana.get(f"{path}/edit").text
    assert "within two days" in page
    at = {name: number for number, name in re.findall(r'<label for="text-(\d+)">([^<]*)</label>', page)}
    body = max(at.values(), key=lambda n: len(re.search(rf'id="text-{n}"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)[1]))
    texts = {f"text-{n}": re.search(rf'id="text-{n}"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)[1] for n in at.values()}
    same = ana.send(f"{path}/edit", **fields(page), decision="use", **texts)
    assert same.status_code == 409
    changed = {**texts, f"text-{body}": texts[f"text-{body}"].replace("two days", "ten days")}
    done = ana.send(f"{path}/edit", **fields(page), decision="use", **changed)
    assert done.status_code == 303, re.sub("<[^>]+>", "", done.text)[-600:]
    assert "ten days" in SENT[0]


def test_whoever_lacks_a_label_sees_that_it_is_there(console, tmp_path):
    """And nothing of what it says, and can't decide about it."""
    policy = tmp_path / "ladder.toml"
    policy.write_text(
        'agent = "ops"\n[people.ana]\nconsole = "reviewer"\nlabels = ["mail"]\n[people.bo]\nconsole = "reviewer"\n'
        '[people.cy]\nconsole = "viewer"\nlabels = ["mail"]\n'
        '[tools.put_into_outbox]\nrung = "draft"\nlabels = ["mail"]\n',
        encoding="utf-8",
    )
    made = console(policy=policy)
    wanted = calls("put_into_outbox", {"to": "dana@x.example", "subject": "Invoice", "body": TEXT})
    graph = made.ladder.wrap(raw_graph([wanted, "Done."], [put_into_outbox]))
    graph.invoke({"messages": [("user", "Answer Dana.")]}, on())
    path = f"/drafts/{made.ladder.drafts()[0].action.key}"
    bo, cy = made.visitor("bo"), made.visitor("cy")
    for page in (bo.get(path).text, bo.get("/drafts").text):
        assert "two days" not in page
        assert "mail" in page
    assert not re.search(r"<button", main(bo.get(path).text))
    shown = main(cy.get(path).text)
    assert "two days" in re.sub("<[^>]+>", "", shown)
    assert "<button" not in shown
    assert bo.get(f"{path}/edit").status_code == 303


def test_what_isnt_there_is_not_found(drafted):
    """An unknown draft, an action that is none, and a strange address."""
    made, path = drafted()
    ana = made.visitor()
    assert ana.get("/drafts/0000").status_code == 404
    assert ana.get("/drafts/..%2f..%2fetc").status_code == 404
    assert ana.get("/drafts?after=nonsense").status_code == 404
    assert ana.get(f"{path}x").status_code == 404


def test_a_draft_that_nobody_can_accept_can_only_be_discarded(console):
    """Its call runs nowhere but in its graph: there is no button to use it, and it is said why and what to do."""

    @tool
    def remember(text: str, runtime: ToolRuntime) -> str:
        """Remember something."""
        return text

    made = console(agent="ops", rungs={"remember": {"rung": "draft"}})
    graph = made.ladder.wrap(raw_graph([calls("remember", {"text": "tea"}), "Done."], [remember]))
    graph.invoke({"messages": [("user", "Remember tea.")]}, on())
    path = f"/drafts/{made.ladder.drafts()[0].action.key}"
    page = main(made.visitor().get(path).text)
    assert 'value="discard"' in page
    assert 'value="use"' not in page
    assert "/edit" not in page
    assert "A draft of remember can&#39;t be accepted, since its graph fills in runtime" in page
