"""A shop whose ledger is vouched for: its policy names a key, and places that checkpoints are exported to."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.cli.shop import Shop

READ: tuple[str, dict[str, Any]] = ("read_stock", {"item": "tea"})
PRICE: tuple[str, dict[str, Any]] = ("set_price", {"item": "tea", "cents": 250})
ANCHORS = '{ kind = "file", path = "anchors/" }'


def vouched(shop: Shop, *to: str, more: str = "") -> Shop:
    """The shop with checkpoints, which are exported to these places."""
    said = shop.policy.read_text(encoding="utf-8")
    shop.policy.write_text(
        f'{said}\n[checkpoints]\nkey = "checkpoint.key"\nto = [{", ".join(to)}]\n{more}', encoding="utf-8"
    )
    return shop


def tampered(file: Path, *statements: str) -> None:
    """What somebody does who may write the ledger's file, and knows how to get past its triggers."""
    with closing(sqlite3.connect(file)) as there:
        triggers = [name for (name,) in there.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for trigger in triggers:
            there.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            there.execute(statement)
        there.commit()
