"""A real agent with a real ledger, for the command line to work on: an agent `shop` that has been through the day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from ladder_graph import Ladder, reversible
from ladder_graph.testing import ScriptedModel, calls

POLICY = """
agent = "shop"
rehearsals = "advised"

[reports]
reader = "ana"
sla = "24h"

[tools.restart]
rung = "suggest"

[tools.write_letter]
rung = "draft"

[tools.refund]
rung = "confirm"
ceiling = "confirm"
impact = "high"
confirm = { type = "order", expires = "1h" }

[tools.close_ticket]
rung = "confirm"

[tools.send_mail]
rung = "bounded"
bounds = [{ kind = "volume", limit = 1, per = "ever" }]

[tools.set_price]
rung = "rollback"
bounds = [{ kind = "range", argument = "cents", least = 1, most = 10_000 }]
checks = [{ kind = "python", function = "shop_health:fine" }]

[tools.read_stock]
rung = "report"
read_only = true
"""
HEALTH = "def fine(arguments):\n    return True\n"
NASTY = "4711\u202e [bold red]free[/bold red]\x1b[2J\ufe0f"
"""An order number that would turn the line, colour the screen, clear it, and hide a character."""

NOBODY = "nobody@example.com"
"""A mail to them never gets an answer, so that nobody knows whether it went out."""

DAY: list[tuple[str, dict[str, Any]]] = [
    ("read_stock", {"item": "tea"}),
    ("set_price", {"item": "tea", "cents": 250}),
    ("send_mail", {"to": "bo@example.com"}),
    ("write_letter", {"to": "cy", "text": "Dear Cy,\nthe tea is here.\n"}),
    ("restart", {"reason": "it is slow"}),
    ("refund", {"order": "4711", "cents": 900}),
    ("close_ticket", {"number": 7}),
]
"""What the agent wants."""


def tools(ran: list[str] | None = None) -> list[Any]:
    """The shop's tools; each writes down that it ran."""
    ran = [] if ran is None else ran

    def read_stock(item: str) -> str:
        """Read how much of an item there is."""
        ran.append(f"read_stock {item}")
        return "12"

    @reversible(prepare=lambda said: said["item"], undo=lambda item: None)
    def set_price(item: str, cents: int) -> str:
        """Set a price."""
        ran.append(f"set_price {item} {cents}")
        return "set"

    def send_mail(to: str) -> str:
        """Send a mail."""
        if to == NOBODY:
            raise TimeoutError("no answer")
        ran.append(f"send_mail {to}")
        return "sent"

    def write_letter(to: str, text: str) -> str:
        """Send a letter by post."""
        ran.append(f"write_letter {to} {text}")
        return "posted"

    def restart(reason: str) -> str:
        """Restart the till."""
        ran.append("restart")
        return "restarted"

    def refund(order: str, cents: int) -> str:
        """Give money back."""
        ran.append(f"refund {order}")
        return "refunded"

    def close_ticket(number: int) -> str:
        """Close a ticket."""
        ran.append(f"close_ticket {number}")
        return "closed"

    return [tool(f) for f in (read_stock, set_price, send_mail, write_letter, restart, refund, close_ticket)]


def builder(model: ScriptedModel, ran: list[str] | None = None) -> StateGraph:
    """The agent as a raw graph, not yet under a ladder."""
    hands = tools(ran)
    bound = model.bind_tools(hands)
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [bound.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode(hands))
    graph.set_entry_point("model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph


class Shop:
    """The shop in a folder: its policy, its ledger, and the agent at work.

    Args:
        folder: Where everything lies.
        ledger: The ledger, if it lies elsewhere.
    """

    def __init__(self, folder: Path, ledger: str = "ladder.db") -> None:
        self.folder = folder
        self.policy = folder / "ladder.toml"
        self.file = folder / "ladder.db"
        self.policy.write_text(f'ledger = "{ledger}"\n{POLICY}', encoding="utf-8")
        (folder / "shop_health.py").write_text(HEALTH, encoding="utf-8")
        self.ran: list[str] = []
        self.threads: list[str] = []
        self.model = ScriptedModel(answers=[])
        self.saver = InMemorySaver()

    def run(self, *wants: tuple[str, dict[str, Any]], agent: str = "shop", thread: str = "") -> None:
        """Let the agent make these calls, each in a thread of its own: the tool's name, `refund-2` for a second one."""
        with self.ladder() as ladder:
            # Another agent's ledger may be the same one; its policy isn't.
            ladder.policy = ladder.policy.model_copy(update={"agent": agent.partition("/")[0]})
            graph = ladder.wrap(builder(self.model, self.ran), checkpointer=self.saver, agent=agent)
            for name, arguments in wants:
                self._will_say(calls(name, arguments), "Done.")
                self.threads.append(name)
                own = name if (count := self.threads.count(name)) == 1 else f"{name}-{count}"
                graph.invoke({"messages": [("user", "Go on.")]}, {"configurable": {"thread_id": thread or own}})

    def resume(self, thread: str) -> str:
        """Resume a thread that waited; what the agent's tool came back with."""
        with self.ladder() as ladder:
            graph = ladder.wrap(builder(self.model, self.ran), checkpointer=self.saver)
            self._will_say("Done.")
            messages = graph.invoke(None, {"configurable": {"thread_id": thread}})["messages"]
            return next(message.text for message in reversed(messages) if message.type == "tool")

    def run_accepted(self) -> list[Any]:
        """Run what was accepted elsewhere; what came of it."""
        with self.ladder() as ladder:
            ladder.wrap(builder(self.model, self.ran), checkpointer=self.saver)
            return ladder.run_accepted()

    def _will_say(self, *answers: Any) -> None:
        """What the model says next; a thread that waits has left the rest of its script unsaid."""
        self.model.answers = [*self.model.answers[: len(self.model.asked)], *answers]

    def ladder(self) -> _Closing:
        """The ladder of the shop, closed at the end of the block."""
        return _Closing(policy=self.policy)


class _Closing(Ladder):
    def __enter__(self) -> Ladder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
