"""What is in place after an action: watchers, rehearsals of undos, and the way in for alerts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ladder_graph.cli.aftermath import instant
from ladder_graph.cli.findings import Finding, Point
from ladder_graph.policy import Policy
from ladder_graph.policy.checks import Alert
from ladder_graph.scale import Rung
from ladder_graph.unwinding import Phase
from ladder_graph.watch.signals import SHORTEST

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder
    from ladder_graph.ladder.desk import Cell
    from ladder_graph.ladder.windows import After


def examine(ladder: Ladder) -> Iterator[Finding]:
    """Look at everything that isn't about one tool alone."""
    after = ladder.after()
    yield from _watchers(ladder.policy, after)
    held = [one for one in after.watched if one.phase == "held"]
    if held:
        points = tuple(
            Point(f"{one.tool} ({one.action[:8]}): {one.why}", f"`ladder show {one.action[:8]}`; then keep, or undo")
            for one in held
        )
        yield Finding("held", "note", f"{len(held)} that only a person can keep or undo", points)
    yield from _scopes(ladder)
    if after.doubtful:
        points = tuple(Point(f"{one.tool}: {one.file}", "find out, then take the file away") for one in after.doubtful)
        yield Finding("messages", "note", f"{len(points)} that may have been sent, and aren't tried again", points)
    yield from _signals(ladder.policy)
    yield from _restored(ladder)
    yield from _checkpoints(ladder)


def _scopes(ladder: Ladder) -> Iterator[Finding]:
    """Scopes of which something stays that was to be undone, and those whose block is over without an end."""
    waiting = [one for one in ladder.sagas() if one.waits]
    held = [one for one in waiting if one.phase is Phase.HELD]
    points = tuple(
        Point(
            f"{one.name or 'a scope'} ({one.id[:8]}): {one.why or 'left open'}",
            f"`ladder saga show {one.id[:8]}`; then undo, or close",
        )
        for one in [*held, *(one for one in waiting if one not in held)]
    )
    if held:
        yield Finding("scopes", "wrong", f"{len(held)} of which something stays that was to be undone", points)
    elif waiting:
        yield Finding("scopes", "note", f"{len(waiting)} left open, for a person or a later block to end", points)


def _restored(ladder: Ladder) -> Iterator[Finding]:
    """Whether a copy was put back, and nobody has gone through what is missing."""
    if (known := ladder.notice_restore()) is not None:
        text = f"this ledger is older than what happened: {known.text}"
        advice = "go through what is missing (docs/operations.md), then `ladder restore --acknowledge --reason …`"
        yield Finding("restored", "wrong", text, (Point("every tool asks until then", advice),))


def _checkpoints(ladder: Ladder) -> Iterator[Finding]:
    """Whether the ledger is vouched for elsewhere."""
    said = ladder.policy.checkpoints
    if said.key is None:
        return
    from ladder_graph.notary.private_keys import exposed

    found = ladder.notarized()
    late = found.last.unseen and (ladder.clock() - instant(found.last.at_us)).total_seconds() > 2 * said.every
    points = [
        Point(f"{one.target} lacks {one.waiting}: {one.trouble}", "`ladder checkpoint` tries it now")
        for one in found.targets if one.trouble
    ]  # fmt: skip
    if not said.to:
        points.append(
            Point("they are exported nowhere", "name a place that the ledger's writers can't change: to = […]")
        )
    key = Path(said.key)
    if key.exists() and exposed(key.stat().st_mode):
        points.append(Point(f"others than its owner can read {key}, so it signs nothing", f"chmod 600 {key}"))
    if late:
        points.append(
            Point(f"{found.last.unseen} entries aren't in any", "`ladder watch` makes them, where the key is")
        )
    text = f"{found.last.number} made, the last on {instant(found.last.at_us):%Y-%m-%d %H:%M} UTC"
    yield Finding(
        "checkpoints", "note" if points else "good", text if found.last.number else "none was made yet", tuple(points)
    )


def _watchers(policy: Policy, after: After) -> Iterator[Finding]:
    """Whether somebody watches, where somebody must."""
    wanted = sorted(name for name, rule in policy.tools.items() if rule.watch.window and not rule.read_only)
    left = sum(one.phase != "held" for one in after.watched)
    if after.watchers:
        names = ", ".join(name for name, _ in after.watchers)
        yield Finding("watchers", "good", f"{names}; {left or 'no'} action{'s' * (left != 1)} to see through")
    elif wanted or left:
        what = f"{left} action{'s' * (left != 1)} to see through" if left else f"to be watched: {', '.join(wanted)}"
        own = policy.watcher == "thread"
        advice = "an agent that runs watches for itself; " if own else ""
        yield Finding(
            "watchers", "note" if own and not left else "wrong", f"none lives; {what}",
            (Point("", f"{advice}`ladder watch` watches on without one"),),
        )  # fmt: skip


def _signals(policy: Policy) -> Iterator[Finding]:
    """Whether alerts could come in, where a check is about one."""
    asked = sorted(name for name, rule in policy.tools.items() if any(isinstance(one, Alert) for one in rule.checks))
    name = policy.signals.token_env
    if not asked:
        return
    if name is None:
        text = f"alerts are to speak for {', '.join(asked)}, and none is taken without a token"
        yield Finding("signals", "wrong", text, (Point("", 'name its variable: [signals] token_env = "..."'),))
    elif len(os.environ.get(name, "")) < SHORTEST:
        problem = f"has fewer than {SHORTEST} characters" if os.environ.get(name) else "isn't set here"
        yield Finding("signals", "note", f"{name} {problem}", (Point("", "set it where `ladder watch --listen` runs"),))
    else:
        yield Finding("signals", "good", f"{name} is set here; `ladder watch --listen` takes alerts")


def rehearsed(ladder: Ladder, cell: Cell) -> Point | None:
    """What is known of the last rehearsal of a tool's undo; None where it needs none, or its reasons say it."""
    rule, codes = ladder.policy.rule(cell.tool), {reason.code for reason in cell.route.reasons}
    if rule.read_only or rule.rung < Rung.ROLLBACK or "no_undo" in codes:
        return None
    last, editions = ladder.last_rehearsal(cell.tool), ladder.editions(cell.agent, cell.tool)
    advice = f"`ladder rehearse MODULE:{cell.tool} --args JSON`, where nobody minds"
    if last is None:
        return None if "not_rehearsed" in codes else Point("its undo was never rehearsed", advice)
    day = f"{instant(last.at_us):%Y-%m-%d}"
    if editions is None:
        word = "passed" if last.passed else f"failed: {last.text}"
        return Point(f"its undo was rehearsed on {day}, and {word}", "with --app it is seen whether that still holds")
    present = ladder.rehearsed(cell.agent, cell.tool)
    if present is None:
        return Point(f"its undo was rehearsed on {day}, with another version of the tool, or another undo", advice)
    day = f"{instant(present.at_us):%Y-%m-%d}"
    if not present.passed:
        return Point(f"its undo failed when it was rehearsed on {day}: {present.text}", "mend the undo")
    return Point(f"its undo was rehearsed on {day} with this very version, and passed")
