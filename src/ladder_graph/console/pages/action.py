"""One action's whole life on one page, and what to do about it: say what became of it, report that it was wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ladder_graph.console.addresses import name_of
from ladder_graph.console.answers import Answer, Moved, Refusal, Shown
from ladder_graph.console.cells import path_of
from ladder_graph.console.entries import Entry
from ladder_graph.console.telling import LOUD
from ladder_graph.console.visitor import Visitor
from ladder_graph.errors import AnswerRefused
from ladder_graph.ledger import Action
from ladder_graph.ledger import Entry as Link
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.policy.console import Access
from ladder_graph.states import State
from ladder_graph.trust.deeds import Deed, Happening, Incident, Severity, add
from ladder_graph.wording import show

LONGEST = 4000
"""Characters of what somebody writes."""
VALUE = 20_000
"""Characters of one argument on the page."""
ARGUMENTS = 200
"""Arguments on the page."""
MOST = 200
"""Reports of mistakes on the page."""

SEVERITIES = (
    (Severity.COSMETIC, "nobody minds"), (Severity.MINOR, "put right by the way"),
    (Severity.REAL, "it had a consequence"), (Severity.SEVERE, "it hurt"),
    (Severity.BREACH, "it cost more than a mistake may"),
)  # fmt: skip
"""How bad a mistake was, in words."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake that was reported about an action."""

    kind: str
    """Its class."""
    said: Incident
    text: str
    by: str


def action(visitor: Visitor) -> Answer:
    """Its whole life."""
    return _shown(visitor, _asked(visitor))


def _asked(visitor: Visitor) -> Action:
    """The action that is meant, by its key or the beginning of it.

    Raises:
        Refusal: There is none that they may see.
    """
    key = name_of(visitor.params["key"])
    found = visitor.ladder.action(key or "-")
    visitor.need(Access.VIEWER, found.agent)
    return found


def _shown(visitor: Visitor, found: Action, *, complaint: str = "", status: int = 200) -> Shown:
    ladder, withheld = visitor.ladder, visitor.withheld(found.tool)
    life, incidents = ladder.life(found.key), ladder.entries(action=found.key, kind="incident", size=MOST)
    context: dict[str, Any] = {
        "found": found, "life": life, "withheld": withheld, "complaint": complaint,
        "doubtful": _in_doubt(visitor, found), "loud": LOUD,
        "arguments": [] if withheld else _arguments(found), "more": max(0, len(found.arguments) - ARGUMENTS),
        "mistakes": [] if withheld else _mistakes(incidents.items), "severities": SEVERITIES,
        "named": visitor.policy.rule(found.tool).trust.mistakes, "cell": path_of(found.agent, found.tool),
        "acts": visitor.may(Access.REVIEWER, found.agent) and not withheld, "form_text": visitor.form.get("text"),
        "reason": visitor.form.get("reason"),
    }  # fmt: skip
    return Shown("action.html", context, status)


def _arguments(found: Action) -> list[tuple[str, str]]:
    """Each argument with its value as JSON, as far as there is room."""
    spelled = ((name, show(value)) for name, value in list(found.arguments.items())[:ARGUMENTS])
    return [
        (name, text if len(text) <= VALUE else f"{text[:VALUE]}… ({len(text):,} characters)") for name, text in spelled
    ]


def _in_doubt(visitor: Visitor, found: Action) -> bool:
    """Whether a person must find out what became of it."""
    return found.state in {State.UNKNOWN, State.STARTED} and visitor.ladder.doubtful_action(found.key)


def _mistakes(entries: tuple[Link, ...]) -> list[Mistake]:
    """What was last said of each class of mistake."""
    deed, last = Deed(), dict[str, Link]()
    for one in reversed(entries):
        if one.kind == "incident" and one.body:
            add(deed, Happening(one.agent, micros(one.at), one.kind, one.action, one.body))
            last[str(one.body.get("class", ""))] = one
    return [
        Mistake(kind, said, str(last[kind].body.get("text", "")), str(last[kind].body.get("by", "")))
        for kind, said in sorted(deed.incidents.items()) if kind in last
    ]  # fmt: skip


def _acting(visitor: Visitor) -> Action:
    """The action that somebody does something about.

    Raises:
        Refusal: They may not.
    """
    found = _asked(visitor)
    visitor.need(Access.REVIEWER, found.agent)
    if labels := visitor.withheld(found.tool):
        raise Refusal(403, "Not yours to judge", f"It takes the label {', '.join(labels)}, which you don't hold.")
    return found


def above(visitor: Visitor) -> Answer:
    """Whoever comes here without a form goes to the page of the action."""
    return Moved(visitor.here.rpartition("/")[0])


def resolve(visitor: Visitor) -> Answer:
    """Say what became of an action in doubt, after having looked."""
    found, reason = _acting(visitor), visitor.form.get("reason").strip()[:LONGEST]
    what = visitor.form.get("what")
    if what not in {"happened", "absent"}:
        raise Refusal(400, "Nothing was said", "Go back, and say whether it took effect.")
    if not reason:
        return _shown(visitor, found, complaint="Say how you found out: whoever reads it later sees it.", status=422)
    visitor.ladder.resolve(found.key, happened=what == "happened", by=visitor.person, reason=reason)
    return Moved(f"/history/action/{found.key}")


def mistake(visitor: Visitor) -> Answer:
    """Report that it was wrong, or see to a report; the tool goes down at once where that calls for it."""
    found, form = _acting(visitor), visitor.form
    text, act = form.get("text").strip()[:LONGEST], form.get("act")
    if act not in {"report", "closed", "reversed"}:
        return _shown(visitor, found)
    if not text:
        return _shown(visitor, found, complaint="Say what happened.", status=422)
    if act == "report" and not form.get("severity"):
        return _shown(visitor, found, complaint="Say how bad it was.", status=422)
    kind = (form.get("kind").strip() or form.get("named").strip())[:200]
    try:
        visitor.ladder.incident(
            found.key, form.get("severity") or "S0", by=visitor.person, kind=kind, text=text,
            closed=act == "closed", reversed_=act == "reversed",
        )  # fmt: skip
    except AnswerRefused as refused:
        return _shown(visitor, found, complaint=f"Nothing was written down: {refused}.", status=409)
    return Moved(f"/history/action/{found.key}")


ENTRIES = (
    Entry("/history/action/{key}", show=action),
    Entry("/history/action/{key}/resolve", show=above, take=resolve),
    Entry("/history/action/{key}/mistake", show=above, take=mistake),
)
