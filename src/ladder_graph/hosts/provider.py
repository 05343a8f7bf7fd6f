"""Tools that a model's provider runs by itself: found in the request, before it is sent.

Web search, code interpreters and remote MCP servers never come back as tool calls, so no rung could ever see them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage

from ladder_graph.hosts.toolset import shown

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder


class ProviderTools(BaseCallbackHandler):
    """Looks at each request to a chat model, after every middleware has had its say, and refuses or reports it.

    Args:
        ladder: Whose policy says which.
        agent: Whose requests they are.
    """

    raise_error = True
    """What it raises stops the request."""
    run_inline = False
    """LangChain leaves other handlers unawaited where one that runs inline raises in async code."""

    def __init__(self, ladder: Ladder, agent: str) -> None:
        self._ladder, self._agent = ladder, agent

    def on_chat_model_start(self, serialized: dict[str, Any], messages: list[list[BaseMessage]], **kwargs: Any) -> None:
        """Look at what is about to be sent.

        Raises:
            ProviderToolsRefused: It must not be sent.
        """
        del messages
        params = kwargs.get("invocation_params")
        made: Mapping[str, Any] = (serialized or {}).get("kwargs") or {}
        _, tools, _ = shown({**made, **(params if isinstance(params, Mapping) else {})})
        if tools:
            self._ladder.meet_provider_tools(self._agent, tools)
