"""What each tool claims, held against what is really in place; and whether ledger, drafts and people are."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ladder_graph.cli.place import MEMORY, Place, absent
from ladder_graph.errors import LedgerError, PolicyError
from ladder_graph.policy import Policy, Rule
from ladder_graph.policy.checks import Http
from ladder_graph.scale import Rung
from ladder_graph.watch import measure

if TYPE_CHECKING:
    from ladder_graph.desk import Cell
    from ladder_graph.ladder import Ladder
    from ladder_graph.ledger.rows import FootingRow
    from ladder_graph.steps import Reason

Verdict = Literal["good", "note", "wrong"]

ADVICE = {
    "no_checkpointer": 'wrap(graph, checkpointer=...), or checkpointer="host" on a LangGraph server',
    "no_bounds": "add bounds = [...] to the tool, or read_only = true if it changes nothing",
    "egress": "add a bound on it, such as host or one_of, or say egress = false where nothing leaves",
    "no_undo": "declare one below @tool: @reversible(prepare=..., undo=...)",
    "not_mounted": "run the agent once, or mount its graph",
    "no_check": "add checks = [...] to the tool",
    "no_reader": 'name one under [reports]: reader = "..."',
    "reports_overdue": "read them with `ladder reports`, and say so with `ladder ack`",
    "ceiling": "raise the ceiling, or lower the rung",
    "demoted": "`ladder log --tool` tells what happened; it stays there until it has earned more",
    "model_unreported": "ask for a dated model id, or use a provider that reports the model",
    "environment_unknown": "let the model be called inside the graph, where the ladder sees it",
}
"""What to do about a reason, by its code."""

LATEST = 10_000
"""How many entries are looked through for the last edit of the policy."""

CHANGED = "once you trust what runs now, `ladder lock` grants the rungs to it"
"""What to do about a change of model, prompt, parameters or tools."""


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to know, and what to do about it."""

    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one thing."""

    about: str
    verdict: Verdict
    """`wrong` is what stops a rung; `note` is what somebody should see."""
    text: str
    points: tuple[Point, ...] = ()


def examine(place: Place) -> Iterator[Finding]:
    """Look at everything, the policy first.

    Raises:
        LadderError: There is no policy at all.
    """
    try:
        policy = place.read_policy()
    except PolicyError as wrong:
        yield Finding(
            "policy",
            "wrong",
            "nothing of it was loaded; an agent that runs keeps the policy it has",
            tuple(map(Point, wrong.problems)),
        )
        return
    yield Finding("policy", "good", f"{place.policy}: {_counted(policy)} of {policy.agent}")
    file = place.ledger_file(policy)
    missing = absent(file)
    try:
        with place.opened(policy, MEMORY if missing else file) as ladder:
            yield _new_ledger(missing, file) if missing else _ledger(ladder, file)
            yield from _around(ladder, place)
            return
    except LedgerError as wrong:
        yield Finding("ledger", "wrong", str(wrong))
    with place.opened(policy, MEMORY) as ladder:
        yield from _around(ladder, place)


def _counted(policy: Policy) -> str:
    count, many = len(policy.named), len(policy.tools) - len(policy.named)
    said = f"{count} tool{'s' * (count != 1)}"
    return f"{said} and {many} glob{'s' * (many != 1)}" if many else said


def _around(ladder: Ladder, place: Place) -> Iterator[Finding]:
    yield from _revision(ladder)
    yield _drafts(ladder)
    yield _lock(ladder, place)
    yield _reports(ladder)
    yield from _people(ladder)
    yield from _tools(ladder)


def _new_ledger(missing: str, file: str) -> Finding:
    if file == MEMORY:
        return Finding("ledger", "note", missing)
    folder = Path(file).absolute().parent
    if folder.is_dir() and os.access(folder, os.W_OK):
        return Finding("ledger", "note", f"{missing}; the first run makes it")
    return Finding(
        "ledger",
        "wrong",
        f"{missing}, and {folder} can't be written",
        (Point("", f"make {folder}, or name another ledger"),),
    )


def _ledger(ladder: Ladder, file: str) -> Finding:
    """Open by now; writing is tried, and the end of each chain is checked. `ladder verify` checks all of it."""
    if "://" in file:
        file = ladder.store.source  # without the password
    ladder.store.write(lambda _: None)
    problems = ladder.reading.loose_ends()
    if problems:
        points = tuple(Point(problem) for problem in problems)
        return Finding(
            "ledger", "wrong", f"{file}: a chain is broken", (*points, Point("", "`ladder verify` tells where"))
        )
    return Finding("ledger", "good", f"{file}: it can be written, and the chains end where they should")


def _revision(ladder: Ladder) -> Iterator[Finding]:
    """What a running agent made of the last edit of the file, unless it has acted under what stands there now."""
    entries = ladder.log(limit=LATEST)
    last = next((n for n in range(len(entries) - 1, -1, -1) if entries[n].kind == "policy"), None)
    if last is None:
        return
    body, revision = entries[last].body, ladder.policy.revision
    if body.get("problems") and all(entry.body.get("policy") != revision for entry in entries[last:]):
        points = (*map(Point, body["problems"]), Point("", "mend the file, or restart the agent"))
        yield Finding("revision", "wrong", f"the agent keeps revision {body['policy']}, and not the file's", points)
    elif body.get("policy") == revision:
        yield Finding("revision", "good", f"{revision}: taken up by a running agent")


def _drafts(ladder: Ladder) -> Finding:
    folder = ladder.workspace.directory
    near = next((place for place in (folder, *folder.absolute().parents) if place.exists()), folder)
    shown = os.path.relpath(folder)
    if near.is_dir() and os.access(near, os.W_OK):
        return Finding(
            "drafts", "good", f"{shown}: can be written" if near == folder else f"{shown}: made at the first draft"
        )
    return Finding(
        "drafts",
        "wrong",
        f"{shown}: can't be written, so nothing can be drafted",
        (Point("", f"mend the rights of {near}"),),
    )


def _lock(ladder: Ladder, place: Place) -> Finding:
    pinned, _ = ladder.environments()
    if place.lock.exists():
        return Finding("lock", "good", f"{place.lock}: the rungs are granted to {pinned or 'nobody yet'}")
    granted = (
        f"the rungs are granted to {pinned}, the first that was seen"
        if pinned
        else "the first environment seen is granted the rungs"
    )
    return Finding("lock", "note", f"no {place.lock}: {granted}", (Point("", "`ladder lock` pins it in your name"),))


def _reports(ladder: Ladder) -> Finding:
    reader = ladder.policy.reports.reader
    wanted = [name for name, rule in ladder.policy.tools.items() if rule.rung is Rung.REPORT]
    now = ladder.clock()
    unread = ladder.reports()
    late = sum(report.overdue(now) for report in unread)
    if late:
        text = (
            f"{late} of {len(unread)} unread {'is' if late == 1 else 'are'} overdue, so nothing stands on rung report"
        )
        return Finding("reports", "wrong", text, (Point("", ADVICE["reports_overdue"]),))
    if reader is None and wanted:
        text = f"nobody is named to read them, and {', '.join(wanted)} should be reported"
        return Finding("reports", "wrong", text, (Point("", ADVICE["no_reader"]),))
    if reader is None:
        return Finding("reports", "good", "nobody is named to read them, and no tool is to be reported")
    return Finding("reports", "good", f"{reader} reads them; {len(unread) or 'none'} unread")


def _people(ladder: Ladder) -> Iterator[Finding]:
    now, questions, doubtful = ladder.clock(), ladder.pending(), ladder.in_doubt()
    late = sum(now >= question.expires_at for question in questions)
    if questions:
        expired = f", {late} of them expired" if late else ""
        yield Finding(
            "questions", "note", f"{len(questions)} waiting{expired}", (Point("", "`ladder pending` lists them"),)
        )
    else:
        yield Finding("questions", "good", "none waits")
    if doubtful:
        points = tuple(
            Point(f"{action.tool} ({action.short}) is {action.state}", _remedy(action.state, action.short))
            for action in doubtful
        )
        yield Finding("doubt", "note", f"{len(doubtful)} that a person must look at", points)


def _remedy(state: str, short: str) -> str:
    if state == "unknown":
        return f"find out, then: ladder resolve {short} --happened or --absent"
    if state == "started":
        return (
            f"its process is gone; resume its thread, or find out, then: ladder resolve {short} --happened or --absent"
        )
    return f"see `ladder show {short}`, and put things right by hand"


# --- tools -----------------------------------------------------------------------------------------------------------


def _tools(ladder: Ladder) -> Iterator[Finding]:
    policy, footings = ladder.policy, {}
    for cell in ladder.status():
        if cell.agent not in footings:
            footings[cell.agent] = ladder.reading.footings(cell.agent)
        about = cell.tool if cell.agent == policy.agent else f"{cell.agent}: {cell.tool}"
        yield _tool(cell, about, policy, footings[cell.agent])
    known = {policy.entry(tool) for agent in footings for tool in footings[agent]}
    for glob in sorted(policy.tools.keys() - policy.named - known) if known else ():
        yield Finding(glob, "note", "no graph has a tool for this entry", (Point("", "take it out, or mend it"),))


def _tool(cell: Cell, about: str, policy: Policy, footings: dict[str, FootingRow]) -> Finding:
    rule, stands = policy.rule(cell.tool), cell.route.rung
    by = f"; by the entry {cell.entry}" if cell.entry not in {cell.tool, None} else ""
    points = [_point(reason) for reason in cell.route.reasons]
    points += _checks(rule) if stands >= Rung.ROLLBACK else ()
    if points:
        blocked = "" if stands == cell.claimed else f", the policy says {cell.claimed.word}"
        # Not having looked yet is no fault.
        unseen = all(point.advice == ADVICE["not_mounted"] for point in points)
        return Finding(about, "note" if unseen else "wrong", f"stands on {stands.word}{blocked}{by}", tuple(points))
    odd = _odd(cell.tool, policy, footings)
    return Finding(about, "note" if odd else "good", f"stands on {stands.word}{_in_place(rule, cell)}{by}", odd)


def _point(reason: Reason) -> Point:
    demoted = "demoted: " if reason.code == "demoted" else ""
    return Point(f"{demoted}{reason.text}", ADVICE.get(reason.code, CHANGED))


def _odd(tool: str, policy: Policy, footings: dict[str, FootingRow]) -> tuple[Point, ...]:
    if policy.entry(tool) is None:
        near = difflib.get_close_matches(tool, policy.named, 1)
        hint = f"did you mean {near[0]}?" if near else f"add [tools.{tool}]"
        return (Point("the policy doesn't name it, so it only suggests", hint),)
    if footings and tool not in footings:
        near = difflib.get_close_matches(tool, footings, 1)
        return (
            Point(
                "no graph has such a tool", f"did you mean {near[0]}?" if near else "take it out, or mount its graph"
            ),
        )
    return ()


def _in_place(rule: Rule, cell: Cell) -> str:
    """What holds it there, in words."""
    stands, there = cell.route.rung, []
    if stands >= Rung.BOUNDED:
        there = ["it only reads"] if rule.read_only else [f"{len(rule.bounds)} bound{'s' * (len(rule.bounds) != 1)}"]
    if stands >= Rung.ROLLBACK and not rule.read_only:
        there += ["an undo", f"{len(rule.checks)} health check{'s' * (len(rule.checks) != 1)}"]
    if stands is Rung.CONFIRM and rule.confirm.type:
        there = [f"the {rule.confirm.type} is typed"]
    return f": {', '.join(there)}" if there else ""


def _checks(rule: Rule) -> list[Point]:
    """The health checks as they are now: one that can't be healthy undoes every action."""
    points = []
    for check in rule.checks:
        if isinstance(check, Http):
            once = check.model_copy(update={"count": 1, "delay": 0.0})
            if (trouble := measure([once], {})) is not None:
                points.append(Point(trouble, "until it is healthy, every action is undone"))
            continue
        module, _, name = check.function.partition(":")
        try:
            getattr(import_module(module), name)
        except Exception as wrong:  # noqa: BLE001  # somebody's module; whatever it raises is said
            points.append(
                Point(f"the health check {check.function} can't be loaded: {wrong}", "every action would be undone")
            )
    return points


def stopped(findings: list[Finding]) -> bool:
    """Whether anything keeps a rung from being what the policy says."""
    return any(finding.verdict == "wrong" for finding in findings)
