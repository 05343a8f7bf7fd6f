"""Tools that a model's provider runs by itself: found in the request, before it is sent.

Web search, code interpreters and remote MCP servers never come back as tool calls, so no rung could ever see them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import AsyncCallbackManager
from langchain_core.messages import BaseMessage

from ladder_graph.components import carried
from ladder_graph.hosts.capture import AWAITS, Capture, ModelHandler
from ladder_graph.hosts.toolset import shown

if TYPE_CHECKING:
    from ladder_graph.ladder import Ladder

AT_A_REQUEST = frozenset({AsyncCallbackManager.on_chat_model_start.__name__, AWAITS})
"""The functions of LangChain's that make a request ready to be heard of, and tell a handler that doesn't ignore it."""


class ProviderTools(ModelHandler):
    """Refuses or reports requests to a chat model with such tools, after every middleware has had its say.

    Args:
        ladder: Whose policy says which.
        agent: Whose requests they are.
        capture: Hears of each request right before this does.
    """

    raise_error = True
    """What it raises stops the request."""

    def __init__(self, ladder: Ladder, agent: str, capture: Capture) -> None:
        self._ladder, self._agent, self._capture = ladder, agent, capture

    @property
    def run_inline(self) -> bool:  # type: ignore[override]  # LangChain reads it anew each time
        """Whether it hears of an event on the event loop, in async code: of all but the requests that it looks at.

        For one that doesn't, LangChain makes a task at each event of a graph, whether or not it ignores it. And where
        one that does raises, it leaves unawaited what others would have heard.
        """
        return sys._getframe(1).f_code.co_name not in AT_A_REQUEST  # noqa: SLF001  # nothing else tells who asks

    @property
    def ignore_llm(self) -> bool:
        """Answers are nothing to it."""
        return True

    @property
    def ignore_chat_model(self) -> bool:
        """Whether nothing was there to be met so far: in async code each look costs a hop to a thread and back."""
        return not self._capture.suspects

    def on_chat_model_start(self, serialized: dict[str, Any], messages: list[list[BaseMessage]], **kwargs: Any) -> None:
        """Look at what is about to be sent.

        Raises:
            ProviderToolsRefused: It must not be sent.
        """
        del messages
        params = kwargs.get("invocation_params")
        made: Mapping[str, Any] = (serialized or {}).get("kwargs") or {}
        _, tools, _ = shown(carried({**made, **(params if isinstance(params, Mapping) else {})}))
        if tools:
            self._ladder.meet_provider_tools(self._agent, tools)
