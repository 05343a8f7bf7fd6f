"""The people's side of a ladder, told whole: everything about one question, for whoever is to decide it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

from ladder_graph import answers
from ladder_graph.briefing import Briefing, Surroundings
from ladder_graph.calls import Call
from ladder_graph.composing import composed
from ladder_graph.explaining import remains
from ladder_graph.facts import Known, Person, Question, Reason
from ladder_graph.fingerprint import Environment
from ladder_graph.ladder.desk import Desk
from ladder_graph.ladder.lives import OPEN, Asked, Life, counted, nexts, step
from ladder_graph.ladder.questions import person_of
from ladder_graph.ledger import Action, Draft
from ladder_graph.ledger.actions import quotas, requests, tellings
from ladder_graph.ledger.actions.questions import moment
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.evidence import probes
from ladder_graph.ledger.lists import draft_reading, open_questions
from ladder_graph.ledger.watching.rehearsals import Rehearsed
from ladder_graph.policy import Rule
from ladder_graph.policy.bounds import Cost, weigh
from ladder_graph.policy.bounds.shape import QuotaBound
from ladder_graph.policy.scene import Scene
from ladder_graph.policy.units import spell_seconds
from ladder_graph.routing import exhausted
from ladder_graph.states import State
from ladder_graph.telling import Check
from ladder_graph.turns.deciding import uncleared

MOST_ENTRIES = 500
"""Entries of one action that are told; the latest ones."""


class Casebook(Desk):
    """The part of a ladder where a case is told whole."""

    def briefing(self, question: str, *, by: str | Person | None = None) -> Briefing:
        """Everything that is needed to decide about one question.

        Args:
            question: Its id, or the beginning of it.
            by: Who looks, so that it is said whether they may answer, and what they may not see is masked.

        Raises:
            UnknownQuestion: There is none.
            AnswerRefused: It was answered and used, or asked anew.
        """
        return self.briefed(self.question(question), by=by)

    def briefed(self, asked: Question, *, by: str | Person | None = None) -> Briefing:
        """As `briefing`, of a question that is at hand."""
        call, rule = asked.call, self.refresh().rule(asked.call.tool)
        person = None if by is None else person_of(by)
        # Each a read of its own, so before the one that follows.
        rehearsed, outward = self._rehearsal_of(call), self._outward(call)
        egress: Literal["yes", "no", ""] = "" if rule.egress is None else "yes" if rule.egress else "no"

        def work(cursor: Cursor) -> Briefing:
            told = tellings.told_of(cursor, call.key, asked.id)
            counted = list(self._counted(cursor, asked, rule))
            around = Surroundings(
                rung=rule.rung, reasons=requests.reasons(cursor, call.key, asked.reasons),
                past=requests.past(cursor, call),
                money=tuple(check.text for money, check in counted if money),
                counted=tuple(check for money, check in counted if not money or check.level != "ok"),
                egress=egress, outward=outward, read_only=rule.read_only,
                rehearsed_at=None if rehearsed is None else moment(rehearsed.at_us),
                rehearsed_well=rehearsed is not None and rehearsed.passed,
                rehearsed_text="" if rehearsed is None else rehearsed.text,
                watched=_watched(rule) if told is not None and told.undoing.undo else "",
                withheld=() if person is None else self._withheld(rule, person),
                barred="" if person is None else self._barred(asked, person),
                passed=requests.passings(cursor, call.key),
            )  # fmt: skip
            return composed(asked, told, around)

        return self.store.read(work)

    def life(self, action: str) -> Life:
        """Everything that is known of one action, from its proposal to what can be done about it now.

        Args:
            action: Its key, or the beginning of it.

        Raises:
            UnknownQuestion: There is none, or more than one.
        """
        found = self.action(action)
        page = self.entries(agent=found.agent, action=found.key, size=MOST_ENTRIES)
        entries = page.items[::-1]
        asked, probe, known = self.store.read(lambda cursor: self._asked(cursor, found))
        first = next((one.body for one in entries if "arguments" in one.body and "digest" in one.body), {})
        window, report = self.window(found.key), self.report_on(found.key)
        saga, cosmetic = self.saga_of(found.key), frozenset(self.refresh().rule(found.tool).trust.cosmetic)
        told = tuple(Asked(one.id, state, self.briefed(one)) for one, state in asked)
        env = str(first.get("env") or "")
        return Life(
            action=found, proposed_by=self._environment(found, env), environment=env, reasons=self._reasons(found),
            asked=told, entries=tuple(entries), steps=tuple(step(one) for one in entries), cut=page.next is not None,
            window=window, report=report, draft=self._draft_of(found), edited_from=str(first.get("edited_from") or ""),
            successor=known.successor.key if known is not None and known.successor is not None else "",
            part_of=str(first.get("part_of") or ""), parts=tuple(self.parts(found.key)),
            saga="" if saga is None else saga.id,
            counted=OPEN if found.state is State.ASKED else counted(entries, cosmetic, probe=probe),
            next=nexts(
                found, told, window, report, alive=known is not None and known.owner_alive,
                stuck=self.stuck(told[-1].id) if found.state is State.APPROVED and told else "",
            ),
        )  # fmt: skip

    def _asked(self, cursor: Cursor, found: Action) -> tuple[list[tuple[Question, str]], bool, Known | None]:
        """The questions about an action, whether it is a probe that was answered, and what the gate knows of it."""
        listed = [
            (open_questions.question_at(cursor, one), state) for one, state in requests.asked_about(cursor, found.key)
        ]
        # Nobody is told of a probe before they have answered it.
        probe = found.state is not State.ASKED and probes.why(cursor, found.key) is not None
        known = self._journal().known(cursor, found.key)
        return [(one, state) for one, state in listed if one is not None], probe, known

    def _reasons(self, found: Action) -> tuple[Reason, ...]:
        return self.store.read(lambda cursor: requests.reasons(cursor, found.key, found.why))

    def _environment(self, found: Action, env: str) -> str:
        """What proposed a call, in words; empty where nobody knows."""
        for row in self.reading.environments(found.agent) if env else ():
            environment = Environment.read(row.components, "the ledger")
            if environment.key(found.tool) == env:
                return str(environment)
        return ""

    def _draft_of(self, found: Action) -> Draft | None:
        return self.store.query(lambda session: draft_reading.one(session, found.key))

    def _rehearsal_of(self, call: Call) -> Rehearsed | None:
        """The rehearsal of the undo that would run; of whatever version, where nobody knows which one would."""
        if self.editions(call.agent, call.tool):
            return self.rehearsed(call.agent, call.tool)
        return self.last_rehearsal(call.tool)

    def _outward(self, call: Call) -> tuple[str, ...]:
        """The arguments of a tool that could carry something out, where its schema was seen."""
        seat = self.seat_of(call.agent, call.tool)
        if seat.version:
            return seat.outward
        found = self.reading.footings(call.agent).get(call.tool)
        return () if found is None else tuple(json.loads(found.outward))

    def _counted(self, cursor: Cursor, asked: Question, rule: Rule) -> Iterator[tuple[bool, Check]]:
        """What is left of each quota that the call would draw on, and whether that is money."""
        scene = Scene(self.clock(), asked.requester.name if asked.requester else None)
        for bound in rule.bounds:
            if not isinstance(bound, QuotaBound):
                continue
            breaches, charges = weigh((bound,), asked.call, scene)
            money = isinstance(bound, Cost)
            yield from ((money, Check("warn", one.text)) for one in breaches)
            for charge in charges:
                left = quotas.left(cursor, charge)
                full = charge.amount > left
                text = exhausted(charge, left).text if full else remains(charge, left)
                yield money, Check("warn" if full else "ok", text)

    def _withheld(self, rule: Rule, person: Person) -> tuple[str, ...]:
        """The labels of what a tool touches that a person doesn't hold; a name that nobody checked holds none."""
        return rule.labels if person.auth == "unverified" else tuple(self.policy.withheld(rule, person.name))

    def _barred(self, asked: Question, person: Person) -> str:
        """Why a person may not let a call run, however well they answer; empty where they may."""
        if asked.decision is not None:
            return f"{asked.decision.by.name} has answered already: {asked.decision.verdict}"
        best = answers.Answer("approve", typed=asked.typed_value, digest=asked.digest)
        complaint = answers.objection(asked, best, person, self.clock(), self.policy.able)
        return complaint or uncleared(self.policy, asked.call.tool, person)


def _watched(rule: Rule) -> str:
    """How an action is watched afterwards, in words; empty where it isn't."""
    if rule.watch.window:
        keeps = ", and undone unless somebody keeps it" if rule.watch.confirm == "required" else ""
        bad = ", and a bad health check undoes it" if rule.checks else ""
        return f"It is watched for {spell_seconds(rule.watch.window)} afterwards{bad or keeps}."
    return "Its health checks are taken right after it, and a bad one undoes it." if rule.checks else ""
