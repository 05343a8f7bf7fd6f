"""What the world shows from outside, held against what the ladder recorded.

Nothing here knows the script: from the recorded states it follows what must have happened and what must not, and the
two views of the world say whether it did. So it judges a real model in the same way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from examples.ops_agent.world import View
from ladder_graph.ledger import Action
from ladder_graph.scale import Rung
from ladder_graph.states import State


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact from outside beside one from the ledger."""

    outside: str
    recorded: str
    agrees: bool
    shown: bool = True
    """Whether it is worth showing when it agrees: something was called that bears on it."""


def compare(before: View, after: View, actions: Sequence[Action]) -> list[Finding]:
    """Hold every effect in the world against the ledger.

    Args:
        before: The world before the actions.
        after: The world after them.
        actions: What the ladder recorded in between, oldest first.

    Returns:
        A finding for each tool that was called, and for each effect that nothing recorded explains.
    """
    looks = (_reads, _configs, _mails, _tables, _files, _process)
    findings = [finding for one in looks for finding in one(before, after, actions)]
    return [finding for finding in findings if finding.shown or not finding.agrees]


def recorded(action: Action) -> str:
    """What the ladder recorded of a call, in a few words."""
    return f"{action.tool}: {action.state} at {action.rung}"


def happened(action: Action) -> bool:
    """Whether, by the ledger, its effect must be there to see."""
    return action.state is State.DONE


def _of(tool: str, actions: Sequence[Action]) -> tuple[list[Action], str]:
    """The calls of one tool, and what the ladder recorded of them together."""
    mine = [action for action in actions if action.tool == tool]
    ends = Counter(f"{action.state} at {action.rung}" for action in mine)
    words = ", ".join(end if len(mine) == 1 else f"{count} {end}" for end, count in ends.items())
    return mine, f"{tool}: {words or 'nothing'}"


def _reads(before: View, after: View, actions: Sequence[Action]) -> Iterator[Finding]:
    mine, words = _of("read_status", actions)
    served = after.requests[len(before.requests) :].count(("/status", "200"))
    outside = f"service.log: {_count(served, 'GET /status', 'GET /status')}"
    yield Finding(outside, words, served == sum(map(happened, mine)), bool(mine))


def _configs(before: View, after: View, actions: Sequence[Action]) -> Iterator[Finding]:
    mine, words = _of("apply_config", actions)
    wanted = dict(before.configs)
    for action in filter(happened, mine):
        wanted[action.arguments["name"]] = sha256(action.arguments["text"].encode()).hexdigest()
    touched = {action.arguments.get("name") for action in mine}
    for name, digest in after.configs.items():
        outside = f"{name}: {'same' if digest == before.configs.get(name) else 'new'} bytes, sha256 {digest[:8]}…"
        yield Finding(outside, words, digest == wanted.get(name), name in touched)
    if ("/health", "503") in after.requests[len(before.requests) :]:
        undone = any(action.state is State.UNDONE for action in mine)
        yield Finding("service.log: GET /health answered 503", "undone, since its health check failed", undone)
    yield Finding(f"GET /health answers {after.health[0]} now", *_health(before, after, mine), bool(mine))


def _health(before: View, after: View, mine: Sequence[Action]) -> tuple[str, bool]:
    """What the ledger says of the service's health, and whether it is so."""
    ran = [*filter(happened, mine)]
    if not ran:
        return "nothing that lasts was done to it", after.health == before.health
    if all(action.rung >= Rung.ROLLBACK for action in ran):
        return "its health check passed", after.health[1] is None
    return f"not checked below {Rung.ROLLBACK}", True


def _mails(before: View, after: View, actions: Sequence[Action]) -> Iterator[Finding]:
    mine, words = _of("send_email", actions)
    new = after.mails[len(before.mails) :]
    sent = [(action.arguments["to"], action.arguments["subject"]) for action in filter(happened, mine)]
    to = ", ".join(recipient.partition("@")[0] for recipient, _ in new)
    outside = f"outbox: {_count(len(new), 'new row')}" + (f", to {to}" if to else "")
    yield Finding(outside, words, sorted(new) == sorted(sent), bool(mine))


def _tables(before: View, after: View, actions: Sequence[Action]) -> Iterator[Finding]:
    mine, words = _of("drop_table", actions)
    wanted = {**before.rows, "outbox": before.rows["outbox"] + len(after.mails) - len(before.mails)}
    for action in filter(happened, mine):
        wanted.pop(action.arguments["table"], None)
    meant = {action.arguments.get("table") for action in mine}
    for name in before.rows:
        outside = f"{name}: {after.rows[name]} rows" if name in after.rows else f"{name}: no such table any more"
        yield Finding(outside, words, after.rows.get(name) == wanted.get(name), name in meant)


def _files(before: View, after: View, actions: Sequence[Action]) -> Iterator[Finding]:
    mine, words = _of("write_postmortem", actions)
    new = len(after.postmortems) - len(before.postmortems)
    yield Finding(f"postmortems/: {_count(new, 'new file')}", words, new == sum(map(happened, mine)), bool(mine))
    drafts = sorted(set(after.drafts) - set(before.drafts))
    drafted = sum(action.state is State.DRAFTED for action in actions)
    outside = ", ".join([f"drafts/: {_count(len(drafts), 'new file')}", *drafts])
    yield Finding(outside, _count(drafted, "draft"), len(drafts) == drafted, bool(drafted))


def _process(before: View, after: View, actions: Sequence[Action]) -> Iterator[Finding]:
    mine, words = _of("restart_service", actions)
    same = before.pid == after.pid
    outside = f"the service is still process {after.pid}" if same else f"the service is a new process, {after.pid}"
    yield Finding(outside, words, same != any(map(happened, mine)), bool(mine))


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number or 'no'} {one if number == 1 else many or one + 's'}"
