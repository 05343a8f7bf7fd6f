"""The everyday claim and record as one statement of SQLite: a row put into a view, and a trigger that does the rest.

All of it is checked before anything is written, since in a file nobody else writes meanwhile.
"""
# ruff: noqa: S608  # the statements are made of the tables' own names, and every value is bound

from __future__ import annotations

import re
from typing import Any

from ladder_graph.ledger.database import statements as sql
from ladder_graph.ledger.database.dialects import Trigger, table_of
from ladder_graph.ledger.tables import rows
from ladder_graph.states import State

_CHAINED = ("agent", "key", "at_us", "payload", "salt", "body", "middle", "ending")
"""The parameters of an entry that follows the end of its chain."""


_LOOKED = ("seen_end", "mark", "environment", "boot", "boot_now", "now")
"""What the route was found by, and what another look needs beside the action's own columns."""


def _insert(model: Any, source: str = "", **other: str) -> str:
    """Insert a row, each column by the parameter of its name or by what stands in its place."""
    table = table_of(model)
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    values = ", ".join(other.get(column.name, f"NEW.{column.name}") for column in table.columns)
    return f"INSERT INTO {table.name} ({columns}) " + (f"SELECT {values} {source}" if source else f"VALUES ({values})")


def _chained(kind: State) -> list[str]:
    """Write an entry, its payload and the new end of its chain."""
    entry = _insert(
        rows.EntryRow, "FROM head WHERE head.stream = NEW.agent", stream="NEW.agent", n="head.n + 1", kind=f"'{kind}'",
        action="NEW.key", prev="head.hash", hash="ladder_chained(head.hash, head.n + 1, NEW.middle, NEW.ending)",
    )  # fmt: skip
    end = "SELECT entry.n, entry.hash FROM entry WHERE entry.stream = NEW.agent AND entry.n = head.n + 1"
    return [
        _insert(rows.PayloadRow, hash="NEW.payload"),
        entry,
        f"UPDATE head SET (n, hash) = ({end}) WHERE head.stream = NEW.agent",
    ]


def claiming(charges: int, *, seen: bool) -> Trigger:
    """The claim that draws on so many counters, each in the window that it is in.

    Args:
        charges: How many.
        seen: Whether what the route was found by must still stand.
    """
    action = [column.name for column in table_of(rows.ActionRow).columns]
    fits, draws, drawn = [], [], []
    for at in range(charges):
        counter = f'quota.quota = NEW.quota_{at} AND quota."window" = NEW.window_{at}'
        fits += [
            f"EXISTS (SELECT 1 FROM quota WHERE {counter} AND used + reserved + NEW.amount_{at} <= NEW.lim_{at})",
            f'NOT EXISTS (SELECT 1 FROM quota WHERE quota.quota = NEW.quota_{at} AND quota."window" > NEW.window_{at})',
        ]
        draws += [
            f"UPDATE quota SET reserved = reserved + NEW.amount_{at}, lim = NEW.lim_{at} WHERE {counter}",
            _insert(rows.HoldRow, action="NEW.key", **{
                name: f"NEW.{name}_{at}" for name in ("quota", "window", "amount")
            }),
        ]  # fmt: skip
        drawn += [f"{name}_{at}" for name in ("quota", "window", "amount", "lim")]
    return Trigger(
        name=f"ladder_claiming_{charges}{'_seen' if seen else ''}",
        columns=tuple(dict.fromkeys((*action, *_CHAINED, *(_LOOKED if seen else ()), *drawn))),
        when=[
            "EXISTS (SELECT 1 FROM head WHERE head.stream = NEW.agent)",
            "NOT EXISTS (SELECT 1 FROM action WHERE action.key = NEW.key)",
            *([_again()] if seen else []),
            *fits,
        ],
        does=[*_chained(State.STARTED), *draws, _insert(rows.ActionRow)],
    )


def _again() -> str:
    """Whether what the route was found by still stands: the chain has no new entry, or another look sees the same."""
    end = "EXISTS (SELECT 1 FROM head WHERE head.stream = NEW.agent AND head.n = NEW.seen_end)"
    like = "SELECT 1 FROM action WHERE action.thread = NEW.thread AND action.digest = NEW.digest"
    look = re.sub(r":(\w+)", lambda found: f"NEW.{'environment' if found[1] == 'env' else found[1]}", sql.LOOK_AGAIN)
    same = (
        f"SELECT 1 FROM ({look}) AS seen WHERE seen.overdue IS NULL AND NEW.mark = ladder_mark(seen.held, seen.pinned)"
    )
    return f"NOT EXISTS ({like}) AND ({end} OR EXISTS ({same}))"


def recording() -> Trigger:
    """The record of what there is no undo of, and took effect."""
    mine = "action.key = NEW.key AND action.fence = NEW.fence"
    held = 'hold.action = NEW.key AND hold.quota = quota.quota AND hold."window" = quota."window"'
    moved = f"state = '{State.DONE}', updated_us = NEW.at_us, text = NEW.text, reply = coalesce(NEW.reply, reply)"
    return Trigger(
        name="ladder_recording",
        columns=(*_CHAINED, "fence", "text", "reply"),
        when=[
            "EXISTS (SELECT 1 FROM head WHERE head.stream = NEW.agent)",
            f"EXISTS (SELECT 1 FROM action WHERE {mine} AND state = '{State.STARTED}' AND artifact IS NULL)",
        ],
        does=[
            f"UPDATE action SET {moved} WHERE {mine}",
            *_chained(State.DONE),
            f"UPDATE quota SET used = used + hold.amount, reserved = reserved - hold.amount FROM hold WHERE {held}",
            "DELETE FROM hold WHERE hold.action = NEW.key",
        ],
    )
