"""Tools whose effects can be undone, or can't, in graphs of each kind: for the tests of scopes and rollbacks."""

from __future__ import annotations

from langchain.agents import create_agent
from langchain_core.tools import StructuredTool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from ladder_graph import DefiniteFailure, Ladder, Policy
from ladder_graph.testing import ScriptedModel
from ladder_graph.tools import Declaration

BOUNDS = [{"kind": "volume", "limit": 100}]
CHECK = {"kind": "python", "function": "tests.hosts.steps:healthy"}
RULES = {
    "put": {"rung": "bounded", "bounds": BOUNDS, "checks": [CHECK]},
    "pay": {"rung": "bounded", "bounds": BOUNDS},
    "read": {"rung": "report", "read_only": True},
}  # fmt: skip


def healthy(arguments):
    """All is well."""
    return True


class Things:
    """What the tools change, and the ladder around them."""

    def __init__(self, file=":memory:"):
        self.values, self.order = {}, []
        self.ladder = Ladder(policy=Policy.from_rungs("ops", RULES), ledger=file)
        self.ladder.declare("put", Declaration(
            prepare=lambda given: {"place": given["place"], "value": self.values.get(given["place"])},
            undo=self.put_back, fingerprint=lambda kept: repr(self.values.get(kept["place"])),
        ))  # fmt: skip

    def put_back(self, kept):
        """The undo of `put`."""
        self.order.append(kept["place"])
        if kept["value"] is None:
            self.values.pop(kept["place"], None)
        else:
            self.values[kept["place"]] = kept["value"]

    def put(self, place: str, value: str = "new") -> str:
        """Put a value in a place."""
        if value == "bad":
            raise DefiniteFailure("no such value")
        self.values[place] = value
        return f"put {value} in {place}"

    def pay(self, cents: int) -> str:
        """Pay."""
        self.values["paid"] = self.values.get("paid", 0) + cents
        return "paid"

    def read(self, place: str) -> str:
        """Read a place."""
        return str(self.values.get(place))

    @property
    def tools(self):
        """The three tools, sync and async."""

        def both(run):
            async def arun(**given):
                return run(**given)

            return StructuredTool.from_function(run, arun, name=run.__name__)

        return [both(run) for run in (self.put, self.pay, self.read)]

    def agent(self, *answers, saver=None, **options):
        """A `create_agent` graph, wrapped; without a checkpointer it is to stand in another graph."""
        plain = create_agent(ScriptedModel(answers=[*answers]), self.tools, checkpointer=saver, **options)
        return self.ladder.wrap(plain, checkpointer=None if saver else "host")

    def middleware(self, *answers, saver=None):
        """The ladder as middleware."""
        model = ScriptedModel(answers=[*answers])
        return create_agent(model, self.tools, middleware=self.ladder.middleware(), checkpointer=saver)

    def guarded(self, *answers, saver=None):
        """Guarded tools in a plain agent."""
        tools = [self.ladder.guard(tool) for tool in self.tools]
        return create_agent(ScriptedModel(answers=[*answers]), tools, checkpointer=saver)

    def raw(self, *answers, saver=None):
        """A raw graph with a `ToolNode`, wrapped."""
        model = ScriptedModel(answers=[*answers]).bind_tools(self.tools)
        built = StateGraph(MessagesState)
        built.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
        built.add_node("tools", ToolNode(self.tools))
        built.add_edge(START, "model")
        built.add_conditional_edges("model", tools_condition)
        built.add_edge("tools", "model")
        return self.ladder.wrap(built, checkpointer=saver)


MOUNTS = {"wrap": Things.agent, "middleware": Things.middleware, "guard": Things.guarded, "raw": Things.raw}
"""Each way of putting them under the ladder."""
