"""Where each action is in its life: one row an action, and one entry of the chain for each of its steps."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ladder_graph.answers import same
from ladder_graph.calls import Call, normalise, restore
from ladder_graph.entropy import draw
from ladder_graph.facts import Known, Route
from ladder_graph.fingerprint import Environment
from ladder_graph.ledger.actions import parts
from ladder_graph.ledger.actions.questions import micros
from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.cursor import Cursor, Read, change_one, remote
from ladder_graph.ledger.database.liveness import Owner
from ladder_graph.ledger.proof.chain import GENESIS, entry_hash, payload_hash
from ladder_graph.policy import Policy
from ladder_graph.policy.trusting import Scope
from ladder_graph.states import AT_WORK, State, may_follow
from ladder_graph.steps import NotClaimed

_json = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


class Refused(Exception):
    """Carries a refusal out of its transaction, so that nothing of it stays. It is no error, and nobody sees it."""

    def __init__(self, refusal: NotClaimed) -> None:
        self.refusal = refusal
        super().__init__(refusal.text)


@dataclass(frozen=True, slots=True)
class Actions:
    """The actions of a ledger, as one process sees and changes them at one moment.

    Args:
        owner: This process.
        revision: The policy's revision, which every entry carries.
        now: The moment of the transaction.
    """

    owner: Owner
    revision: str
    now: dt.datetime
    checkpoint: str = ""
    """Where the conversation stands that proposes what is entered."""
    scope: Scope | None = None
    """By what the calls of this tool are told apart for trust."""
    policy: Policy | None = None
    """Who is told of what waits; without it nobody is."""
    us: int = field(init=False)
    """The moment in microseconds since the epoch."""
    _ends: dict[str, tuple[Cursor, int, str]] = field(default_factory=dict, init=False)
    """The end of a chain, where it was read on the way: number and hash of its last entry. It holds for the cursor that
    read it: work that is tried anew has another one, and what it read before may never have been."""
    written: list[tuple[str, int]] = field(default_factory=list, init=False)
    """Chain and number of each entry that was added."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "us", micros(self.now))

    def known(self, cursor: Cursor, key: str) -> Known | None:
        """One action, or None where the ledger never heard of it."""
        row = cursor.execute(sql.ACTION, {"key": key}).fetchone()
        if row is None:
            return None
        after = cursor.execute(sql.ACTION, {"key": row["successor"]}).fetchone() if row["successor"] else None
        call, parted = call_of(row), None
        if row["fence"] and row["artifact"] is None:  # What goes by a part first has no undo of its own.
            parted = parts.of(cursor, key)
        return Known(
            call=call, state=State(row["state"]), text=row["text"], reply=row["reply"],
            owner_alive=self.running(row), fence=row["fence"], checkpoint=row["checkpoint"],
            artifact=None if row["artifact"] is None else _stored(row["artifact"]),
            successor=None if after is None else call_of(after),
            parted=parted is not None, split=None if parted is None else parts.split_of(cursor, call, parted),
        )  # fmt: skip

    def scope_of(self, call: Call) -> str:
        """The scope that a call is in; empty where its tool has none."""
        return "" if self.scope is None else self.scope.of(call.arguments)

    def running(self, row: Any) -> bool:
        """Whether somebody may be running an action at this moment, from its state, owner, key and fence."""
        started = row["state"] in AT_WORK
        return started and self.owner.alive(row["owner"], row["key"], row["fence"])

    def place(self, cursor: Cursor, call: Call) -> Any:
        """Where an action is in its life: key, state, owner and fence; None where it is nowhere yet."""
        return self.stood(cursor, call)[0]

    def stood(self, cursor: Cursor, call: Call) -> tuple[Any, int]:
        """As `place`, with how long its agent's chain is; -1 where the thread has seen the same call before."""
        found = cursor.execute(*self.standing(call)).fetchone()
        if found is None:
            return cursor.execute(sql.PLACE, {"key": call.key}).fetchone(), -1
        self._ends[call.agent] = cursor, found["n"], found["hash"]
        return None if found["key"] is None else found, -1 if found["like"] else found["n"]

    def standing(self, call: Call) -> Read:
        """The query by which it is found where an action stands, to be asked ahead of everything it is held against."""
        return sql.PLACE_AND_HEAD, {
            "key": call.key, "stream": call.agent, "thread": call.thread, "digest": call.digest,
        }  # fmt: skip

    def append(self, cursor: Cursor, stream: str, kind: str, action: str, body: Mapping[str, Any]) -> str:
        """Add an entry to the chain of an agent.

        Returns:
            The payload's hash.
        """
        payload, salt, text = self.salted(body)
        # What was read just now holds for the one entry that follows it.
        end = self._ends.pop(stream, None)
        if end is not None and end[0] is cursor:
            _, n, prev = end
        else:
            n, prev = cursor.execute(sql.HEAD, {"stream": stream}).fetchone() or (0, GENESIS)
        self.written.append((stream, n + 1))
        digest = entry_hash(prev, stream, n + 1, self.us, kind, action, payload)
        entry = {
            "stream": stream, "n": n + 1, "at_us": self.us, "kind": kind, "action": action, "payload": payload,
            "prev": prev, "hash": digest, "salt": salt, "body": text,
        }  # fmt: skip
        for statement in sql.APPEND_EACH if remote(cursor) is None else (sql.APPEND,):
            cursor.execute(statement, entry)
        for sort, name in mentions(action, body):
            cursor.execute(sql.INSERT_MENTION, {
                "sort": sort, "name": name, "stream": stream, "at_us": self.us, "n": n + 1,
            })  # fmt: skip
        return payload

    def append_once(self, cursor: Cursor, stream: str, kind: str, body: Mapping[str, Any]) -> bool:
        """Add an entry about no single action, unless exactly this was said before under this policy.

        Returns:
            Whether it is new.
        """
        text = printable(_json({"policy": self.revision, **body}))
        if cursor.execute(sql.SAID, {"stream": stream, "kind": kind, "body": text}).fetchone() is not None:
            return False
        self.append(cursor, stream, kind, "", body)
        return True

    def move(
        self, cursor: Cursor, call: Call, state: State, *, body: Mapping[str, Any], text: str | None = None,
        actor: str | None = None, successor: str | None = None, place: Any = None,
    ) -> None:  # fmt: skip
        """One step of an action's life, with its entry.

        Args:
            cursor: In a transaction.
            call: The action's.
            state: What it comes to.
            body: What the entry says.
            text: What its model reads of it; None where that stays.
            actor: In whose name it runs; None where that stays.
            successor: The key of the call in its place; None where there is none.
            place: Where it was found in this transaction, with the end of its chain; it is found anew without.

        Raises:
            ValueError: The table of states doesn't have this step, which is an error of ours.
        """
        place = place or self.place(cursor, call)
        if place is None or not may_follow(State(place["state"]), state):
            raise ValueError(f"action {call.short} can't become {state} from {place['state'] if place else 'nothing'}")
        self.step_on(cursor, call, place, state, text=text, actor=actor, successor=successor)
        self.append(cursor, call.agent, state, call.key, body)

    def step_on(self, cursor: Cursor, call: Call, place: Any, after: State, **new: Any) -> None:
        """Move an action on from the place where it was found in this transaction; see `step`."""
        change_one(cursor, sql.MOVE_ACTION_ON, self._moved(call, place["state"], place["fence"], after, new))

    def step(self, cursor: Cursor, call: Call, before: str, under: int, after: State, **new: Any) -> Any:
        """Move an action on, if state and fence are as the caller saw them.

        Args:
            cursor: In a transaction.
            call: The action's.
            before: The state it is in.
            under: The fence it was claimed under.
            after: The state it comes to.
            new: Columns that change with it, of those that `KEPT` names; the others stay as they are.

        Returns:
            Its row, which says how long its `undo` is; None where it wasn't moved.
        """
        moved = {**self._moved(call, before, under, after, new), "stream": call.agent}
        found = cursor.execute(sql.MOVE_ACTION, moved).fetchone()
        if found is not None and found["n"] is not None:
            self._ends[call.agent] = cursor, found["n"], found["hash"]
        return found

    def _moved(self, call: Call, before: str, under: int, after: State, new: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "b_key": call.key, "b_state": before, "b_fence": under, "state": after, "updated_us": self.us,
            **dict.fromkeys(sql.KEPT), **new,
        }  # fmt: skip

    def enter(
        self, cursor: Cursor, call: Call, state: State, route: Route, *, text: str = "",
        artifact: str | None = None, watch: str = "", fence: int = 0, edited_from: str = "", part_of: str = "",
        filed: tuple[str, int] | None = None,
    ) -> None:  # fmt: skip
        """Write an action down for the first time, with the arguments, the reasons, and the digest it is filed in."""
        body = {
            **self.proposed(call, route),
            **({"edited_from": edited_from} if edited_from else {}), **({"part_of": part_of} if part_of else {}),
            **({"report": filed[0], "read_by": filed[1]} if filed else {}), **sealed(artifact, watch),
        }  # fmt: skip
        payload = self.append(cursor, call.agent, state, call.key, body)
        cursor.execute(sql.INSERT_ACTION, {
            **self.row(call, state, route, fence), "payload": payload, "text": text, "artifact": artifact,
        })  # fmt: skip

    def proposed(self, call: Call, route: Route) -> dict[str, Any]:
        """What the first entry about an action says in any case."""
        return {
            "tool": call.tool, "arguments": normalise(call.arguments), "digest": call.digest, "thread": call.thread,
            "call": call.id, "env": call.env, "scope": self.scope_of(call), **placed(route),
        }  # fmt: skip

    def salted(self, body: Mapping[str, Any]) -> tuple[str, bytes, str]:
        """A payload: its hash, its salt and its text."""
        text = printable(_json({"policy": self.revision, **body}))
        salt = draw()
        return payload_hash(salt, text), salt, text

    def row(self, call: Call, state: State, route: Route, fence: int) -> dict[str, Any]:
        """The row of an action that the ledger hears of for the first time."""
        return {
            "key": call.key, "agent": call.agent, "thread": call.thread, "call_id": call.id, "tool": call.tool,
            "digest": call.digest, "env": call.env, "scope": self.scope_of(call), "checkpoint": self.checkpoint,
            "rung": int(route.rung), "state": state,
            "owner": self.owner.hold() if fence else "", "fence": fence, "at_us": self.us, "updated_us": self.us,
            "payload": "", "why": route.why, "text": "", "reply": None, "artifact": None, "actor": "",
            "verdict": "", "outside": ",".join(route.outside), "successor": "",
        }  # fmt: skip


def mentions(action: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """By what an entry is found beside its action: the person who made it, and the tool where it is about no action.

    Args:
        action: The action's key; empty for what is about no single one.
        body: What the entry says.
    """
    person = body.get("by") or body.get("actor")
    if person and isinstance(person, str):
        yield "person", same(printable(person))
    tool = body.get("tool") if not action else None
    if tool and isinstance(tool, str):
        yield "tool", printable(tool)


def sealed(artifact: str | None, watch: str) -> dict[str, str]:
    """The digests of an undo artifact and of what is watched, for an entry: what is used later must be what was stored.

    Args:
        artifact: The undo artifact as it is stored; None where the action can't be undone.
        watch: What is watched, as it is kept with the window.
    """
    if artifact is None:
        return {}
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in (("undo", artifact), ("watch", watch))}


def _stored(artifact: str) -> Any:
    """An undo artifact; empty where somebody made something else of it, which is found out before it is run."""
    try:
        found = json.loads(artifact)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def placed(route: Route) -> dict[str, Any]:
    """The rung and the reasons, for an entry."""
    return {"rung": int(route.rung), "reasons": [[reason.code, reason.text] for reason in route.reasons]}


def pinned_in(components: str | None) -> Environment | None:
    """The pinned environment from its column, or None where there is none."""
    return None if components is None else Environment.read(components, "the ledger's pin")


def printable(text: str) -> str:
    """The same text with half surrogate pairs escaped: a tool's error may hold them, and a database can't."""
    return text.encode("utf-8", "backslashreplace").decode()


def call_of(row: Mapping[str, Any]) -> Call:
    """The call of an action's row joined with its payload; erased arguments come back empty."""
    arguments = restore(json.loads(row["body"])["arguments"]) if row["body"] else {}
    call = Call(row["agent"], row["thread"], row["call_id"], row["tool"], arguments, row["env"])
    for name in ("digest", "key"):  # Erased arguments can't give them any more.
        object.__setattr__(call, name, row[name])
    return call
