"""The circumstances of a call, as a graph's task shows them: whose run it is, and who said what before.

A model can write whatever it likes into its own messages and arguments. What counts as the user's words or a tool's
answer is told by where a message stands, and where that is unclear it doesn't count.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import RunnableConfig

from ladder_graph.hosts.conversation import around, messages_in
from ladder_graph.hosts.identity import facts, requesting
from ladder_graph.policy.scene import Floor, Output, Said, Scene

NOTE = "ladder_note"
"""Where a tool's reply keeps what the ladder put before it."""

MADE = "lc_source"
"""How LangChain marks a message that middleware made, such as a summary of what was cut."""


def scene_of(config: RunnableConfig, now: dt.datetime) -> Scene:
    """What a task knows of a call's circumstances.

    Args:
        config: The task's own config.
        now: The moment, aware.
    """
    requester = requesting(config)
    return Scene(now, None if requester is None else requester.name, facts(config), partial(said_in, config))


def said_in(config: RunnableConfig) -> Said:
    """Who said what in the conversation of a task. Of an agent inside another one, no message is the user's."""
    return said_among(messages_in(config), inside=is_inside(config))


def is_inside(config: RunnableConfig) -> bool:
    """Whether a task belongs to an agent inside another one."""
    return bool(around(config))


def said_among(messages: Iterable[Any], *, inside: bool) -> Said:
    """Who said what in a conversation.

    Args:
        messages: Its messages.
        inside: It is that of an agent inside another one.
    """
    return Said(() if inside else tuple(users_own(messages)), tuple(outputs(messages)))


def users_own(messages: Iterable[Any]) -> Iterator[str]:
    """What the user wrote: human messages while the user has the word, as `Floor` tells.

    One in the midst of an agent's work was put there by a node or by middleware, one with a name is how agents hand
    over to each other, and a summary is a model's.
    """
    floor = Floor()
    for message in messages:
        match message:
            case SystemMessage():
                continue
            case HumanMessage() if message.additional_kwargs.get(MADE):
                continue
            case HumanMessage() if message.name is None:
                if floor.users:
                    yield message.text
            case AIMessage():
                floor.model(works=bool(message.tool_calls or message.invalid_tool_calls))
            case _:
                floor.other()


def outputs(messages: Iterable[Any]) -> Iterator[Output]:
    """What tools answered. Whose answer it is, the message that called the tool tells, and not the answer itself."""
    called: dict[str, Any] = {}
    for message in messages:
        if isinstance(message, AIMessage):
            called.update({str(call["id"]): call for call in message.tool_calls})
        elif isinstance(message, ToolMessage) and message.status == "success" and message.tool_call_id in called:
            # An id that comes twice is answered once: what stands there again isn't that tool's.
            call = called.pop(message.tool_call_id)
            # What the ladder put before it, as what became of a draft, isn't the tool's word.
            note = message.additional_kwargs.get(NOTE)
            yield Output(call["name"], str(message.text).removeprefix(str(note or "")).lstrip(), call["args"])
