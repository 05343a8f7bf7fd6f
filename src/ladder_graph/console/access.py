"""Who may do what: by the policy's word for each person, and by the access labels of what a page shows."""

from __future__ import annotations

from ladder_graph.facts import Person
from ladder_graph.ledger.lists.pages import Sees, anybody
from ladder_graph.policy import Policy
from ladder_graph.policy.console import Access

UNVERIFIED = frozenset({"unverified"})
"""How somebody may be known who can't be let in."""


def access_of(policy: Policy, person: Person, agent: str | None = None) -> Access:
    """What somebody may do in the console.

    Where the policy names nobody, whoever came by a link may do everything: it came from somebody who could read and
    write the ledger itself. A proxy lets in too many for that. As soon as the policy names people, those it doesn't
    name may do nothing.

    Args:
        policy: The policy in force.
        person: Who is signed in.
        agent: With which agent; unsaid, with the policy's.
    """
    if person.auth in UNVERIFIED or not person.name:
        return Access.NONE
    if not policy.people:
        return Access.NONE if person.auth == "proxy" else Access.ADMIN
    found = policy.people.get(person.name)
    return Access.NONE if found is None else found.access(agent or policy.agent)


def sees_of(policy: Policy, person: Person, access: Access = Access.VIEWER) -> Sees:
    """With which agents somebody may do this, for lists and counts, which leave the others out.

    Args:
        policy: The policy in force.
        person: Who is signed in.
        access: What they would do.
    """
    found = policy.people.get(person.name)
    if found is None or isinstance(found.console, Access):
        # It is the same with all agents, so it isn't asked of each.
        return anybody if access_of(policy, person) >= access else _nobody
    return lambda agent: access_of(policy, person, agent) >= access


def _nobody(agent: str) -> bool:  # noqa: ARG001  # whichever it is
    return False


def best_access(policy: Policy, person: Person) -> Access:
    """The most that somebody may do with any agent; for pages that are about none."""
    found = policy.people.get(person.name)
    if person.auth in UNVERIFIED or found is None or isinstance(found.console, Access):
        return access_of(policy, person)
    return max(found.console.values(), default=Access.NONE)
