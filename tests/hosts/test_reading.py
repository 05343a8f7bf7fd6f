"""Each argument as the tool's own code will read it: what a schema makes of it, where JSON has it as it is."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.tools import StructuredTool, tool
from langgraph.prebuilt import InjectedStore
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    Field,
    PlainSerializer,
    SecretStr,
    StringConstraints,
    create_model,
    model_validator,
)

from ladder_graph.calls import Call
from ladder_graph.hosts.fitting import fitted

Name = Annotated[str, StringConstraints(strip_whitespace=True)]


@tool
def by_store(name: Name, store: Annotated[Any, InjectedStore()]) -> str:
    """Write."""
    return f"{name} {store}"


class Item(BaseModel):
    """One of several."""

    name: Name
    day: dt.date | None = None


Aliased = create_model(
    "Aliased", name=(Name, Field(validation_alias=AliasChoices("name", "file_name", AliasPath("box", 0, "name"))))
)
Swapped = create_model("Swapped", x=(Name, Field(alias="y")), y=(Name, Field(alias="x")))
Twice = create_model("Twice", x=(Name, Field(validation_alias="name")), name=(str, ...))


class Renaming(BaseModel):
    """Takes another name than it has."""

    name: Name

    @model_validator(mode="before")
    @classmethod
    def known(cls, given):
        """Takes what it was given apart."""
        return {"name": given.pop("file")}


class Counting(BaseModel):
    """Sets what JSON has no form for."""

    name: str
    day: dt.date | None = None

    @model_validator(mode="after")
    def today(self):
        """Each has its day."""
        self.day = dt.date(2026, 12, 1)
        return self


def of(kind):
    """A schema of one argument."""
    return create_model("Of", value=(kind, ...))


def read(schema, given):
    """What the code of a tool, or of one of this schema, reads of arguments, by the host."""
    made = schema
    if isinstance(schema, type):
        made = StructuredTool(name="t", description="T.", args_schema=schema, func=lambda **_: "ran")
    found = fitted(made, Call("ops", "t", "c", "t", given), given, strict=False)
    return found if isinstance(found, str) else found.arguments


@pytest.mark.parametrize(
    ("kind", "given", "made"),
    [
        (Item, {"name": " a", "day": "2026-12-01"}, {"name": "a", "day": "2026-12-01"}),
        (list[Item], [{"name": " a"}, {"name": "b "}], [{"name": "a"}, {"name": "b"}]),
        (dict[str, Name], {"k": " a"}, {"k": "a"}),
        (dict[Name, Item], {" k": {"name": " a"}}, {"k": {"name": "a"}}),
        (dict[int, list[Name]], {"1": [" a"]}, {"1": ["a"]}),
        (dict[dt.date, Name], {"2026-12-01": " a"}, {"2026-12-01": "a"}),
        (tuple[Name, int], [" a", "4"], ["a", 4]),
        (set[Name], [" b", "a", "a "], ["a", "b"]),
        (set[dt.date], ["2026-12-01"], ["2026-12-01"]),
        (list[Path], ["a/"], ["a"]),
        (Name | None, " a", "a"),
        (Annotated[str | None, AfterValidator(lambda one: one or None)], "", None),
        (Annotated[list[str], AfterValidator(lambda some: some[:1])], ["a", "b"], ["a"]),
        (SecretStr, "abc", "abc"),
        (list[SecretStr], ["abc"], ["abc"]),
        (Annotated[Name, PlainSerializer(lambda _: "***")], " a", "a"),
        (dt.date, "2026-12-01", "2026-12-01"),
        (float, "nan", "nan"),
        (Aliased, {"file_name": " a"}, {"file_name": "a"}),
    ],
)
def test_each_value_is_what_the_schema_makes_of_it(kind, given, made):
    """Wherever it stands, and where JSON has it as it is; what it has no form for stays as it was given."""
    assert repr(read(of(kind), {"value": given})) == repr({"value": made})


@pytest.mark.parametrize(
    ("schema", "given", "made"),
    [
        (Aliased, {"name": " a"}, {"name": "a"}),
        (Aliased, {"file_name": " a"}, {"file_name": "a"}),
        (Aliased, {"box": [{"name": " a", "size": 1}]}, {"box": [{"name": "a", "size": 1}]}),
        (Swapped, {"x": " 1", "y": " 2"}, {"x": "1", "y": "2"}),
        (Renaming, {"file": " a"}, {"file": " a", "name": "a"}),
        (by_store, {"name": " a"}, {"name": "a"}),
    ],
)
def test_a_name_of_the_call_keeps_its_own_value(schema, given, made):
    """Whichever of its names a field is called by; and what was given is left as it is."""
    before = repr(given)
    assert read(schema, given) == made
    assert repr(given) == before


@pytest.mark.parametrize(
    ("schema", "given", "why"),
    [
        (Twice, {"name": " a"}, "a schema makes several things of name"),
        (Counting, {"name": "a"}, "JSON has no form for the date"),
        (of(Annotated[list[dt.date], AfterValidator(lambda some: some[:1])]), {"value": ["2026-12-01"] * 2}, "no form"),
        (of(Annotated[int, AfterValidator(lambda n: 1 // n)]), {"value": 0}, "ZeroDivisionError"),
    ],
)
def test_what_can_t_be_told_is_said(schema, given, why):
    """And no arguments come of it that the tool won't read."""
    assert why in read(schema, given)
