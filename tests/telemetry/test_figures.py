"""Figures: what is counted and timed, as OpenTelemetry and as our own page tell it."""

from __future__ import annotations

import re

import pytest
from langgraph.types import Command

from ladder_graph.errors import DefiniteFailure
from ladder_graph.telemetry.catalog import CALLS, CATALOG, DECISION, Level
from ladder_graph.telemetry.measuring import Measuring
from ladder_graph.telemetry.registry import MOST, Registry
from ladder_graph.testing import FrozenClock, calls
from ladder_graph.tools import Declaration
from tests.hosts.graphs import GO, WAYS, World, agent_of, ladder_of, on
from tests.hosts.test_parity import BOUNDED, SICK
from tests.telemetry.telling import Told

YES = {"type": "approve", "by": "ana"}
SERIES = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\+Inf|[0-9.e+-]+)')


def read(page):
    """A page of Prometheus' text format as name and labels to value; it must hold nothing else."""
    assert page.endswith("\n")
    found = {}
    for line in page.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge|histogram))", line), line
            continue
        series = SERIES.fullmatch(line)
        assert series, line
        labels = tuple(re.findall(r'="((?:[^"\\]|\\.)*)"', series[2] or ""))
        assert (series[1], labels) not in found, line
        found[series[1], labels] = float(series[3])
    return found


def ran(ladder, way, rule_answers, acts=None):
    """One agent that calls `a` once for each entry, with the answers that come in."""
    world = World()
    ladder.declare("a", Declaration(prepare=lambda args: 1, undo=lambda state: None))
    for n, answers in enumerate(rule_answers):
        graph = ladder.wrap(agent_of([calls("a", {"x": str(n)}), "Done."], [world.tool("a", acts=acts)]))
        way.invoke(graph, GO, on(str(n)))
        for answer in answers:
            way.invoke(graph, Command(resume=answer), on(str(n)))


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_both_tell_the_same(way):
    """OpenTelemetry and our own page count the same calls, under names that follow from each other."""
    told, registry = Told(), Registry()
    ladder = told.of(ladder_of({"a": "confirm"}), levels=False)
    ladder.observers.add(Measuring(registry))
    ran(ladder, way, [[YES], ["?", {"type": "decline", "by": "ana", "reason": "no"}], []])
    page, figures = read(registry.page(())), told.figures
    assert figures["ladder.calls"] == {
        ("ops", "a", "confirm", "asked"): 3, ("ops", "a", "confirm", "done"): 1, ("ops", "a", "confirm", "declined"): 1,
    }  # fmt: skip
    assert figures["ladder.answer.duration"] == {("ops", "a", "approve"): 1, ("ops", "a", "decline"): 1}
    assert figures["ladder.execution.duration"] == {("ops", "a", "done"): 1}
    assert figures["ladder.decision.duration"][("ops", "a", "confirm")] >= 3
    for metric in (one for one in CATALOG if not one.kept):
        for labels, value in figures.get(metric.name, {}).items():
            ours = metric.prometheus + ("_count" if metric.kind == "histogram" else "")
            assert page[ours, labels] == value, metric.name


OUT_OF_BAND = {
    "approve": lambda ladder, asked: ladder.approve(asked, by="ana", looked=2.5),
    "decline": lambda ladder, asked: ladder.decline(asked, by="ana", reason="no", looked=2.5),
    "respond": lambda ladder, asked: ladder.respond(asked, "Wait.", by="ana", looked=2.5),
    "edit": lambda ladder, asked: ladder.edit(asked, {"x": "other"}, by="ana", looked=2.5),
}
"""What a person may say past the graph, as the command line and the console do."""


@pytest.mark.parametrize("verdict", OUT_OF_BAND)
@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_an_answer_past_the_graph_is_told_once_when_its_thread_goes_on(way, verdict):
    """With how long it took and how long it was looked at, from the question that was asked."""
    registry = Registry()
    clock = FrozenClock()
    ladder = ladder_of({"a": "confirm"}, clock=clock)
    ladder.observers.add(Measuring(registry))
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [World().tool("a")]))
    way.invoke(graph, GO, on("1"))
    clock.advance(60)
    (asked,) = ladder.pending()
    OUT_OF_BAND[verdict](ladder, asked.id)
    assert not any("answer_duration" in name for name, _ in read(registry.page(())))
    for _ in range(2):
        way.invoke(graph, None, on("1"))
        page = read(registry.page(()))
        said = {name: value for (name, labels), value in page.items() if labels[-1:] == (verdict,)}
        assert said["ladder_answer_duration_seconds_count"] == said["ladder_look_duration_seconds_count"] == 1
        assert said["ladder_answer_duration_seconds_sum"] == 60
        assert said["ladder_look_duration_seconds_sum"] == 2.5


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_why_a_call_is_not_higher_is_counted(way):
    """By the code of each reason, which is stable, and not by its words."""
    told = Told()
    bounded = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 1}]}
    ran(told.of(ladder_of({"a": bounded})), way, [[], []])
    assert told.figures["ladder.reasons"] == {("ops", "a", "outside_volume"): 1}
    assert told.figures["ladder.calls"] == {("ops", "a", "bounded", "done"): 1, ("ops", "a", "confirm", "asked"): 1}


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_failures_and_undos_are_counted(way):
    """What a tool came to, and what an undo did."""

    def fails(x):
        raise DefiniteFailure("no")

    told = Told()
    ran(told.of(ladder_of({"a": BOUNDED})), way, [[]], fails)
    ran(told.of(ladder_of({"a": {**BOUNDED, "rung": "rollback", "checks": SICK}})), way, [[]])
    assert told.figures["ladder.execution.duration"] == {("ops", "a", "failed"): 1, ("ops", "a", "done"): 1}
    assert told.figures["ladder.undos"] == {("ops", "a", "undone"): 1}
    assert {labels[3] for labels in told.figures["ladder.calls"]} == {"failed", "undone"}


def test_a_turn_that_the_machinery_breaks_off_is_broken(monkeypatch):
    """An error of the ledger is no question that waits."""
    told = Told()
    ladder = told.of(ladder_of({"a": BOUNDED}))
    monkeypatch.setattr("ladder_graph.turns.turn.Turn.barred", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ran(ladder, WAYS[0], [[]])
    assert told.figures["ladder.calls"] == {("ops", "a", "bounded", "broken"): 1}
    assert [span.attributes["error.type"] for span in told.spans] == ["broken", "broken"]


def test_what_waits_is_told(monkeypatch):
    """Open questions and their age come from the ledger, at the moment when they are read."""
    told = Told()
    ladder = told.of(ladder_of({"a": "confirm"}))
    ran(ladder, WAYS[0], [[], []])
    assert told.figures["ladder.questions.open"] == {("ops", "a"): 2}
    assert told.figures["ladder.watchers"] == {("alive",): 0, ("dead",): 0}


def test_a_ledger_that_is_gone_tells_nothing(caplog):
    """Closing a ladder takes its levels away, and is said once; what was counted stays."""
    told = Told()
    ladder = told.of(ladder_of({"a": BOUNDED}))
    ran(ladder, WAYS[0], [[]])
    ladder.close()
    for _ in range(2):
        assert told.figures["ladder.calls"]
        assert "ladder.watchers" not in told.figures
    assert caplog.text.count("what waits can't be told") == 1


def test_a_page_holds_a_bounded_number_of_series():
    """Whoever makes up tools can't fill the memory: beyond a number they are counted together, and none is lost."""
    registry = Registry()
    for n in range(MOST + 5):
        registry.add(CALLS, ("ops", f"tool{n}", "confirm", "done"))
        registry.record(DECISION, ("ops", f"tool{n}", "confirm"), 0.001)
    page = read(registry.page(()))
    assert page["ladder_calls_total", ("_other",) * 4] == 5
    assert page["ladder_decision_duration_seconds_count", ("_other",) * 3] == 5
    assert sum(name == "ladder_calls_total" for name, _ in page) == MOST + 1


def test_a_page_can_be_read_whatever_a_tool_is_called():
    """Quotes, backslashes and line ends in a label are escaped as the format says."""
    registry = Registry()
    registry.add(CALLS, ("ops", 'a"b\\c\nd', "confirm", "done"))
    page = registry.page([Level(CALLS, ("x", "y", "z", "w"), 2.5)])
    assert r'gen_ai_tool_name="a\"b\\c\nd"' in page
    assert read(page)["ladder_calls_total", ("x", "y", "z", "w")] == 2.5


def test_a_histogram_adds_up():
    """Each bucket holds those below it, the last one all; a value on a bound is in that bucket."""
    registry = Registry()
    for value in (0.0001, 0.001, 0.002, 99.0):
        registry.record(DECISION, ("ops", "a", "confirm"), value)
    page, labels = read(registry.page(())), ("ops", "a", "confirm")
    bucket = {key[1][3]: value for key, value in page.items() if key[0] == "ladder_decision_duration_seconds_bucket"}
    assert (bucket["0.0005"], bucket["0.001"], bucket["0.0025"], bucket["2.5"], bucket["+Inf"]) == (1, 2, 3, 3, 4)
    assert list(bucket.values()) == sorted(bucket.values())
    assert page["ladder_decision_duration_seconds_count", labels] == 4
    assert page["ladder_decision_duration_seconds_sum", labels] == pytest.approx(99.0031)
