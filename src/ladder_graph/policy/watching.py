"""The watch over an action after it ran, as a policy writes it; where signals come in, and where figures are told."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from ladder_graph.policy.checks import Check
from ladder_graph.policy.fields import Name, Strict
from ladder_graph.policy.mistakes import Mistake
from ladder_graph.policy.units import Seconds, spell_seconds


class Watch(Strict):
    """How an action is watched after it ran. A watch outlives the process that started it."""

    window: Seconds = 0.0
    """How long the action is watched, as `"10m"`; 0 leaves it at the checks before the reply."""
    confirm: Literal["auto", "required"] = "auto"
    """Whether good health keeps the action when the window ends, or only a person; else it is undone."""
    inconclusive: Literal["undo", "hold"] = "undo"
    """What becomes of an action that nobody could measure: it is undone, or held until a person decides."""
    least_good: Annotated[int, Field(ge=1)] = 1
    """Good measurements that each check must have by the end of the window."""
    canary: Seconds = 0.0
    """How long the part of a call that goes first is watched, as `"30s"`, before the rest runs; 0 leaves it at the
    checks before the reply. It needs a window."""

    def of_a_part(self) -> Watch:
        """How the part that goes first is watched: what isn't good by the end of that is never waited for longer."""
        return Watch(window=self.canary)


class Signals(Strict):
    """Where alerts from outside are taken."""

    token_env: Name | None = None
    """The environment variable that holds the bearer token; without a name no alert is taken."""


class Metrics(Strict):
    """Where figures are told to Prometheus."""

    token_env: Name | None = None
    """The environment variable that holds the bearer token; without a name nobody is told any."""


def problems(watch: Watch, checks: Sequence[Check]) -> Iterator[Mistake]:
    """What doesn't fit together in a rule's watch and its checks, one sentence each.

    Example:
        >>> [problem.path for problem in problems(Watch(confirm="required"), ())]
        [('watch', 'confirm')]
    """
    if not watch.window:
        yield from _without_a_window(watch, checks)
    elif not checks and watch.confirm == "auto":
        yield Mistake(
            ("watch", "window"),
            'there are no checks, so the watch would see nothing; add checks = [...], or say confirm = "required", '
            "and a person keeps what is good",
        )
    else:
        for place, check in enumerate(checks):
            yield from _too_slow(watch, check, place)
            if watch.canary and check.vouches and not check.dry_run and check.delay >= watch.canary:
                text = (
                    f"a part that goes first is watched for {spell_seconds(watch.canary)}, before the first "
                    f"measurement at {spell_seconds(check.delay)}"
                )
                yield Mistake(("checks", place, "delay"), text)
    if checks and not any(check.vouches and not check.dry_run for check in checks):
        text = "none of them can say that all is well; add one that isn't a dry run, or an alert's alive = {...}"
        yield Mistake(("checks",), text)


def _without_a_window(watch: Watch, checks: Sequence[Check]) -> Iterator[Mistake]:
    if watch.confirm == "required":
        text = '"required" needs a watch.window, at whose end the action is undone unless a person keeps it'
        yield Mistake(("watch", "confirm"), text)
    if watch.canary:
        text = "who watches a part watches the whole as well; give the rule a watch.window"
        yield Mistake(("watch", "canary"), text)
    for place, check in enumerate(checks):
        if not check.before_the_reply:
            text = "it is taken only while the action is watched; give the rule a watch.window"
            yield Mistake(("checks", place), text)


def _too_slow(watch: Watch, check: Check, place: int) -> Iterator[Mistake]:
    if check.delay >= watch.window:
        text = (
            f"the watch ends after {spell_seconds(watch.window)}, before the first measurement at "
            f"{spell_seconds(check.delay)}"
        )
        yield Mistake(("checks", place, "delay"), text)
        return
    # The measurements fall on delay, delay + every, and so on; one at the very end comes too late.
    most = math.ceil((watch.window - check.delay) / check.every)
    if check.vouches and not check.dry_run and most < watch.least_good:
        text = f"at most {most} measurements fit into {spell_seconds(watch.window)}, and watch.least_good is "
        yield Mistake(("checks", place, "every"), f"{text}{watch.least_good}")
