"""Checks a ladder ledger without installing anything: `python3 scripts/verify_ledger.py ladder.db`.

It runs `src/ladder_graph/ledger/proof/verify_alone.py`, which says what is checked and may be copied anywhere.
"""

from __future__ import annotations

import runpy
from pathlib import Path

ALONE = Path(__file__).parents[1] / "src" / "ladder_graph" / "ledger" / "proof" / "verify_alone.py"

if __name__ == "__main__":
    runpy.run_path(str(ALONE), run_name="__main__")
