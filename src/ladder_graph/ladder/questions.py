"""What people do with questions: answer them, put other arguments in, answer instead, take it back."""

from __future__ import annotations

import datetime as dt
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from random import SystemRandom
from typing import Any, Literal, TypeVar, get_args

from ladder_graph import answers
from ladder_graph.calls import Call
from ladder_graph.errors import AnswerRefused
from ladder_graph.facts import Decision, Means, Person, Question
from ladder_graph.ledger import Journal, Reading, Store
from ladder_graph.ledger.actions import questions
from ladder_graph.ledger.evidence import probes
from ladder_graph.ledger.gate import acts
from ladder_graph.ledger.people import resumptions
from ladder_graph.ledger.upkeep import lapsing
from ladder_graph.policy import Policy
from ladder_graph.trust.deeds import BLAMELESS
from ladder_graph.trust.probing import due, mutated
from ladder_graph.turns.deciding import Fitting, decision_of, edited, taken_before, unpassable, unrevocable

T = TypeVar("T")
random = SystemRandom().random
"""Nobody foresees a probe; a test may put another one in its place."""


def person_of(by: str | Person) -> Person:
    """A person from a name that the calling program vouches for.

    Raises:
        AnswerRefused: The name is empty.
    """
    person = by if isinstance(by, Person) else Person(by.strip(), "code")
    if not person.name:
        raise AnswerRefused("nobody's name is on the answer; say who you are")
    return person


def _lapsed(journal: Journal, cursor: Any, late: list[str]) -> int:
    return sum(lapsing.lapse(journal, cursor, one) for one in late)


def attention(looked: float | None, characters: int | None) -> tuple[float | None, int | None]:
    """How long a person looked at how much; what is no length of time is none."""
    seconds = None if looked is None else looked if 0 <= looked < math.inf else 0.0
    return seconds, None if characters is None else max(0, characters)


def _attended(
    answer: answers.Answer, looked: float | None, characters: int | None, shown: str | None, means: Means | None
) -> answers.Answer:
    """An answer with how long the person looked at how much."""
    seconds, much = attention(looked, characters)
    known = means if means in get_args(Means) else None
    return replace(answer, looked=seconds, characters=much, shown=shown or "", input=known or "")


class Questions(ABC):
    """The part of a desk where questions are answered."""

    policy: Policy
    store: Store
    reading: Reading
    clock: Callable[[], dt.datetime]

    @abstractmethod
    def fitting(self, call: Call) -> Fitting:
        """How arguments for a call's tool are typed."""

    def pending(self, *, limit: int | None = None) -> list[Question]:
        """Open questions, oldest first. A question that is past its time shows until somebody touches it.

        Args:
            limit: How many at most: the oldest ones; all of them where nothing is said.
        """
        return self.reading.pending(self.policy.agent, limit)

    def question(self, question: str) -> Question:
        """One question, whatever became of it, unless its approval was used.

        Args:
            question: Its id, or the beginning of it.

        Raises:
            UnknownQuestion: There is none.
            AnswerRefused: It was answered and used, or asked anew.
        """
        journal = self._journal()
        return self.store.read(lambda cursor: acts.find_question(journal, cursor, question))

    def requester(self, thread: str) -> Person | None:
        """Whose run a thread's last question came from; None where it asked none, or nobody knew.

        For whoever goes on with a thread in that person's name, such as a worker at a server.

        Args:
            thread: The LangGraph thread.
        """
        return self.store.read(lambda cursor: questions.requester_in(cursor, thread))

    def approve(
        self, question: str, *, by: str | Person, typed: str | None = None, digest: str | None = None,
        looked: float | None = None, characters: int | None = None, shown: str | None = None,
        input: Means | None = None, reason: str = "", batch: str = "",  # noqa: A002  # it is named so in the ledger
    ) -> Question:  # fmt: skip
        """Say yes to exactly one frozen action; its thread runs it when it goes on: see `resumptions`.

        Args:
            question: The question's id, or the beginning of it.
            by: Who says so; a plain name is vouched for by the calling program.
            typed: The exact value of the argument that must be typed, where the rule asks for it.
            digest: The digest of what the person was shown; refused if it isn't this question's.
            looked: Seconds that the person looked at the question, where that was measured. A yes that nobody can have
                read the question for is no evidence of trust.
            characters: How much there was to read.
            shown: The digest of the briefing that the person was shown (`Briefing.shown`).
            input: What they answered with: `"keyboard"` or `"pointer"`.
            reason: Why; kept in the ledger.
            batch: What is the same for all questions that were answered at once. One of a batch counts as a glance.

        Raises:
            UnknownQuestion: There is none.
            AnswerRefused: Not by this person, not any more, not for these arguments.
        """
        answer = answers.Answer("approve", reason=reason, typed=typed, digest=digest, batch=batch)
        return self._answer(question, _attended(answer, looked, characters, shown, input), by)

    def decline(
        self, question: str, *, by: str | Person, reason: str, fault: Literal["agent", "policy"] = "agent",
        looked: float | None = None, characters: int | None = None, shown: str | None = None,
        input: Means | None = None, digest: str | None = None, batch: str = "",  # noqa: A002  # as above
    ) -> Question:  # fmt: skip
        """Say no, with the reason that the agent will read.

        Args:
            question: The question's id, or the beginning of it.
            by: Who says so; a plain name is vouched for by the calling program.
            reason: Why not.
            fault: `"policy"` where the reason lies outside the agent, as a bad moment does: then the no doesn't count
                against it.
            looked: Seconds that the person looked at the question, where that was measured.
            characters: How much there was to read.
            shown: The digest of the briefing that the person was shown.
            input: What they answered with.
            digest: The digest of what the person was shown; refused if it isn't this question's.
            batch: As of `approve`.

        Raises:
            UnknownQuestion: There is none.
            AnswerRefused: Not any more, or not for these arguments.
        """
        blame = BLAMELESS if fault == BLAMELESS else ""
        answer = answers.Answer("decline", reason=reason, fault=blame, digest=digest, batch=batch)
        return self._answer(question, _attended(answer, looked, characters, shown, input), by)

    def edit(
        self, question: str, arguments: Mapping[str, Any], *, by: str | Person, reason: str = "",
        typed: str | None = None, digest: str | None = None, looked: float | None = None,
        characters: int | None = None, shown: str | None = None, input: Means | None = None,  # noqa: A002  # as above
    ) -> Question:  # fmt: skip
        """Let a call run with other arguments; whoever puts them in approves them.

        The call with the new arguments goes through the gate of now, never above a question, and takes the place of
        the one that was asked about, which never runs.

        Args:
            question: The question's id, or the beginning of it.
            arguments: All arguments of the new call.
            by: Who says so; a plain name is vouched for by the calling program.
            reason: Why.
            typed: What must be typed, where the rule asks for it: for the new arguments.
            digest: The digest of what the person was shown; refused if it isn't this question's.
            looked: Seconds that the person looked at the question, where that was measured.
            characters: How much there was to read.
            shown: The digest of the briefing that the person was shown.
            input: What they answered with.

        Raises:
            UnknownQuestion: There is none.
            AnswerRefused: Not by this person, not any more, or the arguments don't fit the tool.
        """
        answer = answers.Answer("edit", reason=reason, typed=typed, digest=digest, arguments=dict(arguments))
        return self._answer(question, _attended(answer, looked, characters, shown, input), by)

    def respond(
        self, question: str, text: str, *, by: str | Person, looked: float | None = None,
        characters: int | None = None, shown: str | None = None, input: Means | None = None,  # noqa: A002  # as above
        digest: str | None = None,
    ) -> Question:  # fmt: skip
        """Give the model a text in the tool's place; nothing runs.

        Args:
            question: The question's id, or the beginning of it.
            text: What the model reads.
            by: Who says so; a plain name is vouched for by the calling program.
            looked: Seconds that the person looked at the question, where that was measured.
            characters: How much there was to read.
            shown: The digest of the briefing that the person was shown.
            input: What they answered with.
            digest: The digest of what the person was shown; refused if it isn't this question's.

        Raises:
            UnknownQuestion: There is none.
            AnswerRefused: Not by this person, or not any more.
        """
        if not text.strip():
            raise AnswerRefused("a response must bring a text for the model")
        answer = answers.Answer("respond", reason=text.strip(), digest=digest)
        return self._answer(question, _attended(answer, looked, characters, shown, input), by)

    def pass_on(self, question: str, *, to: str, by: str | Person, note: str = "") -> Question:
        """Hand a question to somebody else who may answer it. Its time runs on, and everybody else still may answer.

        Args:
            question: The question's id, or the beginning of it.
            to: The name of whoever shall answer.
            by: Who hands it over: somebody who might answer it.
            note: A word with it.

        Raises:
            UnknownQuestion: There is none.
            AnswerRefused: It was answered, or one of the two may not answer it.
        """
        person, whom = person_of(by), to.strip()

        def work(journal: Journal, cursor: Any) -> Question:
            asked = acts.find_question(journal, cursor, question)
            complaint = unpassable(asked, person, whom, journal.now, self.policy)
            passed = None if complaint else journal.pass_on(cursor, asked, person, whom, note.strip())
            if passed is None:
                raise AnswerRefused(complaint or "somebody answered at the same moment; look again")
            return passed

        return self._write(work)

    def revoke(self, question: str, *, by: str | Person, reason: str) -> Question:
        """Take an approval back, as long as nothing has run. While others still have to approve, only one's own.

        Args:
            question: The question's id, or the beginning of it.
            by: Who approved it, or somebody else who might have.
            reason: Why; the agent reads it.

        Raises:
            UnknownQuestion: There is none.
            AnswerRefused: It was used, nobody approved it, or this person may not take it back.
        """
        person = person_of(by)

        def work(journal: Journal, cursor: Any) -> Question:
            asked = acts.find_question(journal, cursor, question)
            complaint = unrevocable(asked, person, journal.now, self.policy)
            taken = None if complaint else journal.revoke(cursor, asked, person, reason)
            if taken is None:
                raise AnswerRefused(complaint or f"there is no approval by {person.name} to take back")
            if taken.decision is not None:
                resumptions.put(cursor, taken.id, asked.call, "revoke", journal.us)
            return taken

        taken = self._write(work)
        self.go_on()
        return taken

    def _answer(self, prefix: str, answer: answers.Answer, by: str | Person) -> Question:
        person = person_of(by)

        def work(journal: Journal, cursor: Any) -> Question:
            asked = acts.find_question(journal, cursor, prefix)
            if asked.decision is not None:
                raise AnswerRefused(f"{asked.decision.by.name} has answered already: {asked.decision.verdict}")
            after = edited(asked.call, answer, self.fitting(asked.call))
            if isinstance(after, str):
                raise AnswerRefused(after)
            decision = decision_of(asked, answer, person, journal.now, self.policy, after)
            complaint = decision if isinstance(decision, str) else taken_before(journal, cursor, decision)
            if isinstance(decision, str) or complaint:
                raise AnswerRefused(complaint)
            wrong = probes.why(cursor, asked.call.key)
            taken = (
                self._taken(journal, cursor, asked, decision)
                if wrong is None
                else self._revealed(journal, cursor, asked, decision, wrong)
            )
            if taken is None:
                raise AnswerRefused("somebody answered at the same moment, or you took your approval back; look again")
            if wrong is None and taken.decision is not None:
                resumptions.put(cursor, taken.id, asked.call, decision.verdict, journal.us)
            return taken

        taken = self._write(work)
        self.go_on()
        return taken

    def _revealed(
        self, journal: Journal, cursor: Any, asked: Question, decision: Decision, wrong: str
    ) -> Question | None:
        """Take an answer to a probe, and say at once that it was one; None where somebody else has answered it."""
        taken = probes.answered(journal, cursor, asked, decision, wrong, **decision.record)
        return replace(asked, decision=decision, probe=wrong) if taken else None

    def _taken(self, journal: Journal, cursor: Any, asked: Question, decision: Decision) -> Question | None:
        """Take an answer to a real question. The next one may be a probe."""
        taken, trust = journal.answer(cursor, asked, decision), self.policy.trust
        written = self.policy.rule(asked.call.tool).trust.probes
        if taken is None or trust.probes == "off" or not (written or trust.probes == "mutated"):
            return taken
        decided, since = probes.pace(journal, cursor, asked.call)
        if due(decided, since, trust.probe_share, random()):
            made = [(dict(one.arguments), one.why) for one in written]
            if trust.probes == "mutated" and (wrong := mutated(asked.call.arguments, random())) is not None:
                made.append(wrong)
            if made:
                probes.put(journal, cursor, asked.call, *made[int(random() * len(made))])
        return taken

    def sweep_questions(self) -> int:
        """Close what nobody answered in time, of the agent and of those inside it: silence is a no.

        Its thread reads that when it goes on, as it would have by itself; one that never does keeps nothing waiting.

        Returns:
            How many questions it were.
        """
        count = 0
        while late := self.store.glance(
            lambda cursor: resumptions.late(cursor, self.policy.agent, questions.micros(self.clock()))
        ):
            count += (closed := self._write(partial(_lapsed, late=late)))
            if not closed:
                break
        if count:
            self.go_on()
        return count

    @abstractmethod
    def go_on(self) -> None:
        """An answer stands: whoever goes on with threads in this process looks at once."""

    def refresh(self) -> Policy:
        """The policy in force."""
        return self.policy

    def _journal(self) -> Journal:
        policy = self.refresh()
        return Journal(self.store.owner, policy.revision, self.clock(), policy=policy)

    def _write(self, work: Callable[[Journal, Any], T], *, durable: bool = True) -> T:
        journal = self._journal()
        try:
            return self.store.write(lambda cursor: work(journal, cursor), durable=durable)
        except UnicodeEncodeError:
            raise AnswerRefused("it holds half a surrogate pair, which is no text") from None
