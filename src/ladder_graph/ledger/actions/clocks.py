"""Two clocks: the wall's, which people set, and the machine's since it was started, which nobody sets."""

from __future__ import annotations

import datetime as dt
import functools
import time
from dataclasses import dataclass
from pathlib import Path

from ladder_graph.ledger.actions.questions import micros

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# CLOCK_BOOTTIME goes on while the machine sleeps. macOS has it under another name, and elsewhere there is none.
_SINCE_BOOT: int = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC_RAW", -1))


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment on both clocks, in microseconds."""

    wall_us: int
    """Since the epoch."""
    boot: str
    """Which start of which machine the other clock counts from; empty where that isn't known."""
    boot_us: int
    """Since then."""

    @classmethod
    def at(cls, now: dt.datetime) -> Moment:
        """The present moment, with the wall clock's time as somebody has read it already.

        Args:
            now: Aware.
        """
        return cls(micros(now), boot_id(), time.clock_gettime_ns(_SINCE_BOOT) // 1000 if boot_id() else 0)

    def since(self, earlier: Moment) -> tuple[int, int]:
        """How long ago another moment was: by the clock to be trusted, and by whichever clock says more.

        The machine's own clock is to be trusted where it counts from the same start: nobody sets it. Elsewhere, and on
        another machine, only the wall's can tell.

        Returns:
            Two numbers of microseconds.
        """
        wall = self.wall_us - earlier.wall_us
        since_boot = self.boot_us - earlier.boot_us if self.boot and self.boot == earlier.boot else wall
        return since_boot, max(wall, since_boot)


@functools.cache
def boot_id() -> str:
    """What tells this start of this machine from any other; empty where the system doesn't say."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
