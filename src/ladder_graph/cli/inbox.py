"""The inbox: what waits for an answer, one question at a time, soonest expiry first. Nothing has a default."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from ladder_graph.cli.place import place_of
from ladder_graph.errors import AnswerRefused, LadderError, UnknownQuestion

if TYPE_CHECKING:
    from ladder_graph.briefing import Briefing
    from ladder_graph.cli.screen import Screen
    from ladder_graph.facts import Person, Question
    from ladder_graph.ladder import Ladder
    from ladder_graph.ledger.lists.pages import Count

MOST = 500
"""Questions that are looked at together; further ones only where this person has nothing to do with any of these."""

LEFT = "Nothing was decided about this one."
"""What is said to whoever leaves in the middle."""


def inbox(ctx: typer.Context) -> None:
    """Answer what waits, one question at a time, soonest expiry first.

    Enter decides nothing, and a decision never brings up the next question by itself.
    """
    from ladder_graph.cli.screen import Screen
    from ladder_graph.ladder.desk import signed_in

    if not sys.stdin.isatty():
        raise LadderError("the inbox asks at a terminal; `ladder pending --json` and `ladder approve` are for scripts")
    with place_of(ctx).acting() as ladder:
        Inbox(ladder, signed_in(), Screen()).work()


@dataclass(slots=True)
class Inbox:
    """One person at work on what waits."""

    ladder: Ladder
    person: Person
    out: Screen
    skipped: set[str] = field(default_factory=set)
    """Questions that they left for later."""
    told: Briefing | None = None
    """What is on the screen."""
    since: float = 0.0
    """When it came there, on a clock that only goes forward."""

    def work(self) -> None:
        """Take one question after another, as long as the person wants to."""
        while (waiting := self._waiting()) and self._one(*waiting):
            pass
        if not waiting:
            left = f" You left {len(self.skipped)} for later." if self.skipped else ""
            self.out.gap()
            self.out.note(f"Nothing {'else ' if self.skipped else ''}waits for an answer.{left}")
            self.out.gap()

    def _waiting(self) -> tuple[Question, Count] | None:
        """What waits for this person and expires soonest, and how many wait: at least, where more stand behind.

        None where nothing waits.
        """
        from ladder_graph.ledger.lists.pages import Count

        now, mine, mark, last = self.ladder.clock(), {"", self.person.name}, None, False
        while not last:
            page = self.ladder.waiting(page=mark, size=MOST)
            mark, last = page.next, page.next is None
            left = [
                one for one in page.items
                if now < one.expires_at and one.id not in self.skipped and one.passed_to in mine
            ]  # fmt: skip
            if left:
                return left[0], Count(len(left), exact=last)
        return None

    def _one(self, asked: Question, many: Count) -> bool:
        """Show one question and do what the person says; whether they go on."""
        self._show(asked)
        self.out.note(f"1 of {many}, soonest expiry first")
        while (said := self._choice()) != "quit":
            if said == "skip":
                self.skipped.add(asked.id)
                return True
            if self._did(said):
                return self._next()
        return False

    def _show(self, asked: Question, *, whole: bool = False) -> None:
        from ladder_graph.cli.briefs import brief

        self.told = self.ladder.briefed(asked, by=self.person)
        cut = brief(self.out, self.told, self.ladder.clock(), whole=whole)
        self.out.gap()
        if cut:
            self.out.note("Not all of it is shown. Type all to see every value whole.")
        if not whole:
            self.since = time.monotonic()

    def _choice(self) -> str:
        """One of the words that do something here; anything else is asked again."""
        told = self._here()
        may = [] if told.barred else [word for word, verdict in _YES.items() if verdict in told.question.decisions]
        words = [*may, "decline", "pass", "all", "skip", "quit"]
        while (said := _line(f"Type {', '.join(words[:-1])} or quit: ")) not in words:
            if told.barred and said in _YES:
                self.out.line(told.barred)
            else:
                self.out.note("Nothing was done.")
        return said

    def _did(self, said: str) -> bool:
        """Do what was said; whether the question is dealt with."""
        try:
            match said:
                case "run":
                    return self._run()
                case "decline":
                    return self._decline()
                case "respond":
                    return self._respond()
                case "edit":
                    return self._edit()
                case "pass":
                    return self._pass()
                case _:
                    self._show(self._here().question, whole=True)
                    return False
        except (AnswerRefused, UnknownQuestion) as refused:
            return self._stale(str(refused))

    def _here(self) -> Briefing:
        assert self.told is not None  # noqa: S101  # something is on the screen before anybody is asked
        return self.told

    def _seen(self) -> dict[str, Any]:
        """How the person came to the answer, for the ledger."""
        told = self._here()
        return {
            "by": self.person, "digest": told.digest, "shown": told.shown, "input": "keyboard",
            "looked": time.monotonic() - self.since, "characters": told.characters,
        }  # fmt: skip

    # --- the answers ---------------------------------------------------------------------------------------------

    def _run(self) -> bool:
        asked = self._here().question
        typed = None if asked.to_type is None else _line(f"To run it, type the {asked.to_type}: ")
        self._said("approved", self.ladder.approve(asked.id, typed=typed, **self._seen()))
        return True

    def _decline(self) -> bool:
        reason = _line("Why not? The agent reads it: ")
        self._said("declined", self.ladder.decline(self._here().question.id, reason=reason, **self._seen()))
        return True

    def _respond(self) -> bool:
        text = _line("What shall the agent read in the tool's place? ")
        self._said("answered", self.ladder.respond(self._here().question.id, text, **self._seen()))
        return True

    def _edit(self) -> bool:
        from ladder_graph.cli.editing import edited

        asked = self._here().question
        after = edited(self.out, asked.call, self._here().fields, _line)
        if after is None:
            self.out.note("Nothing was changed.")
            return False
        if _line("Type run to let this run instead, in your name, or back: ") != "run":
            self.out.note("Nothing was done.")
            return False
        typed = None if asked.to_type is None else _line(f"To run it, type the {asked.to_type}: ")
        taken = self.ladder.edit(asked.id, after.arguments, typed=typed, **self._seen())
        self._said("edited", taken)
        return True

    def _pass(self) -> bool:
        asked = self._here().question
        able = sorted(self.ladder.policy.able(asked.may_answer) or self.ladder.policy.people)
        hint = f" ({', '.join(one for one in able if one != self.person.name)})" if able else ""
        to = _line(f"To whom{hint}? ")
        note = _line("A word with it, or - for none: ")
        taken = self.ladder.pass_on(asked.id, to=to, by=self.person, note="" if note == "-" else note)
        self.out.line(f"Passed to {taken.passed_to}. Its time runs on.")
        self.skipped.add(asked.id)
        return True

    def _said(self, verdict: str, taken: Question) -> None:
        from ladder_graph.cli.answering import said, then, what_now

        said(self.out, verdict, self.person)
        what_now(self.out, taken, then(self.ladder, taken))

    def _stale(self, why: str) -> bool:
        """The answer couldn't be taken: say so, and show what is asked now where that is something else."""
        from ladder_graph.cli.answering import waits_now

        self.out.line(f"Not taken: {why}.")
        before = self._here().question
        now = waits_now(self.ladder, before)
        if now is None:
            self.out.note("It doesn't wait any more.")
            return True
        if now.digest != before.digest:
            self.out.line("It is asked about otherwise now. This is what would run:")
            self._show(now)
        elif now != before:
            self.told = self.ladder.briefed(now, by=self.person)
        return False

    def _next(self) -> bool:
        """Ask whether there shall be another one: it never comes by itself."""
        if (waiting := self._waiting()) is None:
            return True
        left = str(waiting[1])
        waits = "waits" if left == "1" else "wait"
        while (said := _line(f"{left} still {waits}. Type next or quit: ")) != "quit":
            if said == "next":
                return True
        return False


_YES = {"run": "approve", "edit": "edit", "respond": "respond"}
"""What only somebody can say who may answer."""


def _line(prompt: str) -> str:
    from ladder_graph.cli import asking

    return asking.typed(prompt, left=LEFT)
