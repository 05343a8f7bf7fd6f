"""Every entry of the ledger, the latest first, by what is looked for; and the same as a file."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from ladder_graph.console.answers import Answer, Refusal, Sent, Shown
from ladder_graph.console.entries import Entry
from ladder_graph.console.telling import told, withheld
from ladder_graph.console.visitor import Visitor
from ladder_graph.ledger import Entry as Link
from ladder_graph.ledger.lists.pages import LARGEST, SIZE, Page
from ladder_graph.policy.console import Access

FILTERS = ("agent", "tool", "person", "thread", "kind", "action")
"""What is looked for, by its name in the address."""
MOST = 10_000
"""Entries in a file."""
LONGEST = 8 * 1024 * 1024
"""Characters of a file, after which it says where it goes on."""
ROUNDS = 20
"""Pages that are looked at for a file: where little fits, it is short, and says where it goes on."""


def history(visitor: Visitor) -> Answer:
    """One page of it."""
    wanted, wrong = _wanted(visitor)
    found: Page[Link] = Page(()) if wrong else _page(visitor, wanted, visitor.query.get("page"), SIZE)
    own = visitor.policy.agent
    agents = [name for name in sorted({own, *visitor.ladder.reading.agents(own)}) if visitor.may(Access.VIEWER, name)]
    said = {name: visitor.query.get(name, "") for name in (*FILTERS, "since", "until")}
    context = {
        "page": found, "told": [told(visitor, one) for one in found.items], "agents": agents, "said": said,
        "wrong": wrong, "query": {name: text for name, text in said.items() if text},
    }  # fmt: skip
    return Shown("history.html", context, 422 if wrong else 200)


def export(visitor: Visitor) -> Answer:
    """What is looked for as JSON lines, the latest first; the last line says where it goes on, if it does."""
    wanted, wrong = _wanted(visitor)
    if wrong:
        raise Refusal(422, "That can't be looked for", wrong)
    lines: list[str] = []
    mark, length = visitor.query.get("page"), 0
    for _ in range(ROUNDS):
        found = _page(visitor, wanted, mark, LARGEST)
        for one in found.items:
            lines.append(_line(visitor, one))
            length += len(lines[-1])
        mark = found.next
        if mark is None or len(lines) >= MOST or length >= LONGEST:
            break
    if mark is not None:
        lines.append(json.dumps({"next": mark}))
    return Sent("history.jsonl", "application/x-ndjson", "".join(f"{line}\n" for line in lines))


def _line(visitor: Visitor, one: Link) -> str:
    """An entry as JSON, of which only ASCII is left: whoever prints it sees what is there."""
    plain: dict[str, Any] = {
        "agent": one.agent, "n": one.n, "at": one.at.isoformat(), "kind": one.kind, "action": one.action,
        "tool": one.tool, "thread": one.thread, "hash": one.hash,
    }  # fmt: skip
    labels = withheld(visitor, one)
    return json.dumps({**plain, "withheld": list(labels)} if labels else {**plain, "body": one.body})


def _page(visitor: Visitor, wanted: dict[str, Any], mark: str | None, size: int) -> Page[Link]:
    if wanted.get("agent") is not None:
        visitor.need(Access.VIEWER, wanted["agent"])
    return visitor.ladder.entries(**wanted, page=mark or None, size=size, sees=visitor.sees())


def _wanted(visitor: Visitor) -> tuple[dict[str, Any], str]:
    """What is looked for, and what of it can't be read."""
    said = {name: visitor.query.get(name, "").strip() or None for name in FILTERS}
    days, wrong = {}, ""
    for name in ("since", "until"):
        text = visitor.query.get(name, "").strip()
        try:
            days[name] = dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC) if text else None
        except ValueError:
            days[name], wrong = None, f"{text} is no day; write it as 2026-11-29"
    last = days["until"]
    # The last day is looked at whole.
    until = last + dt.timedelta(days=1) if last is not None and last.date() < dt.date.max else last
    return {**said, "since": days["since"], "until": until}, wrong


ENTRIES = (Entry("/history", show=history), Entry("/history/export", show=export))
