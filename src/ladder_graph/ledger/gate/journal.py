"""The gate's transactions: look, settle, pose, answer, claim, record. Each is one function on a cursor.

`claim` is the one durable commit before an effect: state, consumed approval, held quota, undo artifact, report and
entry stand or fall together. `record` is the one lazy commit after it: losing it leaves the action in doubt, never
lost.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ladder_graph.calls import Call
from ladder_graph.facts import Known, Question, Seen
from ladder_graph.ledger.actions import beyond, members, questions, quotas, tellings
from ladder_graph.ledger.actions.clocks import Moment
from ladder_graph.ledger.actions.lifecycle import Refused, pinned_in, placed, printable, sealed
from ladder_graph.ledger.actions.questions import Terms
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor, Hoped, ahead
from ladder_graph.ledger.gate import at_once, beside, following, starts
from ladder_graph.ledger.people import drafts, filing, resumptions
from ladder_graph.ledger.people.asking import Asked
from ladder_graph.ledger.people.filing import Filing
from ladder_graph.ledger.tables.rows import US
from ladder_graph.ledger.watching import watches
from ladder_graph.ledger.watching.watches import spec_of
from ladder_graph.policy import Rule
from ladder_graph.policy.bounds import Charge
from ladder_graph.recalling import holds
from ladder_graph.routing import exhausted
from ladder_graph.states import AT_WORK, UNDOABLE, State
from ladder_graph.steps import LATE, Claim, Claimed, Filed, NotClaimed, Pose, Record, Settle
from ladder_graph.trust.held import NOTHING, Held

_SETTLES = frozenset({State.DONE, State.FAILED, State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED})
"""The states in which it is known what an action used; `unknown` keeps its hold."""

_ASKED_ABOUT = frozenset({State.ASKED, State.APPROVED, State.EDITED})
"""The states of an action whose question tells more about it."""

_UNDOES = frozenset({State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED})
"""The states that an undo ends in."""

_NO_QUOTA = {"quota": None, "window": 0, "reach": 0}
"""For a look at a call that draws on none."""


def _equal(call: Call) -> dict[str, str]:
    return {"thread": call.thread, "digest": call.digest, "key": call.key}


class Journal(Asked):
    """The gate's transactions for one policy, one process and one moment; see `Actions` for its arguments."""

    __slots__ = ()

    # --- reading ---------------------------------------------------------------------------------------------

    def look(self, cursor: Cursor, call: Call, charges: Sequence[Charge]) -> Seen:
        """Everything the ledger knows that bears on a call."""
        first = charges[0] if charges and not charges[0].interval else None
        here = Moment.at(self.now)
        found = cursor.execute(sql.LOOK, {
            "agent": call.agent, "tool": call.tool, "thread": call.thread, "digest": call.digest, "now": self.us,
            "boot": here.boot, "boot_now": here.boot_us, "scope": self.scope_of(call), "env": call.env or "",
            **(_NO_QUOTA if first is None else quotas.placed(first)),
        }).fetchone()  # fmt: skip
        left = [] if first is None else [(first, first.limit - (found["taken"] or 0))]
        others = charges[len(left) :]
        like = found["like"] is not None
        if like:
            ahead(
                cursor, (sql.ACTION, {"key": call.key}), questions.of(call), (sql.TWINS, _equal(call)),
                questions.declined_like(call), members.reading(call.key), tellings.answering(call.key),
            )  # fmt: skip
        known = self.known(cursor, call.key) if like else None
        asked = questions.latest(cursor, call) if known is not None and known.state in _ASKED_ABOUT else None
        edited = asked if known is not None and known.state is State.EDITED else None
        twin, before = self._twins(cursor, call) if like else (None, None)
        held = NOTHING if found["held"] is None else Held.read(found["held"])
        return Seen(
            known=known,
            asked=None if edited or asked is None else tellings.attended(cursor, asked),
            editor=edited.decision.by if edited is not None and edited.decision is not None else None,
            twin=twin,
            before=before,
            declined=questions.declined(cursor, call) if like else None,
            earned=held.earned,
            standing=held.cap,
            standing_reason=held.reason,
            sampled=held.sampled_us > self.us,
            left=(*left, *((charge, quotas.left(cursor, charge)) for charge in others)),
            overdue=found["overdue"] or 0,
            pinned=pinned_in(found["pinned"]),
            mark=at_once.mark(found),
            end=-1 if like or found["end"] is None else found["end"],
            at_us=self.us,
        )

    def question(self, cursor: Cursor, call: Call) -> Question | None:
        """The latest question about an action that wasn't consumed, or None."""
        return questions.latest(cursor, call)

    def _twins(self, cursor: Cursor, call: Call) -> tuple[Known | None, Known | None]:
        """The same tool and arguments in this thread under another id: one in doubt, and the last that is done."""
        found = cursor.execute(sql.TWINS, _equal(call)).fetchall()
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
        if isinstance(step.draft, Filed):
            drafts.file(self, cursor, call, step.draft)

    # --- a call that runs ------------------------------------------------------------------------------------

    def claim(
        self, cursor: Cursor, step: Claim, terms: Terms, reader: Filing | None, since: int | None = None
    ) -> Claimed:  # fmt: skip
        """Take the right to run: everything that must be on disk before the effect.

        Args:
            cursor: In a transaction.
            step: The claim.
            terms: The tool, its rule and its undo as they are now; an approval given on other terms is void.
            reader: Where reports on the tool go.
            since: How long the agent's chain was before its undo was made; None where that was at an earlier claim.

        Raises:
            Refused: Somebody else has it, a quota is full, or the approval is gone. Nothing of the claim may stay.
        """
        if step.question is not None:
            ahead(cursor, self.standing(step.call), questions.of(step.call))
        place, end = self.stood(cursor, step.call)
        refusal = (
            self._changed(cursor, step, end)
            or self._taken(place, step, terms.rule)
            or following.barred(self, cursor, step)
            or self._consume(cursor, step, terms)
            or self._reserve(cursor, step)
        )
        if refusal is not None:
            raise Refused(refusal)
        filed = None
        if step.report and reader is not None:
            filed = filing.file(self, cursor, step.call, reader, again=place is not None)
        rule = terms.rule if step.whole is None else following.rule_of(cursor, step, terms.rule)
        watch = "" if step.artifact is None else spec_of(rule)
        resource = _resource_of(step)
        alone = step.alone and bool(resource)
        if alone and since is None:
            since = starts.made(cursor, step.call.key)
        fence = self._start(cursor, step, place, watch, filed)
        following.begun(self, cursor, step)
        if step.artifact is not None:
            if alone:
                beside.alone(self, cursor, step, resource, since or 0)
            self._arm(cursor, step.call, resource, watch, rule.watch.window)
        self.owner.begin(step.call.key, fence)
        return Claimed(fence)

    def hope(self, cursor: Cursor, step: Claim) -> Hoped[Claimed] | None:
        """The same in one statement, where it is an everyday claim; otherwise None."""
        return at_once.claim(self, cursor, step)

    def hope_for(self, cursor: Cursor, step: Record, reply: bytes | None) -> Hoped[bool] | None:
        """As `record`, in one statement, where what there is no undo of took effect; otherwise None."""
        return at_once.record(self, cursor, step, reply)

    def _arm(self, cursor: Cursor, call: Call, resource: str, watch: str, length: float) -> None:
        """Write down that the action is to be watched, so that it is even if this process dies with the effect."""
        watches.arm(
            cursor, action=call.key, agent=call.agent, tool=call.tool, spec=watch, resource=resource,
            at=Moment.at(self.now), length_us=int(length * US),
        )  # fmt: skip

    def length(self, cursor: Cursor, agent: str) -> int:
        """How long an agent's chain is."""
        found = cursor.execute(sql.HEAD, {"stream": agent}).fetchone()
        return 0 if found is None else int(found["n"])

    def refuse_beside(self, cursor: Cursor, window: watches.Window) -> None:
        """Undo nothing under a call that is at the same resource: its own undo would bring back what is undone here.

        It is asked behind the entry of whoever is to undo it, as `beside.alone` is.

        Raises:
            Refused: There is one.
        """
        if any(self.running(row) for row in watches.at_work(cursor, window)):
            raise Refused(NotClaimed("busy", "another call is at the same thing."))

    def _start(self, cursor: Cursor, step: Claim, place: Any, watch: str, filed: tuple[str, int] | None) -> int:
        """Write the start down, of a new action or of one that waited, and return its fence."""
        call, artifact = step.call, None if step.artifact is None else json.dumps(step.artifact)
        if place is None:
            self.enter(cursor, call, State.STARTED, step.route, artifact=artifact, watch=watch, fence=1,
                       part_of="" if step.whole is None else step.whole.key, filed=filed)  # fmt: skip
            return 1
        fence: int = place["fence"] + 1
        rung, actor = int(step.route.rung), step.actor.name if step.actor else None
        self.step_on(
            cursor, call, place, State.STARTED, owner=self.owner.hold(), fence=fence, rung=rung, text="",
            artifact=artifact, actor=actor,
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
        orphaned = before in AT_WORK and not self.running(place)
        if not (orphaned or (undo and before in UNDOABLE)):
            return NotClaimed("busy", f"it is {before}, and somebody else may be at it.")
        after = State.UNDOING if undo else before
        self.step_on(cursor, call, place, after, owner=self.owner.hold(), fence=fence + 1)
        self.append(cursor, call.agent, after, call.key, {"takeover": fence + 1, **({"text": undo} if undo else {})})
        if undo:
            self._watched(cursor, call.key, State.UNDOING, text=undo)
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
        untouched = step.outcome is not None and step.outcome.untouched
        body = {"text": detail or text, **({"untouched": True} if untouched else {})} if detail or text else {}
        self.append(cursor, call.agent, step.state, call.key, body)
        cost = step.outcome.cost if step.outcome is not None else None
        if step.state in _SETTLES or (step.state is State.UNDOING and cost is not None):
            quotas.settle(cursor, call.key, used=step.state is not State.FAILED and not untouched, cost=cost)
        if moved["undo"] or step.state in _UNDOES:  # Somebody may have taken the artifact away meanwhile.
            came = detail or text if step.state in {State.UNDO_CONFLICT, State.UNDO_FAILED} else text
            if untouched and (window := watches.window_of(cursor, call.key)):
                watches.over(cursor, window, "kept", text or detail)  # There is nothing to watch of what never ran.
            else:
                self._watched(cursor, call.key, step.state, after, came)
            following.follow(self, cursor, step)
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
                due = self.us + watches.PULSE
                ran = Moment.at(self.now) if window.phase == "armed" else window.begun
                why, after = text or window.why, after or window.after
                watches.change(cursor, window, phase="undo", begun=ran, due_us=due, why=why, after=after)
            case State.UNDONE:
                watches.over(cursor, window, "undone", text)
            case State.UNDO_FAILED if not text.startswith(LATE):
                watches.failed(cursor, window, self.us, text)
            case State.UNDO_CONFLICT | State.UNDO_FAILED:
                watches.over(cursor, window, "held", watches.not_undone(window, text))

    def refuse_stale(self, cursor: Cursor, step: Pose) -> None:
        """Ask nobody by what has changed since somebody looked.

        Raises:
            Refused: It has changed.
        """
        if step.seen is not None:
            ahead(cursor, *self.of_asking(step.call))
            stale = self._changed(cursor, step, self.stood(cursor, step.call)[1])
            if stale is not None:
                raise Refused(stale)

    def _changed(self, cursor: Cursor, step: Claim | Pose, end: int) -> NotClaimed | None:
        """Whether the route was found by what has changed since, quotas apart: those are held by this claim itself.

        Whatever bears on an agent's call is written down in its chain, but for an equal call that another agent makes
        in the same thread, and for what only time brings. So where the chain has no new entry, nothing has changed.
        """
        seen = step.seen
        if seen is None or (end == seen.end and holds(seen, self.us)):
            return None
        if self.look(cursor, step.call, ()) == replace(
            seen, left=(), watched=True, rehearsed=True, firing="", mute="", scoped=False, pivot=""
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
        if question.part_first and step.split is None:
            return NotClaimed("approval", "a part of it was to go first, and the undo of that can't be made.")
        decision = question.decision
        if decision.verdict != "approve":
            return NotClaimed("approval", "its approval was used or taken back.")
        questions.close_read(cursor, question.id, "approved", "used", decision)
        resumptions.heard(cursor, step.call.key, self.owner, self.us)
        return None

    def _reserve(self, cursor: Cursor, step: Claim) -> NotClaimed | None:
        """Hold what the call takes from each quota."""
        full = quotas.hold(cursor, step.call.key, step.charges)
        return None if full is None else NotClaimed("quota", exhausted(full, quotas.left(cursor, full)).text)


def _resource_of(step: Claim) -> str:
    """What the undo of a claim names as touched; empty where there is no undo, or it names nothing."""
    return "" if step.artifact is None else str(step.artifact.get("resource") or "")
