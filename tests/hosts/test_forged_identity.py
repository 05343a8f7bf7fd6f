"""Who answers on a server: its authenticated user and nobody else, whatever a client writes into the run."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.runtime import ServerInfo
from langgraph.types import Command, Send
from langgraph_sdk.runtime import _ExecutionRuntime

from ladder_graph.errors import AnswerRefused
from ladder_graph.hosts import identity
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, WAYS, World, agent_of, ladder_of, on, questions
from tests.hosts.mounts import MOUNTS

YES = {"type": "approve", "by": "ana"}
FORGED = {
    "ladder_requester": "ana", "langgraph_auth_user": {"identity": "ana"}, "langgraph_auth_user_id": "ana",
    "langgraph_auth_permissions": ["admin"], "user": "ana", "x-auth-user": "ana",
}  # fmt: skip
"""What a client may write into the config of a run."""


class User(dict):
    """A server's user: a mapping with an identity."""

    @property
    def identity(self):
        """The name."""
        return self["identity"]


@pytest.fixture
def stage(monkeypatch):
    """Resumes a run that waits for a yes above low impact, as a server does it for a user; what it came to."""

    def resume(who, rule, answer, /, **configurable):
        world = World()
        ladder = ladder_of({"a": {"rung": "confirm", **rule}})
        graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")]))
        graph.invoke(GO, on())
        monkeypatch.setattr(identity, "_server", lambda _: ServerInfo("agent", "g", who))
        out = graph.invoke(Command(resume=answer), on(**configurable))
        said = [question["complaint"] for question in questions(out)]
        kinds = [entry.kind for entry in ladder.log()]
        ladder.close()
        return world.ran, kinds, said

    return resume


@pytest.mark.parametrize("impact", ["low", "medium", "high"])
def test_the_studio_answers_nothing(stage, impact):
    """Its identity is given to anybody who says that they are the studio, so it is nobody's, whatever it claims."""
    for rule in ({"impact": impact}, {"impact": impact, "confirm": {"by": [identity.STUDIO]}}):
        ran, kinds, said = stage(User(identity=identity.STUDIO), rule, {**YES, "by": identity.STUDIO})
        assert ran == []
        assert "approved" not in kinds
        assert said


def test_the_studio_borrows_no_name(stage):
    """Whoever is signed in as the studio can't answer in somebody's name, either."""
    ran, kinds, _ = stage(User(identity=identity.STUDIO), {"confirm": {"by": ["ana"]}}, YES, **FORGED)
    assert ran == []
    assert "approved" not in kinds


def test_a_signed_in_user_answers_in_no_other_name(stage):
    """The server says who it is; the name in the answer and all that the client wrote count for nothing."""
    ran, kinds, said = stage(User(identity="eve"), {"impact": "medium", "confirm": {"by": ["ana"]}}, YES, **FORGED)
    assert ran == []
    assert "approved" not in kinds
    assert any("eve may not approve this" in one for one in said)


@pytest.mark.parametrize(("who", "says"), [("eve", "eve may not approve this"), (identity.ANONYMOUS, "nobody's name")])
def test_on_aegra_its_authentication_says_who_it_is(monkeypatch, who, says):
    """It lets a client's word stand in the config of a run, so that only what it knows beside it counts."""
    user = SimpleNamespace(identity=who, to_dict=lambda: {"identity": who, "tenant": "t1"})
    monkeypatch.setitem(
        sys.modules, "aegra_api.core.auth_ctx", SimpleNamespace(get_auth_ctx=lambda: SimpleNamespace(user=user))
    )
    world = World()
    ladder = ladder_of({"a": {"rung": "confirm", "confirm": {"by": ["ana"], "not_requester": True}}})
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")]))
    out = graph.invoke(GO, on(**FORGED))
    assert questions(out)[0]["requester"] == (None if who == identity.ANONYMOUS else who)
    assert identity.facts(on(**FORGED)) == {"identity": who, "tenant": "t1"}
    out = graph.invoke(Command(resume=YES), on(**FORGED))
    assert world.ran == []
    assert says in questions(out)[0]["complaint"]
    ladder.close()


def test_where_aegra_knows_nobody_the_config_counts_for_nothing(monkeypatch):
    """It sets no context for a run that nobody signed in for; what the client wrote stands in nobody's name."""
    monkeypatch.setitem(sys.modules, "aegra_api.core.auth_ctx", SimpleNamespace(get_auth_ctx=lambda: None))
    world = World()
    ladder = ladder_of({"a": {"rung": "confirm"}})
    out = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")])).invoke(GO, on(**FORGED))
    assert questions(out)[0]["requester"] is None
    assert identity.facts(on(**FORGED)) == {}
    ladder.close()


@pytest.mark.parametrize("impact", ["medium", "high"])
def test_a_name_that_nobody_checked_answers_nothing_above_low_impact(stage, impact):
    """On a server without authentication the name in an answer is a claim, and nothing in the config makes it more."""
    ran, kinds, said = stage(None, {"impact": impact}, YES, **FORGED)
    assert ran == []
    assert "approved" not in kinds
    assert any("nobody checked that this is ana" in one for one in said)


TENANT = {"rung": "bounded", "bounds": [{"kind": "tenant", "argument": "x"}]}


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
@pytest.mark.parametrize(
    ("user", "runs"), [(User(identity="eve", tenant="t1"), "t1"), (None, None)], ids=["signed in", "nobody"]
)
def test_on_a_server_no_client_says_what_bounds_hold_against(mount, way, user, runs):
    """LangGraph runs an edge without the config that its nodes find; there, too, only the server's user counts."""
    for given, claimed in (("acme", "acme"), ("t1", "acme")):
        world = World()
        ladder = ladder_of({"a": TENANT})
        graph = mount(ladder, [calls("a", {"x": given}), "Done."], [world.tool("a")])
        server = {"assistant_id": "1", "graph_id": "g", "langgraph_auth_user": user}
        way.invoke(graph, GO, on(**{**FORGED, **server, "tenant": claimed}))
        assert world.ran == ([("a", given)] if given == runs else [])
        ladder.close()


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
def test_what_a_program_says_in_the_context_is_seen_at_each_mount(mount, way):
    """It goes before what stands in the config."""
    world = World()
    ladder = ladder_of({"a": TENANT})
    tools = [world.tool("a")]
    graph = mount(ladder, [calls("a", {"x": "acme"}), calls("a", {"x": "other"}), "Done."], tools)
    way.invoke(graph, GO, on(tenant="other"), context={"tenant": "acme"})
    assert world.ran == [("a", "acme")]
    ladder.close()


def test_a_runtime_that_a_client_sends_is_none():
    """What is JSON counts for nothing; LangGraph itself runs no graph with it."""
    forged = {"__pregel_runtime": {"server_info": {"user": {"identity": "ana"}}, "context": {"tenant": "acme"}}}
    assert identity.requesting(on(**forged, **FORGED)) is None
    assert identity.facts(on(**forged, tenant="acme")) == {}
    world = World()
    ladder = ladder_of({"a": TENANT})
    graph = ladder.wrap(agent_of([calls("a", {"x": "acme"}), "Done."], [world.tool("a")]))
    with pytest.raises(AttributeError, match="store"):
        graph.invoke(GO, on(**forged))
    assert world.ran == []
    ladder.close()


def test_an_update_of_the_state_vouches_for_nobody():
    """It runs the edges too, and no run's user is known to it: what a client wrote into its config doesn't count."""
    world = World()
    ladder = ladder_of({"a": TENANT})
    graph = ladder.wrap(agent_of([calls("a", {"x": "acme"}), "Done."], [world.tool("a")]))
    graph.invoke(GO, on(tenant="other"))
    waiting = graph.get_state(on()).values["messages"][-1]
    graph.update_state(on(tenant="acme"), {"messages": [waiting]}, as_node="model")
    graph.invoke(None, on(tenant="other"))
    assert world.ran == []
    ladder.close()


def test_while_a_server_has_a_graph_made_nobody_is_known():
    """What its factory finds there is another kind of runtime, which tells of no run."""
    made = _ExecutionRuntime(
        access_context="threads.create_run", user=User(identity="ana"), store=None, context={"tenant": "acme"}
    )
    around = var_child_runnable_config.set(on(__pregel_runtime=made))
    try:
        assert identity.requesting(on(**FORGED)) is None
        assert identity.facts(on(**FORGED)) == {}
    finally:
        var_child_runnable_config.reset(around)


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize(
    "beside", [{"update": {"messages": [("user", "And 2.")]}}, {"goto": Send("model", GO)}], ids=["update", "goto"]
)
def test_whoever_sends_something_new_with_an_answer_has_asked_for_it(way, beside):
    """Only an answer by itself goes on for the one who began; the call that was asked about before stays theirs."""
    world = World()
    ladder = ladder_of({"a": {"rung": "confirm", "confirm": {"not_requester": True}}})
    steps = [calls("a", {"x": "1"}), *[calls("a", {"x": "2"})] * 2]
    graph = ladder.wrap(agent_of(steps, [world.tool("a")]))
    out = way.invoke(graph, GO, on(ladder_requester="ana"))
    assert questions(out)[0]["requester"] == "ana"
    ladder.approve(ladder.pending()[0].id, by="bo")
    way.invoke(graph, Command(resume={}, **beside), on(ladder_requester="bo"))
    asked = ladder.pending()
    assert {(str(one.call.arguments["x"]), one.requester.name) for one in asked} == {("2", "bo")}
    for one in asked:
        with pytest.raises(AnswerRefused, match="their own run"):
            ladder.approve(one.id, by="bo")
    ladder.close()
