"""The first policy: it loads, it is the same each time, nothing runs unasked under it, and it says why."""

from __future__ import annotations

import re
import tomllib

import pytest
from deepagents import create_deep_agent
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, InterruptOnConfig
from langchain_core.tools import StructuredTool, tool
from langgraph.prebuilt import ToolNode, ToolRuntime

from ladder_graph import Ladder, LadderError, PolicyError, Rung, reversible, starter
from ladder_graph.policy import policy_of
from ladder_graph.testing import ScriptedModel

CODE = re.compile(r"# (?:rung = \"bounded\"|bounds = \[|  \{.*\},|\]|read_only = true)$")
"""A comment that becomes a part of the policy with its sign taken off."""


@tool
def send_email(to: str, subject: str) -> str:
    """Send an e-mail."""
    return subject + to


@tool
def look_up(number: int) -> str:
    """Look something up."""
    return str(number)


@tool
def remember(text: str, runtime: ToolRuntime) -> str:
    """Remember something; the graph fills in the rest."""
    return text + str(runtime)


@tool
@reversible(prepare=dict, undo=lambda kept: None)
def set_price(item: str, cents: int) -> str:
    """Set a price."""
    return f"{item} {cents}"


def hinted(name="read", **hints):
    """A tool as langchain-mcp-adapters makes it, with annotations."""
    schema = {"type": "object", "properties": {"url": {"type": "string"}}}
    return StructuredTool(name=name, description="An MCP tool.", args_schema=schema, func=lambda: "", metadata=hints)


def policy(text):
    """The policy that a file holds."""
    return policy_of(tomllib.loads(text), "test")


def entry(text, name):
    """What stands about a tool: the comments before it, and the lines of it."""
    found = [block for block in text.split("\n\n") if f"[tools.{name}]" in block]
    assert len(found) == 1, text
    return found[0]


def agent(*, tools=(send_email, look_up), **interrupts):
    """An agent with LangChain's middleware."""
    middleware = [HumanInTheLoopMiddleware(interrupt_on=interrupts)] if interrupts else []
    return create_agent(ScriptedModel(answers=[]), list(tools), middleware=middleware)


# --- hints -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hints", "rung", "ceiling", "impact"),
    [
        ({}, Rung.SUGGEST, Rung.REPORT, "low"),
        ({"readOnlyHint": True}, Rung.CONFIRM, Rung.REPORT, "low"),
        ({"readOnlyHint": True, "idempotentHint": True, "openWorldHint": False}, Rung.CONFIRM, Rung.REPORT, "low"),
        ({"readOnlyHint": False, "destructiveHint": False}, Rung.SUGGEST, Rung.REPORT, "low"),
        ({"destructiveHint": True}, Rung.SUGGEST, Rung.CONFIRM, "high"),
        ({"readOnlyHint": True, "destructiveHint": True}, Rung.SUGGEST, Rung.CONFIRM, "high"),
        ({"readOnlyHint": "yes"}, Rung.SUGGEST, Rung.REPORT, "low"),
    ],
)
def test_a_hint_never_lets_a_call_run_unasked(hints, rung, ceiling, impact):
    """A read-only hint becomes a question, a destructive one makes the entry stricter, and the strict one wins."""
    text = starter([hinted(**hints)])
    rule = policy(text).rule("read")
    assert (rule.rung, rule.ceiling, rule.impact, rule.read_only, rule.bounds) == (rung, ceiling, impact, False, ())
    for name, value in hints.items():
        assert (f"# its server says {name} = {str(value).lower()}: " in text) == isinstance(value, bool)


def test_reading_beyond_the_server_carries_something_out():
    """Only a tool that is said to stay within its server gets read_only as a suggestion."""
    assert "# read_only = true" in starter([hinted(readOnlyHint=True, openWorldHint=False)])
    for open_world in ({}, {"openWorldHint": True}):
        assert "# read_only = true" not in starter([hinted(readOnlyHint=True, **open_world)])


def test_a_destructive_tool_gets_no_suggestion_to_run():
    """What may lose something is never suggested for more than a question."""
    assert "bounded" not in entry(starter([hinted(destructiveHint=True)]), "read")


# --- what LangChain's middleware says --------------------------------------------------------------------------------


def test_who_is_asked_there_is_asked_here():
    """`True` and a config become confirm, with the decisions in our words; the rest is said in comments."""
    text = starter(
        agent(
            tools=(send_email, look_up, set_price),
            send_email=True,
            look_up=InterruptOnConfig(allowed_decisions=["approve", "reject"], description="Two\nlines."),
        )
    )
    rules = policy(text).tools
    assert {name: rule.rung for name, rule in rules.items()} == {
        "look_up": Rung.CONFIRM, "send_email": Rung.CONFIRM, "set_price": Rung.SUGGEST,
    }  # fmt: skip
    assert rules["look_up"].confirm.decisions == ("approve", "decline")
    assert rules["send_email"].confirm.decisions == ("approve", "decline", "edit", "respond")
    assert "# it is described there as: Two lines.\n" in text
    assert "# interrupt_on doesn't name it, so it runs unasked there; that is no bound here\n" in text


@pytest.mark.parametrize("mode", ["batched", "per_call"])
def test_either_mode_is_found(mode):
    """The middleware is found in the compiled graph, however it stops there."""
    middleware = HumanInTheLoopMiddleware(interrupt_on={"send_email": True}, interrupt_mode=mode)
    graph = create_agent(ScriptedModel(answers=[]), [send_email], middleware=[middleware])
    assert policy(starter(graph)).rule("send_email").rung is Rung.CONFIRM
    wrapped = Ladder(ledger=":memory:").wrap(graph, checkpointer="host")
    assert policy(starter(wrapped)).rule("send_email").rung is Rung.CONFIRM


def test_what_does_not_map_is_said():
    """`when` and a description in code aren't taken over, and a person can always decline."""
    config = {"allowed_decisions": ["edit"], "when": lambda request: False, "description": lambda *_: "x"}
    text = starter([send_email], interrupt_on={"send_email": config})
    assert policy(text).rule("send_email").confirm.decisions == ("decline", "edit")
    for said in ("`when` is not taken over", "its description is a function", "decline is added"):
        assert f"# {said}" in text


def test_unasked_there_is_no_bound_here():
    """`False` leaves the tool on the lowest rung, with what it means there as a comment; so does no entry at all."""
    text = starter([send_email, look_up], interrupt_on={"send_email": False})
    assert {rule.rung for rule in policy(text).tools.values()} == {Rung.SUGGEST}
    assert "# interrupt_on = False: it runs unasked there" in entry(text, "send_email")
    assert "# interrupt_on doesn't name it" in entry(text, "look_up")


def test_a_middleware_or_a_dict_may_be_given():
    """Without tools the names stand for themselves; a name without a tool is said."""
    given = HumanInTheLoopMiddleware(interrupt_on={"send_email": True})
    assert policy(starter(interrupt_on=given)).rule("send_email").rung is Rung.CONFIRM
    text = starter([look_up], interrupt_on={"send_mail": True})
    assert list(policy(text).tools) == ["look_up"]
    assert "# interrupt_on names send_mail, which is no tool here\n" in text


@pytest.mark.parametrize("wrong", [{"a": {"allowed_decisions": []}}, {"a": {"decisions": ["approve"]}}, {"a": 1}, 7])
def test_what_langchain_would_refuse_is_refused(wrong):
    """An entry that isn't understood is an error, and never taken as no question."""
    with pytest.raises(LadderError, match="interrupt_on"):
        starter([send_email], interrupt_on=wrong)


def test_agents_inside_are_looked_at_too():
    """The interrupt_on of deepagents counts for the main agent and those inside it; of two the stricter holds."""
    inside = {
        "name": "sub", "description": "d", "system_prompt": "s", "tools": [send_email, look_up],
        "interrupt_on": {"send_email": {"allowed_decisions": ["approve", "reject"]}, "look_up": True},
    }  # fmt: skip
    deep = create_deep_agent(
        ScriptedModel(answers=[]), tools=[send_email], subagents=[inside], interrupt_on={"send_email": True}
    )
    text = starter(deep)
    rules = policy(text).tools
    assert rules["send_email"].confirm.decisions == ("approve", "decline")
    assert rules["look_up"].rung is Rung.CONFIRM
    assert rules["write_file"].rung is Rung.SUGGEST
    assert "# arguments: file_path" in entry(text, "write_file")


# --- the file --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        agent, lambda: [send_email, look_up], lambda: (look_up, send_email), lambda: agent,
        lambda: ToolNode([look_up, send_email]),
    ],
)  # fmt: skip
def test_the_same_tools_make_the_same_file(given):
    """Whatever the tools come in and in whichever order, the file is the same."""
    assert starter(given()) == starter([send_email, look_up])


def test_each_entry_says_why():
    """The comments name what is known: a declared undo, a hint, the middleware, or nothing."""
    text = starter([send_email, set_price, hinted(idempotentHint=True)], interrupt_on={"send_email": True})
    assert "# interrupt_on = True" in entry(text, "send_email")
    assert "# declares an undo\n" in entry(text, "set_price")
    assert "# its server says idempotentHint = true" in entry(text, "read")
    assert "# nothing says what it changes\n[tools.look_up]" in starter([look_up])


def test_a_tool_that_the_graph_feeds_is_described():
    """Arguments that the graph fills in aren't the model's, and aren't listed."""
    text = entry(starter(agent(tools=[remember])), "remember")
    assert "# Remember something; the graph fills in the rest.\n# arguments: text\n" in text


def test_its_suggestions_can_be_used():
    """With the signs taken off, every suggested bound is a valid one, for each argument that it came from."""

    def many(url: str, path: str, email: str, cc: list[str], amount: float, count: int | None = None) -> str:
        return ""

    tools = [
        StructuredTool.from_function(many, name="many", description="x"),
        hinted(readOnlyHint=True, openWorldHint=False),
    ]
    lines = starter(tools).splitlines()
    code = [line.removeprefix("# ") if CODE.match(line) else line for line in lines]
    kept = [
        line
        for n, line in enumerate(code)
        if not (line.startswith("rung") and 'rung = "bounded"' in code[n + 1 : n + 4])
    ]
    bounds = {name: [one.kind for one in rule.bounds] for name, rule in policy("\n".join(kept)).tools.items()}
    assert bounds == {
        "many": ["host", "under", "domain", "domain", "range", "range", "volume"], "read": ["host", "volume"],
    }  # fmt: skip


def test_no_tools_make_a_file_with_examples():
    """Without tools the file has none, and shows how they are written."""
    text = starter(agent="ops")
    assert (policy(text).agent, policy(text).tools) == ("ops", {})
    assert "# [tools.drop_table]" in text


def test_a_name_that_is_none_is_refused():
    """An agent's name that couldn't stand in a policy is an error."""
    with pytest.raises(PolicyError, match="is no name"):
        starter([send_email], agent=" ops ")


def test_what_others_wrote_stays_a_comment():
    """Descriptions, argument names and values from a server can't add a line, or hide one."""
    evil = "x\x1b[2J\u202e\u2028\n[tools.evil]\nrung = 5"
    schema = {"type": "object", "properties": {evil: {"type": "string"}, "mode": {"enum": [evil, "a"]}, "a.b": {}}}
    odd = StructuredTool(name="odd", description=evil, args_schema=schema, func=lambda: "")
    text = starter(
        [odd, hinted(name=evil)], interrupt_on={"odd": {"allowed_decisions": ["approve"], "description": evil}}
    )
    assert list(policy(text).tools) == ["odd"]
    assert all(line.isprintable() for line in text.splitlines())
