"""What a shadow took down, as recorded runs: one for each agent in each thread, with what the gate would have decided.

A shadow keeps no answers of tools and no words of the user's, so that what is bound to them can't be decided again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select

from ladder_graph.calls import restore
from ladder_graph.ledger.actions.questions import moment
from ladder_graph.ledger.database.dialects import Sql, table_of
from ladder_graph.ledger.evidence.shadows import APART, DECIDED, ENDED
from ladder_graph.ledger.tables.rows import EntryRow, PayloadRow
from ladder_graph.replay.traces import Decided, Fate, Run, TracedCall
from ladder_graph.scale import Rung

_entry, _payload = table_of(EntryRow), table_of(PayloadRow)
_apart: ColumnElement[str] = literal_column(f"'{APART}'")
ENTRIES = Sql.of(
    select(_entry.c.stream, _entry.c.at_us, _entry.c.kind, _entry.c.action, _payload.c.body)
    .outerjoin(_payload, _payload.c.hash == _entry.c.payload)
    .where(func.substr(_entry.c.stream, literal_column("1"), literal_column(f"{len(APART)}")) == _apart)
    .order_by(_entry.c.stream, _entry.c.n)
)
"""All entries of all shadows, chain by chain."""
_FATES: dict[str, Fate] = {"done": "done", "failed": "failed"}


@dataclass(slots=True)
class _Thread:
    """What one agent did in one thread."""

    calls: list[TracedCall] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    """Where each action stands among them."""
    turns: dict[str, int] = field(default_factory=dict)
    """Which turn each message of the model was."""
    requesters: set[str] = field(default_factory=set)


def shadow_runs(entries: Iterable[Any]) -> Iterator[Run]:
    """The runs of all shadows. The calls of one chain are held in memory, without any answers.

    Args:
        entries: Those of `ENTRIES`.
    """
    chain, threads, known = "", dict[str, _Thread](), dict[str, _Thread]()
    for row in entries:
        if row["stream"] != chain:
            yield from _runs(chain, threads)
            chain, threads, known = row["stream"], {}, {}
        body: dict[str, Any] = json.loads(row["body"]) if row["body"] else {}
        if row["kind"] == DECIDED and body:
            thread = threads.setdefault(str(body.get("thread")), _Thread())
            known[row["action"]] = thread
            _take(thread, row, body)
        elif row["kind"] == ENDED and body and row["action"] in known:
            _end(known[row["action"]], row, body)
    yield from _runs(chain, threads)


def _take(thread: _Thread, row: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    if row["action"]:
        thread.places[row["action"]] = len(thread.calls)
    message = str(body.get("message") or len(thread.calls))
    arguments = body.get("arguments")
    thread.requesters |= {str(body["requester"])} if body.get("requester") else set()
    thread.calls.append(TracedCall(
        str(body.get("tool")),
        restore(arguments) if isinstance(arguments, dict) else None,
        str(body.get("call") or ""),
        thread.turns.setdefault(message, len(thread.turns)),
        at=moment(row["at_us"]),
        model=str(body.get("model") or ""),
        decided=Decided(Rung(body["rung"]), tuple(code for code, _ in body.get("reasons", ()))),
    ))  # fmt: skip


def _end(thread: _Thread, row: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    fate = _FATES.get(str(body.get("outcome")))
    if fate is None:
        return  # It asked somebody itself, and starts over.
    place, result = thread.places[row["action"]], str(body.get("result", ""))
    ended: dt.datetime = moment(row["at_us"])
    thread.calls[place] = replace(
        thread.calls[place], fate=fate, ended=ended, result=result, matched="id" if result else ""
    )


def _runs(chain: str, threads: Mapping[str, _Thread]) -> Iterator[Run]:
    agent = chain.removeprefix(APART)
    inner = "/" in agent
    for name, thread in threads.items():
        yield Run(
            id=f"{APART}{name}|{agent}" if inner else f"{APART}{name}",
            calls=tuple(thread.calls),
            suite=agent,
            task=f"{APART}{name}" if inner else "",
            requester=thread.requesters.pop() if len(thread.requesters) == 1 else None,
        )
