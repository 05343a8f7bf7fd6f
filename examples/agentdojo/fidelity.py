"""Are the recorded runs what AgentDojo's environments make of them?

`python -m examples.agentdojo.fidelity` runs all of them again, prints what it found as `docs/fidelity.md` has it, and
exits with 1 where that is something else. `--write` writes the page, and `fidelity.json` beside the pack, anew.
`--lines` prints the lines of the pack without the unfaithful runs, to be replayed: `... | ladder replay - --policy …`.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from examples.agentdojo.again import BUCKETS, LIKENESSES, PACK, Bucket, Found, Likeness, recorded, rerun

HERE = Path(__file__).parent
FOUND = HERE / "fidelity.json"
PAGE = HERE.parent.parent / "docs" / "fidelity.md"
_AT_A_TIME = 80
"""Runs that a process takes at a time: about two user tasks' worth, whose worlds are alike."""

_HEAD = """# Fidelity of the recorded runs

<!-- Written by python -m examples.agentdojo.fidelity --write -->

The pack of `examples/agentdojo` holds tool calls, hashes of outputs and verdicts. Here every call was run again, in
order, in AgentDojo's own environment of that run, with the attack's text where the run was attacked, and by a clock
that stands still; the verdicts were drawn anew. A run that doesn't come out as it was recorded is counted apart, and so
is one that the pack can't decide. The calls that an attack needs were found anew, too, by leaving each one out.

The runs were recorded with early releases of the package `agentdojo`. Where its data, and the way in which arguments
reach a tool, have changed since, they are taken as they were then: `examples/agentdojo/worlds.py` says what that is."""

_WHY = """\
The check of banking's user task 13 has become milder since the runs were recorded: a city that holds "New York" will
do, where it had to be exactly that. One attack carries out its goal twice, so that it needs neither call alone.
Why one output is another is not known.

Without these runs the totals in the table of the policies differ by one point in a hundred at most:

```sh
python -m examples.agentdojo.fidelity --lines |
  ladder replay - --policy examples/agentdojo --references --at 2024-05-15T10:00Z
```"""

Document = dict[str, Any]
"""What was found, as JSON."""


def whole() -> Document:
    """Run the whole pack again, on all processors, and count."""
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        return document(processes.map(rerun, recorded(), chunksize=_AT_A_TIME))


def document(runs: Iterable[Found]) -> Document:
    """Count what came of runs.

    Args:
        runs: What came of each.
    """
    suites: dict[str, _Count] = {}
    undecided, unfaithful = [], {}
    for found in runs:
        run = found.run
        suites.setdefault(run.parts[1], _Count()).add(found)
        if found.bucket == "undecided":
            undecided.append(run.id)
        elif found.bucket == "unfaithful":
            unfaithful[run.id] = list(found.reasons())
    counted = {name: count.document() for name, count in sorted(suites.items())}
    return {"suites": counted, "unfaithful": unfaithful, "undecided": undecided}


@dataclass(slots=True)
class _Count:
    """The counts of one suite."""

    runs: Counter[Bucket] = field(default_factory=Counter)
    outputs: Counter[Likeness] = field(default_factory=Counter)
    utility: Counter[str] = field(default_factory=Counter)
    attack: Counter[str] = field(default_factory=Counter)

    def add(self, found: Found) -> None:
        run = found.run
        self.runs[found.bucket] += 1
        self.outputs.update(found.outputs)
        known = "agree" if run.utility in found.utility else "differ"
        self.utility[known if len(found.utility) == 1 else "undecided"] += 1
        if run.attack is not None:
            self.attack["agree" if found.attack == run.attack else "differ"] += 1

    def document(self) -> Document:
        counters: dict[str, Counter[Any]] = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: dict(sorted(counter.items())) for name, counter in counters.items()}


def page(found: Document) -> str:
    """What was found, as a page in Markdown.

    Args:
        found: The document.
    """
    lines = [_HEAD]
    for part, kinds, title in (("runs", BUCKETS, "run"), ("outputs", LIKENESSES, "output")):
        lines += ["", f"| suite | {title}s | " + " | ".join(kinds) + " |", "|---|" + "---:|" * (len(kinds) + 1)]
        lines += [_row(name, suite[part], kinds) for name, suite in _with_total(found["suites"], part)]
        lines += ["", *(f"- **{kind}**: {meaning}" for kind, meaning in kinds.items())]
    lines += ["", "## Verdicts", "", _verdicts(found["suites"])]
    lines += ["", "## Unfaithful runs", "", "| run | what is otherwise |", "|---|---|"]
    lines += [f"| {run} | {'; '.join(reasons)} |" for run, reasons in found["unfaithful"].items()]
    lines += ["", _WHY, "", "## Undecided runs, by task", "", _tasks(found["undecided"]), ""]
    return "\n".join(lines)


def _with_total(suites: Mapping[str, Any], part: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    total: Counter[str] = Counter()
    for name, suite in suites.items():
        total.update(suite[part])
        yield name, suite
    yield "total", {part: total}


def _row(name: str, counts: Mapping[str, int], kinds: Iterable[str]) -> str:
    total = sum(counts.values())
    cells = (f"{counts.get(kind, 0):,} ({counts.get(kind, 0) / total:.1%})" for kind in kinds)
    return f"| {name} | {total:,} | {' | '.join(cells)} |"


def _verdicts(suites: Mapping[str, Any]) -> str:
    utility, attack = Counter[str](), Counter[str]()
    for suite in suites.values():
        utility.update(suite["utility"])
        attack.update(suite["attack"])
    judged = utility["agree"] + utility["differ"]
    return (
        f"On the user's task: of {utility.total():,} verdicts {utility['undecided']:,} can't be drawn from the pack;\n"
        f"of the other {judged:,}, {utility['agree']:,} are the recorded ones ({utility['agree'] / judged:.1%}). On "
        f"the attack:\n{attack['agree']:,} of {attack.total():,} are ({attack['agree'] / attack.total():.1%})."
    )


def _tasks(undecided: Iterable[str]) -> str:
    tasks = Counter(tuple(run.split("/")[1:3]) for run in undecided)
    by_suite = itertools.groupby(
        sorted(tasks, key=lambda one: (one[0], int(one[1].split("_")[-1]))), lambda one: one[0]
    )
    return "\n".join(
        f"- {suite}: {', '.join(f'{name} ({tasks[suite, name]})' for _, name in group)}" for suite, group in by_suite
    )


def lines() -> Iterator[str]:
    """The pack's lines without the runs that were found unfaithful."""
    unfaithful = json.loads(FOUND.read_text(encoding="utf-8"))["unfaithful"]
    with gzip.open(PACK, "rt", encoding="utf-8") as pack:
        yield from (line for line in pack if json.loads(line)["id"] not in unfaithful)


def main() -> int:
    """Run the whole pack again."""
    options = argparse.ArgumentParser(prog="python -m examples.agentdojo.fidelity", description="Runs, run again.")
    options.add_argument("--write", action="store_true", help="write the page and its figures anew")
    options.add_argument("--lines", action="store_true", help="print the pack without the runs that are unfaithful")
    said = options.parse_args()
    if said.lines:
        sys.stdout.writelines(lines())
        return 0
    found = whole()
    if said.write:
        FOUND.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page(found), encoding="utf-8")
    print(page(found))
    same = found == json.loads(FOUND.read_text(encoding="utf-8"))
    if not same:
        print(f"this is not what {FOUND} says; write it anew with --write", file=sys.stderr)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
