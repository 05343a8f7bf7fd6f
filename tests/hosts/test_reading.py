"""Each argument as the tool's own code will read it: what a schema makes of it, where JSON has it as it is."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import hashlib
import logging
import os
import re
import uuid
from pathlib import Path
from typing import Annotated, Any, Literal, NewType

import pytest
from langchain_core.tools import InjectedToolArg, InjectedToolCallId, StructuredTool, tool
from langgraph.prebuilt import InjectedState, InjectedStore
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
    model_serializer,
    model_validator,
)
from pydantic.v1 import BaseModel as OldModel
from pydantic.v1 import Field as OldField
from pydantic.v1 import constr
from pydantic.v1 import create_model as create_old_model
from pydantic.v1 import root_validator as old_root_validator
from pydantic.v1 import validator as old_validator
from typing_extensions import TypeAliasType, TypedDict

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


class Old(OldModel):
    """Of pydantic's first version."""

    name: constr(strip_whitespace=True) = OldField(alias="file")
    size: int = 1
    call: Annotated[str, InjectedToolCallId]
    hidden: str = OldField("", exclude=True)

    class Config:
        """Takes either name, and whatever else comes."""

        allow_population_by_field_name = True
        extra = "allow"

    @old_validator("name")
    @classmethod
    def whole(cls, name):
        """With its suffix."""
        return f"{name}.toml"


class OldWithin(OldModel):
    """Holds others."""

    some: list[Old]


class Unhanded(BaseModel):
    """Keeps a field from the tool."""

    name: str
    note: str = Field(exclude=True, alias="remark")
    state: Annotated[dict, InjectedState]


class Chosen(BaseModel):
    """Dumps less than it has."""

    name: str
    note: str

    @model_serializer
    def short(self):
        """The name alone."""
        return {"name": self.name}


class Filled(BaseModel):
    """Has what the graph fills in, of each kind."""

    name: str
    call: Annotated[str, InjectedToolCallId]
    state: Annotated[dict, InjectedState]
    user: Annotated[str, InjectedToolArg] = "shared"


def swallowed(look):
    """Whatever comes of it."""
    with contextlib.suppress(Exception):
        look()


LOOKS = {
    "format": lambda made: f"{made.state}",
    "str": lambda made: str(made.state),
    "repr": lambda made: f"{made.state!r}",
    "percent": lambda made: "%s" % made.state,  # noqa: UP031  # this is the way
    "path": lambda made: Path(made.state),
    "join": lambda made: os.path.join("a", made.state),  # noqa: PTH118  # this is the way
    "unlike": lambda made: made.state != "a",
    "within": lambda made: made.state in {"a", "b"},
    "sum": lambda made: "a" + made.state,
    "merged": lambda made: {**made.state},
    "attributes": lambda made: vars(made.state),
    "swallowed": lambda made: swallowed(lambda: made.state["user"]),
    "copied": lambda made: copy.deepcopy(made).state["user"],
    "kind": lambda made: made.state["user"] if isinstance(made.state, dict) else "",
    "put elsewhere": lambda made: made.state,
    "put within": lambda made: [made.state],
    "id": lambda made: made.call,
    "id in a text": lambda made: f"{made.name}-{made.call}",
    "text by its kind": lambda made: made.call[:9] if isinstance(made.call, str) else "",
    "default": lambda made: f"{made.user}/{made.name}",
    "chance": lambda made: f"{made.name}-{uuid.uuid4().hex}",
}
"""How a validator looks at what only the graph fills in, or at what nobody has given."""


def looking(look):
    """A schema whose validator does so, and makes a name of it."""

    class Made(Filled):
        @model_validator(mode="after")
        def whole(self):
            found = look(self)
            self.name = self.name if found is None else found
            return self

    return Made


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_what_does_not_go_by_the_arguments_alone_is_not_told(look):
    """However a validator looks at what isn't there yet, and also where it takes that for a mistake like any other."""
    assert re.search(
        r"looks at what only the graph|doesn't go by the arguments alone", str(read(looking(look), {"name": "a"}))
    )


@pytest.mark.parametrize(
    "look",
    [lambda made: copy.deepcopy(made).name, lambda made: made.state is None or None, lambda made: None],
    ids=["copied", "is there", "nothing"],
)
def test_what_is_only_handed_around_is_no_hindrance(look):
    """Nothing is seen of it. And what a model gives in such a place isn't what the code reads."""
    made = read(looking(lambda made: look(made) or None), {"name": "a", "user": "bo", "call": "7"})
    assert made == {"name": "a"}


@pytest.mark.parametrize("mode", ["before", "after"])
def test_what_is_only_logged_is_no_hindrance(mode, caplog, capsys):
    """A text of all that a validator is given, whoever writes it down."""

    class Made(BaseModel):
        name: Name
        state: Annotated[dict, InjectedState]

        @model_validator(mode=mode)
        def seen(self):
            logging.getLogger("app").debug("given %s", self)
            print(self)
            return self

    with caplog.at_level("DEBUG", "app"):
        assert read(Made, {"name": " a"}) == {"name": "a"}
    assert all("what the graph fills in" in text for text in (caplog.text, capsys.readouterr().out))


@pytest.mark.parametrize(
    "form", [str, repr, "{}".format, lambda given: hashlib.sha256(repr(given).encode()).hexdigest()]
)
def test_what_is_logged_is_not_told_in_an_argument(form):
    """It comes out otherwise each time."""

    class Made(BaseModel):
        name: Name
        state: Annotated[dict, InjectedState]

        @model_validator(mode="before")
        @classmethod
        def whole(cls, given):
            return {**given, "name": form(given)}

    assert "a validator doesn't go by the arguments alone" in read(Made, {"name": "a"})


User = NewType("User", str)


class State(TypedDict):
    """A graph's."""

    user: str


KINDS = {
    "text or nothing": (str | None, str),
    "number or text": (int | str, str),
    "within others": (Annotated[str, Field(max_length=99)] | int | None, str),
    "new type": (User, str),
    "new type or nothing": (User | None, str),
    "literal": (Literal["a", 1], int),
    "alias": (TypeAliasType("Who", str | None), str),
    "anything": (Any, str),
    "any mapping": (object, dict),
    "typed mapping or nothing": (State | None, dict),
    "list or text": (list[str] | str, list),
    "nothing": (str | None, type(None)),
}
"""What the graph fills in, as a schema says it, and what a validator takes it for."""


def owned(made, taken):
    """The name of one's own that a validator makes where it takes what the graph fills in for such."""
    return (
        f"{made['name']}-{made['who'] if taken is str else 'own'}" if isinstance(made["who"], taken) else made["name"]
    )


@pytest.mark.parametrize(("said", "taken"), KINDS.values(), ids=KINDS)
def test_what_a_validator_makes_of_one_kind_is_not_told(said, taken):
    """Whatever else the schema leaves open of what the graph fills in."""

    class Made(BaseModel):
        name: str
        who: Annotated[said, InjectedToolCallId]

        @model_validator(mode="after")
        def own(self):
            self.name = owned(vars(self), taken)
            return self

    assert "a validator doesn't go by the arguments alone" in read(Made, {"name": "a"})


@pytest.mark.parametrize("said", ["text or nothing", "new type or nothing", "nothing"])
def test_nor_is_it_in_pydantic_s_first_version(said):
    """It keeps in another place that a field may have nothing."""
    kind, taken = KINDS[said]
    own = old_root_validator(allow_reuse=True)(lambda _, made: {**made, "name": owned(made, taken)})
    fields = {"name": (str, ...), "who": (Annotated[kind, InjectedToolCallId], ...)}
    made = create_old_model("Made", __validators__={"own": own}, **fields)
    assert "a validator doesn't go by the arguments alone" in read(made, {"name": "a"})


def test_a_call_that_is_refused_without_what_the_graph_fills_in_is_told():
    """It wouldn't run then; with it, the arguments are the same."""

    class Made(BaseModel):
        name: Name
        who: Annotated[str | None, InjectedToolArg] = None

        @model_validator(mode="after")
        def known(self):
            if self.who is None:
                raise ValueError("who is it?")
            return self

    assert read(Made, {"name": " a"}) == {"name": "a"}


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
        (Old, {"file": " a", "size": "4"}, {"file": "a.toml", "size": 4}),
        (Old, {"name": "a", "hidden": "x", "more": 1}, {"name": "a.toml", "more": 1}),
        (OldWithin, {"some": [{"file": " a", "call": "7"}]}, {"some": [{"file": "a.toml", "call": "7"}]}),
        (Unhanded, {"name": "a", "remark": "x"}, {"name": "a"}),
        (Chosen, {"name": "a", "note": "x"}, {"name": "a"}),
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
