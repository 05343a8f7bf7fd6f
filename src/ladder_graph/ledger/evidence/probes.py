"""Probes among the questions: put there, answered, and revealed. None of them can ever be claimed.

A probe is an action that is asked about and belongs to no run: nobody waits for its answer, and whatever the answer is,
it ends as declined. `States` has no way from there to `started`.
"""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select

from ladder_graph.calls import Call, normalise
from ladder_graph.facts import Decision, Question, Route
from ladder_graph.ledger.actions import questions, requests, tellings
from ladder_graph.ledger.actions.questions import question_of
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, insert_into, table_of
from ladder_graph.ledger.gate.journal import Journal
from ladder_graph.ledger.tables import rows, standing_rows
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.trust.probing import SOONEST

_probe, _question, _action = (table_of(model) for model in (standing_rows.ProbeRow, rows.QuestionRow, rows.ActionRow))
INSERT = insert_into(standing_rows.ProbeRow)
OF = Sql.of(select(_probe.c.why).where(_probe.c.action == bindparam("action")))
LAST = Sql.of(
    select(func.max(_probe.c.at_us)).where(_probe.c.agent == bindparam("agent"), _probe.c.tool == bindparam("tool"))
)
OPEN = Sql.of(
    select(func.count())
    .select_from(_probe.join(_question, _question.c.action == _probe.c.action))
    .where(_probe.c.agent == bindparam("agent"), _probe.c.tool == bindparam("tool"))
    .where(_question.c.state == literal_column("'open'"), _question.c.expires_us > bindparam("now"))
)
_since = (
    select(_question.c.id)
    .join(_action, _action.c.key == _question.c.action)
    .where(_question.c.agent == bindparam("agent"), _action.c.tool == bindparam("tool"))
    .where(_question.c.answered_us > bindparam("since"))
    .limit(SOONEST)
)
DECIDED = Sql.of(select(func.count()).select_from(_since.subquery()))
"""How many decisions there were; no more are counted than matter."""


def why(cursor: Cursor, action: str) -> str | None:
    """What is wrong with a probe; None for an action that is none."""
    row = cursor.execute(OF, {"action": action}).fetchone()
    return None if row is None else str(row[0])


def pace(journal: Journal, cursor: Cursor, call: Call) -> tuple[int, int | None]:
    """Decisions about a tool since its last probe, and the microseconds since then; none while one is open."""
    tool = {"agent": call.agent, "tool": call.tool}
    if cursor.execute(OPEN, {**tool, "now": journal.us}).fetchone()[0]:
        return 0, None
    last = cursor.execute(LAST, tool).fetchone()[0]
    decided = cursor.execute(DECIDED, {**tool, "since": last or 0}).fetchone()[0]
    return decided, None if last is None else journal.us - last


def put(journal: Journal, cursor: Cursor, like: Call, arguments: dict[str, Any], wrong: str) -> str | None:
    """Put a probe among the questions, that looks as the one about a real call did.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        like: A call that was asked about.
        arguments: The probe's.
        wrong: What is wrong with them.

    Returns:
        The question's id; None where the real call was never asked about.
    """
    row = questions.row_of(cursor, like)
    if row is None:
        return None
    # Without an environment it belongs to no cell, so it is no evidence, whatever becomes of it.
    call = Call(like.agent, str(uuid.uuid4()), f"call_{secrets.token_hex(12)}", like.tool, arguments, None)
    # The very reasons of the real one, so that nothing tells them apart.
    found = requests.reasons(cursor, like.key, row["why"])
    plain = len(found) == 1 and not found[0].code
    reasons = () if plain and found[0].text in {"", Route(Rung.CONFIRM).why} else found
    journal.enter(cursor, call, State.ASKED, Route(Rung.CONFIRM, reasons))
    named = {name: value for name, value in row.items() if name != "why"}
    told = tellings.told_of(cursor, like.key, row["id"])
    told = told and told.told_of(normalise(like.arguments), normalise(arguments))
    expires = journal.us + row["expires_us"] - row["asked_us"]
    new = {**named, "id": secrets.token_hex(8), "asked_us": journal.us, "nonce": "", "expires_us": expires}
    opened = journal.open(cursor, call, new, told)
    cursor.execute(INSERT, {
        "action": call.key, "agent": call.agent, "tool": call.tool, "why": wrong, "at_us": journal.us,
    })  # fmt: skip
    return str(question_of(opened, call, row["why"]).id)


def answered(
    journal: Journal, cursor: Cursor, question: Question, decision: Decision, wrong: str, **looked: Any
) -> bool:
    """Take the answer to a probe: it is written down for the reviewer, and nothing runs.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        question: The probe's.
        decision: The answer.
        wrong: What is wrong with the call.
        looked: How long the reviewer looked, and at how much.

    Returns:
        Whether it was still open.
    """
    if not questions.close(cursor, question.id, "open", "declined", decision):
        return False
    call, by = question.call, decision.by
    told = f"this was a probe, which never runs: {wrong}"
    journal.move(cursor, call, State.DECLINED, body={"question": question.id, "probe": True}, text=told)
    journal.append(cursor, call.agent, "probe", call.key, {
        "tool": call.tool, "by": by.name, "auth": by.auth, "verdict": decision.verdict, "why": wrong,
        "caught": decision.verdict != "approve", **looked,
    })  # fmt: skip
    return True
