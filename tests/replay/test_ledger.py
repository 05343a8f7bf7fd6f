"""Reading a ladder's own ledger: what was decided and by whom, what became of each call, and what it doesn't hold."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from ladder_graph import DefiniteFailure
from ladder_graph.errors import LadderError, NotALedger
from ladder_graph.ledger.database.store import Store
from ladder_graph.replay import Decider
from ladder_graph.replay.stores.accounts import _FATES, Accounts
from ladder_graph.replay.traces import hashed
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.testing import calls, says, tool_call
from ladder_graph.tools import Declaration
from tests.hosts.graphs import READ, World, agent_of, ladder_of, on
from tests.replay.stores import KINDS, ledger_at, runs_of

HELLO = {"messages": [("user", "Go.")]}
TWICE = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 2}]}


@pytest.fixture(params=KINDS)
def place(request, tmp_path):
    """Where a ledger goes, in each database."""
    with ledger_at(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def file(tmp_path):
    """A file for a ledger."""
    return str(tmp_path / "ladder.db")


def act(place, rules, answers, *, given=(), acts=None, thread="t1", **configurable):
    """Let an agent act under a ladder, and answer its questions in the order of their arguments."""
    world = World()
    with closing(ladder_of(rules, ledger=place)) as ladder:
        tools = [world.tool(name, acts=(acts or {}).get(name)) for name in rules]
        graph = ladder.wrap(agent_of(answers, tools))
        out = graph.invoke(HELLO, on(thread, **configurable))
        asked = sorted(out.get("__interrupt__", ()), key=lambda one: one.value["args"]["x"])
        if given:
            answer = {one.id: said for one, said in zip(asked, given, strict=False)}
            graph.invoke(Command(resume=answer), on(thread, **configurable))
    return world


def fails(x):
    """A tool that says that nothing happened."""
    raise DefiniteFailure("no")


def test_what_was_decided_and_what_came_of_it(place):
    """Each call has its rung, its reasons by their codes, its answer and who gave it, its fate and its model."""
    yes, no = {"type": "approve", "by": "ana"}, {"type": "decline", "by": "bo", "reason": "no"}
    edit = {"type": "edit", "by": "ana", "edited_action": {"name": "ask", "args": {"x": "9"}}}
    words = {"type": "respond", "by": "ana", "message": "It is five."}
    rules = {"ask": "confirm", "note": "suggest", "twice": TWICE, "read": READ, "break": TWICE}
    turn = says(
        *(tool_call("ask", {"x": str(n)}) for n in range(5)),
        tool_call("note", {"x": "n"}), tool_call("read", {"x": "r"}), tool_call("break", {"x": "b"}),
    )  # fmt: skip
    script = [calls("twice", {"x": "1"}), calls("twice", {"x": "2"}), calls("twice", {"x": "3"}), "Done."]
    act(place, rules, script, given=[yes], ladder_requester="eve")
    act(place, rules, [turn, "Done."], given=[yes, no, edit, words], acts={"break": fails}, thread="t2")
    first, second = runs_of(place)
    assert [(call.arguments["x"], call.fate, call.decided.reasons) for call in first.calls] == [
        ("1", "done", ()), ("2", "done", ()), ("3", "done", ("outside_volume",)),
    ]  # fmt: skip
    assert (first.id, first.suite, first.requester, first.said) == ("t1", "ops", "eve", None)
    found = {call.arguments["x"]: call for call in second.calls}
    assert {x: (call.fate, call.decided.rung, call.decided.answer, call.decided.by) for x, call in found.items()} == {
        "0": ("done", Rung.CONFIRM, "approve", "ana"),
        "1": ("declined", Rung.CONFIRM, "decline", "bo"),
        "2": ("edited", Rung.CONFIRM, "edit", "ana"),
        "3": ("declined", Rung.CONFIRM, "respond", "ana"),
        "4": ("held", Rung.CONFIRM, None, ""),
        "n": ("held", Rung.SUGGEST, None, ""),
        "r": ("done", Rung.REPORT, None, ""),
        "b": ("failed", Rung.BOUNDED, None, ""),
    }
    assert {call.model for call in second.calls} == {"scripted-1"}
    assert all(call.at is not None for call in second.calls)
    assert (found["0"].output, found["0"].answers, found["r"].output) == ("ask 0", 1, None)


def test_an_action_that_was_undone_says_so(file):
    """What was put back by a bad sign is undone, and was done before."""
    checks = [{"kind": "python", "function": "tests.hosts.test_parity:sick"}]
    world = World()
    with closing(ladder_of({"a": {**TWICE, "rung": "rollback", "checks": checks}}, ledger=file)) as ladder:
        ladder.declare("a", Declaration(prepare=lambda args: 1, undo=world.ran.append))
        ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")])).invoke(HELLO, on("t1"))
    (run,) = runs_of(file)
    assert [(call.fate, call.decided.reasons) for call in run.calls] == [("undone", ("not_rehearsed",))]


def test_every_state_has_a_fate():
    """No state of a call is left without a word for it."""
    assert set(_FATES) == set(State)


def test_erased_arguments_are_missing(file):
    """Where a payload is gone, the arguments are none, and what needs them is undecidable; the rung stays."""
    rules = {"a": {"rung": "bounded", "bounds": [{"kind": "equals", "argument": "x", "to": "1"}]}}
    act(file, rules, [calls("a", {"x": "1"}), "Done."])
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM payload WHERE hash IN (SELECT payload FROM action)")
    (run,) = runs_of(file)
    (call,) = run.calls
    assert (call.tool, call.arguments, call.decided.rung, call.fate) == ("a", None, Rung.BOUNDED, "done")
    ladder = ladder_of(rules)
    assert [judged.verdict for judged in Decider(ladder.policy).judged(run)] == ["undecidable"]


def test_the_users_words_are_not_in_a_ledger(file):
    """A bound on them can't be decided from a ledger alone, and is never taken as met."""
    rules = {"a": {"rung": "bounded", "bounds": [{"kind": "origin", "argument": "x", "type": "word"}]}}
    act(file, rules, [calls("a", {"x": "Go"}), "Done."])
    (run,) = runs_of(file)
    assert (run.said, run.calls[0].decided.rung) == (None, Rung.BOUNDED)
    (judged,) = Decider(ladder_of(rules).policy).judged(run)
    assert (judged.verdict, judged.missing) == ("undecidable", ("the user's own words",))


def test_calls_of_one_turn_have_not_heard_each_other(file):
    """Turns are told by where the conversation stood."""
    turn = says(tool_call("a", {"x": "1"}), tool_call("a", {"x": "2"}))
    act(file, {"a": {**TWICE, "bounds": [{"kind": "volume", "limit": 9}]}}, [turn, calls("a", {"x": "3"}), "Done."])
    (run,) = runs_of(file)
    assert sorted((call.arguments["x"], call.turn, call.output) for call in run.calls) == [
        ("1", 0, "a 1"), ("2", 0, "a 2"), ("3", 1, "a 3"),
    ]  # fmt: skip


def test_where_nothing_tells_who_heard_what_answers_are_missing(file):
    """Of a conversation that no host named, each answer is left out, but for its hash."""
    act(file, {"a": TWICE}, [calls("a", {"x": "1"}), "Done."])
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE action SET checkpoint = ''")
    (run,) = runs_of(file)
    assert [(call.output, call.result) for call in run.calls] == [(None, hashed("a 1"))]


def test_agents_inside_are_runs_of_their_own(file):
    """Each agent in a thread has its run; that of one inside another is no observation of its own."""
    from deepagents import create_deep_agent

    from ladder_graph.testing import ScriptedModel

    task = {"description": "Do it.", "subagent_type": "general-purpose"}
    answers = [calls("task", task), calls("a", {"x": "1"}), "Did it.", "Done."]
    with closing(ladder_of({"a": TWICE, "task": {**TWICE}}, ledger=file)) as ladder:
        world = World()
        graph = create_deep_agent(ScriptedModel(answers=answers), [world.tool("a")], checkpointer=InMemorySaver())
        ladder.wrap(graph).invoke(HELLO, on("t1"))
    outer, inner = runs_of(file)
    assert (outer.id, outer.suite, [call.tool for call in outer.calls]) == ("t1", "ops", ["task"])
    assert (inner.suite, inner.task, [call.tool for call in inner.calls]) == ("ops/general-purpose", "t1", ["a"])


def test_reading_leaves_a_ledger_as_it_is(file):
    """Not a byte of it changes, no file comes beside it, and it may be in use."""
    act(file, {"a": TWICE}, [calls("a", {"x": "1"}), "Done."])
    with closing(Store(file)):
        pass
    before, beside = Path(file).read_bytes(), sorted(Path(file).parent.iterdir())
    runs_of(file)
    assert Path(file).read_bytes() == before
    assert [one for one in sorted(Path(file).parent.iterdir()) if one.suffix not in {".db-shm", ".db-wal"}] == [
        one for one in beside if one.suffix not in {".db-shm", ".db-wal"}
    ]


def test_a_ledger_of_another_release_is_refused(file):
    """What an earlier release wrote isn't read as if it were this one's, and the way out is said."""
    act(file, {"a": TWICE}, [calls("a", {"x": "1"}), "Done."])
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LadderError, match="ladder verify"):
        runs_of(file)


def test_what_is_no_ledger_is_refused(tmp_path):
    """Somebody who names another database as a ledger learns it."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (n integer)")
    with pytest.raises(NotALedger, match="there is no ledger in"):
        Accounts(str(path))
