"""Answers that name no question: a second click, an early one and a hasty one answer nothing; programs get through."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from langgraph.types import Command

from ladder_graph import answer_to
from ladder_graph.facts import Person
from ladder_graph.hosts import resumes
from ladder_graph.testing import FrozenClock, calls
from tests.hosts.graphs import GO, WAYS, World, agent_of, ladder_of, on, questions

YES = {"type": "approve", "by": "ana"}


def two_turns(way, rule="confirm", *, mount="wrap"):
    """A graph that waits for its first of two questions, on a clock that stands still."""
    world, clock = World(), FrozenClock()
    ladder = ladder_of({"a": rule}, clock=clock)
    answers = [calls("a", {"x": "1"}), calls("a", {"x": "2"}), "Done."]
    if mount == "wrap":
        graph = ladder.wrap(agent_of(answers, [world.tool("a")]))
    else:
        graph = agent_of(answers, [world.tool("a")], middleware=ladder.middleware())
    return world, clock, graph, way.invoke(graph, GO, on())


@pytest.mark.parametrize("mount", ["wrap", "middleware"])
@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_second_click_answers_nothing(way, mount):
    """The same words right after the next question was asked are refused in words; a moment later they count."""
    world, clock, graph, _ = two_turns(way, mount=mount)
    way.invoke(graph, Command(resume=YES), on())
    for _ in range(3):
        out = way.invoke(graph, Command(resume=YES), on())
        assert "as a second click does" in questions(out)[0]["complaint"]
        assert world.ran == [("a", "1")]
    clock.advance(0.25)
    way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("a", "1"), ("a", "2")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("other", [{"by": "bo"}, {"reason": "this one too"}], ids=["another person", "other words"])
def test_other_words_are_another_answer(way, other):
    """Somebody else's yes, or one with another reason, is no second click."""
    world, _, graph, _ = two_turns(way)
    way.invoke(graph, Command(resume=YES), on())
    way.invoke(graph, Command(resume={**YES, **other}), on())
    assert world.ran == [("a", "1"), ("a", "2")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_no_after_a_yes_counts_at_once(way):
    """Stopping is never held up."""
    world, _, graph, _ = two_turns(way)
    way.invoke(graph, Command(resume=YES), on())
    out = way.invoke(graph, Command(resume={"type": "decline", "by": "ana"}), on())
    assert "__interrupt__" not in out
    assert world.ran == [("a", "1")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize(
    "named",
    [
        lambda asked: answer_to(asked, "approve", by="ana"),
        lambda asked: {asked.id: YES},
        lambda asked: {**YES, "question": asked.value["ladder"]["question"]},
        lambda asked: {**YES, "digest": asked.value["ladder"]["digest"]},
        lambda asked: {**YES, "nonce": asked.value["ladder"]["nonce"]},
    ],
    ids=["answer_to", "interrupt id", "question", "digest", "nonce"],
)
def test_an_answer_that_names_its_question_counts_at_once(way, named):
    """A program in a loop gets through without waiting; what named the first question is refused by the second."""
    world, _, graph, out = two_turns(way)
    stale = named(out["__interrupt__"][0])
    out = way.invoke(graph, Command(resume=stale), on())
    assert world.ran == [("a", "1")]
    out = way.invoke(graph, Command(resume=stale), on())
    assert world.ran == [("a", "1")]
    way.invoke(graph, Command(resume=named(out["__interrupt__"][0])), on())
    assert world.ran == [("a", "1"), ("a", "2")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("field", ["question", "digest", "nonce"])
def test_a_wrong_name_is_refused(way, field):
    """An answer that names another question is complained about, be it a yes or a no."""
    world, _, graph, out = two_turns(way)
    for verdict in ("approve", "decline"):
        answer = {**answer_to(out["__interrupt__"][0], verdict, by="ana"), field: "0" * 16}
        out = way.invoke(graph, Command(resume=answer), on())
        assert "look at" in questions(out)[0]["complaint"]
    assert world.ran == []


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_above_low_impact_nobody_reads_in_a_second(way, monkeypatch):
    """A bare yes within a second is never taken there, whoever says it first; a named one is."""
    monkeypatch.setattr("ladder_graph.hosts.toolhost.answering", lambda answer, _: Person(answer.by, "server"))
    world, clock, graph, out = two_turns(way, {"rung": "confirm", "impact": "medium"})
    out = way.invoke(graph, Command(resume=YES), on())
    assert "within a second" in questions(out)[0]["complaint"]
    clock.advance(1)
    out = way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("a", "1")]
    way.invoke(graph, Command(resume=answer_to(out["__interrupt__"][0], "approve", by="ana")), on())
    assert world.ran == [("a", "1"), ("a", "2")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("verdict", ["approve", "decline"])
def test_a_run_that_was_started_before_the_question(way, verdict):
    """What was sent while nothing was asked yet can't be an answer to it, be it a yes or a no."""
    world, clock, graph, _ = two_turns(way)
    early = clock()
    clock.advance(60)
    out = way.invoke(graph, Command(resume=answer_to(_asked(graph, way), "approve", by="ana")), on())
    answer = {"type": verdict, "by": "bo"}
    queued = _uuid7(early + dt.timedelta(seconds=30))
    out = way.invoke(graph, Command(resume=answer), on(run_id=str(queued)))
    assert "sent before this question was asked" in questions(out)[0]["complaint"]
    assert world.ran == [("a", "1")]
    out = way.invoke(graph, Command(resume=answer), on(run_id=str(_uuid7(clock()))))
    assert "__interrupt__" not in out


def _asked(graph, way):
    import asyncio

    config = on()
    state = graph.get_state(config) if repr(way) == "sync" else asyncio.run(graph.aget_state(config))
    return state.interrupts[0]


def _uuid7(moment):
    """A run id of a server, made at this moment."""
    return uuid.UUID(int=(int(moment.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | 5)


def test_run_ids_tell_when_a_run_was_requested():
    """Time-ordered ids of both versions do; random ones and what is no id don't."""
    moment = dt.datetime(2026, 11, 22, 12, 30, tzinfo=dt.UTC)
    assert resumes.moment_of(_uuid7(moment)) == moment
    # RFC 9562, appendix A.5: 22 February 2022, 14:22:22 in New York.
    example = resumes.moment_of("1EC9414C-232A-6B00-B3C8-9F6BDECED846")
    assert example == dt.datetime(2022, 2, 22, 19, 22, 22, tzinfo=dt.UTC)
    for other in (uuid.uuid4(), "", None, "run-1", 7):
        assert resumes.moment_of(other) is None


def test_a_queued_run_counts_from_its_request():
    """Of the request and the start of the run the earlier one counts."""
    early, late = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    config = {"configurable": {resumes.STARTED: late, "run_id": str(_uuid7(early))}}
    assert resumes.started(config) == early
    assert resumes.started({"configurable": {resumes.STARTED: late}}) == late
    assert resumes.started({"metadata": {"run_id": str(_uuid7(early))}}) == early
    assert resumes.started({}) is None
