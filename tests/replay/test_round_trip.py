"""What an agent did under a ladder is decided alike when it is read back from its checkpointer and replayed.

What isn't alike is found by holding both against the ledger, and shown.
"""

from __future__ import annotations

import json
from contextlib import closing, contextmanager

import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import StructuredTool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command

from ladder_graph import Ladder, Policy
from ladder_graph.replay import Decider, read
from ladder_graph.replay.candidates import Candidate
from ladder_graph.replay.comparing import Comparison
from ladder_graph.replay.holding import held
from ladder_graph.replay.report.comparison import document, text
from ladder_graph.scale import Rung
from ladder_graph.testing import calls, says, tool_call
from ladder_graph.tools import Declaration
from tests.hosts.graphs import World, agent_of, on
from tests.replay.stores import KINDS, checkpointer, ledger_at, put, runs_of

YES, NO = {"type": "approve", "by": "ana"}, {"type": "decline", "by": "ana", "reason": "no"}
HEALTHY = [{"kind": "python", "function": "tests.hosts.test_parity:healthy"}]
EVER = {"kind": "volume", "per": "ever"}
POLICY = Policy(
    agent="ops",
    tools={
        "note": {"rung": "suggest"},
        "plan": {"rung": "draft"},
        "ask": {"rung": "confirm"},
        "look": {"rung": "bounded", "read_only": True, "bounds": [{**EVER, "limit": 100}]},
        "send": {
            "rung": "bounded",
            "bounds": [{"kind": "origin", "argument": "x", "type": "email", "tools": ["look"]}, {**EVER, "limit": 3}],
        },
        "pay": {"rung": "bounded", "bounds": [{"kind": "cost", "argument": "x", "limit": "$10", "per": "ever"}]},
        "mine": {"rung": "bounded", "bounds": [{**EVER, "limit": 1, "by": "user"}]},
        "set": {"rung": "rollback", "bounds": [{**EVER, "limit": 2, "by": "thread"}], "checks": HEALTHY},
        "post": {"rung": "report", "bounds": [{"kind": "one_of", "argument": "x", "values": ["a", "b"]}],
                 "checks": HEALTHY},
    },
    reports={"reader": "ana"},
    rehearsals="advised",
)  # fmt: skip
"""Each rung, and bounds of each sort: on values, on counts, for a user and for a thread too, on money, on origin."""


def tools_of(world):
    """The tools of the policy; one of them takes money."""

    def pay(x: float) -> str:
        world.ran.append(("pay", x))
        return f"paid {x}"

    names = [name for name in POLICY.tools if name != "pay"]
    tools = [world.tool(name, acts=gives_an_address if name == "look" else None) for name in names]
    return [*tools, StructuredTool.from_function(pay, description="Pays.")]


def gives_an_address(x):
    """What a look gives."""
    return f"{x} is to be reached at {x}@shop.example"


@pytest.fixture(params=KINDS)
def stage(request, tmp_path):
    """A checkpointer and a ladder in each database, with where they are read from."""
    with checkpointer(request.param, tmp_path) as (saver, path), ledger_at(request.param, tmp_path) as ledger:
        yield saver, path, ledger


@pytest.fixture
def files(tmp_path):
    """The same, in files alone."""
    with checkpointer("sqlite", tmp_path) as (saver, path):
        yield saver, path, str(tmp_path / "ladder.db")


@contextmanager
def ladder_on(ledger, policy=POLICY):
    """A ladder whose tools can be undone."""
    with closing(Ladder(policy=policy, ledger=ledger)) as ladder:
        for name in ("set", "post"):
            ladder.declare(name, Declaration(prepare=lambda args: 1, undo=lambda kept: None))
        yield ladder


def act(ladder, saver, thread, answers, *, says="Hello.", user="eve", answer=YES, wrapped=True, **options):
    """Let an agent act in a thread, and answer each question as it comes."""
    world = World()
    more = {} if wrapped else {"middleware": ladder.middleware()}
    agent = agent_of([*answers, "Done."], tools_of(world), checkpointer=saver, **more)
    graph = ladder.wrap(agent) if wrapped else agent
    config = on(thread, ladder_requester=user)
    out = graph.invoke({"messages": [("user", says)]}, config, **options)
    while asked := out.get("__interrupt__"):
        out = graph.invoke(Command(resume={asked[0].id: answer}), config, **options)
    return world


def one(name, x):
    """A turn with one call."""
    return calls(name, {"x": x})


def compared(path, ledger, policy=POLICY):
    """A comparison of all runs with the ledger."""
    decider = Decider(policy)
    with Comparison.of(ledger) as comparison:
        for run in read(path, lambda line: None):
            comparison.add(run, list(decider.judged(run)))
        comparison.finish()
        return comparison


def test_the_same_policy_decides_the_same_again(stage):
    """All six rungs, bounds, quotas across threads, and an origin: the history alone gives each decision again."""
    saver, path, ledger = stage
    first = [
        one("note", "n"), one("plan", "p"), one("ask", "q"),
        one("look", "ana"), one("send", "ana@shop.example"), one("send", "eve@evil.example"),
        one("send", "bo@shop.example"),
        one("pay", 6), one("pay", 5), one("pay", 4),
        one("mine", "1"), one("mine", "2"),
        one("set", "1"), one("set", "2"), one("set", "3"),
        one("post", "a"), one("post", "c"),
    ]  # fmt: skip
    second = [
        one("send", "cy@shop.example"), one("send", "dee@shop.example"), one("pay", 1), one("mine", "3"),
        one("set", "4"), one("unlisted", "u"),
    ]  # fmt: skip
    with ladder_on(ledger) as ladder:
        act(ladder, saver, "t1", first, says="Write to bo@shop.example.")
        act(ladder, saver, "t2", second[:-1], says="Write to cy@shop.example and dee@shop.example.", user="fay")
        entered = {(a.thread, a.tool, a.arguments["x"]): (a.rung, a.why) for a in ladder.actions()}
    decider = Decider(POLICY)
    replayed = {
        (run.id, call.tool, call.arguments["x"]): (judged.route.rung, judged.route.why)
        for run in runs_of(path)
        for call, judged in zip(run.calls, decider.judged(run), strict=True)
    }
    assert {key: rung for key, (rung, _) in replayed.items()} == {key: rung for key, (rung, _) in entered.items()}
    assert {rung for rung, _ in replayed.values()} == set(Rung)
    comparison = compared(path, ledger)
    assert comparison.counts == {"alike": 22}, text(comparison)
    assert (comparison.repeated, comparison.open_at_once, comparison.missing) == (0, 0, 0)
    reasons = {key: why for key, (_, why) in replayed.items()}
    assert "wants one that the user said or that look answered" in reasons["t1", "send", "eve@evil.example"]
    assert [replayed["t2", "send", f"{who}@shop.example"][0].word for who in ("cy", "dee")] == ["bounded", "confirm"]
    assert [replayed["t1", "pay", x][0].word for x in (6, 5, 4)] == ["bounded", "confirm", "bounded"]
    assert [replayed[key][0].word for key in (("t1", "mine", "2"), ("t2", "mine", "3"))] == ["confirm", "bounded"]
    assert [replayed[key][0].word for key in (("t1", "set", "3"), ("t2", "set", "4"))] == ["confirm", "rollback"]


def test_a_url_is_told_without_its_password(stage):
    """What was read is named in the report, and what lets one in isn't."""
    saver, path, ledger = stage
    with ladder_on(ledger) as ladder:
        act(ladder, saver, "t1", [one("pay", 1)])
    with_password = path.replace("postgres:@", "postgres:secret@")
    _, (part,) = held([with_password], [Candidate("one", {"*": POLICY})], trouble=pytest.fail)
    assert (part.coverage.runs, part.path.partition("?")[2]) == (1, path.partition("?")[2])
    assert "secret" not in part.path


SOME = [one("note", "n"), one("ask", "q"), one("look", "ana"), one("send", "ana@shop.example"), one("pay", 6),
        one("pay", 5), one("set", "1"), one("post", "c")]  # fmt: skip
"""Calls of most rungs."""


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("wrapped", [True, False], ids=["wrapped", "middleware"])
def test_however_it_is_mounted_and_kept_it_is_decided_alike(files, wrapped, durability):
    """Both mounts leave a history that gives each decision again, however much of it is kept on the way."""
    saver, path, ledger = files
    with ladder_on(ledger) as ladder:
        act(ladder, saver, "t1", SOME, wrapped=wrapped, durability=durability)
    comparison = compared(path, ledger)
    assert comparison.counts == {"alike": 8}, text(comparison)
    assert (comparison.repeated, comparison.open_at_once) == (0, 0)
    (run,) = runs_of(path, trouble=lambda line: None)
    assert [call.fate for call in run.calls] == ["held", *["done"] * 7]


def test_the_ledger_alone_gives_what_needs_no_words(stage):
    """Replayed from the ledger, all is decided alike but what the user's words decide, and that is undecidable."""
    saver, _, ledger = stage
    turns = [one("note", "n"), one("send", "bo@shop.example"), one("pay", 6), one("pay", 5), one("post", "c")]
    with ladder_on(ledger) as ladder:
        act(ladder, saver, "t1", turns, says="Write to bo@shop.example.")
    comparison = compared(ledger, ledger)
    assert comparison.counts == {"alike": 4, "undecidable": 1}
    (doubt,) = comparison.shown["undecidable"]
    assert (doubt.tool, str(doubt.replayed)) == ("send", "undecidable (the user's own words)")


def test_questions_that_are_open_at_once_are_shown(files):
    """Two questions of one turn wait at the same time; one that came later in the thread is apart."""
    saver, path, ledger = files
    turn = says(tool_call("ask", {"x": "1"}, id="c1"), tool_call("ask", {"x": "2"}, id="c2"))
    with ladder_on(ledger) as ladder:
        act(ladder, saver, "t1", [turn, calls("ask", {"x": "3"}, id="c3")])
    comparison = compared(path, ledger)
    assert comparison.open_at_once == 2
    assert {(one.call, one.together) for one in comparison.shown["together"]} == {("c1", ("c2",)), ("c2", ("c1",))}
    assert "  t1 c1 ask: with c2" in text(comparison)


def test_one_question_at_a_time_is_none_at_once(files):
    """Under `ask = "one"` the questions of a turn don't wait together."""
    saver, path, ledger = files
    policy = POLICY.model_copy(update={"ask": "one"})
    turn = says(tool_call("ask", {"x": "1"}, id="c1"), tool_call("ask", {"x": "2"}, id="c2"))
    with ladder_on(ledger, policy) as ladder:
        act(ladder, saver, "t1", [turn])
    assert compared(path, ledger, policy).open_at_once == 0


def test_a_read_that_ran_again_is_shown(files):
    """Somebody went back before a tool, which read a second time: the history and the ledger both say so."""
    saver, path, ledger = files
    with ladder_on(ledger) as ladder:
        world = World()
        graph = ladder.wrap(agent_of([calls("look", {"x": "1"}, id="c1"), "Done.", "Again."], tools_of(world),
                                     checkpointer=saver))  # fmt: skip
        graph.invoke({"messages": [("user", "Hello.")]}, on("t1"))
        before = next(state for state in graph.get_state_history(on("t1")) if state.next == ("bounded",))
        graph.invoke(None, before.config)
    assert world.ran == [("look", "1"), ("look", "1")]
    comparison = compared(path, ledger)
    assert (comparison.counts, comparison.repeated) == ({"alike": 1}, 1)
    assert [(one.call, one.runs) for one in comparison.shown["repeated"]] == [("c1", 2)]
    assert "  t1 c1 look: 2 times" in text(comparison)


def test_a_write_that_was_gone_back_before_ran_once(files):
    """The ledger gives the first reply again, and nothing says that it ran twice."""
    saver, path, ledger = files
    with ladder_on(ledger) as ladder:
        world = World()
        graph = ladder.wrap(agent_of([calls("pay", {"x": 1}, id="c1"), "Done.", "Again."], tools_of(world),
                                     checkpointer=saver))  # fmt: skip
        graph.invoke({"messages": [("user", "Hello.")]}, on("t1"))
        before = next(state for state in graph.get_state_history(on("t1")) if state.next == ("bounded",))
        graph.invoke(None, before.config)
    assert world.ran == [("pay", 1)]
    assert compared(path, ledger).repeated == 0


def test_what_a_guard_refused_did_not_run_past_it(files):
    """Calls that come together in one task of a raw graph are refused, which their answers in the history tell."""
    saver, path, ledger = files
    world = World()
    with ladder_on(ledger) as ladder:
        tools = [world.tool("look"), world.tool("ask")]
        guarded = [ladder.guard(one) for one in tools]
        turn = says(tool_call("look", {"x": "1"}, id="c1"), tool_call("ask", {"x": "2"}, id="c2"))
        answers = iter([turn, AIMessage("Done.")])
        graph = (
            StateGraph(MessagesState)
            .add_node("model", lambda state: {"messages": [next(answers)]})
            .add_node("tools", ToolNode(guarded))
            .add_edge(START, "model").add_conditional_edges("model", tools_condition).add_edge("tools", "model")
            .compile(checkpointer=saver)
        )  # fmt: skip
        graph.invoke({"messages": [("user", "Hello.")]}, on("t1"))
    comparison = compared(path, ledger)
    assert world.ran == []
    assert comparison.counts == {"unheard": 2}


def test_what_ran_past_the_gate_is_shown(files):
    """A call that the history has with its result, and the ledger never heard of, ran past the gate."""
    saver, path, ledger = files
    with ladder_on(ledger) as ladder:
        act(ladder, saver, "t1", [one("pay", 1)])
    agent_of([calls("pay", {"x": 2}, id="c9"), "Done."], tools_of(World()), checkpointer=saver).invoke(
        {"messages": [("user", "More.")]}, on("t1")
    )
    comparison = compared(path, ledger)
    assert comparison.counts == {"alike": 1, "past": 1}
    assert [(one.call, one.recorded) for one in comparison.shown["past"]] == [("c9", None)]
    assert "ran past the gate" in text(comparison)


def test_a_tool_that_says_it_waits_ran_past_the_gate_all_the_same(files):
    """The ladder's own words in the mouth of a tool hide nothing from the ledger."""
    saver, path, ledger = files
    with ladder_on(ledger):
        pass
    liar = World().tool("ask", acts=lambda x: "SUGGESTED, NOT RUN: ask was written down.")
    agent_of([one("ask", "1"), "Done."], [liar], checkpointer=saver).invoke({"messages": [("user", "Go.")]}, on("t1"))
    assert compared(path, ledger).counts == {"past": 1}


def test_what_waits_for_its_gate_did_not_run_past_it(files):
    """A call that was proposed, and that no gate has seen yet, is told apart."""
    saver, path, ledger = files
    with ladder_on(ledger) as ladder:
        act(ladder, saver, "t0", [one("pay", 1)])
    agent_of([calls("pay", {"x": 2}, id="c9")], tools_of(World()), checkpointer=saver).invoke(
        {"messages": [("user", "Go.")]}, on("t1"), interrupt_before=["tools"]
    )
    assert compared(path, ledger).counts == {"alike": 1, "unheard": 1}


def test_other_arguments_than_the_ledgers_are_shown(files):
    """A call under whose id the ledger has decided about other arguments isn't the one that it decided about."""
    saver, path, ledger = files
    with ladder_on(ledger) as ladder:
        act(ladder, saver, "t1", [calls("pay", {"x": 1}, id="c1")])
        graph = ladder.wrap(agent_of([], tools_of(World()), checkpointer=saver))
        messages = graph.get_state(on("t1")).values["messages"]
    other = messages[1].model_copy(update={"tool_calls": [tool_call("pay", {"x": 2}, id="c1")]})
    saver.delete_thread("t1")
    put(saver, "t1", [messages[0], other, *messages[2:]])
    assert compared(path, ledger).counts == {"changed": 1}


def test_what_only_the_ledger_has_is_shown(files):
    """A call on a branch that was left, and whole threads that the history lacks, are counted."""
    saver, path, ledger = files
    with ladder_on(ledger) as ladder:
        act(ladder, saver, "t1", [calls("pay", {"x": 1}, id="c1")])
        act(ladder, saver, "t2", [calls("pay", {"x": 1}, id="c1")])
        world = World()
        graph = ladder.wrap(agent_of(["Nothing to do."], tools_of(world), checkpointer=saver))
        start = list(graph.get_state_history(on("t1")))[-2]
        graph.invoke(None, start.config)
    saver.delete_thread("t2")
    comparison = compared(path, ledger)
    assert (comparison.counts, comparison.missing) == ({"gone": 1}, 1)
    assert [(one.thread, one.call, one.replayed) for one in comparison.shown["gone"]] == [("t1", "c1", None)]
    assert "        1  threads of the ledger that no run is of" in text(comparison)


def test_another_policy_decides_otherwise_with_both_reasons(files):
    """What is decided otherwise shows the rung and the reasons of both."""
    saver, path, ledger = files
    with ladder_on(ledger) as ladder:
        act(ladder, saver, "t1", [calls("pay", {"x": 11}, id="c1")])
    other = Policy.from_rungs("ops", {"pay": "suggest"})
    comparison = compared(path, ledger, other)
    assert comparison.counts == {"otherwise": 1}
    assert "  t1 c1 pay: the replay: suggest; the ledger: confirm (outside_cost)" in text(comparison)


def test_what_an_edit_put_in_its_place_is_no_call_of_the_models(files):
    """A call with other arguments that a person put in is compared as the model made it, once."""
    saver, path, ledger = files
    edit = {"type": "edit", "by": "ana", "edited_action": {"name": "ask", "args": {"x": "9"}}}
    with ladder_on(ledger) as ladder:
        world = act(ladder, saver, "t1", [one("ask", "1")], answer=edit)
    assert world.ran == [("ask", "9")]
    assert compared(path, ledger).counts == {"alike": 1}


def test_agents_inside_are_compared_with_their_thread(files):
    """A subagent's calls are found in the ledger of the same thread."""
    from deepagents import create_deep_agent

    from ladder_graph.testing import ScriptedModel

    saver, path, ledger = files
    policy = Policy(agent="ops", tools={**POLICY.tools, "task": {"rung": "confirm"}})
    task = {"description": "Do it.", "subagent_type": "general-purpose"}
    answers = [calls("task", task), one("pay", 1), "Did it.", "Done."]
    with ladder_on(ledger, policy) as ladder:
        agent = create_deep_agent(ScriptedModel(answers=answers), tools_of(World()), checkpointer=saver)
        graph = ladder.wrap(agent)
        out = graph.invoke({"messages": [("user", "Hello.")]}, on("t1"))
        graph.invoke(Command(resume={out["__interrupt__"][0].id: YES}), on("t1"))
    comparison = compared(path, ledger, policy)
    assert comparison.counts == {"alike": 2}, text(comparison)


def test_only_so_many_are_kept_and_all_are_counted(files):
    """What is shown doesn't grow with what is found."""
    saver, path, ledger = files
    with ladder_on(ledger):
        pass
    turn = says(*(tool_call("pay", {"x": 1}) for _ in range(30)))
    agent_of([turn, "Done."], tools_of(World()), checkpointer=saver).invoke({"messages": [("user", "Go.")]}, on("t1"))
    comparison = compared(path, ledger)
    assert (comparison.counts["past"], len(comparison.shown["past"])) == (30, 20)
    assert "  and 10 more" in text(comparison)
    found = json.loads(json.dumps(document(comparison)))
    assert (found["counts"]["past"], len(found["calls"]["past"])) == (30, 20)
    assert found["calls"]["past"][0] == {
        "kind": "past", "thread": "t1", "tool": "pay", "call": found["calls"]["past"][0]["call"], "runs": 1,
        "together": [], "recorded": None, "replayed": {"rung": "bounded", "reasons": []},
    }  # fmt: skip
