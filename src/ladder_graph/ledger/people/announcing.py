"""Telling people that a question or a draft waits: written with it, and sent only while it still waits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from ladder_graph.calls import Call
from ladder_graph.facts import Question
from ladder_graph.ledger.actions.questions import moment
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.people import outgoing
from ladder_graph.ledger.tables import draft_rows, rows
from ladder_graph.policy import Policy
from ladder_graph.policy.questioning import Wait
from ladder_graph.policy.ways import BySlack, Notify
from ladder_graph.reporting.waiting import Waiting, message
from ladder_graph.steps import Filed

CHANNEL = "questions"
"""What it goes out by, among all that people are told by."""
SLACK = "slack"
"""The same, for the questions that are asked in Slack."""

_question, _draft = table_of(rows.QuestionRow), table_of(draft_rows.DraftRow)
ASKED = Sql.of(select(_question.c.state, _question.c.expires_us).where(_question.c.id == bindparam("id")))
DRAFTED = Sql.of(select(_draft.c.state, _draft.c.digest).where(_draft.c.action == bindparam("action")))


def asked(policy: Policy, cursor: Cursor, us: int, row: Mapping[str, Any]) -> None:
    """A question was opened; half its time later people are told once more.

    Args:
        policy: In force.
        cursor: In the transaction that opens it.
        us: The moment, in microseconds since the epoch.
        row: The question's row.
    """
    about = Waiting(
        row["agent"], row["tool"], row["impact"], policy.rule(row["tool"]).labels, policy.console.url,
        question=row["id"], may_answer=json.loads(row["may_answer"]), quorum=row["quorum"],
        not_requester=bool(row["not_requester"]), expires=moment(row["expires_us"]),
    )  # fmt: skip
    _tell(policy, cursor, us, "asked", about)
    _tell(policy, cursor, us + (row["expires_us"] - us) // 2, "expiring", about, later=True)
    if "slack" in policy.rule(row["tool"]).confirm.via:
        said = {"question": row["id"], "title": f"{row['agent']} asks to run {row['tool']}"}
        outgoing.queue(
            cursor, us, kind="asked", agent=row["agent"], subject=row["id"], channel=SLACK, targets=[BySlack()],
            body=said,
        )  # fmt: skip


def passed(policy: Policy, cursor: Cursor, us: int, question: Question, to: str, by: str) -> None:
    """A question was handed to somebody, perhaps not for the first time."""
    call = question.call
    about = Waiting(
        call.agent, call.tool, question.impact, policy.rule(call.tool).labels, policy.console.url,
        question=question.id, may_answer=question.may_answer, quorum=question.quorum,
        not_requester=question.not_requester, expires=question.expires_at, to=to, by=by,
    )  # fmt: skip
    _tell(policy, cursor, us, "passed", about, again=f"{us}\0{to}")


def drafted(policy: Policy, cursor: Cursor, us: int, call: Call, filed: Filed) -> None:
    """A draft waits, be it for the first time or because it was drawn anew."""
    drawn, rule = filed.drawn, policy.rule(call.tool)
    about = Waiting(
        call.agent, call.tool, rule.impact, filed.labels, policy.console.url,
        draft=call.key, shown=drawn.digest, kind=drawn.kind,
    )  # fmt: skip
    _tell(policy, cursor, us, "drafted", about, again=drawn.digest)


def _tell(
    policy: Policy, cursor: Cursor, us: int, event: Wait, about: Waiting, *, again: str = "", later: bool = False
) -> None:
    targets: Sequence[Notify] = [way for way in policy.questions.notify if event in way.on]
    if targets:
        outgoing.queue(
            cursor, us, kind=event, agent=about.agent, subject=about.draft or about.question, channel=CHANNEL,
            targets=targets, body=message(event, about), again=again, later=later,
        )  # fmt: skip


def waits(cursor: Cursor, notice: outgoing.Message, now_us: int) -> bool:
    """Whether what a notice tells of still waits; one about anything else is none of ours, and is sent.

    Args:
        cursor: For reading.
        notice: The notice.
        now_us: The moment.
    """
    if notice.channel not in {CHANNEL, SLACK}:
        return True
    if "draft" in notice.body:
        row = cursor.execute(DRAFTED, {"action": notice.body["draft"]}).fetchone()
        return row is not None and row["state"] == "waiting" and row["digest"] == notice.body["shown"]
    row = cursor.execute(ASKED, {"id": notice.body.get("question", "")}).fetchone()
    return row is not None and row["state"] == "open" and row["expires_us"] > now_us
