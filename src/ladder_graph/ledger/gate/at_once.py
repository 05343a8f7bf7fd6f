"""The claim and the record of an everyday call, each in one statement.

Such a statement does all that the transaction in `ladder_graph.ledger.gate.journal` would, or nothing: where anything
isn't as it is with most calls, no row changes, and that transaction runs and says why. The hash of the entry is made
where the end of the chain is known, which is in the statement; `verify` makes it again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from json.encoder import encode_basestring as quoted
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.ledger.actions import quotas
from ladder_graph.ledger.actions.clocks import Moment
from ladder_graph.ledger.actions.lifecycle import Actions, printable
from ladder_graph.ledger.database.cursor import Cursor, Hoped, hopeful
from ladder_graph.ledger.database.dialects import AtOnce
from ladder_graph.ledger.database.file_cursor import mark_of
from ladder_graph.ledger.gate import in_a_file, on_a_server
from ladder_graph.policy.bounds import Charge
from ladder_graph.recalling import holds
from ladder_graph.states import State
from ladder_graph.steps import Claim, Claimed, Record

MOST = 4
"""Quotas that one statement draws on at most."""


def claim(journal: Actions, cursor: Cursor, step: Claim) -> Hoped[Claimed] | None:
    """Hope to start a new action that nobody was asked about, and that needs no undo, as `Journal.claim` would.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        step: The claim. A report on it isn't filed here.

    Returns:
        None where it isn't such a claim.
    """
    hoping, call, owner = hopeful(cursor), step.call, journal.owner
    if hoping is None or not _everyday(step) or owner.runs(call.key, 1):
        return None
    if step.seen is not None and not (step.seen.mark and step.seen.at_us <= journal.us):
        return None  # Where a clock was set back, more than the mark may be another matter.
    payload, salt, text = journal.salted(journal.proposed(call, step.route))
    row = {**journal.row(call, State.STARTED, step.route, 1), "payload": payload}
    hoped = Hoped(
        Claimed(1), {"action": call.key, "payload": payload}, _writing(journal, call), lambda: owner.end(call.key, 1)
    )
    statement = _claiming(len(step.charges), seen=step.seen is not None)
    parameters = {
        **row, **_entry(call.agent, journal.us, State.STARTED, call.key, payload), "salt": salt, "body": text,
        **_charged(step.charges), **_looked(journal, step),
    }  # fmt: skip
    try:
        # Before it can be seen, so that nobody here takes it for one that was left behind.
        owner.begin(call.key, 1)
        hoping.hope(statement, parameters, hoped)
    except BaseException:
        hoped.forget()
        raise
    return hoped


def record(journal: Actions, cursor: Cursor, step: Record, reply: bytes | None) -> Hoped[bool] | None:
    """Hope to write down that an action took effect, as `Journal.record` would where there is no undo of it.

    Returns:
        None where something else came of it.
    """
    plain = step.outcome is None or (step.outcome.cost is None and not step.outcome.untouched)
    hoping = hopeful(cursor)
    if hoping is None or step.state is not State.DONE or not plain:
        return None
    call, said = step.call, printable(step.text)
    text = (step.outcome.text if step.outcome is not None else "") or said
    payload, salt, body = journal.salted({"text": text} if text else {})
    hoped = Hoped(value=True, proof={"action": call.key, "payload": payload}, wrote=_writing(journal, call))
    hoping.hope(_recording(), {
        **_entry(call.agent, journal.us, State.DONE, call.key, payload), "key": call.key, "agent": call.agent,
        "at_us": journal.us, "fence": step.fence, "text": said, "reply": reply, "payload": payload, "salt": salt,
        "body": body,
    }, hoped)  # fmt: skip
    return hoped


@functools.cache
def _claiming(charges: int, *, seen: bool) -> AtOnce:
    return AtOnce(on_a_server.claiming(charges, seen=seen), in_a_file.claiming(charges, seen=seen))


@functools.cache
def _recording() -> AtOnce:
    return AtOnce(on_a_server.RECORD, in_a_file.recording())


def _writing(journal: Actions, call: Call) -> Callable[[int], None]:
    """What learns the number of the entry that is made."""
    return lambda n: journal.written.append((call.agent, n))


def mark(found: Any) -> str:
    """What a call's route was found by, in one word; empty where there is more to it than what every call has."""
    return "" if found["overdue"] or found["like"] is not None else mark_of(found["held"], found["pinned"])


def _everyday(step: Claim) -> bool:
    """Whether a claim is one of most: unasked, whole, without an undo or a report, on counters of fixed windows."""
    more = (step.question, step.artifact, step.actor, step.split, step.whole)
    return (
        all(one is None for one in more)
        and not step.report
        and len(step.charges) <= MOST
        and not any(charge.interval or charge.reach for charge in step.charges)
    )


def _entry(stream: str, at_us: int, kind: str, action: str, payload: str) -> dict[str, str]:
    """The text that is hashed for an entry, but for the hash and the number of the one before it."""
    return {
        "middle": f'",{quoted(stream)},',
        "ending": f",{at_us!r},{quoted(kind)},{quoted(action)},{quoted(payload)}]",
    }


def _charged(charges: tuple[Charge, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for at, charge in enumerate(charges):
        found |= {f"{name}_{at}": value for name, value in quotas.placed(charge).items() if name != "reach"}
        found |= {f"amount_{at}": charge.amount, f"lim_{at}": charge.limit}
    return found


def _looked(journal: Actions, step: Claim) -> dict[str, Any]:
    """What the route was found by: its mark, to be held against another look, and the end of the chain."""
    if step.seen is None:
        return {}
    here = Moment.at(journal.now)
    return {
        "boot": here.boot, "boot_now": here.boot_us, "now": journal.us, "mark": step.seen.mark,
        "environment": step.call.env or "", "seen_end": step.seen.end if holds(step.seen, journal.us) else -1,
    }  # fmt: skip
