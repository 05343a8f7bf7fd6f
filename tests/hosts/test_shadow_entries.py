"""What a shadow takes down: the decisions that the gate would have made, and never anything that counts for trust."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import pytest
from langchain.agents import create_agent
from langgraph.types import Command, interrupt

from ladder_graph import DefiniteFailure, Ladder, Policy
from ladder_graph.calls import Call
from ladder_graph.ledger.actions import quotas
from ladder_graph.ledger.evidence import shadows
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.policy.scene import Scene
from ladder_graph.replay import Decider, read
from ladder_graph.testing import FrozenClock, ScriptedModel, calls, says, tool_call
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, on, raw_graph

VOLUME = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 2}]}
DOMAIN = {"rung": "bounded", "bounds": [{"kind": "origin", "argument": "x", "type": "email"}]}
FOUR = [calls("send", {"x": str(n)}) for n in range(4)]


def seen(ladder: Ladder) -> list[tuple[Any, ...]]:
    """Tool, verdict and codes of each call that was taken down, in order."""
    assert ladder.shadowing.flush()
    return [
        (entry.body["tool"], entry.body["verdict"], *(code for code, _ in entry.body["reasons"]))
        for entry in ladder.log(shadow=True)
        if entry.kind == shadows.DECIDED
    ]


def ended(ladder: Ladder) -> list[str]:
    """What came of the calls, in order."""
    assert ladder.shadowing.flush()
    return [entry.body["outcome"] for entry in ladder.log(shadow=True) if entry.kind == shadows.ENDED]


def run(way: Any, ladder: Ladder, answers: list[Any], tools: list[Any], value: Any = GO) -> Any:
    """One run of an agent with a shadow."""
    return way.invoke(ladder.shadow(agent_of([*answers, "Done."], tools)), value, on())


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_each_rung(way):
    """Each call comes to what its policy says: free, asked or held; a tool that isn't there is refused."""
    names = ["read", "ask", "draft", "unnamed"]
    rungs = {"read": READ, "ask": "confirm", "draft": "draft"}
    world = World()
    with contextlib.closing(ladder_of(rungs)) as ladder:
        run(way, ladder, [calls(name, {"x": "1"}) for name in [*names, "gone"]], [world.tool(name) for name in names])
        assert seen(ladder) == [
            ("read", "free"), ("ask", "asked"), ("draft", "held"), ("unnamed", "held"), ("gone", "refused", "refused"),
        ]  # fmt: skip
        assert world.ran == [(name, "1") for name in names]
        assert ladder.verify().ok


def test_the_gate_of_the_same_policy_says_the_same():
    """A run under the gate and one beside a shadow decide each call alike, with the same reasons, quotas included."""
    rungs = {"read": READ, "send": VOLUME, "ask": "confirm", "mail": DOMAIN}
    names = list(rungs)
    answers = [says(tool_call("read", {"x": "1"}), tool_call("ask", {"x": "1"})), *FOUR,
               calls("mail", {"x": "ana@shop.example"}), calls("mail", {"x": "eve@evil.example"})]  # fmt: skip
    value = {"messages": [("user", "Write to ana@shop.example.")]}
    with contextlib.closing(ladder_of(rungs)) as shadow, contextlib.closing(ladder_of(rungs)) as live:
        run(WAYS[0], shadow, answers, [World().tool(name) for name in names], value)
        graph = live.wrap(agent_of([*answers, "Done."], [World().tool(name) for name in names]))
        out = graph.invoke(value, on())
        while out.get("__interrupt__"):
            for question in live.pending():
                live.approve(question.id, by="ana")
            out = graph.invoke(None, on())
        decided = sorted((one.tool, one.arguments["x"], int(one.rung), one.why) for one in live.actions())
        assert seen(shadow)
        taken = [one for one in shadow.log(shadow=True) if one.kind == shadows.DECIDED]
    texts = {key: why for *key_, why in decided for key in [tuple(key_)]}
    assert len(taken) == len(decided) == 8
    for one in taken:
        why = texts[one.body["tool"], one.body["arguments"]["x"], one.body["rung"]]
        assert all(text in why for _, text in one.body["reasons"])


def test_quotas_are_the_shadows_own():
    """What would have run unasked draws on the shadow's counters: the third asks, and the agent's are untouched."""
    with contextlib.closing(ladder_of({"send": VOLUME})) as ladder:
        run(WAYS[0], ladder, FOUR, [World().tool("send")])
        assert seen(ladder) == [("send", "free")] * 2 + [("send", "asked", "outside_volume")] * 2
        live = ladder.wrap(agent_of([*FOUR[:2], "Done."], [World().tool("send")]))
        live.invoke(GO, on("2"))
        assert [str(one.state) for one in ladder.actions()] == ["done", "done"]


def test_quotas_go_on_in_the_next_process(tmp_path):
    """What a shadow has drawn stays drawn when the ledger is opened again, and a definite failure gives it back."""

    def fails(x: str) -> str:
        raise DefiniteFailure("nothing was sent")

    where = str(tmp_path / "ladder.db")
    with contextlib.closing(ladder_of({"send": VOLUME}, ledger=where)) as ladder:
        run(WAYS[0], ladder, FOUR[:1], [World().tool("send")])
        graph = ladder.shadow(
            raw_graph([FOUR[1], "Done."], [World().tool("send", acts=fails)], handle_tool_errors=False)
        )
        with pytest.raises(DefiniteFailure):
            graph.invoke(GO)
    with contextlib.closing(ladder_of({"send": VOLUME}, ledger=where)) as ladder:
        run(WAYS[0], ladder, FOUR[2:], [World().tool("send")])
        assert [verdict for _, verdict, *_ in seen(ladder)] == ["free", "free", "free", "asked"]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_what_became_of_a_call(way):
    """An answer is `done` with its hash, an error `failed`, and a call that asks somebody is paused and then done."""

    def wrong(x: str) -> str:
        raise ValueError("bad")

    world = World()
    tools = [world.tool("good"), world.tool("asks", acts=lambda x: interrupt("sure?")), world.tool("bad", acts=wrong)]
    answers = [calls("good", {"x": "1"}), calls("asks", {"x": "1"}), calls("bad", {"x": "1"}), "Done."]
    with contextlib.closing(ladder_of({"good": READ}, clock=FrozenClock())) as ladder:
        graph = ladder.shadow(agent_of(answers, tools))
        way.invoke(graph, GO, on())
        with contextlib.suppress(ValueError):
            way.invoke(graph, Command(resume="yes"), on())
        assert ended(ladder) == ["done", "paused", "done", "failed"]
        assert [tool for tool, *_ in seen(ladder)] == ["good", "asks", "bad"]
        first = next(entry for entry in ladder.log(shadow=True) if entry.kind == shadows.ENDED)
        assert first.body["result"] == shadows.hashed("good 1")
        tallies = {one.tool: one for one in ladder.shadowed().tools}
        assert {name: (one.calls, one.failed, one.unended) for name, one in tallies.items()} == {
            "good": (1, 0, 0), "asks": (1, 0, 0), "bad": (1, 1, 0),
        }  # fmt: skip


def test_a_model_switch_is_seen():
    """The first environment counts as what the rungs were granted to; another model's calls would have asked."""
    rungs = {"send": VOLUME}
    with contextlib.closing(ladder_of(rungs)) as ladder:
        for model in ("one-2026-01-01", "two-2026-06-01"):
            graph = create_agent(
                ScriptedModel(answers=[calls("send", {"x": model}), "Done."], reported=model), [World().tool("send")]
            )
            ladder.shadow(graph).invoke(GO)
        assert [one[:3] for one in seen(ladder)] == [("send", "free"), ("send", "asked", "model_changed")]


# --- nothing of it is evidence ----------------------------------------------------------------------------------------


def run_for_weeks(ladder: Ladder, clock: FrozenClock, days: int) -> None:
    """An agent that makes a clean call a day, beside a shadow."""
    graph = ladder.shadow(agent_of([FOUR[0], "Done."] * days, [World().tool("send")]))
    for day in range(days):
        graph.invoke(GO, on(str(day)))
        assert ladder.shadowing.flush()
        clock.advance(24 * 3600)


def test_nothing_of_it_is_evidence():
    """After months of clean calls beside a shadow nothing is known for trust: no cell, nothing to promote."""
    clock = FrozenClock()
    with contextlib.closing(ladder_of({"send": VOLUME}, clock=clock)) as ladder:
        run_for_weeks(ladder, clock, 60)
        assert ladder.shadowed().came_to("free") == 60
        assert (ladder.trust(), ladder.ready(), ladder.sweep_trust(), ladder.assessments()) == ([], [], [], [])
        assert (ladder.log(), ladder.actions(), ladder.pending()) == ([], [], [])
        assert ladder.reading.agents("ops") == []
        assert ladder.verify().ok


@pytest.mark.parametrize("chain", ["its own", "the agent's"])
def test_not_even_in_the_agents_own_chain(chain):
    """What real runs come to is the same with shadow entries in the very chain that trust reads."""
    clock = FrozenClock()
    with contextlib.closing(ladder_of({"send": VOLUME}, clock=clock)) as ladder:
        graph = ladder.wrap(agent_of([*FOUR[:2], "Done."], [World().tool("send")]))
        graph.invoke(GO, on())
        before = ladder.trust()
        shadow = ladder.shadow(agent_of([*FOUR, "Done."], [World().tool("send")]))
        shadow.invoke(GO, on("2"))
        assert ladder.shadowing.flush()
        if chain == "the agent's":
            taken = ladder.log(shadow=True)
            journal = Journal(ladder.store.owner, "r", clock())
            for entry in taken:
                body = {**entry.body, "digest": "0" * 64, "scope": ""}
                ladder.store.write(lambda cursor, e=entry, b=body: journal.append(cursor, "ops", e.kind, e.action, b))
        after = ladder.trust()
    assert before
    assert [one.certificate for one in after] == [one.certificate for one in before]
    assert [one.held for one in after] == [one.held for one in before]


def test_the_counters_can_not_meet():
    """No agent's counter has a shadow's key, whatever the agent is called."""
    rule = Policy.from_rungs("shadow:ops", {"send": VOLUME}).rule("send")
    mine, theirs = (
        next(iter(rule.bounds[0].charges(Call(agent, "t", "1", "send", {}), _scene()))).quota
        for agent in ("shadow:ops", "ops")
    )
    assert mine != f"{shadows.APART}{theirs}"
    assert quotas._money(f"{shadows.APART}ops/send/micro_usd/day")


def _scene() -> Any:
    return Scene(dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_replay_of_what_was_taken_down(kind, tmp_path, request):
    """Read back as recorded runs and replayed under the same policy, each call comes to what the shadow said."""
    where = str(tmp_path / "ladder.db") if kind == "sqlite" else request.getfixturevalue("postgres")
    rungs = {"read": READ, "send": VOLUME, "ask": "confirm", "note": "draft"}
    answers = [says(tool_call("read", {"x": "1"}), tool_call("ask", {"x": "1"})), *FOUR, calls("note", {"x": "1"})]
    with contextlib.closing(ladder_of(rungs, ledger=where)) as ladder:
        run(WAYS[0], ladder, answers, [World().tool(name) for name in rungs])
        before = seen(ladder)
    (found,) = read(where, pytest.fail)
    assert (found.id, found.suite, [one.turn for one in found.calls]) == ("shadow:1", "ops", [0, 0, 1, 2, 3, 4, 5])
    assert {one.fate for one in found.calls} == {"done"}
    assert all(one.at and one.ended and one.result and one.model for one in found.calls)
    judged = Decider(ladder.policy).judged(found)
    after = [
        (call.tool, one.verdict, *(reason.code for reason in one.route.reasons))
        for call, one in zip(found.calls, judged, strict=True)
    ]
    assert sorted(after) == sorted(before)
    assert [int(one.decided.rung) for one in found.calls][2:] == [3, 3, 2, 2, 1]
