"""Spans: one a turn, one a run, linked across a question, alike sync and async, and with nothing in them to regret."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest
from langgraph.types import Command
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from ladder_graph.errors import DefiniteFailure, LadderError
from ladder_graph.otel import instrument, shapes
from ladder_graph.testing import calls
from ladder_graph.tools import Declaration
from tests.hosts.graphs import GO, WAYS, World, agent_of, ladder_of, on
from tests.hosts.test_parity import BOUNDED, SCENARIOS, SICK
from tests.programs import Program
from tests.telemetry.telling import Told

YES = {"type": "approve", "by": "ana"}
SECRET = "hunter2-the-secret"  # noqa: S105  # it is to be looked for


def ran(rule, way, *, script=None, acts=None, answers=(), wrapped=True, told=None, thread="1", **options):
    """What was told of one agent with a tool `a`."""
    told, world = told or Told(), World()
    ladder = told.of(ladder_of({"a": rule}), **options)
    ladder.declare("a", Declaration(prepare=lambda args: 1, undo=lambda state: None))
    script, tools = script or [calls("a", {"x": "1"}), "Done."], [world.tool("a", acts=acts)]
    graph = ladder.wrap(agent_of(script, tools)) if wrapped else agent_of(script, tools, middleware=ladder.middleware())
    way.invoke(graph, GO, on(thread))
    for answer in answers:
        way.invoke(graph, Command(resume=answer), on(thread))
    return told


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_turn_and_inside_it_a_run(way):
    """A call that runs is a turn at the gate with an `execute_tool` span inside, by the conventions' own names."""
    told = ran(BOUNDED, way)
    turn, run = told.spans
    assert (turn.name, run.name) == ("ladder a", "execute_tool a")
    assert run.parent.span_id == turn.context.span_id
    assert {name: run.attributes[name] for name in run.attributes if name.startswith("gen_ai.")} == {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.type": "function", "gen_ai.tool.name": "a",
        "gen_ai.agent.name": "ops", "gen_ai.tool.call.id": turn.attributes["gen_ai.tool.call.id"],
    }  # fmt: skip
    assert (turn.attributes["ladder.rung"], turn.attributes["ladder.state"]) == ("bounded", "done")
    assert len(turn.attributes["ladder.digest"]) == len(turn.attributes["ladder.action"]) == 64
    assert turn.attributes["ladder.decision.seconds"] >= 0
    assert [event.name for event in turn.events] == ["ladder.started"]
    assert turn.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_what_the_tool_does_is_inside_its_run(way):
    """A span that the tool itself makes has the run for its parent, and nothing is left behind afterwards."""
    told = Told()

    def acts(x):
        with told.tracers.get_tracer("mine").start_as_current_span("query"):
            return x

    ran(BOUNDED, way, acts=acts, told=told)
    (run,), (query,) = told.named("execute_tool a"), told.named("query")
    assert query.parent.span_id == run.context.span_id
    assert not trace.get_current_span().get_span_context().is_valid


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_no_span_is_open_while_a_person_is_asked(way):
    """The turn that asks has ended by then; the one that goes on is another one, with a link to it."""
    told = ran("confirm", way)
    (asked,) = told.spans
    assert (asked.attributes["ladder.state"], asked.status.status_code) == ("asked", StatusCode.UNSET)
    assert [event.name for event in asked.events] == ["ladder.asked"]
    told = ran("confirm", way, answers=["?", YES])
    asked, again, went_on, run = told.spans
    assert [span.attributes["ladder.state"] for span in (asked, again, went_on, run)] == [
        "asked", "asked", "done", "done",
    ]  # fmt: skip
    for one in (again, went_on):
        assert [link.context.span_id for link in one.links] == [asked.context.span_id]
        assert [link.context.trace_id for link in one.links] == [asked.context.trace_id]
    assert [event.name for event in went_on.events] == ["ladder.started", "ladder.answered"]
    assert went_on.events[1].attributes["ladder.verdict"] == "approve"
    assert asked.end_time <= again.start_time


def test_the_link_leads_from_one_process_to_another(tmp_path):
    """A thread that another process goes on with has a link to the span of the process that asked."""

    def step(name):
        return json.loads(
            Program([__file__.replace("test_spans", "worker"), tmp_path, name], tmp_path).said().splitlines()[-1]
        )

    (asked,), (went_on, run) = step("ask"), step("answer")
    assert (asked["state"], went_on["state"], run["name"]) == ("asked", "done", "execute_tool send")
    assert went_on["links"] == [asked["span"]]
    assert went_on["pid"] != asked["pid"]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_four_times_the_same(scenario):
    """Sync and async, as nodes and as middleware: the same spans with the same attributes, events and links."""
    rule, script, acts, answers = SCENARIOS[scenario]

    def account(way, *, wrapped):
        told = ran(rule, way, script=script, acts=acts, answers=answers, wrapped=wrapped)
        varies = {"gen_ai.tool.call.id", "ladder.action", "ladder.decision.seconds"}
        return sorted(
            (span.name, sorted((k, str(v)) for k, v in span.attributes.items() if k not in varies),
             [event.name for event in span.events], len(span.links), span.status.status_code.name)
            for span in told.spans
        )  # fmt: skip

    first, *others = [account(way, wrapped=wrapped) for wrapped in (True, False) for way in WAYS]
    for other in others:
        assert other == first


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_what_went_wrong_is_an_error(way):
    """A failure, a doubt and an undo say so in their status and `error.type`, and in no words of the tool's."""
    for error, state in ((DefiniteFailure(SECRET), "failed"), (ValueError(SECRET), "unknown")):

        def fails(x, error=error):
            raise error

        turn, run = ran(BOUNDED, way, acts=fails).spans
        for span in (turn, run):
            assert (span.status.status_code, span.attributes["error.type"]) == (StatusCode.ERROR, state)
            assert span.status.description is None
            assert not any(event.name == "exception" for event in span.events)
    told = ran({**BOUNDED, "rung": "rollback", "checks": SICK}, way)
    (undo,) = told.named("undo a")
    assert (undo.attributes["ladder.state"], undo.status.status_code) == ("undone", StatusCode.UNSET)


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_no_secret_leaves(way, caplog):
    """What stands in arguments, results, errors, reasons, answers and threads is in no span, figure or log."""
    caplog.set_level(logging.DEBUG)

    def fails(x):
        raise ValueError(x)

    told = Told()
    given = calls("a", {"x": SECRET})
    no = {"type": "decline", "by": "ana-of-accounts", "reason": SECRET}
    options = {"script": [given, "Done."], "told": told, "thread": f"thread-{SECRET}"}
    ran(BOUNDED, way, **options)
    ran(BOUNDED, way, acts=fails, **options)
    ran("confirm", way, answers=[{"type": SECRET}, no], **options)
    ran("draft", way, **options)
    assert len(told.spans) >= 7
    assert told.figures["ladder.calls"]
    for secret in (SECRET, "ana-of-accounts"):
        assert secret not in told.all
        assert not [one for one in caplog.records if one.name == "ladder_graph" and secret in one.getMessage()]


def test_arguments_and_threads_leave_where_that_is_asked_for():
    """The switch is a function, which says what may be shown; threads have a switch of their own."""
    script = [calls("a", {"x": SECRET}), "Done."]
    (_, run) = ran(BOUNDED, WAYS[0], script=script, arguments=shapes, threads=True).spans
    assert run.attributes["gen_ai.tool.call.arguments"] == '{"x": "str (18)"}'
    assert run.attributes["gen_ai.conversation.id"] == "1"
    (_, run) = ran(BOUNDED, WAYS[0], script=script, arguments=lambda call: call.arguments).spans
    assert json.loads(run.attributes["gen_ai.tool.call.arguments"]) == {"x": SECRET}


def test_arguments_that_cannot_be_told_cost_a_span_nothing_else():
    """The function may be wrong; what it can't say is not there, and nothing of its error is."""
    script = [calls("a", {"x": SECRET}), "Done."]
    told = ran(BOUNDED, WAYS[0], script=script, arguments=lambda call: {"x": call.arguments["missing"]})
    (turn, run) = told.spans
    assert (run.name, run.parent.span_id) == ("execute_tool a", turn.context.span_id)
    assert run.attributes["gen_ai.tool.call.arguments"] == "KeyError: they can't be told"
    assert SECRET not in told.all


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_an_answer_past_the_graph_is_linked_to_where_it_was_asked(way):
    """A no and an edit as well as a yes: the turn that goes on tells of it, and on which rung that was."""
    told = Told()
    ladder = told.of(ladder_of({"a": "confirm"}))
    answers = {
        "decline": lambda asked: ladder.decline(asked, by="ana", reason="no"),
        "edit": lambda asked: ladder.edit(asked, {"x": "2"}, by="ana"),
    }
    for verdict, answer in answers.items():
        graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [World().tool("a")]))
        way.invoke(graph, GO, on(verdict))
        answer(ladder.pending()[0].id)
        way.invoke(graph, None, on(verdict))
        asking, going_on = told.named("ladder a")[-2:]
        (event,) = [event for event in going_on.events if event.name == "ladder.answered"]
        assert event.attributes["ladder.verdict"] == verdict
        assert going_on.attributes["ladder.rung"] == "confirm"
        assert [link.context.span_id for link in going_on.links] == [asking.context.span_id]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_span_that_is_not_sampled_costs_no_more(way):
    """Where nothing is recorded nobody looks on, no question is kept with a span, and figures are told all the same."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    told = Told()
    told.tracers = TracerProvider(sampler=ALWAYS_OFF)
    ran("confirm", way, answers=[YES], told=told)
    assert told.spans == []
    assert told.figures["ladder.calls"] == {("ops", "a", "confirm", "asked"): 1, ("ops", "a", "confirm", "done"): 1}


class Broken:
    """Looks on, and fails at whatever it is told."""

    def __init__(self, at):
        self.at = at

    def meets(self, call, *, found):
        """Fails, or brings a witness that does."""
        if self.at == "meets":
            raise RuntimeError(SECRET)
        return self

    def routed(self, call, route, seconds):
        """Fails."""
        raise RuntimeError(SECRET)

    @property
    def trace(self):
        """Fails."""
        raise RuntimeError(SECRET)

    def before(self, step):
        """Fails."""
        raise RuntimeError(SECRET)

    after = before

    def over(self, came, *, cut):
        """Fails."""
        raise RuntimeError(SECRET)


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("at", ["meets", "each"])
def test_whoever_fails_looking_on_breaks_no_call(way, at, caplog):
    """The call runs and is recorded, whatever an observer raises; that is logged once, and not in its own words."""
    for rule, answers in ((BOUNDED, []), ("confirm", [YES])):
        world, ladder = World(), ladder_of({"a": rule})
        ladder.observers.add(Broken(at))
        graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")]))
        way.invoke(graph, GO, on())
        for answer in answers:
            way.invoke(graph, Command(resume=answer), on())
        assert world.ran == [("a", "1")]
        assert [str(one.state) for one in ladder.actions()] == ["done"]
        assert ladder.verify().ok
    said = [one.getMessage() for one in caplog.records if "looks on" in one.getMessage()]
    assert said
    assert len(said) <= 12
    assert SECRET not in caplog.text


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_provider_that_fails_breaks_no_call(way):
    """Neither a tracer nor a redaction that raises, nor an exporter that does, keeps a tool from running."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

    class Failing(SpanExporter):
        def export(self, spans):
            raise OSError("no collector")

    class Tracers(TracerProvider):
        def get_tracer(self, *args, **kwargs):
            class Tracer:
                def start_span(self, *args, **kwargs):
                    raise OSError("no tracer")

            return Tracer()

    exporting = TracerProvider()
    exporting.add_span_processor(SimpleSpanProcessor(Failing()))
    for tracers in (exporting, Tracers()):
        told, done = Told(), []
        told.tracers = tracers
        ran(BOUNDED, way, acts=done.append, told=told, arguments=lambda call: 1 / 0)
        assert done == ["1"]


def test_a_second_time_adds_nothing():
    """Whoever instruments a ladder twice is told of each call once."""
    told = Told()
    ladder = told.of(told.of(ladder_of({"a": BOUNDED})))
    assert len(list(ladder.observers)) == 2


def test_without_opentelemetry_it_says_what_is_missing(monkeypatch):
    """The error names the extra."""
    for name in [*(one for one in sys.modules if one.startswith("ladder_graph.telemetry.spans")), "opentelemetry"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "ladder_graph.telemetry.meters", None)
    with pytest.raises(LadderError, match=r"ladder-graph\[otel\]"):
        instrument(ladder_of({"a": BOUNDED}))


def test_nothing_of_it_is_loaded_until_it_is_asked_for():
    """A ladder that nobody instruments loads nothing that tells, and wraps no call."""
    code = (
        "import sys; from ladder_graph import Ladder; import ladder_graph.hosts.graph, ladder_graph.otel; "
        "ladder = Ladder(agent='ops', rungs={}, ledger=':memory:'); "
        "life = iter(()); assert ladder.observers.over(None, life) is life; "
        "assert ladder.observers.routing(None, life) is life; "
        "print([one for one in sys.modules if one.startswith('ladder_graph.telemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
