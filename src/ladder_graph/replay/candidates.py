"""The policies that are held against recorded runs: from files, and from folders with one file for each suite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path

from ladder_graph.errors import LadderError
from ladder_graph.policy import Policy, load_policy
from ladder_graph.replay.board import ANY
from ladder_graph.replay.references import REFERENCES


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy that is to be held against recorded runs."""

    name: str
    """What it is called in tables; no other one has this name."""
    suites: Mapping[str, Policy]
    """The policy for each suite, or for `ANY`."""
    notes: tuple[str, ...] = ()
    """What its files say about themselves: the comment that each begins with."""
    reference: bool = False
    """It was made to compare with, and nobody wrote it."""


def candidates(paths: Iterable[str], *, references: bool = False) -> list[Candidate]:
    """Read policies.

    Args:
        paths: Policy files, and folders with one policy for each suite, whose name is that of the file before `.toml`.
        references: Add those of `REFERENCES`, made from the first policy.

    Raises:
        LadderError: A folder has no policy, or a policy was named that isn't there.
        PolicyError: A policy has mistakes.
    """
    found: list[Candidate] = []
    for path in map(Path, paths):
        name = _unused(path.resolve().name if path.is_dir() else path.stem, found)
        files = _files(path)
        policies = {suite: load_policy(file) for suite, file in files.items()}  # first: it says what is no policy
        notes = tuple(dict.fromkeys(note for file in files.values() if (note := opening(file))))
        found.append(Candidate(name, policies, notes))
    if references:
        first = found[0]
        for name, made_from in REFERENCES.items():
            suites = {suite: made_from(policy) for suite, policy in first.suites.items()}
            found.append(Candidate(_unused(name, found), suites, reference=True))
    return found


def _files(path: Path) -> dict[str, Path]:
    if not path.is_dir():
        return {ANY: path}
    files = {one.stem: one for one in sorted(path.glob("*.toml"))}
    if not files:
        raise LadderError(f"{path}: has no policy; a folder holds one file SUITE.toml for each suite")
    return files


def _unused(name: str, found: Iterable[Candidate]) -> str:
    """A name that no other one has: with a number behind it, from the second on."""
    taken = {one.name for one in found}
    return name if name not in taken else next(new for n in count(2) if (new := f"{name} ({n})") not in taken)


def opening(file: Path) -> str:
    """The comment that a policy file begins with, as one paragraph; empty where there is none.

    Args:
        file: The file, which could be read as a policy.
    """
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    comment = takewhile(lambda line: line.startswith("#"), lines)
    return " ".join(" ".join(line.strip("# \t") for line in comment).split())
