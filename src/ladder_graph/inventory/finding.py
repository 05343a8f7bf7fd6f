"""Finding tools in somebody's program: a graph, a ladder, a list of tools, or a function that returns one of these."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.tools import BaseTool
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode

from ladder_graph.errors import LadderError
from ladder_graph.hosts.fitting import version_of
from ladder_graph.hosts.handovers import hands_over
from ladder_graph.hosts.nested import agents_within
from ladder_graph.hosts.nodes import RungNode
from ladder_graph.hosts.sealing import seal_of
from ladder_graph.hosts.toolhost import DirectHost, outside
from ladder_graph.inventory.hints import Hints
from ladder_graph.inventory.reviews import NAMED_NOWHERE, Review, mapping_of, reviews_of, strictest
from ladder_graph.ladder import Ladder
from ladder_graph.ladder.seats import Seat
from ladder_graph.tools import NOTHING, Declaration, declaration_of


@dataclass(frozen=True, slots=True)
class Known:
    """What can be known of a tool without running it."""

    name: str
    description: str = ""
    arguments: dict[str, Any] | None = None
    """The properties of its JSON Schema; None where it can't be had."""
    declaration: Declaration = NOTHING
    hints: Hints = field(default_factory=Hints)
    version: str = ""
    """Its code and schema, as a digest; empty where they can't be had."""
    review: Review | None = None
    """What LangChain's middleware does with it; None where there is no such middleware."""
    hands_over: bool = False
    """It is known to hand over to another agent, and to do nothing else."""


def known_in(thing: Any) -> dict[str, Known]:
    """Every tool in a thing, by name in its order, with everything that is said of it.

    Raises:
        MountError: It can't be put under a ladder.
        LadderError: It is nothing that has tools.
    """
    thing = _made(thing)
    seats, tools = seats_in(thing), {tool.name: tool for tool in _tools(thing)}
    known = {name: _known(name, tools.get(name) or _of_a_seat(seat), seat) for name, seat in sorted(seats.items())}
    found = list(_interrupts(thing))
    if not found:
        return known
    reviews = strictest(found)
    return {name: replace(one, review=reviews.get(name, NAMED_NOWHERE)) for name, one in known.items()}


def _known(name: str, tool: BaseTool | None, seat: Seat) -> Known:
    if tool is None:
        return Known(name, declaration=seat.declaration)
    seal = seal_of(tool)
    hints = Hints.of(tool if seal is None else seal.tool)
    original = tool if seal is None else seal.tool
    return Known(
        name, tool.description, _arguments(tool), seat.declaration, hints, seat.version or version_of(original),
        hands_over=hands_over(original),
    )  # fmt: skip


def _arguments(tool: BaseTool) -> dict[str, Any] | None:
    try:
        schema: Any = tool.tool_call_schema
        properties = (schema if isinstance(schema, dict) else schema.model_json_schema()).get("properties", {})
    except Exception:  # noqa: BLE001  # a schema of the author's that JSON Schema has no form for
        return None
    return dict(properties) if isinstance(properties, dict) else None


def seats_in(thing: Any) -> dict[str, Seat]:
    """Every tool in a thing, with what it declares and how it runs outside its graph; inner agents' tools too.

    Raises:
        MountError: It can't be put under a ladder.
        LadderError: It is nothing that has tools.
    """
    thing = _made(thing)
    if isinstance(thing, Ladder):
        return dict(thing.seats)
    if isinstance(thing, CompiledStateGraph | StateGraph):
        return _seats_of_graph(thing)
    return {tool.name: Seat(declaration_of(tool), can_ask=False, host=outside(tool)) for tool in _listed(thing)}


def makes(thing: Any) -> bool:
    """Whether a thing is no graph, ladder or tools itself, and may be called for one."""
    whole = isinstance(thing, Ladder | CompiledStateGraph | StateGraph | ToolNode | BaseTool | list | tuple)
    return callable(thing) and not whole


def _made(thing: Any) -> Any:
    """The thing itself; or what it makes, where it is a function that makes one."""
    if not makes(thing):
        return thing
    try:
        made = thing()
    except Exception as wrong:  # somebody's whole program; whatever it raises is said
        raise LadderError(f"it could not be called: {type(wrong).__name__}: {wrong}") from wrong
    if inspect.iscoroutine(made):
        made.close()
        raise LadderError("it is async, and what it makes is needed here at once; name a function that isn't")
    if callable(made) and not hasattr(made, "invoke") and not hasattr(made, "seats"):
        raise LadderError("it returned another function; name what makes the graph itself")
    return made


def _listed(thing: Any) -> list[BaseTool]:
    if isinstance(thing, ToolNode):
        return list(thing.tools_by_name.values())
    tools = [thing] if isinstance(thing, BaseTool) else thing
    if isinstance(tools, list | tuple) and all(isinstance(tool, BaseTool) for tool in tools):
        return list(tools)
    raise LadderError(f"{type(thing).__name__!r} has no tools; name a graph, the ladder around it, or a list of tools")


def _seats_of_graph(graph: Any) -> dict[str, Seat]:
    for runnable in _runnables(graph):
        if isinstance(runnable, RungNode):
            return dict(runnable.mount.ladder.seats)
    # A mount on a ladder that is thrown away finds them all, those of agents inside tools, too.
    log = logging.getLogger("ladder_graph")
    silent, log.disabled = log.disabled, True
    ladder = Ladder(ledger=":memory:")
    try:
        ladder.wrap(graph, checkpointer="host")
    finally:
        log.disabled = silent
        ladder.close()
    return dict(ladder.seats)


def _of_a_seat(seat: Seat) -> BaseTool | None:
    host = seat.host() if seat.host else None
    return host.tool if isinstance(host, DirectHost) else None


# --- inside graphs ---------------------------------------------------------------------------------------------------


def _tools(thing: Any) -> Iterator[BaseTool]:
    """The tools themselves, inner agents' first, so that of two with one name the outer one's words stay."""
    if isinstance(thing, Ladder):
        return
    if not isinstance(thing, CompiledStateGraph | StateGraph):
        yield from _listed(thing)
        return
    for graph in reversed(_agents(thing)):
        yield from _of_graph(graph)


def _of_graph(graph: Any) -> Iterator[BaseTool]:
    for runnable in _runnables(graph):
        if isinstance(runnable, ToolNode):
            yield from runnable.tools_by_name.values()
        elif isinstance(runnable, RungNode):
            yield from runnable.mount.tools.values()


def _agents(graph: Any) -> list[Any]:
    """A graph, and every one inside it: in its nodes, and in what its tools run."""
    found, left = {id(graph): graph}, [graph]
    while left:
        one = left.pop()
        held = [runnable for runnable in _runnables(one) if not isinstance(runnable, ToolNode | RungNode)]
        for inner in (inner for part in (*held, *_of_graph(one)) for inner in agents_within(part)):
            if id(inner) not in found:
                found[id(inner)] = inner
                left.append(inner)
    return list(found.values())


def _interrupts(thing: Any) -> Iterator[dict[str, Review]]:
    """What LangChain's middleware says, in each agent that has it: its hook stands as a node."""
    if not isinstance(thing, CompiledStateGraph | StateGraph):
        return
    for graph in _agents(thing):
        for runnable in _runnables(graph):
            owner = getattr(getattr(runnable, "func", None), "__self__", None)
            if isinstance(getattr(owner, "interrupt_on", None), Mapping):
                yield reviews_of(mapping_of(owner))


def _runnables(graph: Any) -> list[Any]:
    return [spec.runnable for spec in getattr(graph, "builder", graph).nodes.values()]
