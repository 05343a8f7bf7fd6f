"""Who answers on a server: its authenticated user and nobody else, whatever a client writes into the run."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from langgraph.runtime import ServerInfo
from langgraph.types import Command

from ladder_graph.hosts import identity
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, World, agent_of, ladder_of, on, questions

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
        monkeypatch.setattr(identity, "_server", lambda: ServerInfo("agent", "g", who))
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
