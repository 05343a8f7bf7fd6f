"""Tools that code in a gated graph calls by hand: found as they begin, wherever the call stands.

A mount reads what code names, and can't read what is looked up, built or handed over only at run time. But a run's
callbacks go down with it into whatever runs inside, and LangChain tells them of a tool right before its own code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ladder_graph.errors import NotPermitted
from ladder_graph.hosts.capture import Handler
from ladder_graph.hosts.permit import by_hand
from ladder_graph.scale import Rung

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder


class ByHand(Handler):
    """Refuses a tool that begins in a gated graph, and that no gate has let through.

    What no policy names, no tool node offers and no model called is the program's own business, and may run; so may a
    tool that only reads and that no rung would ask about.

    Args:
        ladder: Whose policy and tools.
        agent: The graph.
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

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,  # noqa: ARG002  # LangChain's
        *,
        tool_call_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ARG002  # as above
    ) -> None:
        """A tool is about to run.

        Raises:
            NotPermitted: Nobody has allowed it.
        """
        tool = str((serialized or {}).get("name"))
        if not by_hand(tool) or not self._governs(tool, called=bool(tool_call_id)):
            return
        node = (metadata or {}).get("langgraph_node")
        where = f"in the node {node} of {self._agent}" if node else f"in {self._agent}"
        instead = (
            f"Wrap the agent that called it before it is run, or give it ladder.guard({tool})" if tool_call_id else
            "Let a ToolNode of the graph run it; where no agent decides about it, let the code call the function "
            "and not the tool"
        )  # fmt: skip
        raise NotPermitted(
            f"{tool} was called by hand, {where} and past its tool nodes: no rung has seen the call, and nothing ran. "
            f"{instead}"
        )

    def _governs(self, tool: str, *, called: bool) -> bool:
        policy = self._ladder.policy
        listed = policy.entry(tool) is not None
        seat = self._ladder.seats.get(tool)
        if not listed and seat is not None and seat.hands_over:
            return False
        rule = policy.rule(tool)
        unasked = rule.read_only and rule.rung >= Rung.BOUNDED
        return (listed or seat is not None or called) and not unasked
