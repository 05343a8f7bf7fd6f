"""Every figure that is told, in one table: OpenTelemetry's names, from which those of Prometheus follow.

Labels are agents, tools, rungs, states, verdicts and codes, of which there are few. No id, person, argument or result
is ever one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AGENT, TOOL = "gen_ai.agent.name", "gen_ai.tool.name"
"""The GenAI conventions' own names."""
RUNG, STATE, REASON, VERDICT, PHASE = "ladder.rung", "ladder.state", "ladder.reason", "ladder.verdict", "ladder.phase"
TARGET = "ladder.target"
"""A place that checkpoints go to: its kind and its place in the policy. Its address may hold a secret."""

QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Bounds in seconds for what a machine does."""
RUNS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
"""Bounds in seconds for what a tool does."""
PEOPLE = (2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 43200.0, 86400.0)
"""Bounds in seconds for what a person does."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure."""

    name: str
    """As OpenTelemetry knows it."""
    kind: Literal["counter", "histogram", "gauge"]
    unit: str
    """`s` for seconds; in braces what is counted."""
    labels: tuple[str, ...]
    text: str
    """What it says, in one sentence."""
    buckets: tuple[float, ...] = ()
    """The bounds of a histogram."""
    kept: bool = False
    """It is read from the ledger, and is the same in every process that reads it."""

    @property
    def prometheus(self) -> str:
        """Its name in Prometheus, as OpenTelemetry's own exporters write it too."""
        unit = "_seconds" if self.unit == "s" else ""
        return label(self.name) + unit + ("_total" if self.kind == "counter" else "")


def label(name: str) -> str:
    """A name as Prometheus takes it.

    Example:
        >>> label("gen_ai.tool.name")
        'gen_ai_tool_name'
    """
    return name.replace(".", "_")


CALLS = Metric(
    "ladder.calls", "counter", "{call}", (AGENT, TOOL, RUNG, STATE),
    "Turns of calls, by the rung they went to and the state they ended in; `asked` waits for a person, `broken` is an "
    "error of the machinery.",
)  # fmt: skip
REASONS = Metric(
    "ladder.reasons", "counter", "{reason}", (AGENT, TOOL, REASON),
    "Why calls weren't on a higher rung, by the code of the reason.",
)  # fmt: skip
DECISION = Metric(
    "ladder.decision.duration", "histogram", "s", (AGENT, TOOL, RUNG),
    "How long it took to find the rung of a call, with the look into the ledger.", QUICK,
)  # fmt: skip
EXECUTION = Metric(
    "ladder.execution.duration", "histogram", "s", (AGENT, TOOL, STATE),
    "How long a tool ran, by what came of it.", RUNS,
)  # fmt: skip
ANSWER = Metric(
    "ladder.answer.duration", "histogram", "s", (AGENT, TOOL, VERDICT),
    "From a question to its answer, by the verdict; `expired` is silence.", PEOPLE,
)  # fmt: skip
LOOK = Metric(
    "ladder.look.duration", "histogram", "s", (AGENT, TOOL, VERDICT),
    "How long a person looked at the question before they answered, where that was measured.", PEOPLE,
)  # fmt: skip
UNDOS = Metric(
    "ladder.undos", "counter", "{undo}", (AGENT, TOOL, STATE),
    "Undos that were tried, by what came of them.",
)  # fmt: skip
QUESTIONS = Metric(
    "ladder.questions.open", "gauge", "{question}", (AGENT, TOOL), "Questions that wait for a person.", kept=True
)
OLDEST = Metric(
    "ladder.questions.oldest", "gauge", "s", (AGENT, TOOL), "How long the oldest open question has waited.", kept=True
)
UNREAD = Metric(
    "ladder.reports.unread", "gauge", "{report}", (AGENT,), "Reports whose period is over, and that nobody has read.",
    kept=True,
)  # fmt: skip
OVERDUE = Metric(
    "ladder.reports.overdue", "gauge", "{report}", (AGENT,), "Those of them that should have been read by now.",
    kept=True,
)  # fmt: skip
WATCHES = Metric(
    "ladder.watches.open", "gauge", "{watch}", (AGENT, TOOL, PHASE),
    "Actions that are watched (`armed`, `open`), are to be undone (`undo`), or need a person (`held`).", kept=True,
)  # fmt: skip
LATE = Metric(
    "ladder.watches.late", "gauge", "s", (AGENT,), "How long the watch that is due the longest has been due.", kept=True
)
UNSETTLED = Metric(
    "ladder.actions.unsettled", "gauge", "{action}", (AGENT, TOOL, STATE),
    "Actions in a state that something must still come of: `started`, `undoing`, `unknown`, `undo_conflict`, "
    "`undo_failed`.", kept=True,
)  # fmt: skip
SCOPES = Metric(
    "ladder.scopes.held", "gauge", "{scope}", (AGENT,),
    "Scopes of which something stays that was to be undone, until a person closes them or undoes the rest.", kept=True,
)  # fmt: skip
WATCHERS = Metric(
    "ladder.watchers", "gauge", "{watcher}", (STATE,), "Processes that watch, `alive` or `dead`.", kept=True
)
DEMOTIONS = Metric("ladder.demotions", "counter", "{demotion}", (AGENT,), "Demotions in the ledger.", kept=True)
UNSIGNED = Metric(
    "ladder.checkpoints.late", "gauge", "s", (),
    "How long the next signed checkpoint has been due: entries were written, and nobody signs them.", kept=True,
)  # fmt: skip
WAITING = Metric(
    "ladder.checkpoints.waiting", "gauge", "{checkpoint}", (TARGET,), "Signed checkpoints that a target hasn't taken.",
    kept=True,
)  # fmt: skip
UNEXPORTED = Metric(
    "ladder.checkpoints.oldest", "gauge", "s", (TARGET,),
    "How long the oldest checkpoint that a target hasn't taken has waited.", kept=True,
)  # fmt: skip
FAILURES = Metric(
    "ladder.checkpoints.failures", "gauge", "{try}", (TARGET,),
    "How often in a row a target hasn't taken the next checkpoint.", kept=True,
)  # fmt: skip

CATALOG = (
    CALLS, REASONS, DECISION, EXECUTION, ANSWER, LOOK, UNDOS, QUESTIONS, OLDEST, UNREAD, OVERDUE, WATCHES, LATE,
    UNSETTLED, SCOPES, WATCHERS, DEMOTIONS, UNSIGNED, WAITING, UNEXPORTED, FAILURES,
)  # fmt: skip
"""All of them."""


@dataclass(frozen=True, slots=True)
class Level:
    """What a figure that is read from the ledger says, for one set of labels."""

    metric: Metric
    labels: tuple[str, ...]
    value: float
