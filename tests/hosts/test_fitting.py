"""Which version of a tool this is, and whether a person's arguments fit it."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import Annotated

import pytest
from langchain_core.tools import BaseTool, StructuredTool, tool
from langgraph.prebuilt import InjectedState
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from ladder_graph.calls import Call
from ladder_graph.hosts.fitting import complaint_about, fitted, version_of
from ladder_graph.hosts.sealing import sealed
from ladder_graph.waiting import promptly

CODE = '''
from langchain_core.tools import tool

@tool
def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"
'''


@pytest.fixture
def version(tmp_path):
    """The version of a tool whose module holds this code."""
    made = iter(range(100))

    def of(code):
        path = tmp_path / f"release_{next(made)}.py"
        path.write_text(code)
        spec = importlib.util.spec_from_file_location("release", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return version_of(module.pay)

    return of


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("paid {amount}", "pays {amount}"),
        ("amount: int", "amount: float"),
        ("Pay.", "Pay it."),
        ("def pay", "def  pay"),
    ],
)
def test_its_code_and_its_schema_make_the_version(version, old, new):
    """Another line of code or another schema is another version; the same file again is the same one."""
    assert version(CODE) == version(CODE)
    assert version(CODE.replace(old, new)) != version(CODE)


def test_code_elsewhere_in_the_file_does_not_count(version):
    """Only the tool's own code does."""
    assert version(CODE + "\nother = 1\n") == version(CODE)


def test_every_kind_of_tool_has_a_version():
    """Classes, plain functions and those without source; a sealed copy has its original's."""

    class Wipe(BaseTool):
        name: str = "wipe"
        description: str = "Wipe."

        def _run(self, disk: str) -> str:
            return disk

    def pay(amount: int, memo: str = "") -> str:
        """Pay."""
        return f"{amount} {memo}"

    space = {}
    exec('def pay(amount: int, memo: str = "") -> str:\n    "Pay."\n    return ""', space)  # noqa: S102  # has no source
    tools = [
        Wipe(), tool(pay), StructuredTool.from_function(space["pay"], name="pay"),
        StructuredTool.from_function(pay, name="pay", args_schema={"type": "object", "properties": {}}),
    ]  # fmt: skip
    assert len({version_of(one) for one in tools}) == len(tools)
    assert [version_of(sealed(one)) for one in tools] == [version_of(one) for one in tools]


class Payment(BaseModel):
    """A schema with a validator of its own."""

    amount: int = Field(alias="sum")
    memo: str = ""
    tags: list[str] = []

    @field_validator("amount")
    @classmethod
    def _positive(cls, amount: int) -> int:
        if amount <= 0:
            raise ValueError("must be positive")
        return amount


@tool(args_schema=Payment)
def pay(amount: int, memo: str = "", tags: list[str] | None = None) -> str:
    """Pay."""
    return f"{amount} {memo} {tags}"


@tool
def note(text: str, state: Annotated[dict, InjectedState]) -> str:
    """Note."""
    return f"{text} {state}"


def fit(of, **arguments):
    """What becomes of arguments that a person puts in."""
    name = of.name if of else "unknown"
    found = fitted(of, Call("ops", "t", "c", name, {}), arguments)
    return found if isinstance(found, str) else found.arguments


def test_arguments_are_typed_and_validated():
    """Plain values become what the schema makes of them; the author's own validators count."""
    assert fit(pay, sum="4", tags=["a"]) == {"sum": 4, "tags": ["a"]}
    assert "must be positive" in fit(pay, sum=0)
    assert "has no argument colour; it has" in fit(pay, sum=1, colour="red")


def test_what_the_graph_fills_in_is_nobodys():
    """An injected argument can't be put in by a person, and its absence is no mistake of theirs."""
    assert fit(note, text="x") == {"text": "x"}
    assert "no argument state" in fit(note, text="x", state={"admin": True})


@tool
def remove(names: list[Annotated[str, AfterValidator("/srv/{}".format)]], below: Path) -> str:
    """Remove."""
    return f"{names} {below}"


def test_what_is_no_plain_value_goes_through_the_schema_once():
    """The tool's own run takes an edited list and a path through it; here they are only looked at."""
    assert fit(remove, names=["a"], below="b/") == {"names": ["a"], "below": "b/"}
    assert remove.invoke(fit(remove, names=["a"], below="b/")) == "['/srv/a'] b"


def test_a_schema_that_takes_more_takes_more():
    """Where the tool's own schema allows other arguments, so does an edit."""

    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")

    @tool(args_schema=Open)
    def anything(**more: str) -> str:
        """Do."""
        return str(more)

    assert fit(anything, x="1") == {"x": "1"}


def test_without_a_tool_only_the_form_is_checked():
    """Where the tool isn't known, arguments must at least have a canonical form."""
    assert fit(None, x=1) == {"x": 1}
    assert "nan" in fit(None, x=float("nan"))


class Plain(BaseModel):
    """Nothing but types, of which one holds itself."""

    model_config = ConfigDict(defer_build=True)
    n: int
    below: list[Plain] = []


class Made(BaseModel):
    """A default that is made each time."""

    names: list[str] = Field(default_factory=list)


class Doubled(BaseModel):
    """A validator, in a model inside another one."""

    inner: Checked


class Checked(BaseModel):
    """A validator."""

    n: int

    @field_validator("n")
    @classmethod
    def fine(cls, n):
        """Fine."""
        return n


class Prepared(BaseModel):
    """A method that runs at the end of each validation."""

    n: int

    def model_post_init(self, context):
        """Nothing to do."""


@pytest.mark.parametrize(
    ("schema", "runs"),
    [(Plain, False), (Made, True), (Checked, True), (Doubled, True), (Prepared, True)],
)
def test_a_schema_that_runs_code_keeps_no_event_loop_waiting(schema, runs):
    """Validators and defaults that are made may be anybody's functions; types alone are none."""
    made = StructuredTool(name="a", description="A.", args_schema=schema, func=lambda **given: "ran")
    waited = []

    async def look():
        return await promptly(lambda: (waited.append(1), complaint_about(made, {"n": 1}))[1])

    found = asyncio.run(look())
    assert len(waited) == 1 + runs
    assert bool(found) is (schema is Doubled)
