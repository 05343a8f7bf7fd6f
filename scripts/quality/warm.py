"""A process that has imported everything but the product, and forks one that runs tests each time it is asked.

It stands in a copy of the repository, of which one file is changed from one fork to the next. Asked by lines of JSON
on its standard input, it answers by lines of JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import select
import signal
import sys
from collections.abc import Generator, Sequence

import pytest

NEEDED = (
    "hypothesis", "sqlmodel", "langgraph.prebuilt", "langgraph.checkpoint.sqlite.aio", "langchain.agents", "psycopg",
    "starlette.testclient", "typer.testing", "rich.console", "jinja2", "sqlglot", "respx", "time_machine",
    "pytest_asyncio", "nbmake.pytest_plugin", "langsmith.pytest_plugin", "deepagents", "uvicorn",
    "playwright.async_api",
)  # fmt: skip
"""What is loaded beforehand; what isn't there is left out."""
WAITS = 10
"""A busy machine gives a process a tenth of a processor at times."""
OPTIONS = (
    "-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:faulthandler",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",  # of what was loaded beforehand
)  # fmt: skip


class First:
    """Keeps the test that failed first."""

    failed = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        if report.failed and not self.failed:
            self.failed = report.nodeid

    @pytest.hookimpl(wrapper=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> Generator[None, None, None]:
        """Note a file that can't be read any more."""
        if report.failed and not self.failed:
            self.failed = report.nodeid
        return (yield)


def run(tests: Sequence[str], seconds: int) -> dict[str, object]:
    """Run tests in a fork; how it ended, by which test, and after how much time of the processor.

    Args:
        tests: Their names.
        seconds: After how many of the processor, or `WAITS` times as many of the clock, it counts as hanging.
    """
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(here)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        os.write(there, json.dumps(_tested(tests)).encode())
        os._exit(0)
    os.close(there)
    ready, _, _ = select.select([here], [], [], seconds * WAITS)
    said = os.read(here, 1 << 16) if ready else b""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # with what its tests may have left
    _, status, used = os.wait4(child, 0)
    os.close(here)
    hung = not ready or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU)
    answer = json.loads(said) if said else {"end": "hung" if hung else "failed", "by": ""}
    return {**answer, "cpu": round(used.ru_utime + used.ru_stime, 2)}


def _tested(tests: Sequence[str]) -> dict[str, object]:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    first = First()
    try:
        code = int(pytest.main([*OPTIONS, *tests], plugins=[first]))
    except BaseException as error:  # noqa: BLE001  # a mutant may raise anything
        return {"end": "failed", "by": type(error).__name__}
    ends = {pytest.ExitCode.OK: "passed", pytest.ExitCode.NO_TESTS_COLLECTED: "none"}
    return {"end": ends.get(pytest.ExitCode(code), "failed"), "by": first.failed}


def main() -> None:
    """Load what the arguments name, and answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    for name in sys.argv[1:]:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    if os.path.exists("tests/postgres.py"):  # noqa: PTH110  # the copy stands here
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
        importlib.import_module("tests.postgres").server()  # one for all forks
    loaded = [name for name in sys.modules if name.partition(".")[0] == "ladder_graph"]
    print(json.dumps({"ready": not loaded}), file=answers)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = run(asked["tests"], asked["seconds"])
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
