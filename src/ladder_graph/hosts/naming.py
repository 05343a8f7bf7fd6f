"""What code names, by its bytecode: dotted names, imports, and the attributes of what it holds in variables."""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Root = Literal["global", "free", "first", "module"]
"""What a dotted name begins with: `first` is a function's first argument, which is known where it is a method."""

Use = Literal["used", "asked", "written"]
"""What becomes of it. A class that is only asked about (by `isinstance`, `except`, `is`) isn't made there."""

Path = tuple[Root, str, tuple[str, ...], Use]
"""A dotted name, as `("global", "app", ("clerk", "ask"), "used")`."""


@dataclass(frozen=True, slots=True)
class Names:
    """What code names, in functions inside it too."""

    globals: frozenset[str]
    attributes: frozenset[str]
    """Of anything."""
    paths: tuple[Path, ...]
    loose: frozenset[str]
    """Attributes of what no path leads to: of variables, of entries, of what a call returned."""
    given: frozenset[str]
    """Those, and attributes of the first argument."""


@dataclass(slots=True)
class _Reading:
    """What was read of one code object so far."""

    globals: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    paths: dict[Path, None] = field(default_factory=dict)
    loose: set[str] = field(default_factory=set)


@functools.lru_cache(maxsize=8192)
def names_of(code: types.CodeType) -> Names:
    """What code names; it never changes, so it is read once.

    Args:
        code: The code of a function.
    """
    steps = steps_of(code)
    read, first = _Reading(), _first_of(code, steps)
    asked = set() if _CHECKS.isdisjoint(code.co_names) else set(_asked(steps))
    at = 0
    while at < len(steps):
        at = _read_at(at, steps, read, code, first, asked)
    if "getattr" in read.globals:
        read.loose |= {one for one in code.co_consts if isinstance(one, str)}
        read.attributes |= read.loose
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            _take(names_of(inner), read, code, first)
    given = read.loose.union(*(chain for root, _, chain, _ in read.paths if root == "first"))
    return Names(
        frozenset(read.globals), frozenset(read.attributes), tuple(read.paths), frozenset(read.loose), frozenset(given)
    )


class Step(NamedTuple):
    """An instruction."""

    opcode: int
    opname: str
    arg: int | None
    argval: Any
    """The name or names in it, and the constant."""
    null: bool
    """It puts a NULL on the stack, for a call."""


def steps_of(code: types.CodeType) -> list[Step]:
    """The instructions of code that matter here, as `dis` has them, which also works out lines and labels.

    Args:
        code: The code of a function.
    """
    variables = tuple(dict.fromkeys((*code.co_varnames, *code.co_cellvars))) + code.co_freevars
    names, steps, extended = code.co_names, list[Step](), 0
    raw = code.co_code
    for op, given in zip(raw[::2], raw[1::2], strict=True):
        if op in _SILENT:
            extended = (extended | given) << 8 if op == _EXTENDED else extended
            continue
        arg, extended = extended | given, 0
        argval: Any = None
        null = False
        if op in _NAMES:
            argval, null = names[arg >> _SHIFTS.get(op, 0)], op in _FLAGGED and bool(arg & 1)
        elif op in _PAIRS:
            argval = (variables[arg >> 4], variables[arg & 15])
        elif op in _VARIABLES:
            argval = variables[arg]
        elif op in dis.hasconst:
            argval = code.co_consts[arg]
        steps.append(Step(op, dis.opname[op], arg if op in _ARGUED else None, argval, null))
    return steps


def _ops(*names: str) -> frozenset[int]:
    return frozenset(dis.opmap[name] for name in names if name in dis.opmap)


_EXTENDED = dis.opmap["EXTENDED_ARG"]
_SILENT = _ops("EXTENDED_ARG", "CACHE", "NOP", "RESUME", "COPY_FREE_VARS", "MAKE_CELL")
_NAMES = frozenset(dis.hasname)
_ARGUED = frozenset(getattr(dis, "hasarg", range(dis.HAVE_ARGUMENT, 256)))
_PAIRS = _ops(*(name for name in dis.opmap if "_FAST_" in name and "_FAST" in name.replace("_FAST_", "", 1)))
_VARIABLES = frozenset((*dis.haslocal, *dis.hasfree))
_FLAGGED = _ops("LOAD_GLOBAL", *(("LOAD_ATTR",) if sys.version_info >= (3, 12) else ()))
_SHIFTS = {**dict.fromkeys(_FLAGGED, 1), **dict.fromkeys(_ops("LOAD_SUPER_ATTR"), 2)}
"""How many of the argument's lowest bits are flags."""

_LOADS: dict[str, Root] = {
    "LOAD_GLOBAL": "global", "LOAD_NAME": "global", "LOAD_FROM_DICT_OR_GLOBALS": "global", "LOAD_DEREF": "free",
    "LOAD_CLASSDEREF": "free", "LOAD_FROM_DICT_OR_DEREF": "free", "LOAD_FAST": "first", "LOAD_FAST_CHECK": "first",
    "LOAD_FAST_AND_CLEAR": "first", "LOAD_FAST_LOAD_FAST": "first", "STORE_FAST_LOAD_FAST": "first",
    "LOAD_FAST_BORROW": "first", "LOAD_FAST_BORROW_LOAD_FAST_BORROW": "first",
}  # fmt: skip
"""What puts a variable on the stack. Of two variables, it is the second one whose attribute may follow."""

_READS = frozenset({"LOAD_ATTR", "LOAD_METHOD"})

_WRITES = frozenset({"STORE_ATTR", "DELETE_ATTR"})

_ASKING = frozenset({"CHECK_EXC_MATCH", "IS_OP", "MATCH_CLASS"})

_STORES = frozenset({"STORE_FAST", "STORE_DEREF", "STORE_FAST_STORE_FAST", "STORE_FAST_LOAD_FAST"})

_CHECKS = frozenset({"isinstance", "issubclass", "cast"})


def _read_at(
    at: int, steps: list[Step], read: _Reading, code: types.CodeType, first: str | None, asked: set[int]
) -> int:
    """Read the instruction at a place, with the attributes that follow; gives the place after them."""
    step = steps[at]
    if step.opname == "IMPORT_NAME":
        return _read_import(at, steps, read)
    if step.opname not in _LOADS:
        if step.opcode in _NAMES and step.opname not in {"IMPORT_FROM", *_WRITES}:
            read.attributes.add(str(step.argval))
            read.loose.add(str(step.argval))
        return at + 1
    end = at + 1
    while end < len(steps) and steps[end].opname in _READS:
        end += 1
    chain = tuple(str(one.argval) for one in steps[at + 1 : end])
    read.attributes.update(chain)
    *others, name = step.argval if isinstance(step.argval, tuple) else (step.argval,)
    if first in others and step.opname != "STORE_FAST_LOAD_FAST":
        read.paths["first", str(first), (), "used"] = None
    if step.opname == "LOAD_NAME":
        read.loose.update(chain)  # In a class's body it may be one of its own.
    _add(read, code, first, (_LOADS[step.opname], str(name), chain, _use(at, end, steps, asked)))
    return end


def _add(read: _Reading, code: types.CodeType, first: str | None, path: Path) -> None:
    """Take down a dotted name; those of a variable that may be anything leave their attributes."""
    root, name, chain, use = path
    if root == "global":
        read.globals.add(name)
    elif name == "__class__":
        return  # Loaded for `super`, which makes none.
    elif root in {"free", "first"}:
        if name == first:
            path = ("first", name, chain, use)
        elif root == "first" or name not in code.co_freevars:
            read.loose.update(chain)
            return
    read.paths[path] = None


def _use(at: int, end: int, steps: list[Step], asked: set[int]) -> Use:
    last, after = steps[end - 1], steps[end].opname if end < len(steps) else ""
    if after in _WRITES:
        return "written"
    # It is called inside of what is asked: flags of the name itself, or a PUSH_NULL whose place differs by version.
    if last.opname == "LOAD_METHOD" or last.null or "PUSH_NULL" in {steps[at - 1].opname, after}:
        return "used"
    while after == "LOAD_CONST" and end + 1 < len(steps):
        end, after = end + 1, steps[end + 1].opname
    return "asked" if at in asked or after in _ASKING else "used"


def _asked(steps: list[Step]) -> Iterator[int]:
    """The places of what is handed to `isinstance` and the like, which make nothing of it."""
    for at, step in enumerate(steps):
        if step.opname != "LOAD_GLOBAL" or step.argval not in _CHECKS:
            continue
        depth = dis.stack_effect(step.opcode, step.arg)
        for end in range(at + 1, len(steps)):
            depth += dis.stack_effect(steps[end].opcode, steps[end].arg, jump=False)
            if depth <= 1:  # Its result stands in its place.
                yield from range(at + 1, end)
                break


def _read_import(at: int, steps: list[Step], read: _Reading) -> int:
    module, wanted = str(steps[at].argval), steps[at - 1].argval if at else None
    names = wanted if isinstance(wanted, tuple) else ()
    read.attributes.update(names)
    for chain in ((str(name),) for name in names):
        read.paths["module", module, chain, "used"] = None
    if not names:
        read.paths["module", module, (), "used"] = None
    return at + 1


def _take(inner: Names, read: _Reading, code: types.CodeType, first: str | None) -> None:
    """What a function inside names, whose arguments are nobody's, and whose free variables are those around it."""
    read.globals |= inner.globals
    read.attributes |= inner.attributes
    read.loose |= inner.loose
    for path in inner.paths:
        if path[0] == "first":
            read.loose.update(path[2])
        else:
            _add(read, code, first, path)


def _first_of(code: types.CodeType, steps: Iterable[Step]) -> str | None:
    """The name of the first argument, as long as nothing else is put there."""
    if not code.co_argcount:
        return None
    name = code.co_varnames[0]
    for step in steps:
        if step.opname in _STORES:
            stored = step.argval if isinstance(step.argval, tuple) else (step.argval,)
            if name in (stored[:1] if step.opname == "STORE_FAST_LOAD_FAST" else stored):
                return None
    return name
