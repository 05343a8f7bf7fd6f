"""A shop whose agent has done something on each rung, and a board of recorded runs."""

from __future__ import annotations

import datetime as dt
import tempfile

from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Ladder
from ladder_graph.policy import Policy
from ladder_graph.policy.reading import policy_of
from ladder_graph.replay import REFERENCES, Board, Coverage
from ladder_graph.replay.pareto import Reviewer, front
from ladder_graph.replay.suggesting import suggestions
from ladder_graph.testing import FrozenClock, ScriptedModel, calls, says, tool_call
from tests.replay.recorded import FINE, call, run_of

HOSTILE = "<script>alert(1)</script>\u202e\"'&"
"""It acts on a page where it isn't escaped, and hides what follows where it isn't made inert."""
ACTING = ("<script", "\u202e", "onerror=alert")


@tool
def suggest_it(text: str) -> str:
    """Never runs."""
    return text


@tool
def draft_it(text: str) -> str:
    """Is drafted."""
    return text


@tool
def ask_it(text: str) -> str:
    """Asks."""
    return text


@tool
def read_it(text: str) -> str:
    """Only reads."""
    return text


@tool
def pay(amount: float) -> str:
    """Pays."""
    return f"{amount} paid"


POLICY = {
    "agent": "shop",
    "reports": {"reader": "ana", "sla": "24h"},
    "tools": {
        "suggest_it": {"rung": "suggest"},
        "draft_it": {"rung": "draft"},
        "ask_it": {"rung": "confirm", "impact": "high", "confirm": {"by": ["ana"], "type": "text", "quorum": 1}},
        "read_it": {"rung": "report", "read_only": True},
        "pay": {"rung": "rollback", "mistake": "$4", "bounds": [{"kind": "range", "argument": "amount", "most": 50}]},
    },
}


class Full:
    """The shop after its first day: a call on each rung, a question that was open, and a report to be read."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FrozenClock()
        self.ladder = Ladder(
            policy=policy_of({**POLICY, "drafts": self.folder.name}, "the test"), ledger=":memory:", clock=self.clock
        )
        said = says(*(tool_call(name, {"text": HOSTILE}) for name in ("suggest_it", "draft_it", "read_it", "ask_it")))
        model = ScriptedModel(answers=[said, calls("pay", {"amount": 5}), "That is all."])
        tools = [suggest_it, draft_it, ask_it, read_it, pay]
        self.agent = self.ladder.wrap(create_agent(model, tools, checkpointer=InMemorySaver()))
        self.agent.invoke({"messages": HOSTILE}, {"configurable": {"thread_id": "1"}})
        self.asked = self.ladder.pending()
        self.briefing = self.ladder.briefing(self.asked[0].id, by="ana")
        self.clock.advance(25 * 3600)
        self.board, self.coverage = board()

    def close(self):
        """Nothing is left behind."""
        self.ladder.close()
        self.folder.cleanup()

    def everything(self):
        """One of everything that there is a picture of, by what it is."""
        ladder = self.ladder
        (acted,) = ladder.actions()[:1]
        (digest,) = ladder.digests()
        (assessed, *_) = ladder.trust()
        return {
            "ladder": ladder, "cells": ladder.status(), "cell": ladder.status()[0], "actions": ladder.actions(),
            "action": acted, "life": ladder.life(acted.key), "questions": self.asked, "question": self.asked[0],
            "briefing": self.briefing, "drafts": ladder.drafts(),
            "digests": [digest], "digest": ladder.digest(digest.id), "reports": ladder.reports(unread=False),
            "entries": ladder.log(), "entry": ladder.log()[-1], "verification": ladder.verify(),
            "explanation": ladder.explain("pay", {"amount": 70}), "assessments": ladder.trust(),
            "assessment": assessed, "certificate": assessed.certificate, "board": self.board,
            "rows": list(self.board.rows()), "coverage": self.coverage,
            "changes": self.board.changes()["everything asked"], "front": front(self.board.rows(), Reviewer()),
            "suggestions": suggested(),
        }  # fmt: skip


def board():
    """Four runs under a policy and two to compare with."""
    policy = Policy.from_rungs("shop", {"read_it": {"rung": "bounded", "read_only": True}, "pay": "bounded"})
    compared = {name: {"*": REFERENCES[name](policy)} for name in ("nothing gated", "everything asked")}
    made = Board({HOSTILE: {"*": policy}, **compared}, at=dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC), trouble=print)
    coverage = Coverage()
    for number in range(4):
        reads = [call("read_it", {"text": HOSTILE})] * (number + 1)
        run = run_of(*reads, call("pay", {"amount": number}), id=f"run {number}", task=str(number))
        made.add(run)
        coverage.add(run)
    return made, coverage


def suggested():
    """What sixteen runs with a word and a number suggest."""
    policy = Policy.from_rungs("shop", {"*": "confirm"})
    names = ("pay", HOSTILE)
    runs = [
        run_of(*(call(name, {"text": HOSTILE, "amount": n}, labels=FINE) for name in names), id=str(n), task=str(n))
        for n in range(16)
    ]
    return suggestions(lambda: runs, {"*": policy}, trouble=print)
