"""Tools that the model's provider runs by itself: refused before the request is sent, or reported."""

from __future__ import annotations

import asyncio
import logging

import pytest
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Ladder, Policy, ProviderToolsRefused
from ladder_graph.testing import ScriptedModel, calls
from tests.hosts.graphs import GO, World, on
from tests.hosts.mounts import BOUNDED, delegating
from tests.hosts.runs import RUNS

SEARCH = {"type": "web_search"}
BROWSE = {"type": "code_interpreter", "container": {"type": "auto"}}


def ladder_that(does, ledger=":memory:"):
    """A ladder that refuses or reports them."""
    return Ladder(policy=Policy(agent="ops", tools={"a": BOUNDED}, provider_tools=does), ledger=ledger)


def mounted(ladder, model, tools, mount):
    """An agent under the ladder, one way or the other."""
    if mount == "wrap":
        return ladder.wrap(create_agent(model, tools, checkpointer=InMemorySaver())).with_config(on())
    agent = create_agent(model, tools, middleware=ladder.middleware(), checkpointer=InMemorySaver())
    return agent.with_config(on())


def written(ladder):
    """What the ledger says of such tools."""
    return [entry.body for entry in ladder.log() if entry.kind == "provider_tools"]


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("mount", ["wrap", "middleware"])
def test_the_request_is_not_sent(mount, run):
    """By default the run ends before the model is asked, however it is run, and the error names the tools."""
    ladder, world = ladder_that("refuse"), World()
    model = ScriptedModel(answers=[calls("a", {"x": "1"}), "Done."])
    graph = mounted(ladder, model, [world.tool("a"), SEARCH, BROWSE], mount)
    with pytest.raises(
        ProviderToolsRefused, match=r"where no rung sees their calls: code_interpreter, web_search\. The"
    ):
        run(graph)
    assert model.left == 2
    assert world.ran == []
    (body,) = written(ladder)
    assert (body["tools"], body["met"]) == (["code_interpreter", "web_search"], "refuse")


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("mount", ["wrap", "middleware"])
def test_the_request_is_reported(mount, run, caplog):
    """If the policy says so, the request is sent, and the ledger and the log say it once for each set."""
    ladder, world = ladder_that("report"), World()
    model = ScriptedModel(answers=[calls("a", {"x": "1"}), "Done.", "Again."])
    graph = mounted(ladder, model, [world.tool("a"), SEARCH], mount)
    with caplog.at_level(logging.WARNING):
        run(graph)
    assert world.ran == [("a", "1")]
    run(graph)
    assert [body["tools"] for body in written(ladder)] == [["web_search"]]
    assert sum("runs past every gate: web_search" in record.message for record in caplog.records) == 1
    run(mounted(ladder, ScriptedModel(answers=["Hello."]), [world.tool("a"), BROWSE], mount))
    assert [body["tools"] for body in written(ladder)] == [["web_search"], ["code_interpreter"]]


def test_once_in_the_ledger_for_all_processes(tmp_path):
    """Another process that meets the same set doesn't write it down again."""
    for _ in range(2):
        ladder = ladder_that("report", ledger=tmp_path / "ladder.db")
        mounted(ladder, ScriptedModel(answers=["Hello."]), [World().tool("a"), SEARCH], "wrap").invoke(GO)
        assert len(written(ladder)) == 1
        assert ladder.verify().ok
        ladder.close()


def test_agents_inside_are_looked_at_too():
    """A model that a tool's own agent asks is held to the same."""
    ladder = ladder_that("refuse")
    inner_model = ScriptedModel(answers=["found"])
    inner = create_agent(inner_model, [World().tool("a"), SEARCH])
    graph = mounted(ladder, ScriptedModel(answers=[calls("a", {"x": "1"}), "Done."]), [delegating(inner, "a")], "wrap")
    told = graph.invoke(GO)["messages"][-2].text
    assert "ProviderToolsRefused: a model of ops is given tools" in told
    assert inner_model.left == 1


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_real_client_sends_nothing(asynchronous):
    """OpenAI's client, with a search that its provider runs: no connection is even tried."""
    model = ChatOpenAI(model="gpt-5", api_key="sk", use_responses_api=True)
    graph = mounted(ladder_that("refuse"), model, [World().tool("a"), SEARCH], "wrap")
    with pytest.raises(ProviderToolsRefused, match="web_search"):
        asyncio.run(graph.ainvoke(GO)) if asynchronous else graph.invoke(GO)


@pytest.mark.parametrize(
    "more",
    [
        {"extra_body": {"web_search_options": {}}},
        {"extra_body": {"tools": [SEARCH]}},
        {"model_kwargs": {"plugins": [{"id": "web"}]}},
    ],
    ids=str,
)
def test_whatever_carries_them(more):
    """Tools in a parameter that carries others are found too; those in `extra_body` are sent in the others' place."""
    model = ChatOpenAI(model="gpt-5", api_key="sk", **more)
    with pytest.raises(ProviderToolsRefused, match="web"):
        mounted(ladder_that("refuse"), model, [World().tool("a")], "wrap").invoke(GO)


def test_other_models_are_left_alone():
    """A model with tools of its own only, and a model outside of the graph, are asked as ever."""
    ladder, world = ladder_that("refuse"), World()
    assert mounted(ladder, ScriptedModel(answers=["Hello."]), [world.tool("a")], "wrap").invoke(GO)
    assert ScriptedModel(answers=["Hello."]).bind_tools([SEARCH]).invoke("hi").text == "Hello."
    assert written(ladder) == []
