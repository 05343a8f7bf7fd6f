"""Agents that ask, for the tests of the pages on which they are answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Literal

from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from ladder_graph import Change, Ladder, Policy, Reach, presented_by
from ladder_graph.calls import Call
from ladder_graph.facts import Question, Route
from ladder_graph.scale import Rung
from ladder_graph.testing import FrozenClock, ScriptedModel, calls
from tests.console.conftest import HOST, Browser, Console
from tests.hosts.graphs import GO, on, told

REFUND = {
    "rung": "confirm", "impact": "high", "confirm": {"type": "amount", "expires": "15m"},
    "bounds": [{"kind": "range", "argument": "amount", "most": 200}],
}  # fmt: skip
"""A rule for the refund: the amount must be typed."""
ARGUMENTS = {"payment_id": "pay_8Kq2", "amount": 240, "currency": "EUR", "reason": "duplicate charge"}
WORDS = "Dana wrote that she was charged twice."


@dataclass
class Desk:
    """A console, the agents that ask at it, and what their tools did."""

    rules: dict[str, Any]
    people: dict[str, Any] = field(default_factory=dict)
    ledger: str = ":memory:"
    settings: dict[str, Any] = field(default_factory=dict)
    """What the policy says of the console."""
    ran: list[Any] = field(default_factory=list)
    clock: FrozenClock = field(default_factory=FrozenClock)

    def __post_init__(self) -> None:
        policy = Policy.model_validate(
            {"agent": "ops", "tools": self.rules, "people": self.people, "console": self.settings}
        )
        self.ladder = Ladder(policy=policy, ledger=self.ledger, clock=self.clock)
        self.console = Console(self.ladder)
        self.graphs: dict[str, Any] = {}

    def tools(self) -> list[Any]:
        """A refund, which says all about itself, and a note, which says nothing."""
        ran = self.ran

        @tool
        @presented_by(
            title="Refund {amount} {currency} to Dana Novak?", deed="Run the refund",
            preview=lambda given: [Change("payment", "captured", f"refunded {given['amount']}"), Change("mailbox")],
            reach=Reach(people="1 customer: Dana Novak", money="240.00 out", undone="partly: 30 minutes"),
            remedy="Within 30 minutes refund_cancel stops it.",
        )  # fmt: skip
        def refund(
            payment_id: str, amount: int, currency: Literal["EUR", "USD"], reason: str, notify: bool = True,
            memo: str | None = None,
        ) -> str:  # fmt: skip
            """Give money back."""
            ran.append(("refund", payment_id, amount, currency, reason, notify, memo))
            return "refunded"

        @tool
        def note(text: str) -> str:
            """Write a note."""
            ran.append(("note", text))
            return "noted"

        return [refund, note]

    def ask(self, name: str = "refund", thread: str = "t1", words: str = WORDS, **arguments: Any) -> Question:
        """An agent asks, in a thread of its own; the question that it waits at."""
        given = {**(ARGUMENTS if name == "refund" and "payment_id" not in arguments else {}), **arguments}
        model = ScriptedModel(answers=[calls(name, given, text=words), "Done."])
        graph = self.ladder.wrap(create_agent(model, self.tools(), checkpointer=InMemorySaver()))
        graph.invoke(GO, on(thread))
        self.graphs[thread] = graph
        return next(one for one in self.ladder.pending() if one.call.thread == thread)

    def go_on(self, thread: str = "t1") -> list[str]:
        """The thread is gone on with; what the model was told of its calls."""
        out = self.graphs[thread].invoke(None, on(thread))
        return [text for _, text in told(out)]

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """What entries of one kind say."""
        return [entry.body for entry in self.ladder.log(limit=500) if entry.kind == kind]

    def close(self) -> None:
        """All of it."""
        self.ladder.close()


class _Form(HTMLParser):
    """Reads what a browser would send with one form, before anybody touches it."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address, self.inside, self.found = address, False, dict[str, str]()
        self._area, self._select = "", ""

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        name = said.get("name", "")
        if tag == "form":
            self.inside = self.inside or said.get("action") == self.address
        elif not self.inside:
            return
        elif tag == "input" and (said.get("type") != "checkbox" or "checked" in said):
            self.found[name] = said.get("value", "")
        elif tag == "textarea":
            self._area, self.found[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and ("selected" in said or self._select not in self.found):
            self.found[self._select] = said.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "textarea" and self._area:
            self.found[self._area] = self.found[self._area].removeprefix("\n").replace("\n", "\r\n")
            self._area = ""

    def handle_data(self, data):
        if self._area:
            self.found[self._area] += data


def fields(page: str, address: str) -> dict[str, str]:
    """What a browser would send with the form to an address, before anybody touches it."""
    form = _Form(address)
    form.feed(page)
    assert form.found, f"there is no form to {address} on the page"
    return form.found


def press(browser: Browser, page: str, address: str, /, **filled: Any):
    """Send a form from a page that somebody has before them, with these fields filled in."""
    data = {**fields(page, address), **filled}
    return browser.client.post(address, data=data, headers={"origin": HOST})


def pose(ladder: Ladder, call: Call) -> Question:
    """Ask about a call that no agent has proposed."""
    terms, route = ladder.terms(call, ladder.policy), Route(Rung.CONFIRM)
    return ladder._write(lambda journal, cursor: journal.pose(cursor, call, route, terms))
