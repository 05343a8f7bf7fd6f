"""What the world shows from outside, held against what the ladder recorded.

Nothing here knows the script: from the recorded states it follows what must have happened and what must not, and the
two views of the world say whether it did. So it judges a real model in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from examples.ops_agent.world import View
from ladder_graph.ledger import Action
from ladder_graph.states import State


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact from outside beside one from the ledger."""

    outside: str
    recorded: str
    agrees: bool


def compare(before: View, after: View, actions: Sequence[Action]) -> list[Finding]:
    """Hold every effect in the world against the ledger.

    Args:
        before: The world before the actions.
        after: The world after them.
        actions: What the ladder recorded in between, oldest first.

    Returns:
        A finding for each tool that was called, and for each effect that nothing recorded explains.
    """
    findings = [*_reads(before, after, actions), *_configs(before, after, actions), *_mails(before, after, actions),
                *_tables(before, after, actions), *_files(before, after, actions), *_process(before, after, actions)]
    return [finding for finding, shown in findings if shown or not finding.agrees]


Found = Iterator[tuple[Finding, bool]]
"""Findings, each with whether it is worth showing when it agrees."""


def recorded(action: Action) -> str:
    """What the ladder recorded of a call, in a few words."""
    return f"{action.tool}: {action.state} at {action.rung}"


def happened(action: Action) -> bool:
    """Whether, by the ledger, its effect must be there to see."""
    return action.state is State.DONE


def _of(tool: str, actions: Sequence[Action]) -> tuple[list[Action], str]:
    mine = [action for action in actions if action.tool == tool]
    states: dict[str, int] = {}
    for action in mine:
        states[recorded(action)] = states.get(recorded(action), 0) + 1
    words = ", ".join(text + (f" ({count} times)" if count > 1 else "") for text, count in states.items())
    return mine, words or f"{tool}: nothing"


def _reads(before: View, after: View, actions: Sequence[Action]) -> Found:
    mine, words = _of("read_status", actions)
    served = after.requests[len(before.requests):].count(("/status", "200"))
    yield Finding(f"service.log: {_count(served, 'GET /status', 'GET /status')}", words,
                  served == sum(happened(a) for a in mine)), bool(mine)


def _configs(before: View, after: View, actions: Sequence[Action]) -> Found:
    mine, words = _of("apply_config", actions)
    wanted = dict(before.configs)
    for action in mine:
        if happened(action):
            wanted[action.arguments["name"]] = sha256(action.arguments["text"].encode()).hexdigest()
    touched = {action.arguments.get("name") for action in mine}
    for name, digest in after.configs.items():
        same = "the same bytes as before" if digest == before.configs.get(name) else "new bytes"
        yield Finding(f"{name}: {same}, sha256 {digest[:12]}…", words, digest == wanted.get(name)), name in touched
    if ("/health", "503") in after.requests[len(before.requests):]:
        undone = any(action.state is State.UNDONE for action in mine)
        yield Finding("service.log: GET /health was answered with 503", "its health check failed", undone), True
    status, reason = after.health
    yield Finding(f"GET /health answers {status}" + (f": {reason}" if reason else " now"), "the service is healthy",
                  reason is None), bool(mine)


def _mails(before: View, after: View, actions: Sequence[Action]) -> Found:
    mine, words = _of("send_email", actions)
    new = after.mails[len(before.mails):]
    sent = [(a.arguments["to"], a.arguments["subject"]) for a in mine if happened(a)]
    to = ", ".join(recipient.partition("@")[0] for recipient, _ in new)
    yield Finding(f"outbox: {_count(len(new), 'new row')}" + (f", to {to}" if to else ""), words,
                  sorted(new) == sorted(sent)), bool(mine)


def _tables(before: View, after: View, actions: Sequence[Action]) -> Found:
    mine, words = _of("drop_table", actions)
    dropped = {action.arguments["table"] for action in mine if happened(action)}
    for name, rows in before.rows.items():
        wanted = None if name in dropped else rows + len(after.mails) - len(before.mails) if name == "outbox" else rows
        found = after.rows.get(name)
        outside = "there is no such table any more" if found is None else f"it has {found} rows"
        yield Finding(f"{name}: {outside}", words, found == wanted), name in {a.arguments.get("table") for a in mine}


def _files(before: View, after: View, actions: Sequence[Action]) -> Found:
    mine, words = _of("write_postmortem", actions)
    new = len(after.postmortems) - len(before.postmortems)
    yield Finding(f"postmortems/: {_count(new, 'new file')}", words, new == sum(happened(a) for a in mine)), bool(mine)
    drafts = len(after.drafts) - len(before.drafts)
    drafted = sum(action.state is State.DRAFTED for action in actions)
    yield Finding(f"drafts/: {_count(drafts, 'new file')}, {', '.join(after.drafts)}", f"{drafted} drafted",
                  drafts == drafted), bool(drafted)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number or 'no'} {one if number == 1 else many or one + 's'}"


def _process(before: View, after: View, actions: Sequence[Action]) -> Found:
    mine, words = _of("restart_service", actions)
    same = before.pid == after.pid
    outside = f"the service is still process {after.pid}" if same else f"the service is a new process, {after.pid}"
    yield Finding(outside, words, same != any(happened(action) for action in mine)), bool(mine)
