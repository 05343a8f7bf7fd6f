"""A plugin of pytest that keeps, of each test: its kind, how long it took, and which lines it ran.

The lines go where coverage.py keeps them, under the name of the test; the rest into a file of lines of JSON beside.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator
from pathlib import Path

import pytest


def kind(item: pytest.Item) -> dict[str, object]:
    """What `make quality` counts a test by."""
    return {
        "test": item.nodeid,
        "one_of_many": hasattr(item, "callspec"),
        "property": bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False)),
        "doctest": type(item).__name__ == "DoctestItem",
        "markers": sorted({mark.name for mark in item.iter_markers()} & {"faults", "browser"}),
    }


class Recorder:
    """Records one process of a run."""

    def __init__(self, folder: Path) -> None:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        self._file = (folder / f"tests.{worker}.jsonl").open("w", encoding="utf-8")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note the test, and under its name what it runs."""
        import coverage

        measured = coverage.Coverage.current()
        if measured is not None:
            measured.switch_context(item.nodeid)
        began = time.perf_counter()
        done = yield
        self._note({**kind(item), "seconds": round(time.perf_counter() - began, 4)})
        if measured is not None:
            measured.switch_context("")
        return done

    def _note(self, what: dict[str, object]) -> None:
        self._file.write(json.dumps(what) + "\n")

    def pytest_unconfigure(self) -> None:
        """Close what was written."""
        self._file.close()


class Counter:
    """Counts what is collected; nothing is run."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Write the kind of each test."""
        lines = (json.dumps(kind(item)) + "\n" for item in items)
        self._file.write_text("".join(lines), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Record where `QUALITY_RECORDS` names a folder, and count where `QUALITY_COUNTS` names a file."""
    if "QUALITY_COUNTS" in os.environ:
        config.pluginmanager.register(Counter(Path(os.environ["QUALITY_COUNTS"])))
    elif "QUALITY_RECORDS" in os.environ and (hasattr(config, "workerinput") or not config.getoption("numprocesses")):
        config.pluginmanager.register(Recorder(Path(os.environ["QUALITY_RECORDS"])))
