"""A ledger of a crowd: 100,000 waiting questions and 1,000,000 entries in whole chains, as months of use leave them.

It is written in bulk, past the gate, and kept in `build/` between runs. `python -m benchmarks.crowd` builds it and says
how long that took.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ladder_graph import Ladder
from ladder_graph.calls import Call, normalise
from ladder_graph.components import toolset_component
from ladder_graph.drafting.drawn import Drawn, Piece
from ladder_graph.facts import Person
from ladder_graph.fingerprint import Environment
from ladder_graph.ledger import Journal
from ladder_graph.ledger.actions.lifecycle import mentions
from ladder_graph.ledger.actions.questions import micros, question_digest
from ladder_graph.ledger.database.dialects import table_of
from ladder_graph.ledger.database.migrations import TABLES
from ladder_graph.ledger.gate import acts
from ladder_graph.ledger.proof.chain import entry_hash, payload_hash
from ladder_graph.policy import Policy
from ladder_graph.policy.reading import policy_of

WAITING, ENTRIES = 100_000, 1_000_000
"""Open questions, and entries in all chains."""
AGENT = "shop"
INSIDE = ("research", "mail", "stock")
"""The agents inside it."""
END = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)
"""When the last call was proposed."""
DAYS = 90
"""Days from the first call to the last."""
PEOPLE = ("ana", "bo", "dana", "jonas", "rita")
WHERE = Path("build")

_READ = ("look_up_order", "look_up_customer", "search_catalogue", "read_page", "list_returns", "track_parcel")
_BOUND = ("add_note", "tag_ticket", "send_reply", "update_address", "reserve_item", "book_courier")
_ASKED = ("refund_payment", "cancel_order", "send_newsletter", "change_price", "delete_review", "issue_voucher")
_LOW = ("write_offer", "propose_discount")
"""Tools, by the rung that they stand on."""
_HASHES = dict.fromkeys((*_READ, *_BOUND, *_ASKED, *_LOW), "d" * 64)
ENV = Environment(
    "scripted", "m-1", "m-1-2026-01-01", prompt="p" * 64, parameters="{}", toolset=toolset_component(_HASHES),
    tools=_HASHES,
)  # fmt: skip
"""What proposed all of it."""


def policy(ledger: str) -> Policy:
    """The policy that the crowd works under."""
    people = {name: {"roles": ["reviewer"], "labels": ["customer-data"] if name != "bo" else []} for name in PEOPLE}
    bound = {"kind": "volume", "limit": 5000}
    read: dict[str, Any] = {"rung": "report", "read_only": True, "bounds": [bound]}
    write = {"rung": "bounded", "mistake": "$20", "bounds": [bound]}
    asks: dict[str, Any] = {"rung": "confirm", "mistake": "$200", "confirm": {"by": ["role:reviewer"]}}
    tools: dict[str, Any] = {
        **dict.fromkeys(_READ, read), **dict.fromkeys(_BOUND, write), **dict.fromkeys(_ASKED, asks),
        "write_offer": {"rung": "draft"}, "propose_discount": {"rung": "suggest"},
    }  # fmt: skip
    tools["refund_payment"] = {**asks, "labels": ["customer-data"], "impact": "high"}
    return policy_of(
        {
            "agent": AGENT,
            "ledger": ledger,
            "people": people,
            "reports": {"reader": "rita", "sla": "3d"},
            "tools": tools,
        },
        "the crowd",
    )


def opened(*, waiting: int = WAITING, entries: int = ENTRIES, directory: Path = WHERE) -> Ladder:
    """The ladder on a crowd's ledger, which is built where it isn't there yet; its clock stands a minute after the end.

    Args:
        waiting: Open questions.
        entries: Entries in all chains.
        directory: Where it is kept.
    """
    file = built(waiting, entries, directory)
    return Ladder(policy=policy(str(file)), clock=lambda: END + dt.timedelta(minutes=1))


def built(waiting: int = WAITING, entries: int = ENTRIES, directory: Path = WHERE) -> Path:
    """The ledger's file, under a name that tells what is in it: another schema or another crowd is another file."""
    said = "".join(str(table_of(model).columns) + str(sorted(map(str, table_of(model).indexes))) for model in TABLES)
    made = hashlib.sha256(f"{said}{Path(__file__).read_text()}".encode()).hexdigest()[:8]
    file = directory / f"crowd-{waiting}-{entries}-{made}.db"
    if not file.exists():
        directory.mkdir(parents=True, exist_ok=True)
        for old in directory.glob(f"crowd-{waiting}-{entries}-*"):
            old.unlink()
        draft = file.with_suffix(".part")
        _Crowd(draft, waiting, entries).build()
        draft.rename(file)
        for beside in directory.glob(f"{draft.name}*"):
            beside.unlink()
    return file


@dataclass
class _Crowd:
    """Writes one."""

    file: Path
    waiting: int
    entries: int
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    filed: dict[str, int] = field(default_factory=dict)
    batch: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def build(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.file.unlink()
        self.policy = policy(str(self.file))
        self.rules = {tool: self.policy.rule(tool) for tool in self.policy.named}
        with closing(Ladder(policy=self.policy, clock=lambda: END - dt.timedelta(days=DAYS))) as ladder:
            journal = Journal(ladder.store.owner, self.policy.revision, ladder.clock())
            for agent in self.agents():
                ladder.store.write(
                    lambda cursor, agent=agent: acts.pin(journal, cursor, agent, ENV, Person(PEOPLE[0], "code"))
                )
            self.heads = {stream: (n, digest) for stream, n, digest in ladder.heads()}
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA cache_size = -200000")
            indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
            indexes = indexes.fetchall()
            for name, _ in indexes:
                connection.execute(f"DROP INDEX {name}")
            self._fill(connection)
            for _, sql in indexes:
                connection.execute(sql)
            connection.commit()
            connection.execute("PRAGMA journal_mode = WAL")

    def agents(self) -> list[str]:
        return [AGENT, *(f"{AGENT}/{name}" for name in INSIDE)]

    # --- what happens ----------------------------------------------------------------------------------------

    def _fill(self, connection: sqlite3.Connection) -> None:
        """Calls that are over, and then those that wait, in the order of time."""
        over = self.entries - 2 * self.waiting - sum(n for n, _ in self.heads.values())
        began, span = micros(END) - DAYS * _DAY, (DAYS - 1) * _DAY
        done, number = 0, 0
        while done < over:
            at = began + span * done // over
            done += self._over(number, at, over - done)
            number += 1
            self._write(connection)
        for n in range(self.waiting):
            self._asked(number + n, micros(END) - _DAY + _DAY * n // self.waiting)
            self._write(connection)
        for stream, (n, digest) in self.heads.items():
            connection.execute("UPDATE head SET n = ?, hash = ? WHERE stream = ?", (n, digest, stream))
        self._write(connection, last=True)

    def _over(self, number: int, at: int, left: int) -> int:
        """One call that is over; how many entries it left."""
        by = PEOPLE[number % len(PEOPLE)]
        if left < len(_ASKED):  # So that the sum is even.
            return self._steps(number, at, _BOUND, 3, ("started", "done")[:left], by)
        tools, rung, steps = _LIVES[number % len(_LIVES)]
        if number % 31 == 0:
            steps = _RARELY.get(steps, steps)
        return self._steps(number, at, tools, rung, steps, by)

    def _steps(self, number: int, at: int, tools: tuple[str, ...], rung: int, steps: tuple[str, ...], by: str) -> int:
        """The entries and the rows of one call."""
        call = self._call(self.agents()[(number // 7) % 4], f"t{number // 12}", number, tools)
        first, last, moment = "", "", at
        for turn, kind in enumerate(steps):
            moment = at + turn * (30 if kind in _BY_PEOPLE else 1) * 1_000_000
            body = self._said(call, rung, kind, number, moment, by, first=not turn)
            payload = self._entry(call.agent, moment, kind, call.key, body)
            first, last = first or payload, payload
        state = next(kind for kind in reversed(steps) if kind not in {"acknowledged", "question", "draft"})
        self._action(call, rung, state, at, moment, first)
        if tools is _READ:
            read = moment if steps[-1] == "acknowledged" else None
            self._report(call, at, read)
        if state == "drafted":
            self.batch["draft"].append({
                "action": call.key, "agent": call.agent, "path": f"{call.key[:12]}.txt", "sha256": call.digest,
                "state": "rejected" if number // 20 % 4 else "waiting", "by": "", "reason": "", "kind": "text",
                "digest": call.digest, "payload": last, "target": call.key, "labels": "[]", "made_us": at, "auth": "",
                "decided_us": at if number % 4 else None, "looked_us": None, "left_out": "", "runs": "",
                "superseded_by": "",
            })  # fmt: skip
        return len(steps)

    def _report(self, call: Call, at: int, read: int | None) -> None:
        """A report in the digest of its day; those that somebody has read, and those that nobody has, lie apart."""
        begins = at - at % _DAY
        digest = hashlib.sha256(f"{call.agent}/{begins}/{read is None}".encode()).hexdigest()[:32]
        said = {"calls": 50, "failed": 0, "undone": 0, "new_targets": 0}
        place = self.filed[digest] = self.filed.get(digest, -1) + 1
        if not place:
            due = begins + 4 * _DAY
            self.batch["digest"].append({
                "id": digest, "agent": call.agent, "channel": "", "state": "unread" if read is None else "read",
                "about": "period", "readers": '["rita"]', "calls": 50, "begins_us": begins, "ends_us": begins + _DAY,
                "due_us": due, "sla_us": 3 * _DAY, "opened_us": at, "boot": "", "opened_boot_us": 0,
                "next_us": due if read is None else None, "next_boot_us": None, "made_us": begins + _DAY,
                "body": json.dumps({"counts": said, "before": None, "seed": digest}), "hash": digest,
                "reminded_us": None, "escalated_us": None, "lapsed_us": None, "fell": "", "read_us": read,
                "by": "" if read is None else "rita", "note": "", "looked": None,
            })  # fmt: skip
        self.batch["report"].append({
            "digest": digest, "action": call.key, "agent": call.agent, "filed_us": at,
            "place": place if place < _SHOWN else None, "flags": "",
            "verdict": "fine" if read is not None and place < _SHOWN else "", "by": "" if read is None else "rita",
            "said_us": read, "came": "",
        })  # fmt: skip

    def _said(
        self, call: Call, rung: int, kind: str, number: int, at: int, by: str, *, first: bool
    ) -> Mapping[str, Any]:  # fmt: skip
        """What an entry says."""
        if first:
            return self._placed(call, rung)
        if kind == "question":
            return self._question(call, number, at, by)
        if kind == "draft":
            drawn = Drawn("text", (Piece("text", _TEXT, _TEXT.replace("the", "this")),), _TEXT)
            return {
                "draft": drawn.to_json(),
                "shown": drawn.digest,
                "file": f"{call.key[:12]}.md",
                "sha256": call.digest,
            }
        if kind in _BY_PEOPLE:
            looked = {"looked": 20.0 + number % 60, "characters": 300}
            return {"by": by, "auth": "os-user", "reason": "not this one" if kind == "declined" else "", **looked}
        return {"fence": 1, "rung": rung, "actor": ""} if kind == "started" else {}

    def _call(self, agent: str, thread: str, number: int, tools: tuple[str, ...]) -> Call:
        tool = tools[(number // 3) % len(tools)]
        return Call(agent, thread, f"c{number}", tool, {"order": f"o-{number}", "amount": number % 97}, self._key(tool))

    def _asked(self, number: int, at: int) -> None:
        """One call that waits for an answer."""
        agent = self.agents()[number % 4]
        call = self._call(agent, f"t{number // 3}", number, _ASKED)
        first = self._entry(agent, at, "asked", call.key, self._placed(call, 2))
        self._entry(agent, at + 1000, "question", call.key, self._question(call, number, at))
        self._action(call, 2, "asked", at, at, first)

    def _placed(self, call: Call, rung: int) -> dict[str, Any]:
        return {
            "tool": call.tool, "arguments": normalise(call.arguments), "digest": call.digest, "thread": call.thread,
            "call": call.id, "env": call.env, "scope": "", "rung": rung, "reasons": [["policy", "the policy says so"]],
        }  # fmt: skip

    def _question(self, call: Call, number: int, at: int, by: str = "") -> dict[str, Any]:
        rule = self.rules[call.tool]
        name = f"{number:016x}"
        digest = question_digest(call, "", rule.revision, "")
        expires = at + 2 * _DAY + number % 977 * 60_000_000
        self.batch["question"].append({
            "id": name, "action": call.key, "round": 1, "agent": call.agent, "tool": call.tool, "digest": digest,
            "state": "used" if by else "open", "asked_us": at, "expires_us": expires,
            "impact": rule.impact, "mistake": rule.mistake, "may_answer": json.dumps(rule.confirm.by),
            "typed": rule.confirm.type, "decisions": json.dumps(rule.confirm.decisions), "quorum": 1,
            "not_requester": False, "requester": "", "requester_auth": "", "nonce": "", "tool_version": "",
            "rule": rule.revision, "undo": "", "part_first": False, "by": by,
            "auth": "os-user" if by else "", "reason": "", "answered_us": at + 30_000_000 if by else None,
        })  # fmt: skip
        return {
            "question": name,
            "digest": digest,
            "tool": "",
            "undo": "",
            "requester": "",
            "requester_auth": "",
            "quorum": 1,
        }

    def _key(self, tool: str) -> str | None:
        if tool not in _KEYS:
            _KEYS[tool] = ENV.key(tool)
        return _KEYS[tool]

    # --- rows ------------------------------------------------------------------------------------------------

    def _entry(self, stream: str, at: int, kind: str, action: str, body: Mapping[str, Any]) -> str:
        n, prev = self.heads[stream]
        text = _json({"policy": self.policy.revision, **body})
        salt = hashlib.sha256(f"{stream} {n}".encode()).digest()[:16]
        payload = payload_hash(salt, text)
        digest = entry_hash(prev, stream, n + 1, at, kind, action, payload)
        self.heads[stream] = n + 1, digest
        self.batch["payload"].append({"hash": payload, "salt": salt, "body": text})
        self.batch["entry"].append({
            "stream": stream, "n": n + 1, "at_us": at, "kind": kind, "action": action, "payload": payload,
            "prev": prev, "hash": digest,
        })  # fmt: skip
        for sort, name in mentions(action, body):
            self.batch["mention"].append({"sort": sort, "name": name, "stream": stream, "at_us": at, "n": n + 1})
        return payload

    def _action(self, call: Call, rung: int, state: str, began: int, updated: int, payload: str) -> None:
        self.batch["action"].append({
            "key": call.key, "agent": call.agent, "thread": call.thread, "call_id": call.id, "tool": call.tool,
            "digest": call.digest, "env": call.env, "scope": "", "checkpoint": "", "rung": rung, "state": state,
            "owner": "", "fence": 0, "at_us": began, "updated_us": updated, "payload": payload,
            "why": "the policy says so", "text": "", "reply": None, "artifact": None, "actor": "", "verdict": "",
            "outside": "", "successor": "",
        })  # fmt: skip

    def _write(self, connection: sqlite3.Connection, *, last: bool = False) -> None:
        if len(self.batch["entry"]) < _BATCH and not last:
            return
        for table, found in self.batch.items():
            if found:
                rows = [{**_DEFAULTS[table], **row} for row in found]
                values = ", ".join(f":{name}" for name in rows[0])
                columns = ", ".join(f'"{name}"' for name in rows[0])
                connection.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({values})', rows)  # noqa: S608  # ours
        self.batch.clear()


_DAY = 86_400_000_000
_SHOWN = 6
_DEFAULTS = {
    str(model.__tablename__): {
        name: made.default for name, made in model.model_fields.items() if not made.is_required()
    }
    for model in TABLES
}  # fmt: skip
"""What columns hold of which nothing is said here."""
_TEXT = "\n\n".join(f"Paragraph {n} of the offer: the goods come on the day that was agreed." for n in range(12))
_BATCH = 20_000
"""Entries that are written at a time."""
_BY_PEOPLE = frozenset({"approved", "declined", "acknowledged"})
_LIVES: tuple[tuple[tuple[str, ...], int, tuple[str, ...]], ...] = (
    *[(_READ, 5, ("started", "done", "acknowledged"))] * 7,
    *[(_BOUND, 3, ("started", "done"))] * 6,
    *[(_ASKED, 2, ("asked", "question", "approved", "started", "done"))] * 5,
    (_LOW[:1], 1, ("drafted", "draft")),
    (_LOW[1:], 0, ("suggested",)),
)  # fmt: skip
"""What becomes of twenty calls: by which tools, on which rung, and the kinds of their entries."""
_RARELY = {
    ("started", "done", "acknowledged"): ("started", "done"),
    ("started", "done"): ("started", "failed"),
    ("asked", "question", "approved", "started", "done"): ("asked", "question", "declined"),
}
"""What becomes of one in thirty."""
_KEYS: dict[str, str | None] = {}
_json = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def main() -> None:
    """Build the crowd's ledger anew, and say how long that took."""
    began = time.process_time()
    with closing(opened()) as ladder:
        entries = sum(n for _, n, _ in ladder.heads())
        print(f"{ladder.store.source}: {entries:,} entries, {time.process_time() - began:.0f} s")


if __name__ == "__main__":
    main()
