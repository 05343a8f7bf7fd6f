"""What stands around one question: what became of the last ones like it, and who handed it to whom."""

from __future__ import annotations

import json
from collections import Counter

from sqlalchemy import bindparam, literal_column, select

from ladder_graph.briefing import Passing, Past
from ladder_graph.calls import Call
from ladder_graph.facts import Reason
from ladder_graph.ledger.actions.questions import moment
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.tables import rows, standing_rows
from ladder_graph.states import State

LAST = 24
"""Requests of one tool that are counted."""

_question, _action, _entry = (table_of(one) for one in (rows.QuestionRow, rows.ActionRow, rows.EntryRow))
_payload, _probe = table_of(rows.PayloadRow), table_of(standing_rows.ProbeRow)
_ENDED = Sql.of(
    select(
        _question.c.action, _question.c.asked_us, _question.c.state, _action.c.successor, _action.c.state.label("came")
    )
    .join(_action, _action.c.key == _question.c.action)
    .outerjoin(_probe, _probe.c.action == _question.c.action)
    .where(_question.c.agent == bindparam("agent"), _question.c.tool == bindparam("tool"))
    .where(_question.c.state != literal_column("'open'"), _probe.c.action.is_(None))
    .order_by(_question.c.asked_us.desc())
    # Half of them may be what editors put in the place of the others.
    .limit(2 * LAST)
)
"""The latest questions of an agent about one tool that are over; a probe was no request of it."""
_PASSED = Sql.of(
    select(_entry.c.at_us, _payload.c.body)
    .join(_payload, _payload.c.hash == _entry.c.payload)
    .where(_entry.c.action == bindparam("action"), _entry.c.kind == literal_column("'passed'"))
    .order_by(_entry.c.n)
)
_ASKED = Sql.of(
    select(_question.c.id, _question.c.state)
    .where(_question.c.action == bindparam("action"))
    .order_by(_question.c.round)
)
_FIRST = Sql.of(
    select(_payload.c.body)
    .join(_action, _action.c.payload == _payload.c.hash)
    .where(_action.c.key == bindparam("action"))
)
_ENDS = {"edited": "edited", "declined": "declined", "responded": "answered", "expired": "expired"}
"""What an answer other than yes was, by the question's state."""
_CAME = {
    State.DONE: "ran", State.UNDO_CONFLICT: "ran", State.UNDO_FAILED: "ran", State.UNDONE: "undone",
    State.FAILED: "failed", State.UNKNOWN: "doubtful", State.DECLINED: "declined", State.EXPIRED: "expired",
    **dict.fromkeys((State.APPROVED, State.STARTED, State.PAUSED, State.UNDOING), "approved"),
}  # fmt: skip
"""What became of a call after a yes, by its own state. One that was refused or asked anew isn't counted."""


def past(cursor: Cursor, call: Call) -> Past:
    """What became of an agent's last requests of a tool before this one.

    What an editor put in an agent's place isn't its request.

    Args:
        cursor: For reading.
        call: The call that is asked about; it isn't counted itself.
    """
    found, instead = list[tuple[int, str, str]](), set[str]()
    for action, asked_us, state, successor, came in cursor.execute(
        _ENDED, {"agent": call.agent, "tool": call.tool}
    ).fetchall():
        end = _CAME.get(came) if state in {"used", "approved"} else _ENDS.get(state)
        if end is not None and action != call.key:
            found.append((asked_us, action, end))
        instead.add(successor)
    own = sorted((one for one in found if one[1] not in instead), reverse=True)[:LAST]
    return Past(len(own), **Counter(end for _, _, end in own))


def asked_about(cursor: Cursor, action: str) -> list[tuple[str, str]]:
    """The questions about an action, oldest first: the id of each, and its state."""
    return [(row["id"], row["state"]) for row in cursor.execute(_ASKED, {"action": action}).fetchall()]


def passings(cursor: Cursor, action: str) -> tuple[Passing, ...]:
    """Who handed the question about an action to whom, oldest first."""
    found = []
    for at_us, body in cursor.execute(_PASSED, {"action": action}).fetchall():
        said = json.loads(body)
        found.append(Passing(str(said["to"]), str(said["by"]), moment(at_us), str(said.get("reason") or "")))
    return tuple(found)


def reasons(cursor: Cursor, action: str, why: str) -> tuple[Reason, ...]:
    """Why an action was asked about, with the codes; the words alone where what it began with was erased."""
    row = cursor.execute(_FIRST, {"action": action}).fetchone()
    listed = json.loads(row["body"]).get("reasons") if row is not None else None
    if isinstance(listed, list) and listed:
        return tuple(Reason(str(one[0]), str(one[1])) for one in listed)
    return (Reason("", why),)
