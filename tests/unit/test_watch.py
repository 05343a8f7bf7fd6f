"""Health checks: each as often as it says, and anything but plain good health is bad."""

from __future__ import annotations

import sys
import types

import httpx
import pytest
import respx

from ladder_graph.policy.checks import Http, Python
from ladder_graph.watch import measure

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


@respx.mock
def test_a_url_with_the_right_status_is_healthy(slept):
    """The status that the policy names is good health, as often as it must be seen."""
    route = respx.get(URL).respond(204)
    assert measure([Http(url=URL, status=204)], {}) is None
    assert (route.call_count, slept) == (3, [0.0, 0.2, 0.2])


@respx.mock
@pytest.mark.parametrize("status", [500, 404, 301])
def test_any_other_status_is_bad(slept, status):
    """An error and a redirect are bad, and a redirect isn't followed."""
    respx.get(URL).respond(status, headers={"location": "http://127.0.0.1:8099/elsewhere"})
    assert measure([Http(url=URL)], {}) == f"the health check {URL} answered {status} instead of 200"


@respx.mock
@pytest.mark.parametrize("wrong", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_no_answer_is_bad(slept, wrong):
    """Who can't be reached isn't healthy."""
    respx.get(URL).mock(side_effect=wrong("no"))
    assert measure([Http(url=URL)], {}) == f"the health check {URL} could not be reached ({wrong.__name__})"


def test_without_httpx_it_says_what_is_missing(monkeypatch, slept):
    """An HTTP check without the extra is bad health with the way out."""
    monkeypatch.setitem(sys.modules, "httpx", None)
    assert "install ladder-graph[watch]" in measure([Http(url=URL)], {})
