"""The example of examples/server, on the servers that it is for: real processes, asked through the real SDK."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from tests.servers.running import Aegra, Dev

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROGRAMS = ROOT / ".venv-servers" / "bin"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """All tests of this folder take the servers, and are run by themselves."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.servers)


@pytest.fixture(scope="session")
def programs():
    """Where the servers' programs are."""
    if not all((PROGRAMS / name).exists() for name in ("langgraph", "uvicorn")):
        if os.environ.get("CI"):
            pytest.fail("these tests need the servers: scripts/servers installs them")
        pytest.skip("the servers aren't installed here: scripts/servers does so")
    return PROGRAMS


@pytest.fixture(scope="session")
def stack():
    """Ends what was begun."""
    with contextlib.ExitStack() as opened:
        yield opened


@pytest.fixture(scope="session")
def started(programs, stack, tmp_path_factory):
    """Each server, started at its first use; one for all tests."""
    kinds, found = {"langgraph": Dev, "aegra": Aegra}, {}

    def start(kind):
        if kind not in found:
            found[kind] = stack.enter_context(contextlib.closing(kinds[kind](programs, tmp_path_factory.mktemp(kind))))
        return found[kind]

    return start


@pytest.fixture(params=["langgraph", "aegra"])
def shop(request, started):
    """The shop on either server."""
    return started(request.param)


@pytest.fixture
def langgraph(started):
    """The shop on LangGraph's own server."""
    return started("langgraph")


@pytest.fixture
def aegra(started):
    """The shop on aegra, with everything in PostgreSQL."""
    return started("aegra")
