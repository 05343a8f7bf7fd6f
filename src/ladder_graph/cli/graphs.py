"""Loading what an option names by import path: a graph, a list of tools, a dict."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ladder_graph.errors import LadderError

if TYPE_CHECKING:
    from ladder_graph.inventory.finding import Known


def load(app: str, what: str = "graph", example: str = "shop.agent:graph") -> Any:
    """Import `module:name`, or `path/to/file.py:name`, with the working directory on the path.

    Args:
        app: What is to be imported.
        what: What it should be, in a word, for messages.
        example: How one is written.

    Raises:
        LadderError: It can't be imported, or the name isn't there.
    """
    module, _, name = app.rpartition(":")
    if not (module and name):
        raise LadderError(f'{app!r} names no {what}; write "module:name", as in "{example}"')
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


def made_by(app: str, function: Callable[[], Any], opened: ExitStack) -> tuple[Any, asyncio.AbstractEventLoop | None]:
    """What somebody's function makes; it may be async, and may be a context manager.

    Args:
        app: Its import path, for messages.
        function: It.
        opened: What was opened for it is closed with this.

    Returns:
        The thing, and the loop that it was made on, if it was.

    Raises:
        LadderError: It raised something.
    """
    try:
        made: Any = function()
        if isinstance(made, AbstractContextManager):
            made = opened.enter_context(made)
        if not (inspect.isawaitable(made) or isinstance(made, AbstractAsyncContextManager)):
            return made, None
        loop = _looping(opened)
        return asyncio.run_coroutine_threadsafe(_amade(made, opened, loop), loop).result(), loop
    except (Exception, SystemExit) as wrong:  # somebody's whole program; whatever it raises is said
        raise LadderError(f"{app} can't be made: {type(wrong).__name__}: {wrong}") from wrong


async def _amade(made: Any, opened: ExitStack, loop: asyncio.AbstractEventLoop) -> Any:
    found = await made if inspect.isawaitable(made) else made
    if not isinstance(found, AbstractAsyncContextManager) or hasattr(found, "get_state"):
        return found
    graph = await found.__aenter__()
    opened.callback(
        lambda: asyncio.run_coroutine_threadsafe(_left(found), loop).result(),
    )
    return graph


async def _left(manager: AbstractAsyncContextManager[Any]) -> None:
    await manager.__aexit__(None, None, None)


def _looping(opened: ExitStack) -> asyncio.AbstractEventLoop:
    """An event loop in a thread of its own, until everything is over."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="ladder-graph-loop", daemon=True)
    thread.start()

    def end() -> None:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    opened.callback(end)
    return loop


def known_at(app: str | None, servers: Iterable[str]) -> dict[str, Known]:
    """The tools that the options name, with everything that is said of them.

    Args:
        app: A graph, a ladder or a list of tools by import path.
        servers: MCP servers, by command or URL.

    Raises:
        LadderError: One can't be had, or two of them have a tool of one name.
    """
    if app is None and not servers:
        return {}
    from ladder_graph.inventory.finding import known_in
    from ladder_graph.inventory.servers import tools_of

    with ExitStack() as opened:
        known = {} if app is None else known_in(_made(app, opened))
    for server in servers:
        found = known_in(tools_of(server))
        if twice := sorted(known.keys() & found):
            raise LadderError(f"{', '.join(twice)}: more than one of what you named has it, so name only one of them")
        known |= found
    return known


def _made(app: str, opened: ExitStack) -> Any:
    from ladder_graph.inventory.finding import makes

    found = load(app)
    if not makes(found):
        return found
    made, _ = made_by(app, found, opened)
    if makes(made):
        raise LadderError(f"{app} returned another function; name what makes the graph itself")
    return made
