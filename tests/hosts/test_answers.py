"""Answers that come in through the graph: every known shape counts, and nothing else does."""

from __future__ import annotations

import itertools

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from ladder_graph import AnswerRefused, Declaration, State
from ladder_graph.facts import Question
from ladder_graph.scale import Rung
from ladder_graph.testing import FrozenClock, calls, says, tool_call
from tests.hosts.graphs import GO, WAYS, World, agent_of, ladder_of, on, questions, texts, told

CONFIRM = {"rung": "confirm"}


def asked(way, rule=CONFIRM, *, clock=None, args=None):
    """A graph that waits for an answer about one call."""
    world = World()
    ladder = ladder_of({"a": rule}, clock=clock)
    graph = ladder.wrap(agent_of([calls("a", args or {"x": "1"}), "Done."], [world.tool("a")]))
    out = way.invoke(graph, GO, on())
    assert len(questions(out)) == 1
    return world, ladder, graph


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize(
    "answer",
    [
        {"type": "approve", "by": "ana"},
        {"decisions": [{"type": "approve", "by": "ana"}]},
        [{"type": "accept", "args": None, "by": "ana"}],
    ],
    ids=["ladder", "langchain", "agent inbox"],
)
def test_shapes_of_yes(way, answer):
    """Our own answer, LangChain's and Agent Inbox's: the call runs once, as approved by that person."""
    world, ladder, graph = asked(way)
    out = way.invoke(graph, Command(resume=answer), on())
    assert told(out) == [("a", "a 1")]
    assert world.ran == [("a", "1")]
    (entry,) = [entry for entry in ladder.log() if entry.kind == "approved"]
    assert (entry.body["by"], entry.body["auth"]) == ("ana", "unverified")


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize(
    "answer",
    [
        {"type": "decline", "by": "ana", "reason": "too late"},
        {"decisions": [{"type": "reject", "by": "ana", "message": "too late"}]},
        [{"type": "ignore", "args": "too late", "by": "ana"}],
    ],
    ids=["ladder", "langchain", "agent inbox"],
)
def test_shapes_of_no(way, answer):
    """A no in each of the three shapes: nothing runs, and the model reads who said it and why."""
    world, _, graph = asked(way)
    out = way.invoke(graph, Command(resume=answer), on())
    assert world.ran == []
    assert told(out)[0][1].startswith("DECLINED by ana: too late. a did not run.")
    assert texts(out)[-1] == "Done."


GARBAGE = [
    "approve", "yes", 1, True, [], ["approve", "approve"], {"decisions": []}, {"type": "edit", "args": {"x": "9"}},
    {"decisions": [{"type": "approve", "by": "ana"}, {"type": "approve", "by": "ana"}]},
    {"type": ["approve"], "by": "ana"}, {"type": "approve"}, {"type": "approve", "by": ""},
    {"type": "approve", "by": 7}, {"type": "approve", "by": "   "}, [{"type": "response", "args": "maybe"}], "\x00",
    {"ladder_spent": {"type": "approve", "by": "ana"}},
    {"type": "approve", "by": "ana", "digest": "0" * 64}, {"type": "decline", "by": "ana", "digest": "other"},
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_anything_else_is_asked_again(way):
    """What can't be understood, bears no name or is for other arguments is never yes, never no, and never raised."""
    world, ladder, graph = asked(way)
    (first,) = ladder.pending()
    for answer in GARBAGE:
        out = way.invoke(graph, Command(resume=answer), on())
        (again,) = questions(out)
        assert again["complaint"], answer
        assert again["question"] == first.id
        assert out["__interrupt__"][0].value["action_requests"][0]["description"].endswith(f"{again['complaint']}.")
        assert way.next(graph, on()) == ("confirm",)
    assert world.ran == []
    out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana", "digest": first.digest}), on())
    assert told(out) == [("a", "a 1")]
    assert ladder.verify().ok


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_the_fact_must_be_typed(way):
    """Where a fact must be typed, another one isn't taken, and nor is none."""
    rule = {**CONFIRM, "confirm": {"type": "x"}}
    world, _, graph = asked(way, rule, args={"x": "orders"})
    for typed in ({}, {"typed": "order"}, {"typed": "Orders"}, {"typed": 3}):
        out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana", **typed}), on())
        assert "type the x exactly" in questions(out)[0]["complaint"]
    assert world.ran == []
    way.invoke(graph, Command(resume={"type": "approve", "by": "ana", "typed": "orders"}), on())
    assert world.ran == [("a", "orders")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_only_who_may(way):
    """A name that may not answer is refused; and above low impact, so is one that nobody checked."""
    world, _, graph = asked(way, {**CONFIRM, "confirm": {"by": ["ben"]}})
    out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on())
    assert "ana may not approve this; ben may" in questions(out)[0]["complaint"]
    way.invoke(graph, Command(resume={"type": "approve", "by": "ben"}), on())
    assert world.ran == [("a", "1")]
    world, ladder, graph = asked(way, {**CONFIRM, "impact": "high"})
    out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on())
    assert "nobody checked that this is ana" in questions(out)[0]["complaint"]
    with pytest.raises(AnswerRefused, match="type the tool's name exactly: a"):
        ladder.approve(questions(out)[0]["question"], by="ana")
    ladder.approve(questions(out)[0]["question"], by="ana", typed="a")
    way.invoke(graph, None, on())
    assert world.ran == [("a", "1")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_late_answer_is_no_answer(way):
    """Once a question has expired, a yes comes too late: nothing runs, and the model is told."""
    clock = FrozenClock()
    world, _, graph = asked(way, {**CONFIRM, "confirm": {"expires": "1h"}}, clock=clock)
    clock.advance(3601)
    out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on())
    assert world.ran == []
    assert told(out)[0][1].startswith("NOT RUN")


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_three_parallel_questions_in_any_order(way):
    """Three questions of one turn may be answered by interrupt id in any order; each answer finds its own."""
    for order in itertools.permutations(range(3)):
        world = World()
        turn = says(*[tool_call("a", {"x": str(n)}) for n in range(3)])
        graph = ladder_of({"a": "confirm"}).wrap(agent_of([turn, "Done."], [world.tool("a")]))
        out = way.invoke(graph, GO, on())
        by_argument = {i.value["action_requests"][0]["args"]["x"]: i.id for i in out["__interrupt__"]}
        assert len(by_argument) == 3
        for turn_nr, n in enumerate(order):
            verdict = "decline" if n == 1 else "approve"
            resume = {by_argument[str(n)]: {"type": verdict, "by": f"person {n}", "reason": "no"}}
            out = way.invoke(graph, Command(resume=resume), on())
            assert len(out.get("__interrupt__", [])) == 2 - turn_nr
        assert sorted(world.ran) == [("a", "0"), ("a", "2")]
        texts_told = [text for _, text in told(out)]
        assert texts_told[0] == "a 0"
        assert texts_told[1].startswith("DECLINED by person 1: no")
        assert texts_told[2] == "a 2"


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_all_three_at_once_and_a_stale_one(way):
    """Answers may come together; one for an interrupt that is gone, or never was, changes nothing."""
    world = World()
    turn = says(*[tool_call("a", {"x": str(n)}) for n in range(3)])
    graph = ladder_of({"a": "confirm"}).wrap(agent_of([turn, calls("a", {"x": "9"}), "Done."], [world.tool("a")]))
    out = way.invoke(graph, GO, on())
    yes = {"type": "approve", "by": "ana"}
    resume = {i.id: yes for i in out["__interrupt__"]}
    out = way.invoke(graph, Command(resume=resume), on())
    assert len(world.ran) == 3
    (waiting,) = questions(out)
    out = way.invoke(graph, Command(resume=resume), on())
    assert questions(out) == [waiting]
    assert len(world.ran) == 3


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_asked_once_and_for_all(way):
    """The same call again, under a new id, after a no: nobody is asked, nothing runs, and the model is told why."""
    world = World()
    ladder = ladder_of({"a": "confirm"})
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), calls("a", {"x": "1"}), "Done."], [world.tool("a")]))
    way.invoke(graph, GO, on())
    out = way.invoke(graph, Command(resume={"type": "decline", "by": "ana", "reason": "never"}), on())
    assert [text.split(".")[0] for _, text in told(out)] == ["DECLINED by ana: never"] * 2
    assert "__interrupt__" not in out
    assert world.ran == []


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_an_answer_from_elsewhere_wins(way):
    """Approved by another way while the thread waits, a call runs at the next resume, whatever comes with it."""
    world, ladder, graph = asked(way)
    ladder.approve(ladder.pending()[0].id[:6], by="ana")
    out = way.invoke(graph, Command(resume={"type": "decline", "by": "ben", "reason": "late"}), on())
    assert told(out) == [("a", "a 1")]
    assert world.ran == [("a", "1")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_an_answer_before_the_question(way):
    """A yes that was there before anything was asked, as after a static breakpoint, counts for nothing."""
    world = World()
    ladder = ladder_of({"a": "confirm"})
    agent = agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")], interrupt_before=["tools"])
    graph = ladder.wrap(agent)
    way.invoke(graph, GO, on())
    assert ladder.pending() == []
    out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on())
    assert world.ran == []
    assert isinstance(ladder.pending()[0], Question)
    assert questions(out)[0]["rung"] == Rung.CONFIRM
    out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on())
    assert told(out) == [("a", "a 1")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_full_quota_becomes_a_question(way):
    """When a daily bound is used up, the next call becomes a question that can be answered."""
    world = World()
    rule = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 2}]}
    turn = says(*[tool_call("a", {"x": str(n)}) for n in range(4)])
    ladder = ladder_of({"a": rule})
    graph = ladder.wrap(agent_of([turn, "Done."], [world.tool("a")]))
    out = way.invoke(graph, GO, on())
    assert len(world.ran) == 2
    assert len(questions(out)) == 2
    resume = {i.id: {"type": "approve", "by": "ana"} for i in out["__interrupt__"]}
    out = way.invoke(graph, Command(resume=resume), on())
    assert [text for _, text in told(out)] == ["a 0", "a 1", "a 2", "a 3"]
    assert len(world.ran) == 4


def test_an_undo_lasts_from_the_start_of_its_action():
    """Somebody who thinks for longer than an undo lasts doesn't use it up: it counts from when the call ran."""
    world, clock = World(), FrozenClock()
    rule = {"rung": "confirm", "checks": [{"kind": "python", "function": "builtins:bool"}]}
    ladder = ladder_of({"a": rule}, clock=clock)
    ladder.declare("a", Declaration(prepare=dict, undo=lambda _: world.ran.append("undone"), ttl="30s"))
    agent = agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")])
    graph = ladder.wrap(agent, checkpointer=InMemorySaver())
    graph.invoke(GO, on("1"))
    clock.advance(60)
    (question,) = ladder.pending()
    ladder.approve(question.id, by="ana")
    graph.invoke(None, on("1"))
    clock.advance(10)
    (action,) = ladder.actions()
    ladder.undo(action.key, by="ana", reason="the wrong one")
    assert (ladder.action(action.key).state, world.ran) == (State.UNDONE, [("a", "1"), "undone"])
    ladder.close()


@pytest.mark.parametrize(
    "say",
    [
        lambda ladder, question: ladder.approve(question, by="an\ud83da"),
        lambda ladder, question: ladder.decline(question, by="ana", reason="no \ud83d"),
        lambda ladder, question: ladder.respond(question, "no \ud83d", by="ana"),
    ],
    ids=["approve", "decline", "respond"],
)
def test_half_a_character_is_refused(say):
    """A program may have cut a text in the middle of one; that is said, and the question stays open."""
    world, ladder, _ = asked(WAYS[0])
    (question,) = ladder.pending()
    with pytest.raises(AnswerRefused, match="half a surrogate pair"):
        say(ladder, question.id)
    assert [one.id for one in ladder.pending()] == [question.id]
    assert world.ran == []
