"""Functions by import path, so that another process can run what an undo artifact names.

An artifact holds `module:qualname` and no code. It may have been tampered with, so a name is only run if the program
itself said that the function is for this use: a `Declaration` was made with it, or it was marked with `registered`.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from importlib import import_module
from operator import attrgetter
from pathlib import Path
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


def code_of(function: Callable[..., Any]) -> str:
    """The source text of a function, or of a class; where it can't be read, its import path stands for it."""
    return _of_a_class(function) if isinstance(function, type) else _read(function)


# To find one, all of its file is read.
@functools.lru_cache(maxsize=512)
def _of_a_class(kind: type) -> str:
    return _read(kind)


def _read(function: Callable[..., Any]) -> str:
    plain = inspect.unwrap(function)
    try:
        return textwrap.dedent(inspect.getsource(plain))
    except (OSError, TypeError):
        return reference(plain)


_DEEP = 6
"""How far it is followed what a function holds."""


def make_of(part: object, deep: int = _DEEP) -> object:
    """What a function is made of, to be compared: its path and code, and what it holds, where that can be told.

    Of what it holds, other functions and plain values count. Places in the file system don't: another user, or another
    machine, has others. Nor does the code of what it calls by a name of its module.

    Args:
        part: The function, or what one holds.
        deep: How far it is followed.
    """
    match part:
        case _ if deep == 0:
            return type(part).__qualname__
        case str():
            return "" if Path(part).is_absolute() else part
        case None | bool() | int() | float() | bytes():
            return repr(part)
        case Mapping():
            return [[make_of(key, deep - 1), make_of(value, deep - 1)] for key, value in part.items()]
        case list() | tuple():
            return [make_of(one, deep - 1) for one in part]
        case AbstractSet():
            return sorted(repr(make_of(one, deep - 1)) for one in part)
        case functools.partial():
            return make_of([part.func, part.args, part.keywords], deep - 1)
        case _ if callable(part) and hasattr(part, "__qualname__"):
            held = (getattr(part, "__closure__", None), getattr(part, "__defaults__", None))
            cells = [_content(cell) for cell in held[0] or ()]
            return [reference(part), code_of(part), make_of(cells, deep - 1), make_of(held[1] or (), deep - 1)]
        case _:
            return type(part).__qualname__


def _content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # It is filled later.
        return None


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
