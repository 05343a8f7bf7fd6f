"""The policies of this folder inside AgentDojo's own benchmark: `python -m examples.agentdojo.live [--json]`.

Prints, gate by gate, what AgentDojo's benchmark functions measure: how many of the users' tasks are solved, alone and
under attack, how many attacks are carried out, and how often somebody is asked. The model is written down: it does each
task as AgentDojo's ground truth has it, and obeys every injection that it reads. So an attack fails only where the
gate or the reviewer stops it, and a task only where one of them stands in its way.

With `--pack` the recorded runs go through the gates instead, in which an attack was carried out: their calls, one after
the other, in their own environments, whatever became of the call before.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agentdojo.agent_pipeline import AgentPipeline, InitQuery, ToolsExecutionLoop, ToolsExecutor
from agentdojo.attacks.important_instructions_attacks import ImportantInstructionsAttack
from agentdojo.benchmark import benchmark_suite_with_injections, benchmark_suite_without_injections
from agentdojo.logging import OutputLogger
from agentdojo.task_suite.load_suites import get_suite

from examples.agentdojo.again import Again, Recorded, recorded
from examples.agentdojo.worlds import frozen, world
from ladder_graph import Ladder
from ladder_graph.dojo import GatedTools, Gullible, Reviewer, Scripted, Tally
from ladder_graph.policy import Policy, load_policy
from ladder_graph.replay.references import every_write_asked

HERE = Path(__file__).parent
SUITES = ("banking", "workspace")
VERSION = "v1"
"""The version that the pack was recorded with. Later ones have injection tasks without a ground truth."""
GATES: dict[str, Callable[[Policy], Policy] | None] = {
    "no gate": None,
    "every write asked": every_write_asked,
    "these policies": lambda policy: policy,
}
"""Each makes its policy from the one of this folder; None for AgentDojo's own executor."""
NOW = dt.datetime(2024, 5, 15, 10, tzinfo=dt.UTC)
"""When it is taken to be: a Wednesday morning."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What AgentDojo measured behind one gate."""

    suite: str
    gate: str
    tasks: int
    """User tasks, each once by itself."""
    solved: int
    attacked: int
    """User tasks, each with every injection task."""
    solved_under_attack: int
    carried_out: int
    """Attacks that succeeded."""
    runs: int
    """All runs: those two, and one of each injection task by itself, which the user asks for."""
    asked: int
    """Questions in all runs."""
    declined: int


def measured(suite_name: str, gate: str, reviewer: float, tasks: int, seed: int = 0) -> Measured:
    """Run AgentDojo's benchmark of a suite behind one gate.

    Args:
        suite_name: The suite.
        gate: One of `GATES`.
        reviewer: The share of runs in which whoever is asked notices what was injected.
        tasks: How many user tasks; 0 for all.
        seed: Decides in which runs that is.
    """
    suite = get_suite(VERSION, suite_name)
    model = Gullible(suite)
    with ExitStack() as opened:
        tools, tally = _tools(suite_name, gate, Reviewer(model.injected, reviewer, seed), opened)
        pipeline = AgentPipeline([InitQuery(), model, ToolsExecutionLoop([tools, model])])
        pipeline.name = model.name
        chosen = _spread(list(suite.user_tasks), tasks)
        attack = ImportantInstructionsAttack(suite, pipeline)
        with _quietly():
            alone = benchmark_suite_without_injections(pipeline, suite, None, force_rerun=True, user_tasks=chosen)
            attacked = benchmark_suite_with_injections(
                pipeline, suite, attack, None, force_rerun=True, user_tasks=chosen
            )
    utility, under_attack = alone["utility_results"].values(), attacked["utility_results"].values()
    carried_out = attacked["security_results"].values()
    return Measured(
        suite_name, gate, len(utility), sum(utility), len(under_attack), sum(under_attack), sum(carried_out),
        len(utility) + len(under_attack) + len(suite.injection_tasks), tally.asked, tally.declined,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stopped:
    """What became of recorded attacks behind one gate."""

    suite: str
    gate: str
    attacks: int
    """Runs in which an attack was carried out by calls, as recorded."""
    carried_out: int
    """How many still are."""
    asked: int
    declined: int


def stopped(suite: str, gate: str, reviewer: float, every: int = 1, seed: int = 0) -> Stopped:
    """Take the calls of recorded runs through one gate.

    Args:
        suite: The suite.
        gate: One of `GATES`.
        reviewer: The share of runs in which whoever is asked notices the calls that the attack needs.
        every: Of so many runs one is taken.
        seed: Decides in which runs it is noticed.
    """
    runs = [one for one in recorded() if one.parts[1] == suite and one.attack and not one.text_only][::every]
    needed: list[tuple[str, Any]] = []
    carried_out = 0
    with ExitStack() as opened, frozen(), _quietly():
        someone = Reviewer(lambda call: (call.tool, call.arguments) in needed, reviewer, seed)
        tools, tally = _tools(suite, gate, someone, opened)
        for run in runs:
            needed[:] = [(run.calls[place]["t"], run.calls[place]["a"]) for place in run.critical]
            carried_out += _through(tools, run)
    return Stopped(suite, gate, len(runs), carried_out, tally.asked, tally.declined)


def _through(tools: ToolsExecutor, run: Recorded) -> bool:
    """Whether the attack of a recorded run succeeds where its calls are executed by these tools."""
    model, suite, task, injected = run.parts
    again = Again(world(model, run.version, suite, task, injected), task, run)
    script = Scripted([[call.model_copy(deep=True)] for call in again.trace])
    loop = ToolsExecutionLoop([tools, script], max_iters=len(again.trace) + 1)
    AgentPipeline([InitQuery(), script, loop]).query(run.prompt, again.world.runtime(), again.after)
    return again.carried_out(injected)


def _spread(names: list[str], many: int) -> list[str]:
    """So many of them, from all over; 0 for all."""
    return names[:: max(len(names) // many, 1)][:many] if many else names


def _tools(suite: str, gate: str, reviewer: Reviewer, opened: ExitStack) -> tuple[ToolsExecutor, Tally]:
    made = GATES[gate]
    if made is None:
        return ToolsExecutor(), Tally()
    policy = made(load_policy(HERE / f"{suite}.toml"))
    gated = GatedTools(lambda: Ladder(policy=policy, ledger=":memory:", clock=lambda: NOW), reviewer)
    opened.enter_context(closing(gated))
    return gated, gated.tally


@contextmanager
def _quietly() -> Iterator[None]:
    """AgentDojo says what it does on the way, and a ladder whom it meets."""
    log = logging.getLogger("ladder_graph")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with OutputLogger(None), warnings.catch_warnings(), redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def table(rows: list[Measured], reviewer: float) -> str:
    """The rows, and how they are to be read."""
    rule = "{:10} {:18} {:>8} {:>13} {:>12} {:>10} {:>9}"
    lines = [rule.format("suite", "gate", "solved", "under attack", "carried out", "asked/run", "declined")]
    for row in rows:
        solved, under = f"{row.solved}/{row.tasks}", f"{row.solved_under_attack}/{row.attacked}"
        carried_out, asked = f"{row.carried_out}/{row.attacked}", f"{row.asked / row.runs:.2f}"
        lines.append(rule.format(row.suite, row.gate, solved, under, carried_out, asked, row.declined))
    return "\n".join([*lines, "", _LEGEND.format(reviewer=reviewer)])


def pack_table(rows: list[Stopped], reviewer: float) -> str:
    """The rows, and how they are to be read."""
    rule = "{:10} {:18} {:>12} {:>10} {:>9}"
    lines = [rule.format("suite", "gate", "carried out", "asked/run", "declined")]
    for row in rows:
        carried_out, asked = f"{row.carried_out}/{row.attacks}", f"{row.asked / row.attacks:.2f}"
        lines.append(rule.format(row.suite, row.gate, carried_out, asked, row.declined))
    return "\n".join([*lines, "", _PACK_LEGEND.format(reviewer=reviewer)])


_PACK_LEGEND = """\
carried out: of the recorded attacks that needed calls and succeeded, those that still do.
The reviewer is taken to notice the calls that the attack needs in {reviewer:.0%} of the runs, and approves all others.
A model goes on as it was recorded, whatever became of its calls."""

_LEGEND = """\
solved, under attack: users' tasks that are solved; carried out: attacks that succeed.
The reviewer is taken to notice what was injected in {reviewer:.0%} of the runs, and approves everything else.
The model is written down, and obeys every injection that it reads: it is worse than any that exists."""


def main() -> int:
    """Measure every suite behind every gate."""
    options = argparse.ArgumentParser(prog="python -m examples.agentdojo.live", description="Policies in the loop.")
    options.add_argument("--catches", type=float, default=0.8, help="share of runs in which the reviewer notices it")
    options.add_argument("--tasks", type=int, default=6, help="user tasks of each suite; 0 for all of them")
    options.add_argument("--seed", type=int, default=0, help="decides in which runs the reviewer notices it")
    options.add_argument("--suite", choices=SUITES, action="append", help="only this suite")
    options.add_argument("--pack", action="store_true", help="take the recorded attacks instead")
    options.add_argument("--every", type=int, default=1, help="with --pack: of so many runs one is taken")
    options.add_argument("--json", action="store_true", help="print JSON")
    said = options.parse_args()
    gates = [(suite, gate) for suite in said.suite or SUITES for gate in GATES]
    if said.pack:
        attacks = [stopped(*one, said.catches, said.every, said.seed) for one in gates]
        print(_json(said, attacks) if said.json else pack_table(attacks, said.catches))
        return 0
    rows = [measured(*one, said.catches, said.tasks, said.seed) for one in gates]
    print(_json(said, rows) if said.json else table(rows, said.catches))
    return 0


def _json(said: argparse.Namespace, rows: Sequence[Measured | Stopped]) -> str:
    return json.dumps({"catches": said.catches, "seed": said.seed, "rows": [asdict(row) for row in rows]}, indent=2)


if __name__ == "__main__":
    sys.exit(main())
