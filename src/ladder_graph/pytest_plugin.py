"""The pytest plugin: `ladder_replay` holds a policy against recorded runs, and fails a test that it breaks.

pytest loads this module at every start, so it loads nothing but what pytest has loaded already; the rest comes with the
fixture's first use. Without it: `pytest -p no:ladder_graph`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import pytest

if TYPE_CHECKING:
    import datetime as dt

    from ladder_graph.policy import Policy
    from ladder_graph.replay.candidates import Candidate
    from ladder_graph.replay.checking.limits import Replayed

Source = str | os.PathLike[str]
WRITTEN = "ladder_snapshot"
"""The name under which a test's report tells of a file of decisions that it wrote."""
FOLDER = "ladder_snapshots"
"""Where such files lie, beside the tests."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--ladder-update`."""
    parser.getgroup("ladder").addoption(
        "--ladder-update", action="store_true", help="Write the policies' decisions anew that ladder_replay snapshots."
    )


@pytest.fixture
def ladder_replay(request: pytest.FixtureRequest) -> Replay:
    """Hold a policy against recorded runs; see `Replay.__call__`."""
    return Replay(request)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say which files of decisions were written; by whichever worker."""
    reports = terminalreporter.stats.get("passed", ())
    for path in sorted({path for one in reports for name, path in one.user_properties if name == WRITTEN}):
        terminalreporter.write_line(f"ladder: wrote {path}; review and commit it")


class Replay:
    """What the fixture gives a test.

    Args:
        request: Whose test it is.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def __call__(
        self,
        traces: Source | Sequence[Source],
        policy: Source | Policy,
        *,
        max_confirmations: float | None = None,
        max_unattended_critical: int | None = None,
        max_unattended_irreversible: int | None = None,
        max_undecidable: float | None = None,
        at: str | dt.datetime | None = None,
        form: str = "",
        unusable: Literal["fail", "allow"] = "fail",
    ) -> Outcome:
        """Hold a policy against recorded runs, and fail where it breaks a limit.

        Relative paths begin at pytest's rootdir. What can't be decided from what was recorded counts as what may run
        unasked.

        Args:
            traces: A file, a folder or the URL of a database, in any format that `ladder replay` reads; or several.
            policy: A policy file, a folder with one for each suite, or a `Policy`.
            max_confirmations: Questions for each task at most, on average.
            max_unattended_critical: Calls labelled critical at most that may run without anybody being asked.
            max_unattended_irreversible: Calls that nothing takes back at most that may run so.
            max_undecidable: The share of calls at most, from 0 to 1, that can't be decided.
            at: When calls without a time are taken to come, with a time zone, such as `2026-11-23T10:00Z`.
            form: The traces' format, where it isn't to be recognised.
            unusable: What becomes of the test where something of the traces can't be used.
        """
        from ladder_graph.errors import LadderError
        from ladder_graph.policy.units import moment
        from ladder_graph.replay.checking.limits import Limits, replayed

        several = [traces] if isinstance(traces, str | os.PathLike) else traces
        limits = Limits(max_confirmations, max_unattended_critical, max_unattended_irreversible, max_undecidable)
        try:
            aware = None if at is None else moment(at)
        except ValueError as wrong:
            _fail(f"{at} {wrong}")
        try:
            found = replayed([self._placed(one) for one in several], self._candidate(policy), at=aware, form=form)
        except LadderError as wrong:
            _fail(str(wrong))
        if found.unusable and unusable == "fail":
            some = "\n    ".join(found.unusable[:_SHOWN])
            _fail(
                f"{len(found.unusable)} things in the traces can't be used, so nobody knows what the policy makes of "
                f'them (unusable="allow" leaves them out)\n    {some}'
            )
        broken = found.broken(limits)
        if broken:
            head = f"{found.policy} on {', '.join(map(self._shown, found.traces))}"
            _fail("\n\n".join([head, *broken]))
        return Outcome(self._request, found)

    def _placed(self, path: Source) -> str:
        text = os.fspath(path)
        return text if "://" in text else str(self._request.config.rootpath / text)

    def _shown(self, path: str) -> str:
        return os.path.relpath(path, self._request.config.rootpath) if "://" not in path else path

    def _candidate(self, policy: Source | Policy) -> Candidate:
        from ladder_graph.policy import Policy
        from ladder_graph.replay.board import ANY
        from ladder_graph.replay.candidates import Candidate, candidates

        if isinstance(policy, Policy):
            return Candidate(f"the policy of {policy.agent}", {ANY: policy})
        (found,) = candidates([self._placed(policy)])
        return found


_SHOWN = 5
"""Lines about what can't be used that are shown."""


class Outcome:
    """A replay that broke no limit.

    Args:
        request: Whose test it is.
        replayed: The decisions, and what they come to.
    """

    def __init__(self, request: pytest.FixtureRequest, replayed: Replayed) -> None:
        self._request = request
        self.replayed = replayed

    def snapshot(self, name: str, *, tightened: Literal["fail", "allow"] = "fail") -> None:
        """Hold the decisions against those of a file beside the test, and fail where they are others.

        The file is `ladder_snapshots/MODULE.NAME.txt`. `pytest --ladder-update` writes it anew. A call that is newly
        free, that asks where it was held, or that stands on a higher rung, fails in any case, and so do calls that the
        file doesn't have or that only it has.

        Args:
            name: Of letters, digits, `-` and `_`; one for each file.
            tightened: Whether a call that goes lower fails too.
        """
        from ladder_graph.errors import LadderError
        from ladder_graph.replay.checking.snapshots import compared, read, written

        path = self._path(name)
        if self._request.config.getoption("--ladder-update"):
            self._write(path, written(self.replayed.decisions))
            return
        if not path.exists():
            _fail(f"there is no {self._shown(path)}; pytest --ladder-update writes it")
        try:
            changes = compared(read(path.read_text(encoding="ascii"), self._shown(path)), self.replayed.decisions)
        except (LadderError, ValueError) as wrong:
            _fail(str(wrong))
        if changes.loosened or changes.traces or (changes.tightened and tightened == "fail"):
            head = f"{self.replayed.policy} decides otherwise than {self._shown(path)} says"
            _fail(f"{head}\n\n{changes.text()}\n\nIf that is meant: pytest --ladder-update")

    def _path(self, name: str) -> Path:
        if not name or not all(one.isascii() and (one.isalnum() or one in "-_") for one in name):
            _fail(f"{name!r} is no name of a snapshot; use letters, digits, - and _")
        test = self._request.path
        return test.parent / FOLDER / f"{test.stem}.{name}.txt"

    def _shown(self, path: Path) -> str:
        return os.path.relpath(path, self._request.config.rootpath)

    def _write(self, path: Path, text: str) -> None:
        """Whole or not at all, since another worker may read it."""
        if path.exists() and path.read_text(encoding="ascii", errors="replace") == text:
            return
        path.parent.mkdir(exist_ok=True)
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        beside.write_text(text, encoding="ascii", newline="\n")
        beside.replace(path)
        self._request.node.user_properties.append((WRITTEN, self._shown(path)))


def _fail(why: str) -> NoReturn:
    """Fail the test by a sentence alone: whoever reads it needs no way through this module."""
    pytest.fail(f"ladder_replay: {why}", pytrace=False)
