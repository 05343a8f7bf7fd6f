"""Who is told that a question or a draft waits: once, only while it waits, with no argument, from any process."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Ladder
from ladder_graph.cli.hearing import examine
from ladder_graph.ledger.people import outgoing
from ladder_graph.policy.reading import policy_of
from ladder_graph.reporting.waiting import Waiting, message
from ladder_graph.resuming import InProcess
from ladder_graph.testing import FrozenClock, calls
from tests.hosts.graphs import GO, agent_of, on
from tests.hosts.graphs import World as Tools

HOUR = 3600
RULES = {
    "pay": {"rung": "confirm", "impact": "medium", "confirm": {"by": ["role:finance"]}},
    "two": {"rung": "confirm", "confirm": {"by": ["ana", "ben", "cy"], "quorum": 2, "not_requester": True}},
    "mail": {"rung": "draft", "labels": ["pii"]},
}
PEOPLE = {"ana": {"roles": ["finance"], "labels": ["pii"]}, "ben": {"roles": ["finance"]}, "cy": {}}


class Office:
    """An agent that asks and drafts, and the file that people are told by."""

    def __init__(self, folder, ledger, **policy):
        self.file, self.clock, self.tools, self.threads = folder / "told.jsonl", FrozenClock(), Tools(), 0
        self.data = {
            "agent": "ops", "tools": RULES, "people": PEOPLE, "ledger": str(ledger), "watcher": "process",
            "questions": {"notify": [{"kind": "file", "path": str(self.file)}]},
            "console": {"url": "https://ladder.example/here"}, **policy,
        }  # fmt: skip
        self.ladder = self.opened()

    def opened(self, **policy):
        """Another process, or what stands for one."""
        return Ladder(policy=policy_of({**self.data, **policy}, "the office"), clock=self.clock)

    def ask(self, tool="pay", value="s3cret", ladder=None):
        """Let a tool be called that doesn't run at once; the thread's config and its graph."""
        self.threads += 1
        one = ladder or self.ladder
        graph = one.wrap(
            agent_of([calls(tool, {"x": value}), "Done."], [self.tools.tool(tool)]), checkpointer=InMemorySaver()
        )
        config = on(str(self.threads), ladder_requester="rita")
        graph.invoke(GO, config)
        return graph, config

    def told(self):
        """Each message that came, in its order."""
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]

    def kinds(self):
        """What each of them tells."""
        return [one["kind"] for one in self.told()]


@contextlib.contextmanager
def office_of(folder, ledger=":memory:", **policy):
    """An office that is closed afterwards."""
    made = Office(folder, ledger, **policy)
    try:
        yield made
    finally:
        made.ladder.close()


@pytest.fixture
def office(tmp_path):
    """In memory."""
    with office_of(tmp_path) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def lasting(request, tmp_path):
    """On each kind of database."""
    ledger = tmp_path / "ladder.db" if request.param == "sqlite" else request.getfixturevalue("postgres")
    with office_of(tmp_path, ledger) as made:
        yield made


def test_a_question_is_told_of_once_and_again_at_half_its_time(lasting):
    """Who may answer, what, until when, what happens else, and where; nothing of the arguments."""
    lasting.ask()
    (asked,) = lasting.ladder.pending()
    assert [lasting.ladder.send_messages() for _ in range(2)] == [1, 0]
    assert lasting.ladder.untold() == []
    lasting.clock.advance(12 * HOUR - 1)
    assert lasting.ladder.send_messages() == 0
    lasting.clock.advance(1)
    assert [lasting.ladder.send_messages() for _ in range(2)] == [1, 0]
    first, half = lasting.told()
    link, until = f"https://ladder.example/here/confirm/{asked.id}", f"{asked.expires_at:%Y-%m-%d %H:%M}"
    assert (first["kind"], first["agent"], first["tool"], first["impact"]) == ("asked", "ops", "pay", "medium")
    assert (first["may_answer"], first["question"], first["link"]) == (["role:finance"], asked.id, link)
    assert first["expires_at"] == asked.expires_at.isoformat()
    assert first["text"].splitlines() == [
        "ops asks to run pay. Impact: medium.",
        "role:finance may answer.",
        f"Without an answer by {until} UTC it is declined: it doesn't run, and the agent is told so.",
        link,
    ]
    assert (half["kind"], half["title"]) == ("expiring", "ops asks to run pay: half the time is over")
    assert "s3cret" not in lasting.file.read_text(encoding="utf-8")


def test_what_was_answered_meanwhile_is_told_to_nobody(lasting):
    """Elsewhere, before anybody sent it; what came too late expired."""
    lasting.ask()
    lasting.ladder.decline(lasting.ladder.pending()[0].id, by="ana", reason="no")
    lasting.ask("two")
    lasting.clock.advance(25 * HOUR)
    assert lasting.ladder.send_messages() == 0
    assert (lasting.told(), lasting.ladder.untold()) == ([], [])


def test_nobody_is_told_unless_the_policy_says_so(tmp_path):
    """Nothing is even written down."""
    with office_of(tmp_path, questions={}) as office:
        office.ask()
        office.ask("mail")
        office.clock.advance(20 * HOUR)
        assert office.ladder.untold() == []
        assert office.ladder.send_messages() == 0


def test_each_way_tells_what_it_is_for(tmp_path):
    """`on` says which."""
    ways = [{"kind": "file", "path": str(tmp_path / "told.jsonl"), "on": ["expiring"]}]
    with office_of(tmp_path, questions={"notify": ways}) as office:
        office.ask()
        office.ask("mail")
        assert office.ladder.send_messages() == 0
        office.clock.advance(12 * HOUR)
        assert office.ladder.send_messages() == 1
        assert office.kinds() == ["expiring"]


def test_a_call_that_was_edited_and_still_needs_others_is_told_of(office):
    """The new question is another one, with the editor as its first yes."""
    office.ask("two")
    office.ladder.send_messages()
    (first,) = office.ladder.pending()
    office.ladder.edit(first.id, {"x": "less"}, by="ana", reason="less will do")
    (second,) = office.ladder.pending()
    assert office.ladder.send_messages() == 1
    asked = office.told()[-1]
    assert (asked["question"], asked["quorum"]) == (second.id, 2)
    assert second.id != first.id
    assert "ana or ben or cy may answer." in asked["text"]
    assert "2 different people must approve." in asked["text"]
    assert "Whoever's run proposed it may not approve it." in asked["text"]
    office.clock.advance(12 * HOUR)
    assert office.ladder.send_messages() == 1
    assert office.told()[-1]["question"] == second.id


def test_a_question_that_is_asked_anew_is_told_of(tmp_path):
    """Its rule was changed since, so the first one is void, and isn't told of any more."""
    with office_of(tmp_path, tmp_path / "ladder.db") as office:
        graph, config = office.ask()
        (first,) = office.ladder.pending()
        rules = {**RULES, "pay": {**RULES["pay"], "impact": "high"}}
        office.ladder.policy = policy_of({**office.data, "tools": rules}, "the office")
        graph.invoke(None, config)
        (second,) = office.ladder.pending()
        assert second.id != first.id
        assert office.ladder.send_messages() == 1
        assert [(one["question"], one["impact"]) for one in office.told()] == [(second.id, "high")]


def test_whoever_a_question_is_handed_to_is_told_each_time(office):
    """Also where it comes back to the same person."""
    office.ask()
    (asked,) = office.ladder.pending()
    office.ladder.send_messages()
    for one, other in (("ana", "ben"), ("ben", "ana"), ("ana", "ben")):
        office.clock.advance(60)
        office.ladder.pass_on(asked.id, to=other, by=one, note="the s3cret is yours")
    assert office.ladder.send_messages() == 3
    assert [one["to"] for one in office.told()[1:]] == ["ben", "ana", "ben"]
    assert "ana handed it to ben." in office.told()[1]["text"]
    assert "s3cret" not in office.file.read_text(encoding="utf-8")


def test_a_draft_is_told_of_while_it_waits(office):
    """With what whoever decides must hold; one that was decided needs nobody any more."""
    office.ask("mail")
    (draft,) = office.ladder.drafts()
    assert office.ladder.send_messages() == 1
    (told,) = office.told()
    assert (told["kind"], told["draft"], told["labels"]) == ("drafted", draft.action.key, ["pii"])
    assert told["link"].startswith("https://ladder.example/here/drafts/")
    assert "It waits until somebody with the label pii decides." in told["text"]
    assert "s3cret" not in json.dumps(told)
    office.ask("mail", value="another")
    (other,) = (one for one in office.ladder.drafts() if one.action.key != draft.action.key)
    office.ladder.reject(other.action.key, by="ana", reason="no")
    assert office.ladder.send_messages() == 0


def test_names_are_inert():
    """An agent's own name for a tool turns no text around, and breaks no line."""
    said = message("passed", Waiting("ops\x1b[2J", "pay\u202e\nnow", "low", question="q1", to="b\u200bo", by="a\na"))
    assert not {"\u202e", "\x1b", "\u200b"} & set(said["title"] + said["text"])
    assert len(said["title"].splitlines()) == 1
    assert len(said["text"].splitlines()) == 4
    assert "`ladder inbox` shows it." in said["text"]


def test_a_process_that_dies_between_sending_and_noting_sends_the_same_id_again(tmp_path, monkeypatch):
    """And one that dies while it asks has told nobody, for it has asked nothing."""

    def died(*_, **__):
        raise KeyboardInterrupt

    with office_of(tmp_path, tmp_path / "ladder.db") as office:
        with monkeypatch.context() as patch:
            patch.setattr(outgoing, "queue", died)
            with pytest.raises(KeyboardInterrupt):
                office.ask()
        assert office.ladder.pending() == []
        office.ask()
        with monkeypatch.context() as patch:
            patch.setattr(outgoing, "sent", died)
            with pytest.raises(KeyboardInterrupt):
                office.ladder.send_messages()
        assert office.ladder.send_messages() == 0, "it is in somebody's hand"
        office.clock.advance(121)
        assert [office.ladder.send_messages() for _ in range(2)] == [1, 0]
        first, again = office.told()
        assert first["id"] == again["id"]


def test_several_ladders_at_one_ledger_send_once(lasting):
    """Whoever takes the lease."""
    for _ in range(3):
        lasting.ask()
    others = [lasting.opened() for _ in range(3)]
    threads = [threading.Thread(target=one.send_messages) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in others:
        one.close()
    assert lasting.kinds() == ["asked"] * 3


POLICY = """
agent = "ops"
[tools.pay]
rung = "confirm"
[questions]
notify = [{ kind = "file", path = "told.jsonl", on = ["asked"] }]
"""


def test_two_processes_that_sweep_send_once(tmp_path):
    """`ladder sweep`, twice at the same moment."""
    (tmp_path / "ladder.toml").write_text(POLICY, encoding="utf-8")
    tools = Tools()
    with contextlib.closing(Ladder(policy=tmp_path / "ladder.toml")) as ladder:
        ladder.policy = ladder.policy.model_copy(update={"watcher": "process"})
        graph = ladder.wrap(
            agent_of([calls("pay", {"x": "1"}), "Done."], [tools.tool("pay")]), checkpointer=InMemorySaver()
        )
        graph.invoke(GO, on("1"))
    sweeps = [
        subprocess.Popen([sys.executable, "-m", "ladder_graph.cli", "sweep"], cwd=tmp_path, stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [one.wait() for one in sweeps] == [0, 0]
    assert len((tmp_path / "told.jsonl").read_text(encoding="utf-8").splitlines()) == 1


def test_a_watcher_and_what_serves_the_console_send_too(tmp_path):
    """The watcher on its rounds, the console in a thread of its own that ends with the ladder."""
    with office_of(tmp_path, tmp_path / "ladder.db") as office:
        office.ladder.watcher.settle()
        office.ask()
        office.clock.advance(10)
        office.ladder.watcher.settle()
        assert office.kinds() == ["asked"]
        office.ask()
        office.ladder.keep_telling()
        office.ladder.keep_telling()
        until = time.monotonic() + 60
        while len(office.told()) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        assert office.kinds() == ["asked", "asked"]
    assert not [one for one in threading.enumerate() if one.name == "ladder-tell"]


def test_what_goes_on_with_threads_sends_too(office):
    """Every second, in a thread of its own that ends with it."""
    graph, _ = office.ask()
    worker = office.ladder.attach(InProcess(graph), poll=0.01)
    until = time.monotonic() + 60
    while not office.told() and time.monotonic() < until:
        time.sleep(0.02)
    office.ladder.detach()
    assert not [one for one in threading.enumerate() if one.name == "ladder-tell"]
    assert (worker.agent, office.kinds()) == ("ops", ["asked"])


def test_an_agent_whose_people_are_told_watches_by_itself(tmp_path):
    """Or its messages would wait for somebody's sweep."""
    with office_of(tmp_path, tmp_path / "ladder.db", watcher="thread") as office:
        office.ask()
        assert office.ladder.watcher.running
    with office_of(tmp_path, tmp_path / "other.db", watcher="thread", questions={}) as office:
        office.ask()
        assert not office.ladder.watcher.running


def test_a_channel_that_takes_nothing_costs_no_rung(tmp_path):
    """A question that nobody hears of expires, which is a no; the doctor says why nobody heard."""
    ways = [{"kind": "apprise", "env": "NOT_SET_ANYWHERE"}]
    with office_of(tmp_path, questions={"notify": ways}) as office:
        office.ask()
        assert {one.about: one.verdict for one in examine(office.ladder)}["notices"] == "note"
        office.ladder.send_messages()
        (stuck,) = office.ladder.untold()
        assert (stuck.kind, stuck.tries) == ("asked", 1)
        found = {one.about: one for one in examine(office.ladder)}["notices"]
        assert found.verdict == "wrong"
        assert "NOT_SET_ANYWHERE isn't set here" in found.points[-1].text
        office.clock.advance(2 * HOUR)
        assert office.ladder.status()[1].route.rung.word == "confirm"


def test_the_doctor_notices_that_nobody_sends(office):
    """After an hour: neither does anybody watch, nor sweep."""
    office.ask()
    office.clock.advance(HOUR)
    assert {one.about: one.verdict for one in examine(office.ladder)}["notices"] == "good"
    office.clock.advance(1)
    found = {one.about: one for one in examine(office.ladder)}["notices"]
    assert (found.verdict, "nobody has sent it" in found.points[-1].text) == ("wrong", True)
