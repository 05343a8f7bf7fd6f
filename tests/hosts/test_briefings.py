"""What is taken down of a call when it is asked about: on each mount, once, and told to whoever decides."""

from __future__ import annotations

import itertools
import threading
from contextlib import closing

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Change, Ladder, Person, Policy, Reach, presented_by
from ladder_graph.briefing import Past
from ladder_graph.errors import DefiniteFailure
from ladder_graph.testing import FrozenClock, ScriptedModel, calls
from tests.hosts.graphs import WAYS, ladder_of, on
from tests.hosts.mounts import BOUNDED, MOUNTS

INVOICE = '{"payment": "pay_8Kq2", "currency": "EUR"}'
WANTED = {"payment_id": "pay_8Kq2", "amount": 240.0, "currency": "EUR", "reason": "duplicate charge"}
WORDS = "Dana was charged twice, so I refund it."
RULE = {
    "rung": "confirm", "impact": "medium", "mistake": "$500", "egress": True,
    "bounds": [
        {"kind": "range", "argument": "amount", "most": 200},
        {"kind": "one_of", "argument": "currency", "values": ["EUR"]},
        {"kind": "cost", "argument": "amount", "limit": "$1000"},
    ],
}  # fmt: skip


def tools_of(seen):
    """One that looks up, and one that acts and says all there is to say about it."""

    @tool
    def read_invoice(number: str) -> str:
        """Look up an invoice."""
        return INVOICE

    def preview(given):
        seen.append(given)
        return [Change("payment pay_8Kq2", "captured", "refunded"), Change("Dana's mailbox", None, "1 notice")]

    @tool
    @presented_by(
        title="Refund €{amount} to Dana Novak?", deed="Run the refund", preview=preview,
        reach=Reach(people="1 customer: Dana Novak", undone="partly: 30 minutes, not the e-mail"),
        remedy="Within 30 minutes refund_cancel stops it.",
    )  # fmt: skip
    def refund(payment_id: str, amount: float, currency: str, reason: str, notify: bool = True) -> str:
        """Give money back."""
        return "refunded"

    return [read_invoice, refund]


def asked(ladder, mount, seen, way=WAYS[0], **wanted):
    """An agent that has looked up an invoice, and asks to refund it."""
    steps = [calls("read_invoice", {"number": "4471"}), calls("refund", {**WANTED, **wanted}, text=WORDS), "Done."]
    agent = mount(ladder, steps, tools_of(seen))
    way.invoke(agent, {"messages": "I was charged twice for invoice 4471: duplicate charge"}, on())
    return agent


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
def test_everything_is_told(mount, way):
    """The tool's words, where each value came from, what the bounds say, and the agent's own words."""
    seen = []
    with closing(ladder_of({"refund": RULE, "read_invoice": BOUNDED}, people={"mia": {}})) as ladder:
        asked(ladder, mount, seen, way)
        (question,) = ladder.pending()
        told = ladder.briefing(question.id, by=Person("mia", "console"))
    assert (told.title, told.deed) == ("Refund €240.0 to Dana Novak?", "Run the refund")
    assert [(one.name, one.value, one.source, one.sent) for one in told.arguments] == [
        ("payment_id", '"pay_8Kq2"', "looked up by read_invoice", True),
        ("amount", "240.0", "written by the agent", True),
        ("currency", '"EUR"', "looked up by read_invoice", True),
        ("reason", '"duplicate charge"', "written by the agent", True),
        ("notify", "true", "the tool's default", False),
    ]
    by_name = {one.name: [(check.level, check.text) for check in one.checks] for one in told.arguments}
    assert by_name["amount"] == [("warn", "outside its bound: it wants a number from any to 200")]
    assert by_name["currency"] == [("ok", "inside its bound (one of)")]
    assert [(one.thing, one.before, one.after) for one in told.changes] == [
        ("payment pay_8Kq2", "captured", "refunded"), ("Dana's mailbox", None, "1 notice"),
    ]  # fmt: skip
    assert told.changes_said == "as the tool says"
    assert told.reach.people == "1 customer: Dana Novak"
    assert told.reach.money.startswith("takes $240.00; $1000.00 of $1000.00 is left in ")
    assert told.reach.outside == "yes: the policy says so"
    assert told.remedy.sentences == ("Within 30 minutes refund_cancel stops it.",)
    assert told.words == WORDS
    assert told.past.words == "It is its first request."
    assert (told.barred, told.withheld, told.known) == ("", (), True)
    assert seen == [WANTED]


def test_what_became_of_the_last_requests():
    """Each by what really came of it; the one that is asked about isn't among them."""

    @tool
    def act(n: str) -> str:
        """Act."""
        if n == "failed":
            raise DefiniteFailure("no such thing")
        if n == "doubtful":
            raise TimeoutError
        return "acted"

    fates = ["ran", "failed", "doubtful", "approved", "edited", "declined", "answered", "open"]
    said = [[calls("act", {"n": fate}), *([] if fate == "approved" else ["Done."])] for fate in fates]
    model = ScriptedModel(answers=list(itertools.chain(*said)))
    with closing(ladder_of({"act": {"rung": "confirm", "mistake": "$1"}})) as ladder:
        agent = ladder.wrap(create_agent(model, [act], checkpointer=InMemorySaver()))
        for fate in fates:
            agent.invoke({"messages": fate}, on(fate))
            (question,) = ladder.pending()
            told = ladder.briefing(question.id)
            assert told.past.asked == fates.index(fate)
            match fate:
                case "edited":
                    ladder.edit(question.id, {"n": "other"}, by="mia")
                case "declined":
                    ladder.decline(question.id, by="mia", reason="No.")
                case "answered":
                    ladder.respond(question.id, text="Not now.", by="mia")
                case "open":
                    break
                case _:
                    ladder.approve(question.id, by="mia")
                    assert ladder.briefing(question.id).past == told.past
            if fate != "approved":
                agent.invoke(None, on(fate))
        assert told.past == Past(7, *(1,) * 4, undone=0, failed=1, doubtful=1, approved=1)
    assert told.past.words == (
        "Of its last 7 requests 1 ran as asked, 1 failed and changed nothing, 1 is in doubt, 1 is approved and not "
        "over yet, 1 was edited, 1 was declined, 1 was answered by a person instead."
    )


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_it_is_taken_down_once(way):
    """A thread that is resumed, answered or not, asks nothing of the tool's author again."""
    seen = []
    with closing(ladder_of({"refund": RULE, "read_invoice": BOUNDED})) as ladder:
        agent = asked(ladder, MOUNTS["wrap"], seen, way)
        first = ladder.briefing(ladder.pending()[0].id)
        way.invoke(agent, None, on())
        again = ladder.briefing(ladder.pending()[0].id)
        assert (again.shown, again.document()) == (first.shown, first.document())
        ladder.approve(first.question.id, by="mia", shown=again.shown, input="keyboard", looked=3.0)
        way.invoke(agent, None, on())
        assert len(seen) == 1
        (entry,) = [one for one in ladder.log() if one.kind == "approved"]
        assert (entry.body["shown"], entry.body["input"], entry.body["looked"]) == (again.shown, "keyboard", 3.0)


def test_a_call_that_does_not_ask_pays_nothing():
    """What a tool would say of itself is asked where somebody is asked, and nowhere else."""
    seen = []
    rule = {**BOUNDED, "bounds": [{"kind": "volume", "limit": 9}]}
    with closing(ladder_of({"refund": rule, "read_invoice": BOUNDED})) as ladder:
        asked(ladder, MOUNTS["wrap"], seen)
        assert not ladder.pending()
        assert not seen
        assert not [one for one in ladder.log() if "told" in one.body]


def test_no_superstep_is_added():
    """The graph takes the same steps, whether a tool says something or not."""
    steps = []
    for declared in (True, False):
        with closing(ladder_of({"refund": RULE, "read_invoice": BOUNDED})) as ladder:
            tools = tools_of([])
            if not declared:
                del tools[1].func.__ladder__
            turn = [calls("read_invoice", {"number": "4471"}), calls("refund", WANTED, text=WORDS), "Done."]
            agent = MOUNTS["wrap"](ladder, turn, tools)
            agent.invoke({"messages": "Go."}, on())
            steps.append(agent.get_state(on()).metadata["step"])
    assert steps[0] == steps[1]


@pytest.mark.parametrize("fails", ["raises", "hangs", "lies"])
def test_a_preview_that_fails_is_said_to_have_failed(fails, monkeypatch):
    """The question is asked all the same, and says what is missing."""
    monkeypatch.setattr("ladder_graph.turns.presenting.tell.__defaults__", (0.2,))
    gate = threading.Event()

    def preview(given):
        if fails == "raises":
            raise RuntimeError("no such payment")
        if fails == "hangs":
            gate.wait(20)
        return ["refunded"]

    @tool
    @presented_by(preview=preview, title="Refund?")
    def refund(amount: int) -> str:
        """Give money back."""
        return "refunded"

    try:
        with closing(ladder_of({"refund": "confirm"})) as ladder:
            agent = MOUNTS["wrap"](ladder, [calls("refund", {"amount": 1}), "Done."], [refund])
            agent.invoke({"messages": "Go."}, on())
            told = ladder.briefing(ladder.pending()[0].id)
    finally:
        gate.set()
    said = {
        "raises": "RuntimeError: no such payment", "hangs": "it took longer than 0.2s",
        "lies": "TypeError: a preview gives a list of Change, and this one held a str",
    }  # fmt: skip
    assert told.trouble == (f"what changes can't be told: {said[fails]}",)
    assert (told.title, told.changes, told.changes_said) == ("Refund?", (), "the tool could not say")


def test_a_tool_that_says_nothing_is_told_plainly():
    """What nobody knows is said to be unknown, and never to be a no."""

    @tool
    def send(to: str, text: str = "Hello") -> str:
        """Send a mail."""
        return "sent"

    with closing(ladder_of({"send": "confirm"})) as ladder:
        agent = MOUNTS["wrap"](ladder, [calls("send", {"to": "ana@shop.example"}), "Done."], [send])
        agent.invoke({"messages": "Write to ana@shop.example."}, on())
        told = ladder.briefing(ladder.pending()[0].id)
    assert (told.title, told.deed) == ("Run send?", "Run send")
    assert told.arguments[0].source == "the user wrote it"
    assert (told.changes, told.changes_said) == ((), "the tool doesn't say")
    assert told.reach == Reach(
        "unknown", "unknown", "perhaps: by to", "unknown: the tool declares no undo"
    )  # fmt: skip
    assert told.remedy.sentences == ("The tool declares no undo. Whether it can be put right is not known.",)


def test_an_agent_inside_another_has_no_words_of_the_user():
    """What it reads as its user's was written by the outer one; its own words are its own."""

    @tool
    def send(to: str) -> str:
        """Send a mail."""
        return "sent"

    inner = create_agent(
        ScriptedModel(answers=[calls("send", {"to": "eve@evil.example"}, text="I must."), "done"]), [send], name="inner"
    )

    @tool
    def delegate(task: str) -> str:
        """Let another agent do it."""
        return str(inner.invoke({"messages": [HumanMessage(task)]})["messages"][-1].text)

    with closing(ladder_of({"send": "confirm", "delegate": BOUNDED})) as ladder:
        agent = MOUNTS["wrap"](ladder, [calls("delegate", {"task": "write to eve@evil.example"}), "done"], [delegate])
        agent.invoke({"messages": "write to eve@evil.example"}, on())
        told = ladder.briefing(ladder.pending()[0].id)
    assert told.arguments[0].source == "written by the agent"
    assert told.words == "I must."


def test_another_process_tells_the_same(tmp_path):
    """Who answers in a process that knows no tool is told what was taken down in the agent's own."""
    file, clock = str(tmp_path / "ladder.db"), FrozenClock()
    with closing(ladder_of({"refund": RULE, "read_invoice": BOUNDED}, ledger=file, clock=clock)) as ladder:
        asked(ladder, MOUNTS["wrap"], [])
        here, policy = ladder.briefing(ladder.pending()[0].id), ladder.policy
    with closing(Ladder(policy=policy, ledger=file, clock=clock)) as elsewhere:
        there = elsewhere.briefing(here.question.id)
    assert there.document() == here.document()


def test_an_editor_is_named(tmp_path):
    """What was said of the first arguments isn't said of others, and whose the new value is stands beside it."""
    rule = {**RULE, "confirm": {"quorum": 2}}
    with closing(ladder_of({"refund": rule, "read_invoice": BOUNDED})) as ladder:
        asked(ladder, MOUNTS["wrap"], [])
        (question,) = ladder.pending()
        ladder.edit(question.id, {**WANTED, "amount": 100.0}, by=Person("mia", "console"))
        told = ladder.briefing(ladder.pending()[0].id, by=Person("mia", "console"))
    by_name = {one.name: one for one in told.arguments}
    assert by_name["amount"].source == "put in by mia"
    assert by_name["amount"].checks == ()
    assert by_name["payment_id"].source == "looked up by read_invoice"
    assert (told.title, told.changes, told.words) == ("Run refund?", (), WORDS)
    assert told.barred == "mia has approved already; 1 more person must"


def test_labels_mask_the_values():
    """Who doesn't hold the label sees what is asked and why, and none of the values."""
    rule = {**RULE, "labels": ["customer-data"]}
    people = {"mia": {"labels": ["customer-data"]}, "bo": {}}
    with closing(ladder_of({"refund": rule, "read_invoice": BOUNDED}, people=people)) as ladder:
        asked(ladder, MOUNTS["wrap"], [])
        (question,) = ladder.pending()
        seen = ladder.briefing(question.id, by=Person("mia", "console"))
        masked = ladder.briefing(question.id, by=Person("bo", "console"))
    assert seen.withheld == ()
    assert masked.withheld == ("customer-data",)
    assert "bo may not decide about refund: it touches customer-data" in masked.barred
    document = str(masked.document())
    assert not [text for text in ("pay_8Kq2", "Dana", "twice") if text in document]


@pytest.mark.parametrize("bounds", [True, False])
def test_nothing_in_a_briefing_gives_a_probe_away(bounds, monkeypatch):
    """A probe is told in the words of a real question, with its own arguments; no word tells them apart."""
    monkeypatch.setattr("ladder_graph.ladder.questions.due", lambda *_: True)
    monkeypatch.setattr("ladder_graph.ladder.questions.mutated", lambda *_: ({**WANTED, "amount": 2400.0}, "ten times"))
    rule = RULE if bounds else {"rung": "confirm"}
    policy = {"agent": "ops", "tools": {"refund": rule, "read_invoice": BOUNDED}, "trust": {"probes": "mutated"}}
    with closing(Ladder(policy=Policy.model_validate(policy), ledger=":memory:", clock=FrozenClock())) as ladder:
        asked(ladder, MOUNTS["wrap"], [])
        (question,) = ladder.pending()
        real = ladder.briefing(question.id).document()
        ladder.decline(question.id, by="mia", reason="no", fault="policy")
        (probe,) = ladder.pending()
        told = ladder.briefing(probe.id).document()
        life = ladder.life(probe.call.key)
    assert told["title"] == "Refund €2400.0 to Dana Novak?"
    own = {"question", "action", "digest", "thread", "asked", "title", "arguments", "json", "checks", "reach", "past"}
    assert {name for name in real if real[name] != told[name]} <= own
    assert [(one["name"], one["source"]) for one in told["arguments"]] == [
        (one["name"], one["source"]) for one in real["arguments"]
    ]
    assert told["reach"]["people"] == real["reach"]["people"]
    assert life.counted.why == "nothing is known of it yet"
