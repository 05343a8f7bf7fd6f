"""Questions in the ledger: posed, answered, edited, taken back, and expired. Each is one function on a cursor."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ladder_graph.calls import Call, normalise
from ladder_graph.facts import Asking, Decision, Person, Question, Reason, Route
from ladder_graph.ledger.actions import members, questions, tellings
from ladder_graph.ledger.actions.lifecycle import Actions, Refused
from ladder_graph.ledger.actions.questions import Terms, nonce_of, question_digest, question_of, word_of
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor, Read, ahead
from ladder_graph.ledger.database.liveness import Owner
from ladder_graph.ledger.people import announcing, resumptions
from ladder_graph.ledger.tables.rows import US
from ladder_graph.rungs.confirm import responded
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import NotClaimed
from ladder_graph.telling import Telling

NOBODY = Asking()
"""Nobody is known to have asked, and no word is given out."""

_WAITS = frozenset({State.ASKED, State.APPROVED})
"""The states in which a question is open or its approval isn't used yet."""


_AFTER = {
    "approve": State.APPROVED, "decline": State.DECLINED, "edit": State.EDITED, "respond": State.RESPONDED,
}  # fmt: skip
"""The state that an action and its question come to by each answer."""


class Asked(Actions):
    """The actions of a ledger, with the questions about them; see `Actions` for its arguments."""

    __slots__ = ()

    def pose(
        self, cursor: Cursor, call: Call, route: Route, terms: Terms, asking: Asking = NOBODY, *,
        part_first: bool = False, told: Telling | None = None,
    ) -> Question:  # fmt: skip
        """Ask, or find the question that is open already; a late one expires here, and one on other terms is void.

        Raises:
            Refused: It isn't waiting for an answer: another task has taken it further meanwhile.
        """
        ahead(cursor, *self.of_asking(call))
        place, requester = self.place(cursor, call), asking.requester
        if place is None:
            if asking.continued:
                requester = questions.requester_in(cursor, call.thread) or requester
            self.enter(cursor, call, State.ASKED, route)
        elif place["state"] not in _WAITS:
            raise Refused(NotClaimed("busy", f"it is {place['state']} already."))
        else:
            question = questions.latest(cursor, call)
            if question is None:
                raise Refused(NotClaimed("state", "its draft was accepted, and runs as that person's act."))
            if question.digest == terms.digest(call) and (part_first or not question.part_first):
                return self._expire(cursor, question, hearer=self.owner)
            # The rule, the tool or its undo was changed since, or no part would go first any more: what was asked isn't
            # what would run now.
            self._void(cursor, call)
            if place["state"] == State.APPROVED:
                self.move(cursor, call, State.ASKED, body={"void": question.id})
            requester = question.requester  # Whoever resumes the thread now may be the one who answers.
        asked = self._ask(cursor, call, route, terms, requester, asking.seed, part_first=part_first, told=told)
        return replace(asked, fresh=True)

    def of_asking(self, call: Call) -> tuple[Read, ...]:
        """The queries that `pose` makes, to be asked ahead."""
        return self.standing(call), questions.of(call), questions.requested_in(call.thread)

    def _ask(
        self, cursor: Cursor, call: Call, route: Route, terms: Terms, requester: Person | None, seed: str, *,
        part_first: bool, told: Telling | None,
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
            "tool_version": terms.tool, "rule": rule.revision, "undo": terms.undo, "part_first": part_first,
        }  # fmt: skip
        return question_of(self.open(cursor, call, row, told), call, route.why)

    def open(
        self, cursor: Cursor, call: Call, row: Mapping[str, Any], told: Telling | None = None
    ) -> dict[str, Any]:  # fmt: skip
        """Write a new question down, as the next one about its action, with what was taken down of the call.

        Returns:
            Its row, but for the number of the round.
        """
        digest = question_digest(call, row["tool_version"], row["rule"], row["undo"])
        unanswered = {
            "state": "open", "by": "", "auth": "", "reason": "", "answered_us": None, "passed_to": "", "passed_by": "",
        }  # fmt: skip
        new = {**row, "action": call.key, "tool": call.tool, "digest": digest, **unanswered}
        cursor.execute(sql.INSERT_QUESTION, new)
        self.append(cursor, call.agent, "question", call.key, {
            "question": row["id"], "digest": digest, "tool": row["tool_version"], "undo": row["undo"],
            "requester": row["requester"], "requester_auth": row["requester_auth"], "quorum": row["quorum"],
            **({} if told is None else {"told": told.to_json()}),
        })  # fmt: skip
        if self.policy is not None and self.policy.told_of_waiting:
            announcing.asked(self.policy, cursor, self.us, new)
        return new

    def current(self, cursor: Cursor, question: Question) -> Question:
        """The question as it stands now; a late one expires here."""
        found = questions.latest(cursor, question.call)
        if found is None or found.id != question.id:
            return question
        return self._expire(cursor, found, hearer=self.owner)

    def answer(self, cursor: Cursor, question: Question, decision: Decision) -> Question | None:
        """Take a decision; None where the question was answered or expired meanwhile, or this person said it before."""
        call = question.call
        # The end of the chain comes first: where others answer in between, the entry that follows it can't be written.
        ahead(cursor, self.standing(call), questions.of(call))
        place, row = self.place(cursor, call), questions.row_of(cursor, call)
        if row is None or row["id"] != question.id or row["state"] != "open":
            return None
        body = {
            "question": question.id, "digest": question.digest, "verdict": decision.verdict, "by": decision.by.name,
            "auth": decision.by.auth, "reason": decision.reason, **decision.record,
        }  # fmt: skip
        if decision.verdict == "approve" and question.quorum > 1:
            return self._vote(cursor, question, decision, body, row)
        after, successor = _AFTER[decision.verdict], decision.successor
        if successor is not None:
            body |= {"successor": successor.key, "arguments": normalise(successor.arguments)}
        questions.close_read(cursor, question.id, "open", after, decision)
        self.move(
            cursor, call, after, body=body, text=responded(call, decision) if after is State.RESPONDED else None,
            successor=None if successor is None else successor.key, place=place,
        )  # fmt: skip
        if successor is not None:
            self._put(cursor, question, decision, successor, row)
        votes = questions.votes(cursor, row)
        return question_of({**row, "state": after, **questions.answered_by(decision)}, call, row["why"], votes)

    def _vote(
        self, cursor: Cursor, question: Question, decision: Decision, body: dict[str, Any], row: Mapping[str, Any]
    ) -> Question | None:
        """One of several that are needed says yes; the call may run once it is the last of them."""
        if not questions.vote(cursor, question.id, decision):
            return None
        given = [one["by"] for one in questions.votes(cursor, row) if not one["withdrawn"]]
        body = {**body, "given": given, "quorum": question.quorum}
        if len(given) < question.quorum:
            self.append(cursor, question.call.agent, "vote", question.call.key, body)
        else:
            questions.close_read(cursor, question.id, "open", "approved", decision)
            self.move(cursor, question.call, State.APPROVED, body=body)
        return questions.latest(cursor, question.call)

    def _put(self, cursor: Cursor, question: Question, decision: Decision, after: Call, row: Mapping[str, Any]) -> None:
        """Put another call in this one's place, asked on the same terms, with the editor as its first approver."""
        route = Route(Rung.CONFIRM, (Reason("edited", f"{decision.by.name} put other arguments in"),))
        self.enter(cursor, after, State.ASKED, route, edited_from=question.call.key)
        members.inherit(cursor, question.call.key, after.key)
        named = {name: value for name, value in row.items() if name != "why"}
        told = tellings.told_of(cursor, question.call.key, question.id)
        told = told and told.edited(normalise(question.call.arguments), normalise(after.arguments), decision.by.name)
        opened = self.open(
            cursor, after,
            {**named, "id": secrets.token_hex(8), "asked_us": self.us, "nonce": "", "part_first": False}, told,
        )  # fmt: skip
        asked = question_of(opened, after, route.why)
        self.answer(cursor, asked, replace(decision, verdict="approve", successor=None))

    def pass_on(self, cursor: Cursor, question: Question, person: Person, to: str, note: str) -> Question | None:
        """Hand an open question to somebody else; None where it isn't open any more. Its time runs on."""
        if not questions.passed(cursor, question.id, to, person):
            return None
        self.append(cursor, question.call.agent, "passed", question.call.key, {
            "question": question.id, "to": to, "by": person.name, "auth": person.auth, "reason": note,
        })  # fmt: skip
        if self.policy is not None and self.policy.told_of_waiting:
            announcing.passed(self.policy, cursor, self.us, question, to, person.name)
        return questions.latest(cursor, question.call)

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

    def withdraw(self, cursor: Cursor, call: Call, text: str) -> bool:
        """A question that makes no sense any more, such as one of a conversation that was rolled back, is closed.

        Returns:
            Whether there was one; a draft that somebody accepted waits for no answer.
        """
        if not self._void(cursor, call):
            return False
        self.move(cursor, call, State.REFUSED, body={"text": text}, text=text)
        return True

    def lapse(self, cursor: Cursor, question: Question, *, sleeps: bool, text: str | None = None) -> bool:
        """Turn silence into a no where no task of the thread is there to notice it; whether the time is up.

        Args:
            cursor: In a transaction.
            question: The question.
            sleeps: Whether there is a thread that is to go on.
            text: What its model reads of it; None for that nobody answered in time.
        """
        return self._expire(cursor, question, hearer=None, told=sleeps, text=text) is not question

    def _expire(
        self, cursor: Cursor, question: Question, *, hearer: Owner | None, told: bool = True, text: str | None = None
    ) -> Question:  # fmt: skip
        """Turn silence into a no, once the time is up; an approval that nobody used in time is void too."""
        late = self.now >= question.expires_at
        if not late or (question.decision is not None and question.decision.verdict == "decline"):
            return question
        if self._void(cursor, question.call):
            body = {"question": question.id, **({} if text is None else {"text": text})}
            self.move(cursor, question.call, State.EXPIRED, body=body, text=text)
            if told:
                resumptions.put(cursor, question.id, question.call, "expire", self.us, hearer=hearer)
        return questions.latest(cursor, question.call) or question

    def _void(self, cursor: Cursor, call: Call) -> bool:
        """Close the question of an action, whether it is open or approved; False where there is none."""
        question = questions.latest(cursor, call)
        return question is not None and any(
            questions.close(cursor, question.id, before, "expired", question.decision)
            for before in ("open", "approved")
        )
