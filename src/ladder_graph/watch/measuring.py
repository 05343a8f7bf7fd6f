"""Taking the measurements that a policy asks for. What can't be measured is never good: silence is never health."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from typing import Any

from ladder_graph.policy.checks import Alert, Check, Command, ErrorRate, Http, Looked, Prometheus, Python, Sql
from ladder_graph.watch.signals import Signal, heard
from ladder_graph.watch.verdicts import GOOD, Found, Verdict, bad, inconclusive, within

Later = Callable[[str, int], tuple[int, int]]
"""How many calls an agent made since a moment in microseconds, and how many of them failed."""


def _clock() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a check may need to know beside the call. What isn't known is not measured, and so never good."""

    agent: str = ""
    """The agent whose action it is."""
    began: int = 0
    """When the action had run, in microseconds since the epoch."""
    later: Later | None = None
    """Counts the agent's calls, for `error_rate`."""
    signals: Sequence[Signal] = ()
    """The alerts that were delivered, for `alert`."""
    clock: Callable[[], int] = _clock
    """The present, in microseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement."""

    verdict: Verdict
    text: str
    """What is wrong, or why nothing was seen; empty where all is well."""
    at: int
    """When it was begun, in microseconds since the epoch."""


def measured(check: Check, arguments: Mapping[str, Any], surroundings: Surroundings) -> Measurement:
    """Take one measurement, now and once. It never raises, and it ends by the check's `timeout`.

    Args:
        check: What is measured.
        arguments: The call's arguments.
        surroundings: What else is known.
    """
    at = surroundings.clock()
    try:
        found = _found(check, arguments, surroundings, at)
    except Exception as wrong:  # noqa: BLE001  # whatever it is, nothing was seen, and the watch must go on
        found = inconclusive(f"the health check {check.title} failed: {type(wrong).__name__}")
    return Measurement(found.verdict, found.text, at)


def measure(checks: Sequence[Check], arguments: Mapping[str, Any]) -> str | None:
    """The look before the reply: each check as often as its `count` says, up to the first answer that isn't good.

    Checks that are taken only while the action is watched, and dry runs, have no say here.

    Args:
        checks: As the policy lists them; with none, nothing is healthy.
        arguments: The call's arguments.

    Returns:
        None when all is well, else what is wrong, in words.
    """
    if not checks:
        return "no health check is declared"
    for check in (check for check in checks if isinstance(check, Looked)):
        for turn in range(check.before_the_reply):
            time.sleep(check.interval if turn else check.delay)
            found = measured(check, arguments, Surroundings())
            if found.verdict != "good":
                return found.text
    return None


def _found(check: Check, arguments: Mapping[str, Any], surroundings: Surroundings, at: int) -> Found:
    match check:
        case Http():
            return _http(check)
        case Python():
            return _python(check, arguments)
        case Command():
            from ladder_graph.watch.commands import ran

            return ran(check, arguments)
        case Sql():
            from ladder_graph.watch.queries import selected

            return selected(check, arguments)
        case Prometheus():
            from ladder_graph.watch.queries import queried

            return queried(check)
        case ErrorRate():
            return _error_rate(check, surroundings)
        case Alert():
            return heard(check, surroundings.signals, surroundings.began, at)


def _http(check: Http) -> Found:
    try:
        # Imported here, so that ladders without HTTP checks don't need the [watch] extra.
        from ladder_graph.watch.asking import NoAnswer, NotAsked, ask
    except ImportError:
        return inconclusive("httpx is missing, so health can't be measured; install ladder-graph[watch]")
    try:
        answer = ask(check.url, timeout=check.timeout, allow=check.allow)
    except NotAsked as why:
        return inconclusive(f"the health check {check.url} was not asked: {why}")
    except NoAnswer as why:
        return bad(f"the health check {check.url} could not be reached ({why})")
    if answer.status == check.status:
        return GOOD
    return bad(f"the health check {check.url} answered {answer.status} instead of {check.status}")


def _python(check: Python, arguments: Mapping[str, Any]) -> Found:
    module, _, name = check.function.partition(":")
    given = copy.deepcopy(dict(arguments))
    try:
        healthy = within(check.timeout, lambda: attrgetter(name)(import_module(module))(given))
    except TimeoutError:
        return inconclusive(f"the health check {check.function} had not answered after {check.timeout:g} seconds")
    except Exception as wrong:  # noqa: BLE001  # any policy author's code; failing to measure is no result
        return inconclusive(f"the health check {check.function} failed: {type(wrong).__name__}: {wrong}")
    if healthy is True:
        return GOOD
    said = f"the health check {check.function} said {healthy!r}"
    # Only True is health. A string or an object is a mistake in the check, which has seen nothing then.
    return bad(said) if healthy is False else inconclusive(said)


def _error_rate(check: ErrorRate, surroundings: Surroundings) -> Found:
    if surroundings.later is None:
        return inconclusive("the health check error_rate has no calls to count here")
    calls, failures = surroundings.later(surroundings.agent, surroundings.began)
    if calls < check.least:
        return inconclusive(f"the agent made {calls} calls since, and {check.least} are needed to tell")
    if failures <= check.at_most * calls:
        return GOOD
    return bad(f"{failures} of the agent's {calls} calls since then failed")
