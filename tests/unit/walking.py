"""Walking the life of a call step by step: the test plays the driver, so no database and no graph is needed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from ladder_graph.calls import Call
from ladder_graph.facts import Decision, Known, Outcome, Person, Question, Reason, Route, Seen
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.flow import Gate
from ladder_graph.policy import Rule
from ladder_graph.policy.scene import Scene
from ladder_graph.routing import Footing
from ladder_graph.rungs.acting import Plan
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import Claimed, NotClaimed

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
CALL = Call("ops", "t1", "call_1", "send_email", {"to": "ana@example.com"})
TWIN = replace(CALL, id="call_0")
TOOLS = {"send_email": "a" * 64}
MODEL = Environment("scripted", "m-1", "m-1-2026-01-01", "none", "{}", toolset_component(TOOLS), TOOLS)
NEW = Seen()
CLAIMED = Claimed(1)
BUSY = NotClaimed("busy", "another task of this agent is running it.")
FULL = NotClaimed("quota", "3 calls are allowed in 2026-11-22, and none is left")
DONE = Outcome("done", "sent")
UNSURE = Outcome("unknown", text="TimeoutError: no answer.")
ANA = Person("ana", "code")

BOUNDS = [{"kind": "domain", "argument": "to", "domains": ["example.com"]}]
CHECKS = [{"kind": "python", "function": "world:healthy"}]


def rule(rung="bounded", **fields):
    """A rule that has everything its rung needs."""
    checks = CHECKS if rung in {"rollback", "report"} else []
    return Rule.model_validate({"rung": rung, "bounds": BOUNDS, "checks": checks, **fields}, strict=False)


READ = rule("report", read_only=True, bounds=[], checks=[])


def gate(rung="bounded", at_most=Rung.REPORT, *, footing=None, **fields):
    """Everything in place, and the standing that the policy grants."""
    granted = rung if isinstance(rung, Rule) else rule(rung, **fields)
    return Gate(granted, MODEL, None, footing or Footing(True, True, "ana"), Scene(NOW), at_most)


def plan(*charges, undoable=False, **fields):
    """A plan for a rung alone."""
    return Plan(rule(**fields), charges, undoable)


def route(rung=Rung.BOUNDED, *reasons):
    """A route for a rung alone."""
    return Route(rung, tuple(Reason("why", text) for text in reasons))


def question(verdict=None, *, expired=False, **fields):
    """A question about the call, answered or not."""
    decision = verdict and Decision(verdict, ANA, NOW, "because")
    asked = Question("q1", "d1", CALL, NOW, NOW + dt.timedelta(hours=1), "policy", "low", expired=expired)
    return replace(asked, decision=decision, **fields)


def known(state, *, call=CALL, **fields):
    """What the ledger knows of the call."""
    return Known(call, State(state), **{"fence": 1, **fields})


def seen(state, **fields):
    """The ledger has seen this very call."""
    return Seen(known=known(state, **fields))


def walk(life, *answers):
    """Answer each step of a life.

    Returns:
        The steps it asked for, and what it came to.
    """
    steps = [next(life)]
    for answer in answers:
        try:
            steps.append(life.send(answer))
        except StopIteration as end:
            assert len(steps) == len(answers), f"it ended after {names(steps)}"
            return steps, end.value
    return pytest.fail(f"it asks on: {steps[-1]}")


def names(steps):
    """What was asked for, in a line."""
    return " ".join(type(step).__name__ for step in steps)
