"""Standing: a start rung is a grant for one environment, and for no other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ladder_graph.components import toolset_component
from ladder_graph.fingerprint import EVERYWHERE, UNREAD, Environment
from ladder_graph.scale import Rung
from ladder_graph.trust.standing import standing

TOOLS = {"send": "1", "read": "2"}
ENV = Environment(
    "openai", "gpt-5", "gpt-5-2025-08-07", "hash", '{"temperature":0}', toolset_component(TOOLS), TOOLS,
    implementations={"send": "1", "read": "1"}, middleware=("A:1",), graph="g1", data={EVERYWHERE: "1"},
)  # fmt: skip
NEW_TOOLS = {"send": "3", "read": "2"}
MORE_TOOLS = {**TOOLS, "drop": "4"}
SILENT = replace(ENV, reported=None)


def codes(result) -> list[str]:
    """The codes of the reasons, in order."""
    return [reason.code for reason in result.reasons]


def test_the_pinned_environment_stands_on_its_start_rung():
    """Where nothing changed nothing is lowered, and there is no reason to name."""
    assert standing(Rung.REPORT, ENV, ENV, "send") == standing(Rung.REPORT, None, ENV, "send")
    assert standing(Rung.REPORT, ENV, ENV, "send").rung is Rung.REPORT
    assert standing(Rung.REPORT, ENV, ENV, "send").reasons == ()


@pytest.mark.parametrize(
    ("current", "rung", "code"),
    [
        (replace(ENV, reported="gpt-5-2025-11-20"), Rung.CONFIRM, "model_changed"),
        (replace(ENV, provider="azure"), Rung.CONFIRM, "model_changed"),
        (replace(ENV, tools=NEW_TOOLS, toolset=toolset_component(NEW_TOOLS)), Rung.CONFIRM, "tool_changed"),
        (replace(ENV, prompt="other"), Rung.BOUNDED, "prompt_changed"),
        (replace(ENV, parameters="{}"), Rung.BOUNDED, "parameters_changed"),
        (replace(ENV, tools=MORE_TOOLS, toolset=toolset_component(MORE_TOOLS)), Rung.BOUNDED, "toolset_changed"),
        (None, Rung.CONFIRM, "environment_unknown"),
        (Environment(), Rung.CONFIRM, "environment_unknown"),
        (SILENT, Rung.BOUNDED, "model_unreported"),
        (replace(ENV, prompt=None), Rung.BOUNDED, "environment_unknown"),
        (replace(ENV, toolset=None, tools={}), Rung.BOUNDED, "environment_unknown"),
        (replace(ENV, implementations={"send": "2", "read": "1"}), Rung.CONFIRM, "tool_changed"),
        (replace(ENV, implementations={}), Rung.BOUNDED, "environment_unknown"),
        (replace(ENV, middleware=()), Rung.BOUNDED, "middleware_changed"),
        (replace(ENV, middleware=None), Rung.BOUNDED, "environment_unknown"),
        (replace(ENV, graph="g2"), Rung.BOUNDED, "graph_changed"),
        (replace(ENV, graph=None), Rung.BOUNDED, "environment_unknown"),
        (replace(ENV, data={EVERYWHERE: "2"}), Rung.BOUNDED, "data_changed"),
        (replace(ENV, data={}), Rung.BOUNDED, "environment_unknown"),
        (replace(ENV, data={EVERYWHERE: "1", "send": "1"}), Rung.BOUNDED, "environment_unknown"),
        (replace(ENV, data={EVERYWHERE: UNREAD}), Rung.BOUNDED, "environment_unknown"),
        (replace(ENV, weights="aaa"), Rung.BOUNDED, "environment_unknown"),
        (replace(ENV, prompt="dynamic"), Rung.BOUNDED, "dynamic_prompt"),
    ],
)
def test_each_change_caps_with_its_code(current, rung, code):
    """Class A and another tool go back to asking, class B and what isn't known to bounds; the code says which."""
    result = standing(Rung.REPORT, ENV, current, "send")
    assert result.rung is rung
    assert codes(result) == [code]


def test_a_change_of_another_tool_is_not_a_change_of_this_one():
    """Another tool's schema is part of the tool set only."""
    current = replace(ENV, tools=NEW_TOOLS, toolset=toolset_component(NEW_TOOLS))
    assert codes(standing(Rung.REPORT, ENV, current, "read")) == ["toolset_changed"]


def test_the_code_of_another_tool_lowers_nothing():
    """It is a change from far, class C, and the key of this tool's cell stays the same."""
    current = replace(ENV, implementations={"send": "1", "read": "2"})
    assert standing(Rung.REPORT, ENV, current, "send").rung is Rung.REPORT
    assert current.key("send") == ENV.key("send")


def test_a_grant_to_a_prompt_that_kept_changing_is_none_to_a_fixed_one():
    """Once the prompt stands still, the rungs must be granted anew."""
    assert codes(standing(Rung.REPORT, replace(ENV, prompt="dynamic"), ENV, "send")) == ["dynamic_prompt"]
    (reason,) = standing(Rung.REPORT, None, replace(ENV, prompt="dynamic"), "send").reasons
    assert "declare a template" in reason.text


def test_a_tool_that_the_model_was_not_shown_is_asked_about():
    """A call to a tool that wasn't in the request doesn't come from what the rung was granted to."""
    current = replace(ENV, tools={"read": "2"}, toolset=toolset_component({"read": "2"}))
    result = standing(Rung.REPORT, ENV, current, "send")
    assert result.rung is Rung.CONFIRM
    assert codes(result) == ["environment_unknown"]


def test_what_is_unknown_caps_the_first_call_as_the_later_ones():
    """An agent without a pin gets no more than it would get once pinned."""
    for hole in (SILENT, replace(ENV, prompt=None), Environment()):
        assert standing(Rung.REPORT, None, hole, "send") == standing(Rung.REPORT, ENV, hole, "send")
    assert standing(Rung.REPORT, None, None, "send").rung is Rung.CONFIRM


def test_a_pin_that_says_too_little_grants_too_little():
    """Where the grant's own environment isn't known, nothing can be compared with it."""
    assert codes(standing(Rung.REPORT, Environment(), ENV, "send")) == ["environment_unknown"]
    assert standing(Rung.REPORT, Environment(), ENV, "send").rung is Rung.CONFIRM
    assert codes(standing(Rung.REPORT, SILENT, ENV, "send")) == ["model_unreported"]
    assert standing(Rung.REPORT, replace(ENV, parameters=None), ENV, "send").rung is Rung.BOUNDED


def test_reasons_come_lowest_first_and_only_where_they_lower():
    """A reason that lowers nothing isn't given; the one that decides stands first."""
    current = replace(ENV, reported="gpt-5-2025-11-20", prompt="other")
    assert codes(standing(Rung.REPORT, ENV, current, "send")) == ["model_changed", "prompt_changed"]
    assert codes(standing(Rung.BOUNDED, ENV, current, "send")) == ["model_changed"]
    assert standing(Rung.CONFIRM, ENV, current, "send").reasons == ()


def test_the_reason_says_from_what_to_what():
    """A person reads the two model ids."""
    (reason,) = standing(Rung.REPORT, ENV, replace(ENV, reported="gpt-5-2025-11-20"), "send").reasons
    assert reason.text == "the model changed from gpt-5-2025-08-07 to gpt-5-2025-11-20"


maybe = st.none() | st.sampled_from(["x", "y"])
environments = st.none() | st.builds(
    lambda tools, known, **texts: Environment(
        tools=tools, toolset=toolset_component(tools) if known else None, **texts
    ),
    tools=st.sampled_from([{}, TOOLS, NEW_TOOLS, MORE_TOOLS]),
    known=st.booleans(),
    provider=maybe,
    requested=maybe,
    reported=maybe,
    prompt=maybe,
    parameters=maybe,
    weights=maybe,
    graph=maybe,
    middleware=st.none() | st.sampled_from([(), ("A:1",)]),
    implementations=st.sampled_from([{}, {"send": "1"}, {"send": "2"}, {"send": "1", "read": "2"}]),
    data=st.sampled_from([{}, {EVERYWHERE: "1"}, {"send": "1"}, {EVERYWHERE: UNREAD}]),
)


@given(start=st.sampled_from(Rung), pinned=environments, current=environments)
def test_standing_never_raises_a_grant(start, pinned, current):
    """Whatever is compared, the rung is at most the granted one, and lower only with a reason."""
    result = standing(start, pinned, current, "send")
    assert result.rung <= start
    assert bool(result.reasons) == (result.rung < start)


@settings(max_examples=300)
@given(pinned=environments, current=environments)
def test_only_an_equal_key_keeps_the_highest_rung(pinned, current):
    """At rung 5 a pinned agent's key is the pinned one."""
    if pinned is not None and standing(Rung.REPORT, pinned, current, "send").rung is Rung.REPORT:
        assert current is not None
        assert current.key("send") == pinned.key("send")
