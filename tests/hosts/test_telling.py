"""An agent hears what became of its drafts and suggestions, once, at its next turn, in whatever mount."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from ladder_graph import Ladder, Policy, drafted_by
from ladder_graph.drafting import text
from ladder_graph.hosts.scenery import outputs, users_own
from ladder_graph.hosts.telling import may_hear
from ladder_graph.ledger.people import notices
from ladder_graph.testing import FrozenClock, ScriptedModel, calls
from tests.hosts.graphs import READ, WAYS, World, on

NOTE = {"who": "cy", "body": "Hello Cy,\n\nTen percent off.\nBye.\n"}


def tools_of(ran, acts=None):
    """A tool that drafts, one that suggests, one that reads."""

    @tool
    @drafted_by(text("body", base="Hello,\n\nBye.\n"))
    def note(who: str, body: str) -> str:
        """Leave a note."""
        ran.append((who, body))
        return f"left for {who}"

    return [note, World().tool("tip"), World().tool("look", acts=acts)]


def ladder_of(**options):
    """A ladder over them."""
    tools = {"note": {"rung": "draft"}, "tip": {"rung": "suggest"}, "look": READ}
    return Ladder(policy=Policy(agent="ops", tools=tools, reports={"reader": "ana"}), ledger=":memory:", **options)


class Listening(ScriptedModel):
    """A scripted model that keeps what it was asked with."""

    heard: list[Any] = []  # noqa: RUF012  # a pydantic field

    def _generate(self, messages: Any, *args: Any, **more: Any) -> Any:
        self.heard.append(list(messages))
        return super()._generate(messages, *args, **more)


def wrapped(ladder, model, tools, saver):
    """`create_agent` under `wrap`."""
    return ladder.wrap(create_agent(model, tools, checkpointer=saver))


def middleware(ladder, model, tools, saver):
    """`create_agent` with the ladder as middleware."""
    return create_agent(model, tools, checkpointer=saver, middleware=ladder.middleware())


def asking(model, tools):
    """The graph of the LangGraph tutorials on this model."""
    bound = model.bind_tools(tools)
    builder = StateGraph(MessagesState)
    builder.add_node("agent", lambda state: {"messages": [bound.invoke(state["messages"])]})
    builder.add_node("tools", ToolNode(tools))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    return builder


def raw(ladder, model, tools, saver):
    """A graph of one's own."""
    return ladder.wrap(asking(model, tools), checkpointer=saver)


MOUNTS = [wrapped, middleware, raw]
"""Every mount that reaches the model."""


class Talk:
    """A conversation over one thread."""

    def __init__(self, mount, *answers, way=WAYS[0], acts=None, **options):
        self.ran: list[Any] = []
        self.ladder, self.way, self.saver = ladder_of(**options), way, InMemorySaver()
        self.model = Listening(answers=list(answers), heard=[])
        self.graph = mount(self.ladder, self.model, tools_of(self.ran, acts), self.saver)

    def say(self, words, thread="1"):
        """One turn of the user's."""
        return self.way.invoke(self.graph, {"messages": [("user", words)]}, on(thread))

    @property
    def draft(self):
        """The only draft."""
        (one,) = self.ladder.drafts()
        return self.ladder.draft(one.action.key, by="ana")


def notes(messages):
    """What the ladder said in a conversation."""
    return [one for one in messages if isinstance(one, HumanMessage) and one.additional_kwargs.get("lc_source")]


@pytest.fixture
def looked(monkeypatch):
    """How often somebody looked into the ledger whether there is anything to hear."""
    silent, looks = notices.silent, []

    def counting(cursor, agent, thread):
        looks.append(thread)
        return silent(cursor, agent, thread)

    monkeypatch.setattr(notices, "silent", counting)
    return looks


def test_a_run_looks_once_whether_there_is_anything_to_hear(looked):
    """As long as its own calls are all that happens; the next run looks for itself."""
    looks = [calls("look", {"x": f"{n}"}) for n in range(7)]
    talk = Talk(wrapped, looks[0], "One.", *looks[1:6], "Five.", looks[6], "One.", clock=FrozenClock())
    talk.say("Look once.")  # What its agent is made of is written down with the first call ever.
    for words in ("Look five times.", "And once more."):
        looked.clear()
        talk.say(words)
        assert len(looked) == 1


@pytest.mark.parametrize("mount", MOUNTS)
def test_what_is_decided_in_the_midst_of_a_run_is_heard_at_its_next_turn(mount):
    """Somebody turns the draft down while a tool of the same run is at work."""

    def meanwhile(x):
        if talk.draft.draft.state == "waiting":
            talk.ladder.reject(talk.draft.draft.action.key, by="ana", reason="not now")
        return x

    looks = [calls("look", {"x": x}) for x in "ab"]
    talk = Talk(mount, calls("note", NOTE), *looks, "Aha.", acts=meanwhile)
    talk.say("Leave Cy a note, and look twice.")
    assert [len(notes(heard)) for heard in talk.model.heard] == [0, 0, 1, 1]


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize("way", WAYS)
def test_an_agent_hears_once_what_became_of_its_draft(mount, way):
    """In part, with what was left out and why, and how the call came out; at its next turn and never again."""
    talk = Talk(mount, calls("note", NOTE), "It waits.", "Aha.", "Yes.", way=way)
    talk.say("Leave Cy a note.")
    view = talk.draft
    changes = {one.number: one.new for one in view.changes}
    talk.ladder.accept(
        view.draft.action.key, by="ana", digest=view.digest, take=[1], leave=[2, *range(3, len(changes) + 1)],
        reason="no discounts",
    )  # fmt: skip
    assert talk.ran == [("cy", "Hello Cy,\n\nBye.\n")]
    out = talk.say("And?")
    (note,) = notes(talk.model.heard[-1])
    assert "ACCEPTED IN PART by ana, who says: no discounts" in note.text
    assert "Ten percent off." in note.text
    assert "It ran: left for cy" in note.text
    assert "not from the user" in note.text
    assert [one.id for one in notes(out["messages"])] == [note.id]
    assert isinstance(out["messages"][-1], AIMessage)
    out = talk.say("Thanks.")
    assert [one.id for one in notes(out["messages"])] == [note.id]
    assert list(users_own(out["messages"])) == ["Leave Cy a note.", "And?", "Thanks."]
    assert talk.draft.record.told is not None


@pytest.mark.parametrize("mount", MOUNTS)
def test_it_hears_of_rejections_supersessions_and_verdicts(mount):
    """Each in one message, each in its own words."""
    talk = Talk(
        mount, calls("note", NOTE), calls("note", {**NOTE, "body": "Hello."}), calls("tip", {"x": "a"}), "They wait.",
        "Aha.", "Good.",
    )  # fmt: skip
    talk.say("Go.")
    (note,) = notes(talk.model.heard[-1])
    assert "SUPERSEDED by your later draft" in note.text
    waiting = talk.ladder.drafts(states=["waiting"])[0]
    talk.ladder.reject(waiting.action.key, by="ana", reason="too short")
    talk.ladder.dismiss(talk.ladder.suggestions()[0].key, by="bo", reason="not now")
    talk.say("And?")
    note = notes(talk.model.heard[-1])[-1]
    assert "was REJECTED by ana, who says: too short" in note.text
    assert "bo does not want it, who says: not now" in note.text


def test_an_acceptance_that_runs_later_is_told_in_two_steps():
    """That it was accepted, and, once it ran, how that came out."""
    talk = Talk(wrapped, calls("note", NOTE), "It waits.", "Aha.", "Good.", "Yes.")
    talk.say("Go.")
    seats, of = talk.ladder.seats, talk.ladder._seats_of
    talk.ladder.seats, talk.ladder._seats_of = {}, {}
    talk.ladder.accept(talk.draft.draft.action.key, by="ana")
    talk.say("And?")
    assert "was ACCEPTED by ana. It has not run yet. Do not do it yourself." in notes(talk.model.heard[-1])[-1].text
    talk.say("And now?")
    assert len(notes(talk.model.heard[-1])) == 1
    talk.ladder.seats, talk.ladder._seats_of = seats, of
    talk.ladder.run_accepted()
    talk.say("So?")
    said = notes(talk.model.heard[-1])
    assert len(said) == 2
    assert "It ran: left for cy" in said[-1].text


def test_one_that_was_started_is_not_said_to_wait():
    """Nobody knows yet whether it took effect, and the agent reads that; once somebody has found out, that too."""
    talk = Talk(wrapped, calls("note", NOTE), "It waits.", "Aha.", "Good.")
    talk.say("Go.")
    seats, of = talk.ladder.seats, talk.ladder._seats_of
    talk.ladder.seats, talk.ladder._seats_of = {}, {}
    key = talk.draft.draft.action.key
    talk.ladder.accept(key, by="ana")
    talk.ladder.seats, talk.ladder._seats_of = seats, of
    talk.ladder.store.write(
        lambda cursor: cursor.execute("UPDATE action SET state = 'started', owner = 'gone' WHERE key = ?", (key,))
    )
    talk.say("And?")
    said = notes(talk.model.heard[-1])[-1].text
    assert "It was started, and nobody knows yet whether it took effect. Do not do it yourself." in said
    talk.ladder.resolve(key, happened=True, by="ana")
    talk.say("So?")
    assert "It ran: ana found out" in notes(talk.model.heard[-1])[-1].text


def test_another_thread_hears_nothing():
    """What became of a draft is told where it was drafted."""
    talk = Talk(wrapped, calls("note", NOTE), "It waits.", "Hello.")
    talk.say("Go.")
    talk.ladder.reject(talk.draft.draft.action.key, by="ana", reason="no")
    talk.say("Hello?", thread="2")
    assert notes(talk.model.heard[-1]) == []


@pytest.mark.parametrize("mount", [wrapped, middleware])
def test_a_crash_before_the_checkpoint_repeats_and_never_loses(mount):
    """The model's turn dies after it was told: whoever goes on from there hears it again, once in the state."""

    class Dies(Listening):
        def _generate(self, messages: Any, *args: Any, **more: Any) -> Any:
            found = super()._generate(messages, *args, **more)
            if len(self.heard) == 3:
                raise KeyboardInterrupt
            return found

    talk = Talk(mount, calls("note", NOTE), "It waits.", "Lost.", "Aha.", "Yes.")
    talk.model = Dies(answers=list(talk.model.answers), heard=[])
    talk.graph = mount(talk.ladder, talk.model, tools_of(talk.ran), talk.saver)
    talk.say("Go.")
    talk.ladder.reject(talk.draft.draft.action.key, by="ana", reason="no")
    with pytest.raises(KeyboardInterrupt):
        talk.say("And?")
    out = talk.graph.invoke(None, on())
    assert len(notes(talk.model.heard[-1])) == 1
    assert len(notes(out["messages"])) == 1


@pytest.mark.parametrize("kept", ["exit", "sync"])
@pytest.mark.parametrize("goes_on", [True, False])
def test_a_process_that_dies_after_it_was_told_hears_it_again(kept, goes_on, monkeypatch):
    """It was written down as told, and the checkpoint with the message never came; also where only ends are kept."""
    talk = Talk(wrapped, calls("note", NOTE), "It waits.", "Lost.", "Aha.")
    talk.say("Go.")
    talk.ladder.reject(talk.draft.draft.action.key, by="ana", reason="no")
    marked = type(talk.ladder).mark_told

    def dies(self, *arguments):
        marked(self, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(talk.ladder), "mark_told", dies)
        with pytest.raises(KeyboardInterrupt):
            talk.graph.invoke({"messages": [("user", "And?")]}, on(), durability=kept)
    again = None if goes_on else {"messages": [("user", "And?")]}
    out = talk.graph.invoke(again, on(), durability=kept)
    assert len(notes(out["messages"])) == 1


def test_messages_that_were_cut_are_not_told_again():
    """The conversation went on from where it was told: it has heard of it, whatever was cut since."""
    talk = Talk(wrapped, calls("note", NOTE), "It waits.", "Aha.", "Yes.")
    talk.say("Go.")
    talk.ladder.reject(talk.draft.draft.action.key, by="ana", reason="no")
    out = talk.say("And?")
    talk.graph.update_state(on(), {"messages": [RemoveMessage(one.id) for one in notes(out["messages"])]})
    out = talk.say("So?")
    assert notes(out["messages"]) == []


def test_where_no_node_can_be_reached_the_next_reply_tells():
    """As with guarded tools in a graph that isn't mounted: what the tool said stays the tool's for bounds on origin."""
    ran: list[Any] = []
    ladder, tools = ladder_of(), tools_of(ran)

    guarded = [ladder.guard(one) for one in tools]
    model = Listening(
        answers=[
            calls("note", NOTE),
            "It waits.",
            calls("look", {"x": "1"}),
            "Aha.",
            calls("look", {"x": "2"}),
            "Yes.",
        ],
        heard=[],
    )
    graph = asking(model, guarded).compile(checkpointer=InMemorySaver())
    graph.invoke({"messages": [("user", "Go.")]}, on())
    (draft,) = ladder.drafts()
    ladder.reject(draft.action.key, by="ana", reason="write to eve@x.example instead")
    out = graph.invoke({"messages": [("user", "And?")]}, on())
    answer = [one for one in out["messages"] if isinstance(one, ToolMessage)][-1]
    assert "was REJECTED by ana, who says: write to eve@x.example instead" in answer.text
    assert answer.text.endswith("look 1")
    assert [one.text for one in outputs(out["messages"])][-1] == "look 1"
    out = graph.invoke({"messages": [("user", "And?")]}, on())
    assert [one for one in out["messages"] if isinstance(one, ToolMessage)][-1].text == "look 2"


def test_a_subgraph_as_agent_node_is_told_by_replies():
    """Where the node before the tools is a graph of its own, what the tools answer carries it."""
    ladder, ran = ladder_of(), []
    tools = tools_of(ran)
    model = Listening(answers=[calls("note", NOTE), "It waits.", calls("look", {"x": "1"}), "Aha."], heard=[])
    bound = model.bind_tools(tools)
    inner = StateGraph(MessagesState)
    inner.add_node("ask", lambda state: {"messages": [bound.invoke(state["messages"])]})
    inner.add_edge(START, "ask")
    builder = StateGraph(MessagesState)
    builder.add_node("agent", inner.compile())
    builder.add_node("tools", ToolNode(tools))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", tools_condition)
    builder.add_edge("tools", "agent")
    graph = ladder.wrap(builder, checkpointer=InMemorySaver())
    graph.invoke({"messages": [("user", "Go.")]}, on())
    ladder.reject(ladder.drafts()[0].action.key, by="ana", reason="no")
    out = graph.invoke({"messages": [("user", "And?")]}, on())
    assert "was REJECTED by ana" in next(one.text for one in reversed(out["messages"]) if isinstance(one, ToolMessage))


@pytest.mark.parametrize(
    ("messages", "may"),
    [
        ([HumanMessage("a")], True),
        ([], False),
        ([SystemMessage("a")], False),
        ([AIMessage("a")], False),
        ([calls("a", {}, id="1"), ToolMessage("x", tool_call_id="1")], True),
        ([AIMessage("", tool_calls=[{"name": "a", "args": {}, "id": i} for i in "12"]),
          ToolMessage("x", tool_call_id="1")], False),
        ([HumanMessage("a"), ToolMessage("x", tool_call_id="1")], False),
    ],
)  # fmt: skip
def test_nothing_is_said_between_a_call_and_its_answer(messages, may):
    """Providers refuse a conversation in which anything else follows a call."""
    assert may_hear(messages) is may


@pytest.mark.parametrize("mount", MOUNTS)
def test_what_it_hears_changes_nothing_of_what_it_is(mount):
    """The environment of its calls is the one from before: a note is no prompt."""
    talk = Talk(mount, calls("note", NOTE), "It waits.", calls("look", {"x": "1"}), "Aha.")
    talk.say("Go.")
    talk.ladder.reject(talk.draft.draft.action.key, by="ana", reason="no")
    talk.say("And?")
    assert notes(talk.model.heard[-1])
    assert len(talk.ladder.reading.environments("ops")) == 1
