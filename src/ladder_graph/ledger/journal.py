"""The gate's transactions: look, settle, pose, answer, claim, record. Each is one function on a cursor.

`claim` is the one durable commit before an effect: state, consumed approval, held quota, undo artifact, report and
entry stand or fall together. `record` is the one lazy commit after it: losing it leaves the action in doubt, never
lost.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ladder_graph.calls import Call, normalise
from ladder_graph.ledger import beyond, questions, quotas, watches
from ladder_graph.ledger import statements as sql
from ladder_graph.ledger.actions import Actions, pinned_in, placed, printable, sealed
from ladder_graph.ledger.clocks import Moment
from ladder_graph.ledger.cursor import Cursor
from ladder_graph.ledger.questions import Terms, nonce_of, question_digest, question_of, word_of
from ladder_graph.ledger.rows import US
from ladder_graph.ledger.watches import spec_of
from ladder_graph.policy import Rule
from ladder_graph.policy.bounds import Charge
from ladder_graph.routing import exhausted
from ladder_graph.rungs.confirm import responded
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import (
    Asking,
    Claim,
    Claimed,
    Decision,
    Known,
    NotClaimed,
    Person,
    Question,
    Reason,
    Record,
    Route,
    Seen,
    Settle,
)

_SETTLES = frozenset({State.DONE, State.FAILED, State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED})
"""The states in which it is known what an action used; `unknown` keeps its hold."""

_UNDOES = frozenset({State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED})
"""The states that an undo ends in."""

NOBODY = Asking()
"""Nobody is known to have asked, and no word is given out."""

_NO_QUOTA = {"quota": None, "window": 0, "reach": 0}
"""For a look at a call that draws on none."""

_UNDOABLE = frozenset({State.DONE, State.UNDO_CONFLICT, State.UNDO_FAILED})
"""The states from which an undo may begin without anybody having died."""

_WAITS = frozenset({State.ASKED, State.APPROVED})
"""The states in which a question is open or its approval isn't used yet."""


class Refused(Exception):
    """Carries a refusal out of its transaction, so that nothing of it stays. It is no error, and nobody sees it."""

    def __init__(self, refusal: NotClaimed) -> None:
        self.refusal = refusal
        super().__init__(refusal.text)


class Journal(Actions):
    """The gate's transactions for one policy, one process and one moment; see `Actions` for its arguments."""

    __slots__ = ()

    # --- reading ---------------------------------------------------------------------------------------------

    def look(self, cursor: Cursor, call: Call, charges: Sequence[Charge]) -> Seen:
        """Everything the ledger knows that bears on a call."""
        first = charges[0] if charges and not charges[0].interval else None
        found = cursor.execute(sql.LOOK, {
            "agent": call.agent, "tool": call.tool, "thread": call.thread, "digest": call.digest, "now": self.us,
            **(_NO_QUOTA if first is None else quotas.placed(first)),
        }).fetchone()  # fmt: skip
        left = [] if first is None else [(first, first.limit - (found["taken"] or 0))]
        others = charges[len(left) :]
        like = found["like"] is not None
        known = self.known(cursor, call.key) if like else None
        edited = questions.latest(cursor, call) if known is not None and known.state is State.EDITED else None
        twin, before = self._twins(cursor, call) if like else (None, None)
        return Seen(
            known=known,
            editor=edited.decision.by if edited is not None and edited.decision is not None else None,
            twin=twin,
            before=before,
            declined=questions.declined(cursor, call) if like else None,
            standing=None if found["rung"] is None else Rung(found["rung"]),
            standing_reason=found["reason"] or "",
            left=(*left, *((charge, quotas.left(cursor, charge)) for charge in others)),
            overdue=found["overdue"],
            pinned=pinned_in(found["pinned"]),
        )

    def question(self, cursor: Cursor, call: Call) -> Question | None:
        """The latest question about an action that wasn't consumed, or None."""
        return questions.latest(cursor, call)

    def _twins(self, cursor: Cursor, call: Call) -> tuple[Known | None, Known | None]:
        """The same tool and arguments in this thread under another id: one in doubt, and the last that is done."""
        like = {"thread": call.thread, "digest": call.digest, "key": call.key}
        found = cursor.execute(sql.TWINS, like).fetchall()
        done = [row for row in found if row["state"] == State.DONE]
        in_doubt = [row for row in found if row["state"] != State.DONE and not self.running(row)]
        twin, before = (self.known(cursor, rows[0]["key"]) if rows else None for rows in (in_doubt, done))
        return twin, before

    # --- a call that doesn't run, or not yet -----------------------------------------------------------------

    def settle(self, cursor: Cursor, step: Settle) -> None:
        """Write down a call that ends without running; the first of two equal ones is enough."""
        call = step.call
        place = self.place(cursor, call)
        if place is None:
            self.enter(cursor, call, step.state, step.route, text=step.text)
        elif self._void(cursor, call):
            # It was put on a lower rung while its question waited.
            self.move(cursor, call, step.state, text=step.text, body=placed(step.route))
        else:
            return
        if step.draft is not None:
            path, digest = step.draft
            cursor.execute(sql.INSERT_DRAFT, {
                "action": call.key, "agent": call.agent, "path": path, "sha256": digest, "state": "waiting", "by": "",
                "reason": "",
            })  # fmt: skip

    def pose(self, cursor: Cursor, call: Call, route: Route, terms: Terms, asking: Asking = NOBODY) -> Question:
        """Ask, or find the question that is open already; a late one expires here, and one on other terms is void.

        Raises:
            Refused: It isn't waiting for an answer: another task has taken it further meanwhile.
        """
        place, requester = self.place(cursor, call), asking.requester
        if place is None:
            self.enter(cursor, call, State.ASKED, route)
        elif place["state"] not in _WAITS:
            raise Refused(NotClaimed("busy", f"it is {place['state']} already."))
        else:
            question = questions.latest(cursor, call)
            if question is None:
                raise Refused(NotClaimed("state", "its draft was accepted, and runs as that person's act."))
            if question.digest == terms.digest(call):
                return self._expire(cursor, self._worded(cursor, question, asking.seed))
            # The rule, the tool or its undo was changed since: what was asked isn't what would run now.
            self._void(cursor, call)
            if place["state"] == State.APPROVED:
                self.move(cursor, call, State.ASKED, body={"void": question.id})
            requester = question.requester  # Whoever resumes the thread now may be the one who answers.
        return replace(self._ask(cursor, call, route, terms, requester, asking.seed), fresh=True)

    def _ask(
        self, cursor: Cursor, call: Call, route: Route, terms: Terms, requester: Person | None, seed: str
    ) -> Question:  # fmt: skip
        """Open a new question about an action."""
        rule, name = terms.rule, secrets.token_hex(8)
        row = {
            "id": name, "agent": call.agent, "asked_us": self.us,
            "expires_us": self.us + int(rule.confirm.expires * US), "impact": rule.impact, "mistake": rule.mistake,
            "may_answer": json.dumps(rule.confirm.by), "typed": rule.confirm.type,
            "decisions": json.dumps(rule.confirm.decisions), "quorum": rule.confirm.quorum,
            "not_requester": rule.confirm.not_requester, "requester": requester.name if requester else "",
            "requester_auth": requester.auth if requester else "", "nonce": nonce_of(word_of(seed, name)),
            "tool_version": terms.tool, "rule": rule.revision, "undo": terms.undo,
        }  # fmt: skip
        return question_of(self._open(cursor, call, row), call, route.why)

    def _open(self, cursor: Cursor, call: Call, row: Mapping[str, Any]) -> dict[str, Any]:
        """Write a new question down, as the next one about its action."""
        (turn,) = cursor.execute(sql.NEXT_ROUND, {"action": call.key}).fetchone()
        digest = question_digest(call, row["tool_version"], row["rule"], row["undo"])
        unanswered = {"state": "open", "by": "", "auth": "", "reason": "", "answered_us": None}
        new = {**row, "action": call.key, "round": turn, "digest": digest, **unanswered}
        cursor.execute(sql.INSERT_QUESTION, new)
        self.append(cursor, call.agent, "question", call.key, {
            "question": row["id"], "digest": digest, "tool": row["tool_version"], "undo": row["undo"],
            "requester": row["requester"], "requester_auth": row["requester_auth"], "quorum": row["quorum"],
        })  # fmt: skip
        return new

    def _worded(self, cursor: Cursor, question: Question, seed: str) -> Question:
        """Another process asks now, with a secret of its own; the word that the first one gave out is void."""
        nonce = nonce_of(word_of(seed, question.id))
        if question.decision is not None or not nonce or nonce == question.nonce:
            return question
        cursor.execute(sql.REKEY_QUESTION, {"b_id": question.id, "nonce": nonce})
        return replace(question, nonce=nonce)

    def current(self, cursor: Cursor, question: Question) -> Question:
        """The question as it stands now; a late one expires here."""
        found = questions.latest(cursor, question.call)
        return self._expire(cursor, found) if found is not None and found.id == question.id else question

    def answer(self, cursor: Cursor, question: Question, decision: Decision) -> Question | None:
        """Take a decision; None where the question was answered or expired meanwhile, or this person said it before."""
        body = {
            "question": question.id, "digest": question.digest, "verdict": decision.verdict, "by": decision.by.name,
            "auth": decision.by.auth, "reason": decision.reason,
        }  # fmt: skip
        match decision.verdict:
            case "approve":
                taken = self._approve(cursor, question, decision, body)
            case "edit":
                taken = self._edit(cursor, question, decision, body)
            case _:
                after = State.DECLINED if decision.verdict == "decline" else State.RESPONDED
                text = None if decision.verdict == "decline" else responded(question.call, decision)
                taken = questions.close(cursor, question.id, "open", after, decision)
                if taken:
                    self.move(cursor, question.call, after, body=body, text=text)
        return questions.latest(cursor, question.call) if taken else None

    def _approve(self, cursor: Cursor, question: Question, decision: Decision, body: dict[str, Any]) -> bool:
        """One person's yes; it lets the call run where it is the last one that is needed."""
        if question.quorum > 1:
            found = questions.row_of(cursor, question.call)
            still_open = found is not None and found["id"] == question.id and found["state"] == "open"
            if found is None or not still_open or not questions.vote(cursor, question.id, decision):
                return False
            given = [one["by"] for one in questions.votes(cursor, found) if not one["withdrawn"]]
            body = {**body, "given": given, "quorum": question.quorum}
            if len(given) < question.quorum:
                self.append(cursor, question.call.agent, "vote", question.call.key, body)
                return True
        if not questions.close(cursor, question.id, "open", "approved", decision):
            return False
        self.move(cursor, question.call, State.APPROVED, body=body)
        return True

    def _edit(self, cursor: Cursor, question: Question, decision: Decision, body: dict[str, Any]) -> bool:
        """Put another call in this one's place, asked on the same terms, with the editor as its first approver."""
        row, after = questions.row_of(cursor, question.call), decision.successor
        if row is None or after is None or not questions.close(cursor, question.id, "open", "edited", decision):
            return False
        arguments = normalise(after.arguments)
        body = {**body, "successor": after.key, "arguments": arguments}
        self.move(cursor, question.call, State.EDITED, body=body, successor=after.key)
        route = Route(Rung.CONFIRM, (Reason("edited", f"{decision.by.name} put other arguments in"),))
        self.enter(cursor, after, State.ASKED, route, edited_from=question.call.key)
        named = {name: value for name, value in row.items() if name != "why"}
        opened = self._open(cursor, after, {**named, "id": secrets.token_hex(8), "asked_us": self.us, "nonce": ""})
        asked = question_of(opened, after, route.why)
        self.answer(cursor, asked, replace(decision, verdict="approve", successor=None))
        return True

    def revoke(self, cursor: Cursor, question: Question, person: Person, reason: str) -> Question | None:
        """Take an approval back before it was used; None where there is nothing to take back any more.

        While others still have to approve, only one's own yes can be taken back.
        """
        body = {"question": question.id, "by": person.name, "auth": person.auth, "reason": reason}
        if question.decision is None:
            if not questions.withdraw(cursor, question.id, person):
                return None
            self.append(cursor, question.call.agent, "vote_withdrawn", question.call.key, body)
            return questions.latest(cursor, question.call)
        decision = Decision("decline", person, self.now, reason)
        if not questions.close(cursor, question.id, "approved", "declined", decision):
            return None
        self.move(cursor, question.call, State.DECLINED, body={**body, "verdict": "revoke"})
        return questions.latest(cursor, question.call)

    def _expire(self, cursor: Cursor, question: Question) -> Question:
        """Turn silence into a no, once the time is up; an approval that nobody used in time is void too."""
        late = self.now >= question.expires_at
        if not late or (question.decision is not None and question.decision.verdict == "decline"):
            return question
        if self._void(cursor, question.call):
            self.move(cursor, question.call, State.EXPIRED, body={"question": question.id})
        return questions.latest(cursor, question.call) or question

    def _void(self, cursor: Cursor, call: Call) -> bool:
        """Close the question of an action, whether it is open or approved; False where there is none."""
        question = questions.latest(cursor, call)
        return question is not None and any(
            questions.close(cursor, question.id, before, "expired", question.decision)
            for before in ("open", "approved")
        )

    # --- a call that runs ------------------------------------------------------------------------------------

    def claim(self, cursor: Cursor, step: Claim, terms: Terms, reader: tuple[str, int] | None) -> Claimed:
        """Take the right to run: everything that must be on disk before the effect.

        Args:
            cursor: In a transaction.
            step: The claim.
            terms: The tool, its rule and its undo as they are now; an approval given on other terms is void.
            reader: Who reads the report and within how many microseconds.

        Raises:
            Refused: Somebody else has it, a quota is full, or the approval is gone. Nothing of the claim may stay.
        """
        place = self.place(cursor, step.call)
        refusal = (
            self._changed(cursor, step)
            or self._taken(place, step, terms.rule)
            or self._consume(cursor, step, terms)
            or self._reserve(cursor, step)
        )
        if refusal is not None:
            raise Refused(refusal)
        if step.report and reader is not None:
            cursor.execute(sql.INSERT_REPORT, {
                "action": step.call.key, "agent": step.call.agent, "reader": reader[0], "filed_us": self.us,
                "due_us": self.us + reader[1], "read_us": None, "by": "",
            })  # fmt: skip
        watch = "" if step.artifact is None else spec_of(terms.rule)
        fence = self._start(cursor, step, place, watch)
        if step.artifact is not None:
            self._arm(cursor, step, watch, terms.rule.watch.window)
        self.owner.begin(step.call.key, fence)
        return Claimed(fence)

    def _arm(self, cursor: Cursor, step: Claim, watch: str, length: float) -> None:
        """Write down that the action is to be watched, so that it is even if this process dies with the effect."""
        call = step.call
        watches.arm(
            cursor, action=call.key, agent=call.agent, tool=call.tool, spec=watch,
            resource=str(step.artifact.get("resource") or ""), at=Moment.at(self.now),
            length_us=int(length * US),
        )  # fmt: skip

    def _start(self, cursor: Cursor, step: Claim, place: Any, watch: str) -> int:
        """Write the start down, of a new action or of one that waited, and return its fence."""
        call, artifact = step.call, None if step.artifact is None else json.dumps(step.artifact)
        if place is None:
            self.enter(cursor, call, State.STARTED, step.route, artifact=artifact, watch=watch, fence=1)
            return 1
        fence: int = place["fence"] + 1
        rung, actor = int(step.route.rung), step.actor.name if step.actor else None
        self.step(
            cursor, call, place["state"], place["fence"], State.STARTED, owner=self.owner.hold(), fence=fence,
            rung=rung, text="", artifact=artifact, actor=actor,
        )  # fmt: skip
        self.append(cursor, call.agent, State.STARTED, call.key, {
            "fence": fence, "rung": rung, "actor": actor or "", **sealed(artifact, watch),
            **beyond.counted(cursor, step, place, self.us),
        })  # fmt: skip
        return fence

    def take_over(self, cursor: Cursor, call: Call, fence: int, *, undo: str = "") -> Claimed | NotClaimed:
        """Become the owner of an action whose own is gone, or of one that is to be undone, under a new fence.

        Args:
            cursor: In a transaction.
            call: The action's.
            fence: The one that the caller saw.
            undo: Why it is to be undone; empty where somebody only finds out what became of it.
        """
        place = self.place(cursor, call)
        if place is None or place["fence"] != fence:
            return NotClaimed("busy", "somebody else is finding out what became of it.")
        before = State(place["state"])
        orphaned = before in {State.STARTED, State.UNDOING} and not self.running(place)
        if not (orphaned or (undo and before in _UNDOABLE)):
            return NotClaimed("busy", f"it is {before}, and somebody else may be at it.")
        after = State.UNDOING if undo else before
        self.step(cursor, call, before, fence, after, owner=self.owner.hold(), fence=fence + 1)
        self.append(cursor, call.agent, after, call.key, {
            "takeover": fence + 1, **({"text": undo} if undo else {}),
        })  # fmt: skip
        if undo:
            self._watched(cursor, call.key, State.UNDOING)
        self.owner.begin(call.key, fence + 1)
        return Claimed(fence + 1)

    def record(self, cursor: Cursor, step: Record, reply: bytes | None, after: str | None = None) -> bool:
        """Write down what came of a claimed action.

        Args:
            cursor: In a transaction.
            step: What came of it.
            reply: The tool's reply, as it is kept.
            after: The touched resource's fingerprint right after the action.

        Returns:
            Whether it was recorded: not under an older fence, since somebody else has taken over.
        """
        call, text = step.call, printable(step.text)
        before = State.UNDOING if step.state in _UNDOES else State.STARTED
        moved = self.step(cursor, call, before, step.fence, step.state, text=text, reply=reply)
        if moved is None:
            self.append(cursor, call.agent, "late", call.key, {"state": step.state, "fence": step.fence})
            return False
        detail = step.outcome.text if step.outcome is not None else ""
        self.append(cursor, call.agent, step.state, call.key, {"text": detail or text} if detail or text else {})
        cost = step.outcome.cost if step.outcome is not None else None
        if step.state in _SETTLES or (step.state is State.UNDOING and cost is not None):
            quotas.settle(cursor, call.key, used=step.state is not State.FAILED, cost=cost)
        if moved["undo"] or step.state in _UNDOES:  # Somebody may have taken the artifact away meanwhile.
            self._watched(cursor, call.key, step.state, after, text)
        return True

    def _watched(
        self, cursor: Cursor, action: str, state: State, after: str | None = None, text: str = ""
    ) -> None:  # fmt: skip
        """Take the window of an action, if it has one, to where its state belongs."""
        window = watches.window_of(cursor, action)
        if window is None:
            return
        match state:
            case State.DONE:
                watches.opened(cursor, window, Moment.at(self.now), after)
            case State.FAILED:
                watches.over(cursor, window, "over", text)
            case State.PAUSED:
                watches.again(cursor, window, None)
            case State.UNDOING:
                watches.change(cursor, window, phase="undo", due_us=self.us + watches.PULSE)
            case State.UNDONE:
                watches.over(cursor, window, "undone", text)
            case State.UNDO_CONFLICT:
                watches.over(cursor, window, "held", text)
            case State.UNDO_FAILED:
                watches.failed(cursor, window, self.us, text)

    def _changed(self, cursor: Cursor, step: Claim) -> NotClaimed | None:
        """Whether the route was found by what has changed since, quotas apart: those are held by this claim itself."""
        if step.seen is None or self.look(cursor, step.call, ()) == replace(
            step.seen, left=(), watched=True, rehearsed=True
        ):
            return None
        return NotClaimed("stale", "what it was sent to this rung by has changed meanwhile.")

    def _taken(self, place: Any, step: Claim, rule: Rule) -> NotClaimed | None:
        """Why an action in this place may not be started; None where it may.

        What was started once may only start again after its owner found that nothing had happened (`paused`), or
        where there is no effect to protect.
        """
        if place is None:
            return None
        state = State(place["state"])
        allowed = {
            State.APPROVED: step.question is not None or step.actor is not None,
            State.PAUSED: True,
            State.STARTED: rule.read_only,
            State.DONE: rule.read_only,
        }
        return None if allowed.get(state) else NotClaimed("busy", f"it is {state} already.")

    def _consume(self, cursor: Cursor, step: Claim, terms: Terms) -> NotClaimed | None:
        """Use the approval up: it was given once, for exactly this, and runs once."""
        if step.question is None:
            return None
        question = questions.latest(cursor, step.call)
        if question is None or question.id != step.question.id or question.decision is None:
            return NotClaimed("approval", "its approval is gone.")
        if question.digest != terms.digest(step.call):
            return NotClaimed("approval", "what was approved is not what would run now.")
        decision = question.decision
        if decision.verdict != "approve" or not questions.close(cursor, question.id, "approved", "used", decision):
            return NotClaimed("approval", "its approval was used or taken back.")
        return None

    def _reserve(self, cursor: Cursor, step: Claim) -> NotClaimed | None:
        """Hold what the call takes from each quota."""
        full = quotas.hold(cursor, step.call.key, step.charges)
        return None if full is None else NotClaimed("quota", exhausted(full, quotas.left(cursor, full)).text)
