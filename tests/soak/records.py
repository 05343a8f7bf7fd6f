"""What a run left behind, read from outside: the ledger's tables by plain SQL, the world, the files and the outbox."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.soak.director import Act
from tests.soak.people import Answer
from tests.soak.world import Happening

US = 1_000_000
"""Microseconds in a second."""

TABLES = {
    "entries": "SELECT e.*, p.body FROM entry e LEFT JOIN payload p ON p.hash = e.payload ORDER BY e.stream, e.n",
    "actions": "SELECT a.*, p.body FROM action a LEFT JOIN payload p ON p.hash = a.payload ORDER BY a.at_us",
    "questions": "SELECT * FROM question ORDER BY asked_us",
    "watches": "SELECT * FROM watch",
    "reports": "SELECT * FROM report",
    "drafts": "SELECT * FROM draft",
    "quotas": "SELECT * FROM quota",
    "holds": "SELECT * FROM hold",
    "resumptions": "SELECT * FROM resumption",
    "standings": "SELECT * FROM standing",
}
"""What is read of the ledger."""


def tables(url: str, schema: str = "soak") -> dict[str, list[dict[str, Any]]]:
    """Every row that bears on what is checked, in one snapshot."""
    with psycopg.connect(url, row_factory=dict_row, options=f"-csearch_path={schema}") as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return {name: connection.execute(query).fetchall() for name, query in TABLES.items()}


def boxed(folder: Path) -> dict[str, Counter[str]]:
    """The messages of each call in the outbox, by the folder that they are in."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for path in (folder / "outbox").glob("*/*.json"):
        found[json.loads(path.read_bytes())["payload"]["ticket"]][path.parent.name] += 1
    return found


def written(folder: Path) -> dict[str, int]:
    """How many lines the file of each call has."""
    return {path.stem: len(path.read_text().splitlines()) for path in (folder / "files").glob("*.txt")}


@dataclass
class Records:
    """A run, as everybody who saw a part of it tells it."""

    ledger: Mapping[str, list[dict[str, Any]]]
    happenings: list[Happening]
    mails: Mapping[str, Counter[str]]
    files: Mapping[str, int]
    answers: list[Answer]
    drafts: list[tuple[str, str, bool | None]]
    acts: list[Act]
    rulings: Mapping[str, bool]
    """Actions in doubt that somebody found out about after the drain: whether they took effect."""
    by_action: dict[str, list[dict[str, Any]]] = field(init=False)
    """The entries of each action."""
    asked: dict[str, list[dict[str, Any]]] = field(init=False)
    """The questions about each action."""
    meant: dict[str, list[dict[str, Any]]] = field(init=False)
    """The actions that came of each ticket, oldest first."""
    did: dict[str, list[Happening]] = field(init=False)
    """The effects of each ticket."""
    came: dict[str, Counter[str]] = field(init=False)
    """What else happened of each ticket, counted by its kind."""

    def __post_init__(self) -> None:
        self.by_action, self.asked, self.meant = defaultdict(list), defaultdict(list), defaultdict(list)
        self.did, self.came = defaultdict(list), defaultdict(Counter)
        for entry in self.ledger["entries"]:
            entry["said"] = json.loads(entry["body"] or "{}")
            self.by_action[entry["action"]].append(entry)
        for question in self.ledger["questions"]:
            self.asked[question["action"]].append(question)
        for action in self.ledger["actions"]:
            action["arguments"] = json.loads(action["body"])["arguments"]
            self.meant[self.ticket(action)].append(action)
        for one in self.happenings:
            if one.kind == "did":
                self.did[one.ticket].append(one)
            self.came[one.ticket][one.kind] += 1

    @staticmethod
    def ticket(action: Mapping[str, Any]) -> str:
        """What an action is called in the world."""
        return str(action["arguments"]["ticket"])

    def starts(self, action: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The entries by which an action was claimed; a takeover is none."""
        return [
            one for one in self.by_action[action["key"]] if one["kind"] == "started" and "takeover" not in one["said"]
        ]

    def yes(self, action: Mapping[str, Any]) -> bool:
        """Whether a person let it run."""
        return bool(action["actor"]) or any(one["state"] == "used" for one in self.asked[action["key"]])

    def unasked(self, tool: str) -> list[dict[str, Any]]:
        """The actions of a tool that ran unasked, and took something from its quotas for good."""
        return [
            one for one in self.ledger["actions"]
            if one["tool"] == tool and one["state"] != "failed" and self.starts(one) and not self.yes(one)
        ]  # fmt: skip

    def net(self, ticket: str, tool: str) -> int:
        """How much of the effect of a ticket is there at the end."""
        if tool == "write":
            return self.files.get(ticket, 0)
        if tool == "mail":
            return sum(count for place, count in self.mails.get(ticket, {}).items() if place != "taken-back")
        return len(self.did[ticket]) - self.came[ticket]["undid"]
