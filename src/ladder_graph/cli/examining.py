"""What each tool claims, held against what is really in place; and whether ledger, drafts and people are."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ladder_graph.cli import claims, earning, hearing, reach, safeguards
from ladder_graph.cli.findings import Finding, Point
from ladder_graph.cli.place import MEMORY, Place, absent
from ladder_graph.envelopes import SHORTEST
from ladder_graph.errors import LedgerError, LedgerUnwritable, PolicyError
from ladder_graph.ledger.database.sources import on_server
from ladder_graph.ledger.upkeep import trials
from ladder_graph.policy import Policy, Rule
from ladder_graph.policy.checks import Python
from ladder_graph.scale import Rung
from ladder_graph.watch.readiness import unready

if TYPE_CHECKING:
    from ladder_graph.facts import Reason
    from ladder_graph.inventory.finding import Known
    from ladder_graph.ladder import Ladder
    from ladder_graph.ladder.desk import Cell
    from ladder_graph.ledger import Action

ADVICE = {
    "no_checkpointer": 'wrap(graph, checkpointer=...), or checkpointer="host" on a LangGraph server',
    "no_bounds": "add bounds = [...] to the tool, or read_only = true if it changes nothing",
    "already_firing": "see to the alert; once it is resolved, the tool goes on",
    "no_watcher": "run `ladder watch`",
    "not_rehearsed": "`ladder rehearse MODULE:TOOL --args JSON` tries its undo out",
    "undo_not_portable": "move its undo to the top of a module that another process can import",
    "undo_too_short": "watch it for a shorter time, or declare an undo that lasts",
    "egress": "add a bound on it, such as host or one_of, or say egress = false where nothing leaves",
    "no_canary_check": "give it a check before the reply, or a watch.canary in which one is measured",
    "no_undo": "declare one below @tool: @reversible(prepare=..., undo=...)",
    "not_mounted": "run the agent once, or mount its graph",
    "no_check": "add checks = [...] to the tool",
    "no_reader": hearing.NAME,
    "reports_overdue": hearing.READ,
    "channel_mute": hearing.SEND,
    "ceiling": "raise the ceiling, or lower the rung",
    "restored": "go through what is missing, then `ladder restore --acknowledge`",
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
class Hand:
    """The tools at hand, beside those that the ledger has seen."""

    known: Mapping[str, Known] = field(default_factory=dict)
    whole: bool = False
    """They are all there are, and not those of a server alone."""


def examine(place: Place, hand: Hand | None = None) -> Iterator[Finding]:
    """Look at everything, the policy first.

    Args:
        place: Where policy and ledger are.
        hand: The tools at hand.

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
    hand = hand or Hand()
    file = place.ledger_file(policy)
    missing = absent(file)
    try:
        with place.opened(policy, MEMORY if missing else file) as ladder:
            yield _new_ledger(missing, file) if missing else _ledger(ladder, file)
            yield from _around(ladder, place, hand)
            return
    except LedgerError as wrong:
        yield Finding("ledger", "wrong", str(wrong))
    with place.opened(policy, MEMORY) as ladder:
        yield from _around(ladder, place, hand)


def _counted(policy: Policy) -> str:
    count, many = len(policy.named), len(policy.tools) - len(policy.named)
    said = f"{count} tool{'s' * (count != 1)}"
    return f"{said} and {many} glob{'s' * (many != 1)}" if many else said


def _around(ladder: Ladder, place: Place, hand: Hand) -> Iterator[Finding]:
    yield from _revision(ladder)
    yield _drafts(ladder)
    yield _lock(ladder, place)
    yield from hearing.examine(ladder)
    yield from _people(ladder)
    yield from _keys(ladder.policy)
    yield from reach.examine(ladder.policy, place)
    yield from safeguards.examine(ladder)
    yield from earning.examine(ladder)
    yield from _tools(ladder, hand)


def _new_ledger(missing: str, file: str) -> Finding:
    if file == MEMORY:
        return Finding("ledger", "note", missing)
    if on_server(file):
        return Finding("ledger", "note", f"{missing}; the first run makes it, or `ladder migrate`")
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
    problems = ladder.reading.loose_ends()
    if problems:
        points = tuple(Point(problem) for problem in problems)
        return Finding(
            "ledger", "wrong", f"{file}: a chain is broken", (*points, Point("", "`ladder verify` tells where"))
        )
    if not trials.may_write(ladder.store):
        said = "this role may only read it, so that it wasn't tried to write; the chains end where they should"
        return Finding("ledger", "note", f"{file}: {said}")
    if Path(file).is_file() and (names := Path(file).stat().st_nlink) > 1:
        said = f"{file}: the file has {names} names (hard links), and who opens it by another one sees nobody's locks"
        return Finding(
            "ledger",
            "wrong",
            said,
            (Point("", "leave one; a symbolic link does no harm, and `ladder backup` copies it"),),
        )
    try:
        trials.write(ladder.store)
    except LedgerUnwritable as wrong:  # It can be read all the same, so the rest is examined.
        return Finding("ledger", "wrong", str(wrong))
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
            Point(f"{action.tool} ({action.short}) is {action.state}", _remedy(ladder, action)) for action in doubtful
        )
        yield Finding("doubt", "note", f"{len(doubtful)} that a person must look at", points)


def _keys(policy: Policy) -> Iterator[Finding]:
    """Whether the keys of inboxes can be used in this process, which need not be the one where answers come in."""
    lacking = []
    for name, key in policy.keys.items():
        secret = os.environ.get(key.env, "")
        if len(secret) < SHORTEST:
            problem = f"has fewer than {SHORTEST} characters" if secret else "isn't set here"
            lacking.append(Point(f"{name}: {key.env} {problem}", "set it where signed answers come in"))
    if policy.keys:
        count = len(policy.keys)
        said = f"{count - len(lacking)} of {count} can be used in this process"
        yield Finding("keys", "note" if lacking else "good", said, tuple(lacking))


def _remedy(ladder: Ladder, action: Action) -> str:
    state, short = action.state, action.short
    if state == "unknown":
        return f"find out, then: ladder resolve {short} --happened or --absent"
    if state == "undoing":
        return f"the process that undid it is gone; go on with it: ladder undo {short}"
    if state == "started" and ladder.window(action.key) is not None:
        return (
            f"its process is gone; undo it: ladder undo {short}, or resume its thread, or find out, then: "
            f"ladder resolve {short} --happened or --absent"
        )
    if state == "started" and action.rung is Rung.DRAFT:
        return (
            f"its process is gone; `ladder resume-worker`, or ladder.run_accepted() in the agent's process, finds out "
            f"where its probe can tell; or look, then: ladder resolve {short} --happened or --absent"
        )
    if state == "started":
        return (
            f"its process is gone; resume its thread, or find out, then: ladder resolve {short} --happened or --absent"
        )
    return f"see `ladder show {short}`, and put things right by hand"


# --- tools -----------------------------------------------------------------------------------------------------------


def _tools(ladder: Ladder, hand: Hand) -> Iterator[Finding]:
    policy, footings = ladder.policy, {}
    _seat(ladder, hand)
    seen = set()
    for cell in ladder.status():
        if cell.agent not in footings:
            footings[cell.agent] = ladder.reading.footings(cell.agent)
        about = cell.tool if cell.agent == policy.agent else f"{cell.agent}: {cell.tool}"
        own = cell.agent == policy.agent
        there = hand.known if own and hand.whole else footings[cell.agent]
        seen.add(cell.tool)
        rehearsed = safeguards.rehearsed(ladder, cell)
        yield _tool(cell, about, policy, there, hand.known.get(cell.tool), rehearsed)
    for name in sorted(hand.known.keys() - seen):
        yield _at_hand(name, policy, hand.known[name])
    known = {policy.entry(tool) for tool in hand.known}
    known |= {policy.entry(tool) for agent in footings for tool in footings[agent]}
    yield from _globs(policy, known)


def _seat(ladder: Ladder, hand: Hand) -> None:
    """Let the ladder know what the tools at hand declare, and which undo the policy names for them."""
    from ladder_graph.ladder.seats import Seat

    for name, known in hand.known.items():
        undo = claims.undo_of(ladder.policy.rule(name))
        said = known.declaration if isinstance(undo, str) else known.declaration.merged(undo)
        ladder.seats[name] = Seat(said, version=known.version)


def _globs(policy: Policy, known: set[str | None]) -> Iterator[Finding]:
    for glob in sorted(policy.tools.keys() - policy.named - known):
        untrue = tuple(claims.untrue(policy.tools[glob], None))
        if untrue:
            yield Finding(glob, "wrong", "an entry that can't hold", untrue)
        elif known:
            yield Finding(glob, "note", "no graph has a tool for this entry", (Point("", "take it out, or mend it"),))


def _at_hand(name: str, policy: Policy, known: Known) -> Finding:
    """A tool that no graph has been seen with, and that the policy has a glob for, or nothing."""
    entry, rule = policy.entry(name), policy.rule(name)
    if entry is None and known.hands_over:
        return Finding(name, "good", "hands over to other agents, and runs without an entry")
    if entry is None:
        return Finding(name, "note", f"stands on {rule.rung.word}", _odd(name, policy, {}))
    untrue, notes = tuple(claims.untrue(rule, known)), tuple(claims.doubtful(rule, known))
    return Finding(
        name,
        "wrong" if untrue else "note",
        f"the policy says {rule.rung.word}; by the entry {entry}",
        (*untrue, *notes),
    )


def _tool(
    cell: Cell, about: str, policy: Policy, there: Mapping[str, object], known: Known | None, rehearsed: Point | None
) -> Finding:  # fmt: skip
    rule, stands = policy.rule(cell.tool), cell.route.rung
    by = f"; by the entry {cell.entry}" if cell.entry not in {cell.tool, None} else ""
    reasons = [_point(reason) for reason in cell.route.reasons]
    untrue = [*claims.untrue(rule, known), *(_checks(rule) if stands >= Rung.ROLLBACK else ())]
    notes = (
        *claims.doubtful(rule, known), *claims.nobody(policy, rule), *claims.sources(rule, there.keys()),
        *_odd(cell.tool, policy, there), *([] if rehearsed is None else [rehearsed]),
    )  # fmt: skip
    if reasons or untrue:
        blocked = "" if stands == cell.claimed else f", the policy says {cell.claimed.word}"
        # Not having looked yet is no fault, nor is it that an agent which watches for itself doesn't run now.
        harmless = {"not_mounted"} | ({"no_watcher"} if policy.watcher == "thread" else set())
        unseen = not untrue and all(reason.code in harmless for reason in cell.route.reasons)
        points = (*reasons, *untrue, *notes)
        return Finding(about, "note" if unseen else "wrong", f"stands on {stands.word}{blocked}{by}", points)
    return Finding(about, "note" if notes else "good", f"stands on {stands.word}{_in_place(rule, cell)}{by}", notes)


def _point(reason: Reason) -> Point:
    demoted = "demoted: " if reason.code == "demoted" else ""
    return Point(f"{demoted}{reason.text}", ADVICE.get(reason.code, CHANGED))


def _odd(tool: str, policy: Policy, there: Mapping[str, object]) -> tuple[Point, ...]:
    if policy.entry(tool) is None:
        near = difflib.get_close_matches(tool, policy.named, 1)
        hint = f"did you mean {near[0]}?" if near else f"add [tools.{tool}]"
        return (Point("the policy doesn't name it, so it only suggests", hint),)
    if there and tool not in there:
        near = difflib.get_close_matches(tool, there, 1)
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
    if stands >= Rung.CONFIRM and cell.part_first:
        there += ["a part goes first"]
    if stands is Rung.CONFIRM and rule.confirm.type:
        there = [f"the {rule.confirm.type} is typed"]
    return f": {', '.join(there)}" if there else ""


def _checks(rule: Rule) -> Iterator[Point]:
    """The health checks as they are now, but for those in Python: one that can't be healthy undoes every action."""
    for check in (check for check in rule.checks if not isinstance(check, Python)):
        if (trouble := unready(check)) is not None:
            comes = "it is a dry run, so nothing comes of it" if check.dry_run else "every action would be undone"
            yield Point(trouble, comes)


def stopped(findings: list[Finding]) -> bool:
    """Whether anything keeps a rung from being what the policy says."""
    return any(finding.verdict == "wrong" for finding in findings)
