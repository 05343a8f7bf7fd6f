"""A model that needs no key: it reads order numbers out of what the user wrote, and calls the tool that fits.

All that it knows is the conversation, so that any worker goes on where another one stopped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.base import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool

NUMBER = re.compile(r"\b\d{4}\b")
"""An order's number."""


class Clerk(BaseChatModel):
    """A chat model by rule: `Refund 1041 and 1042` makes two calls, `How about 1041?` looks one up."""

    model_name: str = "clerk-1"

    @property
    def _llm_type(self) -> str:
        return "clerk"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name}

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Show it tools."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002  # LangChain's
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002  # LangChain's
        **kwargs: Any,  # noqa: ARG002  # LangChain's
    ) -> ChatResult:
        message = reply(messages)
        message.response_metadata = {"model_name": self.model_name, "model_provider": "clerk"}
        return ChatResult(generations=[ChatGeneration(message=message)])


def reply(messages: list[BaseMessage]) -> AIMessage:
    """What it says to a conversation."""
    last = messages[-1]
    if isinstance(last, HumanMessage) and (numbers := NUMBER.findall(last.text)):
        name = "refund" if "refund" in last.text.lower() else "look_up_order"
        return AIMessage("", tool_calls=[called(name, number, len(messages)) for number in dict.fromkeys(numbers)])
    heard = [str(message.text) for message in messages[_turn(messages) :] if isinstance(message, ToolMessage)]
    return AIMessage("; ".join(heard) or "Tell me the number of an order, and whether to refund it.")


def called(name: str, number: str, at: int) -> ToolCall:
    """One call; its id is unique in its conversation."""
    return ToolCall(name=name, args={"number": int(number)}, id=f"call_{at}_{number}", type="tool_call")


def _turn(messages: list[BaseMessage]) -> int:
    """Where the user spoke last."""
    return max((at for at, message in enumerate(messages) if isinstance(message, HumanMessage)), default=0)
