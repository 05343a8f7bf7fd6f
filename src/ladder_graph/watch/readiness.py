"""Whether a health check could be measured at all, found out before an action depends on it."""

from __future__ import annotations

import os
import shutil
from importlib import import_module
from operator import attrgetter

from ladder_graph.policy.checks import Check, Command, Http, Prometheus, Python, Sql
from ladder_graph.watch.measuring import Surroundings, measured


def unready(check: Check) -> str | None:
    """What keeps a check from being good now, in words, or None.

    URLs and Prometheus are asked once. What needs a call, or runs code of yours, is looked for and not run.
    """
    match check:
        case Http() | Prometheus():
            found = measured(check, {}, Surroundings())
            return None if found.verdict == "good" else found.text
        case Python():
            return _loaded(check)
        case Command():
            path = os.environ.get("PATH", os.defpath) if "PATH" in check.env else os.defpath
            if shutil.which(check.argv[0], path=path) is None:
                return f"the health check {check.title} can't be run: there is no such program"
            return _absent(check, [name for name in check.env if name not in os.environ])
        case Sql():
            return _absent(check, [] if os.environ.get(check.env) else [check.env])
        case _:
            return None


def _loaded(check: Python) -> str | None:
    module, _, name = check.function.partition(":")
    try:
        attrgetter(name)(import_module(module))
    except Exception as wrong:  # noqa: BLE001  # somebody's module; whatever it raises is said
        return f"the health check {check.function} can't be loaded: {wrong}"
    return None


def _absent(check: Command | Sql, missing: list[str]) -> str | None:
    return f"the health check {check.title} has no environment variable {', '.join(missing)} here" if missing else None
