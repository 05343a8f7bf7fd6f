"""Tools that code in a gated graph calls by hand: found as they begin, wherever the call stands.

A mount reads what code names, and can't read what is looked up, built or handed over only at run time. But a run's
callbacks go down with it into whatever runs inside, and LangChain tells them of a tool right before its own code.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ladder_graph.errors import NotPermitted
from ladder_graph.hosts.capture import AWAITS, Handler
from ladder_graph.hosts.permit import acting, by_hand
from ladder_graph.policy.globs import STAR
from ladder_graph.scale import Rung
from ladder_graph.waiting import promptly

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder


class ByHand(Handler):
    """Refuses a tool that begins in a gated graph, and that no gate has let through.

    What no policy names, no tool node offers and no model called is the program's own business, and may run; so may a
    tool that only reads, has no bounds, and need not ask.

    Args:
        ladder: Whose policy and tools.
        agent: The graph; a tool's own code speaks for the agent whose call it is.
    """

    run_inline = True
    """The permit is known in the task itself."""
    raise_error = True
    """What it raises stops the tool."""

    def __init__(self, ladder: Ladder, agent: str) -> None:
        self._ladder, self._agent = ladder, agent

    @property
    def ignore_llm(self) -> bool:
        """Models are nothing to it."""
        return True

    @property
    def ignore_chat_model(self) -> bool:
        """As above."""
        return True

    @property
    def on_tool_start(self) -> Callable[..., Any]:
        """What LangChain calls when a tool is about to run; a coroutine function only where that will be awaited.

        In sync code, LangChain runs a coroutine too, but swallows what it raises.
        """
        awaited = sys._getframe(1).f_code.co_name == AWAITS  # noqa: SLF001  # nothing else tells who asks
        return self._astarts if awaited else self._starts

    def _starts(self, serialized: dict[str, Any], input_str: str, **told: Any) -> None:
        """A tool is about to run.

        Raises:
            NotPermitted: Nobody has allowed it.
        """
        tool = str((serialized or {}).get("name"))
        if by_hand(tool, told.get("inputs"), input_str):
            self._look(tool, **told)

    async def _astarts(self, serialized: dict[str, Any], input_str: str, **told: Any) -> None:
        """As `_starts`, off the event loop where the ledger must be read."""
        tool = str((serialized or {}).get("name"))
        if by_hand(tool, told.get("inputs"), input_str):
            await promptly(self._look, tool, **told)

    def _look(
        self, tool: str, *, tool_call_id: str | None = None, metadata: dict[str, Any] | None = None, **_: Any
    ) -> None:
        agent = acting(self) or self._agent
        if not self._governs(agent, tool, called=bool(tool_call_id)):
            return
        node = (metadata or {}).get("langgraph_node")
        where = f"in the node {node} of {agent}" if node else f"in {agent}"
        instead = (
            f"Wrap the agent that called it before it is run, or give it ladder.guard({tool}); where the tool does "
            f"nothing outside of that agent, let the policy say read_only of it" if tool_call_id else
            "Let a ToolNode of the graph run it; where no agent decides about it, let the code call the function "
            "and not the tool"
        )  # fmt: skip
        raise NotPermitted(
            f"{tool} was called by hand, {where} and past its tool nodes: no rung has seen the call, and nothing ran. "
            f"{instead}"
        )

    def _governs(self, agent: str, tool: str, *, called: bool) -> bool:
        entry, seat = self._ladder.policy.entry(tool), self._ladder.seats.get(tool)
        listed = entry not in {None, STAR}
        if not listed and seat is not None and seat.hands_over:
            return False
        if not (listed or seat is not None or called):
            return False
        rule = self._ladder.rule_of(agent, tool, self._ladder.policy)
        asks = not rule.read_only or rule.bounds or rule.rung < Rung.BOUNDED
        return bool(asks) or self._ladder.capped(agent, tool) < Rung.BOUNDED
