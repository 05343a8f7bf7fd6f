"""Whoever looks at a page: who it is, what they may, and what they asked for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ladder_graph.console.access import access_of, best_access, sees_of
from ladder_graph.console.answers import Refusal
from ladder_graph.console.forms import Form
from ladder_graph.facts import Person
from ladder_graph.ledger.access.visits import Visit
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.lists.pages import Sees, anybody
from ladder_graph.policy import Policy
from ladder_graph.policy.console import Access

if TYPE_CHECKING:
    from ladder_graph.console.keys import Seal
    from ladder_graph.ladder import Ladder

NOT_THEIRS = ("There is no such page", "It may have been, or may be somebody else's.")
"""What is said of what somebody may not see, and to them of what isn't there."""
LONGEST = 86_400
"""Seconds for which a page may lie open before its form is taken for stale."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in, with one request."""

    ladder: Ladder
    seal: Seal
    visit: Visit
    base: str
    """Where the console is mounted, as `/ladder`; empty at the root."""
    here: str
    """The address that was asked for, from the console's root."""
    query: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    """The variable parts of the address."""
    form: Form = field(default_factory=Form)
    origin: str = ""
    """The console's scheme and host, as this browser has them."""

    @property
    def person(self) -> Person:
        """Who it is."""
        return self.visit.person

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.ladder.refresh()

    @property
    def role(self) -> str:
        """What the policy lets them do at most, in a word."""
        return best_access(self.policy, self.person).word

    def may(self, access: Access, agent: str | None = None) -> bool:
        """Whether they may do this with an agent; unsaid, with the policy's."""
        return access_of(self.policy, self.person, agent) >= access

    def may_somewhere(self, access: Access) -> bool:
        """Whether they may do this with any agent."""
        return best_access(self.policy, self.person) >= access

    def sees(self, access: Access = Access.VIEWER) -> Sees:
        """With which agents they may do this, for what reads lists and counts."""
        return sees_of(self.policy, self.person, access)

    def need(self, access: Access, agent: str | None = None) -> None:
        """Go on only with this access.

        Raises:
            Refusal: They don't have it. What they may not even look at is not said to be there.
        """
        if not self.may(Access.VIEWER, agent):
            raise Refusal(404, *NOT_THEIRS)
        if not self.may(access, agent):
            raise Refusal(403, "Not yours to decide", f"This takes the access {access.word!r}, which the policy gives.")

    def lost(self, title: str, text: str) -> Refusal:
        """The page for what isn't there; whoever may not see all agents can't tell it from what isn't theirs.

        Args:
            title: What is the case, for whoever may see all.
            text: What to do, as before.
        """
        return Refusal(404, title, text) if self.sees() is anybody else Refusal(404, *NOT_THEIRS)

    def withheld(self, tool: str) -> list[str]:
        """The access labels of what a tool touches that they don't hold."""
        return self.policy.withheld(self.policy.rule(tool), self.person.name)

    def fresh(self) -> bool:
        """Whether they have shown a moment ago that it is them, as it takes to raise a rung."""
        age = micros(self.ladder.clock()) - self.visit.again_us
        return 0 <= age <= self.policy.console.again * 1_000_000

    def counts(self) -> dict[str, str]:
        """How much they see waiting, in words: above a thousand it is only said that there is more."""
        found = self.ladder.counts(sees=self.sees())
        return {"confirm": str(found.questions), "drafts": str(found.drafts), "reports": str(found.reports)}

    # --- forms -----------------------------------------------------------------------------------------------

    def path(self, to: str, **query: Any) -> str:
        """An address of the console, from the server's root.

        Args:
            to: From the console's root, as `/confirm`.
            query: What stands behind the question mark; what is None is left out.
        """
        said = {name: value for name, value in query.items() if value is not None}
        return f"{self.base}{to}{f'?{urlencode(said)}' if said else ''}"

    def token(self, to: str) -> str:
        """What a form to an address must bring, so that no other site can have made it: for this visit, from now on."""
        return self.seal.sealed("form", f"{self.visit.hash}|{to}|{time.time():.3f}")

    def opened(self) -> float | None:
        """Seconds since the form was shown that is being sent; None where it isn't one of ours for this address."""
        found = self.seal.opened("form", self.form.get("form"))
        if found is None:
            return None
        visit, _, rest = found.partition("|")
        to, _, at = rest.rpartition("|")
        age = time.time() - float(at)
        return max(0.0, age) if (visit, to) == (self.visit.hash, self.here) and age <= LONGEST else None
