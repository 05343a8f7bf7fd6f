"""What tools of the tests act on: functions that another process can import, as undo artifacts name them."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from ladder_graph.errors import DefiniteFailure
from ladder_graph.references import registered


def _flags():
    path = Path(os.environ["TEST_FLAGS"])
    return path, json.loads(path.read_text()) if path.exists() else {}


@registered("get")
def get_flag(name):
    """The flag's value."""
    return _flags()[1].get(name, {}).get("value")


@registered("version")
def flag_version(name):
    """How often it was set."""
    return _flags()[1].get(name, {}).get("version", 0)


@registered("set")
def set_flag(name, value):
    """Set it."""
    path, flags = _flags()
    flags[name] = {"value": value, "version": flag_version(name) + 1}
    path.write_text(json.dumps(flags))


@registered("set")
def set_nothing(name, value):
    """Forget to set it."""


@registered("engine")
def engine():
    """The database of the test, without a pool."""
    return create_engine(os.environ["TEST_DATABASE"], poolclass=NullPool)


@registered("engine")
def address():
    """The same as a URL."""
    return os.environ["TEST_DATABASE"]


def _note(name, payload):
    with Path(os.environ["TEST_SENT"]).open("a") as file:
        file.write(json.dumps([name, payload]) + "\n")


@registered("send")
def deliver(payload, name):
    """Send a message, or do with it what its subject says."""
    match payload.get("subject"):
        case "refuse":
            raise DefiniteFailure("the server is down")
        case "break":
            raise OSError("the line broke")
        case "die":
            _note(name, payload)
            os.kill(os.getpid(), signal.SIGKILL)
    _note(name, payload)
