"""A ledger of two agents, as an auditor gets it, and the program that checks it."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Ladder
from ladder_graph.testing import ScriptedModel, calls, says, tool_call

SCRIPT = Path(__file__).parents[3] / "scripts" / "verify_ledger.py"
AGENT = 'ops "ä"\\'
"""An agent's name may hold whatever JSON must escape, and more than ASCII."""


@tool
def send(to: str) -> str:
    """Send it."""
    return f"sent to {to}"


@tool
def look(path: str) -> str:
    """Look."""
    return path


def unlocked(file):
    """A copy in memory, open to every change."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    with contextlib.closing(sqlite3.connect(file)) as original:
        original.backup(database)
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f"DROP TRIGGER {name}")
    return database


def run(*arguments):
    """The script as an auditor runs it: isolated, with nothing installed."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), *map(str, arguments)], capture_output=True, text=True, check=False
    )


def make(file):
    """Make a ledger of two agents: calls that ran, that were approved and declined, that only suggested."""
    rungs = {"send": "confirm", "look": {"rung": "report", "read_only": True}}
    for agent in ("ops", AGENT):
        with contextlib.closing(Ladder(agent=agent, rungs=rungs, ledger=file)) as ladder:
            script = [
                says(*(tool_call("send", {"to": to}) for to in ("ana", "bö")), tool_call("look", {"path": "ü"})),
                calls("nothing"),
                "Done.",
            ]
            graph = create_agent(ScriptedModel(answers=script), [send, look], checkpointer=InMemorySaver())
            wrapped, config = ladder.wrap(graph), {"configurable": {"thread_id": agent}}
            wrapped.invoke({"messages": "go"}, config)
            one, two = ladder.pending()
            ladder.approve(one.id, by="ana")
            ladder.decline(two.id, by="ana", reason="no")
            wrapped.invoke(None, config)
