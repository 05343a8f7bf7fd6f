"""Reports that an action was wrong: they count against the cell that acted, also where that acts no more."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, literal_column, select

from ladder_graph.errors import AnswerRefused
from ladder_graph.facts import Known, Person
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.gate import acts, standings
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.tables import rows
from ladder_graph.scale import Rung
from ladder_graph.trust.cells import EVERY, CellKey
from ladder_graph.trust.deeds import Deed, Happening, Incident, Severity, add
from ladder_graph.trust.demotion import Demotion, after_incident
from ladder_graph.trust.held import nearest

_action, _entry, _payload = (table_of(model) for model in (rows.ActionRow, rows.EntryRow, rows.PayloadRow))
PLACE = Sql.of(select(_action.c.scope, _action.c.rung).where(_action.c.key == bindparam("key")))
EARLIER = Sql.of(
    select(_entry.c.at_us, _payload.c.body)
    .join(_payload, _payload.c.hash == _entry.c.payload)
    .where(_entry.c.action == bindparam("action"), _entry.c.kind == literal_column("'incident'"))
    .order_by(_entry.c.n)
)


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of an action."""

    severity: Severity
    kind: str
    """The class of the mistake."""
    text: str
    anticipated: bool
    """The rule expects this class."""
    reversed: bool = False
    closed: bool = False


def report(journal: Journal, cursor: Cursor, known: Known, said: Said, start: Rung, by: Person) -> Demotion | None:
    """Write a report down, once, and put the tool down where that calls for it.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        known: The action.
        said: What is said of it.
        start: The tool's start rung.
        by: Who says it.

    Returns:
        Where the tool was put, with the days to wait that hold; None where it stays, or exactly this was said before.

    Raises:
        AnswerRefused: There is no report of this class to reverse or to close.
    """
    call = known.call
    earlier = _earlier(cursor, call.agent, call.key)
    before = earlier.get(said.kind)
    if before is None and (said.reversed or said.closed):
        others = ", ".join(f"--class {kind}" if kind else "no class" for kind in sorted(earlier))
        there = f"; what was reported has {others}" if others else ""
        raise AnswerRefused(f"nobody reported {said.kind or 'a mistake'} about action {call.short}{there}")
    if before is not None and _same(before, said):
        return None
    if before is not None and (said.reversed or said.closed):
        # What it was stays as it was: whoever sees to a mistake doesn't make it a smaller one.
        said = replace(
            said, severity=before.severity, anticipated=before.anticipated, reversed=said.reversed or before.reversed,
            closed=said.closed or before.closed,
        )  # fmt: skip
    scope, rung = cursor.execute(PLACE, {"key": call.key}).fetchone()
    journal.append(cursor, call.agent, "incident", call.key, {
        "tool": call.tool, "scope": scope, "env": call.env, "severity": int(said.severity), "class": said.kind,
        "anticipated": said.anticipated, "reversed": said.reversed, "closed": said.closed, "text": said.text,
        "by": by.name, "auth": by.auth,
    })  # fmt: skip
    if said.reversed or said.closed:
        return None
    cell = CellKey(call.agent, call.tool, scope, call.env or EVERY)
    held = nearest(standings.of_tool(cursor, cell.agent, cell.tool), cell)
    stands = max(held.rung(start), Rung(rung))
    reason = f"action {call.short} was wrong: {said.text or said.kind or said.severity.name.lower()}"
    down = after_incident(stands, said.severity, reason, anticipated=said.anticipated)
    return None if down is None else acts.demote(journal, cursor, cell, down, call.key, by)


def _same(before: Incident, said: Said) -> bool:
    if said.reversed or said.closed:
        return before.reversed >= said.reversed and before.closed >= said.closed
    return not before.reversed and before.severity >= said.severity


def _earlier(cursor: Cursor, agent: str, action: str) -> dict[str, Incident]:
    """What was said of an action so far, by class."""
    deed = Deed()
    for at_us, body in cursor.execute(EARLIER, {"action": action}).fetchall():
        add(deed, Happening(agent, at_us, "incident", action, json.loads(body)))
    return dict(deed.incidents)
