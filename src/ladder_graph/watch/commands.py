"""Programs as health checks: started without a shell, with nothing of this process but what the policy names."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ladder_graph.policy.checks import Command
from ladder_graph.watch.verdicts import GOOD, Found, bad, inconclusive

NO_RESULT = 75
"""The exit code of a program that saw nothing: EX_TEMPFAIL of sysexits.h."""


def ran(check: Command, arguments: Mapping[str, Any]) -> Found:
    """Run the program, and kill it with everything it started when its time is over."""
    missing = [name for name in check.env if name not in os.environ]
    if missing:
        return inconclusive(f"the health check {check.title} was not run: there is no {', '.join(missing)}")
    try:
        given = json.dumps(dict(arguments)).encode()
        process = subprocess.Popen(  # noqa: S603  # argv is the policy's, and no part of it comes from a call
            check.argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in check.env},
            start_new_session=True,
        )
    except (OSError, ValueError, TypeError) as wrong:
        return inconclusive(f"the health check {check.title} could not be run ({type(wrong).__name__})")
    return _ended(check, process, given)


def _ended(check: Command, process: subprocess.Popen[bytes], given: bytes) -> Found:
    try:
        process.communicate(given, timeout=check.timeout)
    except subprocess.TimeoutExpired:
        _kill(process)
        return inconclusive(f"the health check {check.title} had not ended after {check.timeout:g} seconds")
    except BaseException:
        _kill(process)
        raise
    if process.returncode == 0:
        return GOOD
    if process.returncode == NO_RESULT:
        return inconclusive(f"the health check {check.title} said that it saw nothing (exit code {NO_RESULT})")
    return bad(f"the health check {check.title} ended with exit code {process.returncode}")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End its whole session. It hasn't been waited for yet, so its number is still its own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
