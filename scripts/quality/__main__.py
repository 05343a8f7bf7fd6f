"""Prints and writes coverage, mutation score and the counts of tests: `make quality`."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import random
import subprocess
import sys
from pathlib import Path

from scripts.quality import figures, page
from scripts.quality.judging import PATIENCE, Judged, judge_all
from scripts.quality.mutants import Mutant, mutants
from scripts.quality.selecting import Runs, recorded

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "quality"
REPORT = ROOT / "build" / "quality.json"
EQUIVALENTS = Path(__file__).parent / "equivalents.json"
RCFILE = Path(__file__).parent / "coverage.ini"


def main() -> None:
    """Measure what isn't known yet for these sources; print the tables and write the report."""
    asked = _asked()
    env = {**os.environ, "QUALITY_DATA": str(FOLDER / "coverage"), "CI": "true"}
    record(env, asked.workers, asked.tests)
    drawn, totals = _judged(asked)
    equivalents = json.loads(EQUIVALENTS.read_text(encoding="utf-8"))
    by = f", by {', '.join(asked.tests)} alone" if asked.tests else ""
    found = {
        "made": f"on Python {platform.python_version()}, {asked.mutants} mutants a part at most, seed {asked.seed}{by}",
        "patience": PATIENCE,
        "mutation": figures.scored(drawn, totals, equivalents),
        "coverage": figures.covered(json.loads((FOLDER / "coverage.json").read_text(encoding="utf-8"))),
        "tests": figures.counted(count(env)),
        "alive": figures.alive(drawn, equivalents),
    }
    REPORT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("", page.mutation(found), page.coverage(found), page.tests(found), f"Written to {REPORT}.", sep="\n\n")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make quality", description=__doc__)
    parser.add_argument("--mutants", type=int, default=100, metavar="N", help="how many are drawn from each part")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--parts", nargs="*", default=figures.PARTS, choices=figures.PARTS)
    parser.add_argument("--tests", nargs="*", default=[], help="only these tests, for a look; all where none is named")
    return parser.parse_args()


# --- what runs --------------------------------------------------------------------------------------------------------


def record(env: dict[str, str], workers: int, tests: list[str]) -> None:
    """Run the tests under coverage.py, unless that was done for these sources."""
    stamp, now = FOLDER / "sources", _sources(tests)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == now:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    python = [sys.executable, "-m"]
    run = [*python, "coverage", "run", f"--rcfile={RCFILE}", "-m", "pytest", "-p", "scripts.quality.recording"]
    done = subprocess.run(
        [*run, "-q", "-n", str(workers), *tests], cwd=ROOT, env={**env, "QUALITY_RECORDS": str(FOLDER)}, check=False
    )
    if done.returncode not in {0, 1}:  # a test that fails here is no reason not to count
        sys.exit(f"the tests could not be run: pytest ended with {done.returncode}")
    for words in (["combine", "-q"], ["json", "-q", "-o", str(FOLDER / "coverage.json")]):
        subprocess.run([*python, "coverage", words[0], f"--rcfile={RCFILE}", *words[1:]], cwd=ROOT, env=env, check=True)
    stamp.write_text(now, encoding="utf-8")


def _sources(tests: list[str]) -> str:
    digest = hashlib.sha256(repr(sorted(tests)).encode())
    files = [file for folder in ("src", "tests", "examples") for file in sorted((ROOT / folder).rglob("*.py"))]
    for file in (*files, RCFILE, RCFILE.with_name("recording.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def count(env: dict[str, str]) -> list[str]:
    """Collect all tests, those too that `make test` doesn't run."""
    file = FOLDER / "counts.jsonl"
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "", "-p", "scripts.quality.recording"]
    env = {**env, "QUALITY_COUNTS": str(file)}
    subprocess.run(collect, cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
    return file.read_text(encoding="utf-8").splitlines()


# --- what is drawn ----------------------------------------------------------------------------------------------------


def _judged(asked: argparse.Namespace) -> tuple[list[Judged], dict[str, int]]:
    all_of = {name: of_part(name) for name in asked.parts}
    chosen = [one for name in asked.parts for one in draw(all_of[name], asked.mutants, f"{asked.seed} {name}")]
    runs: Runs = recorded(FOLDER, ROOT)
    drawn = judge_all(ROOT, ((one, runs.tests(one)) for one in chosen), runs.seconds, asked.workers)
    return drawn, {name: len(found) for name, found in all_of.items()}


def of_part(name: str) -> list[Mutant]:
    """Each mutant of a package or module of the product."""
    place = ROOT / figures.PACKAGE / name
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    return [mutant for file in files for mutant in mutants(file, ROOT)]


def draw(found: list[Mutant], number: int, seed: str) -> list[Mutant]:
    """A number of them at random, the same ones for the same seed; all where there are fewer."""
    return random.Random(seed).sample(found, min(number, len(found)))  # noqa: S311  # nobody gains by guessing it


if __name__ == "__main__":
    main()
