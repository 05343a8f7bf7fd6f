"""Drafts through real graphs: drawn, taken whole and in part, edited, rejected, superseded, moved under the draft."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.tools import tool

from ladder_graph import Ladder, Policy, drafted_by
from ladder_graph.drafting import config, email, patch
from ladder_graph.errors import AnswerRefused, DraftMoved
from ladder_graph.facts import Person
from ladder_graph.states import State
from ladder_graph.testing import calls
from ladder_graph.tools import Declaration
from tests.hosts.graphs import GO, WAYS, agent_of, on

TEMPLATE = "Hello,\nthank you for contacting us.\n\nWe will reply soon.\nThe team\n"
WRITTEN = "Hello Dana,\nthank you for contacting us.\n\nYou get 10% off.\nThe team\n"
LETTER = {"to": "dana@shop.example", "subject": "Invoice 4471", "body": WRITTEN}


class Desk:
    """A ladder with three tools that stand on rung 1, and what they did."""

    def __init__(self, root, **policy):
        self.root, self.sent = root, []

        @tool
        @drafted_by(email(template=TEMPLATE, source="the reply template"))
        def send(to: str, subject: str, body: str) -> str:
            """Send an e-mail."""
            self.sent.append((to, subject, body))
            return f"sent to {to}"

        @tool
        @drafted_by(patch(root=root, path="path", text="text"))
        def write(path: str, text: str) -> str:
            """Write a file."""
            self.sent.append((path, text))
            (root / path).write_text(text)
            return "written"

        @tool
        @drafted_by(config("path", root=root, merge="values"))
        def configure(path: str, values: dict) -> str:
            """Change settings."""
            self.sent.append((path, values))
            return "configured"

        @tool
        @drafted_by(lambda arguments: f"Dear {arguments['name']}")
        def greet(name: str) -> str:
            """Greet somebody."""
            self.sent.append(name)
            return "greeted"

        self.tools = [send, write, configure, greet]
        rungs = {one.name: {"rung": "draft", **policy.pop(one.name, {})} for one in self.tools}
        self.ladder = Ladder(policy=Policy(agent="ops", tools=rungs, **policy), ledger=":memory:")

    def run(self, *proposed, way=WAYS[0], thread="t"):
        """Let the agent propose these calls, one after another; the graph and what came of it."""
        graph = self.ladder.wrap(agent_of([*(calls(*one) for one in proposed), "Done."], self.tools))
        return graph, way.invoke(graph, GO, on(thread))

    def view(self, n=-1, by="ana"):
        """A draft as somebody sees it."""
        return self.ladder.draft(self.ladder.drafts()[n].action.key, by=by)


@pytest.fixture
def desk(tmp_path):
    """Three tools, and a directory for them."""
    made = Desk(tmp_path)
    yield made
    made.ladder.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_draft_shows_what_it_would_change(desk, way):
    """Against its template, change by change; nothing was sent, and the file is a message."""
    _, out = desk.run(("send", LETTER), way=way)
    assert "DRAFTED, NOT RUN" in out["messages"][-2].content
    view = desk.view()
    assert (view.title, view.source) == ("Invoice 4471, to dana@shop.example", "the reply template")
    assert [(one.number, one.heading) for one in view.changes] == [(1, "Opening"), (2, "Closing")]
    assert view.changes[1].new == "You get 10% off.\n"
    assert view.record.state == "waiting"
    assert desk.sent == []
    text = Path(view.draft.path).read_text()
    assert text.startswith("To: dana@shop.example\n")
    assert view.draft.path.endswith(".eml")


def test_an_accepted_draft_runs_as_it_was_drawn(desk):
    """Once, as the act of who accepted it, with the record of it."""
    desk.run(("send", LETTER))
    view = desk.view()
    reply = desk.ladder.accept(view.draft.action.key, by="ana", digest=view.digest, looked=12.5, characters=40)
    assert reply.state is State.DONE
    assert desk.sent == [("dana@shop.example", "Invoice 4471", WRITTEN)]
    record = desk.view().record
    assert (record.state, record.by, record.auth, record.looked, record.ran) == (
        "accepted",
        "ana",
        "code",
        12.5,
        "done",
    )
    assert [one.kind for one in record.events] == ["drafted", "draft", "draft_decided", "approved", "started", "done"]
    with pytest.raises(AnswerRefused, match="no draft that waits"):
        desk.ladder.accept(view.draft.action.key, by="ana")


def test_a_part_runs_with_what_was_taken(desk):
    """The text with the taken changes in it, and the others as they were; what was left out is kept in words."""
    desk.run(("send", LETTER))
    view = desk.view()
    reply = desk.ladder.accept(
        view.draft.action.key, by="ana", digest=view.digest, take=[1], leave=[2], reason="no gifts"
    )
    assert reply.state is State.DONE
    assert desk.sent == [
        ("dana@shop.example", "Invoice 4471", WRITTEN.replace("You get 10% off.", "We will reply soon."))
    ]
    record = desk.view().record
    assert (record.state, record.left) == (
        "part",
        ("body, Closing: not “You get 10% off.”; “We will reply soon.” stays",),
    )
    assert record.runs != view.draft.action.key
    assert desk.ladder.action(view.draft.action.key).state is State.EDITED
    assert desk.ladder.verify().ok


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"take": [1]}, "nothing is said of change 2"),
        ({"leave": [1]}, "nothing is said of change 2"),
        ({"take": [], "leave": [1, 2]}, "nothing is taken"),
        ({"take": [1, 2], "leave": [2]}, "change 2 is both"),
        ({"take": [1, 3], "leave": [2]}, "there is no change 3"),
        ({"take": [1], "leave": [2], "text": "x"}, "not two of them"),
        ({"text": {"nope": "x"}}, "no piece 'nope'"),
        ({"text": {"headers": "To: a\r\nBcc: eve@x.example\n"}}, "would end it"),
        ({"arguments": {"to": 3, "subject": [], "body": "x"}}, "doesn't fit send"),
    ],
)
def test_what_is_not_said_of_each_change_is_refused(desk, said, why):
    """Nothing is taken unsaid, and what doesn't fit runs nothing; the draft waits on."""
    desk.run(("send", LETTER))
    view = desk.view()
    with pytest.raises(AnswerRefused, match=why):
        desk.ladder.accept(view.draft.action.key, by="ana", digest=view.digest, **said)
    assert desk.view().record.state == "waiting"
    assert desk.sent == []


def test_a_part_is_of_one_very_draft(desk):
    """Without the digest that was shown numbers mean nothing; with another one it is refused."""
    desk.run(("send", LETTER))
    key = desk.view().draft.action.key
    with pytest.raises(AnswerRefused, match="say the digest"):
        desk.ladder.accept(key, by="ana", take=[1], leave=[2])
    for act in (desk.ladder.accept, desk.ladder.reject):
        with pytest.raises(DraftMoved, match="look again"):
            act(key, by="ana", digest="0" * 64, reason="no")


def test_an_edited_text_runs(desk):
    """Whole, in the place of the agent's; an edit that changes nothing is an acceptance."""
    desk.run(("send", LETTER))
    view = desk.view()
    assert view.editable
    desk.ladder.accept(view.draft.action.key, by="ana", digest=view.digest, text=WRITTEN.replace("10%", "5%"))
    assert desk.sent[0][2] == WRITTEN.replace("10%", "5%")
    record = desk.view().record
    assert (record.state, record.left) == (
        "edited",
        ("body, Closing: “You get 5% off.” in place of “You get 10% off.”",),
    )
    desk.run(("send", LETTER), thread="u")
    view = desk.view()
    desk.ladder.accept(view.draft.action.key, by="ana", digest=view.digest, text=WRITTEN)
    assert desk.view().record.state == "accepted"


def test_what_a_function_draws_is_taken_whole_or_with_other_arguments(desk):
    """There is no base and no way back from its text."""
    desk.run(("greet", {"name": "bo"}))
    view = desk.view()
    assert (view.whole, view.editable, len(view.changes)) == (True, False, 1)
    with pytest.raises(AnswerRefused, match="nothing says how"):
        desk.ladder.accept(view.draft.action.key, by="ana", digest=view.digest, text="Dear cy")
    desk.ladder.accept(view.draft.action.key, by="ana", arguments={"name": "cy"})
    assert desk.sent == ["cy"]


def test_a_material_edit_counts_as_evidence(desk):
    """As an edit of a question does: the agent's call was wrong, and the one in its place is a person's."""
    desk.run(("send", LETTER))
    view = desk.view()
    desk.ladder.accept(view.draft.action.key, by="ana", digest=view.digest, take=[1], leave=[2])
    entries = {one.kind: one.body for one in desk.ladder.log(limit=20) if one.action == view.draft.action.key}
    assert entries["edited"]["by"] == "ana"
    assert entries["edited"]["arguments"]["body"] != LETTER["body"]
    entered = [one.body for one in desk.ladder.log(limit=20) if one.body.get("edited_from")]
    assert [one["edited_from"] for one in entered] == [view.draft.action.key]


def test_a_base_that_moved_is_looked_at_again(desk):
    """The world changed since the draft was made: nobody accepts what they haven't seen, and then they see it."""
    (desk.root / "a.txt").write_text("one\ntwo\nthree\n")
    desk.run(("write", {"path": "a.txt", "text": "one\nTWO\nthree\n"}))
    view = desk.view()
    (desk.root / "a.txt").write_text("one\ntwo\nfour\n")
    assert desk.view().changes == view.changes  # The captured base stays.
    with pytest.raises(DraftMoved, match=r"starts from has changed \(a.txt\)"):
        desk.ladder.accept(view.draft.action.key, by="ana", digest=view.digest)
    with pytest.raises(DraftMoved, match="isn't what was shown"):
        desk.ladder.accept(view.draft.action.key, by="ana", digest=view.digest)
    again = desk.view()
    assert [one.new for one in again.changes] == ["TWO\nthree\n"]
    assert (desk.root / "a.txt").read_text() == "one\ntwo\nfour\n"
    assert desk.ladder.accept(again.draft.action.key, by="ana", digest=again.digest).state is State.DONE


def test_a_base_that_moved_after_the_acceptance_runs_nothing(desk):
    """What another process accepted is looked at once more where the tool is; it waits again."""
    (desk.root / "a.txt").write_text("one\n")
    desk.run(("write", {"path": "a.txt", "text": "two\n"}))
    view = desk.view()
    known, seats = desk.ladder.seats, desk.ladder._seats_of
    desk.ladder.seats, desk.ladder._seats_of = {}, {}
    assert desk.ladder.accept(view.draft.action.key, by="ana", digest=view.digest) is None
    (desk.root / "a.txt").write_text("three\n")
    desk.ladder.seats, desk.ladder._seats_of = known, seats
    (reply,) = desk.ladder.run_accepted()
    assert reply.state is State.DRAFTED
    assert (desk.sent, desk.view().record.state) == ([], "waiting")
    view = desk.view()
    assert view.changes[0].gone == "three\n"
    assert desk.ladder.accept(view.draft.action.key, by="ana", digest=view.digest).state is State.DONE


def begun(desk, tool, arguments, owner="gone"):
    """Its draft was accepted elsewhere, where the process that ran it died in it."""
    desk.run((tool, arguments))
    key, known, seats = desk.view().draft.action.key, desk.ladder.seats, desk.ladder._seats_of
    desk.ladder.seats, desk.ladder._seats_of = {}, {}
    assert desk.ladder.accept(key, by="ana") is None
    desk.ladder.seats, desk.ladder._seats_of = known, seats
    started = "UPDATE action SET state = 'started', fence = 1, owner = ? WHERE key = ?"
    desk.ladder.store.write(lambda cursor: cursor.execute(started, (owner, key)))
    return key


@pytest.mark.parametrize(
    ("found", "state", "sent"), [("happened", "done", 0), ("absent", "done", 1), (None, "unknown", 0)]
)
def test_one_whose_process_died_in_it_is_found_out_about(desk, found, state, sent):
    """By its probe, and it runs only where that says that nothing had happened; whoever looks reads what helps."""
    if found is not None:
        desk.ladder.declare("send", Declaration(probe=lambda arguments, key: found))
    key = begun(desk, "send", LETTER)
    assert next(one.command for one in desk.ladder.life(key).next) == "ladder resume-worker MODULE:GRAPH"
    assert [reply.state for reply in desk.ladder.run_accepted()] == [state]
    assert (desk.ladder.action(key).state, len(desk.sent), desk.ladder.run_accepted()) == (state, sent, [])
    assert desk.ladder.action(key).actor == "ana"


def test_one_that_runs_is_left_to_its_process(desk):
    """Nobody finds out about what a live process is at."""
    key = begun(desk, "send", LETTER, desk.ladder.store.owner.hold())
    desk.ladder.store.owner.begin(key, 1)
    assert (desk.ladder.run_accepted(), desk.ladder.action(key).state) == ([], "started")


def test_where_only_a_session_may_be_lost_it_runs_only_by_a_probe_that_is_certain(desk, monkeypatch):
    """Its process may be at it still, so that nothing had happened is not certain."""
    monkeypatch.setattr(type(desk.ladder.store.owner), "grace_us", 5_000_000)
    found = {"send": "absent"}
    desk.ladder.declare("send", Declaration(probe=lambda arguments, key: found["send"]))
    key = begun(desk, "send", LETTER)
    assert (desk.ladder.run_accepted(), desk.ladder.action(key).state) == ([], "started")
    found["send"] = "happened"
    assert [reply.state for reply in desk.ladder.run_accepted()] == ["done"]
    assert desk.sent == []


def test_one_whose_process_died_before_its_effect_does_not_run_on_another_base(desk):
    """What was accepted is no longer what would come of it."""
    (desk.root / "a.txt").write_text("one\n")
    desk.ladder.declare("write", Declaration(probe=lambda arguments, key: "absent"))
    key = begun(desk, "write", {"path": "a.txt", "text": "two\n"})
    (desk.root / "a.txt").write_text("three\n")
    (reply,) = desk.ladder.run_accepted()
    assert (reply.state, desk.sent) == (State.FAILED, [])
    assert "has changed (a.txt)" in desk.ladder.action(key).text


def test_an_accepted_part_whose_base_moved_waits_as_a_draft_of_its_own(desk):
    """The call with the taken part is what a person looks at then."""
    (desk.root / "a.toml").write_text("a = 1\nb = 1\n")
    desk.run(("configure", {"path": "a.toml", "values": {"a": 2, "b": 2}}))
    view = desk.view()
    known, seats = desk.ladder.seats, desk.ladder._seats_of
    desk.ladder.seats, desk.ladder._seats_of = {}, {}
    desk.ladder.accept(view.draft.action.key, by="ana", digest=view.digest, take=[1], leave=[2])
    desk.ladder.seats, desk.ladder._seats_of = known, seats
    (desk.root / "a.toml").write_text("a = 0\nb = 1\n")
    (reply,) = desk.ladder.run_accepted()
    assert reply.state is State.DRAFTED
    (waiting,) = desk.ladder.drafts(states=["waiting"])
    assert waiting.action.key != view.draft.action.key
    again = desk.ladder.draft(waiting.action.key, by="ana")
    assert [(one.heading, one.new) for one in again.changes] == [("a", "a = 2\n")]
    desk.ladder.accept(waiting.action.key, by="ana", digest=again.digest)
    assert desk.sent == [("a.toml", {"a": 2})]


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../x", "a\0b", "", ".git/hooks/pre-commit", "link/x", "link.txt", "a\nb"]
)
def test_a_path_that_leads_out_is_refused(desk, tmp_path_factory, path):
    """The agent reads why, nothing outside is read or written, and there is nothing to accept."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x").write_text("secret")
    (desk.root / "link").symlink_to(outside)
    (desk.root / "link.txt").symlink_to(outside / "x")
    _, out = desk.run(("write", {"path": path, "text": "new"}))
    answer = out["messages"][-2]
    assert answer.content.startswith("REFUSED: no draft of write can be made")
    assert answer.status == "error"
    assert desk.ladder.drafts() == []
    assert (outside / "x").read_text() == "secret"


def test_a_later_draft_takes_the_place_of_one_that_waits(desk):
    """The same recipient in the same thread, the same file in any; the older one says by which."""
    desk.run(("send", LETTER), ("send", {**LETTER, "body": "Hello.\n"}))
    first, second = desk.ladder.drafts()
    assert (first.state, first.superseded_by, second.state) == ("superseded", second.action.key, "waiting")
    with pytest.raises(AnswerRefused, match="it is superseded"):
        desk.ladder.accept(first.action.key, by="ana")
    desk.run(("send", LETTER), thread="u")
    assert [one.state for one in desk.ladder.drafts()] == ["superseded", "waiting", "waiting"]
    desk.run(("write", {"path": "a.txt", "text": "1"}), thread="v")
    desk.run(("write", {"path": "a.txt", "text": "2"}), ("write", {"path": "b.txt", "text": "2"}), thread="w")
    assert [one.state for one in desk.ladder.drafts()][3:] == ["superseded", "waiting", "waiting"]


def test_asking_for_the_same_again_supersedes(desk):
    """Also where nothing says what a draft is about."""
    desk.run(("greet", {"name": "bo"}), ("greet", {"name": "bo"}), ("greet", {"name": "cy"}))
    assert [one.state for one in desk.ladder.drafts()] == ["superseded", "waiting", "waiting"]


def test_who_lacks_a_label_sees_that_a_draft_is_there(tmp_path):
    """Tool, agent and when; neither text nor base nor changes nor reason, and decides nothing."""
    people = {"ana": {"labels": ["customer-data"]}, "bo": {"labels": []}}
    desk = Desk(tmp_path, send={"labels": ["customer-data"]}, people=people)
    desk.run(("send", LETTER))
    view = desk.view(by="bo")
    assert view.withheld == "bo may not decide about send: it touches customer-data"
    assert (view.changes, view.texts, view.arguments, view.artifact, view.record) == ((), None, None, "", None)
    assert "dana" not in repr(view)
    assert "Dana" not in repr(desk.ladder.drafts())
    for by in ("bo", Person("ana")):
        with pytest.raises(AnswerRefused):
            desk.ladder.accept(view.draft.action.key, by=by)
    assert desk.view(by="ana").changes
    assert "customer-data" in Path(view.draft.path).parent.name
    desk.ladder.close()


def test_an_erased_draft_is_not_accepted(desk):
    """Its text is a payload like any other: it can go, and the chain stays whole."""
    desk.run(("send", LETTER))
    view = desk.view()
    desk.ladder.store.write(
        lambda cursor: cursor.execute("DELETE FROM payload WHERE hash = (SELECT payload FROM draft)", {})
    )
    assert desk.view().texts is None
    with pytest.raises(AnswerRefused, match="erased"):
        desk.ladder.accept(view.draft.action.key, by="ana")
    desk.ladder.reject(view.draft.action.key, by="ana", reason="gone")


def test_the_file_is_not_what_is_accepted(desk):
    """Whoever changes the file, as the agent's own tools may, changes nothing that a person sees or accepts."""
    desk.run(("send", LETTER))
    view = desk.view()
    Path(view.draft.path).write_text("To: eve@x.example\n\nAll of it.\n")
    assert desk.view().texts == view.texts
    desk.ladder.accept(view.draft.action.key, by="ana", digest=view.digest)
    assert desk.sent == [("dana@shop.example", "Invoice 4471", WRITTEN)]


def test_a_list_goes_on_from_a_page(desk):
    """Oldest first, by the last key of the page before."""
    desk.run(*(("greet", {"name": f"n{n}"}) for n in range(5)))
    every = [one.action.key for one in desk.ladder.drafts()]
    first = desk.ladder.drafts(limit=2)
    then = desk.ladder.drafts(limit=10, after=first[-1].action.key)
    assert [one.action.key for one in [*first, *then]] == every
    assert desk.ladder.drafts(states=["rejected"]) == []


def test_a_rejection_needs_a_reason(desk):
    """The agent reads it."""
    desk.run(("send", LETTER))
    key = desk.view().draft.action.key
    with pytest.raises(AnswerRefused, match="needs a reason"):
        desk.ladder.reject(key, by="ana", reason=" ")
    desk.ladder.reject(key, by="ana", reason="wrong tone", fault="policy")
    record = desk.view().record
    assert (record.state, record.reason, record.events[-1].body["fault"]) == ("rejected", "wrong tone", "policy")
