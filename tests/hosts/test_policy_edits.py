"""A policy file that is edited while a real graph waits."""

from __future__ import annotations

import contextlib
import os

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Ladder
from ladder_graph.testing import ScriptedModel, calls

POLICY = 'agent = "ops"\n[tools.send]\nrung = "confirm"\n[tools.read]\nrung = "confirm"\n'


@pytest.mark.parametrize(
    ("edit", "ran"),
    [
        (('[tools.read]\nrung = "confirm"', '[tools.read]\nrung = "suggest"'), ["ana"]),
        (("[tools.send]", '[tools.send]\nimpact = "medium"'), []),
    ],
)
def test_an_edit_elsewhere_voids_no_approval(tmp_path, edit, ran):
    """A yes given before an edit of another tool's rule still counts; one before an edit of its own rule asks anew."""
    sent = []

    @tool
    def send(to: str) -> str:
        """Send a mail."""
        sent.append(to)
        return "sent"

    file = tmp_path / "ladder.toml"
    file.write_text(POLICY, encoding="utf-8")
    model = ScriptedModel(answers=[calls("send", {"to": "ana"}), "Done."])
    config = {"configurable": {"thread_id": "1"}}
    with contextlib.closing(Ladder(policy=file)) as ladder:
        agent = ladder.wrap(create_agent(model, [send], checkpointer=InMemorySaver()))
        agent.invoke({"messages": "Send it."}, config)
        (question,) = ladder.pending()
        ladder.approve(question.id, by="ana")
        file.write_text(POLICY.replace(*edit), encoding="utf-8")
        os.utime(file, (1, 1))
        agent.invoke(None, config)
        assert sent == ran
        assert [entry.kind for entry in ladder.log()].count("policy") == 1
        assert len(ladder.pending()) == (0 if ran else 1)
