"""Places in a policy, as pydantic's locations name them: their path, and what belongs there by the model."""

from __future__ import annotations

import types
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from ladder_graph.policy.lines import Keys


class Place(NamedTuple):
    """Where a mistake is: its path, the type that belongs there, and the keys known on its level."""

    path: Keys
    here: Any
    known: tuple[str, ...]


def follow(location: tuple[str | int, ...], model: type[BaseModel]) -> Place:
    """Walk a pydantic location through the model, leaving out the steps that are no keys: a union's members."""
    place = Place((), model, ())
    for step in location:
        here = place.here
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(str(step))
            place = Place((*place.path, step), bare(field.annotation if field else None), tuple(here.model_fields))
        elif get_origin(here) is dict:
            place = Place((*place.path, step), bare(get_args(here)[1]), ())
        elif get_origin(here) is tuple:
            place = Place((*place.path, step), bare(get_args(here)[0]), ())
        elif get_origin(here) in (Union, types.UnionType):
            member = next((m for m in get_args(here) if step in kinds(m)), None)
            place = place._replace(here=member)
    return place


def bare(annotation: Any) -> Any:
    """A type without its annotations, and without None beside it."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        return bare(members[0]) if len(members) == 1 else annotation
    return annotation


def kinds(annotation: Any) -> tuple[str, ...]:
    """The names of a union's members, or of one of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        kind = annotation.model_fields.get("kind")
        return (kind.default,) if kind else ()
    return tuple(name for member in get_args(annotation) for name in kinds(member))
