"""What a task knows of its conversation: its messages, and the checkpoint that it goes on from.

A run whose process died may have lost its conversation and not what it did: with `durability="exit"` nothing of it was
kept, with `"async"` the last step may be missing. Then the model plans the same again, under a new id.
"""

from __future__ import annotations

import types
import uuid
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig

from ladder_graph.calls import Call
from ladder_graph.facts import Known

READ = "__pregel_read"
"""Where LangGraph's config keeps the function that reads the graph's channels."""

CHECKPOINTER = "__pregel_checkpointer"
"""Where LangGraph's config keeps the checkpointer."""

CALL = "__pregel_call"
"""Where LangGraph's config keeps how a task starts another one, bound to the loop that runs its graph."""

CHECKPOINTS = "checkpoint_map"
"""Where LangGraph's config keeps the checkpoint of each graph around a task, by namespace, the innermost last."""

INSIDE = "|"
"""What stands between a graph and one inside it, in the namespace of a checkpoint."""

PUSH = "__pregel_push"
"""How LangGraph marks a task that was sent one thing of its own, at the head of its path."""

CALLED_AT = 3
"""Where in a task's path LangGraph says that a function called it: a `@task` of the functional API."""

TASK = "__pregel_task_id"
"""Where LangGraph's config keeps the id of the task."""

RETURNED = "__return__"
"""LangGraph's channel of what a `@task` gave back."""


def thread_of(config: RunnableConfig) -> str:
    """The LangGraph thread; a run without one is a thread of its own, which nobody can resume."""
    configurable = config.get("configurable", {})
    thread = configurable.get("thread_id")
    if thread is not None:
        return str(thread)
    # Without a checkpointer two runs must not be taken for one, even if a model repeats its call ids.
    run = config.get("metadata", {}).get("run_id") or configurable.get("run_id") or configurable.get("__pregel_task_id")
    return f"run:{run or uuid.uuid4()}"


def can_wait(config: RunnableConfig) -> bool:
    """Whether a question of this task is still there when somebody answers.

    A graph that was compiled with `checkpointer=False` starts over when its thread is resumed, and so does every one
    inside it, although the config still tells of the checkpointer around them.
    """
    configurable: Mapping[str, Any] = config.get("configurable", {})
    if configurable.get(CHECKPOINTER) is None:
        return False
    while (loop := _loop_of(configurable)) is not None:
        if loop.checkpointer is None:
            return False
        configurable = loop.config.get("configurable", {})  # As it came from the task around the graph.
    return True


def _loop_of(configurable: Mapping[str, Any]) -> Any:
    """What runs the graph of a task; None outside of one, or where this LangGraph keeps it elsewhere."""
    call = configurable.get(CALL)
    if isinstance(call, types.FunctionType):  # A node with a time limit has a function around it.
        call = next(
            (cell.cell_contents for cell in call.__closure__ or () if hasattr(cell.cell_contents, "keywords")), None
        )
    loop = getattr(getattr(call, "keywords", {}).get("schedule_task"), "__self__", None)
    return loop if hasattr(loop, "checkpointer") and hasattr(loop, "config") else None


def sent(config: RunnableConfig) -> bool:
    """Whether LangGraph gave this task something of its own, and not the graph's state."""
    path: Any = config.get("metadata", {}).get("langgraph_path") or ()
    return bool(path) and path[0] == PUSH


def depth_of(config: RunnableConfig) -> int:
    """How many tasks of the functional API, one called by another, this one stands in; 0 for any other task."""
    path: Any = config.get("metadata", {}).get("langgraph_path") or ()
    depth = 0
    while len(path) > CALLED_AT and path[0] == PUSH and path[CALLED_AT] is True:
        depth, path = depth + 1, path[1]
    return depth


def around(config: RunnableConfig) -> list[str]:
    """The nodes that the graph of a task stands in, from the outermost, each as LangGraph names it with its task."""
    place = str(config.get("configurable", {}).get("checkpoint_ns", "")).split(INSIDE)
    return place[: -1 - depth_of(config)]


def arguments_of(config: RunnableConfig) -> list[Any]:
    """What a task of the functional API was called with; empty where that isn't known."""
    configurable = config.get("configurable", {})
    task = getattr(_loop_of(configurable), "tasks", {}).get(configurable.get(TASK))
    if task is None or not depth_of(config):
        return []
    positional, named = task.input
    return [*positional, *named.values()]


def _returned(config: RunnableConfig) -> list[Any]:
    """The messages of models and tools that tasks of the functional API gave back in this run, in their order.

    Such an agent keeps its conversation in variables. A human message there may be anybody's.
    """
    tasks = list(getattr(_loop_of(config.get("configurable", {})), "tasks", {}).values())
    values = [value for task in tasks for channel, value in tuple(task.writes) if channel == RETURNED]
    found = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return [one for one in found if isinstance(one, AIMessage | ToolMessage)]


def state_of(config: RunnableConfig) -> list[Any]:
    """The values of the graph's channels."""
    reading = config.get("configurable", {}).get(READ)
    if reading is None:
        return []
    values: dict[str, Any] = reading(list(reading.args[1]), False)  # noqa: FBT003  # LangGraph's
    return list(values.values())


def messages_in(config: RunnableConfig) -> list[Any]:
    """Whatever stands in lists in the graph's state, under any key: its messages, in their order."""
    found = [message for value in state_of(config) if isinstance(value, list) for message in value]
    return [*found, *_returned(config)] if depth_of(config) else found


def words_beside(config: RunnableConfig, call: Call) -> str:
    """The text of the message that proposed a call, the latest one with its id; empty where there is none."""
    for message in reversed(messages_in(config)):
        if isinstance(message, AIMessage) and any(one["id"] == call.id for one in message.tool_calls):
            return str(message.text)
    return ""


def checkpoint_of(config: RunnableConfig) -> str:
    """The checkpoint that the task goes on from, as `id@namespace`; empty without one."""
    checkpoints: dict[str, str] = config.get("configurable", {}).get(CHECKPOINTS) or {}
    if not checkpoints:
        return ""
    namespace = next(reversed(checkpoints))
    return f"{checkpoints[namespace]}@{namespace}"


def recalls(config: RunnableConfig, call: Call, earlier: Known) -> bool:
    """Whether the conversation knows of an earlier call that is done.

    It does if a message answers that call, or one and the same message asked for both. It has lost what came of it
    where the call stands there unanswered. Where it isn't there at all, the messages may have been cut on purpose: then
    the checkpoint that it was made from was kept, and who goes on from there makes the same call under the same id.
    What can't be found out is not known.
    """
    for message in reversed(messages_in(config)):
        if isinstance(message, ToolMessage) and message.tool_call_id == earlier.call.id:
            return True
        if isinstance(message, AIMessage) and earlier.call.id in (ids := {one["id"] for one in message.tool_calls}):
            return call.id in ids
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
