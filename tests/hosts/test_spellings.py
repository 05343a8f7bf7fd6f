"""A field that a tool's schema takes by several names: what a bound weighs is what the tool gets."""

from __future__ import annotations

import pytest
from langchain_core.tools import StructuredTool
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, alias_generators, model_validator
from pydantic.dataclasses import dataclass
from pydantic.v1 import BaseModel as OldModel
from pydantic.v1 import Field as OldField

from ladder_graph.calls import Call
from ladder_graph.hosts.fitting import complaint_about, fitted
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, ladder_of, on, told
from tests.hosts.mounts import MOUNTS

GOOD, EVIL = "ana@shop.example", "eve@evil.example"
BOUND = {"rung": "bounded", "bounds": [{"kind": "domain", "argument": "to", "domains": ["shop.example"]}]}


class Either(BaseModel):
    """Takes a field by its name and by an alias."""

    model_config = ConfigDict(populate_by_name=True)
    to: str = Field(alias="recipient")


class Choice(BaseModel):
    """Takes a field by either of two aliases."""

    to: str = Field(validation_alias=AliasChoices("recipient", "to"))


class Other(BaseModel):
    """Takes a field by its alias alone, and has a default for it."""

    to: str = Field("nobody@shop.example", alias="recipient")


class Path(BaseModel):
    """Takes a field out of a table."""

    to: str = Field(validation_alias=AliasChoices(AliasPath("recipient", "mail"), "to"))


class Made(BaseModel):
    """Takes each field by a name that is made of its own, and more besides."""

    model_config = ConfigDict(alias_generator=alias_generators.to_camel, populate_by_name=True, extra="allow")
    send_to: str


@dataclass
class Held:
    """A dataclass."""

    to: str = Field(alias="recipient")


class Inner(BaseModel):
    """Has such fields further in, and a table that is free."""

    listed: list[Either] = []
    held: Held | None = None
    free: dict[str, str] = {}


class Old(OldModel):
    """A schema of pydantic's first version."""

    to: str = OldField(alias="recipient")

    class Config:
        """Takes both names."""

        allow_population_by_field_name = True


def tool_of(schema, ran=None):
    """A tool with a schema."""

    def send(**given):
        (ran if ran is not None else []).append(given)
        return "sent"

    return StructuredTool.from_function(send, name="send", description="Send.", args_schema=schema)


@pytest.mark.parametrize("schema", [Either, Choice, Other])
@pytest.mark.parametrize("mount", MOUNTS)
def test_one_field_by_two_names_is_refused(mount, schema):
    """A bound would weigh the one and the tool get the other, so nothing runs, and the model is told how to go on."""
    ran = []
    agent = MOUNTS[mount](
        ladder_of({"send": BOUND}), [calls("send", {"to": GOOD, "recipient": EVIL}), "Done."], [tool_of(schema, ran)]
    )
    ((_, text),) = told(agent.invoke(GO, on()))
    assert text == (
        "REFUSED: send would leave to unread, since it takes that argument by another name. Nothing ran; call it again "
        "with each argument once, by the name in its schema."
    )
    assert ran == []


@pytest.mark.parametrize("mount", MOUNTS)
def test_a_bound_on_another_name_of_a_field_asks(mount):
    """The argument that it is about is missing, and a missing one is never inside."""
    ran = []
    ladder = ladder_of({"send": BOUND})
    agent = MOUNTS[mount](ladder, [calls("send", {"recipient": EVIL}), "Done."], [tool_of(Either, ran)])
    agent.invoke(GO, on())
    (question,) = ladder.pending()
    assert "to is missing" in question.reasons
    assert ran == []


class Plain(BaseModel):
    """Has no other names."""

    by: str


class Free(BaseModel):
    """Takes whatever else comes, and has a field of another name further in."""

    model_config = ConfigDict(extra="allow")
    inner: Either | None = None


class Chosen(BaseModel):
    """Is of one of two kinds."""

    one: Either | Plain


class Renamed(BaseModel):
    """Takes an old name in a validator of its own."""

    to: str = Field(alias="send_to")

    @model_validator(mode="before")
    @classmethod
    def old(cls, data):
        """The old name, as the new one."""
        return {**data, "send_to": data.get("send_to") or data.get("recipient")}


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        (Free, {"inner": {"recipient": GOOD}, "recipient": "a key of its own"}),
        (Inner, {"listed": [{"recipient": GOOD}], "recipient": "left out by everybody"}),
        (Chosen, {"one": {"by": "mail", "recipient": "left out of this kind"}}),
        (Renamed, {"recipient": GOOD}),
        (Either, {"to": GOOD}),
        (Either, {"recipient": GOOD}),
    ],
)
def test_what_is_no_second_name_is_let_be(schema, arguments):
    """A key that is no name of a field where it stands, or that was read after all."""
    assert complaint_about(tool_of(schema), arguments) is None


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        (Other, {"to": GOOD}),
        (Path, {"to": GOOD, "recipient": {"mail": EVIL}}),
        (Made, {"send_to": GOOD, "sendTo": EVIL}),
        (Inner, {"listed": [{"to": GOOD}, {"to": GOOD, "recipient": EVIL}]}),
        (Inner, {"held": {"to": GOOD, "recipient": EVIL}}),
        (Old, {"to": GOOD, "recipient": EVIL}),
    ],
)
def test_a_name_that_would_be_left_unread_is_refused(schema, arguments):
    """Also in tables within tables, by paths, by made names, and where only the alias is taken."""
    assert "unread, since it takes that argument by another name" in complaint_about(tool_of(schema), arguments)


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        (Either, {"to": GOOD}),
        (Either, {"recipient": GOOD, "colour": "red"}),
        (Choice, {"to": GOOD}),
        (Other, {"recipient": GOOD}),
        (Other, {}),
        (Path, {"recipient": {"mail": GOOD}}),
        (Made, {"sendTo": GOOD, "more": 1}),
        (Inner, {"listed": [{"to": GOOD}, {"recipient": GOOD}], "free": {"to": GOOD, "recipient": GOOD}}),
        (Old, {"to": GOOD}),
    ],
)
def test_a_field_by_one_of_its_names_is_taken(schema, arguments):
    """And so is what stands for no field: a model's odd argument, or a key of a free table."""
    assert complaint_about(tool_of(schema), arguments) is None


def test_a_person_may_use_each_name_alone():
    """Those that are no plain alias, too."""
    call = Call("ops", "t", "c", "send", {"to": GOOD})
    assert fitted(tool_of(Choice), call, {"recipient": GOOD}).arguments == {"recipient": GOOD}
    assert "would leave to unread" in fitted(tool_of(Choice), call, {"to": GOOD, "recipient": EVIL})
