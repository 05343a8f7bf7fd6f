"""Who answers the ladder's questions: somebody at the terminal, or a script."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import Protocol

from ladder_graph.facts import Person, Question


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says to a question."""

    approve: bool
    typed: str | None = None
    """What was typed to approve, where something must be."""
    reason: str = ""
    """Why not."""

    def __str__(self) -> str:
        if not self.approve:
            return f"no, {self.reason}" if self.reason else "no"
        return "yes" if self.typed is None else f"types {self.typed!r}"


class Human(Protocol):
    """Somebody who answers."""

    who: Person
    """Their name, and how we know it."""

    def answer(self, question: Question) -> Answer:
        """What they say; they are asked again when the ladder refuses it."""
        ...


class Script:
    """Answers by a script: the fourth e-mail is one too many, and a table's name is only typed at the second try."""

    def __init__(self) -> None:
        self.who = Person("ana", "code")
        self.seen: list[Question] = []

    def answer(self, question: Question) -> Answer:
        """The scripted answer."""
        again = any(earlier.id == question.id for earlier in self.seen)
        first = all(earlier.call.tool != question.call.tool for earlier in self.seen)
        self.seen.append(question)
        if question.call.tool == "send_email" and first:
            return Answer(approve=False, reason="three are enough for today")
        if question.typed is None:
            return Answer(approve=True)
        return Answer(approve=True, typed=question.typed_value if again else "yes")


class Terminal:
    """Somebody at this terminal, who is who the system says. There is no default: an empty line asks again."""

    def __init__(self) -> None:
        self.who = Person(getpass.getuser(), "os-user")

    def answer(self, question: Question) -> Answer:
        """Ask until there is an answer.

        Raises:
            SystemExit: The input ended. The question stays open, which is no yes.
        """
        fact = question.typed_value
        hint = "approve or decline" if fact is None else f"type {fact} to approve, or decline"
        while not (said := _read(f"   answer   {hint}: ")):
            pass
        if said == "decline":
            return Answer(approve=False, reason=_read("   answer   why not: "))
        if fact is None and said != "approve":
            return self.answer(question)
        return Answer(approve=True, typed=None if fact is None else said)


def _read(prompt: str) -> str:
    try:
        return input(prompt).strip()
    except (EOFError, KeyboardInterrupt):
        raise SystemExit("\n   nobody answered: the question stays open, and the call did not run") from None
