"""Why an action stands out in a report, each reason in words that hold no value of the call, but names of arguments.

| code | what is the case |
|---|---|
| `undo_failed`, `undo_conflict` | its undo left a mess |
| `held` | its watch has ended, and it waits for a person |
| `incident` | somebody reported a mistake in it |
| `left_standing` | its scope was to be undone, and it stays |
| `left_behind` | its process is gone, and somebody must find out |
| `overrun` | it cost more than was held for it |
| `unknown`, `running` | nobody knows what became of it; it hasn't ended |
| `failed`, `undone` | it failed; it was put back |
| `suspected` | its agent seems to have changed |
| `near_bound` | a number is within 5 % of its bound |
| `new_tool`, `new_target`, `new_value` | the first action of the tool; the first use of a place, a person, a value |
| `larger` | a number is larger than in any call before |
| `hours` | it came at an hour at which the agent had never acted |
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ladder_graph.policy import Rule
from ladder_graph.policy.bounds import Range, held_arguments
from ladder_graph.policy.bounds.shape import follow
from ladder_graph.reporting.habits import SETTLED, Habit, leaves
from ladder_graph.states import State

NEAR = 0.05
"""The share of a bound's width within which a number is near it."""
_HOURS_KNOWN = 50
"""Actions after which it is known when an agent acts."""

ORDER = (
    "undo_failed", "undo_conflict", "held", "left_standing", "left_behind", "incident", "overrun", "unknown", "failed",
    "undone", "running", "suspected", "near_bound", "new_tool", "new_target", "larger", "new_value", "hours",
)  # fmt: skip
"""The codes, what matters most in front."""

_OUTCOMES = {
    State.UNDO_FAILED: ("undo_failed", "its undo failed"),
    State.UNDO_CONFLICT: ("undo_conflict", "its undo found that somebody else had changed the same thing"),
    State.UNKNOWN: ("unknown", "nobody knows what became of it"),
    State.FAILED: ("failed", "it failed"),
    State.UNDONE: ("undone", "it was undone"),
    State.STARTED: ("running", "it had not ended when the report was made"),
    State.UNDOING: ("running", "it was being undone when the report was made"),
    State.PAUSED: ("running", "it had stopped, and not gone on, when the report was made"),
}
_SAID = {
    "incident": "a mistake in it was reported",
    "left_standing": "it stays in place, though its scope was to be undone as a whole",
    "left_behind": "its process was gone, and nobody knew whether it took effect",
    "overrun": "it cost more than was held for it",
    "held": "its watch has ended without a result, and it waits for a person",
    "suspected": "its agent seemed to have changed when it ran",
}


class Flag(NamedTuple):
    """One reason why an action stands out."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Act:
    """One action, as far as a report needs it."""

    action: str
    """Its key."""
    tool: str
    arguments: Mapping[str, Any]
    state: State
    at: dt.datetime
    """When it was proposed, on the readers' clocks."""
    said: frozenset[str] = frozenset()
    """What else is on record about it: `left_standing`, `left_behind`, `incident`, `overrun`, `held`, `suspected`."""


def flags(act: Act, rule: Rule, targets: frozenset[str], habit: Habit) -> list[Flag]:
    """Everything for which an action stands out, what matters most in front.

    Args:
        act: The action.
        rule: Its tool's rule.
        targets: The arguments that name a place or somebody.
        habit: What was usual before it.
    """
    found = [*_came(act), *_near(act, rule), *_new(act, targets, habit), *_larger(act, habit), *_hour(act, habit)]
    return sorted(found, key=lambda flag: ORDER.index(flag.code))


def targets_of(rule: Rule, outward: frozenset[str]) -> frozenset[str]:
    """The arguments that name a place or somebody: by the tool's schema, its scope, or what a bound holds.

    Args:
        rule: The tool's rule.
        outward: Those that could carry something out, by the schema.
    """
    held = held_arguments(tuple(bound for bound in rule.bounds if not isinstance(bound, Range))) or frozenset()
    return outward | held | (frozenset({rule.scope.argument}) if rule.scope else frozenset())


def _came(act: Act) -> Iterator[Flag]:
    if act.state in _OUTCOMES:
        yield Flag(*_OUTCOMES[act.state])
    yield from (Flag(code, text) for code, text in _SAID.items() if code in act.said)


def _near(act: Act, rule: Rule) -> Iterator[Flag]:
    for bound in rule.bounds:
        if not isinstance(bound, Range):
            continue
        value = follow(act.arguments, bound.argument)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield from _beside(bound, value)


def _beside(bound: Range, value: float) -> Iterator[Flag]:
    """Near the upper end, or near a lower one that isn't simply nothing."""
    least = bound.least or 0
    if bound.most is not None and value >= bound.most - NEAR * abs(bound.most - least):
        yield Flag("near_bound", f"{bound.argument} is near its bound, {bound.most}")
    elif bound.most is not None and bound.least and value <= bound.least + NEAR * abs(bound.most - least):
        yield Flag("near_bound", f"{bound.argument} is near its bound, {bound.least}")


def _new(act: Act, targets: frozenset[str], habit: Habit) -> Iterator[Flag]:
    if not habit.acts:
        yield Flag("new_tool", f"the first action of {act.tool} on this rung")
        return
    for name in dict.fromkeys(unknown(act, habit)):
        if any(f"{name}.".startswith(f"{target}.") for target in targets):
            yield Flag("new_target", f"{name} names something that it had never been called with")
        elif few := habit.few(name):
            yield Flag("new_value", f"{name} had one of {few} other values each time before")


def unknown(act: Act, habit: Habit) -> Iterator[str]:
    """The arguments whose value is a new one, numbers left out."""
    for name, value in leaves(act.arguments):
        if (isinstance(value, bool) or not isinstance(value, int | float)) and not habit.knows(name, value):
            yield name


def _larger(act: Act, habit: Habit) -> Iterator[Flag]:
    for name, value in leaves(act.arguments):
        count, most = habit.largest(name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and count >= SETTLED and float(value) > most:
            yield Flag("larger", f"{name} is larger than in any of the {count} calls before")


def _hour(act: Act, habit: Habit) -> Iterator[Flag]:
    around = sum(habit.hours[(act.at.hour + step) % 24] for step in (-1, 0, 1))
    if habit.acts >= _HOURS_KNOWN and not around:
        yield Flag("hours", f"it came at {act.at:%H:%M}, when it had never acted in {habit.acts} calls before")
