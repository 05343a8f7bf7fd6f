"""Frozen dataclasses with some fields changed, as the gate has several at each call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, cast

T = TypeVar("T")


def altered(one: T, **changes: Any) -> T:
    """As `dataclasses.replace`, which looks at each field anew and costs several times as much.

    Args:
        one: An instance of a dataclass that has two fields or more, and takes all of them.
        changes: What is otherwise, by field.
    """
    kind: Any = type(one)
    names, values = _fields(kind)
    return cast("T", kind(**{**dict(zip(names, values(one), strict=True)), **changes}))


@cache
def _fields(kind: type) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    names = tuple(field.name for field in fields(kind))
    return names, attrgetter(*names)
