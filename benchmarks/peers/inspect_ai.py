"""inspect-ai: its approval policy, with one approver for all tools, asked as its tool loop asks it.

The policy matches tools by glob, and amounts by nothing, so the approver is the policy as a function written by hand.
Each decision is recorded in the transcript of the sample. In the decision tier that drops what it is given; in the
audit tier it is the real one, in memory. Nothing is counted. Since a question would be one to a terminal, what is to be
asked about is told apart by `terminate`, which costs no less.
"""

from __future__ import annotations

from typing import Any

from inspect_ai.approval import Approval, ApprovalPolicy, Approver, approver
from inspect_ai.approval._apply import apply_tool_approval, init_tool_approval
from inspect_ai.log._transcript import Transcript, init_transcript
from inspect_ai.tool import ToolCall

from benchmarks.peers.answering import Decide, answer
from benchmarks.peers.policy import Verdict, by_hand

_DECISIONS: dict[Verdict, Any] = {"allow": "approve", "ask": "terminate", "refuse": "reject"}
_VERDICTS: dict[str, Verdict] = {"approve": "allow", "terminate": "ask", "reject": "refuse"}


@approver(name="by_hand")
def approving() -> Approver:
    """The policy as an approver."""

    async def approve(message: str, call: ToolCall, view: Any, history: Any) -> Approval:
        del message, view, history
        return Approval(decision=_DECISIONS[by_hand(call.function, call.arguments)])

    return approve


class Forgetful(Transcript):
    """Keeps nothing."""

    def _event(self, event: Any) -> None:
        del event


def deciding(transcript: type[Transcript]) -> Decide:
    """One call of its tool loop, up to the tool."""
    policies, kept = [ApprovalPolicy(approving(), "*")], transcript()
    begun = False

    async def decide(tool: str, arguments: dict[str, Any]) -> Verdict:
        nonlocal begun
        if not begun:
            begun = True  # Here, since both are known to one context only.
            init_tool_approval(policies)
            init_transcript(kept)
        call = ToolCall(id="call_1", function=tool, arguments=arguments)
        _, approval = await apply_tool_approval("", call, None, [])
        return "refuse" if approval is None else _VERDICTS[approval.decision]

    return decide


if __name__ == "__main__":
    answer(
        {"decision": lambda _: deciding(Forgetful), "audit": lambda _: deciding(Transcript)},
        of="inspect-ai",
    )
