"""Answers of models kept in the ledger, so that another process that resumes their thread knows who proposed the calls.

Where a graph routes the calls in the very task that asked the model, nothing needs to be kept: the packet to the rung
bears it. Where a step comes between, or the gate stands in the tool node, a process may die before the gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage
from langchain_core.outputs import LLMResult

from ladder_graph.hosts.capture import Capture, ModelHandler, call_digest, kept_as, thread_here

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder


class Keeper(ModelHandler):
    """Writes down what gave an answer with tool calls, before the answer comes into the graph's state.

    Args:
        ladder: In whose ledger.
        capture: Hears of each answer right before this does.
    """

    run_inline = False
    """It writes to the ledger, for which no event loop waits."""

    def __init__(self, ladder: Ladder, capture: Capture) -> None:
        self._ladder, self._capture = ladder, capture

    @property
    def ignore_chat_model(self) -> bool:
        """Requests are nothing to it."""
        return True

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        """Keep what answered."""
        for generation in (one for generated in response.generations for one in generated):
            message = getattr(generation, "message", None)
            if isinstance(message, AIMessage) and message.id and message.tool_calls:
                self._keep(message.id, message)

    def _keep(self, name: str, message: AIMessage) -> None:
        digests, proposed, thread = [], None, thread_here()
        for call in message.tool_calls:
            digest = call_digest(call["id"], call["name"], call["args"])
            found = self._capture.proposed(name, call["id"], call["name"], call["args"], thread)
            if digest is not None and found is not None:
                digests.append(":".join(digest))
                proposed = found
        if proposed is not None:
            self._ladder.environs.keep(kept_as(name, thread), proposed.environment, digests)
