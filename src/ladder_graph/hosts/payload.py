"""What an interrupt carries: the question in a form that the known inboxes render, with exactly one action.

agent-chat-ui and deep-agents-ui read `args`, Agent Inbox reads `arguments`, deep-agents-ui wants camel case; all of
them take only the first action, so there is never a second one.
"""

from __future__ import annotations

from typing import Any

from ladder_graph.calls import normalise
from ladder_graph.steps import Question
from ladder_graph.wording import describe

DECISIONS = ["approve", "reject"]
"""What may be answered."""


def interrupt_payload(question: Question, complaint: str = "") -> dict[str, Any]:
    """The question as JSON.

    Args:
        question: What is asked.
        complaint: What was wrong with the last answer; empty at first.
    """
    call = question.call
    arguments = normalise(call.arguments)
    return {
        "action_requests": [
            {"name": call.tool, "args": arguments, "arguments": arguments, "description": describe(question, complaint)}
        ],
        "review_configs": [
            {
                "action_name": call.tool,
                "actionName": call.tool,
                "allowed_decisions": DECISIONS,
                "allowedDecisions": DECISIONS,
            }
        ],
        "ladder": {
            "v": 1,
            "question": question.id,
            "action": call.key,
            "tool_call_id": call.id,
            "digest": question.digest,
            "rung": 2,
            "expires_at": question.expires_at.isoformat(),
            "environment": call.env,
            "typed": question.typed,
            "impact": question.impact,
            "may_answer": list(question.may_answer),
            "complaint": complaint,
        },
    }
