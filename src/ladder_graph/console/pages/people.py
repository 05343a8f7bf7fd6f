"""The people: who may do what, how each really looks, what waits for them, and who is signed in now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ladder_graph.console.access import best_access, sees_of
from ladder_graph.console.answers import Answer, Moved, Refusal, Shown
from ladder_graph.console.asking_again import asked_again
from ladder_graph.console.entries import Entry
from ladder_graph.console.signin import end_visit, sign_in_link
from ladder_graph.console.visitor import Visitor
from ladder_graph.facts import Person
from ladder_graph.ledger.access import visits
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.lists.pages import anybody
from ladder_graph.policy.console import Access

if TYPE_CHECKING:
    from ladder_graph.trust.looking import Reviewer

MOST = 200
"""People that are listed."""
COUNTED = 30
"""People for whom what waits is counted one by one."""


@dataclass(frozen=True, slots=True)
class Known:
    """One person."""

    name: str
    named: bool
    """The policy names them."""
    access: str
    """The most they may do."""
    agents: dict[str, str]
    """What they may do with each agent, where that is not the same for all."""
    roles: tuple[str, ...]
    labels: tuple[str, ...]
    promotes: bool
    """They may sign a promotion."""
    looks: Reviewer | None
    """How they answered so far; None where they never did."""
    waits: str | None
    """How many questions they may say yes to; None where that wasn't counted."""


def people(visitor: Visitor) -> Answer:
    """Everybody whom the policy names, and everybody who has answered."""
    return _shown(visitor)


def _shown(visitor: Visitor, *, made: str = "", whom: str = "", complaint: str = "", status: int = 200) -> Shown:
    ladder, admin = visitor.ladder, visitor.may_somewhere(Access.ADMIN)
    now = micros(ladder.clock())
    context = {
        "known": _known(visitor), "admin": admin, "made": made, "whom": whom, "complaint": complaint,
        "present": ladder.store.read(lambda cursor: visits.present(cursor, now)) if admin else [],
        "open": not visitor.policy.people, "link": visitor.policy.console.link,
        "fresh": visitor.fresh(),
    }  # fmt: skip
    return Shown("people.html", context, status)


def _known(visitor: Visitor) -> list[Known]:
    policy, looks = visitor.policy, _looks(visitor)
    able = policy.able(policy.trust.promoters)
    names = sorted({*policy.people, *looks})[:MOST]
    return [_person(visitor, name, nth, looks.get(name), able) for nth, name in enumerate(names)]


def _looks(visitor: Visitor) -> dict[str, Reviewer]:
    """How everybody looked who answered a question of an agent that may be seen here; of several, the busiest."""
    ladder, own = visitor.ladder, visitor.policy.agent
    found: dict[str, Reviewer] = {}
    for agent in sorted({own, *ladder.reading.agents(own)}):
        for one in (ladder.looks(agent) or ()) if visitor.may(Access.VIEWER, agent) else ():
            if one.name not in found or found[one.name].answered < one.answered:
                found[one.name] = one
    return found


def _person(visitor: Visitor, name: str, nth: int, looks: Reviewer | None, able: set[str]) -> Known:
    policy = visitor.policy
    said, person = policy.people.get(name), Person(name, "console")
    each = said.console if said is not None else Access.NONE
    sees, theirs = visitor.sees(), sees_of(policy, person, Access.REVIEWER)
    waits = None
    if nth < COUNTED:
        both = theirs if sees is anybody else lambda agent: sees(agent) and theirs(agent)
        waits = str(visitor.ladder.counts(mine=person, sees=both).questions)
    return Known(
        name, said is not None, best_access(policy, person).word,
        {} if isinstance(each, Access) else {agent: access.word for agent, access in each.items() if sees(agent)},
        said.roles if said else (), said.labels if said else (), name in able, looks, waits,
    )  # fmt: skip


def above(visitor: Visitor) -> Answer:  # noqa: ARG001  # every page takes one
    """Whoever comes here without a form goes to the page of the people."""
    return Moved("/people")


def link(visitor: Visitor) -> Answer:
    """Make a link that signs somebody in, once; it is shown now and kept nowhere."""
    if not visitor.may_somewhere(Access.ADMIN):
        raise Refusal(403, "Not yours to let in", "This takes the access admin, which the policy gives.")
    if not visitor.fresh():
        return asked_again(visitor, "/people")
    whom = visitor.form.get("name").strip()
    if not whom:
        return _shown(visitor, complaint="Say whom the link signs in.", status=422)
    made = sign_in_link(visitor.ladder, whom, by=visitor.person)
    at = visitor.policy.console.url or f"{visitor.origin}{visitor.base}"
    return _shown(visitor, made=f"{at}{made}", whom=whom)


def end(visitor: Visitor) -> Answer:
    """Send somebody away: their visit is over at once."""
    if not visitor.may_somewhere(Access.ADMIN):
        raise Refusal(403, "Not yours to send away", "This takes the access admin, which the policy gives.")
    digest = visitor.form.get("visit")
    if not end_visit(visitor.ladder, digest, visitor.person):
        raise Refusal(404, "There is no such visit", "It may be over already.")
    return Moved("/people")


ENTRIES = (
    Entry("/people", show=people),
    Entry("/people/link", show=above, take=link, acts=Access.ADMIN),
    Entry("/people/end", show=above, take=end, acts=Access.ADMIN),
)
