"""`python -m tests.soak [--minutes 10] [--seed 1] [--docs]`: one soak, from start to verdict."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import warnings
from pathlib import Path

from tests.soak.figures import figures
from tests.soak.page import write
from tests.soak.run import Plan, run


def main() -> int:
    """Run it, and say what was found; 1 where something doesn't hold."""
    options = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--workers", type=int, default=8)
    options.add_argument("--watchers", type=int, default=2)
    options.add_argument("--gap", type=float, default=4.0, help="seconds between two acts, on average")
    options.add_argument("--mutant", default="", help="a rule of the protocol to leave out, to see that it is noticed")
    options.add_argument("--folder", type=Path, help="a new folder, which is kept")
    options.add_argument("--docs", action="store_true", help="write docs/soak.md and docs/soak.json")
    said = options.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    warnings.simplefilter("ignore")
    plan = Plan(
        said.minutes * 60, said.seed, said.workers, said.watchers, said.gap, mutant=said.mutant, folder=said.folder
    )
    done = run(plan)
    for check in done.checks:
        print(f"{'ok ' if not check.wrong else 'BAD'} {check.looked_at:6} {check.name}")
        for wrong in check.wrong[:20]:
            print(f"           {wrong}")
    found = figures(done)
    print(
        json.dumps(
            {
                name: found[name]
                for name in ("acts", "throughput", "questions", "times", "recoveries", "doubts", "people")
            },
            indent=1,
        )
    )
    if said.docs:
        write(found)
    print(f"{len(done.wrong)} problems")
    return bool(done.wrong)


if __name__ == "__main__":
    sys.exit(main())
