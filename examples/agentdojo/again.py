"""Running a recorded run again: each call in order, in the environment of the run, by a clock that stands still.

Outputs are held against the recorded hashes, and the verdicts are drawn anew.
"""

from __future__ import annotations

import functools
import gzip
import itertools
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from agentdojo.agent_pipeline.tool_execution import tool_result_to_str
from agentdojo.default_suites.v1.tools.types import CalendarEvent
from agentdojo.functions_runtime import FunctionCall, TaskEnvironment

from examples.agentdojo.unheard import verdicts
from examples.agentdojo.worlds import MOMENT, World, frozen, world
from ladder_graph.replay.traces import hashed

PACK = Path(__file__).parent / "runs.jsonl.gz"
_ATTACKS = "injection_task_"

Likeness = Literal["exact", "order", "clock", "differs"]
"""How an output compares with the recorded hash; `LIKENESSES` says it in words."""
LIKENESSES: dict[Likeness, str] = {
    "exact": "has the recorded hash",
    "order": "holds the participants of a new event, which come out of a set, and has the recorded hash in some order",
    "clock": "shows the moment at which something was sent or changed, so that its hash can be no other's",
    "differs": "has another hash",
}

Bucket = Literal["faithful", "undecided", "unfaithful"]
"""Where a run is counted; `BUCKETS` says it in words."""
BUCKETS: dict[Bucket, str] = {
    "faithful": "all that can be compared agrees, and every verdict is the recorded one",
    "undecided": "the same, but whether the user's task was solved depends on the model's last words, which the pack "
    "doesn't hold",
    "unfaithful": "something is another than it was recorded; listed below, one by one",
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """One line of the pack."""

    id: str
    version: str
    prompt: str
    calls: tuple[Mapping[str, Any], ...]
    utility: bool
    attack: bool | None
    critical: tuple[int, ...]
    text_only: bool

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """Model, suite, user task and injection task, which is empty where nobody attacked."""
        model, suite, task, attack, injected = self.id.split("/")
        return model, suite, task, "" if attack == "none" else injected


@dataclass(frozen=True, slots=True)
class Found:
    """What came of running a recorded run again."""

    run: Recorded
    outputs: tuple[Likeness, ...]
    """How each call's output compares."""
    errors: tuple[bool, ...]
    """Whether each call fails."""
    utility: frozenset[bool]
    """The verdicts on the user's task that are possible."""
    attack: bool | None
    """Whether the attack succeeds; None where nobody attacked."""
    critical: tuple[int, ...]
    """The calls without which it would have failed."""

    @property
    def bucket(self) -> Bucket:
        """Where the run is counted."""
        if any(self.reasons()):
            return "unfaithful"
        return "faithful" if len(self.utility) == 1 else "undecided"

    def reasons(self) -> Iterator[str]:
        """What is otherwise than it was recorded, in words."""
        run = self.run
        if self.errors != tuple(call["e"] for call in run.calls):
            yield "a call fails that did not, or the other way round"
        if "differs" in self.outputs:
            yield "an output is another one"
        if run.utility not in self.utility:
            yield f"the user's task counts as {'un' if run.utility else ''}solved now"
        if self.attack != run.attack:
            yield f"the attack counts as {'failed' if run.attack else 'carried out'} now"
        elif self.attack and self.critical != (() if run.text_only else run.critical):
            yield "the attack needs other calls"


def recorded(path: Path = PACK) -> Iterator[Recorded]:
    """The lines of the pack.

    Args:
        path: The pack.
    """
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            one = json.loads(line)
            yield Recorded(
                one["id"], one["v"], one["prompt"], tuple(one["calls"]), one["utility"], one["attack"],
                tuple(one["critical"]), one["text_only"],
            )  # fmt: skip


def rerun(run: Recorded) -> Found:
    """Run a recorded run again, and compare.

    Args:
        run: The run.
    """
    model, suite, task, injected = run.parts
    place = world(model, run.version, suite, task, injected)
    with frozen(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pydantic's, about arguments that the first edition left untyped.
        again = Again(place, task, run)
        outputs, errors = again.compared()
        utility = again.verdicts(task)
        attack = again.carried_out(injected) if injected else None
        critical = tuple(again.critical(injected)) if attack else ()
    return Found(run, outputs, errors, utility, attack, critical)


@dataclass
class Again:
    """A run in its world, once more.

    Args:
        world: The world.
        task: The user task.
        run: The run.
    """

    world: World
    task: str
    run: Recorded
    before: TaskEnvironment = field(init=False)
    """The environment before the run."""
    after: TaskEnvironment = field(init=False)
    """The environment that the run's calls work on."""

    def __post_init__(self) -> None:
        self.before = self.world.environment(self.task)
        self.after = self.before.model_copy(deep=True)

    @functools.cached_property
    def trace(self) -> list[FunctionCall]:
        """The recorded calls."""
        return [FunctionCall(function=call["t"], args=call["a"]) for call in self.run.calls]

    def compared(self) -> tuple[tuple[Likeness, ...], tuple[bool, ...]]:
        """Run the calls; how each output compares, and which calls fail."""
        runtime = self.world.runtime()
        likenesses, errors = [], []
        for call in self.run.calls:
            result, error = runtime.run_function(self.after, call["t"], dict(call["a"]))
            likenesses.append(likeness(result, call["o"]))
            errors.append(error is not None)
        return tuple(likenesses), tuple(errors)

    def verdicts(self, task: str, after: TaskEnvironment | None = None) -> frozenset[bool]:
        """The verdicts on a task that are possible, by the environment before and after.

        Args:
            task: The task: a user's or an injected one.
            after: Another environment to judge by than the run's own.
        """
        suite, ended = self.world.suite, self.after if after is None else after
        if task.startswith(_ATTACKS):
            attack = suite.get_injection_task_by_id(task)
            by_trace, by_state = attack.security_from_traces, attack.security
        else:
            user = suite.user_tasks[task]
            by_trace, by_state = user.utility_from_traces, user.utility

        def judge(words: Any) -> bool:
            traced = by_trace(words, self.before, ended, self.trace)
            return bool(by_state(words, self.before, ended) if traced is None else traced)

        return verdicts(judge)

    def carried_out(self, injected: str, after: TaskEnvironment | None = None) -> bool:
        """Whether an attack succeeds; none of these suites looks at the last words for that.

        Args:
            injected: The injection task.
            after: As of `verdicts`.
        """
        (found,) = self.verdicts(injected, after)
        return found

    def critical(self, injected: str) -> Iterator[int]:
        """The calls without which the attack fails, each left out by itself.

        Args:
            injected: The injection task.
        """
        for left_out in range(len(self.run.calls)):
            after = self.before.model_copy(deep=True)
            runtime = self.world.runtime()
            for place, call in enumerate(self.run.calls):
                if place != left_out:
                    runtime.run_function(after, call["t"], dict(call["a"]))
            if not self.carried_out(injected, after):
                yield left_out


def likeness(result: Any, digest: str) -> Likeness:
    """How an output compares with a recorded hash.

    A new event's participants come out of a set. They are tried in each order, and stay in that of the record, so that
    later outputs that hold the event can be compared as they are.

    Args:
        result: What a tool answered.
        digest: The first hex digits of the SHA-256 of what it answered when it was recorded.
    """
    text = tool_result_to_str(result)
    if str(MOMENT) in text:
        return "clock"
    if isinstance(result, CalendarEvent) and len(result.participants) > 1:
        for order in itertools.permutations(sorted(result.participants)):
            result.participants[:] = order
            if hashed(tool_result_to_str(result)).startswith(digest):
                return "order"
        return "differs"
    return "exact" if hashed(text).startswith(digest) else "differs"
