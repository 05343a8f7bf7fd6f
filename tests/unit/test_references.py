"""Which functions another process can run."""

from __future__ import annotations

import functools
import sys
import types

import pytest

from ladder_graph.references import make_of, reference, registered, resolve, unportable


def at_the_top(kept):
    """Can be imported."""


def wrapped():
    """Make a function that nobody can import."""

    def inside(kept):
        """Can't."""

    return inside


class Shelf:
    """Has methods of each kind."""

    def put_back(self, kept):
        """Needs an object."""

    @classmethod
    def of_class(cls, kept):
        """Needs none."""

    @staticmethod
    def of_none(kept):
        """The same."""

    def __call__(self, kept):
        """Needs one, too."""


@pytest.mark.parametrize("function", [at_the_top, Shelf.of_class, Shelf.of_none, str.upper, len])
def test_functions_within_reach(function):
    """They stand in a module, by a name that leads to them."""
    assert unportable(function) == ""


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda kept: None, "a lambda has no name"),
        (wrapped(), "is made inside another function"),
        (Shelf().put_back, "is bound to an object"),
        (Shelf(), "Shelf is an object and no function"),
        (functools.partial(at_the_top, 1), "partial is an object and no function"),
    ],
)
def test_functions_out_of_reach(function, why):
    """The reason says what to do."""
    assert why in unportable(function)


def test_names_that_lead_elsewhere(monkeypatch):
    """A function that its module doesn't have, one that was replaced, and the program that was started."""

    def one(kept): ...  # fmt: skip

    one.__module__, one.__qualname__ = __name__, "missing"
    assert "can't be found" in unportable(one)
    one.__qualname__ = "at_the_top"
    assert "is something else" in unportable(one)
    one.__module__ = "__main__"
    assert "stands in the program that was started" in unportable(one)


def test_a_module_that_no_other_process_finds(monkeypatch):
    """It was loaded from a file by hand."""
    module = types.ModuleType("loaded_by_hand")

    def undo(kept): ...  # fmt: skip

    undo.__module__, undo.__qualname__ = "loaded_by_hand", "undo"
    module.undo = undo
    monkeypatch.setitem(sys.modules, "loaded_by_hand", module)
    assert "not on the import path" in unportable(module.undo)


def test_a_function_is_known_for_one_use():
    """Another use is refused."""
    marked = registered("get")(at_the_top)
    assert resolve("get", reference(marked)) is at_the_top
    with pytest.raises(Exception, match="was not registered as set"):
        resolve("set", reference(marked))


def holding(thing, default=1):
    """Make a function that holds something."""

    def held(kept, more=default):
        """Uses it."""
        return thing, more

    return held


@pytest.mark.parametrize(
    "thing", [1, "rows", {"key": ["id"]}, {"a", "b"}, at_the_top, functools.partial(at_the_top, 1), Shelf().put_back]
)
def test_what_a_function_is_made_of_counts(thing):
    """Its code and what it holds tell it from others; the same made again is the same."""
    made = make_of(holding(thing))
    assert made == make_of(holding(thing))
    assert made != make_of(holding("else"))
    assert made != make_of(holding(thing, default=2))
    assert make_of(functools.partial(at_the_top, thing)) != make_of(functools.partial(at_the_top, "else"))


@pytest.mark.parametrize("things", [("/srv/a", "/srv/b"), (object(), object()), (Shelf(), Shelf())])
def test_a_place_and_an_object_are_no_part_of_a_function(things):
    """Another machine has other places, and an object can't be told from one like it."""
    assert make_of(holding(things[0])) == make_of(holding(things[1]))


def test_a_function_that_holds_itself_has_an_end():
    """It is followed so far and no further."""
    ring = []
    ring.append(ring)
    assert make_of(holding(ring)) == make_of(holding(ring))
