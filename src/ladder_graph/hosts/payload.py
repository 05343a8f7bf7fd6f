"""What an interrupt carries: the question in a form that the known inboxes render, with exactly one action.

agent-chat-ui and deep-agents-ui read `args`, Agent Inbox reads `arguments`, deep-agents-ui wants camel case; all of
them take only the first action, so there is never a second one. At the top stands the same in the form of LangChain's
`per_call` mode.
"""

from __future__ import annotations

from typing import Any

from ladder_graph.calls import normalise
from ladder_graph.facts import Question
from ladder_graph.policy.units import spell_dollars
from ladder_graph.wording import describe

LANGCHAINS = {"approve": "approve", "decline": "reject", "edit": "edit", "respond": "respond"}
"""What may be answered, in LangChain's words."""


def interrupt_payload(question: Question, complaint: str = "") -> dict[str, Any]:
    """The question as JSON.

    Args:
        question: What is asked.
        complaint: What was wrong with the last answer; empty at first.
    """
    call = question.call
    arguments, description = normalise(call.arguments), describe(question, complaint)
    decisions = [LANGCHAINS[verdict] for verdict in question.decisions]
    return {
        "type": "tool_approval",
        "tool_call_id": call.id,
        "name": call.tool,
        "args": arguments,
        "description": description,
        "action_requests": [{"name": call.tool, "args": arguments, "arguments": arguments, "description": description}],
        "review_configs": [
            {
                "action_name": call.tool,
                "actionName": call.tool,
                "allowed_decisions": decisions,
                "allowedDecisions": decisions,
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
            "nonce": question.word,
            "decisions": list(question.decisions),
            "quorum": question.quorum,
            "approved_by": [vote.by.name for vote in question.votes],
            "not_requester": question.not_requester,
            "requester": question.requester.name if question.requester else None,
            "typed": question.typed,
            "type_to_approve": question.to_type,
            "impact": question.impact,
            "mistake": None if question.mistake is None else spell_dollars(question.mistake),
            "may_answer": list(question.may_answer),
            "complaint": complaint,
        },
    }
