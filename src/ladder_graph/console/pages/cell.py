"""One tool of one agent: why it stands there, what is missing for more; lowering it in one step, and raising it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ladder_graph.console.addresses import name_of
from ladder_graph.console.answers import Answer, Moved, Refusal, Shown
from ladder_graph.console.asking_again import asked_again
from ladder_graph.console.cells import Placed, conditions, path_of, placed
from ladder_graph.console.entries import Entry
from ladder_graph.console.log import Step, steps_of
from ladder_graph.console.visitor import Visitor
from ladder_graph.errors import AnswerRefused
from ladder_graph.ledger import Action
from ladder_graph.policy.console import Access
from ladder_graph.scale import Rung
from ladder_graph.trust.cells import EVERY

LATEST = 8
"""Actions that are listed."""
LONGEST = 2000
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The cell that an address is about."""

    agent: str
    tool: str
    scope: str
    cells: list[Placed]
    """All scopes of the tool."""

    @property
    def path(self) -> str:
        """Its address, without the scope."""
        return path_of(self.agent, self.tool)

    @property
    def own(self) -> Placed:
        """The cell itself."""
        return next(one for one in self.cells if one.cell.scope == self.scope)


def _asked(visitor: Visitor, scope: str) -> Asked:
    """The cell that is meant.

    Raises:
        Refusal: There is none that they may see.
    """
    agent, tool = (name_of(visitor.params[name]) for name in ("agent", "tool"))
    lost = Refusal(404, "There is no such page", "Nobody has such a tool, or it is somebody else's.")
    if agent is None or tool is None:
        raise lost
    visitor.need(Access.VIEWER, agent)
    cells = placed(visitor, agent, tool)
    scopes = [one.cell.scope for one in cells]
    chosen = scope if scope in scopes else scopes[0] if scopes and not scope else None
    if chosen is None:
        raise lost
    return Asked(agent, tool, chosen, cells)


def cell(visitor: Visitor) -> Answer:
    """Why it stands there, and what is missing for the next rung."""
    return _shown(visitor, _asked(visitor, visitor.query.get("scope", "")), reason=visitor.query.get("reason", ""))


def _shown(visitor: Visitor, asked: Asked, *, reason: str = "", complaint: str = "", status: int = 200) -> Shown:
    own, ladder = asked.own, visitor.ladder
    withheld, made = visitor.withheld(asked.tool), None if own.known is None else own.known.certificate
    rule = visitor.policy.rule(asked.tool)
    actions = [] if withheld else _latest(visitor, asked)
    context: dict[str, Any] = {
        "about": asked, "own": own, "withheld": withheld, "made": made, "rows": list(conditions(visitor, own)),
        "steps": _steps(visitor, asked, withheld), "actions": actions, "reason": reason[:LONGEST],
        "complaint": complaint, "lower": [Rung(rung) for rung in range(own.stands - 1, -1, -1)],
        "reviews": visitor.may(Access.REVIEWER, asked.agent), "objection": _objection(visitor, asked, withheld),
        "rule": rule, "fresh": visitor.fresh(), "now": ladder.clock(), "policy": visitor.policy,
    }  # fmt: skip
    return Shown("cell.html", context, status)


def _latest(visitor: Visitor, asked: Asked) -> Sequence[Action]:
    """Its latest actions, of this agent alone."""
    found = visitor.ladder.acted(
        agent=asked.agent, tool=asked.tool, size=LATEST, sees=lambda agent: agent == asked.agent
    )
    return found.items


def _steps(visitor: Visitor, asked: Asked, withheld: list[str]) -> list[Step]:
    found = steps_of(visitor.ladder, asked.agent, asked.tool, asked.scope)
    return [one.without_words() for one in found] if withheld else found


def _objection(visitor: Visitor, asked: Asked, withheld: list[str]) -> str:
    """Why they may not sign that it goes up, whatever the evidence; empty where they may."""
    if not visitor.may(Access.PROMOTER, asked.agent):
        return "Signing takes the access promoter, which the policy gives to people."
    if withheld:
        return f"Signing takes the label {', '.join(withheld)}, since the evidence is about what it touches."
    complaint = visitor.ladder.may_raise(asked.agent, visitor.person)
    return f"{complaint[0].upper()}{complaint[1:]}." if complaint else ""


def lower(visitor: Visitor) -> Answer:
    """Put it on a lower rung, or hold it where it is: from the next call on, for a reason, without any evidence."""
    asked = _asked(visitor, visitor.form.get("scope"))
    visitor.need(Access.REVIEWER, asked.agent)
    reason, stands = visitor.form.get("reason").strip()[:LONGEST], asked.own.stands
    if not reason:
        return _shown(visitor, asked, complaint="Say why: it is shown wherever the rung is.", status=422)
    wanted = visitor.form.get("to")
    try:
        to = stands if wanted == "hold" else Rung.parse(int(wanted))
    except ValueError:
        raise Refusal(400, "There is no such rung", "Go back, and choose one of those that are shown.") from None
    if to > stands or visitor.form.get("stands") != str(int(stands)):
        said = f"It stands on {stands} by now, and not where it stood when this page was shown. Nothing was done."
        return _shown(visitor, asked, reason=reason, complaint=said, status=409)
    visitor.ladder.demote(
        asked.tool, to, reason=reason, by=visitor.person, agent=asked.agent, scope=asked.scope or EVERY
    )
    return _back(visitor, asked)


def above(visitor: Visitor) -> Answer:
    """Whoever comes here without a form, as after changing the colours, goes to the page of the cell."""
    return Moved(visitor.here.removesuffix("/raise"))


def raise_(visitor: Visitor) -> Answer:
    """Sign that it goes up one rung, on the evidence that was shown, as somebody who has just shown that it is them."""
    asked = _asked(visitor, visitor.form.get("scope"))
    visitor.need(Access.PROMOTER, asked.agent)
    reason = visitor.form.get("reason").strip()[:LONGEST]
    if objection := _objection(visitor, asked, visitor.withheld(asked.tool)):
        raise Refusal(403, "Not yours to sign", objection)
    if not visitor.fresh():
        return asked_again(visitor, asked.path, scope=asked.scope or None, reason=reason or None)
    known = asked.own.known
    if known is None:
        raise Refusal(409, "There is nothing to sign", "It has not acted as it is now.")
    try:
        visitor.ladder.promote(
            asked.tool, by=visitor.person, agent=asked.agent, scope=asked.scope, env=known.cell.env, reason=reason,
            shown=visitor.form.get("shown"),
        )  # fmt: skip
    except AnswerRefused as refused:
        visitor.ladder.trust(agent=asked.agent)  # What is shown now is worked out from every entry.
        said = f"Nothing was signed: {refused}. What is known now is shown here."
        return _shown(visitor, _asked(visitor, asked.scope), reason=reason, complaint=said, status=409)
    return _back(visitor, asked)


def _back(visitor: Visitor, asked: Asked) -> Moved:
    to = visitor.path(asked.path, scope=asked.scope or None)
    return Moved(to.removeprefix(visitor.base))


ENTRIES = (
    Entry("/ladder/{agent}/{tool}", show=cell, take=lower),
    Entry("/ladder/{agent}/{tool}/raise", show=above, take=raise_, acts=Access.PROMOTER),
)
