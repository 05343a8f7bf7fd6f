"""What holds for every test: nothing leaves this machine, and nothing of the caller's environment gets in."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("ladder", deadline=None, print_blob=True)  # no test is timed
settings.register_profile("ladder-ci", parent=settings.get_profile("ladder"), derandomize=True)
settings.load_profile("ladder-ci" if os.environ.get("CI") else "ladder")

HERE = Path(__file__).parent
APART = {HERE / name: f"not {name}" for name in ("browser", "servers")}
"""Folders whose tests are run by themselves; what they import takes seconds, so they aren't looked at by other runs."""

# Rich and Typer colour their output where one of these is set, and tests read it plain.
COLOURS = {"FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "CLICOLOR_FORCE"}


def pytest_configure() -> None:
    """Keys, tracing and settings of whoever runs the tests don't reach them, nor the processes they start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell gives that to what it runs in the background, and it would be inherited by what must end at Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in list(os.environ):
        if name.startswith(("LADDER_", "LANGSMITH_", "LANGCHAIN_")) or name.endswith("_API_KEY") or name in COLOURS:
            del os.environ[name]
    os.environ["LANGSMITH_TRACING"] = "false"
    os.environ["NO_COLOR"] = "1"


def pytest_ignore_collect(collection_path, config):
    """Leave out the folders whose tests are left out anyway."""
    return True if APART.get(collection_path, "with them") in config.option.markexpr else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark the slow ones: `python -m scripts.slow` names them by what a run took."""
    slow = set((HERE / "slow.txt").read_text(encoding="utf-8").split())
    for item in items:
        if item.nodeid.split("[")[0] in slow:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def postgres():
    """The URL of a new ledger on a real PostgreSQL server."""
    from tests.postgres import drop, new_ledger

    url = new_ledger()
    yield url
    drop(url)


@pytest.fixture(autouse=True)
def _stay_on_this_machine(monkeypatch):
    """A test that looks for another machine, or connects to one, fails."""
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def getaddrinfo(host, *args, **kwargs):
        _must_be_here(host)
        return look_up(host, *args, **kwargs)

    def connecting(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            _must_be_here(address[0])
        return connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket.socket, "connect", connecting)


def _must_be_here(host):
    name = host.decode() if isinstance(host, bytes) else host
    if name not in {None, "", "localhost", "::1", socket.gethostname()} and not name.startswith("127."):
        pytest.fail(f"a test tried to reach {name}; mock what is outside this machine")
