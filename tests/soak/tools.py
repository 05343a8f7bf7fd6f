"""The hands of the agent of a soak, and what undoes, checks and looks for what they do. Any process imports them."""

from __future__ import annotations

import json
import os
import secrets
from http.client import HTTPConnection
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from langchain_core.tools import BaseTool, InjectedToolCallId, tool

from ladder_graph import probed_by, reversible, undo
from ladder_graph.errors import DefiniteFailure
from ladder_graph.references import registered
from tests.soak.rules import WORLD

Id = Annotated[str, InjectedToolCallId]
TIME_OUT = 20.0
"""Seconds after which the world is taken not to answer."""


def ask(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> int:
    """One request to the world; the status of its answer."""
    connection = HTTPConnection(urlsplit(os.environ[WORLD]).netloc, timeout=TIME_OUT)
    try:
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, quote(path), sent, headers or {})
        return connection.getresponse().status
    finally:
        connection.close()


def act(name: str, ticket: str, call: str) -> str:
    """The effect: one request, which says who makes it."""
    given = {"tool": name, "call": call, "attempt": secrets.token_hex(8)}
    if ask("POST", f"/did/{ticket}", given) != 200:
        raise RuntimeError("the world didn't take it")
    return f"{name} did {ticket}"


# --- checks, probes and undos --------------------------------------------------------------------------------------


def well(arguments: dict[str, Any]) -> bool:
    """The health check of every watched action."""
    return ask("GET", f"/well/{arguments['ticket']}") == 200


def before(arguments: dict[str, Any]) -> dict[str, Any]:
    """What the undo needs to know."""
    return {"ticket": arguments["ticket"]}


def put_back(kept: dict[str, Any]) -> None:
    """Undo an effect."""
    ask("POST", f"/undid/{kept['ticket']}", {"tool": "switch"})


def present(kept: dict[str, Any]) -> str:
    """The fingerprint: whether the effect is there."""
    return str(ask("GET", f"/there/{kept['ticket']}"))


def touched(kept: dict[str, Any]) -> str:
    """The resource."""
    return kept["ticket"]


def found_out(arguments: dict[str, Any], key: str) -> str:
    """The probe: whether the effect is there."""
    return "happened" if ask("GET", f"/there/{arguments['ticket']}") == 200 else "absent"


@registered("send")
def deliver(payload: dict[str, Any], message: str) -> None:
    """Send a message of the outbox."""
    ask("POST", f"/mailed/{payload['ticket']}", {"message": message})


# --- tools ---------------------------------------------------------------------------------------------------------


@tool
def advise(ticket: str, tool_call_id: Id) -> str:
    """Advise; it must never run."""
    return act("advise", ticket, tool_call_id)


@tool
def propose(ticket: str, text: str) -> str:
    """Run once a person has accepted the draft of it, outside its graph, where nothing injects an id."""
    del text
    return act("propose", ticket, "")


@tool
def pay(ticket: str, amount: int, tool_call_id: Id) -> str:
    """Pay, after a yes."""
    return act("pay", ticket, tool_call_id)


@tool
def ship(ticket: str, tool_call_id: Id) -> str:
    """Ship. It may be lost on the way, and then nobody knows."""
    return act("ship", ticket, tool_call_id)


@tool
def charge(ticket: str, account: str, amount: int, tool_call_id: Id) -> str:
    """Charge an account. One of eight is refused, for certain."""
    if amount % 8 == 0:
        raise DefiniteFailure("the bank refused it")
    return act("charge", ticket, tool_call_id)


@tool
@probed_by(found_out)
def ping(ticket: str, tool_call_id: Id) -> str:
    """Do what can be looked up afterwards."""
    return act("ping", ticket, tool_call_id)


@tool
@reversible(prepare=before, undo=put_back, fingerprint=present, resource=touched)
def switch(ticket: str, tool_call_id: Id) -> str:
    """Switch something over."""
    return act("switch", ticket, tool_call_id)


@tool
@reversible(prepare=before, undo=put_back, fingerprint=present, resource=touched)
def tell(ticket: str, tool_call_id: Id) -> str:
    """Tell the world; a report says so afterwards."""
    return act("tell", ticket, tool_call_id)


def tools_in(folder: Path) -> list[BaseTool]:
    """All tools. Files and messages are in a folder.

    Args:
        folder: The run's.
    """
    box = undo.Outbox(folder / "outbox", send=deliver, hold="45s")

    @tool
    @undo.files("path", root=folder / "files")
    def write(ticket: str, path: str, tool_call_id: Id) -> str:
        """Write one more line into a file of its own."""
        with (folder / path).open("a") as file:
            file.write(f"{ticket}\n")
        return act("write", ticket, tool_call_id)

    @tool
    @undo.http_resource(os.environ[WORLD] + "/pages/{ticket}")
    def page(ticket: str, tool_call_id: Id) -> str:
        """Put a page up."""
        headers = {"X-Call": tool_call_id, "X-Attempt": secrets.token_hex(8), "Content-Type": "text/plain"}
        if ask("PUT", f"/pages/{ticket}", ticket.encode(), headers) != 200:
            raise RuntimeError("the world didn't take it")
        return f"page {ticket} is up"

    @tool
    @undo.outbox(box, match=before)
    def mail(ticket: str, tool_call_id: Id) -> str:
        """Post a message, which goes out after a while."""
        box.post(ticket=ticket)
        return act("mail", ticket, tool_call_id)

    return [advise, propose, pay, ship, charge, ping, switch, write, page, mail, tell]
