"""What a task knows of its conversation: its messages, and the checkpoint that it goes on from.

A run whose process died may have lost its conversation and not what it did: with `durability="exit"` nothing of it was
kept, with `"async"` the last step may be missing. Then the model plans the same again, under a new id.
"""

from __future__ import annotations

from typing import Any

from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableConfig

from ladder_graph.steps import Known

READ = "__pregel_read"
"""Where LangGraph's config keeps the function that reads the graph's channels."""

CHECKPOINTER = "__pregel_checkpointer"
"""Where LangGraph's config keeps the checkpointer."""

CHECKPOINTS = "checkpoint_map"
"""Where LangGraph's config keeps the checkpoint of each graph around a task, by namespace, the innermost last."""


def state_of(config: RunnableConfig) -> list[Any]:
    """The values of the graph's channels."""
    reading = config.get("configurable", {}).get(READ)
    if reading is None:
        return []
    values: dict[str, Any] = reading(list(reading.args[1]), False)  # noqa: FBT003  # LangGraph's
    return list(values.values())


def checkpoint_of(config: RunnableConfig) -> str:
    """The checkpoint that the task goes on from, as `id@namespace`; empty without one."""
    checkpoints: dict[str, str] = config.get("configurable", {}).get(CHECKPOINTS) or {}
    if not checkpoints:
        return ""
    namespace = next(reversed(checkpoints))
    return f"{checkpoints[namespace]}@{namespace}"


def recalls(config: RunnableConfig, earlier: Known) -> bool:
    """Whether the conversation knows of an earlier call that is done.

    It does if a message answers that call, or if the checkpoint that it was made from was kept: who goes on from there
    makes the same call under the same id, so one under a new id is meant anew. What can't be found out is not known.
    """
    values = (value for value in state_of(config) if isinstance(value, list))
    messages = (message for value in values for message in value if isinstance(message, ToolMessage))
    if any(message.tool_call_id == earlier.call.id for message in messages):
        return True
    configurable = config.get("configurable", {})
    saver = configurable.get(CHECKPOINTER)
    if saver is None or not earlier.checkpoint:
        return True
    checkpoint, _, namespace = earlier.checkpoint.partition("@")
    place = {"thread_id": earlier.call.thread, "checkpoint_ns": namespace, "checkpoint_id": checkpoint}
    try:
        return saver.get_tuple({"configurable": place}) is not None
    except Exception:  # noqa: BLE001  # any checkpointer's error; a person is asked then
        return False
