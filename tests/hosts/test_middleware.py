"""The ladder as middleware of `create_agent`: the same ladder, without the nodes."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelFallbackMiddleware, ToolRetryMiddleware
from langchain_core.tools import StructuredTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from ladder_graph.errors import DefiniteFailure, MountError
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, on, questions, texts, told
from tests.hosts.test_failures import BOUNDED, YES, Curious, states
from tests.hosts.test_wrap_agent import Jumping


def gated(ladder, answers, tools, *others, **options):
    """An agent with the ladder as its outermost middleware."""
    return agent_of(answers, tools, middleware=ladder.middleware(*others), **options)


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_rungs(way):
    """Suggested, drafted, asked about, or run at once: each call by the rung of its tool, the sibling run only once."""
    world = World()
    names = ["suggest", "draft", "confirm", "bounded", "read"]
    rungs = {name: name for name in names[:3]} | {"bounded": BOUNDED, "read": READ}
    ladder = ladder_of(rungs)
    turn = says(*[tool_call(name, {"x": "1"}) for name in names])
    graph = gated(ladder, [turn, "Done."], [world.tool(name) for name in names])
    out = way.invoke(graph, GO, on())
    assert way.next(graph, on()) == ("tools",)
    assert sorted(world.ran) == [("bounded", "1"), ("read", "1")]
    (question,) = questions(out)
    assert question["question"] == ladder.pending()[0].id
    out = way.invoke(graph, Command(resume=YES), on())
    said = [text.split(":")[0] for _, text in told(out)]
    assert said == ["SUGGESTED, NOT RUN", "DRAFTED, NOT RUN", "confirm 1", "bounded 1", "read 1"]
    assert sorted(world.ran) == [("bounded", "1"), ("confirm", "1"), ("read", "1")]
    assert {action.tool: action.rung.word for action in ladder.actions()} == dict(
        zip(names, [*names[:4], "report"], strict=True)
    )
    assert ladder.verify().ok


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_garbage_and_elsewhere(way):
    """What can't be understood is asked again; an approval from elsewhere is found at the next resume."""
    world = World()
    ladder = ladder_of({"a": "confirm"})
    graph = gated(ladder, [calls("a", {"x": "1"}), "Done."], [world.tool("a")])
    way.invoke(graph, GO, on())
    for answer in ("yes", {"type": "approve"}, {"type": "approve", "by": "ana", "digest": "0"}):
        out = way.invoke(graph, Command(resume=answer), on())
        assert questions(out)[0]["complaint"]
    assert world.ran == []
    ladder.approve(ladder.pending()[0].id, by="ana")
    out = way.invoke(graph, None, on())
    assert told(out) == [("a", "a 1")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_three_questions(way):
    """Three questions of one turn, answered by id, each in its own way."""
    world = World()
    ladder = ladder_of({"a": "confirm"})
    turn = says(*[tool_call("a", {"x": str(n)}) for n in range(3)])
    graph = gated(ladder, [turn, "Done."], [world.tool("a")])
    out = way.invoke(graph, GO, on())
    ids = {i.value["action_requests"][0]["args"]["x"]: i.id for i in out["__interrupt__"]}
    way.invoke(graph, Command(resume={ids["2"]: YES}), on())
    no = {"type": "decline", "by": "ana", "reason": "no"}
    out = way.invoke(graph, Command(resume={ids["0"]: no, ids["1"]: YES}), on())
    assert [text.split(" ")[0] for _, text in told(out)] == ["DECLINED", "a", "a"]
    assert sorted(world.ran) == [("a", "1"), ("a", "2")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_retry_inside_asks_once(way):
    """ToolRetryMiddleware inside the gate tries again what certainly had no effect; the person is asked once."""
    failures = [DefiniteFailure("no"), DefiniteFailure("no")]

    def flaky(x):
        if failures:
            raise failures.pop()
        return f"at last {x}"

    world = World()
    ladder = ladder_of({"a": "confirm"})
    retry = ToolRetryMiddleware(max_retries=3, initial_delay=0.0, jitter=False)
    graph = gated(ladder, [calls("a", {"x": "1"}), "Done."], [world.tool("a", acts=flaky)], retry)
    way.invoke(graph, GO, on())
    out = way.invoke(graph, Command(resume=YES), on())
    assert told(out) == [("a", "at last 1")]
    assert len(world.ran) == 3
    assert [entry.kind for entry in ladder.log()].count("question") == 1


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_several_calls_in_one_task(way):
    """Where a jump hands several calls to one task, none of them runs, and the model is told to make one at a time."""
    world = World()
    ladder = ladder_of({"a": "confirm"})
    turn = says(tool_call("a", {"x": "1"}), tool_call("a", {"x": "2"}))
    graph = gated(ladder, [turn, calls("a", {"x": "3"}), "Done."], [world.tool("a")], Jumping())
    out = way.invoke(graph, GO, on())
    assert [text for _, text in told(out)] == [told(out)[0][1]] * 2
    assert told(out)[0][1].startswith("REFUSED: several calls came in one task")
    assert [question.call.arguments for question in ladder.pending()] == [{"x": "3"}]  # alone, it is asked about
    out = way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("a", "3")]


class Down(ScriptedModel):
    """A model whose provider is down."""

    def _generate(self, *args, **kwargs):
        raise ConnectionError("down")


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_the_model_that_really_answered(way):
    """Behind ModelFallbackMiddleware the fingerprint is that of the model that stood in, which starts lower."""
    world = World()
    ladder = ladder_of({"a": BOUNDED | {"rung": "bounded"}})
    usual = ScriptedModel(answers=[calls("a", {"x": "1"}), "Done."], model_name="usual")
    spare = ScriptedModel(answers=[calls("a", {"x": "2"}), "Done."], model_name="spare")
    saver = InMemorySaver()

    def agent(model):
        return create_agent(
            model, [world.tool("a")], middleware=ladder.middleware(ModelFallbackMiddleware(spare)), checkpointer=saver
        )

    way.invoke(agent(usual), GO, on("1"))
    assert world.ran == [("a", "1")]
    out = way.invoke(agent(Down(answers=[], model_name="usual")), GO, on("2"))
    assert world.ran == [("a", "1")]
    (question,) = ladder.pending()
    assert "the model changed from usual to spare" in question.reasons
    assert questions(out)[0]["question"] == question.id


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_the_checkpointer_is_found(way):
    """With a checkpointer a tool may ask; without one it stands below that, and says why."""
    for checkpointer, rung in ((InMemorySaver(), Rung.CONFIRM), (None, Rung.DRAFT)):
        ladder = ladder_of({"a": "confirm"})
        graph = gated(ladder, [calls("a", {"x": "1"}), "Done."], [World().tool("a")], checkpointer=checkpointer)
        out = way.invoke(graph, GO, on() if checkpointer else None)
        assert [action.rung for action in ladder.actions()] == [rung]
        assert bool(questions(out)) is (rung is Rung.CONFIRM)
        if checkpointer is None:
            assert "no question can wait for its answer" in told(out)[0][1]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_tool_that_asks_itself(way):
    """The answer to the ladder's question isn't handed to the tool's own, nor again when a run brings none."""
    curious = Curious()
    ladder = ladder_of({"curious": "confirm"})
    graph = gated(ladder, [calls("curious", {"x": "a"}), "Done."], [curious.tool])
    way.invoke(graph, GO, on())
    out = way.invoke(graph, Command(resume=YES), on())
    assert [i.value for i in out["__interrupt__"]] == ["a: first?"]
    assert states(ladder) == {"curious": State.PAUSED}
    out = way.invoke(graph, None, on())
    assert [i.value for i in out["__interrupt__"]] == ["a: first?"]
    way.invoke(graph, Command(resume="one"), on())
    way.invoke(graph, Command(resume="two"), on())
    assert curious.done == [["one", "two"]]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_bad_calls(way):
    """A call without an id, one that doesn't fit and one of a tool that isn't there are refused; nothing runs."""
    world = World()
    ladder = ladder_of({"a": "confirm", "b": "confirm"})
    turn = says(tool_call("a", {"x": "1"}, id=None), tool_call("a", {}), tool_call("b", {"x": "1"}))
    out = way.invoke(gated(ladder, [turn, "Done."], [world.tool("a")]), GO, on())
    said = [text for _, text in told(out)]
    assert said[0].startswith("REFUSED: the call of a has no id")
    assert said[1].startswith("Error invoking tool 'a' with kwargs {} with error:\n x: Field required")
    assert said[2] == "Error: b is not a valid tool, try one of [a]."
    assert world.ran == []
    assert ladder.pending() == []
    assert texts(out)[-1] == "Done."


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_tool_that_runs_an_agent(way):
    """A tool that runs an agent of its own, whose tools middleware can't see, is refused by name."""
    world = World()
    inner = create_agent(ScriptedModel(answers=[calls("a", {"x": "1"}), "Done."]), [world.tool("a")])

    @tool
    def ask(question: str) -> str:
        """Ask."""
        return inner.invoke({"messages": [("user", question)]})["messages"][-1].text

    graph = gated(ladder_of({"ask": READ}), [calls("ask", {"question": "Well?"}), "Done."], [ask])
    with pytest.raises(MountError, match="the tool ask runs an agent of its own"):
        way.invoke(graph, GO, on())
    assert world.ran == []


def test_accepting_a_draft_runs_the_tool():
    """A draft that was made under the middleware runs once, when a person accepts it."""
    ran = []

    async def act(x: str) -> str:
        """Act."""
        ran.append(x)
        return f"acted on {x}"

    ladder = ladder_of({"act": "draft"})
    graph = gated(ladder, [calls("act", {"x": "1"}), "Done."], [StructuredTool.from_function(coroutine=act)])
    WAYS[1].invoke(graph, GO, on())
    (draft,) = ladder.drafts()
    reply = ladder.accept(draft.action.short, by="ana")
    assert ran == ["1"]
    assert reply.state is State.DONE
