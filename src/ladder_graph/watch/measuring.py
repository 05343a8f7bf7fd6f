"""Taking the measurements that a policy asks for. What can't be measured is bad: silence is never health."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from operator import attrgetter
from typing import Any

from ladder_graph.policy.checks import Check, Http, Python


def measure(checks: Sequence[Check], arguments: Mapping[str, Any]) -> str | None:
    """Take all checks in order, each as often as it says, and stop at the first bad answer.

    Args:
        checks: As the policy lists them; with none, nothing is healthy.
        arguments: The call's arguments, for checks in Python.

    Returns:
        None when all is well, else what is wrong, in words.
    """
    if not checks:
        return "no health check is declared"
    for check in checks:
        time.sleep(check.delay)
        for turn in range(check.count):
            if turn:
                time.sleep(check.interval)
            trouble = _http(check) if isinstance(check, Http) else _python(check, arguments)
            if trouble is not None:
                return trouble
    return None


def _http(check: Http) -> str | None:
    try:
        # Imported here, so that ladders without HTTP checks don't need the [watch] extra.
        import httpx
    except ImportError:
        return "httpx is missing, so health can't be measured; install ladder-graph[watch]"
    try:
        # No redirects and no proxy: the URL of the policy is asked, and nothing else.
        answer = httpx.get(check.url, timeout=check.timeout, follow_redirects=False, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as wrong:
        return f"the health check {check.url} could not be reached ({type(wrong).__name__})"
    if answer.status_code == check.status:
        return None
    return f"the health check {check.url} answered {answer.status_code} instead of {check.status}"


def _python(check: Python, arguments: Mapping[str, Any]) -> str | None:
    module, _, name = check.function.partition(":")
    try:
        function = attrgetter(name)(import_module(module))
        healthy = function(copy.deepcopy(dict(arguments)))
    except Exception as wrong:  # noqa: BLE001  # any policy author's code; failing to measure is bad health
        return f"the health check {check.function} failed: {type(wrong).__name__}: {wrong}"
    # Only True is health: None, a string or an object is a mistake in the check.
    return None if healthy is True else f"the health check {check.function} said {healthy!r}"
