"""An agent under a ladder whose calls are seen before they run: which cell each is in, on which rung, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Ladder
from ladder_graph.policy import Policy
from ladder_graph.testing import FrozenClock

OPEN: list[Ladder] = []
"""The ladders of all offices of a test."""

GRANTED = {"rung": "report", "read_only": True, "egress": False}
"""A rule that nothing but the environment holds below rung 5."""


@dataclass(frozen=True)
class Cell:
    """Where a call was put."""

    env: str | None
    rung: str
    codes: tuple[str, ...]


def policy(**more: Any) -> Policy:
    """A policy under which `send` stands on rung 5."""
    return Policy.model_validate({
        "agent": "ops", "tools": {"send": GRANTED}, "reports": {"reader": "ana"}, **more,
    })  # fmt: skip


def sending(ran: list[Cell], ladder: Ladder, text: str = "Send it.") -> BaseTool:
    """A tool that looks, when it runs, where its call was put."""

    def send(to: str) -> str:
        ran.append(cells(ladder)[-1])
        return f"sent to {to}"

    return StructuredTool.from_function(send, description=text)


def cells(ladder: Ladder) -> list[Cell]:
    """Where each call was put, in the ledger's order."""
    found = [entry.body for entry in ladder.log(limit=500) if "env" in entry.body]
    return [
        Cell(body["env"], ("suggest", "draft", "confirm", "bounded", "rollback", "report")[body["rung"]],
             tuple(code for code, _ in body["reasons"]))
        for body in found
    ]  # fmt: skip


@dataclass
class Office:
    """One process with an agent in it.

    Args:
        model: The chat model.
        ledger: A file, where others are to find it again.
        policy: What the agent may do.
        options: For `create_agent`.
    """

    model: Any
    ledger: Any = ":memory:"
    policy: Policy = field(default_factory=policy)
    options: dict[str, Any] = field(default_factory=dict)
    tool: BaseTool | None = None
    data_version: Any = None
    ran: list[Cell] = field(default_factory=list)

    def __post_init__(self):
        self.clock = FrozenClock()
        self.ladder = Ladder(
            policy=self.policy, ledger=self.ledger, clock=self.clock, data_version=self.data_version
        )  # fmt: skip
        OPEN.append(self.ladder)
        self.threads = count()
        tool = self.tool or sending(self.ran, self.ladder)
        options = {"system_prompt": "Be careful.", **self.options}
        self.agent = create_agent(self.model, [tool], **options)
        self.graph = self.ladder.wrap(self.agent, checkpointer=InMemorySaver())

    def ask(self, text: str = "Go.") -> Cell:
        """Let the agent work on a new thread; where its call was put, which the tool must have seen too if it ran."""
        before = len(self.ran)
        self.clock.advance(60)
        self.graph.invoke({"messages": text}, {"configurable": {"thread_id": str(next(self.threads))}})
        (*_, last) = cells(self.ladder)
        asks = last.rung == "confirm"
        if self.tool is None:
            assert self.ran[before:] == ([] if asks else [last])
        assert len(self.ladder.pending()) >= asks
        return last
