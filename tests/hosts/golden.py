"""`python -m tests.hosts.golden RELEASE` makes the golden ledger of a release, by that release's own code.

One thread has been asked, answered and gone on with; two wait for an answer. The checkpoints lie beside the ledger.
"""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
from pathlib import Path

from tests.hosts.resumed import POLICY
from tests.hosts.test_resuming_apart import Apart

WHERE = Path(__file__).parents[1] / "data" / "ledgers"
FILES = ("ladder.db", "threads.db")
LONG = POLICY.replace('expires = "1h"', 'expires = "36500d"')


def make(release: str) -> None:
    """Make it."""
    os.environ["LANGSMITH_TRACING"] = "false"
    with tempfile.TemporaryDirectory() as name:
        apart = at(Path(name), "ladder.db")
        apart.step("ask", "done")
        apart.step("approve")
        apart.worker("--once").said()
        apart.step("ask", "waits", "waits too")
        (WHERE / release).mkdir(parents=True)
        for file in FILES:
            (WHERE / release / f"{file}.gz").write_bytes(gzip.compress((Path(name) / file).read_bytes(), mtime=0))


def at(folder: Path, ledger: str) -> Apart:
    """The processes that work in a folder, under a policy whose questions don't expire."""
    apart = Apart(folder, ledger, str(folder / "threads.db"))
    (folder / "ladder.toml").write_text(LONG.replace("LEDGER", ledger))
    return apart


def unpacked(release: str, folder: Path) -> None:
    """Lay a golden ledger down in a folder."""
    for file in FILES:
        (folder / file).write_bytes(gzip.decompress((WHERE / release / f"{file}.gz").read_bytes()))


if __name__ == "__main__":
    make(sys.argv[1])
