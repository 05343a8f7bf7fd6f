"""The gate's transactions: look, settle, pose, answer, claim, record. Each is one function on a cursor.

`claim` is the one durable commit before an effect: state, consumed approval, held quota, undo artifact, report and
entry stand or fall together. `record` is the one lazy commit after it: losing it leaves the action in doubt, never
lost.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ladder_graph.calls import Call, canonical, digest_of
from ladder_graph.ledger import statements as sql
from ladder_graph.ledger.chain import GENESIS, entry_hash, payload_hash
from ladder_graph.ledger.liveness import Owner
from ladder_graph.ledger.rows import US
from ladder_graph.policy import Rule
from ladder_graph.policy.bounds import Charge
from ladder_graph.routing import exhausted
from ladder_graph.scale import Rung
from ladder_graph.states import State, may_follow
from ladder_graph.steps import (
    Claim, Claimed, Decision, Known, NotClaimed, Person, Question, Record, Route, Seen, Settle,
)


def micros(moment: dt.datetime) -> int:
    """An aware datetime in microseconds since the epoch."""
    return int(moment.timestamp()) * US + moment.microsecond


def moment(us: int) -> dt.datetime:
    """Microseconds since the epoch as an aware datetime in UTC."""
    return dt.datetime.fromtimestamp(us // US, tz=dt.UTC).replace(microsecond=us % US)


@dataclass(frozen=True, slots=True)
class Journal:
    """The gate's transactions for one policy, one process and one moment.

    Args:
        owner: This process.
        revision: The policy's revision, which every entry carries.
        now: The moment of the transaction.
    """

    owner: Owner
    revision: str
    now: dt.datetime

    @property
    def us(self) -> int:
        """The moment in microseconds."""
        return micros(self.now)

    # --- reading ---------------------------------------------------------------------------------------------

    def look(self, cursor: sqlite3.Cursor, call: Call, charges: Sequence[Charge]) -> Seen:
        """Everything the ledger knows that bears on a call."""
        like = cursor.execute(sql.LIKE, {"thread": call.thread, "digest": call.digest}).fetchall()
        standing = cursor.execute(sql.STANDING, {"agent": call.agent, "tool": call.tool}).fetchone()
        overdue = cursor.execute(sql.OVERDUE, {"agent": call.agent, "now": self.us}).fetchone()[0]
        in_doubt = [row[0] for row in like if row[0] != call.key and self._in_doubt(*row[1:3])]
        return Seen(
            known=self.known(cursor, call.key) if any(row[0] == call.key for row in like) else None,
            twin=self.known(cursor, in_doubt[0]) if in_doubt else None,
            declined=self._declined(cursor, call) if like else None,
            standing=Rung(standing[0]) if standing else None,
            standing_reason=standing[1] if standing else "",
            left=tuple((charge, charge.limit - self._taken(cursor, charge)) for charge in charges),
            overdue=overdue,
        )

    def known(self, cursor: sqlite3.Cursor, key: str) -> Known | None:
        """One action, or None where the ledger never heard of it."""
        cursor.row_factory = sqlite3.Row
        row = cursor.execute(sql.ACTION, {"key": key}).fetchone()
        cursor.row_factory = None
        if row is None:
            return None
        return Known(
            call=call_of(row),
            state=State(row["state"]),
            text=row["text"],
            reply=row["reply"],
            owner_alive=row["state"] == State.STARTED and self.owner.alive(row["owner"]),
            fence=row["fence"],
            artifact=None if row["artifact"] is None else json.loads(row["artifact"]),
        )

    def _in_doubt(self, state: str, owner: str) -> bool:
        return state == State.UNKNOWN or (state == State.STARTED and not self.owner.alive(owner))

    def _declined(self, cursor: sqlite3.Cursor, call: Call) -> Decision | None:
        row = cursor.execute(sql.DECLINED_LIKE, {"thread": call.thread, "digest": call.digest}).fetchone()
        return None if row is None else Decision("decline", Person(row[0], row[1]), moment(row[3]), row[2])

    def _taken(self, cursor: sqlite3.Cursor, charge: Charge) -> int:
        row = cursor.execute(sql.QUOTA, {"quota": charge.quota, "window": charge.window}).fetchone()
        return int(row[0]) if row else 0

    # --- writing ---------------------------------------------------------------------------------------------

    def append(self, cursor: sqlite3.Cursor, stream: str, kind: str, action: str, body: dict[str, Any]) -> str:
        """Add an entry to the chain of an agent.

        Returns:
            The payload's hash.
        """
        text = canonical({"policy": self.revision, **body}).decode()
        salt = secrets.token_bytes(16)
        payload = payload_hash(salt, text)
        n, prev = cursor.execute(sql.HEAD, {"stream": stream}).fetchone() or (0, GENESIS)
        digest = entry_hash(prev, stream, n + 1, self.us, kind, action, payload)
        cursor.execute(sql.INSERT_PAYLOAD, {"hash": payload, "salt": salt, "body": text})
        cursor.execute(sql.INSERT_ENTRY, {
            "stream": stream, "n": n + 1, "at_us": self.us, "kind": kind, "action": action, "payload": payload,
            "prev": prev, "hash": digest,
        })  # fmt: skip
        cursor.execute(sql.PUT_HEAD, {"stream": stream, "n": n + 1, "hash": digest})
        return payload

    def settle(self, cursor: sqlite3.Cursor, step: Settle) -> None:
        """Write down a call that ends without running; the first of two equal ones is enough."""
        if self.known(cursor, step.call.key) is not None:
            return
        self._enter(cursor, step.call, step.state, step.route, text=step.text)
        if step.draft is not None:
            path, digest = step.draft
            cursor.execute(sql.INSERT_DRAFT, {
                "action": step.call.key, "agent": step.call.agent, "path": path, "sha256": digest, "state": "waiting",
                "by": "", "reason": "",
            })  # fmt: skip

    def pose(self, cursor: sqlite3.Cursor, call: Call, route: Route, rule: Rule) -> Question:
        """Ask, or find the question that is open already; a late one expires here."""
        digest = question_digest(call, rule)
        question = self.question(cursor, call)
        if question is not None and question.digest == digest:
            return self._expire(cursor, question)
        if question is not None:
            # The rule was edited since: what was asked is not what would run now, so it's asked anew.
            self._close(cursor, question.id, "open", "expired")
            if self._close(cursor, question.id, "approved", "expired"):
                self.move(cursor, call, State.ASKED, body={"void": question.id})
        else:
            self._enter(cursor, call, State.ASKED, route)
        row = {
            "id": secrets.token_hex(8), "action": call.key, "agent": call.agent, "digest": digest, "state": "open",
            "asked_us": self.us, "expires_us": self.us + int(rule.confirm.expires * US), "impact": rule.impact,
            "may_answer": json.dumps(rule.confirm.by), "typed": rule.confirm.type, "by": "", "auth": "", "reason": "",
            "answered_us": None,
        }  # fmt: skip
        cursor.execute(sql.INSERT_QUESTION, row)
        self.append(cursor, call.agent, "question", call.key, {"question": row["id"], "digest": digest})
        return question_of(row, call, route.why)

    def question(self, cursor: sqlite3.Cursor, call: Call) -> Question | None:
        """The latest question about an action that wasn't consumed, or None."""
        cursor.row_factory = sqlite3.Row
        row = cursor.execute(sql.QUESTION_OF, {"action": call.key}).fetchone()
        action = cursor.execute(sql.ACTION, {"key": call.key}).fetchone()
        cursor.row_factory = None
        return None if row is None else question_of(dict(row), call, action["why"])

    def current(self, cursor: sqlite3.Cursor, question: Question) -> Question:
        """The question as it stands now; a late one expires here."""
        found = self.question(cursor, question.call)
        return self._expire(cursor, found) if found is not None and found.id == question.id else question

    def answer(self, cursor: sqlite3.Cursor, question: Question, decision: Decision) -> Question | None:
        """Take a decision; None where the question was answered or expired meanwhile."""
        state = "approved" if decision.verdict == "approve" else "declined"
        if not self._close(cursor, question.id, "open", state, decision):
            return None
        body = {
            "question": question.id, "digest": question.digest, "verdict": decision.verdict, "by": decision.by.name,
            "auth": decision.by.auth, "reason": decision.reason,
        }  # fmt: skip
        self.move(cursor, question.call, State(state), body=body)
        return self.question(cursor, question.call)

    def claim(self, cursor: sqlite3.Cursor, step: Claim, rule: Rule, reader: tuple[str, int] | None) -> Claimed | NotClaimed:
        """Take the right to run: everything that must be on disk before the effect.

        Args:
            cursor: In a transaction.
            step: The claim.
            rule: The tool's rule as it stands now; an approval given under another one is void.
            reader: Who reads the report and within how many microseconds.
        """
        call = step.call
        known = self.known(cursor, call.key)
        if known is not None and not may_follow(known.state, State.STARTED):
            return NotClaimed("busy", f"it is {known.state} already.")
        if known is not None and known.owner_alive:
            return NotClaimed("busy", "another task of this agent is running it.")
        refusal = self._consume(cursor, step, rule) or self._reserve(cursor, step)
        if refusal is not None:
            raise Refused(refusal)
        if step.report and reader is not None:
            cursor.execute(sql.INSERT_REPORT, {
                "action": call.key, "agent": call.agent, "reader": reader[0], "filed_us": self.us,
                "due_us": self.us + reader[1], "read_us": None, "by": "",
            })  # fmt: skip
        artifact = None if step.artifact is None else json.dumps(step.artifact)
        actor = step.actor.name if step.actor else ""
        if known is None:
            self._enter(cursor, call, State.STARTED, step.route, artifact=artifact, actor=actor, fence=1)
            return Claimed(1)
        body = {"fence": known.fence + 1, "rung": int(step.route.rung), "actor": actor}
        self.move(cursor, call, State.STARTED, body=body, artifact=artifact, actor=actor, fence=known.fence + 1)
        return Claimed(known.fence + 1)

    def take_over(self, cursor: sqlite3.Cursor, call: Call, fence: int) -> Claimed | NotClaimed:
        """Become the owner of an action whose own is gone, under a new fence."""
        known = self.known(cursor, call.key)
        if known is None or known.state is not State.STARTED or known.fence != fence or known.owner_alive:
            return NotClaimed("busy", "somebody else is finding out what became of it.")
        self.move(cursor, call, State.STARTED, body={"takeover": fence + 1}, fence=fence + 1)
        return Claimed(fence + 1)

    def record(self, cursor: sqlite3.Cursor, step: Record, reply: bytes | None) -> bool:
        """Write down what came of a claimed action.

        Returns:
            Whether it was recorded: not under an older fence, since somebody else has taken over.
        """
        known = self.known(cursor, step.call.key)
        if known is None or known.fence != step.fence:
            self.append(cursor, step.call.agent, "late", step.call.key, {"state": step.state, "fence": step.fence})
            return False
        detail = step.outcome.text if step.outcome is not None else ""
        body = {"text": detail or step.text} if detail or step.text else {}
        self.move(cursor, step.call, step.state, body=body, text=step.text, reply=reply)
        if step.state in _SETTLES:
            self.release(cursor, step.call.key, used=step.state is not State.FAILED)
        return True

    def move(
        self, cursor: sqlite3.Cursor, call: Call, state: State, *, body: dict[str, Any], text: str = "",
        reply: bytes | None = None, artifact: str | None = None, actor: str = "", fence: int | None = None,
    ) -> None:  # fmt: skip
        """One step of an action's life, with its entry.

        Raises:
            ValueError: The table of states doesn't have this step, which is an error of ours.
        """
        known = self.known(cursor, call.key)
        if known is None or not may_follow(known.state, state):
            raise ValueError(f"action {call.short} can't become {state} from {known.state if known else 'nothing'}")
        started = state is State.STARTED
        row = cursor.execute("SELECT owner, rung, actor FROM action WHERE key = ?", (call.key,)).fetchone()
        cursor.execute(sql.MOVE_ACTION, {
            "b_key": call.key, "b_fence": known.fence, "b_state": known.state, "state": state, "text": text,
            "owner": self.owner.hold() if started else row[0], "fence": known.fence if fence is None else fence,
            "rung": body.get("rung", row[1]), "updated_us": self.us, "reply": reply, "artifact": artifact,
            "actor": actor or row[2],
        })  # fmt: skip
        self.append(cursor, call.agent, state, call.key, body)

    def _enter(
        self, cursor: sqlite3.Cursor, call: Call, state: State, route: Route, *, text: str = "",
        artifact: str | None = None, actor: str = "", fence: int = 0,
    ) -> None:  # fmt: skip
        """Write an action down for the first time, with the arguments and the reasons."""
        body = {
            "tool": call.tool, "arguments": call.arguments, "digest": call.digest, "thread": call.thread,
            "call": call.id, "env": call.env, "rung": int(route.rung),
            "reasons": [[reason.code, reason.text] for reason in route.reasons], "actor": actor,
        }  # fmt: skip
        payload = self.append(cursor, call.agent, state, call.key, body)
        cursor.execute(sql.INSERT_ACTION, {
            "key": call.key, "agent": call.agent, "thread": call.thread, "call_id": call.id, "tool": call.tool,
            "digest": call.digest, "env": call.env, "rung": int(route.rung), "state": state,
            "owner": self.owner.hold() if fence else "", "fence": fence, "at_us": self.us, "updated_us": self.us,
            "payload": payload, "why": route.why, "text": text, "reply": None, "artifact": artifact, "actor": actor,
            "verdict": "",
        })  # fmt: skip

    def _consume(self, cursor: sqlite3.Cursor, step: Claim, rule: Rule) -> NotClaimed | None:
        """Use the approval up: it was given once, for exactly this, and runs once."""
        if step.question is None:
            return None
        question = self.question(cursor, step.call)
        if question is None or question.id != step.question.id or question.decision is None:
            return NotClaimed("approval", "its approval is gone.")
        if question.digest != question_digest(step.call, rule):
            return NotClaimed("approval", "what was approved is not what would run now.")
        decision = question.decision
        if decision.verdict != "approve" or not self._close(cursor, question.id, "approved", "used", decision):
            return NotClaimed("approval", "its approval was used or taken back.")
        return None

    def _reserve(self, cursor: sqlite3.Cursor, step: Claim) -> NotClaimed | None:
        """Hold what the call takes from each quota, in the order of their keys so that no two claims deadlock."""
        for charge in sorted(step.charges, key=lambda charge: charge.quota):
            wanted = {"quota": charge.quota, "window": charge.window, "amount": charge.amount, "lim": charge.limit}
            fits = charge.amount <= charge.limit and cursor.execute(sql.RESERVE, wanted).fetchone() is not None
            if not fits:
                left = charge.limit - self._taken(cursor, charge)
                return NotClaimed("quota", exhausted(charge, left).text)
            cursor.execute(sql.INSERT_HOLD, {
                "action": step.call.key, "quota": charge.quota, "window": charge.window, "amount": charge.amount,
            })  # fmt: skip
        return None

    def release(self, cursor: sqlite3.Cursor, action: str, *, used: bool) -> None:
        """Settle what an action held, into the window in which it was reserved."""
        for quota, window, amount in cursor.execute(sql.HOLDS, {"action": action}).fetchall():
            cursor.execute(sql.SETTLE, {
                "b_quota": quota, "b_window": window, "amount": amount, "used": amount if used else 0,
            })  # fmt: skip
        cursor.execute(sql.DROP_HOLDS, {"action": action})

    def _expire(self, cursor: sqlite3.Cursor, question: Question) -> Question:
        """Turn silence into a no, once the time is up."""
        late = self.now >= question.expires_at
        if not late or (question.decision is not None and question.decision.verdict == "decline"):
            return question
        for state in ("open", "approved"):
            if self._close(cursor, question.id, state, "expired", question.decision):
                self.move(cursor, question.call, State.EXPIRED, body={"question": question.id})
        return self.question(cursor, question.call) or question

    def _close(
        self, cursor: sqlite3.Cursor, question: str, before: str, after: str, decision: Decision | None = None
    ) -> bool:
        """Move a question from one state to another; False where it isn't in the first any more."""
        cursor.execute(sql.MOVE_QUESTION, {
            "b_id": question, "b_state": before, "state": after,
            "by": decision.by.name if decision else "", "auth": decision.by.auth if decision else "",
            "reason": decision.reason if decision else "",
            "answered_us": micros(decision.at) if decision else None,
        })  # fmt: skip
        return cursor.rowcount == 1


_SETTLES = frozenset({State.DONE, State.FAILED, State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED})
"""The states in which it is known what an action used; `unknown` keeps its hold."""


class Refused(Exception):  # noqa: N818  # a refusal on its way out of a transaction, not an error of ours
    """Carries a refused claim out of its transaction, so that nothing of it stays."""

    def __init__(self, refusal: NotClaimed) -> None:
        self.refusal = refusal
        super().__init__(refusal.text)


def question_digest(call: Call, rule: Rule) -> str:
    """What a person is asked: this call, and the rule it would run under. An edit of another rule voids nothing."""
    return digest_of("question", call.key, call.digest, rule.revision)


def call_of(row: Any) -> Call:
    """The call of an action's row joined with its payload; erased arguments come back empty."""
    arguments = json.loads(row["body"])["arguments"] if row["body"] else {}
    return Call(row["agent"], row["thread"], row["call_id"], row["tool"], arguments, row["env"])


def question_of(row: dict[str, Any], call: Call, why: str) -> Question:
    """A question from its row."""
    decision = None
    if row["state"] in {"approved", "declined", "used"}:
        verdict: Any = "decline" if row["state"] == "declined" else "approve"
        decision = Decision(verdict, Person(row["by"], row["auth"]), moment(row["answered_us"]), row["reason"])
    return Question(
        id=row["id"], digest=row["digest"], call=call, asked_at=moment(row["asked_us"]),
        expires_at=moment(row["expires_us"]), reasons=why, impact=row["impact"],
        may_answer=tuple(json.loads(row["may_answer"])), typed=row["typed"], decision=decision,
        expired=row["state"] == "expired",
    )  # fmt: skip
