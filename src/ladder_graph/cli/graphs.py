"""Finding tools in somebody's program: a graph, a ladder, a list of tools, or a function that returns one of these."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from ladder_graph.desk import Seat


def load(app: str) -> Any:
    """Import `module:name`, or `path/to/file.py:name`, with the working directory on the path.

    Raises:
        LadderError: It can't be imported, or the name isn't there.
    """
    module, _, name = app.rpartition(":")
    if not (module and name):
        raise LadderError(f'{app!r} names no graph; write "module:name", as in "shop.agent:graph"')
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = _import(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as wrong:  # somebody's whole program; whatever it raises is said
        raise LadderError(f"{app} can't be loaded: {type(wrong).__name__}: {wrong}") from wrong
    return found


def _import(module: str) -> Any:
    if not module.endswith(".py"):
        return importlib.import_module(module)
    spec = importlib.util.spec_from_file_location(Path(module).stem, module)
    if spec is None or spec.loader is None:
        raise ImportError(f"{module} is no Python file")
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


def seats_in(thing: Any) -> dict[str, Seat]:
    """Every tool in a thing, with what it declares and how it runs outside its graph; inner agents' tools too.

    Raises:
        MountError: It can't be put under a ladder.
        LadderError: It is nothing that has tools.
    """
    from langchain_core.tools import BaseTool
    from langgraph.graph import StateGraph
    from langgraph.graph.state import CompiledStateGraph
    from langgraph.prebuilt import ToolNode

    from ladder_graph.desk import Seat
    from ladder_graph.hosts.toolhost import outside
    from ladder_graph.ladder import Ladder
    from ladder_graph.tools import declaration_of

    if isinstance(thing, Ladder):
        return dict(thing.seats)
    if isinstance(thing, CompiledStateGraph | StateGraph):
        return _seats_of_graph(thing)
    if isinstance(thing, ToolNode):
        thing = list(thing.tools_by_name.values())
    tools = [thing] if isinstance(thing, BaseTool) else thing
    if isinstance(tools, list | tuple) and all(isinstance(tool, BaseTool) for tool in tools):
        return {tool.name: Seat(declaration_of(tool), can_ask=False, host=outside(tool)) for tool in tools}
    if callable(thing):
        return seats_in(_called(thing))
    raise LadderError(f"{type(thing).__name__!r} has no tools; name a graph, the ladder around it, or a list of tools")


def _called(factory: Any) -> Any:
    try:
        made = factory()
    except Exception as wrong:  # as in `load`
        raise LadderError(f"it could not be called: {type(wrong).__name__}: {wrong}") from wrong
    if callable(made) and not hasattr(made, "invoke") and not hasattr(made, "seats"):
        raise LadderError("it returned another function; name what makes the graph itself")
    return made


def _seats_of_graph(graph: Any) -> dict[str, Seat]:
    from ladder_graph.hosts.nodes import RungNode
    from ladder_graph.ladder import Ladder

    builder = getattr(graph, "builder", graph)
    for spec in builder.nodes.values():
        if isinstance(spec.runnable, RungNode):
            return dict(spec.runnable.mount.ladder.seats)
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


def tools_of(seats: Mapping[str, Seat]) -> dict[str, BaseTool | None]:
    """The tools themselves, by name; None for one that only its graph can run."""
    from ladder_graph.hosts.toolhost import DirectHost

    made = {name: seat.host() if seat.host else None for name, seat in sorted(seats.items())}
    return {name: host.tool if isinstance(host, DirectHost) else None for name, host in made.items()}
