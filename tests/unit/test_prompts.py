"""Prompts: what makes another one, what is masked, and what a mask may hide."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.prompts import DYNAMIC, MANY, NO_PROMPT, hidden, is_dynamic, render, template_of

TEXT = "You are careful. Never send more than 3 mails to one person."
FORMS = [
    "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%B %d, %Y", "%d %B %Y", "%A, %d %B %Y", "%b %d %Y", "%A", "%H:%M", "%H:%M:%S",
    "%I:%M %p", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+02:00",
    "%A, %B %d, %Y at %I:%M %p",
]  # fmt: skip
MOMENTS = st.datetimes(min_value=dt.datetime(2020, 1, 1), max_value=dt.datetime(2039, 1, 1))  # noqa: DTZ001  # Hypothesis adds no zone to aware ones


@pytest.mark.parametrize("form", FORMS)
@given(one=MOMENTS, two=MOMENTS)
def test_a_moment_is_masked_in_each_usual_form(form, one, two):
    """Two renders of one template at two moments are the same prompt."""
    first, second = (render(f"It is {moment:{form}}.\n{TEXT}") for moment in (one, two))
    assert first.component == second.component
    assert first.text.endswith(TEXT)


@given(one=st.uuids(), two=st.uuids())
def test_an_id_is_masked(one, two):
    """A trace id makes no other prompt, with hyphens or without."""
    assert render(f"Trace {one}.").component == render(f"Trace {two}.").component
    assert render(f"Trace {one.hex}.").component == render(f"Trace {two.hex}.").component


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TEXT, TEXT.replace("3", "30")), (TEXT, TEXT.replace("careful", "careless")), ("before 2024", "before 2025"),
        ("Pay $100.50", "Pay $900.50"), ("version 1.2.3", "version 1.2.4"), ("ratio 1:2", "ratio 1:3"),
        ("May I help you?", "June I help you?"), ("at 2026-01-01", "at 2026-01-01 10:00"), ("a\n\nb", "a\nb"),
    ],
)  # fmt: skip
def test_what_is_no_moment_is_not_masked(before, after):
    """Numbers, years, versions and words are the prompt itself."""
    assert render(before).component != render(after).component


def test_a_mask_is_not_what_it_is_written_as():
    """Nobody can write a text that is taken for a masked one."""
    assert render("It is 10:15.").component != render("It is …time….").component
    assert render("").component == NO_PROMPT
    assert render("10:15").component != NO_PROMPT


@given(st.text(max_size=80))
def test_a_render_is_the_whole_text(text):
    """Nothing of it is lost."""
    assert render(text).text == text
    assert render(text, values=[("name", text[:5])] if text[:5].strip() else []).text == text


def test_what_a_mask_hides_is_told_apart():
    """Two renders of one prompt differ where a mask is, with what stands around it."""
    one, two = render("From 2024-01-01 on,\nat 10:15."), render("From 2025-01-01 on,\nat 10:15.")
    assert list(hidden(one, two)) == [(0, "2024-01-01", "2025-01-01")]
    assert two.around(0) == "From … on,"


# --- templates ---------------------------------------------------------------------------------------------------

TEMPLATE = "You serve {name}.\nRefund at most $50 until {day}."


FILLING = st.text(st.characters(exclude_characters="."), max_size=30)


@given(name=FILLING, day=FILLING)
def test_a_template_is_found_whatever_fills_it(name, day):
    """Its slots may hold anything but the words that come after them, where each ends."""
    assert render(TEMPLATE.format(name=name, day=day), [TEMPLATE]).component == render(
        TEMPLATE.format(name="Bo", day="Monday"), [TEMPLATE]
    ).component  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "You serve Bo.\nRefund at most $500 until Monday.", "You serve Bo.\nRefund at most $50 until Monday. Or more.",
        "Ignore this: You serve Bo.\nRefund at most $50 until Monday.", "You serve Bo.\n until Monday.",
    ],
)  # fmt: skip
def test_other_words_than_the_templates_are_another_prompt(text):
    """What the template says itself, and what stands around it, counts."""
    assert render(text, [TEMPLATE]).component != render(TEMPLATE.format(name="Bo", day="Monday"), [TEMPLATE]).component


def test_around_a_template_moments_are_masked():
    """Middleware may add the time to a prompt that has a template."""
    one, two = (render(f"Be kind to {name}. It is {time}.", ["Be kind to {name}."])
                for name, time in (("Bo", "10:15"), ("Ana", "11:30")))  # fmt: skip
    assert one.component == two.component != render("Be kind to Bo. It is late.", ["Be kind to {name}."]).component
    assert one.text == "Be kind to {name}. It is 10:15."


@pytest.mark.parametrize(
    ("template", "one", "two", "same"),
    [
        ("Today is {day}", "Today is Monday\nRefund $50.", "Today is Sunday\nRefund $50.", True),
        ("Today is {day}", "Today is Monday\nRefund $50.", "Today is Monday\nRefund all.", False),
        ("{shop}: be kind.", "No rules.\nAcme: be kind.", "No rules.\nBest: be kind.", True),
        ("{shop}: be kind.", "Acme: be kind.", "No rules.\nAcme: be kind.", False),
        ("Read {pages:lines}", "Read this\nand that", "Read nothing", True),
        ("{pages:lines} Be kind.", "this\nand that Be kind.", "nothing Be kind.", True),
        ("{a}{b}, be kind to{c}{d:lines}", "x\nyz, be kind to\nall", "x\nab, be kind to", True),
        ("{a}{b}, be kind to{c}{d:lines}", "x\nyz, be kind to\nall", "y\nyz, be kind to\nall", False),
    ],
)
def test_what_fills_an_outermost_slot_ends_with_its_line(template, one, two, same):
    """What middleware puts on lines of its own counts, unless the template says that the slot goes on over lines."""
    assert (render(one, [template]).component == render(two, [template]).component) is same


def test_an_edited_template_is_another_prompt():
    """The hash is that of the template's own words."""
    assert render("Be kind to Bo.", ["Be kind to {name}."]).component != render(
        "Be rude to Bo.", ["Be rude to {name}."]
    ).component  # fmt: skip


@pytest.mark.parametrize("bad", ["", "{a}", " {a} {b}\n", "{", "Hello {name", "Hello }"])
def test_what_is_no_template_is_refused(bad):
    """One without words of its own would be found in any prompt."""
    with pytest.raises(ValueError, match="has "):
        template_of(bad)


def test_a_value_of_the_run_is_masked_as_a_whole_word():
    """A customer's name is masked where it stands for itself, and not inside other words."""
    one = render("You serve Al. Always be kind to Al.", values=[("customer", "Al")])
    assert one.kinds == ("customer", "customer")
    assert one.component == render("You serve Bo. Always be kind to Bo.", values=[("customer", "Bo")]).component


def test_six_prompts_are_too_many():
    """Up to five are edits."""
    assert not is_dynamic(["a", "b", "c", "d", "e"] * 10)
    assert is_dynamic([str(nth) for nth in range(MANY + 1)])
    assert DYNAMIC != NO_PROMPT
