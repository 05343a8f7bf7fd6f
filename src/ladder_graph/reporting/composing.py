"""What a report shows: what stands out, then a sample that nobody could foresee."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ladder_graph.policy import Rule
from ladder_graph.reporting.flags import ORDER, Act, Flag, flags, targets_of
from ladder_graph.reporting.habits import Habit
from ladder_graph.states import State

ALIKE = 5
"""Actions of one tool that are shown for the same reason; how many more there are is said."""
ALWAYS = frozenset({"undo_failed", "undo_conflict", "held", "left_standing", "incident", "overrun", "unknown"})
"""Reasons for which each action is shown, however many there are."""

_FAILED = frozenset({State.FAILED, State.UNKNOWN})
_PUT_BACK = frozenset({State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED})


@dataclass(frozen=True, slots=True)
class Counts:
    """What a period comes to."""

    calls: int = 0
    failed: int = 0
    """Those that failed, or of which nobody knows what became."""
    undone: int = 0
    """Those that were put back, or that somebody tried to."""
    new_targets: int = 0
    """Those that named a place or a person for the first time."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One action that a report shows."""

    action: str
    flags: tuple[Flag, ...] = ()
    """Why it stands out; empty where it was picked at random."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A report before anybody has read it."""

    counts: Counts
    shown: tuple[Shown, ...]
    habits: Mapping[str, Habit]
    """Tool to what is usual now."""


def compose(
    acts: Iterable[Act], rules: Callable[[str], Rule], outward: Mapping[str, frozenset[str]],
    habits: Mapping[str, Habit], *, seed: str, sample: int,
) -> Composed:  # fmt: skip
    """Choose what is shown of the actions of a period.

    Args:
        acts: In the order of their time.
        rules: Gives a tool's rule.
        outward: Tool to the arguments that could carry something out, by its schema.
        habits: Tool to what was usual before the period; they learn from it.
        seed: A random word that was drawn for this report alone.
        sample: How many actions are picked at random.
    """
    learnt, counts = dict(habits), Counter[str]()
    odd: list[tuple[Act, list[Flag]]] = []
    plain: list[Act] = []
    for act in acts:
        habit, rule = learnt.setdefault(act.tool, Habit()), rules(act.tool)
        found = flags(act, rule, targets_of(rule, outward.get(act.tool, frozenset())), habit)
        habit.learn(act.arguments, act.at.hour)
        counts.update(calls=1, failed=int(act.state in _FAILED), undone=int(act.state in _PUT_BACK))
        counts["new_targets"] += any(flag.code == "new_target" for flag in found)
        if found:
            odd.append((act, found))
        else:
            plain.append(act)
    shown = [*_standing_out(odd), *(Shown(act.action) for act in drawn(plain, seed, sample))]
    return Composed(Counts(**{name: counts[name] for name in asdict(Counts())}), tuple(shown), learnt)


def _standing_out(odd: list[tuple[Act, list[Flag]]]) -> list[Shown]:
    """Those that are shown, what matters most in front; of many alike the first few, and how many more there are."""
    alike: dict[tuple[str, str], list[Shown]] = {}
    for act, found in odd:
        alike.setdefault((act.tool, found[0].code), []).append(Shown(act.action, tuple(found)))
    chosen: list[Shown] = []
    for (tool, code), each in sorted(alike.items(), key=lambda one: (ORDER.index(one[0][1]), one[0][0])):
        kept = each if code in ALWAYS else each[:ALIKE]
        if more := len(each) - len(kept):
            first, *rest = kept[-1].flags
            said = Flag(first.code, f"{first.text}; so it is for {more} more of {tool}, which are not shown")
            kept = [*kept[:-1], Shown(kept[-1].action, (said, *rest))]
        chosen += kept
    return chosen


def drawn(acts: list[Act], seed: str, sample: int) -> list[Act]:
    """A few of these, in the order of their time, by a rule that anybody can repeat who knows the seed.

    Args:
        acts: Which of.
        seed: A random word.
        sample: How many.
    """
    by_lot = sorted(acts, key=lambda act: hashlib.sha256(f"{seed}/{act.action}".encode()).digest())
    picked = {act.action for act in by_lot[:sample]}
    return [act for act in acts if act.action in picked]


def hash_of(**said: Any) -> str:
    """What verdicts are bound to: the digest of everything that a report says and shows."""
    plain = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(plain.encode("utf-8", "backslashreplace")).hexdigest()
