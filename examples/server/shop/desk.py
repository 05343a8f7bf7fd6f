"""The shop's ladder: one for each process, which the graph acts under and the console shows."""

from __future__ import annotations

import os
from pathlib import Path

from ladder_graph import Ladder

HERE = Path(__file__).parents[1]

ladder = Ladder(policy=HERE / "ladder.toml", ledger=os.environ.get("SHOP_LEDGER") or None)
"""With the ledger that `SHOP_LEDGER` names: a file for one machine, `postgresql://…` for several."""
