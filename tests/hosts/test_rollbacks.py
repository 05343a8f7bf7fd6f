"""Rolling threads of real graphs back: the effects, and then the conversation, so that both agree."""

from __future__ import annotations

import threading

import pytest
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver

from ladder_graph import AnswerRefused, ForkRefused
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from tests.hosts.steps import MOUNTS, Things

CONFIG = {"configurable": {"thread_id": "t1"}}
THREE = [calls("put", {"place": one}) for one in "abc"]
"""Three steps, one after the other."""


@pytest.fixture
def saver():
    """A real checkpointer."""
    with SqliteSaver.from_conn_string(":memory:") as made:
        yield made


def went(graph, text="Go."):
    """Let the agent work."""
    return graph.invoke({"messages": [("user", text)]}, CONFIG)


def told(graph):
    """The conversation as it stands: who speaks, and the calls or the beginning of what is said."""
    messages = graph.get_state(CONFIG).values["messages"]
    return [(one.type, [call["args"].get("place") for call in getattr(one, "tool_calls", [])] or one.text[:11])
            for one in messages]  # fmt: skip


def keys(things):
    """The actions, in the order of their starts."""
    return [action.key for action in things.ladder.actions()]


@pytest.mark.parametrize("mount", MOUNTS)
def test_effects_and_conversation_agree(things, mount, saver):
    """From the second step on, itself included, all is undone in reverse; the agent reads it, and goes on."""
    graph = MOUNTS[mount](things, *THREE, "Done.", calls("put", {"place": "b"}), "Again.", saver=saver)
    went(graph)
    done = things.ladder.rollback("t1", to=keys(things)[1], by="ana", reason="wrong shop", graph=graph)
    assert (things.values, things.order) == ({"a": "new"}, ["c", "b"])
    assert (done.whole, [(one.state, one.came) for one in done.members]) == (True, [("undone", "undone")] * 2)
    assert told(graph) == [("human", "Go."), ("ai", ["a"]), ("tool", "put new in "), ("human", "ROLLED BACK")]
    said = graph.get_state(CONFIG).values["messages"][-1].text
    assert said.startswith("ROLLED BACK by ana: wrong shop. This goes on from before put was called")
    assert graph.get_state(CONFIG).config["configurable"]["checkpoint_id"] == done.forked
    graph.invoke(None, CONFIG)
    assert told(graph)[4:] == [("ai", ["b"]), ("tool", "put new in "), ("ai", "Again.")]
    assert things.values == {"a": "new", "b": "new"}
    assert len(keys(things)) == 4, "what it proposed again is a new action"


def test_back_to_the_very_first(things):
    """Only what the user had said is left."""
    graph = things.agent(*THREE[:2], "Done.", "Sorry.", saver=InMemorySaver())
    went(graph)
    things.ladder.rollback("t1", to=keys(things)[0][:8], by="ana", graph=graph)
    assert (things.values, told(graph)) == ({}, [("human", "Go."), ("human", "ROLLED BACK")])
    assert graph.invoke(None, CONFIG)["messages"][-1].text == "Sorry."


def test_back_into_an_earlier_turn(things, saver):
    """What the user said since is gone with the rest."""
    graph = things.agent(THREE[0], "One.", THREE[1], "Two.", THREE[2], "Three.", "Sorry.", saver=saver)
    for text in ("First.", "Second.", "Third."):
        went(graph, text)
    things.ladder.rollback("t1", to=keys(things)[1], by="ana", graph=graph)
    assert things.values == {"a": "new"}
    assert told(graph)[-3:] == [("ai", "One."), ("human", "Second."), ("human", "ROLLED BACK")]
    assert graph.invoke(None, CONFIG)["messages"][-1].text == "Sorry."


def test_one_message_proposed_several(things):
    """The message is gone, so all that it has proposed is undone, whichever of them is named."""
    batch = says(*(tool_call("put", {"place": one}) for one in "ab"))
    graph = things.agent(batch, "Done.", saver=InMemorySaver())
    went(graph)
    last = keys(things)[-1]
    assert len(things.ladder.rollback_plan("t1", to=last).undo) == 2
    things.ladder.rollback("t1", to=last, by="ana", graph=graph)
    assert (things.values, told(graph)) == ({}, [("human", "Go."), ("human", "ROLLED BACK")])


def test_twice_is_harmless(things):
    """Nothing is undone a second time, and what was said in between isn't lost."""
    graph = things.agent(*THREE, "Done.", "I see.", saver=InMemorySaver())
    went(graph)
    key = keys(things)[1]
    things.ladder.rollback("t1", to=key, by="ana", graph=graph)
    graph.invoke(None, CONFIG)
    again = things.ladder.rollback("t1", to=key, by="ana", graph=graph)
    assert (again.again, again.forked, things.order) == (True, "", ["c", "b"])
    assert told(graph)[-1] == ("ai", "I see.")


def test_what_was_done_since_the_fork_is_rolled_back_with_a_second_one(things):
    """Then there is something to undo, and the conversation is forked once more."""
    graph = things.agent(*THREE, "Done.", calls("put", {"place": "d"}), "Again.", saver=InMemorySaver())
    went(graph)
    key = keys(things)[1]
    things.ladder.rollback("t1", to=key, by="ana", graph=graph)
    graph.invoke(None, CONFIG)
    again = things.ladder.rollback("t1", to=key, by="ana", graph=graph)
    assert (again.again, things.order, things.values) == (False, ["c", "b", "d"], {"a": "new"})
    assert told(graph)[-1] == ("human", "ROLLED BACK")


def test_without_a_graph_the_effects_alone(things):
    """The conversation stays as it is; with the graph it is forked later."""
    graph = things.agent(*THREE, "Done.", saver=InMemorySaver())
    went(graph)
    key = keys(things)[1]
    assert things.ladder.rollback("t1", to=key, by="ana").forked == ""
    assert (things.values, told(graph)[-1]) == ({"a": "new"}, ("ai", "Done."))
    assert things.ladder.rollback("t1", to=key, by="ana", graph=graph).forked
    assert told(graph)[-1] == ("human", "ROLLED BACK")


def test_what_can_not_be_undone_ends_it(things):
    """The plan lists it before anything is done; it stays with all before it, and the agent reads that."""
    graph = things.agent(THREE[0], calls("pay", {"cents": 3}), THREE[1], "Done.", saver=InMemorySaver())
    went(graph)
    key = keys(things)[0]
    plan = things.ladder.rollback_plan("t1", to=key)
    assert ([one.tool for one in plan.undo], [one.tool for one in plan.stays]) == (["put"], ["pay", "put"])
    assert things.values == {"a": "new", "paid": 3, "b": "new"}, "a plan does nothing"
    done = things.ladder.rollback("t1", to=key, by="ana", graph=graph)
    assert (done.whole, things.values) == (False, {"a": "new", "paid": 3})
    said = graph.get_state(CONFIG).values["messages"][-1].text
    assert "STILL IN PLACE, though you don't see it here: pay (action" in said


def test_a_conflict_is_said(things):
    """What somebody else changed meanwhile is left alone, and the others are undone all the same."""
    graph = things.agent(*THREE, "Done.", saver=InMemorySaver())
    went(graph)
    things.values["b"] = "somebody else's"
    done = things.ladder.rollback("t1", to=keys(things)[0], by="ana", graph=graph)
    assert [one.came for one in done.members] == ["undone", "conflict", "undone"]
    assert things.values == {"b": "somebody else's"}
    assert "conflict: it was changed by somebody else" in graph.get_state(CONFIG).values["messages"][-1].text


def test_reads_are_in_nobodys_way(things):
    """They changed nothing, and are no point of no return."""
    graph = things.agent(THREE[0], calls("read", {"place": "a"}), "Done.", saver=InMemorySaver())
    went(graph)
    assert things.ladder.rollback("t1", to=keys(things)[0], by="ana", graph=graph).whole
    assert things.values == {}


def test_an_open_question_is_closed(things):
    """Nobody needs to answer it any more; back to a call that never ran there is nothing to undo."""
    graph = things.agent(THREE[0], calls("pay", {"cents": 3}), "Sorry.", saver=InMemorySaver())
    things.ladder.demote("pay", "confirm", reason="a test")
    went(graph)
    assert len(things.ladder.pending()) == 1
    asked = next(action.key for action in things.ladder.actions() if action.state == "asked")
    assert things.ladder.rollback_plan("t1", to=asked).questions == 1
    things.ladder.rollback("t1", to=asked, by="ana", graph=graph)
    assert (things.ladder.pending(), things.values) == ([], {"a": "new"})
    assert things.ladder.action(asked).state == "refused"
    assert told(graph)[-2:] == [("tool", "put new in "), ("human", "ROLLED BACK")]
    assert graph.invoke(None, CONFIG)["messages"][-1].text == "Sorry."


def test_after_the_answer(things):
    """A call that ran after its question is undone like any other."""
    graph = things.agent(THREE[0], THREE[1], "Done.", "Sorry.", saver=InMemorySaver())
    things.ladder.demote("put", "confirm", reason="a test")
    went(graph)
    for _ in range(2):
        things.ladder.approve(things.ladder.pending()[0].id, by="ana")
        graph.invoke(None, CONFIG)
    assert things.values == {"a": "new", "b": "new"}
    things.ladder.rollback("t1", to=keys(things)[1], by="ana", graph=graph)
    assert (things.values, told(graph)[-1]) == ({"a": "new"}, ("human", "ROLLED BACK"))


def test_a_call_in_flight_refuses_it(things):
    """Nobody knows yet what would have to be undone. Nothing is done."""
    graph = things.agent(*THREE[:2], "Done.", saver=InMemorySaver())
    begun, go_on, put = threading.Event(), threading.Event(), things.put

    def lingering(place: str, value: str = "new") -> str:
        if place == "b":
            begun.set()
            assert go_on.wait(30)
        return put(place, value)

    things.put = lingering
    lingering.__name__, lingering.__doc__ = "put", put.__doc__
    graph = things.agent(*THREE[:2], "Done.", saver=InMemorySaver())
    running = threading.Thread(target=went, args=(graph,))
    running.start()
    assert begun.wait(30)
    with pytest.raises(AnswerRefused, match="is running; wait for it"):
        things.ladder.rollback("t1", to=keys(things)[0], by="ana", graph=graph)
    assert things.values == {"a": "new"}
    go_on.set()
    running.join()


def test_nothing_is_done_where_the_conversation_can_not_be_forked(things):
    """Another checkpointer, no graph at all, a graph without the nodes of the thread."""
    graph = things.agent(*THREE, "Done.", saver=InMemorySaver())
    went(graph)
    key = keys(things)[1]
    for other in (things.agent("x", saver=InMemorySaver()), things.agent("x"), object()):
        with pytest.raises(ForkRefused):
            things.ladder.rollback("t1", to=key, by="ana", graph=other)
    assert things.order == []


def test_of_another_thread(things):
    """The thread is named so that nobody rolls back another one by a mistyped key."""
    graph = things.agent(*THREE, "Done.", saver=InMemorySaver())
    went(graph)
    with pytest.raises(AnswerRefused, match="is of thread t1, and not of t2"):
        things.ladder.rollback("t2", to=keys(things)[0], by="ana", graph=graph)


def test_inside_another_agent(things):
    """The conversation goes on from before the outer call, so what that did before the action is undone, too."""
    plain = create_agent(ScriptedModel(answers=[*THREE[:2], "Inner done."]), things.tools)
    inner = things.ladder.wrap(plain, checkpointer="host", agent="ops/inner")
    things.ladder.policy = things.ladder.policy.model_copy(
        update={"tools": {**things.ladder.policy.tools, "research": things.ladder.policy.rule("pay")}}
    )

    def research(topic: str) -> str:
        """Have it done."""
        return inner.invoke({"messages": [("user", topic)]})["messages"][-1].text

    outer = create_agent(
        ScriptedModel(answers=[calls("research", {"topic": "x"}), "Done.", "Sorry."]), [research],
        checkpointer=InMemorySaver(),
    )  # fmt: skip
    graph = things.ladder.wrap(outer)
    went(graph)
    assert things.values == {"a": "new", "b": "new"}
    last = keys(things)[-1]
    plan = things.ladder.rollback_plan("t1", to=last, graph=graph)
    assert [one.tool for one in plan.undo] == ["put", "put"]
    assert [one.tool for one in plan.stays] == ["research"], "it declares no undo of its own"
    things.ladder.rollback("t1", to=last, by="ana", graph=graph)
    assert (things.values, told(graph)) == ({}, [("human", "Go."), ("human", "ROLLED BACK")])
    assert graph.invoke(None, CONFIG)["messages"][-1].text == "Sorry."


def test_on_postgres(postgres):
    """The same on a server: scopes and rollbacks, by the beginning of an id."""
    things = Things(postgres)
    graph = things.agent(*THREE, "Done.", "Sorry.", saver=InMemorySaver())
    with things.ladder.saga("outer") as outer, things.ladder.saga("inner") as inner:
        went(graph)
    assert [one.id for one in things.ladder.sagas(every=True)] == [outer.id, inner.id]
    assert len(things.ladder.saga_view(outer.id[:8]).members) == 3
    last = things.ladder.actions()[-1].key
    assert things.ladder.saga_of(last).id == inner.id
    assert things.ladder.rollback("t1", to=last[:8], by="ana", graph=graph).whole
    assert things.ladder.rollback("t1", to=last, by="ana", graph=graph).again
    assert things.ladder.undo_saga(outer.id, by="ana").phase == "undone"
    assert (things.values, things.order) == ({}, ["c", "b", "a"])
    assert things.ladder.verify().problems == ()
    things.ladder.close()
