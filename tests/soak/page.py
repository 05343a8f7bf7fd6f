"""`docs/soak.md`, from the figures of the last run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
PAGE, FIGURES = DOCS / "soak.md", DOCS / "soak.json"

HEAD = """# A soak

What becomes of a fleet whose processes and whose database are killed at random. `make soak` runs it, and writes this
page and [soak.json](soak.json) from what it measured; no figure here is written by hand.

Everything is real: {workers} worker processes with LangGraph graphs on a PostgreSQL checkpointer, {watchers} processes
of `ladder watch`, one `ladder console` at which three people sign in, read pages and send their forms, and one
PostgreSQL server that holds ledger and threads. A scripted model wants one to three calls in each turn, of eleven tools
on all six rungs; what they do are requests to a world in the run's own process, files, pages, and messages in an
outbox, each with the id of its call and a random word for each attempt. One action in eight or so is bad, at once or
after a while.

For {seconds} seconds something was done every {gap:g} seconds or so, drawn from the seed {seed}: processes got SIGKILL,
or SIGSTOP and, up to two and a half seconds later, SIGCONT; the database was stopped as by a power cut, its postmaster
was killed, single sessions were cut. What was killed came back, as under any supervisor. Then everything was left in
peace, came to rest in {drained} seconds, and what was in doubt was looked after in the world and said.

The run began at {began}, on {cores} cores, with Python {python}.

## What must hold

Checked from outside, by the world, the files, the outbox and plain SQL, without a look at what the product thinks of
itself; the last two are its own commands. Each says how much it looked at, since one that looked at nothing proves
nothing. `tests/soak/test_soak.py` gives each check records in which just that is wrong, and runs the soak with rules of
the protocol left out.

| what must hold | looked at | wrong |
|---|---:|---:|
"""

DONE = """
## What was done to them

{processes} processes had {lives} lives. `ended by itself` is one that could not start without its database, or could
not go on, and was started again.

| | times |
|---|---:|
"""

WORK = """
## What they got done meanwhile

As long as they were harmed: {calls:,} calls, {calls a second:g} a second; {effects:,} effects, {effects a second:g} a
second; {entries:,} entries in the ledger, {entries a second:g} a second. The table has all of them. What stands in the
way here is meant to: limits, people who think, and a database that is away.

| tool | claims rung | calls | ran unasked | asked | ran | ended as |
|---|---:|---:|---:|---:|---:|---|
"""

QUESTIONS = """
## Questions

Ended as: {states}. People pressed buttons {answers:,} times; {taken:,} answers were taken, and of {unsure} the console
died before it said so. {forsaken} belong to a question that its thread has lost in a crash and asked again. Drafts:
{drafts}.

| | times | p50, s | p99, s |
|---|---:|---:|---:|
"""

FOUND = """
## What others found out

| | |
|---|---:|
{rows}
{count} actions were in doubt, none was run again, and each held its quota until somebody had looked:

{ended}
Left to a person, since an undo could not be made or nobody could measure:

{held}"""

NOT_TOLD = """
## What it doesn't tell

- A worker isn't stopped while the database is away. One that stands still between its last look at its session and its
  effect, for as long as the server needs to come back, is taken for dead, and its effect still happens once it goes on:
  nobody but the resource itself could refuse that. A probe that says "cannot tell" as long as something may be on its
  way makes a doubt of it.
- Limits are counted anew from what ran, with the moment of the claim for that of the decision. A call that something
  held up right before it, or that was claimed in the first seconds of a minute, is left out. Budgets of threads are
  compared exactly.
- A conversation that loses its last checkpoint in a crash may ask the same thing again under another id. The first
  question then belongs to no thread any more, and runs nothing.
- An approval that isn't used until its question's time is up is void; with questions of 25 seconds and a database that
  is away now and then, that happens.
- It is one machine, one disk, and a network that loses nothing.
"""


def page(found: Mapping[str, Any]) -> str:
    """The page."""
    parts = (
        HEAD.format(**found["run"]),
        checks(found),
        harm(found),
        work(found),
        waiting(found),
        left(found),
        NOT_TOLD,
    )
    return "".join(parts)


def row(*cells: object) -> str:
    """A row of a table; numbers with their thousands apart."""
    return f"| {' | '.join(f'{one:,}' if isinstance(one, int | float) else str(one) for one in cells)} |\n"


def listed(lines: list[str], nothing: str) -> str:
    """A list, or that there is nothing."""
    return "".join(f"- {one}\n" for one in lines or [nothing])


def counted(counts: Mapping[str, int]) -> str:
    """Counts in a sentence."""
    return ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "none"


def checks(found: Mapping[str, Any]) -> str:
    """What must hold, and what doesn't."""
    rows = "".join(row(one["holds"], one["looked_at"], len(one["wrong"])) for one in found["checks"])
    wrong = [text for one in found["checks"] for text in one["wrong"][:10]]
    return rows + (f"\nWhat was wrong:\n\n{listed(wrong, '')}" if wrong else "")


def harm(found: Mapping[str, Any]) -> str:
    """What was done to them."""
    done = DONE.format(processes=len(found["lives"]), lives=sum(found["lives"].values()))
    return done + "".join(row(*one) for one in sorted(found["acts"].items()) if one[0] != "database back")


def work(found: Mapping[str, Any]) -> str:
    """What they got done meanwhile."""
    names, tools = ("calls", "unasked", "asked", "ran"), found["calls"]
    rows = [row(one["tool"], one["claims"], *(one[name] for name in names), counted(one["states"])) for one in tools]
    all_ = row("all", "", *(sum(one[name] for one in tools) for name in names), "")
    return WORK.format(**found["throughput"]) + "".join(rows) + all_


def waiting(found: Mapping[str, Any]) -> str:
    """Questions, and how long who waited for whom."""
    asked = {**found["questions"], **{name: counted(found["questions"][name]) for name in ("states", "drafts")}}
    rows = (row(name, one["count"], one.get("p50", ""), one.get("p99", "")) for name, one in found["times"].items())
    return QUESTIONS.format(**asked) + "".join(rows)


def left(found: Mapping[str, Any]) -> str:
    """What others found out, and what was left to people."""
    ended = [f"{count} of {how}" for how, count in found["doubts"]["ended"].items()]
    return FOUND.format(
        rows="".join(row(*one) for one in found["recoveries"].items()), count=found["doubts"]["count"],
        ended=listed(ended, "none"), held=listed(found["people"], "nothing"),
    )  # fmt: skip


def write(found: Mapping[str, Any]) -> None:
    """Write the page, and the figures beside it."""
    FIGURES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(found), encoding="utf-8")
