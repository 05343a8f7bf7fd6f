"""The whole life of one action, told from its entries: what happened, by whom and how, what it counted as, what next.

An entry of a kind that isn't known here is shown all the same, with what it says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ladder_graph.briefing import Briefing
from ladder_graph.calls import normalise
from ladder_graph.facts import Reason
from ladder_graph.ladder.windows import Watched
from ladder_graph.ledger import Action, Draft, Entry, Report
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.scale import Rung
from ladder_graph.states import AT_WORK, State
from ladder_graph.telling import cut
from ladder_graph.trust.deeds import Deed, Happening, add
from ladder_graph.wording import inert, show


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to the action."""

    at: dt.datetime
    kind: str
    """The kind of its entry."""
    title: str
    """It in plain words."""
    by: str = ""
    """Whose act it was, with how we know who they are; empty where it was nobody's."""
    facts: tuple[tuple[str, str], ...] = ()
    """What else the entry says: label and text. Others wrote some of it."""
    n: int = 0
    """The entry's number in the agent's chain."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question about the action."""

    id: str
    state: str
    """open, approved, declined, edited, responded, expired, or used."""
    briefing: Briefing
    """What was shown, as far as it was taken down."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the action counts as for trust."""

    as_: str
    """nothing, clean, or a mistake."""
    why: str
    loss: float = 0.0
    """In units of one full mistake."""


@dataclass(frozen=True, slots=True)
class Next:
    """One thing that a person can do now."""

    text: str
    command: str = ""
    """On the command line; empty where it is done elsewhere."""


@dataclass(frozen=True, slots=True)
class Life:
    """All that is known of one action."""

    action: Action
    proposed_by: str
    """What proposed it: the model, in words; empty where that isn't known."""
    environment: str
    """The environment's key; empty where that isn't known."""
    reasons: tuple[Reason, ...]
    """Why it came to its rung, and to no higher one."""
    asked: tuple[Asked, ...]
    entries: tuple[Entry, ...]
    """What the ledger says of it, oldest first."""
    steps: tuple[Step, ...]
    """The same in words."""
    cut: bool
    """Whether there is more than is told here."""
    window: Watched | None
    report: Report | None
    draft: Draft | None
    edited_from: str
    """The action that it took the place of."""
    successor: str
    """The action that took its place."""
    part_of: str
    parts: tuple[Action, ...]
    saga: str
    """The scope that it belongs to."""
    counted: Counted
    next: tuple[Next, ...]

    def document(self) -> dict[str, Any]:
        """It as JSON, without the entries and the arguments, which stand beside it."""
        return {
            "proposed_by": self.proposed_by, "environment": self.environment,
            "reasons": [{"code": one.code, "text": one.text} for one in self.reasons],
            "questions": [
                {"question": one.id, "state": one.state, "briefing": one.briefing.document()} for one in self.asked
            ],
            "steps": [
                {"at": one.at.astimezone(dt.UTC).isoformat(), "kind": one.kind, "title": one.title, "by": one.by,
                 "facts": [list(fact) for fact in one.facts], "n": one.n}
                for one in self.steps
            ],
            "edited_from": self.edited_from, "successor": self.successor, "part_of": self.part_of,
            "counted": {"as": self.counted.as_, "why": self.counted.why, "loss": self.counted.loss},
            "next": [{"text": one.text, "command": one.command} for one in self.next],
        }  # fmt: skip


# --- what happened ------------------------------------------------------------------------------------------------

_TITLES = {
    "suggested": "It was written down as a suggestion; nothing ran",
    "drafted": "A draft of it was made; nothing was sent or applied",
    "draft": "What it would change was taken down",
    "redrawn": "It was drawn anew: what it starts from has changed",
    "draft_decided": "A person decided about the draft",
    "superseded": "A later draft took its place; this one never runs",
    "asked": "It came to a question",
    "question": "Somebody was asked",
    "passed": "The question was handed on",
    "unanswerable": "An answer could not be taken",
    "vote": "Somebody approved; more people must",
    "vote_withdrawn": "Somebody took their yes back",
    "approved": "It was approved",
    "declined": "It was declined",
    "edited": "Other arguments were put in; this one never runs",
    "responded": "A person answered in the tool's place",
    "expired": "Nobody answered in time, which counts as no",
    "refused": "It was refused",
    "started": "It was started: from here on the effect may have happened",
    "paused": "It stopped at a question of its own, or had had no effect",
    "done": "The tool answered",
    "failed": "The tool failed, and nothing happened",
    "unknown": "Nobody knows whether it took effect",
    "undoing": "The undo began",
    "undone": "It was undone",
    "undo_conflict": "The undo kept its hands off: somebody else changed the same",
    "undo_failed": "The undo failed",
    "left_behind": "Its process is gone, and somebody was told",
    "left_standing": "It stays, though its scope was to be undone; somebody was told",
    "late": "An outcome came too late to be recorded as such",
    "adopted": "The suggestion was taken up",
    "dismissed": "The suggestion was set aside",
    "acknowledged": "Its report was read",
    "incident": "A mistake was reported",
    "overrun": "It cost more than was held for it",
    "probe": "It was a probe, known to be wrong, that never runs",
    "split": "It goes by a part first",
    "watched": "Its watch moved on",
    "kept": "Somebody keeps it",
    "extended": "Its watch was made longer",
}
"""What each kind of entry means, in words."""

_HOW = {"looked": "looked for", "characters": "to read", "input": "answered by", "shown": "was shown"}
_HIDDEN = frozenset({
    "policy", "arguments", "digest", "tool", "thread", "call", "env", "scope", "rung", "reasons", "told", "by", "auth",
    "undo", "watch", "question", "verdict", "requester_auth", "fence", "edited_from", "part_of", "given", "actor",
    "untouched", *_HOW,
})  # fmt: skip
"""What stands elsewhere on the page, or says nothing to anybody."""

_LABELS = {"text": "says"}
_MOST_FACTS = 20


def step(entry: Entry) -> Step:
    """One entry as something that happened."""
    body = entry.body
    title = _TITLES.get(entry.kind) or entry.kind.replace("_", " ").capitalize()
    if body.get("untouched"):
        title = "Something in between answered; the tool was not run"
    if not body:
        return Step(entry.at, entry.kind, title, facts=(("says", "what it said was erased"),), n=entry.n)
    name = str(body.get("by") or body.get("actor") or "")
    auth = str(body.get("auth") or "")
    return Step(entry.at, entry.kind, title, f"{name} ({auth})" if name and auth else name, tuple(_facts(entry)),
                entry.n)  # fmt: skip


def _facts(entry: Entry) -> list[tuple[str, str]]:
    body, found = entry.body, list[tuple[str, str]]()
    if entry.kind == "edited" and isinstance(body.get("arguments"), Mapping):
        found += [("instead", cut(f"{name} = {show(value)}", 500)) for name, value in body["arguments"].items()]
    if entry.kind == "approved" and body.get("quorum"):
        found.append(("approved by", ", ".join(map(str, body.get("given") or ()))))
    if "rung" in body and entry.kind in {"started", "demoted", "promoted"} and body["rung"] in set(map(int, Rung)):
        found.append(("rung", Rung(body["rung"]).word))
    if isinstance(body.get("looked"), int | float):
        found.append((_HOW["looked"], f"{body['looked']:.1f} s"))
    if isinstance(body.get("characters"), int):
        found.append((_HOW["characters"], f"{body['characters']} characters"))
    found += [(_HOW[name], str(body[name])[:64]) for name in ("input", "shown") if body.get(name)]
    # Who may see what a draft holds is asked where it is shown: `ladder drafts show`.
    apart = {"draft", "left"} if entry.kind in {"draft", "redrawn", "draft_decided"} else frozenset()
    found += [
        (_LABELS.get(name, name.replace("_", " ")), cut(_said(value), 1000))
        for name, value in body.items()
        if name not in _HIDDEN and name not in apart and value not in (None, "", [], {}, False)
    ]  # fmt: skip
    return found[:_MOST_FACTS]


def _said(value: object) -> str:
    if isinstance(value, str):
        return inert(value, keep="\n")
    try:
        return show(normalise(value))
    except ValueError:
        return inert(repr(value))


# --- what it counted as --------------------------------------------------------------------------------------------


OPEN = Counted("nothing", "nothing is known of it yet")
"""What waits for an answer counts as nothing, be it a probe or not."""


def counted(entries: Iterable[Entry], cosmetic: frozenset[str], *, probe: bool = False) -> Counted:
    """What an action counts as for trust, and why.

    Args:
        entries: All of its own.
        cosmetic: The arguments that an editor may reword without the agent having been wrong.
        probe: It is one.
    """
    if probe:
        return Counted("nothing", "it is a probe: its answer tells about the reviewer, and not about the agent")
    deed = Deed()
    for one in entries:
        add(deed, Happening(one.agent, micros(one.at), one.kind, one.action, one.body))
    if deed.by_person:
        return Counted("nothing", "its arguments are a person's, so it says nothing about the agent")
    if deed.cell is None:
        return Counted("nothing", "nobody knows what proposed it, so it belongs to no cell")
    if not deed.counts:
        return Counted("nothing", _uncounted(deed))
    loss = deed.loss(cosmetic)
    if not loss:
        return Counted("clean", "it took effect, or was judged, and nobody found anything wrong so far")
    return Counted("a mistake", f"{_causes(deed)}; it weighs {loss:g} of a full one", loss)


def _uncounted(deed: Deed) -> str:
    if deed.excused:
        return "the no to it had reasons outside the agent"
    if deed.pending:
        return "nothing is known of it yet"
    return "it had no effect, and nobody judged it"


def _causes(deed: Deed) -> str:
    found = [f"somebody reported S{int(one.severity)}" for one in deed.incidents.values() if one.loss]
    found += ["somebody said no"] if {"declined", "dismissed"} & deed.judged.keys() else []
    found += ["somebody had to put other arguments in"] if "edited" in deed.judged else []
    found += [f"it ended as {end}" for end in ("undone", "undo_conflict", "undo_failed") if end in deed.ends]
    return " and ".join(found) or "a mistake was found in it"


# --- what next -----------------------------------------------------------------------------------------------------

_OPEN = frozenset({"open", "approved"})


def nexts(
    action: Action, asked: Sequence[Asked], window: Watched | None, report: Report | None, *, alive: bool, stuck: str
) -> tuple[Next, ...]:
    """What a person can do about an action now.

    Args:
        action: The action.
        asked: The questions about it.
        window: The window in which it is watched.
        report: The report on it.
        alive: Whether the process that runs it lives.
        stuck: What keeps its thread from going on with the approval, in words; empty where nothing is known of.
    """
    found, name = list[Next](), action.short
    if report is not None and report.read is None:
        read = f"ladder ack {name}" if report.about == "mess" else f"ladder report {report.digest[:12]}"
        found.append(Next("Read the report that it is in", read))
    if window is not None:
        if action.state in {State.UNDO_CONFLICT, State.UNDO_FAILED}:
            found.append(Next("Leave it as it is, and try no more", f"ladder keep {name} --reason WHY"))
        elif window.phase in {"open", "held"}:
            found.append(Next("Keep it, whatever its watch finds", f"ladder keep {name}"))
        if window.phase != "undo" and not (action.state in AT_WORK and alive):
            found.append(Next("Undo it now", f"ladder undo {name}"))
    return (*_of_state(action, asked, alive=alive, stuck=stuck), *found, *_wrong(action))


def _of_state(action: Action, asked: Sequence[Asked], *, alive: bool, stuck: str) -> list[Next]:
    name, last = action.short, asked[-1] if asked else None
    match action.state:
        case State.ASKED if last is not None and last.state == "open":
            return [
                Next("Answer it", "ladder inbox"), Next("Let it run", f"ladder approve {last.id}"),
                Next("Say no", f"ladder decline {last.id} --reason WHY"),
            ]  # fmt: skip
        case State.APPROVED if last is not None and last.state == "approved":
            return [
                Next(
                    stuck[:1].upper() + stuck[1:]
                    or f"It runs when thread {action.thread} is resumed, if that still waits for it"
                ),
                Next("Take the approval back", f"ladder revoke {last.id} --reason WHY"),
            ]
        case State.APPROVED:
            return [Next("Its accepted draft runs in the agent's process, by Ladder.run_accepted()")]
        case State.SUGGESTED if not action.verdict:
            return [
                Next("Say that you acted on it", f"ladder suggestions adopt {name}"),
                Next("Set it aside", f"ladder suggestions dismiss {name}"),
            ]
        case State.DRAFTED:
            return [
                Next("Read it", f"ladder drafts show {name}"), Next("Accept it", f"ladder drafts accept {name}"),
                Next("Reject it", f"ladder drafts reject {name} --reason WHY"),
            ]  # fmt: skip
        case State.UNKNOWN:
            return _find_out(name)
        case State.STARTED if not alive:
            # Of any other call its own thread finds out.
            probe = Next("Let its tool's probe tell, where it has one", "ladder resume-worker MODULE:GRAPH")
            return [*([probe] if action.rung is Rung.DRAFT else []), *_find_out(name)]
        case State.UNDOING if not alive:
            return [Next("Go on with its undo, whose process is gone", f"ladder undo {name}")]
        case State.UNDO_CONFLICT | State.UNDO_FAILED:
            return [Next("Try the undo again", f"ladder undo {name}")]
        case _:
            return []


def _find_out(name: str) -> list[Next]:
    return [
        Next("Look whether it took effect, and say that it did", f"ladder resolve {name} --happened --reason HOW"),
        Next("Or that it did not", f"ladder resolve {name} --absent --reason HOW"),
    ]


def _wrong(action: Action) -> list[Next]:
    if action.state in {State.DONE, State.UNDONE, State.UNDO_CONFLICT, State.UNDO_FAILED, State.UNKNOWN}:
        return [Next("Report that it was wrong", f"ladder incident {action.short} --severity S2 --text WHAT")]
    return []
