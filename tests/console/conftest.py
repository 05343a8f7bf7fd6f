"""A console in this process, with people who are signed in to it; each request is one that a browser would send."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from types import SimpleNamespace

import httpx
import pytest
from starlette.testclient import TestClient

from ladder_graph import Ladder
from ladder_graph.console import app, create_app, sign_in_link
from ladder_graph.console.answers import Said
from ladder_graph.console.entries import Entry
from ladder_graph.console.visitor import Visitor
from ladder_graph.policy import Policy

FORM = {"origin": "http://127.0.0.1:8642", "content-type": "application/x-www-form-urlencoded"}
"""What a browser sends with a form of ours."""
HOST = "http://127.0.0.1:8642"
"""Where it is."""


@dataclass
class Browser:
    """One person's browser: it follows nothing by itself, and sends forms as the page has them."""

    client: TestClient
    name: str = ""
    pages: list[str] = field(default_factory=list)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Look at a page."""
        return self.client.get(path, headers=headers)

    def token(self, page: str, to: str) -> str:
        """What the form to an address on a page brings along."""
        found = re.search(rf'action="{re.escape(to)}"[^>]*>\s*<input type="hidden" name="form" value="([^"]+)"', page)
        assert found, f"there is no form to {to} on the page"
        return found[1]

    def send(self, path: str, to: str | None = None, *, headers: dict[str, str] | None = None, **fields: str):
        """Send the form to an address from the page at `path`, with these fields.

        Args:
            path: The page that holds the form.
            to: Where the form goes; to the page itself where nothing is said.
            headers: Other headers than a browser's.
            fields: What is filled in.
        """
        to = to or path.partition("?")[0]
        page = self.get(path).text
        data = {"form": self.token(page, to), **fields}
        return self.client.post(to, data=data, headers={"origin": HOST, **(headers or {})})


@dataclass
class Console:
    """A console over a ladder."""

    ladder: Ladder

    def __post_init__(self) -> None:
        self.app = create_app(self.ladder)

    def stranger(self, address: str = "127.0.0.1") -> Browser:
        """A browser in which nobody is signed in.

        Args:
            address: Where it is, as the server sees it.
        """
        return Browser(TestClient(self.app, base_url=HOST, follow_redirects=False, client=(address, 50_000)))

    def visitor(self, name: str = "ana") -> Browser:
        """A browser in which somebody has just signed in."""
        browser = self.stranger()
        browser.name = name
        link = sign_in_link(self.ladder, name, by="ana")
        answer = browser.client.post(
            link, headers={"origin": HOST, "content-type": "application/x-www-form-urlencoded"}
        )
        assert answer.status_code == 303, answer.text
        return browser


def probe(visitor: Visitor) -> Said:
    """A page that says who looks at it, and what its form must bring; acting there says what came."""
    return Said({
        "by": visitor.person.name, "form": visitor.token(visitor.here), "took": dict(visitor.form.fields),
        "fresh": visitor.fresh(),
    })  # fmt: skip


@pytest.fixture
def probed(monkeypatch):
    """Consoles have a page `/probe/NAME` beside their own, on which a form can be tried."""
    found = (*app.ENTRIES, Entry("/probe/{name}", show=probe, take=probe))
    monkeypatch.setattr(app, "ENTRIES", found)


@pytest.fixture
def still(monkeypatch):
    """No time passes for what counts how fast somebody comes."""
    monkeypatch.setattr("ladder_graph.console.guarding.time", SimpleNamespace(monotonic=lambda: 0.0))


@pytest.fixture
def console():
    """Makes a console over a ladder that lives as long as the test."""
    with contextlib.ExitStack() as stack:

        def make(**ladder) -> Console:
            if isinstance(ladder.get("policy"), dict):
                ladder["policy"] = Policy.model_validate({"agent": "ops", **ladder["policy"]})
            told = {} if "policy" in ladder else {"agent": "ops", "rungs": {}}
            made = Ladder(**{"ledger": ":memory:", **told, **ladder})
            return Console(stack.enter_context(contextlib.closing(made)))

        yield make
