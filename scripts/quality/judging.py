"""What becomes of a mutant: killed by a test that passes without it, hung, alive, or never run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

from scripts.quality.mutants import Mutant
from scripts.quality.warm import NEEDED

Verdict = Literal["killed", "hung", "survived", "not run"]
HERE = Path(__file__).parents[2]
STAGES = (25, 400)
"""How many tests are tried at once, at most: first a few quick ones, then the others."""
PATIENCE = 60.0
"""Seconds that the tests of one stage may have taken together without the mutant; who takes longer is left out."""
SLOW, START = 10.0, 30
"""How many times as long they may take with it, and the seconds that are added for the start."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A mutant, and what became of it."""

    mutant: Mutant
    verdict: Verdict
    by: str = ""
    """The test that noticed it."""
    tried: int = 0
    """How many tests were run against it."""
    known: int = 0
    """How many run what it changes."""


class Bench:
    """A copy of the repository, and a warm process in it.

    Args:
        root: The repository.
        folder: Where the copy goes.
        needed: What the process loads before.
    """

    def __init__(self, root: Path, folder: Path, needed: Sequence[str] = NEEDED) -> None:
        self.root, self.folder = root, folder
        _copy(root, folder)
        env = {**os.environ, "PYTHONPATH": f"{folder / 'src'}{os.pathsep}{HERE}", "CI": "true"}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        words = [sys.executable, "-m", "scripts.quality.warm", *needed]
        self._process = subprocess.Popen(
            words,
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._sound: dict[str, bool] = {}
        if not self._answer()["ready"]:
            raise AssertionError("the product was loaded before it could be changed")

    def _answer(self) -> dict[str, object]:
        assert self._process.stdout is not None  # noqa: S101  # a pipe
        answer: dict[str, object] = json.loads(self._process.stdout.readline())
        return answer

    def run(self, tests: Sequence[str], seconds: int) -> dict[str, object]:
        """Run tests in the copy as it stands."""
        assert self._process.stdin is not None  # noqa: S101  # a pipe
        self._process.stdin.write(json.dumps({"tests": tests, "seconds": seconds}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def mutated(self, mutant: Mutant, tests: Sequence[str], seconds: int) -> dict[str, object]:
        """Run tests with a mutant in the copy."""
        file = self.folder / mutant.path
        before, stat = file.read_text(encoding="utf-8"), file.stat()
        file.write_text(mutant.text, encoding="utf-8")
        os.utime(file, (stat.st_atime, stat.st_mtime + 10))  # what was compiled of it isn't taken for this
        try:
            return self.run(tests, seconds)
        finally:
            file.write_text(before, encoding="utf-8")
            os.utime(file, (stat.st_atime, stat.st_mtime))

    def sound(self, test: str) -> bool:
        """Whether a test passes in the copy without any mutant."""
        if test not in self._sound:
            self._sound[test] = self.run([test], 120)["end"] == "passed"
        return self._sound[test]

    def close(self) -> None:
        """End the process, and take the copy away."""
        self._process.communicate()
        shutil.rmtree(self.folder)


def _copy(root: Path, folder: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=root, check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)


def judge(
    bench: Bench, mutant: Mutant, tests: Sequence[str], seconds: Callable[[Iterable[str]], float], start: int = START
) -> Judged:
    """Run the tests of a mutant, until one fails."""
    if not tests:
        return Judged(mutant, "not run")
    left, tried = list(tests), 0
    for size in STAGES:
        stage, left = _affordable(left, size, seconds)
        while stage:
            end = bench.mutated(mutant, stage, start + int(SLOW * seconds(stage)))
            by = str(end["by"])
            if end["end"] == "failed" and by in stage and not bench.sound(by):
                stage.remove(by)  # it fails by itself in here, and shows nothing
                continue
            if end["end"] == "failed" and by not in stage and not any(map(bench.sound, stage)):
                raise AssertionError(f"no test runs in {bench.folder}, whatever is changed: {by}")
            tried += len(stage)
            if end["end"] in {"failed", "hung"}:
                return Judged(mutant, "killed" if end["end"] == "failed" else "hung", by, tried, len(tests))
            break
    return Judged(mutant, "survived", "", tried, len(tests))


def _affordable(tests: list[str], size: int, seconds: Callable[[Iterable[str]], float]) -> tuple[list[str], list[str]]:
    stage: list[str] = []
    for test in tests[:size]:
        if seconds([*stage, test]) <= PATIENCE:
            stage.append(test)
    return stage, tests[size:]


def judge_all(
    root: Path, mutants: Iterable[tuple[Mutant, Sequence[str]]], seconds: Callable[[Iterable[str]], float], workers: int
) -> list[Judged]:
    """Judge mutants on as many benches as there are workers, and say what becomes of each."""
    place = Path("/dev/shm") if Path("/dev/shm").is_dir() else None  # noqa: S108  # memory, where there is some
    folders = [Path(tempfile.mkdtemp(prefix="ladder-mutants-", dir=place)) for _ in range(workers)]
    free: SimpleQueue[Bench] = SimpleQueue()
    for folder in folders:
        free.put(Bench(root, folder))

    def one(pair: tuple[Mutant, Sequence[str]]) -> Judged:
        bench = free.get()
        try:
            judged = judge(bench, *pair, seconds)
        finally:
            free.put(bench)
        print(f"{judged.verdict:9} {judged.tried:4}/{judged.known:<4} {pair[0].line:4} {pair[0].known_as}", flush=True)
        return judged

    with ThreadPoolExecutor(workers) as pool:
        done = list(pool.map(one, mutants))
    for _ in folders:
        free.get().close()
    return done
