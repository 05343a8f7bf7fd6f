"""Other answers than yes and no, through the graph: other arguments, a text instead, several people, never mind."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from ladder_graph import AnswerRefused, Declaration
from ladder_graph.facts import Person
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.testing import ScriptedModel, calls
from tests.hosts.graphs import GO, WAYS, World, agent_of, ladder_of, on, questions, texts, told

CONFIRM = {"rung": "confirm"}
BO = Person("bo", "server")


def wrapped(ladder, tools, answers):
    """A graph under the ladder by `wrap`."""
    return ladder.wrap(agent_of(answers, tools))


def with_middleware(ladder, tools, answers):
    """A graph under the ladder by middleware."""
    return agent_of(answers, tools, middleware=ladder.middleware())


def with_guards(ladder, tools, answers):
    """A graph of guarded tools."""
    return agent_of(answers, [ladder.guard(one) for one in tools])


MOUNTS = [wrapped, with_middleware, with_guards]


def asked(way, rule=CONFIRM, mount=wrapped, args=None, **options):
    """A graph that waits for an answer about one call."""
    world = World()
    ladder = ladder_of({"a": rule}, **options)
    graph = mount(ladder, [world.tool("a")], [calls("a", args or {"x": "1"}), "Done."])
    out = way.invoke(graph, GO, on())
    assert len(questions(out)) == 1
    return world, ladder, graph


def edit(args, name="a", **more):
    """An edit in LangChain's form."""
    return {"type": "edit", "by": "ana", "edited_action": {"name": name, "args": args}, **more}


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize(
    "answer",
    [
        edit({"x": "2"}),
        {"decisions": [edit({"x": "2"})]},
        [{"type": "edit", "by": "ana", "args": {"action": "a", "args": {"x": "2"}}}],
    ],
    ids=["ladder", "langchain", "agent inbox"],
)
def test_an_edit_runs_the_new_arguments_once(way, mount, answer):
    """The edited call runs in place of the model's, whose id its answer bears; the model is told so."""
    world, ladder, graph = asked(way, mount=mount)
    out = way.invoke(graph, Command(resume=answer), on())
    assert world.ran == [("a", "2")]
    ((name, text),) = told(out)
    assert name == "a"
    assert text.startswith('EDITED by ana: a was called with these arguments instead of yours: {"x": "2"}')
    assert text.endswith("\n\na 2")
    (proposed,) = [m for m in out["messages"] if isinstance(m, AIMessage) and m.tool_calls]
    assert proposed.tool_calls[0]["args"] == {"x": "1"}
    assert out["messages"][-2].tool_call_id == proposed.tool_calls[0]["id"]
    assert texts(out)[-1] == "Done."
    assert [action.state for action in ladder.actions()] == [State.EDITED, State.DONE]
    assert ladder.verify().ok


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_an_edit_must_fit_the_tool(way):
    """Arguments that the tool doesn't have, or of another type, or another tool, are refused and asked again."""
    world, ladder, graph = asked(way)
    for args, complaint in (
        ({"y": "2"}, "a has no argument y; it has x"),
        ({"x": "2", "y": "2"}, "a has no argument y; it has x"),
        ({}, "Field required"),
        ({"x": {"deep": 1}}, "valid string"),
    ):
        out = way.invoke(graph, Command(resume=edit(args)), on())
        assert complaint in questions(out)[0]["complaint"]
    out = way.invoke(graph, Command(resume=edit({"x": "2"}, name="b")), on())
    assert "is for b, and a is asked about" in questions(out)[0]["complaint"]
    assert world.ran == []
    assert ladder.actions()[0].state is State.ASKED


def test_an_edit_is_typed_by_the_schema():
    """What a form sent as text runs, and stands on record, as the type that the tool says."""
    ran = []

    @tool
    def pay(amount: int, memo: str = "", express: bool = False) -> str:  # a tool's arguments
        """Pay."""
        ran.append((amount, memo, express))
        return "paid"

    ladder = ladder_of({"pay": "confirm"})
    graph = ladder.wrap(agent_of([calls("pay", {"amount": 3}), "Done."], [pay]))
    graph.invoke(GO, on())
    graph.invoke(Command(resume=edit({"amount": "4", "memo": "5", "express": "true"}, "pay")), on())
    assert ran == [(4, "5", True)]
    assert ladder.actions()[-1].arguments == {"amount": 4, "memo": "5", "express": True}


def test_an_edit_that_changes_nothing_is_a_yes():
    """The same arguments are the same action."""
    way = WAYS[0]
    world, ladder, graph = asked(way)
    way.invoke(graph, Command(resume=edit({"x": "1"})), on())
    assert world.ran == [("a", "1")]
    assert [action.state for action in ladder.actions()] == [State.DONE]


def test_an_edit_never_runs_above_a_question_and_falls_with_the_tool():
    """Between edit and run the tool is demoted: the edited call is only suggested, and the model is told."""
    way = WAYS[0]
    world, ladder, graph = asked(way)
    ladder.edit(ladder.pending()[0].id, {"x": "2"}, by="ana")
    ladder.demote("a", Rung.SUGGEST, reason="it went wrong")
    out = way.invoke(graph, None, on())
    assert world.ran == []
    assert told(out)[0][1].startswith("EDITED by ana")
    assert [action.state for action in ladder.actions()] == [State.EDITED, State.SUGGESTED]


def test_what_must_be_typed_is_typed_for_the_new_arguments():
    """The value of the first arguments doesn't approve the edited ones."""
    way = WAYS[0]
    world, _, graph = asked(way, {**CONFIRM, "confirm": {"type": "x"}})
    out = way.invoke(graph, Command(resume=edit({"x": "2"}, typed="1")), on())
    assert questions(out)[0]["complaint"] == "to approve, type the x exactly: 2"
    way.invoke(graph, Command(resume=edit({"x": "2"}, typed="2")), on())
    assert world.ran == [("a", "2")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_what_a_rule_does_not_allow_is_asked_again(way):
    """A call that may only be approved or declined is neither edited nor answered with a text."""
    world, _, graph = asked(way, {**CONFIRM, "confirm": {"decisions": ["approve", "decline"]}})
    for answer in (edit({"x": "2"}), {"type": "respond", "by": "ana", "message": "no need"}):
        out = way.invoke(graph, Command(resume=answer), on())
        assert "is not allowed here, only approve or decline" in questions(out)[0]["complaint"]
        assert out["__interrupt__"][0].value["review_configs"][0]["allowed_decisions"] == ["approve", "reject"]
    assert world.ran == []


def test_an_edit_by_somebody_else_than_may():
    """An edit needs the same right as an approval."""
    way = WAYS[0]
    world, ladder, graph = asked(way, {**CONFIRM, "confirm": {"by": ["ben"]}})
    out = way.invoke(graph, Command(resume=edit({"x": "2"})), on())
    assert "ana may not approve this; ben may" in questions(out)[0]["complaint"]
    with pytest.raises(AnswerRefused, match="ana may not"):
        ladder.edit(ladder.pending()[0].id, {"x": "2"}, by="ana")
    assert world.ran == []


def test_back_and_forth_is_no_loop():
    """Arguments that were asked about before under the same call can't be put in again."""
    way = WAYS[0]
    world, ladder, graph = asked(way, {**CONFIRM, "confirm": {"quorum": 2}})
    first = ladder.pending()[0]
    ladder.edit(first.id, {"x": "2"}, by="ana")
    with pytest.raises(AnswerRefused, match="asked about before"):
        ladder.edit(ladder.pending()[0].id, {"x": "1"}, by="bo")
    ladder.edit(ladder.pending()[0].id, {"x": "3"}, by="bo")
    ladder.approve(ladder.pending()[0].id, by="ana")
    out = way.invoke(graph, None, on())
    assert world.ran == [("a", "3")]
    assert told(out)[0][1].startswith("EDITED by bo")


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize(
    "answer",
    [
        {"type": "respond", "by": "ana", "message": "It is blue."},
        {"decisions": [{"type": "respond", "by": "ana", "message": "It is blue."}]},
        [{"type": "response", "by": "ana", "args": "It is blue."}],
    ],
    ids=["ladder", "langchain", "agent inbox"],
)
def test_a_text_in_the_tools_place(way, mount, answer):
    """Nothing runs; the model reads what the person said, as an answer and not as an error."""
    world, ladder, graph = asked(way, mount=mount)
    out = way.invoke(graph, Command(resume=answer), on())
    assert world.ran == []
    assert told(out) == [("a", "ANSWERED by ana, and a did not run: It is blue.")]
    assert out["messages"][-2].status == "success"
    assert ladder.actions()[0].state is State.RESPONDED


def test_a_text_given_elsewhere():
    """A response at the desk reaches the model when the thread goes on."""
    way = WAYS[0]
    world, ladder, graph = asked(way)
    with pytest.raises(AnswerRefused, match="a text"):
        ladder.respond(ladder.pending()[0].id, " ", by="ana")
    ladder.respond(ladder.pending()[0].id, "It is blue.", by="ana")
    assert told(way.invoke(graph, None, on()))[0][1].endswith("It is blue.")
    assert world.ran == []


# --- several people --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_two_people_one_at_the_desk_and_one_in_band(way, monkeypatch):
    """Each approval shows in the next question, one person's second one is refused, and the last one lets it run."""
    world, ladder, graph = asked(way, {**CONFIRM, "confirm": {"quorum": 2}})
    out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on())
    assert "2 different people must approve" in questions(out)[0]["complaint"]
    monkeypatch.setattr("ladder_graph.hosts.toolhost.answering", lambda answer, _: Person(answer.by, "server"))
    out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana"}), on())
    (again,) = questions(out)
    assert (again["approved_by"], again["quorum"], again["complaint"]) == (["ana"], 2, "")
    assert "so far: ana." in out["__interrupt__"][0].value["description"]
    out = way.invoke(graph, Command(resume={"type": "approve", "by": "ana", "reason": "again"}), on())
    assert questions(out)[0]["complaint"] == "ana has approved already; 1 more person must"
    assert world.ran == []
    ladder.approve(again["question"], by="bo")
    way.invoke(graph, None, on())
    assert world.ran == [("a", "1")]


def test_a_role_is_whoever_has_it():
    """A rule may name a role; those who have it may approve, others may not."""
    way = WAYS[0]
    rule = {**CONFIRM, "confirm": {"by": ["cy", "role:finance"]}}
    world, ladder, graph = asked(way, rule, people={"ana": {"roles": ["finance"]}, "ben": {"roles": ["ops"]}})
    (question,) = ladder.pending()
    with pytest.raises(AnswerRefused, match="ben may not approve this; cy or role:finance may"):
        ladder.approve(question.id, by="ben")
    ladder.approve(question.id, by="ana")
    way.invoke(graph, None, on())
    assert world.ran == [("a", "1")]


def test_whoever_asked_may_not_approve():
    """The one for whom the embedding program ran the agent is refused; somebody else's yes counts."""
    world = World()
    ladder = ladder_of({"a": {**CONFIRM, "confirm": {"not_requester": True}}})
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")]))
    out = graph.invoke(GO, on(ladder_requester="ana"))
    assert questions(out)[0]["requester"] == "ana"
    (question,) = ladder.pending()
    with pytest.raises(AnswerRefused, match="ana may not approve this: their own run proposed it"):
        ladder.approve(question.id, by="ana")
    with pytest.raises(AnswerRefused, match="their own run"):
        ladder.approve(question.id, by="ANA")
    out = graph.invoke(Command(resume={"type": "approve", "by": "bo"}), on(ladder_requester="bo"))
    assert "nobody checked that this is bo" in questions(out)[0]["complaint"]
    ladder.approve(question.id, by="bo")
    graph.invoke(None, on(ladder_requester="bo"))
    assert world.ran == [("a", "1")]


def test_what_comes_after_an_answer_is_still_the_askers():
    """Who resumes a run that goes on to propose more hasn't asked for it; with new words of theirs they have."""
    world = World()
    ladder = ladder_of({"a": {**CONFIRM, "confirm": {"not_requester": True}}})
    steps = [calls("a", {"x": "1"}), calls("a", {"x": "2"}), "Done.", calls("a", {"x": "3"})]
    graph = ladder.wrap(agent_of(steps, [world.tool("a")]))
    out = graph.invoke(GO, on(ladder_requester="ana"))
    for way in (Command(resume={}), None):
        assert questions(out)[0]["requester"] == "ana"
        ladder.approve(ladder.pending()[0].id, by="bo")
        out = graph.invoke(way, on(ladder_requester="bo"))
    assert world.ran == [("a", "1"), ("a", "2")]
    assert ladder.requester("1").name == "ana"
    out = graph.invoke(GO, on(ladder_requester="bo"))
    assert questions(out)[0]["requester"] == "bo"
    assert ladder.requester("2") is None


def test_an_unknown_requester_fails_closed():
    """Where nobody knows whose run it was, nobody can be told from them: nobody approves, and the words say how."""
    world, ladder, graph = asked(WAYS[0], {**CONFIRM, "confirm": {"not_requester": True}})
    (question,) = ladder.pending()
    with pytest.raises(AnswerRefused, match=r'config\["configurable"\]\["ladder_requester"\]'):
        ladder.approve(question.id, by="bo")
    ladder.decline(question.id, by="bo", reason="unknown")
    graph.invoke(None, on())
    assert world.ran == []


def test_on_a_server_the_config_vouches_for_nobody(monkeypatch):
    """What a client writes into its config is no authenticated user; only the server's own is."""
    from types import SimpleNamespace

    from ladder_graph.hosts import identity

    config = on(ladder_requester="mallory")
    assert identity.requesting(config) == Person("mallory", "code")
    monkeypatch.setattr(identity, "_server", lambda _: SimpleNamespace(user=None))
    assert identity.requesting(config) is None
    monkeypatch.setattr(identity, "_server", lambda _: SimpleNamespace(user=SimpleNamespace(identity=identity.STUDIO)))
    assert identity.requesting(config) is None
    monkeypatch.setattr(identity, "_server", lambda _: SimpleNamespace(user=SimpleNamespace(identity="ana")))
    assert identity.requesting(config) == Person("ana", "server")


# --- never mind ------------------------------------------------------------------------------------------------


def test_an_approval_is_taken_back_before_the_run():
    """Nothing runs, and the model reads who took it back and why."""
    way = WAYS[0]
    world, ladder, graph = asked(way)
    (question,) = ladder.pending()
    with pytest.raises(AnswerRefused, match="no approval by ana"):
        ladder.revoke(question.id, by="ana", reason="wait")
    ladder.approve(question.id, by="ana")
    ladder.revoke(question.id[:8], by="ana", reason="wait")
    with pytest.raises(AnswerRefused, match="no approval to take back: ana has answered decline"):
        ladder.revoke(question.id, by="ana", reason="wait")
    out = way.invoke(graph, None, on())
    assert told(out)[0][1].startswith("DECLINED by ana: wait.")
    assert world.ran == []


def test_who_may_not_approve_may_not_take_back():
    """An approval is taken back by who gave it, or by who might have."""
    _, ladder, _ = asked(WAYS[0], {**CONFIRM, "confirm": {"by": ["ana", "bo"]}})
    (question,) = ladder.pending()
    ladder.approve(question.id, by="ana")
    with pytest.raises(AnswerRefused, match="cy may not"):
        ladder.revoke(question.id, by="cy", reason="no")
    assert ladder.revoke(question.id, by="bo", reason="no").decision.by.name == "bo"


def test_what_has_run_cannot_be_taken_back():
    """Once it was used, an approval is used."""
    _, ladder, graph = asked(WAYS[0])
    (question,) = ladder.pending()
    ladder.approve(question.id, by="ana")
    graph.invoke(None, on())
    with pytest.raises(AnswerRefused, match="answered and used"):
        ladder.revoke(question.id, by="ana", reason="late")


# --- another tool ----------------------------------------------------------------------------------------------


def make(code, saver, ladder, ran):
    """An agent with a tool of this code, on a thread that it shares with its other versions."""
    space = {"ran": ran, "tool": tool}
    exec(compile(code, "<agent>", "exec"), space)  # noqa: S102  # another release of the same tool
    model = ScriptedModel(answers=[calls("a", {"x": "1"}, id="c1"), "Done."] if not ran else ["Done."])
    return ladder.wrap(create_agent(model, [space["a"]], checkpointer=saver))


@pytest.mark.parametrize("change", ["schema", "declared version", "undo", "elsewhere"])
def test_an_approval_is_for_one_version_of_the_tool(tmp_path, change):
    """Between ask and run the tool or its undo becomes another one: the approval is void, and it is asked anew."""
    saver, ran = InMemorySaver(), []
    code = '@tool\ndef a(x: str) -> str:\n    "Does a."\n    ran.append(x)\n    return x\n'
    policy = {"a": "confirm", "b": "suggest"}
    with_ledger = {"ledger": str(tmp_path / "ladder.db")}
    ladder = ladder_of(policy, **with_ledger)
    make(code, saver, ladder, ran).invoke(GO, on())
    ladder.approve(ladder.pending()[0].id, by="ana")
    ladder.close()
    ladder = ladder_of({**policy, "b": "draft"} if change == "elsewhere" else policy, **with_ledger)
    if change == "declared version":
        ladder.declare("a", Declaration(version="2"))
    if change == "undo":
        ladder.declare("a", Declaration(prepare=dict, undo=print))
    graph = make(code.replace("x: str)", "x: str, y: int = 0)") if change == "schema" else code, saver, ladder, [0])
    out = graph.invoke(None, on())
    assert len(questions(out)) == (0 if change == "elsewhere" else 1)
    ladder.close()
