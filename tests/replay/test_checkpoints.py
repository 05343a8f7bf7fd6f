"""Reading what LangGraph's checkpointers keep: calls and their results, what was asked, forks, and graphs inside."""

from __future__ import annotations

import datetime as dt
import sqlite3
import tracemalloc
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from deepagents import create_deep_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from ladder_graph.errors import LadderError
from ladder_graph.replay import Decider
from ladder_graph.replay.sources import Source
from ladder_graph.replay.stores.checkpoint import Serde
from ladder_graph.replay.stores.databases import connected, served
from ladder_graph.replay.traces import hashed
from ladder_graph.scale import Rung
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from tests.hosts.graphs import World, agent_of, ladder_of, on
from tests.replay.stores import KINDS, checkpointer, put, runs_of

HELLO = {"messages": [("user", "Write to ana@shop.example.")]}


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    """A checkpointer in each database, with where it is read from."""
    with checkpointer(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def file(tmp_path):
    """A checkpointer in a SQLite file, with its path."""
    with checkpointer("sqlite", tmp_path) as found:
        yield found


def fails(x):
    """What a broken tool does."""
    raise ValueError("no such thing")


def asked_of(call):
    """What is known of the decision about a call."""
    return call.tool, call.fate, call.decided and (call.decided.rung, call.decided.answer, call.decided.by)


def test_a_thread_is_a_run(store):
    """Each call stands there with its arguments, its result by id, its turn, its times, its model and its tokens."""
    saver, path = store
    usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
    first = says(tool_call("a", {"x": "1"}, id="c1"), tool_call("b", {"x": "2"}, id="c2"))
    first.usage_metadata = usage
    world, begun = World(), dt.datetime.now(dt.UTC)
    agent = agent_of([first, calls("a", {"x": "3"}, id="c3"), "Done."], [world.tool("a"), world.tool("b")],
                     checkpointer=saver)  # fmt: skip
    agent.invoke(HELLO, on("t1"))
    agent.invoke({"messages": [("user", "Thanks.")]}, on("t0"), interrupt_before=["model"])
    run, other = runs_of(path)
    assert (run.id, run.said, run.task, other.id, other.calls) == ("t1", ("Write to ana@shop.example.",), "", "t0", ())
    one, two, three = run.calls
    assert [(call.tool, call.arguments, call.id, call.turn, call.heard) for call in run.calls] == [
        ("a", {"x": "1"}, "c1", 0, 1), ("b", {"x": "2"}, "c2", 0, 1), ("a", {"x": "3"}, "c3", 1, 1),
    ]  # fmt: skip
    assert [(call.output, call.result, call.matched, call.fate) for call in run.calls] == [
        (text, hashed(text), "id", "done") for text in ("a 1", "b 2", "a 3")
    ]
    assert (one.model, one.tokens, three.tokens) == ("scripted-1", (7, 3), None)
    assert begun <= one.at == two.at < one.ended <= three.at < three.ended <= dt.datetime.now(dt.UTC)


def test_nothing_can_be_written(store):
    """Whoever reads has no connection that could write."""
    _, path = store
    opened = closing(served(path) if "://" in path else connected(path))
    refused = pytest.raises((sqlite3.Error, psycopg.Error), match=r"readonly|read-only")
    with opened as connection, refused:
        connection.execute("CREATE TABLE mine (n integer)")


def test_what_a_ladder_asked_is_known(store):
    """The rung that each call was sent to, and the answers in band, stand in the history."""
    saver, path = store
    world = World()
    ladder = ladder_of({"a": "confirm", "b": "suggest", "c": {"rung": "report", "read_only": True}})
    turn = says(*(tool_call(name, {"x": str(n)}) for n, name in enumerate("abcaa")))
    graph = ladder.wrap(agent_of([turn, "Done."], [world.tool(name) for name in "abc"], checkpointer=saver))
    out = graph.invoke(HELLO, on("t1", ladder_requester="eve", tenant="north"))
    yes, no = {"type": "approve", "by": "ana"}, {"type": "decline", "by": "bo", "reason": "no"}
    first, second, _ = (one.id for one in sorted(out["__interrupt__"], key=lambda one: one.value["args"]["x"]))
    graph.invoke(Command(resume={first: yes, second: no}), on("t1", ladder_requester="eve", tenant="north"))
    (run,) = runs_of(path)
    assert [asked_of(call) for call in run.calls] == [
        ("a", "done", (Rung.CONFIRM, "approve", "ana")),
        ("b", "held", (Rung.SUGGEST, None, "")),
        ("c", "done", (Rung.REPORT, None, "")),
        ("a", "declined", (Rung.CONFIRM, "decline", "bo")),
        ("a", "held", (Rung.CONFIRM, None, "")),
    ]
    assert run.calls[2].output == "c 2", "it has run, though the step that it is part of isn't over"
    assert (run.requester, run.facts["tenant"]) == ("eve", "north")


def test_an_answer_from_elsewhere_is_told_by_what_the_model_read(file):
    """A question that was declined at a console was declined, though its answer isn't in the history."""
    saver, path = file
    ladder = ladder_of({"a": "confirm"})
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [World().tool("a")], checkpointer=saver))
    graph.invoke(HELLO, on("t1"))
    (question,) = ladder.pending()
    ladder.decline(question.id, by="ana", reason="no")
    graph.invoke(Command(resume="look"), on("t1"))
    (run,) = runs_of(path)
    assert [call.fate for call in run.calls] == ["declined"]


def test_what_langchains_own_middleware_asked_is_known(file):
    """Of one question about several calls, each answer belongs to its call."""
    saver, path = file
    world, middleware = World(), HumanInTheLoopMiddleware(interrupt_on={"a": True})
    turn = says(*(tool_call("a", {"x": str(n)}) for n in range(3)))
    graph = agent_of([turn, "Done."], [world.tool("a")], checkpointer=saver, middleware=[middleware])
    out = graph.invoke(HELLO, on("t1"))
    edit = {"type": "edit", "edited_action": {"name": "a", "args": {"x": "9"}}}
    given = [{"type": "approve"}, {"type": "reject", "message": "no"}, edit]
    assert len(out["__interrupt__"]) == 1
    graph.invoke(Command(resume={"decisions": given}), on("t1"))
    (run,) = runs_of(path)
    assert [(call.arguments, call.fate, call.decided.answer) for call in run.calls] == [
        ({"x": "0"}, "done", "approve"), ({"x": "1"}, "declined", "decline"), ({"x": "2"}, "edited", "edit"),
    ]  # fmt: skip
    assert {call.decided.rung for call in run.calls} == {Rung.CONFIRM}


def test_errors_are_no_words_of_a_tool(file):
    """A bound on origin doesn't count what a failed call came back with, in the gate and here."""
    saver, path = file
    rules = {
        "look": {"rung": "report", "read_only": True},
        "a": {"rung": "bounded", "bounds": [{"kind": "origin", "argument": "x", "type": "word", "tools": ["look"]}]},
    }
    ladder = ladder_of(rules)
    tools = [World().tool("look", acts=fails), World().tool("a")]
    graph = ladder.wrap(agent_of([calls("look", {"x": "1"}), calls("a", {"x": "thing"}), "Done."], tools,
                                 checkpointer=saver))  # fmt: skip
    out = graph.invoke(HELLO, on("t1"))
    assert len(out["__interrupt__"]) == 1
    (run,) = runs_of(path)
    assert (run.calls[1].fate, run.calls[1].result, run.calls[1].matched) == ("held", "", "")
    assert (run.calls[0].fate, run.calls[0].output is not None) == ("failed", True)
    assert [judged.verdict for judged in Decider(ladder.policy).judged(run)] == ["free", "asked"]


def test_the_branch_to_the_newest_checkpoint_is_the_run(store):
    """Of a thread that somebody went back in, the last branch is read, the other one is told."""
    saver, path = store
    agent = agent_of([calls("a", {"x": "1"}, id="c1"), "Done.", calls("a", {"x": "2"}, id="c2"), "Done."],
                     [World().tool("a")], checkpointer=saver)  # fmt: skip
    agent.invoke(HELLO, on("t1"))
    start = list(agent.get_state_history(on("t1")))[-2]
    agent.invoke(None, start.config)
    told = []
    (run,) = runs_of(path, told.append)
    assert [call.id for call in run.calls] == ["c2"]
    (text,) = told
    assert "t1: forks: " in text
    assert "1 messages with calls among it" in text


def test_a_call_that_ran_on_two_branches_was_answered_twice(file):
    """Going back before a tool runs it again, and both answers are counted."""
    saver, path = file
    agent = agent_of([calls("a", {"x": "1"}, id="c1"), "Done.", "Done again."], [World().tool("a")],
                     checkpointer=saver)  # fmt: skip
    agent.invoke(HELLO, on("t1"))
    before = next(one for one in agent.get_state_history(on("t1")) if one.next == ("tools",))
    agent.invoke(None, before.config)
    (run,) = runs_of(path, trouble=lambda text: None)
    assert [(call.id, call.answers) for call in run.calls] == [("c1", 2)]


def test_messages_that_were_taken_out_are_still_read(file):
    """A call that was cut from the conversation was made, and that it was cut is told."""
    saver, path = file
    agent = agent_of([calls("a", {"x": "1"}, id="c1"), "Done."], [World().tool("a")], checkpointer=saver)
    out = agent.invoke(HELLO, on("t1"))
    agent.update_state(on("t1"), {"messages": [RemoveMessage(one.id) for one in out["messages"][:3]]})
    told = []
    (run,) = runs_of(path, told.append)
    assert [(call.id, call.output, run.said) for call in run.calls] == [("c1", "a 1", HELLO["messages"][0][1:])]
    assert told == [f"{path}:t1: 3 messages were taken out of the conversation on the way; here they stay to its end"]


def test_a_call_stands_as_it_was_when_it_ran(file):
    """What was changed before the tool ran is what ran, and is told; what was changed afterwards changes nothing."""
    saver, path = file
    agent = agent_of([calls("a", {"x": "1"}, id="c1"), "Done."], [World().tool("a")], checkpointer=saver)
    agent.invoke(HELLO, on("t1"), interrupt_before=["tools"])

    def put(x):
        message = next(one for one in agent.get_state(on("t1")).values["messages"] if isinstance(one, AIMessage))
        other = message.model_copy(update={"tool_calls": [tool_call("a", {"x": x}, id="c1")]})
        agent.update_state(on("t1"), {"messages": [other]}, as_node="model")

    put("2")
    agent.invoke(None, on("t1"))
    put("3")
    told = []
    (run,) = runs_of(path, told.append)
    assert [(call.arguments, call.output) for call in run.calls] == [({"x": "2"}, "a 2")]
    assert told == [f"{path}:t1: the calls of 1 messages were changed before they were answered"]


def test_a_graph_inside_another_one_is_a_run_of_its_own(store):
    """A subagent's calls are read once, as its own run, in which nothing is the user's; its task is the thread."""
    saver, path = store

    @tool
    def send(x: str) -> str:
        """Send it."""
        return f"sent {x}"

    task = {"description": "Send b.", "subagent_type": "general-purpose"}
    answers = [calls("send", {"x": "a"}), calls("task", task), calls("send", {"x": "b"}), "Sent.", "Done."]
    create_deep_agent(ScriptedModel(answers=answers), [send], checkpointer=saver).invoke(HELLO, on("t1"))
    outer, inner = runs_of(path)
    assert [(call.tool, call.output) for call in outer.calls] == [("send", "sent a"), ("task", "Sent.")]
    assert [(call.tool, call.output) for call in inner.calls] == [("send", "sent b")]
    assert (outer.id, outer.task, outer.said) == ("t1", "", HELLO["messages"][0][1:])
    assert (inner.id.startswith("t1|tools:"), inner.task, inner.said, inner.cluster) == (True, "t1", (), "t1")
    assert inner.suite == "general-purpose"


def test_calls_of_a_subgraph_that_shares_its_messages_are_read_once(file):
    """What comes through the outer graph's state was proposed inside, and belongs there."""
    from langgraph.graph import START, MessagesState, StateGraph

    saver, path = file
    inner = agent_of([calls("a", {"x": "1"}, id="c1"), "Done."], [World().tool("a")], checkpointer=None)
    graph = StateGraph(MessagesState).add_node("inner", inner).add_edge(START, "inner").compile(checkpointer=saver)
    graph.invoke(HELLO, on("t1"))
    outer, run = runs_of(path)
    assert (outer.calls, [call.id for call in run.calls]) == ((), ["c1"])


def test_ids_that_repeat_are_told(file):
    """A call id that stands for two calls of one turn is told; each has a result, but nobody knows which of the two."""
    saver, path = file
    turn = says(tool_call("a", {"x": "1"}, id="c1"), tool_call("a", {"x": "2"}, id="c1"))
    agent_of([turn, "Done."], [World().tool("a")], checkpointer=saver).invoke(HELLO, on("t1"))
    told = []
    (run,) = runs_of(path, told.append)
    assert [(call.result, call.output) for call in run.calls] == [(hashed("a 1"), None), (hashed("a 2"), None)]
    assert run.calls[0].matched == "order"
    assert told == [f"{path}:t1: the id 'c1' stands for 2 calls"]


def test_a_thread_that_can_not_be_read_costs_that_thread_alone(file):
    """Bytes that no serializer understands are told with their thread, and the rest goes on."""
    saver, path = file
    for thread in ("t1", "t2", "t3"):
        agent_of([calls("a", {"x": "1"}), "Done."], [World().tool("a")], checkpointer=saver).invoke(HELLO, on(thread))
    saver.conn.execute("UPDATE checkpoints SET type = 'msgpack+aes' WHERE thread_id = 't2'")
    saver.conn.commit()
    told = []
    assert [run.id for run in runs_of(path, told.append)] == ["t1", "t3"]
    (text,) = told
    assert text.startswith(f"{path}:t2: can't be read, and is left out: ")


def test_types_of_others_are_never_loaded(file):
    """A value of a type that isn't LangChain's or LangGraph's own is not made, whoever wrote it into the database."""
    from tests.replay import planted

    saver, path = file
    agent = agent_of([calls("a", {"x": "1"}), "Done."], [World().tool("a")], checkpointer=saver)
    agent.invoke(HELLO, on("t1"))
    agent.update_state(on("t1"), {"messages": [HumanMessage("x", additional_kwargs={"it": planted.Planted("x")})]})
    planted.made.clear()
    (run,) = runs_of(path)
    assert len(run.calls) == 1
    assert planted.made == []


def test_a_broken_call_has_no_arguments(file):
    """Arguments that were no JSON are told, and nothing is put in their place."""
    saver, path = file
    broken = AIMessage("", invalid_tool_calls=[{"name": "a", "args": '{"x": ', "id": "c1", "error": None}])
    agent_of([broken], [World().tool("a")], checkpointer=saver).invoke(HELLO, on("t1"))
    told = []
    (run,) = runs_of(path, told.append)
    assert [(call.tool, call.arguments, call.fate) for call in run.calls] == [("a", None, None)]
    assert any("its arguments are no JSON" in text for text in told)


def test_no_password_is_told(tmp_path):
    """A database's URL is told without what lets one in."""
    told = []
    Source("postgresql://ana:secret@db.example/agents?x=1", told.append).tell("t1", "is broken")
    assert told == ["postgresql://ana@db.example/agents?x=1:t1: is broken"]


def test_the_reading_is_told_as_a_share_of_the_file(file):
    """Progress goes up to the whole of what there is, thread by thread."""
    saver, path = file
    for thread in ("t1", "t2", "t3", "t4"):
        put(saver, thread, [HumanMessage("Go.", id="h")])
    saver.conn.commit()
    told = []
    assert len(runs_of(path, progress=lambda done, whole: told.append((done, whole)))) == 4
    (whole,) = {whole for _, whole in told}
    assert whole == Path(path).stat().st_size
    assert [round(4 * done / whole) for done, _ in told] == [1, 2, 3, 4]


def test_the_same_message_is_made_once():
    """What every checkpoint of a thread holds again is the same object, until it is forgotten."""
    serde, message = Serde(), HumanMessage("Go.", id="h")
    written = serde.dumps_typed([message])
    (one,), (other,) = serde.loads_typed(written), serde.loads_typed(written)
    assert one is other
    serde.forget()
    (anew,) = serde.loads_typed(written)
    assert anew == one
    assert anew is not one


def test_other_databases_are_not_taken_for_checkpoints(tmp_path):
    """A database without a checkpointer's tables is in no format that is known."""
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE checkpoints (n integer)")
    with pytest.raises(LadderError, match="holds neither the tables of a LangGraph checkpointer"):
        runs_of(str(path))


def test_many_threads_are_read_in_the_memory_of_one(tmp_path):
    """Threads are read one after the other: ten times as many take no more memory."""
    path = str(tmp_path / "many.sqlite")
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        saver = SqliteSaver(connection)
        asks = AIMessage("", id="m", tool_calls=[tool_call("a", {"x": "y" * 20_000}, id="c")])
        messages = [HumanMessage("Go.", id="h"), asks, ToolMessage("z" * 20_000, tool_call_id="c", id="t")]
        for thread in range(60):
            put(saver, str(thread), messages)

    def peak(most):
        tracemalloc.start()
        try:
            for seen, run in enumerate(runs_in(path)):
                assert len(run.calls) == 1
                if seen + 1 == most:
                    break
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)
    assert peak(60) < 2 * peak(6)


def runs_in(path):
    """The runs, one at a time."""
    from ladder_graph.replay import read

    return read(path, pytest.fail)
