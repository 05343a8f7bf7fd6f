"""Sealed tools: copies that run exactly what was allowed, and nothing else.

A rung allows a call. Between it and the tool stand the agent's own middleware and whatever else the graph's author put
there, so right before the tool runs, the digest of what is about to run is worked out anew and held against the permit.
"""

from __future__ import annotations

import copy
import functools
import inspect
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any, NoReturn, Protocol, TypeVar, get_type_hints

from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool, Tool
from langchain_core.tools.base import _get_runnable_config_param
from langgraph.prebuilt import ToolNode, ToolRuntime
from langgraph.prebuilt.tool_node import ToolCallRequest, _get_all_injected_args
from pydantic import PrivateAttr

from ladder_graph.calls import digest_of_call
from ladder_graph.errors import ArgumentsError, MountError, NotPermitted
from ladder_graph.hosts.one_call import runs_here
from ladder_graph.hosts.permit import Attempt, Permit, attempting, current, entering

log = logging.getLogger("ladder_graph")

DOORS = ("invoke", "ainvoke", "run", "arun")
"""The ways into a tool, which LangChain's own classes lead through `run` and `arun` to `_run` and `_arun`."""

COPIES = 256
"""How many sealed copies of tools that turn up at run time are kept."""

Function = TypeVar("Function", bound=Callable[..., Any])

Given = str | dict[str, Any]
"""A tool's input: its arguments, or one text."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody calls a guarded tool, and has no permit for it."""

    tool: BaseTool
    """The guarded one."""
    seal: Seal
    given: Given
    options: Mapping[str, Any]
    """What comes with the arguments: callbacks, config, the tool call's id."""

    @property
    def call_id(self) -> str | None:
        """The id of the tool call, if it is one."""
        found = self.options.get("tool_call_id")
        return found if isinstance(found, str) else None

    @property
    def config(self) -> RunnableConfig:
        """The config it is called with."""
        found: RunnableConfig | None = self.options.get("config")
        return found or {}

    def proceed(self, arguments: Mapping[str, Any]) -> Any:
        """Run the tool on these arguments and the injected ones, once there is a permit."""
        return self.tool.run(self._whole(arguments), **self.options)

    async def aproceed(self, arguments: Mapping[str, Any]) -> Any:
        """As `proceed`."""
        return await self.tool.arun(self._whole(arguments), **self.options)

    def _whole(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        _, filled = self.seal.split(self.given if isinstance(self.given, dict) else {})
        return {**arguments, **filled}


class Gate(Protocol):
    """What becomes of a call that comes to a guarded tool without a permit."""

    def run(self, entry: Entry) -> Any:
        """Take the call through its life."""

    async def arun(self, entry: Entry) -> Any:
        """As `run`."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a sealed copy carries."""

    tool: BaseTool
    """The original."""
    injected: frozenset[str]
    """The arguments that LangGraph fills in, and no model."""
    gate: Gate | None = None
    """Where a call without a permit goes; None where it is refused."""

    def own(self, given: Mapping[str, Any], others: frozenset[str | None]) -> dict[str, Any]:
        """What a tool's own code is given, but for what was filled in.

        Args:
            given: By its names.
            others: The names of what comes from LangChain itself.
        """
        return {name: value for name, value in given.items() if name not in self.injected and name not in others}

    def split(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The model's arguments, and those that were filled in."""
        own = {name: value for name, value in given.items() if name not in self.injected}
        return own, {name: value for name, value in given.items() if name in self.injected}

    def __deepcopy__(self, memo: dict[int, Any]) -> Seal:
        return self  # What it leads to, a ledger among it, there is only once.

    def permitted(self, name: str, given: Given) -> Attempt | Gate:
        """The attempt that a permit allows, or the gate that the call must go through first.

        Args:
            name: The tool's name.
            given: What it is about to run with.

        Raises:
            NotPermitted: What is about to run isn't what was allowed, was run before, or was allowed by nobody.
        """
        permit = current()
        if self.gate is not None and (permit is None or permit.call.tool != name):
            return self.gate
        if permit is None:
            raise NotPermitted(
                f"{name} was called past its gate, and no rung has allowed it. Let the model call it, or guard it with "
                f"ladder.guard before it is handed to an agent that another tool runs"
            )
        try:
            self._compare(permit, name, given)
            return permit.begin()
        except NotPermitted as refusal:
            log.warning("%s", refusal)
            raise

    def _compare(self, permit: Permit, name: str, given: Given) -> None:
        allowed = permit.call
        if allowed.tool != name:
            permit.refuse(f"{allowed.tool} was allowed, and {name} was about to run in its place")
        if not isinstance(given, dict):
            permit.refuse(f"{name} was about to run on a bare text, in place of the arguments that were allowed")
        before, now = self.split(allowed.arguments)[0], self.split(given)[0]
        try:
            digest = digest_of_call(name, now)
        except ArgumentsError as wrong:
            permit.refuse(f"{name} was about to run with what can't be compared with what was allowed: {wrong}")
        whole = len(before) == len(allowed.arguments)
        if digest != (allowed.digest if whole else digest_of_call(name, before)):
            _rewritten(permit, before, now)


def _rewritten(permit: Permit, before: dict[str, Any], now: dict[str, Any]) -> NoReturn:
    absent = object()
    names = [name for name in {**before, **now} if before.get(name, absent) != now.get(name, absent)]
    permit.refuse(
        f"{permit.call.tool} was about to run with other arguments than those that were allowed"
        f"{': ' if names else ''}{', '.join(names)}. Whatever rewrites arguments must stand before the gate, so that "
        f"the rewritten ones are looked at, or be a default of the tool itself"
    )


def sealed(tool: BaseTool, gate: Gate | None = None) -> BaseTool:
    """A copy of a tool that runs only what a permit allows. The original is left as it is.

    Args:
        tool: The tool; one that is sealed already comes back as it is.
        gate: Where a call without a permit goes.

    Raises:
        MountError: The tool has ways in of its own, past which nothing can be checked.
    """
    if seal_of(tool) is not None:
        return tool
    kind = type(tool)
    if foreign := [door for door in DOORS if not getattr(kind, door).__module__.startswith("langchain_core.")]:
        raise MountError(
            f"the tool {tool.name} ({kind.__name__}) has a way in of its own ({', '.join(foreign)}), past which "
            f"nothing can be checked; put what it does into _run and _arun"
        )
    functions = ("func", "coroutine") if isinstance(tool, StructuredTool | Tool) else ()
    new: Any = tool.model_copy(update={name: _read_once(getattr(tool, name)) for name in functions})
    if not functions:
        # What its code keeps in its fields, or somebody sets later, as a new token, is the same for both; but not its
        # private attributes, nor where a model validates assignments, for which pydantic makes a new dict.
        object.__setattr__(new, "__dict__", tool.__dict__)
    # A pydantic model has no public way to become one of a subclass with all that it carries.
    object.__setattr__(new, "__class__", _sealed_kind(kind))
    new._seal = Seal(tool, filled_in(tool), gate)  # noqa: SLF001  # it is ours
    return new  # type: ignore[no-any-return]  # a BaseTool


def seal_of(tool: object) -> Seal | None:
    """The seal of a sealed copy; None where the tool isn't one."""
    private: Any = getattr(tool, "__pydantic_private__", None) or {}
    seal = private.get("_seal")
    return seal if isinstance(seal, Seal) else None


def filled_in(tool: BaseTool) -> frozenset[str]:
    """The arguments that a ToolNode or the tool itself fills in. Whatever a model puts there is dropped by both."""
    if (seal := seal_of(tool)) is not None:
        return seal.injected
    found = _get_all_injected_args(tool)
    filled = {*found.state, *found.all_injected_keys, *tool._injected_args_keys}  # noqa: SLF001  # no public way to tell
    return frozenset(filled | {name for name in (found.store, found.runtime) if name is not None})


@functools.cache
def _sealed_kind(kind: type[BaseTool]) -> type[BaseTool]:
    """The sealed subclass of a class of tools."""
    others = frozenset({"run_manager", _get_runnable_config_param(kind._run)})  # noqa: SLF001  # no public way to tell

    class Sealed(kind):  # type: ignore[misc, valid-type]  # a base that is known at run time only
        _seal: Seal = PrivateAttr()

        @functools.wraps(kind.run)
        def run(self, tool_input: Given, *rest: Any, **options: Any) -> Any:
            found = self._seal.permitted(self.name, tool_input)
            if not isinstance(found, Attempt):
                return found.run(Entry(self, self._seal, tool_input, _named(rest, options)))
            with attempting(found):
                return super().run(tool_input, *rest, **options)

        @functools.wraps(kind.arun)
        async def arun(self, tool_input: Given, *rest: Any, **options: Any) -> Any:
            found = self._seal.permitted(self.name, tool_input)
            if not isinstance(found, Attempt):
                return await found.arun(Entry(self, self._seal, tool_input, _named(rest, options)))
            with attempting(found):
                return await super().arun(tool_input, *rest, **options)

        @_wanting(kind._run)  # noqa: SLF001  # what each tool overrides
        def _run(self, *args: Any, **kwargs: Any) -> Any:
            if isinstance(self, StructuredTool) and self.func is None:
                return super()._run(*args, **kwargs)  # It only says that it is async.
            with entering(self.name, args, self._seal.own(kwargs, others)):
                return super()._run(*args, **kwargs)

        # The default one calls `_run`, and LangChain knows it by its identity.
        if kind._arun is not BaseTool._arun:  # noqa: SLF001  # as above

            @_wanting(kind._arun)  # noqa: SLF001  # as above
            async def _arun(self, *args: Any, **kwargs: Any) -> Any:
                with entering(self.name, args, self._seal.own(kwargs, others)):
                    return await super()._arun(*args, **kwargs)

    Sealed.__name__, Sealed.__qualname__, Sealed.__doc__ = kind.__name__, kind.__qualname__, kind.__doc__
    return Sealed


def _wanting(inner: Callable[..., Any]) -> Callable[[Function], Function]:
    """Make a function look like another one, with its annotations resolved once.

    LangChain reads a tool's signature and type hints before each call to see what else it wants, which takes longer
    than many a tool.
    """

    def like(function: Function) -> Function:
        functools.update_wrapper(function, inner)
        try:
            hints, signature = get_type_hints(inner, include_extras=True), inspect.signature(inner)
            wanted = signature.parameters.values()
            resolved = [one.replace(annotation=hints.get(one.name, one.annotation)) for one in wanted]
            function.__annotations__ = hints
            function.__signature__ = signature.replace(parameters=resolved)  # type: ignore[attr-defined]  # as any may have
        except Exception as unread:  # noqa: BLE001  # LangChain, too, goes on where it can't read a tool author's annotations
            log.debug("the annotations of %s can't be resolved: %s", inner.__qualname__, unread)
        return function

    return like


def _read_once(function: Any) -> Any:
    """The same code with its annotations resolved once; what is no plain function comes back as it is."""
    if type(function) is not FunctionType:
        return function
    new = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    new.__kwdefaults__ = function.__kwdefaults__
    _wanting(function)(new)
    return new if hasattr(new, "__signature__") else function


def _named(rest: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """The options of `run` by their names; four of them may also be given by position."""
    return dict(zip(("verbose", "start_color", "color", "callbacks"), rest, strict=False)) | options


def sealed_node(node: ToolNode) -> ToolNode:
    """A copy of a ToolNode whose tools are sealed, also those that its middleware hands it at run time."""
    new = copied_node(node)
    new.func = runs_here(new._func)  # noqa: SLF001  # there is no public way
    new._tools_by_name = {name: sealed(tool) for name, tool in node.tools_by_name.items()}  # noqa: SLF001  # it has no public setter
    wrap, awrap, seal = node._wrap_tool_call, node._awrap_tool_call, Sealer()  # noqa: SLF001  # no public way to tell
    if wrap is not None:
        new._wrap_tool_call = lambda request, run: wrap(request, lambda inner: run(seal(inner)))  # noqa: SLF001  # as above
    if awrap is not None:
        # What is handed to the inner `run` is awaited by whoever calls it.
        new._awrap_tool_call = lambda request, run: awrap(request, lambda inner: run(seal(inner)))  # noqa: SLF001  # as above
    return new


def copied_node(node: ToolNode) -> ToolNode:
    """A copy of a ToolNode that can be changed without touching the caller's."""
    new = copy.copy(node)
    # The copy's entry points are bound to the original, which would run the original tools.
    new.func, new.afunc = new._func, new._afunc  # noqa: SLF001  # there is no public way
    return new


class Sealer:
    """Seals what each request is about to run; middleware may have put in another tool than the agent's."""

    def __init__(self) -> None:
        self._copies: dict[int, tuple[BaseTool, BaseTool]] = {}

    def __call__(self, request: ToolCallRequest) -> ToolCallRequest:
        """The request with a sealed tool, which finds sealed ones beside it."""
        tool = request.tool
        runtime: ToolRuntime | None = request.runtime  # Outside of a graph there is none.
        if tool is not None and seal_of(tool) is None:
            request = request.override(tool=self._sealed(tool))
        if runtime is not None and any(seal_of(other) is None for other in runtime.tools):
            beside = [self._sealed(other) for other in runtime.tools]
            request = replace(request, runtime=replace(runtime, tools=beside))
        return request

    def _sealed(self, tool: BaseTool) -> BaseTool:
        # The original is kept beside its copy, so that its id isn't given to another tool.
        original, copied = self._copies.get(id(tool), (None, None))
        if original is tool and copied is not None:
            return copied
        if len(self._copies) >= COPIES:
            self._copies.clear()
        copied = sealed(tool)
        self._copies[id(tool)] = (tool, copied)
        return copied


def in_place(runnable: Runnable[Any, Any], node: ToolNode) -> Runnable[Any, Any]:
    """A node with another ToolNode in whatever config stands around it."""
    if isinstance(runnable, RunnableBinding):
        return runnable.model_copy(update={"bound": in_place(runnable.bound, node)})
    return node
