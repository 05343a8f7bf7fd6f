"""A world behind the console: an agent with tools on every rung, people of every kind, and a ledger in a file.

The agent goes on by itself once it is answered, as in any process that serves one.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import BaseMessage, ToolMessage
from langchain_core.tools import BaseTool, StructuredTool, create_schema_from_function
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Ladder, Question, drafted_by
from ladder_graph.drafting import email
from ladder_graph.resuming import InProcess
from ladder_graph.testing import FrozenClock, ScriptedModel, calls

POLICY = """
agent = "ops"
ledger = "ledger.db"
rehearsals = "advised"

[reports]
reader = "ana"
sla = "24h"

[trust]
wage = "$60"
minutes = { confirm = 2, bounded = 0.4 }

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
[people.cy]
console = "reviewer"
[people.pia]
console = "promoter"
labels = ["customer", "payroll"]
roles = ["promoter"]
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

[tools.transfer]
rung = "confirm"
confirm = { quorum = 2, by = ["role:finance"] }

[tools.send_mail]
rung = "bounded"
bounds = [{ kind = "volume", limit = 1, per = "ever" }]

[tools.set_price]
rung = "rollback"
bounds = [{ kind = "range", argument = "cents", least = 1, most = 10_000 }]

[tools.pay]
rung = "confirm"
mistake = "$1"
bounds = [{ kind = "range", argument = "cents", most = 10_000 }, { kind = "volume", limit = 50 }]
trust = { mistakes = ["wrong_amount"], single_pattern = true }

[tools.notify]
rung = "bounded"
bounds = [{ kind = "volume", limit = 50 }]

[tools.read_stock]
rung = "report"
read_only = true
"""

HOSTILE = "Ana <b onclick=alert(1)>\u202egnp.exe\u202c</b> **bold** \x1b[31mred\x1b[0m \u200b<script>alert(1)</script>"
"""A value that would act, turn and hide, were it shown as anything but what it is."""


LETTER = "Hello,\n\nthank you for contacting us.\n\nWe will reply within five days.\n\nThe team\n"
"""What a letter is written over."""


def restart(service: str) -> None:
    """Restart a service."""


def refund(customer: str, amount: int, note: str = "") -> None:
    """Pay money back to a customer."""


def close_ticket(ticket: int, text: str) -> None:
    """Close a ticket with a last message."""


def transfer(to: str, cents: int) -> None:
    """Transfer money."""


def set_price(item: str, cents: int) -> None:
    """Set a price."""


def pay(to: str, cents: int) -> None:
    """Pay somebody."""


def notify(who: str) -> None:
    """Tell somebody something."""


def read_stock(item: str) -> None:
    """Say how much there is of something."""


@drafted_by(email(template=LETTER, source="the reply template"))
def write_letter(to: str, subject: str, body: str) -> None:
    """Write to a customer."""


SIGNATURES = (restart, refund, close_ticket, transfer, set_price, pay, notify, read_stock, write_letter)
"""What the agent can do, and with what."""


class World:
    """The agent and what it did.

    Args:
        folder: Where its policy and ledger are.
        clock: What it takes the time from; the machine's where there is none.
    """

    def __init__(self, folder: Path, clock: FrozenClock | None = None) -> None:
        self.file = folder / "ladder.toml"
        self.file.write_text(POLICY, encoding="utf-8")
        self.clock = clock
        self.ladder = Ladder(policy=self.file, clock=clock)
        self.ran: list[tuple[str, dict[str, Any]]] = []
        """What tools really did, in order."""
        self._threads = 0
        self.become("scripted-1")

    def become(self, model: str) -> None:
        """Let the agent be served by a model from now on."""
        said = ScriptedModel(answers=[_line] * 10_000, model_name=model)
        self.said = said
        self.ladder.detach()
        self.graph = self.ladder.wrap(create_agent(said, self._tools(), checkpointer=InMemorySaver()))
        self.ladder.attach(InProcess(self.graph), poll=0.05)

    def _tools(self) -> list[BaseTool]:
        """Its tools; each notes that it ran, and with what."""
        return [self._noting(one) for one in SIGNATURES]

    def _noting(self, signature: Callable[..., None]) -> BaseTool:
        name = signature.__name__

        @functools.wraps(signature)
        def run(**arguments: Any) -> str:
            self.ran.append((name, arguments))
            return f"{name} is done"

        return StructuredTool.from_function(run, args_schema=create_schema_from_function(name, signature))

    def begin(self, name: str, arguments: dict[str, Any], text: str = "Somebody asked for it.") -> str:
        """Let the agent propose a call, in a conversation of its own; the thread's id."""
        self._threads += 1
        thread = f"thread-{self._threads}"
        said = json.dumps({"name": name, "args": arguments, "text": text})
        self.graph.invoke({"messages": [("user", said)]}, {"configurable": {"thread_id": thread}})
        return thread

    def ask(self, name: str, arguments: dict[str, Any], text: str = "Somebody asked for it.") -> Question:
        """Let the agent propose a call that waits for people; the question."""
        thread = self.begin(name, arguments, text)
        return next(one for one in self.ladder.pending() if one.call.thread == thread)

    def go_on(self, thread: str, name: str, arguments: dict[str, Any]) -> None:
        """Let the agent have another turn in a conversation."""
        said = json.dumps({"name": name, "args": arguments, "text": ""})
        self.graph.invoke({"messages": [("user", said)]}, {"configurable": {"thread_id": thread}})

    def messages(self, thread: str) -> list[BaseMessage]:
        """The conversation so far."""
        return self.graph.get_state({"configurable": {"thread_id": thread}}).values["messages"]

    def heard(self) -> list[BaseMessage]:
        """Everything that the model was shown."""
        return [message for conversation in self.said.asked for message in conversation]

    def ended(self, thread: str) -> str:
        """What the agent read of its call, once it has gone on to the end by itself."""
        within(lambda: self.messages(thread)[-1].text.startswith("I was told"), f"{thread} goes on")
        return self.messages(thread)[-1].text

    def did(self, name: str) -> list[dict[str, Any]]:
        """With what arguments a tool really ran."""
        return [arguments for tool, arguments in self.ran if tool == name]

    def close(self) -> None:
        """End it."""
        self.ladder.close()


def _line(messages: list[BaseMessage]) -> Any:
    """What the agent says: the call that it was told to propose, and after it what came of it."""
    last = messages[-1]
    if isinstance(last, ToolMessage):
        return f"I was told: {last.text}"
    # What became of a draft may have been told behind it.
    said = json.loads(next(one.text for one in reversed(messages) if one.type == "human" and one.text[:1] == "{"))
    return calls(said["name"], said["args"], text=said["text"])


def within(holds: Callable[[], Any], what: str, seconds: float = 20) -> None:
    """Wait until something holds; a thread of its own makes it so.

    Raises:
        AssertionError: It never did.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError(f"this never happened: {what}")
