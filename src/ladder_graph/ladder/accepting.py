"""What people decide about drafts: accept all, a part or an edited text; reject; and running what was accepted."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from ladder_graph import answers
from ladder_graph.calls import Call
from ladder_graph.drafting import Change, Drawn, Piece, applied, changes_of
from ladder_graph.drafting.mapping import mapped
from ladder_graph.errors import AnswerRefused, DraftMoved, DraftRefused
from ladder_graph.facts import Known, Person, Reply
from ladder_graph.ladder.drafts import Drafts, OpenDraft, refused
from ladder_graph.ladder.questions import attention, person_of
from ladder_graph.ladder.restoring import Restoring
from ladder_graph.ladder.seats import Seat
from ladder_graph.ledger import Journal
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.lists import draft_reading
from ladder_graph.ledger.people import drafts as ledger
from ladder_graph.ledger.people.drafts import Look, Ruling
from ladder_graph.states import State
from ladder_graph.steps import Undrawn
from ladder_graph.trust.deeds import BLAMELESS
from ladder_graph.turns.deciding import uncleared
from ladder_graph.turns.reading import draft_of
from ladder_graph.turns.workspace import Workspace, rendered
from ladder_graph.watcher import Watcher
from ladder_graph.watcher.orphans import Orphans

LONGEST = 300
"""Characters of one left-out text that are told to the agent."""


class Accepting(Drafts, Restoring):
    """The part of a desk where drafts are decided about."""

    workspace: Workspace
    watcher: Watcher

    @abstractmethod
    def seat_of(self, agent: str, tool: str) -> Seat:
        """What is known in this process of an agent's tool."""

    @abstractmethod
    def take_up(self, call: Call, person: Person) -> Reply | None:
        """Run an accepted draft's call; None where the tool isn't known in this process."""

    @abstractmethod
    def take_up_again(self, known: Known, person: Person, moved: str) -> Reply | None:
        """Find out about an accepted draft's call whose process is gone; None where its tool isn't known here."""

    # --- deciding --------------------------------------------------------------------------------------------

    def accept(
        self, action: str, *, by: str | Person, take: Iterable[int] | None = None, leave: Iterable[int] | None = None,
        text: str | Mapping[str, str | None] | None = None, arguments: Mapping[str, Any] | None = None,
        digest: str | None = None, looked: float | None = None, characters: int | None = None, reason: str = "",
    ) -> Reply | None:  # fmt: skip
        """Accept a draft, a part of it, or another text in its place: its call runs once, as this person's act.

        Args:
            action: The action's key, or the beginning of it.
            by: Who accepts it.
            take: The numbers of the changes that are taken. With `leave` it names each change; nothing is taken unsaid.
            leave: The numbers of the changes that are left out. The agent reads what they were.
            text: Or what the text is to be; of a draft with several pieces, texts by name.
            arguments: Or other arguments for the call.
            digest: The draft's digest as it was shown. It must come with a part or an edit, and is looked at whenever
                it comes.
            looked: Seconds that the person looked at it.
            characters: How much there was to read.
            reason: Why, for the agent and the record.

        Returns:
            What came of it; None where the tool isn't known in this process, in which case `run_accepted` in the
            agent's process runs it.

        Raises:
            UnknownQuestion: There is no such action.
            DraftMoved: It isn't what was shown any more, or what it starts from has changed. It waits; look again.
            AnswerRefused: It is no draft that waits, not by this person, or a change has no verdict; or its call runs
                nowhere but in its graph.
        """
        person, opened = person_of(by), self._waiting(action, by, digest)
        parts = (take is not None or leave is not None, text is not None, arguments is not None)
        if sum(parts) > 1:
            raise AnswerRefused("take a part, edit the text, or edit the arguments; not two of them at once")
        if any(parts[:2]) and digest is None:
            raise AnswerRefused("a part or an edit is of one very draft; say the digest that was shown")
        if opened.drawn is None:
            raise AnswerRefused("the draft's text was erased, so nobody can accept it; reject it")
        if refusal := refused(opened.known.call.tool, self._confined(opened.known.call, opened.drawn)):
            raise AnswerRefused(refusal)
        self._unmoved(opened)
        ruling = Ruling("accepted", person, reason, Look(*attention(looked, characters)))
        if parts[0]:
            ruling = self._in_part(opened, opened.drawn, ruling, set(take or ()), set(leave or ()))
        elif text is not None:
            ruling = self._edited(opened, opened.drawn, ruling, text)
        elif arguments is not None:
            ruling = self._with(opened, ruling, answers.retyped(opened.known.call.arguments, arguments), ())
        after = self._decided(opened, ruling)
        return self.take_up(after, person)

    def reject(
        self, action: str, *, by: str | Person, reason: str, digest: str | None = None, looked: float | None = None,
        characters: int | None = None, fault: Literal["agent", "policy"] = "agent",
    ) -> None:  # fmt: skip
        """Reject a draft, with a reason, which the agent reads.

        Args:
            action: The action's key, or the beginning of it.
            by: Who rejects it.
            reason: Why.
            digest: The draft's digest as it was shown.
            looked: Seconds that the person looked at it.
            characters: How much there was to read.
            fault: `"policy"` where the reason lies outside the agent: then it doesn't count against it.

        Raises:
            UnknownQuestion: There is no such action.
            AnswerRefused: It is no draft that waits, not by this person, or there is no reason.
        """
        person, opened = person_of(by), self._waiting(action, by, digest)
        if not reason.strip():
            raise AnswerRefused("a rejection needs a reason; the agent reads it")
        blame = BLAMELESS if fault == BLAMELESS else ""
        self._decided(opened, Ruling("rejected", person, reason, Look(*attention(looked, characters)), blame))

    def _waiting(self, action: str, by: str | Person, digest: str | None) -> OpenDraft:
        """A draft that waits, as it was shown to somebody who may see what it holds."""
        person, opened = person_of(by), self.opened_draft(action)
        call, row = opened.known.call, opened.row
        if complaint := uncleared(self.policy, call.tool, person, draft_reading.labels_of(row)):
            raise AnswerRefused(complaint)
        if row["state"] != "waiting":
            raise AnswerRefused(f"action {call.short} is no draft that waits for a decision (it is {row['state']})")
        if digest is not None and digest != row["digest"]:
            raise DraftMoved(f"draft {call.short} isn't what was shown any more; look again")
        return opened

    def _decided(self, opened: OpenDraft, ruling: Ruling) -> Call:
        shown = opened.row["digest"]
        return self._write(lambda journal, cursor: ledger.decide(journal, cursor, opened.known, shown, ruling))

    def _in_part(self, opened: OpenDraft, drawn: Drawn, ruling: Ruling, take: set[int], leave: set[int]) -> Ruling:
        changes = changes_of(drawn.pieces)
        numbers = {one.number for one in changes}
        if unknown := sorted((take | leave) - numbers):
            raise AnswerRefused(f"there is no change {unknown[0]}; the draft has {len(changes)}")
        if both := sorted(take & leave):
            raise AnswerRefused(f"change {both[0]} is both taken and left out")
        if silent := sorted(numbers - take - leave):
            listed = ", ".join(map(str, silent))
            raise AnswerRefused(f"nothing is said of change {listed}; take or leave each one")
        if not leave:
            return ruling
        if not take:
            raise AnswerRefused("nothing is taken; to want nothing of it, reject it with a reason")
        if drawn.whole:
            raise AnswerRefused("this draft can't be taken in part; accept it whole, edit it, or reject it")
        left = tuple(in_words(one) for one in changes if one.number in leave)
        chosen = applied(drawn.pieces, take)
        found = self._with(opened, ruling, _mapped(opened, drawn, chosen), left)
        if found.successor is None:
            raise AnswerRefused("what was left out can't be told in the arguments of the call; edit them, or reject it")
        return replace(found, verdict="part", taken=tuple(sorted(take)))

    def _edited(
        self, opened: OpenDraft, drawn: Drawn, ruling: Ruling, text: str | Mapping[str, str | None]
    ) -> Ruling:  # fmt: skip
        texts = {_main(drawn): text} if isinstance(text, str) else dict(text)
        try:
            edited = drawn.edited(texts).pieces
        except DraftRefused as wrong:
            raise AnswerRefused(str(wrong)) from wrong
        differing = changes_of(
            Piece(old.name, old.text, new.text, old.style) for old, new in zip(drawn.pieces, edited, strict=True)
        )
        if not differing:
            return ruling
        words = tuple(in_words(one, edited=True) for one in differing)
        return self._with(opened, ruling, _mapped(opened, drawn, edited), words)

    def _with(self, opened: OpenDraft, ruling: Ruling, arguments: Mapping[str, Any], left: tuple[str, ...]) -> Ruling:
        """The same ruling, for the call with other arguments."""
        call = opened.known.call
        after = self.fitting(call)(call, arguments)
        if isinstance(after, str):
            raise AnswerRefused(f"what was taken doesn't fit {call.tool}: {after}")
        if after.key == call.key:
            return ruling
        return replace(ruling, verdict="edited", successor=after, left=left)

    def _confined(self, call: Call, drawn: Drawn | None) -> str:
        """Why a call runs nowhere but in its graph, as it was when it was drawn, or as it is known here."""
        before = "" if drawn is None else drawn.confined
        return before or self.seat_of(call.agent, call.tool).declaration.confined

    # --- the base --------------------------------------------------------------------------------------------

    def _unmoved(self, opened: OpenDraft) -> None:
        """Make sure that what a draft starts from is still what is there, as far as this process can tell.

        Raises:
            DraftMoved: It isn't. The draft was drawn anew and waits.
        """
        call = opened.known.call
        if moved := self._moved(call, opened.drawn):
            self._redrawn(opened.known, moved[0])
            raise DraftMoved(f"what draft {call.short} starts from has changed ({moved[1]}); look again")

    def _moved(self, call: Call, before: Drawn | None) -> tuple[Drawn, str] | None:
        """A draft drawn anew, and what has changed under it; None where nothing has, or nobody here can tell."""
        seat = self.seat_of(call.agent, call.tool)
        bare = before is None or not any(one.base is not None for one in before.pieces)
        if before is None or bare or seat.declaration.drafter is None:
            return None
        now = draft_of(call, seat.declaration, seat.fitted)
        if isinstance(now, Undrawn):
            why = f"It can't be drawn any more: {now.text}"
            return rendered(call, why), why
        names = before.bases.keys() & now.bases.keys()
        changed = [name for name in before.moved(now) if name in names] or (before.moved(now) if not names else [])
        return (now, ", ".join(changed)) if changed else None

    def _redrawn(self, known: Known, drawn: Drawn) -> None:
        filed = self.workspace.filed(known.call, drawn, self.policy.rule(known.call.tool).labels)
        self._write(lambda journal, cursor: ledger.redraw(journal, cursor, known, filed))

    # --- running ---------------------------------------------------------------------------------------------

    def run_accepted(self) -> list[Reply]:
        """Run drafts that were accepted where the tool wasn't known, such as by `ladder drafts accept`.

        One whose base has changed since it was accepted doesn't run: it is drawn anew, and waits again. One that a
        process began which is gone is found out about by its tool's probe, and runs only where it had no effect. What
        was accepted before the ledger was put back from a copy waits again.
        """
        self.look_back()
        agents = sorted({self.policy.agent, *self.reading.agents(self.policy.agent)})

        def waiting(journal: Journal, cursor: Cursor) -> list[tuple[Known, Person, Drawn | None]]:
            found = [one for agent in agents for one in ledger.accepted(journal, cursor, agent)]
            return [(known, by, ledger.drawn_behind(cursor, known.call.key)) for known, by in found]

        replies = [self._run(*one) for one in self._write(waiting)]
        return [reply for reply in replies if reply is not None]

    def _run(self, known: Known, by: Person, drawn: Drawn | None) -> Reply | None:
        call = known.call
        seat = self.seat_of(call.agent, call.tool)
        if known.state is State.APPROVED and (refusal := refused(call.tool, self._confined(call, drawn))):
            return self._never(call, f"NOT RUN: {refusal}")
        if seat.host is None:
            return None
        if known.state is not State.APPROVED:
            return self._run_again(known, by, drawn)
        trouble = seat.fitted(call, call.arguments)
        if isinstance(trouble, str):
            return self._never(call, f"NOT RUN: what {by.name} took of the draft doesn't fit {call.tool}: {trouble}")
        if moved := self._moved(call, drawn):
            self._redrawn(known, moved[0])
            return Reply(
                State.DRAFTED, f"NOT RUN: what the draft starts from has changed ({moved[1]}); it waits again."
            )
        return self.take_up(call, by)

    def _run_again(self, known: Known, by: Person, drawn: Drawn | None) -> Reply | None:
        """Go on with one that was begun, once its process is gone; None where nothing can be done about it here."""
        cut = self.watcher.store.owner.grace_us > 0  # Then it may have lost no more than its session, and be at it.
        if known.owner_alive or (cut and known.state is State.STARTED and not Orphans(self.watcher).can_tell(known)):
            return None
        moved = self._moved(known.call, drawn)
        return self.take_up_again(known, by, "" if moved is None else moved[1])

    def _never(self, call: Call, text: str) -> Reply:
        """An accepted draft that can't run comes to its end, with the reason."""
        body = {"text": text}
        self._write(lambda journal, cursor: journal.move(cursor, call, State.REFUSED, body=body, text=text))
        return Reply(State.REFUSED, text)


def _mapped(opened: OpenDraft, drawn: Drawn, pieces: tuple[Piece, ...]) -> dict[str, Any]:
    try:
        return mapped(drawn, opened.known.call.arguments, pieces)
    except DraftRefused as wrong:
        raise AnswerRefused(str(wrong)) from wrong


def _main(drawn: Drawn) -> str:
    """The piece that a bare text is for."""
    names = [one.name for one in drawn.pieces]
    wanted = str(drawn.recipe.get("piece", "body"))
    if len(names) == 1 or wanted in names:
        return names[0] if len(names) == 1 else wanted
    raise AnswerRefused(f"the draft has several pieces; say the text of each by name: {', '.join(names)}")


def in_words(change: Change, *, edited: bool = False) -> str:
    """One change that was left out, or one that an editor made, for the agent to read."""
    gone, new = _short(change.gone), _short(change.new)
    where = change.heading if change.heading.startswith(change.piece) else f"{change.piece}, {change.heading}"
    if edited:
        return f"{where}: {new or 'nothing'} in place of {gone or 'nothing'}"
    if not new:
        return f"{where}: {gone or 'it'} stays"
    return f"{where}: not {new}" + (f"; {gone} stays" if gone else "")


def _short(text: str) -> str:
    one = " / ".join(line for line in text.strip().split("\n") if line.strip())
    return "" if not one else f"“{one if len(one) <= LONGEST else f'{one[:LONGEST]}…'}”"
