"""A property: a ladder on whose top every tool stands changes nothing that a model or a user can read."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.tools import StructuredTool, tool
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph.scale import Rung
from ladder_graph.testing import says, tool_call
from tests.hosts.graphs import GO, READ, agent_of, ladder_of, on, plain, raw_graph


@tool
def add(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


@tool
def lengths(words: list[str]) -> dict[str, int]:
    """Count letters."""
    return {word: len(word) for word in words}


@tool(response_format="content_and_artifact")
def look(at: str) -> tuple[str, dict[str, str]]:
    """Look."""
    return f"seen {at}", {"at": at}


async def _later(n: int) -> str:
    """Answer after a while, the higher the sooner."""
    await asyncio.sleep(0.001 * (3 - n % 3))
    return f"later {n}"


def _sooner(n: int) -> str:
    return f"later {n}"


TOOLS = [add, lengths, look, StructuredTool.from_function(_sooner, _later, name="later", description="Answer later.")]
RULES = {one.name: READ for one in TOOLS}

numbers = st.integers(-(2**62), 2**62)  # larger ones go into no checkpoint
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
fitting = st.one_of(
    st.builds(lambda a, b: ("add", {"a": a, "b": b}), numbers, numbers),
    st.builds(lambda a: ("add", {"a": a}), st.integers(-9, 9)),
    st.builds(lambda w: ("lengths", {"words": w}), st.lists(words, max_size=3)),
    st.builds(lambda at: ("look", {"at": at}), words),
    st.builds(lambda n: ("later", {"n": n}), st.integers(0, 9)),
)
unfitting = st.one_of(
    st.builds(lambda w: ("add", {"a": w, "extra": 1}), st.sampled_from(["one", None, [], {"b": 2}])),
    st.just(("add", {})),
    st.builds(lambda w: ("lengths", {"words": w}), st.sampled_from(["abc", [1, None], {}])),
    st.builds(lambda w: ("look", {"at": w, "n": None}), st.sampled_from([3, None, ["x"]])),
    st.builds(lambda n: (n, {"x": 1}), st.sampled_from(["nothing", "Add", "add "])),
)
turns = st.lists(st.lists(st.one_of(fitting, fitting, unfitting), min_size=1, max_size=5), max_size=4)


def script(turns):
    """The answers of a model that makes these calls, turn by turn."""
    return [says(*[tool_call(name, args) for name, args in turn], text=f"Turn {n}.") for n, turn in enumerate(turns)]


def run(graph, *, sync):
    """The messages at the end, without random ids."""
    out = graph.invoke(GO, on()) if sync else asyncio.run(graph.ainvoke(GO, on()))
    return plain(out["messages"])


@settings(max_examples=40)
@given(turns=turns, sync=st.booleans(), raw=st.booleans())
def test_the_same_messages_in_the_same_order(turns, sync, raw):
    """With every tool read-only at rung 5, a wrapped graph says what the plain one says, good calls and bad alike."""
    answers = [*script(turns), "Done."]

    def build():
        return (
            raw_graph(answers, TOOLS, handle_tool_errors=_told) if raw else agent_of(answers, TOOLS, checkpointer=None)
        )

    bare = build()
    bare = bare.compile() if raw else bare
    ladder = ladder_of(RULES)
    assert run(ladder.wrap(build(), checkpointer=InMemorySaver()), sync=sync) == run(bare, sync=sync)
    assert all(action.rung is Rung.REPORT for action in ladder.actions())
    ladder.close()


def _told(error: Exception) -> str:
    return getattr(error, "message", None) or repr(error)
