"""Bounds on environments and tenants: another name asks, and so does one that nobody says."""

from __future__ import annotations

import datetime as dt

import pytest
from pydantic import ValidationError

from ladder_graph.calls import Call
from ladder_graph.policy.bounds import Environment, Tenant, weigh
from ladder_graph.policy.scene import Scene


def call(value):
    """A call with one argument."""
    return Call("ops", "t1", "c1", "tool", {"x": value})


# --- environment -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["staging", "Staging", " staging ", "STAGING", "test-2", "\N{FULLWIDTH LATIN SMALL LETTER S}taging"]
)
def test_a_listed_environment_is_inside(monkeypatch, name):
    """Whatever its letter case, width, and the spaces around it; from the call, or from the process."""
    assert Environment(argument="x", names=["staging", "Test-2"]).check(call(name)) is None
    monkeypatch.setenv("DEPLOY_ENV", name)
    assert Environment(variable="DEPLOY_ENV", names=["staging", "Test-2"]).check(call(None)) is None


@pytest.mark.parametrize(
    "name",
    ["prod", "production", "stag", "staging2", "staging,prod", "sta ging", "staging\N{ZERO WIDTH SPACE}", "", " ",
     "st\N{CYRILLIC SMALL LETTER A}ging"],
)  # fmt: skip
def test_another_environment_asks(monkeypatch, name):
    """Also where it only looks like one that is listed."""
    assert Environment(argument="x", names=["staging"]).check(call(name)) is not None
    monkeypatch.setenv("DEPLOY_ENV", name)
    assert Environment(variable="DEPLOY_ENV", names=["staging"]).check(call("staging")) is not None


@pytest.mark.parametrize("value", [None, True, 1, ["staging"], {"staging": True}])
def test_an_environment_is_text(value):
    """Nothing else names one."""
    assert Environment(argument="x", names=["staging", "1", "True"]).check(call(value)) is not None


def test_an_environment_that_nobody_says_asks(monkeypatch):
    """An argument that isn't there, and a variable that isn't set."""
    monkeypatch.delenv("DEPLOY_ENV", raising=False)
    assert Environment(argument="y", names=["a"]).check(call("a")).text == "y is missing, and the bound allows 'a'"
    unset = Environment(variable="DEPLOY_ENV", names=["a"]).check(call("a")).text
    assert unset == "the environment variable DEPLOY_ENV is missing, and the bound allows 'a'"


@pytest.mark.parametrize("fields", [{}, {"argument": "x", "variable": "Y"}])
def test_an_environment_comes_from_one_place(fields):
    """From the call or from the process, not from both or neither."""
    with pytest.raises(ValidationError):
        Environment(names=["a"], **fields)


# --- tenant ----------------------------------------------------------------------------------------------------------


def of_tenant(value, facts, **fields):
    """What the bound says of a value, in a run of which this is known; empty inside."""
    scene = Scene(dt.datetime(2026, 11, 22, tzinfo=dt.UTC), facts=facts)
    breaches, charges = weigh([Tenant(argument="x", **fields)], call(value), scene)
    assert not charges
    return breaches[0].text if breaches else ""


@pytest.mark.parametrize(
    ("value", "facts", "fact"),
    [
        ("acme", {"tenant": "acme"}, "tenant"),
        (7, {"tenant": 7}, "tenant"),
        ("acme", {"organization": {"id": "acme"}}, "organization.id"),
    ],
)
def test_the_runs_own_tenant_is_inside(value, facts, fact):
    """By the key of the fact, or the way to it."""
    assert not of_tenant(value, facts, fact=fact)


@pytest.mark.parametrize("value", ["Acme", "acme ", "evil", "", None, ["acme"], {"id": "acme"}, 7, True])
def test_another_tenant_asks(value):
    """Letter for letter, and of the same type."""
    assert of_tenant(value, {"tenant": "acme"})


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("7", 7),
        (7, "7"),
        (1, True),
        (True, 1),
        (True, True),
        (1.0, 1),
        ("", ""),
        (" ", " "),
        (None, None),
        (["a"], ["a"]),
    ],
)
def test_a_fact_of_another_type_or_without_a_name_asks(value, known):
    """Whatever the call says."""
    assert of_tenant(value, {"tenant": known})


@pytest.mark.parametrize("facts", [{}, {"org": "acme"}, {"tenant": {"id": "acme"}}])
def test_a_tenant_that_nobody_knows_asks(facts):
    """A run of which nothing is known has none."""
    assert "so x can't be held to it" in of_tenant("acme", facts)
    assert "so x can't be held to it" in of_tenant("acme", facts, fact="tenant.id.more")


def test_a_tenant_that_the_call_leaves_out_asks():
    """Some tools take that for all of them."""
    scene = Scene(dt.datetime(2026, 11, 22, tzinfo=dt.UTC), facts={"tenant": "acme"})
    breach = Tenant(argument="y").check(call("acme"), scene)
    assert breach.text == "y is missing, and the bound wants the tenant of this run, 'acme'"
