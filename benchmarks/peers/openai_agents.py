"""openai-agents: whether a function tool needs an approval, asked as its runner asks it before each call.

`needs_approval` is the policy as a function written by hand; the library parses the arguments, which reach it as JSON
text made beforehand, checks them against the tool's schema, and calls it. Nothing is recorded and nothing is counted.
It knows no refusal here: what is refused needs an approval.
"""

from __future__ import annotations

import json
from typing import Any

from agents import FunctionTool, RunContextWrapper, function_tool
from agents.util._approvals import evaluate_function_tool_approval

from benchmarks.peers.answering import Decide, answer
from benchmarks.peers.policy import CALLS, TOOLS, Verdict, by_hand


def _tool(name: str) -> FunctionTool:
    async def needs(context: RunContextWrapper[Any], arguments: dict[str, Any], call: str) -> bool:
        del context, call
        return by_hand(name, arguments) != "allow"

    def move(to: str, amount: int, currency: str, note: str) -> str:
        return f"{to} {amount} {currency} {note}"

    def read(id: str, limit: int = 20) -> str:  # noqa: A002  # the argument's name
        return f"{id} {limit}"

    return function_tool(move if name.endswith("_money") else read, name_override=name, needs_approval=needs)


def deciding() -> Decide:
    """The runner's own question about one call."""
    tools, context = {name: _tool(name) for name in TOOLS}, RunContextWrapper(None)
    texts = {id(arguments): json.dumps(arguments) for _, arguments, _ in CALLS}

    async def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        text = texts[id(arguments)]
        approval = await evaluate_function_tool_approval(tools[tool], context, text, "call_1")
        return "ask" if approval.outcome == "require_approval" else "allow"

    return decide


if __name__ == "__main__":
    answer({"decision": lambda _: deciding()}, of="openai-agents", fold={"refuse": "ask"})
