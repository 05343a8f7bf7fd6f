"""Health checks: each as often as it says, and anything but plain good health is bad."""

from __future__ import annotations

import sys
import threading
import types

import pytest

from ladder_graph.policy.checks import Alert, ErrorRate, Http, Python
from ladder_graph.watch import Surroundings, measure, measured

URL = "http://127.0.0.1:8099/health"


@pytest.fixture
def world(monkeypatch):
    """A module with checks, of which the policy knows the names only."""
    module = types.ModuleType("made_up_world")
    module.asked = []
    monkeypatch.setitem(sys.modules, "made_up_world", module)
    return module


@pytest.fixture
def slept(monkeypatch):
    """How long was waited, without waiting."""
    naps = []
    monkeypatch.setattr("time.sleep", naps.append)
    return naps


def check(name="healthy", **fields):
    """A check in Python."""
    return Python(function=f"made_up_world:{name}", **fields)


def test_no_check_is_no_health():
    """Silence is never health."""
    assert measure([], {}) == "no health check is declared"


def test_only_true_is_healthy(world):
    """None, 1, "ok" and False are all bad: a check that forgot its return has seen nothing."""
    for answer in (None, 1, "ok", False):
        world.healthy = lambda _, answer=answer: answer
        assert measure([check()], {}) == f"the health check made_up_world:healthy said {answer!r}"
    world.healthy = lambda _: True
    assert measure([check()], {}) is None


def test_a_check_is_asked_with_the_arguments_and_cannot_change_them(world):
    """The check sees the call's arguments, and a copy of them."""
    world.healthy = lambda args: world.asked.append(args["to"].pop()) is None
    arguments = {"to": ["ana"]}
    assert measure([check()], arguments) is None
    assert (world.asked, arguments) == (["ana"], {"to": ["ana"]})


def test_a_check_may_be_a_method(world):
    """An import path leads into classes too."""
    world.Site = types.SimpleNamespace(up=lambda _: True)
    assert measure([check("Site.up")], {}) is None


def test_a_check_that_fails_is_bad(world):
    """What can't be measured is bad, with what went wrong."""
    world.healthy = lambda _: 1 / 0
    assert "ZeroDivisionError: division by zero" in measure([check()], {})
    assert "AttributeError" in measure([check("nowhere")], {})
    assert "ModuleNotFoundError" in measure([Python(function="not_there_at_all:healthy")], {})


def test_it_is_asked_as_often_as_it_says(world, slept):
    """Delay before the first, interval between two, and all of them must be good."""
    world.healthy = lambda _: world.asked.append(1) is None
    assert measure([check(count=3, interval=0.5, delay=2.0)], {}) is None
    assert (len(world.asked), slept) == (3, [2.0, 0.5, 0.5])


def test_the_first_bad_answer_ends_it(world, slept):
    """A bad answer isn't outvoted, and nothing is measured after it."""
    answers = iter([True, False, True])
    world.healthy = lambda _: next(answers)
    world.never = lambda _: world.asked.append(1) is None
    assert measure([check(count=3), check("never")], {}) is not None
    assert (next(answers), world.asked) == (True, [])


def test_only_false_is_bad_in_python(world):
    """False saw that health is missing; None, an odd answer and an exception saw nothing."""
    for answer, verdict in ((True, "good"), (False, "bad"), (None, "inconclusive"), ("ok", "inconclusive")):
        world.healthy = lambda _, answer=answer: answer
        assert measured(check(), {}, Surroundings()).verdict == verdict
    world.healthy = lambda _: sys.exit(0)
    assert measured(check(), {}, Surroundings()).verdict == "inconclusive"


def test_a_function_that_hangs_is_no_result(world):
    """A check has its time; what it says later is not waited for."""
    gate = threading.Event()
    world.healthy = lambda _: gate.wait(60)
    found = measured(check(timeout=0.05), {}, Surroundings())
    gate.set()
    assert (found.verdict, found.text) == (
        "inconclusive",
        "the health check made_up_world:healthy had not answered after 0.05 seconds",
    )


def test_a_measurement_is_of_the_moment_it_was_begun(world):
    """What a slow check saw is not taken for newer than it is."""
    moments = iter([7, 8])
    world.healthy = lambda _: next(moments) == 8
    found = measured(check(), {}, Surroundings(clock=lambda: next(moments)))
    assert (found.verdict, found.at) == ("good", 7)


def test_dry_runs_and_later_checks_have_no_say_before_the_reply(world):
    """What is only watched, or only shown, is not even asked."""
    world.healthy = lambda _: world.asked.append(1) is None
    world.never = lambda _: world.asked.append("never")
    assert measure([check("never", dry_run=True), check("never", count=0), check(), ErrorRate(at_most=0.1)], {}) is None
    assert world.asked == [1]


@pytest.mark.parametrize(
    ("counted", "verdict"), [((10, 2), "good"), ((10, 3), "bad"), ((5, 0), "good"), ((4, 4), "inconclusive")]
)
def test_the_error_rate_counts_the_agents_later_calls(counted, verdict):
    """A share above the limit is bad, and too few calls say nothing."""
    asked = []
    around = Surroundings(agent="ops", began=17, later=lambda *what: asked.append(what) or counted)
    assert measured(ErrorRate(at_most=0.2), {}, around).verdict == verdict
    assert asked == [("ops", 17)]


def test_what_cannot_be_counted_is_no_result():
    """No ledger at hand, or one that fails, is not zero errors; and no delivery is not silence."""
    assert measured(ErrorRate(at_most=0.2), {}, Surroundings()).verdict == "inconclusive"
    failing = Surroundings(later=lambda *_: 1 / 0)
    assert measured(ErrorRate(at_most=0.2), {}, failing).verdict == "inconclusive"
    assert measured(Alert(labels={"app": "shop"}), {}, Surroundings()).verdict == "inconclusive"


def test_without_httpx_it_says_what_is_missing(monkeypatch, slept):
    """An HTTP check without the extra is no good health, with the way out."""
    monkeypatch.setitem(sys.modules, "httpx", None)
    monkeypatch.delitem(sys.modules, "ladder_graph.watch.asking", raising=False)
    assert "install ladder-graph[watch]" in measure([Http(url=URL)], {})
