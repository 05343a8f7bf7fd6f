"""pydantic-ai: a toolset whose calls may need an approval, `ApprovalRequiredToolset`, over tools that do nothing.

The policy is a function written by hand; the library calls it and raises `ApprovalRequired` where it says so. Its whole
cost here is that function's and one method's. Nothing is recorded and nothing is counted. It knows no refusal here:
what is refused needs an approval.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pydantic_ai import ApprovalRequired, ApprovalRequiredToolset, RunContext
from pydantic_ai.models.test import TestModel
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import FunctionToolset, WrapperToolset
from pydantic_ai.usage import RunUsage

from benchmarks.peers.answering import Decide, answer
from benchmarks.peers.policy import TOOLS, Verdict, by_hand


class Idle(WrapperToolset[None]):
    """Runs nothing, so that only the approval is measured."""

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: Any, tool: Any) -> Any:
        """Done."""
        del name, tool_args, ctx, tool
        return "done"


def deciding() -> Decide:
    """One call of a toolset, up to the tool."""

    def outside(_: Any, tool: ToolDefinition, arguments: dict[str, Any]) -> bool:
        return by_hand(tool.name, arguments) != "allow"

    toolset = ApprovalRequiredToolset(Idle(FunctionToolset()), approval_required_func=outside)
    context: RunContext[None] = RunContext(deps=None, model=TestModel(), usage=RunUsage())
    tools: dict[str, Any] = {name: SimpleNamespace(tool_def=ToolDefinition(name=name)) for name in TOOLS}

    async def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        try:
            await toolset.call_tool(tool, arguments, context, tools[tool])
        except ApprovalRequired:
            return "ask"
        return "allow"

    return decide


if __name__ == "__main__":
    answer({"decision": lambda _: deciding()}, of="pydantic-ai-slim", fold={"refuse": "ask"})
