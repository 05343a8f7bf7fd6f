"""Bounds in Python: only True is inside, and whatever goes wrong asks."""

from __future__ import annotations

import pytest

from ladder_graph.calls import Call
from ladder_graph.policy.bounds import Predicate, weigh
from ladder_graph.policy.scene import Scene
from tests.unit.ledger.desk import NOW


def small(arguments):
    """Only small amounts."""
    return arguments["amount"] < 10


def changing(arguments):
    """What no predicate should do."""
    arguments["order"]["amount"] = 1
    return True


def raising(arguments):
    """One that is broken."""
    raise RuntimeError("no idea")


async def late(arguments):
    """One that nobody awaits."""
    return True


def nothing(arguments):
    """One that forgets to say."""


def said(name, **arguments):
    """What a predicate of this module says, in words; empty where the call is inside."""
    bound = Predicate(function=f"{__name__}:{name}")
    breaches, _ = weigh([bound], Call("ops", "t1", "c1", "pay", arguments), Scene(NOW))
    assert {breach.bound for breach in breaches} <= {"predicate"}
    return "".join(breach.text.removeprefix(f"{__name__}:") for breach in breaches)


def test_a_predicate_is_asked():
    """It sees the arguments, and True is inside."""
    assert said("small", amount=9) == ""
    assert said("small", amount=10) == "small says False and not True"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("small", "small raised KeyError: \"'amount'\""),
        ("raising", "raising raised RuntimeError: 'no idea'"),
        ("late", "late is async, so nobody waits for what it says"),
        ("nothing", "nothing says None and not True"),
        ("absent", "absent raised AttributeError: "),
        ("NAME", "NAME raised AttributeError: "),
        ("__name__", "__name__ raised TypeError: "),
    ],
)
def test_whatever_goes_wrong_asks(name, text):
    """An exception, another answer, a function that isn't there: nobody said that the call is inside."""
    assert said(name).startswith(text)


def test_a_module_that_is_not_there_asks():
    """The text names what is missing."""
    breaches, _ = weigh([Predicate(function="no.such:thing")], Call("ops", "t1", "c1", "pay", {}), Scene(NOW))
    assert breaches[0].text.startswith("no.such:thing raised ModuleNotFoundError: ")


def test_a_predicate_changes_nothing():
    """It gets a copy, down to what is nested; the call stays frozen."""
    call = Call("ops", "t1", "c1", "pay", {"order": {"amount": 1000}})
    assert Predicate(function=f"{__name__}:changing").check(call) is None
    assert call.arguments == {"order": {"amount": 1000}}
