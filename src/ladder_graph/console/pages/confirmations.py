"""What waits for an answer, soonest expiry first."""

from __future__ import annotations

from collections import Counter

from ladder_graph.console.answers import Answer, Shown
from ladder_graph.console.batches import fits_a_batch
from ladder_graph.console.entries import Entry
from ladder_graph.console.titles import headlines
from ladder_graph.console.visitor import Visitor
from ladder_graph.ledger.database.cursor import Cursor
from ladder_graph.ledger.lists import tallies
from ladder_graph.ledger.lists.open_questions import tools_of
from ladder_graph.policy.console import Access
from ladder_graph.wording import inert

SIZE = 25
"""Questions on one page."""


def confirmations(visitor: Visitor) -> Answer:
    """The open questions, a page of them."""
    query, ladder = visitor.query, visitor.ladder
    agents, tools = _choices(visitor)
    agent, tool = _chosen(query.get("agent"), agents), _chosen(query.get("tool"), tools)
    mine = visitor.person if query.get("mine") else None
    sees = visitor.sees(Access.VIEWER if mine is None else Access.REVIEWER)
    page = ladder.waiting(agent=agent, tool=tool, mine=mine, page=query.get("page") or None, size=SIZE, sees=sees)
    alike = Counter(one.call.tool for one in page.items if fits_a_batch(visitor, one))
    return Shown("confirmations.html", {
        "page": page, "lines": headlines(visitor, page.items), "now": ladder.clock(), "agents": agents, "tools": tools,
        "agent": agent or "", "tool": tool or "", "mine": mine is not None,
        "batches": sorted(tool for tool, count in alike.items() if count > 1),
    })  # fmt: skip


def _choices(visitor: Visitor) -> tuple[list[str], list[str]]:
    """The agents, and the tools that questions are open about, as far as this person may look."""
    own, sees = visitor.policy.agent, visitor.sees()

    def read(cursor: Cursor) -> tuple[list[str], list[str]]:
        agents = [one for one in tallies.chains(cursor, own) if sees(one)]
        return agents, sorted({tool for agent in agents for tool in tools_of(cursor, agent)})

    return visitor.ladder.store.read(read)


def _chosen(given: str | None, names: list[str]) -> str | None:
    """The name that was chosen; the page has shown it with nothing in it hidden."""
    return next((one for one in names if inert(one) == given), given) or None


ENTRIES = (Entry("/confirm", show=confirmations),)
