"""Routing: the least of standing, ceiling and readiness, and then the bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.facts import Reason, Route
from ladder_graph.policy.bounds import Breach, Charge
from ladder_graph.routing import Footing, Watching, decide, effective, exhausted, lowered, may_ask
from ladder_graph.scale import Rung
from ladder_graph.trust.standing import Standing
from tests.unit.walking import READ, route, rule

ALL = Footing(can_ask=True, reversible=True, reader="ana")
RUNGS = st.sampled_from(list(Rung))
ONLY_PEOPLE = {"checks": [], "watch": {"window": 600, "confirm": "required"}}
"""Nothing calls for an undo of it but that nobody keeps it."""


def charge(amount=1, limit=3, unit="calls"):
    """What a call takes."""
    return Charge("ops/send_email/calls", "2026-11-22", amount, limit, unit)


@given(RUNGS, RUNGS, RUNGS, st.booleans(), st.booleans(), st.booleans(), st.integers(0, 3))
def test_it_is_the_least_of_the_three(start, ceiling, earned, can_ask, reversible, reads, overdue):
    """Never above the standing, never above the ceiling, and never raised by what is in place."""
    policy = rule("report").model_copy(update={"rung": start, "ceiling": ceiling})
    footing = Footing(can_ask, reversible, "ana" if reads else None)
    found = effective(policy, Standing(earned), footing, overdue)
    assert found.rung <= min(earned, ceiling)
    assert found.rung <= effective(policy, Standing(earned), ALL).rung
    assert found.rung == min(effective(policy, Standing(rung), footing, overdue).rung for rung in (earned, Rung.REPORT))


def test_what_is_not_said_is_as_it_mostly_is():
    """No tool goes by a part that doesn't declare how, and no report is overdue that nobody says is."""
    assert not Footing(can_ask=True, reversible=True, reader="ana").canary
    assert effective(rule("report"), Standing(Rung.REPORT), ALL) == Route(Rung.REPORT)


@pytest.mark.parametrize(
    ("footing", "fields", "rung", "code", "text"),
    [
        (
            replace(ALL, can_ask=False), {}, Rung.DRAFT, "no_checkpointer",
            "there is no checkpointer, so no question can wait for its answer",
        ),
        (
            ALL, {"bounds": []}, Rung.CONFIRM, "no_bounds",
            "the policy gives it no bound and doesn't declare it read-only",
        ),
        (replace(ALL, reversible=False), {}, Rung.BOUNDED, "no_undo", "it declares no undo"),
        (ALL, {"checks": []}, Rung.BOUNDED, "no_check", "no health check would notice that it went wrong"),
        (replace(ALL, reader=None), {}, Rung.ROLLBACK, "no_reader", "nobody is named to read its reports"),
        (
            replace(ALL, canary=True), ONLY_PEOPLE, Rung.CONFIRM, "no_canary_check",
            "a part of it goes first, and no health check would measure that part",
        ),
    ],
)  # fmt: skip
def test_each_missing_thing_has_its_code(footing, fields, rung, code, text):
    """What is missing caps the rung, with one reason that says so, in words of its own."""
    found = effective(rule("report", **fields), Standing(Rung.REPORT), footing)
    assert (found.rung, found.reasons) == (rung, (Reason(code, text),))


def test_nothing_goes_by_a_part_unless_its_tool_says_how():
    """Where no part goes first, nobody need measure one."""
    assert effective(rule("report", **ONLY_PEOPLE), Standing(Rung.REPORT), ALL) == Route(Rung.REPORT)


@pytest.mark.parametrize(
    ("canary", "ttl", "short"), [(True, 719, True), (True, 720, False), (False, 600, False), (False, 599, True)]
)
def test_an_undo_must_last_as_long_as_anybody_watches(canary, ttl, short):
    """That is the window, and before it the time for which the part is watched, where one goes first."""
    watched = rule("rollback", watch={"window": 600, "canary": 120})
    found = effective(watched, Standing(Rung.ROLLBACK), replace(ALL, canary=canary, ttl=ttl))
    assert [reason.code for reason in found.reasons] == ["undo_too_short"] * short


def test_a_ceiling_is_said():
    """Where the policy wants it higher than it lets it."""
    found = effective(rule("report").model_copy(update={"ceiling": Rung.CONFIRM}), Standing(Rung.REPORT), ALL)
    assert (found.rung, [(one.code, one.text) for one in found.reasons]) == (
        Rung.CONFIRM, [("ceiling", "its ceiling is confirm (2)")],
    )  # fmt: skip


def test_a_reason_is_told_on_the_rung_where_it_stands():
    """Lowering to where a route is already adds the reason, and without one changes nothing."""
    route = Route(Rung.CONFIRM)
    assert lowered(route, Rung.CONFIRM, Reason("why", "so")).reasons == (Reason("why", "so"),)
    assert lowered(route, Rung.CONFIRM) is route


def test_a_read_needs_neither_bounds_nor_undo():
    """A tool that only reads stands on rung 5 with a reader alone."""
    found = effective(READ, Standing(Rung.REPORT), Footing(can_ask=True, reversible=False, reader="ana"))
    assert found == Route(Rung.REPORT)


def test_a_route_is_found_anew_for_other_words_of_a_rule():
    """A copy of a rule that says something else doesn't get the route that was found for the first."""
    first = rule("report")
    assert effective(first, Standing(Rung.REPORT), ALL).rung is Rung.REPORT
    assert effective(first.model_copy(update={"ceiling": Rung.DRAFT}), Standing(Rung.REPORT), ALL).rung is Rung.DRAFT
    assert effective(first, Standing(Rung.REPORT), ALL, overdue=1).rung is Rung.ROLLBACK
    assert effective(first, Standing(Rung.REPORT), ALL).rung is Rung.REPORT


def test_what_is_kept_of_a_rule_does_not_grow_without_end():
    """An alert that fires in ever other words doesn't fill the memory."""
    policy = rule("report")
    for n in range(200):
        watching = Watching(firing=f"alert {n} fires")
        assert f"alert {n} fires" in effective(policy, Standing(Rung.REPORT), ALL, 0, watching).why
    assert len(policy.found) <= 64


HOST = {"kind": "host", "argument": "url", "hosts": ["shop.example"]}
COUNT = {"kind": "volume", "limit": 9}
SIZE = {"kind": "length", "argument": "url", "most": 99}


@pytest.mark.parametrize(
    ("fields", "outward", "free"),
    [
        ({"read_only": True}, (), True),
        ({"read_only": True}, ("url",), False),
        ({"read_only": True, "bounds": [COUNT, SIZE]}, ("url",), False),
        ({"read_only": True, "bounds": [HOST]}, ("url",), True),
        ({"read_only": True, "bounds": [HOST]}, ("url", "to"), False),
        ({"read_only": True, "bounds": [HOST]}, ("url.host",), True),
        ({"read_only": True, "bounds": [HOST]}, ("urls",), False),
        ({"read_only": True, "bounds": [{"kind": "predicate", "function": "shop:fine"}]}, ("url", "to"), True),
        ({"read_only": True, "bounds": [{"kind": "table", "sql": "url", "tables": ["a"]}]}, ("url",), True),
        ({"read_only": True, "bounds": [{"kind": "environment", "variable": "E", "names": ["a"]}]}, ("url",), False),
        ({"read_only": True, "egress": False}, ("url",), True),
        ({"read_only": True, "egress": True}, (), False),
        ({"read_only": True, "egress": True, "bounds": [COUNT]}, (), False),
        ({"read_only": True, "egress": True, "bounds": [HOST]}, (), True),
        ({"read_only": True, "egress": True, "bounds": [HOST]}, ("to",), False),
        ({"egress": True, "bounds": [COUNT]}, (), False),
        ({"egress": True, "bounds": [HOST]}, (), True),
        ({"bounds": [COUNT]}, ("url",), True),
    ],
)
def test_what_could_carry_something_out_is_held_by_a_bound(fields, outward, free):
    """Or the tool asks: a bound that counts, or holds only a size, isn't enough."""
    granted = rule("report", **{"bounds": [], **fields})
    found = effective(granted, Standing(Rung.REPORT), replace(ALL, outward=outward))
    assert (found.rung, [reason.code for reason in found.reasons]) == (
        (Rung.REPORT, []) if free else (Rung.CONFIRM, ["egress"])
    )
    assert may_ask(granted, outward) is not (free and not granted.bounds)


def test_only_what_holds_it_down_is_told():
    """A tool that the policy wants on rung 2 isn't explained by the undo that rung 4 would need."""
    found = effective(rule("confirm"), Standing(Rung.CONFIRM), Footing(can_ask=True, reversible=False, reader=None))
    assert found.reasons == ()
    assert found.why == "this is where the policy puts it"


def test_several_reasons_are_all_told():
    """Each thing that keeps a tool below its rung is a reason of its own."""
    earned = Standing(Rung.CONFIRM, (Reason("model_changed", "the model changed"),))
    found = effective(rule("report"), earned, Footing(can_ask=True, reversible=False, reader=None))
    assert [reason.code for reason in found.reasons] == ["model_changed", "no_undo", "no_reader"]


def test_breaches_and_empty_windows_ask():
    """Whatever is in the way, the call becomes a question, and every reason is named."""
    found = decide(route(Rung.REPORT, "so"), [Breach("domain", "not there")], [(charge(), 0)])
    assert found.rung is Rung.CONFIRM
    assert [reason.code for reason in found.reasons] == ["outside_domain", "outside_volume", "why"]


def test_exactly_what_is_left_is_inside():
    """A window holds what it says: the last call still fits, one more doesn't."""
    assert decide(route(), [], [(charge(2), 2)]).rung is Rung.BOUNDED
    assert decide(route(), [], [(charge(2), 1)]).rung is Rung.CONFIRM


@pytest.mark.parametrize("rung", [Rung.SUGGEST, Rung.DRAFT, Rung.CONFIRM])
def test_bounds_are_for_what_runs_unasked(rung):
    """Below rung 3 bounds change nothing, and least of all do they raise a call to a question."""
    found = decide(Route(rung), [Breach("domain", "not there")], [(charge(), 0)])
    assert found == Route(rung)


def test_lowering_never_raises():
    """A route is lowered to a rung, not set on it."""
    assert lowered(route(Rung.DRAFT), Rung.CONFIRM).rung is Rung.DRAFT


@pytest.mark.parametrize(
    ("taken", "left", "code", "text"),
    [
        (charge(), 0, "outside_volume", "3 calls are allowed in 2026-11-22, and none is left"),
        (charge(), -1, "outside_volume", "3 calls are allowed in 2026-11-22, and none is left"),
        (charge(3), 2, "outside_volume", "3 calls are allowed in 2026-11-22, and 2 are left"),
        (
            charge(2_000_000, 5_000_000, "micro_usd"), 1_500_000, "outside_cost",
            "it costs $2.00, and of the $5.00 for 2026-11-22 $1.50 is left",
        ),
    ],
)  # fmt: skip
def test_an_empty_window_in_words(taken, left, code, text):
    """The words name the bound, the window and what is left, in calls or in dollars."""
    assert exhausted(taken, left) == Reason(code, text)
