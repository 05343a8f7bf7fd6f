"""The shop's orders and what was paid back, in a database that every worker reaches, and the tools on it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from langchain_core.tools import BaseTool, tool

from ladder_graph.errors import DefiniteFailure

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY, customer TEXT NOT NULL, cents INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refunds (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, at TEXT DEFAULT CURRENT_TIMESTAMP);
INSERT OR IGNORE INTO orders VALUES (1041, 'Dara', 1250), (1042, 'Emil', 4900), (1043, 'Fay', 800);
"""
PATIENCE = 60.0
"""Seconds to wait for another worker that writes."""


def place() -> Path:
    """Where the database is: `SHOP_ORDERS`, else beside the project."""
    return Path(os.environ.get("SHOP_ORDERS", "orders.db"))


def opened() -> sqlite3.Connection:
    """The database, with its tables in it."""
    database = sqlite3.connect(place(), timeout=PATIENCE)
    database.executescript(SCHEMA)
    return database


@tool(parse_docstring=True)
def look_up_order(number: int) -> str:
    """Look up an order.

    Args:
        number: The order's number.
    """
    with closing(opened()) as database:
        found = database.execute("SELECT customer, cents FROM orders WHERE number = ?", (number,)).fetchone()
        paid = database.execute("SELECT count(*) FROM refunds WHERE number = ?", (number,)).fetchone()[0]
    if found is None:
        raise DefiniteFailure(f"there is no order {number}")
    return f"order {number} of {found[0]}, {found[1] / 100:.2f} euros, paid back {paid} times"


@tool(parse_docstring=True)
def refund(number: int) -> str:
    """Pay an order back to its customer. This can't be undone.

    Args:
        number: The order's number.
    """
    with closing(opened()) as database, database:
        if database.execute("SELECT 1 FROM orders WHERE number = ?", (number,)).fetchone() is None:
            raise DefiniteFailure(f"there is no order {number}; nothing was paid")
        database.execute("INSERT INTO refunds (number) VALUES (?)", (number,))
    return f"order {number} was paid back"


TOOLS: list[BaseTool] = [look_up_order, refund]
"""What the agent has in its hands."""
