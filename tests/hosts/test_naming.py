"""Dotted names in bytecode, the same on each version of Python."""

# ruff: noqa: F821  # what the functions name is nowhere, and they are never called

from __future__ import annotations

import argparse
import ast
import asyncio.base_events
import dis
import inspect
import types
from typing import Any

import pytest

from ladder_graph.hosts.naming import names_of, steps_of


def dotted(x: Any) -> Any:
    """Two objects."""
    return app.settings["a"] + rec.agent.name(x)


def variables(x: Any) -> Any:
    """Through a variable, an entry and a result."""
    held = app.held
    return held.one, x.two, app.all[0].three, make().four


def inside(x: Any) -> Any:
    """In functions inside it."""
    return [app.one(each.two) for each in x], (lambda given: given.three + x.four)


def asked(x: Any) -> Any:
    """Asks about classes, and makes two of them."""
    try:
        return isinstance(x, (One, mod.Two)) or isinstance(Made(), One) or x is Three or pool(Handed)
    except Four:
        return None


def starred(x: Any) -> Any:
    """Called with what it unpacks, which compiles to something else."""
    return app.get(*x), Made(**x)


def written(x: Any) -> None:
    """Writes, deletes and adds."""
    app.one = x
    del app.two
    app.three += 1


def imports() -> Any:
    """Imports when it runs."""
    import os.path as place

    from a.b import c, d

    return place.join, c.e, d


def again(x: Any) -> Any:
    """Puts something else in its first argument's place."""
    x = x.one
    return x.two


def around(holder: Any) -> Any:
    """A function that closes over something."""

    def within(x: Any) -> Any:
        return holder.agent.invoke(x)

    return within


class Child:
    """Of a parent."""

    def ask(self, x: Any) -> Any:
        """Its own, and its parent's."""
        return self.agent.invoke(x), super().ask(x)


USED = {
    dotted: ({"app.settings", "rec.agent.name"}, set()),
    variables: ({"app.held", "app.all", "make"}, {"one", "three", "four"}),
    inside: ({"app.one"}, {"two", "three"}),
    asked: ({"isinstance", "Made", "pool", "Handed"}, set()),
    starred: ({"app.get", "Made"}, set()),
    written: ({"app"}, {"three"}),
    imports: ({"os.path", "a.b.c", "a.b.d"}, {"join", "e"}),
    again: (set(), {"one", "two"}),
    around(None): ({"holder.agent.invoke"}, set()),
    Child.ask: ({"self.agent.invoke", "super"}, {"ask"}),
}


@pytest.mark.parametrize("function", USED, ids=lambda one: one.__name__)
def test_each_attribute_belongs_to_what_it_is_read_from(function):
    """A dotted name goes as far as the code reads it at once; what is read from anything else is loose."""
    names = names_of(function.__code__)
    first = function.__code__.co_varnames[0] if function.__code__.co_argcount else ""
    used = {".".join((name, *chain)) for _, name, chain, use in names.paths if use == "used"}
    kept, loose = USED[function]
    assert {name for name in used if name.partition(".")[0] != first or function is Child.ask} - {"self"} == kept
    assert names.loose == loose


def test_what_is_asked_about_is_told_from_what_is_made():
    """Classes that are checked, compared with or caught are only asked about, and one of them is made besides."""
    names = names_of(asked.__code__)
    assert {".".join((name, *chain)) for _, name, chain, use in names.paths if use == "asked"} >= {
        "One",
        "mod.Two",
        "Three",
        "Four",
    }
    assert {path[1] for path in names_of(written.__code__).paths if path[3] == "written"} == {"app"}


def codes(code):
    """A code object and those in it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from codes(inner)


@pytest.mark.parametrize("module", [argparse, ast, asyncio.base_events, inspect], ids=lambda one: one.__name__)
def test_instructions_are_those_that_dis_tells(module):
    """What is read here, without lines and labels, is what Python's own module reads, on each version."""
    left_out = {"EXTENDED_ARG", "CACHE", "NOP", "RESUME", "COPY_FREE_VARS", "MAKE_CELL"}
    named = {*dis.hasname, *dis.haslocal, *dis.hasfree}
    for code in codes(compile(inspect.getsource(module), module.__name__, "exec")):
        told = [one for one in dis.get_instructions(code) if one.opname not in left_out]
        read = steps_of(code)
        assert [(one.opname, one.arg) for one in read] == [(one.opname, one.arg) for one in told]
        for mine, its in zip(read, told, strict=True):
            if its.opcode in named:
                assert mine.argval == its.argval
                assert mine.null == ("NULL" in its.argrepr) or its.opname == "LOAD_SUPER_ATTR"
