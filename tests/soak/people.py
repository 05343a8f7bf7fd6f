"""People at the console: each has a browser of their own, looks, thinks a while, and decides."""

from __future__ import annotations

import logging
import random
import re
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from ladder_graph.console.fields import id_of
from tests.console.asking import fields
from tests.programs import Program

log = logging.getLogger("soak")

LINK = re.compile(r"(http\S+)(/signin/\S+)")
QUESTION = re.compile(r'href="/confirm/([0-9a-f]{16})"')
DRAFT = re.compile(r'href="(/drafts/[0-9a-f]{16,})"')
THINKING = 0.15
"""Seconds that somebody thinks about a question, on average."""
OF_PAY = {"run": 0.6, "decline": 0.2, "edit": 0.2}
"""How a payment is answered."""
OF_OTHERS = {"run": 0.7, "decline": 0.3}


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody said of a question, and whether the console took it."""

    question: str
    verdict: str
    """run, decline or edit."""
    taken: bool | None
    """Whether it was taken; None where the console died before it said so."""
    by: str
    at: float


class Somebody:
    """One person at the console.

    Args:
        name: Who.
        at: Where the console is.
        folder: Where the policy lies.
        env: The environment of the command line.
        seed: What their answers are drawn from.
    """

    def __init__(self, name, at, folder, env, seed):
        self.name, self.at, self.folder, self.env = name, at, folder, env
        self.dice = random.Random(f"{seed} {name}")  # noqa: S311  # it makes no secrets
        self.client = httpx.Client(base_url=at, timeout=15, follow_redirects=False)
        self.answers: list[Answer] = []
        self.drafts: list[tuple[str, str, bool | None]] = []
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self):
        """Begin to work."""
        self._thread.start()

    def stop(self):
        """Go home."""
        self.over.set()
        self._thread.join(60)
        self.client.close()

    def _work(self):
        while not self.over.is_set():
            try:
                busy = self._look()
            except (httpx.HTTPError, AssertionError) as wrong:  # the console or its database is away
                log.info("%s: %s: %s", self.name, type(wrong).__name__, wrong)
                busy = False
            self.over.wait(self.dice.expovariate(1 / THINKING) if busy else 0.5)

    def _look(self):
        """Take something from the list, and decide about it; whether there was anything."""
        page = self._get("/confirm")
        found = sorted(set(QUESTION.findall(page)))
        if found:
            self._decide(self.dice.choice(found))
        if self.dice.random() < 0.2 and (drafts := sorted(set(DRAFT.findall(self._get("/drafts"))))):
            self._draft(self.dice.choice(drafts))
        return bool(found)

    def _get(self, path):
        """A page; whoever isn't signed in, signs in."""
        answer = self.client.get(path)
        if answer.status_code in {302, 303, 307, 401} or "/signin" in answer.headers.get("location", ""):
            self._sign_in()
            answer = self.client.get(path)
        if answer.status_code == 429:
            self.over.wait(1)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer.text

    def _sign_in(self):
        """Get a link from somebody at the command line, and press its button."""
        program = Program(
            ["-m", "ladder_graph.cli", "console", "link", self.name, "--at", self.at], self.folder, self.env
        )
        said = LINK.search(program.said())
        assert said, "no link was to be had"
        self._send(said[2].strip(), {})

    def _send(self, path, data):
        return self.client.post(path, data=data, headers={
            "origin": self.at, "content-type": "application/x-www-form-urlencoded",
        })  # fmt: skip

    def _press(self, page, address, **filled):
        return self._send(address, {**fields(page, address), **filled})

    # --- what they say -----------------------------------------------------------------------------------------

    def _decide(self, question):
        path = f"/confirm/{question}"
        page = self._get(path)
        ways = OF_PAY if "<code>pay</code>" in page else OF_OTHERS
        verdict = self.dice.choices(list(ways), list(ways.values()))[0]
        if f'value="{verdict}"' not in page:  # Somebody else was quicker, or its time is up.
            return
        taken = None
        try:
            if verdict == "edit":
                answer = self._edit(path, page)
            else:
                answer = self._press(page, path, decision=verdict, note="as it was drawn")
            taken = answer.status_code == 303
        finally:
            self.answers.append(Answer(question, verdict, taken, self.name, time.time()))

    def _edit(self, path, page):
        """Put another amount in: look at old and new, and let the new one run."""
        edit, amount = f"{path}/edit", id_of("amount")
        shown = self._press(page, path, decision="edit")
        if f'action="{edit}"' not in shown.text:
            return shown
        other = {f"arg.{amount}": str(self.dice.randint(100, 199)), f"is.{amount}": "value"}
        compared = self._press(shown.text, edit, step="look", **other)
        if 'value="run"' not in compared.text:
            return compared
        return self._press(compared.text, edit, step="run", note="another amount")

    def _draft(self, path):
        page = self._get(path)
        if 'value="use"' not in page:
            return
        verdict, taken = self.dice.choice(("use", "use", "discard")), None
        try:
            taken = self._press(page, path, decision=verdict, note="as it was drawn").status_code == 303
        finally:
            self.drafts.append((urlsplit(path).path.rpartition("/")[2], verdict, taken))
