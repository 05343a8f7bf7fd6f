"""Questions as rows: reading one, closing one, and what exactly was asked."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ladder_graph.answers import same
from ladder_graph.calls import Call, digest_of
from ladder_graph.facts import Decision, Person, Question, Verdict
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor, Read, change_one
from ladder_graph.ledger.tables.rows import US
from ladder_graph.policy import Rule
from ladder_graph.scale import Rung


def micros(moment: dt.datetime) -> int:
    """An aware datetime in microseconds since the epoch."""
    return int(moment.timestamp()) * US + moment.microsecond


def moment(us: int) -> dt.datetime:
    """Microseconds since the epoch as an aware datetime in UTC."""
    return dt.datetime.fromtimestamp(us // US, tz=dt.UTC).replace(microsecond=us % US)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an approval holds for beside the call itself: it is void as soon as one of these is another."""

    rule: Rule
    tool: str = ""
    """The version of the tool, as a digest."""
    undo: str = ""
    """The undo by import path; empty where there is none."""

    def digest(self, call: Call) -> str:
        """What a person is asked: this call on these terms. An edit of another tool's rule voids nothing."""
        return question_digest(call, self.tool, self.rule.revision, self.undo)


def question_digest(call: Call, tool: str, rule: str, undo: str) -> str:
    """The digest of everything that a yes is for: the call, the tool's version, its rule, the rung and the undo."""
    return digest_of("question", call.key, call.digest, tool, rule, int(Rung.CONFIRM), undo)


def question_of(row: Mapping[str, Any], call: Call, why: str, votes: Iterable[Mapping[str, Any]] = ()) -> Question:
    """A question from its row, and the rows of those who approved so far."""
    decision = None
    if (verdict := _VERDICTS.get(row["state"])) is not None:
        decision = Decision(verdict, Person(row["by"], row["auth"]), moment(row["answered_us"]), row["reason"])
    return Question(
        id=row["id"], digest=row["digest"], call=call, asked_at=moment(row["asked_us"]),
        expires_at=moment(row["expires_us"]), reasons=why, impact=row["impact"],
        may_answer=tuple(json.loads(row["may_answer"])), typed=row["typed"], decision=decision,
        expired=row["state"] == "expired", decisions=tuple(json.loads(row["decisions"])), quorum=row["quorum"],
        votes=tuple(Decision("approve", Person(one["by"], one["auth"]), moment(one["at_us"]), one["reason"])
                    for one in votes if not one["withdrawn"]),
        not_requester=bool(row["not_requester"]),
        requester=Person(row["requester"], row["requester_auth"]) if row["requester"] else None,
        nonce=row["nonce"], mistake=row["mistake"], part_first=bool(row["part_first"]),
        passed_to=row["passed_to"], passed_by=row["passed_by"],
    )  # fmt: skip


_VERDICTS: dict[str, Verdict] = {
    "approved": "approve", "used": "approve", "declined": "decline", "edited": "edit", "responded": "respond",
}  # fmt: skip
"""What was answered, by the state that a question is in."""


def word_of(seed: str, question: str) -> str:
    """The random word that an answer may name a question by.

    It is made from a secret of the task that asks, so that it stays the same when the task starts over, and only its
    hash has to be kept. Another task that comes to ask the same gives out none: what the first one gave out still
    names the question, and so do its id and digest.

    Args:
        seed: The task's secret; without one there is no word.
        question: The question's id.
    """
    return hashlib.sha256(f"{seed}/{question}".encode()).hexdigest()[:32] if seed else ""


def nonce_of(word: str) -> str:
    """What is kept of a word: its hash, so that nobody who reads the ledger can name it."""
    return hashlib.sha256(word.encode()).hexdigest() if word else ""


def latest(cursor: Cursor, call: Call) -> Question | None:
    """The latest question about an action that wasn't consumed, or None."""
    row = row_of(cursor, call)
    return None if row is None else question_of(row, call, row["why"], votes(cursor, row))


def row_of(cursor: Cursor, call: Call) -> dict[str, Any] | None:
    """The row of the latest question about an action that wasn't consumed, or None."""
    row = cursor.execute(*of(call)).fetchone()
    return None if row is None else dict(row)


def of(call: Call) -> Read:
    """The query that `latest` and `row_of` make, to be asked ahead."""
    return sql.QUESTION_OF, {"action": call.key}


def votes(cursor: Cursor, row: Mapping[str, Any]) -> list[Any]:
    """The rows of those who approved so far. Where one yes is enough, it stands in the question itself."""
    return [] if row["quorum"] == 1 else cursor.execute(sql.VOTES, {"question": row["id"]}).fetchall()


def vote(cursor: Cursor, question: str, decision: Decision) -> bool:
    """Count one person's yes; False where they have said it before, or took it back."""
    cursor.execute(sql.INSERT_VOTE, {
        "question": question, "voter": same(decision.by.name), "by": decision.by.name, "auth": decision.by.auth,
        "reason": decision.reason, "at_us": micros(decision.at), "withdrawn": False,
    })  # fmt: skip
    return cursor.rowcount == 1


def withdraw(cursor: Cursor, question: str, person: Person) -> bool:
    """Take one person's yes back; False where there is none."""
    cursor.execute(sql.WITHDRAW_VOTE, {"b_question": question, "b_voter": same(person.name)})
    return cursor.rowcount == 1


def last_answer(cursor: Cursor, thread: str) -> Decision | None:
    """The last answer that was taken in a thread, to whatever question."""
    row = cursor.execute(*answered_in(thread)).fetchone()
    verdict = None if row is None else _VERDICTS.get(row["state"])
    if verdict is None:
        return None
    return Decision(verdict, Person(row["by"], row["auth"]), moment(row["answered_us"]), row["reason"])


def answered_in(thread: str) -> Read:
    """The query that `last_answer` makes, to be asked ahead."""
    return sql.LAST_ANSWER, {"thread": thread}


def requester_in(cursor: Cursor, thread: str) -> Person | None:
    """Whose run the last question of a thread came from; None where there is none, or nobody knew."""
    row = cursor.execute(*requested_in(thread)).fetchone()
    return Person(row["requester"], row["requester_auth"]) if row is not None and row["requester"] else None


def requested_in(thread: str) -> Read:
    """The query that `requester_in` makes, to be asked ahead."""
    return sql.LAST_REQUESTER, {"thread": thread}


def declined(cursor: Cursor, call: Call) -> Decision | None:
    """A person's no to the same tool and arguments in the same thread, under whatever id."""
    row = cursor.execute(*declined_like(call)).fetchone()
    if row is None:
        return None
    return Decision("decline", Person(row["by"], row["auth"]), moment(row["answered_us"]), row["reason"])


def declined_like(call: Call) -> Read:
    """The query that `declined` makes, to be asked ahead."""
    return sql.DECLINED_LIKE, {"thread": call.thread, "digest": call.digest}


def passed(cursor: Cursor, question: str, to: str, by: Person) -> bool:
    """Write down whom an open question was handed to; False where it isn't open any more."""
    cursor.execute(sql.PASS_QUESTION, {"b_id": question, "passed_to": to, "passed_by": by.name})
    return cursor.rowcount == 1


def close(cursor: Cursor, question: str, before: str, after: str, decision: Decision | None = None) -> bool:
    """Move a question from one state to another; False where it isn't in the first any more."""
    cursor.execute(sql.MOVE_QUESTION, _closing(question, before, after, decision))
    return cursor.rowcount == 1


def close_read(cursor: Cursor, question: str, before: str, after: str, decision: Decision | None = None) -> None:
    """As `close`, for a question that was found in that state in this transaction, after the end of its chain."""
    change_one(cursor, sql.MOVE_QUESTION_ON, _closing(question, before, after, decision))


def _closing(question: str, before: str, after: str, decision: Decision | None) -> dict[str, Any]:
    return {"b_id": question, "b_state": before, "state": after, **answered_by(decision)}


def answered_by(decision: Decision | None) -> dict[str, Any]:
    """The columns of a question that say who answered it, and how."""
    return {
        "by": decision.by.name if decision else "", "auth": decision.by.auth if decision else "",
        "reason": decision.reason if decision else "",
        "answered_us": micros(decision.at) if decision else None,
    }  # fmt: skip
