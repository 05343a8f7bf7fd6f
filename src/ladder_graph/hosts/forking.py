"""Forking a thread: it goes on from before a call was proposed, with a message that says what was rolled back.

Nothing that was said is deleted. The thread's newest checkpoint is the fork from then on, and the earlier ones stay.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.channels import AnyValue, BinaryOperatorAggregate, EphemeralValue, LastValue, LastValueAfterFinish
from langgraph.pregel import Pregel
from langgraph.types import Command

from ladder_graph.calls import Call
from ladder_graph.errors import ForkRefused, LadderError
from ladder_graph.hosts.conversation import PUSH
from ladder_graph.ledger.undoing.rollbacks import Line, task_of

ROOT = "__root__"
"""The name of a state that is the list of messages itself."""
_LAST = (AnyValue, EphemeralValue, LastValue, LastValueAfterFinish)
"""The channels that keep the last value alone, as those of a key without a reducer do."""
_ROLES = frozenset({"human", "user", "ai", "assistant", "system", "developer", "tool", "function"})
_WRITTEN_FROM_OUTSIDE = frozenset({"update", "fork"})
"""The sources of checkpoints that no node has made."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where a thread is forked from."""

    config: RunnableConfig
    """The checkpoint."""
    node: str
    """The node as which the message is written: the one that had made it, so that the graph goes on as it did then."""
    key: str
    """Where the state keeps its messages."""
    calls: frozenset[str] = frozenset()
    """The ids of the calls that the message has proposed which is gone with it."""
    turns: tuple[str, ...] = ()
    """The nodes whose turn it was, where that isn't left to the edges of the graph."""
    tasks: frozenset[str] = frozenset()
    """The ids of the tasks in which they ran; whatever was called in there is gone as well."""


def point_before(graph: Any, call: Call, checkpoint: str) -> Point:
    """The last checkpoint in which nobody had proposed a call yet.

    Args:
        graph: The compiled graph whose thread it is, with the checkpointer that holds it.
        call: The call.
        checkpoint: The one that the call's task went on from, as the ledger has it.

    Raises:
        ForkRefused: There is none, or the graph isn't the one whose thread it is.
    """
    if not hasattr(graph, "update_state"):
        raise ForkRefused(f"a {type(graph).__name__} is no compiled graph, so no thread of it can be forked")
    if not checkpoint:
        raise ForkRefused(f"the conversation that proposed {call.tool} (action {call.short}) was never kept")
    try:
        return _before(graph, call, checkpoint)
    except LadderError:
        raise
    except Exception as wrong:  # any checkpointer's error
        raise ForkRefused(f"thread {call.thread} can't be read: {type(wrong).__name__}: {wrong}") from wrong


def line_to(graph: Any, thread: str, point: Point) -> Line | None:
    """The steps that a thread has come by; None where it doesn't come by that point any more.

    Args:
        graph: The compiled graph whose thread it is, with the checkpointer that holds it.
        thread: The thread.
        point: Where it is to be forked from.

    Raises:
        ForkRefused: The thread can't be read.
    """
    try:
        found = list(graph.get_state_history(_config(thread)))
    except Exception as wrong:  # any checkpointer's error
        raise ForkRefused(f"thread {thread} can't be read: {type(wrong).__name__}: {wrong}") from wrong
    named, came = {_id(one.config): one for one in found}, list[Any]()
    one = found[0] if found else None
    while one is not None:
        came.append(one)
        one = None if one.parent_config is None else named.get(_id(one.parent_config))
    steps = dict[str, int]()
    for n, snapshot in enumerate(reversed(came)):
        steps |= {_id(snapshot.config): n, **{ran.id: n for ran in snapshot.tasks}}
    back_to = steps.get(_id(point.config))
    return None if back_to is None else Line(steps, back_to)


def _id(config: Any) -> str:
    return str(config["configurable"]["checkpoint_id"])


def fork(graph: Any, point: Point, text: str) -> str:
    """Let a thread go on from a point, with one message more.

    Returns:
        The id of the new checkpoint. `graph.invoke(None, config)` goes on from there.

    Raises:
        ForkRefused: It could not be written.
    """
    try:
        messages = _written(graph, point, HumanMessage(text))
        update: Any = messages if point.key == ROOT else {point.key: messages}
        if point.turns:
            update, graph = Command(update=update, goto=point.turns), _without_edges(graph, point.node)
        # LangGraph would take it for what the node's own task has written, if one waits there.
        task = str(uuid.uuid4()) if point.turns else None
        made: RunnableConfig = graph.update_state(point.config, update, as_node=point.node, task_id=task)
    except Exception as wrong:  # any checkpointer's error, or a graph that is another one
        raise ForkRefused(f"the thread can't be written: {type(wrong).__name__}: {wrong}") from wrong
    return str(made["configurable"]["checkpoint_id"])


def _written(graph: Any, point: Point, message: HumanMessage) -> list[Any]:
    """What is to be written so that a message comes behind what was said: all of it, where nothing adds it up."""
    said, channel = _lists(graph.get_state(point.config)).get(point.key, []), graph.channels.get(point.key)
    if isinstance(channel, BinaryOperatorAggregate):
        replaces = bool(said) and len(channel.operator(list(said), [message])) == 1
    else:
        replaces = isinstance(channel, _LAST)
    return [*said, message] if replaces else [message]


def _without_edges(graph: Any, node: str) -> Any:
    """The graph, with one node that writes to the state and goes where a `Command` says, and nowhere else."""
    plain = graph.nodes[node].copy({"writers": graph.nodes[node].writers[:1]})
    return graph.copy({"nodes": {**graph.nodes, node: plain}})


def _before(graph: Any, call: Call, checkpoint: str) -> Point:
    at, _, namespace = checkpoint.partition("@")
    task, outermost = task_of(checkpoint), namespace.partition("|")[0]
    if outermost and ":" not in outermost:
        raise ForkRefused(
            f"the agent in {outermost}, in which {call.tool} (action {call.short}) was called, keeps a memory of its "
            f"own (checkpointer=True), which would still tell of it; give no graph, and say to it what was rolled back"
        )
    here = _inside(graph, call, task) if namespace else graph.get_state(_config(call.thread, at))
    if namespace and not _ran_a_call(graph, here, task):
        return _at(here, call, task)
    ids = _last_calls(here) if namespace else _together(here, call.id)
    key = next((key for key, calls in _proposals(here) if ids & calls), "")
    if not key:
        raise ForkRefused(
            f"the checkpoint that {call.tool} (action {call.short}) was called from isn't there any more, or belongs "
            f"to another graph"
        )
    for one in _upwards(graph, here):
        if not any(ids & calls for _, calls in _proposals(one)):
            return Point(one.config, _maker(graph, one), key, frozenset(map(str, ids)))
    raise ForkRefused(f"nothing came before {call.tool} (action {call.short}) in thread {call.thread}")


def _ran_a_call(graph: Any, here: Any, task: str) -> bool:
    """Whether a task of the outer graph ran a call of that, and isn't the turn of an agent that is a node."""
    node = next(ran.name for ran in here.tasks if ran.id == task)
    if node not in graph.nodes:
        raise ForkRefused(f"the graph has no node {node}, which ran in this thread; give the one that ran it")
    if isinstance(graph.nodes[node].bound, Pregel):
        return False
    # While a call runs, no message answers it yet. A function that runs an agent finds all calls before it answered.
    answered = {one.tool_call_id for one in _all_messages(here) if isinstance(one, ToolMessage)}
    return bool(_last_calls(here) - answered)


def _at(here: Any, call: Call, task: str) -> Point:
    """The checkpoint at which it was the turn of an agent that is a node, and of the nodes beside it."""
    node = next(ran.name for ran in here.tasks if ran.id == task)
    lists = _lists(here)
    keys = [key for key, value in lists.items() if any(isinstance(one, BaseMessage) for one in value)]
    keys = keys or [key for key, value in lists.items() if any(map(_is_message, value))]
    if any(ran.path[0] == PUSH for ran in here.tasks):
        raise ForkRefused(
            f"{node}, in which {call.tool} (action {call.short}) was called, was sent something of its own, or a node "
            f"beside it was, and nothing can be added to that; go back to an earlier action, or give no graph"
        )
    if not keys:
        raise ForkRefused(
            f"the state in which {node} began keeps no messages, so nothing could be said to it; give no graph"
        )
    turns = {ran.name: None for ran in here.tasks}
    key = "messages" if "messages" in keys else keys[0]
    return Point(here.config, node, key, turns=tuple(turns), tasks=frozenset(ran.id for ran in here.tasks))


def _inside(graph: Any, call: Call, task: str) -> Any:
    """The checkpoint of the outer graph in which the task ran that a call inside another graph was made in."""
    for one in graph.get_state_history(_config(call.thread)):
        if any(ran.id == task for ran in one.tasks):
            return one
    raise ForkRefused(f"the run in which {call.tool} (action {call.short}) was called isn't there any more")


def _config(thread: str, checkpoint: str = "") -> RunnableConfig:
    place = {"thread_id": thread, "checkpoint_ns": ""}
    return {"configurable": {**place, "checkpoint_id": checkpoint} if checkpoint else place}


def _upwards(graph: Any, snapshot: Any) -> Iterator[Any]:
    """The checkpoints before one, the nearest in front."""
    while snapshot.parent_config is not None:
        snapshot = graph.get_state(snapshot.parent_config)
        yield snapshot


def _maker(graph: Any, snapshot: Any) -> str:
    """The node that made a checkpoint: one of those whose turn it was in the one before."""
    for before in _upwards(graph, snapshot):
        if (snapshot.metadata or {}).get("source") in _WRITTEN_FROM_OUTSIDE:
            snapshot = before
            continue
        made: list[str] = sorted({task.name for task in before.tasks} & set(graph.nodes))
        if made:
            return made[0]
        break
    raise ForkRefused("the graph has none of the nodes that the thread was at; give the one that ran it")


def _proposals(snapshot: Any) -> Iterable[tuple[str, set[str | None]]]:
    """Where the state holds messages, and the ids of the calls that stand in them."""
    return [
        (key, {one["id"] for message in _said(value) for one in message.tool_calls})
        for key, value in _lists(snapshot).items()
    ]


def _last_calls(snapshot: Any) -> set[str | None]:
    """The ids of the calls that the last message with any has proposed."""
    found = _messages(snapshot)
    return {one["id"] for one in found[-1].tool_calls} if found else set()


def _together(snapshot: Any, call_id: str) -> set[str | None]:
    """The ids of the calls that the same message has proposed as this one."""
    batches = [{one["id"] for one in message.tool_calls} for message in _messages(snapshot)]
    return next((ids for ids in reversed(batches) if call_id in ids), set())


def _messages(snapshot: Any) -> list[AIMessage]:
    """Every message of a state that has proposed a call."""
    return [message for value in _lists(snapshot).values() for message in _said(value) if message.tool_calls]


def _all_messages(snapshot: Any) -> list[Any]:
    return [message for value in _lists(snapshot).values() for message in value]


def _lists(snapshot: Any) -> dict[str, list[Any]]:
    """The lists of a state, by their names."""
    values = snapshot.values
    named: dict[str, Any] = {ROOT: values} if isinstance(values, list) else values if isinstance(values, dict) else {}
    return {key: value for key, value in named.items() if isinstance(value, list)}


def _is_message(one: Any) -> bool:
    """Whether LangChain takes something for a message: one of its own, its role and text, or a mapping of these."""
    if isinstance(one, Mapping):
        return "content" in one and (one.get("role") or one.get("type")) in _ROLES
    match one:
        case [str(role), _]:
            return role in _ROLES
    return isinstance(one, BaseMessage)


def _said(value: list[Any]) -> list[AIMessage]:
    return [one for one in value if isinstance(one, AIMessage)]
