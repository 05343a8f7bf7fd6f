"""The graph that the server runs, under the shop's ladder. The server brings the checkpointer."""

from __future__ import annotations

import os
from typing import Any

from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langgraph.graph.state import CompiledStateGraph

from shop.clerk import Clerk
from shop.desk import ladder
from shop.orders import TOOLS

PROMPT = "You help a small shop with its orders. For each order call the tool that fits, and tell what came of it."


def model() -> BaseChatModel:
    """The model that `LADDER_MODEL` names, such as `openai:gpt-5-mini`; else one that needs no key."""
    name = os.environ.get("LADDER_MODEL")
    return init_chat_model(name) if name else Clerk()


def make() -> CompiledStateGraph[Any, Any, Any, Any]:
    """An ordinary agent, and the one line that puts it on the ladder."""
    agent = create_agent(model(), TOOLS, system_prompt=PROMPT, name="shop")
    return ladder.wrap(agent, checkpointer="host")


graph = make()
