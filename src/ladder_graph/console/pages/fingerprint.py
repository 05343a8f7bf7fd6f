"""What an agent is made of: what it earned its rungs with, what it is now, what the change cost, and what it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from ladder_graph.calls import digest_of
from ladder_graph.console.addresses import name_of, segment
from ladder_graph.console.answers import Answer, Moved, Refusal, Shown
from ladder_graph.console.asking_again import asked_again
from ladder_graph.console.differing import lines_of
from ladder_graph.console.entries import Entry
from ladder_graph.console.visitor import Visitor
from ladder_graph.errors import AnswerRefused, LadderError
from ladder_graph.fingerprint import Environment
from ladder_graph.ladder.carrying import Cost, Keep
from ladder_graph.ladder.pins import Sighting
from ladder_graph.ledger.evidence import provenance
from ladder_graph.policy.console import Access
from ladder_graph.scale import Rung
from ladder_graph.trust.cells import CellKey

MOST = 40
"""Environments that are listed."""
LOOKED = 12
"""Environments of which it is looked what the agent had earned in them."""
LONGEST = 2000
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class Part:
    """One component, then and now."""

    name: str
    before: str
    after: str
    same: bool | None
    """None where it isn't known on one side, so that nobody can say."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Two environments of an agent."""

    agent: str
    known: list[Sighting]
    """Every one, the last seen first."""
    before: Sighting | None
    """None where there is only one."""
    after: Sighting
    costs: list[Cost]
    """What it cost, cell by cell."""

    @property
    def path(self) -> str:
        """Its address."""
        return f"/fingerprint/{segment(self.agent)}"

    @property
    def fell(self) -> list[Cost]:
        """The cells that stand lower."""
        return [cost for cost in self.costs if cost.fell]

    def after_choice(self, keep: Keep) -> tuple[tuple[CellKey, Rung], ...]:
        """Where each cell that fell would stand."""
        return tuple((cost.after, cost.kept(keep)) for cost in self.fell)

    def mark(self) -> str:
        """A digest of what was shown, so that nothing else is decided: what fell, with the rung of each choice."""
        found = [[*cost.after, *(int(cost.kept(keep)) for keep in get_args(Keep))] for cost in self.fell]
        return digest_of("choice", self.before.key if self.before else "", self.after.key, found)


def agents(visitor: Visitor) -> Answer:
    """The agents that somebody may see; where it is only one, that one."""
    ladder = visitor.ladder
    own = visitor.policy.agent
    names = [name for name in sorted({own, *ladder.reading.agents(own)}) if visitor.may(Access.VIEWER, name)]
    if len(names) == 1:
        return Moved(f"/fingerprint/{segment(names[0])}")
    found = []
    for name in names:
        pinned, now = ladder.environments(name)
        found.append((name, f"/fingerprint/{segment(name)}", now, pinned is not None and now not in {None, pinned}))
    return Shown("fingerprints.html", {"agents": found})


def fingerprint(visitor: Visitor) -> Answer:
    """What it was and what it is, part by part."""
    found = _compared(visitor, visitor.query)
    if found is None:
        return Shown("fingerprint_none.html", {"agent": _agent(visitor)})
    return _shown(visitor, found, visitor.query.get("keep", ""), visitor.query.get("reason", ""))


def _agent(visitor: Visitor) -> str:
    """Whose fingerprint it is.

    Raises:
        Refusal: There is no such agent that they may see.
    """
    agent, own = name_of(visitor.params["agent"]), visitor.policy.agent
    if (
        agent is None
        or not visitor.may(Access.VIEWER, agent)
        or agent not in {own, *visitor.ladder.reading.agents(own)}
    ):
        raise Refusal(404, "There is no such page", "There is no such agent, or it is somebody else's.")
    return agent


def _compared(visitor: Visitor, chosen: Any) -> Compared | None:
    agent = _agent(visitor)
    known = visitor.ladder.sightings(agent)
    if not known:
        return None
    after = _one(known, chosen.get("after", "")) or known[0]
    before = _one(known, chosen.get("before", "")) or _earned_with(visitor, agent, known, after)
    costs = [] if before is None else visitor.ladder.costs(before, after, agent)
    return Compared(agent, known, before, after, costs)


def _one(known: list[Sighting], prefix: str) -> Sighting | None:
    """The environment whose key begins so.

    Raises:
        Refusal: There is none, or more than one.
    """
    if not prefix:
        return None
    found = [one for one in known if one.key.startswith(prefix)]
    if len(found) != 1:
        raise Refusal(404, "There is no such fingerprint", "Go back, and choose one of those that are listed.")
    return found[0]


def _earned_with(visitor: Visitor, agent: str, known: list[Sighting], now: Sighting) -> Sighting | None:
    """What it had earned the most as: that in which its tools stood highest, and else what it was granted to."""

    def height(one: Sighting) -> tuple[int, bool]:
        return sum(int(cost.stood.rung) for cost in visitor.ladder.costs(one, now, agent)), one.granted

    others = [one for one in known if one.key != now.key]
    return max(others[:LOOKED], key=height, default=None)


def _shown(visitor: Visitor, found: Compared, keep: str, reason: str, complaint: str = "", status: int = 200) -> Shown:
    before, after = found.before, found.after
    withheld = sorted({label for cost in found.fell for label in visitor.withheld(cost.after.tool)})
    context = {
        "found": found, "parts": [] if before is None else list(_parts(before.environment, after.environment)),
        "prompt": [] if before is None else _prompt(visitor, found), "keep": keep, "reason": reason[:LONGEST],
        "complaint": complaint, "objection": _objection(visitor, found.agent, withheld), "fresh": visitor.fresh(),
        "choices": visitor.ladder.choices(found.agent)[:20], "half": _differ(found), "others": found.known[:MOST],
    }  # fmt: skip
    return Shown("fingerprint.html", context, status)


def _differ(found: Compared) -> bool:
    """Whether a part is anything else than all, and than nothing."""
    return found.after_choice("part") not in {found.after_choice("all"), found.after_choice("none")}


def _objection(visitor: Visitor, agent: str, withheld: list[str]) -> str:
    """Why they may not decide; empty where they may."""
    if not visitor.may(Access.PROMOTER, agent):
        return "Deciding takes the access promoter, which the policy gives to people."
    if withheld:
        return f"Deciding takes the label {', '.join(withheld)}, which what these tools touch carries."
    complaint = visitor.ladder.may_raise(agent, visitor.person)
    return f"{complaint[0].upper()}{complaint[1:]}." if complaint else ""


def _parts(before: Environment, after: Environment) -> list[Part]:
    """Each component of both, by its name."""
    rows: list[tuple[str, Any, Any]] = [
        ("Model", before.model, after.model), ("Asked for", before.requested, after.requested),
        ("Provider", before.provider, after.provider), ("Weights", before.weights, after.weights),
        ("System prompt", _hash(before.prompt), _hash(after.prompt)),
        ("Parameters", before.parameters, after.parameters),
        ("Tools", _tools(before), _tools(after)), ("Their code", _code(before), _code(after)),
        ("Middleware", _listed(before.middleware), _listed(after.middleware)),
        ("Graph", _hash(before.graph), _hash(after.graph)),
        ("Data", _listed([f"{k} {v}" for k, v in before.data.items()]) or None,
         _listed([f"{k} {v}" for k, v in after.data.items()]) or None),
    ]  # fmt: skip
    return [
        Part(name, old or "not known", new or "not known", old == new if old and new else None)
        for name, old, new in rows
        if old or new
    ]


def _hash(component: str | None) -> str | None:
    """A digest, as far as people compare it."""
    if component is None or len(component) != 64:  # noqa: PLR2004  # SHA-256 in hex
        return component
    return f"sha256 {component[:4]} {component[4:8]} {component[8:12]}"


def _tools(of: Environment) -> str | None:
    return None if of.toolset is None else f"{len(of.tools)}, {_hash(of.toolset)}"


def _code(of: Environment) -> str | None:
    return ", ".join(f"{tool} {code[:8]}" for tool, code in of.implementations.items()) or None


def _listed(of: Any) -> str | None:
    return None if of is None else ", ".join(of) or "none"


def _prompt(visitor: Visitor, found: Compared) -> list[Any]:
    """What changed in the system prompt, line by line; nothing where a text wasn't kept, or they are the same."""
    old, new = (one.environment.prompt for one in (found.before, found.after) if one is not None)
    if not (old and new) or old == new:
        return []
    texts = visitor.ladder.store.read(
        lambda cursor: [provenance.first_text(cursor, found.agent, one) for one in (old, new)]
    )
    was, now = texts
    return [] if was is None or now is None else list(lines_of(was, now))


def choose(visitor: Visitor) -> Answer:
    """Write down what it keeps, as somebody who has just shown that it is them."""
    form = visitor.form
    found = _compared(visitor, {"before": form.get("before"), "after": form.get("after")})
    if found is None or found.before is None:
        raise Refusal(409, "There is nothing to decide", "The agent was never anything else.")
    visitor.need(Access.PROMOTER, found.agent)
    withheld = sorted({label for cost in found.fell for label in visitor.withheld(cost.after.tool)})
    if objection := _objection(visitor, found.agent, withheld):
        raise Refusal(403, "Not yours to decide", objection)
    keep, reason = form.get("keep"), form.get("reason").strip()[:LONGEST]
    if form.get("act") != "record":
        return _shown(visitor, found, keep, reason)
    if keep not in get_args(Keep):
        return _shown(visitor, found, "", reason, "Choose what it keeps.", 422)
    if not reason:
        return _shown(visitor, found, keep, "", "Say why: whoever reads it later sees nothing else of it.", 422)
    if form.get("shown") != found.mark():
        return _shown(visitor, found, keep, reason, "It stands elsewhere by now. Nothing was done; look again.", 409)
    if not visitor.fresh():
        query = {"before": found.before.key, "after": found.after.key, "keep": keep, "reason": reason}
        return asked_again(visitor, found.path, **query)
    try:
        chosen: Keep = "all" if keep == "all" else "part" if keep == "part" else "none"
        visitor.ladder.carry_over(
            found.before.key, found.after.key, chosen, by=visitor.person, reason=reason, agent=found.agent,
            shown=found.after_choice(chosen),
        )  # fmt: skip
    except (AnswerRefused, LadderError) as refused:
        return _shown(visitor, found, keep, reason, f"Nothing was done: {refused}.", 409)
    return Moved(f"{found.path}?before={found.before.key}&after={found.after.key}")


ENTRIES = (
    Entry("/fingerprint", show=agents),
    Entry("/fingerprint/{agent}", show=fingerprint, take=choose, acts=Access.PROMOTER),
)
