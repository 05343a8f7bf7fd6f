"""What a ledger knows of each call: read from its tables, thread by thread, and never written to.

What somebody put in a call's place, and the parts that a call was divided into, are no calls of the model's, so they
have no account of their own.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from sqlalchemy import and_, bindparam, func, literal_column, or_, select

from ladder_graph.errors import LadderError, NotALedger
from ladder_graph.fingerprint import Environment
from ladder_graph.hosts.replies import decode, messages_of_reply
from ladder_graph.ledger.actions.lifecycle import call_of
from ladder_graph.ledger.actions.questions import moment
from ladder_graph.ledger.database import migrations
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.tables.rows import ActionRow, EntryRow, PartRow, PayloadRow, QuestionRow
from ladder_graph.ledger.tables.standing_rows import EnvironmentRow
from ladder_graph.replay.paths import shown
from ladder_graph.replay.stores import shadows
from ladder_graph.replay.stores.databases import opened
from ladder_graph.replay.traces import Answer, Decided, Fate, TracedCall, hashed
from ladder_graph.scale import Rung
from ladder_graph.states import State

_STRICT = JsonPlusSerializer(allowed_msgpack_modules=None)
"""Makes no objects of other types than LangChain's and LangGraph's own, whoever wrote the ledger."""
_action, _entry, _payload = (table_of(model) for model in (ActionRow, EntryRow, PayloadRow))
_question, _environment, _part = (table_of(model) for model in (QuestionRow, EnvironmentRow, PartRow))


@dataclass(frozen=True, slots=True)
class Account:
    """One call, as the ledger has it."""

    key: str
    """Of the action: the same for the same call, wherever it is read."""
    traced: TracedCall
    """The call in the normal form."""
    outside: tuple[str, ...] = ()
    """The bounds that it was outside of, by their codes."""
    asked: tuple[tuple[dt.datetime, dt.datetime | None], ...] = ()
    """When it was asked about, and until when the question was open; None where it still is."""
    requester: str | None = None
    """Whose run it was, where it was asked about."""


class Accounts:
    """A ledger, opened to be read.

    Args:
        source: A SQLite file, or the URL of a PostgreSQL database.

    Raises:
        LadderError: There is no such ledger, it can't be opened, or an earlier release wrote it.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._database = opened(source, ledger=True)
        try:
            self._check()
            self._models = _Models(self._database.rows(_ENVIRONMENTS))
        except BaseException:
            self.close()
            raise

    def _check(self) -> None:
        try:
            (row,) = self._database.rows(_VERSION)
        except (LadderError, ValueError):
            row = {"version": 0}
        if not row["version"]:
            raise NotALedger(f"there is no ledger in {shown(self._source)}; name the one that the agent ran with")
        if row["version"] != len(migrations.MIGRATIONS):
            raise LadderError(
                f"{shown(self._source)} is a ledger of another release (version {row['version']}, and this one has "
                f"{len(migrations.MIGRATIONS)}); `ladder verify` brings an older one up to date"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the ledger."""
        self._database.close()

    def count(self) -> int:
        """How many threads there are, each counted for each agent that acted in it."""
        (row,) = self._database.rows(_COUNT)
        return int(row["threads"])

    def threads(self) -> Iterator[tuple[str, str]]:
        """Each thread with an agent that acted in it, in the order in which they began."""
        for row in self._database.stream(_THREADS):
            yield row["thread"], row["agent"]

    def shadows(self) -> Iterator[Any]:
        """The entries of all shadows, chain by chain."""
        yield from self._database.stream(shadows.ENTRIES)

    def of(self, thread: str, agent: str | None = None) -> list[Account]:
        """The calls of a thread, in the order in which the ledger heard of them.

        Args:
            thread: The thread.
            agent: Whose calls; None for those of all agents in it.
        """
        named = {"thread": thread}
        rows = [row for row in self._database.rows(_ACTIONS, named) if agent in {None, row["agent"]}]
        instead = {row["successor"] for row in rows} - {""}
        for row in self._database.rows(_PARTS, named):
            instead |= {row["part"], row["rest"]}
        questions: defaultdict[str, list[Any]] = defaultdict(list)
        for row in self._database.rows(_QUESTIONS, named):
            questions[row["action"]].append(row)
        begun = _begun(self._database.rows(_STARTS, named))
        turns: dict[str, int] = {}
        return [
            self._account(row, questions[row["key"]], begun[row["key"]], turns.setdefault(_turn(row), len(turns)))
            for row in rows
            if row["key"] not in instead
        ]

    def _account(self, row: Mapping[str, Any], questions: Sequence[Any], begun: int, turn: int) -> Account:
        body: dict[str, Any] = json.loads(row["body"]) if row["body"] else {}
        last = questions[-1] if questions else None
        outside = tuple(code for code in row["outside"].split(",") if code)
        output = _output(row)
        traced = TracedCall(
            row["tool"],
            call_of(row).arguments if row["body"] else None,
            row["call_id"],
            turn,
            result="" if output is None else hashed(output),
            # Which calls had heard of it is told by where their conversations stood; else nobody knows.
            output=output if row["checkpoint"] else None,
            matched="" if output is None else "id",
            answers=begun or None,
            fate=_fate(row),
            at=moment(row["at_us"]),
            ended=moment(row["updated_us"]) if row["state"] in _ENDED else None,
            model=self._models.of(row["agent"], row["tool"], row["env"]),
            decided=Decided(
                Rung(body.get("rung", row["rung"])),
                tuple(code for code, _ in body["reasons"]) if "reasons" in body else outside,
                None if last is None else _ANSWERS.get(last["state"]),
                "" if last is None else last["by"],
            ),
        )
        asked = tuple((moment(one["asked_us"]), _closed(one, row)) for one in questions)
        requesters = {one["requester"] for one in questions} - {""}
        return Account(row["key"], traced, outside, asked, requesters.pop() if len(requesters) == 1 else None)


def _turn(row: Mapping[str, Any]) -> str:
    """By what calls of one turn are known: they go on from the same checkpoint. Without one, each is by itself."""
    return str(row["checkpoint"] or row["key"])


def _begun(rows: Sequence[Any]) -> Counter[str]:
    """How often each action was begun, but for those that only took over or went on after a pause."""
    found: Counter[str] = Counter()
    for row in rows:
        over = "takeover" in (json.loads(row["body"]) if row["body"] else {})
        found[row["action"]] += 0 if over else -1 if row["kind"] == State.PAUSED else 1
    return found


def _output(row: Mapping[str, Any]) -> str | None:
    """What the model was given, as far as it is kept."""
    if row["reply"] is not None:
        with suppress(Exception):  # Whatever any tool's reply held once; what can't be read isn't known.
            said = messages_of_reply(decode(row["reply"], _STRICT))
            return next((str(one.text) for one in said if one.tool_call_id == row["call_id"]), None)
        return None
    return row["text"] or None


def _fate(row: Mapping[str, Any]) -> Fate:
    # What a person took up of a suggestion or a draft is that person's act, and the agent's call was held.
    return "held" if row["actor"] else _FATES[State(row["state"])]


_FATES: dict[State, Fate] = {
    State.PROPOSED: "held",
    State.REFUSED: "declined",
    State.SUGGESTED: "held",
    State.DRAFTED: "held",
    State.ASKED: "held",
    State.APPROVED: "held",
    State.DECLINED: "declined",
    State.EDITED: "edited",
    State.SUPERSEDED: "held",
    State.RESPONDED: "declined",
    State.EXPIRED: "declined",
    State.STARTED: "unknown",
    State.PAUSED: "held",
    State.DONE: "done",
    State.FAILED: "failed",
    State.UNKNOWN: "unknown",
    State.UNDOING: "unknown",
    State.UNDONE: "undone",
    # Its effect stands.
    State.UNDO_CONFLICT: "done",
    State.UNDO_FAILED: "done",
}
"""What became of an action, by its state."""
_ENDED = frozenset({State.DONE, State.FAILED})
"""States in which an action's last change was its end."""
_ANSWERS: dict[str, Answer] = {
    "approved": "approve", "used": "approve", "declined": "decline", "edited": "edit", "responded": "respond",
    "expired": "expire",
}  # fmt: skip
"""What was answered, by the state of a question."""


def _closed(question: Mapping[str, Any], action: Mapping[str, Any]) -> dt.datetime | None:
    """When a question was no longer open."""
    if question["answered_us"] is not None:
        return moment(question["answered_us"])
    return None if question["state"] == "open" else moment(min(question["expires_us"], action["updated_us"]))


class _Models:
    """Which model each environment key of a call means."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._environments: defaultdict[str, list[Environment]] = defaultdict(list)
        for row in rows:
            self._environments[row["agent"]].append(Environment.read(row["components"], "the ledger"))
        self._found: dict[tuple[str, str, str | None], str] = {}

    def of(self, agent: str, tool: str, key: str | None) -> str:
        """The model by the key of a call's environment; empty where it isn't known."""
        place = agent, tool, key
        if place not in self._found:
            models = (one.model for one in self._environments[agent] if key is not None and one.key(tool) == key)
            self._found[place] = next(models, None) or ""
        return self._found[place]


_VERSION = Sql("SELECT user_version AS version FROM pragma_user_version")
_VERSION.postgres = "SELECT version FROM ladder_ledger"
_ENVIRONMENTS = Sql.of(select(_environment.c.agent, _environment.c.components).order_by(_environment.c.first_us))
_first = func.min(_action.c.at_us).label("first_us")
_THREADS = Sql.of(
    select(_action.c.thread, _action.c.agent, _first)
    .group_by(_action.c.thread, _action.c.agent)
    .order_by(_first, _action.c.thread, _action.c.agent)
)
_pairs = select(_action.c.thread, _action.c.agent).distinct().subquery()
_COUNT = Sql.of(select(func.count().label("threads")).select_from(_pairs))
_thread = _action.c.thread == bindparam("thread")
_number = (
    select(func.min(_entry.c.n))
    .where(and_(_entry.c.action == _action.c.key, _entry.c.stream == _action.c.agent))
    .scalar_subquery()
    .label("number")
)
_ACTIONS = Sql.of(
    select(_action, _payload.c.body, _number)
    .outerjoin(_payload, _payload.c.hash == _action.c.payload)
    .where(_thread)
    .order_by(_action.c.at_us, _number, _action.c.key)
)
_PARTS = Sql.of(select(_part).join(_action, _action.c.key == _part.c.whole).where(_thread))
_QUESTIONS = Sql.of(
    select(_question).join(_action, _action.c.key == _question.c.action).where(_thread).order_by(_question.c.round)
)
_STARTS = Sql.of(
    select(_entry.c.action, _entry.c.kind, _payload.c.body)
    .join(_action, _action.c.key == _entry.c.action)
    .outerjoin(_payload, _payload.c.hash == _entry.c.payload)
    .where(and_(_thread, or_(*(_entry.c.kind == literal_column(f"'{one}'") for one in (State.STARTED, State.PAUSED)))))
)
