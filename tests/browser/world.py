"""A world behind the console: an agent with tools on every rung, people of every kind, and a ledger in a file."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Ladder
from ladder_graph.testing import ScriptedModel, calls

POLICY = """
agent = "ops"
ledger = "ledger.db"
rehearsals = "advised"

[reports]
reader = "ana"
sla = "24h"

[people.ada]
console = "admin"
labels = ["customer", "payroll"]
[people.ana]
console = "reviewer"
labels = ["customer"]
roles = ["finance"]
[people.bo]
console = "reviewer"
labels = ["customer"]
roles = ["finance"]
[people.pia]
console = "promoter"
labels = ["customer", "payroll"]
[people.vi]
console = "viewer"

[tools.restart]
rung = "suggest"

[tools.write_letter]
rung = "draft"

[tools.refund]
rung = "confirm"
ceiling = "confirm"
impact = "high"
labels = ["customer"]
confirm = { type = "amount", expires = "1h" }

[tools.close_ticket]
rung = "confirm"
confirm = { decisions = ["approve", "decline", "edit"] }

[tools.transfer]
rung = "confirm"
confirm = { quorum = 2, by = ["role:finance"] }

[tools.send_mail]
rung = "bounded"
bounds = [{ kind = "volume", limit = 1, per = "ever" }]

[tools.set_price]
rung = "rollback"
bounds = [{ kind = "range", argument = "cents", least = 1, most = 10_000 }]

[tools.read_stock]
rung = "report"
read_only = true
"""

HOSTILE = "Ana <b onclick=alert(1)>\u202egnp.exe\u202c</b> **bold** \x1b[31mred\x1b[0m \u200b<script>alert(1)</script>"
"""A value that would act, turn and hide, were it shown as anything but what it is."""


class World:
    """The agent and what it did.

    Args:
        folder: Where its policy and ledger are.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "ladder.toml"
        self.file.write_text(POLICY, encoding="utf-8")
        self.ladder = Ladder(policy=self.file)
        self.ran: list[tuple[str, dict[str, Any]]] = []
        self._threads = 0

    def tools(self) -> list[Any]:
        """Its tools; what they do is noted."""

        def did(name: str, **arguments: Any) -> str:
            self.ran.append((name, arguments))
            return f"{name} is done"

        @tool
        def restart(service: str) -> str:
            """Restart a service."""
            return did("restart", service=service)

        @tool
        def refund(customer: str, amount: int, note: str = "") -> str:
            """Pay money back to a customer."""
            return did("refund", customer=customer, amount=amount, note=note)

        @tool
        def close_ticket(ticket: int, text: str) -> str:
            """Close a ticket with a last message."""
            return did("close_ticket", ticket=ticket, text=text)

        @tool
        def transfer(to: str, cents: int) -> str:
            """Transfer money."""
            return did("transfer", to=to, cents=cents)

        @tool
        def read_stock(item: str) -> str:
            """Say how much there is of something."""
            return did("read_stock", item=item)

        return [restart, refund, close_ticket, transfer, read_stock]

    def agent(self, *answers: Any) -> Any:
        """The agent, with these lines still to say."""
        model = ScriptedModel(answers=[*answers, "That is all."])
        return self.ladder.wrap(create_agent(model, self.tools(), checkpointer=InMemorySaver()))

    def asks(self, name: str, arguments: dict[str, Any], text: str = "Somebody asked for it.") -> Any:
        """Let the agent propose a call, in a thread of its own; it waits for people."""
        self._threads += 1
        thread = {"configurable": {"thread_id": f"thread-{self._threads}"}}
        agent = self.agent(calls(name, arguments, text=text))
        value = {"messages": [("user", f"See to it: {name}.")]}
        apart(lambda: agent.invoke(value, thread))
        return agent

    def close(self) -> None:
        """End it."""
        self.ladder.close()


def apart(work: Any) -> Any:
    """Do something in a thread of its own, as an agent's process would: playwright's loop runs in this one."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join(60)
    assert found, "it failed, or takes for ever"
    return found[0]


def soon(**by: float) -> dt.datetime:
    """A moment from now."""
    return dt.datetime.now(dt.UTC) + dt.timedelta(**by)
