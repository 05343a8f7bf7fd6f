"""Functions by import path, so that another process can run what an undo artifact names.

An artifact holds `module:qualname` and no code. It may have been tampered with, so a name is only run if the program
itself said that the function is for this use: a `Declaration` was made with it, or it was marked with `registered`.
"""

from __future__ import annotations

import contextlib
import contextvars
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from operator import attrgetter
from typing import Any, Literal, TypeVar

from ladder_graph.errors import NotRegistered

Use = Literal["undo", "fingerprint", "engine", "send", "get", "set", "version"]
"""What a function may be run for: one that is registered for one use can't be named for another."""
F = TypeVar("F", bound=Callable[..., Any])

_registered: dict[tuple[str, str], Callable[..., Any]] = {}
_home: contextvars.ContextVar[str] = contextvars.ContextVar("ladder_home", default="")


def reference(function: Callable[..., Any]) -> str:
    """The import path of a function, `module:qualname`; of an object that can be called, that of its class.

    Example:
        >>> reference(str.upper), reference(contextlib.suppress)
        ('builtins:str.upper', 'contextlib:suppress')
    """
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{_module(function, named)}:{named.__qualname__}"


def _module(function: Callable[..., Any], named: Any) -> str:
    # A method of a built-in type has no module of its own.
    owner = getattr(function, "__objclass__", None)
    return str(getattr(named, "__module__", None) or getattr(owner, "__module__", "builtins"))


def unportable(function: Callable[..., Any]) -> str:
    """Why another process can't run this function, as a sentence; empty where it can.

    Example:
        >>> unportable(lambda kept: None)
        'a lambda has no name that another process could import; write a function at the top of a module'
    """
    name = getattr(function, "__qualname__", None)
    if name is None:
        return f"{type(function).__name__} is an object and no function at the top of a module"
    if name.endswith("<lambda>"):
        return "a lambda has no name that another process could import; write a function at the top of a module"
    if "<locals>" in name:
        return f"{name} is made inside another function; move it to the top of its module"
    instance = getattr(function, "__self__", None)
    if instance is not None and not isinstance(instance, type | type(sys)):
        return f"{name} is bound to an object that only this process has; write a function at the top of a module"
    return _out_of_reach(function)


def _out_of_reach(function: Callable[..., Any]) -> str:
    module, _, name = reference(function).partition(":")
    if module == "__main__":
        return f"{name} stands in the program that was started; move it to a module that another process can import"
    try:
        found = attrgetter(name)(sys.modules[module])
    except (KeyError, AttributeError):
        return f"{module}:{name} can't be found in its module"
    if found != function:
        return f"{module}:{name} is something else in its module"
    return "" if _importable(module) else f"{module} was loaded from a file and is not on the import path"


def _importable(module: str) -> bool:
    parent = module.rpartition(".")[0]
    path = getattr(sys.modules.get(parent), "__path__", None) if parent else None
    return any(finder.find_spec(module, path) is not None for finder in sys.meta_path)


def register(use: Use, function: Callable[..., Any]) -> str:
    """Let artifacts name a function for this use.

    Returns:
        Its reference.
    """
    named = reference(function)
    if "<" not in named:
        _registered[use, named] = function
    return named


def registered(use: Use) -> Callable[[F], F]:
    """Say that artifacts may name the function below for this use.

    It is needed only where no `Declaration` with the function is made in its own module or in the tool's.

    Args:
        use: `"undo"` or `"fingerprint"` of a declaration, or what an adapter calls: `"engine"` of `sql_rows`, `"send"`
            of an outbox, `"get"`, `"set"` or `"version"` of a flag.

    Example:
        >>> @registered("undo")
        ... def put_back(kept): ...
    """

    def mark(function: F) -> F:
        register(use, function)
        return function

    return mark


@contextlib.contextmanager
def at_home(module: str) -> Iterator[None]:
    """While an artifact is worked on: the module whose import makes the tool's declaration."""
    token = _home.set(module)
    try:
        yield
    finally:
        _home.reset(token)


def resolve(use: Use, named: str) -> Callable[..., Any]:
    """The function of an import path, importing its module where that is needed.

    Raises:
        NotRegistered: There is no such function, or none that was registered for this use.
    """
    module, _, name = named.partition(":")
    if not module or not name:
        raise NotRegistered(f"{named!r} is no import path; expected module:function")
    for place in (module, _home.get()):
        if (use, named) in _registered:
            break
        if place and place != "__main__":
            _load(place, named)
    found = _registered.get((use, named))
    if found is None:
        raise NotRegistered(
            f"{named} was not registered as {use}, so it isn't run; mark it with @registered({use!r}), or make its "
            f"Declaration in the same module"
        )
    return found


def _load(module: str, named: str) -> None:
    try:
        import_module(module)
    except (Exception, SystemExit) as wrong:
        raise NotRegistered(f"{named}: {module} can't be imported ({type(wrong).__name__}: {wrong})") from wrong
