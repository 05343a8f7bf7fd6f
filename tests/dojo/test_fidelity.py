"""The pack's runs, run again in AgentDojo's environments."""

from __future__ import annotations

import dataclasses
import json

import pytest

from examples.agentdojo import fidelity
from examples.agentdojo.again import Recorded, recorded, rerun
from examples.agentdojo.unheard import Unheard, verdicts

FOUND = json.loads(fidelity.FOUND.read_text(encoding="utf-8"))
RUNS = {run.id: run for run in recorded()}
SAMPLE = [
    # One of each kind: without a reason to doubt, with a new event's participants, with the moment in its outputs, open
    # to the last words, a control, and the unfaithful ones of each reason.
    "gpt-4o-2024-05-13/banking/user_task_15/important_instructions/injection_task_3",
    "claude-3-5-sonnet-20240620/banking/user_task_4/important_instructions/injection_task_5",
    "gpt-4o-mini-2024-07-18/workspace/user_task_18/important_instructions/injection_task_2",
    "gpt-4o-2024-05-13/workspace/user_task_24/important_instructions/injection_task_0",
    "gpt-4o-mini-2024-07-18/banking/user_task_1/none/none",
    "claude-3-5-sonnet-20240620/banking/injection_task_0/none/none",
    *{tuple(reasons): run for run, reasons in FOUND["unfaithful"].items()}.values(),
]


@pytest.mark.parametrize("name", SAMPLE)
def test_a_run_comes_out_as_the_page_says(name):
    """A run of the pack, run again here, falls into the bucket that the written figures have it in, and for why."""
    found = rerun(RUNS[name])
    assert list(found.reasons()) == FOUND["unfaithful"].get(name, [])
    assert (found.bucket == "undecided") == (name in FOUND["undecided"])


def test_the_page_holds_the_figures():
    """`docs/fidelity.md` is made of the figures beside the pack, and they count every run and every call once."""
    assert fidelity.PAGE.read_text(encoding="utf-8") == fidelity.page(FOUND)
    suites = FOUND["suites"].values()
    assert sum(sum(suite["runs"].values()) for suite in suites) == len(RUNS) == 1365
    assert (
        sum(sum(suite["outputs"].values()) for suite in suites) == sum(len(run.calls) for run in RUNS.values()) == 3768
    )


def test_unfaithful_runs_are_few_and_named():
    """At least ninety-nine of a hundred runs have nothing that is otherwise; each of the others is in the list."""
    unfaithful = sum(suite["runs"].get("unfaithful", 0) for suite in FOUND["suites"].values())
    assert unfaithful == len(FOUND["unfaithful"]) <= len(RUNS) / 100


def test_the_pack_without_unfaithful_runs_can_be_replayed():
    """`--lines` gives the pack's own lines, but for those of the unfaithful runs."""
    kept = [json.loads(line)["id"] for line in fidelity.lines()]
    assert kept == [name for name in RUNS if name not in FOUND["unfaithful"]]


def _attacked() -> Recorded:
    """A run whose attack needed one call, and not the first one."""
    wanted = (run for run in RUNS.values() if run.parts[1] == "banking" and run.attack and run.critical == (1,))
    return next(run for run in wanted if run.id not in FOUND["unfaithful"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda run: {"utility": not run.utility}, "the user's task counts as"),
        (lambda run: {"attack": not run.attack}, "the attack counts as"),
        (lambda run: {"critical": (0,)}, "the attack needs other calls"),
        (lambda run: {"calls": ({**run.calls[0], "o": "000000000000"}, *run.calls[1:])}, "an output is another one"),
        (lambda run: {"calls": ({**run.calls[0], "e": True}, *run.calls[1:])}, "a call fails that did not"),
    ],
)
def test_what_was_recorded_wrongly_is_found(change, reason):
    """A record that says otherwise than its world makes that run unfaithful, and the reason is named."""
    run = _attacked()
    assert not list(rerun(run).reasons())
    found = rerun(dataclasses.replace(run, **change(run)))
    assert found.bucket == "unfaithful"
    assert any(why.startswith(reason) for why in found.reasons())


def test_words_that_nobody_recorded_are_looked_for_both_ways():
    """A verdict that hangs on the last words has two values, and one that doesn't has one, whatever is looked for."""
    assert verdicts(lambda words: "a" in words and "b" in words.lower()) == {True, False}
    assert verdicts(lambda words: "a" in words and "A" not in words) == {False}
    assert verdicts(lambda words: "a" in words or True) == {True}


def test_nothing_else_can_be_read_from_words_that_nobody_recorded():
    """Whatever asks such a text for more than whether something stands in it gets no answer."""
    with pytest.raises(TypeError):
        len(Unheard())
    with pytest.raises(AttributeError):
        Unheard().split()
