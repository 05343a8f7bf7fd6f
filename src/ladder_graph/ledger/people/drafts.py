"""Drafts in the ledger: filed, superseded, drawn anew, decided. Each is one function on a cursor, with its entries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ladder_graph.calls import Call, digest_of, normalise
from ladder_graph.drafting import Drawn
from ladder_graph.errors import AnswerRefused, DraftMoved
from ladder_graph.facts import Known, Person, Reason, Route
from ladder_graph.ledger.actions.lifecycle import Actions
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.people import announcing, notices
from ladder_graph.ledger.people import draft_statements as sql
from ladder_graph.ledger.tables.rows import US
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.steps import Filed

Verdict = Literal["accepted", "part", "edited", "rejected"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a person looked at a draft before they decided."""

    seconds: float | None = None
    """How long; None where that wasn't measured."""
    characters: int | None = None
    """How much there was to read."""

    @property
    def us(self) -> int | None:
        """The same in microseconds."""
        return None if self.seconds is None else int(min(self.seconds, 1e9) * US)

    def to_json(self) -> dict[str, Any]:
        """As an entry says it."""
        said = {"looked": self.seconds, "characters": self.characters}
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a person decided about a draft."""

    verdict: Verdict
    by: Person
    reason: str = ""
    look: Look = Look()
    fault: str = ""
    """`policy` for a rejection whose reason lies outside the agent."""
    successor: Call | None = None
    """The call with other arguments, where a part was taken or a text edited."""
    left: tuple[str, ...] = ()
    """What was left out, in words."""
    taken: tuple[int, ...] = ()
    """The numbers of the changes that were taken, where not all were."""


def file(journal: Actions, cursor: Cursor, call: Call, filed: Filed) -> None:
    """Write a draft down; those that wait about the same target are superseded."""
    target = target_of(call, filed.drawn)
    cursor.execute(sql.INSERT_DRAFT, {
        "action": call.key, "agent": call.agent, "target": target, **_drawn(journal, cursor, call, filed, "draft"),
        "state": "waiting", "by": "", "auth": "", "reason": "", "decided_us": None, "looked_us": None, "left_out": "",
        "runs": "", "superseded_by": "",
    })  # fmt: skip
    for (other,) in cursor.execute(sql.RIVALS, {"target": target, "action": call.key}).fetchall():
        _supersede(journal, cursor, other, call)


def target_of(call: Call, drawn: Drawn) -> str:
    """A digest of what a draft is about: nobody's address is written where it is never erased."""
    about = ["target", drawn.target] if drawn.target else ["call", call.digest]
    return digest_of("draft of", call.agent, call.tool, *about, "" if drawn.target and drawn.across else call.thread)


def _drawn(journal: Actions, cursor: Cursor, call: Call, filed: Filed, kind: str) -> dict[str, Any]:
    """The entry with what a draft holds, and the columns that say where that is."""
    digest = filed.drawn.digest
    body = {"draft": filed.drawn.to_json(), "shown": digest, "file": filed.path, "sha256": filed.sha256}
    if journal.policy is not None and journal.policy.questions.notify:
        announcing.drafted(journal.policy, cursor, journal.us, call, filed)
    return {
        "kind": filed.drawn.kind, "path": filed.path, "sha256": filed.sha256, "digest": digest,
        "payload": journal.append(cursor, call.agent, kind, call.key, body), "labels": json.dumps(filed.labels),
        "made_us": journal.us,
    }  # fmt: skip


def _supersede(journal: Actions, cursor: Cursor, other: str, by: Call) -> None:
    known = journal.known(cursor, other)
    cursor.execute(sql.SUPERSEDE, {"b_action": other, "superseded_by": by.key, "decided_us": journal.us})
    if cursor.rowcount != 1 or known is None:
        return
    text = f"SUPERSEDED by a later draft (action {by.short}). {known.call.tool} did not run; nothing was sent."
    journal.move(cursor, known.call, State.SUPERSEDED, body={"superseded_by": by.key, "text": text}, text=text)
    notices.put(cursor, known.call)


def row_of(cursor: Cursor, action: str) -> dict[str, Any] | None:
    """The row of a draft, or None."""
    row = cursor.execute(sql.DRAFT, {"action": action}).fetchone()
    return None if row is None else dict(row)


def drawn_of(cursor: Cursor, row: dict[str, Any]) -> Drawn | None:
    """What a draft holds; None once it was erased.

    Raises:
        DraftRefused: Somebody made something else of it.
    """
    found = cursor.execute(sql.BODY, {"payload": row["payload"]}).fetchone()
    return None if found is None else Drawn.read(json.loads(found[0])["draft"])


def redraw(journal: Actions, cursor: Cursor, known: Known, filed: Filed) -> None:
    """Put a draft anew in the place of one: what it starts from has changed. It waits, whatever was decided before."""
    call = known.call
    if known.state is State.APPROVED:
        text = f"The draft of {call.tool} was accepted, and what it starts from has changed since; it waits again."
        journal.move(cursor, call, State.DRAFTED, body={"text": text})
    row = row_of(cursor, call.key)
    if row is None:  # It was an edited one's, and had no row of its own so far.
        file(journal, cursor, call, filed)
        return
    drawn = _drawn(journal, cursor, call, filed, "redrawn")
    cursor.execute(sql.REDRAW, {"b_action": call.key, "state": "waiting", "by": "", "auth": "", **drawn})


def decide(journal: Actions, cursor: Cursor, known: Known, shown: str, ruling: Ruling) -> Call:
    """Take a person's decision about exactly the draft that they were shown.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        known: The drafted action.
        shown: The draft's digest.
        ruling: The decision.

    Returns:
        The call that runs; the draft's own where it was rejected.

    Raises:
        AnswerRefused: It is no draft that waits, or such arguments were drafted before under the same call.
        DraftMoved: It was drawn anew meanwhile.
    """
    call, after = known.call, ruling.successor or known.call
    left = {"left": list(ruling.left), "taken": list(ruling.taken)} if ruling.left else {}
    body = {**_signed(ruling), "shown": shown, "draft": ruling.verdict, **left}
    if ruling.successor is not None and journal.place(cursor, after) is not None:
        raise AnswerRefused("these arguments were proposed before, under the same call; decide about that draft")
    payload = journal.append(cursor, call.agent, "draft_decided", call.key, body)
    cursor.execute(sql.DECIDE, {
        "b_action": call.key, "b_digest": shown, "state": ruling.verdict, "by": ruling.by.name,
        "auth": ruling.by.auth, "reason": ruling.reason, "decided_us": journal.us, "looked_us": ruling.look.us,
        "left_out": payload if ruling.left else "", "runs": "" if ruling.verdict == "rejected" else after.key,
    })  # fmt: skip
    if cursor.rowcount != 1:
        row = row_of(cursor, call.key)
        if row is not None and row["state"] == "waiting":
            raise DraftMoved(f"draft {call.short} was drawn anew since it was shown; look again")
        raise AnswerRefused(f"action {call.short} is no draft that waits for a decision (it is {known.state})")
    _move(journal, cursor, call, ruling)
    notices.put(cursor, call)
    return after


def _move(journal: Actions, cursor: Cursor, call: Call, ruling: Ruling) -> None:
    """The step of the action, and of the one in its place."""
    signed, after = _signed(ruling), ruling.successor
    if ruling.verdict == "rejected":
        why = f": {ruling.reason}" if ruling.reason else ""
        no = f"REJECTED by {ruling.by.name}{why}. {call.tool} did not run; nothing was sent."
        journal.move(cursor, call, State.DECLINED, body=signed, text=no, actor=ruling.by.name)
        return
    if after is None:
        journal.move(cursor, call, State.APPROVED, body=signed, actor=ruling.by.name)
        return
    arguments = normalise(after.arguments)
    edited = {**signed, "successor": after.key, "arguments": arguments}
    journal.move(cursor, call, State.EDITED, body=edited, actor=ruling.by.name, successor=after.key)
    route = Route(Rung.DRAFT, (Reason("edited", f"{ruling.by.name} took a part of its draft, or edited it"),))
    journal.enter(cursor, after, State.DRAFTED, route, edited_from=call.key)
    journal.move(cursor, after, State.APPROVED, body=signed, actor=ruling.by.name)


def _signed(ruling: Ruling) -> dict[str, Any]:
    fault = {"fault": ruling.fault} if ruling.fault else {}
    by = {"by": ruling.by.name, "auth": ruling.by.auth, "reason": ruling.reason}
    return {**by, **ruling.look.to_json(), **fault}


def take_back(journal: Actions, cursor: Cursor, why: str) -> None:
    """Let no draft run that was accepted and hasn't: it waits again.

    The call that a person has put in a draft's place has no draft of its own, so it doesn't run at all.

    Args:
        journal: The moment and the policy.
        cursor: In a transaction.
        why: Why, as a sentence.
    """
    for row in cursor.execute(sql.UNRUN, {}).fetchall():
        known, draft = journal.known(cursor, row["key"]), row_of(cursor, row["action"])
        if known is None or draft is None:
            continue
        if row["key"] == row["action"]:
            journal.move(cursor, known.call, State.DRAFTED, body={"text": f"{why} So its draft waits again."})
            cursor.execute(sql.REDRAW, {**draft, "b_action": row["action"], "state": "waiting", "by": "", "auth": ""})
        else:
            text = f"NOT RUN: {why} A person must find out first; do not repeat it."
            journal.move(cursor, known.call, State.REFUSED, body={"text": text}, text=text)


def left_out(cursor: Cursor, payload: str) -> Sequence[str]:
    """What a person left out of a draft, in words; nothing once it was erased."""
    found = cursor.execute(sql.BODY, {"payload": payload}).fetchone() if payload else None
    return [] if found is None else [str(one) for one in json.loads(found[0]).get("left", [])]


def reason_of(cursor: Cursor, action: str, kind: str) -> str:
    """The reason in the last entry of one kind about an action."""
    found = cursor.execute(sql.VERDICT, {"action": action, "kind": kind}).fetchone()
    return "" if found is None else str(json.loads(found[0]).get("reason", ""))


def drawn_behind(cursor: Cursor, runs: str) -> Drawn | None:
    """The draft that an accepted call came of; None once it was erased."""
    row = cursor.execute(sql.DRAFT_THAT_RUNS, {"key": runs}).fetchone()
    return None if row is None else drawn_of(cursor, dict(row))


def accepted(journal: Actions, cursor: Cursor, agent: str) -> list[tuple[Known, Person]]:
    """Accepted drafts that haven't run yet, or not to their end, each as the call that runs, with whose act it is."""
    found = cursor.execute(sql.ACCEPTED, {"agent": agent}).fetchall()
    calls = [(journal.known(cursor, row["key"]), Person(row["by"], row["auth"] or "code")) for row in found]
    return [(known, by) for known, by in calls if known is not None]
