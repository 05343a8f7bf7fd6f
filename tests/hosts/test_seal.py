"""The seal: what runs is what was allowed, once; and what became of it is known, whatever stands in between."""

from __future__ import annotations

import contextvars
import inspect
import threading
from typing import Annotated, Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain.agents.middleware import ToolRetryMiddleware
from langchain_core.callbacks import Callbacks
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolArg, StructuredTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import InjectedState
from langgraph.types import Command
from pydantic import BaseModel, create_model

from ladder_graph.calls import Call
from ladder_graph.errors import DefiniteFailure, NotPermitted
from ladder_graph.hosts.middleware import LadderMiddleware
from ladder_graph.hosts.permit import BY_ITSELF, Permit
from ladder_graph.hosts.sealing import filled_in, sealed
from ladder_graph.states import State
from ladder_graph.testing import calls, says, tool_call
from ladder_graph.tools import probed_by
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, on, raw_graph, told
from tests.hosts.mounts import BOUNDED, INNER, YES, Between, answering, putting, rewriting

GIVE = calls("a", {"x": "1"})


def outcome(ladder):
    """The state of the only action."""
    (action,) = ladder.actions()
    return action.state


def raising(wrong):
    """What a tool does that fails."""

    def fail(x):
        raise wrong

    return fail


# --- what runs is what was allowed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_rewritten_arguments_are_refused(mount, way):
    """Middleware that changes an argument after the approval gets nothing run, and the model reads why."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    graph = mount(ladder, [GIVE, "Done."], [world.tool("a")], rewriting(x="999"))
    way.invoke(graph, GO, on())
    out = way.invoke(graph, Command(resume=YES), on())
    assert world.ran == []
    assert "a was about to run with other arguments than those that were allowed: x." in told(out)[0][1]
    assert outcome(ladder) is State.FAILED
    assert ladder.verify().ok


@pytest.mark.parametrize("more", [{"y": 1}, {"x": 1.5}, {"x": object()}])
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_added_and_odd_arguments_are_refused(mount, more):
    """An argument more, one of another type, or one that can't be compared is another call."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    out = mount(ladder, [GIVE, "Done."], [world.tool("a")], rewriting(**more)).invoke(GO, on())
    assert world.ran == []
    assert outcome(ladder) is State.FAILED
    assert told(out)[0][1].startswith("a failed and changed nothing: a was about to run with")


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_what_rewrites_before_the_gate_is_looked_at(way):
    """Middleware outside of the gate may rewrite: the person is shown what would run, and that runs."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    graph = agent_of([GIVE, "Done."], [world.tool("a")], middleware=[rewriting(x="2"), *ladder.middleware()])
    out = way.invoke(graph, GO, on())
    assert out["__interrupt__"][0].value["action_requests"][0]["args"] == {"x": "2"}
    way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("a", "2")]


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_another_tool_in_its_place_is_refused(mount):
    """Middleware that runs another tool than the approved one gets nothing run."""
    world, ladder = World(), ladder_of({"a": BOUNDED, "b": BOUNDED})
    swap = Between(lambda request: request.override(tool=world.tool("b")))
    out = mount(ladder, [GIVE, "Done."], [world.tool("a")], swap).invoke(GO, on())
    assert world.ran == []
    assert "a was allowed, and b was about to run in its place" in told(out)[0][1]


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_a_guarded_tool_in_its_place_stands_on_its_own_rung(mount):
    """A guarded tool that middleware puts in another's place is no part of what was allowed, and is gated by itself."""
    world, ladder = World(), ladder_of({"a": BOUNDED, "b": "suggest"})
    guarded = ladder.guard(world.tool("b"))
    swap = Between(lambda request: request.override(tool=guarded))
    out = mount(ladder, [GIVE, "Done."], [world.tool("a")], swap).invoke(GO, on())
    assert world.ran == []
    assert told(out)[0][1].startswith("SUGGESTED, NOT RUN: b was written down")
    assert [(action.tool, action.state) for action in ladder.actions()] == [("a", State.DONE), ("b", State.SUGGESTED)]


def test_a_refusal_that_the_tool_node_swallowed():
    """A ToolNode that answers every error doesn't put its own words in the place of the refusal."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    tools, options = [world.tool("a")], {"handle_tool_errors": True, "wrap_tool_call": rewriting(x="9").wrap_tool_call}
    graph = ladder.wrap(raw_graph([GIVE, "Done."], tools, **options), checkpointer=InMemorySaver())
    assert told(graph.invoke(GO, on()))[0][1].startswith("a failed and changed nothing: a was about to run with other")
    assert world.ran == []


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_an_equal_tool_in_its_place_is_sealed_too(mount, way):
    """Middleware may bring the tool itself, with another connection say; what it runs is held against the permit."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    swap = Between(lambda request: request.override(tool=world.tool("a", acts=lambda x: f"other {x}")))
    assert told(way.invoke(mount(ladder, [GIVE, "Done."], [world.tool("a")], swap), GO, on())) == [("a", "other 1")]
    assert world.ran == [("a", "1")]


@given(
    allowed=st.dictionaries(st.sampled_from("ab"), st.integers(0, 2) | st.booleans() | st.text(max_size=1)),
    running=st.dictionaries(st.sampled_from("ab"), st.integers(0, 2) | st.booleans() | st.text(max_size=1)),
)
def test_nothing_but_the_same_arguments_runs(allowed, running):
    """For any two sets of arguments, the one runs under a permit for the other only if they are the same JSON."""
    ran = []
    anything = StructuredTool.from_function(
        lambda **given: ran.append(given), name="f", description="f", args_schema={"type": "object", "properties": {}}
    )
    same = repr(sorted(allowed.items())) == repr(sorted(running.items()))
    with Permit(Call("a", "t", "1", "f", allowed)).held():
        try:
            sealed(anything).invoke({"name": "f", "args": running, "id": "1", "type": "tool_call"})
        except NotPermitted:
            assert not same
    assert bool(ran) is same


# --- once ------------------------------------------------------------------------------------------------------------


def retry():
    """LangChain's own, without its pauses."""
    return ToolRetryMiddleware(max_retries=2, initial_delay=0.0, jitter=False)


def fails_first(world, wrong, times=1):
    """A tool that has its effect and then fails, the first times it is called."""
    left = [wrong] * times

    def act(x):
        if left:
            raise left.pop()
        return f"a {x}"

    return world.tool("a", acts=act)


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_a_retry_inside_is_refused(mount, way):
    """A second run under one approval could be a second effect: the action is in doubt after the first."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    out = way.invoke(mount(ladder, [GIVE, "Done."], [fails_first(world, OSError("gone"))], retry()), GO, on())
    assert world.ran == [("a", "1")]
    assert told(out)[0][1].startswith("a was started and failed: OSError: gone. Nobody knows whether it took effect.")
    assert outcome(ladder) is State.UNKNOWN


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
@pytest.mark.parametrize("why", ["idempotent", "only reads", "nothing happened"])
def test_a_retry_inside_that_does_no_harm(mount, way, why):
    """A tool that is idempotent, that only reads, or that says that nothing happened may be tried again."""
    world, ladder = World(), ladder_of({"a": READ if why == "only reads" else BOUNDED})
    acting = fails_first(world, DefiniteFailure("no") if why == "nothing happened" else OSError("gone"))
    if why == "idempotent":
        probed_by(idempotent=True)(acting.func)
    out = way.invoke(mount(ladder, [GIVE, "Done."], [acting], retry()), GO, on())
    assert world.ran == [("a", "1"), ("a", "1")]
    assert told(out) == [("a", "a 1")]
    assert outcome(ladder) is State.DONE


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_two_at_once_under_one_permit(mount):
    """Middleware that starts the tool twice in parallel gets one run."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    started, go_on = threading.Event(), threading.Event()

    def slow(x):
        started.set()
        go_on.wait(5)
        return f"a {x}"

    class Hedging(Between):
        def wrap_tool_call(self, request, handler):
            results = []
            space = contextvars.copy_context()
            first = threading.Thread(target=lambda: space.run(lambda: results.append(handler(request))))
            first.start()
            started.wait(5)
            with pytest.raises(NotPermitted, match="it still runs"):
                handler(request)
            go_on.set()
            first.join()
            return results[0]

    out = mount(ladder, [GIVE, "Done."], [world.tool("a", acts=slow)], Hedging()).invoke(GO, on())
    assert world.ran == [("a", "1")]
    assert told(out) == [("a", "a 1")]


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_a_permit_is_void_when_the_call_is_over(mount):
    """What middleware left behind in another thread can't run the tool later."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    refused: list[BaseException] = []
    late: list[Any] = []

    class Leaving(Between):
        def wrap_tool_call(self, request, handler):
            late.append((contextvars.copy_context(), handler, request))
            return answering("later").before(request)

    mount(ladder, [GIVE, "Done."], [world.tool("a")], Leaving()).invoke(GO, on())
    ((space, handler, request),) = late
    with pytest.raises(NotPermitted, match="used up"):
        space.run(handler, request)
    assert world.ran == refused == []


# --- what became of it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_an_answer_in_the_tools_place_is_noted(mount, way):
    """Middleware that answers by itself, such as from a cache, is done; the ledger says that the tool was not run."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    out = way.invoke(mount(ladder, [GIVE, "Done."], [world.tool("a")], answering("from the cache")), GO, on())
    assert told(out) == [("a", "from the cache")]
    assert world.ran == []
    assert outcome(ladder) is State.DONE
    (said,) = [entry.body for entry in ladder.log() if entry.kind == "done"]
    assert (said["text"], said["untouched"]) == (BY_ITSELF, True)


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_what_something_in_between_answered_is_no_run(mount):
    """It uses up no limit, and says nothing for the agent."""
    ladder = ladder_of({"a": {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 1}]}})
    given = [tool_call("a", {"x": str(n)}) for n in range(3)]
    graph = mount(ladder, [*(says(one) for one in given), "Done."], [World().tool("a")], answering("from the cache"))
    assert "__interrupt__" not in graph.invoke(GO, on())
    lives = [ladder.life(action.key) for action in ladder.actions()]
    assert {one.counted.as_ for one in lives} == {"nothing"}
    assert {"Something in between answered; the tool was not run"} == {one.steps[-1].title for one in lives}
    assert ladder.verify().problems == ()


def _broken(request):
    raise RuntimeError("broken")


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
@pytest.mark.parametrize("between", [answering("no", status="error"), Between(_broken)], ids=["answers", "raises"])
def test_a_failure_before_the_tool_ran(mount, way, between):
    """Where the tool's own code was never entered, it is certain that nothing happened."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    way.invoke(mount(ladder, [GIVE, "Done."], [world.tool("a")], between), GO, on())
    assert world.ran == []
    assert outcome(ladder) is State.FAILED


def test_without_the_seal_nothing_is_taken_for_certain():
    """The gate alone doesn't know what other middleware runs in the tool's place; its failure stays in doubt."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    gate = LadderMiddleware(ladder)
    agent_of([GIVE, "Done."], [world.tool("a")], middleware=[gate, answering("no", status="error")]).invoke(GO, on())
    assert outcome(ladder) is State.UNKNOWN
    ladder = ladder_of({"a": BOUNDED})
    out = agent_of([GIVE, "Done."], [world.tool("a")], middleware=[LadderMiddleware(ladder), rewriting(x="9")]).invoke(
        GO, on()
    )
    assert world.ran == []
    assert "other arguments" in told(out)[0][1]


def test_arguments_that_cannot_be_injected():
    """A tool whose injected state isn't there fails before it runs, and the action is known to have had no effect."""
    ran = []

    @tool
    def a(x: str, name: Annotated[str, InjectedState("name")]) -> str:
        """Do a."""
        ran.append(x)
        return name

    ladder = ladder_of({"a": BOUNDED})
    out = ladder.wrap(agent_of([GIVE, "Done."], [a])).invoke(GO, on())
    assert told(out)[0][1].startswith("a failed and changed nothing: KeyError: 'name'.")
    assert (ran, outcome(ladder)) == ([], State.FAILED)


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize(
    ("wrong", "state"), [(DefiniteFailure("no such host"), State.FAILED), (OSError("gone"), State.UNKNOWN)]
)
def test_a_failure_that_the_tool_node_swallowed(way, wrong, state):
    """An error that the ToolNode turned into a message is still known for what it was."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    graph = raw_graph([GIVE, "Done."], [world.tool("a", acts=raising(wrong))], handle_tool_errors=True)
    out = way.invoke(ladder.wrap(graph, checkpointer=InMemorySaver()), GO, on())
    assert outcome(ladder) is state
    assert (str(wrong) in told(out)[0][1]) is True


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_a_failure_that_middleware_made_good(mount):
    """A failure that middleware covers up stays in doubt; one that did nothing has failed, and the stand-in stands."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    out = mount(ladder, [GIVE, "Done."], [world.tool("a", acts=raising(OSError("gone")))], putting("fine")).invoke(
        GO, on()
    )
    assert told(out)[0][1].startswith("a was started and failed: OSError: gone.")
    assert outcome(ladder) is State.UNKNOWN
    ladder = ladder_of({"a": BOUNDED})
    failing = world.tool("a", acts=raising(DefiniteFailure("no")))
    out = mount(ladder, [GIVE, "Done."], [failing], putting("fine")).invoke(GO, on())
    assert [text for _, text in told(out)] == ["fine"]
    assert outcome(ladder) is State.FAILED


@pytest.mark.parametrize("mount", INNER.values(), ids=INNER)
def test_a_failure_after_the_tool_answered(mount):
    """The tool answered and middleware fell over its answer: it may well have taken effect."""
    world, ladder = World(), ladder_of({"a": BOUNDED})

    def fall(result):
        raise RuntimeError("broken")

    mount(ladder, [GIVE, "Done."], [world.tool("a")], Between(after=fall)).invoke(GO, on())
    assert world.ran == [("a", "1")]
    assert outcome(ladder) is State.UNKNOWN


def test_an_async_only_tool_in_a_sync_run():
    """A tool that only runs async says so before anything happens, and that is known."""
    world, ladder = World(), ladder_of({"a": BOUNDED})
    only_async = StructuredTool.from_function(coroutine=world.tool("a").coroutine, name="a", description="a")
    out = ladder.wrap(agent_of([GIVE, "Done."], [only_async])).invoke(GO, on())
    assert (world.ran, outcome(ladder)) == ([], State.FAILED)
    assert "does not support sync" in told(out)[0][1]


# --- what LangChain reads of a sealed tool -------------------------------------------------------------------------


NUMBER = create_model("Number", n=(int, ...))


class Configured(BaseTool):
    """A tool that is told of the run."""

    name: str = "configured"
    description: str = "Tells of the run."
    args_schema: type[BaseModel] = NUMBER

    def _run(self, n: int, config: RunnableConfig, who: Annotated[str, InjectedToolArg] = "nobody") -> str:
        return f"{n} {who} {config['configurable']['thread_id']}"


class Unread(BaseTool):
    """A tool with an annotation that only type checkers know."""

    name: str = "unread"
    description: str = "Tells what it was given."
    args_schema: type[BaseModel] = NUMBER

    def _run(self, n: Nowhere) -> str:  # noqa: F821  # that is the point
        return f"got {n}"


@pytest.mark.parametrize("made", [Configured(), StructuredTool.from_function(lambda n: n, name="f", description="F.")])
def test_a_sealed_tool_looks_like_the_original(made):
    """Its annotations are resolved, once and for all, as nobody but LangChain would at each call."""
    new = sealed(made)
    assert get_type_hints(new._run, include_extras=True) == get_type_hints(made._run, include_extras=True)
    assert not any(isinstance(hint, str) for hint in new._run.__annotations__.values())
    had, has = (inspect.signature(one._run).parameters for one in (made, new))
    assert {name: (one.kind, one.default) for name, one in had.items()} == {
        name: (one.kind, one.default) for name, one in has.items()
    }
    assert new.get_input_schema().model_json_schema() == made.get_input_schema().model_json_schema()
    assert filled_in(new) == filled_in(made)


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize(("made", "said"), [(Configured(), "1 nobody 1"), (Unread(), "got 1")])
def test_what_a_class_of_tools_wants_it_gets(way, made, said):
    """The same as without the ladder, also where its annotations can't be read."""
    plain, under = (agent_of([calls(made.name, {"n": 1}), "Done."], [made]) for _ in range(2))
    for graph in (plain, ladder_of({made.name: READ}).wrap(under)):
        assert told(way.invoke(graph, GO, on("1"))) == [(made.name, said)]


def told_of_its_run(greeting, *, asynchronous=False):
    """A tool of a function that wants its config and its callbacks, and has a default and something enclosed."""

    def says(n: int, config: RunnableConfig, callbacks: Callbacks = None, *, mark: str = "!") -> str:
        """Tell of the run."""
        return f"{greeting} {n}{mark} {config['configurable']['thread_id']} {callbacks is not None}"

    async def asays(n: int, config: RunnableConfig, callbacks: Callbacks = None, *, mark: str = "?") -> str:
        """Tell of the run."""
        return says(n, config, callbacks, mark=mark)

    return StructuredTool.from_function(says, asays if asynchronous else None, name="says")


async def unread(n: Nowhere) -> str:  # noqa: F821  # that is the point
    """Tell what it was given."""
    return f"got {n}"


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("made", [told_of_its_run("Hello"), told_of_its_run("Hello", asynchronous=True)])
def test_what_a_tools_function_wants_it_gets(way, made):
    """The same as without the ladder, from a copy of the function that LangChain reads more quickly."""
    plain, under = (agent_of([calls("says", {"n": 1}), "Done."], [made]) for _ in range(2))
    found = [told(way.invoke(graph, GO, on("1"))) for graph in (plain, ladder_of({"says": READ}).wrap(under))]
    assert found[0] == found[1]
    assert found[0][0][1].startswith("Hello 1")


def test_a_function_is_read_once():
    """Its annotations are resolved in the copy; one that nobody can resolve stays as it is."""
    made = told_of_its_run("Hello", asynchronous=True)
    new = sealed(made)
    assert new.func is not made.func
    for had, has in ((made.func, new.func), (made.coroutine, new.coroutine)):
        assert has.__annotations__ == get_type_hints(had)
        assert inspect.signature(has).parameters.keys() == inspect.signature(had).parameters.keys()
        assert inspect.iscoroutinefunction(has) == inspect.iscoroutinefunction(had)
    odd = StructuredTool(name="unread", description="Tells.", args_schema=NUMBER, func=told, coroutine=unread)
    assert sealed(odd).coroutine is unread
